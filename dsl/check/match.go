package check

import (
	"strings"

	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// coverage is what the arms of a match have taken so far.
type coverage struct {
	seen map[string]diag.Span
	// ranges are the PatRange so far; a value between their ends is taken.
	ranges []Pattern
	wild   diag.Span
	none   bool
	some   bool
	typ    *value.Type
}

func (b *body) match(s *ast.Match) Stmt {
	x := b.expr(s.Subject, nil)
	t := x.Type()
	if !bad(t) && t.Kind != value.Optional && !matchable(t) {
		d := b.c.report(diag.BadMatch, s.Subject.Pos(), "match does not work on %s", article(t))
		d.Hint = "it takes enums, bool, int, decimal, string, duration, and every T?; use `if`"
		t = value.InvalidType
	}
	cov := &coverage{seen: map[string]diag.Span{}, typ: t}
	out := &Match{Place: Place{s.Span}, Subject: x}
	before, facts := b.flow, b.saveFacts()
	after, left := flow{ended: true}, map[string]bool(facts)
	for _, a := range s.Arms {
		b.flow = before
		b.facts, b.checks = facts.restore(), nil
		m := b.mark()
		arm := &Arm{Span: a.Span}
		for _, p := range a.Patterns {
			if pat, ok := b.pattern(p, t, cov, len(a.Patterns) > 1); ok {
				arm.Patterns = append(arm.Patterns, pat)
			}
		}
		b.learnArm(s.Subject, a.Patterns, arm.Patterns, cov)
		arm.Body = b.block(a.Body)
		b.pop(m)
		out.Arms = append(out.Arms, arm)
		left = both(left, b.facts, after.ended && len(out.Arms) > 1, b.flow.ended)
		after = merge(after, b.flow)
	}
	b.flow = after
	b.facts, b.checks = both(facts, left, false, false), nil
	if bad(t) {
		if len(s.Arms) == 0 {
			b.flow = before
		}
		return nil
	}
	if !b.exhaustive(s, cov) {
		b.flow = merge(after, before)
	}
	return out
}

func matchable(t *value.Type) bool {
	switch t.Kind {
	case value.Enum, value.Bool, value.Int, value.Decimal, value.String, value.Duration:
		return true
	case value.Record, value.Time, value.Date, value.UUID, value.List, value.Set, value.Map, value.JSON:
		return false
	}
	return true
}

func (b *body) pattern(p ast.Pattern, t *value.Type, cov *coverage, several bool) (Pattern, bool) {
	if !cov.wild.IsZero() {
		d := b.c.report(diag.ArmTwice, p.Pos(), "this is never reached: `_` before it takes everything")
		d.Hint = "put `_` last"
		declaredAt(d, cov.wild, "it is here")
		return Pattern{}, false
	}
	switch p := p.(type) {
	case *ast.Wildcard:
		cov.wild = p.Span
		return Pattern{Kind: PatWild, Span: p.Span}, true
	case *ast.SomePattern:
		return b.somePattern(p, t, cov, several)
	case *ast.ExprPattern:
		if bad(t) {
			return Pattern{}, false
		}
		return b.exprPattern(p, t, cov)
	}
	return Pattern{}, false
}

func (b *body) somePattern(p *ast.SomePattern, t *value.Type, cov *coverage, several bool) (Pattern, bool) {
	if !bad(t) && t.Kind != value.Optional {
		b.c.report(diag.NeverAbsent, p.Span, "`some` is a pattern of a T?, and this is %s", article(t)).Hint = "match its values"
		t = value.InvalidType
	}
	if several && p.Bind.Text != "_" {
		b.c.report(diag.BadMatch, p.Span, "`some %s` stands alone in its arm, since the other patterns do not bind %q", p.Bind.Text, p.Bind.Text).
			Hint = "give it an arm of its own, or write `some _`"
	}
	if cov.some {
		b.c.report(diag.ArmTwice, p.Span, "`some` is taken by an arm before").Hint = "remove this one"
	}
	cov.some = true
	l := b.declare(p.Bind, bare(t), false)
	return Pattern{Kind: PatSome, Bind: l, Span: p.Span}, !bad(t)
}

func (b *body) exprPattern(p *ast.ExprPattern, t *value.Type, cov *coverage) (Pattern, bool) {
	v := unparen(p.Value)
	if _, ok := v.(*ast.None); ok {
		return b.nonePattern(p, t, cov)
	}
	what := place{what: "this pattern"}
	elem := bare(t)
	if !matchable(elem) {
		b.c.report(diag.BadMatch, p.Span, "%s has no patterns by value", article(elem)).Hint = "of this T? the patterns are `some v`, `none` and `_`; compare `v` with `if`"
		return Pattern{}, false
	}
	if r, ok := v.(*ast.Range); ok {
		if elem.Kind != value.Int && elem.Kind != value.Decimal {
			b.c.report(diag.BadMatch, p.Span, "a range is a pattern of int and decimal, and this is %s", article(t))
			return Pattern{}, false
		}
		from, to := b.constantOf(r.From, elem, what), b.constantOf(r.To, elem, what)
		if from == nil || to == nil {
			return Pattern{}, false
		}
		if first, taken := cov.inRange(from.Value, to.Value); taken {
			return b.takenBefore(p, first)
		}
		pat := Pattern{Kind: PatRange, From: from.Value, To: to.Value, Span: p.Span}
		cov.ranges = append(cov.ranges, pat)
		return pat, true
	}
	k := b.constantOf(p.Value, elem, what)
	if k == nil {
		return Pattern{}, false
	}
	text := armKey(elem, k.Value)
	if first, twice := cov.seen[text]; twice {
		return b.takenBefore(p, first)
	}
	if elem.Kind == value.Int || elem.Kind == value.Decimal {
		if first, taken := cov.inRange(k.Value, k.Value); taken {
			return b.takenBefore(p, first)
		}
	}
	if cov.some {
		b.c.report(diag.ArmTwice, p.Span, "this is never reached: `some` before it takes every value").Hint = "put it before `some`"
	}
	cov.seen[text] = p.Span
	return Pattern{Kind: PatConst, From: k.Value, Span: p.Span}, true
}

// armKey is a text that equal values share: of a decimal without the zeros that say nothing.
func armKey(t *value.Type, v value.V) string {
	text := value.Text(t, v).Str()
	if t.Kind == value.Decimal && strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text
}

// inRange finds the range of an arm before that holds all of from to to.
func (c *coverage) inRange(from, to value.V) (diag.Span, bool) {
	t := bare(c.typ)
	for _, r := range c.ranges {
		if value.Compare(t, r.From, from) <= 0 && value.Compare(t, to, r.To) <= 0 {
			return r.Span, true
		}
	}
	return diag.Span{}, false
}

// takenBefore reports a pattern whose values an arm before takes.
func (b *body) takenBefore(p *ast.ExprPattern, first diag.Span) (Pattern, bool) {
	d := b.c.report(diag.ArmTwice, p.Span, "%s is taken by an arm before", p.Span.Text())
	d.Hint = "remove one of the two"
	declaredAt(d, first, "it is here")
	return Pattern{}, false
}

func (b *body) nonePattern(p *ast.ExprPattern, t *value.Type, cov *coverage) (Pattern, bool) {
	if t.Kind != value.Optional {
		b.c.report(diag.NeverAbsent, p.Span, "`none` is a pattern of a T?, and this is %s", article(t)).Hint = "remove it"
		return Pattern{}, false
	}
	if cov.none {
		b.c.report(diag.ArmTwice, p.Span, "`none` is taken by an arm before").Hint = "remove one of the two"
		return Pattern{}, false
	}
	cov.none = true
	return Pattern{Kind: PatNone, Span: p.Span}, true
}

// exhaustive reports what no arm takes, with the arms to paste.
func (b *body) exhaustive(s *ast.Match, cov *coverage) bool {
	if !cov.wild.IsZero() {
		return true
	}
	var missing []string
	t := cov.typ
	if t.Kind == value.Optional && !cov.none {
		missing = append(missing, "none")
	}
	if !(t.Kind == value.Optional && cov.some) {
		missing = append(missing, b.missingValues(bare(t), cov, t.Kind == value.Optional)...)
	}
	if len(missing) == 0 {
		return true
	}
	d := b.c.report(diag.NotExhaustive, s.Subject.Pos(), "match does not say what to do with %s", few(missing))
	arms := strings.Join(missing, ", ") + " => { }"
	d.Hint = "add `" + arms + "`"
	if len(missing) == 1 && missing[0] == "_" {
		d.Message = "match on " + typeName(t) + " needs an arm for all other values"
		d.Hint = "add `_ => { }`"
		arms = "_ => { }"
	}
	end := s.Span.End - 1
	d.Fixes = append(d.Fixes, diag.Fix{Title: "add the missing arms", Edits: []diag.Edit{{Span: diag.Span{File: s.Span.File, Start: end, End: end}, New: " " + arms + " "}}})
	if t.Kind == value.Enum {
		declaredAt(d, b.c.enums[t.Enum].name.Span, "%s is declared here", t.Enum.Name)
	}
	return false
}

func (b *body) missingValues(t *value.Type, cov *coverage, optional bool) []string {
	var out []string
	switch t.Kind {
	case value.Enum:
		for _, m := range t.Enum.Members {
			if _, ok := cov.seen[m.Wire]; !ok {
				out = append(out, m.Name)
			}
		}
	case value.Bool:
		for _, v := range []string{"true", "false"} {
			if _, ok := cov.seen[v]; !ok {
				out = append(out, v)
			}
		}
	default:
		if !optional {
			return []string{"_"}
		}
	}
	if optional && (len(out) > 0 || t.Kind != value.Enum && t.Kind != value.Bool) && len(cov.seen) == 0 {
		return []string{"some v"}
	}
	if optional && t.Kind != value.Enum && t.Kind != value.Bool {
		return []string{"some v"}
	}
	return out
}

// few is the first names of a list, for messages.
func few(names []string) string {
	const most = 8
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return strings.Join(names[:most], ", ") + " and " + itoa(len(names)-most) + " more"
}
