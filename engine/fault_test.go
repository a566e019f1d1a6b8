package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cloudlysis/aggregate"
)

// foreign is another writer's commit on key, behind the engine's back.
func (l *fakeLog) foreign(t testing.TB, key aggregate.Key, cmd aggregate.ID, amount int) {
	t.Helper()
	l.mu.Lock()
	at := l.end(key)
	l.mu.Unlock()
	c := aggregate.Commit{CommandID: cmd, CommandHash: "other", Timestamp: time.Now().UTC(), Manifest: "m", Engine: "e", Events: []aggregate.CommitEvent{
		{EventID: aggregate.NewID(), Version: at.Version + 1, Type: "deposited", Schema: 1, Payload: fmt.Appendf(nil, `{"amount":%d,"note":""}`, amount)}}}
	if _, err := l.store(key, at, []aggregate.Commit{c}); err != nil {
		t.Fatal(err)
	}
}

func TestConflictReloadsAndDecidesAgain(t *testing.T) {
	w := newWorld(t)
	e := w.start()
	do(t, e, command(account, "deposit", 10))
	w.log.foreign(t, account, aggregate.NewID(), 90)
	r := do(t, e, command(account, "withdraw", 100)) // only right on the new state
	if r.Version != 3 {
		t.Errorf("got version %d, want 3", r.Version)
	}
	wantBalance(t, e, account, 0, 3)
	wantGapless(t, w.log, account)
}

func TestRefusalOnAStaleStateIsNotSent(t *testing.T) {
	w := newWorld(t)
	e := w.start()
	do(t, e, command(account, "deposit", 10))
	w.log.foreign(t, account, aggregate.NewID(), 90)
	_, err := e.Submit(context.Background(), command(account, "withdraw", 101))
	if r := (*aggregate.RejectedError)(nil); !errors.As(err, &r) || r.Message != "balance 100" {
		t.Errorf("got %v, want a refusal that knows of balance 100", err)
	}
	w.log.foreign(t, account, aggregate.NewID(), 1)
	wantBalance(t, e, account, 101, 3)
}

func TestT8_4ConflictsRunOutOfRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.opts.MaxRetries = 3
		w.opts.Backoff = Backoff{Initial: 100 * time.Millisecond, Max: time.Second}
		e := w.start()
		w.log.onAppend(func(_ int, key aggregate.Key, _ []aggregate.Commit) (bool, error) {
			w.log.foreign(t, key, aggregate.NewID(), 1)
			return true, nil
		})
		start := time.Now()
		_, err := e.Submit(context.Background(), command(account, "deposit", 1))
		c := (*aggregate.VersionConflictError)(nil)
		if !errors.As(err, &c) || c.Expected != 3 || c.Actual != 4 {
			t.Errorf("got %v", err)
		}
		if appends, _ := w.log.counts(); appends != 4 {
			t.Errorf("got %d tries, want 4", appends)
		}
		// Three waits of 100, 200 and 400 ms, each cut to between a half and the whole.
		if d := time.Since(start); d < 350*time.Millisecond || d > 701*time.Millisecond {
			t.Errorf("backed off for %v", d)
		}
		w.log.onAppend(nil)
		stop(t, e)
	})
}

func TestT8_4TwoHandlersOneAggregate(t *testing.T) {
	w := newWorld(t)
	w.opts.MaxRetries = 50
	engines := []*Engine{w.start(), w.start()}
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() { do(t, engines[i%2], command(account, "deposit", 1)) })
	}
	wg.Wait()
	wantBalance(t, engines[0], account, 40, 40)
	wantBalance(t, engines[1], account, 40, 40)
	wantGapless(t, w.log, account)
}

// The append took place, its ack was lost; the same bytes are sent until the log says so.
func TestInDoubtThenTaken(t *testing.T) {
	w := newWorld(t)
	w.log.onAppend(sequence(func(n int) (bool, error) {
		switch n {
		case 1:
			return true, aggregate.ErrInDoubt
		case 2:
			return false, aggregate.ErrStream // this call stored nothing, the first one may have
		}
		return true, nil
	}))
	e := w.start()
	r := do(t, e, command(account, "deposit", 10))
	if r.Version != 1 || r.Duplicate {
		t.Errorf("got %s", toJSON(t, r))
	}
	wantBalance(t, e, account, 10, 1)
	wantGapless(t, w.log, account)
}

