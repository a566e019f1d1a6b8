package bytecode

import (
	"fmt"

	"github.com/cloudlysis/aggregate/dsl/value"
)

// chunks checks every instruction by itself: its opcode, the ranges of its operands, their types.
func (v *verifier) chunks() error {
	v.starts = make([][]bool, len(v.p.Chunks))
	for i := range v.p.Chunks {
		c := &v.p.Chunks[i]
		if len(c.Code) == 0 || len(c.Code) > MaxSlots {
			return bad("%s: %d instructions", c.Name, len(c.Code))
		}
		if c.Gas == 0 {
			return bad("%s: its first block costs nothing", c.Name)
		}
		if err := v.lines(c); err != nil {
			return err
		}
		starts, err := v.instructions(c)
		if err != nil {
			return err
		}
		v.starts[i] = starts
	}
	return nil
}

func (v *verifier) lines(c *Chunk) error {
	for i, l := range c.Lines {
		if int(l.File) >= len(v.p.Files) || i > 0 && c.Lines[i-1].PC >= l.PC {
			return bad("%s: lines out of order or of an unknown file", c.Name)
		}
	}
	return nil
}

func (v *verifier) instructions(c *Chunk) ([]bool, error) {
	starts := make([]bool, len(c.Code))
	for pc := 0; pc < len(c.Code); pc++ {
		in := Ins(c.Code[pc])
		fail := func(format string, args ...any) error {
			return &VerifyError{c.Name, pc, in.Op.String() + ": " + fmt.Sprintf(format, args...)}
		}
		if in.Op >= opCount || in.Op == OpExt {
			return nil, fail("no such opcode here (%d)", in.Op)
		}
		starts[pc] = true
		x := uint16(0)
		if in.Op.HasExt() {
			if pc+1 >= len(c.Code) || c.Code[pc+1].Op != OpExt {
				return nil, fail("its ext word is missing")
			}
			x = c.Code[pc+1].A
		}
		if msg := v.operands(in, x); msg != "" {
			return nil, fail("%s", msg)
		}
		if msg := v.types(in, x); msg != "" {
			return nil, fail("%s", msg)
		}
		if in.Op.HasExt() {
			pc++
		}
		if !in.Op.ends() && pc+1 >= len(c.Code) {
			return nil, fail("the code ends here")
		}
	}
	return starts, nil
}

// ends tells whether nothing falls through the opcode.
func (o Op) ends() bool {
	return o == OpJump || o == OpRet || o == OpDone || o == OpReject || o == OpViolate
}

// operands checks ranges by the table of opcodes; targets are checked with the flow.
func (v *verifier) operands(in Ins, x uint16) string {
	info := ops[in.Op]
	if info.N == Round {
		if _, ok := roundMode(in.N); !ok {
			return "no such mode"
		}
	}
	if (info.N == Flag || info.N == Own) && in.N > 1 {
		return "no such flag"
	}
	kinds := [4]Kind{info.A, info.B, info.C, info.X}
	for i, operand := range [4]uint16{in.A, in.B, in.C, x} {
		if i == 0 && info.N == Flag && in.N == 0 {
			continue
		}
		if msg := v.operand(kinds[i], int(operand)); msg != "" {
			return msg
		}
	}
	return ""
}

func roundMode(n uint8) (value.Mode, bool) {
	m, ok := value.ParseMode(modeName(n))
	return m, ok && uint8(m) == n
}

func modeName(n uint8) string {
	if n > uint8(value.Ceiling) {
		return ""
	}
	return value.Mode(n).String()
}

func (v *verifier) operand(k Kind, x int) string {
	p := v.p
	limit := len(p.Slots)
	switch k {
	case Dst, Loop:
		if x < limit && v.immutable(x) {
			return fmt.Sprintf("slot %d is a constant or ctx", x)
		}
	case Src, Window:
	case Callee:
		limit = len(p.Chunks)
	case EventOf:
		limit = len(p.Events)
	case CodeOf:
		limit = len(p.Codes)
	case InvariantOf:
		limit = len(p.Invariants)
	case TypeOf:
		limit = len(p.Types)
	case SiteOf:
		limit = len(p.Calls)
	default:
		return ""
	}
	if x >= limit {
		return fmt.Sprintf("no %s %d", k, x)
	}
	return ""
}

func (v *verifier) immutable(s int) bool { return s < len(v.p.Consts) || v.ctxField(s) >= 0 }

// types checks the types of the operands, whose slots are in the frame; it gives what is wrong.
func (v *verifier) types(in Ins, x uint16) string {
	if !v.typesFit(in, x) {
		return "the types of its operands do not fit"
	}
	return ""
}

func (v *verifier) at(s uint16) *value.Type { return v.slotType(int(s)) }

func (v *verifier) is(s uint16, k value.Kind) bool { return v.at(s).Kind == k }

func (v *verifier) same(s, t uint16) bool { return value.Same(v.at(s), v.at(t)) }

