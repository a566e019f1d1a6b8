package compile

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// sizer gives a size to a place whose type has no bound.
type sizer func(at string) int64

// Place is a place in the types of a rule's values: a field, of a record perhaps, or the elements
// or keys of one.
type Place struct {
	Path string // such as "state.lines", "Line.notes", "state.names[]"
	Type *value.Type
}

// Bounded is the type of the place with a bound, as an author writes it.
func (p Place) Bounded(n int64) string {
	t := *p.Type
	if t.Kind == value.JSON {
		return "json of " + grouped(n) + " bytes"
	}
	t.Bound = int(min(n, maxBound))
	return t.String()
}

// maxBound is the largest bound there is (ruling 115).
const maxBound = 1_000_000

// grouped is a number as an author writes it: 20_000.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "_" + s[i:]
	}
	return s
}

// Text says what the bound is, or why there is none and which one would do.
func (r *RuleBound) Text() string {
	switch {
	case r.Gas == OverLimit:
		return "over " + grouped(r.Limit)
	case r.Gas >= 0:
		return grouped(r.Gas)
	case len(r.Open) == 0:
		return fmt.Sprintf("unbounded in line %d: %s", r.Line, r.Why)
	}
	var paths, types []string
	for _, p := range r.Open {
		paths = append(paths, p.Path)
		types = append(types, p.Bounded(r.Fit))
	}
	text := "unbounded in " + strings.Join(paths, ", ")
	if r.Fit == 0 {
		return text + ": no bound would fit " + grouped(r.Limit)
	}
	return text + ": " + strings.Join(types, ", ") + " would fit " + grouped(r.Limit)
}

// places finds all that has no bound in the values that slots hold when a rule begins.
func places(root map[int]origin) []Place {
	var out []Place
	seen := map[string]bool{}
	slots := make([]int, 0, len(root))
	for s := range root {
		slots = append(slots, s)
	}
	slices.Sort(slots)
	for _, s := range slots {
		eachPlace(root[s].typ, root[s].name, func(path string, t *value.Type) {
			if t.Bound == 0 && !seen[path] {
				seen[path] = true
				out = append(out, Place{path, t})
			}
		})
	}
	return out
}

// eachPlace calls see for everything in t that has a length of its own. A field of a record has
// one name wherever the record is.
func eachPlace(t *value.Type, path string, see func(path string, t *value.Type)) {
	switch t.Kind {
	case value.String, value.JSON:
		see(path, t)
	case value.Optional:
		eachPlace(t.Elem, path, see)
	case value.List:
		see(path, t)
		eachPlace(t.Elem, path+"[]", see)
	case value.Set:
		if keyCount(t.Elem) == endless {
			see(path, t)
		}
		eachPlace(t.Elem, path+"[]", see)
	case value.Map:
		if keyCount(t.Key) == endless {
			see(path, t)
		}
		eachPlace(t.Key, "keys("+path+")", see)
		eachPlace(t.Elem, path+"[]", see)
	case value.Record:
		for i := range t.Record.Fields {
			eachPlace(t.Record.Fields[i].Type, t.Record.Name+"."+t.Record.Fields[i].Name, see)
		}
	}
}

// shaped is the shape that the bounds of a type leave, with the sizes of b.open for what has none.
func (b *bounder) shaped(t *value.Type, path string) *shape {
	if b.open == nil || path == "" {
		return shapeOf(t)
	}
	s := shapeOf(t)
	limit := func() int64 {
		if t.Bound > 0 || s.n < endless {
			return s.n
		}
		n := b.open(path)
		if t.Kind == value.String {
			n = times(n, 4) // a bound counts code points
		}
		return n
	}
	switch t.Kind {
	case value.String, value.JSON:
		return &shape{n: limit()}
	case value.Optional:
		return b.shaped(t.Elem, path)
	case value.List:
		return &shape{n: limit(), elem: b.shaped(t.Elem, path+"[]")}
	case value.Set:
		return &shape{n: limit(), key: b.shaped(t.Elem, path+"[]")}
	case value.Map:
		return &shape{n: limit(), key: b.shaped(t.Key, "keys("+path+")"), elem: b.shaped(t.Elem, path+"[]")}
	case value.Record:
		for i := range t.Record.Fields {
			s.fields[i] = b.shaped(t.Record.Fields[i].Type, t.Record.Name+"."+t.Record.Fields[i].Name)
		}
	}
	return s
}

