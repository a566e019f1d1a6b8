package compile

import (
	"github.com/cloudlysis/aggregate/dsl/bytecode"
)

// finish turns what a builder wrote into a chunk: jumps to jumps are shortened, dead code goes,
// gas is set. Operands are laid out later, with the frame.
func (c *compiler) finish(b *builder, chunk int) {
	b.add(ins{op: bytecode.OpRet, to: noLabel}) // so that a label behind the last line has a place; dead as a rule
	f := &finisher{code: b.code, marks: b.marks}
	f.thread()
	f.prune()
	f.charge()
	c.chunks[chunk] = lowered{name: b.name, code: f.out, marks: f.marks, gas: f.gas}
}

// lowered is a finished chunk before layout. marks are the final places of the labels.
type lowered struct {
	name  string
	code  []ins
	marks []int
	gas   int
}

type finisher struct {
	code  []ins
	marks []int
	out   []ins
	gas   int
}

func ends(op bytecode.Op) bool {
	return op == bytecode.OpJump || endsRule(op)
}

func endsRule(op bytecode.Op) bool {
	return op == bytecode.OpRet || op == bytecode.OpDone || op == bytecode.OpReject || op == bytecode.OpViolate
}

func isNext(op bytecode.Op) bool { return op >= bytecode.OpNextL && op <= bytecode.OpNextR }

// thread leads jumps to a jump on to where that one goes, when that is forward too. A jump to
// the end of the loop around it goes back to the loop's head at once.
func (f *finisher) thread() {
	for i := range f.code {
		in := &f.code[i]
		for hops := 0; in.to != noLabel && hops < 8; hops++ {
			at := f.marks[in.to]
			to := &f.code[at]
			if to.op != bytecode.OpJump || at <= i {
				break
			}
			dest := f.marks[to.to]
			if dest <= at && !f.sameLoop(dest, i) {
				break
			}
			in.to = to.to
		}
	}
}

// sameLoop tells that no other loop begins between the head and the instruction at i: a jump out
// of an inner loop to the head of an outer one must not be the only way back to it, since loops
// have to nest.
func (f *finisher) sameLoop(head, i int) bool {
	if head >= i || isNext(f.code[i].op) {
		return false
	}
	for k := head + 1; k < i; k++ {
		if isNext(f.code[k].op) {
			return false
		}
	}
	return isNext(f.code[head].op)
}

// prune drops what no path reaches, and jumps to what comes next anyhow.
func (f *finisher) prune() {
	live := make([]bool, len(f.code))
	work := []int{0}
	for len(work) > 0 {
		i := work[len(work)-1]
		work = work[:len(work)-1]
		for i < len(f.code) && !live[i] {
			live[i] = true
			if t := f.code[i].to; t != noLabel {
				work = append(work, f.marks[t])
			}
			if ends(f.code[i].op) {
				break
			}
			i++
		}
	}
	for i := len(f.code) - 1; i >= 0; i-- {
		if live[i] && f.code[i].op == bytecode.OpJump && f.next(live, i+1) == f.next(live, f.marks[f.code[i].to]) && f.marks[f.code[i].to] > i {
			live[i] = false
		}
	}
	f.compact(live)
}

// next is the first live instruction from i on.
func (f *finisher) next(live []bool, i int) int {
	for i < len(live) && !live[i] {
		i++
	}
	return i
}

// compact keeps the marked instructions and moves the labels along.
func (f *finisher) compact(keep []bool) {
	at := make([]int, len(f.code)+1)
	n := 0
	for i := range f.code {
		at[i] = n
		if keep[i] {
			f.code[n] = f.code[i]
			n++
		}
	}
	at[len(f.code)] = n
	f.code = f.code[:n]
	for i, m := range f.marks {
		if m >= 0 {
			f.marks[i] = at[m]
		}
	}
}

// maxCharge is the most that the N of a jump can charge.
const maxCharge = 250 // and what an OpNext charges for its head

// charge sets the gas of each block where the comment in bytecode/op.go says: in the chunk, the
// jump before it or that leads to it, or an OpGas at its head. An OpNext also charges for its
// head when the loop comes round again, so that ways back to it charge nothing.
func (f *finisher) charge() {
	n := len(f.code)
	head, viaCond := make([]bool, n+1), make([]bool, n+1)
	head[0] = true
	for i := range f.code {
		in := &f.code[i]
		if in.to != noLabel {
			t := f.marks[in.to]
			head[t] = true
			viaCond[t] = viaCond[t] || in.op != bytecode.OpJump && t > i
		}
		if in.to != noLabel || ends(in.op) {
			head[i+1] = true
		}
	}
	total, own := make([]int, n+1), make([]bool, n+1)
	for i := n - 1; i >= 0; i-- {
		total[i] = f.code[i].op.Gas()
		if !ends(f.code[i].op) && f.code[i].to == noLabel && !own[i+1] {
			total[i] += total[i+1]
		}
		// A block pays by itself when a conditional jump leads to it, or when it is too dear
		// for a jump. The end of a rule alone is free to jump to.
		own[i] = head[i] && i > 0 && !endsRule(f.code[i].op) && (viaCond[i] || total[i] > maxCharge)
	}
	f.emit(total, own)
}

// emit writes the code with its charges.
func (f *finisher) emit(total []int, own []bool) {
	at := make([]int, len(f.code)+1)
	f.gas = max(total[0], 1)
	for i := range f.code {
		at[i] = len(f.out)
		in := f.code[i]
		if own[i] {
			f.out = append(f.out, ins{op: bytecode.OpGas, c: operand(total[i]), span: in.span, apply: in.apply, to: noLabel})
		}
		if in.to != noLabel {
			in.n = f.jumpCharge(i, total, own)
		}
		f.out = append(f.out, in)
		if in.ext {
			f.out = append(f.out, ins{op: bytecode.OpExt, a: in.x, to: noLabel})
		}
	}
	for i, m := range f.marks {
		if m >= 0 {
			f.marks[i] = at[m]
		}
	}
}

// jumpCharge is the N of the jump at i: what the block costs that it leads to or, if it is
// conditional, that follows it.
func (f *finisher) jumpCharge(i int, total []int, own []bool) uint8 {
	to := i + 1
	if f.code[i].op == bytecode.OpJump {
		to = f.marks[f.code[i].to]
	}
	next := 0
	if isNext(f.code[i].op) {
		next = f.code[i].op.Gas() // for the way back to this head
	}
	switch {
	case to <= i || endsRule(f.code[to].op) && next == 0:
		return 0
	case own[to]:
		return uint8(next)
	}
	return uint8(total[to] + next)
}
