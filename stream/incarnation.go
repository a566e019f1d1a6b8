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

// lane is one stream of the layout.
type lane struct {
	name     string
	get      string // subject of direct gets
	current  atomic.Pointer[incarnation]
	advanced chan struct{} // its watermark went up
	ended    chan struct{} // closed when the stream was deleted
}

func newLane(name string) *lane {
	return &lane{name: name, get: "$JS.API.DIRECT.GET." + name, advanced: make(chan struct{}, 1), ended: make(chan struct{})}
}

// incarnation is one life of a stream with what this process knows of it.
type incarnation struct {
	lane       *lane
	created    time.Time
	mark       string        // what Mark.Stream holds
	seen       atomic.Uint64 // highest sequence acknowledged or read
	synced     atomic.Uint64 // highest sequence known to be on disk
	replicated bool          // two answers to one message may come, and in no order
	idle       []*slot       // of the inbox, under its lock: their tokens were acknowledged in this incarnation
}

func newIncarnation(ln *lane, info *jetstream.StreamInfo) *incarnation {
	inc := &incarnation{lane: ln, created: info.Created, mark: ln.name + "@" + info.Created.UTC().Format(time.RFC3339Nano), replicated: info.Config.Replicas > 1}
	inc.seen.Store(info.State.LastSeq)
	return inc
}

// deleted tells whether there is no such stream any more.
func (inc *incarnation) deleted() bool { return inc.created.IsZero() }

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
	shutNow atomic.Bool // as ch tells, for those who only ask

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
		g.shutNow.Store(false)
		g.open, g.shut = context.WithCancel(context.Background())
	}
	if !open && g.ch == nil {
		g.ch = make(chan struct{})
		g.shutNow.Store(true)
		g.shut()
	}
}

// passage ends when the gate is closed: what was asked before is not answered any more.
func (g *gate) passage() context.Context {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.open
}

func (g *gate) closed() bool { return g.shutNow.Load() }

// wait is nil when the gate is open, else a channel that is closed once it opens.
func (g *gate) wait() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.ch
}

// enter gives the current incarnation of a lane. After a lost connection it waits until the
// streams have been compared with what was seen before, for a while.
func (l *Log) enter(ctx context.Context, ln *lane) (*incarnation, error) {
	if err := l.pass(ctx); err != nil {
		return nil, err
	}
	return ln.current.Load(), nil
}

// pass waits until the gate is open, for a while.
func (l *Log) pass(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if ch := l.gate.wait(); ch != nil {
		return l.breaker.guard(func() error { return l.await(ctx, ch) })
	}
	return nil
}

// await returns when ch is closed: the gate is open.
func (l *Log) await(ctx context.Context, ch <-chan struct{}) error {
	if l.nc.IsClosed() {
		return unavailable("the connection to the server is closed")
	}
	t := time.NewTimer(l.opts.AckWait)
	defer t.Stop()
	select {
	case <-ch:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-l.closed:
		return unavailable("the log is closed")
	case <-t.C:
		return unavailable("the connection to the server was lost")
	}
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
	l.gate.set(false) // also when connected: a short outage may have shown no other state
	l.inbox.lose()
	if s != nats.CONNECTED {
		return
	}
	for delay := 50 * time.Millisecond; ; delay = min(2*delay, 2*time.Second) {
		err := l.compare(ctx)
		if err == nil {
			l.gate.set(true)
			return
		}
		l.opts.Logger.Warn("the stream cannot be compared with what was seen before the reconnect; appends and loads wait",
			"layout", l.opts.Layout.String(), "error", err, "retry_after", delay)
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

// compare looks at all streams.
func (l *Log) compare(ctx context.Context) error {
	if err := l.look(ctx, nil); err != nil {
		return err
	}
	for _, ln := range l.lanes.all() {
		if err := l.compareLane(ctx, ln); err != nil {
			return err
		}
	}
	return nil
}

// compareLane starts a new incarnation if the stream is another one or has lost messages that
// were acknowledged or read.
func (l *Log) compareLane(ctx context.Context, ln *lane) error {
	ctx, cancel := context.WithTimeout(ctx, l.opts.AckWait)
	defer cancel()
	old := ln.current.Load()
	info, err := l.info(ctx, ln)
	// A new leader of a replicated stream may still be applying what was acknowledged before.
	for i := 0; err == nil && i < lagTries && info.Config.Replicas > 1 && old.lost(info); i++ {
		if err = sleep(ctx, lagPause); err == nil {
			info, err = l.info(ctx, ln)
		}
	}
	if err != nil {
		return err
	}
	if err := suits(&info.Config, l.config(ln)); err != nil {
		return err
	}
	if !old.lost(info) && info.Created.Equal(old.created) {
		raise(&old.seen, info.State.LastSeq)
		return nil
	}
	l.opts.Logger.Error("the stream is not the one that was known: it was made anew or has lost acknowledged messages; live aggregates are dropped",
		"stream", ln.name, "created_before", old.created, "created_now", info.Created, "last_seen", old.seen.Load(), "last_now", info.State.LastSeq)
	ln.current.Store(newIncarnation(ln, info))
	l.epoch.Add(1)
	return nil
}

// errGone ends reads that began in another incarnation.
var errGone = errors.New("the stream was made anew or has lost messages")
