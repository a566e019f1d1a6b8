package engine

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

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
	if l.man != man || l.rules == nil {
		rules := man.rules[o.key.Type]
		if rules == nil {
			return unknownType(o.key.Type)
		}
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

// atHand tells whether ready has nothing to do.
func (o *owner) atHand() bool {
	l := &o.live
	return l.loaded && l.man == o.f.man && l.incarnation == o.e.opts.Log.Incarnation()
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
func (o *owner) migrate(man *manifest, rules *rules) {
	l := &o.live
	old := l.rules
	l.man, l.rules = man, rules
	if !l.loaded {
		l.forget()
		return
	}
	if old.print == rules.print {
		state, err := rules.stateOf(old.stateJSON(l.state))
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
	select { // after a restart everybody comes at once
	case o.e.loads <- struct{}{}:
		defer func() { <-o.e.loads }()
	case <-o.e.ctx.Done():
		return errStopped
	}
	l, start := &o.live, o.e.opts.Monotonic()
	l.forget()
	snap, err := o.fromSnapshot()
	if err != nil {
		return err
	}
	n, err := o.replay()
	if snap && errors.Is(err, aggregate.ErrStaleMark) {
		// The log was restored or cut: the snapshot is ahead of it, or of another history.
		o.dropSnapshot("the log does not have its mark")
		snap = false
		l.forget()
		l.state = l.rules.NewState()
		n, err = o.replay()
	}
	took := o.e.opts.Monotonic() - start
	o.f.stages[aggregate.StageLoad] += took
	o.e.opts.Observer.Loaded(o.key, n, snap, err, took)
	if err != nil {
		l.forget()
		o.quarantine(err)
		return err
	}
	l.loaded = true
	o.maybeSnapshot()
	return nil
}

// reload reads the commits that the log has after what is live. On an error the live state
// stays as it was, unless the log says that it cannot be read.
func (o *owner) reload() error {
	if !o.live.loaded {
		return o.load()
	}
	_, err := o.replay()
	if errors.Is(err, aggregate.ErrStaleMark) {
		return o.load()
	}
	if err != nil {
		o.quarantine(err)
		return err
	}
	o.maybeSnapshot()
	return nil
}

// behindFor is how long an aggregate that a newer manifest wrote to is not read again; a new
// manifest ends it.
const behindFor = time.Second

// quarantine keeps an aggregate that cannot be read from being read over and over; all others
// go on.
func (o *owner) quarantine(err error) {
	l, wait := &o.live, behindFor
	switch {
	case errors.Is(err, aggregate.ErrRehydration):
		wait = o.e.opts.QuarantineFor
		o.e.opts.Logger.Error("aggregate quarantined", "aggregate", o.key.String(), "error", err)
	case !errors.Is(err, aggregate.ErrManifestBehind):
		return
	}
	l.forget()
	l.broken, l.brokenUntil = err, o.e.opts.Monotonic()+wait
}

// noted is a commit that a replay has met.
type noted struct {
	id  aggregate.ID
	seq aggregate.Sequence
}

// replay applies the commits after the live mark, all or none, and tells how many there were.
func (o *owner) replay() (int, error) {
	l := &o.live
	m := l.rules.lend()
	defer m.giveBack()
	next := replayed{id: o.id, state: slices.Clone(l.state), mark: l.mark, version: l.version, updated: l.updated}
	var ids []noted
	for loaded, err := range o.e.opts.Log.Load(o.e.ctx, o.key, l.mark) {
		if err != nil {
			return len(ids), err
		}
		c := &loaded.Commit
		if err := next.apply(&m, o.key, c); err != nil {
			return len(ids), fmt.Errorf("replay %s: %w", o.key, err)
		}
		ids = append(ids, noted{c.CommandID, loaded.Mark.Sequence})
		if loaded.Last {
			next.mark = loaded.Mark
		}
	}
	l.state, l.mark, l.version, l.updated = next.state, next.mark, next.version, next.updated
	for _, n := range ids {
		l.ids.add(n.id, n.seq)
	}
	return len(ids), nil
}

// replayed is a state on its way from one mark to a later one.
type replayed struct {
	id      value.V // of the aggregate
	state   []value.V
	mark    aggregate.Mark
	version aggregate.Version
	updated time.Time
	ctx     vm.Ctx
}

func (p *replayed) apply(m *machine, key aggregate.Key, c *aggregate.Commit) error {
	if !fillCtx(&p.ctx, key, p.id, c, p.version) {
		return fmt.Errorf("%w: a commit has the timestamp %v", aggregate.ErrRehydration, c.Timestamp)
	}
	for i := range c.Events {
		e := &c.Events[i]
		if e.Version != p.version.Next() {
			return fmt.Errorf("%w: version %d follows version %d", aggregate.ErrRehydration, e.Version, p.version)
		}
		p.ctx.Version = value.MakeInt(int64(e.Version))
		if err := m.replay(p.state, &p.ctx, e); err != nil {
			return fmt.Errorf("event %s at version %d: %w", e.Type, e.Version, err)
		}
		p.version = e.Version
	}
	p.updated = c.Timestamp
	return nil
}

// fromSnapshot sets the live state to its snapshot, or to the initial state when there is none
// that fits. Only another tenant's data is an error.
func (o *owner) fromSnapshot() (bool, error) {
	l := &o.live
	l.state = l.rules.NewState()
	store := o.e.opts.Snapshots
	if store == nil {
		return false, nil
	}
	s, err := store.Get(o.key)
	if err != nil { // the log has everything
		o.e.logStore("snapshot cannot be read, replaying", o.key, err)
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
	if s.Fingerprint != l.rules.print {
		return "the rules have changed"
	}
	if s.Mark.Sequence == 0 || s.Version != s.Mark.Version {
		return fmt.Sprintf("its version %d is not its mark's %d, or the mark has no sequence", s.Version, s.Mark.Version)
	}
	state, err := l.rules.stateOf(s.State)
	if err != nil {
		return "its state does not decode: " + err.Error()
	}
	ids, err := decodeCommands(s.Commands)
	if err != nil {
		return err.Error()
	}
	l.state, l.ids, l.mark, l.version, l.updated = state, ids, s.Mark, s.Version, s.UpdatedAt.UTC()
	l.saved()
	return ""
}

// logStore tells of a snapshot that the store did not take or give. While its breaker is open that
// is known, and said once there.
func (e *Engine) logStore(what string, key aggregate.Key, err error) {
	level := slog.LevelWarn
	var u *aggregate.UnavailableError
	if errors.As(err, &u) {
		level = slog.LevelDebug
	}
	e.opts.Logger.Log(e.ctx, level, what, "aggregate", key.String(), "error", err)
}

func (o *owner) dropSnapshot(why string) {
	o.e.opts.Logger.Info("snapshot dropped, replaying", "aggregate", o.key.String(), "reason", why)
	o.e.opts.Observer.Snapshot(o.key, SnapshotDropped)
	if err := o.e.opts.Snapshots.Delete(o.key); err != nil {
		o.e.logStore("snapshot cannot be deleted", o.key, err)
	}
}

// saved notes that there is a snapshot of l as it is, or will be.
func (l *live) saved() { l.snapshotted, l.snapshotIDs = l.version, l.ids.len() }

// unsaved is how much a load has to replay after the last snapshot: events, or commits when those
// are more, as the commits without events of commands that changed nothing.
func (l *live) unsaved() int {
	return max(int(l.version-l.snapshotted), l.ids.len()-l.snapshotIDs)
}

// maybeSnapshot asks for a snapshot when enough has come since the last one.
func (o *owner) maybeSnapshot() {
	l := &o.live
	every := l.rules.every
	if every <= 0 {
		every = o.e.opts.SnapshotThreshold
	}
	if l.unsaved() >= every {
		o.snapshot(false)
	}
}

// snapshot hands the live state, which the log has, to the writer of snapshots.
func (o *owner) snapshot(wait bool) {
	if o.e.opts.Snapshots == nil {
		return
	}
	l := &o.live
	o.e.snapshots.put(&snapshotJob{key: o.key, view: view{rules: l.rules, state: slices.Clone(l.state), mark: l.mark, updated: l.updated},
		version: l.version, ids: l.ids.copy()}, wait)
	l.saved()
}

// The results that [Observer.Snapshot] is told.
const (
	SnapshotWritten    = "written"
	SnapshotSuperseded = "superseded" // a later one was there
	SnapshotFailed     = "failed"
	SnapshotOverrun    = "overrun" // the queue was full
	SnapshotDropped    = "dropped" // it did not fit at a load
)
