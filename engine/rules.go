package engine

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/value"
	"github.com/cloudlysis/aggregate/engine/vm"
)

// rules is one compiled aggregate type as the lifecycle sees it. It is immutable and shared.
// A state is one value for each field, and values are immutable: a state is copied by copying
// its slice.
type rules struct {
	*vm.Program
	print string // of the state's shape, the apply rules and the upcasts
	every int    // `snapshot every`, 0 for none
	// lenient tells of an event whether fields that it does not declare are passed over.
	lenient func(event string) bool
}

func newRules(p *vm.Program, allow func(aggregate.Type, string) bool) *rules {
	r := &rules{Program: p, print: fingerprint(p.Code()), every: p.Code().SnapshotEvery, lenient: func(string) bool { return false }}
	if allow != nil {
		name := aggregate.Type(p.Name())
		r.lenient = func(event string) bool { return allow(name, event) }
	}
	return r
}

// fingerprint names everything that a replay depends on; see [bytecode.Fingerprint].
func fingerprint(p *bytecode.Program) string {
	sum := bytecode.Fingerprint(p)
	return "agg1:" + hex.EncodeToString(sum[:16])
}

func (r *rules) stateJSON(s []value.V) []byte { return r.AppendState(nil, s, value.Encoder{}) }

func (r *rules) stateOf(text []byte) ([]value.V, error) {
	s, errs := r.DecodeState(text)
	if errs != nil {
		return nil, invalid(errs)
	}
	return s, nil
}

// derivedJSON is the object of the derived values of s; one that faults is null.
func (r *rules) derivedJSON(s []value.V) json.RawMessage {
	m := r.Get()
	defer r.Put(m)
	b, _ := m.AppendDerived(nil, s, value.Encoder{})
	return b
}

// machine runs rules for one owner, one command or event at a time.
type machine struct {
	r   *rules
	m   *vm.Machine
	cmd int // that read found
	gas int64
}

func (r *rules) lend() machine { return machine{r: r, m: r.Get()} }

func (m *machine) giveBack() {
	m.r.Put(m.m)
	*m = machine{}
}

// replay applies a stored event to s. Its ctx is that of the stored commit.
func (m *machine) replay(s []value.V, ctx *vm.Ctx, e *aggregate.CommitEvent) error {
	err := m.m.ReplayEvent(s, e.Type, e.Schema, e.Payload, ctx, m.r.lenient(e.Type))
	switch {
	case err == nil:
		return nil
	case vm.Newer(err):
		return fmt.Errorf("%w: %w", aggregate.ErrManifestBehind, err)
	}
	return fmt.Errorf("%w: %w", aggregate.ErrRehydration, err)
}

// read decodes and validates the payload of a command; the error is an aggregate.ValidationError.
func (m *machine) read(payload []byte) error {
	name, err := value.PeekType(payload)
	if err != nil {
		return invalidOne(err)
	}
	cmd, ok := m.r.Command(name)
	if !ok {
		msg := fmt.Sprintf("unknown command %q of %s", value.Shown(name), m.r.Name())
		return &aggregate.ValidationError{Path: "type", Message: msg, Errors: []aggregate.FieldError{{Path: "type", Message: msg}}}
	}
	m.cmd = cmd
	if errs := m.m.DecodeCommand(cmd, payload); errs != nil {
		return invalid(errs)
	}
	return nil
}

// decide runs the command that read took in on s, which it does not change. The error is an
// aggregate.RejectedError or FaultError; without one, events gives what was emitted and store
// takes the new state.
func (m *machine) decide(s []value.V, ctx *vm.Ctx, born bool, gasMax int64) error {
	gas := m.r.Gas()
	if gasMax > 0 {
		gas = min(gas, gasMax)
	}
	out := m.m.Decide(m.cmd, s, ctx, born, gas)
	m.gas = out.Gas
	switch out.Kind {
	case vm.Accepted:
		return nil
	case vm.Rejected:
		return &aggregate.RejectedError{Code: out.Code, Message: out.Message}
	}
	return &aggregate.FaultError{Apply: out.ApplyFault, Kind: out.Fault.String(), Rule: out.Rule, File: out.File, Line: out.Line, Gas: out.Gas}
}

// count is how many events the accepted command emitted.
func (m *machine) count() int { return m.m.Events() }

// events fills out, of the length of count, with those events: Type, Schema and Payload; the rest
// is the caller's to fill. All payloads lie in one array. Room is working space, given back grown.
func (m *machine) events(out []aggregate.CommitEvent, room []byte) ([]aggregate.CommitEvent, []byte) {
	if len(out) == 0 {
		return nil, room
	}
	var few [8]int
	ends, text := few[:0], room[:0]
	for i := range out {
		out[i].Type, out[i].Schema = m.m.EventName(i)
		text = m.m.AppendEvent(text, i)
		ends = append(ends, len(text))
	}
	room = text
	text = bytes.Clone(text)
	at := 0
	for i, end := range ends {
		out[i].Payload = text[at:end:end]
		at = end
	}
	return out, room
}

func (m *machine) store(s []value.V) { m.m.Store(m.cmd, s) }

// invalid makes one ValidationError of all that package value found.
func invalid(errs []value.FieldError) *aggregate.ValidationError {
	v := &aggregate.ValidationError{Path: errs[0].Path, Message: errs[0].Message, Errors: make([]aggregate.FieldError, len(errs))}
	for i := range errs {
		v.Errors[i] = aggregate.FieldError{Path: errs[i].Path, Message: errs[i].Message}
	}
	return v
}

func invalidOne(err error) error {
	var f *value.FieldError
	if errors.As(err, &f) {
		return invalid([]value.FieldError{*f})
	}
	return &aggregate.ValidationError{Message: err.Error()}
}
