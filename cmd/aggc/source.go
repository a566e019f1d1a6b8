package main

import (
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/cloudlysis/aggregate/dsl"
	"github.com/cloudlysis/aggregate/dsl/diag"
)

// set is one manifest set that the arguments name.
type set struct {
	files *dsl.Files
	dir   string // what the names in the set are relative to, slash separated
	// renamed are the names that compile has given to files already.
	renamed map[string]bool
}

// shown is the name of a file of the set as the user would type it.
func (s *set) shown(name string) string {
	if s.dir == "." || name == "" || s.renamed[name] {
		return name
	}
	return path.Join(s.dir, name)
}

// compile compiles the set; the places of its findings have the names that shown gives.
func (s *set) compile(tests bool) *dsl.Result {
	r := s.files.Compile(dsl.Options{Tests: tests})
	seen := map[*diag.File]bool{}
	s.renamed = nil
	renamed := map[string]bool{}
	defer func() { s.renamed = renamed }()
	rename := func(at diag.Span) {
		if at.File != nil && !seen[at.File] {
			seen[at.File] = true
			at.File.Name = s.shown(at.File.Name)
			renamed[at.File.Name] = true
		}
	}
	for _, d := range r.Diagnostics {
		rename(d.Span)
		for _, rel := range d.Related {
			rename(rel.Span)
		}
		for _, f := range d.Fixes {
			for _, e := range f.Edits {
				rename(e.Span)
			}
		}
	}
	return r
}

// readSets reads what paths name. All .agg files below the working directory are one set whose
// root that is, so that their imports can reach each other; those elsewhere are a set for each
// directory.
func readSets(paths []string) ([]*set, error) {
	if len(paths) == 0 {
		paths = []string{"."}
	}
	var sets []*set
	loose := map[string][]string{} // names of files by the root of their set
	var roots []string
	for _, p := range paths {
		info, err := os.Stat(p)
		if err != nil {
			return nil, failed(err)
		}
		dir, name := filepath.Dir(p), filepath.Base(p)
		switch {
		case info.IsDir():
			sets = append(sets, &set{files: dsl.ReadDir(os.DirFS(p)), dir: filepath.ToSlash(filepath.Clean(p))})
		case isIndex(name):
			sets = append(sets, &set{files: dsl.ReadIndex(os.DirFS(dir), name), dir: filepath.ToSlash(dir)})
		case filepath.Ext(name) == ".agg":
			root, name := rootOf(p)
			if loose[root] == nil {
				roots = append(roots, root)
			}
			loose[root] = append(loose[root], withSubject(root, name)...)
		default:
			return nil, misused("%s is neither a .agg file nor a directory nor an index (.yaml, .yml, .json)", p)
		}
	}
	for _, root := range roots {
		sets = append(sets, &set{files: dsl.ReadFiles(os.DirFS(root), loose[root]...), dir: filepath.ToSlash(root)})
	}
	return sets, nil
}

func isIndex(name string) bool {
	switch filepath.Ext(name) {
	case ".yaml", ".yml", ".json":
		return true
	}
	return false
}

// rootOf is the root of a file's set and the file's name in it: the working directory if the file
// lies below, else its own directory.
func rootOf(p string) (root, name string) {
	clean := filepath.Clean(p)
	if filepath.IsAbs(clean) {
		if wd, err := os.Getwd(); err == nil {
			if rel, err := filepath.Rel(wd, clean); err == nil && filepath.IsLocal(rel) {
				clean = rel
			}
		}
	}
	if below := filepath.ToSlash(clean); fs.ValidPath(below) {
		return ".", below
	}
	return filepath.Split(clean)
}

// withSubject adds to a file of tests the file that it tests.
func withSubject(root, name string) []string {
	if !dsl.IsTest(name) {
		return []string{name}
	}
	subject := strings.TrimSuffix(name, "_test.agg") + ".agg"
	if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(subject))); err != nil {
		return []string{name}
	}
	return []string{subject, name}
}

// compiled compiles the set at p; what is wrong with it goes to stderr.
func compiled(p string, stderr io.Writer) (*dsl.Result, error) {
	sets, err := readSets([]string{p})
	if err != nil {
		return nil, err
	}
	r := sets[0].compile(false)
	if r.OK {
		return r, nil
	}
	if err := showErrors(r.Diagnostics, stderr); err != nil {
		return nil, err
	}
	return nil, foundIn(r.Diagnostics)
}
