//go:build !linux

package torture

import (
	"errors"
	"math/rand/v2"
	"os/exec"
)

var errLinux = errors.New("power cuts need Linux: FUSE, a loop device, ext4")

// Machine is for Linux alone.
type Machine struct{}

// MountPoint is never called.
func (*Machine) MountPoint() string { return "" }

// Freeze is never called.
func (*Machine) Freeze(*rand.Rand) {}

// Cease is never called.
func (*Machine) Cease() {}

// Off is never called.
func (*Machine) Off(*rand.Rand) (*Disk, CutStats, error) { return nil, CutStats{}, errLinux }

// Boot tells that it cannot.
func Boot(string, *Disk) (*Machine, error) { return nil, errLinux }

// Format tells that it cannot.
func Format(string, int) ([]byte, error) { return nil, errLinux }

// Mountable tells that power cannot be cut here.
func Mountable(string) error { return errLinux }

// InOwnMounts changes nothing.
func InOwnMounts(*exec.Cmd) {}

// tie does nothing: a child may outlive a process that was killed.
func tie(*exec.Cmd) {}
