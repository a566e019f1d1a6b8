package vm

import (
	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// findCost is the gas for looking up key in the container slot c: steps of a binary search,
// each of which may read a text key to its end.
func (m *Machine) findCost(c uint16, container value.V, k uint16, key value.V) int64 {
	n := bytecode.FindCost(container.Len())
	if m.p.types[k].Kind == value.String {
		n += n * bytecode.BytesCost(int(key.W))
	}
	return n
}

// chargePair charges for comparing x and y. What makes them differ at once, their lengths, is
// looked at first; else it is the size of one of them.
func (m *Machine) chargePair(t *value.Type, x, y value.V) bool {
	switch t.Kind {
	case value.String:
		return m.charge(bytecode.BytesCost(int(min(x.W, y.W))))
	case value.JSON: // its text need not be the same for the same value
		return m.charge(bytecode.BytesCost(int(x.W + y.W)))
	case value.List, value.Set, value.Map:
		if x.W != y.W {
			return true
		}
	case value.Optional:
		if x.IsNone() || y.IsNone() {
			return true
		}
		return m.chargePair(t.Elem, x, y)
	}
	return m.charge(sizeCost(t, x, m.gas))
}

// sizeCost is 1 for each element and field of v, and BytesCost of its strings. It stops soon
// after limit, so it costs no more than what is charged.
func sizeCost(t *value.Type, v value.V, limit int64) int64 {
	switch t.Kind {
	case value.String, value.JSON:
		return bytecode.BytesCost(int(v.W))
	case value.Optional:
		if v.IsNone() {
			return 0
		}
		return sizeCost(t.Elem, v, limit)
	case value.Record:
		n := int64(0)
		for i := range t.Record.Fields {
			if n++; n > limit {
				break
			}
			n += sizeCost(t.Record.Fields[i].Type, v.Field(i), limit-n)
		}
		return n
	case value.List, value.Set, value.Map:
		return rowsCost(t, v, limit)
	}
	return 0
}

func rowsCost(t *value.Type, v value.V, limit int64) int64 {
	n := int64(v.Len())
	if t.Kind != value.List && t.KeyType().Kind == value.String {
		for i := 0; i < v.Len() && n <= limit; i++ {
			n += bytecode.BytesCost(int(keyAt(v.Ref, uint64(i)).W))
		}
	}
	if t.Kind == value.Set || wordOnly(t.Elem) || t.Elem.Kind == value.Decimal {
		return n
	}
	for i := 0; i < v.Len() && n <= limit; i++ {
		n += sizeCost(t.Elem, value.ElemAt(t, v, i), limit-n)
	}
	return n
}
