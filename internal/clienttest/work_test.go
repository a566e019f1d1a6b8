package clienttest

import (
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// work is one way to get things done by many callers; do gets a caller and a number that no two
// calls share.
type work struct {
	name   string
	do     func(caller int, i int64) error
	hist   *hdrhistogram.Histogram
	spent  time.Duration
	cpu    time.Duration // of the whole process: client, door, engine and server
	done   int64
	allocs uint64
}

// cpuTime is what this process has used of all cores. Other than the wall clock it does not tell
// what else the machine does.
func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // it cannot fail for oneself
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, time.Minute.Microseconds(), 3)
}

// pass does k of it.
func (w *work) pass(tb testing.TB, callers int, k int64) {
	tb.Helper()
	if w.hist == nil {
		w.hist = newHistogram()
	}
	var (
		next          atomic.Int64
		wg            sync.WaitGroup
		mu            sync.Mutex
		before, after runtime.MemStats
	)
	next.Store(w.done)
	end := w.done + k
	runtime.GC() // what another work left behind is not this one's
	runtime.ReadMemStats(&before)
	start, cpu := time.Now(), cpuTime()
	for c := range callers {
		wg.Go(func() {
			h := newHistogram()
			for i := next.Add(1); i <= end; i = next.Add(1) {
				began := time.Now()
				if err := w.do(c, i); err != nil {
					tb.Errorf("%s: %v", w.name, err)
					return
				}
				_ = h.RecordValue(max(time.Since(began).Microseconds(), 1))
			}
			mu.Lock()
			w.hist.Merge(h)
			mu.Unlock()
		})
	}
	wg.Wait()
	w.spent += time.Since(start)
	w.cpu += cpuTime() - cpu
	runtime.ReadMemStats(&after)
	w.allocs += after.Mallocs - before.Mallocs
	w.done = end
}

func (w *work) rate() float64  { return float64(w.done) / w.spent.Seconds() }
func (w *work) cpuUS() float64 { return w.cpu.Seconds() * 1e6 / float64(w.done) }
func (w *work) p99() float64   { return float64(w.hist.ValueAtQuantile(99)) / 1000 }

// race does n of each work in turns, so that noise of the machine falls on all alike.
func race(tb testing.TB, callers int, n int64, works []*work) {
	tb.Helper()
	const turns = 6
	for _, w := range works {
		w.pass(tb, callers, 20*int64(callers)) // connections are made, pools filled
		*w = work{name: w.name, do: w.do, done: w.done}
	}
	for _, w := range works {
		w.hist, w.done = newHistogram(), 0
	}
	for turn := range int64(turns) {
		for _, w := range works {
			w.pass(tb, callers, n*(turn+1)/turns-n*turn/turns)
			if tb.Failed() {
				return
			}
		}
	}
}