// bare is the type of the slot or, if that is an optional, what it holds.
func bare(t *value.Type) *value.Type {
	if t.Kind == value.Optional {
		return t.Elem
	}
	return t
}

func (v *verifier) typesFit(in Ins, x uint16) bool {
	a, b, c := in.A, in.B, in.C
	switch in.Op {
	case OpGas, OpJump, OpCall, OpRet, OpDone, OpViolate:
		return true
	case OpReject:
		return in.N == 0 || v.is(a, value.String)
	case OpEmit:
		return v.p.Events[c].Current
	case OpMove:
		return fits(v.at(a), v.at(b)) || fits(v.at(b), v.at(a))
	case OpMoveW:
		return isW(v.at(a)) && value.Same(v.at(a), bare(v.at(b)))
	case OpJumpIf, OpJumpNot:
		return v.is(a, value.Bool)
	case OpJumpNone, OpJumpSome:
		return v.is(a, value.Optional)
	case OpJumpEqW, OpJumpNeW, OpJumpLtW, OpJumpLeW:
		return isW(v.at(a)) && v.same(a, b)
	case OpJumpEqD, OpJumpNeD, OpJumpLtD, OpJumpLeD:
		return v.is(a, value.Decimal) && v.is(b, value.Decimal)
	case OpJumpEq, OpJumpNe:
		return v.same(a, b)
	case OpJumpLt, OpJumpLe:
		return v.same(a, b) && ordered(v.at(a))
	case OpBound:
		return value.Same(v.at(a), v.p.Types[c])
	case OpNextL, OpNextIL, OpNextS, OpNextM, OpNextR:
		return v.loopFits(in)
	case OpBuiltin:
		return v.callFits(in)
	}
	if in.Op >= OpConcat {
		return v.dataFits(in, x)
	}
	return v.scalarFits(in, x)
}

// scalarFits is for comparisons and arithmetic.
func (v *verifier) scalarFits(in Ins, x uint16) bool {
	a, b, c := in.A, in.B, in.C
	num := func(s uint16) bool { return v.is(s, value.Int) || v.is(s, value.Duration) }
	dec := func(s uint16) bool { return v.is(s, value.Decimal) }
	switch in.Op {
	case OpNot:
		return v.is(a, value.Bool) && v.is(b, value.Bool)
	case OpEqW, OpNeW, OpLtW, OpLeW:
		return v.is(a, value.Bool) && isW(v.at(b)) && v.same(b, c)
	case OpEqD, OpNeD, OpLtD, OpLeD:
		return v.is(a, value.Bool) && dec(b) && dec(c)
	case OpEq, OpNe:
		return v.is(a, value.Bool) && v.same(b, c)
	case OpLt, OpLe:
		return v.is(a, value.Bool) && v.same(b, c) && ordered(v.at(b))
	case OpIsNone, OpIsSome:
		return v.is(a, value.Bool) && v.is(b, value.Optional)
	case OpIn:
		t := v.at(c)
		return v.is(a, value.Bool) && (t.Kind == value.Set || t.Kind == value.Map) && value.Same(t.KeyType(), v.at(b))
	case OpAddI, OpSubI, OpMulI, OpDivI, OpModI, OpMinI, OpMaxI:
		return num(a) && num(b) && num(c)
	case OpNegI, OpAbsI:
		return num(a) && num(b)
	case OpAddD, OpSubD, OpMulD, OpMinD, OpMaxD:
		return dec(a) && dec(b) && dec(c)
	case OpNegD, OpAbsD:
		return dec(a) && dec(b)
	case OpRoundD:
		return dec(a) && dec(b) && v.is(c, value.Int)
	case OpMulRoundD, OpDivD:
		return dec(a) && dec(b) && dec(c) && v.is(x, value.Int)
	case OpDecI:
		return dec(a) && v.is(b, value.Int)
	case OpIntD:
		return v.is(a, value.Int) && dec(b)
	}
	return false
}

// dataFits is for strings, records and containers.
func (v *verifier) dataFits(in Ins, x uint16) bool {
	a, b, c := in.A, in.B, in.C
	ta, tb := v.at(a), v.at(b)
	switch in.Op {
	case OpConcat:
		return fits(ta, value.StringType) && v.windowOf(b, int(c), value.StringType)
	case OpRecord:
		r := bare(ta)
		return r.Kind == value.Record && v.windowFields(b, r.Record.Fields)
	case OpField:
		return tb.Kind == value.Record && int(c) < len(tb.Record.Fields) && fits(ta, tb.Record.Fields[c].Type)
	case OpWith:
		return tb.Kind == value.Record && fits(ta, tb) && int(c) < len(tb.Record.Fields) && fits(tb.Record.Fields[c].Type, v.at(x))
	case OpList:
		l := bare(ta)
		return l.Kind == value.List && v.windowOf(b, int(c), l.Elem)
	case OpMapOf:
		m, tc := bare(ta), v.at(c)
		return m.Kind == value.Map && tb.Kind == value.List && tc.Kind == value.List &&
			value.Same(m.Key, tb.Elem) && fits(m.Elem, tc.Elem)
	case OpLen:
		return v.is(a, value.Int) && (tb.Kind == value.List || tb.Kind == value.Set || tb.Kind == value.Map)
	case OpSumColD:
		return ta.Kind == value.Decimal && v.cellIs(tb, int(c), value.Decimal)
	case OpSumColI:
		return (ta.Kind == value.Int || ta.Kind == value.Duration) && v.cellIs(tb, int(c), ta.Kind)
	}
	return v.containerFits(in, x)
}

