package enginetest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/cloudlysis/aggregate"
)

// idleText is counterText with a command that changes nothing.
var idleText = strings.Replace(counterText, "  decide deposit {", "  command look {}\n  decide look { nothing }\n  decide deposit {", 1)

// TestNothingRemembered: many callers on one aggregate, half of their commands changing nothing,
// in flights as they come; each command gets its first reply again, live, by another engine, after
// a crash and behind snapshots. Nothing shows in the events.
func TestNothingRemembered(t *testing.T) {
	n := newNode(t, idleText)
	n.opts.RememberNothing, n.opts.SnapshotThreshold = true, 50
	n.log.Unshared = false
	n.start()
	key := newKey("tenant-a")
	var mu sync.Mutex
	done := map[*aggregate.Command]string{}
	together(32, func(i int) {
		for range 8 {
			cmd := deposit(key, 1)
			if i%2 == 0 {
				cmd = command(key, `{"type":"look"}`)
			}
			r := n.do(cmd)
			mu.Lock()
			done[cmd] = toJSON(t, r)
			mu.Unlock()
		}
	})
	check := func(when string) {
		t.Helper()
		for cmd, first := range done {
			r := n.do(cmd)
			if !r.Duplicate {
				t.Fatalf("%s: decided anew: %s", when, toJSON(t, r))
			}
			r.Duplicate = false
			if got := toJSON(t, r); got != first {
				t.Fatalf("%s:\ngot  %s\nwant %s", when, got, first)
			}
		}
		n.wantState(key, `128 {"balance":128}`)
		if got := len(n.events(key)); got != 128 {
			t.Errorf("%s: %d events", when, got)
		}
	}
	check("live")
	l := n.openStream()
	own := n.engine
	n.engine = n.openEngine(l)
	check("by another engine")
	n.must(n.engine.Close(context.Background()))
	n.must(l.Close())
	n.engine = own
	n.crash()
	n.start()
	check("after a crash")
	for range 60 { // a snapshot at the same version, and a later place
		cmd := command(key, `{"type":"look"}`)
		done[cmd] = toJSON(t, n.do(cmd))
	}
	n.stop()
	n.start()
	check("behind a snapshot")
	snap := n.snapshot(key)
	commits := 0
	for c, err := range n.stream.Load(context.Background(), key, snap.Mark) {
		n.must(err)
		t.Logf("behind it: %s", c.Commit.CommandID)
		commits++
	}
	if snap.Version != 128 || commits > 0 {
		t.Errorf("the snapshot is at version %d, %d commits before the end", snap.Version, commits)
	}
}

// TestNothingBeforeTheFirstEvent: the first message of an aggregate has no event.
func TestNothingBeforeTheFirstEvent(t *testing.T) {
	n := newNode(t, idleText)
	n.opts.RememberNothing = true
	n.start()
	key := newKey("tenant-a")
	cmd := command(key, `{"type":"look"}`)
	first := n.do(cmd)
	for _, when := range []string{"live", "behind a snapshot of version 0", "after a crash"} {
		r := n.do(cmd)
		if !r.Duplicate || r.Version != 0 || r.Token != first.Token {
			t.Errorf("%s: got %s", when, toJSON(t, r))
		}
		if _, err := n.engine.State(context.Background(), key); !errors.Is(err, aggregate.ErrNotFound) {
			t.Errorf("%s: got %v", when, err)
		}
		if when == "live" {
			n.stop()
		} else {
			n.crash()
		}
		n.start()
	}
	n.do(deposit(key, 5))
	n.wantState(key, `1 {"balance":5}`)
	if r := n.do(cmd); !r.Duplicate || r.Version != 0 {
		t.Errorf("after the first event: got %s", toJSON(t, r))
	}
}
