package check_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/parser"
)

// manyBanks is a set of n files, each the bank of language.md under a name of its own.
func manyBanks(t testing.TB, n int) []source {
	text := bank(t)
	out := make([]source, n)
	for i := range out {
		name := fmt.Sprintf("Account%d", i)
		out[i] = source{fmt.Sprintf("bank%d.agg", i), strings.NewReplacer("aggregate Account ", "aggregate "+name+" ", "for Account", "for "+name).Replace(text)}
	}
	return out
}

// BenchmarkFiles checks 100 banks, parsed beforehand and parsed anew; lines/s is the figure that
// counts.
func BenchmarkFiles(b *testing.B) {
	sources := manyBanks(b, 100)
	lines := 0
	for _, s := range sources {
		lines += strings.Count(s.text, "\n")
	}
	for _, parse := range []bool{false, true} {
		b.Run(fmt.Sprintf("parse=%t", parse), func(b *testing.B) {
			b.ReportAllocs()
			files := parsed(sources)
			for b.Loop() {
				if parse {
					files = parsed(sources)
				}
				bag := &diag.Bag{}
				check.Files(files, check.Options{}, bag)
				if len(bag.Sorted()) > 0 {
					b.Fatal(short(bag.Sorted()[0]))
				}
			}
			b.ReportMetric(float64(lines*b.N)/b.Elapsed().Seconds(), "lines/s")
		})
	}
}

func parsed(sources []source) []*ast.File {
	files := make([]*ast.File, len(sources))
	for i, s := range sources {
		files[i] = parser.ParseFile(diag.NewFile(s.name, []byte(s.text)), &diag.Bag{})
	}
	return files
}

// TestGrowthIsLinear checks that twice the text takes about twice the work, counted in allocations,
// which do not depend on the machine.
func TestGrowthIsLinear(t *testing.T) {
	count := func(text string) float64 {
		files := parsed([]source{{"a.agg", text}})
		return testing.AllocsPerRun(1, func() { check.Files(files, check.Options{}, &diag.Bag{}) })
	}
	shapes := map[string]func(n int) string{
		"fields": func(n int) string {
			return "aggregate A {\n  state {\n" + numbered(n, "    f%d: int = 1\n") + "  }\n}\n"
		},
		"fns":     func(n int) string { return numbered(n, "fn f%[1]d(n: int): int = n * 2 + 1\n") },
		"lets":    func(n int) string { return "fn f(): int {\n" + numbered(n, "  let a%d = 1\n") + "  return 1\n}\n" },
		"members": func(n int) string { return "enum E {\n" + numbered(n, "  m%d\n") + "}\n" },
		"consts":  func(n int) string { return "const c0: int = 1\n" + numbered(n, "const d%d: int = c0 + 1\n") },
	}
	for name, shape := range shapes {
		small, large := count(shape(500)), count(shape(1000))
		if large > 2.5*small+1000 {
			t.Errorf("%s: %v allocations for 500, %v for 1000", name, small, large)
		}
	}
}

func numbered(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i+1)
	}
	return b.String()
}
