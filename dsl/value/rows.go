package value

import (
	"slices"
	"sync/atomic"
	"unsafe"
)

// Rows of a container: len(Cells) and len(Keys) are the room; a V reads only its own length of
// them, through Keys, CellsOf and elemAt. Used counts the elements written so far, and claiming
// the room behind them is one atomic step: so two holders of one value, on whatever goroutine,
// may both append to it, one in place and the other to a copy.

// Keys are the keys of a map or the members of a set, in order; never to be changed.
func (v V) Keys() []V {
	if v.W == 0 {
		return nil
	}
	return v.Rows().Keys[:v.W]
}

// Cells are the cells of a list or map whose type has this stride; never to be changed.
func (v V) Cells(stride int) []V {
	if v.W == 0 || stride == 0 {
		return nil
	}
	return v.Rows().Cells[:int(v.W)*stride]
}

// elemAt is element i of a list or value i of a map, which exists.
func elemAt(t *Type, v V, i int) V {
	if t.Elem.Kind == Record {
		n := len(t.Elem.Record.Fields)
		return V{Ref: unsafe.Pointer(&v.Rows().Cells[i*n])}
	}
	return v.Rows().Cells[i]
}

// ElemAt is element i of a list, value i of a map or member i of a set; i is below the length.
// A record is its row, nothing is copied.
func ElemAt(t *Type, v V, i int) V {
	if t.Kind == Set {
		return v.Rows().Keys[i]
	}
	return elemAt(t, v, i)
}

// putElem writes elem, of element type e, into its row.
func putElem(e *Type, row []V, elem V) {
	if e.Kind == Record {
		copy(row, elem.Fields(len(row)))
		return
	}
	row[0] = elem
}

func makeContainer(n int, r *Rows) V {
	if n == 0 {
		return V{}
	}
	return V{W: uint64(n), Ref: unsafe.Pointer(r)}
}

// grow gives v's rows room for more elements behind its n, in place when v may have it, else in
// a copy; the elements are then the caller's to write, before it shows the rows to anyone.
func grow(v V, stride int, keyed bool, more int) *Rows {
	n := v.Len()
	r := v.Rows()
	if n > 0 && claim(r, n, n+more, stride, keyed) {
		return r
	}
	room := n + more
	if n > 0 {
		room += room/2 + 2
	}
	next := &Rows{Used: int64(n + more)}
	if stride > 0 {
		next.Cells = make([]V, room*stride)
		copy(next.Cells, v.Cells(stride))
	}
	if keyed {
		next.Keys = make([]V, room)
		copy(next.Keys, v.Keys())
	}
	return next
}

func claim(r *Rows, n, want, stride int, keyed bool) bool {
	if len(r.Cells) < want*stride || keyed && len(r.Keys) < want {
		return false
	}
	return atomic.CompareAndSwapInt64(&r.Used, int64(n), int64(want))
}

// ListAppend is v with elem behind it; amortised it costs one element.
func ListAppend(t *Type, v, elem V) V {
	n, stride := v.Len(), t.Stride()
	r := grow(v, stride, false, 1)
	putElem(t.Elem, r.Cells[n*stride:(n+1)*stride], elem)
	return makeContainer(n+1, r)
}

// ListGet is element i. It faults index.
func ListGet(t *Type, v V, i int64) (V, Fault) {
	if uint64(i) >= v.W {
		return V{}, Index
	}
	return elemAt(t, v, int(i)), NoFault
}

// ListSet is v with elem at i. It faults index.
func ListSet(t *Type, v V, i int64, elem V) (V, Fault) {
	if uint64(i) >= v.W {
		return V{}, Index
	}
	stride := t.Stride()
	cells := slices.Clone(v.Cells(stride))
	putElem(t.Elem, cells[int(i)*stride:(int(i)+1)*stride], elem)
	return makeContainer(v.Len(), &Rows{Cells: cells, Used: int64(v.Len())}), NoFault
}

// ListRemove is v without element i. It faults index.
func ListRemove(t *Type, v V, i int64) (V, Fault) {
	if uint64(i) >= v.W {
		return V{}, Index
	}
	return makeContainer(v.Len()-1, &Rows{Cells: without(v.Cells(t.Stride()), int(i), t.Stride()), Used: int64(v.Len() - 1)}), NoFault
}

// without copies cells but for row i.
func without(cells []V, i, stride int) []V {
	if stride == 0 {
		return nil
	}
	out := make([]V, len(cells)-stride)
	copy(out, cells[:i*stride])
	copy(out[i*stride:], cells[(i+1)*stride:])
	return out
}

// ListConcat is a with b's elements behind it.
func ListConcat(t *Type, a, b V) V {
	if a.W == 0 {
		return b
	}
	if b.W == 0 {
		return a
	}
	n, stride := a.Len(), t.Stride()
	r := grow(a, stride, false, b.Len())
	copy(r.Cells[n*stride:], b.Cells(stride))
	return makeContainer(n+b.Len(), r)
}

