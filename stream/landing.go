package stream

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// landing waits for the disk on behalf of all flights that have been acknowledged: one wait for
// those that came together, on one goroutine, and another tells their callers, so that the next
// wait begins at once.
//
// A wait begins when the flights that were in the air as the one before it ended are here too: their
// acknowledgements come in a moment, and a sync costs the same for many as for one. Otherwise the
// first to come would take each sync for himself, and all others would wait for the next.
type landing struct {
	mu      sync.Mutex
	waiting []*flight
	err     error         // set when nobody waits any more
	kick    chan struct{} // somebody waits; capacity 1
	landed  chan []*flight
	free    chan []*flight // room for waiting

	wave    atomic.Uint32 // of the flights that leave now; a new one begins when a wait ends
	aloft   [waves]atomic.Int32
	awaited atomic.Pointer[atomic.Int32] // the wave for which the next wait waits
	allHere chan struct{}                // it is empty; capacity 1
}

// waves are counted apart, so that a flight whose acknowledgement never comes delays few waits.
const waves = 32

// aloftWait is how long a wait for the disk waits at most for flights in the air.
const aloftWait = 2 * time.Millisecond

func newLanding() *landing {
	return &landing{kick: make(chan struct{}, 1), landed: make(chan []*flight, 1), free: make(chan []*flight, 2), allHere: make(chan struct{}, 1)}
}

// depart counts a flight that leaves now; what it gives is for arrive.
func (g *landing) depart() *atomic.Int32 {
	w := &g.aloft[g.wave.Load()%waves]
	w.Add(1)
	return w
}

// arrive tells that a flight of the wave has joined, or never will.
func (g *landing) arrive(w *atomic.Int32) {
	if w.Add(-1) == 0 && g.awaited.Load() == w {
		notify(g.allHere)
	}
}

// gather waits until the wave before this one is here.
func (g *landing) gather() {
	w := &g.aloft[(g.wave.Load()-1)%waves]
	if w.Load() <= 0 {
		return
	}
	select {
	case <-g.allHere: // of an earlier wave, come too late
	default:
	}
	g.awaited.Store(w)
	if w.Load() > 0 {
		t := time.NewTimer(aloftWait)
		select {
		case <-g.allHere:
		case <-t.C:
		}
		t.Stop()
	}
	g.awaited.Store(nil)
}

func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// join lets f wait for the disk; an error means that nobody waits any more.
func (g *landing) join(f *flight) error {
	g.mu.Lock()
	if err := g.err; err != nil {
		g.mu.Unlock()
		return err
	}
	g.waiting = append(g.waiting, f)
	first := len(g.waiting) == 1
	g.mu.Unlock()
	if first {
		g.kick <- struct{}{} // there is room: it was taken before the list was
	}
	return nil
}

// take gives those who wait now.
func (g *landing) take() []*flight {
	var room []*flight
	select {
	case room = <-g.free:
	default:
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	all := g.waiting
	g.waiting = room
	return all
}

var errLogClosed = errors.New("the log is closed")

// landFlights waits for the disk, time and again, until ctx ends.
func (l *Log) landFlights(ctx context.Context) {
	g := l.landing
	defer close(g.landed)
	for {
		select {
		case <-ctx.Done():
			g.mu.Lock()
			g.err = errLogClosed
			g.mu.Unlock()
			for _, f := range g.take() {
				f.end(f.unsynced(errLogClosed))
			}
			return
		case <-g.kick:
		}
		g.gather()
		flights := g.take()
		for _, f := range flights {
			f.upTo = f.inc.seen.Load()
		}
		if err := l.opts.Sync.Wait(ctx); err != nil {
			for _, f := range flights {
				f.end(f.unsynced(err))
			}
			continue
		}
		g.wave.Add(1)
		for _, f := range flights {
			f.inc.onDisk(f.upTo)
		}
		g.landed <- flights
	}
}

// tellLanded ends the flights that are on disk.
func (l *Log) tellLanded() {
	for flights := range l.landing.landed {
		l.landing.end(flights)
	}
}

// end tells the callers and keeps the room.
func (g *landing) end(flights []*flight) {
	now := time.Now()
	for _, f := range flights {
		f.synced = now.Sub(f.ackedAt)
		f.end(nil)
	}
	clear(flights)
	select {
	case g.free <- flights[:0]:
	default:
	}
}
