//go:build unix

package natsd

import (
	"os"

	"golang.org/x/sys/unix"
)

// errHeld is matched by tryLock's error when another process has the lock.
const errHeld = unix.EWOULDBLOCK

// tryLock locks the file of f until f is closed or the process ends.
func tryLock(f *os.File) error { return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) }
