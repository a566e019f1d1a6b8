package compile

import (
	"strconv"

	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// each runs body for each element of src for which cond holds. The body may jump to the label
// that it gets to go on with the next element. Locals live until the caller's block ends.
func (b *builder) each(src check.Source, cond check.Expr, body func(next label)) {
	mark, scope := b.mark(), b.enter()
	op, counter, limit := b.loopHead(src)
	head, next, exit := b.label(), b.label(), b.label()
	b.place(head)
	b.add(ins{op: op, a: counter, b: limit, to: exit})
	if cond != nil {
		b.branch(cond, next, false)
	}
	body(next)
	b.place(next)
	b.jump(bytecode.OpJump, 0, 0, head)
	b.place(exit)
	b.leave(scope)
	b.release(mark)
}

// loopHead sets the counter and names the slots that the loop sets.
func (b *builder) loopHead(src check.Source) (op bytecode.Op, counter, limit operand) {
	of := []uint16{b.c.types.of(value.IntType)}
	t := value.IntType
	if src.X != nil {
		t = src.X.Type()
	}
	op = bytecode.OpNextR
	first, second := src.Value, (*check.Local)(nil)
	switch {
	case src.Kind == check.OverRange:
		of = append(of, of[0])
	case src.Kind == check.OverSet:
		op, of = bytecode.OpNextS, append(of, b.c.types.of(t.Elem))
	case src.Kind == check.OverMap:
		op, of = bytecode.OpNextM, append(of, b.c.types.of(t.Key), b.c.types.of(t.Elem))
		first, second = src.Key, src.Value
	case src.Key != nil:
		op, of = bytecode.OpNextIL, append(of, of[0], b.c.types.of(t.Elem))
		first, second = src.Key, src.Value
	default:
		op, of = bytecode.OpNextL, append(of, b.c.types.of(t.Elem))
	}
	limit = b.loopSource(src)
	counter = b.window(of...)
	if src.Kind == check.OverRange {
		b.evalTo(src.From, counter)
	} else {
		b.move(counter, b.intConst(0))
	}
	b.bind(first, counter.at(1))
	b.bind(second, counter.at(2))
	return op, counter, limit
}

func (b *builder) bind(l *check.Local, o operand) {
	if l != nil {
		b.locals[l] = o
	}
}

// loopSource is the container, or the range's end; a copy where the body could change it.
func (b *builder) loopSource(src check.Source) operand {
	e := src.X
	if src.Kind == check.OverRange {
		e = src.To
	}
	o := b.eval(e)
	if !b.changes(e) {
		return o
	}
	held := b.temp(e.Type())
	b.move(held, o)
	return held
}

// changes tells that the slot in which e lies may be written while the rule goes on.
func (b *builder) changes(e check.Expr) bool {
	switch e := e.(type) {
	case *check.StateField:
		return !b.pure && !e.Old && !b.old
	case *check.LocalRef:
		return e.Local.Var
	}
	return false
}

// comp makes what a comprehension makes. dst is no part of e (see atomic).
func (b *builder) comp(e *check.Comp, dst operand) {
	pure := b.pure
	b.pure = true // nothing is written while an expression is computed
	defer func() { b.pure = pure }()
	switch e.Kind {
	case check.CompList:
		b.collect(e, dst, e.Elem)
	case check.CompSet:
		b.collected(e, dst, value.SetOf, nil)
	case check.CompUnique:
		b.collected(e, dst, value.Unique, nil)
	case check.CompSortBy:
		b.sortBy(e, dst)
	case check.CompMap:
		b.compMap(e, dst)
	case check.CompSum:
		b.sum(e, dst)
	case check.CompCount:
		b.count(e, dst)
	case check.CompAny, check.CompAll:
		b.byBranch(e, dst)
	case check.CompMin, check.CompMax:
		b.extreme(e, dst)
	case check.CompFirst, check.CompLast:
		b.firstLast(e, dst)
	}
}

// collect appends elem of each element to dst.
func (b *builder) collect(e *check.Comp, dst operand, elem check.Expr) {
	b.move(dst, b.c.konst(b.typ(dst), value.V{}))
	b.each(e.Source, e.Cond, func(label) { b.push(dst, elem) })
}

func (b *builder) push(dst operand, elem check.Expr) {
	before, mark := b.at(elem.Pos()), b.mark()
	b.op(bytecode.OpAppend, dst, dst, b.eval(elem))
	b.release(mark)
	b.span = before
}

// collected makes a list and calls a builtin on it.
func (b *builder) collected(e *check.Comp, dst operand, fn value.Builtin, info *value.CallInfo) {
	list := b.temp(listOf(e.Elem.Type()))
	b.collect(e, list, e.Elem)
	b.call(fn, info, []*value.Type{b.typ(list)}, e.T, dst, list)
}

// sortBy makes the elements and, beside them, the rows of their keys.
func (b *builder) sortBy(e *check.Comp, dst operand) {
	keyOf := sortRow(e.SortKeys)
	of := []uint16{b.c.types.of(e.T), b.c.types.of(listOf(keyOf))}
	base := b.window(of...)
	elems, keys := base, base.at(1)
	b.move(elems, b.c.konst(e.T, value.V{}))
	b.move(keys, b.c.konst(listOf(keyOf), value.V{}))
	b.each(e.Source, e.Cond, func(label) {
		mark := b.mark()
		if e.Elem != nil {
			b.push(elems, e.Elem)
		} else {
			b.op(bytecode.OpAppend, elems, elems, b.locals[e.Source.Value])
		}
		key := b.temp(keyOf)
		if keyOf.Kind == value.Record && len(e.SortKeys) > 1 {
			b.op(bytecode.OpRecord, key, b.fields(e.SortKeys, keyOf.Record.Fields), 0)
		} else {
			b.evalTo(e.SortKeys[0], key)
		}
		b.op(bytecode.OpAppend, keys, keys, key)
		b.release(mark)
	})
	info := &value.CallInfo{Arg: e.T, Result: e.T, Desc: e.Desc}
	for _, k := range e.SortKeys {
		info.Keys = append(info.Keys, k.Type())
	}
	b.call(value.SortBy, info, []*value.Type{e.T, listOf(keyOf)}, e.T, dst, base)
}

// sortRow is the type of one row of sort keys: the key itself, or a record of several.
func sortRow(keys []check.Expr) *value.Type {
	if len(keys) == 1 {
		return keys[0].Type()
	}
	r := &value.RecordType{Name: "SortKeys"}
	for i, k := range keys {
		r.Fields = append(r.Fields, value.Field{Name: "key" + strconv.Itoa(i), Type: k.Type()})
	}
	return &value.Type{Kind: value.Record, Record: r}
}

func (b *builder) compMap(e *check.Comp, dst operand) {
	keys, values := b.temp(listOf(e.T.Key)), b.temp(listOf(e.T.Elem))
	b.move(keys, b.c.konst(b.typ(keys), value.V{}))
	b.move(values, b.c.konst(b.typ(values), value.V{}))
	b.each(e.Source, e.Cond, func(label) {
		b.push(keys, e.Key)
		b.push(values, e.Elem)
	})
	b.op(bytecode.OpMapOf, dst, keys, values)
}

// sum of a plain column is one instruction, else a loop.
func (b *builder) sum(e *check.Comp, dst operand) {
	if cell, ok := column(e); ok {
		b.op(pick(e.T, bytecode.OpSumColI, bytecode.OpSumColD), dst, b.eval(e.Source.X), operand(cell))
		return
	}
	b.move(dst, b.c.konst(e.T, value.V{}))
	b.each(e.Source, e.Cond, func(label) {
		mark := b.mark()
		b.op(pick(e.T, bytecode.OpAddI, bytecode.OpAddD), dst, dst, b.eval(e.Elem))
		b.release(mark)
	})
}

// column is the cell that e sums, when it is one of each element and all are taken.
func column(e *check.Comp) (int, bool) {
	if e.Cond != nil || e.Source.Kind != check.OverList && e.Source.Kind != check.OverMap || e.Source.Value == nil {
		return 0, false
	}
	if isLocal(e.Elem, e.Source.Value) {
		return 0, true
	}
	f, ok := e.Elem.(*check.FieldOf)
	if !ok || !isLocal(f.X, e.Source.Value) {
		return 0, false
	}
	return f.Field, true
}

func (b *builder) count(e *check.Comp, dst operand) {
	if e.Cond == nil && e.Source.Kind != check.OverRange {
		b.op(bytecode.OpLen, dst, b.eval(e.Source.X), 0)
		return
	}
	b.move(dst, b.intConst(0))
	b.each(e.Source, e.Cond, func(label) { b.op(bytecode.OpAddI, dst, dst, b.intConst(1)) })
}

// extreme keeps the first of the least or greatest.
func (b *builder) extreme(e *check.Comp, dst operand) {
	t := e.Elem.Type()
	best := b.temp(t)
	b.move(dst, b.c.konst(e.T, value.None))
	b.each(e.Source, e.Cond, func(next label) {
		mark := b.mark()
		v, better := b.eval(e.Elem), b.label()
		b.jump(bytecode.OpJumpNone, dst, 0, better)
		x, y := best, v // keep best when best <= v
		if e.Kind == check.CompMax {
			x, y = v, best
		}
		b.jump(lessEqual(t), x, y, next)
		b.place(better)
		b.move(best, v)
		b.move(dst, v)
		b.release(mark)
	})
}

func lessEqual(t *value.Type) bytecode.Op {
	switch {
	case isWord(t):
		return bytecode.OpJumpLeW
	case t.Kind == value.Decimal:
		return bytecode.OpJumpLeD
	}
	return bytecode.OpJumpLe
}

func (b *builder) firstLast(e *check.Comp, dst operand) {
	found := b.label()
	b.move(dst, b.c.konst(e.T, value.None))
	b.each(e.Source, e.Cond, func(label) {
		b.store(e.Elem, dst)
		if e.Kind == check.CompFirst {
			b.jump(bytecode.OpJump, 0, 0, found)
		}
	})
	b.place(found)
}
