package vm

import (
	"strings"
	"unsafe"

	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/value"
)

var stringSet = &value.Type{Kind: value.Set, Elem: value.StringType}

// Decide runs the command whose fields were set by DecodeCommand or SetCommand. The order is
// that of ruling 78: roles, birth, final, the rule, invariants. Born tells that the aggregate
// has events. Gas limits the whole; negative gas does not. The state is read and not changed:
// an accepted command waits in the machine for Store, and its events for Event.
func (m *Machine) Decide(cmd int, state []value.V, ctx *Ctx, born bool, gas int64) Outcome {
	if m.Accepts(cmd, state, ctx, born, gas) {
		return Outcome{Gas: m.used()}
	}
	return m.out
}

// Accepts is Decide for who wants to know no more of an accepted command, which spares the making
// of an Outcome. When it is false, Refusal tells why.
func (m *Machine) Accepts(cmd int, state []value.V, ctx *Ctx, born bool, gas int64) bool {
	c := &m.p.commands[cmd]
	m.nvals, m.nevents = 0, 0
	m.begin(gas)
	if !c.bare {
		m.setCtx(c.ctx, ctx)
		if m.refused(&m.out, c, state, ctx, born) {
			return false
		}
		for _, o := range c.old {
			m.frame[o.Slot] = state[o.Field]
		}
	}
	m.fetch(&c.load, state)
	m.sp = 0
	ip, left := unsafe.Add(m.code, uintptr(c.start)+insSize), m.gas-c.gas
	if left >= 0 {
		ip, left = m.fast(ip, left)
	}
	if left >= 0 && (*ins)(ip).op == bytecode.OpDone {
		m.gas = left
		return true
	}
	e := m.goOn(ip, left)
	if e != accepted {
		m.undone(&m.out, e, state, c)
	}
	return e == accepted
}

// Refusal is why Accepts was last false.
func (m *Machine) Refusal() Outcome { return m.out }

// undone tells why a command was not accepted and takes its events back.
func (m *Machine) undone(out *Outcome, e end, state []value.V, c *command) {
	m.nvals, m.nevents = 0, 0
	switch e {
	case rejected:
		*out = Outcome{Kind: Rejected, Code: m.p.src.Codes[m.which], Gas: m.used()}
		if m.told {
			out.Message = m.message.Str()
		}
	case violated:
		*out = m.violation(int(m.which), state, union(c.Reads, c.Writes))
	default:
		*out = m.faultOutcome()
	}
}

// Store writes what the last accepted command changed into state, which is usually the state it
// was decided on. It comes before the machine runs anything else, which would use the same frame.
func (m *Machine) Store(cmd int, state []value.V) {
	m.store(&m.p.commands[cmd].writes, state)
}

// refused checks roles, birth and final; if one of them refuses, out tells it.
func (m *Machine) refused(out *Outcome, c *command, state []value.V, ctx *Ctx, born bool) bool {
	switch {
	case len(c.by) > 0 && !hasRole(ctx.Roles, c.by):
		*out = Outcome{Kind: Rejected, Code: "forbidden", Message: "needs the role " + strings.Join(c.By, " or ")}
		return true
	case c.Creates && born:
		*out = m.refuse(c.CreateElse, "already_exists", state)
		return true
	case !c.Creates && !born && m.p.src.Creates:
		*out = Outcome{Kind: Rejected, Code: "not_found"}
		return true
	case c.Creates || m.p.src.Final == bytecode.NoChunk:
		return false
	}
	m.load(m.p.src.FinalReads, state)
	if m.run(m.p.src.Final) == faulted {
		*out = m.faultOutcome()
		return true
	}
	if m.frame[m.p.src.FinalResult].W == 0 {
		return false
	}
	*out = m.refuse(m.p.src.FinalElse, "finished", state)
	return true
}

func hasRole(roles value.V, by []value.V) bool {
	for _, r := range by {
		if value.SetHas(stringSet, roles, r) {
			return true
		}
	}
	return false
}

// refuse is a refusal with a fixed code, whose message is made by a chunk.
func (m *Machine) refuse(r bytecode.Refusal, reserved string, state []value.V) Outcome {
	out := Outcome{Kind: Rejected, Code: r.Code}
	if out.Code == "" {
		out.Code = reserved
	}
	if r.Message.Chunk != bytecode.NoChunk {
		m.load(r.Message.Reads, state)
		if m.run(r.Message.Chunk) == faulted {
			return m.faultOutcome()
		}
		out.Message = m.frame[r.Message.Result].Str()
	}
	out.Gas = m.used()
	return out
}

