package engine

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/dsl/value"
	"github.com/cloudlysis/aggregate/engine/vm"
)

// flight is what an owner decides and appends at once. Owners lend them from a pool, where the
// few that are in use at once stay warm in the processor's caches.
type flight struct {
	man       *manifest      // under which all of it is decided
	at        aggregate.Mark // where the aggregate stood when it was decided
	n         int            // requests of the owner's work that it covers
	limit     int            // commits at most
	commits   []aggregate.Commit
	ids       []aggregate.ID // of the commits
	replies   []*aggregate.Reply
	state     []value.V // working copy
	version   aggregate.Version
	updated   time.Time
	size      int  // estimate of the message
	needsLast bool // some result rests on the state being the latest

	now     time.Time     // what all its commands see; zero: not read yet
	began   time.Duration // when its decision began
	sent    time.Duration // when it went to the log
	settled time.Duration // when its results stood
	stages  aggregate.Stages

	tries        int
	settledDoubt bool           // a doubt ended in a conflict: the commits may be in the log
	doubted      []aggregate.ID // the commits that were in doubt
	doubtedAt    []time.Time    // and their timestamps

	candidates []aggregate.Sequence
	events     []aggregate.CommitEvent // of all commits; each has its part of it
	text       []byte                  // working space for payloads
	ctx        vm.Ctx
	machine    machine
}

var (
	errMoved   = errors.New("the aggregate has moved on")
	errSmaller = errors.New("the flight must be smaller")
	// errSlow: to go on may block, and this goroutine must not.
	errSlow = errors.New("to be continued on another goroutine")
)

// begin makes the owner's flight ready for a new one.
func (o *owner) begin() {
	if o.f == nil {
		o.f = o.e.flights.Get().(*flight)
	}
	o.f.begin(o)
}

// release gives the owner's flight back.
func (o *owner) release() {
	o.f.release()
	o.e.flights.Put(o.f)
	o.f = nil
}

// begin makes f ready for a new flight of o.
func (f *flight) begin(o *owner) {
	f.man = o.e.manifest.Load()
	f.stages = aggregate.Stages{}
	f.limit = o.e.opts.MaxFlightCommits
	f.tries, f.settledDoubt = 0, false
	f.doubted, f.doubtedAt = f.doubted[:0], f.doubtedAt[:0]
}

// reset makes f ready to be decided from l.
func (f *flight) reset(l *live) {
	f.at, f.n = l.mark, 0
	clear(f.commits)
	clear(f.replies)
	clear(f.events)
	f.commits, f.ids, f.replies, f.events = f.commits[:0], f.ids[:0], f.replies[:0], f.events[:0]
	f.state = append(f.state[:0], l.state...)
	f.version, f.updated = l.version, l.updated
	f.size, f.needsLast = messageBytes, false
}

// release lets go of what the flight held: the pool keeps room, no texts.
func (f *flight) release() {
	f.man = nil
	clear(f.commits)
	clear(f.replies)
	clear(f.events)
	clear(f.state)
	f.ctx = vm.Ctx{}
	if cap(f.text) > maxKeptText {
		f.text = nil
	}
	if cap(f.commits) > keptCommits {
		f.commits, f.ids, f.replies = nil, nil, nil
	}
	if cap(f.events) > 2*keptCommits {
		f.events = nil
	}
}

// account tells what the settled flight has cost one of its commands.
func (f *flight) account(s *spent) {
	s.stages, s.settled = f.stages, f.settled
	s.stages[aggregate.StageQueue] = f.began - s.posted - f.stages[aggregate.StageLoad]
}

// keptCommits is for how many commits a flight in the pool keeps room.
const keptCommits = 64

// decide takes requests in their order and finds a result for each, until the flight is full.
// Nothing is sent yet. A prompt one is false when it would have to ask the log.
func (o *owner) decide(prompt bool) bool {
	f := o.f
	f.reset(&o.live)
	f.began, f.now = o.e.opts.Monotonic(), time.Time{}
	f.stages = aggregate.Stages{aggregate.StageLoad: f.stages[aggregate.StageLoad]} // an earlier try is in StageQueue
	defer func() { f.settled = o.e.opts.Monotonic(); f.stages[aggregate.StageDecide] = f.settled - f.began }()
	f.machine = o.live.rules.lend()
	defer f.machine.giveBack()
	for i, r := range o.work {
		if len(f.commits) >= f.limit || f.size >= o.e.opts.MaxFlightBytes {
			return true
		}
		f.n = i + 1
		if r == nil {
			continue
		}
		if !r.take() {
			o.work[i] = nil
			continue
		}
		r.reply, r.err, r.basis = nil, nil, onFact
		switch r.kind {
		case askState, askView:
			r.basis, f.needsLast = onState, true
		case askCommand:
			if !o.command(r, prompt) { // no room left: it begins the next flight
				f.n = i
				return true
			}
			if r.err == errSlow {
				r.err = nil
				return false
			}
		}
	}
	return true
}

