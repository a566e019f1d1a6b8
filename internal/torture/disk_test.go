package torture

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestCutKeepsWhatWasFlushed: each sector after a cut holds what the last flush left there, or what a write between
// that flush and the freeze put there; never what was written later.
func TestCutKeepsWhatWasFlushed(t *testing.T) {
	const sectors = 16
	rapid.Check(t, func(t *rapid.T) {
		d := NewDisk(make([]byte, sectors*sector))
		may := [sectors]map[byte]bool{} // what a sector may hold; its bytes are all the same
		for i := range may {
			may[i] = map[byte]bool{0: true}
		}
		now := [sectors]byte{}
		frozen := false
		for n := range rapid.IntRange(0, 60).Draw(t, "steps") {
			switch v := byte(n + 1); rapid.IntRange(0, 9).Draw(t, "step") {
			case 0:
				if !frozen {
					d.Flush()
					for i := range may {
						may[i] = map[byte]bool{now[i]: true}
					}
				}
			case 1:
				d.Freeze()
				frozen = true
			default:
				at := rapid.IntRange(0, sectors-1).Draw(t, "at")
				to := rapid.IntRange(at+1, sectors).Draw(t, "to")
				d.Write(bytes.Repeat([]byte{v}, (to-at)*sector), at*sector)
				for i := at; i < to; i++ {
					now[i] = v
					if !frozen {
						may[i][v] = true
					}
				}
			}
		}
		for i, got := range contents(t, d, sectors) {
			if got != now[i] {
				t.Fatalf("sector %d reads %d before the cut, want %d", i, got, now[i])
			}
		}
		next, _ := d.Cut(rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0)))
		for i, got := range contents(t, next, sectors) {
			if !may[i][got] {
				t.Fatalf("sector %d holds %d after the cut, want one of %v", i, got, may[i])
			}
		}
	})
}

// contents gives the byte that fills each sector.
func contents(t *rapid.T, d *Disk, sectors int) []byte {
	out := make([]byte, sectors)
	for i := range out {
		b := make([]byte, sector)
		if n := d.Read(b, i*sector); n != sector || bytes.Count(b, b[:1]) != sector {
			t.Fatalf("sector %d is torn: %d bytes, %v", i, n, b)
		}
		out[i] = b[0]
	}
	return out
}

// TestCutsDiffer: over some seeds a cut loses all, keeps all and keeps parts; else it would find little.
func TestCutsDiffer(t *testing.T) {
	var none, all, some, torn bool
	for seed := range uint64(100) {
		d := NewDisk(make([]byte, 64*sector))
		for i := range 8 {
			d.Write(bytes.Repeat([]byte{1}, 8*sector), i*8*sector)
		}
		_, s := d.Cut(rand.New(rand.NewPCG(seed, 0)))
		if s.Pending != 8 {
			t.Fatalf("got %+v, want 8 pending writes", s)
		}
		none = none || s.Kept+s.Torn == 0
		all = all || s.Kept == 8
		some = some || s.Kept > 0 && s.Kept < 8
		torn = torn || s.Torn > 0
	}
	if !none || !all || !some || !torn {
		t.Errorf("none kept %v, all kept %v, some kept %v, some torn %v: want each", none, all, some, torn)
	}
}

// TestFreezeAfter: the freeze comes right after the write that was named, and a flush after it waits for Off and
// makes nothing durable.
func TestFreezeAfter(t *testing.T) {
	d := NewDisk(make([]byte, 4*sector))
	cut := d.FreezeAfter(2)
	for i := range 3 {
		d.Write([]byte{9}, i*sector)
		select {
		case <-cut:
			if i == 0 {
				t.Fatal("frozen after one write, want two")
			}
		default:
			if i > 0 {
				t.Fatalf("not frozen after %d writes", i+1)
			}
		}
	}
	flushed := make(chan bool)
	go func() { flushed <- d.Flush() }()
	select {
	case <-flushed:
		t.Fatal("a flush after the freeze was answered before Off")
	case <-time.After(20 * time.Millisecond):
	}
	d.Off()
	if !<-flushed {
		t.Error("the flush was not let go")
	}
	if _, s := d.Cut(rand.New(rand.NewPCG(1, 1))); s.Pending != 2 {
		t.Errorf("got %+v, want the 2 writes before the freeze", s)
	}
}
