package stream

import (
	"context"
	"errors"
	"maps"
	"sync"
	"sync/atomic"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/cloudlysis/aggregate"
)

// lanes are the streams that the log knows. Those of a fixed layout are all known from the start;
// others come, each when it is first needed or when somebody else made it.
type lanes struct {
	known atomic.Pointer[laneSet]

	mu      sync.Mutex
	making  map[string]*making // by stream
	grown   chan struct{}      // closed, and replaced, when a lane comes
	closing bool
}

// laneSet is never changed: another one takes its place.
type laneSet struct {
	all   []*lane // in the order of the layout, or of their coming
	named map[string]*lane
}

// making is a stream on its way; done is closed when the rest is set.
type making struct {
	done chan struct{}
	lane *lane
	err  error
}

func (s *lanes) init() {
	s.known.Store(&laneSet{})
	s.making, s.grown = map[string]*making{}, make(chan struct{})
}

func (s *lanes) all() []*lane { return s.known.Load().all }

// named gives the lane of a stream, nil when it is not known.
func (s *lanes) named(stream string) *lane { return s.known.Load().named[stream] }

// growth is closed when a lane comes that is not known now.
func (s *lanes) growth() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.grown
}

// lane is where key lives; nil when its stream is not known, see [Log.reach].
func (l *Log) lane(key aggregate.Key) *lane {
	known := l.lanes.known.Load()
	if !l.opts.Layout.OnDemand() {
		return known.all[l.opts.Layout.Index(key)]
	}
	var room [96]byte
	return known.named[string(l.opts.Layout.AppendStream(room[:0], key))]
}

// reach is enter for the lane of a key. It is nil when there is no such stream: nothing was ever
// appended to it.
func (l *Log) reach(ctx context.Context, key aggregate.Key) (*incarnation, error) {
	ln := l.lane(key)
	if ln == nil {
		var err error
		if ln, err = l.find(ctx, l.opts.Layout.Stream(key)); err != nil || ln == nil {
			return nil, err
		}
	}
	return l.enter(ctx, ln)
}

// add makes a stream known, and gives the lane that stands for it from now on. What was learnt
// before the connection was lost is refused: nobody would compare it with what is there now.
func (l *Log) add(ln *lane, info *jetstream.StreamInfo, passage context.Context) (*lane, error) {
	ln.current.Store(newIncarnation(ln, info))
	s := &l.lanes
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return nil, unavailable("the log is closed")
	}
	old := s.known.Load()
	if have := old.named[ln.name]; have != nil {
		return have, nil
	}
	named := make(map[string]*lane, len(old.named)+1)
	maps.Copy(named, old.named)
	named[ln.name] = ln
	s.known.Store(&laneSet{all: append(old.all[:len(old.all):len(old.all)], ln), named: named})
	if passage != nil && passage.Err() != nil { // asked last: who compares finds the lane, or this finds out
		s.known.Store(old)
		return nil, unavailable("the connection was lost while a stream was looked for")
	}
	close(s.grown)
	s.grown = make(chan struct{})
	if l.closed != nil { // start does it for those that were there before
		l.attend(ln)
	}
	return ln, nil
}

// attend starts what a lane needs; with the lock of the lanes, or before anybody else knows the log.
func (l *Log) attend(ln *lane) {
	if l.opts.Sync != nil {
		l.done.Go(func() { l.announce(ln) })
	}
}

// drop forgets a stream that was deleted. Its aggregates begin anew, in a stream made anew.
func (l *Log) drop(ln *lane) {
	s := &l.lanes
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.known.Load()
	if old.named[ln.name] != ln {
		return
	}
	next := &laneSet{named: maps.Clone(old.named)}
	delete(next.named, ln.name)
	for _, other := range old.all {
		if other != ln {
			next.all = append(next.all, other)
		}
	}
	s.known.Store(next)
	ln.current.Store(&incarnation{lane: ln, mark: ln.name + "@"})
	close(ln.ended)
	l.epoch.Add(1)
	l.opts.Logger.Error("the stream was deleted; its aggregates are gone and begin anew", "stream", ln.name)
}

// close lets no more lanes in.
func (s *lanes) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closing = true
}

// guarded asks the server's API unless the circuit is open. An answer is no failure of the server,
// whatever it says.
func (l *Log) guarded(ctx context.Context, ask func() error) error {
	var answer error
	err := l.breaker.guard(func() error {
		answer = ask()
		var refused jetstream.JetStreamError
		var unsuitable *UnsuitableError
		if errors.As(answer, &refused) && refused.APIError() != nil || errors.As(answer, &unsuitable) {
			return nil
		}
		if answer != nil && ctx.Err() != nil {
			return ctx.Err()
		}
		return answer
	})
	if err != nil {
		return err
	}
	return answer
}
