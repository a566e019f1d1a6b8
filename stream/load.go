package stream

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/stream/envelope"
)

// Load yields the commits of key after the mark, in order; the zero Mark is the beginning. Each
// comes with the mark of the message that holds it. It ends with the first error, which matches
//   - aggregate.ErrStaleMark if the log does not have the place that the mark names;
//   - aggregate.ErrRehydration, ErrTenantAccessDenied or ErrManifestBehind if a message fails a check;
//   - aggregate.ErrStream if the log is out of reach.
//
// Only what is as durable as configured is yielded, and only what the log held when Load began.
func (l *Log) Load(ctx context.Context, key aggregate.Key, after aggregate.Mark) iter.Seq2[aggregate.Loaded, error] {
	return func(yield func(aggregate.Loaded, error) bool) {
		r := replay{key: key, version: after.Version, hash: after.Hash, yield: func(m *envelope.Message, mark aggregate.Mark) bool {
			for i := range m.Commits {
				if !yield(aggregate.Loaded{Commit: m.Commits[i], Mark: mark, Last: i == len(m.Commits)-1}, nil) {
					return false
				}
			}
			return true
		}}
		if err := l.load(ctx, &r, after); err != nil {
			yield(aggregate.Loaded{}, where(err, "load", key))
		}
	}
}

// At gives the commits of the one message at the given sequence of key's stream, and the version
// of the aggregate after it. Nothing there for this key is aggregate.ErrNotFound.
func (l *Log) At(ctx context.Context, key aggregate.Key, seq aggregate.Sequence) ([]aggregate.Commit, aggregate.Version, error) {
	m, v, err := l.at(ctx, key, seq)
	if err != nil {
		return nil, 0, fmt.Errorf("read %s at sequence %d: %w", key, seq, err)
	}
	return m.Commits, v, nil
}

func (l *Log) at(ctx context.Context, key aggregate.Key, seq aggregate.Sequence) (*envelope.Message, aggregate.Version, error) {
	inc, err := l.reach(ctx, key)
	if err != nil {
		return nil, 0, err
	}
	if inc == nil {
		return nil, 0, &aggregate.NotFoundError{Key: key}
	}
	s, err := l.direct(ctx, inc.lane, request{Seq: seq})
	if errors.Is(err, errAbsent) || err == nil && s.subject != l.opts.Layout.Subject(key) {
		return nil, 0, &aggregate.NotFoundError{Key: key}
	}
	if err != nil {
		return nil, 0, err
	}
	if err := l.readable(ctx, inc, seq); err != nil {
		return nil, 0, err
	}
	m, err := open(key, s)
	if err != nil {
		return nil, 0, err
	}
	v, err := l.versionAfter(ctx, inc, m, s)
	return m, v, err
}

// versionAfter is the version of the aggregate after m. In a message without events only a header
// tells it; where that was lost, the messages before it are read.
func (l *Log) versionAfter(ctx context.Context, inc *incarnation, m *envelope.Message, s *stored) (aggregate.Version, error) {
	if v := m.Last(); v > 0 {
		return v, nil
	}
	if v, ok := envelope.VersionAfter(s.header); ok {
		return v, nil
	}
	r := replay{key: m.Key, yield: func(*envelope.Message, aggregate.Mark) bool { return true }}
	err := l.scan(ctx, inc, &r, 0, s.seq)
	return r.version, err
}

// readable is syncedTo for a message that was read.
func (l *Log) readable(ctx context.Context, inc *incarnation, seq aggregate.Sequence) error {
	err := l.syncedTo(ctx, inc, seq)
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("%w: what was read is not known to be on disk: %w", aggregate.ErrStream, err)
	}
	return err
}

// IsLatest tells whether at is still where key stands, as the log's leader sees it.
func (l *Log) IsLatest(ctx context.Context, key aggregate.Key, at aggregate.Mark) (bool, error) {
	inc, err := l.reach(ctx, key)
	if err != nil {
		return false, fmt.Errorf("ask for the latest of %s: %w", key, err)
	}
	if inc == nil {
		return at.Sequence == 0, nil
	}
	if at.Sequence > 0 && at.Stream != inc.mark {
		return false, nil
	}
	if l.opts.Unshared {
		return true, nil
	}
	s, err := l.leader(ctx, inc.lane, request{Last: l.opts.Layout.Subject(key)})
	if errors.Is(err, errAbsent) {
		err = l.owned(ctx, key)
		s = &stored{}
	}
	if err != nil {
		return false, fmt.Errorf("ask for the latest of %s: %w", key, err)
	}
	return s.seq == at.Sequence && (s.seq == 0 || envelope.HashOf(s.body) == at.Hash), nil
}

// Prompt tells whether IsLatest answers at once, without asking the server.
func (l *Log) Prompt() bool { return l.opts.Unshared && !l.gate.closed() }