func sequence(f func(n int) (bool, error)) func(int, aggregate.Key, []aggregate.Commit) (bool, error) {
	return func(n int, _ aggregate.Key, _ []aggregate.Commit) (bool, error) { return f(n) }
}

func TestInDoubtThenAbsent(t *testing.T) {
	w := newWorld(t)
	w.log.onAppend(sequence(func(n int) (bool, error) { return n > 2, aggregateErr(n <= 2, aggregate.ErrInDoubt) }))
	e := w.start()
	if r := do(t, e, command(account, "deposit", 10)); r.Version != 1 || r.Duplicate {
		t.Errorf("got %s", toJSON(t, r))
	}
	if appends, messages := w.log.counts(); appends != 3 || messages != 1 {
		t.Errorf("%d appends, %d messages", appends, messages)
	}
}

func aggregateErr(is bool, err error) error {
	if is {
		return err
	}
	return nil
}

// Doubt, then a conflict: somebody else went on behind our commits, which are in the log.
func TestInDoubtThenConflictWithOurCommitsThere(t *testing.T) {
	w := newWorld(t)
	w.opts.MaxRetries = -1 // the end of a doubt is no retry
	e := w.start()
	w.log.onAppend(func(n int, key aggregate.Key, _ []aggregate.Commit) (bool, error) {
		switch n {
		case 1:
			return true, aggregate.ErrInDoubt
		case 2:
			w.log.foreign(t, key, aggregate.NewID(), 5)
			return false, aggregate.ErrConflict
		}
		t.Error("a third append")
		return false, aggregate.ErrStream
	})
	r := do(t, e, command(account, "deposit", 10))
	if r.Version != 1 || r.Duplicate || len(r.Events) != 1 {
		t.Errorf("got %s", toJSON(t, r))
	}
	wantBalance(t, e, account, 15, 2)
}

// Doubt, then a conflict: another writer was first, our commits never got in.
func TestInDoubtThenConflictWithoutOurCommits(t *testing.T) {
	w := newWorld(t)
	e := w.start()
	w.log.onAppend(func(n int, key aggregate.Key, _ []aggregate.Commit) (bool, error) {
		if n == 1 {
			w.log.foreign(t, key, aggregate.NewID(), 5)
			return false, aggregate.ErrInDoubt
		}
		return true, nil
	})
	loads := 0
	w.log.load = func(aggregate.Key) error {
		if loads++; loads == 2 {
			return aggregate.ErrStream // the reload fails at first: the doubt goes on
		}
		return nil
	}
	if r := do(t, e, command(account, "deposit", 10)); r.Version != 2 || r.Duplicate {
		t.Errorf("got %s", toJSON(t, r))
	}
	wantBalance(t, e, account, 15, 2)
	wantGapless(t, w.log, account)
}

func TestInDoubtTellsWhoWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.opts.DoubtWait = 2 * time.Second
		e := w.start()
		w.log.onAppend(sequence(func(int) (bool, error) { return true, aggregate.ErrInDoubt }))
		cmd := command(account, "deposit", 10)
		submit := func(c *aggregate.Command) error { _, err := e.Submit(context.Background(), c); return err }
		wantDoubt := func(what string, err error) {
			t.Helper()
			u := (*aggregate.UnavailableError)(nil)
			if !errors.Is(err, aggregate.ErrInDoubt) || !errors.As(err, &u) || u.RetryAfter <= 0 {
				t.Errorf("%s: got %v, want unavailable, outcome unknown", what, err)
			}
		}
		start := time.Now()
		wantDoubt("the command in doubt", submit(cmd))
		if d := time.Since(start); d < 2*time.Second || d > 3*time.Second {
			t.Errorf("it waited for %v", d)
		}
		wantDoubt("a later command, which would be refused", submit(command(account, "withdraw", 1000)))
		_, err := e.State(context.Background(), account)
		wantDoubt("a read", err)
		wantBalance(t, e, aggregate.Key{Tenant: "tenant-a", Type: "Account", ID: idOf(2)}, 0, 0) // others go on

		w.log.onAppend(nil)
		time.Sleep(time.Second)
		r := do(t, e, cmd)
		if !r.Duplicate || r.Version != 1 {
			t.Errorf("asked again: got %s", toJSON(t, r))
		}
		wantBalance(t, e, account, 10, 1)
		stop(t, e)
	})
}

