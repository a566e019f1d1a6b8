package check

import (
	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/value"
)

func (b *body) unary(e *ast.Unary, want *value.Type) Expr {
	if e.Op == "not" {
		m := b.mark()
		x := b.condition(e.X, place{what: "`not`"})
		b.pop(m)
		if bad(x.Type()) {
			return x
		}
		return b.fold(&Not{Typed{value.BoolType, e.Span}, x})
	}
	x := b.expr(e.X, want)
	switch x.Type().Kind {
	case value.Invalid:
		return x
	case value.Int, value.Decimal, value.Duration:
		return b.fold(&Neg{Typed{x.Type(), e.Span}, x})
	}
	d := b.c.report(diag.BadOperand, e.Span, "`-` does not work on %s", typeName(x.Type()))
	d.Hint = "it works on int, decimal and duration"
	if x.Type().Kind == value.Optional {
		d.Hint = "it may be absent: give a default, `" + x.Pos().Text() + " ?? 0`"
	}
	return b.bad(e.Span)
}

func (b *body) binary(e *ast.Binary, want *value.Type) Expr {
	switch e.Op {
	case "and":
		m, facts := b.mark(), b.saveFacts()
		x := b.leak(e)
		b.pop(m)
		b.facts = facts.restore()
		return x
	case "or":
		return b.lazy(Or, e)
	case "implies":
		return b.implies(e)
	case "??":
		return b.coalesce(e, want)
	case "==", "!=":
		return b.equals(e)
	case "<", "<=", ">", ">=":
		return b.compare(e)
	case "in":
		return b.in(e)
	}
	return b.arith(e, want)
}

func (b *body) logic(op LogicOp, e *ast.Binary, x, y Expr) Expr {
	if bad(x.Type()) || bad(y.Type()) {
		return b.bad(e.Span)
	}
	return b.fold(&Logic{Typed{value.BoolType, e.Span}, op, x, y})
}

func (b *body) lazy(op LogicOp, e *ast.Binary) Expr {
	m, facts := b.mark(), b.saveFacts()
	x := b.condition(e.X, place{what: "the left side of `" + e.Op + "`"})
	b.pop(m)
	b.facts = facts.restore()
	b.learnNoneOf(e.X)
	y := b.condition(e.Y, place{what: "the right side of `" + e.Op + "`"})
	b.pop(m)
	b.facts = facts.restore()
	return b.logic(op, e, x, y)
}

func (b *body) implies(e *ast.Binary) Expr {
	m, facts := b.mark(), b.saveFacts()
	x := b.condition(e.X, place{what: "the left side of `implies`"})
	b.learn(e.X)
	y := b.condition(e.Y, place{what: "the right side of `implies`"})
	b.pop(m)
	b.facts = facts.restore()
	return b.logic(Implies, e, x, y)
}

func (b *body) isSome(e *ast.IsSome) Expr {
	x := b.expr(e.X, nil)
	t := x.Type()
	if !bad(t) && t.Kind != value.Optional {
		d := b.c.report(diag.NeverAbsent, e.Span, "%s is %s and never absent", e.X.Pos().Text(), article(t))
		d.Hint = absentHint(e.X, t)
		t = value.InvalidType
	}
	if t == noneType {
		b.c.report(diag.NeverAbsent, e.Span, "`none` is never some")
		t = value.InvalidType
	}
	l := b.declare(e.Bind, bare(t), false)
	if bad(t) {
		return b.bad(e.Span)
	}
	b.learnSome(e.X)
	return b.fold(&IsSome{Typed{value.BoolType, e.Span}, x, l})
}

func absentHint(e ast.Expr, t *value.Type) string {
	if ix, ok := unparen(e).(*ast.IndexExpr); ok && !ix.Optional && t.Kind != value.JSON {
		return "write `" + e.Pos().Text() + "?` to get none when it is absent"
	}
	if t.Kind == value.JSON {
		return "json that is absent is null: compare with `== none`, or read it, `as_string(" + e.Pos().Text() + ")`"
	}
	return "only a T? can be absent"
}

func (b *body) isNone(e *ast.IsNone) Expr {
	return b.absent(e.Span, b.expr(e.X, nil), e.X)
}

func (b *body) absent(at diag.Span, x Expr, e ast.Expr) Expr {
	t := x.Type()
	if bad(t) {
		return b.bad(at)
	}
	if t.Kind != value.Optional {
		d := b.c.report(diag.NeverAbsent, at, "%s is %s and never absent", e.Pos().Text(), article(t))
		d.Hint = absentHint(e, t)
		return b.bad(at)
	}
	return b.fold(&IsNone{Typed{value.BoolType, at}, x})
}

