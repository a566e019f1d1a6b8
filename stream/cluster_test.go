package stream

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/cloudlysis/aggregate"
)

// startCluster runs three real servers.
func startCluster(t *testing.T) []*server.Server {
	t.Helper()
	routes := make([]*url.URL, 3)
	ports := make([]int, 3)
	for i := range ports {
		ports[i] = lastingPort(t)
		routes[i] = &url.URL{Scheme: "nats-route", Host: fmt.Sprintf("127.0.0.1:%d", ports[i])}
	}
	var servers []*server.Server
	for i := range ports {
		srv, err := server.NewServer(&server.Options{ServerName: fmt.Sprintf("n%d", i), Host: "127.0.0.1", Port: -1, NoSigs: true, NoLog: true,
			JetStream: true, StoreDir: t.TempDir(), Routes: routes,
			Cluster: server.ClusterOpts{Name: "c", Host: "127.0.0.1", Port: ports[i]}})
		must(t, err)
		srv.Start()
		t.Cleanup(func() { stopServer(srv) })
		servers = append(servers, srv)
	}
	for _, srv := range servers {
		if !srv.ReadyForConnections(30 * time.Second) {
			t.Fatal("a server does not start")
		}
	}
	eventually(t, "the cluster has a leader", func() bool {
		for _, srv := range servers {
			if srv.JetStreamIsLeader() && len(srv.JetStreamClusterPeers()) == 3 {
				return true
			}
		}
		return false
	})
	return servers
}

// At R3 the duplicate window is asked before the guard, guarded messages of one subject exclude
// each other while in flight (10164), and direct gets may lag: the answers must be the same.
func TestClusterOfThree(t *testing.T) {
	if testing.Short() {
		t.Skip("starts three servers")
	}
	servers := startCluster(t)
	logs := make([]*Log, 3)
	for i, srv := range servers {
		logs[i] = openLog(t, srv, Options{Replicas: 3})
	}
	key := newKey("acme")
	c := commit(key, 0, 1)
	m := mustAppend(t, logs[0], key, aggregate.Mark{}, c)
	if again, err := logs[1].Append(t.Context(), key, aggregate.Mark{}, []aggregate.Commit{c}); err != nil || again != m {
		t.Errorf("the same bytes again: got %+v, %v, want %+v", again, err, m)
	}
	other := commit(key, 0, 1)
	other.CommandID = c.CommandID // the window takes it for a duplicate
	_, err := logs[2].Append(t.Context(), key, aggregate.Mark{}, []aggregate.Commit{other})
	wantErr(t, err, aggregate.ErrConflict)

	at := m
	for round := range 20 {
		next := raceAll(t, logs, key, at)
		for _, l := range logs {
			if ok, err := l.IsLatest(t.Context(), key, at); ok || err != nil {
				t.Fatalf("round %d: the mark before is still the latest: %v", round, err)
			}
			if ok, err := l.IsLatest(t.Context(), key, next); !ok || err != nil {
				t.Fatalf("round %d: the leader does not know what it acknowledged: %v", round, err)
			}
		}
		at = next
	}
	for _, l := range logs {
		eventually(t, "every replica has caught up", func() bool {
			got, end, err := versions(l, key, aggregate.Mark{})
			return err == nil && end == at && slices.Equal(got, count(1, 21))
		})
	}
	loseLeader(t, servers, logs, key, at)
}

// raceAll lets all logs append after one mark; exactly one must win.
func raceAll(t *testing.T, logs []*Log, key aggregate.Key, at aggregate.Mark) aggregate.Mark {
	t.Helper()
	var wg sync.WaitGroup
	marks, errs := make([]aggregate.Mark, len(logs)), make([]error, len(logs))
	for i, l := range logs {
		wg.Go(func() {
			marks[i], errs[i] = l.Append(context.Background(), key, at, []aggregate.Commit{commit(key, at.Version, 1)})
		})
	}
	wg.Wait()
	won := -1
	for i, err := range errs {
		if err == nil && won >= 0 {
			t.Fatalf("two writers won: %+v and %+v", marks[won], marks[i])
		}
		if err == nil {
			won = i
		} else {
			wantErr(t, err, aggregate.ErrConflict)
		}
	}
	if won < 0 {
		t.Fatalf("nobody won: %v", errs)
	}
	return marks[won]
}

// loseLeader stops the stream's leader; an append is repeated until it is settled.
func loseLeader(t *testing.T, servers []*server.Server, logs []*Log, key aggregate.Key, at aggregate.Mark) {
	t.Helper()
	info, err := logs[0].info(t.Context(), logs[0].lanes.all()[0])
	must(t, err)
	i := slices.IndexFunc(servers, func(s *server.Server) bool { return s.Name() == info.Cluster.Leader })
	l := logs[(i+1)%3]
	stopServer(servers[i])
	flight := []aggregate.Commit{commit(key, at.Version, 1)}
	var m aggregate.Mark
	eventually(t, "the append is settled", func() bool {
		m, err = l.Append(t.Context(), key, at, flight)
		if err != nil && !errors.Is(err, aggregate.ErrInDoubt) && !errors.Is(err, aggregate.ErrStream) {
			t.Fatal(err)
		}
		return err == nil
	})
	eventually(t, "it is read", func() bool {
		got, end, err := versions(l, key, at)
		return err == nil && end == m && len(got) == 1
	})
	if l.Incarnation() != 1 {
		t.Error("the loss of one server of three is no new incarnation")
	}
}
