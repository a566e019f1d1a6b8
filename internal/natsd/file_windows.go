package natsd

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/windows"
)

// errPortTaken is matched by the error of a listener whose port another program has; syscall.EADDRINUSE is an
// invention of package syscall that Windows never says.
const errPortTaken = windows.WSAEADDRINUSE

// fsync flushes a file through to the disk. Windows flushes no folder: the names in it, and what was created, renamed
// and removed, go through the journal of NTFS or ReFS, which is written in order, up to a file's own record whenever
// that file is flushed. So a block that was flushed is found by its name after a power cut. That is how these file
// systems work and what other databases rest on there; it is not a promise in Microsoft's documentation.
func fsync(f *os.File) error {
	info, err := f.Stat()
	if err != nil || info.IsDir() {
		return err
	}
	return f.Sync()
}

// watchable asks for a local disk with NTFS or ReFS. FAT does not note in a folder when something was added to it, and
// has no journal for names; of a share the client remembers the times of folders for seconds.
func watchable(store string) error {
	volume, name, err := volumeOf(store)
	if err != nil {
		return fmt.Errorf("the file system of %s cannot be told: %w", store, err)
	}
	if windows.GetDriveType(volume) == windows.DRIVE_REMOTE {
		return fmt.Errorf("%s is on a network drive (%s)", store, name)
	}
	if name != "NTFS" && name != "ReFS" {
		return fmt.Errorf("%s is on %s, not on NTFS or ReFS", store, name)
	}
	return nil
}

// volumeOf gives the root of the volume that dir lies on, and the name of its file system.
func volumeOf(dir string) (root *uint16, name string, err error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, "", err
	}
	path, err := windows.UTF16PtrFromString(abs)
	if err != nil {
		return nil, "", err
	}
	volume := make([]uint16, len(abs)+windows.MAX_PATH)
	if err := windows.GetVolumePathName(path, &volume[0], uint32(len(volume))); err != nil {
		return nil, "", err
	}
	var system [windows.MAX_PATH + 1]uint16
	err = windows.GetVolumeInformation(&volume[0], nil, 0, nil, nil, nil, &system[0], uint32(len(system)))
	return &volume[0], windows.UTF16ToString(system[:]), err
}

// openToSync opens a file or folder that fsync is then called with. Flushing wants the right to write, and the server
// must be able to rename and remove the file meanwhile: os.Open has neither.
func openToSync(path string) (*os.File, error) {
	return open(path, windows.GENERIC_READ|windows.GENERIC_WRITE)
}

func open(path string, access uint32) (*os.File, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	const share = windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE | windows.FILE_SHARE_DELETE
	h, err := windows.CreateFile(name, access, share, nil, windows.OPEN_EXISTING, windows.FILE_FLAG_BACKUP_SEMANTICS, 0) // the flag lets folders be opened
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(h), path), nil
}

// stampPath stamps what is at path. It opens it, as a folder's own listing shows an old size while a file is being
// written, and no index.
func stampPath(path string) (stamp, error) {
	f, err := open(path, windows.FILE_READ_ATTRIBUTES)
	if err != nil {
		return stamp{}, err
	}
	defer f.Close()
	return stampFile(f)
}

// stampFile stamps an open file or folder. The time of the last write may lag behind while the server has the file
// open; the size does not, and a block only grows.
func stampFile(f *os.File) (stamp, error) {
	var i windows.ByHandleFileInformation
	if err := windows.GetFileInformationByHandle(windows.Handle(f.Fd()), &i); err != nil {
		return stamp{}, &fs.PathError{Op: "stat", Path: f.Name(), Err: err}
	}
	return stamp{
		inode: uint64(i.FileIndexHigh)<<32 | uint64(i.FileIndexLow),
		size:  int64(i.FileSizeHigh)<<32 | int64(i.FileSizeLow),
		mtime: time.Unix(0, i.LastWriteTime.Nanoseconds()),
	}, nil
}