func (b *body) coalesce(e *ast.Binary, want *value.Type) Expr {
	var hint *value.Type
	if want != nil && want.Kind != value.JSON {
		hint = optional(want)
	}
	outer := b.coalesced
	b.coalesced = e
	x := b.expr(e.X, hint)
	b.coalesced = outer
	t := x.Type()
	if bad(t) {
		b.expr(e.Y, want)
		return b.bad(e.Span)
	}
	if t.Kind != value.Optional || t == noneType {
		d := b.c.report(diag.NeverAbsent, e.Span, "%s is %s and never absent, so `??` has no use", e.X.Pos().Text(), article(t))
		d.Hint = absentHint(e.X, t)
		if left, ok := e.X.(*ast.Binary); ok { // `a == m[k]? ?? 0`
			if ix, ok := left.Y.(*ast.IndexExpr); ok && ix.Optional {
				loosest(d, e, left.Y)
			}
		}
		b.expr(e.Y, t)
		return b.bad(e.Span)
	}
	y := b.expr(e.Y, t.Elem)
	if bad(y.Type()) {
		return b.bad(e.Span)
	}
	j := join(t.Elem, y.Type())
	if j == nil {
		d := b.c.report(diag.TypeMismatch, e.Y.Pos(), "the right side of `??` is %s, and %s is a %s", typeName(y.Type()), e.X.Pos().Text(), typeName(t))
		if bin, ok := e.Y.(*ast.Binary); ok {
			d.Hint = "`??` binds loosest: add parentheses, `(" + e.X.Pos().Text() + " ?? " + bin.X.Pos().Text() + ") " + bin.Op + " …`"
		}
		return b.bad(e.Span)
	}
	if y.Type() == noneType {
		j = t
	}
	return b.fold(&Coalesce{Typed{j, e.Span}, b.coerce(x, optional(j)), b.coerce(y, j)})
}

// pair checks both sides of an operator; the side that needs no help goes first and tells the
// other what to expect.
func (b *body) pair(l, r ast.Expr, want *value.Type) (x, y Expr) {
	if rank(b, l) > 0 && rank(b, r) > 0 && want != nil {
		return b.expr(l, want), b.expr(r, want)
	}
	if rank(b, l) > rank(b, r) {
		y = b.expr(r, nil)
		return b.beside(l, y), y
	}
	x = b.expr(l, nil)
	return x, b.beside(r, x)
}

// beside checks e with the type of the other side. Beside what is wrong a bare name may be a
// member of the enum that the other side was to have.
func (b *body) beside(e ast.Expr, other Expr) Expr {
	if n, ok := unparen(e).(*ast.NameExpr); ok && bad(other.Type()) && b.locals[n.Name] == nil && len(b.sc.enumsWith(n.Name)) > 0 {
		return b.bad(e.Pos())
	}
	return b.expr(e, typeHint(other))
}

func (b *body) equals(e *ast.Binary) Expr {
	op := Eq
	if e.Op == "!=" {
		op = Ne
	}
	_, leftNone := unparen(e.X).(*ast.None)
	_, rightNone := unparen(e.Y).(*ast.None)
	x, y := b.pair(e.X, e.Y, nil)
	if bad(x.Type()) || bad(y.Type()) {
		return b.bad(e.Span)
	}
	if leftNone != rightNone {
		z, of := x, e.X
		if leftNone {
			z, of = y, e.Y
		}
		if z.Type().Kind != value.JSON {
			r := b.absent(e.Span, z, of)
			if op == Ne && !bad(r.Type()) {
				return b.fold(&Not{Typed{value.BoolType, e.Span}, r})
			}
			return r
		}
	}
	t := b.compared(e, x, y)
	if t == nil {
		return b.bad(e.Span)
	}
	return b.fold(&Cmp{Typed{value.BoolType, e.Span}, op, b.coerce(x, t), b.coerce(y, t)})
}

// compared is the type in which x and y are compared; nil has been reported.
func (b *body) compared(e *ast.Binary, x, y Expr) *value.Type {
	t := join(x.Type(), y.Type())
	if t == noneType {
		b.c.report(diag.NeedsType, e.Span, "`none` is compared with `none`")
		return nil
	}
	if t != nil {
		return t
	}
	d := b.c.report(diag.TypeMismatch, e.Span, "%s and %s cannot be compared", typeName(x.Type()), typeName(y.Type()))
	d.Label = e.X.Pos().Text() + " is " + typeName(x.Type())
	d.Hint = joinHint(x.Type(), y.Type())
	if bin, ok := e.Y.(*ast.Binary); ok && bin.Op == "??" {
		d.Hint = "`??` binds loosest: put it into parentheses"
	}
	return nil
}

func (b *body) compare(e *ast.Binary) Expr {
	ops := map[string]CmpOp{"<": Lt, "<=": Le, ">": Gt, ">=": Ge}
	x, y := b.pair(e.X, e.Y, nil)
	if bad(x.Type()) || bad(y.Type()) {
		return b.bad(e.Span)
	}
	for _, side := range []Expr{x, y} {
		if !ordered(side.Type()) {
			b.notOrdered(e.Op, side)
			return b.bad(e.Span)
		}
	}
	t := b.compared(e, x, y)
	if t == nil {
		return b.bad(e.Span)
	}
	return b.fold(&Cmp{Typed{value.BoolType, e.Span}, ops[e.Op], b.coerce(x, t), b.coerce(y, t)})
}

