package daemon

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// What the steps before it took, such as reading a large log, does not count against a step.
func TestStepsHaveTheirOwnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var done int
		slow := func(context.Context) error { time.Sleep(2 * openTimeout); done++; return nil }
		minds := func(ctx context.Context) error {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(openTimeout / 2):
				done++
				return nil
			}
		}
		if err := inOrder(t.Context(), slow, minds, slow, minds); err != nil || done != 4 {
			t.Errorf("got %v after %d steps", err, done)
		}
		hangs := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		if err := inOrder(t.Context(), hangs, slow); !errors.Is(err, context.DeadlineExceeded) || done != 4 {
			t.Errorf("got %v after %d steps", err, done)
		}
	})
}
