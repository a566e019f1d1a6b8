package value

import "slices"

// Builder makes a list, set or map element by element; the zero Builder is not usable. It is
// passed by value no more once something is in it.
type Builder struct {
	t        *Type
	stride   int
	n        int
	unsorted bool
	keys     []V
	cells    []V
	arena    *Arena // where keys and cells are, or nil
}

// NewBuilder makes a builder of a value of container type t with room for capacity elements.
func NewBuilder(t *Type, capacity int) Builder {
	b := Builder{t: t, stride: t.Stride()}
	b.room(capacity)
	return b
}

func (b *Builder) room(n int) {
	if b.arena != nil {
		b.cells = more(&b.arena.cells, b.cells, n*b.stride)
		if b.t.Kind != List {
			b.keys = more(&b.arena.keys, b.keys, n)
		}
		return
	}
	if n > 0 && b.stride > 0 {
		cells := make([]V, n*b.stride)
		copy(cells, b.cells)
		b.cells = cells
	}
	if n > 0 && b.t.Kind != List {
		keys := make([]V, n)
		copy(keys, b.keys)
		b.keys = keys
	}
}

// Len is how many elements were added so far.
func (b *Builder) Len() int { return b.n }

// Row adds an element of a list and gives its cells to be written: the fields of a record, or
// the one value. They are the caller's until the next call.
func (b *Builder) Row() []V {
	if len(b.cells) < (b.n+1)*b.stride {
		b.room(b.n*2 + 4)
	}
	b.n++
	return b.cells[(b.n-1)*b.stride : b.n*b.stride]
}

// Append adds an element of a list.
func (b *Builder) Append(elem V) { putElem(b.t.Elem, b.Row(), elem) }

// Add adds a member of a set.
func (b *Builder) Add(m V) { b.RowOf(m) }

// Put adds a key of a map and its value.
func (b *Builder) Put(key, val V) { putElem(b.t.Elem, b.RowOf(key), val) }

// RowOf adds a key and gives the cells of its value to be written, as Row does.
func (b *Builder) RowOf(key V) []V {
	if len(b.keys) == b.n {
		b.room(b.n*2 + 4)
	}
	if b.n > 0 && CompareKey(b.t.KeyType(), b.keys[b.n-1], key) >= 0 {
		b.unsorted = true
	}
	b.keys[b.n] = key
	b.n++
	return b.cells[(b.n-1)*b.stride : b.n*b.stride]
}

// Done is what was built; of equal keys the last wins. The builder is empty afterwards.
func (b *Builder) Done() V {
	if b.unsorted {
		b.sort()
	}
	var v V
	switch {
	case b.n == 0:
	case b.arena != nil:
		r := Rows{Cells: less(&b.arena.cells, b.cells, b.n*b.stride), Used: int64(b.n)}
		if b.t.Kind != List {
			r.Keys = less(&b.arena.keys, b.keys, b.n)
		}
		v = makeContainer(b.n, b.arena.rowsOf(r))
	default:
		v = makeContainer(b.n, &Rows{Keys: b.keys, Cells: b.cells, Used: int64(b.n)})
	}
	*b = Builder{t: b.t, stride: b.stride, arena: b.arena}
	return v
}

// order gives the places of the keys in ascending order, equal ones as they came.
func (b *Builder) order() []int {
	k := b.t.KeyType()
	order := make([]int, b.n)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return CompareKey(k, b.keys[i], b.keys[j]) })
	return order
}

// repeated finds a key that is there twice.
func (b *Builder) repeated() (V, bool) {
	if !b.unsorted {
		return V{}, false
	}
	order := b.order()
	for i := 1; i < len(order); i++ {
		if CompareKey(b.t.KeyType(), b.keys[order[i-1]], b.keys[order[i]]) == 0 {
			return b.keys[order[i]], true
		}
	}
	return V{}, false
}

func (b *Builder) sort() {
	order := b.order()
	keys, cells := make([]V, 0, b.n), make([]V, 0, b.n*b.stride)
	for i, at := range order {
		if i+1 < len(order) && CompareKey(b.t.KeyType(), b.keys[at], b.keys[order[i+1]]) == 0 {
			continue
		}
		keys = append(keys, b.keys[at])
		cells = append(cells, b.cells[at*b.stride:(at+1)*b.stride]...)
	}
	b.keys, b.cells, b.n = keys, cells, len(keys)
}
