package natsd

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// syncfs reports failed writes since f was opened, from Linux 5.8 on; older kernels say yes to everything.
func syncfs(f *os.File) error {
	if !syncfsReports() {
		return errors.ErrUnsupported
	}
	for {
		if err := unix.Syncfs(int(f.Fd())); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

var syncfsReports = sync.OnceValue(func() bool {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return false
	}
	return atLeast(unix.ByteSliceToString(u.Release[:]), 5, 8)
})

// atLeast compares the first two numbers of a kernel's release, such as 6.1.0-13-amd64.
func atLeast(release string, major, minor int) bool {
	parts := strings.FieldsFunc(release, func(r rune) bool { return r < '0' || r > '9' })
	if len(parts) < 2 {
		return false
	}
	a, errA := strconv.Atoi(parts[0])
	b, errB := strconv.Atoi(parts[1])
	return errA == nil && errB == nil && (a > major || a == major && b >= minor)
}
