package vm

import (
	"fmt"

	"github.com/cloudlysis/aggregate/dsl/value"
)

// Events is how many events the last command emitted.
func (m *Machine) Events() int { return m.nevents }

// Event is event i of the last command: its declaration and its values, which stay until the
// next Decide.
func (m *Machine) Event(i int) (decl int, fields []value.V) {
	e := m.events[:m.nevents][i]
	n := len(m.p.events[e.decl].Fields)
	return int(e.decl), m.vals[e.at : int(e.at)+n : int(e.at)+n]
}

// EventName is the name and schema number of event i of the last command.
func (m *Machine) EventName(i int) (name string, schema int) {
	d := m.p.events[m.events[:m.nevents][i].decl]
	return d.Name, d.Version
}

// AppendEvent appends the payload of event i of the last command.
func (m *Machine) AppendEvent(dst []byte, i int) []byte {
	decl, vals := m.Event(i)
	return m.p.AppendEventPayload(dst, decl, vals)
}

// AppendEventPayload appends the payload of an event of the given declaration and values.
func (p *Program) AppendEventPayload(dst []byte, decl int, vals []value.V) []byte {
	e := &p.events[decl]
	for i := range e.Fields {
		dst = append(dst, e.text[i]...)
		if e.Fields[i].Type.Kind == value.Decimal {
			dst = value.AppendDecimal(dst, vals[i])
			continue
		}
		dst = value.AppendJSON(dst, e.Fields[i].Type, vals[i])
	}
	return append(dst, e.text[len(e.Fields)]...)
}

// EventError: a stored event cannot be read as its declaration says.
type EventError struct {
	Name   string
	Schema int
	Fields []value.FieldError
}

func (e *EventError) Error() string {
	return fmt.Sprintf("event %s@%d: %s", e.Name, e.Schema, e.Fields[0].Error())
}

// UnknownEventError: no declaration has that name and number; a newer manifest wrote the event.
// An event with an unknown field is EventError with a field error of kind value.UnknownField.
type UnknownEventError struct {
	Name   string
	Schema int
}

func (e *UnknownEventError) Error() string {
	return fmt.Sprintf("event %s@%d is not declared: a newer manifest wrote it", e.Name, e.Schema)
}

// FaultError: applying a stored event faulted.
type FaultError struct {
	Name    string
	Schema  int
	Outcome Outcome
}

func (e *FaultError) Error() string {
	o := &e.Outcome
	return fmt.Sprintf("event %s@%d: fault %s in %s (%s:%d)", e.Name, e.Schema, o.Fault, o.Rule, o.File, o.Line)
}

// Newer tells whether the error comes from a newer manifest: an event, a version or a field
// that this one does not declare.
func Newer(err error) bool {
	switch e := err.(type) {
	case *UnknownEventError:
		return true
	case *EventError:
		for i := range e.Fields {
			if e.Fields[i].Kind == value.UnknownField {
				return true
			}
		}
	}
	return false
}

// DecodeEvent reads the payload of a stored event into the machine, for Apply. The error is an
// *EventError.
func (m *Machine) DecodeEvent(decl int, payload []byte, allowUnknown bool) error {
	e := &m.p.events[decl]
	dst := m.fields(e.Base, len(e.Fields))
	if errs := value.DecodeFields(dst, e.Fields, payload, value.DecodeOptions{AllowUnknown: allowUnknown}); errs != nil {
		m.forget(e.Base, len(e.Fields))
		return &EventError{e.Name, e.Version, errs}
	}
	return nil
}

// SetEvent is DecodeEvent for values that are there already.
func (m *Machine) SetEvent(decl int, vals []value.V) {
	e := &m.p.events[decl]
	copy(m.fields(e.Base, len(e.Fields)), vals)
}

// Apply upcasts the event that was set and applies it to state, which a fault leaves as it was.
// Negative gas is no limit, as replay wants it: every rule ends by itself.
func (m *Machine) Apply(state []value.V, decl int, ctx *Ctx, gas int64) Outcome {
	m.begin(gas)
	e := &m.p.events[decl]
	for ; !e.Current; e = &m.p.events[e.Next] {
		m.setCtx(e.ctx, ctx)
		if m.run(e.Upcast) == faulted {
			return m.faultOutcome()
		}
	}
	m.setCtx(e.ctx, ctx)
	m.fetch(&e.load, state)
	if m.run(e.Event.Apply) == faulted {
		return m.faultOutcome()
	}
	m.store(&e.writes, state)
	return Outcome{Kind: Accepted, Gas: m.used()}
}

// Upcast gives the current declaration of the event that was set, and its values in that shape,
// until the machine runs again.
func (m *Machine) Upcast(decl int, ctx *Ctx) (current int, fields []value.V, out Outcome) {
	m.begin(unlimited)
	for e := &m.p.events[decl]; !e.Current; e = &m.p.events[decl] {
		m.setCtx(e.ctx, ctx)
		if m.run(e.Event.Upcast) == faulted {
			return decl, nil, m.faultOutcome()
		}
		decl = int(e.Next)
	}
	e := &m.p.events[decl]
	return decl, m.fields(e.Base, len(e.Fields)), Outcome{Kind: Accepted, Gas: m.used()}
}

// ReplayEvent reads and applies one stored event. The error is an *UnknownEventError, an
// *EventError or a *FaultError; the state is then as it was.
func (m *Machine) ReplayEvent(state []value.V, name string, schema int, payload []byte, ctx *Ctx, allowUnknown bool) error {
	decl, ok := m.p.Event(name, schema)
	if !ok {
		return &UnknownEventError{name, schema}
	}
	if err := m.DecodeEvent(decl, payload, allowUnknown); err != nil {
		return err
	}
	if out := m.Apply(state, decl, ctx, -1); out.Kind == Faulted {
		return &FaultError{name, schema, out}
	}
	return nil
}
