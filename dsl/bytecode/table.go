package bytecode

// Kind is what an operand means.
type Kind uint8

// The kinds of operand. N, A, B and C of an instruction each have one, and so has the A of the
// ext word behind it.
const (
	None   Kind = iota // not used, 0
	Dst                // slot, written
	Src                // slot, read
	Loop               // slot of a loop's counter, read and written; what the loop sets follows it
	Window             // slot, the first of several that are read
	Number             // a count
	Charge             // gas
	Round              // value.Mode
	Flag               // 1 when A is in use
	Own                // 1 when only the value's own length counts
	Target             // index of an instruction of this chunk
	Callee             // index into Chunks
	EventOf
	CodeOf
	InvariantOf
	TypeOf
	SiteOf
	FieldOf // field of a record
	CellOf  // cell of an element
)

var kindNames = [...]string{"", "dst", "src", "loop", "window", "number", "gas", "mode", "flag", "own",
	"target", "chunk", "event", "code", "invariant", "type", "site", "field", "cell"}

func (k Kind) String() string { return kindNames[k] }

// Data is what an opcode is charged for beyond its base, before it works.
type Data uint8

// The charges in proportion to data. Sizes are those of the operands when the opcode begins.
const (
	NoData    Data = iota
	PerRow         // 1 for each element of b
	PerFind        // FindCost of the container's length
	PerCopy        // CopyCost of the cells of b; of a map or set FindCost besides
	PerAppend      // AppendCost of the cells of b
	PerByte        // BytesCost of the bytes that are made
	PerPair        // 1 for each element and BytesCost of the strings, of the smaller operand; nothing for scalars
	PerCall        // value.Cost of the call
	PerList        // 1 for each of the C elements
	PerLength      // what has to be looked at, if the length of a does not settle it
	PerSort        // SortCost of the elements of b, CopyCost of the cells made and the size of the keys
)

var dataNames = [...]string{"", "elements", "the search", "cells copied", "cells before", "bytes made", "what is compared", "the call", "C", "what is looked at", "the sort"}

func (d Data) String() string { return dataNames[d] }

// Info is one row of the table of opcodes.
type Info struct {
	Name    string
	N       Kind
	A, B, C Kind
	X       Kind // A of the ext word; None: there is none
	Gas     uint8
	Data    Data
	Doc     string
}

