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

	stateAt uint32 // slot of state field 0, in bytes from the beginning of the frame

	stack []uint32 // of calls, in bytes from the beginning of all code; as deep as any chain of them
	sp    int
	code  unsafe.Pointer // p.code, or p.traps when traced

	gas   int64 // left
	limit int64
	mem   int64 // bytes that may still be built

	events  []emitted // of the command, the first nevents
	vals    []value.V // of the events, one after another, the first nvals
	nevents int
	nvals   int

	fault   value.Fault
	faultIP unsafe.Pointer
	which   uint16  // code of a rejection, or invariant of a violation
	message value.V // of a rejection
	told    bool    // the rejection has a message

	out   Outcome // of the last command that was not accepted
	trace func(Step)
}

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
	m := &Machine{p: p, stateAt: slotAt(p.src.StateBase), stack: make([]uint32, p.depth), mem: MaxMemory}
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
	if len(m.vals) > keepVals {
		m.vals, m.events = nil, nil
	}
	clear(m.vals)
	m.nvals, m.nevents = 0, 0
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
	f := m.frame[m.p.src.StateBase:]
	for _, i := range fields {
		f[i] = state[i]
	}
}

// fetch is load for fields that are known beforehand. That they are in the state is seen to once;
// that they are in the frame has the verifier.
func (m *Machine) fetch(fields *stateFields, state []value.V) {
	if len(fields.at) == 0 {
		return
	}
	_ = state[fields.last]
	from, to := unsafe.Pointer(unsafe.SliceData(state)), m.stateSlots()
	for _, i := range fields.at {
		*at(to, i) = *at(from, i)
	}
}

// store copies fields back.
func (m *Machine) store(fields *stateFields, state []value.V) {
	if len(fields.at) == 0 {
		return
	}
	_ = state[fields.last]
	from, to := m.stateSlots(), unsafe.Pointer(unsafe.SliceData(state))
	for _, i := range fields.at {
		*at(to, i) = *at(from, i)
	}
}

func (m *Machine) slots() unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(m.frame)) }

func (m *Machine) stateSlots() unsafe.Pointer { return unsafe.Add(m.slots(), uintptr(m.stateAt)) }

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
	ip, gas := unsafe.Add(m.code, uintptr(codeAt(m.p.starts[chunk]))+insSize), m.gas-m.p.gas[chunk]
	if gas >= 0 {
		ip, gas = m.fast(ip, gas)
	}
	return m.goOn(ip, gas)
}

// goOn goes on where the loop ended, with so much gas, until the chunk ends.
func (m *Machine) goOn(ip unsafe.Pointer, gas int64) end {
	for {
		if gas < 0 {
			m.gas = 0
			return m.stop(value.Gas, ip)
		}
		m.gas = gas
		switch (*ins)(ip).op {
		case bytecode.OpDone:
			return accepted
		case bytecode.OpRet: // of this chunk; fast returns from all others
			return returned
		}
		var e end
		if ip, e = m.step(ip); e != goesOn {
			return e
		}
		ip, gas = m.fast(ip, m.gas)
	}
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
