// Package diag holds source files, the places in them, and what there is to say about them.
//
// A [File] is a source text; a [Span] is a stretch of one; a [Diagnostic] is one finding with a
// stable [Code], a message, a hint, related places and, where a mend is safe, its [Fix]. A [Bag]
// collects findings in any order and gives them out sorted and without repeats. Rendering
// (pretty, short, JSON) lives here too, so that every tool speaks alike.
package diag

import (
	"sort"
	"sync"
)

// File is one source text. Src is not changed after NewFile.
type File struct {
	Name  string // as shown to people, slash separated
	Src   []byte
	once  sync.Once
	lines []int32 // offsets of line starts, made when first asked for
}

// NewFile keeps src under name.
func NewFile(name string, src []byte) *File { return &File{Name: name, Src: src} }

// Position is a place for people: line and column count from 1, the column in code points.
type Position struct {
	File         string
	Line, Column int
}

// Span is the bytes [Start, End) of a file. The zero Span is nowhere.
type Span struct {
	File       *File
	Start, End int32
}

// IsZero tells whether s is nowhere.
func (s Span) IsZero() bool { return s.File == nil }

// To is the stretch from the start of s to the end of t, both in one file.
func (s Span) To(t Span) Span {
	if s.File == nil {
		return t
	}
	if t.File == nil || t.End < s.Start {
		return s
	}
	return Span{s.File, s.Start, t.End}
}

// Text is the source text of s.
func (s Span) Text() string {
	if s.File == nil {
		return ""
	}
	return string(s.File.Src[s.Start:s.End])
}

// Severity of a finding.
type Severity uint8

// The severities; only an error keeps a manifest from compiling.
const (
	Error Severity = iota
	Warning
	Note
)

// Code is a stable number such as AGG2003, documented in codes.go; never reused.
type Code string

// Related is another place that a finding speaks of.
type Related struct {
	Span    Span
	Message string
}

// Edit replaces the text of Span by New.
type Edit struct {
	Span Span
	New  string
}

// Fix is a mend that a tool may apply by itself when Safe.
type Fix struct {
	Title string
	Safe  bool
	Edits []Edit
}

// Diagnostic is one finding.
type Diagnostic struct {
	Code     Code
	Severity Severity
	Span     Span
	Message  string
	Label    string // said at the caret, such as: did you mean "balance"?
	Hint     string
	Related  []Related
	Fixes    []Fix
}

// Bag collects findings. The zero Bag is ready; it is not safe for concurrent use.
type Bag struct {
	list    []*Diagnostic
	errors  int
	ignored map[ignoredLine]*Ignored
}

// ignoredLine is a line on which a warning is not shown.
type ignoredLine struct {
	file *File
	line int
	code Code
}

// Ignored is a wish not to be told of a warning.
type Ignored struct {
	Code Code
	Span Span // the comment that says so
	used bool
}

// Ignore keeps warnings of code that begin on a line of f out of Sorted, reported before or after;
// at is the comment that asks for it.
func (b *Bag) Ignore(f *File, line int, code Code, at Span) {
	if b.ignored == nil {
		b.ignored = map[ignoredLine]*Ignored{}
	}
	key := ignoredLine{f, line, code}
	if b.ignored[key] == nil {
		b.ignored[key] = &Ignored{Code: code, Span: at}
	}
}

// UnusedIgnores are the wishes of Ignore that no warning so far has met, in no order.
func (b *Bag) UnusedIgnores() []Ignored {
	if len(b.ignored) == 0 {
		return nil
	}
	for _, d := range b.list {
		b.ignores(d)
	}
	var out []Ignored
	for _, g := range b.ignored {
		if !g.used {
			out = append(out, *g)
		}
	}
	return out
}

// ignores tells whether d is to be kept out.
func (b *Bag) ignores(d *Diagnostic) bool {
	if len(b.ignored) == 0 || d.Severity != Warning {
		return false
	}
	g := b.ignored[ignoredLine{d.Span.File, d.Span.StartPosition().Line, d.Code}]
	if g == nil {
		return false
	}
	g.used = true
	return true
}

// Add keeps d and returns it, so that a caller can add hint, label, related places and fixes.
func (b *Bag) Add(d *Diagnostic) *Diagnostic {
	b.list = append(b.list, d)
	if d.Severity == Error {
		b.errors++
	}
	return d
}

// Errors counts the errors so far.
func (b *Bag) Errors() int { return b.errors }

// Sorted gives all findings by file and place, without repeats of one code at one place and
// without the warnings that Ignore names.
func (b *Bag) Sorted() []*Diagnostic {
	out := append([]*Diagnostic(nil), b.list...)
	sort.SliceStable(out, func(i, j int) bool { return less(out[i], out[j]) })
	kept := out[:0]
	for _, d := range out {
		if b.ignores(d) {
			continue
		}
		if n := len(kept); n > 0 && kept[n-1].Span == d.Span && kept[n-1].Code == d.Code {
			continue
		}
		kept = append(kept, d)
	}
	return kept
}

func less(a, b *Diagnostic) bool {
	an, bn := fileName(a.Span), fileName(b.Span)
	if an != bn {
		return an < bn
	}
	if a.Span.Start != b.Span.Start {
		return a.Span.Start < b.Span.Start
	}
	return a.Severity < b.Severity
}

func fileName(s Span) string {
	if s.File == nil {
		return ""
	}
	return s.File.Name
}
