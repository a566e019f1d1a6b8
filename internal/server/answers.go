package server

import (
	"sync"

	"github.com/cloudlysis/aggregate"
)

// answer is the outcome of one command, on its way to who asked.
type answer struct {
	cmd   *aggregate.Command
	reply *aggregate.Reply
	err   error
	// strings: who asked wants numbers as strings.
	strings bool
}

// shown is the reply as it was asked for.
func (a *answer) shown() *aggregate.Reply {
	if a.strings {
		return replyWithStrings(a.reply)
	}
	return a.reply
}

// outbox takes the outcomes of commands from whoever has them, who never waits, and hands them to
// send, all that there are at once: what became durable together goes out together. Its goroutine
// lives as long as there is something to send.
type outbox[T any] struct {
	room int       // how many commands may be under way
	send func([]T) // called by one goroutine at a time; it must not keep the slice

	mu      sync.Mutex
	due     int // expected and not yet sent
	list    []T
	spare   []T // the last list that was sent, to be filled again
	sending bool
	sent    sync.Cond
}

func newOutbox[T any](room int, send func([]T)) *outbox[T] {
	o := &outbox[T]{room: room, send: send}
	o.sent.L = &o.mu
	return o
}

// expect announces one outcome; it waits while too many are due.
func (o *outbox[T]) expect() {
	o.mu.Lock()
	for o.due >= o.room {
		o.sent.Wait()
	}
	o.due++
	o.mu.Unlock()
}

// put gives an outcome that was expected.
func (o *outbox[T]) put(a T) {
	o.mu.Lock()
	o.list = append(o.list, a)
	start := !o.sending
	o.sending = true
	o.mu.Unlock()
	if start {
		go o.run()
	}
}

func (o *outbox[T]) run() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.list) > 0 {
		batch := o.list
		o.list = o.spare[:0]
		o.mu.Unlock()
		o.send(batch)
		clear(batch)
		o.mu.Lock()
		o.spare = batch
		o.due -= len(batch)
		o.sent.Broadcast()
	}
	o.sending = false
}

// wait returns when everything expected has been sent.
func (o *outbox[T]) wait() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.due > 0 {
		o.sent.Wait()
	}
}
