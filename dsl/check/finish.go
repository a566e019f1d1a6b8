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
	for _, k := range a.consts {
		out.Consts = append(out.Consts, k.out())
	}
	for _, n := range sortedKeys(a.file.seen.consts) {
		out.Consts = append(out.Consts, a.file.seen.consts[n].out())
	}
	for _, code := range sortedKeys(a.codes) {
		out.Rejects = append(out.Rejects, Reject{code, a.codes[code].spans})
	}
	c.orderDerives(a)
	c.used(a)
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

func (k *constDecl) out() *ConstDecl {
	return &ConstDecl{k.ast.Name.Text, k.ast.Doc, k.ast.Span, k.typ, k.value}
}

// used lists the functions, enums and records that the aggregate declares, and the shared ones
// that it uses, each after those that it needs itself.
func (c *checker) used(a *agg) {
	seen := map[*node]bool{}
	for _, f := range a.fns {
		a.out.Fns = c.fnsOf(&f.node, seen, a.out.Fns)
	}
	for _, n := range a.rules {
		a.out.Fns = c.fnsOf(n, seen, a.out.Fns)
	}
	r := reached{c: c, a: a.out, seen: map[*typeDecl]bool{}}
	r.aggregate(a)
	for from, at := 0, 0; ; {
		r.signatures(a.out.Fns[from:])
		from = len(a.out.Fns)
		for ; at < len(a.out.Records); at++ { // the conditions of shared records
			for _, n := range c.records[a.out.Records[at].Type].wheres {
				a.out.Fns = c.fnsOf(n, seen, a.out.Fns)
			}
		}
		if from == len(a.out.Fns) {
			return
		}
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

// aggregate adds what the declarations of a are made of.
func (r *reached) aggregate(a *agg) {
	for _, t := range a.types {
		r.add(t.typ)
	}
	r.fields(a.state.fields)
	for _, d := range a.derives {
		r.add(d.out.Type)
	}
	for _, d := range a.commands {
		r.fields(d.fields.fields)
	}
	for _, e := range a.events {
		for _, v := range e.versions {
			r.fields(v.fields.fields)
		}
	}
}

// signatures adds what functions take and give.
func (r *reached) signatures(fns []*Fn) {
	for _, f := range fns {
		r.add(f.Result)
		for _, p := range f.Params {
			r.add(p.Type)
		}
	}
}

// reached gathers the enums and records of an aggregate.
type reached struct {
	c    *checker
	a    *Aggregate
	seen map[*typeDecl]bool
}

func (r *reached) fields(fs []value.Field) {
	for _, f := range fs {
		r.add(f.Type)
	}
}

func (r *reached) add(t *value.Type) {
	if t == nil {
		return
	}
	switch t.Kind {
	case value.Enum:
		if d := r.c.enums[t.Enum]; !r.seen[d] {
			r.seen[d] = true
			r.a.Enums = append(r.a.Enums, d.enumOut)
		}
	case value.Record:
		if d := r.c.records[t.Record]; !r.seen[d] {
			r.seen[d] = true
			r.fields(t.Record.Fields)
			r.a.Records = append(r.a.Records, d.recordOut)
		}
	}
	r.add(t.Key)
	r.add(t.Elem)
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
			out = append(out, Shown{Text: text, Value: x})
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
