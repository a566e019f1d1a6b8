package check

import (
	"fmt"

	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/value"
)

var sprintf = fmt.Sprintf

// badArgument reports an argument of the wrong type.
func (b *body) badArgument(e *ast.Call, i int, x Expr, needs, hint string) Expr {
	if bad(x.Type()) {
		return b.bad(e.Span)
	}
	code := diag.TypeMismatch
	if x.Type().Kind == value.Optional {
		code = diag.MaybeAbsent
		text := x.Pos().Text()
		hint = "it may be absent: bind it, `" + text + " is some v`, or give a default, `" + text + " ?? " + sample(x.Type().Elem) + "`"
	}
	d := b.c.report(code, e.Args[i].Pos(), "argument %d of %s needs %s, not %s", i+1, e.Fn.Text, needs, typeName(x.Type()))
	d.Hint = hint
	return b.bad(e.Span)
}

func argument(e *ast.Call, i int) place {
	return place{what: "argument " + itoa(i+1) + " of " + e.Fn.Text}
}

func (b *body) lenCall(e *ast.Call, _ *value.Type) Expr {
	x := b.expr(e.Args[0], nil)
	switch x.Type().Kind {
	case value.String, value.List, value.Set, value.Map:
		return b.builtin(value.Len, e.Span, value.IntType, x)
	}
	return b.badArgument(e, 0, x, "a string, list, set or map", "")
}

func (b *body) absCall(e *ast.Call, want *value.Type) Expr {
	x := b.expr(e.Args[0], numberHint(want))
	switch x.Type().Kind {
	case value.Int, value.Decimal, value.Duration:
		return b.builtin(value.Abs, e.Span, x.Type(), x)
	}
	return b.badArgument(e, 0, x, "an int, decimal or duration", "")
}

// numberHint is want when literals should become decimals.
func numberHint(want *value.Type) *value.Type {
	if bareKind(want) == value.Decimal {
		return value.DecimalType
	}
	return nil
}

func (b *body) minCall(e *ast.Call, want *value.Type) Expr {
	return b.extreme(e, want, value.Min, value.MinOf)
}

func (b *body) maxCall(e *ast.Call, want *value.Type) Expr {
	return b.extreme(e, want, value.Max, value.MaxOf)
}

func (b *body) extreme(e *ast.Call, want *value.Type, two, of value.Builtin) Expr {
	if len(e.Args) == 1 {
		x := b.listArg(e, want)
		if bad(x.Type()) {
			return x
		}
		if !ordered(x.Type().Elem) {
			return b.unorderedElems(e, x)
		}
		return b.builtin(of, e.Span, optional(x.Type().Elem), x)
	}
	var hint *value.Type
	if want != nil && (ordered(bare(want))) {
		hint = bare(want)
	}
	args, t := b.joinAll(e.Args, nil, "the arguments of "+e.Fn.Text)
	if t == nil {
		return b.bad(e.Span)
	}
	if hint != nil && hint.Kind == value.Decimal && t.Kind == value.Int {
		t = hint
		for i := range args {
			args[i] = b.coerce(args[i], t)
		}
	}
	if !ordered(t) {
		for i, x := range args {
			if x.Type().Kind == value.Optional {
				return b.badArgument(e, i, x, "a value", "")
			}
		}
		b.notOrdered(e.Fn.Text, args[0])
		return b.bad(e.Span)
	}
	x := args[0]
	for _, y := range args[1:] {
		x = b.builtin(two, e.Span, t, x, y)
	}
	return x
}

func (b *body) unorderedElems(e *ast.Call, x Expr) Expr {
	t := x.Type().Elem
	d := b.c.report(diag.NotOrdered, e.Span, "%s needs elements that have an order, and %s has none", e.Fn.Text, typeName(t))
	switch t.Kind {
	case value.Record:
		d.Hint = "compare by a field: `" + e.Fn.Text + "(x." + firstField(t) + " for x in " + e.Args[0].Pos().Text() + ")`"
		if e.Fn.Text == "sort" {
			d.Hint = "sort by a field: `sort_by(x." + firstField(t) + " for x in " + e.Args[0].Pos().Text() + ")`"
		}
	case value.Enum:
		d.Hint = "declare `ordered enum " + t.Enum.Name + "` if its members have an order"
		declaredAt(d, b.c.enums[t.Enum].name.Span, "%s is declared here", t.Enum.Name)
	}
	return b.bad(e.Span)
}

