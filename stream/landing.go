package stream

import (
	"context"
	"errors"
	"sync"
	"time"
)

// landing waits for the disk on behalf of all flights that have been acknowledged: one wait for
// those that came together, on one goroutine, and another tells their callers, so that the next
// wait begins at once.
type landing struct {
	mu      sync.Mutex
	waiting []*flight
	err     error         // set when nobody waits any more
	kick    chan struct{} // somebody waits; capacity 1
	landed  chan []*flight
	free    chan []*flight // room for waiting
}

func newLanding() *landing {
	return &landing{kick: make(chan struct{}, 1), landed: make(chan []*flight, 1), free: make(chan []*flight, 2)}
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
		for _, f := range flights {
			f.inc.onDisk(f.upTo)
		}
		if len(flights) > fewFlights {
			g.landed <- flights
			continue
		}
		g.end(flights)
	}
}

// fewFlights end sooner where they are than by another goroutine, while the next sync waits for them.
const fewFlights = 64

// tellLanded ends the flights of the greater rounds.
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
