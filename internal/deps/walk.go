package deps

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// Finding is one thing that the walk found wrong.
type Finding struct {
	File    string
	Message string
}

func (f Finding) String() string { return f.File + ": " + f.Message }

// pkg is what the walk remembers of one package.
type pkg struct {
	documented bool
	files      int
}

// Check walks the source below root and tells where it differs from the table: imports that are
// not allowed, packages that are not listed, packages without a doc comment. It parses in
// process, so its result is never an old one from a cache of somebody else.
func Check(root string, table map[string][]string) ([]Finding, error) {
	var found []Finding
	pkgs := map[string]*pkg{}
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, p)
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			return skipDir(root, p, rel, d.Name())
		}
		if !strings.HasSuffix(rel, ".go") || strings.HasSuffix(rel, "_test.go") {
			return nil
		}
		fs, err := checkFile(p, rel, table, pkgs)
		found = append(found, fs...)
		return err
	})
	for dir, p := range pkgs {
		if !p.documented && !strings.HasPrefix(dir, "gen/") {
			found = append(found, Finding{dir, "the package has no doc comment"})
		}
	}
	return found, err
}

// skipDir leaves out hidden folders, test data and modules of their own.
func skipDir(root, p, rel, name string) error {
	if rel == "." {
		return nil
	}
	if strings.HasPrefix(name, ".") || name == "testdata" || name == "node_modules" {
		return fs.SkipDir
	}
	if m, _ := filepath.Glob(filepath.Join(p, "go.mod")); len(m) > 0 {
		return fs.SkipDir
	}
	return nil
}

func checkFile(p, rel string, table map[string][]string, pkgs map[string]*pkg) ([]Finding, error) {
	f, err := parser.ParseFile(token.NewFileSet(), p, nil, parser.ImportsOnly|parser.ParseComments)
	if err != nil {
		return nil, err
	}
	dir := path.Dir(rel)
	if pkgs[dir] == nil {
		pkgs[dir] = &pkg{}
	}
	pkgs[dir].files++
	pkgs[dir].documented = pkgs[dir].documented || f.Doc != nil
	allowed, listed := table[dir]
	if !listed {
		return []Finding{{rel, fmt.Sprintf("package %s is not in the table of internal/deps", dir)}}, nil
	}
	return checkImports(rel, dir, f.Imports, allowed), nil
}

func checkImports(rel, dir string, imports []*ast.ImportSpec, allowed []string) []Finding {
	var found []Finding
	for _, im := range imports {
		name, _ := strconv.Unquote(im.Path.Value)
		if name != Module && !strings.HasPrefix(name, Module+"/") {
			continue
		}
		to := strings.TrimPrefix(strings.TrimPrefix(name, Module), "/")
		if to == "" {
			to = "."
		}
		if !allows(allowed, to) {
			found = append(found, Finding{rel, fmt.Sprintf("%s must not import %s", dir, to)})
		}
	}
	return found
}

func allows(allowed []string, to string) bool {
	for _, a := range allowed {
		if a == Anything || a == to {
			return true
		}
		if below, ok := strings.CutSuffix(a, "/..."); ok && strings.HasPrefix(to, below+"/") {
			return true
		}
	}
	return false
}