// listArg checks the one argument as a list; a set counts as the list of its members.
func (b *body) listArg(e *ast.Call, want *value.Type) Expr {
	var hint *value.Type
	switch bareKind(want) {
	case value.List, value.Set:
		hint = listOf(bare(want).Elem)
	case value.Invalid, value.JSON, value.Map, value.Record:
	default:
		if e.Fn.Text != "sort" {
			hint = nil
		}
	}
	x := b.expr(e.Args[0], hint)
	switch t := x.Type(); t.Kind {
	case value.List:
		return x
	case value.Set:
		return b.builtin(value.ListOf, x.Pos(), &value.Type{Kind: value.List, Elem: t.Elem, Bound: t.Bound}, x)
	case value.Map:
		text := e.Args[0].Pos().Text()
		return b.badArgument(e, 0, x, "a list", "write `"+e.Fn.Text+"(keys("+text+"))` or `"+e.Fn.Text+"(values("+text+"))`")
	case value.JSON:
		return b.badArgument(e, 0, x, "a list", "write `as_list("+e.Args[0].Pos().Text()+") ?? []`")
	}
	return b.badArgument(e, 0, x, "a list", "")
}

func (b *body) mode(e *ast.Call, i int) (value.Mode, bool) {
	n, ok := unparen(e.Args[i]).(*ast.NameExpr)
	if ok {
		if m, ok := value.ParseMode(n.Name); ok {
			return m, true
		}
	}
	d := b.c.report(diag.UnknownMode, e.Args[i].Pos(), "%s is no rounding mode", e.Args[i].Pos().Text())
	if ok && didYouMean(d, n.Span, n.Name, modeNames) {
		return 0, false
	}
	d.Hint = "the modes are half_even, half_up, half_down, down, up, floor, ceiling"
	return 0, false
}

var modeNames = []string{"half_even", "half_up", "half_down", "down", "up", "floor", "ceiling"}

func (b *body) roundCall(e *ast.Call, _ *value.Type) Expr {
	x := b.as(e.Args[0], value.DecimalType, argument(e, 0))
	return b.rounded(e, value.RoundDecimal, []Expr{x}, 1)
}

func (b *body) divCall(e *ast.Call, _ *value.Type) Expr {
	x := b.as(e.Args[0], value.DecimalType, argument(e, 0))
	y := b.as(e.Args[1], value.DecimalType, argument(e, 1))
	b.divides(y)
	return b.rounded(e, value.DivDecimal, []Expr{x, y}, 2)
}

func (b *body) rounded(e *ast.Call, op value.Builtin, args []Expr, scale int) Expr {
	s := b.as(e.Args[scale], value.IntType, place{what: "the scale of " + e.Fn.Text})
	m, ok := b.mode(e, scale+1)
	args = append(args, s)
	for _, a := range args {
		if !ok || bad(a.Type()) {
			return b.bad(e.Span)
		}
	}
	info := &value.CallInfo{Arg: value.DecimalType, Result: value.DecimalType, Mode: m}
	return b.fold(&Call{Typed{value.DecimalType, e.Span}, op, info, args})
}

func (b *body) intCall(e *ast.Call, _ *value.Type) Expr {
	x := b.expr(e.Args[0], nil)
	switch x.Type().Kind {
	case value.Decimal:
		if !isRounded(e.Args[0]) {
			b.mayFaultAt(e.Span, "int(…) of a decimal that is not whole faults", "round it: `int(round("+e.Args[0].Pos().Text()+", 0, half_even))`")
		}
		return b.builtin(value.IntOf, e.Span, value.IntType, x)
	case value.Int:
		return b.badArgument(e, 0, x, "a decimal", "it is an int already")
	case value.String:
		return b.badArgument(e, 0, x, "a decimal", "write `parse_int("+e.Args[0].Pos().Text()+")`, which is an int?")
	case value.JSON:
		return b.badArgument(e, 0, x, "a decimal", "write `as_int("+e.Args[0].Pos().Text()+")`, which is an int?")
	}
	return b.badArgument(e, 0, x, "a decimal", "")
}

