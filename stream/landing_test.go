package stream

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestGather: a wait for the disk begins when those who were in the air as the last one ended are
// here, and waits for nobody else.
func TestGather(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newLanding()
		took := func() time.Duration {
			began := time.Now()
			g.gather()
			return time.Since(began)
		}
		if d := took(); d != 0 {
			t.Errorf("nobody in the air: it waited %v", d)
		}
		early, other := g.depart(), g.depart()
		g.wave.Add(1)
		late := g.depart()
		go func() {
			time.Sleep(200 * time.Microsecond)
			g.arrive(early)
			time.Sleep(300 * time.Microsecond)
			g.arrive(other)
		}()
		if d := took(); d != 500*time.Microsecond {
			t.Errorf("it waited %v, want 500µs: for both of the wave before, and not for the one that left later", d)
		}
		g.wave.Add(1)
		if d := took(); d != aloftWait {
			t.Errorf("one does not come: it waited %v, want %v", d, aloftWait)
		}
		g.arrive(late)
		for range waves {
			g.wave.Add(1)
			if d := took(); d != 0 {
				t.Errorf("it waited %v, want 0", d)
			}
		}
	})
}

// TestGatherForgets: a flight whose acknowledgement never comes delays one wait in many.
func TestGatherForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newLanding()
		g.depart()
		began := time.Now()
		for range waves {
			g.wave.Add(1)
			g.gather()
		}
		if d := time.Since(began); d != aloftWait {
			t.Errorf("%d waits were delayed by %v, want %v", waves, d, aloftWait)
		}
	})
}
