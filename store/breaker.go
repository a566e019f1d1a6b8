package store

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sony/gobreaker/v2"
	"github.com/tidwall/buntdb"

	"github.com/cloudlysis/aggregate"
)

// BreakerOptions are when the circuit to the files opens and closes. The zero value is fit for use.
type BreakerOptions struct {
	// Failures is after how many failures in a row it opens; 0 is 5.
	Failures int
	// OpenFor is how long it then stays open before one call is let through as a probe; 0 is 5 s.
	OpenFor time.Duration
	// OnChange hears of every change: closed, half_open, open. It must neither block nor call the store.
	OnChange func(from, to string)
}

// errOpen: the files were not asked, since they failed so often.
var errOpen = errors.New("the circuit to the snapshot files is open after failures in a row")

// breaker keeps commands from waiting for files that fail: while it is open there are no snapshots,
// which costs replays and no command.
type breaker struct {
	circuit *gobreaker.CircuitBreaker[struct{}]
	openFor time.Duration
}

func newBreaker(o BreakerOptions) *breaker {
	if o.Failures <= 0 {
		o.Failures = 5
	}
	if o.OpenFor <= 0 {
		o.OpenFor = 5 * time.Second
	}
	return &breaker{openFor: o.OpenFor, circuit: gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		Name: "store", Timeout: o.OpenFor,
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= uint32(o.Failures) },
		IsSuccessful: func(err error) bool {
			return err == nil || errors.Is(err, buntdb.ErrNotFound) || errors.Is(err, aggregate.ErrConflict)
		},
		OnStateChange: func(_ string, from, to gobreaker.State) {
			if o.OnChange != nil {
				o.OnChange(stateName(from), stateName(to))
			}
		},
	})}
}

func stateName(s gobreaker.State) string { return strings.ReplaceAll(s.String(), "-", "_") }

// guard runs f, a call to a file, unless the circuit is open.
func (b *breaker) guard(f func() error) error {
	_, err := b.circuit.Execute(func() (struct{}, error) { return struct{}{}, f() })
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		return &aggregate.UnavailableError{Reason: fmt.Errorf("%w: %w", aggregate.ErrStorage, errOpen), RetryAfter: b.openFor}
	}
	return err
}

// Breaker is the state of the circuit to the files: closed, half_open or open.
func (s *Store) Breaker() string { return stateName(s.breaker.circuit.State()) }
