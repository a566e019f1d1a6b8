package stream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/stream/envelope"
)

// Syncer makes what the server has acknowledged durable.
type Syncer interface {
	// Wait returns when everything acknowledged or visible before the call is on disk. An error
	// means that this is not known, and that it will not become known by waiting again.
	Wait(ctx context.Context) error
}

// Options of a [Log]. The zero value suits an external server that others write to as well.
type Options struct {
	// Loads is a second connection to the same account, for reads; nil takes the first one.
	// Direct gets run in the connection's read loop, where they would hold up appends.
	Loads *nats.Conn
	// Sync is waited for before an append is answered and before a message is given out; then
	// the sequence that is on disk is published on [WatermarkSubject]. nil leaves durability to
	// the server's own setting.
	Sync Syncer
	// Unshared tells that nobody else writes to the stream and that the server has one replica
	// (the embedded one): then the state that this process knows is the latest.
	Unshared bool
	// ExclusiveIDs gives each (type, id) to the first tenant that appends to it (tenancy.ids).
	ExclusiveIDs bool
	// Layout spreads aggregates over streams. Another one than the log was begun with is a
	// migration: it would find no aggregate.
	Layout envelope.Layout
	// Breaker is when calls stop being tried on a server that fails.
	Breaker BreakerOptions
	// MaxStreams is how many streams there may be before no more are made on demand; 0 is 1,000.
	// Each node counts those that it knows.
	MaxStreams int
	// FoldCase tells that the server's file system takes names for equal that differ in case only,
	// as that of macOS does: two such streams would share a folder, and the second is refused.
	FoldCase bool
	// Replicas of a stream that is created; 0 is 1.
	Replicas int
	// AckWait is how long an append waits for its ack before it is in doubt; 0 is 5 s.
	AckWait time.Duration
	// Logger gets what operators should know; nil is slog.Default.
	Logger *slog.Logger
}

const defaultAckWait = 5 * time.Second

// Log is the event log. All methods may be called side by side.
type Log struct {
	opts  Options
	nc    *nats.Conn // appends and questions to the leader
	loads *nats.Conn // direct gets and consumers
	js    jetstream.JetStream
	jsr   jetstream.JetStream // on loads
	lanes lanes
	inbox *inbox // acks, on nc
	reads *inbox // answers to direct gets, on loads
	keep  int    // bytes of bodies that one load holds on to

	epoch   atomic.Uint64 // counts incarnations of all lanes; what Incarnation gives
	gate    *gate         // closed between a lost connection and the check after it
	breaker *breaker
	flights sync.Pool // of *flight
	landing *landing  // of flights, with a Syncer

	manifests manifestStore

	stop   context.CancelFunc
	closed <-chan struct{} // of the context that stop ends
	done   sync.WaitGroup
}

// Open connects the log to its streams, which it creates when absent. A stream whose settings
// would break a promise is refused; none is ever changed. With a Syncer, all that the streams
// hold is on disk when Open returns. The connections stay the caller's and should be made with
// nats.ReconnectBufSize(-1): buffered appends of a lost connection are sent after the reconnect,
// when their callers have gone. ctx bounds the opening only.
func Open(ctx context.Context, nc *nats.Conn, opts Options) (*Log, error) {
	opts = opts.withDefaults(nc)
	l := &Log{opts: opts, nc: nc, loads: opts.Loads, keep: keepBytes, gate: newGate(), breaker: newBreaker(opts.Breaker), landing: newLanding()}
	l.flights.New = func() any { return &flight{} }
	l.lanes.init()
	if err := l.open(ctx); err != nil {
		return nil, fmt.Errorf("open the event log, layout %s: %w", opts.Layout, err)
	}
	l.start()
	return l, nil
}

func (l *Log) open(ctx context.Context) (err error) {
	if l.opts.ExclusiveIDs && !l.opts.Layout.Exclusive() {
		return fmt.Errorf("exclusive ids need one stream that holds all tenants of an id: %w",
			&aggregate.ValidationError{Path: "stream.layout", Message: "tenancy.ids: exclusive goes with the layouts single and per_type only"})
	}
	if l.js, err = jetstream.New(l.nc); err != nil {
		return err
	}
	if l.jsr, err = jetstream.New(l.loads); err != nil {
		return err
	}
	l.epoch.Store(1)
	for _, name := range l.opts.Layout.Streams() {
		ln := newLane(name)
		info, err := l.insist(ctx, createWait, ln, l.ensure)
		if err != nil {
			return err
		}
		if _, err := l.add(ln, info, nil); err != nil {
			return err
		}
	}
	if l.opts.Layout.OnDemand() {
		if err := l.openOnDemand(ctx); err != nil {
			return err
		}
	}
	if l.opts.Sync != nil { // the streams themselves may be new
		if err := l.opts.Sync.Wait(ctx); err != nil {
			return fmt.Errorf("first sync: %w", err)
		}
		for _, ln := range l.lanes.all() {
			inc := ln.current.Load()
			raise(&inc.synced, inc.seen.Load())
		}
	}
	if l.inbox, err = newInbox(l.nc); err != nil {
		return err
	}
	if l.reads, err = newInbox(l.loads); err != nil {
		return errors.Join(err, l.inbox.close())
	}
	return nil
}

