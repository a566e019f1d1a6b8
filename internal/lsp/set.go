package lsp

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/cloudlysis/aggregate/dsl"
	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/compile"
	"github.com/cloudlysis/aggregate/dsl/diag"
)

// document is an open buffer.
type document struct {
	uri     string
	path    string // "" for one that was never saved
	version int32
	text    []byte
	set     *set
}

// set is the manifests that are compiled together because a document of them is open.
type set struct {
	root      string               // a directory, or the URI of an unsaved document
	docs      map[string]*document // open ones, by path in the set
	current   *analysis            // nil when something has changed
	timer     *time.Timer
	published map[string]bool // URIs that have diagnostics now
}

// unsaved is the path of a document without a file in its set.
const unsaved = "untitled.agg"

// name is the path of doc in the set.
func (s *set) name(doc *document) string {
	if doc.path == "" {
		return unsaved
	}
	rel, err := filepath.Rel(s.root, doc.path)
	if err != nil {
		return filepath.ToSlash(doc.path)
	}
	return filepath.ToSlash(rel)
}

// uri names a file of the set as the client does.
func (s *set) uri(name string) string {
	if d := s.docs[name]; d != nil {
		return d.uri
	}
	return uriOf(filepath.Join(s.root, filepath.FromSlash(name)))
}

// read reads the set: the index or directory, and the open documents that it leaves out.
func (s *set) read() (*dsl.Files, bool) {
	if d := s.docs[unsaved]; d != nil && d.path == "" {
		return &dsl.Files{Sources: []dsl.Source{{Path: unsaved, Text: d.text}}}, false
	}
	fsys := &overlay{dir: os.DirFS(s.root), files: map[string][]byte{}}
	for name, d := range s.docs {
		fsys.files[name] = d.text
	}
	files := dsl.ReadDir(fsys)
	extra := false
	for name := range s.docs {
		if strings.HasSuffix(name, ".agg") && !holds(files.Sources, name) {
			extra = true
			for _, src := range dsl.ReadFiles(fsys, name).Sources {
				if !holds(files.Sources, src.Path) {
					files.Sources = append(files.Sources, src)
				}
			}
		}
	}
	return files, extra
}

func holds(list []dsl.Source, name string) bool {
	return slices.ContainsFunc(list, func(s dsl.Source) bool { return s.Path == name })
}

// analysis is what is known of a set as it is now.
type analysis struct {
	*dsl.Result
	sources []dsl.Source
	uses    []check.Use // sorted by file and place
	at      map[diag.Span]*check.Use
	decls   map[diag.Span]*decl
	text    map[*diag.File]*lines
	byName  map[string]*diag.File
	utf8    bool
	gas     map[string]map[string]*compile.RuleBound // of the aggregates that were asked for
}

// analyse reads and compiles the set.
func (s *set) analyse(utf8 bool) *analysis {
	if s.current != nil {
		return s.current
	}
	files, extra := s.read()
	u := &check.Uses{}
	opt := dsl.Options{Tests: true, Uses: u}
	if extra {
		files.Index = nil // what it does not list is edited: it would only complain
	}
	a := &analysis{Result: files.Compile(opt), sources: files.Sources, utf8: utf8}
	a.index(u)
	s.current = a
	return a
}

// compileSources is analyse for sources that are not those of the set: to try something out.
func compileSources(sources []dsl.Source, utf8 bool) *analysis {
	u := &check.Uses{}
	a := &analysis{Result: dsl.Compile(sources, dsl.Options{Uses: u}), sources: sources, utf8: utf8}
	a.index(u)
	return a
}

func (a *analysis) index(u *check.Uses) {
	a.uses = u.List
	slices.SortFunc(a.uses, func(x, y check.Use) int {
		if x.At.File != y.At.File {
			return strings.Compare(x.At.File.Name, y.At.File.Name)
		}
		return int(x.At.Start) - int(y.At.Start)
	})
	a.at = make(map[diag.Span]*check.Use, len(a.uses))
	for i := range a.uses {
		a.at[a.uses[i].At] = &a.uses[i]
	}
	a.text = map[*diag.File]*lines{}
	a.byName = map[string]*diag.File{}
	for _, f := range a.Files {
		a.byName[f.Source.Name] = f.Source
	}
	a.decls = declarations(a.Files)
}

// lines of a file of the analysis.
func (a *analysis) lines(f *diag.File) *lines {
	l := a.text[f]
	if l == nil {
		l = newLines(f.Src, a.utf8)
		a.text[f] = l
	}
	return l
}

// useAt is the name at a byte of a file, or nil.
func (a *analysis) useAt(f *diag.File, off int) *check.Use {
	i, _ := slices.BinarySearchFunc(a.uses, off, func(u check.Use, off int) int {
		if c := strings.Compare(u.At.File.Name, f.Name); c != 0 {
			return c
		}
		if int(u.At.End) < off {
			return -1
		}
		return 1
	})
	for ; i < len(a.uses) && a.uses[i].At.File == f && int(a.uses[i].At.Start) <= off; i++ {
		if off <= int(a.uses[i].At.End) {
			return &a.uses[i]
		}
	}
	return nil
}
