package stream

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/cloudlysis/aggregate"
)

// TestGather: a wait for the disk begins when those who were in the air as the last one ended are
// here, and waits for nobody else.
func TestGather(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newLanding()
		took := func() time.Duration {
			began := time.Now()
			g.gather()
			return time.Since(began)
		}
		if d := took(); d != 0 {
			t.Errorf("nobody in the air: it waited %v", d)
		}
		early, other := g.depart(), g.depart()
		g.wave.Add(1)
		late := g.depart()
		go func() {
			time.Sleep(200 * time.Microsecond)
			g.arrive(early)
			time.Sleep(300 * time.Microsecond)
			g.arrive(other)
		}()
		if d := took(); d != 500*time.Microsecond {
			t.Errorf("it waited %v, want 500µs: for both of the wave before, and not for the one that left later", d)
		}
		g.wave.Add(1)
		if d := took(); d != aloftWait {
			t.Errorf("one does not come: it waited %v, want %v", d, aloftWait)
		}
		g.arrive(late)
		for range waves {
			g.wave.Add(1)
			if d := took(); d != 0 {
				t.Errorf("it waited %v, want 0", d)
			}
		}
	})
}

// TestGatherForgets: a flight whose acknowledgement never comes delays one wait in many.
func TestGatherForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newLanding()
		g.depart()
		began := time.Now()
		for range waves {
			g.wave.Add(1)
			g.gather()
		}
		if d := time.Since(began); d != aloftWait {
			t.Errorf("%d waits were delayed by %v, want %v", waves, d, aloftWait)
		}
	})
}

// nobodyAloft waits until no flight is counted as in the air: all have been told.
func nobodyAloft(t *testing.T, l *Log) {
	t.Helper()
	eventually(t, "every flight that departed has arrived", func() bool {
		for i := range l.landing.aloft {
			if l.landing.aloft[i].Load() != 0 {
				return false
			}
		}
		return l.inbox.inFlight() == 0
	})
}

// TestEveryFlightArrives: whatever keeps a flight from its acknowledgement, it does not stay counted as
// in the air, where others would wait for it.
func TestEveryFlightArrives(t *testing.T) {
	srv := startServer(t, t.TempDir(), -1)
	for _, tt := range []struct {
		name  string
		spoil func(l *Log)
		c     func(c *aggregate.Commit)
	}{
		{name: "the inbox is full", spoil: func(l *Log) { l.inbox.limit = 0 }},
		{name: "the inbox is closed", spoil: func(l *Log) { must(t, l.inbox.close()) }},
		{name: "the log is closed", spoil: func(l *Log) { must(t, l.Close()) }},
		{name: "the connection is closed", spoil: func(l *Log) { l.nc.Close() }},
		{name: "the message is too large", c: func(c *aggregate.Commit) {
			c.Command = json.RawMessage(`{"pad":"` + strings.Repeat("x", 1<<20) + `"}`)
		}},
		{name: "nobody takes it", spoil: func(l *Log) { must(t, l.js.DeleteStream(t.Context(), l.lanes.all()[0].name)) }},
		{name: "it is late", spoil: func(l *Log) {
			ln := l.lanes.all()[0]
			must(t, l.js.DeleteStream(t.Context(), ln.name))
			_, err := l.loads.Subscribe("tenant.>", func(*nats.Msg) {}) // takes it and says nothing
			must(t, err)
			must(t, l.loads.Flush())
		}},
		{name: "it is refused", c: func(c *aggregate.Commit) { c.Events[0].Version = 9 }},
		{name: "it is taken"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, err := Open(t.Context(), connect(t, srv.ClientURL()), Options{Loads: connect(t, srv.ClientURL()), AckWait: 100 * time.Millisecond,
				Sync: syncFunc(func(ctx context.Context) error { return ctx.Err() }), Breaker: BreakerOptions{Failures: 1 << 30}})
			must(t, err)
			defer l.Close()
			if tt.spoil != nil {
				tt.spoil(l)
			}
			var told sync.WaitGroup
			for range 20 {
				key := newKey("acme")
				c := commit(key, 0, 1)
				if tt.c != nil {
					tt.c(&c)
				}
				told.Add(1)
				l.Begin(t.Context(), key, aggregate.Mark{}, []aggregate.Commit{c}, func(_ aggregate.Mark, _ time.Duration, err error) {
					if (err == nil) != (tt.name == "it is taken") {
						t.Errorf("got %v", err)
					}
					told.Done()
				})
			}
			told.Wait()
			nobodyAloft(t, l)
		})
	}
}