func TestStreamAway(t *testing.T) {
	w := newWorld(t)
	e := w.start()
	do(t, e, command(account, "deposit", 10))
	w.log.onAppend(sequence(func(int) (bool, error) { return false, fmt.Errorf("%w: no connection", aggregate.ErrStream) }))
	cmd := command(account, "deposit", 1)
	_, err := e.Submit(context.Background(), cmd)
	if u := (*aggregate.UnavailableError)(nil); !errors.As(err, &u) || u.Reason != aggregate.ErrStream || u.RetryAfter <= 0 {
		t.Errorf("got %v", err)
	}
	w.log.onAppend(nil)
	if r := do(t, e, cmd); r.Duplicate || r.Version != 2 {
		t.Errorf("got %s", toJSON(t, r))
	}
}

// The process dies after the append and before the reply: the next one has the commit.
func TestCrashBetweenAppendAndReply(t *testing.T) {
	w := newWorld(t)
	e := w.start()
	hang, appended := make(chan struct{}), make(chan struct{})
	w.log.onAppend(func(_ int, key aggregate.Key, commits []aggregate.Commit) (bool, error) {
		if _, err := w.log.store(key, aggregate.Mark{}, commits); err != nil {
			t.Error(err)
		}
		close(appended)
		<-hang
		return false, aggregate.ErrInDoubt
	})
	cmd := command(account, "deposit", 10)
	ctx, cancel := context.WithCancel(context.Background())
	go func() { <-appended; cancel() }()
	_, err := e.Submit(ctx, cmd)
	if !errors.Is(err, aggregate.ErrInDoubt) || !errors.Is(err, context.Canceled) {
		t.Errorf("the caller left in the middle: got %v", err)
	}
	second := newWorld(t)
	second.log, second.opts.Log = w.log, w.log
	e2 := second.start()
	r := do(t, e2, cmd)
	if !r.Duplicate || r.Version != 1 {
		t.Errorf("got %s", toJSON(t, r))
	}
	close(hang)
	w.log.onAppend(nil)
}

func TestCallerLeavesBeforeItsTurn(t *testing.T) {
	w := newWorld(t)
	e := w.start()
	inside, hang := make(chan struct{}), make(chan struct{})
	w.log.onAppend(sequence(func(n int) (bool, error) {
		if n == 1 {
			close(inside)
			<-hang
		}
		return true, nil
	}))
	var wg sync.WaitGroup
	wg.Go(func() { do(t, e, command(account, "deposit", 1)) })
	<-inside
	ctx, cancel := context.WithCancel(context.Background())
	left := make(chan error)
	go func() { _, err := e.Submit(ctx, command(account, "deposit", 100)); left <- err }()
	for waiting(e, account) == 0 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	if err := <-left; !errors.Is(err, context.Canceled) || errors.Is(err, aggregate.ErrInDoubt) {
		t.Errorf("got %v, want a plain end of the wait", err)
	}
	close(hang)
	wg.Wait()
	wantBalance(t, e, account, 1, 1)
}

func waiting(e *Engine, key aggregate.Key) int {
	s := e.registry.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.owners[key]
	if o == nil {
		return 0
	}
	o.box.mu.Lock()
	defer o.box.mu.Unlock()
	return len(o.box.q)
}

func TestFullMailbox(t *testing.T) {
	w := newWorld(t)
	w.opts.MailboxSize = 2
	e := w.start()
	inside, hang := make(chan struct{}), make(chan struct{})
	w.log.onAppend(sequence(func(n int) (bool, error) {
		if n == 1 {
			close(inside)
			<-hang
		}
		return true, nil
	}))
	var wg sync.WaitGroup
	wg.Go(func() { do(t, e, command(account, "deposit", 1)) })
	<-inside
	for range 2 {
		wg.Go(func() { do(t, e, command(account, "deposit", 1)) })
	}
	for waiting(e, account) < 2 {
		time.Sleep(time.Millisecond)
	}
	_, err := e.Submit(context.Background(), command(account, "deposit", 1))
	if u := (*aggregate.UnavailableError)(nil); !errors.As(err, &u) || u.Reason != aggregate.ErrUnavailable || u.RetryAfter <= 0 {
		t.Errorf("got %v", err)
	}
	close(hang)
	wg.Wait()
	wantBalance(t, e, account, 3, 3)
}