func (v *verifier) containerFits(in Ins, x uint16) bool {
	a, b, c := in.A, in.B, in.C
	ta, tb, tc := v.at(a), v.at(b), v.at(c)
	list, keyed := tb.Kind == value.List, tb.Kind == value.Set || tb.Kind == value.Map
	switch in.Op {
	case OpIndexL:
		return list && tc.Kind == value.Int && fits(ta, tb.Elem)
	case OpIndexM:
		return tb.Kind == value.Map && value.Same(tb.Key, tc) && fits(ta, tb.Elem)
	case OpTryL:
		return list && tc.Kind == value.Int && optionalOf(ta, tb.Elem)
	case OpTryM:
		return tb.Kind == value.Map && value.Same(tb.Key, tc) && optionalOf(ta, tb.Elem)
	case OpSetL:
		return list && fits(ta, tb) && tc.Kind == value.Int && fits(tb.Elem, v.at(x))
	case OpSetM:
		return tb.Kind == value.Map && fits(ta, tb) && value.Same(tb.Key, tc) && fits(tb.Elem, v.at(x))
	case OpAppend:
		return list && fits(ta, tb) && fits(tb.Elem, tc)
	case OpInsert:
		return tb.Kind == value.Set && fits(ta, tb) && value.Same(tb.Elem, tc)
	case OpRemoveL:
		return list && fits(ta, tb) && tc.Kind == value.Int
	case OpRemoveM:
		return keyed && fits(ta, tb) && value.Same(tb.KeyType(), tc)
	}
	return false
}

// cellIs tells whether cell c of each element of a list or map has kind k.
func (v *verifier) cellIs(t *value.Type, c int, k value.Kind) bool {
	if t.Kind != value.List && t.Kind != value.Map {
		return false
	}
	if t.Elem.Kind == value.Record {
		return c < len(t.Elem.Record.Fields) && t.Elem.Record.Fields[c].Type.Kind == k
	}
	return c == 0 && t.Elem.Kind == k
}

// windowOf tells whether n slots from s on hold values of t.
func (v *verifier) windowOf(s uint16, n int, t *value.Type) bool {
	if int(s)+n > len(v.p.Slots) {
		return false
	}
	for i := range n {
		if !fits(t, v.slotType(int(s)+i)) {
			return false
		}
	}
	return true
}

func (v *verifier) windowFields(s uint16, fields []value.Field) bool {
	if int(s)+len(fields) > len(v.p.Slots) {
		return false
	}
	for i := range fields {
		if !fits(fields[i].Type, v.slotType(int(s)+i)) {
			return false
		}
	}
	return true
}

// loopSlots is how many slots an OpNext writes, its counter included.
func (o Op) loopSlots() int {
	if o == OpNextIL || o == OpNextM {
		return 3
	}
	return 2
}

// loopFits checks counter, source and what the loop sets.
func (v *verifier) loopFits(in Ins) bool {
	if in.N == 0 || int(in.A)+in.Op.loopSlots() > len(v.p.Slots) {
		return false
	}
	for i := range in.Op.loopSlots() {
		if v.immutable(int(in.A) + i) {
			return false
		}
	}
	t := v.at(in.B)
	if !v.is(in.A, value.Int) {
		return false
	}
	first := v.at(in.A + 1)
	switch in.Op {
	case OpNextL:
		return t.Kind == value.List && fits(first, t.Elem)
	case OpNextIL:
		return t.Kind == value.List && first.Kind == value.Int && fits(v.at(in.A+2), t.Elem)
	case OpNextS:
		return t.Kind == value.Set && fits(first, t.Elem)
	case OpNextM:
		return t.Kind == value.Map && fits(first, t.Key) && fits(v.at(in.A+2), t.Elem)
	}
	return t.Kind == value.Int && first.Kind == value.Int
}

func (v *verifier) callFits(in Ins) bool {
	site := &v.p.Calls[in.C]
	if int(in.B)+len(site.Args) > len(v.p.Slots) {
		return false
	}
	for i, t := range site.Args {
		if !fits(v.p.Types[t], v.slotType(int(in.B)+i)) {
			return false
		}
	}
	return fits(v.at(in.A), v.p.Types[site.Result])
}
