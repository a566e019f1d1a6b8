package engine

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// owner is one live aggregate and the goroutine that it belongs to. Below the first group
// everything is that goroutine's own.
type owner struct {
	e            *Engine
	key          aggregate.Key
	id           value.V // of the key, for rules
	tenant       *tenant
	box          mailbox
	newer, older *owner        // in the shard's order of use; under the shard's lock
	lastUsed     time.Duration // under the shard's lock

	live live
	work []*request // taken from the mailbox, not answered yet; nil where one is gone
	f    flight
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

// run is the owner's goroutine.
func (o *owner) run() {
	defer o.e.owners.Done()
	for {
		var leave bool
		if len(o.work) == 0 {
			o.work, leave = o.box.takeAll(o.work)
		}
		if len(o.work) > 0 {
			o.fly()
			continue
		}
		if (leave || o.e.closing.Load() || o.e.ctx.Err() != nil || !o.keeps()) && o.depart() {
			return
		}
		// Nothing but the mailbox: a select on a Done that all owners share would have them wait
		// for its lock. Who cancels it wakes every owner.
		<-o.box.wake
	}
}

// keeps tells whether there is something worth staying for: not an aggregate without a commit that
// somebody asked for, nor one that will be read anew in any case.
func (o *owner) keeps() bool {
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
	return true
}

// fly decides what waits, as far as it fits into one flight, sees it settled, and answers.
func (o *owner) fly() {
	if o.e.ctx.Err() != nil {
		o.failAll(errStopped)
		return
	}
	man := o.e.manifest.Load()
	f := &o.f
	f.begin(o)
	defer f.release()
	for {
		if err := o.ready(man); err != nil {
			o.failAll(err)
			return
		}
		o.decide(man)
		err := o.settle()
		if err == nil {
			o.answer()
			return
		}
		if !o.again(err) {
			o.failRest(err)
			return
		}
	}
}

// again tells whether the flight is decided once more after err, having waited for its turn.
func (o *owner) again(err error) bool {
	f := &o.f
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
		if r.reply != nil && r.reply.Token == "" {
			r.reply.Token = makeToken(r.reply.Version, o.live.mark.Sequence)
		}
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
			r.fail(err)
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

// pause sleeps, on an owner's goroutine; false means that the engine stops.
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
