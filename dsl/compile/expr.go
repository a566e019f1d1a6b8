package compile

import (
	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// eval gives the operand in which the value of e lies: where it is already, or a temporary.
// What it names stays as it is until the state is written or the local set anew.
func (b *builder) eval(e check.Expr) operand {
	if o, ok := b.known(e); ok {
		return o
	}
	dst := b.temp(e.Type())
	b.evalTo(e, dst)
	return dst
}

// known is the slot in which the value of e lies without any code.
func (b *builder) known(e check.Expr) (operand, bool) {
	switch e := e.(type) {
	case *check.Const:
		return b.c.konst(e.T, e.Value), true
	case *check.StateField:
		return b.stateField(e.Field, e.Old), true
	case *check.CmdField:
		return b.cmd.at(e.Field), true
	case *check.EventField:
		return b.event.at(e.Field), true
	case *check.CtxRef:
		return regCtx | operand(e.Field), true
	case *check.LocalRef:
		return b.locals[e.Local], true
	}
	return 0, false
}

func (b *builder) stateField(f int, old bool) operand {
	if old || b.old {
		b.uses.olds.add(f)
		return b.c.oldSlot(f)
	}
	b.uses.reads.add(f)
	return regState | operand(f)
}

// evalTo computes e into dst. Only the last instruction of simple computations writes dst; the
// others (see atomic) may write it before they have read all, so dst must not be part of e.
func (b *builder) evalTo(e check.Expr, dst operand) {
	if o, ok := b.known(e); ok {
		b.move(dst, o)
		return
	}
	before, mark := b.at(e.Pos()), b.mark()
	b.compute(e, dst)
	b.release(mark)
	b.span = before
}

// store computes e, a T, into dst, a T or T?.
func (b *builder) store(e check.Expr, dst operand) {
	if b.c.typeOf(dst) == b.c.types.of(e.Type()) {
		b.evalTo(e, dst)
		return
	}
	mark := b.mark()
	b.move(dst, b.eval(e))
	b.release(mark)
}

// atomic tells that computing e writes its destination with its last instruction only.
func atomic(e check.Expr) bool {
	switch e.(type) {
	case *check.Const, *check.StateField, *check.CmdField, *check.EventField, *check.CtxRef, *check.LocalRef,
		*check.FieldOf, *check.IndexOf, *check.Arith, *check.Neg, *check.Cmp, *check.IsNone, *check.In, *check.Widen,
		*check.Call, *check.Interp:
		return true
	}
	return false
}

func (b *builder) compute(e check.Expr, dst operand) {
	switch e := e.(type) {
	case *check.DeriveRef:
		b.derive(e, dst)
	case *check.FieldOf:
		b.op(bytecode.OpField, dst, b.eval(e.X), operand(e.Field))
	case *check.IndexOf:
		b.op(indexOp(e), dst, b.eval(e.X), b.eval(e.Key))
	case *check.Arith:
		b.op(arithOp(e.Op, e.X.Type()), dst, b.eval(e.X), b.eval(e.Y))
	case *check.Neg:
		b.op(pick(e.T, bytecode.OpNegI, bytecode.OpNegD), dst, b.eval(e.X), 0)
	case *check.Not:
		b.not(e, dst)
	case *check.Cmp:
		b.compare(e, dst)
	case *check.Logic, *check.InRange:
		b.byBranch(e, dst)
	case *check.If:
		b.choose(e, dst)
	case *check.Coalesce:
		b.coalesce(e, dst)
	case *check.IsSome:
		b.isSome(e, dst)
	case *check.IsNone:
		b.op(bytecode.OpIsNone, dst, b.eval(e.X), 0)
	case *check.In:
		b.op(bytecode.OpIn, dst, b.eval(e.X), b.eval(e.Y))
	case *check.Widen:
		b.op(bytecode.OpDecI, dst, b.eval(e.X), 0)
	case *check.Some:
		b.move(dst, b.eval(e.X))
	case *check.FnCall:
		b.callFn(e, dst)
	case *check.Call:
		b.builtin(e, dst)
	case *check.Interp:
		b.concat(e, dst)
	case *check.RecordLit:
		b.record(e, dst)
	case *check.ListLit:
		b.list(e.Elems, dst)
	case *check.MapLit:
		b.mapLit(e, dst)
	case *check.Comp:
		b.comp(e, dst)
	}
}

// pick gives d for decimals, i for what lies in a word.
func pick(t *value.Type, i, d bytecode.Op) bytecode.Op {
	if t.Kind == value.Decimal {
		return d
	}
	return i
}

func arithOp(op check.ArithOp, t *value.Type) bytecode.Op {
	switch op {
	case check.Add:
		return pick(t, bytecode.OpAddI, bytecode.OpAddD)
	case check.Sub:
		return pick(t, bytecode.OpSubI, bytecode.OpSubD)
	case check.Mul:
		return pick(t, bytecode.OpMulI, bytecode.OpMulD)
	case check.Div:
		return bytecode.OpDivI
	default:
		return bytecode.OpModI
	}
}

func indexOp(e *check.IndexOf) bytecode.Op {
	if e.X.Type().Kind == value.Map {
		if e.Optional {
			return bytecode.OpTryM
		}
		return bytecode.OpIndexM
	}
	if e.Optional {
		return bytecode.OpTryL
	}
	return bytecode.OpIndexL
}

func (b *builder) not(e *check.Not, dst operand) {
	if needsBranch(e.X) {
		b.byBranch(e, dst)
		return
	}
	b.op(bytecode.OpNot, dst, b.eval(e.X), 0)
}

// needsBranch tells that e is lazy or binds.
func needsBranch(e check.Expr) bool {
	switch e := e.(type) {
	case *check.Logic, *check.InRange:
		return true
	case *check.Not:
		return needsBranch(e.X)
	case *check.IsSome:
		return e.Bind != nil
	}
	return false
}

// compare sets dst to a comparison.
func (b *builder) compare(e *check.Cmp, dst operand) {
	op, swap := cmpOp(e.Op, e.X.Type())
	x, y := b.eval(e.X), b.eval(e.Y)
	if swap {
		x, y = y, x
	}
	b.op(op, dst, x, y)
}

// cmpOp is the opcode of a comparison, and whether its operands change places.
func cmpOp(op check.CmpOp, t *value.Type) (bytecode.Op, bool) {
	base := bytecode.OpEq
	switch {
	case isWord(t):
		base = bytecode.OpEqW
	case t.Kind == value.Decimal:
		base = bytecode.OpEqD
	}
	n, swap := cmpIndex(op)
	return base + n, swap
}

// cmpIndex is the place of a comparison among eq, ne, lt, le.
func cmpIndex(op check.CmpOp) (bytecode.Op, bool) {
	switch op {
	case check.Eq:
		return 0, false
	case check.Ne:
		return 1, false
	case check.Lt:
		return 2, false
	case check.Le:
		return 3, false
	case check.Gt:
		return 2, true
	default:
		return 3, true
	}
}

func (b *builder) byBranch(e check.Expr, dst operand) {
	end := b.label()
	b.move(dst, b.boolConst(false))
	b.branch(e, end, false)
	b.move(dst, b.boolConst(true))
	b.place(end)
}

func (b *builder) choose(e *check.If, dst operand) {
	otherwise, end := b.label(), b.label()
	b.branch(e.Cond, otherwise, false)
	b.evalTo(e.Then, dst)
	b.jump(bytecode.OpJump, 0, 0, end)
	b.place(otherwise)
	b.evalTo(e.Else, dst)
	b.place(end)
}

func (b *builder) coalesce(e *check.Coalesce, dst operand) {
	absent, end := b.label(), b.label()
	x := b.eval(e.X)
	b.jump(bytecode.OpJumpNone, x, 0, absent)
	b.move(dst, x)
	b.jump(bytecode.OpJump, 0, 0, end)
	b.place(absent)
	b.evalTo(e.D, dst)
	b.place(end)
}

func (b *builder) isSome(e *check.IsSome, dst operand) {
	if e.Bind != nil {
		b.byBranch(e, dst)
		return
	}
	b.op(bytecode.OpIsSome, dst, b.eval(e.X), 0)
}

// concat joins strings; a part that is itself a concatenation is taken apart.
func (b *builder) concat(e *check.Interp, dst operand) {
	parts := flatten(nil, e)
	if len(parts) == 1 {
		b.evalTo(parts[0], dst)
		return
	}
	base := b.run(parts, value.StringType)
	b.op(bytecode.OpConcat, dst, base, operand(len(parts)))
}

func flatten(into []check.Expr, e *check.Interp) []check.Expr {
	for _, p := range e.Parts {
		if in, ok := p.(*check.Interp); ok {
			into = flatten(into, in)
			continue
		}
		into = append(into, p)
	}
	return into
}

// run computes expressions of type t into slots one after another.
func (b *builder) run(list []check.Expr, t *value.Type) operand {
	of := make([]uint16, len(list))
	for i := range of {
		of[i] = b.c.types.of(t)
	}
	base := b.window(of...)
	for i, e := range list {
		b.evalTo(e, base.at(i))
	}
	return base
}

// record makes a record. One changed field of a spread record is a copy with that field.
func (b *builder) record(e *check.RecordLit, dst operand) {
	if e.Spread != nil {
		b.locals[e.SpreadLocal] = b.eval(e.Spread)
		if i, ok := onlyChange(e); ok {
			v := b.eval(e.Fields[i])
			b.bound(v, e.T.Record.Fields[i].Type, e.Fields[i])
			in := b.op(bytecode.OpWith, dst, b.locals[e.SpreadLocal], operand(i))
			in.x, in.ext = v, true
			return
		}
	}
	base := b.fields(e.Fields, e.T.Record.Fields)
	b.op(bytecode.OpRecord, dst, base, 0)
}

// onlyChange is the one field of e that is not taken as it is from a spread of the same record.
func onlyChange(e *check.RecordLit) (int, bool) {
	if !value.Same(e.T, e.Spread.Type()) {
		return 0, false
	}
	changed := -1
	for i, f := range e.Fields {
		if of, ok := f.(*check.FieldOf); ok && of.Field == i && isLocal(of.X, e.SpreadLocal) {
			continue
		}
		if changed >= 0 {
			return 0, false
		}
		changed = i
	}
	return changed, changed >= 0
}

func isLocal(e check.Expr, l *check.Local) bool {
	ref, ok := e.(*check.LocalRef)
	return ok && l != nil && ref.Local == l
}

// fields computes the fields of a record into slots one after another.
func (b *builder) fields(list []check.Expr, fields []value.Field) operand {
	of := make([]uint16, len(fields))
	for i := range of {
		of[i] = b.c.types.of(fields[i].Type)
	}
	base := b.window(of...)
	b.fill(list, fields, base)
	return base
}

// fill computes the fields into the slots from base on and checks their bounds.
func (b *builder) fill(list []check.Expr, fields []value.Field, base operand) {
	for i, e := range list {
		b.evalTo(e, base.at(i))
		b.bound(base.at(i), fields[i].Type, e)
	}
}

// bound checks the value of e, in slot o, against the bounds of the place it goes to.
func (b *builder) bound(o operand, t *value.Type, e check.Expr) {
	if b.loose || !hasBound(t) || b.fits(e, t) {
		return
	}
	before := b.at(e.Pos())
	b.op(bytecode.OpBound, o, 0, operand(b.c.types.bounded(t)))
	b.span = before
}

// fits tells that e comes from a place which keeps the bounds of t already.
func (b *builder) fits(e check.Expr, t *value.Type) bool {
	switch e := e.(type) {
	case *check.CmdField, *check.EventField, *check.StateField:
		return within(e.Type(), t)
	case *check.FieldOf:
		return e.X.Type().Kind == value.Record && within(e.X.Type().Record.Fields[e.Field].Type, t)
	case *check.Some:
		return t.Kind == value.Optional && b.fits(e.X, t.Elem)
	case *check.Const:
		return value.CheckBound(t, e.Value)
	}
	return false
}

// within tells that what keeps the bounds of s keeps those of t, which is the same type.
func within(s, t *value.Type) bool {
	if t.Bound > 0 && (s.Bound == 0 || s.Bound > t.Bound) {
		return false
	}
	if t.Kind == value.Record {
		return true
	}
	return (t.Key == nil || within(s.Key, t.Key)) && (t.Elem == nil || within(s.Elem, t.Elem))
}

func (b *builder) list(elems []check.Expr, dst operand) {
	if len(elems) == 0 {
		b.move(dst, b.c.konst(b.typ(dst), value.V{}))
		return
	}
	base := b.run(elems, b.typ(dst).Elem)
	b.op(bytecode.OpList, dst, base, operand(len(elems)))
}

func (b *builder) mapLit(e *check.MapLit, dst operand) {
	keys, values := b.temp(listOf(e.T.Key)), b.temp(listOf(e.T.Elem))
	of := make([]uint16, 0, 2*len(e.Keys))
	for range e.Keys {
		of = append(of, b.c.types.of(e.T.Key))
	}
	for range e.Keys {
		of = append(of, b.c.types.of(e.T.Elem))
	}
	n := len(e.Keys)
	base := b.window(of...)
	for i := range e.Keys {
		b.evalTo(e.Keys[i], base.at(i))
		b.evalTo(e.Values[i], base.at(n+i))
	}
	b.op(bytecode.OpList, keys, base, operand(n))
	b.op(bytecode.OpList, values, base.at(n), operand(n))
	b.op(bytecode.OpMapOf, dst, keys, values)
}

func listOf(t *value.Type) *value.Type { return &value.Type{Kind: value.List, Elem: t} }
