package compile

import (
	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// AggregateInline is Aggregate with one size for all that is lowered in place.
func AggregateInline(a *check.Aggregate, tests []*check.Test, size int) (*bytecode.Program, *TestPlan, error) {
	return newCompiler(a, limits{size, size, size, size}).compile(tests)
}

// EvalBound is the most gas that a chunk can take on the given state; negative if there is no
// bound.
func EvalBound(p *bytecode.Program, e bytecode.Eval, state []value.V) int64 {
	b := &bounder{p: p, first: map[int]*shape{}}
	for i := range p.State {
		b.first[int(p.StateBase)+i] = shapeOfValue(p.State[i].Type, state[i])
	}
	cost := b.call(int(e.Chunk), flow{}).cost
	if b.why != "" || cost >= endless {
		return -1
	}
	return cost
}

// RuleBoundsOn gives the bounds of every rule for values that are known: those of slots that a
// rule begins with. Where at gives none, the bounds of the types hold.
func RuleBoundsOn(a *check.Aggregate, p *bytecode.Program, at func(slot int) (value.V, bool)) map[string]int64 {
	out := map[string]int64{}
	for _, r := range rules(a, p) {
		b := newBounder(p, &r, nil)
		for s, o := range b.root {
			if v, ok := at(s); ok {
				b.first[s] = shapeOfValue(o.typ, v)
			}
		}
		out[r.name] = b.bound(r.run(b)).Gas
	}
	return out
}
