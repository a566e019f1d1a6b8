package stream

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/stream/envelope"
)

// flight is one message on its way. Nobody waits for it: the answer of the server, and then the
// disk, take it further. Flights are pooled: the client library copies a message before its
// publish returns.
type flight struct {
	log  *Log
	ctx  context.Context
	done Appended

	key     aggregate.Key
	lane    *lane
	inc     *incarnation
	at      aggregate.Mark
	msg     nats.Msg
	hash    envelope.Hash
	last    aggregate.Version
	body    []byte
	subject []byte
	headers envelope.HeaderSet

	held    atomic.Int32       // by Begin, whose publish may be under way when the wait ends, and until the end
	seq     aggregate.Sequence // once it was acknowledged
	upTo    uint64             // what had been seen when the wait for the disk began
	wave    *atomic.Int32      // in the air, with a Syncer
	ackedAt time.Time
	synced  time.Duration // from then until it was on disk
}

// Appended hears what became of a flight: its mark or an error, and how long after the server's
// acknowledgement it was known to be on disk. It must not block: others wait for the same goroutine.
type Appended = func(mark aggregate.Mark, synced time.Duration, err error)

// maxKeptBody is how much room for a body a pooled flight keeps.
const maxKeptBody = 512 << 10

// Append adds the commits of one flight after at, all or none, and returns when they are as
// durable as configured.
//
// The error matches
//   - aggregate.ErrInDoubt if the outcome is unknown: call again with the same arguments, which
//     make the same bytes, until the answer is another one;
//   - aggregate.ErrConflict if key has moved on since at. A message with equal bytes in that
//     place is no conflict: it is this flight, taken earlier;
//   - aggregate.ErrTooLarge if the flight does not fit into one message;
//   - aggregate.ErrTenantAccessDenied if ids are exclusive and another tenant owns this one;
//   - aggregate.ErrStream if the log refuses writes or is out of reach: this call has stored nothing.
func (l *Log) Append(ctx context.Context, key aggregate.Key, at aggregate.Mark, commits []aggregate.Commit) (aggregate.Mark, error) {
	if err := ctx.Err(); err != nil {
		return aggregate.Mark{}, l.flightError(key, &at, err)
	}
	type outcome struct {
		mark aggregate.Mark
		err  error
	}
	ended := make(chan outcome, 1)
	l.Begin(ctx, key, at, commits, func(m aggregate.Mark, _ time.Duration, err error) { ended <- outcome{m, err} })
	select {
	case o := <-ended:
		return o.mark, o.err
	case <-ctx.Done():
	}
	// What was not sent says so in a moment, and what waits for its acknowledgement too.
	t := time.NewTimer(2 * sweepEvery)
	defer t.Stop()
	select {
	case o := <-ended:
		return o.mark, o.err
	case <-t.C:
		return aggregate.Mark{}, l.flightError(key, &at, fmt.Errorf("%w: the caller left before the answer: %w", aggregate.ErrInDoubt, ctx.Err()))
	}
}

// Begin is Append without the wait: done is called once with the outcome, perhaps before Begin
// returns, on a goroutine that many flights share. Nothing of commits is kept. The end of ctx ends
// every wait but that for the disk.
func (l *Log) Begin(ctx context.Context, key aggregate.Key, at aggregate.Mark, commits []aggregate.Commit, done Appended) {
	f := l.flights.Get().(*flight)
	f.log, f.ctx, f.done, f.key, f.at = l, ctx, done, key, at
	f.held.Store(2)
	err := l.fill(f, key, &at, commits)
	switch {
	case err != nil:
		f.end(err)
	case f.lane == nil || l.gate.closed() || l.breaker.trouble.Load() || ctx.Err() != nil:
		go f.detour()
	default:
		f.depart()
	}
	f.letGo()
}

// depart sends the flight: nothing stands in the way.
func (f *flight) depart() {
	l := f.log
	if err := f.enter(f.lane.current.Load()); err != nil {
		f.end(err)
		return
	}
	err := l.connected()
	if err == nil {
		if l.opts.Sync != nil {
			f.wave = l.landing.depart()
		}
		err = l.inbox.post(&f.msg, f.inc, f, f.ctx.Done(), l.opts.AckWait)
		if err == nil {
			return
		}
		if f.wave != nil {
			l.landing.arrive(f.wave)
		}
		_, err = f.readAck(f.ctx, nil, err)
	}
	l.breaker.note(verdict(ack{}, err))
	f.end(err)
}

// detour is depart for a flight that has to wait before it is sent.
func (f *flight) detour() {
	inc, err := f.log.board(f.ctx, f)
	if err == nil {
		err = f.enter(inc)
	}
	if err != nil {
		f.end(err)
		return
	}
	f.settle(nil)
}

