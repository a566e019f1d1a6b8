package stream

import (
	"context"
	"errors"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/cloudlysis/aggregate"
)

func TestRestartKeepsTheLog(t *testing.T) {
	dir := t.TempDir()
	srv := startServer(t, dir, -1)
	l := openLog(t, srv, Options{})
	key := newKey("acme")
	m := grow(t, l, key, aggregate.Mark{}, 5)
	stopServer(srv)
	l2 := openLog(t, startServer(t, dir, -1), Options{})
	if got, end, err := versions(l2, key, aggregate.Mark{}); err != nil || !slices.Equal(got, count(1, 5)) || end != m {
		t.Errorf("got %v up to %+v, %v, want the end %+v", got, end, err, m)
	}
	if got, _, err := versions(l2, key, m); err != nil || len(got) != 0 {
		t.Errorf("a mark outlives the process: got %v, %v", got, err)
	}
	grow(t, l2, key, m, 1)
}

func TestLostTailIsANewIncarnation(t *testing.T) {
	dir, port := t.TempDir(), lastingPort(t)
	srv := startServer(t, dir, port)
	l := openLog(t, srv, Options{})
	key := newKey("acme")
	m3 := grow(t, l, key, aggregate.Mark{}, 3)
	stopServer(srv)
	backup := t.TempDir()
	must(t, os.CopyFS(backup, os.DirFS(dir)))
	srv = startServer(t, dir, port)
	eventually(t, "reconnected", func() bool { return l.Health(t.Context()).Reachable })
	m5 := grow(t, l, key, m3, 2)
	stopServer(srv)
	startServer(t, backup, port) // a restored backup: two acknowledged messages are gone
	eventually(t, "the loss is noticed", func() bool { return l.Incarnation() == 2 })
	if _, err := l.Append(t.Context(), key, m5, []aggregate.Commit{commit(key, 5, 1)}); !errors.Is(err, aggregate.ErrConflict) {
		t.Errorf("append to what is gone: got %v, want ErrConflict", err)
	}
	_, _, err := versions(l, key, m5)
	wantErr(t, err, aggregate.ErrStaleMark)
	got, end, err := versions(l, key, aggregate.Mark{})
	if err != nil || !slices.Equal(got, count(1, 3)) {
		t.Errorf("got %v, %v", got, err)
	}
	// Sequences are used again; the hash tells the old mark from the new message.
	grow(t, l, key, end, 2)
	_, _, err = versions(l, key, m5)
	wantErr(t, err, aggregate.ErrStaleMark)
}

func TestStreamMadeAnewIsANewIncarnation(t *testing.T) {
	port := lastingPort(t)
	srv := startServer(t, t.TempDir(), port)
	l := openLog(t, srv, Options{})
	key := newKey("acme")
	m := grow(t, l, key, aggregate.Mark{}, 2)
	ended := make(chan error, 1)
	started := make(chan struct{}, 9)
	go func() {
		for _, err := range l.Subscribe(context.Background(), key.Tenant, key.Type, key.ID, 0) {
			if err != nil {
				ended <- err
				return
			}
			started <- struct{}{}
		}
		ended <- nil
	}()
	<-started
	stopServer(srv)
	srv = startServer(t, t.TempDir(), port) // an empty one on the same address
	other, err := Open(t.Context(), connect(t, srv.ClientURL()), Options{Logger: l.opts.Logger})
	must(t, err)
	defer other.Close()
	eventually(t, "the new stream is noticed", func() bool { return l.Incarnation() == 2 })
	_, _, err = versions(l, key, m)
	wantErr(t, err, aggregate.ErrStaleMark)
	if ok, err := l.IsLatest(t.Context(), key, m); ok || err != nil {
		t.Errorf("got %t, %v", ok, err)
	}
	wantErr(t, <-ended, aggregate.ErrStaleMark) // the subscription ends and says why
	grow(t, l, key, aggregate.Mark{}, 1)
}

func TestLostConnectionIsDoubt(t *testing.T) {
	srv := startServer(t, t.TempDir(), -1)
	l := openLog(t, srv, Options{})
	_, err := l.loads.SubscribeSync("silent") // takes the message and says nothing
	must(t, err)
	must(t, l.loads.Flush())
	answer := make(chan error, 1)
	go func() {
		_, err := l.inbox.publish(&nats.Msg{Subject: "silent"}, nil, time.Minute)
		answer <- err
	}()
	eventually(t, "a message is in flight", func() bool { return l.inbox.inFlight() == 1 })
	stopServer(srv)
	var lost lostError
	select {
	case err := <-answer:
		if !errors.As(err, &lost) {
			t.Errorf("got %v, want a lostError", err)
		}
	case <-time.After(60 * time.Second):
		t.Error("who waits for an ack is not told that the connection is gone")
	}
}

