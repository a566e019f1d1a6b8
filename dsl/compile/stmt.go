package compile

import (
	"maps"

	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// stmts lowers a block; its locals end with it.
func (b *builder) stmts(list []check.Stmt) {
	scope := b.enter()
	for _, s := range list {
		before := b.at(s.Pos())
		b.stmt(s)
		b.span = before
	}
	b.leave(scope)
}

func (b *builder) stmt(s check.Stmt) {
	switch s := s.(type) {
	case *check.Let:
		b.let(s)
	case *check.Assign:
		b.assign(s)
	case *check.Require:
		b.require(s)
	case *check.RejectStmt:
		b.reject(s.Refusal)
	case *check.Check:
		b.guard(s)
	case *check.Emit:
		b.emit(s)
	case *check.Nothing:
		// Only says that ending here is meant.
	case *check.Return:
		b.store(s.Value, b.result)
		b.op(bytecode.OpRet, 0, 0, 0)
	case *check.IfStmt:
		b.ifStmt(s)
	case *check.Match:
		b.match(s)
	case *check.For:
		mark := b.mark()
		b.each(s.Source, nil, func(label) { b.stmts(s.Body) })
		b.release(mark)
	}
}

// let names a value. One that stays where it lies needs no copy.
func (b *builder) let(s *check.Let) {
	if o, ok := b.known(s.Value); ok && !s.Local.Var && !b.changes(s.Value) && value.Same(s.Local.Type, s.Value.Type()) {
		b.locals[s.Local] = o
		return
	}
	mark := b.mark()
	tmp := b.pool.take(b.c, b.c.types.of(s.Local.Type))
	b.store(s.Value, tmp.base)
	b.scopes = append(b.scopes, tmp)
	b.locals[s.Local] = tmp.base
	b.release(mark)
}

func (b *builder) require(s *check.Require) {
	if s.Nothing {
		b.branch(s.Cond, b.accept, false)
		return
	}
	b.branch(s.Cond, b.refuse(s.Refusal), false)
}

// refuse is the label of a stub that refuses; those without a message are one per code.
func (b *builder) refuse(r *check.Refusal) label {
	code := b.c.code(r.Code)
	if r.Message != nil {
		at := b.label()
		b.stubs = append(b.stubs, stub{at: at, refusal: r, locals: maps.Clone(b.locals), inv: -1, span: r.Span})
		return at
	}
	at, ok := b.bare[code]
	if !ok {
		at = b.label()
		b.bare[code] = at
		b.stubs = append(b.stubs, stub{at: at, refusal: r, inv: -1, span: r.Span})
	}
	return at
}

func (b *builder) reject(r *check.Refusal) {
	in := ins{op: bytecode.OpReject, c: operand(b.c.code(r.Code)), to: noLabel}
	if r.Message != nil {
		mark := b.mark()
		in.a, in.n = b.eval(r.Message), 1
		b.release(mark)
	}
	b.add(in)
}

// finishStubs writes the refusals behind the code. They take slots of a pool of their own: the
// locals that a message reads have been given back to the chunk's.
func (b *builder) finishStubs() {
	b.pool = b.c.stubPool
	for i := range b.stubs {
		s := &b.stubs[i]
		b.place(s.at)
		b.span = s.span
		if s.inv >= 0 {
			b.op(bytecode.OpViolate, 0, 0, operand(s.inv))
			continue
		}
		if s.locals != nil {
			b.locals = s.locals
		}
		b.reject(s.refusal)
	}
}

// guard runs a guard's body in place. Arguments are named where they lie.
func (b *builder) guard(s *check.Check) {
	mark := b.mark()
	args := make([]operand, len(s.Args))
	for i, a := range s.Args {
		args[i] = b.eval(a)
		b.bound(args[i], s.Guard.Params[i].Type, a)
	}
	for i, p := range s.Guard.Params {
		b.locals[p] = args[i]
	}
	b.stmts(s.Guard.Body)
	b.release(mark)
}

func (b *builder) ifStmt(s *check.IfStmt) {
	scope := b.enter()
	otherwise := b.label()
	b.branch(s.Cond, otherwise, false)
	b.stmts(s.Then)
	if len(s.Else) > 0 {
		end := b.label()
		b.jump(bytecode.OpJump, 0, 0, end)
		b.place(otherwise)
		b.stmts(s.Else)
		b.place(end)
	} else {
		b.place(otherwise)
	}
	b.leave(scope)
}

// match tries the arms in order; the last needs no test, since one fits.
func (b *builder) match(s *check.Match) {
	mark, end := b.mark(), b.label()
	x := b.eval(s.Subject)
	for i, arm := range s.Arms {
		scope, next := b.enter(), b.label()
		if i == len(s.Arms)-1 {
			next = noLabel
		}
		b.patterns(x, s.Subject.Type(), arm, next)
		b.stmts(arm.Body)
		b.leave(scope)
		if next == noLabel {
			break
		}
		b.jump(bytecode.OpJump, 0, 0, end)
		b.place(next)
	}
	b.place(end)
	b.release(mark)
}

// patterns goes on when one of the arm's patterns fits x, else to next (noLabel: one does).
func (b *builder) patterns(x operand, t *value.Type, arm *check.Arm, next label) {
	body := b.label()
	last := len(arm.Patterns) - 1
	for i := range arm.Patterns {
		p := &arm.Patterns[i]
		before := b.at(p.Span)
		switch {
		case i < last:
			b.pattern(x, t, p, body, true)
		case next != noLabel:
			b.pattern(x, t, p, next, false)
		}
		if p.Kind == check.PatSome && p.Bind != nil {
			b.move(b.local(p.Bind), x)
		}
		b.span = before
	}
	b.place(body)
}

// pattern goes to l when it fits, or does not, as when tells.
func (b *builder) pattern(x operand, t *value.Type, p *check.Pattern, l label, when bool) {
	switch p.Kind {
	case check.PatWild:
		if when {
			b.jump(bytecode.OpJump, 0, 0, l)
		}
	case check.PatNone:
		b.jump(either(when, bytecode.OpJumpNone, bytecode.OpJumpSome), x, 0, l)
	case check.PatSome:
		b.jump(either(when, bytecode.OpJumpSome, bytecode.OpJumpNone), x, 0, l)
	case check.PatConst:
		eq, ne := bytecode.OpJumpEq, bytecode.OpJumpNe
		switch {
		case isWord(t):
			eq, ne = bytecode.OpJumpEqW, bytecode.OpJumpNeW
		case t.Kind == value.Decimal:
			eq, ne = bytecode.OpJumpEqD, bytecode.OpJumpNeD
		}
		b.jump(either(when, eq, ne), x, b.c.konst(t, p.From), l)
	case check.PatRange:
		b.patternRange(x, t, p, l, when)
	}
}

// patternRange looks into a T? only when it is present.
func (b *builder) patternRange(x operand, t *value.Type, p *check.Pattern, l label, when bool) {
	absent := l
	mark := b.mark()
	if t.Kind == value.Optional {
		t = t.Elem
		if when {
			absent = b.label()
		}
		b.jump(bytecode.OpJumpNone, x, 0, absent)
		bare := b.temp(t)
		b.move(bare, x)
		x = bare
	}
	b.within(t, x, b.c.konst(t, p.From), b.c.konst(t, p.To), l, when)
	if absent != l {
		b.place(absent)
	}
	b.release(mark)
}
