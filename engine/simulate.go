package engine

import (
	"context"
	"encoding/json"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/dsl/value"
	"github.com/cloudlysis/aggregate/engine/vm"
)

// Simulation is what a command would do to an aggregate as it now stands. Nothing of it is kept.
type Simulation struct {
	// Reply is as Submit would give it, without a token; nil when the command is refused.
	Reply   *aggregate.Reply
	Version aggregate.Version // where the aggregate stands, before the command
	// Refused is the RejectedError or FaultError, nil when the command is accepted.
	Refused error
	// State and Derived are those after the command; of a refused one, those before it.
	State, Derived json.RawMessage
	Gas            int64
	Trace          []vm.Step // every instruction, if asked for and up to MaxTrace
}

// MaxTrace is how many instructions a simulation records.
const MaxTrace = 10_000

// Simulate decides cmd without persisting anything, on the caller's goroutine, with the checks
// of Submit from the payload on: repeats, drain and quota do not matter here. The error is a
// ValidationError, a VersionConflictError, or that of reading the state.
func (e *Engine) Simulate(ctx context.Context, cmd *aggregate.Command, trace bool) (*Simulation, error) {
	if err := e.check(cmd); err != nil {
		return nil, err
	}
	v, err := e.view(ctx, cmd.Key(), askView)
	if err != nil {
		return nil, err
	}
	now, err := e.clock.now(e.opts.Monotonic())
	if err != nil {
		return nil, err
	}
	if now.Before(v.updated) {
		now = v.updated
	}
	m := v.rules.lend()
	defer m.giveBack()
	if err := m.read(cmd.Payload); err != nil {
		return nil, err
	}
	if x := cmd.ExpectedVersion; x != nil && *x != v.mark.Version {
		return nil, &aggregate.VersionConflictError{Expected: *x, Actual: v.mark.Version}
	}
	c := aggregate.Commit{CommandID: cmd.CommandID, Timestamp: now, Actor: cmd.Actor, Roles: cmd.Roles, Metadata: cmd.Metadata}
	return e.simulate(&v, &m, cmd.Key(), &c, trace), nil
}

func (e *Engine) simulate(v *view, m *machine, key aggregate.Key, c *aggregate.Commit, trace bool) *Simulation {
	s := &Simulation{Version: v.mark.Version}
	if trace {
		m.m.SetTrace(func(step vm.Step) {
			if len(s.Trace) < MaxTrace {
				s.Trace = append(s.Trace, step)
			}
		})
	}
	var vc vm.Ctx
	fillCtx(&vc, key, value.MakeUUID(key.ID), c, v.mark.Version)
	s.Refused = m.decide(v.state, &vc, v.mark.Version > 0, e.opts.GasMax)
	s.Gas = m.gas
	if s.Refused == nil {
		c.Events, _ = m.events(make([]aggregate.CommitEvent, m.count()), nil)
		e.number(key, c, v.mark.Version)
		s.Reply = replyOf(key, c, v.mark.Version+aggregate.Version(len(c.Events)))
		m.store(v.state)
	}
	s.State, s.Derived = v.rules.stateJSON(v.state), v.rules.derivedJSON(v.state)
	return s
}
