package engine

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// Engine runs aggregates. All methods may be called side by side.
type Engine struct {
	opts      Options
	clock     *clock
	manifest  atomic.Pointer[manifest]
	registry  registry
	tenants   tenants
	snapshots snapshots
	loads     chan struct{} // a token for each load under way
	requests  sync.Pool     // of *request
	flights   sync.Pool     // of *flight

	ctx     context.Context // of owners and the janitor; ends when Close gives up or is done
	cancel  context.CancelFunc
	closing atomic.Bool
	gate    sync.RWMutex // held for writing while closing begins: no owner is made afterwards
	owners  sync.WaitGroup
	janitor sync.WaitGroup
}

// errStopped answers whoever comes while the engine closes.
var errStopped = &aggregate.UnavailableError{Reason: aggregate.ErrUnavailable, Message: "the node is shutting down", RetryAfter: retryAfter}

// New makes an engine and starts its two goroutines (snapshots, janitor); [Engine.Close] ends them.
func New(o Options) (*Engine, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	e := &Engine{opts: o, clock: newClock(&o), loads: make(chan struct{}, o.MaxLoads)}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	e.registry.init(o.IdleAfter)
	e.flights.New = func() any { return &flight{} }
	e.tenants.quotaOf = o.Quota
	if o.Manifest != nil {
		e.Swap(o.Manifest)
	}
	e.snapshots.start(&e.opts)
	e.janitor.Go(e.tidy)
	return e, nil
}

// Close refuses new work, finishes what is waiting and in flight, lets every aggregate leave
// with a snapshot, and waits for all goroutines. When ctx ends first the rest is given up:
// callers in doubt are told so, and snapshots are left out. The log and the store stay open.
func (e *Engine) Close(ctx context.Context) error {
	e.gate.Lock()
	was := e.closing.Swap(true)
	e.gate.Unlock()
	if was {
		return errors.New("engine: closed already")
	}
	giveUp := context.AfterFunc(ctx, func() {
		e.cancel()
		for _, o := range e.registry.all(every) {
			o.giveUp()
		}
		e.snapshots.close(true)
	})
	for _, o := range e.registry.all(every) {
		o.leave()
	}
	e.owners.Wait()
	inTime := giveUp()
	e.cancel()
	e.janitor.Wait()
	e.snapshots.close(!inTime)
	if !inTime {
		return fmt.Errorf("engine closed before all work was done: %w", context.Cause(ctx))
	}
	return nil
}

// Submit hands cmd to its aggregate and waits for the reply. The engine keeps cmd: it must not
// be changed afterwards. The end of ctx ends the wait only: a command whose turn had come is
// decided all the same, and the error then matches ErrInDoubt. A caller who finds the aggregate idle
// decides and publishes himself; should the connection to the log not take the message, he notices
// the end of ctx when it does.
//
// Errors: ValidationError, RejectedError, VersionConflictError, TenantAccessDeniedError,
// FaultError, UnavailableError (its Reason tells which), or one that matches ErrRehydration,
// ErrTooLarge or ErrCommandIDReused, or what Options.Admit gave.
func (e *Engine) Submit(ctx context.Context, cmd *aggregate.Command) (*aggregate.Reply, error) {
	start := e.opts.Monotonic()
	reply, spent, err := e.submit(ctx, cmd, start)
	e.observe(cmd, reply, err, start, &spent)
	return reply, err
}

// observe completes the reply and tells the observer that cmd is done.
func (e *Engine) observe(cmd *aggregate.Command, reply *aggregate.Reply, err error, start time.Duration, s *spent) {
	if reply != nil && reply.Token == "" {
		reply.Token = makeToken(reply.Version, s.seq)
	}
	now := e.opts.Monotonic()
	if s.settled > 0 {
		s.stages[aggregate.StageReply] = now - s.settled
	}
	e.opts.Observer.Command(cmd, reply, err, s.gas, now-start, s.stages)
}

func (e *Engine) submit(ctx context.Context, cmd *aggregate.Command, now time.Duration) (*aggregate.Reply, spent, error) {
	if err := e.check(cmd); err != nil {
		return nil, spent{}, err
	}
	r := e.newRequest(askCommand, cmd, now)
	if err := r.hashPayload(); err != nil {
		r.free()
		return nil, spent{}, err
	}
	if err := e.send(ctx, cmd.Key(), r); err != nil {
		return nil, spent{}, err
	}
	reply, spent, err := r.reply, r.spent, r.err
	r.free()
	if err != nil {
		return nil, spent, err
	}
	return reply, spent, nil
}

