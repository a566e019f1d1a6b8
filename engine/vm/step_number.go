package vm

import (
	"unsafe"

	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// ext is the A of the ext word behind the instruction at ip.
func (m *Machine) ext(ip unsafe.Pointer) uint16 { return m.p.plain[m.index(ip)+1].A }

// number does comparisons and arithmetic.
func (m *Machine) number(in bytecode.Ins, ip unsafe.Pointer) value.Fault {
	switch {
	case in.Op <= bytecode.OpIn:
		return m.test(in)
	case in.Op <= bytecode.OpMaxI:
		return m.integer(in)
	}
	return m.decimal(in, ip)
}

func (m *Machine) test(in bytecode.Ins) value.Fault {
	r := m.frame
	b, c := r[in.B], r[in.C]
	var is bool
	f := value.NoFault
	switch in.Op {
	case bytecode.OpNot:
		is = b.W == 0
	case bytecode.OpEqW:
		is = b.W == c.W
	case bytecode.OpNeW:
		is = b.W != c.W
	case bytecode.OpLtW:
		is = b.Int() < c.Int()
	case bytecode.OpLeW:
		is = b.Int() <= c.Int()
	case bytecode.OpEqD:
		is = value.CmpDecimal(b, c) == 0
	case bytecode.OpNeD:
		is = value.CmpDecimal(b, c) != 0
	case bytecode.OpLtD:
		is = value.CmpDecimal(b, c) < 0
	case bytecode.OpLeD:
		is = value.CmpDecimal(b, c) <= 0
	case bytecode.OpEq, bytecode.OpNe:
		is, f = m.equal(in.B, in.C)
		is = is == (in.Op == bytecode.OpEq)
	case bytecode.OpLt, bytecode.OpLe:
		var order int
		order, f = m.compare(in.B, in.C)
		is = order < 0 || order == 0 && in.Op == bytecode.OpLe
	case bytecode.OpIsNone:
		is = b.IsNone()
	case bytecode.OpIsSome:
		is = !b.IsNone()
	case bytecode.OpIn:
		if !m.charge(m.findCost(in.C, c, in.B, b)) {
			return value.Gas
		}
		is = value.SetHas(m.p.types[in.C], c, b)
	}
	r[in.A].W = word(is)
	return f
}

func (m *Machine) integer(in bytecode.Ins) value.Fault {
	b, c := m.frame[in.B].Int(), m.frame[in.C].Int()
	var n int64
	ok, f := true, value.NoFault
	switch in.Op {
	case bytecode.OpAddI:
		n, ok = value.AddInt(b, c)
	case bytecode.OpSubI:
		n, ok = value.SubInt(b, c)
	case bytecode.OpMulI:
		n, ok = value.MulInt(b, c)
	case bytecode.OpDivI:
		n, f = value.DivInt(b, c)
	case bytecode.OpModI:
		n, f = value.ModInt(b, c)
	case bytecode.OpNegI:
		n, ok = value.NegInt(b)
	case bytecode.OpAbsI:
		n, ok = value.AbsInt(b)
	case bytecode.OpMinI:
		n = min(b, c)
	case bytecode.OpMaxI:
		n = max(b, c)
	}
	if !ok {
		return value.Overflow
	}
	if f == value.NoFault {
		m.frame[in.A].W = uint64(n)
	}
	return f
}

func (m *Machine) decimal(in bytecode.Ins, ip unsafe.Pointer) value.Fault {
	r := m.frame
	b, c := r[in.B], r[in.C]
	var d value.V
	f := value.NoFault
	switch in.Op {
	case bytecode.OpAddD:
		d, f = value.AddDecimal(b, c)
	case bytecode.OpSubD:
		d, f = value.SubDecimal(b, c)
	case bytecode.OpMulD:
		d, f = value.MulDecimal(b, c)
	case bytecode.OpNegD:
		d = value.NegDecimal(b)
	case bytecode.OpAbsD:
		d = value.AbsDecimal(b)
	case bytecode.OpMinD:
		if d = b; value.CmpDecimal(b, c) > 0 {
			d = c
		}
	case bytecode.OpMaxD:
		if d = b; value.CmpDecimal(b, c) < 0 {
			d = c
		}
	case bytecode.OpRoundD:
		d, f = value.RoundD(b, c.Int(), value.Mode(in.N))
	case bytecode.OpMulRoundD:
		if d, f = value.MulDecimal(b, c); f == value.NoFault {
			d, f = value.RoundD(d, r[m.ext(ip)].Int(), value.Mode(in.N))
		}
	case bytecode.OpDivD:
		d, f = value.DivD(b, c, r[m.ext(ip)].Int(), value.Mode(in.N))
	case bytecode.OpDecI:
		d = value.DecimalFromInt(b.Int())
	case bytecode.OpIntD:
		var n int64
		n, f = value.IntFromDecimal(b)
		d = value.MakeInt(n)
	}
	if f == value.NoFault {
		r[in.A] = d
	}
	return f
}
