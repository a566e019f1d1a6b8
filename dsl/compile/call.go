package compile

import (
	"fmt"
	"strings"

	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// callee is a chunk that others call. Its slots are its own.
type callee struct {
	chunk  int
	params []operand
	result operand
	uses   usage
}

// view is a function or derive, reading the state as it is or as it was before the command.
type view struct {
	of  any // *check.Fn, *check.Derive, *check.Event (its apply), *check.Invariant
	old bool
}

// callee gives the chunk of v, lowering it when it is first asked for.
func (c *compiler) callee(v view, name string, lower func(b *builder, to *callee)) *callee {
	if to, ok := c.callees[v]; ok {
		return to
	}
	to := &callee{chunk: c.reserve()}
	c.callees[v] = to
	if v.old {
		name += " of old"
	}
	b := c.builder(name, newPool())
	b.old = v.old
	lower(b, to)
	to.uses = b.uses
	c.finish(b, to.chunk)
	return to
}

// invoke calls a chunk.
func (b *builder) invoke(to *callee) {
	b.uses.merge(to.uses)
	b.op(bytecode.OpCall, 0, 0, operand(to.chunk))
}

func (c *compiler) fn(f *check.Fn, old bool) *callee {
	return c.callee(view{f, old && f.ReadsState}, "fn "+f.Name, func(b *builder, to *callee) {
		b.pure = true
		for _, p := range f.Params {
			o := c.slots(c.types.of(p.Type))
			b.locals[p] = o
			to.params = append(to.params, o)
		}
		to.result = c.slots(c.types.of(f.Result))
		b.result = to.result
		b.span = f.Span
		b.stmts(f.Body)
	})
}

// callFn computes a function's value: in place when it is small, else by its chunk.
func (b *builder) callFn(e *check.FnCall, dst operand) {
	loose := b.loose
	b.loose = false
	defer func() { b.loose = loose }()
	if b.c.fnSize(e.Fn) <= b.c.limits.fn {
		b.placeFn(e, dst)
		return
	}
	to := b.c.fn(e.Fn, b.old)
	args := make([]operand, len(e.Args))
	for i, a := range e.Args {
		args[i] = b.eval(a)
		b.bound(args[i], e.Fn.Params[i].Type, a)
	}
	for i := range args {
		b.move(to.params[i], args[i])
	}
	b.invoke(to)
	b.move(dst, to.result)
}

// placeFn lowers a body of lets and one return. Arguments are named where they lie.
func (b *builder) placeFn(e *check.FnCall, dst operand) {
	args := make([]operand, len(e.Args))
	for i, a := range e.Args {
		args[i] = b.eval(a)
		b.bound(args[i], e.Fn.Params[i].Type, a)
	}
	for i, p := range e.Fn.Params {
		b.locals[p] = args[i]
	}
	scope, pure := b.enter(), b.pure
	b.pure = true
	for _, s := range e.Fn.Body {
		switch s := s.(type) {
		case *check.Let:
			b.let(s)
		case *check.Return:
			b.evalTo(s.Value, dst)
		}
	}
	b.pure = pure
	b.leave(scope)
}

func (c *compiler) deriveChunk(d *check.Derive, old bool) *callee {
	return c.callee(view{d, old}, "derive "+d.Name, func(b *builder, to *callee) {
		b.pure = true
		b.span = d.Span
		to.result = c.slots(c.types.of(d.Type))
		b.evalTo(d.Value, to.result)
		b.op(bytecode.OpRet, 0, 0, 0)
	})
}

func (b *builder) derive(e *check.DeriveRef, dst operand) {
	old := b.old || e.Old
	if b.c.deriveSize(e.Derive) > b.c.limits.derive {
		to := b.c.deriveChunk(e.Derive, old)
		b.invoke(to)
		b.move(dst, to.result)
		return
	}
	saved := b.old
	b.old = old
	b.evalTo(e.Derive.Value, dst)
	b.old = saved
}

// builtin calls a builtin, by an opcode of its own where there is one.
func (b *builder) builtin(e *check.Call, dst operand) {
	if b.byOpcode(e, dst) {
		return
	}
	of := make([]*value.Type, len(e.Args))
	for i, a := range e.Args {
		of[i] = a.Type()
	}
	if len(e.Args) == 1 {
		b.call(e.Builtin, e.Info, of, e.T, dst, b.eval(e.Args[0]))
		return
	}
	slots := make([]uint16, len(of))
	for i, t := range of {
		slots[i] = b.c.types.of(t)
	}
	base := b.window(slots...)
	for i, a := range e.Args {
		b.evalTo(a, base.at(i))
	}
	b.call(e.Builtin, e.Info, of, e.T, dst, base)
}

// byOpcode lowers the builtins that are opcodes for the types at hand.
func (b *builder) byOpcode(e *check.Call, dst operand) bool {
	t := e.Args[0].Type()
	number := t.Kind == value.Int || t.Kind == value.Duration || t.Kind == value.Decimal
	switch e.Builtin {
	case value.Len:
		if t.Kind == value.String {
			return false
		}
		b.op(bytecode.OpLen, dst, b.eval(e.Args[0]), 0)
	case value.Abs:
		b.op(pick(t, bytecode.OpAbsI, bytecode.OpAbsD), dst, b.eval(e.Args[0]), 0)
	case value.Min, value.Max:
		if !number {
			return false
		}
		op := pick(t, bytecode.OpMinI, bytecode.OpMinD)
		if e.Builtin == value.Max {
			op = pick(t, bytecode.OpMaxI, bytecode.OpMaxD)
		}
		b.op(op, dst, b.eval(e.Args[0]), b.eval(e.Args[1]))
	case value.RoundDecimal:
		b.round(e, dst)
	case value.DivDecimal:
		x, y, scale := b.eval(e.Args[0]), b.eval(e.Args[1]), b.eval(e.Args[2])
		in := b.op(bytecode.OpDivD, dst, x, y)
		in.x, in.n, in.ext = scale, uint8(e.Info.Mode), true
	case value.DecimalOf:
		b.op(bytecode.OpDecI, dst, b.eval(e.Args[0]), 0)
	case value.IntOf:
		b.op(bytecode.OpIntD, dst, b.eval(e.Args[0]), 0)
	case value.SumOf:
		b.op(pick(e.T, bytecode.OpSumColI, bytecode.OpSumColD), dst, b.eval(e.Args[0]), 0)
	default:
		return false
	}
	return true
}

// round fuses the product that it rounds, when nothing lies between the two.
func (b *builder) round(e *check.Call, dst operand) {
	mul, ok := e.Args[0].(*check.Arith)
	if !ok || mul.Op != check.Mul {
		b.op(bytecode.OpRoundD, dst, b.eval(e.Args[0]), b.eval(e.Args[1])).n = uint8(e.Info.Mode)
		return
	}
	x, y, scale := b.eval(mul.X), b.eval(mul.Y), b.eval(e.Args[1])
	in := b.op(bytecode.OpMulRoundD, dst, x, y)
	in.x, in.n, in.ext = scale, uint8(e.Info.Mode), true
}

// call adds the call of a builtin whose arguments lie from base on.
func (b *builder) call(fn value.Builtin, info *value.CallInfo, args []*value.Type, result *value.Type, dst, base operand) {
	site := bytecode.CallSite{Builtin: fn, Result: b.c.types.of(result)}
	for _, t := range args {
		site.Args = append(site.Args, b.c.types.of(t))
	}
	if info != nil {
		site.Mode, site.Desc = info.Mode, info.Desc
		if info.Regexp != nil {
			site.Pattern = info.Regexp.String()
		}
		if info.Path != nil {
			site.Path = info.Path.Parts()
		}
		for _, k := range info.Keys {
			site.Keys = append(site.Keys, b.c.types.of(k))
		}
	}
	b.op(bytecode.OpBuiltin, dst, base, operand(b.c.site(site)))
}

// site is the index of a call site; equal ones are one.
func (c *compiler) site(s bytecode.CallSite) int {
	key := fmt.Sprint(s.Builtin, s.Args, s.Result, s.Mode, s.Keys, s.Desc, len(s.Path)) + "\x00" + s.Pattern + "\x00" + strings.Join(s.Path, "\x00")
	if i, ok := c.siteIndex[key]; ok {
		return i
	}
	i := len(c.sites)
	c.siteIndex[key] = i
	c.sites = append(c.sites, s)
	return i
}
