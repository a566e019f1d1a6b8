package stream

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/internal/natsd"
	"github.com/cloudlysis/aggregate/stream/envelope"
)

// embedded opens a log on the embedded server of the product, with its group sync.
func embedded(t testing.TB, dir string) (*Log, *natsd.Server) {
	t.Helper()
	return embeddedOn(t, dir, envelope.Single)
}

func embeddedOn(t testing.TB, dir string, layout envelope.Layout) (*Log, *natsd.Server) {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	srv, err := natsd.Start(natsd.Options{Dir: dir, Logger: quiet, Fatal: func(err error) { t.Error(err) }})
	must(t, err)
	t.Cleanup(srv.Shutdown)
	conn := func(name string) *nats.Conn {
		nc, err := srv.Connect(name)
		must(t, err)
		return nc
	}
	l, err := Open(t.Context(), conn("appends"), Options{Loads: conn("loads"), Sync: srv.Syncer(), Unshared: true, Layout: layout, Logger: quiet})
	must(t, err)
	t.Cleanup(func() { l.Close() })
	return l, srv
}

// The whole path with the server, accounts and syncer that aggd runs.
func TestWithEmbeddedServer(t *testing.T) {
	dir := t.TempDir()
	l, srv := embedded(t, dir)
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	must(t, l.PutManifest(ctx, testManifest, map[string][]byte{"a.agg": []byte("x")}))
	keys, ends := make([]aggregate.Key, 8), make([]aggregate.Mark, 8)
	var wg sync.WaitGroup
	for i := range keys {
		keys[i] = newKey("acme")
		wg.Go(func() { ends[i] = grow(t, l, keys[i], aggregate.Mark{}, 10) })
	}
	wg.Wait()
	var got []aggregate.Version
	for e, err := range l.Subscribe(ctx, keys[0].Tenant, keys[0].Type, keys[0].ID, 0) {
		must(t, err)
		if got = append(got, e.Version); e.Version == 10 {
			break
		}
	}
	if !slices.Equal(got, count(1, 10)) {
		t.Errorf("got %v", got)
	}
	if h := l.Health(ctx); !h.Reachable || h.Synced != h.Last || h.Last != 80 {
		t.Errorf("what was acknowledged is on disk: got %+v", h)
	}
	must(t, l.Close())
	srv.Shutdown()
	l, _ = embedded(t, dir)
	for i, key := range keys {
		if got, end, err := versions(l, key, aggregate.Mark{}); err != nil || !slices.Equal(got, count(1, 10)) || end != ends[i] {
			t.Errorf("after a restart: got %v up to %+v, %v", got, end, err)
		}
	}
	if files, err := l.GetManifest(ctx, testManifest); err != nil || string(files["a.agg"]) != "x" {
		t.Errorf("got %v, %v", files, err)
	}
}
