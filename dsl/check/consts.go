package check

import (
	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// resolveConsts works out all constants and the defaults of all records.
func (c *checker) resolveConsts() {
	for _, d := range c.consts {
		c.constValue(d, d.ast.Name.Span)
	}
	for _, t := range c.types {
		if t.record != nil {
			c.recordDefaults(t, t.name.Span)
		}
	}
}

// constValue works out d when first asked for; use is the place that asks.
func (c *checker) constValue(d *constDecl, use diag.Span) {
	switch d.mark {
	case underway:
		e := c.report(diag.Cycle, use, "the constant %q depends on itself", d.ast.Name.Text)
		e.Hint = "write one of the values out"
		declaredAt(e, d.ast.Name.Span, "%q is declared here", d.ast.Name.Text)
		d.bad = true
	case untouched:
		d.mark = underway
		d.typ = value.InvalidType
		if d.ast.Type != nil {
			d.typ = c.typ(d.scope, d.ast.Type, localPlace)
		}
		v := c.constant(d.scope, d.ast.Value, d.typ)
		if v == nil {
			d.bad = true
		} else {
			d.typ, d.value = v.T, v.Value
		}
		d.mark = done
	}
}

// constant checks and works out a constant expression of type want (ruling 116); nil when that
// cannot be done, which has been reported.
func (c *checker) constant(s *scope, e ast.Expr, want *value.Type) *Const {
	b := c.newBody(s, ruleConst)
	if bad(want) {
		b.expr(e, nil)
		return nil
	}
	return b.constantOf(e, want, place{what: "the constant"})
}

// constantOf is as constant, within a rule.
func (b *body) constantOf(e ast.Expr, want *value.Type, p place) *Const {
	x := b.as(e, want, p)
	if bad(x.Type()) {
		return nil
	}
	if k, ok := x.(*Const); ok {
		return k
	}
	limit := min(maxSteps, b.c.work)
	ev := evaluator{steps: limit}
	v, fault, ok := ev.eval(x)
	b.c.work -= limit - max(ev.steps, 0)
	switch {
	case ok && fault == value.NoFault:
		return &Const{Typed{x.Type(), x.Pos()}, v}
	case ok:
		b.constFaults(x.Pos(), fault)
	case ev.culprit != nil:
		d := b.c.report(diag.NotConstant, ev.culprit.Pos(), "this is not a constant")
		d.Hint = "constants are made of literals, enum members, records, lists, maps, builtins and other constants"
	default:
		b.c.report(diag.ConstantTooCostly, x.Pos(), "this constant takes too much work to compute").
			Hint = "write its value out, or compute it in a rule"
	}
	return nil
}

func (b *body) constFaults(at diag.Span, f value.Fault) {
	d := b.c.report(diag.ConstantFaults, at, "this expression always faults: %s", f)
	d.Hint = faultHints[f]
}

var faultHints = map[value.Fault]string{
	value.Overflow:       "the result is out of range",
	value.Inexact:        "the exact result has more than 34 digits: round(…) or div(…) it",
	value.DivisionByZero: "the divisor is zero",
	value.AbsentKey:      "the map has no such key",
	value.Index:          "the list has no such element",
	value.Range:          "a scale is 0 to 34",
	value.NotWhole:       "int(d) needs a whole number: round(d, 0, half_even) first",
}
