package compile_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/cloudlysis/aggregate/dsl"
	"github.com/cloudlysis/aggregate/dsl/bytecode"
)

var update = flag.Bool("update", false, "rewrite the golden archives")

// TestGolden compiles the .agg file of every archive and compares the disassembly with out/asm.
func TestGolden(t *testing.T) {
	paths, err := filepath.Glob("testdata/asm/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) { golden(t, path) })
	}
}

func golden(t *testing.T, path string) {
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	src := archive.Files[0]
	r := mustCompile(t, dsl.Compile([]dsl.Source{{Path: src.Name, Text: src.Data}}, dsl.Options{Tests: true}))
	var asm bytes.Buffer
	for _, p := range r.Programs {
		if err := bytecode.Verify(p.Program); err != nil {
			t.Fatal(err)
		}
		if err := bytecode.Disassemble(&asm, p.Program); err != nil {
			t.Fatal(err)
		}
	}
	out := txtar.Format(&txtar.Archive{Comment: archive.Comment, Files: []txtar.File{src, {Name: "out/asm", Data: asm.Bytes()}}})
	if *update {
		if err := os.WriteFile(path, out, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want := txtar.Format(archive); !bytes.Equal(want, out) {
		t.Errorf("%s is stale (run with -update and read the diff)\ngot:\n%s", path, out)
	}
}