// start begins the log's goroutines.
func (l *Log) start() {
	run, stop := context.WithCancel(context.Background())
	l.stop, l.closed = stop, run.Done()
	statuses := l.nc.StatusChanged(nats.CONNECTED, nats.RECONNECTING, nats.DISCONNECTED, nats.CLOSED)
	l.done.Go(func() { l.watch(run, statuses) })
	for _, ln := range l.lanes.all() {
		l.attend(ln)
	}
	if l.opts.Layout.OnDemand() && !l.opts.Unshared {
		l.done.Go(func() { l.lookOut(run) })
	}
	if l.opts.Sync != nil {
		l.done.Go(func() { l.landFlights(run) })
		l.done.Go(l.tellLanded)
	}
}

func (o Options) withDefaults(nc *nats.Conn) Options {
	if o.Loads == nil {
		o.Loads = nc
	}
	if o.AckWait <= 0 {
		o.AckWait = defaultAckWait
	}
	if o.MaxStreams <= 0 {
		o.MaxStreams = defaultMaxStreams
	}
	if o.Replicas <= 0 {
		o.Replicas = 1
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

// Close ends the log's goroutines and its subscriptions; appends under way are in doubt. Close it
// before the connections.
func (l *Log) Close() error {
	l.lanes.close()
	l.stop()
	l.done.Wait()
	l.gate.set(false)
	return errors.Join(l.inbox.close(), l.reads.close())
}

// Incarnation changes when marks taken earlier must no longer be trusted, in any stream.
func (l *Log) Incarnation() uint64 { return l.epoch.Load() }

// Health is what is known of the log at one moment. With several streams Last, Seen and Synced are sums.
type Health struct {
	Connected   bool               // to the server
	Reachable   bool               // every stream answered just now
	Incarnation uint64             //
	Last        aggregate.Sequence // of the stream, if it answered
	Seen        aggregate.Sequence // highest acknowledged or read here
	Synced      aggregate.Sequence // highest known to be on disk; without a Syncer it stays 0
	InFlight    int                // appends that wait for their ack
	Breaker     string             // closed, half_open or open
	Err         error              // why a stream is not reachable
}

// Health asks the streams for a sign of life, whatever the state of the breaker.
func (l *Log) Health(ctx context.Context) Health {
	h := Health{Connected: l.nc.IsConnected() && l.loads.IsConnected(), Incarnation: l.Incarnation(),
		InFlight: l.inbox.inFlight(), Breaker: l.Breaker()}
	for _, ln := range l.lanes.all() {
		inc := ln.current.Load()
		h.Seen += aggregate.Sequence(inc.seen.Load())
		h.Synced += aggregate.Sequence(inc.synced.Load())
	}
	if !h.Connected {
		h.Err = unavailable("no connection to the server")
		return h
	}
	end, err := l.End(ctx)
	if err != nil {
		h.Err = err
		return h
	}
	h.Reachable = true
	for _, seq := range end {
		h.Last += seq
	}
	if l.gate.closed() {
		h.Reachable, h.Err = false, unavailable("the streams are being compared with what was seen before the connection was lost")
	}
	return h
}

// End is where all streams end, as their leaders tell it: who has followed the log that far had
// seen everything when the call was made.
func (l *Log) End(ctx context.Context) (Position, error) {
	if err := l.look(ctx, l.gate.passage()); err != nil {
		return nil, err
	}
	p := make(Position, len(l.lanes.all()))
	for _, ln := range l.lanes.all() {
		info, err := l.info(ctx, ln)
		if err != nil {
			return nil, err
		}
		p[ln.name] = aggregate.Sequence(info.State.LastSeq)
	}
	return p, nil
}

// retryAfter is what callers are told to wait when the log is out of reach.
const retryAfter = time.Second

// unavailable is an aggregate.ErrStream that asks to come again.
func unavailable(format string, args ...any) error {
	return &aggregate.UnavailableError{Reason: aggregate.ErrStream, Message: fmt.Sprintf(format, args...), RetryAfter: retryAfter}
}

// where adds the place to an error, if there is one.
func where(err error, what string, key aggregate.Key) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s: %w", what, key, err)
}

// isGone tells whether err means that the connection or the server does not answer.
func isGone(err error) bool {
	return errors.Is(err, nats.ErrNoResponders) || errors.Is(err, nats.ErrTimeout) || errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, nats.ErrConnectionClosed) || errors.Is(err, nats.ErrDisconnected) || errors.Is(err, nats.ErrReconnectBufExceeded) ||
		errors.Is(err, nats.ErrConnectionReconnecting) || errors.Is(err, jetstream.ErrNoStreamResponse)
}
