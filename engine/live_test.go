package engine

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cloudlysis/aggregate"
)

func keyOf(tenant aggregate.TenantID, n uint64) aggregate.Key {
	return aggregate.Key{Tenant: tenant, Type: "Account", ID: idOf(n)}
}

func TestT8_1FullCommandLifecycle(t *testing.T) {
	w := newWorld(t)
	w.opts.SnapshotThreshold = 1
	e := w.start()
	r := do(t, e, command(account, "deposit", 100))
	if len(r.Events) == 0 {
		t.Error("no events")
	}
	if err := e.FlushSnapshots(context.Background()); err != nil {
		t.Fatal(err)
	}
	s, err := w.store.Get(account)
	if err != nil || s == nil || s.TenantID != "tenant-a" || s.Version != 1 || string(s.State) != `{"balance":100}` {
		t.Errorf("got %s, %v", toJSON(t, s), err)
	}
}

func TestT8_5SnapshotThresholdRespected(t *testing.T) {
	w := newWorld(t)
	w.opts.SnapshotThreshold = 3
	e := w.start()
	for range 8 {
		do(t, e, command(account, "deposit", 10))
		if err := e.FlushSnapshots(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	if want := []aggregate.Version{3, 6}; !slices.Equal(w.store.puts, want) {
		t.Errorf("snapshots at versions %v, want %v", w.store.puts, want)
	}
	stop(t, e)
	if want := []aggregate.Version{3, 6, 8}; !slices.Equal(w.store.puts, want) {
		t.Errorf("snapshots at versions %v after Close, want %v", w.store.puts, want)
	}
	e = w.start()
	wantBalance(t, e, account, 80, 8)
	stop(t, e)
	if len(w.store.puts) != 3 {
		t.Errorf("a snapshot was written for an aggregate that did not change: %v", w.store.puts)
	}
}

func TestManifestsSnapshotWishWins(t *testing.T) {
	w := newWorld(t)
	w.opts.SnapshotThreshold = 1
	e := w.start()
	e.manifest.Load().rules["Account"].every = 2
	for range 4 {
		do(t, e, command(account, "deposit", 10))
		if err := e.FlushSnapshots(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	if want := []aggregate.Version{2, 4}; !slices.Equal(w.store.puts, want) {
		t.Errorf("snapshots at versions %v, want %v", w.store.puts, want)
	}
}

// A snapshot is never newer than what the log has: nothing is put while the flight is out.
func TestSnapshotWaitsForTheLog(t *testing.T) {
	w := newWorld(t)
	w.opts.SnapshotThreshold = 1
	e := w.start()
	w.log.onAppend(sequence(func(int) (bool, error) {
		if err := e.FlushSnapshots(context.Background()); err != nil {
			t.Error(err)
		}
		if v := w.store.version(account); v != 0 {
			t.Errorf("a snapshot of version %d before the append", v)
		}
		return true, nil
	}))
	do(t, e, command(account, "deposit", 1))
}

func TestSlowSnapshotsDoNotHoldUpCommands(t *testing.T) {
	w := newWorld(t)
	w.opts.SnapshotThreshold, w.opts.SnapshotQueue = 1, 4
	hang := make(chan struct{})
	w.store.put = func(*aggregate.Snapshot) error { <-hang; return nil }
	o := &countSnapshots{}
	w.opts.Observer = o
	e := w.start()
	for i := range uint64(20) {
		for range 3 {
			do(t, e, command(keyOf("tenant-a", i+1), "deposit", 1))
		}
	}
	e.snapshots.mu.Lock()
	queued, jobs := len(e.snapshots.order), len(e.snapshots.jobs)
	e.snapshots.mu.Unlock()
	if queued > 4 || jobs != queued {
		t.Errorf("%d snapshots wait in %d places, want at most 4", jobs, queued)
	}
	close(hang)
	stop(t, e)
	if o.get(SnapshotOverrun) == 0 {
		t.Error("nothing was dropped from a full queue")
	}
	for i := range uint64(4) { // those that were put last
		if v := w.store.version(keyOf("tenant-a", 20-i)); v != 3 {
			t.Errorf("aggregate %d has a snapshot of version %d, want 3", 20-i, v)
		}
	}
}

type countSnapshots struct {
	NopObserver
	mu sync.Mutex
	n  map[string]int
}

func (c *countSnapshots) Snapshot(_ aggregate.Key, result string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n == nil {
		c.n = map[string]int{}
	}
	c.n[result]++
}

func (c *countSnapshots) get(result string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n[result]
}

func TestIdleAggregatesLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.opts.IdleAfter = time.Minute
		e := w.start()
		do(t, e, command(account, "deposit", 1))
		other := keyOf("tenant-b", 2)
		for range 5 {
			time.Sleep(30 * time.Second)
			do(t, e, command(other, "deposit", 1))
		}
		if e.Live() != 1 {
			t.Errorf("%d live, want the one in use", e.Live())
		}
		if v := w.store.version(account); v != 1 {
			t.Errorf("it left a snapshot of version %d, want 1", v)
		}
		infos := e.Tenants()
		if len(infos) != 2 || infos[0].TenantID != "tenant-a" || infos[0].Aggregates != 0 || infos[1].Aggregates != 1 || !infos[1].LastActivity.Equal(time.Now()) {
			t.Errorf("tenants: %+v", infos)
		}
		wantBalance(t, e, account, 1, 1)
		stop(t, e)
	})
}

func TestLiveAggregatesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.opts.MaxLive = 8
		e := w.start()
		for i := range uint64(40) {
			do(t, e, command(keyOf("tenant-a", i+1), "deposit", int(i)))
			if e.Live() > 10 {
				t.Fatalf("%d live", e.Live())
			}
			time.Sleep(300 * time.Millisecond)
		}
		for i := range uint64(40) {
			wantBalance(t, e, keyOf("tenant-a", i+1), int64(i), 1)
			time.Sleep(300 * time.Millisecond)
		}
		// All at once and all busy: what is over the bound is told to come again.
		hang := make(chan struct{})
		w.log.onAppend(sequence(func(int) (bool, error) { <-hang; return true, nil }))
		var wg sync.WaitGroup
		var mu sync.Mutex
		refused := 0
		for i := range uint64(30) {
			wg.Go(func() {
				_, err := e.Submit(context.Background(), command(keyOf("tenant-a", i+1), "deposit", 1))
				if u := (*aggregate.UnavailableError)(nil); errors.As(err, &u) && u.Reason == aggregate.ErrUnavailable {
					mu.Lock()
					refused++
					mu.Unlock()
				} else if err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		if e.Live() > 10 {
			t.Errorf("%d live", e.Live())
		}
		close(hang)
		wg.Wait()
		if refused < 20 {
			t.Errorf("%d refused, want at least 20", refused)
		}
		stop(t, e)
	})
}

func TestUnbornAggregatesDoNotStay(t *testing.T) {
	e := newWorld(t).start()
	for i := range uint64(50) {
		_, err := e.State(context.Background(), keyOf("tenant-a", i+1))
		if !errors.Is(err, aggregate.ErrNotFound) {
			t.Fatal(err)
		}
	}
	for deadline := time.Now().Add(30 * time.Second); e.Live() > 0 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	if e.Live() > 0 {
		t.Errorf("%d unborn aggregates are live", e.Live())
	}
}

// A sender that meets the closed mailbox of an owner that has just left looks up again.
func TestPassivationRacesWithCommands(t *testing.T) {
	w := newWorld(t)
	w.opts.SnapshotThreshold = 5
	e := w.start()
	done := make(chan struct{})
	var leaver sync.WaitGroup
	leaver.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				leaveAll(e)
			}
		}
	})
	var wg sync.WaitGroup
	for i := range uint64(4) {
		for range 2 {
			wg.Go(func() {
				for range 100 {
					do(t, e, command(keyOf("tenant-a", i+1), "deposit", 1))
				}
			})
		}
	}
	wg.Wait()
	close(done)
	leaver.Wait()
	for i := range uint64(4) {
		wantBalance(t, e, keyOf("tenant-a", i+1), 200, 200)
		wantGapless(t, w.log, keyOf("tenant-a", i+1))
	}
}