// ListSlice is the elements from from up to but not including to, both clamped. It shares v's rows.
func ListSlice(t *Type, v V, from, to int64) V {
	n := int64(v.Len())
	from, to = min(max(from, 0), n), min(max(to, 0), n)
	if from >= to {
		return V{}
	}
	s := int64(t.Stride())
	return listOfCells(v.Rows().Cells[from*s:to*s:to*s], int(to-from))
}

// listOfCells makes a list that shares cells, which have no room behind them.
func listOfCells(cells []V, n int) V {
	return makeContainer(n, &Rows{Cells: cells[:len(cells):len(cells)], Used: int64(n)})
}

// find is the place of key in v's sorted keys, and whether it is there.
func find(t *Type, v, key V) (int, bool) {
	keys := v.Keys()
	k := t.KeyType()
	switch k.Kind {
	case String, UUID:
		return slices.BinarySearchFunc(keys, key, func(a, b V) int { return CompareKey(k, a, b) })
	}
	lo, hi := 0, len(keys)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if keys[mid].Int() < key.Int() {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo, lo < len(keys) && keys[lo].W == key.W
}

// MapFind is the place of key in the order of v's keys, and whether it is there.
func MapFind(t *Type, v, key V) (int, bool) { return find(t, v, key) }

// MapGet is the value of key, false when it is absent.
func MapGet(t *Type, v, key V) (V, bool) {
	i, ok := find(t, v, key)
	if !ok {
		return V{}, false
	}
	return elemAt(t, v, i), true
}

// MapSet is v with val for key. A new last key costs one element, amortised; others a copy.
func MapSet(t *Type, v, key, val V) V {
	i, ok := find(t, v, key)
	stride := t.Stride()
	var r *Rows
	n := v.Len()
	switch {
	case ok:
		r = &Rows{Keys: v.Keys()[:n:n], Cells: slices.Clone(v.Cells(stride)), Used: int64(n)}
	default:
		r = insert(v, i, stride, key)
		n++
	}
	putElem(t.Elem, r.Cells[i*stride:(i+1)*stride], val)
	return makeContainer(n, r)
}

// insert gives rows with key at i and an unwritten row for it.
func insert(v V, i, stride int, key V) *Rows {
	n := v.Len()
	if i == n {
		r := grow(v, stride, true, 1)
		r.Keys[n] = key
		return r
	}
	r := &Rows{Keys: make([]V, n+1+n/4), Used: int64(n + 1)}
	copy(r.Keys, v.Keys()[:i])
	copy(r.Keys[i+1:], v.Keys()[i:])
	r.Keys[i] = key
	if stride > 0 {
		cells := v.Cells(stride)
		r.Cells = make([]V, (n+1+n/4)*stride)
		copy(r.Cells, cells[:i*stride])
		copy(r.Cells[(i+1)*stride:], cells[i*stride:])
	}
	return r
}

// MapRemove is v without key; v itself when it is absent.
func MapRemove(t *Type, v, key V) V {
	i, ok := find(t, v, key)
	if !ok {
		return v
	}
	n := v.Len() - 1
	return makeContainer(n, &Rows{Keys: without(v.Keys(), i, 1), Cells: without(v.Cells(t.Stride()), i, t.Stride()), Used: int64(n)})
}

// SetHas tells whether m is a member of s.
func SetHas(t *Type, s, m V) bool {
	_, ok := find(t, s, m)
	return ok
}

// SetAdd is s with m; s itself when m is in it.
func SetAdd(t *Type, s, m V) V {
	i, ok := find(t, s, m)
	if ok {
		return s
	}
	return makeContainer(s.Len()+1, insert(s, i, 0, m))
}

// SetRemove is s without m; s itself when m is not in it.
func SetRemove(t *Type, s, m V) V { return MapRemove(t, s, m) }

// SetUnion is the members of a and b.
func SetUnion(t *Type, a, b V) V {
	if a.W == 0 {
		return b
	}
	return merge(t.Elem, a, b, true)
}

// SetWithout is the members of a that are not in b.
func SetWithout(t *Type, a, b V) V {
	if a.W == 0 || b.W == 0 {
		return a
	}
	return merge(t.Elem, a, b, false)
}

// merge walks two sorted sets; it keeps a's and common members, or a's without the common ones.
func merge(k *Type, a, b V, union bool) V {
	x, y := a.Keys(), b.Keys()
	out := make([]V, 0, len(x)+len(y))
	for len(x) > 0 && len(y) > 0 {
		c := CompareKey(k, x[0], y[0])
		if c < 0 || c == 0 && union {
			out = append(out, x[0])
		} else if c > 0 && union {
			out = append(out, y[0])
		}
		if c <= 0 {
			x = x[1:]
		}
		if c >= 0 {
			y = y[1:]
		}
	}
	out = append(out, x...)
	if union {
		out = append(out, y...)
	}
	return makeContainer(len(out), &Rows{Keys: out, Used: int64(len(out))})
}

// RecordWith is rec, of n fields, with field i set to v.
func RecordWith(rec V, n, i int, v V) V {
	fields := make([]V, n)
	copy(fields, rec.Fields(n))
	fields[i] = v
	return MakeRecord(fields)
}