// open decodes a message of key and checks whose it is.
func open(key aggregate.Key, s *stored) (*envelope.Message, error) {
	err := envelope.CheckFormat(s.header)
	var m *envelope.Message
	if err == nil {
		m, err = envelope.Decode(s.body)
	}
	if err != nil {
		return nil, fmt.Errorf("message at sequence %d: %w", s.seq, err)
	}
	if m.Key.Tenant != key.Tenant {
		return nil, fmt.Errorf("message at sequence %d is of tenant %q: %w", s.seq, string(m.Key.Tenant), &aggregate.TenantAccessDeniedError{TenantID: key.Tenant})
	}
	if m.Key != key {
		return nil, fmt.Errorf("%w: the message at sequence %d is of %s", aggregate.ErrRehydration, s.seq, m.Key)
	}
	return m, nil
}

// replay takes the messages of one aggregate in order, checks that each follows the one before
// it, and hands them on.
type replay struct {
	key     aggregate.Key
	version aggregate.Version // after the last message
	hash    envelope.Hash     // of the last message
	seq     aggregate.Sequence
	mark    aggregate.Mark // of the last message, for what follows it
	yield   func(*envelope.Message, aggregate.Mark) bool
	ended   bool // yield wants no more
}

func (r *replay) next(inc *incarnation, seq aggregate.Sequence, m *envelope.Message, hash envelope.Hash) error {
	if m.Prev != r.hash {
		return fmt.Errorf("%w: the chain is broken: the message at sequence %d follows a body with sha256 %q, the one before it at sequence %d has %q", aggregate.ErrRehydration, seq, m.Prev, r.seq, r.hash)
	}
	if first := m.First(); first != 0 && first != r.version.Next() {
		return fmt.Errorf("%w: the message at sequence %d begins with version %d, expected %d", aggregate.ErrRehydration, seq, first, r.version.Next())
	}
	r.version += aggregate.Version(m.Events())
	r.hash, r.seq = hash, seq
	r.mark = aggregate.Mark{Version: r.version, Sequence: seq, Hash: hash, Stream: inc.mark, Before: r.mark.Follow()}
	r.ended = !r.yield(m, r.mark)
	return nil
}

// load replays what stands after the mark.
func (l *Log) load(ctx context.Context, r *replay, after aggregate.Mark) error {
	inc, err := l.reach(ctx, r.key)
	if err != nil {
		return err
	}
	if inc == nil {
		return stale(after.Sequence == 0, "the log has no stream that could hold it")
	}
	if after.Sequence > 0 && after.Stream != inc.mark {
		return fmt.Errorf("%w: it is of %s, the stream is %s", aggregate.ErrStaleMark, after.Stream, inc.mark)
	}
	r.seq, r.mark = after.Sequence, after
	last, err := l.last(ctx, r.key)
	if err != nil {
		return err
	}
	if last == nil {
		return stale(after.Sequence == 0, "the log has no message of it")
	}
	if last.seq <= after.Sequence {
		return stale(last.seq == after.Sequence && envelope.HashOf(last.body) == after.Hash,
			"its last message is at sequence %d or of another body", last.seq)
	}
	if err := l.readable(ctx, inc, last.seq); err != nil {
		return err
	}
	frames, err := l.back(ctx, r.key, last, after.Sequence, func(m *envelope.Message, prev aggregate.Sequence) step {
		return stepTo(m, prev, after)
	})
	if err != nil && !errors.Is(err, errMisfit) {
		return err
	}
	if err == nil {
		return l.forward(ctx, inc, r, frames)
	}
	if err := l.verify(ctx, r.key, after); err != nil {
		return err
	}
	return l.scan(ctx, inc, r, after.Sequence, last.seq)
}

func stale(ok bool, format string, args ...any) error {
	if ok {
		return nil
	}
	return fmt.Errorf("%w: "+format, append([]any{aggregate.ErrStaleMark}, args...)...)
}

// last gives the last message of key, nil when there is none.
func (l *Log) last(ctx context.Context, key aggregate.Key) (*stored, error) {
	s, err := l.direct(ctx, l.lane(key), request{Last: l.opts.Layout.Subject(key)})
	if errors.Is(err, errAbsent) {
		return nil, l.owned(ctx, key)
	}
	return s, err
}

// verify tells whether the log still has what the mark names.
func (l *Log) verify(ctx context.Context, key aggregate.Key, m aggregate.Mark) error {
	if m.Sequence == 0 {
		return nil
	}
	s, err := l.leader(ctx, l.lane(key), request{Seq: m.Sequence})
	if err != nil && !errors.Is(err, errAbsent) {
		return err
	}
	return stale(err == nil && s.subject == l.opts.Layout.Subject(key) && envelope.HashOf(s.body) == m.Hash,
		"the message at sequence %d is another one", m.Sequence)
}

// step is what a walk backwards does after a message.
type step int

const (
	stepOn     step = iota // go to the message before it
	stepEnd                // this is the first one wanted
	stepMisfit             // the chain does not lead where it must
)

