package parser_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/parser"
)

// applySafe gives src with the edits of all safe fixes made, from the end to the front.
func applySafe(src string, list []*diag.Diagnostic) string {
	var edits []diag.Edit
	for _, d := range list {
		for _, f := range d.Fixes {
			if f.Safe {
				edits = append(edits, f.Edits...)
			}
		}
	}
	slices.SortStableFunc(edits, func(a, b diag.Edit) int { return int(b.Span.Start - a.Span.Start) })
	for _, e := range edits {
		src = src[:e.Span.Start] + e.New + src[e.Span.End:]
	}
	return src
}

// TestSafeFixes: what a tool mends by itself is mended, and what stood there is what was meant.
func TestSafeFixes(t *testing.T) {
	tests := []struct{ src, want string }{
		{"const a: bool = b && c || !d === e;", "const a: bool = b and c or not d == e"},
		{"const a: decimal = .5 + 1.", "const a: decimal = 0.5 + 1.0"},
		{"const a: duration = 1.5h", "const a: duration = 1h30m"},
		{"const a: int? = null", "const a: int? = none"},
		{"const a: string = 'text'", `const a: string = "text"`},
		{"const a: bool = b not in c", "const a: bool = not b in c"},
		{"const a: list<int> = [1 2,, 3]", "const a: list<int> = [1, 2, 3]"},
		{"record R { a int? b: int?? }", "record R { a: int? b: int? }"},
		{"aggregate A {\n command c\n decide c {\n  if x = 1 { emit e }\n  require x else reject bad\n  emit e { a = 1 }\n }\n}",
			"aggregate A {\n command c {}\n decide c {\n  if x == 1 { emit e {} }\n  require x else  bad\n  emit e { a : 1 }\n }\n}"},
	}
	for _, tt := range tests {
		var bag diag.Bag
		parser.ParseFile(diag.NewFile("a.agg", []byte(tt.src)), &bag)
		got := applySafe(tt.src, bag.Sorted())
		if got != tt.want {
			t.Errorf("got\n%s\nwant\n%s", got, tt.want)
		}
		if _, errs := parse("a.agg", got); len(errs) > 0 {
			t.Errorf("%s\nstill has %q", got, errs)
		}
	}
}

// TestMethods: a method call becomes the call that does the same here.
func TestMethods(t *testing.T) {
	for _, tt := range []struct{ src, want string }{
		{`as_int(1).f()`, "f(as_int(1))"},
		{`b["x"].as_int()`, `as_int(b["x"])`},
		{`b.length()`, "len(b)"},
		{`b.startsWith("x")`, `starts_with(b, "x")`},
		{`b.includes(c + 1)`, "c + 1 in b"},
		{`b.replace("x", "y")`, `replace(b, "x", "y")`},
		{`b.f(1 +)`, ""},
	} {
		var bag diag.Bag
		parser.ParseFile(diag.NewFile("a.agg", []byte("const a: int = "+tt.src+"\n")), &bag)
		d := bag.Sorted()[0]
		if d.Code != diag.MethodCall {
			t.Fatalf("%s: got %s", tt.src, d.Message)
		}
		got := ""
		if len(d.Fixes) > 0 {
			got = d.Fixes[0].Edits[0].New
		}
		if got != tt.want || got != "" && d.Hint != "write `"+got+"`" {
			t.Errorf("%s: got %q, hint %q, want %q", tt.src, got, d.Hint, tt.want)
		}
	}
}

// TestErrorsNameBothEnds: a missing bracket shows where it was opened.
func TestErrorsNameBothEnds(t *testing.T) {
	var bag diag.Bag
	parser.ParseFile(diag.NewFile("a.agg", []byte("const a: int = f(1, 2\nconst b: int = 1\n")), &bag)
	d := bag.Sorted()[0]
	if d.Code != diag.MissingCloser || len(d.Related) != 1 || d.Related[0].Span.Text() != "(" {
		t.Errorf("got %s and related %+v", d, d.Related)
	}
}

// TestBadNodesStandForTheRest: the declarations and statements around a mistake are in the tree.
func TestBadNodesStandForTheRest(t *testing.T) {
	src := "aggregate A {\n fn f(): int = 1 +\n decide c {\n let x = 1\n raise e {}\n let y = 2\n }\n handle e {}\n state { n: int }\n}\n"
	file, errs := parse("a.agg", src)
	if len(errs) != 3 {
		t.Fatalf("got %q, want three", errs)
	}
	want := []string{"BadExpr", "Let", "BadStmt", "Let", "BadDecl", "State"}
	dump := ast.DumpString(file)
	for _, w := range want {
		i := strings.Index(dump, w)
		if i < 0 {
			t.Fatalf("no %s in\n%s", w, dump)
		}
		dump = dump[i:]
	}
}

// TestParallel parses in several goroutines: the productions are shared.
func TestParallel(t *testing.T) {
	sources := seeds(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for _, src := range sources {
				parse("a.agg", src)
			}
		})
	}
	wg.Wait()
}

func TestGrammarNamesEveryHead(t *testing.T) {
	grammar := parser.Grammar()
	for _, word := range []string{"import", "aggregate", "enum", "record", "roles", "const", "state", "derive", "index", "snapshot",
		"gas", "final", "invariant", "fn", "guard", "command", "event", "upcast", "decide", "apply", "test"} {
		if !strings.Contains(grammar, `"`+word+`"`) {
			t.Errorf("%s is not in\n%s", word, grammar)
		}
	}
}
