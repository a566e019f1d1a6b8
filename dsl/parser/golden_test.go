package parser_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/parser"
)

var update = flag.Bool("update", false, "rewrite the golden archives")

// TestGolden parses the .agg file of every archive and compares its tree with out/ast and its
// findings with out/errors.
func TestGolden(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txtar")
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
	var bag diag.Bag
	file := parser.ParseFile(diag.NewFile(src.Name, src.Data), &bag)
	var errs bytes.Buffer
	if err := diag.Write(&errs, diag.Pretty, bag.Sorted(), diag.Options{}); err != nil {
		t.Fatal(err)
	}
	got := &txtar.Archive{Comment: archive.Comment, Files: []txtar.File{src}}
	if errs.Len() == 0 {
		got.Files = append(got.Files, txtar.File{Name: "out/ast", Data: []byte(ast.DumpString(file))})
	} else {
		got.Files = append(got.Files, txtar.File{Name: "out/errors", Data: errs.Bytes()})
	}
	if *update {
		if err := os.WriteFile(path, txtar.Format(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, out := txtar.Format(archive), txtar.Format(got)
	if !bytes.Equal(want, out) {
		t.Errorf("%s is stale (run with -update and read the diff)\ngot:\n%s", path, out)
	}
}
