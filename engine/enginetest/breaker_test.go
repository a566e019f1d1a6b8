package enginetest

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/store"
	"github.com/cloudlysis/aggregate/stream/envelope"
)

// The snapshot files fail for good while commands go on: the circuit opens, every aggregate is
// replayed from the log, and no command notices.
func TestT4_2CommandsGoOnWithoutSnapshots(t *testing.T) { // seed 4.2
	n := newNode(t, counterText)
	n.opts.SnapshotThreshold = 1
	n.opts.IdleAfter = 5 * time.Millisecond // so that loads ask the store again and again
	n.start()
	dir := filepath.Join(n.dir, "broken")
	broken, err := store.Open(dir, store.Options{Logger: slog.New(slog.DiscardHandler), Breaker: store.BreakerOptions{Failures: 3, OpenFor: time.Minute}})
	n.must(err)
	n.must(broken.Close()) // every call fails from here on
	n.must(os.RemoveAll(dir))
	good := n.store
	n.must(good.Close())
	n.store = broken
	n.must(n.engine.Close(context.Background()))
	n.engine = n.openEngine(n.stream)
	key := newKey("tenant-a")
	for i := range 20 {
		n.do(deposit(key, 1))
		for n.engine.Live() > 0 {
			time.Sleep(time.Millisecond)
		}
		if i == 10 && broken.Breaker() != "open" {
			t.Errorf("got %s", broken.Breaker())
		}
	}
	n.wantState(key, `20 {"balance":20}`)
	if broken.Breaker() != "open" {
		t.Errorf("got %s", broken.Breaker())
	}
}

// The engine over several streams: commands, repeats, restarts and reads are as over one.
func TestEngineOnLayouts(t *testing.T) {
	for layout, streams := range map[envelope.Layout]int{envelope.Sharded(4): 4, envelope.PerTenant: 5, envelope.PerType: 1} {
		t.Run(layout.String(), func(t *testing.T) { testEngineOn(t, layout, streams) })
	}
}

func testEngineOn(t *testing.T, layout envelope.Layout, streams int) {
	n := newNode(t, counterText)
	n.log.Layout = layout
	n.opts.SnapshotThreshold = 3
	n.start()
	keys := make([]aggregate.Key, 24)
	first := make([]*aggregate.Command, len(keys))
	together(len(keys), func(i int) {
		keys[i] = newKey([]aggregate.TenantID{"", "tenant-a", "tenant-b", "tenant-c", "TENANT_D"}[i%5])
		first[i] = deposit(keys[i], 1)
		n.do(first[i])
		for range 6 {
			n.do(deposit(keys[i], 1))
		}
	})
	n.must(n.server.SyncTree(context.Background()))
	n.stop()
	n.start()
	end, err := n.stream.End(context.Background())
	n.must(err)
	for name, last := range end {
		if last == 0 {
			t.Errorf("stream %s is empty", name)
		}
	}
	if len(end) != streams {
		t.Errorf("got %v", end)
	}
	for i, key := range keys {
		if r := n.do(first[i]); !r.Duplicate || r.Version != 1 {
			t.Errorf("a repeat after the restart: got %+v", r)
		}
		n.wantState(key, `7 {"balance":7}`)
		if got := n.events(key); len(got) != 7 {
			t.Errorf("got %d events", len(got))
		}
	}
	_, err = n.engine.Submit(context.Background(), command(keys[0], `{"type":"withdraw","amount":99}`))
	var refused *aggregate.RejectedError
	if !errors.As(err, &refused) {
		t.Errorf("got %v", err)
	}
}
