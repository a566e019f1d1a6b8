package bench

import (
	"runtime"
	"slices"
	"syscall"
	"time"
)

// slice is how long a side runs before it is the other's turn.
// It is long enough for one who makes garbage to have it collected in its own time.
const slice = 20 * time.Millisecond

// cpu is the time that the process has had on any processor: what others on the machine take
// does not count, the garbage collector's own goroutines do.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// Duel lets a baseline and a contender take turns and remembers how long each took a call.
type Duel struct {
	base, other   func()
	nBase, nOther int
	perBase       []float64 // ns a call, by round
	perOther      []float64
}

// NewDuel finds out how many calls of each make a slice.
func NewDuel(base, other func()) *Duel {
	return &Duel{base: base, other: other, nBase: calls(base), nOther: calls(other)}
}

func calls(f func()) int {
	for n := 1; ; n *= 2 {
		if d := timed(f, n); d >= slice/8 {
			return max(1, int(float64(n)*float64(slice)/float64(d)))
		}
	}
}

// timed does not begin before the garbage of the other side is gone: nobody pays for that.
func timed(f func(), n int) time.Duration {
	runtime.GC()
	start := cpu()
	for range n {
		f()
	}
	return cpu() - start
}

// Round is one turn of each.
func (d *Duel) Round() {
	d.perBase = append(d.perBase, float64(timed(d.base, d.nBase))/float64(d.nBase))
	d.perOther = append(d.perOther, float64(timed(d.other, d.nOther))/float64(d.nOther))
}

// Result is what the rounds so far say.
type Result struct {
	Ns    float64 // a call of the contender, median
	Ratio float64 // median of contender over median of baseline
	Low   float64 // quartiles of the ratios of single rounds
	High  float64

	Allocs float64 // a call of the contender
}

// Result gives medians.
func (d *Duel) Result() Result {
	ratios := make([]float64, len(d.perBase))
	for i := range ratios {
		ratios[i] = d.perOther[i] / d.perBase[i]
	}
	ns := quantile(d.perOther, 0.5)
	return Result{Ns: ns, Ratio: ns / quantile(d.perBase, 0.5), Low: quantile(ratios, 0.25), High: quantile(ratios, 0.75)}
}

func quantile(xs []float64, q float64) float64 {
	s := slices.Sorted(slices.Values(xs))
	return s[int(q*float64(len(s)-1)+0.5)]
}
