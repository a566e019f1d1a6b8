package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// kind is what a request asks of an owner.
type kind uint8

const (
	askCommand kind = iota
	askState
	askView    // as askState, of an unborn aggregate too
	askBarrier // answered when all that came before it is settled
)

// Where a request stands. Only the caller withdraws or leaves, only the owner takes and
// answers; each step is one compare-and-swap, and whoever comes second gives the request back.
const (
	queued    uint32 = iota
	withdrawn        // the caller left before its turn: it is not decided
	taken            // its turn has come: it will be decided, whoever waits
	left             // the caller left after its turn came
	answered
)

// request is one command or read on its way through an owner. Requests are pooled.
type request struct {
	pool *sync.Pool
	kind kind
	at   atomic.Uint32
	cmd  *aggregate.Command
	// tenant counts it in until it is freed; paid: it has been taken from the tenant's rate.
	tenant *tenant
	paid   bool
	hash   [64]byte // lower case hex sha256 of the command's canonical payload
	text   []byte   // room for the canonical payload
	done   chan struct{}
	// notify, when set, is called in place of done: by Start nobody waits.
	notify func(*aggregate.Reply, spent, error)

	// What the owner has found: reply or err of a command, view or err of a read.
	reply *aggregate.Reply
	view  view
	spent spent
	err   error
	basis basis
}

// spent is what a command has cost, and when. Its times are of the engine's clock that only runs forward.
type spent struct {
	gas     int64
	stages  aggregate.Stages
	posted  time.Duration // when it came
	settled time.Duration // when its result stood
	// seq is where the log stood then, for the reply's token: who has the reply writes it, on his own time.
	seq aggregate.Sequence
}

// basis is what a result rests on, and so what must hold before it is sent.
type basis uint8

const (
	onFact   basis = iota // nothing: a repeat that the log confirmed, a validation error
	onState               // the state of the flight is the latest: a refusal, a read
	onAppend              // the flight is in the log
)

func (e *Engine) newRequest(k kind, cmd *aggregate.Command, now time.Duration) *request {
	r, ok := e.requests.Get().(*request)
	if !ok {
		r = &request{pool: &e.requests, done: make(chan struct{}, 1)}
	}
	r.kind, r.cmd, r.spent.posted = k, cmd, now
	r.at.Store(queued)
	return r
}

// free gives r back to the pool; nobody else may hold it.
func (r *request) free() {
	r.cmd, r.reply, r.err, r.basis, r.notify = nil, nil, nil, onFact, nil
	r.view, r.spent = view{}, spent{}
	if r.tenant != nil {
		r.tenant.inFlight.Add(-1)
		r.tenant, r.paid = nil, false
	}
	r.pool.Put(r)
}

// hashPayload fills hash. What is no JSON object is refused here: it cannot be the repeat of
// anything, so no aggregate is loaded for it.
func (r *request) hashPayload() error {
	text, err := value.CanonicalJSON(r.text[:0], r.cmd.Payload)
	if err == nil && (len(text) == 0 || text[0] != '{') {
		err = errors.New("a command is a JSON object with a \"type\"")
	}
	if err != nil {
		return invalidOne(err)
	}
	sum := sha256.Sum256(text)
	hex.Encode(r.hash[:], sum[:])
	if r.text = text; cap(text) > maxKeptText {
		r.text = nil
	}
	return nil
}

// maxKeptText is how much room for payloads a pooled request or an idle owner keeps.
const maxKeptText = 4 << 10

// take begins r's turn; false means that the caller has withdrawn it, and it is gone.
func (r *request) take() bool {
	if r.at.CompareAndSwap(queued, taken) {
		return true
	}
	if r.at.Load() == withdrawn {
		r.free()
		return false
	}
	return true // a second try of the same flight, whether or not the caller still waits
}

// answer ends r with what its fields hold; the owner must not touch it afterwards.
func (r *request) answer() {
	if notify := r.notify; notify != nil {
		reply, spent, err := r.reply, r.spent, r.err
		r.free()
		notify(reply, spent, err)
		return
	}
	if r.at.CompareAndSwap(taken, answered) || r.at.CompareAndSwap(queued, answered) {
		r.done <- struct{}{}
		return
	}
	r.free() // withdrawn or left
}

// fail is answer with err.
func (r *request) fail(err error) {
	r.reply, r.err = nil, err
	r.answer()
}

// wait returns nil when r has been answered: the caller reads it and frees it. Otherwise r is
// no longer the caller's.
func (r *request) wait(ctx context.Context) error {
	if ctx.Done() == nil {
		<-r.done
		return nil
	}
	select {
	case <-r.done:
		return nil
	case <-ctx.Done():
	}
	if r.at.CompareAndSwap(queued, withdrawn) {
		return fmt.Errorf("withdrawn before its turn: %w", context.Cause(ctx))
	}
	k := r.kind // a read or barrier has no outcome to doubt
	if r.at.CompareAndSwap(taken, left) {
		if k != askCommand {
			return context.Cause(ctx)
		}
		return fmt.Errorf("%w (%w)", doubt("the caller stopped waiting while the command was decided", 0), context.Cause(ctx))
	}
	<-r.done // answered in this moment
	return nil
}

// doubt is the reply whose outcome the same command id will tell.
func doubt(msg string, after time.Duration) *aggregate.UnavailableError {
	return &aggregate.UnavailableError{Reason: aggregate.ErrInDoubt, Message: msg + "; ask again with the same command id", RetryAfter: max(after, retryAfter)}
}

// mailbox holds what waits for one owner, and whether somebody works on it.
type mailbox struct {
	mu     sync.Mutex
	q      []*request
	driven bool // somebody works on the owner; who makes it true is the one who does
	closed bool
	leave  bool // the owner is to go when it has nothing to do
}

// put results.
type accepted uint8

const (
	putOK    accepted = iota
	putDrive          // nobody works on the owner: the caller does now, and begins with this request
	putFull
	putClosed
)

// put adds r unless the mailbox is closed or holds limit requests already (0: no limit). With
// putDrive r is not in it: it is the caller's work.
func (m *mailbox) put(r *request, limit int) accepted {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.closed:
		return putClosed
	case limit > 0 && len(m.q) >= limit:
		return putFull
	}
	if !m.driven {
		m.driven, m.leave = true, false
		return putDrive
	}
	m.q = append(m.q, r)
	return putOK
}

// claim makes the caller the one who works on the owner, if nobody does and it has not left.
func (m *mailbox) claim() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.driven || m.closed {
		return false
	}
	m.driven = true
	return true
}

// askLeave asks the owner to go as soon as it has nothing to do. True is as of claim.
func (m *mailbox) askLeave() bool {
	m.mu.Lock()
	m.leave = true
	m.mu.Unlock()
	return m.claim()
}

// takeAll moves everything into dst. Who has work is not asked to leave any more.
func (m *mailbox) takeAll(dst []*request) []*request {
	m.mu.Lock()
	defer m.mu.Unlock()
	dst = append(dst, m.q...)
	clear(m.q)
	m.q = m.q[:0]
	if cap(m.q) > 1024 {
		m.q = nil // a burst is over: its room is not kept
	}
	if len(dst) > 0 {
		m.leave = false
	}
	return dst
}

// rest ends the work on an owner that stays, unless something waits or it has been asked to leave.
func (m *mailbox) rest(stays bool) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.q) > 0 || m.leave || !stays {
		return false
	}
	m.driven = false
	return true
}
