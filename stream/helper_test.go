package stream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/internal/aggdtest"
	"github.com/cloudlysis/aggregate/stream/envelope"
)

const testManifest = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

var testTime = time.Date(2026, 11, 24, 10, 0, 0, 123456789, time.UTC)

// testLayout is the layout of logs that ask for none; testOn sets it.
var testLayout envelope.Layout

// lastingPort is for a server that is started again on it.
func lastingPort(t testing.TB) int {
	t.Helper()
	port, err := aggdtest.Port()
	must(t, err)
	return port
}

// startServer runs a real server in dir on a port, -1 for a free one that nobody needs a second time.
func startServer(t testing.TB, dir string, port int) *server.Server {
	t.Helper()
	srv, err := server.NewServer(&server.Options{ServerName: "test", Host: "127.0.0.1", Port: port, NoSigs: true, NoLog: true,
		JetStream: true, StoreDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	srv.Start()
	t.Cleanup(func() { stopServer(srv) })
	if !srv.ReadyForConnections(30 * time.Second) {
		t.Fatal("the server does not start")
	}
	return srv
}

func stopServer(srv *server.Server) {
	srv.Shutdown()
	srv.WaitForShutdown()
}

func connect(t testing.TB, url string, opts ...nats.Option) *nats.Conn {
	t.Helper()
	opts = append([]nats.Option{nats.ReconnectBufSize(-1), nats.MaxReconnects(-1), nats.ReconnectWait(20 * time.Millisecond)}, opts...)
	nc, err := nats.Connect(url, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

// openLog opens a log with two connections.
func openLog(t testing.TB, srv *server.Server, opts Options) *Log {
	t.Helper()
	if opts.Layout == envelope.Single && !opts.ExclusiveIDs {
		opts.Layout = testLayout
	}
	opts.Loads = connect(t, srv.ClientURL())
	opts.Logger = slog.New(slog.DiscardHandler)
	l, err := Open(t.Context(), connect(t, srv.ClientURL()), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func newLog(t testing.TB, opts Options) *Log {
	t.Helper()
	return openLog(t, startServer(t, t.TempDir(), -1), opts)
}

func newKey(tenant aggregate.TenantID) aggregate.Key {
	return aggregate.Key{Tenant: tenant, Type: "Account", ID: aggregate.NewID()}
}

// commit makes a commit of n events after a version.
func commit(key aggregate.Key, after aggregate.Version, n int) aggregate.Commit {
	c := aggregate.Commit{CommandID: aggregate.NewID(), CommandHash: strings.Repeat("0a", 32), Command: json.RawMessage(`{"type":"deposit","amount":1}`),
		Timestamp: testTime, Manifest: testManifest, Engine: "0.1.0/1"}
	for i := range n {
		v := after + aggregate.Version(i) + 1
		c.Events = append(c.Events, aggregate.CommitEvent{EventID: envelope.EventID(key, c.CommandID, c.Timestamp, i), Version: v,
			Type: "deposited", Schema: 1, Payload: json.RawMessage(fmt.Sprintf(`{"amount":%d}`, v))})
	}
	return c
}

func mustAppend(t testing.TB, l *Log, key aggregate.Key, at aggregate.Mark, commits ...aggregate.Commit) aggregate.Mark {
	t.Helper()
	m, err := l.Append(context.Background(), key, at, commits)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// grow appends n messages of one event each.
func grow(t testing.TB, l *Log, key aggregate.Key, at aggregate.Mark, n int) aggregate.Mark {
	t.Helper()
	for range n {
		at = mustAppend(t, l, key, at, commit(key, at.Version, 1))
	}
	return at
}

// versions loads all commits after a mark and gives the versions of their events.
func versions(l *Log, key aggregate.Key, after aggregate.Mark) (vs []aggregate.Version, end aggregate.Mark, err error) {
	end = after
	for c, err := range l.Load(context.Background(), key, after) {
		if err != nil {
			return vs, end, err
		}
		for i := range c.Commit.Events {
			vs = append(vs, c.Commit.Events[i].Version)
		}
		end = c.Mark
	}
	return vs, end, nil
}

// count gives the versions from first to last.
func count(first, last aggregate.Version) (vs []aggregate.Version) {
	for v := first; v <= last; v++ {
		vs = append(vs, v)
	}
	return vs
}

// put publishes a body past the log, as a foreign writer with the right to do so would.
func put(t testing.TB, l *Log, subject string, header nats.Header, body []byte) aggregate.Sequence {
	t.Helper()
	ack, err := l.js.PublishMsg(t.Context(), &nats.Msg{Subject: subject, Header: header, Data: body})
	if err != nil {
		t.Fatal(err)
	}
	return aggregate.Sequence(ack.Sequence)
}

func body(t testing.TB, key aggregate.Key, prev envelope.Hash, commits ...aggregate.Commit) []byte {
	t.Helper()
	b, err := envelope.Encode(nil, &envelope.Message{Key: key, Prev: prev, Commits: commits})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func wantErr(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("got error %v, want %v", err, want)
	}
}

// eventually asks until ok is true.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("%s: not within 60 s", what)
}

// syncFunc is a Syncer made of a function.
type syncFunc func(context.Context) error

func (f syncFunc) Wait(ctx context.Context) error { return f(ctx) }

// newFlight codes a flight as Append does.
func newFlight(l *Log, key aggregate.Key, at aggregate.Mark, commits ...aggregate.Commit) (*flight, error) {
	f := &flight{}
	return f, l.fill(f, key, &at, commits)
}
