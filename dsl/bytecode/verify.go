package bytecode

import (
	"fmt"

	"github.com/cloudlysis/aggregate/dsl/value"
)

// Limits of what the verifier accepts, so that a program from outside cannot make the machine
// large: slots of the frame, nested records counted out, levels of calls.
const (
	MaxSlots       = 1<<16 - 1
	MaxRecordCells = 1 << 16
	MaxCallDepth   = 1 << 10
)

// VerifyError is why a program is refused.
type VerifyError struct {
	Chunk string // empty: a table
	PC    int
	Msg   string
}

func (e *VerifyError) Error() string {
	if e.Chunk == "" {
		return "bytecode: " + e.Msg
	}
	return fmt.Sprintf("bytecode: %s+%d: %s", e.Chunk, e.PC, e.Msg)
}

// Verify proves that running p is safe: every operand lies where the table of opcodes says and
// has a type that fits, every path ends, every loop is counted, calls do not recurse, and no
// chunk writes what is not its own. The machine runs verified code without checks of its own.
func Verify(p *Program) error {
	_, err := Analyze(p)
	return err
}

// Analyze verifies p and tells what its chunks touch.
func Analyze(p *Program) (*Effects, error) {
	v := &verifier{p: p}
	if err := v.tables(); err != nil {
		return nil, err
	}
	if err := v.layout(); err != nil {
		return nil, err
	}
	if err := v.chunks(); err != nil {
		return nil, err
	}
	if err := v.flow(); err != nil {
		return nil, err
	}
	if err := v.roots(); err != nil {
		return nil, err
	}
	return &v.fx, nil
}

type verifier struct {
	p  *Program
	fx Effects
	// starts tells of each chunk which words are instructions.
	starts [][]bool
}

func bad(format string, args ...any) error {
	return &VerifyError{Msg: fmt.Sprintf(format, args...)}
}

// tables checks what does not depend on code: types, names, indices of one table into another.
func (v *verifier) tables() error {
	p := v.p
	for _, n := range []int{len(p.Slots), len(p.Types), len(p.Records), len(p.Enums), len(p.Consts), len(p.Chunks),
		len(p.Calls), len(p.Codes), len(p.Commands), len(p.Events), len(p.Invariants), len(p.Files), len(p.Derives), len(p.State)} {
		if n > MaxSlots {
			return bad("a table has %d rows, at most %d", n, MaxSlots)
		}
	}
	if p.Gas < 0 || p.SnapshotEvery < 0 {
		return bad("negative gas or snapshot interval")
	}
	if err := v.typeTables(); err != nil {
		return err
	}
	for i := range p.Calls {
		if err := v.site(&p.Calls[i]); err != nil {
			return err
		}
	}
	return v.fieldTables(newTypeCheck(p))
}

// typeTables checks enums, records and types by themselves.
func (v *verifier) typeTables() error {
	p := v.p
	if err := checkRecords(p.Records); err != nil {
		return err
	}
	tc := newTypeCheck(p)
	for _, e := range p.Enums {
		if e == nil || len(e.Members) == 0 {
			return bad("an enum without members")
		}
	}
	for _, t := range p.Types {
		if err := tc.check(t, 0); err != nil {
			return err
		}
	}
	for _, r := range p.Records {
		if err := tc.fields(r.Name, r.Fields); err != nil {
			return err
		}
	}
	return nil
}

func (v *verifier) fieldTables(tc *typeCheck) error {
	p := v.p
	if err := tc.fields("state", p.State); err != nil {
		return err
	}
	for i := range p.Commands {
		if err := tc.fields(p.Commands[i].Name, p.Commands[i].Fields); err != nil {
			return err
		}
	}
	for i := range p.Events {
		if err := tc.fields(p.Events[i].Name, p.Events[i].Fields); err != nil {
			return err
		}
	}
	for i, d := range p.Derives {
		if int(d.Type) >= len(p.Types) {
			return bad("derive %d: no type %d", i, d.Type)
		}
	}
	for i := range p.Indexes {
		if err := v.index(&p.Indexes[i]); err != nil {
			return err
		}
	}
	return nil
}