func TestDrain(t *testing.T) {
	w := newWorld(t)
	e := w.start()
	done := command(account, "deposit", 1)
	do(t, e, done)
	do(t, e, command(keyOf("tenant-b", 1), "deposit", 1))
	inside, hang := make(chan struct{}), make(chan struct{})
	w.log.onAppend(sequence(func(int) (bool, error) { close(inside); <-hang; return true, nil }))
	var wg sync.WaitGroup
	wg.Go(func() { do(t, e, command(account, "deposit", 1)) })
	<-inside
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if err := e.Drain(ctx, "tenant-a"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("drained while a command was in flight: %v", err)
	}
	close(hang)
	wg.Wait()
	w.log.onAppend(nil)
	if err := e.Drain(context.Background(), "tenant-a"); err != nil {
		t.Fatal(err)
	}
	_, err := e.Submit(context.Background(), command(account, "deposit", 1))
	if u := (*aggregate.UnavailableError)(nil); !errors.As(err, &u) || u.Reason != aggregate.ErrUnavailable {
		t.Errorf("new command: got %v", err)
	}
	if r := do(t, e, done); !r.Duplicate { // its order of checks: repeats come before the drain
		t.Errorf("repeat: got %s", toJSON(t, r))
	}
	do(t, e, command(keyOf("tenant-b", 1), "deposit", 1))
	e.Resume("tenant-a")
	if r := do(t, e, command(account, "deposit", 1)); r.Version != 3 {
		t.Errorf("got %s", toJSON(t, r))
	}
}

