package engine

import (
	"fmt"
	"time"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/dsl/value"
	"github.com/cloudlysis/aggregate/engine/vm"
)

// Replayer rebuilds one aggregate commit by commit, as a load does: for tools that check a log. It
// belongs to one goroutine; Close gives back what it borrowed.
type Replayer struct {
	key  aggregate.Key
	r    *rules
	m    machine
	next replayed
	ids  commandIDs
}

// NewReplayer begins with the state of an aggregate without events.
func NewReplayer(p *vm.Program, key aggregate.Key) *Replayer {
	r := newRules(p, nil)
	return &Replayer{key: key, r: r, m: r.lend(), next: replayed{id: value.MakeUUID(key.ID), state: p.NewState()}}
}

// Apply applies one commit. The error matches aggregate.ErrRehydration or ErrManifestBehind.
func (r *Replayer) Apply(l *aggregate.Loaded) error {
	if err := r.next.apply(&r.m, r.key, &l.Commit); err != nil {
		return err
	}
	r.ids.add(l.Commit.CommandID, l.Mark.Sequence)
	return nil
}

// Version is the version reached.
func (r *Replayer) Version() aggregate.Version { return r.next.version }

// State is the state reached, as one JSON object.
func (r *Replayer) State() []byte { return r.r.stateJSON(r.next.state) }

// UpdatedAt is the timestamp of the last commit.
func (r *Replayer) UpdatedAt() time.Time { return r.next.updated }

// Commands are the command ids met, as a snapshot codes them.
func (r *Replayer) Commands() []byte { return r.ids.encode(nil) }

// Fingerprint is that of the rules: a snapshot with another one is not of these rules.
func (r *Replayer) Fingerprint() string { return r.r.print }

// Close ends the Replayer.
func (r *Replayer) Close() { r.m.giveBack() }

// CheckHash tells whether the hash in c, by which a repeat is known, is that of its command. A
// commit without its command, of which only the hash was kept, passes.
func CheckHash(c *aggregate.Commit) error {
	if len(c.Command) == 0 {
		return nil
	}
	r := request{cmd: &aggregate.Command{Payload: c.Command}}
	if err := r.hashPayload(); err != nil {
		return fmt.Errorf("%w: the command of commit %s: %w", aggregate.ErrRehydration, c.CommandID, err)
	}
	if got := string(r.hash[:]); got != c.CommandHash {
		return fmt.Errorf("%w: commit %s has the command_hash %s, its command %s", aggregate.ErrRehydration, c.CommandID, c.CommandHash, got)
	}
	return nil
}
