package check

import (
	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// maxSortKeys is the number of keys that sort_by takes.
const maxSortKeys = 64

// compScope opens the scope of a comprehension: its loop variables and what its `if` binds.
func (b *body) compScope(c *ast.Comp) (src Source, cond Expr, ok bool) {
	src, ok = b.source(c.Source, c.Key, c.Value)
	if ok {
		b.learnHead(c.Source, c.Key, c.Value, src)
	}
	if c.Cond != nil {
		cond = b.condition(c.Cond, place{what: "the `if` of this comprehension"})
		b.learn(c.Cond)
		ok = ok && !bad(cond.Type())
		if k, isConst := cond.(*Const); ok && isConst && k.Value.Bool() {
			cond = nil
		}
	}
	return src, cond, ok
}

// source checks the head of a loop and declares its variables.
func (b *body) source(e ast.Expr, key, val ast.Name) (Source, bool) {
	if call, isCall := unparen(e).(*ast.Call); isCall && call.Fn.Text == "range" && b.sc.fn("range") == nil && call.Comp == nil && len(call.Args) == 2 {
		return b.rangeSource(call, key, val)
	}
	x := b.expr(e, nil)
	t := x.Type()
	s := Source{X: x}
	kt, vt := value.InvalidType, value.InvalidType
	switch t.Kind {
	case value.Invalid:
	case value.List:
		s.Kind, kt, vt = OverList, value.IntType, t.Elem
	case value.Set:
		s.Kind, vt = OverSet, t.Elem
		if key.Text != "" {
			d := b.c.report(diag.LoopVariables, key.Span.To(val.Span), "a loop over a set has one variable")
			d.Hint = "write `for " + val.Text + " in " + e.Pos().Text() + "`"
			vt = value.InvalidType
		}
	case value.Map:
		s.Kind, kt, vt = OverMap, t.Key, t.Elem
		if key.Text == "" {
			b.oneOverMap(e, val)
			vt = value.InvalidType
		}
	default:
		b.notIterable(e, t)
	}
	s.Key = b.declare(key, kt, false)
	s.Value = b.declare(val, vt, false)
	return s, !bad(vt)
}

func (b *body) oneOverMap(e ast.Expr, val ast.Name) {
	d := b.c.report(diag.LoopVariables, val.Span, "a loop over a map has two variables, the key and the value")
	text := e.Pos().Text()
	d.Hint = "write `for k, " + val.Text + " in " + text + "`, or loop over `keys(" + text + ")` or `values(" + text + ")`"
	replace(d, false, val.Span, "_, "+val.Text, "take the values")
	replace(d, false, val.Span, val.Text+", _", "take the keys")
}

func (b *body) notIterable(e ast.Expr, t *value.Type) {
	code := diag.NotIterable
	if t.Kind == value.Optional {
		code = diag.MaybeAbsent
	}
	text := e.Pos().Text()
	d := b.c.report(code, e.Pos(), "a loop runs over a list, set, map or range, not over %s", article(t))
	switch t.Kind {
	case value.Int:
		d.Hint = "write `for i in range(0, " + text + ")`"
	case value.JSON:
		d.Hint = "write `as_list(" + text + ") ?? []`"
	case value.String:
		d.Hint = "write `split(" + text + `, "")` + "` for its letters"
	case value.Optional:
		d.Hint = "it may be absent: write `" + text + " ?? " + sample(t.Elem) + "`"
	}
}

func (b *body) rangeSource(call *ast.Call, key, val ast.Name) (Source, bool) {
	from := b.as(call.Args[0], value.IntType, argument(call, 0))
	to := b.as(call.Args[1], value.IntType, argument(call, 1))
	if key.Text != "" {
		d := b.c.report(diag.LoopVariables, key.Span.To(val.Span), "a loop over a range has one variable")
		d.Hint = "write `for " + val.Text + " in " + call.Span.Text() + "`"
		b.declare(key, value.InvalidType, false)
	}
	v := b.declare(val, value.IntType, false)
	return Source{Kind: OverRange, Value: v, From: from, To: to}, !bad(from.Type()) && !bad(to.Type()) && key.Text == ""
}

func elemHint(want *value.Type, k value.Kind) *value.Type {
	if bareKind(want) == k {
		return bare(want).Elem
	}
	return nil
}

// element checks the head of a comprehension: exactly of type want if that is known.
func (b *body) head(e ast.Expr, want *value.Type) Expr {
	if want != nil {
		return b.as(e, want, place{what: "the element of this comprehension"})
	}
	x := b.expr(e, nil)
	if x.Type() == noneType {
		b.needsType(e.Pos(), "none", "list<int?>")
		return b.bad(e.Pos())
	}
	return x
}

func (b *body) listComp(at diag.Span, c *ast.Comp, want *value.Type) Expr {
	m, facts := b.mark(), b.saveFacts()
	src, cond, ok := b.compScope(c)
	x := b.head(c.Elem, elemHint(want, value.List))
	b.pop(m)
	b.facts = facts.restore()
	if !ok || bad(x.Type()) {
		return b.bad(at)
	}
	t := listOf(x.Type())
	t.Bound = sourceBound(src)
	return &Comp{Typed: Typed{t, at}, Kind: CompList, Source: src, Cond: cond, Elem: x}
}

// sourceBound is the greatest number of rounds that the type of the source tells, 0 if none.
func sourceBound(s Source) int {
	if s.X == nil {
		return 0
	}
	return s.X.Type().Bound
}

func (b *body) mapComp(e *ast.MapComp, want *value.Type) Expr {
	m, facts := b.mark(), b.saveFacts()
	src, cond, ok := b.compScope(e.Comp)
	var kt, vt *value.Type
	if bareKind(want) == value.Map {
		kt, vt = bare(want).Key, bare(want).Elem
	}
	k := b.head(e.Key, kt)
	x := b.head(e.Comp.Elem, vt)
	b.pop(m)
	b.facts = facts.restore()
	if !ok || bad(x.Type()) || !b.c.keyType(k.Type(), e.Key.Pos(), "map") {
		return b.bad(e.Span)
	}
	t := &value.Type{Kind: value.Map, Key: unbounded(k.Type()), Elem: x.Type(), Bound: sourceBound(src)}
	return &Comp{Typed: Typed{t, e.Span}, Kind: CompMap, Source: src, Cond: cond, Key: k, Elem: x}
}

// compCall checks f(e for …).
func (b *body) compCall(info *builtinInfo, e *ast.Call, want *value.Type) Expr {
	if !info.hasComp {
		d := b.c.report(diag.NeedsFor, e.Span, "%s takes no `for`", e.Fn.Text)
		d.Hint = "write " + info.usage
		if e.Fn.Text == "len" {
			d.Hint = "write `count(…)`"
			replace(d, true, e.Fn.Span, "count", "write count")
		}
		return b.bad(e.Span)
	}
	m, facts := b.mark(), b.saveFacts()
	src, cond, ok := b.compScope(e.Comp)
	out := &Comp{Typed: Typed{Span: e.Span}, Kind: info.comp, Source: src, Cond: cond}
	if info.comp == CompSortBy {
		ok = b.sortKeys(e, out) && ok
	} else if e.Comp.Elem == nil {
		b.c.report(diag.NeedsFor, e.Span, "%s takes one expression before its `for`", e.Fn.Text).Hint = "write " + info.usage
		ok = false
	} else {
		ok = b.compElem(e, out, want) && ok
	}
	b.pop(m)
	b.facts = facts.restore()
	if !ok || out.T == nil || bad(out.T) {
		return b.bad(e.Span)
	}
	return out
}

// compElem checks the expression before `for` and sets the type of the whole.
func (b *body) compElem(e *ast.Call, out *Comp, want *value.Type) bool {
	elem := e.Comp.Elem
	switch out.Kind {
	case CompCount:
		b.expr(elem, nil)
		out.T = value.IntType
		return true
	case CompAny, CompAll:
		out.Elem = b.condition(elem, place{what: "the condition of " + e.Fn.Text})
		out.T = value.BoolType
	case CompSet:
		out.Elem = b.head(elem, elemHint(want, value.Set))
		if !b.c.keyType(out.Elem.Type(), elem.Pos(), "set") {
			return false
		}
		out.T = &value.Type{Kind: value.Set, Elem: unbounded(out.Elem.Type()), Bound: sourceBound(out.Source)}
	case CompUnique:
		out.Elem = b.head(elem, elemHint(want, value.List))
		out.T = &value.Type{Kind: value.List, Elem: out.Elem.Type(), Bound: sourceBound(out.Source)}
	case CompSum:
		out.Elem = b.expr(elem, numberHint(want))
		if t := out.Elem.Type(); !bad(t) && !summable(t) {
			b.elemMismatch(e, out.Elem, "int, decimal or duration")
			return false
		}
		out.T = out.Elem.Type()
	case CompMin, CompMax:
		out.Elem = b.head(elem, nil)
		if t := out.Elem.Type(); !bad(t) && !ordered(t) {
			if t.Kind == value.Optional {
				b.elemMismatch(e, out.Elem, "a value")
			} else {
				b.notOrdered(e.Fn.Text, out.Elem)
			}
			return false
		}
		out.T = optional(out.Elem.Type())
	case CompFirst, CompLast:
		var hint *value.Type
		if want != nil && want.Kind != value.JSON && rank(b, elem) > 0 {
			hint = bare(want)
		}
		out.Elem = b.head(elem, hint)
		out.T = optional(out.Elem.Type())
	}
	return !bad(out.Elem.Type())
}

func (b *body) elemMismatch(e *ast.Call, x Expr, needs string) {
	code := diag.TypeMismatch
	if x.Type().Kind == value.Optional {
		code = diag.MaybeAbsent
	}
	d := b.c.report(code, x.Pos(), "%s needs %s, not %s", e.Fn.Text, needs, typeName(x.Type()))
	if x.Type().Kind == value.Optional {
		d.Hint = "leave out what is absent: `" + e.Fn.Text + "(v for … if " + x.Pos().Text() + " is some v)`"
	}
}

func (b *body) sortKeys(e *ast.Call, out *Comp) bool {
	keys := e.Comp.Keys
	if len(keys) == 0 && e.Comp.Elem != nil {
		keys = []ast.SortKey{{Expr: e.Comp.Elem}}
	}
	if len(keys) > maxSortKeys {
		b.c.report(diag.TooManySortKeys, e.Span, "sort_by takes %d keys at most", maxSortKeys)
		return false
	}
	ok := true
	for i, k := range keys {
		x := b.expr(k.Expr, nil)
		out.SortKeys = append(out.SortKeys, x)
		if k.Desc {
			out.Desc |= 1 << i
		}
		if !bad(x.Type()) && !ordered(x.Type()) {
			b.notOrdered("sort_by", x)
			ok = false
		}
		ok = ok && !bad(x.Type())
	}
	if !ok {
		return false
	}
	elem := value.IntType
	switch src := &out.Source; src.Kind {
	case OverRange:
	default:
		if bad(src.X.Type()) {
			return false
		}
		elem = src.X.Type().Elem
		if src.Value == nil {
			src.Value = &Local{Type: elem, Span: e.Span}
		}
	}
	if out.Source.Value == nil {
		out.Source.Value = &Local{Type: elem, Span: e.Span}
	}
	out.T = &value.Type{Kind: value.List, Elem: elem, Bound: sourceBound(out.Source)}
	return true
}
