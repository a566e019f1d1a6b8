package deps

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

var (
	planRow = regexp.MustCompile(`(?m)^\| (T?\d+\.\d+b?) \|.*\|([^|]*)\|$`)
	proof   = regexp.MustCompile("`([a-z0-9/.]+):(Test[A-Za-z0-9_]+)`")
)

// CheckPlan reads the table of the seed plan in a Markdown file below root and tells which rows
// name a test that does not exist, which rows name none and do not say "issue to come", and
// which of the wanted numbers have no row.
func CheckPlan(root, name string, wanted []string) ([]Finding, error) {
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		return nil, err
	}
	var found []Finding
	rows := map[string]bool{}
	tests := map[string]map[string]bool{}
	for _, m := range planRow.FindAllStringSubmatch(string(text), -1) {
		number, cell := m[1], m[2]
		rows[number] = true
		proofs := proof.FindAllStringSubmatch(cell, -1)
		if len(proofs) == 0 && !strings.Contains(cell, "issue to come") && !strings.Contains(cell, "make ") {
			found = append(found, Finding{name, number + " has neither a test nor an issue to come"})
		}
		for _, p := range proofs {
			if tests[p[1]] == nil {
				if tests[p[1]], err = testsOf(filepath.Join(root, p[1])); err != nil {
					return nil, err
				}
			}
			if !tests[p[1]][p[2]] {
				found = append(found, Finding{name, fmt.Sprintf("%s names %s in %s, which does not exist", number, p[2], p[1])})
			}
		}
	}
	for _, w := range wanted {
		if !rows[w] {
			found = append(found, Finding{name, "no row for " + w})
		}
	}
	return found, nil
}

// testsOf gives the names of the test functions of one package folder.
func testsOf(dir string) (map[string]bool, error) {
	out := map[string]bool{}
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		return nil, err
	}
	for _, p := range files {
		f, err := parser.ParseFile(token.NewFileSet(), p, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && strings.HasPrefix(fn.Name.Name, "Test") {
				out[fn.Name.Name] = true
			}
		}
	}
	return out, nil
}
