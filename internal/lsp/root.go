package lsp

import (
	"net/url"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/parser"
)

// indexNames are the names of an index, as package dsl reads them.
var indexNames = []string{"manifests.yaml", "manifests.yml", "manifests.json"}

// SetRoot is the directory of the manifest set to which the file belongs: the nearest one above
// it that holds an index; else its own directory, and above that as far as each directory holds
// manifests itself or the file imports from it. It never climbs above one of the bounds; without
// bounds, or outside of them, above the file's directory it takes only what is imported.
func SetRoot(file string, text []byte, bounds ...string) string {
	dir := filepath.Dir(file)
	bound := boundOf(dir, bounds)
	if bound == "" {
		return imported(dir, string(filepath.Separator), file, text)
	}
	for d := dir; ; d = filepath.Dir(d) {
		if hasIndex(d) {
			return d
		}
		if d == bound || d == filepath.Dir(d) {
			break
		}
	}
	root := imported(dir, bound, file, text)
	for root != bound && hasManifest(filepath.Dir(root)) {
		root = filepath.Dir(root)
	}
	return root
}

// boundOf is the innermost bound that holds dir, or "".
func boundOf(dir string, bounds []string) string {
	best := ""
	for _, b := range bounds {
		if b != "" && within(dir, b) && len(b) > len(best) {
			best = filepath.Clean(b)
		}
	}
	return best
}

// within tells whether p is dir or lies below it.
func within(p, dir string) bool {
	rel, err := filepath.Rel(dir, p)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// imported climbs from dir as far as the imports of the file lead out of it.
func imported(dir, bound, file string, text []byte) string {
	tree := parser.ParseFile(diag.NewFile(filepath.Base(file), text), &diag.Bag{})
	root := dir
	for _, imp := range tree.Imports {
		at := filepath.Join(dir, filepath.FromSlash(imp.Path))
		if path.IsAbs(imp.Path) || !exists(at) {
			continue
		}
		for !within(at, root) && root != bound && root != filepath.Dir(root) {
			root = filepath.Dir(root)
		}
	}
	return root
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

func hasIndex(dir string) bool {
	for _, n := range indexNames {
		if exists(filepath.Join(dir, n)) {
			return true
		}
	}
	return false
}

func hasManifest(dir string) bool {
	found, err := filepath.Glob(filepath.Join(dir, "*.agg"))
	return err == nil && len(found) > 0
}

// pathOf is the file that a URI names, "" if it names none (as untitled: does).
func pathOf(uri string) string {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "file" || u.Path == "" {
		return ""
	}
	p := u.Path
	if runtime.GOOS == "windows" && len(p) > 2 && p[0] == '/' && p[2] == ':' {
		p = p[1:]
	}
	return filepath.Clean(filepath.FromSlash(p))
}

// uriOf names a file.
func uriOf(file string) string {
	p := filepath.ToSlash(file)
	if !strings.HasPrefix(p, "/") {
		p = "/" + p
	}
	return (&url.URL{Scheme: "file", Path: p}).String()
}
