package enginetest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/stream/envelope"
)

// publish puts a message on key's subject behind the log's back.
func (n *node) publish(key aggregate.Key, body string) {
	n.t.Helper()
	nc, err := n.server.Connect("intruder")
	n.must(err)
	defer nc.Close()
	_, err = nc.RequestMsg(&nats.Msg{Subject: envelope.Single.Subject(key), Data: []byte(body)}, nats.DefaultTimeout)
	n.must(err)
}

func TestBrokenChainQuarantinesOneAggregate(t *testing.T) {
	n := newNode(t, counterText).start()
	bad, good := newKey("tenant-a"), newKey("tenant-a")
	n.do(deposit(bad, 1))
	n.do(deposit(good, 1))
	n.stop()
	n.start()
	n.publish(bad, `{"v":1,"kind":"commits","rubbish":true}`)
	_, err := n.engine.Submit(context.Background(), deposit(bad, 1))
	if !errors.Is(err, aggregate.ErrRehydration) {
		t.Errorf("got %v", err)
	}
	if _, err := n.engine.State(context.Background(), bad); !errors.Is(err, aggregate.ErrRehydration) {
		t.Errorf("read: got %v", err)
	}
	n.do(deposit(good, 1))
	n.wantState(good, `2 {"balance":2}`)
}

func TestMessageOfANewerEngine(t *testing.T) {
	n := newNode(t, counterText).start()
	key := newKey("tenant-a")
	n.do(deposit(key, 1))
	n.stop()
	n.start()
	n.publish(key, `{"v":2,"kind":"commits"}`)
	_, err := n.engine.Submit(context.Background(), deposit(key, 1))
	if u := (*aggregate.UnavailableError)(nil); !errors.As(err, &u) || u.Reason != aggregate.ErrManifestBehind {
		t.Errorf("got %v", err)
	}
}

// The log was restored from an older copy; the snapshots were not.
func TestSnapshotsAheadOfARestoredLog(t *testing.T) {
	n := newNode(t, counterText)
	n.opts.SnapshotThreshold = 1
	n.start()
	key, later := newKey("tenant-a"), newKey("tenant-a")
	for range 3 {
		n.do(deposit(key, 10))
	}
	n.stop()
	backup := filepath.Join(t.TempDir(), "nats")
	n.must(os.CopyFS(backup, os.DirFS(filepath.Join(n.dir, "nats"))))
	n.start()
	lost := deposit(key, 500)
	n.do(lost)
	n.do(deposit(later, 7))
	n.stop()
	n.must(os.RemoveAll(filepath.Join(n.dir, "nats")))
	n.must(os.Rename(backup, filepath.Join(n.dir, "nats")))
	n.start()
	n.wantState(key, `3 {"balance":30}`)
	if _, err := n.engine.State(context.Background(), later); !errors.Is(err, aggregate.ErrNotFound) {
		t.Errorf("an aggregate that the restored log does not have: got %v", err)
	}
	// Its sequences are used again, by others.
	n.do(deposit(newKey("tenant-a"), 1))
	if r := n.do(lost); r.Duplicate || r.Version != 4 {
		t.Errorf("got %s", toJSON(t, r))
	}
	n.wantState(key, `4 {"balance":530}`)
}

func TestStoreLostCostsOnlyTime(t *testing.T) {
	n := newNode(t, counterText)
	n.opts.SnapshotThreshold = 2
	n.start()
	key := newKey("tenant-a")
	first := deposit(key, 1)
	n.do(first)
	for range 9 {
		n.do(deposit(key, 1))
	}
	n.stop()
	n.must(os.RemoveAll(filepath.Join(n.dir, "snapshots")))
	n.start()
	n.wantState(key, `10 {"balance":10}`)
	if r := n.do(first); !r.Duplicate || r.Version != 1 {
		t.Errorf("got %s", toJSON(t, r))
	}
}
