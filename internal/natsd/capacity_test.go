package natsd

import (
	"math"
	"os"
	"path/filepath"
	"testing"
)

func TestLimitOf(t *testing.T) {
	const gb = int64(1) << 30
	for _, c := range []struct {
		name             string
		held, free, want int64
	}{
		{"empty small disk", 0, 10 * gb, 10*gb - gb/2},
		{"large disk", 0, 1000 * gb, 999 * gb},
		{"nine tenths full of ours", 900 * gb, 100 * gb, 999 * gb},
		{"nothing free", 100 * gb, 0, 99 * gb},
		{"overflow", math.MaxInt64, 1, 0},
		{"nonsense", 0, -1, 0},
	} {
		if got := limitOf(c.held, c.free); got != c.want {
			t.Errorf("%s: got %d, want %d", c.name, got, c.want)
		}
	}
}

func TestStoreLimitReachesTheServer(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "other"), make([]byte, 1000), 0o600))
	if got := treeSize(dir); got != 1000 {
		t.Errorf("tree: got %d, want 1000", got)
	}
	before := storeLimit(dir)
	if before <= 0 {
		t.Fatalf("got limit %d", before)
	}
	s := startTest(t, Options{Dir: dir}, realDisk())
	after := storeLimit(dir) // others write to this disk, and give it back
	if got := s.ns.JetStreamConfig().MaxStore; got < min(before, after)*9/10 || got > max(before, after)/9*10 {
		t.Errorf("got limit %d, want about %d or %d", got, before, after)
	}
}
