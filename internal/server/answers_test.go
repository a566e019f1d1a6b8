package server

import (
	"sync"
	"testing"
	"testing/synctest"
)

// TestOutboxBatches: what comes while a batch is being sent goes out as the next one; nobody who
// puts waits, and who expects more than there is room for does.
func TestOutboxBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got [][]int
		hold := make(chan struct{})
		o := newOutbox(4, func(batch []int) {
			got = append(got, append([]int(nil), batch...))
			<-hold
		})
		for range 4 {
			o.expect()
		}
		o.put(1)
		synctest.Wait()
		o.put(2)
		o.put(3)
		o.put(4)
		full := make(chan struct{})
		go func() { o.expect(); close(full) }()
		synctest.Wait()
		select {
		case <-full:
			t.Error("a fifth command had room")
		default:
		}
		hold <- struct{}{}
		<-full
		synctest.Wait()
		if len(got) != 2 || len(got[1]) != 3 {
			t.Errorf("got batches %v, want 1 and then 2 3 4", got)
		}
		hold <- struct{}{}
		o.put(5)
		hold <- struct{}{}
		o.wait()
		if len(got) != 3 || got[2][0] != 5 {
			t.Errorf("got batches %v", got)
		}
	})
}

func TestOutboxLosesNothing(t *testing.T) {
	const callers, each = 8, 5000
	var sum int
	o := newOutbox(64, func(batch []int) {
		for _, n := range batch {
			sum += n
		}
	})
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for n := range each {
				o.expect()
				o.put(n)
			}
		})
	}
	wg.Wait()
	o.wait()
	if want := callers * each * (each - 1) / 2; sum != want {
		t.Errorf("got %d, want %d", sum, want)
	}
}
