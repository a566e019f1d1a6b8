package natsd

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// BenchmarkDurable is one guarded publish and, in mode group, the wait for the disk, each caller on its own subject.
func BenchmarkDurable(b *testing.B) {
	for _, mode := range []SyncMode{Always, Group, Interval} {
		for _, callers := range []int{1, 64, 256} {
			b.Run(fmt.Sprintf("%s/%d", mode, callers), func(b *testing.B) { benchDurable(b, mode, callers) })
		}
	}
}

func benchDurable(b *testing.B, mode SyncMode, callers int) {
	s := startTest(b, Options{Dir: b.TempDir(), Sync: mode}, realDisk())
	js := makeStream(b, s, "S")
	body := make([]byte, 300)
	turns := make(chan struct{}, callers)
	var wg sync.WaitGroup
	began := time.Now()
	b.ResetTimer()
	for c := range callers {
		wg.Go(func() {
			last := uint64(0)
			for range turns {
				ack, err := js.Publish(context.Background(), fmt.Sprintf("S.%d", c), body, jetstream.WithExpectLastSequencePerSubject(last))
				if err != nil {
					b.Error(err)
					continue
				}
				last = ack.Sequence
				if w := s.Syncer(); w != nil {
					if err := w.Wait(context.Background()); err != nil {
						b.Error(err)
					}
				}
			}
		})
	}
	for range b.N {
		turns <- struct{}{}
	}
	close(turns)
	wg.Wait()
	b.ReportMetric(float64(b.N)/time.Since(began).Seconds(), "commands/s")
	if s.syncer != nil {
		b.ReportMetric(float64(b.N)/float64(s.syncer.rounds.Load()), "waits/round")
	}
}

// BenchmarkScan is an idle round over a stream of 100 GB: the price of a round before any sync.
func BenchmarkScan(b *testing.B) {
	store := b.TempDir()
	f := &fakeStreams{root: realDisk().streams(store)}
	for n := range 12500 {
		fakeBlock(b, f.root, "A", n+1)
	}
	f.b = newBlocks(realDisk(), store, nil)
	must(b, f.b.prime(func() error { return nil }))
	defer f.b.close()
	time.Sleep(2 * settled)
	must(b, f.b.round())
	for b.Loop() {
		must(b, f.b.round())
	}
}
