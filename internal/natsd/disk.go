package natsd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// ErrSync is matched by the error of a sync that failed, and by every Wait from then on.
var ErrSync = errors.New("sync failed, nothing more is durable")

// disk is what the syncer asks of the operating system. Tests put failures here.
type disk struct {
	// fsync makes the content of a file or the names in a folder durable. Files come from openToSync.
	fsync func(*os.File) error
	// watchable tells, by an error, why changes of the files in store cannot be found by looking at them.
	watchable func(store string) error
	// syncfs writes back the whole file system that f lies on. Its error matches errors.ErrUnsupported where the
	// call is absent or would not report failed writes.
	syncfs func(f *os.File) error
	// streams is the folder of all streams within a store folder.
	streams func(store string) string
}

func realDisk() disk {
	return disk{fsync: fsync, watchable: watchable, syncfs: syncfs, streams: func(store string) string {
		return filepath.Join(store, "jetstream", ownerAccount, "streams")
	}}
}

// unsupported tells a file system or a sandbox without the call from a broken disk.
func unsupported(err error) bool {
	return errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EINVAL)
}

func syncError(what, path string, err error) error {
	return fmt.Errorf("%w: %s %s: %w", ErrSync, what, path, err)
}

// syncPath syncs one file or folder through a descriptor of its own. A path that is gone is no error: nothing
// in it was acknowledged, or it was deleted on purpose.
func (d disk) syncPath(path string) error {
	f, err := openToSync(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return syncError("open", path, err)
	}
	defer f.Close()
	if err := d.fsync(f); err != nil {
		return syncError("fsync", path, err)
	}
	return nil
}

// syncTree syncs every file and folder below root, then root and the folder that holds it. Sockets and links are left out.
func (d disk) syncTree(root string, stop func() error) error {
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return syncError("list", path, err)
		}
		if err := stop(); err != nil {
			return err
		}
		if !e.IsDir() && !e.Type().IsRegular() {
			return nil
		}
		return d.syncPath(path)
	})
	if err != nil {
		return err
	}
	return d.syncPath(filepath.Dir(root))
}
