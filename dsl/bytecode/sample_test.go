package bytecode

import (
	"github.com/cloudlysis/aggregate/dsl/value"
)

// sample is a program with something in every table. It is made by hand, so that this package
// is tested without the compiler.
func sample() *Program {
	p := &Program{Name: "Sample", Final: NoChunk, Files: []string{"sample.agg"}, Codes: []string{"no"}, Roles: []string{"teller"},
		Creates: true, SnapshotEvery: 10, Gas: 5000}
	status := &value.EnumType{Name: "Status", Ordered: true, Members: []value.Member{{Name: "open", Wire: "O"}, {Name: "done", Wire: "done"}}}
	enum := &value.Type{Kind: value.Enum, Enum: status}
	line := &value.RecordType{Name: "Line", Fields: []value.Field{
		{Name: "qty", Type: value.IntType, HasDefault: true, Default: value.MakeInt(1)},
		{Name: "price", Type: &value.Type{Kind: value.Optional, Elem: value.DecimalType}}}}
	rec := &value.Type{Kind: value.Record, Record: line}
	lines := &value.Type{Kind: value.List, Elem: rec, Bound: 20}
	byName := &value.Type{Kind: value.Map, Key: value.StringType, Elem: value.DecimalType}
	tags := &value.Type{Kind: value.Set, Elem: value.StringType}
	price := line.Fields[1].Type
	p.Enums, p.Records = []*value.EnumType{status}, []*value.RecordType{line}

	typ := func(t *value.Type) uint16 {
		for i, u := range p.Types {
			if u == t {
				return uint16(i)
			}
		}
		p.Types = append(p.Types, t)
		return uint16(len(p.Types) - 1)
	}
	slot := func(t *value.Type) uint16 {
		p.Slots = append(p.Slots, typ(t))
		return uint16(len(p.Slots) - 1)
	}
	konst := func(t *value.Type, v value.V) uint16 {
		p.Consts = append(p.Consts, v)
		return slot(t)
	}
	text := func(s string) value.V { return value.MakeString(s) }
	d, _ := value.ParseDecimalText("1234567890123456789012345678901.50")
	when, _ := value.ParseTime("2026-11-24T10:00:00.123456789Z")
	list := value.NewBuilder(lines, 2)
	list.Append(value.MakeRecord([]value.V{value.MakeInt(2), d}))
	list.Append(value.MakeRecord([]value.V{value.MakeInt(3), value.None}))
	m := value.NewBuilder(byName, 2)
	m.Put(text("a"), d)
	m.Put(text("b"), value.V{})
	set := value.NewBuilder(tags, 1)
	set.Add(text("x"))
	js, _ := value.DecodeValue(value.JSONType, []byte(`{"a": [1, 2.50]}`), value.DecodeOptions{})

	zero := konst(value.IntType, value.V{})
	konst(value.DecimalType, d)
	konst(value.TimeType, when)
	konst(lines, list.Done())
	konst(byName, m.Done())
	konst(tags, set.Done())
	konst(value.JSONType, js)
	konst(enum, value.MakeInt(1))
	konst(value.UUIDType, value.MakeUUID([16]byte{1, 2, 3}))
	konst(value.BoolType, value.MakeBool(true))
	konst(value.DateType, value.MakeInt(-5))
	konst(value.DurationType, value.MakeInt(1e9))
	konst(price, value.None)
	msg := konst(value.StringType, text("grüße"))

	p.State = []value.Field{{Name: "count", Type: value.IntType}, {Name: "lines", Type: lines},
		{Name: "status", Type: enum, HasDefault: true, Default: value.MakeInt(1)}}
	p.StateBase = slot(value.IntType)
	slot(lines)
	slot(enum)
	st := p.StateBase
	p.CtxBase = uint16(len(p.Slots))
	for _, t := range CtxTypes() {
		slot(t)
	}
	none := Refusal{Message: Eval{Chunk: NoChunk}}
	chunk := func(name string, code ...Ins) uint16 {
		p.Chunks = append(p.Chunks, Chunk{Name: name, Gas: 3, Code: code, Lines: []Line{{PC: 0, Line: 7, Column: 2}, {PC: 1, Line: 8, Column: 4, Apply: true}}})
		return uint16(len(p.Chunks) - 1)
	}

	cmdLines, cmdNote := slot(lines), slot(value.StringType)
	n, e1 := slot(value.IntType), slot(rec)
	evOld, evNew := slot(value.StringType), slot(value.IntType)
	yes := slot(value.BoolType)
	str := slot(value.StringType)
	old := slot(value.IntType)

	fn := chunk("fn twice", Ins{OpAddI, 0, n, st, st}, Ins{Op: OpRet})
	apply := chunk("apply counted", Ins{OpAddI, 0, st, st, evNew}, Ins{Op: OpRet})
	p.Calls = []CallSite{
		{Builtin: value.Matches, Args: []uint16{typ(value.StringType)}, Result: typ(value.BoolType), Pattern: "^a+$"},
		{Builtin: value.Len, Args: []uint16{typ(value.StringType)}, Result: typ(value.IntType)},
		{Builtin: value.StringOf, Args: []uint16{typ(value.IntType)}, Result: typ(value.StringType)},
		{Builtin: value.JSONPath, Args: []uint16{typ(value.JSONType), typ(value.StringType)}, Result: typ(value.JSONType), Path: []string{"a.", ".b"}},
	}
	decide := chunk("decide count",
		Ins{Op: OpCall, C: fn},
		Ins{OpMoveW, 0, n, zero, 0},
		Ins{OpNextL, 5, n, cmdLines, 6},
		Ins{OpField, 0, evNew, e1, 0},
		Ins{Op: OpEmit, C: 1},
		Ins{OpJump, 1, 0, 0, 2},
		Ins{OpBuiltin, 0, yes, cmdNote, 0},
		Ins{OpJumpNot, 2, yes, 0, 10},
		Ins{Op: OpCall, C: apply},
		Ins{Op: OpDone},
		Ins{OpReject, 1, msg, 0, 0})
	upcast := chunk("upcast counted@1", Ins{OpBuiltin, 0, evNew, evOld, 1}, Ins{Op: OpRet})
	where := chunk("where note", Ins{OpBuiltin, 0, yes, str, 0}, Ins{Op: OpRet})
	posCount := chunk("invariant grows", Ins{OpLeW, 0, yes, old, st}, Ins{Op: OpRet})
	shown := chunk("shown", Ins{OpBuiltin, 0, str, st, 2}, Ins{Op: OpRet})
	p.Commands = []Command{{Name: "count", Creates: true, CreateElse: none, By: []string{"teller"},
		Fields: []value.Field{{Name: "lines", Type: lines}, {Name: "note", Type: value.StringType, HasDefault: true, Default: text("a")}},
		Base:   cmdLines, Decide: decide, Reads: []uint16{0}, Writes: []uint16{0}, Old: []OldField{{0, old}}}}
	strParams := slot(lines)
	p.Commands[0].Wheres = []Where{{Field: 1, Params: []uint16{strParams, str}, Eval: Eval{Chunk: where, Result: yes}, Text: "matches(note, `^a+$`)"}}
	p.Events = []Event{
		{Name: "counted", Version: 1, Fields: []value.Field{{Name: "text", Type: value.StringType}}, Base: evOld, Apply: NoChunk, Upcast: upcast, Next: 1},
		{Name: "counted", Version: 2, Current: true, Fields: []value.Field{{Name: "n", Type: value.IntType}}, Base: evNew, Apply: apply,
			Reads: []uint16{0}, Writes: []uint16{0}, Upcast: NoChunk},
	}
	p.Derives = []Derive{{Name: "twice", Type: typ(value.IntType), Eval: Eval{Chunk: fn, Result: n, Reads: []uint16{0}}}}
	p.Invariants = []Invariant{{Name: "grows", Text: "state.count >= old.count", Eval: Eval{Chunk: posCount, Result: yes, Reads: []uint16{0}},
		Old: []OldField{{0, old}}, Shown: []Shown{{Text: "state.count", Eval: Eval{Chunk: shown, Result: str, Reads: []uint16{0}}}}}}
	p.Indexes = []Index{{Path: "count", Type: typ(value.IntType), Field: 0}, {Path: "twice", Type: typ(value.IntType), Field: NoSlot}}
	qty := slot(value.IntType)
	posQty := chunk("where qty", Ins{OpLtW, 0, yes, zero, qty}, Ins{Op: OpRet})
	p.Wheres = []RecordWheres{{Record: 0, Wheres: []Where{{Field: 0, Params: []uint16{qty}, Eval: Eval{Chunk: posQty, Result: yes}, Text: "qty > 0"}}}}
	p.FinalElse = none
	return p
}
