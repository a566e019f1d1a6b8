package natsd

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
)

// ErrClosed is matched by the error of a Wait that the shutdown overtook.
var ErrClosed = errors.New("embedded nats-server is shut down")

// Waiter waits for durability.
type Waiter interface {
	// Wait returns nil when everything that the server acknowledged before the call is on disk. An error that
	// matches ErrSync is for good; an error of ctx leaves open whether it is on disk.
	Wait(ctx context.Context) error
}

// round is one sync and those who wait for it.
type round struct {
	done chan struct{}
	err  error // set before done is closed
}

// syncer runs rounds, one after another, as long as somebody waits. Whoever comes while a round runs gets the next:
// the running one may have passed by his bytes already. So the slower the disk, the more waiters share a sync.
type syncer struct {
	sync  func() error // one round
	fatal func(error)

	mu   sync.Mutex
	next *round // not begun
	err  error  // the first failure, or ErrClosed; then next is closed and stays

	kick   chan struct{} // somebody waits for next; capacity 1
	quit   chan struct{}
	ended  chan struct{}
	rounds atomic.Uint64
}

func startSyncer(sync func() error, fatal func(error)) *syncer {
	s := &syncer{sync: sync, fatal: fatal, next: newRound(),
		kick: make(chan struct{}, 1), quit: make(chan struct{}), ended: make(chan struct{})}
	go s.run()
	return s
}

func newRound() *round { return &round{done: make(chan struct{})} }

// Wait implements [Waiter].
func (s *syncer) Wait(ctx context.Context) error {
	s.mu.Lock()
	r, err := s.next, s.err
	s.mu.Unlock()
	if err != nil {
		return err
	}
	select {
	case s.kick <- struct{}{}:
	default: // somebody was here before us; his kick is ours
	}
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		return fmt.Errorf("wait for the disk: %w", context.Cause(ctx))
	}
}

func (s *syncer) run() {
	defer close(s.ended)
	for {
		select {
		case <-s.quit:
			s.round() // for those who were before the end
			s.end(ErrClosed)
			return
		case <-s.kick:
			if !s.round() {
				return
			}
		}
	}
}

// round serves those who wait now and tells whether there may be another one.
func (s *syncer) round() bool {
	s.mu.Lock()
	if s.err != nil {
		s.mu.Unlock()
		return false
	}
	r := s.next
	s.next = newRound()
	s.mu.Unlock()

	s.rounds.Add(1)
	err := s.sync()
	if err != nil {
		s.fail(err)
	}
	s.mu.Lock()
	r.err = s.err // also a failure that came from elsewhere meanwhile
	s.mu.Unlock()
	close(r.done)
	return r.err == nil
}

// fail ends the syncer for good and calls fatal, once.
func (s *syncer) fail(err error) {
	if s.end(err) {
		go s.fatal(err)
	}
}

// end makes err the answer to all who wait and will wait; it tells whether it was the first to do so.
func (s *syncer) end(err error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return false
	}
	s.err = err
	s.next.err = err
	close(s.next.done)
	return true
}

// stop serves those who wait, then refuses all others. It is called once.
func (s *syncer) stop() {
	close(s.quit)
	<-s.ended
}