func TestClockRules(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var shift time.Duration
		var mu sync.Mutex
		w.opts.Clock = func() time.Time { mu.Lock(); defer mu.Unlock(); return time.Now().Add(shift) }
		jump := func(d time.Duration) { mu.Lock(); shift += d; mu.Unlock() }
		e := w.start()
		first := do(t, e, command(account, "deposit", 1)).Events[0].Timestamp

		jump(-30 * time.Second)
		if got := do(t, e, command(account, "deposit", 1)).Events[0].Timestamp; !got.Equal(first) {
			t.Errorf("after a step back now is %v, want that of the last commit, %v", got, first)
		}
		refused := func(what string) {
			t.Helper()
			_, err := e.Submit(context.Background(), command(account, "deposit", 1))
			if u := (*aggregate.UnavailableError)(nil); !errors.As(err, &u) || u.Reason != aggregate.ErrClock || u.RetryAfter <= 0 {
				t.Errorf("%s: got %v", what, err)
			}
		}
		jump(2 * time.Hour)
		refused("the clock jumped ahead")
		if e.Clock() == nil {
			t.Error("the clock is called good after a jump")
		}
		jump(-2 * time.Hour)
		do(t, e, command(account, "deposit", 1)) // it came back

		jump(time.Hour)
		refused("the clock jumped again")
		time.Sleep(61 * time.Second) // it has run evenly since
		do(t, e, command(account, "deposit", 1))

		jump(-time.Hour)
		refused("the clock jumped back")
		time.Sleep(61 * time.Second)
		other := aggregate.Key{Tenant: "tenant-a", Type: "Account", ID: idOf(2)}
		do(t, e, command(other, "deposit", 1))
		refused("the last commit lies an hour ahead") // of this aggregate only
		wantBalance(t, e, account, 4, 4)
		stop(t, e)
	})
}

func TestFlightCarriesWhatWaits(t *testing.T) {
	w := newWorld(t)
	e := w.start()
	inside, hang := make(chan struct{}), make(chan struct{})
	w.log.onAppend(sequence(func(n int) (bool, error) {
		if n == 1 {
			close(inside)
			<-hang
		}
		return true, nil
	}))
	var wg sync.WaitGroup
	wg.Go(func() { do(t, e, command(account, "deposit", 1)) })
	<-inside
	repeated := command(account, "deposit", 10)
	var refused, faulted error
	for range 20 {
		wg.Go(func() { do(t, e, command(account, "deposit", 1)) })
	}
	dups := make([]bool, 2)
	for i := range dups {
		wg.Go(func() { dups[i] = do(t, e, repeated).Duplicate })
	}
	wg.Go(func() { _, refused = e.Submit(context.Background(), command(account, "withdraw", 1000)) })
	wg.Go(func() { _, faulted = e.Submit(context.Background(), command(account, "break", 0)) })
	for waiting(e, account) < 24 {
		time.Sleep(time.Millisecond)
	}
	close(hang)
	wg.Wait()
	if appends, messages := w.log.counts(); appends != 2 || messages != 2 {
		t.Errorf("%d appends, %d messages, want 2 flights", appends, messages)
	}
	if dups[0] == dups[1] {
		t.Errorf("the same command twice in a flight: duplicate is %v", dups)
	}
	if refused == nil || faulted == nil {
		t.Errorf("neighbours: %v, %v", refused, faulted)
	}
	wantBalance(t, e, account, 31, 22)
	wantGapless(t, w.log, account)
}

