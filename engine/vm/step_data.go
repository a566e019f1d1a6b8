package vm

import (
	"unsafe"

	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// data does strings, records, containers and builtins.
func (m *Machine) data(in bytecode.Ins, ip unsafe.Pointer) value.Fault {
	r := m.frame
	b := r[in.B]
	switch in.Op {
	case bytecode.OpConcat:
		return m.concat(in)
	case bytecode.OpRecord:
		return m.record(in)
	case bytecode.OpField:
		r[in.A] = b.Field(int(in.C))
	case bytecode.OpWith:
		n := len(m.p.types[in.B].Record.Fields)
		if !m.build(n * cellBytes) {
			return value.Memory
		}
		r[in.A] = value.RecordWith(b, n, int(in.C), r[m.ext(ip)])
	case bytecode.OpList:
		return m.list(in)
	case bytecode.OpMapOf:
		return m.mapOf(in)
	case bytecode.OpLen:
		r[in.A].W = b.W
	case bytecode.OpSumColD, bytecode.OpSumColI:
		return m.sum(in)
	case bytecode.OpBuiltin:
		return m.builtin(in)
	case bytecode.OpBound, opBoundR:
		return m.bound(in)
	case bytecode.OpIndexL, bytecode.OpIndexM, bytecode.OpTryL, bytecode.OpTryM:
		return m.lookup(in)
	default:
		return m.changed(in, ip)
	}
	return value.NoFault
}

func (m *Machine) concat(in bytecode.Ins) value.Fault {
	parts := m.frame[in.B : int(in.B)+int(in.C)]
	size := 0
	for i := range parts {
		size += int(parts[i].W)
	}
	if !m.charge(bytecode.BytesCost(size)) {
		return value.Gas
	}
	if !m.build(size) {
		return value.Memory
	}
	text := make([]byte, 0, size)
	for i := range parts {
		text = append(text, parts[i].Str()...)
	}
	m.frame[in.A] = value.MakeString(value.View(text))
	return value.NoFault
}

func (m *Machine) record(in bytecode.Ins) value.Fault {
	t := bare(m.p.types[in.A])
	n := len(t.Record.Fields)
	if !m.build(n * cellBytes) {
		return value.Memory
	}
	m.frame[in.A] = value.MakeRecord(append([]value.V(nil), m.frame[in.B:int(in.B)+n]...))
	return value.NoFault
}

func (m *Machine) list(in bytecode.Ins) value.Fault {
	t := bare(m.p.types[in.A])
	n := int(in.C)
	if !m.charge(int64(n)) {
		return value.Gas
	}
	if !m.build(n * t.Stride() * cellBytes) {
		return value.Memory
	}
	list := value.NewBuilder(t, n)
	for _, e := range m.frame[in.B : int(in.B)+n] {
		list.Append(e)
	}
	m.frame[in.A] = list.Done()
	return value.NoFault
}

func (m *Machine) mapOf(in bytecode.Ins) value.Fault {
	t := bare(m.p.types[in.A])
	tb, tc := m.p.types[in.B], m.p.types[in.C]
	keys, vals := m.frame[in.B], m.frame[in.C]
	n := keys.Len()
	if n != vals.Len() {
		return value.Index
	}
	cells := n * (1 + t.Stride())
	if !m.charge(bytecode.SortCost(n) + bytecode.CopyCost(cells) + sizeCost(tb, keys, m.gas)) {
		return value.Gas
	}
	if !m.build(cells * cellBytes) {
		return value.Memory
	}
	b := value.NewBuilder(t, n)
	for i := range n {
		b.Put(value.ElemAt(tb, keys, i), value.ElemAt(tc, vals, i))
	}
	m.frame[in.A] = b.Done()
	return value.NoFault
}

// sum is the sum of a column, with elements of any form.
func (m *Machine) sum(in bytecode.Ins) value.Fault {
	src := m.frame[in.B]
	if !m.charge(int64(src.W)) {
		return value.Gas
	}
	stride := m.p.types[in.B].Stride()
	cells := src.Cells(stride)
	if in.Op == bytecode.OpSumColD {
		d, f := value.SumColumnD(cells, stride, int(in.C))
		if f == value.NoFault {
			m.frame[in.A] = d
		}
		return f
	}
	var sum int64
	for i := int(in.C); i < len(cells); i += stride {
		var ok bool
		if sum, ok = value.AddInt(sum, cells[i].Int()); !ok {
			return value.Overflow
		}
	}
	m.frame[in.A].W = uint64(sum)
	return value.NoFault
}

func (m *Machine) builtin(in bytecode.Ins) value.Fault {
	site, info := &m.p.src.Calls[in.C], &m.p.calls[in.C]
	args := m.frame[in.B : int(in.B)+len(site.Args)]
	cost := value.Cost(site.Builtin, info, args)
	if !m.charge(cost) {
		return value.Gas
	}
	// What a builtin makes is paid for by 16 bytes or a cell: that many may be built at most.
	if cost > m.mem/cellBytes {
		return value.Memory
	}
	v, f := value.Call(site.Builtin, info, args)
	if f != value.NoFault {
		return f
	}
	if !m.build(value.Size(info.Result, v)) {
		return value.Memory
	}
	m.frame[in.A] = v
	return value.NoFault
}

// bound looks at what is long, or has bounds within.
func (m *Machine) bound(in bytecode.Ins) value.Fault {
	t, v := m.p.src.Types[in.C], m.frame[in.A]
	if in.Op == bytecode.OpBound && v.W <= m.p.bounds[in.C] {
		return value.NoFault
	}
	if in.N == 1 {
		return m.ownBound(bare(t), v)
	}
	if !m.charge(sizeCost(t, v, m.gas)) {
		return value.Gas
	}
	if !value.CheckBound(t, v) {
		return value.Bound
	}
	return value.NoFault
}

// ownBound checks the length of v alone; a string is counted in code points.
func (m *Machine) ownBound(t *value.Type, v value.V) value.Fault {
	if t.Bound == 0 || v.W <= uint64(t.Bound) {
		return value.NoFault
	}
	if t.Kind != value.String {
		return value.Bound
	}
	if !m.charge(bytecode.BytesCost(int(v.W))) {
		return value.Gas
	}
	if value.RuneLen(v) > t.Bound {
		return value.Bound
	}
	return value.NoFault
}

// lookup reads one element of a container.
func (m *Machine) lookup(in bytecode.Ins) value.Fault {
	r := m.frame
	t, b, c := m.p.types[in.B], r[in.B], r[in.C]
	switch in.Op {
	case bytecode.OpIndexL:
		v, f := value.ListGet(t, b, c.Int())
		if f != value.NoFault {
			return f
		}
		r[in.A] = v
		return value.NoFault
	case bytecode.OpTryL:
		v, f := value.ListGet(t, b, c.Int())
		if f != value.NoFault {
			v = value.None
		}
		r[in.A] = v
		return value.NoFault
	}
	if !m.charge(m.findCost(in.B, b, in.C, c)) {
		return value.Gas
	}
	v, ok := value.MapGet(t, b, c)
	if !ok {
		if in.Op == bytecode.OpIndexM {
			return value.AbsentKey
		}
		v = value.None
	}
	r[in.A] = v
	return value.NoFault
}

// changed makes a container with one element changed.
func (m *Machine) changed(in bytecode.Ins, ip unsafe.Pointer) value.Fault {
	r := m.frame
	t, b, c := m.p.types[in.B], r[in.B], r[in.C]
	if f := m.chargeChange(in, t, b, c); f != value.NoFault {
		return f
	}
	v, f := b, value.NoFault
	switch in.Op {
	case bytecode.OpSetL:
		v, f = value.ListSet(t, b, c.Int(), r[m.ext(ip)])
	case bytecode.OpSetM:
		v = value.MapSet(t, b, c, r[m.ext(ip)])
	case bytecode.OpAppend:
		v = value.ListAppend(t, b, c)
	case bytecode.OpInsert:
		v = value.SetAdd(t, b, c)
	case bytecode.OpRemoveL:
		v, f = value.ListRemove(t, b, c.Int())
	case bytecode.OpRemoveM:
		v = value.MapRemove(t, b, c)
	}
	if f == value.NoFault {
		r[in.A] = v
	}
	return f
}

// chargeChange charges gas and memory for a copy of b, as if it were always made.
func (m *Machine) chargeChange(in bytecode.Ins, t *value.Type, b, c value.V) value.Fault {
	row := t.Stride()
	if t.Kind != value.List {
		row++
	}
	cells := b.Len() * row
	gas, copied := bytecode.CopyCost(cells), cells+row
	switch in.Op {
	case bytecode.OpAppend:
		gas, copied = bytecode.AppendCost(cells), cells>>4+row
	case bytecode.OpSetM, bytecode.OpInsert, bytecode.OpRemoveM:
		gas += m.findCost(in.B, b, in.C, c)
	}
	if !m.charge(gas) {
		return value.Gas
	}
	if !m.build(copied * cellBytes) {
		return value.Memory
	}
	return value.NoFault
}
