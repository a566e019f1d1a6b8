package natsd

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// What a stamp shows while somebody writes, by path and by descriptor: the size so far, and another file under an old name.
func TestStamps(t *testing.T) {
	path := filepath.Join(t.TempDir(), "1.blk")
	w, err := os.Create(path)
	must(t, err)
	defer w.Close()
	f, err := openToSync(path)
	must(t, err)
	defer f.Close()
	for size := int64(1); size <= 3; size++ {
		_, err := w.WriteString("x")
		must(t, err)
		byPath, err := stampPath(path)
		must(t, err)
		byFile, err := stampFile(f)
		must(t, err)
		if byPath != byFile || byPath.size != size || byPath.inode == 0 {
			t.Errorf("after %d bytes: got %+v by path, %+v by descriptor", size, byPath, byFile)
		}
	}
	must(t, w.Close())
	before, err := stampFile(f)
	must(t, err)
	other := filepath.Join(t.TempDir(), "other")
	must(t, os.WriteFile(other, []byte("abc"), 0o600))
	must(t, f.Close())
	must(t, os.Rename(other, path))
	if after, err := stampPath(path); err != nil || after.inode == before.inode {
		t.Errorf("another file of that name: got %+v, %v, before it %+v", after, err, before)
	}
	if _, err := stampPath(other); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is gone: got %v", err)
	}
}

// The server may rename and remove what the syncer has open.
func TestOpenToSyncHoldsNothingUp(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "1.blk")
	must(t, os.WriteFile(path, []byte("x"), 0o600))
	f, err := openToSync(path)
	must(t, err)
	defer f.Close()
	must(t, fsync(f))
	must(t, os.Rename(path, path+".old"))
	must(t, os.Remove(path+".old"))
	must(t, fsync(f))
	if _, err := openToSync(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is gone: got %v", err)
	}
	d, err := openToSync(dir)
	must(t, err)
	defer d.Close()
	must(t, fsync(d))
	must(t, watchable(dir))
}