// enter takes the flight into an incarnation.
func (f *flight) enter(inc *incarnation) error {
	f.inc = inc
	if f.at.Sequence > 0 && f.at.Stream != inc.mark {
		return fmt.Errorf("%w: %w: it is of %s, the stream is %s", aggregate.ErrConflict, aggregate.ErrStaleMark, f.at.Stream, inc.mark)
	}
	return nil
}

// answered implements receiver.
func (f *flight) answered(m *nats.Msg, err error) {
	g, wave := f.log.landing, f.wave
	f.heard(m, err)
	if wave != nil { // not sooner: those who gather wait for it; f is somebody else's by now
		g.arrive(wave)
	}
}

// heard goes on with the answer to a message that was posted.
func (f *flight) heard(m *nats.Msg, err error) {
	if err == errUnsure {
		go f.resend()
		return
	}
	a, err := f.readAck(f.ctx, m, err)
	f.log.breaker.note(verdict(a, err))
	switch {
	case err != nil:
		f.end(err)
	case a.plain():
		f.acknowledged(a.seq)
	default:
		first := a // so that only this one goes to the heap
		go f.settle(&first)
	}
}

// settle sends the flight, or goes on from the first answer, until it is known what became of it.
func (f *flight) settle(first *ack) {
	seq, err := f.log.send(f.ctx, f, first)
	if err != nil {
		f.end(err)
		return
	}
	f.acknowledged(seq)
}

// resend finds out what became of a flight whose answer may be another's: the same bytes once more get
// an answer of their own. Without one the flight is in doubt, as it was sent before.
func (f *flight) resend() {
	for f.held.Load() > 1 { // Begin is about to return: what it sends goes first
		time.Sleep(time.Millisecond)
	}
	seq, err := f.log.send(f.ctx, f, nil)
	var refused refusedError
	final := errors.As(err, &refused) || errors.Is(err, aggregate.ErrTooLarge)
	if final {
		f.log.inbox.forget(f.inc) // on new tokens the others that are refused need no second message
		if at, moved := f.refusedAgain(); !errors.Is(moved, errUnmoved) {
			seq, err, final = at, moved, false
		}
	}
	switch {
	case err == nil:
		f.acknowledged(seq)
	case final, errors.Is(err, aggregate.ErrInDoubt), errors.Is(err, aggregate.ErrConflict), errors.Is(err, aggregate.ErrTenantAccessDenied):
		f.end(err)
	default:
		f.end(fmt.Errorf("%w: %w, and when it was sent again: %v", aggregate.ErrInDoubt, errUnsure, err))
	}
}

// refusedAgain looks for a flight that the stream has just refused to take a second time. A stream on one
// server takes messages in their order: it was done with the first one. Replicas may have it under way.
func (f *flight) refusedAgain() (aggregate.Sequence, error) {
	if f.inc.replicated {
		return 0, errRefused
	}
	return f.log.settleConflict(f.ctx, f)
}

// acknowledged: the stream has the flight at seq; it ends when it is as durable as configured.
func (f *flight) acknowledged(seq aggregate.Sequence) {
	f.seq = seq
	raise(&f.inc.seen, uint64(seq))
	if f.log.opts.Sync == nil || f.inc.synced.Load() >= uint64(seq) {
		f.end(nil)
		return
	}
	f.ackedAt = time.Now()
	if err := f.log.landing.join(f); err != nil {
		f.end(f.unsynced(err))
	}
}

func (f *flight) unsynced(err error) error {
	return fmt.Errorf("%w: acknowledged at sequence %d, but not known to be on disk: %w", aggregate.ErrInDoubt, f.seq, err)
}

// end tells what became of the flight.
func (f *flight) end(err error) {
	l, done := f.log, f.done
	var mark aggregate.Mark
	if err == nil && f.lane.current.Load() != f.inc {
		err = fmt.Errorf("%w: %w", aggregate.ErrInDoubt, errGone)
	}
	if err == nil {
		mark = aggregate.Mark{Version: f.last, Sequence: f.seq, Hash: f.hash, Stream: f.inc.mark, Before: f.at.Follow()}
	} else {
		err = l.flightError(f.key, &f.at, err)
	}
	synced := f.synced
	f.letGo()
	done(mark, synced, err)
}

func (l *Log) flightError(key aggregate.Key, at *aggregate.Mark, err error) error {
	return fmt.Errorf("append %s after version %d: %w", key, at.Version, err)
}

// letGo gives the flight back to the pool when nobody holds it any more.
func (f *flight) letGo() {
	if f.held.Add(-1) > 0 {
		return
	}
	if cap(f.body) > maxKeptBody {
		f.body = nil
	}
	f.ctx, f.done, f.at, f.msg, f.inc, f.wave, f.synced = nil, nil, aggregate.Mark{}, nats.Msg{}, nil, nil, 0
	f.log.flights.Put(f)
}
