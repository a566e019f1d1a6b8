package server

import (
	"context"
	"iter"

	"github.com/cloudlysis/aggregate"
)

// Commands is who decides; package engine implements it.
type Commands interface {
	// Submit runs one command and returns when its outcome is as durable as configured. Its
	// errors are those of package aggregate, or the context's: then the outcome is unknown to
	// the caller, who may ask again with the same command id.
	Submit(ctx context.Context, cmd *aggregate.Command) (*aggregate.Reply, error)
	// Start hands one command over and returns at once; done is called once with what Submit
	// would return, perhaps before Start returns, and must not block. Commands of one aggregate
	// that were started one after another are decided in that order.
	Start(ctx context.Context, cmd *aggregate.Command, done func(*aggregate.Reply, error))
	// State reads one aggregate as it now stands; aggregate.ErrNotFound when it has no events.
	State(ctx context.Context, key aggregate.Key) (*aggregate.State, error)
	// Simulate decides cmd on the aggregate as it now stands and persists nothing. Its error is
	// one of Submit's; that the command would be refused is none.
	Simulate(ctx context.Context, cmd *aggregate.Command) (*Simulation, error)
}

// Events is where stored events are read; package stream implements it.
type Events interface {
	// Events yields the durable events of key after a version, in order, and ends.
	Events(ctx context.Context, key aggregate.Key, after aggregate.Version) iter.Seq2[aggregate.Event, error]
}

// Describe writes a description of what is served now: "openapi", or nil where there is none.
type Describe func(kind string) ([]byte, error)
