package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/stream/envelope"
)

// world is a log and a store that outlive the engines over them.
type world struct {
	t     testing.TB
	log   *fakeLog
	store *fakeStore
	opts  Options
}

func newWorld(t testing.TB) *world { return newWorldOf(t, bank(t)) }

func newWorldOf(t testing.TB, m *Manifest) *world {
	w := &world{t: t, log: newFakeLog(), store: newFakeStore()}
	w.opts = Options{Log: w.log, Snapshots: w.store, Manifest: m, EventID: envelope.EventID,
		Backoff: Backoff{Initial: time.Millisecond, Max: 4 * time.Millisecond}}
	return w
}

// start begins an engine; the test's end closes it, unless stop did.
func (w *world) start() *Engine {
	w.t.Helper()
	e, err := New(w.opts)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		if !e.closing.Load() {
			stop(w.t, e)
		}
	})
	return e
}

func stop(t testing.TB, e *Engine) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := e.Close(ctx); err != nil {
		t.Errorf("close: %v", err)
	}
}

// leaveAll asks every owner to go when it has nothing to do.
func leaveAll(e *Engine) {
	for _, o := range e.registry.all(every) {
		o.leave()
	}
}

var account = aggregate.Key{Tenant: "tenant-a", Type: "Account", ID: idOf(1)}

func command(key aggregate.Key, kind string, amount int) *aggregate.Command {
	return &aggregate.Command{TenantID: key.Tenant, AggregateType: key.Type, AggregateID: key.ID, CommandID: aggregate.NewID(),
		Payload: fmt.Appendf(nil, `{"type":%q,"amount":%d}`, kind, amount)}
}

func do(t testing.TB, e *Engine, cmd *aggregate.Command) *aggregate.Reply {
	t.Helper()
	r, err := e.Submit(context.Background(), cmd)
	if err != nil {
		t.Fatalf("%s: %v", cmd.Payload, err)
	}
	return r
}

func balance(t testing.TB, e *Engine, key aggregate.Key) (int64, aggregate.Version) {
	t.Helper()
	s, err := e.State(context.Background(), key)
	if errors.Is(err, aggregate.ErrNotFound) {
		return 0, 0
	}
	if err != nil {
		t.Fatal(err)
	}
	var v struct{ Balance int64 }
	if err := json.Unmarshal(s.State, &v); err != nil {
		t.Fatal(err)
	}
	return v.Balance, s.Version
}

// wantBalance checks the state that the engine shows.
func wantBalance(t testing.TB, e *Engine, key aggregate.Key, want int64, version aggregate.Version) {
	t.Helper()
	if b, v := balance(t, e, key); b != want || v != version {
		t.Errorf("got balance %d at version %d, want %d at %d", b, v, want, version)
	}
}

// wantGapless checks that versions in the log count from 1, each command id once.
func wantGapless(t testing.TB, l *fakeLog, key aggregate.Key) {
	t.Helper()
	var seen []aggregate.ID
	last := aggregate.ID{}
	for i, ev := range l.events(key) {
		if ev.Version != aggregate.Version(i+1) {
			t.Fatalf("event %d has version %d", i, ev.Version)
		}
		if ev.CommandID != last {
			if slices.Contains(seen, ev.CommandID) {
				t.Fatalf("command %s has two commits", ev.CommandID)
			}
			seen, last = append(seen, ev.CommandID), ev.CommandID
		}
	}
}

func toJSON(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
