package report

import (
	"github.com/cloudlysis/aggregate/dsl/check"
)

// text is the text of e with the parameters of guards replaced by their arguments.
func (m *machine) text(e check.Expr) string { return source(e, m.names) }

// binding strengths of what residual writes, for parentheses.
const (
	looseBinding = iota // if, ??
	impliesBinding
	orBinding
	andBinding
	notBinding
	tightBinding
)

// residual is what is left of an undecided condition when its decided parts are left out, and
// what the local names in it stand for.
func (m *machine) residual(e check.Expr, w *world) (string, []string) {
	text, _ := m.rest(e, w)
	return text, m.explain(e)
}

func (m *machine) rest(e check.Expr, w *world) (string, int) {
	switch e := e.(type) {
	case *check.Logic:
		return m.restLogic(e, w)
	case *check.Not:
		text, _ := m.rest(e.X, w)
		if text == m.text(e.X) {
			return m.text(e), notBinding
		}
		return not(text), notBinding
	case *check.If:
		switch m.eval(e.Cond, w).truth() {
		case yes:
			return m.rest(e.Then, w)
		case no:
			return m.rest(e.Else, w)
		}
		return m.text(e), looseBinding
	case *check.Coalesce:
		return m.text(e), looseBinding
	}
	return m.text(e), tightBinding
}

func (m *machine) restLogic(e *check.Logic, w *world) (string, int) {
	x := m.eval(e.X, w).truth()
	v := w.clone()
	m.assume(e.X, e.Op != check.Or, v)
	if x != open {
		return m.rest(e.Y, v)
	}
	switch y := m.eval(e.Y, v).truth(); {
	case y != open && e.Op == check.Implies:
		text, _ := m.rest(e.X, w)
		return not(text), notBinding
	case y != open:
		return m.rest(e.X, w)
	}
	word, strength := " and ", andBinding
	switch e.Op {
	case check.Or:
		word, strength = " or ", orBinding
	case check.Implies:
		word, strength = " implies ", impliesBinding
	}
	left, l := m.rest(e.X, w)
	right, r := m.rest(e.Y, v)
	if left == m.text(e.X) && right == m.text(e.Y) {
		return m.text(e), strength
	}
	return wrap(left, l, strength) + word + wrap(right, r, strength), strength
}

func wrap(text string, have, want int) string {
	if have < want {
		return "(" + text + ")"
	}
	return text
}

// explain tells what the lets in e stand for: fee = transfer_fee(cmd.amount).
func (m *machine) explain(e check.Expr) []string {
	var out []string
	walk(e, func(x check.Expr) bool {
		ref, ok := x.(*check.LocalRef)
		if !ok || ref.Local.Name == "" {
			return true
		}
		if arg, ok := m.args[ref.Local]; ok {
			out = append(out, m.explain(arg)...)
			return true
		}
		if def, ok := m.lets[ref.Local]; ok && !ref.Local.Var {
			out = append(out, ref.Local.Name+" = "+m.text(def))
			out = append(out, m.explain(def)...)
		}
		return true
	})
	return unique(out)
}
