package vm

import (
	"cmp"

	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// quickWhere is a where that only compares a field with a constant or with another field, as
// most do: checking it needs no run of code. It computes what the code would.
type quickWhere struct {
	x, y    uint32 // slots of the fields or constants, in bytes from the beginning of the frame
	field   uint32 // slot of the field that the where is on
	maybe   bool   // the field is optional: absent, the where holds
	decimal bool
	less    bool // x may be less than y
	same    bool // x may be the same as y
	more    bool // x may be more than y
}

// quickWheres are the wheres of a command in that form; false when one is not of it, or when
// the command may bring records with wheres of their own.
func (p *Program) quickWheres(c *bytecode.Command) ([]quickWhere, bool) {
	for i := range c.Fields {
		if p.brings(c.Fields[i].Type) {
			return nil, false
		}
	}
	var quick []quickWhere
	for i := range c.Wheres {
		q, ok := p.quickWhere(&c.Wheres[i], c)
		if !ok {
			return nil, false
		}
		quick = append(quick, q)
	}
	return quick, true
}

func (p *Program) quickWhere(w *bytecode.Where, c *bytecode.Command) (quickWhere, bool) {
	chunk := &p.src.Chunks[w.Chunk]
	if len(chunk.Code) != 2 || chunk.Code[1].Op != bytecode.OpRet || int64(chunk.Gas) > p.Gas() {
		return quickWhere{}, false
	}
	in := chunk.Code[0]
	if in.Op < bytecode.OpEqW || in.Op > bytecode.OpLeD || in.A != w.Result {
		return quickWhere{}, false
	}
	q := quickWhere{field: slotAt(c.Base + w.Field), maybe: c.Fields[w.Field].Type.Kind == value.Optional, decimal: in.Op >= bytecode.OpEqD}
	switch in.Op {
	case bytecode.OpEqW, bytecode.OpEqD:
		q.same = true
	case bytecode.OpNeW, bytecode.OpNeD:
		q.less, q.more = true, true
	case bytecode.OpLtW, bytecode.OpLtD:
		q.less = true
	case bytecode.OpLeW, bytecode.OpLeD:
		q.less, q.same = true, true
	}
	x, okX := p.operandOf(in.B, w, c)
	y, okY := p.operandOf(in.C, w, c)
	q.x, q.y = slotAt(x), slotAt(y)
	return q, okX && okY
}

// operandOf is the slot that holds, before the code of a where runs, what its slot will hold.
func (p *Program) operandOf(slot uint16, w *bytecode.Where, c *bytecode.Command) (uint16, bool) {
	for i, s := range w.Params {
		if s == slot {
			return c.Base + uint16(i), true
		}
	}
	return slot, int(slot) < len(p.src.Consts)
}

// allHold tells whether all wheres hold for the command that was set. When it is false they may
// hold yet; the long way tells.
func (m *Machine) allHold(c *command) bool {
	if !c.plain {
		return false
	}
	r := m.slots()
	for i := range c.quick {
		q := &c.quick[i]
		if q.maybe && at(r, q.field).Ref == value.None.Ref {
			continue
		}
		x, y := int64(at(r, q.x).W), int64(at(r, q.y).W)
		if q.decimal {
			var ok bool
			if x, y, ok = like(uint64(x), uint64(y)); !ok {
				return m.holds(c.quick[i:])
			}
		}
		if x < y && q.less || x == y && q.same || x > y && q.more {
			continue
		}
		return false
	}
	return true
}

// holds is allHold for decimals of any form.
func (m *Machine) holds(quick []quickWhere) bool {
	r := m.slots()
	for i := range quick {
		q := &quick[i]
		if q.maybe && at(r, q.field).IsNone() {
			continue
		}
		x, y := *at(r, q.x), *at(r, q.y)
		order := cmp.Compare(x.Int(), y.Int())
		if q.decimal {
			order = value.CmpDecimal(x, y)
		}
		if order < 0 && q.less || order == 0 && q.same || order > 0 && q.more {
			continue
		}
		return false
	}
	return true
}
