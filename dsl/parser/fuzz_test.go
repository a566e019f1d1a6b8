package parser_test

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/parser"
)

// FuzzParse holds the parser to: no panic, no hang, places inside the file, and a Bad node only
// where an error was reported.
func FuzzParse(f *testing.F) {
	for _, src := range seeds(f) {
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src string) {
		var bag diag.Bag
		in := diag.NewFile("f.agg", []byte(src))
		file := parser.ParseFile(in, &bag)
		for _, d := range bag.Sorted() {
			checkSpan(t, in, d.Span, string(d.Code))
			if d.Message == "" || d.Code == "" {
				t.Errorf("a finding without code or message: %+v", d)
			}
		}
		bad := checkNodes(t, in, reflect.ValueOf(file))
		if bad && bag.Errors() == 0 {
			t.Errorf("a Bad node without an error\n%s", ast.DumpString(file))
		}
	})
}

// seeds are the example manifest and all golden sources.
func seeds(tb testing.TB) []string {
	src, err := os.ReadFile("testdata/account.agg")
	if err != nil {
		tb.Fatal(err)
	}
	out := []string{string(src), "(", "aggregate A {", "\"{", "\xef\xbb\xbfaggregate A {}\r\n"}
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		tb.Fatal(err)
	}
	for _, path := range paths {
		a, err := txtar.ParseFile(path)
		if err != nil {
			tb.Fatal(err)
		}
		for _, file := range a.Files {
			if filepath.Ext(file.Name) == ".agg" {
				out = append(out, string(file.Data))
			}
		}
	}
	return out
}

func checkSpan(t *testing.T, f *diag.File, s diag.Span, what string) {
	t.Helper()
	if s.File != f || s.Start < 0 || s.End < s.Start || int(s.End) > len(f.Src) {
		t.Errorf("%s has the place [%d, %d) of a file of %d bytes", what, s.Start, s.End, len(f.Src))
	}
}

// checkNodes looks at the place of every node and tells whether one is Bad.
func checkNodes(t *testing.T, f *diag.File, v reflect.Value) (bad bool) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() || v.Type() == reflect.TypeFor[*diag.File]() {
			return false
		}
		return checkNodes(t, f, v.Elem())
	case reflect.Slice:
		for i := range v.Len() {
			bad = checkNodes(t, f, v.Index(i)) || bad
		}
	case reflect.Struct:
		name := v.Type().Name()
		if at := v.FieldByName("At"); at.IsValid() && (name != "Name" || v.FieldByName("Text").String() != "") {
			checkSpan(t, f, at.Interface().(ast.At).Span, name)
		}
		bad = len(name) > 3 && name[:3] == "Bad"
		for i := range v.NumField() {
			bad = checkNodes(t, f, v.Field(i)) || bad
		}
	}
	return bad
}