// State gives the state of key as it is now: whatever was answered before the call is in it.
// The error is a NotFoundError if it has no events, or one of Submit's.
func (e *Engine) State(ctx context.Context, key aggregate.Key) (*aggregate.State, error) {
	if err := e.checkKey(key); err != nil {
		return nil, err
	}
	v, err := e.view(ctx, key, askState)
	if err != nil {
		return nil, err
	}
	return v.show(key), nil
}

func (e *Engine) view(ctx context.Context, key aggregate.Key, k kind) (view, error) {
	r := e.newRequest(k, nil, e.opts.Monotonic())
	if err := e.send(ctx, key, r); err != nil {
		return view{}, err
	}
	v, err := r.view, r.err
	r.free()
	return v, err
}

// show codes the state, on the caller's goroutine.
func (v *view) show(key aggregate.Key) *aggregate.State {
	return &aggregate.State{TenantID: key.Tenant, AggregateType: key.Type, AggregateID: key.ID, Version: v.mark.Version,
		State: v.rules.stateJSON(v.state), Derived: v.rules.derivedJSON(v.state), UpdatedAt: v.updated, Token: makeToken(v.mark.Version, v.mark.Sequence)}
}

// send puts r into the mailbox of key's owner and waits for the answer. With nil, r is answered
// and the caller frees it; otherwise it is gone.
func (e *Engine) send(ctx context.Context, key aggregate.Key, r *request) error {
	if err := e.post(ctx, key, r); err != nil {
		return err
	}
	return r.wait(ctx)
}

// post puts r into the mailbox of key's owner. With an error r is gone.
func (e *Engine) post(ctx context.Context, key aggregate.Key, r *request) error {
	if err := ctx.Err(); err != nil {
		r.free()
		return err
	}
	if e.closing.Load() {
		r.free()
		return errStopped
	}
	s := e.registry.shard(key)
	e.makeRoom(s)
	for {
		o, err := s.find(key, r.spent.posted, func() (*owner, error) { return e.birth(key) })
		if err != nil {
			r.free()
			return err
		}
		o.tenant.touch(r.spent.posted)
		if r.tenant == nil {
			if err := o.tenant.join(r); err != nil {
				r.free()
				o.rouse() // it may have been born for this
				return err
			}
		}
		switch o.box.put(r, e.opts.MailboxSize) {
		case putOK:
			return nil
		case putDrive:
			o.work = append(o.work, r)
			o.drive(true)
			return nil
		case putFull:
			r.free()
			return &aggregate.UnavailableError{Reason: aggregate.ErrUnavailable, Message: "too many commands wait for this aggregate", RetryAfter: retryAfter}
		case putClosed: // it has just left
		}
	}
}

// makeRoom lets the longest idle owner of a shard go when too many are live: whoever comes with one
// more brings its room along, and need not wait for the janitor.
func (e *Engine) makeRoom(s *shard) {
	if int(e.registry.live.Load()) < e.opts.MaxLive {
		return
	}
	for _, o := range s.idle(1<<62, 1) {
		o.leave()
	}
}

// birth makes an owner; the caller holds its shard's lock.
func (e *Engine) birth(key aggregate.Key) (*owner, error) {
	e.gate.RLock()
	defer e.gate.RUnlock()
	if e.closing.Load() {
		return nil, errStopped
	}
	n := int(e.registry.live.Load())
	if most := e.opts.MaxLive + e.opts.MaxLive/4; n >= most {
		return nil, &aggregate.UnavailableError{Reason: aggregate.ErrUnavailable, Message: fmt.Sprintf("%d aggregates are live, and none can leave fast enough", n), RetryAfter: retryAfter}
	}
	t, err := e.tenants.enter(key.Tenant)
	if err != nil {
		return nil, err
	}
	o := &owner{e: e, key: key, id: value.MakeUUID(key.ID), tenant: t}
	o.onAppended = o.appended
	e.owners.Add(1)
	e.opts.Observer.Live(int(e.registry.live.Add(1)))
	return o, nil
}

// tidy asks idle aggregates to leave, and the longest idle ones when too many are live.
func (e *Engine) tidy() {
	every := max(min(e.opts.IdleAfter/4, 250*time.Millisecond), time.Millisecond)
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-e.ctx.Done():
			return
		case <-t.C:
		}
		idle := e.opts.Monotonic() - e.opts.IdleAfter
		over := int(e.registry.live.Load()) - e.opts.MaxLive
		for i := range e.registry.shards {
			s := &e.registry.shards[i]
			gone := s.idle(idle, e.opts.SnapshotQueue/shardCount/4+1) // not more than snapshots can follow
			if over > 0 {
				gone = append(gone, s.idle(1<<62, over/shardCount+1)...)
			}
			for _, o := range gone {
				o.leave()
			}
		}
		e.thin()
	}
}

