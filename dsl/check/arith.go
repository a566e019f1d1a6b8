package check

import (
	"strings"

	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/value"
)

var arithOps = map[string]ArithOp{"+": Add, "-": Sub, "*": Mul, "/": Div, "%": Mod}

// arith checks + - * / %.
func (b *body) arith(e *ast.Binary, want *value.Type) Expr {
	hint := want
	if e.Op == "/" || e.Op == "%" || bareKind(want) == value.JSON || bareKind(want) == value.Time || bareKind(want) == value.Date {
		hint = nil
	}
	if hint != nil {
		hint = bare(hint)
	}
	x, y := b.pairArith(e, hint)
	s, t := x.Type(), y.Type()
	if bad(s) || bad(t) {
		return b.bad(e.Span)
	}
	op := arithOps[e.Op]
	if isNumber(s) && isNumber(t) {
		return b.numbers(e, op, x, y)
	}
	if r := b.mixed(e, op, x, y); r != nil {
		return r
	}
	b.badArith(e, s, t)
	return b.bad(e.Span)
}

// pairArith is pair, but does not tell one side the other's type where the sides differ by
// nature: time - duration, duration * int.
func (b *body) pairArith(e *ast.Binary, hint *value.Type) (x, y Expr) {
	if rank(b, e.X) > 0 && rank(b, e.Y) > 0 {
		if hint == nil {
			return b.pair(e.X, e.Y, nil)
		}
		return b.expr(e.X, hint), b.expr(e.Y, hint)
	}
	share := func(z Expr) *value.Type {
		switch z.Type().Kind {
		case value.Int, value.Decimal, value.List, value.Set, value.Map:
			return z.Type()
		case value.Duration:
			if e.Op != "*" && e.Op != "/" {
				return z.Type()
			}
		}
		return nil
	}
	if rank(b, e.X) > rank(b, e.Y) {
		y = b.expr(e.Y, nil)
		return b.expr(e.X, share(y)), y
	}
	x = b.expr(e.X, nil)
	return x, b.expr(e.Y, share(x))
}

func (b *body) numbers(e *ast.Binary, op ArithOp, x, y Expr) Expr {
	t := value.IntType
	if x.Type().Kind == value.Decimal || y.Type().Kind == value.Decimal {
		t = value.DecimalType
	}
	if t == value.DecimalType && (op == Div || op == Mod) {
		b.noDivision(e, op)
		return b.bad(e.Span)
	}
	if op == Div || op == Mod {
		b.divides(y)
	}
	return b.fold(&Arith{Typed{t, e.Span}, op, b.coerce(x, t), b.coerce(y, t)})
}

// noDivision reports / and % on decimals, with the mend made of the author's operands.
func (b *body) noDivision(e *ast.Binary, op ArithOp) {
	if op == Mod {
		b.c.report(diag.NoDivision, e.Span, "`%s` does not exist on decimals", e.Op).
			Hint = "`" + e.X.Pos().Text() + " - " + e.Y.Pos().Text() + " * div(" + e.X.Pos().Text() + ", " + e.Y.Pos().Text() + ", 0, down)` is the remainder"
		return
	}
	s := "div(" + e.X.Pos().Text() + ", " + e.Y.Pos().Text() + ", 2, half_even)"
	d := b.c.report(diag.NoDivision, e.Span, "`/` does not exist on decimals: it would round unseen")
	d.Hint = "say the scale and the mode: `" + s + "`; modes are half_even, half_up, half_down, down, up, floor, ceiling"
	replace(d, false, e.Span, s, "write "+s)
}

