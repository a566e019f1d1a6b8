package bytecode

import (
	"strings"
	"testing"

	"github.com/cloudlysis/aggregate/dsl/value"
)

// The chunks of sample.
const (
	cFn = iota
	cApply
	cDecide
	cUpcast
	cWhere
)

// TestVerifyRefuses changes the sample in one place each.
func TestVerifyRefuses(t *testing.T) {
	code := func(p *Program, chunk int) []Ins { return p.Chunks[chunk].Code }
	for _, c := range []struct {
		name   string
		change func(*Program)
		want   string
	}{
		// tables
		{"no members", func(p *Program) { p.Enums[0].Members = nil }, "enum without members"},
		{"record of itself", func(p *Program) {
			p.Records[0].Fields[0].Type = &value.Type{Kind: value.List, Elem: &value.Type{Kind: value.Record, Record: p.Records[0]}}
		}, "holds itself"},
		{"no fields", func(p *Program) { p.Records[0].Fields = nil }, "without fields"},
		{"foreign enum", func(p *Program) {
			p.Types = append(p.Types, &value.Type{Kind: value.Enum, Enum: &value.EnumType{Name: "X", Members: []value.Member{{}}}})
		}, "unknown enum"},
		{"optional of optional", func(p *Program) {
			p.Types = append(p.Types, &value.Type{Kind: value.Optional, Elem: &value.Type{Kind: value.Optional, Elem: value.IntType}})
		}, "optional of an optional"},
		{"key of decimals", func(p *Program) {
			p.Types = append(p.Types, &value.Type{Kind: value.Set, Elem: value.DecimalType})
		}, "is no key"},
		{"invalid type", func(p *Program) { p.Types = append(p.Types, value.InvalidType) }, "a type of kind 0"},
		{"missing part", func(p *Program) { p.Types = append(p.Types, &value.Type{Kind: value.List}) }, "missing or too deep"},
		{"call site of other types", func(p *Program) { p.Calls[0].Builtin = value.Split }, "does not take these types"},
		{"pattern", func(p *Program) { p.Calls[0].Pattern = "(" }, "pattern"},
		{"path with too few gaps", func(p *Program) { p.Calls[3].Path = []string{"a"} }, "does not take these types"},
		{"index path", func(p *Program) { p.Indexes[0].Fields = []uint16{1} }, "index count: no field 1"},
		{"index type", func(p *Program) { p.Indexes[0].Field = 1 }, "index count: another type"},
		// layout
		{"slot without type", func(p *Program) { p.Slots[20] = 999 }, "no type 999"},
		{"state over constants", func(p *Program) { p.StateBase = 0; p.State = p.State[:1] }, "overlap"},
		{"state of another type", func(p *Program) { p.State[2].Type = value.StringType }, "does not fit slot"},
		{"ctx elsewhere", func(p *Program) { p.CtxBase++ }, "ctx does not fit"},
		{"command in the state", func(p *Program) { p.Commands[0].Fields = p.State[:1]; p.Commands[0].Base = p.StateBase }, "lies in slot"},
		{"command out of the frame", func(p *Program) { p.Commands[0].Base = 60000 }, "not in the frame"},
		{"event without fields out of the frame", func(p *Program) { p.Events[0].Fields, p.Events[0].Base = nil, 60000 }, "not in the frame"},
		{"old of another type", func(p *Program) { p.Commands[0].Old[0].Field = 1 }, "old: state field 1"},
		{"old in a constant", func(p *Program) { p.Commands[0].Old[0].Slot = 0 }, "old: state field 0"},
		// instructions
		{"empty chunk", func(p *Program) { p.Chunks[cFn].Code = nil }, "0 instructions"},
		{"free chunk", func(p *Program) { p.Chunks[cFn].Gas = 0 }, "costs nothing"},
		{"lines out of order", func(p *Program) { p.Chunks[cFn].Lines[1].PC = 0 }, "lines out of order"},
		{"unknown file", func(p *Program) { p.Chunks[cFn].Lines[0].File = 7 }, "unknown file"},
		{"unknown opcode", func(p *Program) { code(p, cFn)[0].Op = opCount }, "no such opcode"},
		{"a lone ext", func(p *Program) { code(p, cFn)[0].Op = OpExt }, "no such opcode here"},
		{"missing ext", func(p *Program) { code(p, cFn)[0].Op = OpWith }, "ext word is missing"},
		{"slot out of the frame", func(p *Program) { code(p, cFn)[0].B = 999 }, "no src 999"},
		{"writes a constant", func(p *Program) { code(p, cFn)[0].A = 0 }, "constant or ctx"},
		{"writes ctx", func(p *Program) { code(p, cFn)[0] = Ins{OpMoveW, 0, p.CtxBase + 4, 0, 0} }, "constant or ctx"},
		{"types", func(p *Program) { code(p, cFn)[0].Op = OpAddD }, "types of its operands"},
		{"bare word of a text", func(p *Program) { code(p, cFn)[0].Op, code(p, cFn)[0].B = OpMoveW, 1 }, "types of its operands"},
		{"no such chunk", func(p *Program) { code(p, cDecide)[0].C = 99 }, "no chunk 99"},
		{"no such event", func(p *Program) { code(p, cDecide)[4].C = 9 }, "no event 9"},
		{"event that is not current", func(p *Program) { code(p, cDecide)[4].C = 0 }, "types of its operands"},
		{"no such code", func(p *Program) { code(p, cDecide)[10].C = 9 }, "no code 9"},
		{"no such site", func(p *Program) { code(p, cDecide)[6].C = 9 }, "no site 9"},
		{"no such field", func(p *Program) { code(p, cDecide)[3].C = 2 }, "types of its operands"},
		{"no such mode", func(p *Program) { code(p, cFn)[0] = Ins{OpRoundD, 7, 1, 1, 0} }, "no such mode"},
		{"message that is no text", func(p *Program) { code(p, cDecide)[10].A = 0 }, "types of its operands"},
		{"window over the end", func(p *Program) {
			code(p, cWhere)[0] = Ins{OpConcat, 0, code(p, cWhere)[0].B, uint16(len(p.Slots) - 1), 2}
		}, "types of its operands"},
		{"code that goes on", func(p *Program) { code(p, cFn)[1].Op = OpGas }, "the code ends here"},
		{"free loop", func(p *Program) { code(p, cDecide)[2].N = 0 }, "types of its operands"},
		// flow
		{"jump to nowhere", func(p *Program) { code(p, cDecide)[7].C = 99 }, "jumps to no instruction"},
		{"jump back to no loop", func(p *Program) { code(p, cDecide)[7].C = 6 }, "not to the head of a loop"},
		{"endless jump", func(p *Program) { code(p, cDecide)[5].C = 5 }, "not to the head of a loop"},
		{"loop that exits backward", func(p *Program) { code(p, cDecide)[2].C = 2 }, "not to the head of a loop"},
		{"loop that sets its counter", func(p *Program) { code(p, cDecide)[3] = Ins{OpMoveW, 0, code(p, cDecide)[2].A, 0, 0} }, "counter or the source"},
		{"call in a loop that sets its counter", func(p *Program) { code(p, cDecide)[3] = Ins{Op: OpCall, C: cFn} }, "what it calls writes"},
		{"loop over what it writes", func(p *Program) {
			c := code(p, cDecide)
			c[2].B = p.StateBase + 1
			c[3] = Ins{OpMove, 0, p.StateBase + 1, 3, 0}
		}, "counter or the source"},
		{"calls itself", func(p *Program) { code(p, cFn)[0] = Ins{Op: OpCall, C: cFn} }, "calls itself"},
		{"calls itself through another", func(p *Program) {
			code(p, cFn)[0] = Ins{Op: OpCall, C: cApply}
			code(p, cApply)[0] = Ins{Op: OpCall, C: cFn}
		}, "calls itself"},
		// roots
		{"emit in an apply", func(p *Program) { code(p, cApply)[0] = Ins{Op: OpEmit, C: 1} }, "may not emit"},
		{"end in a function", func(p *Program) { code(p, cFn)[1] = Ins{Op: OpDone} }, "may not emit or end"},
		{"return in a decide", func(p *Program) { code(p, cDecide)[9] = Ins{Op: OpRet} }, "a decide ends with"},
		{"reads more than it says", func(p *Program) { p.Commands[0].Reads = nil }, "may read state field count"},
		{"writes more than it says", func(p *Program) { p.Events[1].Writes = nil }, "may write state field count"},
		{"says too much", func(p *Program) { p.Commands[0].Writes = []uint16{0, 9} }, "no state field 9"},
		{"upcast that reads the state", func(p *Program) { code(p, cUpcast)[0] = Ins{OpMoveW, 0, p.Events[1].Base, p.StateBase, 0} }, "may read state"},
		{"derive that writes the state", func(p *Program) { code(p, cFn)[0].A = p.StateBase }, "may not write the state"},
		{"where that reads ctx", func(p *Program) { code(p, cWhere)[0].B = p.CtxBase + 3 }, "may not read ctx"},
		{"where without its parameters", func(p *Program) { p.Commands[0].Wheres[0].Params = nil }, "no such field"},
		{"where over the command", func(p *Program) { p.Commands[0].Wheres[0].Params[1] = p.Commands[0].Base + 1 }, "overwritten before the decide"},
		{"no apply", func(p *Program) { p.Events[1].Apply = NoChunk }, "no chunk"},
		{"upcasts in a circle", func(p *Program) { p.Events[0].Next = 0 }, "lead to no current event"},
		{"result of another type", func(p *Program) { p.Derives[0].Result = 1 }, "result has another type"},
		{"shown that is no text", func(p *Program) { p.Invariants[0].Shown[0].Result = 0 }, "result has another type"},
		{"wheres of no record", func(p *Program) { p.Wheres[0].Record = 3 }, "which is none"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := sample()
			c.change(p)
			err := Verify(p)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}

// TestLoopsNest: loops one within another are fine, loops that overlap are not, since each
// could start the other again.
func TestLoopsNest(t *testing.T) {
	two := func(second, first uint16) *Program {
		p := sample()
		n := uint16(len(p.Slots))
		for range 4 {
			p.Slots = append(p.Slots, p.Slots[0])
		}
		p.Chunks[cFn].Code = []Ins{
			{OpNextR, 1, n, p.StateBase, 5},
			{OpNextR, 1, n + 2, p.StateBase, 4},
			{OpMoveW, 0, p.Derives[0].Result, n + 3, 0},
			{OpJump, 1, 0, 0, second},
			{OpJump, 1, 0, 0, first},
			{Op: OpRet},
		}
		return p
	}
	if err := Verify(two(1, 0)); err != nil {
		t.Errorf("nested: %v", err)
	}
	p := two(1, 0)
	p.Chunks[cFn].Code[0].C = 4 // when it is done it meets its own jump back
	if err := Verify(p); err == nil || !strings.Contains(err.Error(), "exits into itself") {
		t.Errorf("a loop that exits into itself: got %v", err)
	}
	p = two(0, 1)
	p.Chunks[cFn].Code[1].C = 5
	if err := Verify(p); err == nil || !strings.Contains(err.Error(), "loops overlap") {
		t.Errorf("overlapping: got %v", err)
	}
}

// TestUnusedMessage: what the a of a reject without a message holds is no read.
func TestUnusedMessage(t *testing.T) {
	p := sample()
	p.Chunks[cDecide].Code[10] = Ins{OpReject, 0, p.StateBase + 1, 0, 0}
	if err := Verify(p); err != nil {
		t.Error(err)
	}
}

// TestEffects: what a chunk does includes what it calls does.
func TestEffects(t *testing.T) {
	fx, err := Analyze(sample())
	if err != nil {
		t.Fatal(err)
	}
	d := fx.Chunks[cDecide]
	if !d.Reads.Has(0) || !d.Writes.Has(0) || d.Reads.Has(1) || !d.Decides || !d.Ends {
		t.Errorf("decide: %+v", d)
	}
	if got := fx.Chunks[cFn]; len(got.Writes.Members()) != 0 || got.Decides {
		t.Errorf("fn: %+v", got)
	}
}
