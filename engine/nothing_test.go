package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cloudlysis/aggregate"
)

// remembering is a world in which commands that changed nothing are remembered.
func remembering(t *testing.T) *world {
	w := newWorld(t)
	w.opts.RememberNothing = true
	return w
}

// wantAgain sends cmd again: it gets the first reply, and the log gets nothing.
func wantAgain(t *testing.T, w *world, e *Engine, cmd *aggregate.Command, first *aggregate.Reply, when string) {
	t.Helper()
	appends, _ := w.log.counts()
	again := *do(t, e, cmd)
	if !again.Duplicate {
		t.Errorf("%s: it was decided anew: %s", when, toJSON(t, again))
	}
	again.Duplicate = first.Duplicate
	if got, want := toJSON(t, again), toJSON(t, first); got != want {
		t.Errorf("%s:\ngot  %s\nwant %s", when, got, want)
	}
	if now, _ := w.log.counts(); now != appends {
		t.Errorf("%s: something was appended", when)
	}
}

func passivate(t testing.TB, e *Engine) {
	t.Helper()
	leaveAll(e)
	for deadline := time.Now().Add(30 * time.Second); e.Live() > 0; time.Sleep(100 * time.Microsecond) {
		if time.Now().After(deadline) {
			t.Fatal("aggregates do not leave")
		}
	}
	if err := e.FlushSnapshots(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func TestNothingIsForgottenByDefault(t *testing.T) {
	w := newWorld(t)
	e := w.start()
	do(t, e, command(account, "deposit", 10))
	cmd := command(account, "touch", 0)
	for range 2 {
		if r := do(t, e, cmd); r.Duplicate || r.Version != 1 || len(r.Events) != 0 {
			t.Errorf("got %s", toJSON(t, r))
		}
	}
	if appends, messages := w.log.counts(); appends != 1 || messages != 1 {
		t.Errorf("%d appends, %d messages; want those of the deposit", appends, messages)
	}
	cmd.Payload = []byte(`{"type":"deposit","amount":5}`) // its id is still free
	if r := do(t, e, cmd); r.Version != 2 {
		t.Errorf("got %s", toJSON(t, r))
	}
}

// The first reply again, whatever became of the aggregate in between; born or not.
func TestNothingIsRemembered(t *testing.T) {
	for _, every := range []int{1, 2, 1000} {
		for _, born := range []bool{false, true} {
			t.Run(fmt.Sprintf("snapshot every %d, born %v", every, born), func(t *testing.T) {
				w := remembering(t)
				w.opts.SnapshotThreshold = every
				e := w.start()
				version := aggregate.Version(0)
				if born {
					version = do(t, e, command(account, "twice", 10)).Version
				}
				cmd := command(account, "touch", 7)
				first := do(t, e, cmd)
				if first.Version != version || len(first.Events) != 0 || first.Duplicate || first.Token == "" {
					t.Fatalf("got %s", toJSON(t, first))
				}
				wantAgain(t, w, e, cmd, first, "live")
				passivate(t, e)
				wantAgain(t, w, e, cmd, first, "after passivation")
				do(t, e, command(account, "deposit", 1))
				do(t, e, command(account, "touch", 1))
				wantAgain(t, w, e, cmd, first, "after other commands")
				wantAgain(t, w, w.start(), cmd, first, "on another node")
				stop(t, e)
				e = w.start()
				wantAgain(t, w, e, cmd, first, "after a restart")
				stop(t, e)
				w.store = newFakeStore()
				w.opts.Snapshots = w.store
				e = w.start()
				wantAgain(t, w, e, cmd, first, "without snapshots")
				other := *cmd
				other.Payload = []byte(`{"type":"touch","amount":8}`)
				if _, err := e.Submit(context.Background(), &other); !errors.Is(err, aggregate.ErrCommandIDReused) {
					t.Errorf("another payload: got %v", err)
				}
				w.opts.RememberNothing = false // what is in the log counts
				wantAgain(t, w, w.start(), cmd, first, "after the setting was taken back")
				wantGapless(t, w.log, account)
			})
		}
	}
}

// An aggregate with nothing but such commits is unborn all the same.
func TestNothingGivesNoBirth(t *testing.T) {
	w := remembering(t)
	e := w.start()
	do(t, e, command(account, "touch", 0))
	for range 2 {
		if _, err := e.State(context.Background(), account); !errors.Is(err, aggregate.ErrNotFound) {
			t.Errorf("got %v", err)
		}
		passivate(t, e)
	}
	zero := aggregate.Version(0)
	cmd := command(account, "deposit", 5)
	cmd.ExpectedVersion = &zero
	if r := do(t, e, cmd); r.Version != 1 {
		t.Errorf("got %s", toJSON(t, r))
	}
	wantBalance(t, e, account, 5, 1)
}

// Whatever the later checks would say now comes after the look-up.
func TestNothingIsRememberedBeforeAllChecks(t *testing.T) {
	w := remembering(t)
	e := w.start()
	cmd := command(account, "audit", 0)
	cmd.Roles = []string{"manager"}
	first := do(t, e, cmd)
	do(t, e, command(account, "deposit", 1))
	again := *cmd
	again.Roles = nil
	again.ExpectedVersion = new(aggregate.Version)
	if err := e.Drain(context.Background(), "tenant-a"); err != nil {
		t.Fatal(err)
	}
	wantAgain(t, w, e, &again, first, "without the role, at another version, while draining")
}

// In one flight with others, before and after it, and with its own repeat.
func TestNothingWithinAFlight(t *testing.T) {
	w := remembering(t)
	e := w.start()
	open := make(chan struct{})
	w.log.onAppend(func(n int, _ aggregate.Key, _ []aggregate.Commit) (bool, error) {
		if n == 1 {
			<-open
		}
		return true, nil
	})
	var all sync.WaitGroup
	send := func(cmd *aggregate.Command, reply **aggregate.Reply) {
		all.Go(func() { *reply = do(t, e, cmd) })
	}
	waiting := func(n int) {
		for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(100 * time.Microsecond) {
			o := ownerOf(e, account)
			o.box.mu.Lock()
			got := len(o.box.q)
			o.box.mu.Unlock()
			if got == n {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%d wait, want %d", got, n)
			}
		}
	}
	kinds := []string{"touch", "touch", "deposit", "touch", "twice", "touch"}
	cmds, replies := make([]*aggregate.Command, len(kinds)), make([]*aggregate.Reply, len(kinds)+1)
	var before *aggregate.Reply
	send(command(account, "deposit", 100), &before) // holds the owner up
	for appends := 0; appends == 0; appends, _ = w.log.counts() {
		time.Sleep(100 * time.Microsecond)
	}
	for i, kind := range kinds {
		cmds[i] = command(account, kind, 1)
		send(cmds[i], &replies[i])
		waiting(i + 1)
	}
	send(cmds[3], &replies[len(kinds)]) // a repeat in the same flight
	waiting(len(kinds) + 1)
	close(open)
	all.Wait()
	if appends, messages := w.log.counts(); appends != 2 || messages != 2 {
		t.Fatalf("%d appends, %d messages: it was not one flight", appends, messages)
	}
	for i, want := range []aggregate.Version{1, 1, 2, 2, 4, 4} {
		if r := replies[i]; r.Version != want || r.Duplicate {
			t.Errorf("%s: got %s, want version %d", kinds[i], toJSON(t, r), want)
		}
	}
	if r := replies[len(kinds)]; !r.Duplicate || r.Version != 2 || r.Token != replies[3].Token {
		t.Errorf("the repeat: got %s", toJSON(t, r))
	}
	for _, when := range []string{"live", "after a restart"} {
		for i := range cmds {
			wantAgain(t, w, e, cmds[i], replies[i], when+", "+kinds[i])
		}
		stop(t, e)
		e = w.start()
	}
	wantBalance(t, e, account, 103, 4)
}

// ownerOf is the live owner of key.
func ownerOf(e *Engine, key aggregate.Key) *owner {
	for _, o := range e.registry.all(func(o *owner) bool { return o.key == key }) {
		return o
	}
	return nil
}

// Snapshots bound the load by commits too: the version of this aggregate never moves again.
func TestSnapshotsOfCommandsThatChangeNothing(t *testing.T) {
	w := remembering(t)
	w.opts.SnapshotThreshold = 10
	e := w.start()
	do(t, e, command(account, "deposit", 3))
	var cmds []*aggregate.Command
	var replies []*aggregate.Reply
	for range 3*segmentCommits + 5 { // more than the open segment of ids holds
		cmd := command(account, "touch", 0)
		cmds, replies = append(cmds, cmd), append(replies, do(t, e, cmd))
	}
	if err := e.FlushSnapshots(context.Background()); err != nil {
		t.Fatal(err)
	}
	snap, err := w.store.Get(account)
	if err != nil || snap == nil || snap.Version != 1 {
		t.Fatalf("got %s, %v", toJSON(t, snap), err)
	}
	if last := len(w.log.msgs[account]); last-int(snap.Mark.Sequence) >= 10 {
		t.Errorf("the snapshot is at sequence %d, the log at %d", snap.Mark.Sequence, last)
	}
	w.log.loaded = 0
	again := w.start() // after a crash
	for _, i := range []int{0, 1, 1500, len(cmds) - 1} {
		wantAgain(t, w, again, cmds[i], replies[i], "behind a snapshot")
	}
	if w.log.loaded >= 10 {
		t.Errorf("%d commits were read", w.log.loaded)
	}
	stop(t, e)
	puts := len(w.store.puts)
	e = w.start()
	wantBalance(t, e, account, 3, 1)
	stop(t, e)
	if len(w.store.puts) != puts {
		t.Error("a snapshot was written for an aggregate that did not change")
	}
}

// Who leaves after such commands leaves a snapshot that knows them; and with a commit there is
// something to stay for, birth or not.
func TestPassivationAfterNothing(t *testing.T) {
	for _, version := range []aggregate.Version{0, 1} {
		w := remembering(t)
		w.opts.SnapshotThreshold = 1000
		e := w.start()
		if version > 0 {
			do(t, e, command(account, "deposit", 1))
			passivate(t, e)
		}
		cmd := command(account, "touch", 0)
		first := do(t, e, cmd)
		loads := w.log.loads
		wantAgain(t, w, e, cmd, first, "live")
		if w.log.loads != loads {
			t.Errorf("version %d: it did not stay", version)
		}
		passivate(t, e)
		if s, _ := w.store.Get(account); s == nil || s.Version != version || s.Mark != w.log.end(account) {
			t.Errorf("version %d: got %s", version, toJSON(t, s))
		}
		w.log.loaded = 0
		wantAgain(t, w, e, cmd, first, "after passivation")
		if w.log.loaded > 0 {
			t.Errorf("version %d: %d commits were read", version, w.log.loaded)
		}
	}
}

// The answer to the append is lost; it was taken, or was not.
func TestNothingInDoubt(t *testing.T) {
	for _, taken := range []bool{true, false} {
		t.Run(fmt.Sprintf("taken %v", taken), func(t *testing.T) {
			w := remembering(t)
			e := w.start()
			do(t, e, command(account, "deposit", 1))
			var once sync.Once
			w.log.onAppend(func(int, aggregate.Key, []aggregate.Commit) (take bool, err error) {
				take = true
				once.Do(func() { take, err = taken, aggregate.ErrInDoubt })
				return take, err
			})
			cmd := command(account, "touch", 0)
			first := do(t, e, cmd)
			if first.Duplicate || first.Version != 1 {
				t.Errorf("got %s", toJSON(t, first))
			}
			wantAgain(t, w, e, cmd, first, "afterwards")
			if n := len(w.log.msgs[account]); n != 2 {
				t.Errorf("%d messages", n)
			}
		})
	}
}

// Two nodes get the same command: whoever comes second gives the reply of the first. Refusals know
// of no such thing (docs/architecture.md).
func TestNothingOnTwoNodes(t *testing.T) {
	w := remembering(t)
	a, b := w.start(), w.start()
	do(t, a, command(account, "deposit", 1))
	wantBalance(t, b, account, 1, 1)
	cmd := command(account, "touch", 0)
	first := do(t, a, cmd)
	r := do(t, b, cmd) // b's state is the older one, of the same version
	if !r.Duplicate || r.Version != 1 || r.Token != first.Token {
		t.Errorf("got %s", toJSON(t, r))
	}
	if n := len(w.log.msgs[account]); n != 2 {
		t.Errorf("%d messages", n)
	}
	do(t, b, command(account, "deposit", 1))
	wantBalance(t, a, account, 2, 2)
}

// It needs the log, as every commit does: without it there is no reply.
func TestNothingWaitsForTheLog(t *testing.T) {
	w := remembering(t)
	e := w.start()
	do(t, e, command(account, "deposit", 1))
	w.log.onAppend(func(int, aggregate.Key, []aggregate.Commit) (bool, error) { return false, aggregate.ErrStream })
	cmd := command(account, "touch", 0)
	_, err := e.Submit(context.Background(), cmd)
	if u := (*aggregate.UnavailableError)(nil); !errors.As(err, &u) || u.Reason != aggregate.ErrStream {
		t.Errorf("got %v", err)
	}
	w.log.onAppend(nil)
	if r := do(t, e, cmd); r.Duplicate {
		t.Errorf("got %s", toJSON(t, r))
	}
}

func TestVersionAfter(t *testing.T) {
	events := func(n int) aggregate.Commit { return aggregate.Commit{Events: make([]aggregate.CommitEvent, n)} }
	tests := []struct {
		end  aggregate.Version
		of   []int
		want []aggregate.Version
	}{
		{0, []int{0}, []aggregate.Version{0}},
		{9, []int{0, 0}, []aggregate.Version{9, 9}},
		{9, []int{0, 2, 0, 1, 0}, []aggregate.Version{6, 8, 8, 9, 9}},
	}
	for _, tt := range tests {
		var commits []aggregate.Commit
		for _, n := range tt.of {
			commits = append(commits, events(n))
		}
		var got []aggregate.Version
		for i := range commits {
			got = append(got, versionAfter(commits, i, tt.end))
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%v up to %d: got %v, want %v", tt.of, tt.end, got, tt.want)
		}
	}
}
