package engine

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloudlysis/aggregate"
)

// heldLog holds Begin up while it reads what it was given, and never tells what became of it.
type heldLog struct {
	*fakeLog
	began, goOn chan struct{}
	read        []aggregate.ID
}

func (l *heldLog) Begin(_ context.Context, _ aggregate.Key, _ aggregate.Mark, commits []aggregate.Commit, _ func(aggregate.Mark, time.Duration, error)) {
	close(l.began)
	<-l.goOn
	for i := range commits {
		l.read = append(l.read, commits[i].CommandID)
	}
}

// A flight that Begin still reads is not cleared by a Close that gives up; it is given up afterwards.
func TestGivingUpWaitsForBegin(t *testing.T) {
	w := newWorld(t)
	l := &heldLog{fakeLog: w.log, began: make(chan struct{}), goOn: make(chan struct{})}
	w.opts.Log = l
	e := w.start()
	cmd := command(account, "deposit", 1)
	told := make(chan error, 1)
	go func() {
		_, err := e.Submit(context.Background(), cmd)
		told <- err
	}()
	<-l.began
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	closed := make(chan error, 1)
	go func() { closed <- e.Close(ctx) }()
	<-e.ctx.Done() // Close has given up, or is about to
	select {
	case err := <-told:
		t.Fatalf("the caller was told %v while the log read his command", err)
	case <-time.After(100 * time.Millisecond):
	}
	close(l.goOn)
	if err := <-told; !errors.Is(err, aggregate.ErrInDoubt) {
		t.Errorf("got %v", err)
	}
	if err := <-closed; err == nil {
		t.Error("close gave up, and did not say so")
	}
	if len(l.read) != 1 || l.read[0] != cmd.CommandID {
		t.Errorf("the log read %v, want %v", l.read, cmd.CommandID)
	}
}

// A caller whose answer is there gets it, however many others keep the aggregate busy: he works for
// one flight at most.
func TestACallerDoesNotServeForEver(t *testing.T) {
	overdraw := func() *aggregate.Command { return command(account, "withdraw", 11) }
	for what, ask := range map[string]func(*Engine) error{
		"a refusal": func(e *Engine) error { _, err := e.Submit(context.Background(), overdraw()); return err },
		"a read":    func(e *Engine) error { _, err := e.State(context.Background(), account); return err },
		"a start": func(e *Engine) error {
			e.Start(context.Background(), overdraw(), func(*aggregate.Reply, error) {})
			return nil
		},
		"a drain": func(e *Engine) error {
			go func() { _, _ = e.State(context.Background(), account) }()
			return e.Drain(context.Background(), account.Tenant)
		},
	} {
		t.Run(what, func(t *testing.T) {
			w := newWorld(t)
			w.log.unshared = true
			e := w.start()
			do(t, e, command(account, "deposit", 10))
			var served atomic.Int64
			var calm atomic.Bool
			w.log.latest = func(aggregate.Key) error { // whenever one is answered another has come
				if served.Add(1); !calm.Load() {
					e.Start(context.Background(), overdraw(), func(*aggregate.Reply, error) {})
				}
				return nil
			}
			defer calm.Store(true)
			back := make(chan error, 1)
			go func() { back <- ask(e) }()
			select {
			case err := <-back:
				if r := (*aggregate.RejectedError)(nil); err != nil && !errors.As(err, &r) {
					t.Error(err)
				}
			case <-time.After(10 * time.Second):
				t.Errorf("still at work for others after %d flights", served.Load())
			}
		})
	}
}

// TestStartWithinAnAnswer: what an answer starts, on the same aggregate and on another, goes its way.
func TestStartWithinAnAnswer(t *testing.T) {
	w := newWorld(t)
	e := w.start()
	const n = 1000
	done := make(chan struct{})
	var step func(i int) func(*aggregate.Reply, error)
	step = func(i int) func(*aggregate.Reply, error) {
		return func(_ *aggregate.Reply, err error) {
			if err != nil {
				t.Errorf("step %d: %v", i, err)
			}
			if i == n {
				close(done)
				return
			}
			e.Start(context.Background(), command(keyOf("tenant-a", uint64(i/3%2)+1), "deposit", 1), step(i+1))
		}
	}
	e.Start(context.Background(), command(account, "deposit", 1), step(1))
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Fatal("it came to a stop")
	}
	a, _ := balance(t, e, keyOf("tenant-a", 1))
	b, _ := balance(t, e, keyOf("tenant-a", 2))
	if a+b != n {
		t.Errorf("got %d deposits, want %d", a+b, n)
	}
}

// queueLog tells what became of its flights on one goroutine, like the reader of acks.
type queueLog struct {
	*fakeLog
	queue chan func()
}

func (l *queueLog) Begin(ctx context.Context, key aggregate.Key, at aggregate.Mark, commits []aggregate.Commit, done func(aggregate.Mark, time.Duration, error)) {
	commits = cloneCommits(commits)
	l.queue <- func() {
		m, err := l.Append(ctx, key, at, commits)
		done(m, 0, err)
	}
}

// stuckOnFailure is an observer whose log takes nothing.
type stuckOnFailure struct {
	NopObserver
	stuck, goOn chan struct{}
}

func (o *stuckOnFailure) Command(_ *aggregate.Command, _ *aggregate.Reply, err error, _ int64, _ time.Duration, _ aggregate.Stages) {
	if err != nil {
		o.stuck <- struct{}{}
		<-o.goOn
	}
}

// A log that does not take the lines of failed commands holds up their aggregate, and no other one.
func TestAStuckLogHoldsUpNobodyElse(t *testing.T) {
	w := newWorld(t)
	l := &queueLog{fakeLog: w.log, queue: make(chan func(), 100)}
	o := &stuckOnFailure{stuck: make(chan struct{}, 10), goOn: make(chan struct{})}
	w.opts.Log, w.opts.Observer = l, o
	go func() {
		for f := range l.queue {
			f()
		}
	}()
	e := w.start()
	do(t, e, command(account, "deposit", 1))
	hold := make(chan struct{})
	l.queue <- func() { <-hold } // so that the next ones wait, and share a flight
	for _, kind := range []string{"deposit", "deposit", "break", "deposit"} {
		e.Start(context.Background(), command(account, kind, 1), func(*aggregate.Reply, error) {})
	}
	close(hold)
	<-o.stuck
	answered := make(chan struct{})
	go func() {
		do(t, e, command(keyOf("tenant-a", 2), "deposit", 1))
		close(answered)
	}()
	select {
	case <-answered:
	case <-time.After(10 * time.Second):
		t.Error("another aggregate is held up")
	}
	close(o.goOn)
}
