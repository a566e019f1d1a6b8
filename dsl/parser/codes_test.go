package parser_test

import (
	"go/ast"
	goparser "go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"

	"github.com/cloudlysis/aggregate/dsl/diag"
)

// TestExamples holds every documented syntax code to its example: it yields that code and no other.
func TestExamples(t *testing.T) {
	for _, info := range diag.Codes() {
		if !strings.HasPrefix(string(info.Code), "AGG1") && info.Code < "AGG3090" || info.Code > "AGG3092" {
			continue
		}
		t.Run(string(info.Code), func(t *testing.T) {
			switch info.Code {
			case diag.FileTooLarge:
				info.Example = strings.Repeat("/", 1<<20+1)
			case diag.TooManyErrors:
				t.Skip("has 500 errors of other codes; see TestTooManyErrors")
			}
			_, errs := parse("example.agg", info.Example)
			if len(errs) != 1 || !strings.Contains(errs[0], string(info.Code)) {
				t.Errorf("got %q, want one %s\n%s", errs, info.Code, info.Example)
			}
		})
	}
}

// TestEveryCodeIsDocumented reads the names of codes_names.go, so that none is forgotten.
func TestEveryCodeIsDocumented(t *testing.T) {
	file, err := goparser.ParseFile(token.NewFileSet(), "../diag/codes_names.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		lit, ok := n.(*ast.BasicLit)
		if !ok {
			return true
		}
		code, err := strconv.Unquote(lit.Value)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := diag.Explain(diag.Code(code)); !ok {
			t.Errorf("%s is not documented", code)
		}
		return true
	})
}
