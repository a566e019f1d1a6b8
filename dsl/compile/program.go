package compile

import (
	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// program lowers everything but tests. Slots in it are relative to the rest of the frame.
func (c *compiler) program() *bytecode.Program {
	a := c.agg
	p := &bytecode.Program{
		Name: a.Name, State: a.State, Roles: a.Roles, Creates: c.creates,
		SnapshotEvery: a.SnapshotEvery, Gas: a.Gas, Final: bytecode.NoChunk, FinalResult: bytecode.NoSlot,
	}
	for i := range a.Commands {
		c.commands[a.Commands[i]] = i
		p.Commands = append(p.Commands, c.command(a.Commands[i]))
	}
	for _, e := range a.Events {
		p.Events = append(p.Events, c.event(e))
	}
	c.derives(p)
	for _, v := range a.Invariants {
		p.Invariants = append(p.Invariants, c.invariant(v))
	}
	for i := range a.Index {
		p.Indexes = append(p.Indexes, c.index(&a.Index[i]))
	}
	c.recordWheres(p)
	c.final(p)
	return p
}

func (c *compiler) command(cmd *check.Command) bytecode.Command {
	base := c.fieldSlots(cmd.Fields)
	out := bytecode.Command{
		Name: cmd.Name, Creates: cmd.Creates, By: cmd.By, Fields: cmd.Fields, Base: c.slot(base),
		CreateElse: c.refusal("command "+cmd.Name, cmd.CreateElse, base),
	}
	for _, w := range cmd.Wheres {
		out.Wheres = append(out.Wheres, c.where("where "+cmd.Name+"."+cmd.Fields[w.Field].Name, w))
	}
	chunk, uses := c.decide(cmd, base)
	out.Decide = uint16(chunk)
	out.Reads, out.Writes, out.Old = uses.loads(), uses.writes.list(), c.oldFields(uses)
	return out
}

func (c *compiler) event(e *check.Event) bytecode.Event {
	out := bytecode.Event{
		Name: e.Name, Version: e.Version, Current: e.Current, Fields: e.Fields,
		Base: c.slot(c.eventBase[c.events[e]]), Apply: bytecode.NoChunk, Upcast: bytecode.NoChunk,
	}
	if e.Current {
		to := c.applyChunk(e)
		out.Apply, out.Reads, out.Writes = uint16(to.chunk), to.uses.loads(), to.uses.writes.list()
		return out
	}
	if e.Upcast != nil {
		out.Upcast, out.Next = uint16(c.upcast(e)), uint16(c.events[e.Upcast.To])
	}
	return out
}

func (c *compiler) derives(p *bytecode.Program) {
	for _, d := range c.agg.Derives {
		to := c.deriveChunk(d, false)
		p.Derives = append(p.Derives, bytecode.Derive{
			Name: d.Name, Type: c.types.of(d.Type),
			Eval: bytecode.Eval{Chunk: uint16(to.chunk), Result: c.slot(to.result), Reads: to.uses.reads.list()},
		})
	}
}

func (c *compiler) invariant(v *check.Invariant) bytecode.Invariant {
	to := c.invariantChunk(v)
	out := bytecode.Invariant{
		Name: v.Name, Text: v.Cond.Pos().Text(),
		Eval: bytecode.Eval{Chunk: uint16(to.chunk), Result: c.slot(to.result), Reads: to.uses.reads.list()},
		Old:  c.oldFields(to.uses),
	}
	for _, s := range v.Shown {
		e := asText(s.Value)
		if e == nil {
			continue
		}
		ev, uses := c.value("invariant "+v.Name+" shows "+s.Text, e, nil)
		for _, o := range c.oldFields(uses) {
			out.Old = addOld(out.Old, o)
		}
		out.Shown = append(out.Shown, bytecode.Shown{Text: s.Text, Eval: ev})
	}
	return out
}

func addOld(list []bytecode.OldField, o bytecode.OldField) []bytecode.OldField {
	for _, have := range list {
		if have == o {
			return list
		}
	}
	return append(list, o)
}

// asText makes a string of a value that has a text; of a container it is the length, and nil
// for a record.
func asText(e check.Expr) check.Expr {
	t, typed := e.Type(), check.Typed{T: value.StringType, Span: e.Pos()}
	switch t.Kind {
	case value.String:
		return e
	case value.Record, value.Invalid:
		return nil
	case value.List, value.Set, value.Map:
		n := &check.Call{Typed: check.Typed{T: value.IntType, Span: e.Pos()}, Builtin: value.Len, Info: &value.CallInfo{Arg: t, Result: value.IntType}, Args: []check.Expr{e}}
		text := &check.Call{Typed: typed, Builtin: value.StringOf, Info: &value.CallInfo{Arg: value.IntType, Result: value.StringType}, Args: []check.Expr{n}}
		end := &check.Const{Typed: typed, Value: value.MakeString(" elements")}
		return &check.Interp{Typed: typed, Parts: []check.Expr{text, end}}
	case value.Optional:
		switch t.Elem.Kind {
		case value.Record, value.List, value.Set, value.Map:
			return nil
		}
	}
	return &check.Call{Typed: typed, Builtin: value.StringOf, Info: &value.CallInfo{Arg: t, Result: value.StringType}, Args: []check.Expr{e}}
}

func (c *compiler) index(x *check.Index) bytecode.Index {
	out := bytecode.Index{Path: x.Path, Type: c.types.of(x.Type), Field: uint16(x.Field)}
	if x.Derive != nil {
		out.Field = bytecode.NoSlot
		for i, d := range c.agg.Derives {
			if d == x.Derive {
				out.Derive = uint16(i)
			}
		}
		return out
	}
	for _, f := range x.Fields {
		out.Fields = append(out.Fields, uint16(f))
	}
	return out
}

func (c *compiler) recordWheres(p *bytecode.Program) {
	for _, r := range c.agg.Records {
		if len(r.Wheres) == 0 {
			continue
		}
		rw := bytecode.RecordWheres{Record: uint16(c.types.recordN[r.Type])}
		for _, w := range r.Wheres {
			rw.Wheres = append(rw.Wheres, c.where("where "+r.Type.Name+"."+r.Type.Fields[w.Field].Name, w))
		}
		p.Wheres = append(p.Wheres, rw)
	}
}

func (c *compiler) final(p *bytecode.Program) {
	p.FinalElse = c.refusal("final", nil, 0)
	f := c.agg.Final
	if f == nil {
		return
	}
	ev, _ := c.value("final", f.Cond, nil)
	p.Final, p.FinalResult, p.FinalReads = ev.Chunk, ev.Result, ev.Reads
	p.FinalElse = c.refusal("final", f.Refusal, 0)
}
