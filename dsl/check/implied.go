package check

import (
	"math"

	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// known is a condition that holds: by its text, and, where it compares with constants, by the
// values that it leaves.
type known struct {
	span  diag.Span
	what  string // said of span in a finding
	among *interval
}

// interval is what a comparison of a path with constants leaves of the path's values. Nil ends
// are open; not is the one value that is left out, if it is all that the condition says.
type interval struct {
	path          string
	typ           *value.Type
	from, to, not *value.V
	noFrom, noTo  bool // the end itself does not belong
}

// repeated warns about a require that what holds before has settled.
func (b *body) repeated(s *ast.Require, x Expr) {
	if _, folded := x.(*Const); folded {
		return
	}
	parts := conjuncts(x, nil)
	first, settled := b.settled(parts)
	if settled {
		d := b.c.report(diag.RepeatedRequire, s.Span, "this holds already")
		d.Hint = "remove it"
		declaredAt(d, first.span, "%s", first.what)
		return
	}
	if b.checks == nil {
		b.checks = map[string]known{}
	}
	for _, p := range parts {
		b.checks[p.Pos().Text()] = known{s.Span, "it is required here, and nothing has changed since", intervalOf(p, pathText)}
	}
}

// settled tells whether all parts hold already, and what the last of them follows from.
func (b *body) settled(parts []Expr) (first known, ok bool) {
	for _, p := range parts {
		k, found := b.checks[p.Pos().Text()]
		if !found {
			k, found = b.follows(intervalOf(p, pathText))
		}
		if !found {
			return known{}, false
		}
		first = k
	}
	return first, len(parts) > 0
}

// follows finds what a comparison follows from; of several the first in the text.
func (b *body) follows(in *interval) (best known, found bool) {
	if in == nil {
		return known{}, false
	}
	for _, k := range b.valid {
		if k.among.within(in) {
			return k, true
		}
	}
	for _, k := range b.checks {
		if k.among != nil && k.among.within(in) && (!found || k.span.Start < best.span.Start) {
			best, found = k, true
		}
	}
	return best, found
}

// conjuncts appends the parts of the `and` chain e.
func conjuncts(e Expr, out []Expr) []Expr {
	if l, ok := e.(*Logic); ok && l.Op == And {
		return conjuncts(l.Y, conjuncts(l.X, out))
	}
	return append(out, e)
}

// validated is what holds of the fields of a command that has been accepted as valid.
func validated(c *Command) []known {
	var out []known
	for _, w := range c.Wheres {
		if c.Fields[w.Field].Type.Kind == value.Optional {
			continue // it speaks of the bare value
		}
		names := map[*Local]string{}
		for _, p := range w.Params {
			names[p] = "cmd." + p.Name
		}
		path := func(e Expr) string {
			if l, ok := e.(*LocalRef); ok {
				return names[l.Local]
			}
			return ""
		}
		for _, p := range conjuncts(w.Cond, nil) {
			if in := intervalOf(p, path); in != nil {
				out = append(out, known{w.Span, "the command is valid only if this holds", in})
			}
		}
	}
	return out
}

// pathText is the text of what stays the same as long as nothing is written: all but constants.
func pathText(e Expr) string { return e.Pos().Text() }

// intervalOf is what a comparison with constants says; nil if it is none.
func intervalOf(e Expr, path func(Expr) string) *interval {
	switch e := e.(type) {
	case *InRange:
		from, ok := e.From.(*Const)
		to, too := e.To.(*Const)
		if p := path(e.X); ok && too && p != "" {
			return &interval{path: p, typ: from.T, from: &from.Value, to: &to.Value}
		}
	case *Cmp:
		if k, ok := e.Y.(*Const); ok {
			return compared(e.Op, path(e.X), k)
		}
		if k, ok := e.X.(*Const); ok {
			return compared(mirrored[e.Op], path(e.Y), k)
		}
	}
	return nil
}

var mirrored = [...]CmpOp{Eq: Eq, Ne: Ne, Lt: Gt, Le: Ge, Gt: Lt, Ge: Le}

func compared(op CmpOp, path string, k *Const) *interval {
	if path == "" || bad(k.T) || !comparable(k.T) {
		return nil
	}
	in := &interval{path: path, typ: k.T}
	switch op {
	case Eq:
		in.from, in.to = &k.Value, &k.Value
	case Ne:
		in.not = &k.Value
	case Lt, Le:
		in.to, in.noTo = &k.Value, op == Lt
	case Gt, Ge:
		in.from, in.noFrom = &k.Value, op == Gt
	}
	if k.T.Kind == value.Int {
		in.wholeEnds(k.Value.Int())
	}
	return in
}

// wholeEnds includes the ends: of ints, n > 0 is n >= 1.
func (k *interval) wholeEnds(n int64) {
	switch {
	case k.noFrom && n < math.MaxInt64:
		v := value.MakeInt(n + 1)
		k.from, k.noFrom = &v, false
	case k.noTo && n > math.MinInt64:
		v := value.MakeInt(n - 1)
		k.to, k.noTo = &v, false
	}
}

// comparable tells whether value.Compare orders t; members of an enum come as declared.
func comparable(t *value.Type) bool {
	switch t.Kind {
	case value.Int, value.Decimal, value.String, value.Time, value.Date, value.Duration, value.Enum:
		return true
	}
	return false
}

// within tells whether every value of k is one of in.
func (k *interval) within(in *interval) bool {
	if k.path != in.path || !value.Same(k.typ, in.typ) {
		return false
	}
	if in.not != nil {
		return k.not != nil && value.Compare(k.typ, *k.not, *in.not) == 0 || k.not == nil && !k.has(*in.not)
	}
	if k.not != nil {
		return false
	}
	return k.above(in) && k.below(in)
}

func (k *interval) above(in *interval) bool {
	if in.from == nil {
		return true
	}
	if k.from == nil {
		return false
	}
	c := value.Compare(k.typ, *k.from, *in.from)
	return c > 0 || c == 0 && (k.noFrom || !in.noFrom)
}

func (k *interval) below(in *interval) bool {
	if in.to == nil {
		return true
	}
	if k.to == nil {
		return false
	}
	c := value.Compare(k.typ, *k.to, *in.to)
	return c < 0 || c == 0 && (k.noTo || !in.noTo)
}

func (k *interval) has(v value.V) bool {
	return (&interval{typ: k.typ, from: &v, to: &v}).above(k) && (&interval{typ: k.typ, from: &v, to: &v}).below(k)
}
