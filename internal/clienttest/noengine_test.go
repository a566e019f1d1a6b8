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

// idleWorks are the real doors before noEngine.
func idleWorks(tb testing.TB, keys []aggregate.Key) []*work {
	tb.Helper()
	p := server.Policy{TrustRoles: true, MaxBody: 1 << 20}
	split := server.NewSplit(listen(tb), nil)
	g, _ := server.GRPC(noEngine{}, nil, p)
	h := server.HTTP(server.REST(noEngine{}, nil, nil, p))
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
	svc, err := server.NATS(tb.Context(), nc, noEngine{}, p, "1.0.0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = svc.Stop() })
	addr := split.HTTP().Addr().String()
	return doorWorks(tb, "no engine, ", addr, "http://"+addr, "nats://"+srv.Addr(), keys)
}
