package daemon

import (
	"context"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/engine"
	"github.com/cloudlysis/aggregate/engine/vm"
	"github.com/cloudlysis/aggregate/internal/server"
	"github.com/cloudlysis/aggregate/internal/telemetry"
)

// commands is the engine as the doors see it.
type commands struct {
	*engine.Engine
	metrics *telemetry.Metrics
}

var _ server.Commands = commands{}

// Submit implements server.Commands.
func (c commands) Submit(ctx context.Context, cmd *aggregate.Command) (*aggregate.Reply, error) {
	c.metrics.Received(cmd)
	return c.Engine.Submit(ctx, cmd)
}

// Start implements server.Commands.
func (c commands) Start(ctx context.Context, cmd *aggregate.Command, done func(*aggregate.Reply, error)) {
	c.metrics.Received(cmd)
	c.Engine.Start(ctx, cmd, done)
}

// Simulate implements server.Commands.
func (c commands) Simulate(ctx context.Context, cmd *aggregate.Command) (*server.Simulation, error) {
	s, err := c.Engine.Simulate(ctx, cmd, true)
	if err != nil {
		return nil, err
	}
	out := &server.Simulation{Version: s.Version, Refused: s.Refused, State: s.State, Derived: s.Derived, Gas: s.Gas, Trace: linesOf(s.Trace)}
	if s.Reply != nil {
		out.Version, out.Events = s.Reply.Version, s.Reply.Events
	}
	return out, nil
}

// linesOf makes one step of all instructions that a line of a rule runs in one go.
func linesOf(trace []vm.Step) []server.Step {
	var out []server.Step
	for i := range trace {
		t := &trace[i]
		if n := len(out) - 1; n >= 0 && out[n].Rule == t.Chunk && out[n].Line == t.Line && out[n].File == t.File {
			out[n].Gas = t.Gas
			continue
		}
		out = append(out, server.Step{Rule: t.Chunk, File: t.File, Line: t.Line, Gas: t.Gas})
	}
	return out
}
