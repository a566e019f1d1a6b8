package format_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"pgregory.net/rapid"

	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/format"
	"github.com/cloudlysis/aggregate/dsl/parser"
	"github.com/cloudlysis/aggregate/internal/goldentest"
)

// TestGolden formats the first file of every archive and compares it with out/fmt.
func TestGolden(t *testing.T) {
	goldentest.Archives(t, "testdata/*.txtar", func(t *testing.T, sources []txtar.File) []txtar.File {
		src := sources[0]
		out, bag := format.Source(diag.NewFile(src.Name, src.Data))
		for _, d := range bag.Sorted() {
			t.Error(d)
		}
		checkLaws(t, string(src.Data))
		return []txtar.File{{Name: "out/fmt", Data: out}}
	})
}

// TestExampleManifest: what the formatter makes of the manifest of language.md is that manifest,
// but for the columns that its author has lined up by hand.
func TestExampleManifest(t *testing.T) {
	src, err := os.ReadFile("../parser/testdata/account.agg")
	if err != nil {
		t.Fatal(err)
	}
	out, _ := format.Source(diag.NewFile("account.agg", src))
	squeeze := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	got, want := strings.Split(string(out), "\n"), strings.Split(string(src), "\n")
	if len(got) != len(want) {
		t.Fatalf("got %d lines, want %d", len(got), len(want))
	}
	for i := range got {
		if squeeze(got[i]) != squeeze(want[i]) {
			t.Errorf("line %d: got %q, want %q", i+1, got[i], want[i])
		}
	}
}

func TestSyntaxErrorsAreNotFormatted(t *testing.T) {
	out, bag := format.Source(diag.NewFile("a.agg", []byte("const a: int = 1 +\n")))
	if out != nil || bag.Errors() != 1 {
		t.Errorf("got %q and %d errors", out, bag.Errors())
	}
}

// TestRequireIf: an if in a condition gets parentheses, which change nothing (ruling 16).
func TestRequireIf(t *testing.T) {
	src := "guard g() { require if a then b else c else code }\n"
	out, bag := format.Source(diag.NewFile("a.agg", []byte("aggregate A {\n"+src+"}\n")))
	if want := "require (if a then b else c) else code"; bag.Errors() > 0 || !strings.Contains(string(out), want) {
		t.Errorf("got %s, want %s", out, want)
	}
}

// TestWithoutSource prints a tree that was made, not parsed.
func TestWithoutSource(t *testing.T) {
	name := func(s string) ast.Name { return ast.Name{Text: s} }
	file := &ast.File{Decls: []ast.Decl{
		&ast.Record{Name: name("R"), Fields: []*ast.Field{{Name: name("a"), Type: &ast.NamedType{Name: name("int")}}}},
		&ast.Const{Name: name("s"), Type: &ast.NamedType{Name: name("string")}, Value: &ast.Interp{
			Parts: []string{"a \"{", "}"}, Exprs: []ast.Expr{&ast.NameExpr{Name: "x"}},
		}},
		&ast.State{Fields: []*ast.Field{{Name: name("abc"), Type: &ast.NamedType{Name: name("int")}}, {Name: name("b"), Type: &ast.NamedType{Name: name("json")}}}},
		&ast.Test{Name: "n {a}", For: name("A"), Steps: []ast.Step{&ast.Repeat{N: &ast.Num{Text: "2"}, Steps: []ast.Step{&ast.ThenNothing{}}}}},
	}}
	want := `record R { a: int }
const s: string = "a \"\{{x}\}"
state {
  abc: int
  b:   json
}
test "n \{a\}" for A {
  repeat 2 { then  nothing }
}
`
	if got := string(format.File(file)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

type tester interface {
	Helper()
	Fatalf(string, ...any)
}

// checkLaws: formatting keeps the tree and the comments, and formatting again changes nothing.
func checkLaws(t tester, src string) {
	t.Helper()
	var bag diag.Bag
	before := parser.ParseFile(diag.NewFile("a.agg", []byte(src)), &bag)
	if bag.Errors() > 0 {
		t.Fatalf("the source has errors: %s\n%s", bag.Sorted()[0], src)
	}
	out := format.File(before)
	after := parser.ParseFile(diag.NewFile("b.agg", out), &bag)
	if bag.Errors() > 0 {
		t.Fatalf("the result has errors: %s\nsource:\n%s\nresult:\n%s", bag.Sorted()[0], src, out)
	}
	if a, b := ast.DumpString(before), ast.DumpString(after); a != b {
		t.Fatalf("the tree has changed: %s\nsource:\n%s\nresult:\n%s", firstDiff(a, b), src, out)
	}
	if len(before.Comments) != len(after.Comments) {
		t.Fatalf("got %d comments, want %d\nsource:\n%s\nresult:\n%s", len(after.Comments), len(before.Comments), src, out)
	}
	again := format.File(after)
	if !bytes.Equal(out, again) {
		t.Fatalf("formatting again changes it: %s\nsource:\n%s\nresult:\n%s\nagain:\n%s", firstDiff(string(out), string(again)), src, out, again)
	}
}

func firstDiff(a, b string) string {
	as, bs := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(as), len(bs)) {
		if as[i] != bs[i] {
			return "line " + as[i] + " against " + bs[i]
		}
	}
	return "one is longer"
}

func TestLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		checkLaws(t, manifest(t))
	})
}

// FuzzFormat holds the laws for whatever the parser accepts.
func FuzzFormat(f *testing.F) {
	for _, dir := range []string{"testdata", "../parser/testdata"} {
		paths, err := filepath.Glob(dir + "/*.txtar")
		if err != nil {
			f.Fatal(err)
		}
		for _, path := range paths {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(string(archive.Files[0].Data))
		}
	}
	f.Fuzz(func(t *testing.T, src string) {
		var bag diag.Bag
		file := parser.ParseFile(diag.NewFile("a.agg", []byte(src)), &bag)
		if bag.Errors() > 0 || strings.Contains(ast.DumpString(file), "Cond Cond") {
			return // a condition that is an if gets parentheses: see TestRequireIf
		}
		checkLaws(t, src)
	})
}

func BenchmarkFormat(b *testing.B) {
	src, err := os.ReadFile("../parser/testdata/account.agg")
	if err != nil {
		b.Fatal(err)
	}
	f := diag.NewFile("account.agg", src)
	b.ReportAllocs()
	for b.Loop() {
		if _, bag := format.Source(f); bag.Errors() > 0 {
			b.Fatal("errors")
		}
	}
	b.ReportMetric(float64(f.Lines())*float64(b.N)/b.Elapsed().Seconds(), "lines/s")
}