func TestOpenRefusesUnsuitableStreams(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(*jetstream.StreamConfig)
	}{
		{"subjects", func(c *jetstream.StreamConfig) { c.Subjects = []string{"tenant.>"} }},
		{"work queue", func(c *jetstream.StreamConfig) { c.Retention = jetstream.WorkQueuePolicy }},
		{"discard old", func(c *jetstream.StreamConfig) { c.Discard = jetstream.DiscardOld; c.MaxMsgs = 9 }},
		{"memory", func(c *jetstream.StreamConfig) { c.Storage = jetstream.MemoryStorage }},
		{"age", func(c *jetstream.StreamConfig) { c.MaxAge = time.Hour }},
		{"messages per subject", func(c *jetstream.StreamConfig) { c.MaxMsgsPerSubject = 5 }},
		{"no direct get", func(c *jetstream.StreamConfig) { c.AllowDirect = false }},
		{"delete", func(c *jetstream.StreamConfig) { c.DenyDelete = false }},
		{"purge", func(c *jetstream.StreamConfig) { c.DenyPurge = false }},
		{"rollup", func(c *jetstream.StreamConfig) { c.AllowRollup = true; c.DenyPurge = false }},
		{"ttl", func(c *jetstream.StreamConfig) { c.AllowMsgTTL = true }},
		{"compression", func(c *jetstream.StreamConfig) { c.Compression = jetstream.S2Compression }},
		{"async", func(c *jetstream.StreamConfig) { c.PersistMode = jetstream.AsyncPersistMode }},
		{"no ack", func(c *jetstream.StreamConfig) { c.NoAck = true }},
	}
	srv := startServer(t, t.TempDir(), -1)
	nc := connect(t, srv.ClientURL())
	js, err := jetstream.New(nc)
	must(t, err)
	keepFolder(t, js)
	model := &Log{opts: Options{}.withDefaults(nc)}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := model.config(newLane("AGGREGATE_EVENTS"))
			tt.spoil(&cfg)
			_, err := js.CreateStream(t.Context(), cfg)
			must(t, err)
			defer js.DeleteStream(context.Background(), cfg.Name)
			_, err = Open(t.Context(), nc, Options{})
			var u *UnsuitableError
			if !errors.As(err, &u) || len(u.Problems) == 0 || u.Stream != "AGGREGATE_EVENTS" {
				t.Errorf("got %v, want UnsuitableError", err)
			}
		})
	}
	t.Run("suitable", func(t *testing.T) {
		cfg := model.config(newLane("AGGREGATE_EVENTS"))
		cfg.MaxBytes = 1 << 30 // the operator's limit refuses new messages, it drops none
		_, err := js.CreateStream(t.Context(), cfg)
		must(t, err)
		l, err := Open(t.Context(), nc, Options{})
		must(t, err)
		must(t, l.Close())
	})
}

// keepFolder makes a stream that stays: nats-server removes the account's folder in the background
// after its last stream is deleted, and a stream that is created just then fails with 10049.
func keepFolder(t *testing.T, js jetstream.JetStream) {
	t.Helper()
	_, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "KEEP", Subjects: []string{"keep"}})
	must(t, err)
}

func TestOpenWithoutServer(t *testing.T) {
	srv := startServer(t, t.TempDir(), -1)
	nc := connect(t, srv.ClientURL())
	stopServer(srv)
	_, err := Open(shortly(t), nc, Options{})
	if err == nil {
		t.Error("got no error")
	}
}

func TestFullStreamRefusesAppends(t *testing.T) {
	srv := startServer(t, t.TempDir(), -1)
	nc := connect(t, srv.ClientURL())
	js, err := jetstream.New(nc)
	must(t, err)
	cfg := (&Log{opts: Options{}.withDefaults(nc)}).config(newLane("AGGREGATE_EVENTS"))
	cfg.MaxBytes = 4096
	_, err = js.CreateStream(t.Context(), cfg)
	must(t, err)
	l := openLog(t, srv, Options{})
	key, at := newKey("acme"), aggregate.Mark{}
	for {
		m, err := l.Append(t.Context(), key, at, []aggregate.Commit{commit(key, at.Version, 1)})
		if err != nil {
			wantErr(t, err, aggregate.ErrStream)
			if errors.Is(err, aggregate.ErrInDoubt) || errors.Is(err, aggregate.ErrConflict) {
				t.Errorf("got %v", err)
			}
			break
		}
		if at = m; at.Version > 99 {
			t.Fatal("the limit of bytes does nothing")
		}
	}
	if got, end, err := versions(l, key, aggregate.Mark{}); err != nil || end != at || len(got) != int(at.Version) {
		t.Errorf("got %v up to %+v, %v", got, end, err)
	}
}

func TestStreamWithASmallerLimit(t *testing.T) {
	srv := startServer(t, t.TempDir(), -1)
	nc := connect(t, srv.ClientURL())
	js, err := jetstream.New(nc)
	must(t, err)
	cfg := (&Log{opts: Options{}.withDefaults(nc)}).config(newLane("AGGREGATE_EVENTS"))
	cfg.MaxMsgSize = 4096
	_, err = js.CreateStream(t.Context(), cfg)
	must(t, err)
	l := openLog(t, srv, Options{})
	key := newKey("acme")
	_, err = l.Append(t.Context(), key, aggregate.Mark{}, []aggregate.Commit{commit(key, 0, 50)})
	wantErr(t, err, aggregate.ErrTooLarge)
	grow(t, l, key, aggregate.Mark{}, 1)
}

func TestManifestsAreKept(t *testing.T) {
	dir := t.TempDir()
	srv := startServer(t, dir, -1)
	synced := 0
	l := openLog(t, srv, Options{Sync: syncFunc(func(context.Context) error { synced++; return nil })})
	files := map[string][]byte{"bank/account.agg": []byte("aggregate Account\n"), "lib/money.agg": {}}
	_, err := l.GetManifest(t.Context(), testManifest)
	wantErr(t, err, ErrNoManifest)
	for range 2 {
		before := synced
		must(t, l.PutManifest(t.Context(), testManifest, files))
		if synced == before {
			t.Error("a manifest is kept before it is on disk")
		}
	}
	if err := l.PutManifest(t.Context(), "", nil); err == nil {
		t.Error("an empty set was kept")
	}
	stopServer(srv)
	l2 := openLog(t, startServer(t, dir, -1), Options{})
	got, err := l2.GetManifest(t.Context(), testManifest)
	must(t, err)
	if len(got) != 2 || string(got["bank/account.agg"]) != "aggregate Account\n" || len(got["lib/money.agg"]) != 0 {
		t.Errorf("got %q", got)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
