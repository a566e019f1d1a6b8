package bytecode

// Ins is one instruction: an opcode, a small number, three operands. Where the table says ext,
// the next Ins of the code is no instruction but holds more operands (its Op is OpExt).
type Ins struct {
	Op      Op
	N       uint8
	A, B, C uint16
}

// Op is an opcode.
type Op uint8

// The opcodes. The comment is a picture of the registers; w is a type whose value lies in the
// word alone (bool, int, date, duration, enum), d a decimal, any type otherwise. Gas of a basic
// block is charged in one sum: at the entry of its chunk, by the N of the conditional jump that
// falls into it or of the plain jump that leads to it, or by an OpGas at its head when a
// conditional jump leads to it. A jump to a stub that only ends the rule charges nothing, nor does
// one back to the head of a loop: the N of the OpNext holds the head's cost for the next round.
//
// What the verifier asks for: the types of the operands are those of the picture; a value of T
// may stand where a T? is due, but not as the result of arithmetic or of a comparison, which need
// a slot of exactly their type. A jump goes forward, or back to the OpNext at the
// head of a loop; loops nest, and nothing inside one writes its counter (a) or its source (b).
// The N of every OpNext and the Gas of every chunk are at least 1. Code after an OpDone,
// OpReject, OpViolate, OpRet or OpJump is reached by jumps only and is otherwise dead.
const (
	OpExt Op = iota // operands of the instruction before
	OpGas           // charge C gas
	// a := b; also T to T?, and T? to T, which faults absent_key when b is none
	OpMove
	OpMoveW // a := b, w; also of a T? that is present

	OpJump     // go on at c; charge N
	OpJumpIf   // if a: go on at c, else charge N
	OpJumpNot  // if not a: go on at c, else charge N
	OpJumpNone // if a is none: go on at c, else charge N
	OpJumpSome // if a is some: go on at c, else charge N
	OpJumpEqW  // if a == b: go on at c, else charge N; w
	OpJumpNeW  // if a != b
	OpJumpLtW  // if a < b
	OpJumpLeW  // if a <= b
	OpJumpEqD  // the same for decimals
	OpJumpNeD
	OpJumpLtD
	OpJumpLeD
	OpJumpEq // the same for any type, by the type of slot a
	OpJumpNe
	OpJumpLt
	OpJumpLe

	OpCall    // run chunk c; its parameters have been set, its result is read after
	OpRet     // end of a called chunk, or of a chunk that the machine runs for its result; not of a decide
	OpDone    // the command is accepted
	OpReject  // refuse with code c; with N = 1 the message is in a, a string
	OpViolate // refuse: invariant c does not hold
	OpEmit    // keep the event whose slots were set: event c, which is current

	OpNot // a := not b
	OpEqW // a := b == c, w
	OpNeW // a := b != c
	OpLtW // a := b < c
	OpLeW // a := b <= c
	OpEqD // the same for decimals
	OpNeD
	OpLtD
	OpLeD
	OpEq // the same for any type, by the type of slot b
	OpNe
	OpLt
	OpLe
	OpIsNone // a := b is none
	OpIsSome // a := b is some
	OpIn     // a := b in c, a set or a map's keys

	OpAddI // a := b + c, int or duration; faults overflow
	OpSubI
	OpMulI
	OpDivI // toward zero; faults division_by_zero, overflow
	OpModI
	OpNegI // a := -b
	OpAbsI
	OpMinI
	OpMaxI

	OpAddD // a := b + c, decimal; faults inexact, overflow
	OpSubD
	OpMulD
	OpNegD
	OpAbsD
	OpMinD
	OpMaxD
	OpRoundD    // a := round(b, scale c, mode N)
	OpMulRoundD // a := round(b * c, scale ext.A, mode N), with the faults of the two apart
	OpDivD      // a := div(b, c, scale ext.A, mode N)
	OpDecI      // a := decimal(b)
	OpIntD      // a := int(b); faults not_whole, overflow

	OpConcat // a := the C strings from b on, joined
	OpRecord // a := a record of a's type from the slots b, b+1, …
	OpField  // a := field c of b
	OpWith   // a := b with field c := ext.A

	OpList    // a := a list of the C elements from b on
	OpMapOf   // a := a map of the keys in list b and the values in list c, of one length; of equal keys the last wins
	OpIndexL  // a := b[c]; faults index
	OpIndexM  // a := b[c]; faults absent_key
	OpTryL    // a := b[c]?, a T?, none when absent
	OpTryM    // a := b[c]?
	OpSetL    // a := b with [c] := ext.A; faults index
	OpSetM    // a := b with [c] := ext.A
	OpAppend  // a := b with c at its end
	OpInsert  // a := b with member c, a set
	OpRemoveL // a := b without [c]; faults index
	OpRemoveM // a := b without key or member c, if it is there
	OpLen     // a := len(b), list, set or map

	// Loops. The counter a is an int slot that the code sets to 0 (or the range's start) before.
	OpNextL  // if a < len(b): a+1 := b[a], a++, charge N; else go on at c
	OpNextIL // the same, a+1 := the index, a+2 := the element
	OpNextS  // the same over a set: a+1 := the member
	OpNextM  // the same over a map: a+1 := the key, a+2 := the value
	OpNextR  // if a < b: a+1 := a, a++, charge N; else go on at c

	// Cell c of an element is field c of a record, else 0.
	OpSumColD // a := sum of cell c of each element of b (list or map), decimal
	OpSumColI // the same, int or duration

	OpBuiltin // a := call site c with its arguments from b on
	OpBound   // check a against the bounds of type c at every depth, with N = 1 its own length alone; faults bound
	opCount
)
