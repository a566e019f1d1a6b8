package daemon

import (
	"bytes"
	"context"
	"fmt"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/engine"
	"github.com/cloudlysis/aggregate/engine/vm"
)

// aggregate replays one aggregate and compares its snapshot on the way.
func (v *verifier) aggregate(ctx context.Context, key aggregate.Key) {
	snap, err := v.d.store.Get(key)
	if err != nil {
		v.damage(key, 0, "snapshot", err)
	}
	if snap != nil {
		v.found++
	}
	program := v.d.sets.Current().Programs[key.Type]
	if program == nil {
		v.damage(key, 0, "replay", fmt.Errorf("the manifests have no aggregate %s", key.Type))
		return
	}
	p := newReplaying(v, program, key, snap)
	defer p.r.Close()
	for c, err := range v.d.stream.Load(ctx, key, aggregate.Mark{}) {
		if err != nil {
			v.damage(key, 0, "chain", err)
			return
		}
		if err := p.commit(&c); err != nil {
			v.damage(key, c.Mark.Sequence, "replay", err)
			return
		}
		if c.Last {
			p.message(ctx, &c.Mark)
		}
	}
	p.end()
	v.out.Replayed++
}

// snapshots tells of those that no aggregate of the log asked for.
func (v *verifier) snapshots(all bool) {
	damaged := int(v.d.store.Stats().Damaged)
	if damaged > 0 {
		v.damage(aggregate.Key{}, 0, "snapshot", fmt.Errorf("%d cannot be read: the next load replays from the beginning", damaged))
	}
	if n := v.d.store.Count() - v.found - damaged; all && n > 0 {
		v.damage(aggregate.Key{}, 0, "snapshot", fmt.Errorf("%d are of aggregates that the log does not have: it was cut, or is another one", n))
	}
}

// replaying is one aggregate on its way from the first commit to the last.
type replaying struct {
	v        *verifier
	key      aggregate.Key
	r        *engine.Replayer
	snap     *aggregate.Snapshot                 // not met yet; nil: none
	commands map[aggregate.ID]aggregate.Sequence // of the commits so far
	before   aggregate.Version                   // the message
}

func newReplaying(v *verifier, program *vm.Program, key aggregate.Key, snap *aggregate.Snapshot) *replaying {
	p := &replaying{v: v, key: key, r: engine.NewReplayer(program, key), snap: snap, commands: map[aggregate.ID]aggregate.Sequence{}}
	if snap != nil && snap.Fingerprint != p.r.Fingerprint() {
		p.stale()
	}
	return p
}

// stale passes over the snapshot: the next load drops it.
func (p *replaying) stale() {
	p.v.out.Stale++
	p.snap = nil
}

func (p *replaying) damage(seq aggregate.Sequence, what, format string, args ...any) {
	p.v.damage(p.key, seq, what, fmt.Errorf(format, args...))
}

// commit applies one commit; with an error the aggregate cannot be read on.
func (p *replaying) commit(c *aggregate.Loaded) error {
	id, seq := c.Commit.CommandID, c.Mark.Sequence
	if first, twice := p.commands[id]; twice {
		p.damage(seq, "command", "command %s has a second commit, the first is at sequence %d", id, first)
	}
	p.commands[id] = seq
	if err := engine.CheckHash(&c.Commit); err != nil {
		p.v.damage(p.key, seq, "command", err)
	}
	return p.r.Apply(c)
}

// message compares, after the last commit of a message, what else tells where the aggregate stands.
func (p *replaying) message(ctx context.Context, at *aggregate.Mark) {
	if at.Version == p.before { // no event: repeats of its commands are answered by its header
		if _, told, err := p.v.d.stream.At(ctx, p.key, at.Sequence); err != nil {
			p.v.damage(p.key, at.Sequence, "header", err)
		} else if told != at.Version {
			p.damage(at.Sequence, "header", "it says version %d, the aggregate is at %d: repeats of its commands get the wrong version", told, at.Version)
		}
	}
	p.before = at.Version
	if p.snap != nil && p.snap.Mark.Stream != at.Stream {
		p.stale()
	}
	if p.snap != nil && p.snap.Mark.Sequence == at.Sequence {
		p.compare(at)
		p.snap = nil
	}
}

// compare compares the snapshot with the replay at its place.
func (p *replaying) compare(at *aggregate.Mark) {
	p.v.out.Snapshots++
	s, state := p.snap, p.r.State()
	switch {
	case s.Mark.Hash != at.Hash:
		p.damage(at.Sequence, "snapshot", "its mark is of another message")
	case s.Version != at.Version || s.Mark.Version != at.Version:
		p.damage(at.Sequence, "snapshot", "it says version %d (mark: %d), the replay %d", s.Version, s.Mark.Version, at.Version)
	case !bytes.Equal(s.State, state):
		p.damage(at.Sequence, "snapshot", "at version %d it says %s, the replay %s", s.Version, s.State, state)
	case !bytes.Equal(s.Commands, p.r.Commands()):
		p.damage(at.Sequence, "snapshot", "at version %d it knows other command ids than the replay has met: repeats would be decided anew", s.Version)
	case !s.UpdatedAt.Equal(p.r.UpdatedAt()):
		p.damage(at.Sequence, "snapshot", "at version %d it says updated_at %v, the replay %v", s.Version, s.UpdatedAt, p.r.UpdatedAt())
	}
}

// end tells of a snapshot whose place was not met.
func (p *replaying) end() {
	if p.snap == nil {
		return
	}
	p.damage(p.snap.Mark.Sequence, "snapshot", "it is at version %d, sequence %d, which the log does not have; it ends at version %d. The next load drops it", p.snap.Version, p.snap.Mark.Sequence, p.r.Version())
}
