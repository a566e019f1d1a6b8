package natsd

import (
	"math"
	"os"

	"golang.org/x/sys/windows"
)

// errHeld is matched by tryLock's error when another process has the lock.
const errHeld = windows.ERROR_LOCK_VIOLATION

// tryLock locks the file of f until f is closed or the process ends. Windows keeps others from reading what is
// locked, so it is a byte far behind the text, which names the holder.
func tryLock(f *os.File) error {
	behind := &windows.Overlapped{OffsetHigh: math.MaxInt32}
	return windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, behind)
}
