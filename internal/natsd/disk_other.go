//go:build !linux

package natsd

import (
	"errors"
	"os"
)

// syncfs is Linux's alone; elsewhere every changed block is synced by itself.
func syncfs(*os.File) error { return errors.ErrUnsupported }