// mixed is what an operator does on operands that are not both numbers, nil if nothing.
func (b *body) mixed(e *ast.Binary, op ArithOp, x, y Expr) Expr {
	s, t := x.Type(), y.Type()
	both := func(k value.Kind) bool { return s.Kind == k && t.Kind == k }
	is := func(k, l value.Kind) bool { return s.Kind == k && t.Kind == l }
	arith := func(r *value.Type, x, y Expr) Expr { return b.fold(&Arith{Typed{r, e.Span}, op, x, y}) }
	switch op {
	case Add:
		switch {
		case both(value.String):
			return b.fold(&Interp{Typed{value.StringType, e.Span}, []Expr{x, y}})
		case both(value.List) && value.Same(s, t):
			return b.builtin(value.Concat, e.Span, unbounded(s), x, y)
		case both(value.Set) && value.Same(s, t):
			return b.builtin(value.Union, e.Span, unbounded(s), x, y)
		case both(value.Duration):
			return arith(value.DurationType, x, y)
		case is(value.Time, value.Duration):
			return b.builtin(value.AddTime, e.Span, value.TimeType, x, y)
		case is(value.Duration, value.Time):
			return b.builtin(value.AddTime, e.Span, value.TimeType, y, x)
		}
	case Sub:
		switch {
		case both(value.Set) && value.Same(s, t):
			return b.builtin(value.Without, e.Span, unbounded(s), x, y)
		case both(value.Duration):
			return arith(value.DurationType, x, y)
		case both(value.Time):
			return b.builtin(value.DiffTime, e.Span, value.DurationType, x, y)
		case is(value.Time, value.Duration):
			return b.builtin(value.SubTime, e.Span, value.TimeType, x, y)
		}
	case Mul:
		switch {
		case is(value.Duration, value.Int):
			return arith(value.DurationType, x, y)
		case is(value.Int, value.Duration):
			return arith(value.DurationType, y, x)
		}
	case Div:
		b.divides(y)
		switch {
		case is(value.Duration, value.Int):
			return arith(value.DurationType, x, y)
		case both(value.Duration):
			return arith(value.IntType, x, y)
		}
	}
	return nil
}

func (b *body) badArith(e *ast.Binary, s, t *value.Type) {
	code := diag.BadOperand
	if s.Kind == value.Optional || t.Kind == value.Optional {
		code = diag.MaybeAbsent
	}
	d := b.c.report(code, e.Span, "`%s` does not work on %s and %s", e.Op, typeName(s), typeName(t))
	x, y := e.X.Pos().Text(), e.Y.Pos().Text()
	write := func(safe bool, text string) {
		d.Hint = "write `" + text + "`"
		replace(d, safe, e.Span, text, "write "+text)
	}
	switch {
	case s.Kind == value.Optional:
		d.Hint = "the left side may be absent: bind it, `" + x + " is some v`, or give a default, `(" + x + " ?? " + sample(s.Elem) + ")`"
	case t.Kind == value.Optional:
		d.Hint = "the right side may be absent: bind it, `" + y + " is some v`, or give a default, `(" + y + " ?? " + sample(t.Elem) + ")`"
	case s.Kind == value.Date && t.Kind == value.Int && e.Op == "+":
		write(true, "add_days("+x+", "+y+")")
	case s.Kind == value.Date && t.Kind == value.Int && e.Op == "-":
		write(true, "add_days("+x+", -("+y+"))")
	case s.Kind == value.Date && t.Kind == value.Date && e.Op == "-":
		write(true, "days_between("+y+", "+x+")")
	case s.Kind == value.Date && t.Kind == value.Duration:
		d.Hint = "a date has no hours: add_days(" + x + ", n)"
	case e.Op == "+" && s.Kind == value.String && printable(t):
		write(false, `"`+asPart(e.X)+asPart(e.Y)+`"`)
	case e.Op == "+" && t.Kind == value.String && printable(s):
		write(false, `"`+asPart(e.X)+asPart(e.Y)+`"`)
	case e.Op == "+" && s.Kind == value.List && value.Same(s.Elem, t):
		write(false, x+" + ["+y+"]")
	case e.Op == "+" && s.Kind == value.Set && value.Same(s.Elem, t):
		write(false, x+" + set(["+y+"])")
	case e.Op == "-" && s.Kind == value.Set && value.Same(s.Elem, t):
		write(false, x+" - set(["+y+"])")
	case s.Kind == value.JSON || t.Kind == value.JSON:
		d.Hint = "read the json first: as_int(j), as_decimal(j), as_string(j)"
	case s.Kind == value.Duration && t.Kind == value.Decimal:
		d.Hint = "a duration takes whole factors only"
	case s.Kind == value.Time && t.Kind == value.Int:
		d.Hint = "say the unit: `" + x + " " + e.Op + " 24h`"
	}
}

// asPart is e as it stands in an interpolated text; a text in quotes needs no braces.
func asPart(e ast.Expr) string {
	text := e.Pos().Text()
	switch e := unparen(e).(type) {
	case *ast.Str:
		if !e.Raw {
			return strings.TrimSuffix(strings.TrimPrefix(e.Pos().Text(), `"`), `"`)
		}
	case *ast.Interp:
		return strings.TrimSuffix(strings.TrimPrefix(e.Pos().Text(), `"`), `"`)
	}
	return "{" + text + "}"
}
