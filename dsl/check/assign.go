package check

import (
	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// target is the place that an assignment changes.
type target struct {
	local *Local
	field int
	steps []Step
	typ   *value.Type // of the place
}

func (b *body) assign(s *ast.Assign) Stmt {
	b.changed()
	t, ok := b.target(s.Target)
	if !ok {
		b.quietValue(s.Value)
		return nil
	}
	out := &Assign{Place: Place{s.Span}, Local: t.local, Field: t.field, Steps: t.steps, Target: t.typ}
	if s.Op == "=" {
		out.Value = b.as(s.Value, t.typ, place{what: s.Target.Pos().Text(), decl: b.targetDecl(t)})
		b.written(s, t)
		return out
	}
	b.wholePlace(s, t)
	if !b.update(s, t, out) {
		return nil
	}
	b.forget(writeTo(s.Target, false))
	return out
}

// quietValue checks a value whose target is wrong, as far as it means anything by itself.
func (b *body) quietValue(e ast.Expr) {
	if rank(b, e) < 2 {
		b.expr(e, nil)
	}
}

func (b *body) targetDecl(t target) diag.Span {
	if t.local != nil {
		return t.local.Span
	}
	if len(t.steps) == 0 && b.agg != nil {
		return b.agg.state.asts[t.field].Type.Pos()
	}
	return diag.Span{}
}

// written takes note that m[k] is there after m[k] = v.
func (b *body) written(s *ast.Assign, t target) {
	if !b.wantsFacts() {
		return
	}
	ix, ok := s.Target.(*ast.IndexExpr)
	isMap := ok && t.steps[len(t.steps)-1].Of.Kind == value.Map
	if ok && !isMap {
		b.mayFault(ix, value.List)
	}
	b.forget(writeTo(s.Target, false))
	if isMap {
		b.fact(element(ix.X, ix.Index.Pos().Text()))
	}
}

// wholePlace warns about m[k] += v, which faults when k is absent.
func (b *body) wholePlace(s *ast.Assign, t target) {
	ix, ok := s.Target.(*ast.IndexExpr)
	if !ok {
		return
	}
	last := t.steps[len(t.steps)-1].Of
	d := b.mayFault(ix, last.Kind)
	if d == nil || last.Kind != value.Map || !(isNumber(t.typ) || t.typ.Kind == value.Duration) {
		return
	}
	place := s.Target.Pos().Text()
	text := place + " = (" + place + "? ?? " + sample(t.typ) + ") " + s.Op[:1] + " " + s.Value.Pos().Text()
	d.Hint = "a fault here refuses the command that emits the event; write `" + text + "` if an absent one counts as " + sample(t.typ)
	replace(d, false, s.Span, text, "take "+sample(t.typ)+" when it is absent")
}

// update checks += -= *=.
func (b *body) update(s *ast.Assign, t target, out *Assign) bool {
	p := place{what: "`" + s.Op + "` on " + s.Target.Pos().Text()}
	typ := t.typ
	switch {
	case bad(typ):
		b.quietValue(s.Value)
		return false
	case isNumber(typ), typ.Kind == value.Duration:
		want := typ
		if typ.Kind == value.Duration && s.Op == "*=" {
			want = value.IntType
		}
		out.Op, out.Arith = Update, arithOps[s.Op[:1]]
		x := b.expr(s.Value, want)
		if out.Value = b.coerce(x, want); out.Value == nil {
			b.updateMismatch(s, t, x, want, p)
			return false
		}
		return true
	case s.Op != "+=":
	case typ.Kind == value.String:
		out.Op = AppendStr
		out.Value = b.as(s.Value, value.StringType, p)
		return true
	case typ.Kind == value.List:
		return b.appends(s, typ, out, p)
	case typ.Kind == value.Set:
		out.Op = Insert
		out.Value = b.as(s.Value, typ.Elem, p)
		return true
	}
	b.quietValue(s.Value)
	b.noUpdate(s, typ)
	return false
}

func (b *body) updateMismatch(s *ast.Assign, t target, x Expr, want *value.Type, p place) {
	if t.local != nil && len(t.steps) == 0 && want.Kind == value.Int && x.Type().Kind == value.Decimal {
		d := b.c.report(diag.TypeMismatch, s.Value.Pos(), "%s needs int, not decimal", p)
		d.Hint = "declare it as a decimal: `var " + t.local.Name + ": decimal = …`"
		declaredAt(d, t.local.Span, "%q is declared here", t.local.Name)
		return
	}
	b.mismatch(x, s.Value, want, p)
}

// appends checks xs += item, which adds one item (ruling 59).
func (b *body) appends(s *ast.Assign, typ *value.Type, out *Assign, p place) bool {
	out.Op = Append
	x := b.expr(s.Value, typ.Elem)
	if out.Value = b.coerce(x, typ.Elem); out.Value != nil {
		return true
	}
	if value.Same(x.Type(), typ) {
		d := b.c.report(diag.TypeMismatch, s.Value.Pos(), "`+=` adds one element to a list, and this is a whole list")
		text := s.Target.Pos().Text() + " = " + s.Target.Pos().Text() + " + " + s.Value.Pos().Text()
		d.Hint = "write `" + text + "`"
		replace(d, true, s.Span, text, "write "+text)
		return false
	}
	b.mismatch(x, s.Value, typ.Elem, p)
	return false
}

func (b *body) noUpdate(s *ast.Assign, typ *value.Type) {
	text := s.Target.Pos().Text()
	code := diag.BadOperand
	if typ.Kind == value.Optional {
		code = diag.MaybeAbsent
	}
	d := b.c.report(code, s.Span, "`%s` does not work on %s", s.Op, typeName(typ))
	switch {
	case typ.Kind == value.Set && s.Op == "-=":
		d.Hint = "write `remove " + text + "[" + s.Value.Pos().Text() + "]`"
		replace(d, true, s.Span, "remove "+text+"["+s.Value.Pos().Text()+"]", "write remove")
	case typ.Kind == value.Optional:
		d.Hint = "it may be absent: write `" + text + " = (" + text + " ?? " + sample(typ.Elem) + ") " + s.Op[:1] + " " + s.Value.Pos().Text() + "`"
	case typ.Kind == value.Map:
		d.Hint = "write `" + text + "[key] = value`"
	case typ.Kind == value.Time:
		d.Hint = "write `" + text + " = " + text + " " + s.Op[:1] + " " + s.Value.Pos().Text() + "`"
	}
}

// target resolves the left side of an assignment.
func (b *body) target(e ast.Expr) (target, bool) {
	switch e := e.(type) {
	case *ast.Paren:
		return b.target(e.X)
	case *ast.NameExpr:
		return b.varTarget(e)
	case *ast.FieldExpr:
		if n, ok := e.X.(*ast.NameExpr); ok && b.locals[n.Name] == nil && (roots[n.Name] || isCapital(n.Name)) {
			return b.stateTarget(n, e)
		}
		t, ok := b.target(e.X)
		if !ok {
			return t, false
		}
		return b.fieldStep(t, e)
	case *ast.IndexExpr:
		t, ok := b.target(e.X)
		if !ok {
			return t, false
		}
		return b.indexStep(t, e, false)
	case *ast.BadExpr:
		return target{}, false
	}
	d := b.c.report(diag.BadAssignment, e.Pos(), "this cannot be assigned to")
	d.Hint = "assign to a `var`, or in an apply to `state.…`"
	return target{}, false
}

func (b *body) varTarget(e *ast.NameExpr) (target, bool) {
	if b.c.asked(e.Name) {
		b.offerNames(nil)
	}
	if n := b.locals[e.Name]; n != nil {
		b.c.saw(e.Span, n.local.Span, n.local.Type)
		if n.local.Var {
			return target{local: n.local, typ: n.local.Type}, true
		}
		d := b.c.report(diag.BadAssignment, e.Span, "%q is not a `var`", e.Name)
		d.Hint = "declare it with `var` to change it"
		if b.rule == ruleApply || b.rule == ruleDecide {
			d.Hint += "; a `let` and a loop variable are copies"
		}
		declaredAt(d, n.local.Span, "%q is declared here", e.Name)
		return target{}, false
	}
	if roots[e.Name] {
		d := b.c.report(diag.BadAssignment, e.Span, "`%s` cannot be assigned as a whole", e.Name)
		d.Hint = "assign its fields: `" + e.Name + ".… = …`"
		return target{}, false
	}
	d := b.c.report(diag.UnknownName, e.Span, "there is no `var` %q", e.Name)
	switch {
	case b.sc.constant(e.Name) != nil:
		d.Message = `"` + e.Name + `" is a constant`
		d.Hint = "declare a `var` with another name"
	case b.rule == ruleApply && b.agg.state != nil && b.agg.state.find(e.Name) >= 0:
		d.Hint = "write `state." + e.Name + "`"
		replace(d, true, e.Span, "state."+e.Name, "write state."+e.Name)
	default:
		var vars []string
		for _, n := range sortedKeys(b.locals) {
			if b.locals[n].local.Var {
				vars = append(vars, n)
			}
		}
		if !didYouMean(d, e.Span, e.Name, vars) {
			d.Hint = "declare it before: `var " + e.Name + " = …`"
		}
	}
	return target{}, false
}

func (b *body) stateTarget(n *ast.NameExpr, e *ast.FieldExpr) (target, bool) {
	if n.Name != "state" {
		d := b.c.report(diag.BadAssignment, e.Span, "`%s` is not written to", n.Name)
		d.Hint = "rules write to their `var`s, and an apply to `state`"
		return target{}, false
	}
	if b.rule != ruleApply {
		d := b.c.report(diag.StateWritten, e.Span, "%s does not write to the state", b.rule.name)
		d.Hint = "the state changes by events only: `emit` one, and change the state in its `apply`"
		return target{}, false
	}
	fs := b.agg.state
	if fs == nil {
		return target{}, false
	}
	b.sawRoot(n, e.Name)
	i := fs.find(e.Name.Text)
	if i < 0 {
		if dv := b.agg.derive[e.Name.Text]; dv != nil {
			d := b.c.report(diag.BadAssignment, e.Span, "%q is a derive: it is computed, not stored", e.Name.Text)
			d.Hint = "change what it is computed from"
			declaredAt(d, dv.ast.Name.Span, "it is declared here")
			return target{}, false
		}
		b.unknownField(fs.what, e.Name, fs.names(), b.agg.stateAST.Span)
		return target{}, false
	}
	return target{field: i, typ: fs.fields[i].Type}, !bad(fs.fields[i].Type)
}

func (b *body) fieldStep(t target, e *ast.FieldExpr) (target, bool) {
	switch {
	case bad(t.typ):
		return t, false
	case t.typ.Kind == value.Optional:
		b.throughOptional(e.X, t)
		return t, false
	case t.typ.Kind != value.Record:
		b.c.report(diag.NoFields, e.Name.Span, "%s has no fields", article(t.typ))
		return t, false
	}
	fs := b.c.records[t.typ.Record].fields
	i := fs.find(e.Name.Text)
	b.c.fieldName(fs, e.Name, i, nil)
	if i < 0 {
		b.unknownField(fs.what, e.Name, fs.names(), b.c.records[t.typ.Record].name.Span)
		return t, false
	}
	if ix, ok := unparen(e.X).(*ast.IndexExpr); ok {
		b.mayFault(ix, t.steps[len(t.steps)-1].Of.Kind)
	}
	t.steps = append(t.steps, Step{Of: t.typ, Field: i, Span: e.Name.Span})
	t.typ = fs.fields[i].Type
	return t, !bad(t.typ)
}

func (b *body) throughOptional(e ast.Expr, t target) {
	d := b.c.report(diag.MaybeAbsent, e.Pos(), "%s may be absent, so nothing below it can be assigned", e.Pos().Text())
	d.Hint = "assign the whole: `" + e.Pos().Text() + " = …`"
}

// indexStep goes into an element; removing allows a set's member.
func (b *body) indexStep(t target, e *ast.IndexExpr, removing bool) (target, bool) {
	if e.Optional {
		d := b.c.report(diag.BadAssignment, e.Span, "`%s` gives a value, not a place", e.Span.Text())
		d.Hint = "leave the `?` out"
		replace(d, true, diag.Span{File: e.Span.File, Start: e.Span.End - 1, End: e.Span.End}, "", "remove the ?")
		return t, false
	}
	key := value.IntType
	elem := t.typ.Elem
	switch t.typ.Kind {
	case value.Invalid:
		b.quietValue(e.Index)
		return t, false
	case value.Map:
		key = t.typ.Key
	case value.List:
	case value.Set:
		key = t.typ.Elem
		if !removing {
			d := b.c.report(diag.BadAssignment, e.Span, "a set has members, not elements to assign")
			d.Hint = "write `" + e.X.Pos().Text() + " += " + e.Index.Pos().Text() + "` or `remove " + e.Span.Text() + "`"
			return t, false
		}
	case value.Optional:
		b.throughOptional(e.X, t)
		return t, false
	case value.JSON:
		d := b.c.report(diag.BadAssignment, e.Span, "json is assigned as a whole only")
		d.Hint = "write `" + e.X.Pos().Text() + " = …`"
		return t, false
	default:
		b.c.report(diag.NoIndex, e.Span, "%s has no elements by index", article(t.typ))
		return t, false
	}
	k := b.as(e.Index, key, place{what: "the key of " + e.X.Pos().Text()})
	if bad(k.Type()) {
		return t, false
	}
	if ix, ok := unparen(e.X).(*ast.IndexExpr); ok {
		b.mayFault(ix, t.steps[len(t.steps)-1].Of.Kind)
	}
	t.steps = append(t.steps, Step{Of: t.typ, Key: k, Span: e.Index.Pos()})
	t.typ = elem
	return t, true
}

func (b *body) remove(s *ast.Remove) Stmt {
	b.changed()
	if b.rule != ruleApply && b.rule != ruleDecide && b.fn == nil {
		b.onlyIn(s.Span, "`remove`", false)
		return nil
	}
	ix, ok := unparen(s.Target).(*ast.IndexExpr)
	if !ok {
		if _, isBad := s.Target.(*ast.BadExpr); !isBad {
			d := b.c.report(diag.BadAssignment, s.Target.Pos(), "`remove` takes an element: m[k], xs[i] or s[x]")
			d.Hint = "write `remove " + s.Target.Pos().Text() + "[…]`"
		}
		return nil
	}
	t, ok := b.target(ix.X)
	if !ok {
		return nil
	}
	of := t.typ
	if t, ok = b.indexStep(t, ix, true); !ok {
		return nil
	}
	if of.Kind == value.List {
		b.mayFault(ix, value.List)
	}
	b.forget(writeTo(ix, true))
	return &Assign{Place: Place{s.Span}, Local: t.local, Field: t.field, Steps: t.steps, Op: Remove, Target: of}
}
