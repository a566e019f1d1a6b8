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
	// Layout spreads aggregates over streams; there is one layout now.
	Layout envelope.Layout
	// Replicas of a stream that Open creates; 0 is 1.
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
	name  string
	inbox *inbox
	keep  int // bytes of bodies that one load holds on to

	current  atomic.Pointer[incarnation]
	epoch    atomic.Uint64 // counts incarnations; what Incarnation gives
	advanced chan struct{} // the watermark went up
	gate     *gate         // closed between a lost connection and the check after it

	manifests manifestStore

	stop   context.CancelFunc
	closed <-chan struct{} // of the context that stop ends
	done   sync.WaitGroup
}

// Open connects the log to its stream, which it creates when absent. A stream whose settings
// would break a promise is refused; none is ever changed. With a Syncer, all that the stream
// holds is on disk when Open returns. The connections stay the caller's and should be made with
// nats.ReconnectBufSize(-1): buffered appends of a lost connection are sent after the reconnect,
// when their callers have gone. ctx bounds the opening only.
func Open(ctx context.Context, nc *nats.Conn, opts Options) (*Log, error) {
	opts = opts.withDefaults(nc)
	l := &Log{opts: opts, nc: nc, loads: opts.Loads, name: opts.Layout.Stream(aggregate.Key{}), keep: keepBytes, gate: newGate(), advanced: make(chan struct{}, 1)}
	var err error
	if l.js, err = jetstream.New(nc); err != nil {
		return nil, fmt.Errorf("open stream %s: %w", l.name, err)
	}
	if l.jsr, err = jetstream.New(l.loads); err != nil {
		return nil, fmt.Errorf("open stream %s: %w", l.name, err)
	}
	info, err := l.ensure(ctx)
	if err != nil {
		return nil, fmt.Errorf("open stream %s: %w", l.name, err)
	}
	l.epoch.Store(1)
	inc := newIncarnation(l.name, info)
	l.current.Store(inc)
	if opts.Sync != nil { // the stream itself may be new
		if err := opts.Sync.Wait(ctx); err != nil {
			return nil, fmt.Errorf("open stream %s: first sync: %w", l.name, err)
		}
		raise(&inc.synced, info.State.LastSeq)
	}
	if l.inbox, err = newInbox(nc); err != nil {
		return nil, fmt.Errorf("open stream %s: %w", l.name, err)
	}
	run, stop := context.WithCancel(context.Background())
	l.stop, l.closed = stop, run.Done()
	statuses := nc.StatusChanged(nats.CONNECTED, nats.RECONNECTING, nats.DISCONNECTED, nats.CLOSED)
	l.done.Go(func() { l.watch(run, statuses) })
	if opts.Sync != nil {
		l.done.Go(func() { l.announce(run) })
	}
	return l, nil
}

func (o Options) withDefaults(nc *nats.Conn) Options {
	if o.Loads == nil {
		o.Loads = nc
	}
	if o.AckWait <= 0 {
		o.AckWait = defaultAckWait
	}
	if o.Replicas <= 0 {
		o.Replicas = 1
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

// Close ends the log's goroutines and its subscription; appends under way are in doubt. Close it
// before the connections.
func (l *Log) Close() error {
	l.stop()
	l.done.Wait()
	l.gate.set(false)
	return l.inbox.close()
}

// Incarnation changes when marks taken earlier must no longer be trusted.
func (l *Log) Incarnation() uint64 { return l.epoch.Load() }

// Health is what is known of the log at one moment.
type Health struct {
	Connected   bool               // to the server
	Reachable   bool               // the stream answered just now
	Incarnation uint64             //
	Last        aggregate.Sequence // of the stream, if it answered
	Seen        aggregate.Sequence // highest acknowledged or read here
	Synced      aggregate.Sequence // highest known to be on disk; without a Syncer it stays 0
	InFlight    int                // appends that wait for their ack
	Err         error              // why the stream is not reachable
}

// Health asks the stream for a sign of life.
func (l *Log) Health(ctx context.Context) Health {
	inc := l.current.Load()
	h := Health{Connected: l.nc.IsConnected() && l.loads.IsConnected(), Incarnation: l.Incarnation(),
		Seen: aggregate.Sequence(inc.seen.Load()), Synced: aggregate.Sequence(inc.synced.Load()), InFlight: l.inbox.inFlight()}
	if !h.Connected {
		h.Err = unavailable("no connection to the server")
		return h
	}
	info, err := l.info(ctx)
	if err != nil {
		h.Err = err
		return h
	}
	h.Reachable, h.Last = true, aggregate.Sequence(info.State.LastSeq)
	if l.gate.closed() {
		h.Reachable, h.Err = false, unavailable("the stream is being compared with what was seen before the connection was lost")
	}
	return h
}

// LastSequence is the stream's last sequence as its leader tells it: who has followed the log
// that far had seen everything when the call was made.
func (l *Log) LastSequence(ctx context.Context) (aggregate.Sequence, error) {
	info, err := l.info(ctx)
	if err != nil {
		return 0, err
	}
	return aggregate.Sequence(info.State.LastSeq), nil
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
