package stream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/stream/envelope"
)

var onDemand = []envelope.Layout{envelope.PerTenant, envelope.PerType}

// eachOnDemand runs a test on both layouts; key(i) lies on a stream of its own for each i.
func eachOnDemand(t *testing.T, f func(t *testing.T, layout envelope.Layout, key func(i int) aggregate.Key)) {
	for _, layout := range onDemand {
		t.Run(layout.String(), func(t *testing.T) {
			f(t, layout, func(i int) aggregate.Key {
				if layout == envelope.PerTenant {
					return newKey(aggregate.TenantID(fmt.Sprintf("t%d", i)))
				}
				return aggregate.Key{Tenant: "acme", Type: aggregate.Type(fmt.Sprintf("T%d", i)), ID: aggregate.NewID()}
			})
		})
	}
}

func streamNames(t testing.TB, l *Log) []string {
	t.Helper()
	names, err := l.list(t.Context())
	must(t, err)
	slices.Sort(names)
	return names
}

// A stream is made by the first append and by nothing else, and is found again by another log.
func TestStreamsAreMadeByAppends(t *testing.T) {
	eachOnDemand(t, func(t *testing.T, layout envelope.Layout, key func(int) aggregate.Key) {
		srv := startServer(t, t.TempDir(), -1)
		for _, unshared := range []bool{false, true} {
			l := openLog(t, srv, Options{Layout: layout, Unshared: unshared})
			k := key(90)
			if got, _, err := versions(l, k, aggregate.Mark{}); err != nil || got != nil {
				t.Errorf("load: got %v, %v", got, err)
			}
			for e, err := range l.Events(t.Context(), k, 0) {
				t.Errorf("events: got %v, %v", e, err)
			}
			if ok, err := l.IsLatest(t.Context(), k, aggregate.Mark{}); !ok || err != nil {
				t.Errorf("an aggregate without a stream is where it began: got %t, %v", ok, err)
			}
			if _, _, err := l.At(t.Context(), k, 1); !errors.Is(err, aggregate.ErrNotFound) {
				t.Errorf("got %v", err)
			}
			_, _, err := versions(l, k, aggregate.Mark{Version: 1, Sequence: 1, Stream: "x"})
			wantErr(t, err, aggregate.ErrStaleMark)
			_, err = l.Append(t.Context(), k, aggregate.Mark{Version: 1, Sequence: 1, Stream: "x"}, []aggregate.Commit{commit(k, 1, 1)})
			wantErr(t, err, aggregate.ErrConflict)
			if h := l.Health(t.Context()); !h.Reachable || h.Last != 0 {
				t.Errorf("without streams: got %+v", h)
			}
			if got := streamNames(t, l); len(got) != 0 {
				t.Errorf("questions have made %v", got)
			}
		}
		l := openLog(t, srv, Options{Layout: layout, Unshared: true})
		var want []string
		for i := range 3 {
			grow(t, l, key(i), aggregate.Mark{}, 2)
			grow(t, l, key(i), aggregate.Mark{}, 1)
			want = append(want, layout.Stream(key(i)))
		}
		if got := streamNames(t, l); !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		again := openLog(t, srv, Options{Layout: layout, Unshared: true})
		end, err := again.End(t.Context())
		must(t, err)
		if !maps.Equal(end, Position{want[0]: 3, want[1]: 3, want[2]: 3}) {
			t.Errorf("another log sees %v", end)
		}
		if h := again.Health(t.Context()); !h.Reachable || h.Last != 9 || h.Seen != 9 {
			t.Errorf("got %+v", h)
		}
	})
}

// All tenants of an empty and odd kind live side by side, each on its own stream.
func TestEmptyTenantHasAStream(t *testing.T) {
	l := newLog(t, Options{Layout: envelope.PerTenant, Unshared: true})
	ends := map[aggregate.Key]aggregate.Mark{}
	for _, tenant := range []aggregate.TenantID{"", "a", "A", "a_", "a-"} {
		key := newKey(tenant)
		ends[key] = grow(t, l, key, aggregate.Mark{}, 2)
	}
	for key, end := range ends {
		if got, at, err := versions(l, key, aggregate.Mark{}); err != nil || !slices.Equal(got, count(1, 2)) || at != end || at.Sequence != 2 {
			t.Errorf("%v: got %v up to %+v, %v", key, got, at, err)
		}
	}
}

