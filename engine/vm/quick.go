package vm

import (
	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// quickWhere is a where that only compares a field with a constant or with another field, as
// most do: checking it needs no run of code. It computes what the code would.
type quickWhere struct {
	op    bytecode.Op
	x, y  int16 // fields of the command, or -1: the constant
	konst value.V
	none  int16 // the field, if it is optional: absent, the where holds; else -1

	less, same, more bool // how x may compare with y
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
	q := quickWhere{op: in.Op, none: -1}
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
	if c.Fields[w.Field].Type.Kind == value.Optional {
		q.none = int16(w.Field)
	}
	var okX, okY bool
	q.x, okX = p.operandOf(in.B, w, &q)
	q.y, okY = p.operandOf(in.C, w, &q)
	return q, okX && okY && (q.x >= 0 || q.y >= 0)
}

func (p *Program) operandOf(slot uint16, w *bytecode.Where, q *quickWhere) (int16, bool) {
	for i, s := range w.Params {
		if s == slot {
			return int16(i), i < 1<<15
		}
	}
	if int(slot) < len(p.src.Consts) {
		q.konst = p.src.Consts[slot]
		return -1, true
	}
	return -1, false
}

// allHold tells whether all wheres hold for the values of a command. One that does not is
// checked once more the long way, which tells of it.
func allHold(quick []quickWhere, vals []value.V) bool {
	for i := range quick {
		q := &quick[i]
		if q.none >= 0 && vals[q.none].IsNone() {
			continue
		}
		x, y := &q.konst, &q.konst
		if q.x >= 0 {
			x = &vals[q.x]
		}
		if q.y >= 0 {
			y = &vals[q.y]
		}
		a, b := x.Int(), y.Int()
		if q.op >= bytecode.OpEqD {
			var ok bool
			if a, b, ok = like(x.W, y.W); !ok {
				a, b = int64(value.CmpDecimal(*x, *y)), 0
			}
		}
		if a < b && q.less || a == b && q.same || a > b && q.more {
			continue
		}
		return false
	}
	return true
}
