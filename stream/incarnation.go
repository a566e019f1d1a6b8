package stream

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// incarnation is one life of the stream with what this process knows of it.
type incarnation struct {
	created time.Time
	mark    string        // what Mark.Stream holds
	seen    atomic.Uint64 // highest sequence acknowledged or read
	synced  atomic.Uint64 // highest sequence known to be on disk
}

func newIncarnation(name string, info *jetstream.StreamInfo) *incarnation {
	inc := &incarnation{created: info.Created, mark: name + "@" + info.Created.UTC().Format(time.RFC3339Nano)}
	inc.seen.Store(info.State.LastSeq)
	return inc
}

// lost tells whether the stream is the same one and ends before what was seen of it.
func (inc *incarnation) lost(info *jetstream.StreamInfo) bool {
	return info.Created.Equal(inc.created) && info.State.LastSeq < inc.seen.Load()
}

const (
	lagTries = 10
	lagPause = 100 * time.Millisecond
)

// raise tells whether it made the value greater.
func raise(to *atomic.Uint64, v uint64) bool {
	for {
		old := to.Load()
		if v <= old {
			return false
		}
		if to.CompareAndSwap(old, v) {
			return true
		}
	}
}

// gate holds callers up while it is closed. It begins open.
type gate struct {
	mu   sync.Mutex
	ch   chan struct{}   // not nil: closed; it is closed in turn when the gate opens
	open context.Context // ends when the gate closes
	shut context.CancelFunc
}

func newGate() *gate {
	g := &gate{}
	g.open, g.shut = context.WithCancel(context.Background())
	return g
}

func (g *gate) set(open bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if open && g.ch != nil {
		close(g.ch)
		g.ch = nil
		g.open, g.shut = context.WithCancel(context.Background())
	}
	if !open && g.ch == nil {
		g.ch = make(chan struct{})
		g.shut()
	}
}

// passage ends when the gate is closed: what was asked before is not answered any more.
func (g *gate) passage() context.Context {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.open
}

func (g *gate) closed() bool { return g.wait() != nil }

// wait is nil when the gate is open, else a channel that is closed once it opens.
func (g *gate) wait() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.ch
}

// enter gives the current incarnation. After a lost connection it waits until the stream has been
// compared with what was seen before, for a while.
func (l *Log) enter(ctx context.Context) (*incarnation, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if ch := l.gate.wait(); ch != nil {
		if l.nc.IsClosed() {
			return nil, unavailable("the connection to the server is closed")
		}
		t := time.NewTimer(l.opts.AckWait)
		defer t.Stop()
		select {
		case <-ch:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-l.closed:
			return nil, unavailable("the log is closed")
		case <-t.C:
			return nil, unavailable("the connection to the server was lost")
		}
	}
	return l.current.Load(), nil
}

// watch follows the state of the connection until the log is closed.
func (l *Log) watch(ctx context.Context, statuses chan nats.Status) {
	defer l.nc.RemoveStatusListener(statuses)
	for {
		select {
		case <-ctx.Done():
			return
		case s, ok := <-statuses:
			if !ok {
				return
			}
			l.turn(ctx, s, statuses)
		}
	}
}

// turn handles one change of the connection's state.
func (l *Log) turn(ctx context.Context, s nats.Status, statuses <-chan nats.Status) {
	if s != nats.CONNECTED {
		l.gate.set(false)
		l.inbox.lose()
		return
	}
	l.gate.set(false) // a short outage may have shown no other state
	l.inbox.lose()
	for delay := 50 * time.Millisecond; ; delay = min(2*delay, 2*time.Second) {
		err := l.compare(ctx)
		if err == nil {
			l.gate.set(true)
			return
		}
		l.opts.Logger.Warn("the stream cannot be compared with what was seen before the reconnect; appends and loads wait",
			"stream", l.name, "error", err, "retry_after", delay)
		t := time.NewTimer(delay)
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case s, ok := <-statuses: // lost again: what comes next decides
			t.Stop()
			l.inbox.lose()
			if ok && s == nats.CONNECTED {
				continue
			}
			return
		case <-t.C:
		}
	}
}

// compare starts a new incarnation if the stream is another one or has lost messages that were
// acknowledged or read.
func (l *Log) compare(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, l.opts.AckWait)
	defer cancel()
	old := l.current.Load()
	info, err := l.info(ctx)
	// A new leader of a replicated stream may still be applying what was acknowledged before.
	for i := 0; err == nil && i < lagTries && info.Config.Replicas > 1 && old.lost(info); i++ {
		if err = sleep(ctx, lagPause); err == nil {
			info, err = l.info(ctx)
		}
	}
	if err != nil {
		return err
	}
	if err := suits(&info.Config, l.config()); err != nil {
		return err
	}
	if !old.lost(info) && info.Created.Equal(old.created) {
		raise(&old.seen, info.State.LastSeq)
		return nil
	}
	l.opts.Logger.Error("the stream is not the one that was known: it was made anew or has lost acknowledged messages; live aggregates are dropped",
		"stream", l.name, "created_before", old.created, "created_now", info.Created, "last_seen", old.seen.Load(), "last_now", info.State.LastSeq)
	l.current.Store(newIncarnation(l.name, info))
	l.epoch.Add(1)
	return nil
}

// errGone ends reads that began in another incarnation.
var errGone = errors.New("the stream was made anew or has lost messages")