// violation is the refusal by invariant i. Its values are those after the command: fields that
// the command did not touch are read from state. Making the message costs the command nothing.
func (m *Machine) violation(i int, state []value.V, touched []uint16) Outcome {
	inv := &m.p.src.Invariants[i]
	out := Outcome{Kind: Rejected, Code: "invariant_violated", Gas: m.used()}
	var text strings.Builder
	text.WriteString("invariant " + inv.Name + " does not hold: " + inv.Text)
	for _, f := range inv.Shown {
		for _, r := range f.Reads {
			if !contains(touched, r) {
				m.load([]uint16{r}, state)
			}
		}
	}
	open := " ("
	for _, s := range inv.Shown {
		m.begin(m.p.Gas())
		if m.run(s.Chunk) == faulted {
			continue
		}
		text.WriteString(open + s.Text + " is " + m.frame[s.Result].Str())
		open = ", "
	}
	if open != " (" {
		text.WriteByte(')')
	}
	out.Message = text.String()
	return out
}

// Invariants checks the invariants on a state that comes from elsewhere; old is the state
// before it. The first that fails gives the outcome.
func (m *Machine) Invariants(state, old []value.V) Outcome {
	used := int64(0)
	for i := range m.p.src.Invariants {
		inv := &m.p.src.Invariants[i]
		m.begin(m.p.Gas())
		m.load(inv.Reads, state)
		for _, o := range inv.Old {
			m.frame[o.Slot] = old[o.Field]
		}
		if m.run(inv.Chunk) == faulted {
			return m.faultOutcome()
		}
		if m.frame[inv.Result].W == 0 {
			return m.violation(i, state, nil)
		}
		used += m.used()
	}
	return Outcome{Kind: Accepted, Gas: used}
}

// faultOutcome tells of the fault that ended the run and of its place.
func (m *Machine) faultOutcome() Outcome {
	out := Outcome{Kind: Faulted, Fault: m.fault, Gas: m.used()}
	at := m.index(m.faultIP)
	chunk := m.p.chunkAt(at)
	out.Rule = m.p.src.Chunks[chunk].Name
	if l, ok := m.p.line(chunk, at); ok {
		out.File, out.Line, out.Column = m.p.src.Files[l.File], int(l.Line), int(l.Column)
	}
	out.ApplyFault = m.p.applies(at)
	for _, back := range m.stack[:m.sp] {
		out.ApplyFault = out.ApplyFault || m.p.applies(back/uint32(insSize)-1)
	}
	return out
}

// chunkAt is the chunk that holds an instruction.
func (p *Program) chunkAt(at uint32) int {
	lo, hi := 0, len(p.starts)-1
	for lo+1 < hi {
		if mid := (lo + hi) / 2; p.starts[mid] <= at {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo
}

// line is the source place of an instruction.
func (p *Program) line(chunk int, at uint32) (bytecode.Line, bool) {
	pc := at - p.starts[chunk]
	lines := p.src.Chunks[chunk].Lines
	for i := len(lines) - 1; i >= 0; i-- {
		if lines[i].PC <= pc {
			return lines[i], true
		}
	}
	return bytecode.Line{}, false
}

// applies tells whether an instruction is of an apply.
func (p *Program) applies(at uint32) bool {
	chunk := p.chunkAt(at)
	if l, ok := p.line(chunk, at); ok && l.Apply {
		return true
	}
	for i := range p.src.Events {
		if e := &p.src.Events[i]; e.Current && int(e.Apply) == chunk {
			return true
		}
	}
	return false
}

// Step is one instruction that a traced machine is about to run.
type Step struct {
	Chunk string
	PC    int
	Op    string
	File  string
	Line  int
	Gas   int64 // used so far
}

// SetTrace has see called before each instruction, until it is called with nil. A traced
// machine runs slower, and what it computes and charges is the same.
func (m *Machine) SetTrace(see func(Step)) {
	m.trace = see
	if see == nil {
		m.code = unsafe.Pointer(unsafe.SliceData(m.p.code))
		return
	}
	m.p.trapOnce.Do(func() {
		m.p.traps = append([]ins(nil), m.p.code...)
		for i := range m.p.traps {
			m.p.traps[i].op = opTrap
		}
	})
	m.code = unsafe.Pointer(unsafe.SliceData(m.p.traps))
}

// observe tells the trace of an instruction.
func (m *Machine) observe(ip unsafe.Pointer) {
	at := m.index(ip)
	chunk := m.p.chunkAt(at)
	s := Step{Chunk: m.p.src.Chunks[chunk].Name, PC: int(at - m.p.starts[chunk]), Gas: m.used()}
	s.Op = m.p.src.Chunks[chunk].Code[s.PC].Op.String()
	if l, ok := m.p.line(chunk, at); ok {
		s.File, s.Line = m.p.src.Files[l.File], int(l.Line)
	}
	m.trace(s)
}
