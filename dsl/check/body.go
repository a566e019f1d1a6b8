package check

import (
	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// rule says what one kind of rule sees.
type rule struct {
	name  string // as in "a guard"
	state bool
	old   bool // the state before the command
	cmd   bool
	event string // the root by which the event's fields are read: "event", "old" or none
	ctx   uint16 // bits of CtxField
	// callCtx is what functions called from here may read of ctx.
	callCtx uint16
	hint    string // where to put what is not seen here
}

const allCtx = 1<<CtxFieldCount - 1

const (
	applyCtx  = 1<<CtxNow | 1<<CtxAggregateID
	upcastCtx = 1<<CtxNow | 1<<CtxMeta | 1<<CtxVersion
	testCtx   = 1<<CtxNow | 1<<CtxAggregateID | 1<<CtxCommandID
)

// The rules.
var (
	ruleConst     = &rule{name: "a constant", hint: "constants are made of literals, enum members and other constants"}
	ruleWhere     = &rule{name: "a `where`", hint: "a `where` sees its field and the fields before it; write a `require` in the decide"}
	ruleSharedFn  = &rule{name: "a top-level function", hint: "pass the value as an argument, or declare the function in the aggregate"}
	ruleFn        = &rule{name: "a function", state: true, ctx: allCtx, callCtx: allCtx, hint: "pass the value as an argument"}
	ruleGuard     = &rule{name: "a guard", state: true, old: true, ctx: allCtx, callCtx: allCtx, hint: "pass the value as an argument"}
	ruleDecide    = &rule{name: "a decide", state: true, old: true, cmd: true, ctx: allCtx, callCtx: allCtx, hint: "read state and cmd"}
	ruleApply     = &rule{name: "an apply", state: true, event: "event", ctx: applyCtx, callCtx: applyCtx, hint: "put the value into the event, in the decide that emits it"}
	ruleInvariant = &rule{name: "an invariant", state: true, old: true, hint: "an invariant sees `state` and `old` only"}
	ruleDerive    = &rule{name: "a derive", state: true, hint: "a derive sees `state` only"}
	ruleFinal     = &rule{name: "`final when`", state: true, hint: "`final when` sees `state` only"}
	ruleUpcast    = &rule{name: "an upcast", event: "old", ctx: upcastCtx, hint: "an upcast sees the old event, and ctx.now, ctx.meta and ctx.version of its commit"}
	ruleTest      = &rule{name: "a test", state: true, ctx: testCtx, callCtx: testCtx, hint: "a test sees state, ctx.now, ctx.aggregate_id and ctx.command_id"}
)

// body checks one rule: one expression, or one block of statements.
type body struct {
	c      *checker
	sc     *scope
	rule   *rule
	what   string // the rule by name, as in "apply deposited"
	agg    *agg   // nil at top level
	cmd    *commandDecl
	fields *fieldSet // of the where
	event  *eventVersion
	fn     *fnDecl     // when it is a function's body
	result *value.Type // of the function
	locals map[string]*binding
	trail  []trailed
	closed map[string]diag.Span // `is some` names whose scope has ended, for hints
	node   *node
	depth  int
	flow   flow
	vars   []*binding
	checks map[string]known // conditions that hold already, for requires that say nothing new
	valid  []known          // what the `where`s of the command have seen to
	// the `??` whose left side is checked
	coalesced *ast.Binary
	facts     map[string]bool // places known to be there, in apply and upcast
}

// binding is a visible local.
type binding struct {
	local *Local
	read  bool
	field bool // a field in a where, which wins over constants
}

type trailed struct {
	name string
	prev *binding
}

func (c *checker) newBody(s *scope, r *rule) *body {
	return &body{c: c, sc: s, rule: r, what: r.name, agg: s.agg, node: &node{}}
}

// mark and pop delimit a scope.
func (b *body) mark() int { return len(b.trail) }

func (b *body) pop(mark int) {
	for i := len(b.trail) - 1; i >= mark; i-- {
		t := b.trail[i]
		if b.closed == nil {
			b.closed = map[string]diag.Span{}
		}
		if cur := b.locals[t.name]; cur != nil {
			b.closed[t.name] = cur.local.Span
		}
		if t.prev == nil {
			delete(b.locals, t.name)
		} else {
			b.locals[t.name] = t.prev
		}
	}
	b.trail = b.trail[:mark]
}

// take is pop that gives what it hides, for restore.
func (b *body) take(mark int) []*binding {
	var out []*binding
	for _, t := range b.trail[mark:] {
		out = append(out, b.locals[t.name])
	}
	b.pop(mark)
	return out
}

// restore makes bindings visible again.
func (b *body) restore(bound []*binding) {
	for _, n := range bound {
		name := n.local.Name
		b.trail = append(b.trail, trailed{name, b.locals[name]})
		b.locals[name] = n
	}
}

// declare makes a local visible to the end of the scope; `_` and a missing name give nil.
func (b *body) declare(name ast.Name, t *value.Type, isVar bool) *Local {
	if name.Text == "_" || name.Text == "" {
		return nil
	}
	if prev := b.locals[name.Text]; prev != nil {
		b.shadows(name, prev.local.Span)
	} else if k := b.sc.constant(name.Text); k != nil {
		b.shadows(name, k.ast.Name.Span)
	}
	return b.bind(name, t, isVar)
}

// bind is declare without a look at what is hidden.
func (b *body) bind(name ast.Name, t *value.Type, isVar bool) *Local {
	l := &Local{Name: name.Text, Type: t, Var: isVar, Span: name.Span}
	b.c.saw(name.Span, name.Span, t)
	if b.locals == nil {
		b.locals = make(map[string]*binding, 8)
	}
	n := &binding{local: l}
	b.trail = append(b.trail, trailed{name.Text, b.locals[name.Text]})
	b.locals[name.Text] = n
	if isVar {
		b.vars = append(b.vars, n)
	}
	return l
}

func (b *body) shadows(name ast.Name, first diag.Span) {
	d := b.c.report(diag.Shadowing, name.Span, "%q hides another %q", name.Text, name.Text)
	d.Hint = "give it another name: a name means one thing in a rule"
	declaredAt(d, first, "%q is declared here", name.Text)
}

// bad is the expression that has been reported.
func (b *body) bad(at diag.Span) Expr { return &Const{Typed{value.InvalidType, at}, value.V{}} }

// place names what an expression is for, in messages.
type place struct {
	what string // "the condition", `field "amount" of event withdrawn`, …
	// name and of, when set, make what: field "name" of `of`.
	name, of string
	decl     diag.Span // where its type is written
}

func (p place) String() string {
	if p.name != "" {
		return `field "` + p.name + `" of ` + p.of
	}
	if p.what == "" {
		return "this"
	}
	return p.what
}

// as checks e and makes it exactly of type want, widening it where the language does.
func (b *body) as(e ast.Expr, want *value.Type, p place) Expr {
	if bad(want) {
		b.expr(e, nil)
		return b.bad(e.Pos())
	}
	x := b.expr(e, want)
	y := b.coerce(x, want)
	if y == nil {
		b.mismatch(x, e, want, p)
		return b.bad(e.Pos())
	}
	return y
}

// coerce is x as a want, nil if it is none.
func (b *body) coerce(x Expr, want *value.Type) Expr {
	t := x.Type()
	switch {
	case bad(t) || bad(want):
		return b.bad(x.Pos())
	case t == noneType:
		if want.Kind == value.Optional {
			return &Const{Typed{want, x.Pos()}, value.None}
		}
		return nil
	case value.Same(t, want):
		return x
	case t.Kind == value.Int && want.Kind == value.Decimal:
		return b.fold(&Widen{Typed{value.DecimalType, x.Pos()}, x})
	case want.Kind == value.Optional && t.Kind == value.Optional:
		if t.Elem.Kind == value.Int && want.Elem.Kind == value.Decimal {
			return b.widenOptional(x)
		}
	case want.Kind == value.Optional:
		if y := b.coerce(x, want.Elem); y != nil {
			return b.fold(&Some{Typed{want, x.Pos()}, y})
		}
	}
	return nil
}

// widenOptional makes a decimal? of an int?: if x is some i then decimal(i) else none.
func (b *body) widenOptional(x Expr) Expr {
	at := x.Pos()
	want := optional(value.DecimalType)
	tmp := &Local{Type: value.IntType, Span: at}
	return b.fold(&If{
		Typed: Typed{want, at},
		Cond:  &IsSome{Typed{value.BoolType, at}, x, tmp},
		Then:  &Some{Typed{want, at}, &Widen{Typed{value.DecimalType, at}, &LocalRef{Typed{value.IntType, at}, tmp}}},
		Else:  &Const{Typed{want, at}, value.None},
	})
}

// condition checks e as a bool and leaves the names that its `is some` bind in scope.
func (b *body) condition(e ast.Expr, p place) Expr {
	x := b.leak(e)
	if bad(x.Type()) || x.Type().Kind == value.Bool {
		return x
	}
	b.mismatch(x, e, value.BoolType, p)
	return b.bad(e.Pos())
}

// leak checks e; what `is some` binds in the `and` chain of e stays in scope (ruling 20).
func (b *body) leak(e ast.Expr) Expr {
	switch e := e.(type) {
	case *ast.Paren:
		return b.leak(e.X)
	case *ast.IsSome:
		return b.isSome(e)
	case *ast.Binary:
		if e.Op == "and" {
			x := b.condition(e.X, place{what: "the left side of `and`"})
			b.learnLast(e.X)
			y := b.condition(e.Y, place{what: "the right side of `and`"})
			return b.logic(And, e, x, y)
		}
	}
	return b.expr(e, value.BoolType)
}
