package report

import (
	"slices"

	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// known tells how much is known of a value.
type known uint8

const (
	anything known = iota // nothing but its type
	present               // of an optional: it is not none
	constant              // it is v
	oneOf                 // of an enum or bool: one of the set; always this kind for those
)

// aval is what is known of one value. It is immutable: set is never written after it is made.
type aval struct {
	kind known
	v    value.V
	set  []bool // by ordinal; for a bool false and true
}

// finite tells the types whose values are counted one by one.
func finite(t *value.Type) bool { return t.Kind == value.Enum || t.Kind == value.Bool }

func size(t *value.Type) int {
	if t.Kind == value.Bool {
		return 2
	}
	return len(t.Enum.Members)
}

// unknown is any value of t.
func unknown(t *value.Type) aval {
	if !finite(t) {
		return aval{}
	}
	set := make([]bool, size(t))
	for i := range set {
		set[i] = true
	}
	return aval{kind: oneOf, set: set}
}

// exactly is the value v of t.
func exactly(t *value.Type, v value.V) aval {
	if !finite(t) {
		return aval{kind: constant, v: v}
	}
	set := make([]bool, size(t))
	set[v.Int()] = true
	return aval{kind: oneOf, set: set}
}

func boolean(b bool) aval { return exactly(value.BoolType, value.MakeBool(b)) }

// only is the one value that a can be.
func (a aval) only() (value.V, bool) {
	switch a.kind {
	case constant:
		return a.v, true
	case oneOf:
		if at := slices.Index(a.set, true); at >= 0 && !slices.Contains(a.set[at+1:], true) {
			return value.MakeInt(int64(at)), true
		}
	}
	return value.V{}, false
}

// members are the ordinals that a can have.
func (a aval) members() []int {
	var out []int
	for i, in := range a.set {
		if in {
			out = append(out, i)
		}
	}
	return out
}

// join is what is known when the value is a or b, both of type t.
func join(t *value.Type, a, b aval) aval {
	if a.kind == oneOf && b.kind == oneOf {
		set := slices.Clone(a.set)
		for i, in := range b.set {
			set[i] = set[i] || in
		}
		return aval{kind: oneOf, set: set}
	}
	if same(t, a, b) {
		return a
	}
	if t.Kind == value.Optional && a.isPresent() && b.isPresent() {
		return aval{kind: present}
	}
	return unknown(t)
}

// isPresent tells that an optional is surely not none.
func (a aval) isPresent() bool {
	return a.kind == present || a.kind == constant && !a.v.IsNone()
}

func (a aval) isNone() bool { return a.kind == constant && a.v.IsNone() }

func same(t *value.Type, a, b aval) bool {
	if a.kind != b.kind {
		return false
	}
	switch a.kind {
	case constant:
		return value.Equal(t, a.v, b.v)
	case oneOf:
		return slices.Equal(a.set, b.set)
	}
	return true
}

// keep is a without the members for which f is false.
func (a aval) keep(f func(ordinal int) bool) aval {
	set := make([]bool, len(a.set))
	for i, in := range a.set {
		set[i] = in && f(i)
	}
	return aval{kind: oneOf, set: set}
}

func (a aval) empty() bool { return a.kind == oneOf && !slices.Contains(a.set, true) }

// truth is what is known of a bool.
type truth uint8

const (
	open truth = iota // it depends
	yes
	no
)

// truth reads a bool.
func (a aval) truth() truth {
	switch {
	case a.kind != oneOf:
		return open
	case !a.set[0]:
		return yes
	case !a.set[1]:
		return no
	}
	return open
}

func fromTruth(t truth) aval {
	switch t {
	case yes:
		return boolean(true)
	case no:
		return boolean(false)
	}
	return unknown(value.BoolType)
}

// world is what is known at one point of one path.
type world struct {
	fields  []aval // of the state
	before  []aval // of the state before the command; shared by all worlds of a run
	written []bool // fields that an event of this command may have changed
	cmd     []aval // fields of the command
	locals  map[*check.Local]aval
	facts   map[string]fact // conditions that have been decided on this path
	events  []happening
	moves   []move
	// unborn and born tell whether the aggregate can be without and with events here.
	unborn, born bool
	wasBorn      bool // the aggregate had events before the command, so its invariants held
}

// happening is an event that the path emits: surely or perhaps, once or more often.
type happening struct {
	name        string
	maybe, many bool
}

func (w *world) clone() *world {
	c := *w
	c.fields = slices.Clone(w.fields)
	c.written = slices.Clone(w.written)
	c.cmd = slices.Clone(w.cmd)
	c.events = slices.Clone(w.events)
	c.moves = slices.Clone(w.moves)
	c.locals = make(map[*check.Local]aval, len(w.locals))
	for k, v := range w.locals {
		c.locals[k] = v
	}
	c.facts = make(map[string]fact, len(w.facts))
	for k, v := range w.facts {
		c.facts[k] = v
	}
	return &c
}

// meet joins what two paths know; either may be nil, a path that has ended.
func (m *machine) meet(a, b *world) *world {
	if a == nil || b == nil {
		if a == nil {
			return b
		}
		return a
	}
	w := a.clone()
	for i := range w.fields {
		w.fields[i] = join(m.agg.State[i].Type, a.fields[i], b.fields[i])
		w.written[i] = a.written[i] || b.written[i]
	}
	for i := range w.cmd {
		w.cmd[i] = join(m.command[i].Type, a.cmd[i], b.cmd[i])
	}
	for l, v := range w.locals {
		other, ok := b.locals[l]
		if !ok {
			delete(w.locals, l)
			continue
		}
		w.locals[l] = join(l.Type, v, other)
	}
	for k, f := range w.facts {
		if g, ok := b.facts[k]; !ok || g.holds != f.holds {
			delete(w.facts, k)
		}
	}
	w.events = joinEvents(a.events, b.events)
	for _, mv := range b.moves {
		if !slices.Contains(w.moves, mv) {
			w.moves = append(w.moves, mv)
		}
	}
	w.unborn, w.born = a.unborn || b.unborn, a.born || b.born
	return w
}

// joinEvents keeps the order of a, then what only b has; what one of them lacks is a maybe.
func joinEvents(a, b []happening) []happening {
	find := func(list []happening, name string) int {
		return slices.IndexFunc(list, func(h happening) bool { return h.name == name })
	}
	out := slices.Clone(a)
	for i := range out {
		at := find(b, out[i].name)
		if at < 0 {
			out[i].maybe = true
			continue
		}
		out[i].maybe = out[i].maybe || b[at].maybe
		out[i].many = out[i].many || b[at].many
	}
	for _, h := range b {
		if find(a, h.name) < 0 {
			h.maybe = true
			out = append(out, h)
		}
	}
	return out
}

// alike tells whether w knows as much as v; both are of one run.
func (m *machine) alike(w, v *world) bool {
	for i := range w.fields {
		if !same(m.agg.State[i].Type, w.fields[i], v.fields[i]) || w.written[i] != v.written[i] {
			return false
		}
	}
	for i := range w.cmd {
		if !same(m.command[i].Type, w.cmd[i], v.cmd[i]) {
			return false
		}
	}
	if len(w.locals) != len(v.locals) || len(w.facts) != len(v.facts) || len(w.moves) != len(v.moves) {
		return false
	}
	for l, x := range w.locals {
		if y, ok := v.locals[l]; !ok || !same(l.Type, x, y) {
			return false
		}
	}
	return slices.Equal(w.events, v.events) && w.unborn == v.unborn && w.born == v.born
}
