package engine

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cloudlysis/aggregate"
)

// latest makes sure that the results of a flight without commits may be sent: that the state it
// was decided on is the latest. errMoved asks for another decision, the aggregate having been
// brought up to date. A prompt one gives errSlow when it would have to ask.
func (o *owner) latest(prompt bool) error {
	if !o.f.needsLast {
		return nil
	}
	if prompt && !o.e.opts.Log.Prompt() {
		return errSlow
	}
	f, start := o.f, o.f.settled
	latest, err := o.e.opts.Log.IsLatest(o.e.ctx, o.key, f.at)
	f.settled = o.e.opts.Monotonic()
	f.stages[aggregate.StageAppend] = f.settled - start
	switch {
	case err == nil && latest:
		return nil
	case prompt:
		return errSlow
	case err != nil:
		return err
	}
	return o.moved()
}

// moved brings the aggregate up to date and asks for another decision.
func (o *owner) moved() error {
	if err := o.reload(); err != nil {
		return err
	}
	return errMoved
}

// failed finds out what becomes of the flight after an append ended with err: nil when the log
// has it after all, and otherwise as of latest, errSmaller too.
func (o *owner) failed(err error) error {
	if errors.Is(err, aggregate.ErrInDoubt) {
		var mark aggregate.Mark
		if mark, err = o.inDoubt(err); err == nil {
			o.adopt(mark, 0)
			return nil
		}
	}
	switch {
	case err == errMoved: // out of doubt, and read anew
		return err
	case errors.Is(err, aggregate.ErrConflict):
		return o.moved()
	case errors.Is(err, aggregate.ErrTooLarge):
		return o.smaller(err)
	}
	return err
}

// adopt makes the working state the state: the log has the commits at mark, and was synced that
// long after it had them.
func (o *owner) adopt(mark aggregate.Mark, synced time.Duration) {
	f, l := o.f, &o.live
	f.settled = o.e.opts.Monotonic()
	took := f.settled - f.sent
	f.stages[aggregate.StageAppend], f.stages[aggregate.StageSync] = took-synced, synced
	o.e.opts.Observer.Flight(o.key, len(f.commits), f.size, took)
	l.state, f.state = f.state, l.state
	l.mark, l.version, l.updated = mark, f.version, f.updated
	if !l.loaded { // lost while in doubt; it is loaded anew before the next flight
		return
	}
	for _, id := range f.ids {
		l.ids.add(id, mark.Sequence)
	}
	o.maybeSnapshot()
}

// smaller is what becomes of a flight that does not fit into a message after all: half of it is
// tried, and a single commit fails its caller only.
func (o *owner) smaller(err error) error {
	f := o.f
	if n := len(f.commits); n > 1 {
		f.limit = n / 2
		return errSmaller
	}
	for i, r := range o.work[:f.n] {
		if r != nil && r.basis == onAppend {
			o.work[i] = nil
			r.fail(err)
		}
	}
	return errSmaller
}

// inDoubt sends the same flight again until it is known what became of it. Whoever waits is
// told so after a while; the flight goes on without them.
func (o *owner) inDoubt(err error) (aggregate.Mark, error) {
	f, opts := o.f, &o.e.opts
	opts.Observer.Doubt(o.key, true)
	opts.Logger.Warn("append in doubt", "aggregate", o.key.String(), "version", uint64(f.at.Version), "error", err)
	defer opts.Observer.Doubt(o.key, false)
	f.doubted = append(f.doubted[:0], f.ids...)
	f.doubtedAt = f.doubtedAt[:0]
	for i := range f.commits {
		f.doubtedAt = append(f.doubtedAt, f.commits[i].Timestamp)
	}
	start := opts.Monotonic()
	for try := 1; ; try++ {
		if opts.Monotonic()-start >= opts.DoubtWait {
			o.tellDoubt()
		}
		if !o.e.pause(opts.Backoff.wait(try)) {
			return aggregate.Mark{}, doubt("the engine stops while the outcome is unknown", 0)
		}
		mark, err := opts.Log.Append(o.e.ctx, o.key, f.at, f.commits)
		if err == nil {
			return mark, nil
		}
		if refused(err) && o.settledByReload() {
			return aggregate.Mark{}, errMoved
		}
	}
}

// refused tells whether the log will never take these bytes at this place (again): then the
// log itself tells whether it has them.
func refused(err error) bool {
	return errors.Is(err, aggregate.ErrConflict) || errors.Is(err, aggregate.ErrTooLarge) || errors.Is(err, aggregate.ErrTenantAccessDenied)
}

// settledByReload reads what the log has after the flight's mark. From then on each command of
// the flight is a repeat, or not in the log, and is decided again.
func (o *owner) settledByReload() bool {
	err := o.reload()
	if err != nil && (errors.Is(err, aggregate.ErrStream) || o.e.ctx.Err() != nil) {
		return false
	}
	o.f.settledDoubt = true
	return true
}

// tellDoubt ends the wait of everyone who waits for this aggregate.
func (o *owner) tellDoubt() {
	err := doubt(fmt.Sprintf("the outcome of an append to %s is unknown", o.key), time.Second)
	for i, r := range o.work {
		if r != nil && r.kind != askBarrier {
			r.fail(err)
			o.work[i] = nil
		}
	}
	for _, r := range o.box.takeAll(nil) {
		if r.kind != askBarrier {
			r.fail(err)
			continue
		}
		o.work = append(o.work, r)
	}
}

// unavailable is err as a caller gets it: what is no answer of the domain asks to come again.
func unavailable(err error) error {
	var u *aggregate.UnavailableError
	if errors.As(err, &u) {
		return err
	}
	final := []error{aggregate.ErrRehydration, aggregate.ErrTenantAccessDenied, aggregate.ErrTooLarge, aggregate.ErrConflict, aggregate.ErrNotFound}
	if slices.ContainsFunc(final, func(c error) bool { return errors.Is(err, c) }) {
		return err
	}
	var v *aggregate.ValidationError
	if errors.As(err, &v) {
		return err
	}
	reason := aggregate.ErrStream
	for _, c := range []error{aggregate.ErrInDoubt, aggregate.ErrManifestBehind, aggregate.ErrStorage, aggregate.ErrClock} {
		if errors.Is(err, c) {
			reason = c
		}
	}
	return &aggregate.UnavailableError{Reason: reason, Message: err.Error(), RetryAfter: retryAfter}
}
