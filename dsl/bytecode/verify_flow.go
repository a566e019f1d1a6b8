package bytecode

// maxSets bounds chunks times slots: 64 MiB of sets.
const maxSets = 1 << 29

// maxLoops bounds loops within loops; the language allows 100 levels (ruling 89).
const maxLoops = 128

// flow checks jumps, loops and calls, and gathers the effects of chunks.
func (v *verifier) flow() error {
	order, err := v.callOrder()
	if err != nil {
		return err
	}
	// Each chunk has a set of slots: so many must not be asked for by a small file.
	if len(v.p.Chunks)*len(v.p.Slots) > maxSets {
		return bad("%d chunks over %d slots are too many", len(v.p.Chunks), len(v.p.Slots))
	}
	v.fx.Chunks = make([]Effect, len(v.p.Chunks))
	for _, c := range order {
		if err := v.targets(c); err != nil {
			return err
		}
		v.fx.Chunks[c] = v.effect(c)
		v.fx.Depth = max(v.fx.Depth, v.fx.Chunks[c].depth)
		if err := v.loops(c); err != nil {
			return err
		}
	}
	if v.fx.Depth > MaxCallDepth {
		return bad("%d calls within calls, at most %d", v.fx.Depth, MaxCallDepth)
	}
	return nil
}

// targets checks that jumps land on instructions, and those that go back on the head of a loop.
func (v *verifier) targets(chunk int) error {
	c := &v.p.Chunks[chunk]
	for pc, in := range c.Code {
		if !v.starts[chunk][pc] || ops[in.Op].C != Target {
			continue
		}
		to := int(in.C)
		if to >= len(c.Code) || !v.starts[chunk][to] {
			return &VerifyError{c.Name, pc, "it jumps to no instruction"}
		}
		if to <= pc && (ops[in.Op].A == Loop || !isLoop(c.Code[to].Op)) {
			return &VerifyError{c.Name, pc, "it jumps back, but not to the head of a loop"}
		}
	}
	return nil
}

func isLoop(o Op) bool { return ops[o].A == Loop }

// loops proves that every loop ends: from a jump back to the head (an OpNext) nothing changes
// the counter but the head, which counts up, and nothing the source. A head that is done goes on
// behind the last jump back to it, else it would be met again without counting or charging.
// Loops nest: else one could reset another's counter from outside of its body.
func (v *verifier) loops(chunk int) error {
	c := &v.p.Chunks[chunk]
	last := map[int]int{} // head to the last jump back to it
	for pc, in := range c.Code {
		if v.starts[chunk][pc] && ops[in.Op].C == Target && int(in.C) <= pc {
			last[int(in.C)] = pc
		}
	}
	var open []int // ends of the loops around
	for pc := range c.Code {
		for len(open) > 0 && open[len(open)-1] < pc {
			open = open[:len(open)-1]
		}
		end, ok := last[pc]
		if !ok {
			continue
		}
		if int(c.Code[pc].C) <= end {
			return &VerifyError{c.Name, pc, "the loop exits into itself"}
		}
		if len(open) > 0 && end > open[len(open)-1] {
			return &VerifyError{c.Name, pc, "loops overlap"}
		}
		if len(open) >= maxLoops {
			return &VerifyError{c.Name, pc, "loops nest too deep"}
		}
		open = append(open, end)
		if err := v.loop(chunk, pc, end); err != nil {
			return err
		}
	}
	return nil
}

func (v *verifier) loop(chunk, head, end int) error {
	c := &v.p.Chunks[chunk]
	h := c.Code[head]
	counter, source := int(h.A), int(h.B)
	for i := range h.Op.loopSlots() {
		if counter+i == source {
			return &VerifyError{c.Name, head, "the loop writes its source"}
		}
	}
	for pc := head + 1; pc <= end; pc++ {
		in := c.Code[pc]
		if !v.starts[chunk][pc] {
			continue
		}
		for s := range v.written(in) {
			if s == counter || s == source {
				return &VerifyError{c.Name, pc, "it writes the counter or the source of a loop around it"}
			}
		}
		if in.Op == OpCall {
			if sets := v.fx.Chunks[in.C].Sets; sets.Has(counter) || sets.Has(source) {
				return &VerifyError{c.Name, pc, "what it calls writes the counter or the source of a loop around it"}
			}
		}
	}
	return nil
}
