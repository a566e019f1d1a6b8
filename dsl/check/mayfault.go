package check

import (
	"strings"

	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// mayFault warns about a read that faults when what it reads is absent; of is what it reads from.
func (b *body) mayFault(e *ast.IndexExpr, of value.Kind) *diag.Diagnostic {
	if !b.wantsFacts() || b.isThere(e) {
		return nil
	}
	hint := "ask first: `if " + e.Index.Pos().Text() + " in " + e.X.Pos().Text() + " { … }`"
	if of == value.List {
		hint = "ask first: `if " + insideList(e) + " { … }`"
	}
	d := b.mayFaultAt(e.Span, e.Span.Text()+" faults when it is absent", hint)
	b.fact(element(e.X, e.Index.Pos().Text())) // what follows it knows
	return d
}

// isThere tells whether the facts say that the element is there.
func (b *body) isThere(e *ast.IndexExpr) bool {
	i := e.Index.Pos().Text()
	return b.facts[element(e.X, i)] || b.facts[i+" >= 0"] && b.facts[i+" < len("+e.X.Pos().Text()+")"]
}

// insideList is the condition under which xs[i] is there.
func insideList(e *ast.IndexExpr) string {
	i, length := e.Index.Pos().Text(), "len("+e.X.Pos().Text()+")"
	if n, ok := literal(e.Index); ok && n >= 0 {
		return length + " > " + i
	}
	return i + " >= 0 and " + i + " < " + length
}

// mayFaultAt warns about what may fault in an apply or upcast. In a function or derive it is
// noted, for the applies that call it; then there is nothing to show yet.
func (b *body) mayFaultAt(at diag.Span, why, hint string) *diag.Diagnostic {
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
		d.Hint = "a fault here refuses the command that emits the event; " + hint
	default:
		d.Hint = "a fault here keeps the aggregate from loading; " + strings.ReplaceAll(hint, "{ … }", "then … else …")
	}
	return d
}

// divides warns about a divisor that may be zero.
func (b *body) divides(y Expr) {
	if !b.wantsFacts() || bad(y.Type()) {
		return
	}
	if !isNumber(y.Type()) && y.Type().Kind != value.Duration || positive(y) {
		return
	}
	text := y.Pos().Text()
	if _, known := y.(*Const); known || b.facts[text+" != 0"] {
		return
	}
	b.mayFaultAt(y.Pos(), "a division faults when "+text+" is 0", "ask first: `if "+text+" != 0 { … }`")
}

// positive tells whether e is above zero by its make, such as `max(n, 1)` and `len(xs) + 1`.
func positive(e Expr) bool {
	switch e := e.(type) {
	case *Const:
		return sign(e) > 0
	case *Widen:
		return positive(e.X)
	case *Arith:
		return e.Op == Add && (positive(e.X) && notNegative(e.Y) || notNegative(e.X) && positive(e.Y)) ||
			e.Op == Mul && positive(e.X) && positive(e.Y)
	case *Call:
		switch e.Builtin {
		case value.Max:
			return positive(e.Args[0]) || positive(e.Args[1])
		case value.Min:
			return positive(e.Args[0]) && positive(e.Args[1])
		}
	}
	return false
}

func notNegative(e Expr) bool {
	switch e := e.(type) {
	case *Const:
		return sign(e) >= 0
	case *Widen:
		return notNegative(e.X)
	case *Comp:
		return e.Kind == CompCount
	case *Call:
		switch e.Builtin {
		case value.Len, value.Abs:
			return true
		case value.Max:
			return notNegative(e.Args[0]) || notNegative(e.Args[1])
		}
	}
	return positive(e)
}

// sign is that of a constant number or duration.
func sign(k *Const) int {
	switch k.T.Kind {
	case value.Int, value.Decimal, value.Duration:
		return value.Compare(k.T, k.Value, value.Zero(k.T))
	}
	return 0
}
