package parser_test

import (
	"bytes"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/parser"
	"github.com/cloudlysis/aggregate/internal/goldentest"
)

// TestGolden parses the .agg file of every archive and compares its tree with out/ast or its
// findings with out/errors.
func TestGolden(t *testing.T) {
	goldentest.Archives(t, "testdata/*.txtar", func(t *testing.T, sources []txtar.File) []txtar.File {
		var bag diag.Bag
		file := parser.ParseFile(diag.NewFile(sources[0].Name, sources[0].Data), &bag)
		var errs bytes.Buffer
		if err := diag.Write(&errs, diag.Pretty, bag.Sorted(), diag.Options{}); err != nil {
			t.Fatal(err)
		}
		if errs.Len() == 0 {
			return []txtar.File{{Name: "out/ast", Data: []byte(ast.DumpString(file))}}
		}
		return []txtar.File{{Name: "out/errors", Data: errs.Bytes()}}
	})
}