// Live is how many aggregates are live.
func (e *Engine) Live() int { return int(e.registry.live.Load()) }

// FlushSnapshots waits until every snapshot asked for so far has been written.
func (e *Engine) FlushSnapshots(ctx context.Context) error { return e.snapshots.flush(ctx) }

// Clock tells whether the clock is trusted: nil, or an UnavailableError of ErrClock.
func (e *Engine) Clock() error {
	_, err := e.clock.now(e.opts.Monotonic())
	return err
}

// metaActor is the key of ctx.meta that tells who asks; only the door may say so.
const metaActor = "actor"

// check refuses a command of the wrong shape, before anything is looked up.
func (e *Engine) check(cmd *aggregate.Command) error {
	if err := e.checkKey(cmd.Key()); err != nil {
		return err
	}
	if cmd.CommandID.IsZero() {
		return &aggregate.ValidationError{Path: "command_id", Message: "a command needs an id"}
	}
	if _, ok := cmd.Metadata[metaActor]; ok {
		return &aggregate.ValidationError{Path: "metadata." + metaActor, Message: "the actor comes from authentication"}
	}
	size := 0
	for k, v := range cmd.Metadata {
		size += len(k) + len(v)
		if !utf8.ValidString(k) || !utf8.ValidString(v) {
			return &aggregate.ValidationError{Path: "metadata", Message: "metadata is not UTF-8"}
		}
	}
	if len(cmd.Metadata) > maxMetadataKeys || size > maxMetadataBytes {
		return &aggregate.ValidationError{Path: "metadata", Message: fmt.Sprintf("metadata has at most %d keys and %d bytes", maxMetadataKeys, maxMetadataBytes)}
	}
	return checkWho(cmd)
}

func checkWho(cmd *aggregate.Command) error {
	size := len(cmd.Actor)
	ok := utf8.ValidString(cmd.Actor)
	for _, r := range cmd.Roles {
		size += len(r)
		ok = ok && utf8.ValidString(r)
	}
	if !ok || size > maxMetadataBytes {
		return &aggregate.ValidationError{Path: "roles", Message: fmt.Sprintf("actor and roles are UTF-8 of at most %d bytes", maxMetadataBytes)}
	}
	return nil
}

func (e *Engine) checkKey(key aggregate.Key) error {
	if _, err := aggregate.ParseTenantID(string(key.Tenant)); err != nil {
		return err
	}
	if key.Tenant.IsEmpty() && e.opts.TenancyRequired {
		return &aggregate.ValidationError{Path: "tenant_id", Message: "a tenant is required (x-tenant-id)"}
	}
	if key.ID.IsZero() {
		return &aggregate.ValidationError{Path: "aggregate_id", Message: "an aggregate id is required"}
	}
	if _, err := aggregate.ParseType(string(key.Type)); err != nil {
		return err
	}
	man := e.manifest.Load()
	if man == nil {
		return &aggregate.UnavailableError{Reason: aggregate.ErrUnavailable, Message: "no manifest is loaded yet", RetryAfter: retryAfter}
	}
	if man.rules[key.Type] == nil {
		return unknownType(key.Type)
	}
	return nil
}

// makeToken names a place in the log that a later read must have reached.
func makeToken(v aggregate.Version, s aggregate.Sequence) string {
	var buf [48]byte
	b := strconv.AppendUint(buf[:0], uint64(v), 10)
	b = strconv.AppendUint(append(b, '-'), uint64(s), 10)
	return string(b)
}

// ParseToken reads the token of a reply or state: the version of its aggregate, and the
// sequence in the log that holds it.
func ParseToken(s string) (aggregate.Version, aggregate.Sequence, error) {
	a, b, ok := strings.Cut(s, "-")
	v, err1 := strconv.ParseUint(a, 10, 64)
	q, err2 := strconv.ParseUint(b, 10, 64)
	if !ok || err1 != nil || err2 != nil {
		return 0, 0, &aggregate.ValidationError{Path: "token", Message: fmt.Sprintf("%q is no token of a reply", s)}
	}
	return aggregate.Version(v), aggregate.Sequence(q), nil
}
