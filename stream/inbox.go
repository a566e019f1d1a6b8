package stream

import (
	"errors"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// inbox takes the answers to messages of one connection: one subscription, and a slot for each
// message in flight. A guarded publish through it makes 61,200/s at 64 callers against 40,400 of
// jetstream.PublishMsg. Tokens are never used twice, so a late answer finds no slot and cannot be
// taken for another's. Slots are used again once nobody can put anything into them.
//
// Who waits receives from its slot and nothing else: a select with a timer and the caller's Done
// costs a third of the whole publish, more when thousands share one Done. One goroutine looks at
// the slots instead, every sweepEvery, and ends the waits that are over.
type inbox struct {
	nc     *nats.Conn
	prefix string
	sub    *nats.Subscription
	limit  int // of messages in flight

	mu    sync.Mutex
	last  uint64
	slots map[uint64]*slot
	free  []*slot

	quit  chan struct{}
	ended sync.Once
	swept sync.WaitGroup
}

// sweepEvery is how late the end of a wait may be noticed.
const sweepEvery = 20 * time.Millisecond

// slot waits for one answer.
type slot struct {
	token  uint64
	ch     chan answer // gets exactly one value once the slot is out of the map
	reply  []byte      // room for the subject of the answer
	cancel <-chan struct{}
	until  time.Time
	short  bool // it ends before the sweep would notice
}

// answer is what ends a wait.
type answer struct {
	m   *nats.Msg
	err error // a lostError
}

// maxInFlight is how many messages wait for their answers at most. An aggregate has one flight.
const maxInFlight = 1 << 17

// maxFreeSlots is how many slots are kept for later.
const maxFreeSlots = 4096

func newInbox(nc *nats.Conn) (*inbox, error) {
	in := &inbox{nc: nc, prefix: nc.NewInbox() + ".", limit: maxInFlight, slots: map[uint64]*slot{}, quit: make(chan struct{})}
	var err error
	if in.sub, err = nc.Subscribe(in.prefix+"*", in.deliver); err != nil {
		return nil, err
	}
	// No limit of its own: there are never more answers than slots.
	if err := in.sub.SetPendingLimits(-1, -1); err != nil {
		return nil, err
	}
	in.swept.Go(in.sweep)
	return in, nil
}

// sweep ends the waits that are over, until the inbox is closed.
func (in *inbox) sweep() {
	t := time.NewTicker(sweepEvery)
	defer t.Stop()
	for {
		select {
		case <-in.quit:
			return
		case now := <-t.C:
			in.expire(now)
		}
	}
}

func (in *inbox) expire(now time.Time) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for token, s := range in.slots {
		var err error
		select {
		case <-s.cancel:
			err = errLeft
		default:
			if now.Before(s.until) {
				continue
			}
			err = errLate
		}
		delete(in.slots, token)
		s.ch <- answer{err: err}
	}
}

func (in *inbox) deliver(m *nats.Msg) {
	token, err := strconv.ParseUint(m.Subject[len(in.prefix):], 36, 64)
	if err != nil {
		return // not one of ours
	}
	if s := in.take(token); s != nil {
		s.ch <- answer{m: m} // there is room for exactly this one
	}
}

// take gives the slot of a token to whoever comes first.
func (in *inbox) take(token uint64) *slot {
	in.mu.Lock()
	defer in.mu.Unlock()
	s := in.slots[token]
	if s != nil {
		delete(in.slots, token)
	}
	return s
}

// open gives a slot, nil if too many messages are in flight.
func (in *inbox) open(cancel <-chan struct{}, wait time.Duration) *slot {
	until := time.Now().Add(wait)
	in.mu.Lock()
	defer in.mu.Unlock()
	if len(in.slots) >= in.limit {
		return nil
	}
	var s *slot
	if n := len(in.free); n > 0 {
		s, in.free = in.free[n-1], in.free[:n-1]
	} else {
		s = &slot{ch: make(chan answer, 1)}
	}
	in.last++
	s.token, s.cancel, s.until, s.short = in.last, cancel, until, wait < sweepEvery
	in.slots[s.token] = s
	return s
}

// giveBack ends the use of a slot whose answer was not taken.
func (in *inbox) giveBack(s *slot) {
	if in.take(s.token) == nil {
		<-s.ch // somebody has put something in, or is about to
	}
	in.keep(s)
}

func (in *inbox) keep(s *slot) {
	in.mu.Lock()
	defer in.mu.Unlock()
	s.cancel = nil
	if len(in.free) < maxFreeSlots {
		in.free = append(in.free, s)
	}
}

// lose ends all waits: the answers of a lost connection do not come any more.
func (in *inbox) lose() {
	in.mu.Lock()
	defer in.mu.Unlock()
	for token, s := range in.slots {
		delete(in.slots, token)
		s.ch <- answer{err: errConnLost}
	}
}

func (in *inbox) inFlight() int {
	in.mu.Lock()
	defer in.mu.Unlock()
	return len(in.slots)
}

func (in *inbox) close() error {
	err := in.sub.Unsubscribe()
	in.ended.Do(func() { close(in.quit) })
	in.swept.Wait()
	in.lose()
	if err == nats.ErrConnectionClosed {
		return nil
	}
	return err
}

// publish sends m and waits for the answer. An error that is not a lostError means that the
// server cannot have taken m.
func (in *inbox) publish(m *nats.Msg, cancel <-chan struct{}, wait time.Duration) (*nats.Msg, error) {
	s, err := in.send(m, cancel, wait)
	if err != nil {
		return nil, err
	}
	return in.await(s)
}

// send sends m; the slot it returns must be waited for.
func (in *inbox) send(m *nats.Msg, cancel <-chan struct{}, wait time.Duration) (*slot, error) {
	s := in.open(cancel, wait)
	if s == nil {
		return nil, errFull
	}
	s.reply = strconv.AppendUint(append(s.reply[:0], in.prefix...), s.token, 36)
	m.Reply = string(s.reply)
	if err := in.nc.PublishMsg(m); err != nil {
		in.giveBack(s)
		if notSent(err) {
			return nil, err
		}
		return nil, lostError("publish: " + err.Error()) // some bytes may have left
	}
	return s, nil
}

// await gives the answer and ends the use of the slot.
func (in *inbox) await(s *slot) (*nats.Msg, error) {
	if s.short {
		t := time.AfterFunc(time.Until(s.until), func() { in.expire(time.Now()) })
		defer t.Stop()
	}
	a := <-s.ch
	in.keep(s)
	return a.m, a.err
}

// notSent tells whether the client library refused a message before it wrote any of it.
func notSent(err error) bool {
	return slices.ContainsFunc([]error{nats.ErrConnectionClosed, nats.ErrConnectionDraining, nats.ErrReconnectBufExceeded,
		nats.ErrMaxPayload, nats.ErrBadSubject, nats.ErrHeadersNotSupported}, func(e error) bool { return errors.Is(err, e) })
}

// lostError: the message was sent and its outcome is unknown.
type lostError string

func (e lostError) Error() string { return string(e) }

const (
	errConnLost = lostError("the connection was lost before the answer")
	errLeft     = lostError("the caller left before the answer")
	errLate     = lostError("no answer in time")
)

// errFull: nothing was sent, as too much is in flight.
var errFull = errors.New("too many messages are in flight")
