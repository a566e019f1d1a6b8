package engine

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cloudlysis/aggregate"
)

// step is one command of a life and what happens before it.
type step struct {
	key    int
	cmd    aggregate.ID
	kind   string
	amount int
	before string
}

// Same commands at the same times give the same events, byte by byte, whatever the snapshot
// interval, restarts, crashes, passivation, reloads and the number of engines, and whether or not
// commands that changed nothing are remembered.
func TestT6_4SameCommandsGiveTheSameEvents(t *testing.T) {
	kinds := []string{"deposit", "withdraw", "twice", "tell", "touch", "break"}
	happenings := []string{"", "", "restart", "crash", "passivate", "reload", "lose snapshots", "other engine"}
	rapid.Check(t, func(r *rapid.T) {
		var steps []step
		for i := range rapid.IntRange(1, 40).Draw(r, "steps") {
			steps = append(steps, step{rapid.IntRange(0, 2).Draw(r, "key"), idOf(uint64(1000 + i)), rapid.SampledFrom(kinds).Draw(r, "kind"),
				rapid.IntRange(0, 50).Draw(r, "amount"), rapid.SampledFrom(happenings).Draw(r, "before")})
		}
		plain := lifeOf(t, steps, false, 1000)
		if other := lifeOf(t, steps, true, rapid.IntRange(1, 5).Draw(r, "snapshot every")); other != plain {
			r.Fatalf("an eventful life gave\n%s\nthe plain one\n%s", other, plain)
		}
	})
}

// lifeOf runs the steps and gives the log's events as JSON.
func lifeOf(t *testing.T, steps []step, eventful bool, every int) string {
	w := newWorld(t)
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var since atomic.Int64
	w.opts.Monotonic = func() time.Duration { return time.Duration(since.Load()) }
	w.opts.Clock = func() time.Time { return start.Add(time.Duration(since.Load())) }
	w.opts.SnapshotThreshold, w.opts.IdleAfter, w.opts.RememberNothing = every, 1000*time.Hour, eventful
	engines := []*Engine{w.start(), w.start()}
	for _, s := range steps {
		if eventful {
			happen(t, w, engines, s.before)
		}
		cmd := command(keyOf("tenant-a", uint64(s.key+1)), s.kind, s.amount)
		cmd.CommandID = s.cmd
		_, _ = engines[0].Submit(context.Background(), cmd) // refusals are part of it
		since.Add(int64(time.Second))
	}
	out := ""
	for k := range uint64(3) {
		out += toJSON(t, w.log.events(keyOf("tenant-a", k+1))) + "\n"
	}
	for _, e := range engines {
		stop(t, e)
	}
	return out
}

func happen(t *testing.T, w *world, engines []*Engine, what string) {
	switch what {
	case "restart":
		stop(t, engines[0])
		engines[0] = w.start()
	case "crash":
		engines[0] = w.start() // the old one is closed with the test
	case "passivate":
		leaveAll(engines[0])
	case "reload":
		engines[0].Swap(bank(t))
	case "lose snapshots":
		for k := range uint64(3) {
			_ = w.store.Delete(keyOf("tenant-a", k+1))
		}
	case "other engine":
		engines[0], engines[1] = engines[1], engines[0]
	}
}
