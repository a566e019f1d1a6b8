package compile

import (
	"fmt"

	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// GasBound is the most gas that the decide of a command can take, its applies and invariants
// included, on any state that keeps its bounds.
type GasBound struct {
	Command string
	// Gas is the bound, or negative when there is none: then Why tells the first reason, such as
	// a loop over a list without a bound, and File and Line its place. OverLimit is a bound that
	// was not counted to its end, since functions that call functions make it grow like 2^n.
	Gas  int64
	Why  string
	File string
	Line int
}

// maxBoundWork is how many instructions are looked at for one command; loops in loops and
// functions that call functions may ask for more.
const maxBoundWork = 50_000

// GasBounds gives the bound of each command of p, which is a compiled.
func GasBounds(a *check.Aggregate, p *bytecode.Program) []GasBound {
	out := make([]GasBound, len(p.Commands))
	for i := range p.Commands {
		r := decideRule(a, p, i)
		b := newBounder(p, &r, nil)
		out[i] = b.bound(r.run(b))
		out[i].Command = p.Commands[i].Name
	}
	return out
}

// narrowed is s under a condition on l, such as `len(l) <= 100 and …` or `l in 1..9`.
func narrowed(cond check.Expr, l *check.Local, s *shape) *shape {
	switch e := cond.(type) {
	case *check.Logic:
		if e.Op == check.And {
			return narrowed(e.Y, l, narrowed(e.X, l, s))
		}
	case *check.InRange:
		return atMost(e.X, e.To, 0, l, atLeast(e.X, e.From, l, s))
	case *check.Cmp:
		switch e.Op {
		case check.Le:
			return atMost(e.X, e.Y, 0, l, s)
		case check.Lt:
			return atMost(e.X, e.Y, 1, l, s)
		case check.Ge, check.Gt:
			return atLeast(e.X, e.Y, l, s)
		}
	}
	return s
}

func constInt(e check.Expr) (int64, bool) {
	k, ok := e.(*check.Const)
	if !ok || k.T.Kind != value.Int {
		return 0, false
	}
	return k.Value.Int(), true
}

// atMost is s when x, which is l or its length, is at most a constant.
func atMost(x, to check.Expr, less int64, l *check.Local, s *shape) *shape {
	n, ok := constInt(to)
	if !ok {
		return s
	}
	n = max(n-less, 0)
	if isLocal(x, l) {
		return meet(s, &shape{n: n, neg: true})
	}
	c, ok := x.(*check.Call)
	if !ok || c.Builtin != value.Len || !isLocal(c.Args[0], l) || s == nil {
		return s
	}
	if isText(l.Type) {
		n = times(n, 4)
	}
	return s.resized(min(s.n, n))
}

// atLeast is s when x, if it is l, is not negative.
func atLeast(x, from check.Expr, l *check.Local, s *shape) *shape {
	if n, ok := constInt(from); !ok || n < 0 || !isLocal(x, l) {
		return s
	}
	return meet(s, &shape{n: endless})
}

// flow is what may be when control comes to an instruction: the gas taken at most, and the
// shapes of slots that are not as at first.
type flow struct {
	cost  int64
	slots map[int]*shape
	live  bool
}

// OverLimit stands for a bound that is above whatever gas there may be.
const OverLimit = endless - 1

// bounder runs code on shapes instead of values. Jumps go forward or back to the head of a
// loop, and loops nest: so one pass in order sees every way, and a loop is its body, counted.
type bounder struct {
	p     *bytecode.Program
	first map[int]*shape
	chunk *bytecode.Chunk
	most  int64 // at the end of the command
	work  int
	deep  bool // the work was not done to its end
	why   string
	file  string
	line  int

	top   int            // the chunk that the rule begins with
	root  map[int]origin // of the slots that have a value when the rule begins
	open  sizer          // nil: what has no bound is endless
	clamp bool           // the state keeps the bounds that open gives it
}

// bound is the result for the cost of what has been run.
func (b *bounder) bound(cost int64) GasBound {
	switch {
	case b.deep && b.least(b.top) > GasLimit(b.p):
		return GasBound{Gas: OverLimit}
	case b.why != "" || cost >= endless:
		return GasBound{Gas: -1, Why: b.why, File: b.file, Line: b.line}
	}
	return GasBound{Gas: cost}
}

// endlessAt notes the first reason for which there is no bound.
func (b *bounder) endlessAt(pc int, format string, args ...any) {
	if b.why != "" {
		return
	}
	b.why = fmt.Sprintf(format, args...)
	for _, l := range b.chunk.Lines {
		if int(l.PC) <= pc {
			b.file, b.line = b.p.Files[l.File], int(l.Line)
		}
	}
}

func (b *bounder) typeOf(s int) *value.Type { return b.p.Types[b.p.Slots[s]] }

// get is the shape of a slot.
func (b *bounder) get(f *flow, s int) *shape {
	if x, ok := f.slots[s]; ok {
		return x
	}
	if x, ok := b.first[s]; ok {
		return x
	}
	x := shapeOf(b.typeOf(s))
	if o, ok := b.root[s]; ok {
		x = b.shaped(o.typ, o.name)
	}
	if s < len(b.p.Consts) {
		x = shapeOfValue(b.typeOf(s), b.p.Consts[s])
	}
	b.first[s] = x
	return x
}

func (f *flow) set(s int, x *shape) { f.slots[s] = x }

func (f *flow) copied() flow {
	out := flow{cost: f.cost, live: true, slots: make(map[int]*shape, len(f.slots)+4)}
	for s, x := range f.slots {
		out.slots[s] = x
	}
	return out
}

// merge is what may be after either.
func (b *bounder) merge(f, g flow) flow {
	if !f.live {
		return g
	}
	if !g.live {
		return f
	}
	out := flow{cost: max(f.cost, g.cost), live: true, slots: map[int]*shape{}}
	for s := range f.slots {
		out.slots[s] = join(b.get(&f, s), b.get(&g, s))
	}
	for s := range g.slots {
		out.slots[s] = join(b.get(&f, s), b.get(&g, s))
	}
	return out
}

// call runs a chunk from its beginning and gives what may be when it returns.
func (b *bounder) call(chunk int, in flow) flow {
	outer := b.chunk
	b.chunk = &b.p.Chunks[chunk]
	in = in.copied()
	in.cost = plus(in.cost, int64(b.chunk.Gas))
	ways := b.run(0, len(b.chunk.Code), in)
	b.chunk = outer
	b.most = max(b.most, ways[ended].cost)
	return ways[returned]
}

// Where an OpRet leads, and what ends the command.
const (
	returned = -1
	ended    = -2
)

// run runs the code [from, to) and gives what may be where control leaves it.
func (b *bounder) run(from, to int, in flow) map[int]flow {
	ways := map[int]flow{from: in}
	last := b.backs(from, to)
	for pc := from; pc < to; pc++ {
		f, ok := ways[pc]
		if !ok || !f.live {
			continue
		}
		delete(ways, pc)
		if b.work++; b.work > maxBoundWork {
			b.deep = true
			b.endlessAt(pc, "the rule is too intricate for a bound")
			return map[int]flow{}
		}
		if end, ok := last[pc]; ok {
			for at, g := range b.loop(pc, end, f) {
				ways[at] = b.merge(ways[at], g)
			}
			pc = end
			continue
		}
		b.ins(pc, f, ways)
	}
	return ways
}

// backs gives the heads of the loops in [from, to) with their last jump back.
func (b *bounder) backs(from, to int) map[int]int {
	last := map[int]int{}
	for pc := from; pc < to; pc++ {
		in := &b.chunk.Code[pc]
		if in.Op.Info().C == bytecode.Target && int(in.C) <= pc && int(in.C) >= from {
			last[int(in.C)] = pc
		}
	}
	return last
}

// maxRounds is how often a loop's body is run for shapes to settle.
const maxRounds = 4

// loop runs the body of the loop at head, which ends after the instruction at end. Each way out
// costs what the rounds before it cost.
func (b *bounder) loop(head, end int, in flow) map[int]flow {
	next := &b.chunk.Code[head]
	rounds := b.rounds(next, &in)
	grows := b.grows(head, end)
	start := in.copied()
	for s, n := range grows {
		if x := b.get(&start, s); x != nil {
			start.set(s, x.resized(plus(x.n, times(rounds, n))))
		}
	}
	var ways map[int]flow
	for round := 0; ; round++ {
		body := start.copied()
		body.cost = plus(body.cost, int64(next.N))
		b.enterLoop(next, &body)
		ways = b.run(head+1, end+1, body)
		back, ok := ways[head]
		delete(ways, head)
		if !ok {
			break
		}
		once := back.cost - start.cost
		if !b.settle(&start, back, grows, round) {
			if round > 2*maxRounds {
				b.endlessAt(head, "the loop is too intricate for a bound")
				break
			}
			continue
		}
		if rounds >= endless && once > 0 {
			what := "the loop has no bound: what it runs over has none"
			if next.Op == bytecode.OpNextR {
				what = "the range has no bound: its ends are neither constants nor lengths nor checked by a where"
			}
			b.endlessAt(head, "%s", what)
		}
		for at, f := range ways {
			f.cost = plus(f.cost, times(rounds, once))
			ways[at] = f
		}
		start.cost = plus(start.cost, times(rounds, once))
		break
	}
	ways[int(next.C)] = b.merge(ways[int(next.C)], start)
	return ways
}

// settle takes into start what a round leaves, and tells that nothing was new. After some rounds
// what still changes is given up for endless.
func (b *bounder) settle(start *flow, back flow, grows map[int]int64, round int) bool {
	settled := true
	for s := range back.slots {
		old, now := b.get(start, s), b.get(&back, s)
		if n, ok := grows[s]; ok && n > 0 && now != nil && old != nil {
			now = now.resized(old.n) // all rounds are counted in
		}
		if fitsIn(now, old) {
			continue
		}
		settled = false
		if round >= maxRounds {
			start.set(s, shapeOf(b.typeOf(s)))
			continue
		}
		start.set(s, join(old, now))
	}
	return settled
}

// grows counts, for each slot that the body writes only by adding to it, the additions.
func (b *bounder) grows(head, end int) map[int]int64 {
	out := map[int]int64{}
	for pc := head + 1; pc <= end; pc++ {
		in := &b.chunk.Code[pc]
		info := in.Op.Info()
		switch {
		case info.A == bytecode.Loop:
			out[int(in.A)], out[int(in.A)+1], out[int(in.A)+2] = -1, -1, -1
		case info.A != bytecode.Dst:
		case adds(in) && out[int(in.A)] >= 0 && !b.nested(head, end, pc):
			out[int(in.A)]++
		default:
			out[int(in.A)] = -1
		}
	}
	for s, n := range out {
		if n <= 0 {
			delete(out, s)
		}
	}
	return out
}

// adds tells that an instruction adds one element to what it writes.
func adds(in *bytecode.Ins) bool {
	return in.A == in.B && (in.Op == bytecode.OpAppend || in.Op == bytecode.OpInsert || in.Op == bytecode.OpSetM)
}

// nested tells that the instruction at pc is in a loop within that of head.
func (b *bounder) nested(head, end, pc int) bool {
	for h, e := range b.backs(head+1, end+1) {
		if h <= pc && pc <= e {
			return true
		}
	}
	return false
}

// rounds is how often a loop's body runs at most.
func (b *bounder) rounds(next *bytecode.Ins, f *flow) int64 {
	s := b.get(f, int(next.B))
	if s == nil {
		return endless
	}
	if from := b.get(f, int(next.A)); next.Op == bytecode.OpNextR && (from == nil || from.neg) {
		return endless
	}
	return s.n
}

// enterLoop sets what the head sets.
func (b *bounder) enterLoop(next *bytecode.Ins, f *flow) {
	s := b.get(f, int(next.B))
	f.set(int(next.A), nil)
	switch a := int(next.A) + 1; next.Op {
	case bytecode.OpNextL:
		f.set(a, s.elem)
	case bytecode.OpNextIL:
		f.set(a, &shape{n: s.n})
		f.set(a+1, s.elem)
	case bytecode.OpNextS:
		f.set(a, s.key)
	case bytecode.OpNextM:
		f.set(a, s.key)
		f.set(a+1, s.elem)
	case bytecode.OpNextR:
		f.set(a, s)
	}
}
