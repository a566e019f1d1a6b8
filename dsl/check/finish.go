package check

import (
	"slices"

	"github.com/cloudlysis/aggregate/dsl/value"
)

// finish puts together what the rules of a have become.
func (c *checker) finish(a *agg) *Aggregate {
	out := a.out
	out.State, out.StateInfo = a.state.fields, a.state.info()
	for _, d := range a.commands {
		out.Commands = append(out.Commands, d.out)
	}
	for _, e := range a.events {
		for _, v := range e.versions {
			out.Events = append(out.Events, v.out)
		}
	}
	for _, g := range a.guards {
		out.Guards = append(out.Guards, g.out)
	}
	for _, k := range c.consts {
		if k.scope.agg == a || k.scope.agg == nil && a.file.seen.consts[k.ast.Name.Text] == k {
			out.Consts = append(out.Consts, &ConstDecl{k.ast.Name.Text, k.ast.Doc, k.ast.Span, k.typ, k.value})
		}
	}
	for _, code := range sortedKeys(a.codes) {
		out.Rejects = append(out.Rejects, Reject{code, a.codes[code].spans})
	}
	c.orderDerives(a)
	c.usedFns(a)
	c.usedTypes(a)
	return out
}

// orderDerives puts each derive after those that it reads, also through functions.
func (c *checker) orderDerives(a *agg) {
	byNode := make(map[*node]*deriveDecl, len(a.derives))
	for _, d := range a.derives {
		byNode[&d.node] = d
	}
	seen := map[*node]bool{}
	var visit func(n *node)
	visit = func(n *node) {
		if seen[n] {
			return
		}
		seen[n] = true
		for _, u := range n.calls {
			visit(u.to)
		}
		if d := byNode[n]; d != nil {
			a.out.Derives = append(a.out.Derives, d.out)
		}
	}
	for _, d := range a.derives {
		visit(&d.node)
	}
}

// usedFns lists the aggregate's functions and the shared ones that it uses, each after those it
// calls.
func (c *checker) usedFns(a *agg) {
	seen := map[*node]bool{}
	for _, f := range c.fns {
		if f.scope.agg == a {
			a.out.Fns = c.fnsOf(&f.node, seen, a.out.Fns)
		}
	}
	for _, b := range c.loose {
		if b.agg == a && b.rule != ruleTest {
			for _, u := range b.node.calls {
				a.out.Fns = c.fnsOf(u.to, seen, a.out.Fns)
			}
		}
	}
	for _, d := range a.derives {
		a.out.Fns = c.fnsOf(&d.node, seen, a.out.Fns)
	}
	for _, g := range a.guards {
		a.out.Fns = c.fnsOf(&g.node, seen, a.out.Fns)
	}
}

// fnsOf appends the functions that n reaches and itself, in order, to out.
func (c *checker) fnsOf(n *node, seen map[*node]bool, out []*Fn) []*Fn {
	if seen[n] {
		return out
	}
	seen[n] = true
	for _, u := range n.calls {
		out = c.fnsOf(u.to, seen, out)
	}
	if n.fn != nil {
		out = append(out, n.fn)
	}
	return out
}

// usedTypes lists the enums and records that the aggregate declares or reaches.
func (c *checker) usedTypes(a *agg) {
	seen := map[*typeDecl]bool{}
	for _, t := range c.types {
		if t.scope.agg == a {
			seen[t] = true
			c.reach(t.typ, seen)
		}
	}
	for _, f := range a.state.fields {
		c.reach(f.Type, seen)
	}
	for _, d := range a.derives {
		c.reach(d.out.Type, seen)
	}
	for _, d := range a.commands {
		for _, f := range d.fields.fields {
			c.reach(f.Type, seen)
		}
	}
	for _, e := range a.events {
		for _, v := range e.versions {
			for _, f := range v.fields.fields {
				c.reach(f.Type, seen)
			}
		}
	}
	for _, f := range a.out.Fns {
		c.reach(f.Result, seen)
		for _, p := range f.Params {
			c.reach(p.Type, seen)
		}
	}
	for _, t := range c.types {
		switch {
		case !seen[t]:
		case t.enum != nil:
			a.out.Enums = append(a.out.Enums, t.enumOut)
		default:
			a.out.Records = append(a.out.Records, t.recordOut)
		}
	}
}

// reach marks the enums and records that t is made of.
func (c *checker) reach(t *value.Type, seen map[*typeDecl]bool) {
	if t == nil {
		return
	}
	switch t.Kind {
	case value.Enum:
		seen[c.enums[t.Enum]] = true
	case value.Record:
		d := c.records[t.Record]
		for _, f := range t.Record.Fields {
			if seen[d] {
				break
			}
			c.reach(f.Type, seen)
		}
		if !seen[d] {
			seen[d] = true
		}
	}
	c.reach(t.Key, seen)
	c.reach(t.Elem, seen)
}

// statePaths are the parts of a condition that read the state, each once, for messages.
func statePaths(e Expr) []Shown {
	var out []Shown
	walk(e, func(x Expr) bool {
		if !isPath(x) {
			return true
		}
		text := x.Pos().Text()
		if scalar(bare(x.Type())) && !slices.ContainsFunc(out, func(s Shown) bool { return s.Text == text }) {
			out = append(out, Shown{text, x})
		}
		return false
	})
	return out
}

func isPath(e Expr) bool {
	switch e := e.(type) {
	case *StateField, *DeriveRef:
		return true
	case *FieldOf:
		return isPath(e.X)
	}
	return false
}
