package vm

import (
	"math/bits"
	"math/rand/v2"
	"testing"
)

// Division by multiplication is division, at the edges and in between.
func TestTenth(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for i := range tens {
		ten := tens[i].ten
		try := func(n uint64) {
			n &= 1<<57 - 1
			hi, _ := bits.Mul64(tens[i].by, n<<7)
			if got := hi >> tens[i].shift; got != n/ten {
				t.Fatalf("%d / 10^%d: got %d, want %d", n, i, got, n/ten)
			}
		}
		for k := uint64(0); k < 2000; k++ {
			n := r.Uint64() >> (k % 57)
			try(n)
			try(n / ten * ten)
			try(n/ten*ten - 1)
			try(1<<57 - 1 - k)
			try(k)
		}
	}
}
