package stream

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/stream/envelope"
)

// Position tells how far a reader of the whole log has come: the sequence reached in each stream of
// the layout, in its order. The empty Position is the beginning. Its text is the sequences with dots
// between them.
type Position []aggregate.Sequence

// After is p with e read. It changes p where it can.
func (p Position) After(e Entry) Position {
	if e.Stream >= len(p) {
		p = append(p, make(Position, e.Stream+1-len(p))...)
	}
	p[e.Stream] = max(p[e.Stream], e.Sequence)
	return p
}

// Covers tells whether who stands at p has seen everything up to q.
func (p Position) Covers(q Position) bool {
	for i, seq := range q {
		if seq > 0 && (i >= len(p) || p[i] < seq) {
			return false
		}
	}
	return true
}

// String is the text of p.
func (p Position) String() string {
	var b []byte
	for i, seq := range p {
		if i > 0 {
			b = append(b, '.')
		}
		b = strconv.AppendUint(b, uint64(seq), 10)
	}
	return string(b)
}

// ParsePosition reads what String wrote. The error is an aggregate.ValidationError.
func ParsePosition(s string) (Position, error) {
	if s == "" {
		return nil, nil
	}
	var p Position
	for part := range strings.SplitSeq(s, ".") {
		n, err := strconv.ParseUint(part, 10, 64)
		if err != nil || len(p) == 256 {
			return nil, &aggregate.ValidationError{Path: "position", Message: fmt.Sprintf("%q is no position: sequences with dots between them are expected", s)}
		}
		p = append(p, aggregate.Sequence(n))
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
	if len(from) > len(l.lanes) {
		return fmt.Errorf("%w: the position is of %d streams, the layout %s has %d", aggregate.ErrStaleMark, len(from), l.opts.Layout, len(l.lanes))
	}
	from = append(slices.Clone(from), make(Position, len(l.lanes)-len(from))...)
	lanes := l.lanes
	if key, one := filter.Key(); one {
		lanes = []*lane{l.lane(key)}
	}
	subject := l.opts.Layout.Match(filter)
	if len(lanes) == 1 {
		return l.followLane(ctx, lanes[0], subject, from, yield)
	}
	return l.merge(ctx, lanes, subject, from, yield)
}

func (l *Log) followLane(ctx context.Context, ln *lane, subject string, from Position, yield func(Entry, error) bool) error {
	inc, err := l.enter(ctx, ln)
	if err != nil {
		return err
	}
	return l.follow(ctx, inc, subject, from[ln.index], yield)
}

// merge reads every lane on a goroutine of its own and hands on, one at a time, what each finds.
// The first lane that ends, for whatever reason, ends all; nothing is handed on afterwards.
func (l *Log) merge(ctx context.Context, lanes []*lane, subject string, from Position, yield func(Entry, error) bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type found struct {
		entry Entry
		bad   error
	}
	var readers sync.WaitGroup
	entries, ends := make(chan found), make(chan error, len(lanes))
	for _, ln := range lanes {
		readers.Go(func() {
			ends <- l.followLane(ctx, ln, subject, from, func(e Entry, bad error) bool {
				select {
				case entries <- found{e, bad}:
					return true
				case <-ctx.Done():
					return false
				}
			})
		})
	}
	defer readers.Wait()
	defer cancel()
	for {
		select {
		case f := <-entries:
			if !yield(f.entry, f.bad) {
				return nil
			}
		case err := <-ends:
			if err == nil {
				err = errors.Join(ctx.Err(), errInterrupted)
			}
			return err
		}
	}
}