// command finds the result of one command, in the order of checks of the doors' contract:
// repeat, drain and admission, clock, payload, expected version, and then the rules' own
// (roles, birth, final, decide, invariants). It is false if the flight has no room for it.
func (o *owner) command(r *request, prompt bool) bool {
	known, err := o.repeat(r, prompt)
	if known || err != nil {
		r.err = err
		return true
	}
	now, err := o.admit(r)
	if err != nil {
		r.err = err
		return true
	}
	f := o.f
	if r.err = f.machine.read(r.cmd.Payload); r.err != nil {
		return true
	}
	if v := r.cmd.ExpectedVersion; v != nil && *v != f.version {
		r.err = &aggregate.VersionConflictError{Expected: *v, Actual: f.version}
		r.basis, f.needsLast = onState, true
		return true
	}
	return o.rule(r, now)
}

// repeat looks whether the command id has a commit, in this flight or in the log, and makes
// its first reply again.
func (o *owner) repeat(r *request, prompt bool) (bool, error) {
	f, id := o.f, r.cmd.CommandID
	for i := range f.ids {
		if f.ids[i] == id {
			r.basis = onAppend
			return true, firstReply(r, &f.commits[i], f.replies[i])
		}
	}
	f.candidates = o.live.ids.candidates(f.candidates[:0], id)
	if prompt && len(f.candidates) > 0 {
		return false, errSlow
	}
	for _, seq := range f.candidates {
		commits, version, err := o.e.opts.Log.At(o.e.ctx, o.key, seq)
		if errors.Is(err, aggregate.ErrNotFound) {
			// A message stands there, or stood there: a replica lags, or the log was cut. To take
			// the command for a new one now could execute it twice.
			err = &aggregate.UnavailableError{Reason: aggregate.ErrStream, Message: err.Error(), RetryAfter: retryAfter}
		}
		if err != nil {
			return false, f.failure(r, unavailable(err))
		}
		for i := range commits {
			if c := &commits[i]; c.CommandID == id {
				first := replyOf(o.key, c, versionAfter(commits, i, version))
				first.Token = makeToken(first.Version, seq)
				return true, o.known(r, c, first)
			}
		}
	}
	return false, nil
}

// failure is err as the caller of r gets it. If r travelled in a flight whose outcome could not be
// found out because of err, its commit may be in the log, whatever err says of this try.
func (f *flight) failure(r *request, err error) error {
	if r.kind == askCommand && slices.Contains(f.doubted, r.cmd.CommandID) {
		return doubt("what became of an append cannot be read: "+err.Error(), 0)
	}
	return err
}

// known answers r from the commit c that the log has. If this owner put it there itself, and
// only did not know for a while, it is no repeat.
func (o *owner) known(r *request, c *aggregate.Commit, first *aggregate.Reply) error {
	err := firstReply(r, c, first)
	for i, id := range o.f.doubted {
		if err == nil && id == c.CommandID && o.f.doubtedAt[i].Equal(c.Timestamp) {
			r.reply.Duplicate = false
		}
	}
	return err
}

// firstReply makes the first reply of commit c the reply to r, unless r asks for something else.
func firstReply(r *request, c *aggregate.Commit, first *aggregate.Reply) error {
	if string(r.hash[:]) != c.CommandHash {
		return fmt.Errorf("%w: command %s has a commit of another payload", aggregate.ErrCommandIDReused, c.CommandID)
	}
	reply := *first
	reply.Duplicate = true
	r.reply = &reply
	return nil
}

// versionAfter is the aggregate's version after commit i of a message that ends at version end. It
// is not read off the events: the commit, or the whole message, may have none.
func versionAfter(commits []aggregate.Commit, i int, end aggregate.Version) aggregate.Version {
	for _, later := range commits[i+1:] {
		end -= aggregate.Version(len(later.Events))
	}
	return end
}

func replyOf(key aggregate.Key, c *aggregate.Commit, v aggregate.Version) *aggregate.Reply {
	if len(c.Events) == 1 { // nearly always: one allocation for both
		r := &struct {
			reply aggregate.Reply
			event [1]aggregate.Event
		}{event: [1]aggregate.Event{aggregate.EventOf(key, c, 0)}}
		r.reply = bareReply(key, c, v)
		r.reply.Events = r.event[:]
		return &r.reply
	}
	r := bareReply(key, c, v)
	r.Events = aggregate.EventsOf(key, c)
	return &r
}

func bareReply(key aggregate.Key, c *aggregate.Commit, v aggregate.Version) aggregate.Reply {
	return aggregate.Reply{TenantID: key.Tenant, AggregateType: key.Type, AggregateID: key.ID, CommandID: c.CommandID, Version: v}
}

