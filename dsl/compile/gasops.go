package compile

import (
	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// ins runs one instruction and sends what may be after it on its ways.
func (b *bounder) ins(pc int, f flow, ways map[int]flow) {
	in := &b.chunk.Code[pc]
	info := in.Op.Info()
	after := pc + 1
	x := 0
	if in.Op.HasExt() {
		x = int(b.chunk.Code[pc+1].A)
		after++
	}
	if data := b.data(in, &f); data > 0 {
		f.cost = plus(f.cost, data)
		if f.cost >= endless {
			b.endlessAt(pc, "%s", b.endlessWork(in))
		}
	}
	switch {
	case in.Op == bytecode.OpGas:
		f.cost = plus(f.cost, int64(in.C))
	case in.Op == bytecode.OpCall:
		f = b.call(int(in.C), f)
	case in.Op == bytecode.OpRet:
		ways[returned] = b.merge(ways[returned], f)
		return
	case endsRule(in.Op):
		ways[ended] = b.merge(ways[ended], f)
		return
	case in.Op == bytecode.OpJump:
		f.cost = plus(f.cost, int64(in.N))
		ways[int(in.C)] = b.merge(ways[int(in.C)], f)
		return
	case info.C == bytecode.Target:
		ways[int(in.C)] = b.merge(ways[int(in.C)], f)
		f = f.copied()
		f.cost = plus(f.cost, int64(in.N))
		if isNext(in.Op) { // no way leads back: it runs once at most
			b.enterLoop(in, &f)
		}
	case in.Op == bytecode.OpBound:
		b.bounded(in, &f)
	case info.A == bytecode.Dst:
		f.set(int(in.A), b.kept(int(in.A), b.result(in, x, &f), &f))
	}
	ways[after] = b.merge(ways[after], f)
}

// bounded: what passed the check keeps the bounds.
func (b *bounder) bounded(in *bytecode.Ins, f *flow) {
	have, t := b.get(f, int(in.A)), b.p.Types[in.C]
	if in.N == 0 {
		f.set(int(in.A), meet(have, shapeOf(t)))
		return
	}
	f.set(int(in.A), have.resized(min(have.n, shapeOf(t).n)))
}

// result is the shape of what an instruction writes.
func (b *bounder) result(in *bytecode.Ins, x int, f *flow) *shape {
	t := b.typeOf(int(in.A))
	y, z := b.get(f, int(in.B)), (*shape)(nil)
	if in.Op.Info().C == bytecode.Src {
		z = b.get(f, int(in.C))
	}
	switch in.Op {
	case bytecode.OpMove, bytecode.OpMoveW:
		return y
	case bytecode.OpLen:
		return &shape{n: y.n}
	case bytecode.OpAddI:
		if y != nil && z != nil && t.Kind == value.Int {
			return &shape{n: plus(y.n, z.n), neg: y.neg || z.neg}
		}
	case bytecode.OpMinI:
		if t.Kind == value.Int {
			return meetInt(y, z)
		}
	case bytecode.OpMaxI, bytecode.OpMulI:
		if y != nil && z != nil && t.Kind == value.Int && !y.neg && !z.neg {
			return &shape{n: max(times(y.n, z.n), max(y.n, z.n))}
		}
	case bytecode.OpConcat:
		n := int64(0)
		for i := range int(in.C) {
			n = plus(n, b.get(f, int(in.B)+i).n)
		}
		return &shape{n: n}
	case bytecode.OpRecord:
		s := &shape{}
		if t.Kind == value.Optional {
			t = t.Elem
		}
		for i := range t.Record.Fields {
			s.fields = append(s.fields, b.get(f, int(in.B)+i))
		}
		return s
	case bytecode.OpField:
		return y.fields[in.C]
	case bytecode.OpWith:
		s := &shape{fields: append([]*shape(nil), y.fields...)}
		s.fields[in.C] = b.get(f, x)
		return s
	case bytecode.OpList:
		return b.listOf(in, t, f)
	case bytecode.OpBuiltin:
		return b.called(in, t, f)
	}
	return b.container(in, x, y, z, f)
}

// meetInt is the lesser of two ints: at most either; negative if one is.
func meetInt(y, z *shape) *shape {
	switch {
	case y == nil && z == nil:
		return nil
	case y == nil:
		return &shape{n: z.n, neg: true}
	case z == nil:
		return &shape{n: y.n, neg: true}
	}
	return &shape{n: min(y.n, z.n), neg: y.neg || z.neg}
}

func (b *bounder) listOf(in *bytecode.Ins, t *value.Type, f *flow) *shape {
	s := none(t)
	for i := range int(in.C) {
		elem := b.get(f, int(in.B)+i)
		if i > 0 {
			elem = join(s.elem, elem)
		}
		s.elem = elem
	}
	s.n = int64(in.C)
	return s
}

// grown is y with n more elements like elem and keys like key.
func grown(y *shape, n int64, key, elem *shape) *shape {
	out := *y
	out.n = plus(y.n, n)
	if y.n == 0 {
		out.key, out.elem = key, elem
		return &out
	}
	out.key, out.elem = join(y.key, key), join(y.elem, elem)
	return &out
}

// container is for what reads and changes lists, sets and maps; nil for all else.
func (b *bounder) container(in *bytecode.Ins, x int, y, z *shape, f *flow) *shape {
	switch in.Op {
	case bytecode.OpMapOf:
		return &shape{n: y.n, key: y.elem, elem: z.elem}
	case bytecode.OpIndexL, bytecode.OpIndexM, bytecode.OpTryL, bytecode.OpTryM:
		return y.elem
	case bytecode.OpSetL:
		return grown(y, 0, y.key, b.get(f, x))
	case bytecode.OpSetM:
		return grown(y, 1, z, b.get(f, x))
	case bytecode.OpAppend:
		return grown(y, 1, y.key, z)
	case bytecode.OpInsert:
		return grown(y, 1, z, y.elem)
	case bytecode.OpRemoveL, bytecode.OpRemoveM:
		return y
	}
	return nil
}

// data is at least what an instruction is charged in proportion to data.
func (b *bounder) data(in *bytecode.Ins, f *flow) int64 {
	y := func() *shape { return b.get(f, int(in.B)) }
	t := func() *value.Type { return b.typeOf(int(in.B)) }
	switch in.Op.Info().Data {
	case bytecode.PerRow:
		return y().n
	case bytecode.PerFind:
		container, key := int(in.B), int(in.C)
		if in.Op == bytecode.OpIn {
			container, key = key, container
		}
		return b.find(f, container, key)
	case bytecode.PerCopy:
		cost := plus(1, part(cells(t(), y())))
		if t().Kind != value.List {
			cost = plus(cost, b.find(f, int(in.B), int(in.C)))
		}
		return cost
	case bytecode.PerAppend:
		return appendCost(cells(t(), y()))
	case bytecode.PerByte:
		return part(b.result(in, 0, f).n)
	case bytecode.PerPair:
		first, second := int(in.B), int(in.C)
		if in.Op.Info().C == bytecode.Target {
			first, second = int(in.A), int(in.B)
		}
		return pair(b.typeOf(first), b.get(f, first), b.get(f, second))
	case bytecode.PerList:
		return int64(in.C)
	case bytecode.PerLength:
		if t := b.typeOf(int(in.A)); in.N == 1 && t.Kind != value.String {
			return 1
		}
		return plus(1, deep(b.typeOf(int(in.A)), b.get(f, int(in.A))))
	case bytecode.PerSort:
		return plus(sorting(t(), y()), cells(b.typeOf(int(in.A)), b.result(in, 0, f)))
	case bytecode.PerCall:
		return b.callCost(in, f)
	}
	return 0
}

// find is the search for a key in a container.
func (b *bounder) find(f *flow, container, key int) int64 {
	steps := findCost(b.get(f, container).n)
	if k := b.typeOf(key); isText(k) {
		// No key in the container is longer than its keys; one that is may be read as far.
		return plus(steps, times(steps, plus(1, part(b.get(f, key).n))))
	}
	return steps
}

// pair is what comparing two values takes: strings to the end of the shorter.
func pair(t *value.Type, x, y *shape) int64 {
	switch t.Kind {
	case value.String:
		return part(min(x.n, y.n))
	case value.JSON:
		return part(plus(x.n, y.n))
	case value.Optional:
		return pair(t.Elem, x, y)
	case value.List, value.Set, value.Map:
		return plus(1, deep(t, x.resized(min(x.n, y.n))))
	case value.Record:
		return deep(t, x)
	}
	return 0
}

// sorting is the charge for putting a list in order.
func sorting(t *value.Type, s *shape) int64 {
	n := times(s.n, findCost(s.n))
	return plus(plus(n, cells(t, s)), deep(t, s))
}

// endlessWork says what has no bound, in words.
func (b *bounder) endlessWork(in *bytecode.Ins) string {
	switch in.Op.Info().Data {
	case bytecode.PerCall:
		return b.p.Calls[in.C].Builtin.String() + " works on a value without a bound"
	case bytecode.PerByte:
		return "the text that is made has no bound"
	case bytecode.PerPair:
		return "what is compared has no bound"
	case bytecode.PerRow:
		return "what is summed has no bound"
	}
	return "a list, set or map that is changed or searched has no bound"
}