func TestAdmissionComesAfterRepeats(t *testing.T) {
	w := newWorld(t)
	full := false
	quota := &aggregate.UnavailableError{Reason: aggregate.ErrQuota, RetryAfter: time.Second}
	w.opts.Admit = func(*aggregate.Command) error {
		if full {
			return quota
		}
		return nil
	}
	e := w.start()
	cmd := command(account, "deposit", 1)
	do(t, e, cmd)
	full = true
	if r := do(t, e, cmd); !r.Duplicate {
		t.Errorf("got %s", toJSON(t, r))
	}
	if _, err := e.Submit(context.Background(), command(account, "nonsense", 1)); !errors.Is(err, aggregate.ErrQuota) {
		t.Errorf("quota comes before validation: got %v", err)
	}
}

func TestSwapKeepsOrReplays(t *testing.T) {
	w := newWorld(t)
	e := w.start()
	do(t, e, command(account, "deposit", 10))
	do(t, e, command(account, "deposit", 10))
	loads := w.log.loads
	same := strictBank(t)
	e.Swap(same)
	do(t, e, command(account, "deposit", 10))
	if w.log.loads != loads {
		t.Error("rules of the same fingerprint made a replay")
	}
	if got := w.log.msgs[account][2].commits[0].Manifest; got != same.Hash || e.Manifest() != same.Hash {
		t.Errorf("decided by %s, want %s", got, same.Hash)
	}
	e.Swap(generousBank(t)) // a deposit counts one more
	wantBalance(t, e, account, 33, 3)
	e.Swap(&Manifest{Hash: "sha256:none", Engine: "x"})
	_, err := e.Submit(context.Background(), command(account, "deposit", 10))
	if v := (*aggregate.ValidationError)(nil); !errors.As(err, &v) || v.Path != "aggregate_type" {
		t.Errorf("a type that is gone: got %v", err)
	}
}

// A swap ends a flight: what waits behind it is decided by the new rules.
func TestSwapDuringAFlight(t *testing.T) {
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
	wg.Go(func() { do(t, e, command(account, "deposit", 10)) })
	<-inside
	wg.Go(func() { do(t, e, command(account, "deposit", 10)) })
	for waiting(e, account) == 0 {
		time.Sleep(time.Millisecond)
	}
	next := generousBank(t)
	e.Swap(next)
	close(hang)
	wg.Wait()
	if a, b := w.log.msgs[account][0].commits[0].Manifest, w.log.msgs[account][1].commits[0].Manifest; a == b || b != next.Hash {
		t.Errorf("decided by %s and %s", a, b)
	}
	wantBalance(t, e, account, 22, 2)
}

func TestCloseFinishesWhatWaits(t *testing.T) {
	w := newWorld(t)
	e := w.start()
	var wg sync.WaitGroup
	inside, hang := make(chan struct{}), make(chan struct{})
	w.log.onAppend(sequence(func(n int) (bool, error) {
		if n == 1 {
			close(inside)
			<-hang
		}
		return true, nil
	}))
	wg.Go(func() { do(t, e, command(account, "deposit", 1)) })
	<-inside
	for range 10 {
		wg.Go(func() { do(t, e, command(account, "deposit", 1)) })
	}
	for waiting(e, account) < 10 {
		time.Sleep(time.Millisecond)
	}
	closed := make(chan struct{})
	go func() { stop(t, e); close(closed) }()
	for !e.closing.Load() {
		time.Sleep(time.Millisecond)
	}
	close(hang)
	wg.Wait()
	<-closed
	_, err := e.Submit(context.Background(), command(account, "deposit", 1))
	if !errors.Is(err, aggregate.ErrUnavailable) {
		t.Errorf("after Close: got %v", err)
	}
	if v := w.store.version(account); v != 11 {
		t.Errorf("snapshot of version %d, want 11", v)
	}
	if e.Live() != 0 {
		t.Errorf("%d live", e.Live())
	}
}

func TestCloseGivesUpOnDoubt(t *testing.T) {
	w := newWorld(t)
	w.log.onAppend(sequence(func(int) (bool, error) { return false, aggregate.ErrInDoubt }))
	e := w.start()
	failed := make(chan error)
	go func() { _, err := e.Submit(context.Background(), command(account, "deposit", 1)); failed <- err }()
	for w.appends() < 2 {
		time.Sleep(time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if err := e.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if err := <-failed; !errors.Is(err, aggregate.ErrInDoubt) {
		t.Errorf("got %v", err)
	}
	if len(w.store.snaps) != 0 {
		t.Error("a snapshot of an aggregate in doubt")
	}
}

func (w *world) appends() int { n, _ := w.log.counts(); return n }

func TestToken(t *testing.T) {
	e := newWorld(t).start()
	r := do(t, e, command(account, "deposit", 1))
	v, s, err := ParseToken(r.Token)
	if err != nil || v != 1 || s != 1 {
		t.Errorf("got %d, %d, %v", v, s, err)
	}
	for _, bad := range []string{"", "1", "a-b", "-"} {
		if _, _, err := ParseToken(bad); err == nil {
			t.Errorf("%q is taken for a token", bad)
		}
	}
}