// room is space for the events of one more commit. It is used again with the next flight: nobody
// keeps a commit beyond its Append.
func (f *flight) room(n int) []aggregate.CommitEvent {
	at := len(f.events)
	f.events = slices.Grow(f.events, n)[:at+n]
	return f.events[at : at+n : at+n]
}

// admit asks everything that may keep a new command out whatever the aggregate says, and gives
// the time at which it is decided.
func (o *owner) admit(r *request) (time.Time, error) {
	if o.tenant.draining.Load() {
		return time.Time{}, &aggregate.UnavailableError{Reason: aggregate.ErrUnavailable, Message: "the tenant is being drained from this node", RetryAfter: retryAfter}
	}
	if admit := o.e.opts.Admit; admit != nil {
		if err := admit(r.cmd); err != nil {
			return time.Time{}, err
		}
	}
	if !r.paid { // deciding it again costs nothing
		if err := o.tenant.spend(o.e.opts.Monotonic()); err != nil {
			return time.Time{}, err
		}
		r.paid = true
	}
	if o.f.now.IsZero() {
		now, err := o.e.clock.now(o.f.began)
		if err != nil {
			return now, err
		}
		o.f.now = now
	}
	now := o.f.now
	if now.Before(o.f.updated) {
		return o.f.updated, o.e.clock.ahead(now, o.f.updated)
	}
	return now, nil
}

// rule runs the rules on the working state and, when they accept, makes the commit; one without
// events only if such commands are remembered.
func (o *owner) rule(r *request, now time.Time) bool {
	f, cmd := o.f, r.cmd
	c := aggregate.Commit{CommandID: cmd.CommandID, Timestamp: now, Actor: cmd.Actor, Roles: cmd.Roles,
		Metadata: cmd.Metadata, Manifest: f.man.hash, Engine: f.man.engine}
	if !fillCtx(&f.ctx, o.key, o.id, &c, f.version) {
		r.err = clockError(fmt.Sprintf("the clock says %v", now), 0)
		return true
	}
	err := f.machine.decide(f.state, &f.ctx, f.version > 0, o.e.opts.GasMax)
	r.spent.gas = f.machine.gas
	if err == nil {
		c.Events, f.text = f.machine.events(f.room(f.machine.count()), f.text)
	}
	if err != nil || len(c.Events) == 0 && !o.e.opts.RememberNothing {
		r.err, r.basis, f.needsLast = err, onState, true
		if err == nil {
			r.reply = replyOf(o.key, &c, f.version)
		}
		return true
	}
	c.CommandHash = string(r.hash[:])
	if !o.e.opts.HashCommands {
		c.Command = cmd.Payload
	}
	o.e.number(o.key, &c, f.version)
	return o.board(r, &c)
}

// number gives the events of c their ids and versions, those after at.
func (e *Engine) number(key aggregate.Key, c *aggregate.Commit, at aggregate.Version) {
	for i := range c.Events {
		at++
		c.Events[i].EventID, c.Events[i].Version = e.opts.EventID(key, c.CommandID, c.Timestamp, i), at
	}
}

// board takes the commit into the flight and stores its effect in the working state. It is
// false if there is no room behind what is in the flight already.
func (o *owner) board(r *request, c *aggregate.Commit) bool {
	f, size := o.f, commitSize(c)
	if messageBytes+size > o.e.opts.MaxCommitBytes {
		r.err = tooLarge(c.CommandID, size)
		return true
	}
	if len(f.commits) > 0 && f.size+size > o.e.opts.MaxFlightBytes {
		return false
	}
	f.machine.store(f.state)
	f.version += aggregate.Version(len(c.Events))
	f.updated = c.Timestamp
	f.size += size
	r.reply, r.basis = replyOf(o.key, c, f.version), onAppend
	f.commits, f.ids, f.replies = append(f.commits, *c), append(f.ids, c.CommandID), append(f.replies, r.reply)
	return true
}

func tooLarge(id aggregate.ID, size int) error {
	return fmt.Errorf("%w: command %s makes a commit of about %d bytes", aggregate.ErrTooLarge, id, size)
}

// Estimates of what a message takes besides its texts. They are upper bounds: quotes, names
// of members and ids of the stored form, and headers.
const (
	messageBytes = 1536
	commitBytes  = 448
	eventBytes   = 192
)

// commitSize is at least what c takes in a message. Text that is coded anew may grow: a control
// character becomes six bytes.
func commitSize(c *aggregate.Commit) int {
	n := commitBytes + len(c.Command) + 6*len(c.Actor)
	for _, r := range c.Roles {
		n += 6*len(r) + 3
	}
	for k, v := range c.Metadata {
		n += 6*(len(k)+len(v)) + 6
	}
	for i := range c.Events {
		n += eventBytes + len(c.Events[i].Type) + len(c.Events[i].Payload)
	}
	return n
}
