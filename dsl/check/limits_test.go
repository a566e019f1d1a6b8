package check_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/parser"
)

func TestTooManyErrors(t *testing.T) {
	_, found := run(source{"a.agg", numbered(1100, "const c%d: int = \"x\"\n")})
	if len(found) != 1001 || found[1000].Code != diag.TooManyErrors {
		t.Errorf("got %d findings, the last %s", len(found), short(found[len(found)-1]))
	}
}

// TestHostileTextEndsSoon checks texts that would take for ever, or all memory, were the work
// not bounded. The bound is generous: what is looked for takes minutes or dies.
func TestHostileTextEndsSoon(t *testing.T) {
	texts := map[string]string{
		"doubled texts": "const s0: string = \"0123456789abcdef\"\n" + chain(60, "const s%d: string = s%[2]d + s%[2]d\n"),
		"doubled lists": "const s0: list<int> = [1, 2, 3, 4]\n" + chain(60, "const s%d: list<int> = s%[2]d + s%[2]d\n"),
		"replaced":      "const s0: string = \"aaaaaaaa\"\n" + chain(40, "const s%d: string = replace(s%[2]d, \"a\", s%[2]d)\n"),
		"doubled types": "record R0 { a: int, b: int }\n" + chain(60, "record R%d { a: R%[2]d, b: R%[2]d }\n") + "aggregate A { state { r: R60 } }\n",
		"doubled parts": "record R0 { a: int, b: int }\n" + chain(60, "record R%d { a: list<R%[2]d>, b: R%[2]d? }\n") + "aggregate A { state { r: list<R60> } }\n",
		"doubled calls": "fn f0(n: int): int = n\n" + chain(5000, "fn f%d(n: int): int = f%[2]d(n) + f%[2]d(n)\n"),
		"large ranges":  numbered(500, "const c%d: int = count(i for i in range(0, 9223372036854775807))\n"),
		"large copies":  "const s: string = join([\"0123456789\" for i in range(0, 3000)], \"\")\n" + numbered(5000, "const c%d: string = \"{s}{s}\"\n"),
		"long chain":    "fn f(n: int): int = n" + strings.Repeat(" + n", 900) + "\n",
		"many errors":   numbered(900, "fn f%[1]d(n: int): int = g%[1]d(n)\n") + numbered(5000, "fn h%[1]d(n: int): int = n\n"),
	}
	for name, text := range texts {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			run(source{"a.agg", text})
			if took := time.Since(start); took > 20*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

// chain is n lines of a format that takes a number and the one before it.
func chain(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i+1, i)
	}
	return b.String()
}

func TestOptionsFilesNameTheImports(t *testing.T) {
	bag := &diag.Bag{}
	a := parser.ParseFile(diag.NewFile("/home/ann/bank/a.agg", []byte("import \"lib/b.agg\"\nfn f(): int = n\n")), bag)
	b := parser.ParseFile(diag.NewFile("/home/ann/bank/lib/b.agg", []byte("const n: int = 1\n")), bag)
	check.Files([]*ast.File{a, b}, check.Options{Files: map[string]*ast.File{"a.agg": a, "lib/b.agg": b}}, bag)
	for _, d := range bag.Sorted() {
		t.Error(short(d))
	}
}
