package diskspace

import (
	"path/filepath"
	"testing"
)

func TestOf(t *testing.T) {
	s, err := Of(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if s.Free == 0 || s.Size < s.Free {
		t.Errorf("got %d free of %d bytes", s.Free, s.Size)
	}
	if _, err := Of(filepath.Join(t.TempDir(), "nothing", "here")); err == nil {
		t.Error("a folder that is not there has space")
	}
}
