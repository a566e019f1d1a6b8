package clienttest

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/internal/natsd"
	"github.com/cloudlysis/aggregate/internal/server"
)

// noEngine accepts every command at once, with the answer that the echo gives: the doors before it
// show what they cost themselves.
type noEngine struct{}

var (
	_       server.Commands = noEngine{}
	someID                  = aggregate.NewID()
	instant                 = time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
)

// Submit implements server.Commands.
func (noEngine) Submit(_ context.Context, cmd *aggregate.Command) (*aggregate.Reply, error) {
	return &aggregate.Reply{TenantID: cmd.TenantID, AggregateType: cmd.AggregateType, AggregateID: cmd.AggregateID, CommandID: cmd.CommandID, Version: 17, Token: "17-1234567",
		Events: []aggregate.Event{{EventID: someID, Version: 17, EventType: "deposited", Schema: 1, Payload: []byte(`{"amount":1,"note":""}`), Timestamp: instant}}}, nil
}

// Start implements server.Commands.
func (e noEngine) Start(ctx context.Context, cmd *aggregate.Command, done func(*aggregate.Reply, error)) {
	done(e.Submit(ctx, cmd))
}

// State implements server.Commands.
func (noEngine) State(_ context.Context, key aggregate.Key) (*aggregate.State, error) {
	return nil, &aggregate.NotFoundError{Key: key}
}

// Simulate implements server.Commands.
func (noEngine) Simulate(context.Context, *aggregate.Command) (*server.Simulation, error) {
	return nil, aggregate.ErrUnavailable
}

// noRules publishes a guarded message for every command, of the bytes and headers of a commit, and gives
// noEngine's answer when it is acknowledged: no engine before the same log can be faster.
type noRules struct {
	noEngine
	p    *publisher
	of   map[aggregate.ID]*guarded
	free chan int // slots
}

func newNoRules(tb testing.TB, keys []aggregate.Key) *noRules {
	tb.Helper()
	p := newPublisher(tb, "interval", keys)
	n := &noRules{p: p, of: map[aggregate.ID]*guarded{}, free: make(chan int, len(p.slots))}
	for i, key := range keys {
		n.of[key.ID] = &p.subj[i]
	}
	for i := range p.slots {
		n.free <- i
	}
	return n
}

// Submit implements server.Commands.
func (n *noRules) Submit(ctx context.Context, cmd *aggregate.Command) (*aggregate.Reply, error) {
	type answer struct {
		r   *aggregate.Reply
		err error
	}
	c := make(chan answer, 1)
	n.Start(ctx, cmd, func(r *aggregate.Reply, err error) { c <- answer{r, err} })
	a := <-c
	return a.r, a.err
}

// Start implements server.Commands.
func (n *noRules) Start(ctx context.Context, cmd *aggregate.Command, done func(*aggregate.Reply, error)) {
	s, c := n.of[cmd.AggregateID], <-n.free
	s.mu.Lock() // until the acknowledgement
	n.p.slots[c].got = func(seq uint64) {
		s.last = seq
		s.mu.Unlock()
		n.free <- c
		done(n.noEngine.Submit(ctx, cmd))
	}
	if err := n.p.send(s, c); err != nil {
		s.mu.Unlock()
		n.free <- c
		done(nil, err)
	}
}

// idleWorks are the real doors before commands that do less than ours.
func idleWorks(tb testing.TB, prefix string, cmds server.Commands, keys []aggregate.Key) []*work {
	tb.Helper()
	p := server.Policy{TrustRoles: true, MaxBody: 1 << 20}
	split := server.NewSplit(listen(tb), nil)
	g, _ := server.GRPC(cmds, nil, p)
	h := server.HTTP(server.REST(cmds, nil, nil, p))
	go func() { _ = split.Serve() }()
	go func() { _ = g.Serve(split.GRPC()) }()
	go func() { _ = h.Serve(split.HTTP()) }()
	tb.Cleanup(func() { _ = split.Close(); g.Stop(); _ = h.Close() })
	srv, err := natsd.Start(natsd.Options{Dir: tb.TempDir(), Listen: "127.0.0.1:0", Sync: natsd.Interval, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(srv.Shutdown)
	nc, err := srv.ConnectDoor("door")
	if err != nil {
		tb.Fatal(err)
	}
	svc, err := server.NATS(tb.Context(), nc, cmds, p, "1.0.0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = svc.Stop() })
	addr := split.HTTP().Addr().String()
	return doorWorks(tb, prefix, addr, "http://"+addr, "nats://"+srv.Addr(), keys)
}
