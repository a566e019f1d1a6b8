package vm

import (
	"fmt"
	"unsafe"

	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// Opcodes that Load puts in the place of others; no program from outside has them.
const (
	opUnwrap    = bytecode.Op(bytecode.Count) + iota // a := b, which must be some
	opNextLR                                         // OpNextL over records
	opNextILR                                        // OpNextIL over records
	opNextMR                                         // OpNextM over records
	opBoundR                                         // OpBound of records with bounds within
	opJumpNegD                                       // OpJumpLtD against zero
	opMovesEmit                                      // n moves to the slots of an event, and the OpEmit behind them
	opRate                                           // OpMulRoundD by a rate of p.rates
	opRateMax                                        // opRate and the OpMaxD behind it
	opRateMin                                        // opRate and the OpMinD behind it
	opStep                                           // what only step does
	opTrap                                           // look into the code that is not traced
	opLast      = 127                                // the loop's switch is over 128 opcodes
)

// There is room for all opcodes below opLast.
var _ [opLast - opTrap - 1]struct{}

// ins is an instruction as the loop wants it, one index behind that of the bytecode.Ins it is made
// of: a slot is its distance in bytes from the beginning of the frame, a field or cell its
// distance from the first, a target the distance of the instruction before it from the beginning of
// all code. So the loop computes no address but by one addition.
type ins struct {
	op      bytecode.Op
	n       uint8
	d       uint16 // cells from one element of container b to the next
	a, b, c uint32
}

const (
	insSize  = unsafe.Sizeof(ins{})
	cellSize = unsafe.Sizeof(value.V{})
)

// cellBytes is what a cell counts for in memory, the same on every machine.
const cellBytes = 16

// maxCode keeps distances in code below 2^32.
const maxCode = 1 << 27

// link puts all code into one array, replaces opcodes by those for the types at hand, and makes
// of it the code that the loop runs.
func (p *Program) link() error {
	for _, t := range p.src.Slots {
		p.types = append(p.types, p.src.Types[t])
	}
	for i := range p.src.Chunks {
		c := &p.src.Chunks[i]
		p.starts = append(p.starts, uint32(len(p.plain)))
		p.gas = append(p.gas, int64(c.Gas))
		for _, in := range c.Code {
			p.plain = append(p.plain, p.special(in))
		}
		if len(p.plain) > maxCode {
			return fmt.Errorf("%d instructions are too many", len(p.plain))
		}
	}
	p.starts = append(p.starts, uint32(len(p.plain)))
	p.code = []ins{{op: opStep}} // what is before the first
	for i := range p.src.Chunks {
		from := len(p.code)
		for _, in := range p.plain[p.starts[i]:p.starts[i+1]] {
			p.code = append(p.code, p.linked(in, p.starts[i]))
		}
		p.fuse(p.code[from:])
	}
	p.code = append(p.code, ins{op: opStep}) // where a pointer past the last instruction may stand
	return nil
}

// linked is one instruction of a chunk in the loop's form.
func (p *Program) linked(in bytecode.Ins, start uint32) ins {
	info := in.Op.Info()
	out := ins{op: in.Op, n: in.N, a: place(info.A, in.A), b: place(info.B, in.B), c: place(info.C, in.C)}
	switch in.Op {
	case opUnwrap:
		out.a, out.b = slotAt(in.A), slotAt(in.B)
	case opNextLR, opNextILR, opNextMR:
		out.a, out.b, out.c = slotAt(in.A), slotAt(in.B), codeAt(start+uint32(in.C))
	case opBoundR:
		out.op = opStep
	case bytecode.OpCall:
		out.b, out.c = uint32(p.src.Chunks[in.C].Gas), codeAt(p.starts[in.C])
	case bytecode.OpEmit:
		e := &p.src.Events[in.C]
		out.a, out.b = slotAt(e.Base), uint32(len(e.Fields))
	case bytecode.OpMinD, bytecode.OpMaxD:
		out.n = uint8(word(in.Op == bytecode.OpMinD)) // one arm does both
	case bytecode.OpJumpLtD:
		if zero, ok := p.small(out.b); ok && zero&^form == 0 {
			out.op = opJumpNegD
		}
	case bytecode.OpMulRoundD:
		// Half even is the mode that the loop knows.
		if value.Mode(in.N) != value.HalfEven {
			out.op = opStep
		}
	}
	if info.C == bytecode.Target {
		out.c = codeAt(start + uint32(in.C))
	}
	switch in.Op {
	case opNextLR, opNextMR, bytecode.OpSumColD, bytecode.OpSumColI:
		stride := p.types[in.B].Stride()
		if out.d = uint16(stride); int(out.d) != stride {
			out.op = opStep
		}
	}
	return out
}

func slotAt(slot uint16) uint32 { return uint32(slot) * uint32(cellSize) }

// codeAt is the distance of what stands before an instruction.
func codeAt(index uint32) uint32 { return index * uint32(insSize) }

// place is an operand in the loop's form; targets are the business of linked.
func place(k bytecode.Kind, x uint16) uint32 {
	switch k {
	case bytecode.Dst, bytecode.Src, bytecode.Loop, bytecode.Window, bytecode.FieldOf, bytecode.CellOf:
		return slotAt(x)
	}
	return uint32(x)
}

// special gives the instruction that does the same for the types of its slots.
func (p *Program) special(in bytecode.Ins) bytecode.Ins {
	// What an opcode does not use may hold anything; step reads it as a slot all the same.
	info := in.Op.Info()
	if info.B == bytecode.None {
		in.B = 0
	}
	if info.C == bytecode.None {
		in.C = 0
	}
	switch in.Op {
	case bytecode.OpMove:
		a, b := p.types[in.A], p.types[in.B]
		if b.Kind == value.Optional && a.Kind != value.Optional {
			in.Op = opUnwrap
		}
	case bytecode.OpBound:
		if t := bare(p.src.Types[in.C]); in.N == 0 && t.Kind == value.Record && bounded(t) {
			in.Op = opBoundR
		}
	case bytecode.OpNextL:
		if p.rowsOf(in.B) {
			in.Op = opNextLR
		}
	case bytecode.OpNextIL:
		if p.rowsOf(in.B) {
			in.Op = opNextILR
		}
	case bytecode.OpNextM:
		if p.rowsOf(in.B) {
			in.Op = opNextMR
		}
	}
	return in
}

// rowsOf tells whether the elements of container slot s are records, which lie in its rows.
func (p *Program) rowsOf(s uint16) bool { return p.types[s].Elem.Kind == value.Record }

// fuse puts opcodes that do the work of several in the place of the first of them. The others
// stay as they are: who jumps behind the first, or meets a case that is not plain, runs them.
func (p *Program) fuse(code []ins) {
	for i := range code {
		switch code[i].op {
		case bytecode.OpEmit:
			n := int(code[i].b)
			if n > 0 && n <= 64 && i >= n && fills(code[i-n:i], code[i].a) {
				fuseMoves(code[i-n : i+1])
			}
		case bytecode.OpMulRoundD:
			p.fuseRate(code[i:])
		}
	}
}

// fuseMoves makes one of the moves to the slots of an event and its emit.
func fuseMoves(code []ins) {
	n := len(code) - 1
	for i := range n {
		code[i].c = code[i].a - code[n].a // a move itself has no use for c
	}
	code[0].op, code[0].n = opMovesEmit, uint8(n)
}

// fills tells whether the instructions are moves to all the slots from base on, one to each.
func fills(moves []ins, base uint32) bool {
	seen := uint64(0)
	for _, in := range moves {
		if in.op != bytecode.OpMove && in.op != bytecode.OpMoveW || in.a < base {
			return false
		}
		at := (in.a - base) / uint32(cellSize)
		if at >= uint32(len(moves)) {
			return false
		}
		seen |= 1 << at
	}
	return seen == 1<<len(moves)-1
}

// rate is what a decimal is multiplied by and rounded to, half even, when the manifest tells both
// numbers; and the bound of the result, as with fees and taxes, when it tells one.
type rate struct {
	by   uint64 // coefficient
	drop uint64 // digits after the point less those of the result
	most uint64 // digits that can be dropped
	to   uint64 // the scale of the result, as in a word

	konst uint64 // the bound
	limit int64  // a result of at least so much is more than the bound; of a maximum, at least the bound
}

// fuseRate makes an opRate of an OpMulRoundD by constants, and takes in the OpMaxD or OpMinD of
// its result and a constant behind it. code begins with the OpMulRoundD.
func (p *Program) fuseRate(code []ins) {
	y, okY := p.small(code[0].c)
	to, okTo := p.konst(code[1].a)
	if !okY || !okTo || int64(y) < 0 || to.W > value.MaxScale {
		return
	}
	places := y & scale >> 1
	q := rate{by: y &^ form, drop: places - to.W, most: min(uint64(len(tens))-1, value.MaxScale-to.W), to: to.W << 1}
	op := opRate
	if len(code) > 2 && p.bound(&q, code[0].a, &code[2]) {
		op = opRateMax
		if code[2].op == bytecode.OpMinD {
			op = opRateMin
		}
	}
	code[0].op, code[0].c = op, uint32(len(p.rates))
	p.rates = append(p.rates, q)
}

// bound takes the constant of a maximum or minimum of the result, which is in a slot, into q.
func (p *Program) bound(q *rate, result uint32, in *ins) bool {
	if in.op != bytecode.OpMaxD && in.op != bytecode.OpMinD || (in.b == result) == (in.c == result) {
		return false
	}
	konst, ok := p.small(in.b + in.c - result)
	more := (q.to - konst&scale) >> 1
	if !ok || konst&scale > q.to || more >= uint64(len(tens)) {
		return false
	}
	limit, ok := tens[more].times(int64(konst &^ form))
	if !ok || limit >= 1<<62 {
		return false
	}
	// When both are the same, b is taken.
	if (in.op == bytecode.OpMinD) == (in.b == result) {
		limit += form + 1
	}
	q.konst, q.limit = konst, limit
	return true
}

// konst is the value of a slot, given in bytes, that is a constant.
func (p *Program) konst(slot uint32) (value.V, bool) {
	if i := int(uintptr(slot) / cellSize); i < len(p.src.Consts) {
		return p.src.Consts[i], true
	}
	return value.V{}, false
}

// small is the word of a slot that is a constant and a small decimal.
func (p *Program) small(slot uint32) (uint64, bool) {
	v, ok := p.konst(slot)
	return v.W, ok && v.W&bigBit == 0
}
