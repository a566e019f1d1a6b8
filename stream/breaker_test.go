package stream

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/cloudlysis/aggregate"
)

// states collects what a breaker tells.
type states struct {
	mu  sync.Mutex
	all []string
}

func (s *states) hear(_, to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, to)
}

func (s *states) got() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.all)
}

// wantOpen checks that a call is refused by the circuit, sooner than the server would be given up, and
// told when to come again. Whoever comes when its time is over is the probe, and opens it again: on a
// busy machine that may be the first.
func wantOpen(t *testing.T, l *Log, what string, call func() error) {
	t.Helper()
	var err error
	var took time.Duration
	for range 20 {
		start := time.Now()
		err = call()
		took = time.Since(start)
		var u *aggregate.UnavailableError
		if !errors.As(err, &u) || !errors.Is(err, aggregate.ErrStream) || u.RetryAfter <= 0 {
			t.Errorf("%s: got %v, want an UnavailableError of ErrStream with a time", what, err)
		}
		if strings.Contains(err.Error(), "the circuit to the server is open") && took < l.opts.AckWait {
			return
		}
	}
	t.Errorf("%s: the last of twenty got %v after %v", what, err, took)
}

// A real server goes away and comes back: the circuit opens after a number of failures, lets a probe
// through when its time is over, opens again while the server is away, and closes by itself.
func TestT5_2BreakerOfTheStream(t *testing.T) { // seed 5.2
	dir, port := t.TempDir(), lastingPort(t)
	srv := startServer(t, dir, port)
	var heard states
	key := newKey("acme")
	mark := grow(t, openLog(t, srv, Options{}), key, aggregate.Mark{}, 3) // which waits longer for its acks
	l := openLog(t, srv, Options{AckWait: 100 * time.Millisecond, Breaker: BreakerOptions{Failures: 3, OpenFor: 300 * time.Millisecond, OnChange: heard.hear}})
	if l.Breaker() != "closed" {
		t.Fatalf("got %s", l.Breaker())
	}
	stopServer(srv)
	eventually(t, "the log knows that the connection is gone", l.gate.closed)
	appendOne := func() error {
		_, err := l.Append(context.Background(), key, mark, []aggregate.Commit{commit(key, mark.Version, 1)})
		return err
	}
	loadAll := func() error {
		_, _, err := versions(l, key, aggregate.Mark{})
		return err
	}
	for i := range 3 {
		if l.Breaker() != "closed" {
			t.Fatalf("open after %d failures", i)
		}
		wantErr(t, appendOne(), aggregate.ErrStream)
	}
	if got := heard.got(); len(got) == 0 || got[0] != "open" {
		t.Fatalf("after three failures: heard %v", got)
	}
	wantOpen(t, l, "append", appendOne)
	wantOpen(t, l, "load", loadAll)
	if h := l.Health(t.Context()); h.Breaker == "closed" {
		t.Errorf("got %+v", h)
	}
	eventually(t, "its time is over", func() bool { return l.Breaker() == "half_open" })
	before := len(heard.got())
	wantErr(t, appendOne(), aggregate.ErrStream) // the probe fails
	if got := heard.got(); len(got) <= before || got[before] != "open" {
		t.Errorf("after a failed probe: heard %v", got)
	}
	startServer(t, dir, port)
	eventually(t, "appends go through again", func() bool { return appendOne() == nil })
	if l.Breaker() != "closed" {
		t.Errorf("after a probe that went well: got %s", l.Breaker())
	}
	eventually(t, "loads go through again", func() bool { return loadAll() == nil })
	got := heard.got()
	if len(got) < 5 || !slices.Equal(got[:3], []string{"open", "half_open", "open"}) || !slices.Equal(got[len(got)-2:], []string{"half_open", "closed"}) {
		t.Errorf("heard %v", got)
	}
}

