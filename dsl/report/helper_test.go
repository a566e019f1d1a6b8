package report

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/parser"
)

var update = flag.Bool("update", false, "rewrite golden files")

// load checks one source; it must have no errors.
func load(t testing.TB, name string, src []byte) *check.Set {
	t.Helper()
	bag := &diag.Bag{}
	file := parser.ParseFile(diag.NewFile(name+".agg", src), bag)
	set := check.Files([]*ast.File{file}, check.Options{}, bag)
	if bag.Errors() > 0 {
		for _, d := range bag.Sorted() {
			at := d.Span.StartPosition()
			t.Errorf("%s:%d:%d: %s %s", at.File, at.Line, at.Column, d.Code, d.Message)
		}
		t.FailNow()
	}
	return set
}

// example is the source of one of the examples.
func example(t testing.TB, name string) []byte {
	t.Helper()
	files := map[string]string{"bank": "account.agg", "order": "order.agg"}
	src, err := os.ReadFile(filepath.Join("..", "..", "examples", name, files[name]))
	if err != nil {
		t.Fatal(err)
	}
	return src
}
