package report

import (
	"slices"
	"strings"

	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/diag"
)

// parts are the direct parts of e, in the order of evaluation.
func parts(e check.Expr) []check.Expr {
	switch e := e.(type) {
	case *check.FieldOf:
		return []check.Expr{e.X}
	case *check.IndexOf:
		return []check.Expr{e.X, e.Key}
	case *check.Arith:
		return []check.Expr{e.X, e.Y}
	case *check.Neg:
		return []check.Expr{e.X}
	case *check.Not:
		return []check.Expr{e.X}
	case *check.Cmp:
		return []check.Expr{e.X, e.Y}
	case *check.Logic:
		return []check.Expr{e.X, e.Y}
	case *check.If:
		return []check.Expr{e.Cond, e.Then, e.Else}
	case *check.Coalesce:
		return []check.Expr{e.X, e.D}
	case *check.IsSome:
		return []check.Expr{e.X}
	case *check.IsNone:
		return []check.Expr{e.X}
	case *check.In:
		return []check.Expr{e.X, e.Y}
	case *check.InRange:
		return []check.Expr{e.X, e.From, e.To}
	case *check.Widen:
		return []check.Expr{e.X}
	case *check.Some:
		return []check.Expr{e.X}
	case *check.FnCall:
		return e.Args
	case *check.Call:
		return e.Args
	case *check.Interp:
		return e.Parts
	case *check.RecordLit:
		return append([]check.Expr{e.Spread}, e.Fields...)
	case *check.ListLit:
		return e.Elems
	case *check.MapLit:
		return append(slices.Clone(e.Keys), e.Values...)
	case *check.Comp:
		return append([]check.Expr{e.Source.X, e.Source.From, e.Source.To, e.Cond, e.Key, e.Elem}, e.SortKeys...)
	}
	return nil
}

// walk calls f for e and, while f says so, for its parts.
func walk(e check.Expr, f func(check.Expr) bool) {
	if e == nil || !f(e) {
		return
	}
	for _, p := range parts(e) {
		walk(p, f)
	}
}

// source is the text of e as the author wrote it, on one line, with locals that names knows
// replaced by what they stand for. Replaced texts stand in parentheses unless they are plain.
func source(e check.Expr, names map[*check.Local]string) string {
	span := e.Pos()
	if span.IsZero() {
		return ""
	}
	type edit struct {
		from, to int32
		text     string
	}
	var edits []edit
	walk(e, func(x check.Expr) bool {
		if ref, ok := x.(*check.LocalRef); ok {
			at := ref.Span
			if text, ok := names[ref.Local]; ok && at.File == span.File && at.Start >= span.Start && at.End <= span.End && at.Text() == ref.Local.Name {
				edits = append(edits, edit{at.Start, at.End, text})
			}
		}
		return true
	})
	slices.SortFunc(edits, func(a, b edit) int { return int(a.from - b.from) })
	var b strings.Builder
	at := span.Start
	for _, ed := range edits {
		if ed.from < at {
			continue
		}
		b.Write(span.File.Src[at:ed.from])
		text := ed.text
		if (ed.from != span.Start || ed.to != span.End) && !plain(text) {
			text = "(" + text + ")"
		}
		b.WriteString(text)
		at = ed.to
	}
	b.Write(span.File.Src[at:span.End])
	return oneLine(b.String())
}

// plain tells a text that binds tighter than any operator: names, paths, numbers.
func plain(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool {
		return r != '.' && r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
}

// spanText is the text of a place on one line.
func spanText(s diag.Span) string { return oneLine(s.Text()) }

// oneLine joins lines with single blanks and drops comments; strings stay as they are.
func oneLine(s string) string {
	var b strings.Builder
	blank := false
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == ' ' || c == '\n' || c == '\t' || c == '\r':
			blank = true
			i++
			continue
		case c == '/' && strings.HasPrefix(s[i:], "//"):
			end := strings.IndexByte(s[i:], '\n')
			if end < 0 {
				end = len(s) - i
			}
			i += end
			blank = true
			continue
		}
		if blank && b.Len() > 0 {
			b.WriteByte(' ')
		}
		blank = false
		end := i + 1
		if c == '"' || c == '`' {
			end = stringEnd(s, i)
		}
		b.WriteString(s[i:end])
		i = end
	}
	return b.String()
}

// stringEnd is where the string literal at s[i] ends, with strings nested in its braces.
func stringEnd(s string, i int) int {
	quote := s[i]
	depth := 0
	for j := i + 1; j < len(s); j++ {
		switch c := s[j]; {
		case quote == '"' && c == '\\':
			j++
		case quote == '"' && c == '{':
			depth++
		case quote == '"' && c == '}' && depth > 0:
			depth--
		case depth > 0 && (c == '"' || c == '`'):
			j = stringEnd(s, j) - 1
		case c == quote:
			return j + 1
		}
	}
	return len(s)
}

// words joins names for a sentence: a, b and c.
func words(names []string, last string) string {
	switch len(names) {
	case 0:
		return ""
	case 1:
		return names[0]
	}
	return strings.Join(names[:len(names)-1], ", ") + " " + last + " " + names[len(names)-1]
}