func stepTo(m *envelope.Message, prev aggregate.Sequence, mark aggregate.Mark) step {
	switch {
	case prev > mark.Sequence:
		return stepOn
	case prev == mark.Sequence && m.Prev == mark.Hash:
		return stepEnd
	}
	return stepMisfit
}

// frame is one message met on the way back.
type frame struct {
	seq  aggregate.Sequence
	hash envelope.Hash
	m    *envelope.Message // nil if it was let go to save memory
}

// keepBytes is how many bytes of bodies a walk backwards holds on to; the others are read again.
const keepBytes = 32 << 20

// errMisfit: the hints of the headers do not form a chain; the log must be scanned.
var errMisfit = errors.New("chain of sequences does not fit")

// back walks from last along agg-prev-seq and gives the messages met, the newest first. Messages
// name several before them, so most are asked for in flights, never those up to the floor. Every
// body is checked against the hash in the one after it.
func (l *Log) back(ctx context.Context, key aggregate.Key, last *stored, floor aggregate.Sequence, until func(*envelope.Message, aggregate.Sequence) step) ([]frame, error) {
	var frames []frame
	w := walk{lane: l.lane(key), subject: last.subject, floor: floor}
	size := 0
	for s := last; ; {
		m, err := open(key, s)
		if err != nil {
			return nil, err
		}
		f := frame{seq: s.seq, hash: envelope.HashOf(s.body), m: m}
		if n := len(frames); n > 0 && frames[n-1].m.Prev != f.hash {
			return nil, errMisfit
		}
		frames = append(frames, f)
		if size += len(s.body); size > l.keep && len(frames) > 1 {
			frames[len(frames)-2].m = nil
		}
		prev, ok := envelope.PrevSequence(s.header)
		if !ok || prev >= s.seq {
			return nil, errMisfit
		}
		switch until(m, prev) {
		case stepEnd:
			return frames, nil
		case stepMisfit:
			return nil, errMisfit
		}
		if s, err = w.to(ctx, l, s, prev); err != nil {
			return nil, err
		}
	}
}

// walk is the way back of one aggregate. What it has asked for beforehand are hints only.
type walk struct {
	lane    *lane
	subject string
	floor   aggregate.Sequence
	hints   []aggregate.Sequence
	ready   []*stored
}

// to gives the message at seq, which s names as the one before it.
func (w *walk) to(ctx context.Context, l *Log, s *stored, seq aggregate.Sequence) (*stored, error) {
	if len(w.ready) == 0 {
		w.hints = envelope.Before(w.hints[:0], s.header)
		n := 0
		for n < len(w.hints) && n <= aggregate.MarkBefore && w.hints[n] > w.floor {
			n++
		}
		if n > 1 {
			w.ready = l.ahead(ctx, w.lane, w.hints[:n])
		}
	}
	if len(w.ready) > 0 && w.ready[0].seq == seq {
		s, w.ready = w.ready[0], w.ready[1:]
	} else {
		var err error
		w.ready = nil
		if s, err = l.direct(ctx, w.lane, request{Seq: seq}); err != nil && !errors.Is(err, errAbsent) {
			return nil, err
		} else if err != nil {
			return nil, errMisfit
		}
	}
	if s.subject != w.subject {
		return nil, errMisfit
	}
	return s, nil
}

// forward replays the messages of a walk, the oldest first.
func (l *Log) forward(ctx context.Context, inc *incarnation, r *replay, frames []frame) error {
	for i := len(frames) - 1; i >= 0 && !r.ended; i-- {
		f := &frames[i]
		if f.m == nil {
			s, err := l.direct(ctx, inc.lane, request{Seq: f.seq})
			if err != nil {
				return err
			}
			if envelope.HashOf(s.body) != f.hash {
				return unavailable("the message at sequence %d changed while it was read", f.seq)
			}
			if f.m, err = open(r.key, s); err != nil {
				return err
			}
		}
		if err := r.next(inc, f.seq, f.m, f.hash); err != nil {
			return err
		}
		f.m = nil // the reader may be slow
	}
	return nil
}

// scan replays forwards by asking for the next message on the subject. The server looks at every
// message in between, so this is only for logs whose headers do not fit: moved, or damaged.
func (l *Log) scan(ctx context.Context, inc *incarnation, r *replay, after, last aggregate.Sequence) error {
	subject := l.opts.Layout.Subject(r.key)
	for seq := after; seq < last && !r.ended; {
		s, err := l.leader(ctx, inc.lane, request{Seq: seq + 1, Next: subject})
		if errors.Is(err, errAbsent) {
			return unavailable("the message at sequence %d was seen and is not there", last)
		}
		if err != nil {
			return err
		}
		m, err := open(r.key, s)
		if err != nil {
			return err
		}
		if err := r.next(inc, s.seq, m, envelope.HashOf(s.body)); err != nil {
			return err
		}
		seq = s.seq
	}
	return nil
}
