package engine

import (
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// owner is one live aggregate. At any moment at most one goroutine works on it, drives it: whoever
// found it idle and put the first request into its mailbox, and after an append the one that brings
// the log's answer. An idle owner has no goroutine. Below the first group everything belongs to
// who drives.
type owner struct {
	e            *Engine
	key          aggregate.Key
	id           value.V // of the key, for rules
	tenant       *tenant
	box          mailbox
	newer, older *owner        // in the shard's order of use; under the shard's lock
	lastUsed     time.Duration // under the shard's lock
	placed       time.Duration // when it was put where it is in that order; under the shard's lock
	flights      uint64        // given to the log so far
	airborne     atomic.Uint64 // the flight that is with the log; who makes it 0 goes on with the owner
	onAppended   func(aggregate.Mark, time.Duration, error)

	live live
	work []*request // taken from the mailbox, not answered yet; nil where one is gone
	f    *flight    // while there is one: an idle owner keeps its state only
}

// live is an aggregate as the log has it.
type live struct {
	loaded      bool
	man         *manifest
	rules       *rules
	incarnation uint64 // of the log, when loaded
	state       []value.V
	mark        aggregate.Mark
	version     aggregate.Version
	updated     time.Time // of the last commit
	ids         commandIDs
	snapshotted aggregate.Version // of the last snapshot written or asked for
	snapshotIDs int               // how many commits it knows

	broken      error // why it cannot be read; not tried again before brokenUntil
	brokenUntil time.Duration
}

// drive works on the owner until nothing waits, or until somebody else goes on with it: the log's
// answer to an append, or another goroutine. A prompt drive does nothing that may block, and no more
// than one flight: its goroutine is a caller's, who wants his answer. The rest is left to a goroutine
// of its own. Afterwards the caller must not touch the owner.
func (o *owner) drive(prompt bool) {
	for flown := false; ; {
		if len(o.work) == 0 {
			o.work = o.box.takeAll(o.work)
		}
		if len(o.work) > 0 {
			if prompt && flown && o.elsewhere() || o.fly(prompt) {
				return
			}
			flown = true
			continue
		}
		if o.box.rest(o.stays()) || o.depart() {
			return
		}
	}
}

// leave asks the owner to go as soon as it has nothing to do. The caller holds no lock of a shard.
func (o *owner) leave() {
	if o.box.askLeave() {
		o.drive(true)
	}
}

// rouse has an owner that nobody works on look after itself: one that holds nothing leaves.
func (o *owner) rouse() {
	if o.box.claim() {
		o.drive(true)
	}
}

// stays tells whether there is something worth staying for: not an aggregate without a commit that
// somebody asked for, nor one that will be read anew in any case.
func (o *owner) stays() bool {
	if o.e.closing.Load() || o.e.ctx.Err() != nil {
		return false
	}
	return o.live.loaded && o.live.mark.Sequence > 0 || o.live.broken != nil
}

// depart leaves the registry unless a request has come in between.
func (o *owner) depart() bool {
	if !o.e.registry.shard(o.key).remove(o) {
		return false
	}
	if l := &o.live; l.loaded && l.unsaved() > 0 && o.e.ctx.Err() == nil {
		o.snapshot(o.e.closing.Load())
	}
	o.e.tenants.leave(o.tenant)
	o.e.opts.Observer.Live(int(o.e.registry.live.Add(-1)))
	o.e.owners.Done()
	return true
}

// fly decides what waits, as far as it fits into one flight. False: it is settled and answered.
// True: somebody else goes on with the owner.
func (o *owner) fly(prompt bool) bool {
	o.begin()
	if o.e.ctx.Err() != nil {
		o.failAll(errStopped)
		o.release()
		return false
	}
	if prompt && !o.atHand() {
		return o.elsewhere()
	}
	return o.attempt(prompt)
}

// elsewhere leaves the owner to a goroutine that may block.
func (o *owner) elsewhere() bool {
	go o.drive(false)
	return true
}

// attempt decides the flight and settles it, if need be again, and answers. Its result is fly's.
func (o *owner) attempt(prompt bool) bool {
	f := o.f
	for {
		if err := o.ready(f.man); err != nil {
			o.failAll(err)
			break
		}
		if !o.decide(prompt) {
			return o.elsewhere()
		}
		if len(f.commits) > 0 {
			o.send()
			return true
		}
		err := o.latest(prompt)
		if err == errSlow {
			return o.elsewhere()
		}
		if !o.conclude(err) {
			break
		}
	}
	o.release()
	return false
}

// send gives the flight to the log, which goes on with the owner. While Begin reads the commits the
// flight is not given up, as that would clear them.
func (o *owner) send() {
	f := o.f
	f.sent = f.settled
	o.flights++
	n := o.flights << 1
	o.airborne.Store(n)
	o.e.opts.Log.Begin(o.e.ctx, o.key, f.at, f.commits, o.onAppended)
	// The owner may be another's by now, with another flight: n is of this one only.
	if o.airborne.CompareAndSwap(n, n|aloft) && o.e.ctx.Err() != nil {
		o.giveUp()
	}
}

// aloft is added to airborne when Begin has returned.
const aloft = 1

// appended is where the log goes on. Others wait for its goroutine: success is told, anything
// else, and what has come in the meantime, is for another one. So are failures of single commands
// that nobody waits for: they are logged, and a log may block.
func (o *owner) appended(mark aggregate.Mark, synced time.Duration, err error) {
	if o.airborne.Swap(0) == 0 {
		return // given up
	}
	if err != nil || o.notifiesFailure() {
		go o.resume(mark, synced, err)
		return
	}
	o.adopt(mark, synced)
	o.answer()
	o.release()
	if len(o.work) == 0 && o.box.rest(o.stays()) {
		return
	}
	go o.drive(false)
}

// notifiesFailure tells whether the flight has a failed command whose caller does not wait.
func (o *owner) notifiesFailure() bool {
	return slices.ContainsFunc(o.work[:o.f.n], func(r *request) bool { return r != nil && r.notify != nil && r.err != nil })
}

// resume is what appended does not do itself.
func (o *owner) resume(mark aggregate.Mark, synced time.Duration, err error) {
	if err == nil {
		o.adopt(mark, synced)
	} else {
		err = o.failed(err)
	}
	if o.conclude(err) {
		if o.attempt(false) {
			return
		}
	} else {
		o.release()
	}
	o.drive(false)
}

// giveUp ends the wait for the log, whose answer will find nobody.
func (o *owner) giveUp() {
	if n := o.airborne.Load(); n&aloft != 0 && o.airborne.CompareAndSwap(n, 0) {
		go o.resume(aggregate.Mark{}, 0, doubt("the engine stops while the outcome is unknown", 0))
	}
}

// conclude answers the settled flight. True: it has to be decided again.
func (o *owner) conclude(err error) bool {
	switch {
	case err == nil:
		o.answer()
	case o.again(err):
		return true
	default:
		o.failRest(err)
	}
	return false
}

// again tells whether the flight is decided once more after err, having waited for its turn.
func (o *owner) again(err error) bool {
	f := o.f
	if err == errSmaller {
		return true
	}
	if err != errMoved {
		return false
	}
	if f.settledDoubt { // no other writer need have been there
		f.settledDoubt = false
		return true
	}
	f.tries++
	o.e.opts.Observer.Conflict(o.key, f.tries)
	if f.tries > o.e.opts.MaxRetries {
		return false
	}
	return o.e.pause(o.e.opts.Backoff.wait(f.tries))
}

// answer sends every result of the settled flight.
func (o *owner) answer() {
	n := o.f.n
	for _, r := range o.work[:n] {
		if r == nil {
			continue
		}
		o.f.account(&r.spent)
		r.spent.seq = o.live.mark.Sequence
		if r.kind == askState || r.kind == askView {
			r.view, r.err = o.view(r.kind)
		}
		r.answer()
	}
	o.drop(n)
}

// drop forgets the first n requests of work.
func (o *owner) drop(n int) {
	rest := copy(o.work, o.work[n:])
	clear(o.work[rest:])
	o.work = o.work[:rest]
	if rest == 0 && cap(o.work) > 1024 {
		o.work = nil
	}
}

// view is the live state, to be read by whoever asked; askState wants NotFoundError for an
// aggregate without events.
func (o *owner) view(k kind) (view, error) {
	l := &o.live
	if l.version == 0 && k == askState {
		return view{}, &aggregate.NotFoundError{Key: o.key}
	}
	return view{rules: l.rules, state: slices.Clone(l.state), mark: l.mark, updated: l.updated}, nil
}

// failAll answers everything taken with err: the aggregate cannot be worked on.
func (o *owner) failAll(err error) {
	err = unavailable(err)
	for _, r := range o.work {
		if r != nil {
			r.fail(o.f.failure(r, err))
		}
	}
	o.drop(len(o.work))
}

// failRest answers the flight that could not be settled because of err: what rests on the
// state or the append gets err, what rests on facts gets its result.
func (o *owner) failRest(err error) {
	read := err
	if err == errMoved {
		read = &aggregate.UnavailableError{Reason: aggregate.ErrUnavailable, Message: "the aggregate moves on too fast", RetryAfter: retryAfter}
		err = &aggregate.VersionConflictError{Expected: o.f.at.Version, Actual: o.live.version}
	}
	err, read = unavailable(err), unavailable(read)
	for _, r := range o.work[:o.f.n] {
		switch {
		case r == nil:
		case r.kind == askBarrier || r.kind == askCommand && r.basis == onFact:
			r.answer()
		case r.kind != askCommand:
			r.fail(read)
		default:
			r.fail(err)
		}
	}
	o.drop(o.f.n)
}

// pause sleeps, on a goroutine of the owner's own; false means that the engine stops.
func (e *Engine) pause(d time.Duration) bool {
	if d <= 0 {
		return e.ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-e.ctx.Done():
		return false
	}
}

// wait is how long to wait before try n, which counts from 1.
func (b Backoff) wait(n int) time.Duration {
	d := b.Initial << min(n-1, 30)
	if d <= 0 || d > b.Max {
		d = b.Max
	}
	return d/2 + rand.N(d/2+1)
}
