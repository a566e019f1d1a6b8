//go:build unix

package natsd

import (
	"io/fs"
	"os"
	"syscall"
)

// errPortTaken is matched by the error of a listener whose port another program has.
const errPortTaken = syscall.EADDRINUSE

func fsync(f *os.File) error { return f.Sync() }

func watchable(string) error { return nil }

// openToSync opens a file or folder that fsync is then called with.
func openToSync(path string) (*os.File, error) { return os.Open(path) }

// stampPath stamps what is at path.
func stampPath(path string) (stamp, error) {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{}, err
	}
	return stampInfo(info), nil
}

// stampFile stamps an open file.
func stampFile(f *os.File) (stamp, error) {
	info, err := f.Stat()
	if err != nil {
		return stamp{}, err
	}
	return stampInfo(info), nil
}

func stampInfo(info fs.FileInfo) stamp {
	s := stamp{size: info.Size(), mtime: info.ModTime()}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		s.inode = st.Ino
	}
	return s
}
