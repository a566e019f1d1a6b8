package torture

import (
	"math/rand/v2"
	"sync"
	"time"
)

// sector is what a disk writes whole or not at all.
const sector = 512

// Disk is the medium of a block device: an image, and the writes that no flush has covered yet. All methods may be
// called side by side.
type Disk struct {
	mu      sync.Mutex
	image   []byte  // as a reader sees it, with everything that was written
	pending []write // since the last flush, in order
	frozen  bool
	cut     chan struct{} // closed by the freeze
	left    int           // writes until the freeze, 0 if there is no such number
	late    int           // how many of pending came before the freeze
	off     chan struct{} // closed when nobody is left who could use the answer to a flush
}

// write is one write that may be lost.
type write struct {
	at       int
	old, new []byte
}

// NewDisk makes a disk of an image, which is the disk's from now on. Its length is a multiple of the sector.
func NewDisk(image []byte) *Disk {
	return &Disk{image: image, cut: make(chan struct{}), off: make(chan struct{})}
}

// Size is the length in bytes.
func (d *Disk) Size() int { return len(d.image) }

// Read copies what stands at off into dest and tells how much that was.
func (d *Disk) Read(dest []byte, off int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	if off < 0 || off >= len(d.image) {
		return 0
	}
	return copy(dest, d.image[off:])
}

// Write puts data at off, where a reader sees it at once and a cut may lose it until a flush. It tells how much fits.
func (d *Disk) Write(data []byte, off int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	if off < 0 || off >= len(d.image) {
		return 0
	}
	data = data[:min(len(data), len(d.image)-off)]
	both := make([]byte, 2*len(data))
	w := write{at: off, old: both[:len(data):len(data)], new: both[len(data):]}
	copy(w.old, d.image[off:])
	copy(w.new, data)
	copy(d.image[off:], data)
	d.pending = append(d.pending, w)
	if d.left > 0 {
		if d.left--; d.left == 0 {
			d.freeze()
		}
	}
	return len(data)
}

// flushTime is how long a flush after the freeze waits for the end of its callers. No answer at all would leave
// them, and this process with them, in a state that kill -9 cannot end.
const flushTime = 20 * time.Second

// Flush makes durable everything that was written before the call, and says so. After [Disk.Freeze] it makes nothing
// durable and returns only after [Disk.Off]; false if that does not come.
func (d *Disk) Flush() bool {
	d.mu.Lock()
	if !d.frozen {
		clear(d.pending)
		d.pending = d.pending[:0]
		d.mu.Unlock()
		return true
	}
	d.mu.Unlock()
	select {
	case <-d.off:
		return true
	case <-time.After(flushTime):
		return false
	}
}

// Freeze is the moment of the cut: what is written from now on will not have happened.
func (d *Disk) Freeze() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.freeze()
}

// FreezeAfter is a [Disk.Freeze] right after the next n writes: cuts at a time of their own seldom meet the few
// microseconds between a write and its flush. The channel is closed by the freeze, whoever asked for it.
func (d *Disk) FreezeAfter(n int) <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.left = n
	return d.cut
}

func (d *Disk) freeze() {
	if !d.frozen {
		d.frozen, d.late = true, len(d.pending)
		close(d.cut)
	}
}

// Off lets go of the flushes that came after the freeze. Call it when their callers can no longer pass on the answer.
func (d *Disk) Off() {
	d.mu.Lock()
	defer d.mu.Unlock()
	select {
	case <-d.off:
	default:
		close(d.off)
	}
}

// CutStats tells what a cut did.
type CutStats struct {
	Pending int // writes without a flush
	Kept    int // of those, in full
	Torn    int // of those, in part
}

// Cut gives the disk that the next start finds: all that was flushed, and of what was written before the freeze and
// not flushed a part that r chooses. d must not be used any more.
func (d *Disk) Cut(r *rand.Rand) (*Disk, CutStats) {
	d.Freeze()
	d.Off()
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := len(d.pending) - 1; i >= 0; i-- {
		copy(d.image[d.pending[i].at:], d.pending[i].old)
	}
	stats := CutStats{Pending: d.late}
	chance := luck(r)
	for _, w := range d.pending[:d.late] {
		switch n := w.keep(d.image, r, chance); {
		case n == len(w.new):
			stats.Kept++
		case n > 0:
			stats.Torn++
		}
	}
	next := NewDisk(d.image)
	d.image, d.pending = nil, nil
	return next, stats
}

// luck is how much of the unflushed a cut keeps: often nothing or everything, as those are where a missing flush and a
// wrong order of writes show best.
func luck(r *rand.Rand) float64 {
	switch r.IntN(4) {
	case 0:
		return 0
	case 1:
		return 1
	}
	return r.Float64()
}

// keep writes w again, in full, torn or not at all, and tells how many bytes.
func (w write) keep(image []byte, r *rand.Rand, chance float64) int {
	if r.Float64() >= chance {
		return 0
	}
	if chance == 1 || r.IntN(3) > 0 {
		return copy(image[w.at:], w.new)
	}
	kept := 0
	for at := 0; at < len(w.new); at += sector {
		if r.IntN(2) == 0 {
			kept += copy(image[w.at+at:], w.new[at:min(at+sector, len(w.new))])
		}
	}
	return kept
}
