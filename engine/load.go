package engine

import (
	"errors"
	"fmt"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/dsl/value"
	"github.com/cloudlysis/aggregate/engine/vm"
)

// ready makes the aggregate live under man, as the log has it now or had it when it was live
// last: whoever answers from it without an append asks the log first.
func (o *owner) ready(man *manifest) error {
	l, inc := &o.live, o.e.opts.Log.Incarnation()
	if l.incarnation != inc {
		l.forget() // its mark may name another message by now
		l.incarnation = inc
	}
	rules := man.rules[o.key.Type]
	if rules == nil {
		return unknownType(o.key.Type)
	}
	if l.man != man {
		o.migrate(man, rules)
	}
	if l.broken != nil && o.e.opts.Monotonic() < l.brokenUntil {
		return l.broken
	}
	if l.loaded {
		return nil
	}
	return o.load()
}

func unknownType(t aggregate.Type) error {
	return &aggregate.ValidationError{Path: "aggregate_type", Message: fmt.Sprintf("unknown aggregate type %q", string(t))}
}

// forget drops what is known of the aggregate; the rules stay.
func (l *live) forget() {
	*l = live{man: l.man, rules: l.rules, incarnation: l.incarnation}
}

// migrate takes the aggregate over to the rules of man. A state of the same fingerprint is
// coded and decoded again; any other is dropped, to be replayed under the new rules.
func (o *owner) migrate(man *manifest, rules rules) {
	l := &o.live
	old := l.rules
	l.man, l.rules = man, rules
	if !l.loaded {
		l.forget()
		return
	}
	if old.fingerprint() == rules.fingerprint() {
		state, err := rules.decodeState(old.appendState(nil, l.state))
		if err == nil {
			l.state = state
			return
		}
		o.e.opts.Logger.Warn("state does not decode under the new manifest, replaying", "aggregate", o.key.String(), "error", err)
	}
	l.forget()
}

// load reads the aggregate: its snapshot, if there is one that fits, and the commits after it.
func (o *owner) load() error {
	l, start := &o.live, o.e.opts.Monotonic()
	l.forget()
	snap, err := o.fromSnapshot()
	if err != nil {
		return err
	}
	n, err := o.replay()
	if errors.Is(err, aggregate.ErrStaleMark) {
		// The log was restored or cut: the snapshot is ahead of it, or of another history.
		o.dropSnapshot("the log does not have its mark")
		snap = false
		l.forget()
		l.state = l.rules.initial()
		n, err = o.replay()
	}
	o.e.opts.Observer.Loaded(o.key, n, snap, err, o.e.opts.Monotonic()-start)
	if err != nil {
		o.failed(err)
		return err
	}
	l.loaded = true
	o.maybeSnapshot()
	return nil
}

// reload reads the commits that the log has after what is live.
func (o *owner) reload() error {
	_, err := o.replay()
	if errors.Is(err, aggregate.ErrStaleMark) {
		return o.load()
	}
	if err != nil {
		o.failed(err)
	}
	return err
}

// failed drops an aggregate that was read in part only. One that cannot be read at all is
// quarantined; all others go on.
func (o *owner) failed(err error) {
	l := &o.live
	l.forget()
	if errors.Is(err, aggregate.ErrRehydration) {
		l.broken, l.brokenUntil = err, o.e.opts.Monotonic()+o.e.opts.QuarantineFor
		o.e.opts.Logger.Error("aggregate quarantined", "aggregate", o.key.String(), "error", err)
	}
}

// replay applies the commits after the live mark and tells how many there were. After an error
// the live state is of no use.
func (o *owner) replay() (n int, err error) {
	l := &o.live
	m := l.rules.lend()
	defer l.rules.giveBack(m)
	var ctx vm.Ctx
	for loaded, err := range o.e.opts.Log.Load(o.e.ctx, o.key, l.mark) {
		if err != nil {
			return n, err
		}
		c := &loaded.Commit
		if err := o.apply(m, &ctx, c); err != nil {
			return n, fmt.Errorf("replay %s: %w", o.key, err)
		}
		n++
		l.ids.add(c.CommandID, loaded.Mark.Sequence)
		l.updated = c.Timestamp
		if loaded.Last {
			l.mark = loaded.Mark
		}
	}
	return n, nil
}

