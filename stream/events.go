package stream

import (
	"context"
	"errors"
	"iter"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/stream/envelope"
)

// Events yields the events of key with a version above after, one by one and in order, as far as
// the log held them when the call began. The checks and errors are those of [Log.Load].
func (l *Log) Events(ctx context.Context, key aggregate.Key, after aggregate.Version) iter.Seq2[aggregate.Event, error] {
	return func(yield func(aggregate.Event, error) bool) {
		if _, err := l.history(ctx, key, after, yield); err != nil {
			yield(aggregate.Event{}, where(err, "events of", key))
		}
	}
}

// history replays what the log holds after a version and tells where it ended.
func (l *Log) history(ctx context.Context, key aggregate.Key, after aggregate.Version, yield func(aggregate.Event, error) bool) (*replay, error) {
	r := &replay{key: key, yield: func(m *envelope.Message, _ aggregate.Mark) bool { return single(m, after, yield) }}
	inc, err := l.reach(ctx, key)
	if err != nil || inc == nil {
		return r, err
	}
	last, err := l.last(ctx, key)
	if err != nil || last == nil {
		return r, err
	}
	if err := l.readable(ctx, inc, last.seq); err != nil {
		return r, err
	}
	frames, err := l.back(ctx, key, last, 0, func(m *envelope.Message, prev aggregate.Sequence) step {
		if first := m.First(); first > 0 && first <= after.Next() {
			r.version, r.hash = first-1, m.Prev
			return stepEnd
		}
		return stepTo(m, prev, aggregate.Mark{})
	})
	if errors.Is(err, errMisfit) {
		return r, l.scan(ctx, inc, r, 0, last.seq)
	}
	if err != nil {
		return r, err
	}
	return r, l.forward(ctx, inc, r, frames)
}

// single yields the events of one message that are later than after.
func single(m *envelope.Message, after aggregate.Version, yield func(aggregate.Event, error) bool) bool {
	for i := range m.Commits {
		for _, e := range aggregate.EventsOf(m.Key, &m.Commits[i]) {
			if e.Version > after && !yield(e, nil) {
				return false
			}
		}
	}
	return true
}

// Subscribe yields the events of one aggregate with a version above after, first those that the
// log holds, then each one when it comes and is as durable as configured, until ctx ends, which is
// no error. Every event comes once and in order. It ends with the first error: those of
// [Log.Load], and aggregate.ErrStaleMark when the stream was made anew or lost messages; to go on,
// subscribe again after the last version that was yielded.
func (l *Log) Subscribe(ctx context.Context, tenant aggregate.TenantID, t aggregate.Type, id aggregate.ID, after aggregate.Version) iter.Seq2[aggregate.Event, error] {
	key := aggregate.Key{Tenant: tenant, Type: t, ID: id}
	return func(yield func(aggregate.Event, error) bool) {
		if err := l.subscribe(ctx, key, after, yield); err != nil && ctx.Err() == nil {
			yield(aggregate.Event{}, where(err, "subscribe to", key))
		}
	}
}

func (l *Log) subscribe(ctx context.Context, key aggregate.Key, after aggregate.Version, yield func(aggregate.Event, error) bool) error {
	ln := l.lane(key)
	if ln == nil {
		var err error
		if ln, err = l.appear(ctx, l.opts.Layout.Stream(key)); err != nil {
			return err
		}
	}
	inc, err := l.enter(ctx, ln)
	if err != nil {
		return err
	}
	r, err := l.history(ctx, key, after, yield)
	if err != nil || r.ended {
		return err
	}
	var broken error
	err = l.follow(ctx, inc, l.opts.Layout.Subject(key), r.seq, func(e Entry, bad error) bool {
		if bad != nil {
			broken = bad
			return false
		}
		broken = r.next(inc, e.Sequence, &envelope.Message{Key: e.Key, Prev: e.prev, Commits: e.Commits}, e.hash)
		return broken == nil && !r.ended
	})
	return errors.Join(broken, err)
}
