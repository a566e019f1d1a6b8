package value

import (
	"strings"
	"unsafe"
)

// Arena hands out the bytes and cells of decoded values from larger pieces: fewer allocations
// for a message whose parts live and die together, and none for one after another when Reset
// stands between them. A value keeps its whole piece alive. The nil Arena allocates each by
// itself. An Arena is for one goroutine.
type Arena struct {
	bytes []byte // pieces: used up to their length
	cells []V
	keys  []V
	rows  []Rows
	hint  int // length of the source being decoded: its strings need no more bytes

	text  []byte   // what a decoder needs while it reads
	names []string // the same
}

const (
	arenaCells = 16
	arenaRows  = 4
	arenaMax   = 1 << 16 // what is larger gets a piece of its own
)

// Reset takes back all that was handed out: values decoded before are not to be used any more.
func (a *Arena) Reset() {
	clear(a.cells)
	clear(a.keys)
	clear(a.rows)
	a.bytes, a.cells, a.keys, a.rows = a.bytes[:0], a.cells[:0], a.keys[:0], a.rows[:0]
}

// lend gives d the buffers of the arena, and the length of what it is to read.
func (a *Arena) lend(d *decoder, n int) {
	if a == nil {
		return
	}
	a.hint = n
	d.out, d.keys = a.text, a.names
}

// back takes the buffers back.
func (a *Arena) back(d *decoder) {
	if a == nil {
		return
	}
	a.text = d.out[:0]
	a.names = d.keys[:0]
	clear(a.names[:cap(a.names)]) // they are parts of the source
}

// str is a copy of s.
func (a *Arena) str(s string) string {
	if a == nil || len(s) > arenaMax {
		return strings.Clone(s)
	}
	return View(a.take(s))
}

func (a *Arena) take(s string) []byte {
	b := a.room(len(s))
	copy(b, s)
	return b
}

// room gives n bytes to be written.
func (a *Arena) room(n int) []byte {
	at := len(a.bytes)
	if cap(a.bytes)-at < n {
		a.bytes, at = make([]byte, 0, max(n, min(max(a.hint, 2*cap(a.bytes)), arenaMax))), 0
	}
	a.bytes = a.bytes[:at+n]
	return a.bytes[at:]
}

// uuid keeps a uuid, given in halves as parseUUID gives them. It writes them where they will be:
// to copy them as a whole, the processor would have to wait for the halves.
func (a *Arena) uuid(first, second uint64) V {
	var id *[16]byte
	if a == nil {
		id = new([16]byte)
	} else {
		id = (*[16]byte)(a.room(16))
	}
	putUUID(id, first, second)
	return V{Ref: unsafe.Pointer(id)}
}

// row gives n zero cells.
func (a *Arena) row(n int) []V {
	if a == nil {
		return make([]V, n)
	}
	return more(&a.cells, nil, n)
}

// more gives n cells of a piece that begin with those of have, in place if have is the last that
// was handed out.
func more(piece *[]V, have []V, n int) []V {
	p := *piece
	if at := len(p) - len(have); len(have) > 0 && at >= 0 && unsafe.SliceData(have) == unsafe.SliceData(p[at:]) && at+n <= cap(p) {
		*piece = p[:at+n]
		return p[at : at+n : at+n]
	}
	if len(p)+n > cap(p) {
		if n > arenaMax {
			out := make([]V, n)
			copy(out, have)
			return out
		}
		p = make([]V, 0, max(n, arenaCells, min(2*cap(p), arenaMax)))
	}
	at := len(p)
	*piece = p[:at+n]
	out := p[at : at+n : at+n]
	copy(out, have)
	return out
}

// less gives back the cells of have behind the first n, which were not written.
func less(piece *[]V, have []V, n int) []V {
	p := *piece
	if at := len(p) - len(have); len(have) > 0 && at >= 0 && unsafe.SliceData(have) == unsafe.SliceData(p[at:]) {
		*piece = p[:at+n]
	}
	return have[:n:n]
}

// rowsOf keeps r.
func (a *Arena) rowsOf(r Rows) *Rows {
	if len(a.rows) == cap(a.rows) {
		a.rows = make([]Rows, 0, max(arenaRows, min(2*cap(a.rows), arenaMax)))
	}
	a.rows = append(a.rows, r)
	return &a.rows[len(a.rows)-1]
}
