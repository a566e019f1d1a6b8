package engine

import (
	"fmt"
	"sync"
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

	mu     sync.Mutex
	seen   bool
	base   time.Duration // wall less mono, as last trusted; both in ns since the first reading's wall
	origin time.Time
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
	c.mu.Lock()
	defer c.mu.Unlock()
	wall := c.wall().UTC().Round(0)
	if !c.seen {
		c.seen, c.origin, c.base = true, wall, -mono
		return wall, nil
	}
	off := wall.Sub(c.origin) - mono
	if (off - c.base).Abs() <= c.maxJump {
		c.base, c.jumped = off, false
		return wall, nil
	}
	if !c.jumped || (off-c.to).Abs() > c.maxJump {
		c.jumped, c.to, c.since = true, off, mono
	}
	c.to = off
	if left := c.hold - (mono - c.since); left > 0 {
		return time.Time{}, clockError(fmt.Sprintf("the wall clock jumped by %v against the monotonic clock", off-c.base), left)
	}
	c.base, c.jumped = off, false
	return wall, nil
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
