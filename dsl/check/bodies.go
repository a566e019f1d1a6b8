package check

import (
	"strings"

	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// checkBodies checks what the rules do.
func (c *checker) checkBodies() {
	for _, t := range c.types {
		if t.record != nil {
			c.recordWheres(t)
		}
	}
	for _, f := range c.fns {
		c.fnBody(f)
	}
	for _, a := range c.order {
		for _, d := range a.derives {
			c.deriveBody(a, d)
		}
		c.indexes(a)
		for _, g := range a.guards {
			c.guardBody(a, g)
		}
		for _, d := range a.commands {
			c.decideBody(a, d)
		}
		for _, e := range a.events {
			c.eventBodies(a, e)
		}
		c.invariants(a)
		c.finalBody(a)
	}
}

// finishBody takes note of a body that nothing calls, n being nil, and warns about its vars.
func (c *checker) finishBody(b *body, n *node) {
	if n == nil {
		c.keep(b)
	}
	for _, v := range b.vars {
		if !v.read {
			d := c.report(diag.VarNeverRead, v.local.Span, "the var %q is never read", v.local.Name)
			d.Hint = "remove it"
		}
	}
}

// keep takes note of a body that nothing calls, for what it uses.
func (c *checker) keep(b *body) {
	c.loose = append(c.loose, b)
	if b.agg != nil && b.rule != ruleTest {
		b.agg.rules = append(b.agg.rules, b.node)
	}
}

func (b *body) bindParams(params []*Local) {
	for _, p := range params {
		b.declare(ast.Name{At: ast.At{Span: p.Span}, Text: p.Name}, p.Type, false)
		if n := b.locals[p.Name]; n != nil {
			n.local = p
		}
	}
}

func (c *checker) fnBody(f *fnDecl) {
	r := ruleSharedFn
	if f.scope.agg != nil {
		r = ruleFn
	}
	b := c.newBody(f.scope, r)
	b.fn, b.result, b.what = f, f.out.Result, "fn "+f.ast.Name.Text
	b.node = &f.node
	b.bindParams(f.out.Params)
	if f.ast.Expr != nil {
		x := b.as(f.ast.Expr, b.result, place{what: "the result of " + f.ast.Name.Text, decl: f.ast.Result.Pos()})
		f.out.Body = []Stmt{&Return{Place{f.ast.Expr.Pos()}, x}}
		c.finishBody(b, &f.node)
		return
	}
	f.out.Body = b.block(f.ast.Body)
	if f.ast.Body != nil && !b.flow.ended && !hasBadStmt(f.ast.Body) {
		d := c.report(diag.MissingReturn, f.ast.Name.Span, "some path through %q ends without `return`", f.ast.Name.Text)
		d.Hint = "end it with `return …`"
		declaredAt(d, b.flow.where, "such a path leaves here")
	}
	c.finishBody(b, &f.node)
}

func hasBadStmt(block *ast.Block) bool {
	for _, s := range block.Stmts {
		if _, isBad := s.(*ast.BadStmt); isBad {
			return true
		}
	}
	return false
}

func (c *checker) deriveBody(a *agg, d *deriveDecl) {
	b := c.newBody(a.scope, ruleDerive)
	b.what = "derive " + d.ast.Name.Text
	b.node = &d.node
	d.out.Value = b.as(d.ast.Value, d.out.Type, place{what: `the derive "` + d.ast.Name.Text + `"`, decl: d.ast.Type.Pos()})
	c.finishBody(b, &d.node)
	c.keep(&body{c: c, rule: ruleDerive, node: &d.node, agg: a})
}

func (c *checker) guardBody(a *agg, g *guardDecl) {
	b := c.newBody(a.scope, ruleGuard)
	b.what = "guard " + g.ast.Name.Text
	b.node = &g.node
	b.bindParams(g.out.Params)
	g.out.Body = b.block(g.ast.Body)
	a.rules = append(a.rules, &g.node)
	c.finishBody(b, &g.node)
}

func (c *checker) decideBody(a *agg, d *commandDecl) {
	before := c.bag.Errors()
	b := c.newBody(a.scope, ruleDecide)
	b.cmd, b.what = d, "decide "+d.ast.Name.Text
	if r := d.ast.CreatesElse; r != nil {
		d.out.CreateElse = b.refusalWithoutCmd(r)
	}
	if d.decide == nil {
		return
	}
	d.out.DecideSpan = d.decide.Span
	b.flow.silent = true
	b.valid = validated(d.out)
	d.out.Decide = b.block(d.decide.Body)
	if b.flow.silent && !b.flow.ended && c.bag.Errors() == before && d.decide.Body != nil && !hasBadStmt(d.decide.Body) {
		w := c.report(diag.SilentPath, d.decide.Name.Span, "some path through the decide of %q ends without emit, reject or nothing", d.ast.Name.Text)
		w.Hint = "say that nothing happens there: `nothing`, or `require … else nothing`"
		declaredAt(w, b.flow.where, "such a path passes by here")
	}
	d.ok = c.bag.Errors() == before
	c.finishBody(b, nil)
}

// refusalWithoutCmd checks the refusal of `creates else` and `final when … else`, whose message
// sees the state only.
func (b *body) refusalWithoutCmd(r *ast.Refusal) *Refusal {
	sub := b.c.newBody(b.sc, ruleFinal)
	out := sub.refusal(r)
	b.c.keep(sub)
	return out
}

func (c *checker) eventBodies(a *agg, e *eventDecl) {
	for _, v := range e.versions {
		if v.upcast != nil {
			c.upcastBody(a, e, v)
		}
	}
	cur := e.current()
	if e.retired {
		return
	}
	cur.out.Current = true
	if e.apply == nil {
		return
	}
	b := c.newBody(a.scope, ruleApply)
	b.event, b.what = cur, "apply "+e.name
	cur.out.ApplySpan = e.apply.Span
	cur.out.Apply = b.block(e.apply.Body)
	c.finishBody(b, nil)
}

func (c *checker) upcastBody(a *agg, e *eventDecl, v *eventVersion) {
	u := v.upcast
	to := e.version(u.ToVersion)
	if u.To.Text != u.From.Text && u.To.Text != "" {
		to = a.event[u.To.Text].version(1)
	}
	if to == nil {
		return
	}
	b := c.newBody(a.scope, ruleUpcast)
	b.event, b.what = v, "upcast "+e.name
	mk, _ := b.make(u.Items, to.fields, u.From.Span, to.ast.Name.Span)
	v.out.Upcast = &Upcast{Span: u.Span, To: to.out, Make: mk}
	c.finishBody(b, nil)
}

func (c *checker) invariants(a *agg) {
	for _, inv := range a.invs {
		b := c.newBody(a.scope, ruleInvariant)
		b.what = "invariant " + inv.Name.Text
		x := b.condition(inv.Cond, place{what: "the invariant"})
		out := &Invariant{Name: inv.Name.Text, Doc: inv.Doc, Span: inv.Span, Cond: x, Shown: statePaths(x)}
		a.out.Invariants = append(a.out.Invariants, out)
		c.finishBody(b, nil)
	}
}

func (c *checker) finalBody(a *agg) {
	if a.final == nil {
		return
	}
	b := c.newBody(a.scope, ruleFinal)
	x := b.condition(a.final.Cond, place{what: "`final when`"})
	a.out.Final = &Final{Span: a.final.Span, Cond: x}
	if a.final.Else != nil {
		a.out.Final.Refusal = b.refusalWithoutCmd(a.final.Else)
	}
	c.finishBody(b, nil)
}

// indexes checks the index lines (ruling 28).
func (c *checker) indexes(a *agg) {
	seen := map[string]diag.Span{}
	for _, ix := range a.indexes {
		if len(ix.Path) == 0 {
			continue
		}
		path := ix.Path[0].Text
		for _, n := range ix.Path[1:] {
			path += "." + n.Text
		}
		at := ix.Path[0].Span.To(ix.Path[len(ix.Path)-1].Span)
		if first, twice := seen[path]; twice {
			d := c.report(diag.DeclaredTwice, at, "%q is indexed twice", path)
			d.Hint = "remove one"
			declaredAt(d, first, "the first is here")
			continue
		}
		seen[path] = at
		if out, ok := c.index(a, ix, path, at); ok {
			a.out.Index = append(a.out.Index, out)
		}
	}
}

func (c *checker) index(a *agg, ix *ast.Index, path string, at diag.Span) (Index, bool) {
	out := Index{Path: path, Span: ix.Span}
	first := ix.Path[0]
	var t *value.Type
	c.stateName(a, first)
	if i := a.state.find(first.Text); i >= 0 {
		out.Field, t = i, a.state.fields[i].Type
	} else if d := a.derive[first.Text]; d != nil {
		out.Derive, t = d.out, d.out.Type
	} else {
		b := c.newBody(a.scope, ruleConst)
		b.unknownField(a.state.what, first, append(a.state.names(), sortedKeys(a.derive)...), a.stateAST.Span)
		return out, false
	}
	for _, n := range ix.Path[1:] {
		if bad(t) {
			return out, false
		}
		if t.Kind != value.Record {
			d := c.report(diag.BadIndex, n.Span, "%s has no fields to index", article(t))
			d.Hint = "an index leads through records to a scalar"
			if t.Kind == value.Optional && t.Elem.Kind == value.Record && c.records[t.Elem.Record].fields.find(n.Text) >= 0 {
				fs := c.records[t.Elem.Record].fields
				of := typeName(optional(fs.fields[fs.find(n.Text)].Type))
				d.Hint = "declare `derive " + n.Text + ": " + of + " = if state." + pathBefore(ix.Path, n) + " is some v then v." + n.Text + " else none`, and index that"
			}
			return out, false
		}
		fs := c.records[t.Record].fields
		i := fs.find(n.Text)
		c.fieldName(fs, n, i, nil)
		if i < 0 {
			c.newBody(a.scope, ruleConst).unknownField(fs.what, n, fs.names(), c.records[t.Record].name.Span)
			return out, false
		}
		out.Fields = append(out.Fields, i)
		t = fs.fields[i].Type
	}
	out.Type = t
	if bad(t) {
		return out, false
	}
	if !scalar(bare(t)) {
		d := c.report(diag.BadIndex, at, "%q is %s, which cannot be indexed", path, article(t))
		d.Hint = "an index is of a scalar: bool, int, decimal, string, time, date, duration, uuid or an enum; index a derive such as its len"
		return out, false
	}
	return out, true
}

// pathBefore is the names of a path before one of them, with their dots.
func pathBefore(path []ast.Name, before ast.Name) string {
	var names []string
	for _, n := range path {
		if n.Span == before.Span {
			break
		}
		names = append(names, n.Text)
	}
	return strings.Join(names, ".")
}
