package check

import (
	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// block checks the statements of a block in a scope of their own.
func (b *body) block(block *ast.Block) []Stmt {
	if block == nil {
		return nil
	}
	m := b.mark()
	out := b.stmts(block.Stmts)
	b.pop(m)
	return out
}

func (b *body) stmts(stmts []ast.Stmt) []Stmt {
	out := make([]Stmt, 0, len(stmts))
	warned := false
	for i, s := range stmts {
		if b.flow.ended && !warned {
			warned = true
			b.unreachable(stmts[i:], "the statement before it ends the rule")
		}
		if t := b.stmt(s); t != nil {
			out = append(out, t)
		}
	}
	return out
}

// stmt checks one statement; nil when there is nothing to run.
func (b *body) stmt(s ast.Stmt) Stmt {
	switch s := s.(type) {
	case *ast.Block:
		if inner := b.block(s); len(inner) > 0 {
			return &IfStmt{Place{s.Span}, &Const{Typed{value.BoolType, s.Span}, value.MakeBool(true)}, inner, nil}
		}
	case *ast.Let:
		return b.let(s.Span, s.Name, s.Type, s.Value, false)
	case *ast.Var:
		if b.rule == ruleGuard {
			b.notHere(s.Span, "`var`", "a guard holds let, require, reject, check, if, match and for; use `let`")
		}
		return b.let(s.Span, s.Name, s.Type, s.Value, true)
	case *ast.Assign:
		return b.assign(s)
	case *ast.Remove:
		return b.remove(s)
	case *ast.Require:
		return b.require(s)
	case *ast.Reject:
		b.onlyIn(s.Span, "`reject`", b.rule == ruleDecide || b.rule == ruleGuard)
		r := b.refusal(s.Refusal)
		b.flow.ended = true
		return &RejectStmt{Place{s.Span}, r}
	case *ast.Check:
		return b.check(s)
	case *ast.Emit:
		return b.emit(s)
	case *ast.Nothing:
		b.onlyIn(s.Span, "`nothing`", b.rule == ruleDecide)
		b.flow.silent = false
		return &Nothing{Place{s.Span}}
	case *ast.Return:
		return b.returns(s)
	case *ast.If:
		return b.ifStmt(s)
	case *ast.Match:
		return b.match(s)
	case *ast.For:
		return b.forStmt(s)
	}
	return nil
}

// onlyIn reports a statement in a rule that has none such.
func (b *body) onlyIn(at diag.Span, what string, ok bool) bool {
	if ok {
		return true
	}
	hints := map[*rule]string{
		ruleApply:    "an apply only writes `state`: what may be refused is refused in the decide",
		ruleGuard:    "a guard holds let, require, reject, check, if, match and for",
		ruleFn:       "a function computes a value: let, var, assignments to its own vars, if, match, for, return",
		ruleSharedFn: "a function computes a value: let, var, assignments to its own vars, if, match, for, return",
		ruleDecide:   "a decide reads `state` and emits events; their `apply` changes the state",
	}
	b.notHere(at, what, hints[b.rule])
	return false
}

func (b *body) notHere(at diag.Span, what, hint string) {
	b.c.report(diag.NotAllowedHere, at, "%s has no %s", b.rule.name, what).Hint = hint
}

func (b *body) let(at diag.Span, name ast.Name, te ast.TypeExpr, val ast.Expr, isVar bool) Stmt {
	var x Expr
	var t *value.Type
	if te != nil {
		t = b.c.typ(b.sc, te, localPlace)
		x = b.as(val, t, place{what: `"` + name.Text + `"`, decl: te.Pos()})
	} else {
		x = b.expr(val, nil)
		t = x.Type()
		if t == noneType {
			b.needsType(val.Pos(), "none", "int?")
			t = value.InvalidType
			x = b.bad(val.Pos())
		}
		if isVar {
			t = unbounded(t)
		}
	}
	l := b.declare(name, t, isVar)
	if l == nil {
		l = &Local{Type: t, Span: name.Span}
	}
	return &Let{Place{at}, l, x}
}

func (b *body) require(s *ast.Require) Stmt {
	b.onlyIn(s.Span, "`require`", b.rule == ruleDecide || b.rule == ruleGuard)
	x := b.condition(s.Cond, place{what: "the condition of `require`"})
	b.repeated(s, x)
	b.learn(s.Cond)
	out := &Require{Place{s.Span}, x, s.ElseNothing, nil}
	if s.ElseNothing {
		b.flow.silent = false
		return out
	}
	if k, ok := x.(*Const); ok && !bad(k.T) && k.Value.Bool() {
		ended := b.flow.ended
		b.flow.ended = true // its code is never given
		out.Refusal = b.refusal(s.Else)
		b.flow.ended = ended
		return out
	}
	out.Refusal = b.refusal(s.Else)
	return out
}

// changed forgets what was required: something that conditions read may differ now.
func (b *body) changed() { clear(b.checks) }

// refusal checks a code and its message and takes note of the code.
func (b *body) refusal(r *ast.Refusal) *Refusal {
	if r == nil {
		return nil
	}
	out := &Refusal{Code: r.Code.Text, Span: r.Span, Message: b.message(r.Message)}
	if r.CodeExpr != nil {
		b.c.report(diag.NotAllowedHere, r.CodeExpr.Pos(), "a code is a name here").Hint = "write the code itself; `reject (c)` is for tests with cases"
		return out
	}
	if reservedCodes[r.Code.Text] {
		d := b.c.report(diag.ReservedCode, r.Code.Span, "the code %q belongs to the system", r.Code.Text)
		d.Hint = "choose another: the system gives not_found, already_exists, forbidden, finished, invariant_violated and validation_error"
		return out
	}
	if r.Code.Text != "" && b.agg != nil {
		b.agg.code(r.Code.Text, r.Code.Span, !b.flow.ended)
	}
	return out
}

func (b *body) message(m ast.Expr) Expr {
	if m == nil {
		return nil
	}
	x := b.as(m, value.StringType, place{what: "the message"})
	return x
}

var reservedCodes = map[string]bool{
	"not_found": true, "already_exists": true, "forbidden": true, "finished": true, "invariant_violated": true, "validation_error": true,
}

// code takes note that a rule gives code.
func (a *agg) code(code string, at diag.Span, live bool) {
	u := a.codes[code]
	if u == nil {
		u = &codeUse{}
		a.codes[code] = u
	}
	u.spans = append(u.spans, at)
	u.live = u.live || live
}

func (b *body) check(s *ast.Check) Stmt {
	b.onlyIn(s.Span, "`check`", b.rule == ruleDecide || b.rule == ruleGuard)
	var g *guardDecl
	if b.agg != nil {
		g = b.agg.guard[s.Guard.Text]
	}
	b.c.guardName(b.agg, s.Guard)
	if g == nil {
		b.checkAll(s.Args)
		d := b.c.report(diag.UnknownGuard, s.Guard.Span, "unknown guard %q", s.Guard.Text)
		switch {
		case b.agg != nil && didYouMean(d, s.Guard.Span, s.Guard.Text, sortedKeys(b.agg.guard)):
		case b.sc.fn(s.Guard.Text) != nil:
			d.Hint = "it is a function: write `require " + s.Guard.Text + "(…) else …`"
		default:
			d.Hint = "declare it: `guard " + s.Guard.Text + "(…) { require … }`"
		}
		return nil
	}
	g.used = true
	b.node.calls = append(b.node.calls, use{&g.node, s.Span})
	if len(s.Args) != len(g.out.Params) {
		b.checkAll(s.Args)
		b.arity(s.Guard, len(s.Args), "check "+guardUsage(g.ast), g.ast.Name.Span)
		return nil
	}
	out := &Check{Place{s.Span}, g.out, make([]Expr, len(s.Args))}
	for i, a := range s.Args {
		p := g.out.Params[i]
		out.Args[i] = b.as(a, p.Type, place{what: "argument " + itoa(i+1) + " of " + s.Guard.Text, decl: p.Span})
	}
	return out
}

func guardUsage(g *ast.Guard) string { return usage(&ast.Fn{Name: g.Name, Params: g.Params}) }

func (b *body) emit(s *ast.Emit) Stmt {
	ok := b.onlyIn(s.Span, "`emit`", b.rule == ruleDecide)
	if b.agg == nil {
		return nil
	}
	b.flow.silent = false
	b.changed()
	b.c.eventName(b.agg, s.Event)
	e := b.agg.event[s.Event.Text]
	if e == nil {
		b.unknownEvent(s.Event)
		b.checkItems(s.Items)
		return nil
	}
	if e.retired {
		b.retired(s.Event, e)
		return nil
	}
	b.agg.emitted[e] = true
	v := e.current()
	mk, _ := b.make(s.Items, v.fields, s.Event.Span, v.ast.Name.Span)
	if !ok {
		return nil
	}
	return &Emit{Place{s.Span}, v.out, mk}
}

func (b *body) unknownEvent(n ast.Name) {
	d := b.c.report(diag.UnknownEvent, n.Span, "unknown event %q", n.Text)
	if !didYouMean(d, n.Span, n.Text, sortedKeys(b.agg.event)) {
		d.Hint = "declare it: `event " + n.Text + " { … }`, with an `apply " + n.Text + " { … }`"
	}
}

func (b *body) retired(n ast.Name, e *eventDecl) {
	d := b.c.report(diag.RetiredEvent, n.Span, "the event %q is retired: an upcast turns it into another", n.Text)
	if up := e.current().upcast; up != nil {
		d.Hint = "use `" + up.To.Text + "`"
		declaredAt(d, up.Span, "it is retired here")
	}
}

func (b *body) returns(s *ast.Return) Stmt {
	if b.fn == nil {
		b.notHere(s.Span, "`return`", b.insteadOfReturn())
		b.quietValue(s.Value)
		b.flow.ended = true // it was meant to
		return nil
	}
	x := b.as(s.Value, b.result, place{what: "the result of " + b.fn.ast.Name.Text, decl: b.fn.ast.Result.Pos()})
	b.flow.ended = true
	return &Return{Place{s.Span}, x}
}

// insteadOfReturn is how a rule that has no value ends.
func (b *body) insteadOfReturn() string {
	switch b.rule {
	case ruleDecide:
		return "a decide ends accepted with `nothing` or `require … else nothing`, refused with `reject code`"
	case ruleGuard:
		return "a guard ends by itself, or refuses: `require … else code`"
	}
	return "an apply ends by itself: put what follows into an `if`"
}

func (b *body) ifStmt(s *ast.If) Stmt {
	m := b.mark()
	before, facts := b.flow, b.saveFacts()
	out := &IfStmt{Place: Place{s.Span}}
	out.Cond = b.condition(s.Cond, place{what: "the condition of `if`"})
	checks := b.saveChecks()
	b.learn(s.Cond)
	out.Then = b.block(s.Then)
	then := b.flow
	b.pop(m)
	b.flow = before
	thenFacts := b.facts
	b.facts = facts.restore()
	b.learnNot(s.Cond)
	b.checks = checks.restore()
	switch e := s.Else.(type) {
	case *ast.Block:
		out.Else = b.block(e)
	case *ast.If:
		if inner := b.ifStmt(e); inner != nil {
			out.Else = []Stmt{inner}
		}
	default:
		if b.flow.where.IsZero() {
			b.flow.where = diag.Span{File: s.Span.File, Start: s.Span.Start, End: s.Cond.Pos().End}
		}
	}
	b.facts = both(thenFacts, b.facts, then.ended, b.flow.ended)
	b.flow = merge(then, b.flow)
	b.checks = nil
	return out
}

func (b *body) forStmt(s *ast.For) Stmt {
	m := b.mark()
	before := b.flow
	facts := b.saveFacts()
	b.checks = nil
	src, ok := b.source(s.Source, s.Key, s.Value)
	if ok {
		b.loopFacts(s, src)
	}
	body := b.block(s.Body)
	b.pop(m)
	if before.silent && loopSays(s.Body) {
		before.silent = false
	}
	b.flow = before
	b.facts, b.checks = both(facts, b.facts, false, false), nil
	if !ok {
		return nil
	}
	return &For{Place{s.Span}, src, body}
}

// loopSays tells whether a loop holds an emit or nothing, which counts even if it never runs.
func loopSays(block *ast.Block) bool {
	if block == nil {
		return false
	}
	for _, s := range block.Stmts {
		if stmtSays(s) {
			return true
		}
	}
	return false
}

func stmtSays(s ast.Stmt) bool {
	switch s := s.(type) {
	case *ast.Emit, *ast.Nothing:
		return true
	case *ast.Require:
		return s.ElseNothing
	case *ast.Block:
		return loopSays(s)
	case *ast.If:
		return loopSays(s.Then) || s.Else != nil && stmtSays(s.Else)
	case *ast.For:
		return loopSays(s.Body)
	case *ast.Match:
		for _, a := range s.Arms {
			if loopSays(a.Body) {
				return true
			}
		}
	}
	return false
}
