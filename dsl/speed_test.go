//go:build unix

package dsl_test

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/cloudlysis/aggregate/dsl"
	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/parser"
)

// manySources is a set of at least 10,000 lines: the bank of the language's first page, under many
// names, with its tests.
func manySources(tb testing.TB) (sources []dsl.Source, lines int) {
	text, err := os.ReadFile("check/testdata/bank.agg")
	if err != nil {
		tb.Fatal(err)
	}
	for i := 0; lines < 10_000; i++ {
		name := fmt.Sprintf("Account%d", i)
		one := strings.NewReplacer("aggregate Account ", "aggregate "+name+" ", "for Account", "for "+name).Replace(string(text))
		sources = append(sources, dsl.Source{Path: fmt.Sprintf("bank%03d.agg", i), Text: []byte(one)})
		lines += strings.Count(one, "\n")
	}
	return sources, lines
}

// cpu is the seconds of processor time that this process has used.
func cpu(b *testing.B) float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// BenchmarkLines measures the phases over 10,000 lines. lines/s is by the clock; lines/cpu-s, by
// the time of the processor, garbage collector included, does not suffer from other processes.
func BenchmarkLines(b *testing.B) {
	sources, lines := manySources(b)
	phase := func(name string, run func()) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			before := cpu(b)
			for b.Loop() {
				run()
			}
			b.ReportMetric(float64(lines*b.N)/b.Elapsed().Seconds(), "lines/s")
			b.ReportMetric(float64(lines*b.N)/(cpu(b)-before), "lines/cpu-s")
		})
	}
	parse := func(bag *diag.Bag) []*ast.File {
		files := make([]*ast.File, len(sources))
		for i := range sources {
			files[i] = parser.ParseFile(diag.NewFile(sources[i].Path, sources[i].Text), bag)
		}
		return files
	}
	phase("lex", func() {
		for i := range sources {
			if n := parser.Lex(diag.NewFile(sources[i].Path, sources[i].Text)); n == 0 {
				b.Fatal("no tokens")
			}
		}
	})
	phase("parse", func() { parse(&diag.Bag{}) })
	phase("parse+check", func() {
		bag := &diag.Bag{}
		check.Files(parse(bag), check.Options{}, bag)
		if len(bag.Sorted()) > 0 {
			b.Fatal(bag.Sorted()[0].Message)
		}
	})
	phase("compile", func() {
		if r := dsl.Compile(sources, dsl.Options{Tests: true}); !r.OK || len(r.Diagnostics) > 0 {
			b.Fatal("it does not compile")
		}
	})
}
