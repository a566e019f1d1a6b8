package check

import (
	"maps"

	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// The facts are texts of places that are known to be there, such as `state.holds[event.id]`
// after `event.id in state.holds`. Apply and upcast keep them: a fault there is worth a warning,
// since it refuses a command that was right, or a replay. Functions and derives keep them too,
// since an apply may call them: what may fault there is noted in their node.

func (b *body) wantsFacts() bool {
	return b.rule == ruleApply || b.rule == ruleUpcast || b.isCalled()
}

func (b *body) isCalled() bool {
	return b.rule == ruleFn || b.rule == ruleSharedFn || b.rule == ruleDerive
}

type savedFacts map[string]bool

func (b *body) saveFacts() savedFacts { return maps.Clone(b.facts) }

func (s savedFacts) restore() map[string]bool { return maps.Clone(s) }

type savedChecks map[string]known

func (b *body) saveChecks() savedChecks { return maps.Clone(b.checks) }

func (s savedChecks) restore() map[string]known { return maps.Clone(s) }

func (b *body) fact(text string) {
	if b.facts == nil {
		b.facts = map[string]bool{}
	}
	b.facts[text] = true
}

// learn takes from a condition that holds what is there.
func (b *body) learn(e ast.Expr) {
	if !b.wantsFacts() {
		return
	}
	switch e := unparen(e).(type) {
	case *ast.Unary:
		if e.Op == "not" {
			b.learnNot(e.X)
		}
	case *ast.IsSome:
		b.learnSome(e.X)
	case *ast.Binary:
		x, y := e.X.Pos().Text(), e.Y.Pos().Text()
		switch {
		case e.Op == "and":
			b.learn(e.X)
			b.learn(e.Y)
		case e.Op == "in":
			b.fact(y + "[" + x + "]")
		case e.Op == "!=" && isNone(e.Y):
			b.learnSome(e.X)
		case e.Op == "!=" || e.Op == ">":
			b.fact(x + " != " + y)
		case e.Op == ">=" && y == "1":
			b.fact(x + " != 0")
		}
	}
}

// learnNot takes from a condition that does not hold what is there.
func (b *body) learnNot(e ast.Expr) {
	if !b.wantsFacts() {
		return
	}
	switch e := unparen(e).(type) {
	case *ast.Unary:
		if e.Op == "not" {
			b.learn(e.X)
		}
	case *ast.IsNone:
		b.learnSome(e.X)
	case *ast.Binary:
		x, y := e.X.Pos().Text(), e.Y.Pos().Text()
		switch {
		case e.Op == "or":
			b.learnNot(e.X)
			b.learnNot(e.Y)
		case e.Op == "==" && isNone(e.Y):
			b.learnSome(e.X)
		case e.Op == "==" || e.Op == "<=":
			b.fact(x + " != " + y)
		case e.Op == "<" && y == "1":
			b.fact(x + " != 0")
		}
	}
}

func isNone(e ast.Expr) bool { _, ok := unparen(e).(*ast.None); return ok }

// both keeps what holds after either of two branches; one that has ended does not count.
func both(then, otherwise map[string]bool, thenEnded, otherwiseEnded bool) map[string]bool {
	switch {
	case thenEnded:
		return otherwise
	case otherwiseEnded:
		return then
	}
	out := map[string]bool{}
	for f := range then {
		if otherwise[f] {
			out[f] = true
		}
	}
	return out
}

func (b *body) learnSome(e ast.Expr) {
	if ix, ok := unparen(e).(*ast.IndexExpr); ok && b.wantsFacts() {
		b.fact(ix.X.Pos().Text() + "[" + ix.Index.Pos().Text() + "]")
	}
}

func (b *body) learnKey(m ast.Expr, key string) {
	if b.wantsFacts() {
		b.fact(m.Pos().Text() + "[" + key + "]")
	}
}

// mayFault warns about a read that faults when what it reads is absent.
func (b *body) mayFault(e *ast.IndexExpr) *diag.Diagnostic {
	if !b.wantsFacts() || b.facts[e.X.Pos().Text()+"["+e.Index.Pos().Text()+"]"] {
		return nil
	}
	d := b.mayFaultAt(e.Span, e.Span.Text()+" faults when it is absent")
	b.fact(e.X.Pos().Text() + "[" + e.Index.Pos().Text() + "]") // what follows it knows
	return d
}

func (b *body) mayFaultAt(at diag.Span, why string) *diag.Diagnostic {
	if !b.wantsFacts() {
		return nil
	}
	if b.isCalled() {
		if b.node.fault.span.IsZero() {
			b.node.fault = fault{at, why}
		}
		return nil
	}
	d := b.c.report(diag.MayFault, at, "%s", why)
	switch b.rule {
	case ruleApply:
		d.Hint = "a fault here refuses the command that emits the event; read it with `?`, as in `m[k]? ?? 0`, or ask first: `if k in m { … }`"
	default:
		d.Hint = "a fault here keeps the aggregate from loading: give a default"
	}
	return d
}

// divides warns about a divisor that may be zero.
func (b *body) divides(y Expr) {
	if !b.wantsFacts() || bad(y.Type()) {
		return
	}
	if _, known := y.(*Const); known || !isNumber(y.Type()) && y.Type().Kind != value.Duration || b.facts[y.Pos().Text()+" != 0"] {
		return
	}
	b.mayFaultAt(y.Pos(), "a division faults when "+y.Pos().Text()+" is 0")
}
