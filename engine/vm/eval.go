package vm

import (
	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// Eval runs a chunk for its result, such as a condition of a test. Ctx may be nil if it reads
// none. The gas is that of a command.
func (m *Machine) Eval(e bytecode.Eval, state []value.V, ctx *Ctx) (value.V, Outcome) {
	m.begin(m.p.Gas())
	if ctx != nil {
		m.setCtx(allCtx, ctx)
	}
	m.load(e.Reads, state)
	if m.run(e.Chunk) == faulted {
		return value.V{}, m.faultOutcome()
	}
	return m.frame[e.Result], Outcome{Kind: Accepted, Gas: m.used()}
}

var allCtx = []uint16{0, 1, 2, 3, 4, 5, 6}

// SetSlot gives a slot of the frame a value of its type: how a test's runner hands columns and
// lets to the chunks of Tests.
func (m *Machine) SetSlot(slot uint16, v value.V) { m.frame[slot] = v }

// Slot is the value of a slot of the frame: what a chunk that was run by Eval left there.
func (m *Machine) Slot(slot uint16) value.V { return m.frame[slot] }

// Derive computes derived value i of a state.
func (m *Machine) Derive(i int, state []value.V) (value.V, Outcome) {
	return m.Eval(m.p.src.Derives[i].Eval, state, nil)
}

// AppendState appends a state as JSON.
func (p *Program) AppendState(dst []byte, state []value.V, e value.Encoder) []byte {
	return e.AppendFields(dst, p.src.State, state)
}

// DecodeState reads a state as AppendState writes it; fields may be left out and are then their
// defaults or zeros.
func (p *Program) DecodeState(src []byte) ([]value.V, []value.FieldError) {
	state := make([]value.V, len(p.stateFields))
	if errs := p.DecodeStateInto(state, src, nil); errs != nil {
		return nil, errs
	}
	return state, nil
}

// DecodeStateInto is DecodeState into dst, which has a value for each field of the state; what
// it holds is then in the arena, if that is not nil.
func (p *Program) DecodeStateInto(dst []value.V, src []byte, arena *value.Arena) []value.FieldError {
	return value.DecodeFields(dst, p.stateFields, src, value.DecodeOptions{Arena: arena})
}

// AppendDerived appends the derived values of a state as a JSON object. One that faults is null
// there, and the first such fault is the outcome.
func (m *Machine) AppendDerived(dst []byte, state []value.V, e value.Encoder) ([]byte, Outcome) {
	all := Outcome{Kind: Accepted}
	dst = append(dst, '{')
	for i := range m.p.derives {
		if i > 0 {
			dst = append(dst, ',')
		}
		d := &m.p.derives[i]
		dst = append(value.AppendQuoted(dst, d.Name), ':')
		v, out := m.Derive(i, state)
		if out.Kind == Faulted {
			dst = append(dst, value.NullJSON...)
			if all.Kind != Faulted {
				all = out
			}
			continue
		}
		dst = e.AppendJSON(dst, d.Type, v)
	}
	return append(dst, '}'), all
}
