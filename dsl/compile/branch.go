package compile

import (
	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// branch goes to l when e is the bool when, else on to the next instruction. Locals that e
// binds are set on the way on which e holds.
func (b *builder) branch(e check.Expr, l label, when bool) {
	before, mark := b.at(e.Pos()), b.mark()
	b.decideBranch(e, l, when)
	b.release(mark)
	b.span = before
}

func (b *builder) decideBranch(e check.Expr, l label, when bool) {
	switch e := e.(type) {
	case *check.Const:
		if e.Value.Bool() == when {
			b.jump(bytecode.OpJump, 0, 0, l)
		}
	case *check.Not:
		b.branch(e.X, l, !when)
	case *check.Logic:
		b.branchLogic(e, l, when)
	case *check.Cmp:
		b.branchCmp(e, l, when)
	case *check.InRange:
		b.branchRange(e, l, when)
	case *check.IsNone:
		b.jump(either(when, bytecode.OpJumpNone, bytecode.OpJumpSome), b.eval(e.X), 0, l)
	case *check.IsSome:
		b.branchSome(e, l, when)
	case *check.If:
		b.branchIf(e, l, when)
	case *check.Comp:
		b.branchComp(e, l, when)
	default:
		b.jump(either(when, bytecode.OpJumpIf, bytecode.OpJumpNot), b.eval(e), 0, l)
	}
}

func either(c bool, yes, no bytecode.Op) bytecode.Op {
	if c {
		return yes
	}
	return no
}

// branchLogic: an and that fails at its left is done, and so is an or that holds there.
func (b *builder) branchLogic(e *check.Logic, l label, when bool) {
	// The value of X at which Y no longer matters, and the whole value then.
	stop, whole := false, false
	switch e.Op {
	case check.Or:
		stop, whole = true, true
	case check.Implies:
		stop, whole = false, true
	}
	if whole == when {
		b.branch(e.X, l, stop)
		b.branch(e.Y, l, when)
		return
	}
	skip := b.label()
	b.branch(e.X, skip, stop)
	b.branch(e.Y, l, when)
	b.place(skip)
}

// branchCmp fuses a comparison with its jump; the orders are total, so not a < b is b <= a.
func (b *builder) branchCmp(e *check.Cmp, l label, when bool) {
	base := bytecode.OpJumpEq
	t := e.X.Type()
	switch {
	case isWord(t):
		base = bytecode.OpJumpEqW
	case t.Kind == value.Decimal:
		base = bytecode.OpJumpEqD
	}
	op := e.Op
	if !when {
		op = [...]check.CmpOp{check.Eq: check.Ne, check.Ne: check.Eq, check.Lt: check.Ge, check.Le: check.Gt, check.Gt: check.Le, check.Ge: check.Lt}[op]
	}
	n, swap := cmpIndex(op)
	x, y := b.eval(e.X), b.eval(e.Y)
	if swap {
		x, y = y, x
	}
	b.jump(base+n, x, y, l)
}

// branchRange is from <= x and x <= to.
func (b *builder) branchRange(e *check.InRange, l label, when bool) {
	x, from, to := b.eval(e.X), b.eval(e.From), b.eval(e.To)
	b.within(e.X.Type(), x, from, to, l, when)
}

func (b *builder) within(t *value.Type, x, from, to operand, l label, when bool) {
	less, lessEq := bytecode.OpJumpLt, bytecode.OpJumpLe
	switch {
	case isWord(t):
		less, lessEq = bytecode.OpJumpLtW, bytecode.OpJumpLeW
	case t.Kind == value.Decimal:
		less, lessEq = bytecode.OpJumpLtD, bytecode.OpJumpLeD
	}
	if !when {
		b.jump(less, x, from, l)
		b.jump(less, to, x, l)
		return
	}
	skip := b.label()
	b.jump(less, x, from, skip)
	b.jump(lessEq, x, to, l)
	b.place(skip)
}

func (b *builder) branchSome(e *check.IsSome, l label, when bool) {
	x := b.eval(e.X)
	switch {
	case e.Bind == nil:
		b.jump(either(when, bytecode.OpJumpSome, bytecode.OpJumpNone), x, 0, l)
	case !when:
		b.jump(bytecode.OpJumpNone, x, 0, l)
		b.move(b.local(e.Bind), x)
	default:
		skip := b.label()
		b.jump(bytecode.OpJumpNone, x, 0, skip)
		b.move(b.local(e.Bind), x)
		b.jump(bytecode.OpJump, 0, 0, l)
		b.place(skip)
	}
}

func (b *builder) branchIf(e *check.If, l label, when bool) {
	otherwise, end := b.label(), b.label()
	b.branch(e.Cond, otherwise, false)
	b.branch(e.Then, l, when)
	b.jump(bytecode.OpJump, 0, 0, end)
	b.place(otherwise)
	b.branch(e.Else, l, when)
	b.place(end)
}

// branchComp leaves an any or all at the element that settles it.
func (b *builder) branchComp(e *check.Comp, l label, when bool) {
	if e.Kind != check.CompAny && e.Kind != check.CompAll {
		b.jump(either(when, bytecode.OpJumpIf, bytecode.OpJumpNot), b.eval(e), 0, l)
		return
	}
	// An any is settled by an element that holds, an all by one that does not.
	settles := e.Kind == check.CompAny
	hit := l
	if settles != when {
		hit = b.label()
	}
	b.each(e.Source, e.Cond, func(label) { b.branch(e.Elem, hit, settles) })
	if settles == when {
		return
	}
	b.jump(bytecode.OpJump, 0, 0, l)
	b.place(hit)
}