// A server that is there and does not answer: appends are in doubt, and the circuit opens.
func TestT5_2BreakerOfASilentStream(t *testing.T) {
	srv := startServer(t, t.TempDir(), -1)
	key := newKey("acme")
	mark := grow(t, openLog(t, srv, Options{}), key, aggregate.Mark{}, 1) // which waits longer for its acks
	l := openLog(t, srv, Options{AckWait: 30 * time.Millisecond, Breaker: BreakerOptions{Failures: 2, OpenFor: time.Minute}})
	silence(t, srv)
	for range 2 {
		_, err := l.Append(t.Context(), key, mark, []aggregate.Commit{commit(key, mark.Version, 1)})
		if !errors.Is(err, aggregate.ErrInDoubt) && !errors.Is(err, aggregate.ErrStream) {
			t.Fatalf("got %v", err)
		}
	}
	if l.Breaker() != "open" {
		t.Errorf("got %s", l.Breaker())
	}
	wantOpen(t, l, "append", func() error {
		_, err := l.Append(t.Context(), key, mark, []aggregate.Commit{commit(key, mark.Version, 1)})
		return err
	})
}

// silence takes JetStream away from a running server.
func silence(t *testing.T, srv *server.Server) {
	t.Helper()
	must(t, srv.DisableJetStream())
}

// Conflicts, refusals of bad input and callers who leave do not open the circuit.
func TestT5_2AnswersAreNoFailures(t *testing.T) {
	l := newLog(t, Options{Breaker: BreakerOptions{Failures: 1}})
	key := newKey("acme")
	m := grow(t, l, key, aggregate.Mark{}, 1)
	for range 3 {
		_, err := l.Append(t.Context(), key, aggregate.Mark{}, []aggregate.Commit{commit(key, 0, 1)})
		wantErr(t, err, aggregate.ErrConflict)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err = l.Append(ctx, key, m, []aggregate.Commit{commit(key, 1, 1)}); err == nil {
			t.Error("a caller who has left was served")
		}
		_, _, err = l.At(t.Context(), key, 999)
		wantErr(t, err, aggregate.ErrNotFound)
	}
	if l.Breaker() != "closed" {
		t.Errorf("got %s", l.Breaker())
	}
}

// What is in flight is bounded: beyond it nothing is sent, and the caller is told to come again.
func TestInFlightIsBounded(t *testing.T) {
	srv := startServer(t, t.TempDir(), -1)
	l := openLog(t, srv, Options{})
	l.inbox.limit = 1
	_, err := l.loads.SubscribeSync("silent")
	must(t, err)
	must(t, l.loads.Flush())
	s, err := l.inbox.send(&nats.Msg{Subject: "silent"}, nil, time.Minute)
	must(t, err)
	key := newKey("acme")
	for range 10 { // however many are refused, the server has not failed
		_, err = l.Append(t.Context(), key, aggregate.Mark{}, []aggregate.Commit{commit(key, 0, 1)})
		var u *aggregate.UnavailableError
		if !errors.As(err, &u) || !errors.Is(err, aggregate.ErrUnavailable) || u.RetryAfter <= 0 {
			t.Errorf("got %v", err)
		}
		if _, err := l.IsLatest(t.Context(), key, aggregate.Mark{}); !errors.Is(err, aggregate.ErrUnavailable) {
			t.Errorf("a question got %v", err)
		}
	}
	l.inbox.giveBack(s)
	grow(t, l, key, aggregate.Mark{}, 1)
	if l.Breaker() != "closed" || l.inbox.inFlight() != 0 {
		t.Errorf("got %s, %d in flight", l.Breaker(), l.inbox.inFlight())
	}
}

// A late answer is never another message's: tokens are used once, whatever becomes of slots.
func TestLateAnswersFindNoSlot(t *testing.T) {
	srv := startServer(t, t.TempDir(), -1)
	l := openLog(t, srv, Options{})
	late, err := l.loads.SubscribeSync("late")
	must(t, err)
	must(t, l.loads.Flush())
	for range 3 {
		if _, err := l.inbox.publish(&nats.Msg{Subject: "late"}, nil, time.Millisecond); !errors.Is(err, errLate) {
			t.Fatalf("got %v", err)
		}
		old, err := late.NextMsg(30 * time.Second)
		must(t, err)
		s, err := l.inbox.send(&nats.Msg{Subject: "late"}, nil, time.Minute)
		must(t, err)
		fresh, err := late.NextMsg(30 * time.Second)
		must(t, err)
		must(t, old.Respond([]byte("old")))
		must(t, fresh.Respond([]byte("fresh")))
		if m, err := l.inbox.await(s); err != nil || string(m.Data) != "fresh" {
			t.Errorf("got %v, %v", m, err)
		}
	}
}