// isRounded tells whether e is a round or div to scale 0, which is whole.
func isRounded(e ast.Expr) bool {
	c, ok := unparen(e).(*ast.Call)
	if !ok || c.Fn.Text != "round" && c.Fn.Text != "div" || len(c.Args) < 3 {
		return false
	}
	n, ok := c.Args[len(c.Args)-2].(*ast.Num)
	return ok && n.Text == "0"
}

func (b *body) decimalCall(e *ast.Call, _ *value.Type) Expr {
	x := b.expr(e.Args[0], nil)
	switch x.Type().Kind {
	case value.Int:
		return b.builtin(value.DecimalOf, e.Span, value.DecimalType, x)
	case value.Decimal:
		return b.badArgument(e, 0, x, "an int", "it is a decimal already")
	case value.String:
		return b.badArgument(e, 0, x, "an int", "write `parse_decimal("+e.Args[0].Pos().Text()+")`, which is a decimal?")
	case value.JSON:
		return b.badArgument(e, 0, x, "an int", "write `as_decimal("+e.Args[0].Pos().Text()+")`, which is a decimal?")
	}
	return b.badArgument(e, 0, x, "an int", "")
}

func (b *body) stringCall(e *ast.Call, _ *value.Type) Expr {
	x := b.text(b.expr(e.Args[0], nil), "in string()")
	if k, ok := x.(*Const); ok {
		return &Const{Typed{k.T, e.Span}, k.Value}
	}
	return x
}

func (b *body) containsCall(e *ast.Call, _ *value.Type) Expr {
	x := b.expr(e.Args[0], nil)
	switch x.Type().Kind {
	case value.List, value.Set, value.Map:
		if rank(b, e.Args[1]) == 0 {
			b.expr(e.Args[1], nil)
		}
		s := e.Args[1].Pos().Text() + " in " + e.Args[0].Pos().Text()
		d := b.c.report(diag.TypeMismatch, e.Span, "contains looks into a string, not into %s", article(x.Type()))
		d.Hint = "write `" + s + "`"
		replace(d, false, e.Span, s, "write "+s)
		return b.bad(e.Span)
	case value.String:
		y := b.as(e.Args[1], str, argument(e, 1))
		return b.builtin(value.Contains, e.Span, value.BoolType, x, y)
	}
	b.expr(e.Args[1], nil)
	return b.badArgument(e, 0, x, "a string", "")
}

func (b *body) joinCall(e *ast.Call, _ *value.Type) Expr {
	x := b.expr(e.Args[0], listOf(str))
	y := b.as(e.Args[1], str, argument(e, 1))
	t := x.Type()
	if t.Kind == value.Set && t.Elem.Kind == value.String {
		x = b.builtin(value.ListOf, x.Pos(), listOf(str), x)
		t = x.Type()
	}
	if t.Kind != value.List || t.Elem.Kind != value.String {
		return b.badArgument(e, 0, x, "list<string>", "write `join([string(x) for x in "+e.Args[0].Pos().Text()+"], "+e.Args[1].Pos().Text()+")`")
	}
	return b.builtin(value.Join, e.Span, str, x, y)
}

