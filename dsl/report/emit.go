package report

import (
	"slices"

	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// emit makes an event and applies it.
func (m *machine) emit(s *check.Emit, w *world) {
	fields := m.make(&s.Make, w)
	m.steps++
	if m.follow >= 0 {
		m.trace(s.Event, fields, w)
	}
	m.apply(s.Event, fields, w)
	at := slices.IndexFunc(w.events, func(h happening) bool { return h.name == s.Event.Name })
	if at < 0 {
		w.events = append(w.events, happening{name: s.Event.Name})
	} else {
		w.events[at].many, w.events[at].maybe = true, false
	}
	w.unborn, w.born = false, true
}

func (m *machine) make(mk *check.Make, w *world) []aval {
	if mk.Spread != nil {
		v := m.eval(mk.Spread, w)
		if mk.SpreadLocal != nil {
			w.locals[mk.SpreadLocal] = v
		}
	}
	out := make([]aval, len(mk.Fields))
	for i, f := range mk.Fields {
		out[i] = m.eval(f, w)
	}
	return out
}

func (m *machine) apply(e *check.Event, fields []aval, w *world) {
	outer := m.event
	m.event = fields
	m.mute++
	if v := m.run(e.Apply, w); v != nil && v != w {
		*w = *v
	}
	m.mute--
	m.event = outer
}

// assign changes a state field or a var. A part of a value is not tracked.
func (m *machine) assign(s *check.Assign, w *world) {
	set := func(t *value.Type) aval {
		if s.Op == check.SetTo && len(s.Steps) == 0 {
			return m.eval(s.Value, w)
		}
		return unknown(t)
	}
	if s.Local != nil {
		v := set(s.Local.Type)
		w.forgetLocal(s.Local)
		w.locals[s.Local] = v
		return
	}
	v := set(m.agg.State[s.Field].Type)
	w.forgetField(s.Field)
	w.fields[s.Field] = v
	w.written[s.Field] = true
}

// move is one step of the followed field: an event took it from one member to another; from is
// -1 for the birth.
type move struct {
	from, to int
	event    string
}

// trace notes the moves of the followed field that e makes, for each member that it may have.
func (m *machine) trace(e *check.Event, fields []aval, w *world) {
	if w.unborn {
		v := w.clone()
		m.apply(e, fields, v)
		for _, to := range v.fields[m.follow].members() {
			w.moved(move{-1, to, e.Name})
		}
	}
	if !w.born {
		return
	}
	for _, from := range w.fields[m.follow].members() {
		v := w.clone()
		v.fields[m.follow] = v.fields[m.follow].keep(func(o int) bool { return o == from })
		v.written[m.follow] = false
		m.apply(e, fields, v)
		if !v.written[m.follow] {
			continue
		}
		for _, to := range v.fields[m.follow].members() {
			w.moved(move{from, to, e.Name})
		}
	}
}

func (w *world) moved(mv move) {
	if !slices.Contains(w.moves, mv) {
		w.moves = append(w.moves, mv)
	}
}
