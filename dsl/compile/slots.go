package compile

import (
	"strconv"
	"strings"

	"github.com/cloudlysis/aggregate/dsl/value"
)

// operand names a slot before the frame is laid out: its region above, its index below. An
// operand of region num is a plain number.
type operand uint32

const (
	regionShift = 28
	indexMask   = 1<<regionShift - 1

	regNum   operand = 0 << regionShift
	regConst operand = 1 << regionShift
	regState operand = 2 << regionShift
	regCtx   operand = 3 << regionShift
	regRest  operand = 4 << regionShift
)

func (o operand) region() operand { return o &^ indexMask }
func (o operand) index() int      { return int(o & indexMask) }

// at is the operand i slots on.
func (o operand) at(i int) operand { return o + operand(i) }

// types is the table of types without bounds, one entry for each type that slots have, and of
// the bounded ones that OpBound asks for.
type types struct {
	list    []*value.Type
	index   map[string]uint16
	records []*value.RecordType
	enums   []*value.EnumType
	recordN map[*value.RecordType]int
	enumN   map[*value.EnumType]int
}

func newTypes() *types {
	return &types{index: map[string]uint16{}, recordN: map[*value.RecordType]int{}, enumN: map[*value.EnumType]int{}}
}

// of is the index of t without its bounds.
func (ts *types) of(t *value.Type) uint16 { return ts.intern(t, false) }

// bounded is the index of t with its bounds.
func (ts *types) bounded(t *value.Type) uint16 { return ts.intern(t, true) }

func (ts *types) intern(t *value.Type, bounds bool) uint16 {
	ts.declare(t)
	var b strings.Builder
	ts.key(&b, t, bounds)
	key := b.String()
	if i, ok := ts.index[key]; ok {
		return i
	}
	i := uint16(len(ts.list))
	ts.index[key] = i
	if !bounds {
		t = bare(t)
	}
	ts.list = append(ts.list, t)
	return i
}

// declare enters the enums and records of t, each after those it is made of.
func (ts *types) declare(t *value.Type) {
	switch t.Kind {
	case value.Enum:
		if _, ok := ts.enumN[t.Enum]; !ok {
			ts.enumN[t.Enum] = len(ts.enums)
			ts.enums = append(ts.enums, t.Enum)
		}
	case value.Record:
		ts.declareRecord(t.Record)
	}
	if t.Key != nil {
		ts.declare(t.Key)
	}
	if t.Elem != nil {
		ts.declare(t.Elem)
	}
}

func (ts *types) declareRecord(r *value.RecordType) {
	if _, ok := ts.recordN[r]; ok {
		return
	}
	for i := range r.Fields {
		ts.declare(r.Fields[i].Type)
	}
	ts.recordN[r] = len(ts.records)
	ts.records = append(ts.records, r)
}

// key writes what tells t from all other types.
func (ts *types) key(b *strings.Builder, t *value.Type, bounds bool) {
	b.WriteByte('a' + byte(t.Kind))
	if bounds && t.Bound > 0 {
		b.WriteString(strconv.Itoa(t.Bound))
	}
	switch t.Kind {
	case value.Enum:
		b.WriteString(strconv.Itoa(ts.enumN[t.Enum]))
	case value.Record:
		b.WriteString(strconv.Itoa(ts.recordN[t.Record]))
	case value.Map:
		ts.key(b, t.Key, bounds)
		ts.key(b, t.Elem, bounds)
	case value.List, value.Set, value.Optional:
		ts.key(b, t.Elem, bounds)
	}
}

// bare is t without the bounds written in it. Bounds of a record's fields belong to the record.
func bare(t *value.Type) *value.Type {
	switch t.Kind {
	case value.String:
		return value.StringType
	case value.List, value.Set, value.Optional:
		return &value.Type{Kind: t.Kind, Elem: bare(t.Elem)}
	case value.Map:
		return &value.Type{Kind: value.Map, Key: bare(t.Key), Elem: bare(t.Elem)}
	}
	return t
}

// hasBound tells whether t has a bound at any depth.
func hasBound(t *value.Type) bool {
	if t.Bound > 0 {
		return true
	}
	if t.Kind == value.Record {
		for i := range t.Record.Fields {
			if hasBound(t.Record.Fields[i].Type) {
				return true
			}
		}
		return false
	}
	return t.Key != nil && hasBound(t.Key) || t.Elem != nil && hasBound(t.Elem)
}

// isWord tells whether values of t lie in the word alone.
func isWord(t *value.Type) bool {
	switch t.Kind {
	case value.Bool, value.Int, value.Date, value.Duration, value.Enum:
		return true
	}
	return false
}

// window is a run of slots that is taken and given back as one.
type window struct {
	key  string
	base operand
}

// pool gives out windows of slots by their types. Chunks that share a pool never run inside
// one another.
type pool struct{ free map[string][]operand }

func newPool() *pool { return &pool{free: map[string][]operand{}} }

// take gives a window of slots of the types.
func (p *pool) take(c *compiler, of ...uint16) window {
	key := windowKey(of)
	if free := p.free[key]; len(free) > 0 {
		p.free[key] = free[:len(free)-1]
		return window{key, free[len(free)-1]}
	}
	return window{key, c.slots(of...)}
}

func (p *pool) give(w window) { p.free[w.key] = append(p.free[w.key], w.base) }

func windowKey(of []uint16) string {
	b := make([]byte, 0, 2*len(of))
	for _, t := range of {
		b = append(b, byte(t), byte(t>>8))
	}
	return string(b)
}

// slots adds slots of the types to the frame, one after another.
func (c *compiler) slots(of ...uint16) operand {
	base := regRest | operand(len(c.rest))
	c.rest = append(c.rest, of...)
	return base
}

// fieldSlots adds a slot for each field.
func (c *compiler) fieldSlots(fields []value.Field) operand {
	base := regRest | operand(len(c.rest))
	for i := range fields {
		c.rest = append(c.rest, c.types.of(fields[i].Type))
	}
	return base
}

// typeOf is the index of the type of slot o.
func (c *compiler) typeOf(o operand) uint16 {
	switch i := o.index(); o.region() {
	case regConst:
		return c.constTypes[i]
	case regState:
		return c.stateTypes[i]
	case regCtx:
		return c.ctxTypes[i]
	default:
		return c.rest[i]
	}
}

// konst is the slot of a constant.
func (c *compiler) konst(t *value.Type, v value.V) operand {
	of := c.types.of(t)
	key := string(value.AppendJSON([]byte{byte(of), byte(of >> 8)}, t, v))
	if i, ok := c.constIndex[key]; ok {
		return regConst | operand(i)
	}
	i := len(c.consts)
	c.constIndex[key] = i
	c.consts = append(c.consts, v)
	c.constTypes = append(c.constTypes, of)
	return regConst | operand(i)
}
