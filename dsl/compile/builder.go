package compile

import (
	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// label is a place in a chunk that jumps name before it is known.
type label int

const noLabel label = -1

// ins is an instruction before layout. Where ext is set, x is the operand A of its OpExt.
type ins struct {
	op         bytecode.Op
	n          uint8
	a, b, c, x operand
	ext        bool
	to         label // of a jump, instead of c
	span       diag.Span
	apply      uint16
}

// builder writes one chunk.
type builder struct {
	c     *compiler
	name  string
	code  []ins
	marks []int // code index of each label, -1 until placed

	pool   *pool
	temps  []window // of expressions, given back at a mark
	scopes []window // of locals, given back when their block ends

	locals map[*check.Local]operand
	cmd    operand // slot of command field 0
	event  operand // slot of field 0 of the event that is applied or upcast
	old    bool    // state means the state before the command
	pure   bool    // the chunk never writes the state, so a let may stand for a state slot
	result operand // of return; returning ends the chunk
	accept label   // where a decide ends well
	loose  bool    // bounds of records that are made are left to validation: the values of a test's `when`
	stubs  []stub
	bare   map[uint16]label // stubs without message, by code

	span  diag.Span
	apply uint16
	uses  usage
}

// stub is the end of a refused rule. The message reads locals as they were where it was refused.
type stub struct {
	at      label
	refusal *check.Refusal
	locals  map[*check.Local]operand
	inv     int // invariant that is violated, or -1
	span    diag.Span
}

func (c *compiler) builder(name string, p *pool) *builder {
	return &builder{
		c: c, name: name, pool: p, accept: noLabel,
		locals: map[*check.Local]operand{}, bare: map[uint16]label{}, uses: c.newUsage(),
	}
}

// at sets the source place of the instructions that follow and gives the one before.
func (b *builder) at(s diag.Span) diag.Span {
	before := b.span
	if !s.IsZero() {
		b.span = s
	}
	return before
}

func (b *builder) add(in ins) *ins {
	in.span, in.apply = b.span, b.apply
	b.code = append(b.code, in)
	return &b.code[len(b.code)-1]
}

func (b *builder) op(op bytecode.Op, a, x, y operand) *ins {
	return b.add(ins{op: op, a: a, b: x, c: y, to: noLabel})
}

// jump adds a jump that compares a and x, where it compares.
func (b *builder) jump(op bytecode.Op, a, x operand, to label) {
	b.add(ins{op: op, a: a, b: x, to: to})
}

func (b *builder) label() label {
	b.marks = append(b.marks, -1)
	return label(len(b.marks) - 1)
}

func (b *builder) place(l label) { b.marks[l] = len(b.code) }

// move copies a slot.
func (b *builder) move(dst, src operand) {
	if dst == src {
		return
	}
	op := bytecode.OpMove
	if t := b.c.typeOf(dst); t == b.c.typeOf(src) && isWord(b.c.types.list[t]) {
		op = bytecode.OpMoveW
	}
	b.op(op, dst, src, 0)
}

// mark and release bracket the temporaries of one expression.
func (b *builder) mark() int { return len(b.temps) }

func (b *builder) release(mark int) {
	for i := len(b.temps) - 1; i >= mark; i-- {
		b.pool.give(b.temps[i])
	}
	b.temps = b.temps[:mark]
}

// temp takes a slot of type t until release.
func (b *builder) temp(t *value.Type) operand { return b.window(b.c.types.of(t)) }

// window takes slots of the types until release.
func (b *builder) window(of ...uint16) operand {
	w := b.pool.take(b.c, of...)
	b.temps = append(b.temps, w)
	return w.base
}

// enter and leave bracket the locals of a block.
func (b *builder) enter() int { return len(b.scopes) }

func (b *builder) leave(mark int) {
	for i := len(b.scopes) - 1; i >= mark; i-- {
		b.pool.give(b.scopes[i])
	}
	b.scopes = b.scopes[:mark]
}

// local gives l a slot until its block ends.
func (b *builder) local(l *check.Local) operand {
	w := b.pool.take(b.c, b.c.types.of(l.Type))
	b.scopes = append(b.scopes, w)
	b.locals[l] = w.base
	return w.base
}

func (b *builder) boolConst(v bool) operand {
	return b.c.konst(value.BoolType, value.MakeBool(v))
}

func (b *builder) intConst(i int64) operand { return b.c.konst(value.IntType, value.MakeInt(i)) }

func (b *builder) typ(o operand) *value.Type { return b.c.types.list[b.c.typeOf(o)] }
