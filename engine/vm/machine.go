package vm

import (
	"unsafe"

	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// MaxMemory bounds the bytes that one command, or one event that is applied, may build.
const MaxMemory = 64 << 20

// unlimited is the gas of what has no limit.
const unlimited = 1 << 62

// Machine runs the code of one Program. It is for one goroutine at a time.
type Machine struct {
	p     *Program
	frame []value.V

	stateBase uint16 // slot of state field 0

	stack []ret // of calls; as deep as any chain of them
	sp    int
	code  unsafe.Pointer // first instruction of p.code, or of p.traps when traced

	gas   int64 // left
	limit int64
	mem   int64 // bytes that may still be built

	events []emitted
	vals   []value.V // of the events, one after another

	fault   value.Fault
	faultIP unsafe.Pointer
	which   uint16  // code of a rejection, or invariant of a violation
	message value.V // of a rejection
	told    bool    // the rejection has a message

	out   Outcome // of the last command that was not accepted
	trace func(Step)
}

// ret is where a call goes on, in instructions from the beginning of all code.
type ret struct{ ip, base uint32 }

type emitted struct {
	decl uint32
	at   uint32 // in vals
}

// end is why a run stopped.
type end uint8

const (
	goesOn end = iota
	returned
	accepted
	rejected
	violated
	faulted
)

func newMachine(p *Program) *Machine {
	m := &Machine{p: p, stateBase: p.src.StateBase, stack: make([]ret, p.depth), mem: MaxMemory}
	m.frame = append([]value.V(nil), p.template...)
	m.code = unsafe.Pointer(unsafe.SliceData(p.code))
	return m
}

// keepVals is how many values of events a machine may hold on to while it is not in use.
const keepVals = 1024

func (m *Machine) reset() {
	for _, s := range m.p.scrub {
		m.frame[s] = m.p.template[s]
	}
	m.clearEvents()
	m.message, m.out = value.V{}, Outcome{}
	m.SetTrace(nil)
}

// clearEvents forgets the events of the last command and what they refer to.
func (m *Machine) clearEvents() {
	if cap(m.vals) > keepVals {
		m.vals, m.events = nil, nil
	}
	clear(m.vals[:cap(m.vals)])
	m.vals, m.events = m.vals[:0], m.events[:0]
}

// begin gives a command or evaluation its gas and memory; negative gas is no limit.
func (m *Machine) begin(gas int64) {
	if gas < 0 {
		gas = unlimited
	}
	m.gas, m.limit, m.mem = gas, gas, MaxMemory
}

func (m *Machine) used() int64 { return m.limit - m.gas }

// load copies fields of the state into the frame.
func (m *Machine) load(fields []uint16, state []value.V) {
	f := m.frame[m.stateBase:]
	for _, i := range fields {
		f[i] = state[i]
	}
}

// setCtx copies fields of ctx into the frame.
func (m *Machine) setCtx(fields []uint16, ctx *Ctx) {
	if len(fields) == 0 {
		return
	}
	all := (*[7]value.V)(unsafe.Pointer(ctx))
	f := m.frame[m.p.src.CtxBase:]
	for _, i := range fields {
		f[i] = all[i]
	}
}

// run runs a chunk until it ends.
func (m *Machine) run(chunk uint16) end {
	m.sp = 0
	base := m.base(chunk)
	ip := base
	gas := m.gas - m.p.gas[chunk]
	if gas < 0 {
		m.gas = 0
		return m.stop(value.Gas, ip)
	}
	for {
		ip, base, gas = m.fast(ip, base, gas)
		if gas < 0 {
			m.gas = 0
			return m.stop(value.Gas, ip)
		}
		m.gas = gas
		switch (*bytecode.Ins)(ip).Op {
		case bytecode.OpDone:
			return accepted
		case bytecode.OpRet: // of this chunk; fast returns from all others
			return returned
		}
		var e end
		if ip, base, e = m.step(ip, base); e != goesOn {
			return e
		}
		gas = m.gas
	}
}

// base is the first instruction of a chunk.
func (m *Machine) base(chunk uint16) unsafe.Pointer {
	return unsafe.Add(m.code, uintptr(m.p.starts[chunk])*insSize)
}

// stop ends the run with a fault at ip.
func (m *Machine) stop(f value.Fault, ip unsafe.Pointer) end {
	m.fault, m.faultIP = f, ip
	return faulted
}

// charge takes gas for data; it is false when there is not enough.
func (m *Machine) charge(n int64) bool {
	m.gas -= n
	if m.gas < 0 {
		m.gas = 0
		return false
	}
	return true
}

// build takes memory for n bytes; it is false when there is not enough.
func (m *Machine) build(n int) bool {
	m.mem -= int64(n)
	return m.mem >= 0
}

const insSize = unsafe.Sizeof(bytecode.Ins{})
