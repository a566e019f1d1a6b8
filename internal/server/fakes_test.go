package server

import (
	"context"
	"encoding/json"
	"iter"
	"sync"
	"time"

	"github.com/cloudlysis/aggregate"
)

// fakeCommands answers as its functions say and keeps the last command.
type fakeCommands struct {
	submit func(*aggregate.Command) (*aggregate.Reply, error)
	state  func(aggregate.Key) (*aggregate.State, error)
	mu     sync.Mutex
	last   *aggregate.Command
}

var _ Commands = (*fakeCommands)(nil)

func (f *fakeCommands) Submit(_ context.Context, c *aggregate.Command) (*aggregate.Reply, error) {
	f.mu.Lock()
	f.last = c
	f.mu.Unlock()
	return f.submit(c)
}

func (f *fakeCommands) Start(ctx context.Context, c *aggregate.Command, done func(*aggregate.Reply, error)) {
	go func() { done(f.Submit(ctx, c)) }()
}

// Simulate is Submit with the reply's events.
func (f *fakeCommands) Simulate(ctx context.Context, c *aggregate.Command) (*Simulation, error) {
	r, err := f.Submit(ctx, c)
	s := &Simulation{Refused: err, State: json.RawMessage(`{"balance":1}`), Derived: json.RawMessage(`{}`), Gas: 7, Trace: []Step{{Rule: "decide deposit", File: "a.agg", Line: 3, Gas: 7}}}
	if err == nil {
		s.Version, s.Events = r.Version, r.Events
	}
	return s, nil
}

func (f *fakeCommands) State(_ context.Context, k aggregate.Key) (*aggregate.State, error) {
	return f.state(k)
}

// fakeEvents yields its events.
type fakeEvents []aggregate.Event

var _ Events = fakeEvents(nil)

func (f fakeEvents) Events(_ context.Context, _ aggregate.Key, after aggregate.Version) iter.Seq2[aggregate.Event, error] {
	return func(yield func(aggregate.Event, error) bool) {
		for _, e := range f {
			if e.Version > after && !yield(e, nil) {
				return
			}
		}
	}
}

// accept answers every command with one event.
func accept(c *aggregate.Command) (*aggregate.Reply, error) {
	return &aggregate.Reply{TenantID: c.TenantID, AggregateType: c.AggregateType, AggregateID: c.AggregateID, CommandID: c.CommandID,
		Version: 1, Events: []aggregate.Event{testEvent(1)}, Token: "t"}, nil
}

func testEvent(v aggregate.Version) aggregate.Event {
	return aggregate.Event{EventID: aggregate.ID{15: byte(v)}, Version: v, EventType: "deposited", Schema: 1,
		Payload: json.RawMessage(`{"amount":9007199254740993}`), Timestamp: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)}
}