// kept is the shape of what is written to a slot. Where bounds are tried out on a state field,
// the field keeps them and is charged for the check that they would bring.
func (b *bounder) kept(slot int, s *shape, f *flow) *shape {
	base := int(b.p.StateBase)
	if !b.clamp || slot < base || slot >= base+len(b.p.State) {
		return s
	}
	o, own, within := b.root[slot], false, false
	eachPlace(o.typ, o.name, func(path string, p *value.Type) {
		open := p.Bound == 0 && p.Kind != value.JSON
		own, within = own || open && path == o.name, within || open && path != o.name
	})
	if !own && !within {
		return s
	}
	whole := b.shaped(o.typ, o.name)
	f.cost = plus(f.cost, 4)
	if within || o.typ.Kind == value.String { // all of it is looked at
		f.cost = plus(f.cost, deep(o.typ, whole))
	}
	return meet(s, whole)
}

// fitter looks for bounds that would give a rule a bound.
type fitter struct {
	p     *bytecode.Program
	r     *rule
	limit int64
}

// cost runs the rule with sizes for what has no bound; endless if that does not do.
func (f *fitter) cost(clamp bool, open sizer) int64 {
	b := newBounder(f.p, f.r, open)
	b.clamp = clamp
	cost := f.r.run(b)
	if b.why != "" {
		return endless
	}
	return cost
}

// open finds the places that need a bound: with all of them bounded the rule has one, and each
// left out takes it away again. None if there is no such set.
func (f *fitter) open() []Place {
	root := newBounder(f.p, f.r, nil).root
	all := places(root)
	bounded := map[string]bool{}
	for _, at := range all {
		bounded[at.Path] = true
	}
	size := func(path string) int64 {
		if bounded[path] {
			return 1
		}
		return endless
	}
	if f.cost(false, size) >= endless {
		return nil
	}
	var out []Place
	for _, at := range all {
		delete(bounded, at.Path)
		if f.cost(false, size) >= endless {
			bounded[at.Path] = true
			out = append(out, at)
		}
	}
	return out
}

// most is the greatest bound for all the places that keeps the rule to its limit.
func (f *fitter) most(open []Place) int64 {
	if len(open) == 0 {
		return 0
	}
	at := map[string]bool{}
	for _, p := range open {
		at[p.Path] = true
	}
	return f.greatest(func(n int64) sizer { return sizes(at, n, endless) })
}

// greatest is the greatest size with which the rule keeps to its limit; 0 if none does.
func (f *fitter) greatest(open func(n int64) sizer) int64 {
	fits := func(n int64) bool { return f.cost(true, open(n)) <= f.limit }
	low, high := int64(0), int64(maxBound)
	if fits(high) {
		return high
	}
	for low+1 < high {
		if mid := low + (high-low)/2; fits(mid) {
			low = mid
		} else {
			high = mid
		}
	}
	return low
}

// least is a part of the worst case: the dearest way through a chunk and what it calls, each loop
// run once over nothing. It is quick however deep the calls go.
func (b *bounder) least(chunk int) int64 {
	known := map[int]int64{}
	var of func(chunk int) int64
	of = func(chunk int) int64 {
		if n, ok := known[chunk]; ok {
			return n
		}
		n := dearest(&b.p.Chunks[chunk], of)
		known[chunk] = n
		return n
	}
	return of(chunk)
}

// dearest is the dearest way through one chunk without going back.
func dearest(c *bytecode.Chunk, called func(chunk int) int64) int64 {
	costs := make([]int64, len(c.Code)+1)
	costs[0] = int64(c.Gas) + 1
	most := int64(0)
	to := func(pc int, cost int64) { costs[pc] = max(costs[pc], cost) }
	for pc := range c.Code {
		in, cost := &c.Code[pc], costs[pc]
		most = max(most, cost)
		switch info := in.Op.Info(); {
		case cost == 0 || endsRule(in.Op):
		case in.Op == bytecode.OpJump:
			if int(in.C) > pc {
				to(int(in.C), plus(cost, int64(in.N)))
			}
		case info.C == bytecode.Target:
			if int(in.C) > pc {
				to(int(in.C), cost)
			}
			to(pc+1, plus(cost, int64(in.N)))
		case in.Op == bytecode.OpCall:
			to(pc+1, plus(cost, called(int(in.C))))
		case in.Op == bytecode.OpGas:
			to(pc+1, plus(cost, int64(in.C)))
		default:
			to(pc+1, cost)
		}
	}
	return most - 1
}