func (b *body) matchesCall(e *ast.Call, _ *value.Type) Expr {
	x := b.as(e.Args[0], str, argument(e, 0))
	p, ok := unparen(e.Args[1]).(*ast.Str)
	if _, isBad := e.Args[1].(*ast.BadExpr); isBad {
		return b.bad(e.Span)
	}
	if !ok {
		d := b.c.report(diag.NeedsLiteral, e.Args[1].Pos(), "the pattern of matches is a literal")
		d.Hint = "write it in back quotes: matches(s, `^[A-Z]{3}$`)"
		return b.bad(e.Span)
	}
	re, insts, err := value.CompileRegexp(p.Value)
	if err != nil {
		d := b.c.report(diag.BadPatternText, p.Span, "the pattern is not understood: %v", err)
		d.Hint = "patterns are RE2, without look-around and back-references"
		return b.bad(e.Span)
	}
	if b.rule == ruleWhere && !anchored(p.Value) {
		d := b.c.report(diag.UnanchoredPattern, p.Span, "the pattern matches anywhere in the text")
		d.Hint = "write `^…$` to match the whole text; `^` or `$` alone is not enough to validate it"
	}
	if bad(x.Type()) {
		return x
	}
	info := &value.CallInfo{Arg: str, Result: value.BoolType, Regexp: re, Insts: insts}
	return b.fold(&Call{Typed{value.BoolType, e.Span}, value.Matches, info, []Expr{x}})
}

func anchored(p string) bool {
	for len(p) > 2 && p[:2] == "(?" { // flags such as (?i)
		i := 2
		for i < len(p) && p[i] != ')' && p[i] != ':' {
			i++
		}
		if i == len(p) || p[i] == ':' {
			break
		}
		p = p[i+1:]
	}
	start := len(p) > 0 && p[0] == '^' || len(p) > 1 && p[:2] == `\A`
	n := len(p)
	end := n > 0 && p[n-1] == '$' && (n < 2 || p[n-2] != '\\') || n > 1 && p[n-2:] == `\z`
	return start && end
}

func (b *body) mapArg(e *ast.Call) Expr {
	x := b.expr(e.Args[0], nil)
	if x.Type().Kind == value.Map {
		return x
	}
	return b.badArgument(e, 0, x, "a map", "")
}

func (b *body) keysCall(e *ast.Call, _ *value.Type) Expr {
	x := b.mapArg(e)
	if bad(x.Type()) {
		return x
	}
	return b.builtin(value.Keys, e.Span, &value.Type{Kind: value.List, Elem: x.Type().Key, Bound: x.Type().Bound}, x)
}

func (b *body) valuesCall(e *ast.Call, _ *value.Type) Expr {
	x := b.mapArg(e)
	if bad(x.Type()) {
		return x
	}
	return b.builtin(value.Values, e.Span, &value.Type{Kind: value.List, Elem: x.Type().Elem, Bound: x.Type().Bound}, x)
}

func (b *body) sortCall(e *ast.Call, want *value.Type) Expr {
	x := b.listArg(e, want)
	if bad(x.Type()) {
		return x
	}
	if !ordered(x.Type().Elem) {
		return b.unorderedElems(e, x)
	}
	return b.builtin(value.Sort, e.Span, x.Type(), x)
}

func (b *body) reverseCall(e *ast.Call, want *value.Type) Expr {
	x := b.listArg(e, want)
	return b.builtin(value.Reverse, e.Span, x.Type(), x)
}

func (b *body) firstCall(e *ast.Call, want *value.Type) Expr {
	x := b.listArg(e, nil)
	if bad(x.Type()) {
		return x
	}
	return b.builtin(value.First, e.Span, optional(x.Type().Elem), x)
}

func (b *body) lastCall(e *ast.Call, want *value.Type) Expr {
	x := b.listArg(e, nil)
	if bad(x.Type()) {
		return x
	}
	return b.builtin(value.Last, e.Span, optional(x.Type().Elem), x)
}

func (b *body) sliceCall(e *ast.Call, want *value.Type) Expr {
	x := b.expr(e.Args[0], want)
	from := b.as(e.Args[1], num, argument(e, 1))
	to := b.as(e.Args[2], num, argument(e, 2))
	switch x.Type().Kind {
	case value.String:
		return b.builtin(value.SliceString, e.Span, x.Type(), x, from, to)
	case value.List:
		return b.builtin(value.SliceList, e.Span, x.Type(), x, from, to)
	}
	return b.badArgument(e, 0, x, "a string or list", "")
}

func (b *body) uniqueCall(e *ast.Call, want *value.Type) Expr {
	x := b.listArg(e, want)
	return b.builtin(value.Unique, e.Span, x.Type(), x)
}

