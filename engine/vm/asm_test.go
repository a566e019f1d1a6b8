package vm

import (
	"testing"

	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// asm builds programs by hand. Constants come first, then state, ctx and all other slots, as in
// what the compiler makes.
type asm struct {
	t testing.TB
	p *bytecode.Program
	// fixed tells that constants and state are complete.
	fixed bool
}

func newAsm(t testing.TB) *asm {
	return &asm{t: t, p: &bytecode.Program{Name: "Thing", Final: bytecode.NoChunk, Files: []string{"thing.agg"},
		Codes: []string{"refused", "insufficient_funds"}}}
}

func (a *asm) typ(t *value.Type) uint16 {
	for i, u := range a.p.Types {
		if u == t {
			return uint16(i)
		}
	}
	a.p.Types = append(a.p.Types, t)
	return uint16(len(a.p.Types) - 1)
}

func (a *asm) konst(t *value.Type, v value.V) uint16 {
	if a.fixed {
		a.t.Fatal("a constant after the state")
	}
	a.p.Consts = append(a.p.Consts, v)
	return a.slot(t)
}

func (a *asm) slot(t *value.Type) uint16 {
	a.p.Slots = append(a.p.Slots, a.typ(t))
	return uint16(len(a.p.Slots) - 1)
}

// window makes slots that follow one another and gives the first.
func (a *asm) window(types ...*value.Type) uint16 {
	first := uint16(len(a.p.Slots))
	for _, t := range types {
		a.slot(t)
	}
	return first
}

func (a *asm) state(fields ...value.Field) uint16 {
	a.fixed = true
	a.p.StateBase, a.p.State = uint16(len(a.p.Slots)), fields
	for _, f := range fields {
		a.slot(f.Type)
	}
	a.p.CtxBase = uint16(len(a.p.Slots))
	for _, t := range bytecode.CtxTypes() {
		a.slot(t)
	}
	return a.p.StateBase
}

func (a *asm) fields(fields []value.Field) uint16 {
	first := uint16(len(a.p.Slots))
	for _, f := range fields {
		a.slot(f.Type)
	}
	return first
}

func (a *asm) chunk(name string, code ...bytecode.Ins) uint16 {
	a.p.Chunks = append(a.p.Chunks, bytecode.Chunk{Name: name, Gas: 1, Code: code,
		Lines: []bytecode.Line{{PC: 0, Line: uint32(10 + len(a.p.Chunks)), Column: 3}}})
	return uint16(len(a.p.Chunks) - 1)
}

func (a *asm) load() *Program {
	a.t.Helper()
	p, err := Load(a.p)
	if err != nil {
		a.t.Fatal(err)
	}
	return p
}

func op(o bytecode.Op, abc ...uint16) bytecode.Ins {
	in := bytecode.Ins{Op: o}
	for i, x := range abc {
		switch i {
		case 0:
			in.A = x
		case 1:
			in.B = x
		case 2:
			in.C = x
		}
	}
	return in
}

func opN(o bytecode.Op, n uint8, abc ...uint16) bytecode.Ins {
	in := op(o, abc...)
	in.N = n
	return in
}

func extra(a uint16) bytecode.Ins { return bytecode.Ins{Op: bytecode.OpExt, A: a} }

func dec(text string) value.V {
	v, ok := value.ParseDecimalText(text)
	if !ok {
		panic(text)
	}
	return v
}

// bank is the account of language.md with its withdraw, as the compiler would lower it.
type bank struct {
	*Program
	withdraw   int
	holds      *value.Type
	holdFields *value.RecordType
}

func newBank(t testing.TB) *bank {
	a := newAsm(t)
	hold := &value.RecordType{Name: "Hold", Fields: []value.Field{{Name: "amount", Type: value.DecimalType}, {Name: "until", Type: value.TimeType}}}
	status := &value.EnumType{Name: "Status", Members: []value.Member{{Name: "open", Wire: "open"}, {Name: "frozen", Wire: "frozen"}}}
	a.p.Records, a.p.Enums = []*value.RecordType{hold}, []*value.EnumType{status}
	holds := &value.Type{Kind: value.Map, Key: value.UUIDType, Elem: &value.Type{Kind: value.Record, Record: hold}}
	enum := &value.Type{Kind: value.Enum, Enum: status}

	open := a.konst(enum, value.MakeInt(0))
	cent := a.konst(value.DecimalType, dec("0.01"))
	minFee := a.konst(value.DecimalType, dec("0.50"))
	two := a.konst(value.IntType, value.MakeInt(2))
	zero := a.konst(value.DecimalType, dec("0"))
	msg := a.konst(value.StringType, value.MakeString("too little"))
	st := a.state(value.Field{Name: "status", Type: enum}, value.Field{Name: "balance", Type: value.DecimalType}, value.Field{Name: "holds", Type: holds})
	cmd := []value.Field{{Name: "amount", Type: value.DecimalType}}
	ev := []value.Field{{Name: "amount", Type: value.DecimalType}, {Name: "fee", Type: value.DecimalType}}
	cb, eb := a.fields(cmd), a.fields(ev)
	fee, sum, left := a.slot(value.DecimalType), a.slot(value.DecimalType), a.slot(value.DecimalType)
	ok := a.slot(value.BoolType)

	decide := a.chunk("decide withdraw",
		opN(bytecode.OpJumpNeW, 12, st, open, 13),
		opN(bytecode.OpMulRoundD, uint8(value.HalfEven), fee, cb, cent), extra(two),
		op(bytecode.OpMaxD, fee, fee, minFee),
		op(bytecode.OpSumColD, sum, st+2, 0),
		op(bytecode.OpSubD, left, st+1, sum),
		op(bytecode.OpAddD, eb+1, cb, fee), // for a moment
		opN(bytecode.OpJumpLtD, 20, left, eb+1, 14),
		op(bytecode.OpSubD, st+1, st+1, eb+1), // apply
		op(bytecode.OpMove, eb, cb),
		op(bytecode.OpMove, eb+1, fee),
		op(bytecode.OpEmit, 0, 0, 0),
		opN(bytecode.OpJump, 4, 0, 0, 15),
		op(bytecode.OpReject, 0, 0, 0),
		opN(bytecode.OpReject, 1, msg, 0, 1),
		opN(bytecode.OpJumpLtD, 1, st+1, zero, 17),
		op(bytecode.OpDone),
		op(bytecode.OpViolate, 0, 0, 0),
	)
	apply := a.chunk("apply withdrawn",
		op(bytecode.OpAddD, sum, eb, eb+1),
		op(bytecode.OpSubD, st+1, st+1, sum),
		op(bytecode.OpRet))
	solvent := a.chunk("invariant solvent", op(bytecode.OpLeD, ok, zero, st+1), op(bytecode.OpRet))
	text := a.slot(value.StringType)
	a.p.Calls = []bytecode.CallSite{{Builtin: value.StringOf, Args: []uint16{a.typ(value.DecimalType)}, Result: a.typ(value.StringType)}}
	shown := a.chunk("invariant solvent", op(bytecode.OpBuiltin, text, st+1, 0), op(bytecode.OpRet))
	positive := a.chunk("where amount", op(bytecode.OpLtD, ok, zero, left), op(bytecode.OpRet))

	a.p.Commands = []bytecode.Command{{Name: "withdraw", Fields: cmd, Base: cb, Decide: decide,
		Reads: []uint16{0, 1, 2}, Writes: []uint16{1}, CreateElse: bytecode.Refusal{Message: bytecode.Eval{Chunk: bytecode.NoChunk}},
		Wheres: []bytecode.Where{{Field: 0, Params: []uint16{left}, Eval: bytecode.Eval{Chunk: positive, Result: ok}, Text: "amount > 0"}}}}
	a.p.Events = []bytecode.Event{{Name: "withdrawn", Version: 1, Current: true, Fields: ev, Base: eb, Apply: apply, Reads: []uint16{1}, Writes: []uint16{1}}}
	a.p.Invariants = []bytecode.Invariant{{Name: "solvent", Text: "state.balance >= 0", Eval: bytecode.Eval{Chunk: solvent, Result: ok, Reads: []uint16{1}},
		Shown: []bytecode.Shown{{Text: "state.balance", Eval: bytecode.Eval{Chunk: shown, Result: text, Reads: []uint16{1}}}}}}
	a.p.FinalElse.Message.Chunk = bytecode.NoChunk
	p := a.load()
	w, _ := p.Command("withdraw")
	return &bank{Program: p, withdraw: w, holds: holds, holdFields: hold}
}

// account is a state with a balance and n holds of 1.25 each.
func (b *bank) account(balance string, n int) []value.V {
	state := b.NewState()
	state[1] = dec(balance)
	rows := value.NewBuilder(b.holds, n)
	for i := range n {
		copy(rows.RowOf(value.MakeUUID([16]byte{byte(i >> 8), byte(i)})), []value.V{dec("1.25"), {}})
	}
	state[2] = rows.Done()
	return state
}
