package engine

import (
	"time"

	"github.com/cloudlysis/aggregate"
)

// Observer hears what happens, for metrics and logs. Its methods are called on the goroutine
// where it happens and must not block: many commands may wait for it. Command alone may, when it is
// told of a failure: then only that aggregate waits. Embed [NopObserver] to hear only some of it.
type Observer interface {
	// Command: Submit is done with cmd. Exactly one of r and err is nil; gas is what the rules
	// used, 0 when none ran.
	Command(cmd *aggregate.Command, r *aggregate.Reply, err error, gas int64, took time.Duration, stages aggregate.Stages)
	// Flight: the log took commits of key, about size bytes, within took.
	Flight(key aggregate.Key, commits, size int, took time.Duration)
	// Conflict: key has moved on under a flight; try counts from 1.
	Conflict(key aggregate.Key, try int)
	// Doubt: the outcome of an append to key is unknown (began) or has been settled (not began).
	Doubt(key aggregate.Key, began bool)
	// Loaded: key was loaded; it took commits behind the snapshot (from the beginning when there was none).
	Loaded(key aggregate.Key, commits int, snapshot bool, err error, took time.Duration)
	// Snapshot: what became of one: written, superseded, failed, overrun (the queue was full), dropped (unfit at a load).
	Snapshot(key aggregate.Key, result string)
	// Live: how many aggregates are live now.
	Live(n int)
}

// NopObserver hears nothing.
type NopObserver struct{}

// Command does nothing.
func (NopObserver) Command(*aggregate.Command, *aggregate.Reply, error, int64, time.Duration, aggregate.Stages) {
}

// Flight does nothing.
func (NopObserver) Flight(aggregate.Key, int, int, time.Duration) {}

// Conflict does nothing.
func (NopObserver) Conflict(aggregate.Key, int) {}

// Doubt does nothing.
func (NopObserver) Doubt(aggregate.Key, bool) {}

// Loaded does nothing.
func (NopObserver) Loaded(aggregate.Key, int, bool, error, time.Duration) {}

// Snapshot does nothing.
func (NopObserver) Snapshot(aggregate.Key, string) {}

// Live does nothing.
func (NopObserver) Live(int) {}

var _ Observer = NopObserver{}
