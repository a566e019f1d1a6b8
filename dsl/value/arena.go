package value

import (
	"strings"
	"unsafe"
)

// Arena hands out the bytes and cells of decoded values from larger pieces: fewer allocations
// for a message whose parts live and die together. A value keeps its whole piece alive. The nil
// Arena allocates each by itself. An Arena is for one goroutine.
type Arena struct {
	bytes []byte // with room
	cells []V
	hint  int // length of the source being decoded: its strings need no more bytes
}

const (
	arenaBytes = 1024
	arenaCells = 16
)

// expect tells how long a source is about to be decoded.
func (a *Arena) expect(n int) {
	if a != nil {
		a.hint = n
	}
}

// str is a copy of s.
func (a *Arena) str(s string) string {
	if a == nil || len(s) > arenaBytes/4 {
		return strings.Clone(s)
	}
	return View(a.take(s))
}

func (a *Arena) take(s string) []byte {
	if cap(a.bytes)-len(a.bytes) < len(s) {
		a.bytes = make([]byte, 0, max(len(s), min(a.hint, arenaBytes)))
	}
	n := len(a.bytes)
	a.bytes = append(a.bytes, s...)
	return a.bytes[n:]
}

func (a *Arena) uuid(id [16]byte) V {
	if a == nil {
		return MakeUUID(id)
	}
	return V{Ref: unsafe.Pointer(unsafe.SliceData(a.take(View(id[:]))))}
}

// row gives n zero cells.
func (a *Arena) row(n int) []V {
	if a == nil || n > arenaCells/2 {
		return make([]V, n)
	}
	if len(a.cells) < n {
		a.cells = make([]V, arenaCells)
	}
	row := a.cells[:n:n]
	a.cells = a.cells[n:]
	return row
}
