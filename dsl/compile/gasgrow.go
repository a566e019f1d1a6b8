package compile

import (
	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// Growth tells that a command costs the more the longer something in the state has become that
// events add to and nothing bounds.
type Growth struct {
	Command int
	// Open are the places, and Most the greatest length of all of them with which the command
	// still keeps to its gas.
	Open []Place
	Most int64
}

// slowGrowth is the length from which a growth is not worth a warning: so many events on one
// aggregate are a matter of years, and a search or an append is as good as free until then.
const slowGrowth = 100_000

// Growths finds the commands without a bound that outgrow their gas. Bounds are those of p.
func Growths(a *check.Aggregate, p *bytecode.Program, bounds []GasBound) []Growth {
	var out []Growth
	var growing map[string]bool
	for i := range bounds {
		if bounds[i].Gas >= 0 {
			continue
		}
		if growing == nil {
			growing = growingPlaces(p)
		}
		if len(growing) == 0 {
			break
		}
		r := decideRule(a, p, i)
		if g := growth(p, &r, growing); g.Most < slowGrowth && len(g.Open) > 0 {
			g.Command = i
			out = append(out, g)
		}
	}
	return out
}

// growth finds which of the growing places a rule cannot bear.
func growth(p *bytecode.Program, r *rule, growing map[string]bool) Growth {
	f := fitter{p: p, r: r, limit: GasLimit(p)}
	long := map[string]bool{}
	var out Growth
	root := newBounder(p, r, nil).root
	for _, at := range places(root) {
		if !growing[at.Path] {
			continue
		}
		if f.cost(false, sizes(map[string]bool{at.Path: true}, endless, 1)) >= endless {
			long[at.Path] = true
			out.Open = append(out.Open, at)
		}
	}
	if len(out.Open) > 0 {
		out.Most = f.greatest(func(n int64) sizer { return sizes(long, n, 1) })
	}
	return out
}

// sizes is a sizer that gives some places one size and the rest another.
func sizes(some map[string]bool, size, rest int64) sizer {
	return func(at string) int64 {
		if some[at] {
			return size
		}
		return rest
	}
}

// growingPlaces are the places in the state that some apply makes longer than they were.
func growingPlaces(p *bytecode.Program) map[string]bool {
	const before = 1000
	growing := map[string]bool{}
	for i := range p.Events {
		e := &p.Events[i]
		if e.Apply == bytecode.NoChunk {
			continue
		}
		inState := map[string]bool{}
		r := rule{chunk: int(e.Apply), root: fieldRoots("event.", e.Base, e.Fields)}
		b := newBounder(p, &r, nil)
		for _, f := range e.Writes {
			o := b.root[int(p.StateBase)+int(f)]
			eachPlace(o.typ, o.name, func(path string, _ *value.Type) { inState[path] = true })
		}
		b.open = sizes(inState, before, 1)
		after := b.call(int(e.Apply), flow{})
		for _, f := range e.Writes {
			slot := int(p.StateBase) + int(f)
			o := b.root[slot]
			grew(o.typ, o.name, b.shaped(o.typ, o.name), b.get(&after, slot), growing)
		}
	}
	return growing
}

// grew notes the places without a bound that are longer in now than in was.
func grew(t *value.Type, path string, was, now *shape, growing map[string]bool) {
	if was == nil || now == nil {
		return
	}
	if now.n > was.n && t.Bound == 0 {
		growing[path] = true
	}
	switch t.Kind {
	case value.Optional:
		grew(t.Elem, path, was, now, growing)
	case value.List, value.Map:
		grew(t.Elem, path+"[]", was.elem, now.elem, growing)
	case value.Record:
		for i := range t.Record.Fields {
			grew(t.Record.Fields[i].Type, t.Record.Name+"."+t.Record.Fields[i].Name, was.fields[i], now.fields[i], growing)
		}
	}
}