// Many first appends at once, in two logs, make each stream once, and all are stored.
func TestStreamMadeByManyAtOnce(t *testing.T) {
	eachOnDemand(t, func(t *testing.T, layout envelope.Layout, key func(int) aggregate.Key) {
		srv := startServer(t, t.TempDir(), -1)
		logs := []*Log{openLog(t, srv, Options{Layout: layout}), openLog(t, srv, Options{Layout: layout})}
		var wg sync.WaitGroup
		for i := range 120 {
			wg.Go(func() {
				k := key(i % 10)
				if _, err := logs[i%2].Append(context.Background(), k, aggregate.Mark{}, []aggregate.Commit{commit(k, 0, 1)}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for _, l := range logs {
			end, err := l.End(t.Context())
			must(t, err)
			if len(end) != 10 {
				t.Errorf("got %d streams", len(end))
			}
			for name, seq := range end {
				if seq != 12 {
					t.Errorf("%s ends at %d", name, seq)
				}
			}
		}
	})
}

// Who reads everything gets what comes in streams that did not exist when he began, whoever made them.
func TestFollowPicksUpNewStreams(t *testing.T) {
	eachOnDemand(t, func(t *testing.T, layout envelope.Layout, key func(int) aggregate.Key) {
		srv := startServer(t, t.TempDir(), -1)
		l, other := openLog(t, srv, Options{Layout: layout}), openLog(t, srv, Options{Layout: layout})
		grow(t, l, key(0), aggregate.Mark{}, 1)
		ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
		defer cancel()
		var at Position
		n := 0
		for e, err := range l.FollowFrom(ctx, envelope.Filter{AllTenants: true}, nil) {
			must(t, err)
			if e.Stream != layout.Stream(e.Key) {
				t.Errorf("%v comes from %s", e.Key, e.Stream)
			}
			at = at.After(e)
			switch n++; n {
			case 1:
				grow(t, l, key(1), aggregate.Mark{}, 1) // made here
			case 2:
				grow(t, other, key(2), aggregate.Mark{}, 1) // made elsewhere
			}
			if n == 3 {
				break
			}
		}
		end, err := l.End(ctx)
		must(t, err)
		if n != 3 || len(at) != 3 || !at.Covers(end) {
			t.Fatalf("read %d up to %v of %v", n, at, end)
		}
		// A log that knows none of the later streams goes on from there.
		back, err := ParsePosition(at.String())
		must(t, err)
		grow(t, other, key(3), aggregate.Mark{}, 1)
		for e, err := range openLog(t, srv, Options{Layout: layout}).FollowFrom(ctx, envelope.Filter{AllTenants: true}, back) {
			must(t, err)
			if e.Stream != layout.Stream(key(3)) {
				t.Errorf("%s was read before", e.Stream)
			}
			break
		}
		for _, err := range l.FollowFrom(ctx, envelope.Filter{AllTenants: true}, Position{layout.Stream(key(77)): 1}) {
			wantErr(t, err, aggregate.ErrStaleMark)
		}
		for _, err := range l.FollowFrom(ctx, envelope.Filter{AllTenants: true}, Position{"ORDERS": 1}) {
			wantErr(t, err, aggregate.ErrStaleMark)
		}
	})
}

// A subscription may come before its stream, and hears of it whoever makes it.
func TestSubscribeBeforeTheStream(t *testing.T) {
	eachOnDemand(t, func(t *testing.T, layout envelope.Layout, key func(int) aggregate.Key) {
		srv := startServer(t, t.TempDir(), -1)
		l, other := openLog(t, srv, Options{Layout: layout}), openLog(t, srv, Options{Layout: layout})
		ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
		defer cancel()
		var wg sync.WaitGroup
		for i, writer := range []*Log{l, other} {
			k := key(i)
			got := make(chan aggregate.Event, 9)
			wg.Go(func() {
				for e, err := range l.Subscribe(ctx, k.Tenant, k.Type, k.ID, 0) {
					if err != nil {
						t.Error(err)
						return
					}
					if got <- e; e.Version == 3 {
						return
					}
				}
			})
			wg.Go(func() { // all of one stream
				n := 0
				f := envelope.Filter{Tenant: k.Tenant, Type: k.Type}
				for _, err := range l.Follow(ctx, f, 0) {
					if err != nil {
						t.Error(err)
					}
					if n++; err != nil || n == 3 {
						return
					}
				}
			})
			select {
			case e := <-got:
				t.Errorf("got %v before there was anything", e)
			case <-time.After(20 * time.Millisecond):
			}
			grow(t, writer, k, aggregate.Mark{}, 3)
		}
		wg.Wait()
		if ctx.Err() != nil {
			t.Error("not in time")
		}
		quit, leave := context.WithCancel(ctx)
		time.AfterFunc(20*time.Millisecond, leave)
		k := key(50)
		for _, err := range l.Subscribe(quit, k.Tenant, k.Type, k.ID, 0) {
			t.Errorf("who leaves hears nothing: got %v", err)
		}
	})
}

// Over the bound a new stream is refused with a time to come again; those that are there go on.
func TestStreamsAreBounded(t *testing.T) {
	eachOnDemand(t, func(t *testing.T, layout envelope.Layout, key func(int) aggregate.Key) {
		srv := startServer(t, t.TempDir(), -1)
		l := openLog(t, srv, Options{Layout: layout, MaxStreams: 3})
		var wg sync.WaitGroup
		var mu sync.Mutex
		taken := 0
		for i := range 12 {
			wg.Go(func() {
				k := key(i)
				_, err := l.Append(context.Background(), k, aggregate.Mark{}, []aggregate.Commit{commit(k, 0, 1)})
				var busy *aggregate.UnavailableError
				if err != nil && (!errors.As(err, &busy) || !errors.Is(err, aggregate.ErrQuota) || busy.RetryAfter != fullRetry || !strings.Contains(err.Error(), "stream.max_streams is 3")) {
					t.Errorf("got %v", err)
				}
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					taken++
				}
			})
		}
		wg.Wait()
		names := streamNames(t, l)
		if len(names) != 3 || taken != 3 {
			t.Fatalf("%d were taken, the streams are %v", taken, names)
		}
		if l.Breaker() != "closed" {
			t.Error("a refusal is no failure of the server")
		}
		// A log that starts with more than its bound has them all.
		small := openLog(t, srv, Options{Layout: layout, MaxStreams: 1})
		for i := range 12 {
			if k := key(i); slices.Contains(names, layout.Stream(k)) {
				grow(t, small, k, aggregate.Mark{}, 1)
			} else if _, err := small.Append(t.Context(), k, aggregate.Mark{}, []aggregate.Commit{commit(k, 0, 1)}); !errors.Is(err, aggregate.ErrQuota) {
				t.Errorf("got %v", err)
			}
		}
	})
}

// Where names that differ in case only would share a folder, the second is refused.
func TestFoldedNamesAreRefused(t *testing.T) {
	l := newLog(t, Options{Layout: envelope.PerTenant, Unshared: true, FoldCase: true})
	grow(t, l, newKey("acme"), aggregate.Mark{}, 1)
	k := newKey("Acme")
	_, err := l.Append(t.Context(), k, aggregate.Mark{}, []aggregate.Commit{commit(k, 0, 1)})
	var v *aggregate.ValidationError
	if !errors.As(err, &v) || v.Path != "tenant_id" {
		t.Errorf("got %v", err)
	}
	grow(t, l, newKey("acme"), aggregate.Mark{}, 1)
	grow(t, l, newKey("acme2"), aggregate.Mark{}, 1)
}

// Another layout's data, or a foreign service in the way, is found at the start, in every direction.
func TestOpenRefusesAnotherLayout(t *testing.T) {
	layouts := []envelope.Layout{envelope.Single, envelope.Sharded(2), envelope.PerTenant, envelope.PerType}
	for _, begun := range layouts {
		srv := startServer(t, t.TempDir(), -1)
		l := openLog(t, srv, Options{Layout: begun, Breaker: BreakerOptions{}})
		if begun == envelope.Single {
			var err error
			l, err = Open(t.Context(), connect(t, srv.ClientURL()), Options{})
			must(t, err)
			t.Cleanup(func() { l.Close() })
		}
		grow(t, l, newKey("acme"), aggregate.Mark{}, 1)
		for _, now := range layouts {
			got, err := Open(t.Context(), connect(t, srv.ClientURL()), Options{Layout: now})
			if now == begun {
				must(t, err)
				must(t, got.Close())
				continue
			}
			if err == nil || !strings.Contains(err.Error(), "another stream.layout") {
				t.Errorf("%v on the data of %v: got %v", now, begun, err)
			}
		}
	}
}

// A stream that somebody else made with settings that would lose events is refused when it is met,
// and its neighbours are not.
func TestUnsuitableStreamOnDemand(t *testing.T) {
	eachOnDemand(t, func(t *testing.T, layout envelope.Layout, key func(int) aggregate.Key) {
		srv := startServer(t, t.TempDir(), -1)
		l := openLog(t, srv, Options{Layout: layout})
		cfg := l.config(newLane(layout.Stream(key(0))))
		cfg.MaxAge = time.Hour
		_, err := l.js.CreateStream(t.Context(), cfg)
		must(t, err)
		k := key(0)
		_, err = l.Append(t.Context(), k, aggregate.Mark{}, []aggregate.Commit{commit(k, 0, 1)})
		var u *UnsuitableError
		if !errors.As(err, &u) || u.Stream != cfg.Name {
			t.Errorf("append: got %v", err)
		}
		if _, _, err := versions(l, k, aggregate.Mark{}); !errors.As(err, &u) {
			t.Errorf("load: got %v", err)
		}
		grow(t, l, key(1), aggregate.Mark{}, 1)
		if end, err := l.End(t.Context()); err != nil || len(end) != 1 {
			t.Errorf("got %v, %v", end, err)
		}
		if _, err := Open(t.Context(), connect(t, srv.ClientURL()), Options{Layout: layout}); !errors.As(err, &u) {
			t.Errorf("open: got %v", err)
		}
		if l.Breaker() != "closed" {
			t.Error("an answer is no failure of the server")
		}
	})
}

// One stream deleted, as when a tenant leaves: its marks are stale, its readers are told, its
// aggregates begin anew; the others go on. All of them gone is another server.
func TestDeletedStream(t *testing.T) {
	eachOnDemand(t, func(t *testing.T, layout envelope.Layout, key func(int) aggregate.Key) {
		srv := startServer(t, t.TempDir(), -1)
		l := openLog(t, srv, Options{Layout: layout})
		keepFolder(t, l.js)
		keys, marks := make([]aggregate.Key, 2), make([]aggregate.Mark, 2)
		for i := range keys {
			keys[i] = key(i)
			marks[i] = grow(t, l, keys[i], aggregate.Mark{}, 2)
		}
		ended := make(chan error, 1)
		began := make(chan bool, 9)
		go func() {
			for _, err := range l.FollowFrom(context.Background(), envelope.Filter{AllTenants: true}, nil) {
				if err != nil {
					ended <- err
					return
				}
				began <- true
			}
		}()
		for range 4 {
			<-began
		}
		must(t, l.js.DeleteStream(t.Context(), layout.Stream(keys[0])))
		eventually(t, "the deletion is noticed", func() bool { return l.Incarnation() == 2 })
		_, _, err := versions(l, keys[0], marks[0])
		wantErr(t, err, aggregate.ErrStaleMark)
		_, err = l.Append(t.Context(), keys[0], marks[0], []aggregate.Commit{commit(keys[0], 2, 1)})
		wantErr(t, err, aggregate.ErrConflict)
		if ok, err := l.IsLatest(t.Context(), keys[0], marks[0]); ok || err != nil {
			t.Errorf("got %t, %v", ok, err)
		}
		grow(t, l, keys[1], marks[1], 1)
		anew := grow(t, l, keys[0], aggregate.Mark{}, 1)
		if anew.Stream == marks[0].Stream || anew.Sequence != 1 {
			t.Errorf("got %+v after %+v", anew, marks[0])
		}
		select {
		case err := <-ended:
			wantErr(t, err, aggregate.ErrStaleMark)
		case <-time.After(60 * time.Second):
			t.Error("who reads everything is not told")
		}
		for _, k := range keys {
			must(t, l.js.DeleteStream(t.Context(), layout.Stream(k)))
		}
		if _, err := l.End(t.Context()); !errors.Is(err, aggregate.ErrStream) || l.Incarnation() != 2 {
			t.Errorf("all streams gone: got %v, incarnation %d", err, l.Incarnation())
		}
	})
}

// After a reconnect every stream is compared, also those that were made at run time; a server with
// other data starts new incarnations.
func TestReconnectComparesStreamsOnDemand(t *testing.T) {
	eachOnDemand(t, func(t *testing.T, layout envelope.Layout, key func(int) aggregate.Key) {
		dir := t.TempDir()
		port := lastingPort(t)
		srv := startServer(t, dir, port)
		l := openLog(t, srv, Options{Layout: layout, Unshared: true})
		k0, k1 := key(0), key(1)
		m0, m1 := grow(t, l, k0, aggregate.Mark{}, 1), grow(t, l, k1, aggregate.Mark{}, 1)
		stopServer(srv)
		srv = startServer(t, dir, port)
		eventually(t, "reconnected", func() bool { return l.Health(t.Context()).Reachable })
		if l.Incarnation() != 1 {
			t.Errorf("nothing was lost: got incarnation %d", l.Incarnation())
		}
		grow(t, l, k0, m0, 1)
		s, err := l.js.Stream(t.Context(), layout.Stream(k1))
		must(t, err)
		cfg := s.CachedInfo().Config
		must(t, l.js.DeleteStream(t.Context(), cfg.Name))
		_, err = l.js.CreateStream(t.Context(), cfg)
		must(t, err)
		stopServer(srv)
		startServer(t, dir, port)
		eventually(t, "the new stream is noticed", func() bool { return l.Incarnation() == 2 && l.Health(t.Context()).Reachable })
		_, _, err = versions(l, k1, m1)
		wantErr(t, err, aggregate.ErrStaleMark)
		grow(t, l, k1, aggregate.Mark{}, 1)
		grow(t, l, key(2), aggregate.Mark{}, 1)
	})
}

// Exclusive ids go with per_type, whose streams hold all tenants of an id, and not with per_tenant.
func TestExclusiveIDsOnDemand(t *testing.T) {
	srv := startServer(t, t.TempDir(), -1)
	_, err := Open(t.Context(), connect(t, srv.ClientURL()), Options{Layout: envelope.PerTenant, ExclusiveIDs: true})
	var v *aggregate.ValidationError
	if !errors.As(err, &v) || v.Path != "stream.layout" {
		t.Errorf("got %v", err)
	}
	for _, unshared := range []bool{false, true} {
		l := openLog(t, srv, Options{Layout: envelope.PerType, ExclusiveIDs: true, Unshared: unshared})
		mine := newKey("acme")
		theirs := mine
		theirs.Tenant = "globex"
		m := grow(t, l, mine, aggregate.Mark{}, 1)
		if _, _, err := versions(l, theirs, aggregate.Mark{}); !errors.Is(err, aggregate.ErrTenantAccessDenied) {
			t.Errorf("load: got %v", err)
		}
		_, err = l.Append(t.Context(), theirs, aggregate.Mark{}, []aggregate.Commit{commit(theirs, 0, 1)})
		wantErr(t, err, aggregate.ErrTenantAccessDenied)
		grow(t, l, mine, m, 1)
		grow(t, l, newKey("globex"), aggregate.Mark{}, 1)
	}
}

// While the server is away a first append waits and is then refused; nobody's stream is made twice.
func TestStreamOnDemandWithoutServer(t *testing.T) {
	dir := t.TempDir()
	port := lastingPort(t)
	srv := startServer(t, dir, port)
	l, err := Open(t.Context(), connect(t, srv.ClientURL()), Options{Layout: envelope.PerTenant, Unshared: true, AckWait: 50 * time.Millisecond,
		Logger: slog.New(slog.DiscardHandler)})
	must(t, err)
	stopServer(srv)
	eventually(t, "the loss is noticed", func() bool { return l.gate.closed() })
	k := newKey("acme")
	_, err = l.Append(t.Context(), k, aggregate.Mark{}, []aggregate.Commit{commit(k, 0, 1)})
	if !errors.Is(err, aggregate.ErrStream) || errors.Is(err, aggregate.ErrInDoubt) {
		t.Errorf("got %v", err)
	}
	srv = startServer(t, dir, port)
	eventually(t, "appends are taken again", func() bool {
		_, err := l.Append(t.Context(), k, aggregate.Mark{}, []aggregate.Commit{commit(k, 0, 1)})
		return err == nil
	})
	stopServer(srv)
	must(t, l.Close())
	other := newKey("globex")
	if _, err := l.Append(t.Context(), other, aggregate.Mark{}, []aggregate.Commit{commit(other, 0, 1)}); err == nil {
		t.Error("a closed log has taken an append")
	}
}

// The marks of the embedded server's syncs are told for streams that come at run time.
func TestWatermarkOfStreamsOnDemand(t *testing.T) {
	eachOnDemand(t, func(t *testing.T, layout envelope.Layout, key func(int) aggregate.Key) {
		l, srv := embeddedOn(t, t.TempDir(), layout)
		nc, err := srv.Connect("listener")
		must(t, err)
		k := key(0)
		sub, err := nc.SubscribeSync(WatermarkSubject(layout.Stream(k)))
		must(t, err)
		must(t, nc.Flush())
		grow(t, l, k, aggregate.Mark{}, 3)
		eventually(t, "the watermark is told", func() bool {
			m, err := sub.NextMsg(10 * time.Second)
			return err == nil && string(m.Data) == "3"
		})
		if h := l.Health(t.Context()); !h.Reachable || h.Synced != 3 || h.Last != 3 {
			t.Errorf("got %+v", h)
		}
	})
}

// Two nodes of a cluster make one stream at the same time.
func TestClusterMakesStreamsOnDemand(t *testing.T) {
	if testing.Short() {
		t.Skip("starts three servers")
	}
	servers := startCluster(t)
	logs := make([]*Log, 3)
	for i, srv := range servers {
		logs[i] = openLog(t, srv, Options{Replicas: 3, Layout: envelope.PerTenant})
	}
	for round := range 5 {
		tenant := aggregate.TenantID(fmt.Sprintf("t%d", round))
		key := newKey(tenant)
		at := raceAll(t, logs, key, aggregate.Mark{})
		for _, l := range logs {
			eventually(t, "every replica has caught up", func() bool {
				got, end, err := versions(l, key, aggregate.Mark{})
				return err == nil && end == at && len(got) == 1
			})
		}
	}
	for _, l := range logs {
		end, err := l.End(t.Context())
		must(t, err)
		if len(end) != 5 {
			t.Errorf("got %v", end)
		}
		for _, ln := range l.lanes.all() {
			info, err := l.info(t.Context(), ln)
			must(t, err)
			if info.Config.Replicas != 3 || info.Config.Storage != jetstream.FileStorage {
				t.Errorf("got %+v", info.Config)
			}
		}
	}
}

// Each append and load looks its lane up: that costs no memory.
func TestLaneIsFoundWithoutAllocation(t *testing.T) {
	eachOnDemand(t, func(t *testing.T, layout envelope.Layout, key func(int) aggregate.Key) {
		l := newLog(t, Options{Layout: layout})
		k := key(0)
		k.Tenant, k.Type = aggregate.TenantID(strings.Repeat("t", aggregate.MaxTenantID)), aggregate.Type("T"+strings.Repeat("y", aggregate.MaxType-1))
		grow(t, l, k, aggregate.Mark{}, 1)
		if n := testing.AllocsPerRun(100, func() {
			if l.lane(k) == nil {
				t.Error("the lane is not there")
			}
		}); n != 0 {
			t.Errorf("%v allocations", n)
		}
	})
}
