package main

import (
	"log/slog"
	"math"
	"os"
	"runtime/debug"
	"testing"
)

func TestMemoryIsLimited(t *testing.T) {
	before := debug.SetMemoryLimit(math.MaxInt64)
	t.Cleanup(func() { debug.SetMemoryLimit(before) })
	t.Setenv("GOMEMLIMIT", "77MiB") // as an operator says it: the runtime has heard it at the start
	limitMemory(slog.Default())
	if got := debug.SetMemoryLimit(-1); got != math.MaxInt64 {
		t.Errorf("with GOMEMLIMIT: got %d, want it left alone", got)
	}
	if err := os.Unsetenv("GOMEMLIMIT"); err != nil {
		t.Fatal(err)
	}
	limitMemory(slog.Default())
	if got := debug.SetMemoryLimit(-1); got < 16<<20 || got > 64<<40 {
		t.Errorf("got a limit of %d", got)
	}
}
