package dsl

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/parser"
)

// The bounds of a set that is read.
const (
	maxFile  = 1 << 20
	maxFiles = 10_000
	maxTotal = 64 << 20
)

// indexNames are the files that, in the root of a set, are its index.
var indexNames = []string{"manifests.yaml", "manifests.yml", "manifests.json"}

// Files is a set as it was read. Diagnostics tell what could not be read; the rest is there.
type Files struct {
	Sources     []Source
	Index       *Index // nil when the set is a plain directory
	Diagnostics []*diag.Diagnostic
}

// ReadDir reads a manifest set: what the index manifests.yaml, .yml or .json in the root of fsys
// lists, or without one every .agg file, in folders below too. Names that begin with a dot are
// passed over.
func ReadDir(fsys fs.FS) *Files {
	for _, name := range indexNames {
		if _, err := fs.Stat(fsys, name); err == nil {
			return ReadIndex(fsys, name)
		}
	}
	r := newReader(fsys)
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			r.unreadable(name, err)
			return nil
		case strings.HasPrefix(path.Base(name), ".") && name != ".":
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir() || path.Ext(name) != ".agg":
			return nil
		}
		return r.read(name, diag.Span{})
	})
	if err == nil && len(r.out.Sources) == 0 && r.bag.Errors() == 0 {
		r.report(diag.ManifestEmpty, diag.Span{}, "there is no .agg file in the manifest directory").Hint = "an aggregate is declared in a file such as account.agg"
	}
	return r.done()
}

// ReadIndex reads the manifests that an index lists, what they import, and the _test.agg files
// beside them.
func ReadIndex(fsys fs.FS, name string) *Files {
	r := newReader(fsys)
	text, err := r.text(name)
	if err != nil {
		r.unreadable(name, err)
		return r.done()
	}
	r.out.Index = parseIndex(diag.NewFile(name, text), &r.bag)
	for _, e := range r.out.Index.Entries {
		if r.follow(e.Manifest, e.Span) != nil {
			break
		}
	}
	return r.done()
}

// ReadFiles reads the named files, what they import, and the _test.agg files beside them.
func ReadFiles(fsys fs.FS, names ...string) *Files {
	r := newReader(fsys)
	for _, n := range names {
		if r.follow(n, diag.Span{}) != nil {
			break
		}
	}
	return r.done()
}

// Compile compiles what was read; what could not be read is among the diagnostics. The index is
// compared with the set only when the whole set was read.
func (f *Files) Compile(opt Options) *Result {
	broken := slices.ContainsFunc(f.Diagnostics, func(d *diag.Diagnostic) bool { return d.Severity == diag.Error })
	opt.Index = f.Index
	if broken {
		opt.Index = nil
	}
	r := Compile(f.Sources, opt)
	r.Diagnostics = append(slices.Clone(f.Diagnostics), r.Diagnostics...)
	if broken {
		r.OK, r.Programs = false, nil
	}
	return r
}

type reader struct {
	fsys  fs.FS
	out   *Files
	bag   diag.Bag
	have  map[string]bool
	total int
}

// errFull ends a reading that is over its bounds; it has been reported.
var errFull = errors.New("the manifest set is too large")

func newReader(fsys fs.FS) *reader {
	return &reader{fsys: fsys, out: &Files{}, have: map[string]bool{}}
}

func (r *reader) report(code diag.Code, at diag.Span, msg string) *diag.Diagnostic {
	return r.bag.Report(code, at, msg)
}

func (r *reader) unreadable(name string, err error) {
	r.report(diag.ManifestUnreadable, fileSpan(name, nil), fmt.Sprintf("%s cannot be read: %v", name, err))
}

func (r *reader) done() *Files {
	slices.SortFunc(r.out.Sources, func(a, b Source) int { return strings.Compare(a.Path, b.Path) })
	r.out.Diagnostics = r.bag.Sorted()
	return r.out
}

// text reads a file up to one byte over the limit, so that the parser reports what is larger.
func (r *reader) text(name string) ([]byte, error) {
	f, err := r.fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxFile+1))
}

// read adds one file unless it is there already. The error is errFull.
func (r *reader) read(name string, at diag.Span) error {
	if r.have[name] {
		return nil
	}
	r.have[name] = true
	text, err := r.text(name)
	if errors.Is(err, fs.ErrNotExist) {
		if at.IsZero() {
			at = fileSpan(name, nil)
		}
		r.report(diag.ManifestMissing, at, fmt.Sprintf("there is no file %s in the manifest directory", name))
		return nil
	}
	if err != nil {
		r.unreadable(name, err)
		return nil
	}
	r.total += len(text)
	if len(r.have) > maxFiles || r.total > maxTotal {
		r.report(diag.ManifestTooLarge, fileSpan(name, nil), fmt.Sprintf("the manifest set has more than %d files or %d bytes", maxFiles, maxTotal))
		return errFull
	}
	r.out.Sources = append(r.out.Sources, Source{Path: name, Text: text})
	return nil
}

// follow reads a file, its tests, and all that these import.
func (r *reader) follow(name string, at diag.Span) error {
	work := []string{name}
	for len(work) > 0 {
		next := work[len(work)-1]
		work = work[:len(work)-1]
		if r.have[next] {
			continue
		}
		before := len(r.out.Sources)
		if err := r.read(next, at); err != nil {
			return err
		}
		at = diag.Span{}
		if len(r.out.Sources) == before {
			continue
		}
		work = append(work, imports(r.out.Sources[before])...)
		if tests := strings.TrimSuffix(next, ".agg") + "_test.agg"; !IsTest(next) && r.exists(tests) {
			work = append(work, tests)
		}
		work = slices.DeleteFunc(work, func(n string) bool { return !r.exists(n) }) // the checker reports imports of nothing
	}
	return nil
}

func (r *reader) exists(name string) bool {
	info, err := fs.Stat(r.fsys, name)
	return err == nil && !info.IsDir()
}

// imports are the files that a source imports; one that leads out of the set is the checker's
// to report.
func imports(s Source) []string {
	tree := parser.ParseFile(diag.NewFile(s.Path, s.Text), &diag.Bag{})
	var out []string
	for _, imp := range tree.Imports {
		if name := resolve(s.Path, imp); fs.ValidPath(name) {
			out = append(out, name)
		}
	}
	return out
}

func resolve(from string, imp *ast.Import) string { return path.Join(path.Dir(from), imp.Path) }
