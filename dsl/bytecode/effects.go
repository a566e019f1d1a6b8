package bytecode

import "math/bits"

// Effects tell what each chunk touches, itself and through the chunks that it calls.
type Effects struct {
	Chunks []Effect
	// Depth is how many calls may be open at once.
	Depth int
}

// Effect is what one chunk and what it calls do.
type Effect struct {
	Reads  Set // state fields
	Writes Set // state fields
	Ctx    Set // fields of ctx read
	Sets   Set // all slots written
	// Decides tells that it emits or ends a command; Ends that it ends one.
	Decides, Ends bool
	depth         int
}

// Set is a set of small numbers, a bit each.
type Set []uint64

// Has tells whether i is in s.
func (s Set) Has(i int) bool { return i>>6 < len(s) && s[i>>6]>>(i&63)&1 != 0 }

// Members lists s in ascending order.
func (s Set) Members() []uint16 {
	var out []uint16
	for w, word := range s {
		for ; word != 0; word &= word - 1 {
			out = append(out, uint16(w<<6+bits.TrailingZeros64(word)))
		}
	}
	return out
}

func (s *Set) add(i int) {
	for i>>6 >= len(*s) {
		*s = append(*s, 0)
	}
	(*s)[i>>6] |= 1 << (i & 63)
}

func (s *Set) join(o Set) {
	for len(*s) < len(o) {
		*s = append(*s, 0)
	}
	for i, w := range o {
		(*s)[i] |= w
	}
}

func setOf(list []uint16) Set {
	var s Set
	for _, i := range list {
		s.add(int(i))
	}
	return s
}

// missing gives a member of s that is not in o.
func (s Set) missing(o Set) (int, bool) {
	for i, w := range s {
		if i < len(o) {
			w &^= o[i]
		}
		if w != 0 {
			return i<<6 + bits.TrailingZeros64(w), true
		}
	}
	return 0, false
}

// callOrder gives the chunks so that each stands after those it calls; an error names a chunk
// that calls itself.
func (v *verifier) callOrder() ([]int, error) {
	const open, done = 1, 2
	mark := make([]uint8, len(v.p.Chunks))
	var order []int
	type frame struct{ chunk, pc int }
	for root := range v.p.Chunks {
		if mark[root] != 0 {
			continue
		}
		mark[root] = open
		stack := []frame{{root, 0}}
		for len(stack) > 0 {
			top := &stack[len(stack)-1]
			callee, ok := v.nextCall(top.chunk, &top.pc)
			switch {
			case !ok:
				mark[top.chunk] = done
				order = append(order, top.chunk)
				stack = stack[:len(stack)-1]
			case mark[callee] == open:
				return nil, &VerifyError{v.p.Chunks[top.chunk].Name, top.pc - 1, "it calls itself"}
			case mark[callee] == 0:
				mark[callee] = open
				stack = append(stack, frame{callee, 0})
			}
		}
	}
	return order, nil
}

func (v *verifier) nextCall(chunk int, pc *int) (int, bool) {
	code := v.p.Chunks[chunk].Code
	for *pc < len(code) {
		in := code[*pc]
		*pc++
		if in.Op == OpCall {
			return int(in.C), true
		}
	}
	return 0, false
}

// effect gathers what a chunk does; those it calls are known already.
func (v *verifier) effect(chunk int) Effect {
	var e Effect
	code := v.p.Chunks[chunk].Code
	for pc, in := range code {
		if !v.starts[chunk][pc] {
			continue
		}
		switch in.Op {
		case OpCall:
			e.join(&v.fx.Chunks[in.C])
		case OpEmit:
			e.Decides = true
		case OpDone, OpReject, OpViolate:
			e.Decides, e.Ends = true, true
		}
		v.touch(&e, code, pc)
	}
	return e
}

func (e *Effect) join(o *Effect) {
	e.Reads.join(o.Reads)
	e.Writes.join(o.Writes)
	e.Ctx.join(o.Ctx)
	e.Sets.join(o.Sets)
	e.Decides = e.Decides || o.Decides
	e.Ends = e.Ends || o.Ends
	e.depth = max(e.depth, o.depth+1)
}

// touch notes the slots that one instruction reads and writes.
func (v *verifier) touch(e *Effect, code []Ins, pc int) {
	in := code[pc]
	info := ops[in.Op]
	read := func(s int) {
		if f := v.stateField(s); f >= 0 {
			e.Reads.add(f)
		}
		if f := v.ctxField(s); f >= 0 {
			e.Ctx.add(f)
		}
	}
	kinds := [4]Kind{info.A, info.B, info.C, info.X}
	operands := [4]uint16{in.A, in.B, in.C, 0}
	if info.X != None {
		operands[3] = code[pc+1].A
	}
	for i, k := range kinds {
		s := int(operands[i])
		switch k {
		case Src:
			if info.N != Flag || in.N == 1 {
				read(s)
			}
		case Window:
			for n := range v.windowLen(in) {
				read(s + n)
			}
		}
	}
	if in.Op == OpEmit {
		ev := &v.p.Events[in.C]
		for i := range ev.Fields {
			read(int(ev.Base) + i)
		}
	}
	for s := range v.written(in) {
		e.Sets.add(s)
		if f := v.stateField(s); f >= 0 {
			e.Writes.add(f)
		}
	}
}

// windowLen is how many slots a Window operand reads.
func (v *verifier) windowLen(in Ins) int {
	switch in.Op {
	case OpRecord:
		return len(bare(v.at(in.A)).Record.Fields)
	case OpBuiltin:
		return len(v.p.Calls[in.C].Args)
	}
	return int(in.C)
}

// written yields the slots that an instruction writes.
func (v *verifier) written(in Ins) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		switch ops[in.Op].A {
		case Dst:
			yield(int(in.A))
		case Loop:
			for i := range in.Op.loopSlots() {
				if !yield(int(in.A) + i) {
					return
				}
			}
		}
	}
}
