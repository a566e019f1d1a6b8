// Package goldentest holds golden archives to what the code makes of their sources, for the tests
// of the language's rooms.
//
// An archive is a txtar file: its sources first, then files out/…, which are made of them. With
// -update they are made anew, and the author reads the diff.
package goldentest

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// Update tells whether golden files are to be rewritten.
func Update() bool { return *update }

// Archives runs a subtest for each archive that pattern matches: produce makes the files out/… of
// the sources, and they must be those of the archive. It is an error if there are none.
func Archives(t *testing.T, pattern string, produce func(t *testing.T, sources []txtar.File) []txtar.File) {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("no archives %s: %v", pattern, err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) { archive(t, path, produce) })
	}
}

func archive(t *testing.T, path string, produce func(t *testing.T, sources []txtar.File) []txtar.File) {
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	in := txtar.Parse(want)
	made := &txtar.Archive{Comment: in.Comment}
	for _, f := range in.Files {
		if !strings.HasPrefix(f.Name, "out/") {
			made.Files = append(made.Files, f)
		}
	}
	made.Files = append(made.Files, produce(t, made.Files)...)
	File(t, path, want, txtar.Format(made))
}

// File holds a file, which is want now, to got, or rewrites it.
func File(t *testing.T, path string, want, got []byte) {
	t.Helper()
	if bytes.Equal(want, got) {
		return
	}
	if !Update() {
		t.Errorf("%s is stale: run with -update and read the diff\n%s", path, diff.Diff(path, want, "made now", got))
		return
	}
	if err := os.WriteFile(path, got, 0o644); err != nil {
		t.Fatal(err)
	}
}