func (b *body) setCall(e *ast.Call, want *value.Type) Expr {
	var hint *value.Type
	if bareKind(want) == value.Set {
		hint = listOf(bare(want).Elem)
	}
	x := b.expr(e.Args[0], hint)
	t := x.Type()
	if t.Kind != value.List {
		return b.badArgument(e, 0, x, "a list", "write `set([…])`")
	}
	if !b.c.keyType(t.Elem, e.Args[0].Pos(), "set") {
		return b.bad(e.Span)
	}
	return b.builtin(value.SetOf, e.Span, &value.Type{Kind: value.Set, Elem: unbounded(t.Elem), Bound: t.Bound}, x)
}

func summable(t *value.Type) bool { return isNumber(t) || t.Kind == value.Duration }

func (b *body) sumCall(e *ast.Call, want *value.Type) Expr {
	x := b.listArg(e, nil)
	if bad(x.Type()) {
		return x
	}
	t := x.Type().Elem
	if summable(t) {
		return b.builtin(value.SumOf, e.Span, t, x)
	}
	return b.badArgument(e, 0, x, "a list of int, decimal or duration", "write `sum(x.… for x in "+e.Args[0].Pos().Text()+")`")
}

func (b *body) rangeCall(e *ast.Call, _ *value.Type) Expr {
	b.checkAll(e.Args)
	b.c.report(diag.RangeHere, e.Span, "range(a, b) is the source of a `for` only").
		Hint = "write `[i for i in " + e.Span.Text() + "]` for a list, or `x in a..b` for a test"
	return b.bad(e.Span)
}

func dayPart(op value.Builtin) func(*body, *ast.Call, *value.Type) Expr {
	return func(b *body, e *ast.Call, _ *value.Type) Expr {
		x := b.expr(e.Args[0], nil)
		switch x.Type().Kind {
		case value.Time, value.Date:
			return b.builtin(op, e.Span, value.IntType, x)
		}
		return b.badArgument(e, 0, x, "a time or date", "")
	}
}

func (b *body) literalText(e *ast.Call, t *value.Type) (Expr, bool) {
	s, ok := unparen(e.Args[0]).(*ast.Str)
	if !ok {
		return nil, false
	}
	x := b.typedText(s, t)
	if k, ok := x.(*Const); ok {
		return &Const{Typed{k.T, e.Span}, k.Value}, true
	}
	return x, true
}

func (b *body) dateCall(e *ast.Call, _ *value.Type) Expr {
	if x, ok := b.literalText(e, value.DateType); ok {
		return x
	}
	x := b.expr(e.Args[0], nil)
	if x.Type().Kind == value.Time {
		return b.builtin(value.DateOf, e.Span, value.DateType, x)
	}
	hint := ""
	if x.Type().Kind == value.Date {
		hint = "it is a date already"
	}
	return b.badArgument(e, 0, x, "a time or a literal text", hint)
}

func (b *body) timeCall(e *ast.Call, _ *value.Type) Expr {
	if x, ok := b.literalText(e, value.TimeType); ok {
		return x
	}
	b.expr(e.Args[0], nil)
	b.c.report(diag.NeedsLiteral, e.Args[0].Pos(), "time(…) takes a literal text").Hint = `write time("2026-01-31T12:00:00Z"), or ctx.now for the time of the command`
	return b.bad(e.Span)
}

func (b *body) uuidCall(e *ast.Call, _ *value.Type) Expr {
	if x, ok := b.literalText(e, value.UUIDType); ok {
		return x
	}
	n := b.as(e.Args[0], num, argument(e, 0))
	if b.rule.ctx&(1<<CtxCommandID) == 0 {
		d := b.c.report(diag.NotVisibleHere, e.Span, "%s has no ctx.command_id, from which uuid(n) derives its id", b.rule.name)
		d.Hint = b.rule.hint
		return b.bad(e.Span)
	}
	b.node.readCtx(CtxCommandID, e.Span)
	id := &CtxRef{Typed{value.UUIDType, e.Span}, CtxCommandID}
	return b.builtin(value.NthUUID, e.Span, value.UUIDType, id, n)
}