func (v *verifier) index(x *Index) error {
	p := v.p
	if int(x.Type) >= len(p.Types) {
		return bad("index %s: no type %d", x.Path, x.Type)
	}
	if x.Field == NoSlot {
		if int(x.Derive) >= len(p.Derives) || !value.Same(p.Types[p.Derives[x.Derive].Type], p.Types[x.Type]) {
			return bad("index %s: no such derive", x.Path)
		}
		return nil
	}
	if int(x.Field) >= len(p.State) {
		return bad("index %s: no state field %d", x.Path, x.Field)
	}
	t := p.State[x.Field].Type
	for _, f := range x.Fields {
		if t.Kind != value.Record || int(f) >= len(t.Record.Fields) {
			return bad("index %s: no field %d", x.Path, f)
		}
		t = t.Record.Fields[f].Type
	}
	if !value.Same(t, p.Types[x.Type]) {
		return bad("index %s: another type", x.Path)
	}
	return nil
}

// layout checks the frame: the places of constants, state, ctx, commands and events.
func (v *verifier) layout() error {
	p := v.p
	for i, t := range p.Slots {
		if int(t) >= len(p.Types) {
			return bad("slot %d: no type %d", i, t)
		}
	}
	if len(p.Consts) > len(p.Slots) {
		return bad("more constants than slots")
	}
	if err := v.window("state", int(p.StateBase), p.State, 0); err != nil {
		return err
	}
	ctx := CtxTypes()
	for i, t := range ctx {
		if s := int(p.CtxBase) + i; s >= len(p.Slots) || !value.Same(v.slotType(s), t) {
			return bad("ctx does not fit slot %d", s)
		}
	}
	state := span{int(p.StateBase), int(p.StateBase) + len(p.State)}
	c := span{int(p.CtxBase), int(p.CtxBase) + len(ctx)}
	if state.meets(c) || len(p.Consts) > c.from || len(p.State) > 0 && len(p.Consts) > state.from {
		return bad("constants, state and ctx overlap")
	}
	for i := range p.Commands {
		if err := v.window("command "+p.Commands[i].Name, int(p.Commands[i].Base), p.Commands[i].Fields, writable); err != nil {
			return err
		}
		if err := v.old(p.Commands[i].Old); err != nil {
			return err
		}
	}
	for i := range p.Events {
		if err := v.window("event "+p.Events[i].Name, int(p.Events[i].Base), p.Events[i].Fields, writable); err != nil {
			return err
		}
	}
	for i := range p.Invariants {
		if err := v.old(p.Invariants[i].Old); err != nil {
			return err
		}
	}
	return nil
}

// CtxTypes are the types of ctx, in the order of their slots.
func CtxTypes() [7]*value.Type {
	return [7]*value.Type{value.TimeType, value.UUIDType, value.UUIDType, value.StringType, value.IntType,
		{Kind: value.Map, Key: value.StringType, Elem: value.StringType}, {Kind: value.Set, Elem: value.StringType}}
}

type span struct{ from, to int }

func (s span) meets(o span) bool { return s.from < o.to && o.from < s.to }

const writable = 1

// window checks that the fields have slots of their types from base on, outside of constants,
// state and ctx when the machine or code writes them as it goes.
func (v *verifier) window(what string, base int, fields []value.Field, kind int) error {
	if base+len(fields) > len(v.p.Slots) {
		return bad("%s: slot %d is not in the frame", what, base)
	}
	for i := range fields {
		s := base + i
		if !value.Same(v.slotType(s), fields[i].Type) {
			return bad("%s: field %s does not fit slot %d", what, fields[i].Name, s)
		}
		if kind == writable && v.owned(s) {
			return bad("%s: field %s lies in slot %d of constants, state or ctx", what, fields[i].Name, s)
		}
	}
	return nil
}

// owned tells whether slot s is a constant, of the state, or of ctx.
func (v *verifier) owned(s int) bool {
	p := v.p
	return s < len(p.Consts) || v.stateField(s) >= 0 || v.ctxField(s) >= 0
}

func (v *verifier) stateField(s int) int {
	if i := s - int(v.p.StateBase); i >= 0 && i < len(v.p.State) {
		return i
	}
	return -1
}

func (v *verifier) ctxField(s int) int {
	if i := s - int(v.p.CtxBase); i >= 0 && i < len(CtxTypes()) {
		return i
	}
	return -1
}

func (v *verifier) old(pairs []OldField) error {
	for _, o := range pairs {
		if int(o.Field) >= len(v.p.State) || int(o.Slot) >= len(v.p.Slots) || v.owned(int(o.Slot)) ||
			!value.Same(v.slotType(int(o.Slot)), v.p.State[o.Field].Type) {
			return bad("old: state field %d does not fit slot %d", o.Field, o.Slot)
		}
	}
	return nil
}

func (v *verifier) slotType(s int) *value.Type { return v.p.Types[v.p.Slots[s]] }
