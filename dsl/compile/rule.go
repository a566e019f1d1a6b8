package compile

import (
	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// emit makes an event in its slots, keeps it and applies it at once.
func (b *builder) emit(s *check.Emit) {
	n := b.c.events[s.Event]
	base := b.c.eventBase[n]
	b.make(s.Make, s.Event.Fields, base)
	b.op(bytecode.OpEmit, 0, 0, operand(n))
	if b.c.applySize(s.Event) > b.c.limits.apply {
		b.invoke(b.c.applyChunk(s.Event))
		return
	}
	event, span, apply := b.event, b.span, b.apply
	b.event, b.apply = base, uint16(n+1)
	b.stmts(s.Event.Apply)
	b.event, b.span, b.apply = event, span, apply
}

// make computes the fields of an event, command or record into the slots from base on.
func (b *builder) make(m check.Make, fields []value.Field, base operand) {
	mark := b.mark()
	if m.Spread != nil {
		b.locals[m.SpreadLocal] = b.eval(m.Spread)
	}
	b.fill(m.Fields, fields, base)
	b.release(mark)
}

// applyChunk is the chunk of an apply, for replay and for the emits that call it.
func (c *compiler) applyChunk(e *check.Event) *callee {
	return c.callee(view{of: e}, "apply "+e.Name, func(b *builder, _ *callee) {
		b.event = c.eventBase[c.events[e]]
		b.span = e.ApplySpan
		b.stmts(e.Apply)
		b.span = e.ApplySpan
		b.op(bytecode.OpRet, 0, 0, 0)
	})
}

// decide lowers a command's rule: its body, the invariants, the refusals.
func (c *compiler) decide(cmd *check.Command, base operand) (int, usage) {
	chunk := c.reserve()
	b := c.builder("decide "+cmd.Name, c.rootPool)
	b.cmd, b.accept = base, b.label()
	b.span = cmd.DecideSpan
	b.stmts(cmd.Decide)
	b.place(b.accept)
	b.invariants()
	b.span = cmd.DecideSpan
	b.op(bytecode.OpDone, 0, 0, 0)
	b.finishStubs()
	c.finish(b, chunk)
	return chunk, b.uses
}

// invariants checks all of them, those too whose fields the command cannot write (ruling 69): a
// reload may have added one since the state was made.
func (b *builder) invariants() {
	b.pure = true
	for i, v := range b.c.agg.Invariants {
		to := b.c.invariantChunk(v)
		at := b.label()
		b.stubs = append(b.stubs, stub{at: at, inv: i, span: v.Span})
		b.span = v.Span
		if b.c.invariantSize(v) > b.c.limits.invariant {
			b.invoke(to)
			b.jump(bytecode.OpJumpNot, to.result, 0, at)
			continue
		}
		scope := b.enter()
		b.branch(v.Cond, at, false)
		b.leave(scope)
	}
}

func (c *compiler) invariantChunk(v *check.Invariant) *callee {
	return c.callee(view{of: v}, "invariant "+v.Name, func(b *builder, to *callee) {
		b.pure = true
		b.span = v.Span
		to.result = c.slots(c.types.of(value.BoolType))
		b.evalTo(v.Cond, to.result)
		b.op(bytecode.OpRet, 0, 0, 0)
	})
}

// value lowers a chunk that the machine runs for the value of e.
func (c *compiler) value(name string, e check.Expr, set func(*builder)) (bytecode.Eval, usage) {
	chunk := c.reserve()
	b := c.builder(name, c.rootPool)
	b.pure, b.span = true, e.Pos()
	if set != nil {
		set(b)
	}
	result := b.temp(e.Type())
	b.evalTo(e, result)
	b.op(bytecode.OpRet, 0, 0, 0)
	b.release(0)
	b.leave(0)
	c.finish(b, chunk)
	return bytecode.Eval{Chunk: uint16(chunk), Result: c.slot(result), Reads: b.uses.reads.list()}, b.uses
}

// refusal lowers a fixed refusal; nil is the reserved code.
func (c *compiler) refusal(name string, r *check.Refusal, cmd operand) bytecode.Refusal {
	none := bytecode.Refusal{Message: bytecode.Eval{Chunk: bytecode.NoChunk, Result: bytecode.NoSlot}}
	if r == nil {
		return none
	}
	none.Code = r.Code
	if r.Message != nil {
		none.Message, _ = c.value(name+" message", r.Message, func(b *builder) { b.cmd = cmd })
	}
	return none
}

// where lowers a condition on a field of a command or record. Its parameters have slots that
// only wheres use, one after another: the fields of the command itself wait for its decide.
func (c *compiler) where(name string, w *check.Where) bytecode.Where {
	out := bytecode.Where{Field: uint16(w.Field), Text: w.Text}
	params := make([]window, len(w.Params))
	for i, p := range w.Params {
		params[i] = c.wherePool.take(c, c.types.of(p.Type))
		out.Params = append(out.Params, c.slot(params[i].base))
	}
	out.Eval, _ = c.value(name, w.Cond, func(b *builder) {
		for i, p := range w.Params {
			b.locals[p] = params[i].base
		}
	})
	for _, p := range params {
		c.wherePool.give(p)
	}
	return out
}

// upcast lowers the way of an older event to the next.
func (c *compiler) upcast(e *check.Event) int {
	chunk := c.reserve()
	b := c.builder("upcast "+eventName(e), c.rootPool)
	b.pure, b.span = true, e.Upcast.Span
	b.event = c.eventBase[c.events[e]]
	to := c.events[e.Upcast.To]
	mark := b.mark()
	if m := e.Upcast.Make; m.Spread != nil {
		b.locals[m.SpreadLocal] = b.eval(m.Spread)
	}
	for i, f := range e.Upcast.Make.Fields {
		b.evalTo(f, c.eventBase[to].at(i))
	}
	b.release(mark)
	b.op(bytecode.OpRet, 0, 0, 0)
	b.leave(0)
	c.finish(b, chunk)
	return chunk
}
