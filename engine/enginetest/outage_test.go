package enginetest

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/engine"
	"github.com/cloudlysis/aggregate/internal/aggdtest"
	"github.com/cloudlysis/aggregate/store"
	"github.com/cloudlysis/aggregate/stream"
	"github.com/cloudlysis/aggregate/stream/envelope"
)

func startServer(t testing.TB, dir string, port int) *server.Server {
	t.Helper()
	srv, err := server.NewServer(&server.Options{ServerName: "outage", Host: "127.0.0.1", Port: port, NoSigs: true, NoLog: true, JetStream: true, StoreDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	srv.Start()
	if !srv.ReadyForConnections(30 * time.Second) {
		t.Fatal("the server does not start")
	}
	return srv
}

func dial(t testing.TB, srv *server.Server) *nats.Conn {
	t.Helper()
	nc, err := nats.Connect(srv.ClientURL(), nats.ReconnectBufSize(-1), nats.MaxReconnects(-1), nats.ReconnectWait(10*time.Millisecond),
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

// The server goes away again and again while callers send commands. A caller that is told
// "unavailable" or "outcome unknown" asks again with the same id. In the end each command has
// taken place once.
func TestEveryCommandOnceThroughOutages(t *testing.T) {
	base := newNode(t, counterText)
	dir := filepath.Join(base.dir, "nats")
	port, err := aggdtest.Port() // the same each time
	base.must(err)
	srv := startServer(t, dir, port)
	l, err := stream.Open(t.Context(), dial(t, srv), stream.Options{Loads: dial(t, srv), AckWait: 100 * time.Millisecond, Logger: slog.New(slog.DiscardHandler)})
	base.must(err)
	st, err := store.Open(filepath.Join(base.dir, "snapshots"), store.Options{})
	base.must(err)
	e, err := engine.New(engine.Options{Log: l, Snapshots: st, EventID: envelope.EventID, Manifest: manifestOf(base.set), SnapshotThreshold: 7,
		DoubtWait: 200 * time.Millisecond, Backoff: engine.Backoff{Initial: time.Millisecond, Max: 50 * time.Millisecond}})
	base.must(err)

	const callers, each = 8, 60
	keys := []aggregate.Key{newKey("tenant-a"), newKey("tenant-a"), newKey("")}
	var doubts, refused, done atomic.Int64
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			for i := range each {
				cmd := deposit(keys[(c+i)%len(keys)], 1)
				submitUntilDone(t, e, cmd, &doubts, &refused)
				done.Add(1)
			}
		})
	}
	for range 3 {
		for at := done.Load() + callers*each/5; done.Load() < min(at, callers*each); {
			time.Sleep(time.Millisecond)
		}
		srv.Shutdown()
		srv.WaitForShutdown()
		time.Sleep(50 * time.Millisecond)
		srv = startServer(t, dir, port)
	}
	wg.Wait()
	defer func() { srv.Shutdown(); srv.WaitForShutdown() }()
	t.Logf("%d answers in doubt, %d unavailable", doubts.Load(), refused.Load())

	var total int64
	for _, key := range keys {
		seen := map[aggregate.ID]bool{}
		version := aggregate.Version(0)
		for ev, err := range l.Events(context.Background(), key, 0) {
			base.must(err)
			if version++; ev.Version != version || seen[ev.CommandID] {
				t.Fatalf("version %d after %d, command seen before: %v", ev.Version, version-1, seen[ev.CommandID])
			}
			seen[ev.CommandID] = true
			total++
		}
		s, err := e.State(context.Background(), key)
		if err != nil || s.Version != version {
			t.Errorf("state: %s, %v; the log is at %d", toJSON(t, s), err, version)
		}
	}
	if total != callers*each {
		t.Errorf("%d events, want %d", total, callers*each)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	base.must(errors.Join(e.Close(ctx), l.Close(), st.Close()))
}

func submitUntilDone(t *testing.T, e *engine.Engine, cmd *aggregate.Command, doubts, refused *atomic.Int64) {
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
		_, err := e.Submit(ctx, cmd)
		cancel()
		switch {
		case err == nil:
			return
		case errors.Is(err, aggregate.ErrInDoubt):
			doubts.Add(1)
		case errors.Is(err, aggregate.ErrStream), errors.Is(err, context.DeadlineExceeded), errors.Is(err, aggregate.ErrConflict):
			refused.Add(1)
		default:
			t.Errorf("%s: %v", cmd.CommandID, err)
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Errorf("%s is not done", cmd.CommandID)
}
