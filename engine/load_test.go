package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloudlysis/aggregate"
)

// history makes a log of n deposits of 10 and, when every is not 0, a snapshot each so many.
func history(t *testing.T, n, every int) *world {
	w := newWorld(t)
	w.opts.SnapshotThreshold = 1 << 30
	if every > 0 {
		w.opts.SnapshotThreshold = every
	}
	e := w.start()
	for range n {
		do(t, e, command(account, "deposit", 10))
		if err := e.FlushSnapshots(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	if every == 0 {
		w.store.put = func(*aggregate.Snapshot) error { return aggregate.ErrStorage }
	}
	stop(t, e)
	w.store.put = nil
	return w
}

func TestT7_1RehydrateFromSnapshotOnly(t *testing.T) {
	w := history(t, 5, 5)
	w.log.loaded = 0
	wantBalance(t, w.start(), account, 50, 5)
	if w.log.loaded != 0 {
		t.Errorf("%d commits were read behind a snapshot of the last version", w.log.loaded)
	}
}

func TestT7_2RehydrateFromSnapshotAndEvents(t *testing.T) {
	w := historyAt(t, 8, 5)
	w.log.loaded = 0
	wantBalance(t, w.start(), account, 80, 8)
	if w.log.loaded != 3 {
		t.Errorf("%d commits were read, want the 3 behind the snapshot", w.log.loaded)
	}
}

// historyAt is history whose last snapshot is that of version at.
func historyAt(t *testing.T, n int, at aggregate.Version) *world {
	w := newWorld(t)
	w.store.put = func(s *aggregate.Snapshot) error {
		if s.Version > at {
			return aggregate.ErrStorage
		}
		return nil
	}
	w.opts.SnapshotThreshold = int(at)
	e := w.start()
	for range n {
		do(t, e, command(account, "deposit", 10))
		if err := e.FlushSnapshots(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	stop(t, e)
	w.store.put = nil
	return w
}

func TestT7_3RehydrateRejectsMismatchedTenant(t *testing.T) {
	w := history(t, 3, 3)
	other := account
	other.Tenant = "tenant-b"
	snap := w.store.snaps[account]
	w.store.snaps[other] = snap // what a broken store would give
	_, err := w.start().State(context.Background(), other)
	if d := (*aggregate.TenantAccessDeniedError)(nil); !errors.As(err, &d) || d.TenantID != "tenant-b" {
		t.Errorf("snapshot of another tenant: got %v", err)
	}

	w = newWorld(t)
	w.log.load = func(key aggregate.Key) error { return &aggregate.TenantAccessDeniedError{TenantID: key.Tenant} }
	_, err = w.start().Submit(context.Background(), command(other, "deposit", 1))
	if !errors.Is(err, aggregate.ErrTenantAccessDenied) {
		t.Errorf("events of another tenant: got %v", err)
	}
}

func TestT7_5CommandOfAnotherTenantIsDenied(t *testing.T) {
	w := newWorld(t)
	w.log.owners = map[string]aggregate.TenantID{} // tenancy.ids: exclusive
	e := w.start()
	do(t, e, command(account, "deposit", 50))
	other := account
	other.Tenant = "tenant-b"
	for _, kind := range []string{"deposit", "withdraw", "touch"} { // before anything is decided
		_, err := e.Submit(context.Background(), command(other, kind, 10))
		if !errors.Is(err, aggregate.ErrTenantAccessDenied) {
			t.Errorf("%s: got %v", kind, err)
		}
	}
	if _, err := e.State(context.Background(), other); !errors.Is(err, aggregate.ErrTenantAccessDenied) {
		t.Errorf("read: got %v", err)
	}
	wantBalance(t, e, account, 50, 1)
}

func TestSnapshotThatDoesNotFitIsDropped(t *testing.T) {
	for name, spoil := range map[string]func(w *world){
		"other rules": func(w *world) {
			w.store.edit(account, func(s *aggregate.Snapshot) { s.Fingerprint, s.State = "x", json.RawMessage(`{"balance":9}`) })
		},
		"version is not mark's": func(w *world) { w.store.edit(account, func(s *aggregate.Snapshot) { s.Version = 9 }) },
		"version 0": func(w *world) {
			w.store.edit(account, func(s *aggregate.Snapshot) { s.Version, s.Mark.Version = 0, 0 })
		},
		"state is no JSON": func(w *world) { w.store.edit(account, func(s *aggregate.Snapshot) { s.State = json.RawMessage(`{`) }) },
		"state has more": func(w *world) {
			w.store.edit(account, func(s *aggregate.Snapshot) { s.State = json.RawMessage(`{"balance":1,"x":2}`) })
		},
		"ids are damaged":      func(w *world) { w.store.edit(account, func(s *aggregate.Snapshot) { s.Commands = s.Commands[1:] }) },
		"of another aggregate": func(w *world) { w.store.edit(account, func(s *aggregate.Snapshot) { s.AggregateID = idOf(9) }) },
		"hash differs":         func(w *world) { w.store.edit(account, func(s *aggregate.Snapshot) { s.Mark.Hash[3]++ }) },
		"stream made anew":     func(w *world) { w.store.edit(account, func(s *aggregate.Snapshot) { s.Mark.Stream = "older" }) },
		"store fails":          func(w *world) { w.store.get = func(aggregate.Key) error { return aggregate.ErrStorage } },
		"absent":               func(w *world) { _ = w.store.Delete(account) },
	} {
		t.Run(name, func(t *testing.T) {
			w := historyAt(t, 6, 4)
			spoil(w)
			e := w.start()
			wantBalance(t, e, account, 60, 6)
			do(t, e, command(account, "deposit", 10))
			stop(t, e)
			if name != "store fails" {
				if v := w.store.version(account); v != 7 {
					t.Errorf("the next snapshot is of version %d, want 7", v)
				}
			}
		})
	}
}

// A power cut or an old backup leaves a snapshot that is ahead of the log; its sequences will
// be used again.
func TestSnapshotAheadOfTheLog(t *testing.T) {
	w := history(t, 6, 6)
	w.log.cut(account, 2)
	e := w.start()
	wantBalance(t, e, account, 40, 4)
	if r := do(t, e, command(account, "deposit", 1)); r.Version != 5 {
		t.Errorf("got version %d, want 5", r.Version)
	}
	wantGapless(t, w.log, account)
}

func TestNewIncarnationDropsWhatIsLive(t *testing.T) {
	w := newWorld(t)
	w.log.unshared = true // nothing but the incarnation tells
	e := w.start()
	ids := make([]*aggregate.Command, 4)
	for i := range ids {
		ids[i] = command(account, "deposit", 10)
		do(t, e, ids[i])
	}
	w.log.cut(account, 2)
	wantBalance(t, e, account, 20, 2)
	if r := do(t, e, ids[3]); r.Duplicate || r.Version != 3 {
		t.Errorf("a command whose commit was lost: got %s", toJSON(t, r))
	}
	if r := do(t, e, ids[0]); !r.Duplicate {
		t.Errorf("a command whose commit was kept: got %s", toJSON(t, r))
	}
}

func TestOldCommandIDsSurviveSegmentsAndRestarts(t *testing.T) {
	w := newWorld(t)
	e := w.start()
	first := command(account, "deposit", 1)
	reply := do(t, e, first)
	early := command(account, "twice", 1)
	do(t, e, early)
	for range 2*segmentCommits + 50 {
		do(t, e, command(account, "deposit", 1))
	}
	stop(t, e)
	e = w.start()
	w.log.loaded, w.log.ats = 0, 0
	again := do(t, e, first)
	if !again.Duplicate || again.Version != 1 || again.Token != reply.Token {
		t.Errorf("got %s", toJSON(t, again))
	}
	if again := do(t, e, early); !again.Duplicate || again.Version != 3 || len(again.Events) != 2 {
		t.Errorf("got %s", toJSON(t, again))
	}
	if w.log.loaded != 0 || w.log.ats > 4 {
		t.Errorf("it took %d commits loaded and %d messages read", w.log.loaded, w.log.ats)
	}
}

func TestBrokenAggregateIsQuarantinedAlone(t *testing.T) {
	w := historyAt(t, 3, 100)
	var now atomic.Int64
	w.opts.Monotonic = func() time.Duration { return time.Duration(now.Load()) }
	w.opts.QuarantineFor = time.Minute
	_ = w.store.Delete(account)
	reads, repaired := 0, false
	w.log.load = func(key aggregate.Key) error {
		if key == account && !repaired {
			reads++
			return fmt.Errorf("%w: the chain of hashes is broken", aggregate.ErrRehydration)
		}
		return nil
	}
	e := w.start()
	for range 5 {
		_, err := e.Submit(context.Background(), command(account, "deposit", 1))
		if !errors.Is(err, aggregate.ErrRehydration) {
			t.Errorf("got %v", err)
		}
	}
	if reads != 1 {
		t.Errorf("a broken aggregate was read %d times", reads)
	}
	other := aggregate.Key{Tenant: "tenant-a", Type: "Account", ID: idOf(2)}
	do(t, e, command(other, "deposit", 1))
	repaired = true
	now.Store(int64(time.Minute + 1))
	wantBalance(t, e, account, 30, 3)
}

func TestEventOfANewerManifest(t *testing.T) {
	for name, change := range map[string]func(*aggregate.CommitEvent){
		"event":   func(ev *aggregate.CommitEvent) { ev.Type = "renamed" },
		"version": func(ev *aggregate.CommitEvent) { ev.Schema = 2 },
		"field":   func(ev *aggregate.CommitEvent) { ev.Payload = json.RawMessage(`{"amount":1,"note":"","new":1}`) },
	} {
		w := historyAt(t, 1, 100)
		_ = w.store.Delete(account)
		change(&w.log.msgs[account][0].commits[0].Events[0])
		_, err := w.start().Submit(context.Background(), command(account, "deposit", 1))
		if u := (*aggregate.UnavailableError)(nil); !errors.As(err, &u) || u.Reason != aggregate.ErrManifestBehind {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestUnknownFieldsThatTheOperatorAllows(t *testing.T) {
	w := historyAt(t, 1, 100)
	_ = w.store.Delete(account)
	w.log.msgs[account][0].commits[0].Events[0].Payload = json.RawMessage(`{"amount":5,"note":"","new":1}`)
	w.opts.AllowUnknown = func(ty aggregate.Type, event string) bool { return ty == "Account" && event == "deposited" }
	wantBalance(t, w.start(), account, 5, 1)
}

func TestDamagedEventIsRehydrationError(t *testing.T) {
	w := historyAt(t, 1, 100)
	_ = w.store.Delete(account)
	w.log.msgs[account][0].commits[0].Events[0].Payload = json.RawMessage(`{"amount":"x","note":""}`)
	if _, err := w.start().State(context.Background(), account); !errors.Is(err, aggregate.ErrRehydration) {
		t.Errorf("got %v", err)
	}
}

func TestLoadFailsAndRecovers(t *testing.T) {
	w := historyAt(t, 3, 100)
	w.log.load = func(aggregate.Key) error { return fmt.Errorf("%w: away", aggregate.ErrStream) }
	e := w.start()
	_, err := e.Submit(context.Background(), command(account, "deposit", 1))
	if u := (*aggregate.UnavailableError)(nil); !errors.As(err, &u) || u.Reason != aggregate.ErrStream {
		t.Errorf("got %v", err)
	}
	stop(t, e)
	w.log.load = nil
	wantBalance(t, w.start(), account, 30, 3)
}

// A lagging replica does not have the message yet that is known to hold a commit: the command
// that may be its repeat is put off, never decided a second time.
func TestRepeatThatCannotBeConfirmedIsPutOff(t *testing.T) {
	w := newWorld(t)
	e := w.start()
	cmd := command(account, "deposit", 10)
	do(t, e, cmd)
	for _, fail := range []error{aggregate.ErrNotFound, aggregate.ErrStream} {
		w.log.at = func(aggregate.Key, aggregate.Sequence) error { return fail }
		_, err := e.Submit(context.Background(), cmd)
		if u := (*aggregate.UnavailableError)(nil); !errors.As(err, &u) || u.Reason != aggregate.ErrStream {
			t.Errorf("%v: got %v", fail, err)
		}
	}
	w.log.at = nil
	if r := do(t, e, cmd); !r.Duplicate || r.Version != 1 {
		t.Errorf("got %s", toJSON(t, r))
	}
	wantBalance(t, e, account, 10, 1)
}

func TestLoadsAtOnceAreBounded(t *testing.T) {
	w := newWorld(t)
	w.opts.MaxLoads = 3
	var now, most atomic.Int64
	goOn := make(chan struct{})
	w.log.load = func(aggregate.Key) error {
		n := now.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		<-goOn
		now.Add(-1)
		return nil
	}
	e := w.start()
	var wg sync.WaitGroup
	for i := range uint64(20) {
		wg.Go(func() { do(t, e, command(keyOf("tenant-a", i+1), "deposit", 1)) })
	}
	for now.Load() < 3 || e.Live() < 20 { // three load, and the others are there and wait
		time.Sleep(time.Millisecond)
	}
	time.Sleep(20 * time.Millisecond) // in which a fourth would begin
	close(goOn)
	wg.Wait()
	if most.Load() != 3 {
		t.Errorf("%d loads at once, want 3", most.Load())
	}
}
