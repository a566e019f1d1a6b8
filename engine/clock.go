package engine

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cloudlysis/aggregate"
)

// clock tells the time that decisions see, and whether it is to be trusted.
//
// The wall clock is read together with the monotonic one; their difference moves only when
// somebody sets the clock or the machine sleeps. A move by more than maxJump stops all
// decisions until the clock comes back, or has run evenly from its new place for hold: a machine
// that slept goes on by itself, a clock that wanders does not.
type clock struct {
	wall    func() time.Time
	maxJump time.Duration
	hold    time.Duration

	// As long as the clock runs evenly readers share this and no lock.
	even atomic.Bool  // it has been read, and has not jumped
	base atomic.Int64 // wall less mono in ns, as last trusted; wall counts from origin

	mu     sync.Mutex
	origin time.Time // of the first reading; it does not change once even has been true
	jumped bool
	to     time.Duration // the difference after the jump
	since  time.Duration // mono at the jump
}

func newClock(o *Options) *clock {
	return &clock{wall: o.Clock, maxJump: o.MaxJump, hold: o.MaxJump}
}

// now reads the clock in UTC; mono is the other clock in this moment. The error is an
// UnavailableError of ErrClock.
func (c *clock) now(mono time.Duration) (time.Time, error) {
	wall := c.wall().UTC().Round(0)
	if c.even.Load() {
		off := wall.Sub(c.origin) - mono
		moved := (off - time.Duration(c.base.Load())).Abs()
		if moved <= c.maxJump/64 {
			return wall, nil
		}
		if moved <= c.maxJump { // it is being slewed
			c.base.Store(int64(off))
			return wall, nil
		}
	}
	return c.judge(wall, mono)
}

// judge is now for the first reading, and for a clock that has jumped.
func (c *clock) judge(wall time.Time, mono time.Duration) (time.Time, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.origin.IsZero() {
		c.origin = wall
		c.trust(-mono)
		return wall, nil
	}
	off, base := wall.Sub(c.origin)-mono, time.Duration(c.base.Load())
	if (off - base).Abs() <= c.maxJump {
		c.trust(off)
		return wall, nil
	}
	c.even.Store(false)
	if !c.jumped || (off-c.to).Abs() > c.maxJump {
		c.jumped, c.to, c.since = true, off, mono
	}
	c.to = off
	if left := c.hold - (mono - c.since); left > 0 {
		return time.Time{}, clockError(fmt.Sprintf("the wall clock jumped by %v against the monotonic clock", off-base), left)
	}
	c.trust(off)
	return wall, nil
}

// trust takes off for the difference of the clocks.
func (c *clock) trust(off time.Duration) {
	c.base.Store(int64(off))
	c.jumped = false
	c.even.Store(true)
}

func clockError(msg string, after time.Duration) error {
	return &aggregate.UnavailableError{Reason: aggregate.ErrClock, Message: msg, RetryAfter: after}
}

// ahead refuses a last commit that lies further ahead of now than the clock may be wrong.
func (c *clock) ahead(now, last time.Time) error {
	if d := last.Sub(now); d > c.maxJump {
		return clockError(fmt.Sprintf("the last commit of this aggregate lies %v ahead of the clock", d.Round(time.Second)), d-c.maxJump)
	}
	return nil
}
