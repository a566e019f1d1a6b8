// Package enginetest runs the engine over the real log, the real store and compiled manifests.
package enginetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/engine"
	"github.com/cloudlysis/aggregate/internal/natsd"
	"github.com/cloudlysis/aggregate/manifests"
	"github.com/cloudlysis/aggregate/store"
	"github.com/cloudlysis/aggregate/stream"
	"github.com/cloudlysis/aggregate/stream/envelope"
)

// counterText is an account without a birth, as the seed's tests have it.
const counterText = `
aggregate Account {
  state { balance: int }
  command deposit  { amount: int where amount >= 0, note: string = "" }
  command withdraw { amount: int where amount >= 0 }
  event deposited { amount: int, note: string }
  event withdrawn { amount: int }
  decide deposit { emit deposited { ..cmd } }
  decide withdraw {
    require state.balance >= cmd.amount else insufficient_funds "balance {state.balance}"
    emit withdrawn { ..cmd }
  }
  apply deposited { state.balance += event.amount }
  apply withdrawn { state.balance -= event.amount }
}
`

// node is a server, its log, a store and an engine, all real, over one folder.
type node struct {
	t      testing.TB
	dir    string
	set    *manifests.Set
	opts   engine.Options
	log    stream.Options
	sync   natsd.SyncMode
	server *natsd.Server
	link   *nats.Conn // of appends
	store  *store.Store
	stream *stream.Log
	engine *engine.Engine
	down   bool
}

// newNode prepares a node; start runs it.
func newNode(t testing.TB, text string) *node {
	return nodeOf(t, fstest.MapFS{"account.agg": {Data: []byte(text)}})
}

func nodeOf(t testing.TB, fsys fs.FS) *node {
	t.Helper()
	set, err := manifests.Load(fsys, manifests.Options{Version: "test"})
	if err != nil {
		var e *manifests.Error
		if errors.As(err, &e) {
			for _, d := range e.Diagnostics {
				t.Log(d)
			}
		}
		t.Fatal(err)
	}
	n := &node{t: t, dir: t.TempDir(), set: set, down: true, log: stream.Options{Unshared: true}}
	t.Cleanup(n.stop)
	return n
}

func manifestOf(set *manifests.Set) *engine.Manifest {
	return &engine.Manifest{Hash: set.Hash, Engine: set.Engine, Programs: set.Programs}
}

func (n *node) must(err error) {
	n.t.Helper()
	if err != nil {
		n.t.Fatal(err)
	}
}

func (n *node) start() *node {
	n.t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	var err error
	n.server, err = natsd.Start(natsd.Options{Dir: filepath.Join(n.dir, "nats"), Sync: n.sync, Logger: quiet, Fatal: func(err error) { n.t.Error(err) }})
	n.must(err)
	n.store, err = store.Open(filepath.Join(n.dir, "snapshots"), store.Options{Logger: quiet})
	n.must(err)
	n.stream = n.openStream()
	n.engine = n.openEngine(n.stream)
	n.down = false
	return n
}

func (n *node) openStream() *stream.Log {
	n.t.Helper()
	nc, err := n.server.Connect("test")
	n.must(err)
	n.link = nc
	loads, err := n.server.Connect("test loads")
	n.must(err)
	o := n.log
	o.Loads, o.Logger = loads, slog.New(slog.DiscardHandler)
	if w := n.server.Syncer(); w != nil {
		o.Sync = w
	}
	l, err := stream.Open(context.Background(), nc, o)
	n.must(err)
	return l
}

func (n *node) openEngine(l *stream.Log) *engine.Engine {
	n.t.Helper()
	o := n.opts
	o.Log, o.Snapshots, o.EventID = l, n.store, envelope.EventID
	if o.Manifest == nil {
		o.Manifest = manifestOf(n.set)
	}
	e, err := engine.New(o)
	n.must(err)
	return e
}

// stop ends the node in order.
func (n *node) stop() {
	if n.down {
		return
	}
	n.down = true
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := errors.Join(n.engine.Close(ctx), n.stream.Close(), n.store.Close()); err != nil {
		n.t.Error(err)
	}
	n.server.Shutdown()
}

// crash ends the node with everything under way given up; the store goes first, so that no
// snapshot is written on the way out.
func (n *node) crash() {
	n.down = true
	n.must(n.store.Close())
	n.server.Shutdown()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = n.engine.Close(ctx)
	if err := n.stream.Close(); err != nil {
		n.t.Log(err)
	}
}

func newKey(tenant aggregate.TenantID) aggregate.Key {
	return aggregate.Key{Tenant: tenant, Type: "Account", ID: aggregate.NewID()}
}

func command(key aggregate.Key, payload string) *aggregate.Command {
	return &aggregate.Command{TenantID: key.Tenant, AggregateType: key.Type, AggregateID: key.ID, CommandID: aggregate.NewID(), Payload: json.RawMessage(payload)}
}

func deposit(key aggregate.Key, amount int) *aggregate.Command {
	return command(key, fmt.Sprintf(`{"type":"deposit","amount":%d}`, amount))
}

func (n *node) do(cmd *aggregate.Command) *aggregate.Reply {
	n.t.Helper()
	r, err := n.engine.Submit(context.Background(), cmd)
	if err != nil {
		n.t.Fatalf("%s: %v", cmd.Payload, err)
	}
	return r
}

func (n *node) state(key aggregate.Key) string {
	n.t.Helper()
	s, err := n.engine.State(context.Background(), key)
	n.must(err)
	return fmt.Sprintf("%d %s", s.Version, s.State)
}

func (n *node) wantState(key aggregate.Key, want string) {
	n.t.Helper()
	if got := n.state(key); got != want {
		n.t.Errorf("got %s, want %s", got, want)
	}
}

func (n *node) events(key aggregate.Key) (out []aggregate.Event) {
	n.t.Helper()
	for e, err := range n.stream.Events(context.Background(), key, 0) {
		n.must(err)
		out = append(out, e)
	}
	return out
}

func (n *node) snapshot(key aggregate.Key) *aggregate.Snapshot {
	n.t.Helper()
	n.must(n.engine.FlushSnapshots(context.Background()))
	s, err := n.store.Get(key)
	n.must(err)
	return s
}

// together calls f n times at once and waits.
func together(n int, f func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}

func toJSON(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