func (o *owner) apply(m machine, ctx *vm.Ctx, c *aggregate.Commit) error {
	l := &o.live
	if !fillCtx(ctx, o.key, c, l.version) {
		return fmt.Errorf("%w: a commit has the timestamp %v", aggregate.ErrRehydration, c.Timestamp)
	}
	for i := range c.Events {
		e := &c.Events[i]
		if e.Version != l.version.Next() {
			return fmt.Errorf("%w: version %d follows version %d", aggregate.ErrRehydration, e.Version, l.version)
		}
		ctx.Version = value.MakeInt(int64(e.Version))
		if err := m.replay(l.state, ctx, e); err != nil {
			return fmt.Errorf("event %s at version %d: %w", e.Type, e.Version, err)
		}
		l.version = e.Version
	}
	return nil
}

// fromSnapshot sets the live state to its snapshot, or to the initial state when there is none
// that fits. Only another tenant's data is an error.
func (o *owner) fromSnapshot() (bool, error) {
	l := &o.live
	l.state = l.rules.initial()
	store := o.e.opts.Snapshots
	if store == nil {
		return false, nil
	}
	s, err := store.Get(o.key)
	if err != nil { // the log has everything
		o.e.opts.Logger.Warn("snapshot cannot be read, replaying", "aggregate", o.key.String(), "error", err)
		return false, nil
	}
	if s == nil {
		return false, nil
	}
	if s.TenantID != o.key.Tenant {
		return false, &aggregate.TenantAccessDeniedError{TenantID: o.key.Tenant}
	}
	if why := o.takeSnapshot(s); why != "" {
		o.dropSnapshot(why)
		return false, nil
	}
	return true, nil
}

// takeSnapshot makes s the live state, or tells why it does not fit.
func (o *owner) takeSnapshot(s *aggregate.Snapshot) string {
	l := &o.live
	if s.Key() != o.key {
		return "it is of another aggregate"
	}
	if s.Fingerprint != l.rules.fingerprint() {
		return "the rules have changed"
	}
	if s.Version == 0 || s.Version != s.Mark.Version {
		return fmt.Sprintf("its version %d is not its mark's %d", s.Version, s.Mark.Version)
	}
	state, err := l.rules.decodeState(s.State)
	if err != nil {
		return "its state does not decode: " + err.Error()
	}
	ids, err := decodeCommands(s.Commands)
	if err != nil {
		return err.Error()
	}
	l.state, l.ids, l.mark, l.version, l.updated, l.snapshotted = state, ids, s.Mark, s.Version, s.UpdatedAt.UTC(), s.Version
	return ""
}

func (o *owner) dropSnapshot(why string) {
	o.e.opts.Logger.Info("snapshot dropped, replaying", "aggregate", o.key.String(), "reason", why)
	o.e.opts.Observer.Snapshot(o.key, SnapshotDropped)
	if err := o.e.opts.Snapshots.Delete(o.key); err != nil {
		o.e.opts.Logger.Warn("snapshot cannot be deleted", "aggregate", o.key.String(), "error", err)
	}
}

// maybeSnapshot asks for a snapshot when enough events have come since the last one.
func (o *owner) maybeSnapshot() {
	l := &o.live
	every := l.rules.snapshotEvery()
	if every <= 0 {
		every = o.e.opts.SnapshotThreshold
	}
	if l.version-l.snapshotted >= aggregate.Version(every) {
		o.snapshot(false)
	}
}

// snapshot hands the live state, which the log has, to the writer of snapshots.
func (o *owner) snapshot(wait bool) {
	if o.e.opts.Snapshots == nil {
		return
	}
	l := &o.live
	o.e.snapshots.put(&snapshotJob{key: o.key, view: view{rules: l.rules, state: append([]value.V(nil), l.state...), mark: l.mark, updated: l.updated},
		version: l.version, ids: l.ids.copy()}, wait)
	l.snapshotted = l.version
}

// The results that [Observer.Snapshot] is told.
const (
	SnapshotWritten    = "written"
	SnapshotSuperseded = "superseded" // a later one was there
	SnapshotFailed     = "failed"
	SnapshotOverrun    = "overrun" // the queue was full
	SnapshotDropped    = "dropped" // it did not fit at a load
)

