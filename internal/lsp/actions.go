package lsp

import (
	"slices"
	"strings"

	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/format"
)

const (
	quickFix = "quickfix"
	fixAll   = "source.fixAll"
)

// codeActions are the fixes of the findings in a range, and one that makes all safe fixes.
func (s *Server) codeActions(p codeActionParams) (any, error) {
	a, f := s.file(p.TextDocument.URI)
	out := []codeAction{}
	if f == nil {
		return out, nil
	}
	set := s.docs[p.TextDocument.URI].set
	l := a.lines(f)
	from, to := int32(l.offset(p.Range.Start)), int32(l.offset(p.Range.End))
	for _, d := range a.Diagnostics {
		if d.Span.File != f || d.Span.End < from || d.Span.Start > to || !wants(p.Context.Only, quickFix) {
			continue
		}
		for _, fix := range d.Fixes {
			out = append(out, codeAction{
				Title: title(fix.Title), Kind: quickFix, IsPreferred: fix.Safe && len(d.Fixes) == 1,
				Diagnostics: []diagnostic{s.diagnostic(set, a, d)}, Edit: s.workspaceEdit(set, a, fix.Edits),
			})
		}
	}
	if edits := safeEdits(a.Diagnostics, func(d *diag.Diagnostic) bool { return d.Span.File == f }); len(edits) > 0 && wants(p.Context.Only, fixAll) {
		out = append(out, codeAction{Title: "Make all safe fixes", Kind: fixAll, Edit: s.workspaceEdit(set, a, edits)})
	}
	return out, nil
}

func title(s string) string {
	if s = strings.TrimSpace(s); s == "" {
		return "Fix"
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// wants tells whether a client that asks for only these kinds gets kind.
func wants(only []string, kind string) bool {
	return len(only) == 0 || slices.ContainsFunc(only, func(o string) bool { return kind == o || strings.HasPrefix(kind, o+".") })
}

// formatting is the edits that `aggc fmt` makes; none while the text has syntax errors.
func (s *Server) formatting(p documentParams) (any, error) {
	doc := s.docs[p.TextDocument.URI]
	if doc == nil {
		return nil, nil
	}
	text, bag := format.Source(diag.NewFile(doc.set.name(doc), doc.text))
	if bag.Errors() > 0 {
		return nil, refuse("the document is not formatted: %s", bag.Sorted()[0])
	}
	out := []textEdit{}
	if e, changed := minimal(doc.text, text); changed {
		l := newLines(doc.text, s.utf8)
		out = append(out, textEdit{l.between(e.from, e.to), e.text})
	}
	return out, nil
}

type change struct {
	from, to int
	text     string
}

// minimal is the one edit of whole lines that makes after of before.
func minimal(before, after []byte) (change, bool) {
	head, last := 0, 0
	for head < len(before) && head < len(after) && before[head] == after[head] {
		head++
		if before[head-1] == '\n' {
			last = head
		}
	}
	if head == len(before) && head == len(after) {
		return change{}, false
	}
	tail, cut := 0, 0
	for tail < len(before)-last && tail < len(after)-last && before[len(before)-1-tail] == after[len(after)-1-tail] {
		if before[len(before)-1-tail] == '\n' {
			cut = tail
		}
		tail++
	}
	return change{last, len(before) - cut, string(after[last : len(after)-cut])}, true
}

// symbols is the outline of a document.
func (s *Server) symbols(p documentParams) (any, error) {
	a, f := s.file(p.TextDocument.URI)
	if f == nil {
		return []documentSymbol{}, nil
	}
	return symbolsOf(outline(a.tree(f)), a.lines(f)), nil
}

func symbolsOf(list []*decl, l *lines) []documentSymbol {
	out := make([]documentSymbol, 0, len(list))
	for _, d := range list {
		if d.name.Text == "" || d.name.Span.IsZero() {
			continue
		}
		whole := d.span
		whole.Start, whole.End = min(whole.Start, d.name.Span.Start), max(whole.End, d.name.Span.End)
		x := documentSymbol{Name: d.name.Text, Kind: d.symbol, Range: l.span(whole), SelectionRange: l.span(d.name.Span)}
		switch d.what {
		case "state", "roles", "decide", "apply", "upcast":
		case "field", "state field", "column", "member":
			x.Detail = detail(d)
		default:
			x.Detail = d.what
		}
		if d.what != "roles" {
			x.Children = symbolsOf(d.children, l)
		}
		out = append(out, x)
	}
	return out
}

// detail is what follows the name of a field or member.
func detail(d *decl) string {
	text := strings.Join(strings.Fields(d.sig), " ")
	if _, after, ok := strings.Cut(text, ":"); ok {
		return strings.TrimSpace(after)
	}
	return ""
}
