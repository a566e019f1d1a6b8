package engine

import (
	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/engine/vm"
)

// Replayer rebuilds the state of one aggregate commit by commit, as a load does: for tools that
// check a log. It belongs to one goroutine; Close gives back what it borrowed.
type Replayer struct {
	key  aggregate.Key
	r    *rules
	m    machine
	next replayed
}

// NewReplayer begins with the state of an aggregate without events.
func NewReplayer(p *vm.Program, key aggregate.Key) *Replayer {
	r := newRules(p, nil)
	return &Replayer{key: key, r: r, m: r.lend(), next: replayed{state: p.NewState()}}
}

// Apply applies one commit. The error matches aggregate.ErrRehydration or ErrManifestBehind.
func (r *Replayer) Apply(c *aggregate.Commit) error { return r.next.apply(&r.m, r.key, c) }

// Version is the version reached.
func (r *Replayer) Version() aggregate.Version { return r.next.version }

// State is the state reached, as one JSON object.
func (r *Replayer) State() []byte { return r.r.stateJSON(r.next.state) }

// Fingerprint is that of the rules: a snapshot with another one is not of these rules.
func (r *Replayer) Fingerprint() string { return r.r.print }

// Close ends the Replayer.
func (r *Replayer) Close() { r.m.giveBack() }
