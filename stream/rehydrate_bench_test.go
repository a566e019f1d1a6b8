package stream

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/stream/envelope"
)

// sparse builds a log in which the messages of one aggregate lie apart foreign ones from another,
// and gives the aggregate's marks, the zero one first.
func sparse(b *testing.B, l *Log, n, apart int) (aggregate.Key, []aggregate.Mark) {
	b.Helper()
	key := newKey("acme")
	marks := []aggregate.Mark{{}}
	other := newKey("acme")
	data := body(b, other, envelope.Hash{}, commit(other, 0, 1))
	var wg sync.WaitGroup
	subject := l.opts.Layout.Subject(other)
	for range n {
		marks = append(marks, mustAppend(b, l, key, marks[len(marks)-1], commit(key, marks[len(marks)-1].Version, 1)))
		for i := range apart { // past the log and unguarded: only their place matters
			future, err := l.js.PublishAsync(subject, data)
			must(b, err)
			if i == apart-1 {
				wg.Go(func() { <-future.Ok() })
			}
		}
		wg.Wait()
		<-l.js.PublishAsyncComplete()
	}
	return key, marks
}

// BenchmarkRehydrate: an aggregate whose messages lie 2,000 foreign ones apart. The issue wants a
// tail of 10 under 1 ms and 1,000 commits cold under 40 ms at the median; 100 commits stand here
// for the 1,000, as two million messages take minutes to write (-bench Rehydrate1000 does it).
func BenchmarkRehydrate(b *testing.B) { benchRehydrate(b, 100, 2000, 10, 100) }

// BenchmarkRehydrate1000 reads 1,000 commits, 200 foreign messages between any two.
func BenchmarkRehydrate1000(b *testing.B) { benchRehydrate(b, 1000, 200, 10, 1000) }

func benchRehydrate(b *testing.B, n, apart int, tails ...int) {
	l, _ := embedded(b, b.TempDir())
	key, marks := sparse(b, l, n, apart)
	for _, tail := range tails {
		b.Run(fmt.Sprintf("tail=%d", tail), func(b *testing.B) {
			var took []time.Duration
			b.ReportAllocs()
			for b.Loop() {
				start, got := time.Now(), 0
				for _, err := range l.Load(context.Background(), key, marks[n-tail]) {
					must(b, err)
					got++
				}
				took = append(took, time.Since(start))
				if got != tail {
					b.Fatalf("got %d of %d", got, tail)
				}
			}
			slices.Sort(took)
			b.ReportMetric(took[len(took)/2].Seconds()*1e3, "p50-ms")
		})
	}
}
