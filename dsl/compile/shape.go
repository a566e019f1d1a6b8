package compile

import (
	"math/bits"

	"github.com/cloudlysis/aggregate/dsl/value"
)

// endless is a size or a cost without a bound; sums and products stay at it.
const endless = 1 << 50

func plus(a, b int64) int64 { return min(a+b, endless) }

func times(a, b int64) int64 {
	if a == 0 || b == 0 {
		return 0
	}
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	if hi != 0 || lo > endless {
		return endless
	}
	return int64(lo)
}

// part is the gas for so many bytes or copied cells: one for sixteen.
func part(n int64) int64 {
	if n >= endless {
		return endless
	}
	return n / 16
}

// shape is how large the values of a slot may be. A T? has the shape of its T; nil is the shape
// of what has no size, and of an int of which nothing is known. Shapes are not changed.
type shape struct {
	n      int64 // most elements; bytes of a string or json; the greatest value of an int
	neg    bool  // an int may be negative
	elem   *shape
	key    *shape
	fields []*shape
}

// shapeOf is the shape that the bounds of a type leave.
func shapeOf(t *value.Type) *shape {
	limit := int64(endless)
	if t.Bound > 0 {
		limit = int64(t.Bound)
	}
	switch t.Kind {
	case value.String:
		return &shape{n: times(limit, 4)} // a bound counts code points
	case value.JSON:
		return &shape{n: endless}
	case value.Optional:
		return shapeOf(t.Elem)
	case value.List:
		return &shape{n: limit, elem: shapeOf(t.Elem)}
	case value.Set:
		return &shape{n: min(limit, keyCount(t.Elem)), key: shapeOf(t.Elem)}
	case value.Map:
		return &shape{n: min(limit, keyCount(t.Key)), key: shapeOf(t.Key), elem: shapeOf(t.Elem)}
	case value.Record:
		s := &shape{}
		for i := range t.Record.Fields {
			s.fields = append(s.fields, shapeOf(t.Record.Fields[i].Type))
		}
		return s
	}
	return nil
}

// keyCount is how many keys of a type there are.
func keyCount(t *value.Type) int64 {
	if t.Kind == value.Enum {
		return int64(len(t.Enum.Members))
	}
	return endless
}

// shapeOfValue is the shape of a constant.
func shapeOfValue(t *value.Type, v value.V) *shape {
	switch t.Kind {
	case value.Int:
		return &shape{n: min(max(v.Int(), 0), endless), neg: v.Int() < 0}
	case value.String, value.JSON:
		return &shape{n: int64(v.W)}
	case value.Optional:
		if v.IsNone() {
			return none(t.Elem)
		}
		return shapeOfValue(t.Elem, v)
	case value.Record:
		s := &shape{}
		for i := range t.Record.Fields {
			s.fields = append(s.fields, shapeOfValue(t.Record.Fields[i].Type, v.Field(i)))
		}
		return s
	case value.List, value.Set, value.Map:
		s := none(t)
		s.n = int64(v.Len())
		for i := range v.Len() {
			if t.Kind != value.Set {
				s.elem = join(s.elem, shapeOfValue(t.Elem, value.ElemAt(t, v, i)))
			}
			if t.Kind != value.List {
				s.key = join(s.key, shapeOfValue(t.KeyType(), v.Keys()[i]))
			}
		}
		return s
	}
	return nil
}

// none is the least shape of a type: nothing in it.
func none(t *value.Type) *shape {
	switch t.Kind {
	case value.Int, value.String, value.JSON:
		return &shape{}
	case value.Optional:
		return none(t.Elem)
	case value.List:
		return &shape{elem: none(t.Elem)}
	case value.Set:
		return &shape{key: none(t.Elem)}
	case value.Map:
		return &shape{key: none(t.Key), elem: none(t.Elem)}
	case value.Record:
		s := &shape{}
		for i := range t.Record.Fields {
			s.fields = append(s.fields, none(t.Record.Fields[i].Type))
		}
		return s
	}
	return nil
}

// join is the least shape that both fit into; nil, of an int, is any int.
func join(a, b *shape) *shape {
	if a == b || a == nil || b == nil {
		if a == b {
			return a
		}
		return nil
	}
	if fitsIn(b, a) {
		return a
	}
	out := &shape{n: max(a.n, b.n), neg: a.neg || b.neg, elem: join(a.elem, b.elem), key: join(a.key, b.key)}
	for i := range a.fields {
		out.fields = append(out.fields, join(a.fields[i], b.fields[i]))
	}
	return out
}

// fitsIn tells that all that a allows b allows.
func fitsIn(a, b *shape) bool {
	if a == b || b == nil {
		return true
	}
	if a == nil || a.n > b.n || a.neg && !b.neg || !fitsIn(a.elem, b.elem) || !fitsIn(a.key, b.key) {
		return false
	}
	for i := range a.fields {
		if !fitsIn(a.fields[i], b.fields[i]) {
			return false
		}
	}
	return true
}

// meet is a cut down to the bounds of b, another shape of its type.
func meet(a, b *shape) *shape {
	if a == nil || b == nil {
		if a == nil {
			return b
		}
		return a
	}
	out := &shape{n: min(a.n, b.n), neg: a.neg && b.neg, elem: meet(a.elem, b.elem), key: meet(a.key, b.key)}
	for i := range a.fields {
		out.fields = append(out.fields, meet(a.fields[i], b.fields[i]))
	}
	return out
}

// resized is s with another length.
func (s *shape) resized(n int64) *shape {
	if s == nil {
		return nil
	}
	out := *s
	out.n = min(n, endless)
	return &out
}

// isText, of a type, tells that n counts bytes.
func isText(t *value.Type) bool { return t.Kind == value.String || t.Kind == value.JSON }

// deep is at least the gas for reading all of s: one for each element, field and 16 bytes.
func deep(t *value.Type, s *shape) int64 {
	if s == nil {
		return 1
	}
	switch t.Kind {
	case value.String, value.JSON:
		return part(s.n)
	case value.Optional:
		return deep(t.Elem, s)
	case value.Record:
		n := int64(1)
		for i := range t.Record.Fields {
			n = plus(n, plus(1, deep(t.Record.Fields[i].Type, s.fields[i])))
		}
		return n
	case value.List:
		return times(s.n, plus(1, deep(t.Elem, s.elem)))
	case value.Set:
		return times(s.n, plus(1, deep(t.Elem, s.key)))
	case value.Map:
		return times(s.n, plus(1, plus(deep(t.Key, s.key), deep(t.Elem, s.elem))))
	}
	return 0
}

// bytesOf is at least value.Size of the values of s.
func bytesOf(t *value.Type, s *shape) int64 {
	switch t.Kind {
	case value.String, value.JSON:
		return s.n
	case value.Optional:
		return bytesOf(t.Elem, s)
	case value.List, value.Set, value.Map:
		return times(cells(t, s), 16)
	case value.Record:
		return int64(len(t.Record.Fields)) * 16
	}
	return 16
}

// cells is how many cells a container of s takes, keys among them.
func cells(t *value.Type, s *shape) int64 {
	per := int64(t.Stride())
	if t.Kind != value.List {
		per++
	}
	return times(s.n, per)
}
