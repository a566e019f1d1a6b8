package vm

import (
	"fmt"
	"testing"

	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// What is multiplied by a rate: plain and not, of each sign, at a half and at the bounds below.
var rated = []string{"0", "0.00", "50", "49.99", "50.01", "-50", "75.12", "12.5", "150.5", "-250", "50.0000000000000000000000000000",
	"720575940379279.35", "-720575940379279.36", "7205759403792793600", "0.0000000000000000000000000000000001", "0.12345678901234567", "-1234567890123456789012345678901234"}

// TestRate: the instruction that multiplies by a constant, rounds to a constant scale and looks
// at a constant bound does what the instructions do that it stands for.
func TestRate(t *testing.T) {
	type bound struct {
		op    bytecode.Op
		konst string
		first bool // the constant is operand b
	}
	bounds := []bound{{}}
	for _, op := range []bytecode.Op{bytecode.OpMaxD, bytecode.OpMinD} {
		for _, k := range []string{"0.5", "0.50", "0", "-2.5", "0.505", "36028797018963967", "1234567890123456789012345678901234"} {
			bounds = append(bounds, bound{op, k, false}, bound{op, k, true})
		}
	}
	fused := map[bytecode.Op]int{}
	for _, rate := range []string{"0.01", "0.190", "1", "0", "3", "0.0000000000000000000000001", "-0.01", "12345678901234567890"} {
		for _, places := range []string{"2", "0", "34", "35", "-1"} {
			for _, b := range bounds {
				for _, x := range rated {
					a := newOpAsm(t)
					slots := [4]uint16{a.place(is(tDec, x)), a.place(is(tDec, rate)), a.place(is(tInt, places))}
					if b.op != 0 {
						slots[3] = a.place(is(tDec, b.konst))
					}
					a.state()
					product, dst := a.slot(tDec), a.slot(tDec)
					code := []bytecode.Ins{opN(bytecode.OpMulRoundD, uint8(value.HalfEven), product, slots[0], slots[1]), extra(slots[2])}
					e := bytecode.Eval{Result: product}
					switch e.Result = dst; {
					case b.op == 0:
						e.Result = product
					case b.first:
						code = append(code, op(b.op, dst, slots[3], product))
					default:
						code = append(code, op(b.op, dst, product, slots[3]))
					}
					e.Chunk = a.chunk("op", append(code, op(bytecode.OpRet))...)
					a.p.Tests = []bytecode.Eval{e}
					p := a.load()
					fused[p.code[1].op]++
					both(t, p, e)
					if t.Failed() {
						t.Fatalf("%s times %s to %s places, %s %s first %v", x, rate, places, b.op, b.konst, b.first)
					}
				}
			}
		}
	}
	for _, op := range []bytecode.Op{opRate, opRateMax, opRateMin, bytecode.OpMulRoundD} {
		if fused[op] == 0 {
			t.Errorf("opcode %d was not made", op)
		}
	}
}

// TestNegative: a jump if less than zero is taken as for any other number.
func TestNegative(t *testing.T) {
	for _, zero := range []string{"0", "0.00", "0.1"} {
		for _, x := range rated {
			a := newOpAsm(t)
			num, k := a.place(is(tDec, x)), a.place(is(tDec, zero))
			one := a.konst(tInt, value.MakeInt(1))
			a.state()
			dst := a.slot(tInt)
			chunk := a.chunk("op", opN(bytecode.OpJumpLtD, 3, num, k, 2), op(bytecode.OpMoveW, dst, one), op(bytecode.OpRet))
			e := bytecode.Eval{Chunk: chunk, Result: dst}
			a.p.Tests = []bytecode.Eval{e}
			p := a.load()
			if is := p.code[1].op == opJumpNegD; is != (zero != "0.1") {
				t.Errorf("against %s: got opcode %d", zero, p.code[1].op)
			}
			both(t, p, e)
		}
	}
}

// TestMovesEmit: moves to all the slots of an event, in any order, and its emit are one
// instruction; a jump into them runs what is left of them.
func TestMovesEmit(t *testing.T) {
	fields := []value.Field{{Name: "n", Type: tInt}, {Name: "s", Type: tTextOpt}, {Name: "d", Type: tDec}}
	for i, c := range []struct {
		moves [][2]uint16 // field, and which of the constants
		jump  uint16
		fused bool
		want  string
	}{
		{[][2]uint16{{0, 0}, {1, 1}, {2, 2}}, 1, true, `{"n":7,"s":"a","d":1.50}`},
		{[][2]uint16{{2, 2}, {0, 0}, {1, 1}}, 1, true, `{"n":7,"s":"a","d":1.50}`},
		{[][2]uint16{{0, 0}, {1, 1}, {2, 2}}, 2, true, `{"n":0,"s":"a","d":1.50}`},
		{[][2]uint16{{0, 0}, {1, 1}, {2, 2}}, 4, true, `{"n":0,"s":null,"d":0}`},
		{[][2]uint16{{1, 1}, {2, 2}}, 1, false, `{"n":0,"s":"a","d":1.50}`},
		{[][2]uint16{{1, 1}, {2, 2}, {2, 3}}, 1, false, `{"n":0,"s":"a","d":1234567890123456789012345678.00}`},
	} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			a := newOpAsm(t)
			from := a.place(window(is(tInt, `7`), is(tText, `"a"`), is(tDec, `1.50`), is(tDec, `1234567890123456789012345678.00`)))
			a.state()
			ev := a.fields(fields)
			code := []bytecode.Ins{opN(bytecode.OpJump, 1, 0, 0, c.jump)}
			for _, m := range c.moves {
				code = append(code, op(bytecode.OpMove, ev+m[0], from+m[1]))
			}
			decide := a.chunk("decide", append(code, op(bytecode.OpEmit), op(bytecode.OpDone))...)
			ret := a.chunk("nothing", op(bytecode.OpRet))
			a.p.Commands = []bytecode.Command{{Name: "go", Decide: decide, CreateElse: bytecode.Refusal{Message: bytecode.Eval{Chunk: bytecode.NoChunk}}}}
			a.p.Events = []bytecode.Event{{Name: "gone", Version: 1, Current: true, Fields: fields, Base: ev, Apply: ret}}
			p := a.load()
			if got := p.code[2].op == opMovesEmit; got != c.fused {
				t.Errorf("fused is %v", got)
			}
			for _, traced := range []bool{false, true} {
				m := newMachine(p)
				if traced {
					m.SetTrace(func(Step) {})
				}
				for range 2 { // the second time there is room
					copy(m.frame, p.template)
					if out := m.Decide(0, nil, noCtx, true, 100); out.Kind != Accepted {
						t.Fatal(out)
					}
					if got := string(m.AppendEvent(nil, 0)); got != c.want || m.Events() != 1 {
						t.Errorf("traced %v: got %s", traced, got)
					}
				}
			}
		})
	}
}
