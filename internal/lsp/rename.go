package lsp

import (
	"fmt"
	"path"
	"regexp"
	"slices"

	"github.com/cloudlysis/aggregate/dsl"
	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/diag"
)

var (
	valueName = regexp.MustCompile(`^[a-z][A-Za-z0-9_]*$`)
	typeNames = regexp.MustCompile(`^[A-Z][A-Za-z0-9_]*$`)
)

func importPath(from, imp string) string { return path.Join(path.Dir(from), imp) }

// prepareRename tells whether the name at a position can be renamed.
func (s *Server) prepareRename(p positionParams) (any, error) {
	a, f, off := s.locate(p)
	if f == nil {
		return nil, nil
	}
	u := a.useAt(f, off)
	if u == nil {
		return nil, nil
	}
	if err := a.renamable(u); err != nil {
		return nil, err
	}
	return prepareRename{a.lines(f).span(u.At), u.At.Text()}, nil
}

func (a *analysis) renamable(u *check.Use) error {
	switch {
	case u.Builtin != "" || u.Root || u.Decl.IsZero():
		return refuse("%q belongs to the language and cannot be renamed", u.At.Text())
	case u.At.Text() != u.Decl.Text():
		return refuse("%q is not written by its own name here", u.At.Text())
	}
	return nil
}

// rename gives what the name at a position means another name, everywhere. The edits are tried
// out: no error may appear, and every name must mean what it meant.
func (s *Server) rename(p renameParams) (any, error) {
	a, f, off := s.locate(p.positionParams)
	if f == nil {
		return nil, refuse("the document is not open")
	}
	u := a.useAt(f, off)
	if u == nil {
		return nil, refuse("there is no name here")
	}
	if err := a.renamable(u); err != nil {
		return nil, err
	}
	edits, err := a.rename(u, p.NewName)
	if err != nil {
		return nil, err
	}
	return s.workspaceEdit(s.docs[p.TextDocument.URI].set, a, edits), nil
}

func (a *analysis) rename(u *check.Use, name string) ([]diag.Edit, error) {
	d := a.decls[u.Decl]
	valid, begins := valueName, "a small letter"
	if d != nil && d.capital() {
		valid, begins = typeNames, "a capital"
	}
	if !valid.MatchString(name) {
		return nil, refuse("%q is not a name here: it begins with %s and goes on with letters, digits and _", name, begins)
	}
	edits := a.occurrences(u.Decl, name)
	if name == u.At.Text() {
		return edits, nil
	}
	after := compileSources(applyEdits(a.sources, edits), a.utf8)
	if err := a.compare(after, edits); err != nil {
		return nil, err
	}
	return edits, nil
}

// occurrences are the edits that write name for all that means the declaration at.
func (a *analysis) occurrences(at diag.Span, name string) []diag.Edit {
	var out []diag.Edit
	for i := range a.uses {
		if v := &a.uses[i]; v.Decl == at && !v.Root && v.At.Text() == at.Text() {
			out = append(out, diag.Edit{Span: v.At, New: name})
		}
	}
	return out
}

// applyEdits makes the sources as they are after the edits, which do not overlap.
func applyEdits(sources []dsl.Source, edits []diag.Edit) []dsl.Source {
	byFile := map[string][]diag.Edit{}
	for _, e := range edits {
		byFile[e.Span.File.Name] = append(byFile[e.Span.File.Name], e)
	}
	out := slices.Clone(sources)
	for i := range out {
		if list := byFile[out[i].Path]; len(list) > 0 {
			out[i].Text = edited(out[i].Text, list)
		}
	}
	return out
}

func edited(text []byte, edits []diag.Edit) []byte {
	slices.SortStableFunc(edits, func(a, b diag.Edit) int { return int(a.Span.Start) - int(b.Span.Start) })
	out := make([]byte, 0, len(text)+64)
	from := int32(0)
	for _, e := range edits {
		if e.Span.Start < from || int(e.Span.End) > len(text) {
			continue
		}
		out = append(append(out, text[from:e.Span.Start]...), e.New...)
		from = e.Span.End
	}
	return append(out, text[from:]...)
}

// compare refuses the edits that lead from a to after when an error appeared, or a name means
// something else than before.
func (a *analysis) compare(after *analysis, edits []diag.Edit) error {
	if d := newError(a.Diagnostics, after.Diagnostics); d != nil {
		return refuse("that would break %s", d)
	}
	moved := shifts(edits)
	type place struct {
		file  string
		start int32
	}
	meaning := make(map[place]place, len(after.uses))
	to := func(s diag.Span) place {
		if s.IsZero() {
			return place{}
		}
		return place{s.File.Name, s.Start}
	}
	for i := range after.uses {
		meaning[to(after.uses[i].At)] = to(after.uses[i].Decl)
	}
	from := func(s diag.Span) place {
		p := to(s)
		p.start = moved.of(p.file, p.start)
		return p
	}
	for i := range a.uses {
		u := &a.uses[i]
		if got, ok := meaning[from(u.At)]; !ok || got != from(u.Decl) {
			return refuse("%s: %q would mean something else then", where(u.At), u.At.Text())
		}
	}
	return nil
}

func where(s diag.Span) string {
	p := s.StartPosition()
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// newError is an error of after that before had not as often, or nil.
func newError(before, after []*diag.Diagnostic) *diag.Diagnostic {
	count := map[diag.Code]int{}
	for _, d := range before {
		count[d.Code]++
	}
	for _, d := range after {
		if count[d.Code]--; count[d.Code] < 0 && d.Severity == diag.Error {
			return d
		}
	}
	return nil
}

// shifted tells where a byte of a file is after edits.
type shifted map[string][]diag.Edit

func shifts(edits []diag.Edit) shifted {
	out := shifted{}
	for _, e := range edits {
		out[e.Span.File.Name] = append(out[e.Span.File.Name], e)
	}
	for _, list := range out {
		slices.SortFunc(list, func(a, b diag.Edit) int { return int(a.Span.Start) - int(b.Span.Start) })
	}
	return out
}

func (m shifted) of(file string, at int32) int32 {
	by := int32(0)
	for _, e := range m[file] {
		if e.Span.Start >= at {
			break
		}
		by += int32(len(e.New)) - (e.Span.End - e.Span.Start)
	}
	return at + by
}

// workspaceEdit is edits in the words of the protocol.
func (s *Server) workspaceEdit(set *set, a *analysis, edits []diag.Edit) workspaceEdit {
	out := workspaceEdit{Changes: map[string][]textEdit{}}
	for _, e := range edits {
		uri := set.uri(e.Span.File.Name)
		out.Changes[uri] = append(out.Changes[uri], textEdit{a.lines(e.Span.File).span(e.Span), e.New})
	}
	return out
}
