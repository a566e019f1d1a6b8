package stream

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/cloudlysis/aggregate"
)

// BreakerOptions are when the circuit to the server opens and closes. The zero value is fit for use.
type BreakerOptions struct {
	// Failures is after how many failures in a row it opens; 0 is 5.
	Failures int
	// OpenFor is how long it then stays open before one call is let through as a probe; 0 is 1 s.
	OpenFor time.Duration
	// OnChange hears of every change: closed, half_open, open. It must neither block nor call the log.
	OnChange func(from, to string)
}

// breaker keeps callers from waiting for a server that does not answer. What counts as a failure is
// an answer that did not come in time, or a refusal that is none of the caller's doing; a conflict
// is an answer, a caller who leaves is nobody's failure, and a connection lost is dealt with by the
// gate until waiting there takes too long.
type breaker struct {
	circuit *gobreaker.CircuitBreaker[struct{}]
	openFor time.Duration
	opened  atomic.Int64 // when it opened, in unix nanoseconds
	// trouble is set from a failure until a success: without it a call costs one load, since there
	// is nothing that its success would change.
	trouble atomic.Bool
}

func newBreaker(o BreakerOptions) *breaker {
	if o.Failures <= 0 {
		o.Failures = 5
	}
	if o.OpenFor <= 0 {
		o.OpenFor = time.Second
	}
	b := &breaker{openFor: o.OpenFor}
	b.circuit = gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		Name: "stream", Timeout: o.OpenFor,
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= uint32(o.Failures) },
		IsExcluded:  nobodysFailure,
		OnStateChange: func(_ string, from, to gobreaker.State) {
			if to == gobreaker.StateOpen {
				b.opened.Store(time.Now().UnixNano())
			}
			if o.OnChange != nil {
				o.OnChange(stateName(from), stateName(to))
			}
		},
	})
	return b
}

func stateName(s gobreaker.State) string { return strings.ReplaceAll(s.String(), "-", "_") }

func nobodysFailure(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, errConnLost) || errors.Is(err, errLeft) ||
		errors.Is(err, aggregate.ErrUnavailable)
}

// guard runs f unless the circuit is open. What f returns is counted, and returned.
func (b *breaker) guard(f func() error) error {
	_, err := b.circuit.Execute(func() (struct{}, error) { return struct{}{}, f() })
	switch {
	case err == nil:
		if b.circuit.State() == gobreaker.StateClosed {
			b.trouble.Store(false)
		}
		return nil
	case errors.Is(err, gobreaker.ErrOpenState), errors.Is(err, gobreaker.ErrTooManyRequests):
		left := b.openFor - time.Since(time.Unix(0, b.opened.Load()))
		return &aggregate.UnavailableError{Reason: aggregate.ErrStream, Message: "the circuit to the server is open after failures in a row",
			RetryAfter: max(left, b.openFor/10)}
	}
	b.trouble.Store(true)
	return err
}

// note counts what became of a call that was made without guard because there was no trouble.
func (b *breaker) note(err error) {
	if err != nil {
		_ = b.guard(func() error { return err })
	}
}

// Breaker is the state of the circuit to the server: closed, half_open or open.
func (l *Log) Breaker() string { return stateName(l.breaker.circuit.State()) }