func (b *body) notOrdered(op string, x Expr) {
	t := x.Type()
	code := diag.NotOrdered
	if t.Kind == value.Optional {
		code = diag.MaybeAbsent
	}
	d := b.c.report(code, x.Pos(), "`%s` has no order on %s", op, typeName(t))
	switch {
	case t.Kind == value.Enum:
		decl := b.c.enums[t.Enum]
		d.Hint = "declare `ordered enum " + t.Enum.Name + "` if its members have an order"
		declaredAt(d, decl.name.Span, "%s is declared here", t.Enum.Name)
	case t.Kind == value.Optional:
		text := x.Pos().Text()
		d.Message = text + " may be absent, so `" + op + "` cannot compare it"
		d.Hint = "bind it, `" + text + " is some v and v " + op + " …`, or give a default, `(" + text + " ?? " + sample(t.Elem) + ")`"
	default:
		d.Hint = "int, decimal, string, time, date, duration and ordered enums have one"
	}
}

func (b *body) in(e *ast.Binary) Expr {
	if r, ok := unparen(e.Y).(*ast.Range); ok {
		return b.inRange(e, r)
	}
	var x, y Expr
	if rank(b, e.X) < rank(b, e.Y) {
		x = b.expr(e.X, nil)
		var hint *value.Type
		if t := typeHint(x); t != nil {
			hint = listOf(unbounded(t))
		}
		y = b.inList(e.Y, hint)
	} else {
		y = b.inList(e.Y, nil)
		x = b.expr(e.X, memberType(y.Type()))
	}
	if bad(x.Type()) || bad(y.Type()) {
		return b.bad(e.Span)
	}
	t := y.Type()
	switch t.Kind {
	case value.Set, value.Map:
		if z := b.coerce(x, memberType(t)); z != nil {
			return b.fold(&In{Typed{value.BoolType, e.Span}, z, y})
		}
	case value.List:
		if z := b.coerce(x, t.Elem); z != nil {
			return b.builtin(value.InList, e.Span, value.BoolType, z, y)
		}
	default:
		b.notContainer(e, x, y)
		return b.bad(e.Span)
	}
	d := b.c.report(diag.TypeMismatch, e.Span, "%s is never in %s: it is %s", e.X.Pos().Text(), article(t), article(x.Type()))
	if x.Type().Kind == value.Optional {
		d.Hint = "it may be absent: bind it first, `" + e.X.Pos().Text() + " is some v and v in …`"
	}
	return b.bad(e.Span)
}

// inList checks the right side of `in`; a list of literals takes what it can of hint.
func (b *body) inList(e ast.Expr, hint *value.Type) Expr {
	lit, ok := unparen(e).(*ast.ListLit)
	if !ok || hint == nil || len(lit.Elems) == 0 {
		if hint != nil && isSetCall(e) {
			hint = setOf(hint.Elem)
		}
		return b.expr(e, hint)
	}
	elems, t := b.joinAll(lit.Elems, hint.Elem, "the elements of the list")
	if t == nil {
		return b.bad(e.Pos())
	}
	return b.fold(&ListLit{Typed{listOf(t), e.Pos()}, elems})
}

func isSetCall(e ast.Expr) bool {
	c, ok := unparen(e).(*ast.Call)
	return ok && c.Fn.Text == "set"
}

// memberType is what `in` looks for in a t, nil for what holds nothing.
func memberType(t *value.Type) *value.Type {
	switch t.Kind {
	case value.Map:
		return t.Key
	case value.List, value.Set:
		return t.Elem
	}
	return nil
}

func (b *body) notContainer(e *ast.Binary, x, y Expr) {
	d := b.c.report(diag.BadOperand, e.Y.Pos(), "`in` does not look into %s", article(y.Type()))
	switch {
	case y.Type().Kind == value.String:
		s := "contains(" + e.Y.Pos().Text() + ", " + e.X.Pos().Text() + ")"
		d.Hint = "write `" + s + "`"
		replace(d, true, e.Span, s, "write "+s)
	case y.Type().Kind == value.Optional:
		d.Hint = "it may be absent: bind it, or write `(" + e.Y.Pos().Text() + " ?? " + sample(y.Type().Elem) + ")`"
	default:
		d.Hint = "it looks into lists, sets, the keys of maps, and ranges a..b"
	}
}

func (b *body) inRange(e *ast.Binary, r *ast.Range) Expr {
	x := b.expr(e.X, nil)
	from, to := b.expr(r.From, typeHint(x)), b.expr(r.To, typeHint(x))
	if bad(x.Type()) || bad(from.Type()) || bad(to.Type()) {
		return b.bad(e.Span)
	}
	t := join(x.Type(), from.Type())
	if t != nil {
		t = join(t, to.Type())
	}
	if t != nil {
		switch t.Kind {
		case value.Int, value.Decimal, value.Time, value.Date:
			return b.fold(&InRange{Typed{value.BoolType, e.Span}, b.coerce(x, t), b.coerce(from, t), b.coerce(to, t)})
		}
	}
	d := b.c.report(diag.TypeMismatch, e.Span, "%s cannot be in the range %s..%s", article(x.Type()), typeName(from.Type()), typeName(to.Type()))
	d.Hint = "ranges are of int, decimal, time or date, all three of one type"
	return b.bad(e.Span)
}
