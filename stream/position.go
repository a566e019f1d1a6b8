package stream

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/stream/envelope"
)

// Position tells how far a reader of the whole log has come: the sequence reached in each stream, by
// its name. The empty Position is the beginning. Its text is parts "name:sequence" with dots between
// them, the names sorted and without the beginning that all share (envelope.StreamName).
type Position map[string]aggregate.Sequence

// After is p with e read. It changes p where it can.
func (p Position) After(e Entry) Position {
	if p == nil {
		p = Position{}
	}
	p[e.Stream] = max(p[e.Stream], e.Sequence)
	return p
}

// Covers tells whether who stands at p has seen everything up to q.
func (p Position) Covers(q Position) bool {
	for stream, seq := range q {
		if p[stream] < seq {
			return false
		}
	}
	return true
}

// String is the text of p. Streams of which nothing was read are left out.
func (p Position) String() string {
	var b []byte
	for _, stream := range slices.Sorted(maps.Keys(p)) {
		if p[stream] == 0 {
			continue
		}
		if len(b) > 0 {
			b = append(b, '.')
		}
		b = append(append(b, strings.TrimPrefix(stream, envelope.StreamName)...), ':')
		b = strconv.AppendUint(b, uint64(p[stream]), 10)
	}
	return string(b)
}

// ParsePosition reads what String wrote. The error is an aggregate.ValidationError.
func ParsePosition(s string) (Position, error) {
	if s == "" {
		return nil, nil
	}
	p := Position{}
	for part := range strings.SplitSeq(s, ".") {
		stream, number, found := strings.Cut(part, ":")
		stream = envelope.StreamName + stream
		seq, err := strconv.ParseUint(number, 10, 64)
		if _, twice := p[stream]; !found || err != nil || seq == 0 || twice {
			return nil, &aggregate.ValidationError{Path: "position", Message: fmt.Sprintf("%q is no position: streams and sequences such as _S_0:17._S_1:4 are expected", s)}
		}
		p[stream] = aggregate.Sequence(seq)
	}
	return p, nil
}

// FollowFrom is [Log.Follow] from a position, on any layout. The streams are read side by side: the
// messages of one aggregate come in their order, those of different streams in any. A slow reader
// holds all of them up; nothing is gathered for it.
func (l *Log) FollowFrom(ctx context.Context, filter envelope.Filter, from Position) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		err := l.followAll(ctx, filter, from, yield)
		if err != nil && ctx.Err() == nil {
			yield(Entry{}, fmt.Errorf("follow %s after %q: %w", l.opts.Layout.Match(filter), from, err))
		}
	}
}

func (l *Log) followAll(ctx context.Context, filter envelope.Filter, from Position, yield func(Entry, error) bool) error {
	subject := l.opts.Layout.Match(filter)
	if stream, one := l.opts.Layout.StreamOf(filter); one {
		if err := l.holds(ctx, stream, from[stream]); err != nil {
			return err
		}
		ln, err := l.appear(ctx, stream)
		if err != nil {
			return err
		}
		return l.followLane(ctx, ln, subject, from[stream], yield)
	}
	for stream, seq := range from {
		if err := l.holds(ctx, stream, seq); err != nil {
			return err
		}
	}
	return l.merge(ctx, subject, from, yield)
}

// holds refuses a place in a stream that is not there.
func (l *Log) holds(ctx context.Context, stream string, seq aggregate.Sequence) error {
	if seq == 0 || l.lanes.named(stream) != nil {
		return nil
	}
	if l.opts.Layout.OnDemand() && l.opts.Layout.Subjects(stream) != nil {
		if ln, err := l.find(ctx, stream); err != nil || ln != nil {
			return err
		}
	}
	return fmt.Errorf("%w: the position is at sequence %d of the stream %s, which the log of layout %s does not have", aggregate.ErrStaleMark, seq, stream, l.opts.Layout)
}

func (l *Log) followLane(ctx context.Context, ln *lane, subject string, after aggregate.Sequence, yield func(Entry, error) bool) error {
	inc, err := l.enter(ctx, ln)
	if err != nil {
		return err
	}
	return l.follow(ctx, inc, subject, after, yield)
}

// merge reads every lane on a goroutine of its own, those that come later too, and hands on, one at
// a time, what each finds. The first lane that ends, for whatever reason, ends all; nothing is handed
// on afterwards.
func (l *Log) merge(ctx context.Context, subject string, from Position, yield func(Entry, error) bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type found struct {
		entry Entry
		bad   error
	}
	var readers sync.WaitGroup
	entries, ends := make(chan found), make(chan error)
	read := func(ln *lane) {
		err := l.followLane(ctx, ln, subject, from[ln.name], func(e Entry, bad error) bool {
			select {
			case entries <- found{e, bad}:
				return true
			case <-ctx.Done():
				return false
			}
		})
		select {
		case ends <- err:
		case <-ctx.Done():
		}
	}
	defer readers.Wait()
	defer cancel()
	reading := map[*lane]bool{}
	for {
		growth := l.lanes.growth()
		for _, ln := range l.lanes.all() {
			if !reading[ln] {
				reading[ln] = true
				readers.Go(func() { read(ln) })
			}
		}
		for grown := false; !grown; {
			select {
			case <-growth:
				grown = true
			case f := <-entries:
				if !yield(f.entry, f.bad) {
					return nil
				}
			case err := <-ends:
				if err == nil {
					err = errors.Join(ctx.Err(), errInterrupted)
				}
				return err
			case <-l.closed:
				return unavailable("the log is closed")
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
}
