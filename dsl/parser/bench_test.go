package parser

import (
	"os"
	"testing"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/cloudlysis/aggregate/dsl/diag"
)

func benchSource(b *testing.B) *diag.File {
	src, err := os.ReadFile("testdata/account.agg")
	if err != nil {
		b.Fatal(err)
	}
	return diag.NewFile("account.agg", src)
}

func perLine(b *testing.B, f *diag.File) {
	b.ReportMetric(float64(f.Lines())*float64(b.N)/b.Elapsed().Seconds(), "lines/s")
}

func BenchmarkLexer(b *testing.B) {
	f := benchSource(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := lexer.Upgrade(newScanner(f)); err != nil {
			b.Fatal(err)
		}
	}
	perLine(b, f)
}

func BenchmarkParse(b *testing.B) {
	f := benchSource(b)
	productions()
	b.ReportAllocs()
	for b.Loop() {
		var bag diag.Bag
		ParseFile(f, &bag)
		if bag.Errors() > 0 {
			b.Fatal("the example manifest has errors")
		}
	}
	perLine(b, f)
}
