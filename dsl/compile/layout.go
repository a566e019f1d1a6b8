package compile

import (
	"fmt"

	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/diag"
)

// maxSlots is how many slots, instructions or rows of a table a uint16 can name; the last number
// stands for none.
const maxSlots = 1<<16 - 1

// layout lays the frame out and fills in what waited for it: constants, state, ctx, the rest.
func (c *compiler) layout(p *bytecode.Program, plan *TestPlan) error {
	l := &layouter{c: c, p: p, state: len(c.consts), files: map[*diag.File]uint16{}}
	l.ctx = l.state + len(c.stateTypes)
	l.rest = l.ctx + len(c.ctxTypes)
	if err := l.limits(); err != nil {
		return err
	}
	p.Records, p.Enums, p.Types = c.types.records, c.types.enums, c.types.list
	p.Consts, p.Calls, p.Codes = c.consts, c.sites, c.codes
	p.StateBase, p.CtxBase = uint16(l.state), uint16(l.ctx)
	for _, of := range [][]uint16{c.constTypes, c.stateTypes, c.ctxTypes, c.rest} {
		p.Slots = append(p.Slots, of...)
	}
	for i := range c.chunks {
		p.Chunks = append(p.Chunks, l.chunk(&c.chunks[i]))
	}
	l.relocate()
	if plan != nil {
		plan.relocate(l.move)
	}
	return nil
}

type layouter struct {
	c                *compiler
	p                *bytecode.Program
	state, ctx, rest int
	files            map[*diag.File]uint16
}

// limits finds what is too large for its number.
func (l *layouter) limits() error {
	c := l.c
	slots := l.rest + len(c.rest)
	for _, m := range []struct {
		what string
		n    int
	}{
		{"slots (constants, fields and intermediate values)", slots}, {"functions and rules", len(c.chunks)},
		{"types", len(c.types.list)}, {"calls of builtins", len(c.sites)}, {"rejection codes", len(c.codes)},
	} {
		if m.n >= maxSlots {
			return c.limit(fmt.Sprintf("aggregate %s needs %d %s, at most %d", c.agg.Name, m.n, m.what, maxSlots-1), c.agg.Span)
		}
	}
	for i := range c.chunks {
		ch := &c.chunks[i]
		if len(ch.code) >= maxSlots || int64(ch.gas) > 1<<31 {
			return c.limit(fmt.Sprintf("%s has %d instructions, at most %d", ch.name, len(ch.code), maxSlots-1), ch.code[0].span)
		}
		for j := range ch.code {
			if in := &ch.code[j]; in.c.region() == regNum && in.c > maxSlots || in.op == bytecode.OpGas && in.c > maxSlots {
				return c.limit(fmt.Sprintf("%s has %d steps or elements in one piece, at most %d", ch.name, in.c, maxSlots), in.span)
			}
		}
	}
	return nil
}

func (c *compiler) limit(msg string, at diag.Span) error {
	return &LimitError{&diag.Diagnostic{
		Code: diag.RuleTooLarge, Severity: diag.Error, Span: at, Message: msg,
		Hint: "split it, or move repeated work into functions",
	}}
}

// slot is the final number of an operand.
func (l *layouter) slot(o operand) uint16 {
	i := o.index()
	switch o.region() {
	case regState:
		i += l.state
	case regCtx:
		i += l.ctx
	case regRest:
		i += l.rest
	}
	return uint16(i)
}

func (l *layouter) chunk(ch *lowered) bytecode.Chunk {
	out := bytecode.Chunk{Name: ch.name, Gas: uint32(ch.gas), Code: make([]bytecode.Ins, len(ch.code))}
	for i := range ch.code {
		in := &ch.code[i]
		w := bytecode.Ins{Op: in.op, N: in.n, A: l.slot(in.a), B: l.slot(in.b), C: l.slot(in.c)}
		if in.to != noLabel {
			w.C = uint16(ch.marks[in.to])
		}
		out.Code[i] = w
		if in.op != bytecode.OpExt {
			l.line(&out, i, in)
		}
	}
	return out
}

// line adds the place of an instruction when it is another than that of the one before.
func (l *layouter) line(out *bytecode.Chunk, pc int, in *ins) {
	if in.span.IsZero() {
		return
	}
	pos := in.span.StartPosition()
	file, ok := l.files[in.span.File]
	if !ok {
		file = uint16(len(l.p.Files))
		l.files[in.span.File] = file
		l.p.Files = append(l.p.Files, pos.File)
	}
	line := bytecode.Line{PC: uint32(pc), File: file, Line: uint32(pos.Line), Column: uint32(pos.Column), Apply: in.apply != 0}
	if n := len(out.Lines); n > 0 {
		same := out.Lines[n-1]
		same.PC = line.PC
		if same == line {
			return
		}
	}
	out.Lines = append(out.Lines, line)
}

// move makes a final slot of one that is relative to the rest.
func (l *layouter) move(s *uint16) {
	if *s != bytecode.NoSlot {
		*s += uint16(l.rest)
	}
}

func (l *layouter) eval(e *bytecode.Eval) { l.move(&e.Result) }

func (l *layouter) relocate() {
	p := l.p
	l.move(&p.FinalResult)
	l.eval(&p.FinalElse.Message)
	for i := range p.Commands {
		cmd := &p.Commands[i]
		l.move(&cmd.Base)
		l.eval(&cmd.CreateElse.Message)
		l.wheres(cmd.Wheres)
		l.old(cmd.Old)
	}
	for i := range p.Events {
		l.move(&p.Events[i].Base)
	}
	for i := range p.Derives {
		l.eval(&p.Derives[i].Eval)
	}
	for i := range p.Invariants {
		v := &p.Invariants[i]
		l.eval(&v.Eval)
		l.old(v.Old)
		for j := range v.Shown {
			l.eval(&v.Shown[j].Eval)
		}
	}
	for i := range p.Wheres {
		l.wheres(p.Wheres[i].Wheres)
	}
	for i := range p.Tests {
		l.eval(&p.Tests[i])
	}
}

func (l *layouter) wheres(list []bytecode.Where) {
	for i := range list {
		l.eval(&list[i].Eval)
		for j := range list[i].Params {
			l.move(&list[i].Params[j])
		}
	}
}

func (l *layouter) old(list []bytecode.OldField) {
	for i := range list {
		l.move(&list[i].Slot)
	}
}
