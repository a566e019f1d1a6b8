package stream

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/stream/envelope"
)

// Entry is one message of the log as [Log.Follow] yields it.
type Entry struct {
	Key      aggregate.Key
	Sequence aggregate.Sequence
	Stream   string // the name of its stream
	Commits  []aggregate.Commit

	prev, hash envelope.Hash
}

// Follow yields the messages after a sequence that match the filter, of all aggregates in the
// order of the log, first those that it holds, then each one when it comes and is as durable as
// configured, until ctx ends, which is no error. It is what projections and sagas read.
//
// An error beside an entry with a Sequence concerns that message alone (it cannot be read, or its
// body is not of the subject's aggregate) and the reading goes on. An error without one ends it:
// aggregate.ErrStaleMark when the stream was made anew or lost messages, else aggregate.ErrStream.
// Chains of single aggregates are not checked here: they can be seen only from their beginning.
//
// A sequence is a place in one stream: a filter whose aggregates lie on several can be followed from
// 0 only. Who has to go on from a place uses [Log.FollowFrom].
func (l *Log) Follow(ctx context.Context, filter envelope.Filter, after aggregate.Sequence) iter.Seq2[Entry, error] {
	var from Position
	stream, one := l.opts.Layout.StreamOf(filter)
	switch {
	case after > 0 && one:
		from = Position{stream: after}
	case after > 0:
		return func(yield func(Entry, error) bool) {
			yield(Entry{}, &aggregate.ValidationError{Path: "after", Message: "one sequence is no place in several streams (layout " + l.opts.Layout.String() + "): follow from a Position"})
		}
	}
	return l.FollowFrom(ctx, filter, from)
}

const (
	// consumerIdle is how long the server keeps a consumer that nobody pulls from.
	consumerIdle = 30 * time.Second
	// heartbeat is how soon a consumer that has vanished is noticed, twice over.
	heartbeat = 5 * time.Second
)

// errInterrupted: the consumer is of no use any more; another one goes on where it ended.
var errInterrupted = errors.New("reading was interrupted")

// follow reads through one consumer after another until yield wants no more, ctx ends, or the
// stream is another one. jetstream.OrderedConsumer does the same, but while it makes itself anew
// it holds its own Stop up for as long as the server is away.
func (l *Log) follow(ctx context.Context, inc *incarnation, subject string, after aggregate.Sequence, yield func(Entry, error) bool) error {
	const first, most = 50 * time.Millisecond, 2 * time.Second
	for delay := first; ; delay = min(2*delay, most) {
		reached, err := l.session(ctx, inc, subject, after, yield)
		if !errors.Is(err, errInterrupted) {
			return err
		}
		select {
		case <-l.closed:
			return unavailable("the log is closed")
		default:
		}
		if reached > after {
			after, delay = reached, first
		}
		l.opts.Logger.Debug("a consumer is made anew", "subject", subject, "after", after, "error", err)
		if err := sleep(ctx, delay); err != nil {
			return err
		}
	}
}

// session reads through one consumer and tells how far it came.
func (l *Log) session(ctx context.Context, inc *incarnation, subject string, after aggregate.Sequence, yield func(Entry, error) bool) (aggregate.Sequence, error) {
	c, msgs, err := l.consume(ctx, inc, subject, after)
	if err != nil {
		return after, err
	}
	defer l.endConsumer(inc.lane, c)
	defer msgs.Stop()
	// The consumer may not have outlived a lost connection, and nobody would tell for a while.
	reading, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(l.gate.passage(), cancel)()
	for n := uint64(1); ; n++ {
		m, err := msgs.Next(jetstream.NextContext(reading))
		if ctx.Err() != nil {
			return after, ctx.Err()
		}
		if err != nil {
			return after, fmt.Errorf("%w: %w", errInterrupted, err)
		}
		meta, err := m.Metadata()
		if err != nil || meta.Sequence.Consumer != n {
			return after, fmt.Errorf("%w: a delivery was lost", errInterrupted)
		}
		e, bad := entry(m, aggregate.Sequence(meta.Sequence.Stream))
		e.Stream = inc.lane.name
		if err := l.readable(ctx, inc, e.Sequence); err != nil {
			return after, err
		}
		if !yield(e, bad) {
			return after, nil
		}
		after = e.Sequence
	}
}

// consume makes a consumer that delivers what stands after a sequence, if the stream is still
// the one that the sequence is of.
func (l *Log) consume(ctx context.Context, inc *incarnation, subject string, after aggregate.Sequence) (jetstream.Consumer, jetstream.MessagesContext, error) {
	now, err := l.enter(ctx, inc.lane)
	if err == nil && now != inc {
		return nil, nil, fmt.Errorf("%w: %w", aggregate.ErrStaleMark, errGone)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errInterrupted, err)
	}
	ask, cancel := context.WithTimeout(ctx, l.opts.AckWait)
	defer cancel()
	s, err := l.jsr.Stream(ask, inc.lane.name)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errInterrupted, err)
	}
	if i := s.CachedInfo(); !i.Created.Equal(inc.created) {
		return nil, nil, fmt.Errorf("%w: %w", aggregate.ErrStaleMark, errGone)
	}
	c, err := s.CreateConsumer(ask, jetstream.ConsumerConfig{FilterSubject: subject, AckPolicy: jetstream.AckNonePolicy,
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: uint64(after) + 1,
		InactiveThreshold: consumerIdle, MemoryStorage: true, Replicas: 1})
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errInterrupted, err)
	}
	msgs, err := c.Messages(jetstream.PullHeartbeat(heartbeat))
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errInterrupted, err)
	}
	return c, msgs, nil
}

// endConsumer saves the server the wait until it gives an idle consumer up.
func (l *Log) endConsumer(ln *lane, c jetstream.Consumer) {
	if !l.loads.IsConnected() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = l.jsr.DeleteConsumer(ctx, ln.name, c.CachedInfo().Name) // it ends by itself as well
}

func entry(m jetstream.Msg, seq aggregate.Sequence) (Entry, error) {
	e := Entry{Sequence: seq}
	var err error
	if e.Key, err = envelope.ParseSubject(m.Subject()); err != nil {
		return e, fmt.Errorf("%w: message at sequence %d: %w", aggregate.ErrRehydration, e.Sequence, err)
	}
	msg, err := open(e.Key, &stored{seq: e.Sequence, subject: m.Subject(), header: m.Headers(), body: m.Data()})
	if err != nil {
		return e, err
	}
	e.Commits, e.prev, e.hash = msg.Commits, msg.Prev, envelope.HashOf(m.Data())
	return e, nil
}
