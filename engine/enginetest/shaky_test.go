package enginetest

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/engine"
)

// The link to the embedded server breaks again and again, answers are given up early, callers leave,
// the tenant is drained and the manifest swapped, aggregates come and go. A caller who was not told
// that his command was accepted asks again. In the end each command has taken place once, whoever
// sent it and however, and an engine that gives up leaves nothing wrong behind.
func TestEveryCommandOnceOverAShakyLink(t *testing.T) {
	const callers, each, many = 16, 40, 30
	n := newNode(t, counterText)
	n.log.AckWait = 25 * time.Millisecond
	n.opts = engine.Options{SnapshotThreshold: 5, MaxLive: many / 2, IdleAfter: 20 * time.Millisecond, DoubtWait: 20 * time.Millisecond,
		Backoff: engine.Backoff{Initial: time.Millisecond, Max: 10 * time.Millisecond}}
	n.start()
	var keys []aggregate.Key
	for range many {
		keys = append(keys, newKey("tenant-a"))
	}
	var over atomic.Bool
	var shakers, wg sync.WaitGroup
	shake := func(every time.Duration, f func()) {
		shakers.Go(func() {
			for !over.Load() {
				time.Sleep(rand.N(every))
				f()
			}
		})
	}
	shake(100*time.Millisecond, func() { _ = n.link.ForceReconnect() })
	shake(100*time.Millisecond, func() { n.engine.Swap(manifestOf(n.set)) })
	shake(300*time.Millisecond, func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
		defer cancel()
		_ = n.engine.Drain(ctx, "tenant-a")
		n.engine.Resume("tenant-a")
	})
	var tries atomic.Int64
	for c := range callers {
		wg.Go(func() {
			for i := range each {
				persist(t, n.engine, deposit(keys[(c*each+i)%many], 1), &tries)
			}
		})
	}
	wg.Wait()
	over.Store(true)
	shakers.Wait()
	t.Logf("%d tries of %d commands", tries.Load(), callers*each)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := n.engine.Close(ctx); err != nil || n.engine.Live() != 0 {
		t.Errorf("close: %v; %d are live", err, n.engine.Live())
	}
	n.engine = n.openEngine(n.stream) // n.stop closes it
	total := 0
	for _, key := range keys {
		seen := map[aggregate.ID]bool{}
		for i, ev := range n.events(key) {
			if ev.Version != aggregate.Version(i+1) || seen[ev.CommandID] {
				t.Fatalf("event %d has version %d; its command was seen before: %v", i, ev.Version, seen[ev.CommandID])
			}
			seen[ev.CommandID] = true
			total++
		}
		if s, err := n.engine.State(context.Background(), key); err != nil || int(s.Version) != len(seen) {
			t.Errorf("state: %s, %v; the log has %d events", toJSON(t, s), err, len(seen))
		}
	}
	if total != callers*each {
		t.Errorf("%d events, want %d", total, callers*each)
	}
}

// persist sends a command, in the one way or the other, until it was accepted.
func persist(t *testing.T, e *engine.Engine, cmd *aggregate.Command, tries *atomic.Int64) {
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		tries.Add(1)
		told := make(chan error, 2)
		if rand.IntN(2) == 0 {
			e.Start(context.Background(), cmd, func(_ *aggregate.Reply, err error) { told <- err })
		} else {
			ctx, cancel := context.WithTimeout(context.Background(), rand.N(20*time.Millisecond))
			_, err := e.Submit(ctx, cmd)
			cancel()
			told <- err
		}
		var away *aggregate.UnavailableError
		switch err := <-told; {
		case err == nil:
			return
		case errors.As(err, &away), errors.Is(err, aggregate.ErrInDoubt), errors.Is(err, context.DeadlineExceeded), errors.Is(err, aggregate.ErrConflict):
			time.Sleep(time.Millisecond)
		default:
			t.Errorf("%s: %v", cmd.CommandID, err)
			return
		}
	}
	t.Errorf("%s is not done", cmd.CommandID)
}
