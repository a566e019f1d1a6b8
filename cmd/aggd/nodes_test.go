package main

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/cloudlysis/aggregate"
)

// external runs a nats-server of its own, as a cluster's member would be.
func external(t *testing.T) string {
	t.Helper()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(30 * time.Second) {
		t.Fatal("nats-server is not ready")
	}
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	return s.ClientURL()
}

// TestTwoNodesOneAggregate: 20 callers on one aggregate through two processes; all accepted,
// versions gapless, balance exact.
func TestTwoNodesOneAggregate(t *testing.T) {
	url := external(t)
	a := start(t, bank, t.TempDir(), "--nats", url)
	b := start(t, bank, t.TempDir(), "--nats", url)
	id := aggregate.NewID()
	a.Want(a.Command(id, `{"type":"open_account","initial_balance":0}`), 200, 1)
	const callers, each = 20, 10
	versions := make(chan uint64, callers*each)
	var wg sync.WaitGroup
	for i := range callers {
		n := []*node{a, b}[i%2]
		wg.Go(func() {
			for range each {
				r, err := n.Try("POST", "/v1/aggregates/Account/"+id.String()+"/commands", `{"type":"deposit","amount":1}`)
				if err != nil || r.Status != 200 {
					t.Errorf("got %s, %v", r.Raw, err)
					return
				}
				versions <- r.Version
			}
		})
	}
	wg.Wait()
	close(versions)
	seen := map[uint64]bool{1: true}
	for v := range versions {
		if seen[v] {
			t.Errorf("version %d twice", v)
		}
		seen[v] = true
	}
	for v := uint64(1); v <= 1+callers*each; v++ {
		if !seen[v] {
			t.Errorf("version %d is missing", v)
		}
	}
	want := fmt.Sprint(callers * each)
	for _, n := range []*node{a, b} {
		if s := n.State(id); string(s.State["balance"]) != want || s.Version != 1+callers*each {
			t.Errorf("got %s, want balance %s", s.Raw, want)
		}
	}
}

// TestNoRefusalOnAStaleState: B holds the aggregate live; a deposit through A, at once a
// withdrawal of it through B: never refused.
func TestNoRefusalOnAStaleState(t *testing.T) {
	url := external(t)
	a := start(t, bank, t.TempDir(), "--nats", url)
	b := start(t, bank, t.TempDir(), "--nats", url)
	id := aggregate.NewID()
	b.Want(b.Command(id, `{"type":"open_account","initial_balance":0}`), 200, 1)
	rounds := 1000
	if testing.Short() {
		rounds = 100
	}
	for i := range rounds {
		v := uint64(2 + 2*i)
		a.Want(a.Command(id, `{"type":"deposit","amount":10}`), 200, v)
		b.Want(b.Command(id, `{"type":"withdraw","amount":10}`), 200, v+1)
	}
	if s := a.State(id); string(s.State["balance"]) != "0" {
		t.Errorf("got %s", s.Raw)
	}
}