// ops is the one table: encoder, verifier, disassembler, trace, static gas and docs/bytecode.md
// read it.
var ops = [opCount]Info{
	OpExt:   {"ext", None, Src, None, None, None, 0, NoData, "operands of the instruction before"},
	OpGas:   {"gas", None, None, None, Charge, None, 0, NoData, "charge c gas"},
	OpMove:  {"move", None, Dst, Src, None, None, 1, NoData, "a := b; from T to T? too, and back, which faults absent_key when b is none"},
	OpMoveW: {"move.w", None, Dst, Src, None, None, 1, NoData, "a := b, w"},

	OpJump:     {"jump", Charge, None, None, Target, None, 1, NoData, "go on at c"},
	OpJumpIf:   {"jif", Charge, Src, None, Target, None, 1, NoData, "go on at c if a"},
	OpJumpNot:  {"jnot", Charge, Src, None, Target, None, 1, NoData, "go on at c if not a"},
	OpJumpNone: {"jnone", Charge, Src, None, Target, None, 1, NoData, "go on at c if a is none"},
	OpJumpSome: {"jsome", Charge, Src, None, Target, None, 1, NoData, "go on at c if a is some"},
	OpJumpEqW:  {"jeq.w", Charge, Src, Src, Target, None, 1, NoData, "go on at c if a == b, w"},
	OpJumpNeW:  {"jne.w", Charge, Src, Src, Target, None, 1, NoData, "go on at c if a != b, w"},
	OpJumpLtW:  {"jlt.w", Charge, Src, Src, Target, None, 1, NoData, "go on at c if a < b, w"},
	OpJumpLeW:  {"jle.w", Charge, Src, Src, Target, None, 1, NoData, "go on at c if a <= b, w"},
	OpJumpEqD:  {"jeq.d", Charge, Src, Src, Target, None, 2, NoData, "go on at c if a == b, decimals"},
	OpJumpNeD:  {"jne.d", Charge, Src, Src, Target, None, 2, NoData, "go on at c if a != b, decimals"},
	OpJumpLtD:  {"jlt.d", Charge, Src, Src, Target, None, 2, NoData, "go on at c if a < b, decimals"},
	OpJumpLeD:  {"jle.d", Charge, Src, Src, Target, None, 2, NoData, "go on at c if a <= b, decimals"},
	OpJumpEq:   {"jeq", Charge, Src, Src, Target, None, 2, PerPair, "go on at c if a == b"},
	OpJumpNe:   {"jne", Charge, Src, Src, Target, None, 2, PerPair, "go on at c if a != b"},
	OpJumpLt:   {"jlt", Charge, Src, Src, Target, None, 2, PerPair, "go on at c if a < b"},
	OpJumpLe:   {"jle", Charge, Src, Src, Target, None, 2, PerPair, "go on at c if a <= b"},

	OpCall:    {"call", None, None, None, Callee, None, 2, NoData, "run chunk c"},
	OpRet:     {"ret", None, None, None, None, None, 1, NoData, "back to the caller"},
	OpDone:    {"done", None, None, None, None, None, 1, NoData, "the command is accepted"},
	OpReject:  {"reject", Flag, Src, None, CodeOf, None, 1, NoData, "refuse with code c and, if flagged, message a"},
	OpViolate: {"violate", None, None, None, InvariantOf, None, 1, NoData, "refuse: invariant c does not hold"},
	OpEmit:    {"emit", None, None, None, EventOf, None, 8, NoData, "keep event c"},

	OpNot:    {"not", None, Dst, Src, None, None, 1, NoData, "a := not b"},
	OpEqW:    {"eq.w", None, Dst, Src, Src, None, 1, NoData, "a := b == c, w"},
	OpNeW:    {"ne.w", None, Dst, Src, Src, None, 1, NoData, "a := b != c, w"},
	OpLtW:    {"lt.w", None, Dst, Src, Src, None, 1, NoData, "a := b < c, w"},
	OpLeW:    {"le.w", None, Dst, Src, Src, None, 1, NoData, "a := b <= c, w"},
	OpEqD:    {"eq.d", None, Dst, Src, Src, None, 2, NoData, "a := b == c, decimals"},
	OpNeD:    {"ne.d", None, Dst, Src, Src, None, 2, NoData, "a := b != c, decimals"},
	OpLtD:    {"lt.d", None, Dst, Src, Src, None, 2, NoData, "a := b < c, decimals"},
	OpLeD:    {"le.d", None, Dst, Src, Src, None, 2, NoData, "a := b <= c, decimals"},
	OpEq:     {"eq", None, Dst, Src, Src, None, 2, PerPair, "a := b == c"},
	OpNe:     {"ne", None, Dst, Src, Src, None, 2, PerPair, "a := b != c"},
	OpLt:     {"lt", None, Dst, Src, Src, None, 2, PerPair, "a := b < c"},
	OpLe:     {"le", None, Dst, Src, Src, None, 2, PerPair, "a := b <= c"},
	OpIsNone: {"isnone", None, Dst, Src, None, None, 1, NoData, "a := b is none"},
	OpIsSome: {"issome", None, Dst, Src, None, None, 1, NoData, "a := b is some"},
	OpIn:     {"in", None, Dst, Src, Src, None, 4, PerFind, "a := b in c, a set or a map's keys"},

	OpAddI: {"add.i", None, Dst, Src, Src, None, 1, NoData, "a := b + c; faults overflow"},
	OpSubI: {"sub.i", None, Dst, Src, Src, None, 1, NoData, "a := b - c; faults overflow"},
	OpMulI: {"mul.i", None, Dst, Src, Src, None, 1, NoData, "a := b * c; faults overflow"},
	OpDivI: {"div.i", None, Dst, Src, Src, None, 2, NoData, "a := b / c toward zero; faults division_by_zero, overflow"},
	OpModI: {"mod.i", None, Dst, Src, Src, None, 2, NoData, "a := b % c; faults division_by_zero"},
	OpNegI: {"neg.i", None, Dst, Src, None, None, 1, NoData, "a := -b; faults overflow"},
	OpAbsI: {"abs.i", None, Dst, Src, None, None, 1, NoData, "a := |b|; faults overflow"},
	OpMinI: {"min.i", None, Dst, Src, Src, None, 1, NoData, "a := the lesser of b and c"},
	OpMaxI: {"max.i", None, Dst, Src, Src, None, 1, NoData, "a := the greater of b and c"},

	OpAddD:      {"add.d", None, Dst, Src, Src, None, 2, NoData, "a := b + c; faults inexact, overflow"},
	OpSubD:      {"sub.d", None, Dst, Src, Src, None, 2, NoData, "a := b - c; faults inexact, overflow"},
	OpMulD:      {"mul.d", None, Dst, Src, Src, None, 2, NoData, "a := b * c; faults inexact, overflow"},
	OpNegD:      {"neg.d", None, Dst, Src, None, None, 2, NoData, "a := -b"},
	OpAbsD:      {"abs.d", None, Dst, Src, None, None, 2, NoData, "a := |b|"},
	OpMinD:      {"min.d", None, Dst, Src, Src, None, 2, NoData, "a := the lesser of b and c, b when equal"},
	OpMaxD:      {"max.d", None, Dst, Src, Src, None, 2, NoData, "a := the greater of b and c, b when equal"},
	OpRoundD:    {"round.d", Round, Dst, Src, Src, None, 4, NoData, "a := round(b, scale c, mode n); faults range, inexact"},
	OpMulRoundD: {"mulround.d", Round, Dst, Src, Src, Src, 6, NoData, "a := round(b * c, scale x, mode n); faults as mul.d and then round.d"},
	OpDivD:      {"div.d", Round, Dst, Src, Src, Src, 6, NoData, "a := div(b, c, scale x, mode n); faults range, division_by_zero, inexact, overflow"},
	OpDecI:      {"dec.i", None, Dst, Src, None, None, 1, NoData, "a := decimal(b)"},
	OpIntD:      {"int.d", None, Dst, Src, None, None, 2, NoData, "a := int(b); faults not_whole, overflow"},

	OpConcat: {"concat", None, Dst, Window, Number, None, 4, PerByte, "a := the c strings from b on, joined"},
	OpRecord: {"record", None, Dst, Window, None, None, 4, NoData, "a := a record of the slots from b on"},
	OpField:  {"field", None, Dst, Src, FieldOf, None, 1, NoData, "a := field c of b"},
	OpWith:   {"with", None, Dst, Src, FieldOf, Src, 4, NoData, "a := b with field c := x"},

	OpList:    {"list", None, Dst, Window, Number, None, 4, PerList, "a := a list of the c elements from b on"},
	OpMapOf:   {"mapof", None, Dst, Src, Src, None, 6, PerSort, "a := a map of the keys in list b and the values in list c; of equal keys the last wins; faults index when their lengths differ"},
	OpIndexL:  {"index.l", None, Dst, Src, Src, None, 2, NoData, "a := b[c]; faults index"},
	OpIndexM:  {"index.m", None, Dst, Src, Src, None, 4, PerFind, "a := b[c]; faults absent_key"},
	OpTryL:    {"try.l", None, Dst, Src, Src, None, 2, NoData, "a := b[c]?"},
	OpTryM:    {"try.m", None, Dst, Src, Src, None, 4, PerFind, "a := b[c]?"},
	OpSetL:    {"set.l", None, Dst, Src, Src, Src, 4, PerCopy, "a := b with [c] := x; faults index"},
	OpSetM:    {"set.m", None, Dst, Src, Src, Src, 6, PerCopy, "a := b with [c] := x"},
	OpAppend:  {"append", None, Dst, Src, Src, None, 4, PerAppend, "a := b with c at its end"},
	OpInsert:  {"insert", None, Dst, Src, Src, None, 6, PerCopy, "a := b with member c"},
	OpRemoveL: {"remove.l", None, Dst, Src, Src, None, 4, PerCopy, "a := b without [c]; faults index"},
	OpRemoveM: {"remove.m", None, Dst, Src, Src, None, 6, PerCopy, "a := b without key or member c"},
	OpLen:     {"len", None, Dst, Src, None, None, 1, NoData, "a := len(b), list, set or map"},

	OpNextL:  {"next.l", Charge, Loop, Src, Target, None, 2, NoData, "next element of list b in a+1, or go on at c"},
	OpNextIL: {"next.il", Charge, Loop, Src, Target, None, 2, NoData, "next index and element of list b in a+1, a+2, or go on at c"},
	OpNextS:  {"next.s", Charge, Loop, Src, Target, None, 2, NoData, "next member of set b in a+1, or go on at c"},
	OpNextM:  {"next.m", Charge, Loop, Src, Target, None, 2, NoData, "next key and value of map b in a+1, a+2, or go on at c"},
	OpNextR:  {"next.r", Charge, Loop, Src, Target, None, 2, NoData, "next number below b in a+1, or go on at c"},

	OpSumColD: {"sum.d", None, Dst, Src, CellOf, None, 2, PerRow, "a := sum of cell c of each element of b; faults inexact, overflow"},
	OpSumColI: {"sum.i", None, Dst, Src, CellOf, None, 2, PerRow, "a := sum of cell c of each element of b; faults overflow"},

	OpBuiltin: {"builtin", None, Dst, Window, SiteOf, None, 4, PerCall, "a := call site c with the arguments from b on"},
	OpBound:   {"bound", Own, Src, None, TypeOf, None, 1, PerLength, "check a against the bounds of type c at every depth, or its own length alone; faults bound"},
}

// Info gives the row of an opcode; an unknown one has an empty name.
func (o Op) Info() Info {
	if o >= opCount {
		return Info{}
	}
	return ops[o]
}

// String is the opcode's name.
func (o Op) String() string { return o.Info().Name }

// Gas is what the opcode is charged, data aside, as part of its block.
func (o Op) Gas() int { return int(o.Info().Gas) }

// HasExt tells whether an ext word follows.
func (o Op) HasExt() bool { return o < opCount && ops[o].X != None }

// Count is the number of opcodes; all below it are valid.
const Count = int(opCount)
