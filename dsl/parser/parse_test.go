package parser_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/parser"
)

// parse gives the tree of src and its findings as "line:col code message".
func parse(name, src string) (*ast.File, []string) {
	var bag diag.Bag
	file := parser.ParseFile(diag.NewFile(name, []byte(src)), &bag)
	var out []string
	for _, d := range bag.Sorted() {
		at := d.Span.StartPosition()
		out = append(out, fmt.Sprintf("%d:%d %s %s", at.Line, at.Column, d.Code, d.Message))
	}
	return file, out
}

func TestExampleManifest(t *testing.T) {
	src, err := os.ReadFile("testdata/account.agg")
	if err != nil {
		t.Fatal(err)
	}
	file, errs := parse("account.agg", string(src))
	for _, e := range errs {
		t.Error(e)
	}
	if len(file.Decls) != 3 {
		t.Fatalf("got %d declarations, want an aggregate and two tests", len(file.Decls))
	}
	if n := len(file.Decls[0].(*ast.Aggregate).Decls); n != 31 {
		t.Errorf("got %d declarations in the aggregate, want 31", n)
	}
}

func BenchmarkParse(b *testing.B) {
	src, err := os.ReadFile("testdata/account.agg")
	if err != nil {
		b.Fatal(err)
	}
	f := diag.NewFile("account.agg", src)
	lines := f.Lines()
	b.ReportAllocs()
	for b.Loop() {
		var bag diag.Bag
		parser.ParseFile(f, &bag)
		if bag.Errors() > 0 {
			b.Fatal("errors")
		}
	}
	b.ReportMetric(float64(lines)*float64(b.N)/b.Elapsed().Seconds(), "lines/s")
}
