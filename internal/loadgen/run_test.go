package loadgen

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/cloudlysis/aggregate"
)

// flaky keeps a sum; calls from the tenth to the thirtieth find it away, every second of them after
// the command has taken effect.
type flaky struct {
	mu    sync.Mutex
	calls int
	sum   map[aggregate.Key]int
	seen  map[aggregate.ID]bool
}

var _ Target = (*flaky)(nil)

func (f *flaky) Submit(_ context.Context, key aggregate.Key, command aggregate.ID, _ []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	away := f.calls > 10 && f.calls <= 30
	if !away || f.calls%2 == 0 {
		if !f.seen[command] {
			f.seen[command] = true
			f.sum[key]++
		}
	}
	if away {
		return errors.New("away")
	}
	return nil
}

func (f *flaky) State(_ context.Context, key aggregate.Key) ([]byte, error) {
	return fmt.Appendf(nil, `{"n":%d}`, f.sum[key]), nil
}

// TestUnknownOutcomesAreSettled: a load that ends while the daemon is away waits for it, and the sum is exact.
func TestUnknownOutcomesAreSettled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &flaky{sum: map[aggregate.Key]int{}, seen: map[aggregate.ID]bool{}}
		r, err := Run(t.Context(), f, Options{Type: "A", Callers: 1, Aggregates: 3, Tenants: 1, Commands: 20, Command: []byte("{}"), SumField: "n", SumStep: "1"})
		if err != nil {
			t.Fatal(err)
		}
		if r.Accepted != 20 || r.Failed != 10 || r.Sum != "20" || !r.Exact() {
			t.Errorf("got %+v", r)
		}
	})
}
