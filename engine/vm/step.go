package vm

import (
	"unsafe"

	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// step does one instruction, whatever its operands hold, and gives the place of the next. It is
// the whole meaning of every opcode; fast is a shorter way to the same.
func (m *Machine) step(ip unsafe.Pointer) (unsafe.Pointer, end) {
	in := m.p.plain[m.index(ip)]
	if (*ins)(ip).op == opTrap {
		m.observe(ip)
	}
	next := unsafe.Add(ip, insSize)
	if in.Op.HasExt() {
		next = unsafe.Add(next, insSize)
	}
	if in.Op == opUnwrap {
		if m.frame[in.B].IsNone() {
			return ip, m.stop(value.AbsentKey, ip)
		}
		m.frame[in.A] = m.frame[in.B]
		return next, goesOn
	}
	switch group[in.Op] {
	case jumps:
		taken, f := m.jumps(in)
		if f != value.NoFault {
			return ip, m.stop(f, ip)
		}
		if taken {
			return m.target(ip), goesOn
		}
		if !m.charge(int64(in.N)) {
			return ip, m.stop(value.Gas, ip)
		}
		m.setElement(in)
		return next, goesOn
	case control:
		return m.control(in, ip, next)
	}
	f := value.NoFault
	switch group[in.Op] {
	case numbers:
		f = m.number(in, ip)
	case data:
		f = m.data(in, ip)
	}
	if f != value.NoFault {
		return ip, m.stop(f, ip)
	}
	return next, goesOn
}

// The groups of opcodes, by the function that does them.
const (
	control = iota + 1
	jumps
	numbers
	data
)

var group = func() (g [256]uint8) {
	for op := range bytecode.Op(bytecode.Count) {
		switch info := op.Info(); {
		case info.C == bytecode.Target && op != bytecode.OpJump:
			g[op] = jumps
		case op <= bytecode.OpMoveW || op >= bytecode.OpJump && op <= bytecode.OpEmit:
			g[op] = control
		case op >= bytecode.OpNot && op < bytecode.OpConcat:
			g[op] = numbers
		default:
			g[op] = data
		}
	}
	g[opBoundR] = data
	g[opNextLR], g[opNextILR], g[opNextMR] = jumps, jumps, jumps
	return g
}()

func (m *Machine) control(in bytecode.Ins, ip, next unsafe.Pointer) (unsafe.Pointer, end) {
	r := m.frame
	switch in.Op {
	case bytecode.OpGas:
		if !m.charge(int64(in.C)) {
			return ip, m.stop(value.Gas, ip)
		}
	case bytecode.OpMove:
		r[in.A] = r[in.B]
	case bytecode.OpMoveW:
		r[in.A].W = r[in.B].W
	case bytecode.OpJump:
		if !m.charge(int64(in.N)) {
			return ip, m.stop(value.Gas, ip)
		}
		return m.target(ip), goesOn
	case bytecode.OpCall:
		if !m.charge(m.p.gas[in.C]) {
			return ip, m.stop(value.Gas, ip)
		}
		m.stack[m.sp] = uint32(uintptr(ip) - uintptr(m.code))
		m.sp++
		return m.target(ip), goesOn
	case bytecode.OpRet:
		if m.sp == 0 {
			return ip, returned
		}
		m.sp--
		return unsafe.Add(m.code, uintptr(m.stack[m.sp])+insSize), goesOn
	case bytecode.OpDone:
		return ip, accepted
	case bytecode.OpReject:
		m.which, m.told = in.C, in.N == 1
		if m.told {
			m.message = r[in.A]
		}
		return ip, rejected
	case bytecode.OpViolate:
		m.which = in.C
		return ip, violated
	case bytecode.OpEmit:
		if !m.emit(int(in.C)) {
			return ip, m.stop(value.Memory, ip)
		}
	}
	return next, goesOn
}

// index is the place of an instruction in all code.
func (m *Machine) index(ip unsafe.Pointer) uint32 {
	return uint32((uintptr(ip)-uintptr(m.code))/insSize) - 1
}

// target is where the jump or call at ip leads.
func (m *Machine) target(ip unsafe.Pointer) unsafe.Pointer {
	return unsafe.Add(m.code, uintptr((*ins)(ip).c)+insSize)
}

// emit keeps the values of an event.
func (m *Machine) emit(decl int) bool {
	e := &m.p.src.Events[decl]
	if !m.build((len(e.Fields) + 1) * cellBytes) {
		return false
	}
	events := append(m.events[:m.nevents], emitted{uint32(decl), uint32(m.nvals)})
	vals := append(m.vals[:m.nvals], m.frame[e.Base:int(e.Base)+len(e.Fields)]...)
	m.nevents, m.nvals = len(events), len(vals)
	m.events, m.vals = events[:cap(events)], vals[:cap(vals)]
	return true
}

// jumps decides the conditional jumps: whether the target is taken.
func (m *Machine) jumps(in bytecode.Ins) (bool, value.Fault) {
	r := m.frame
	switch in.Op {
	case bytecode.OpJumpIf:
		return r[in.A].W != 0, value.NoFault
	case bytecode.OpJumpNot:
		return r[in.A].W == 0, value.NoFault
	case bytecode.OpJumpNone:
		return r[in.A].IsNone(), value.NoFault
	case bytecode.OpJumpSome:
		return !r[in.A].IsNone(), value.NoFault
	case bytecode.OpJumpEqW:
		return r[in.A].W == r[in.B].W, value.NoFault
	case bytecode.OpJumpNeW:
		return r[in.A].W != r[in.B].W, value.NoFault
	case bytecode.OpJumpLtW:
		return r[in.A].Int() < r[in.B].Int(), value.NoFault
	case bytecode.OpJumpLeW:
		return r[in.A].Int() <= r[in.B].Int(), value.NoFault
	case bytecode.OpJumpEqD:
		return value.CmpDecimal(r[in.A], r[in.B]) == 0, value.NoFault
	case bytecode.OpJumpNeD:
		return value.CmpDecimal(r[in.A], r[in.B]) != 0, value.NoFault
	case bytecode.OpJumpLtD:
		return value.CmpDecimal(r[in.A], r[in.B]) < 0, value.NoFault
	case bytecode.OpJumpLeD:
		return value.CmpDecimal(r[in.A], r[in.B]) <= 0, value.NoFault
	case bytecode.OpJumpEq, bytecode.OpJumpNe:
		eq, f := m.equal(in.A, in.B)
		return eq == (in.Op == bytecode.OpJumpEq), f
	case bytecode.OpJumpLt, bytecode.OpJumpLe:
		c, f := m.compare(in.A, in.B)
		return c < 0 || c == 0 && in.Op == bytecode.OpJumpLe, f
	}
	if in.Op == bytecode.OpNextR {
		return r[in.A].Int() >= r[in.B].Int(), value.NoFault
	}
	return r[in.A].W >= r[in.B].W, value.NoFault
}

// setElement sets the slots of a loop to the element at its counter, and counts; it does
// nothing for other jumps.
func (m *Machine) setElement(in bytecode.Ins) {
	if in.Op < bytecode.OpNextL {
		return
	}
	r := m.frame
	i, src := r[in.A], r[in.B]
	r[in.A].W++
	if in.Op == bytecode.OpNextR {
		r[in.A+1].W = i.W
		return
	}
	switch elem := value.ElemAt(m.p.types[in.B], src, int(i.W)); in.Op {
	case bytecode.OpNextIL, opNextILR:
		r[in.A+1].W = i.W
		r[in.A+2] = elem
	case bytecode.OpNextM, opNextMR:
		r[in.A+1] = *keyAt(src.Ref, i.W)
		r[in.A+2] = elem
	default:
		r[in.A+1] = elem
	}
}

// equal compares two slots of one type after it has charged for what there is to compare.
func (m *Machine) equal(a, b uint16) (bool, value.Fault) {
	t, x, y := m.p.types[a], m.frame[a], m.frame[b]
	if !m.chargePair(t, x, y) {
		return false, value.Gas
	}
	return value.Equal(t, x, y), value.NoFault
}

func (m *Machine) compare(a, b uint16) (int, value.Fault) {
	t, x, y := m.p.types[a], m.frame[a], m.frame[b]
	if !m.chargePair(t, x, y) {
		return 0, value.Gas
	}
	return value.Compare(t, x, y), value.NoFault
}