func TestFlightLimits(t *testing.T) {
	for name, set := range map[string]func(*Options){
		"commits": func(o *Options) { o.MaxFlightCommits = 3 },
		"bytes":   func(o *Options) { o.MaxFlightBytes = messageBytes + 3*900 },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			set(&w.opts)
			e := w.start()
			inside, hang := make(chan struct{}), make(chan struct{})
			w.log.onAppend(func(n int, _ aggregate.Key, commits []aggregate.Commit) (bool, error) {
				if n == 1 {
					close(inside)
					<-hang
				} else if len(commits) > 3 {
					t.Errorf("a flight of %d commits", len(commits))
				}
				return true, nil
			})
			var wg sync.WaitGroup
			wg.Go(func() { do(t, e, command(account, "deposit", 1)) })
			<-inside
			for range 10 {
				wg.Go(func() { do(t, e, command(account, "deposit", 1)) })
			}
			for waiting(e, account) < 10 {
				time.Sleep(time.Millisecond)
			}
			close(hang)
			wg.Wait()
			wantBalance(t, e, account, 11, 11)
		})
	}
}

func TestTooLargeFailsItsCallerOnly(t *testing.T) {
	for _, judged := range []string{"by the estimate", "by the log"} {
		t.Run(judged, func(t *testing.T) {
			w := newWorld(t)
			if judged == "by the estimate" {
				w.opts.MaxCommitBytes = messageBytes + 1000
			}
			e := w.start()
			inside, hang := make(chan struct{}), make(chan struct{})
			w.log.onAppend(func(n int, _ aggregate.Key, commits []aggregate.Commit) (bool, error) {
				if n == 1 {
					close(inside)
					<-hang
				}
				for i := range commits {
					if len(commits[i].Command) > 1000 {
						if judged == "by the estimate" {
							t.Error("it was sent")
						}
						return false, aggregate.ErrTooLarge
					}
				}
				return true, nil
			})
			var wg sync.WaitGroup
			wg.Go(func() { do(t, e, command(account, "deposit", 1)) })
			<-inside
			for range 5 {
				wg.Go(func() { do(t, e, command(account, "deposit", 1)) })
			}
			var large error
			wg.Go(func() {
				cmd := command(account, "deposit", 1)
				cmd.Payload = fmt.Appendf(nil, `{"type":"deposit","amount":1,"note":"%02000d"}`, 7)
				_, large = e.Submit(context.Background(), cmd)
			})
			for waiting(e, account) < 6 {
				time.Sleep(time.Millisecond)
			}
			for range 5 {
				wg.Go(func() { do(t, e, command(account, "deposit", 1)) })
			}
			close(hang)
			wg.Wait()
			if !errors.Is(large, aggregate.ErrTooLarge) {
				t.Errorf("got %v", large)
			}
			wantBalance(t, e, account, 11, 11)
		})
	}
}

// A flight was in doubt, the log says that it has moved on, and then cannot be read: whether the
// command is in it nobody knows, so its caller must not be told that it failed.
func TestADoubtThatCannotBeSettledStaysOne(t *testing.T) {
	lost := fmt.Errorf("lost: %w", aggregate.ErrStream)
	for name, breakLog := range map[string]func(*fakeLog){
		"its message cannot be read": func(l *fakeLog) {
			l.at = func(aggregate.Key, aggregate.Sequence) error { return lost }
		},
		"the aggregate cannot be read": func(l *fakeLog) {
			l.load = func(aggregate.Key) error { // the second load fails, of another incarnation
				l.mu.Lock()
				defer l.mu.Unlock()
				l.inc++
				l.load = func(aggregate.Key) error { return lost }
				return nil
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			e := w.start()
			do(t, e, command(account, "deposit", 10))
			var tries atomic.Int64
			w.log.onAppend(func(int, aggregate.Key, []aggregate.Commit) (bool, error) {
				if tries.Add(1) == 1 {
					return true, aggregate.ErrInDoubt // it is there
				}
				w.log.mu.Lock()
				defer w.log.mu.Unlock()
				breakLog(w.log)
				return false, aggregate.ErrConflict
			})
			_, err := e.Submit(context.Background(), command(account, "deposit", 1))
			if !errors.Is(err, aggregate.ErrInDoubt) {
				t.Errorf("got %v", err)
			}
			if n := len(w.log.events(account)); n != 2 {
				t.Errorf("the log has %d events", n)
			}
		})
	}
}
