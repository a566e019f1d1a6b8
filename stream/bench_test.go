package stream

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/cloudlysis/aggregate"
)

// callers shares b.N calls among n goroutines; each has an aggregate of its own.
func callers(b *testing.B, n int, call func(i int) error) {
	b.Helper()
	b.ReportAllocs()
	b.ResetTimer()
	var left atomic.Int64
	left.Store(int64(b.N))
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				if err := call(i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
}

func BenchmarkAppend(b *testing.B) {
	for _, n := range []int{1, 64, 256} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			l := newLog(b, Options{Unshared: true})
			keys, marks := make([]aggregate.Key, n), make([]aggregate.Mark, n)
			for i := range keys {
				keys[i] = newKey("acme")
			}
			callers(b, n, func(i int) (err error) {
				marks[i], err = l.Append(context.Background(), keys[i], marks[i], []aggregate.Commit{commit(keys[i], marks[i].Version, 1)})
				return err
			})
		})
	}
}

// BenchmarkAppendDurable appends through the embedded server with its group sync.
func BenchmarkAppendDurable(b *testing.B) {
	for _, n := range []int{1, 64, 256} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			l, _ := embedded(b, b.TempDir())
			keys, marks := make([]aggregate.Key, n), make([]aggregate.Mark, n)
			for i := range keys {
				keys[i] = newKey("acme")
			}
			callers(b, n, func(i int) (err error) {
				marks[i], err = l.Append(context.Background(), keys[i], marks[i], []aggregate.Commit{commit(keys[i], marks[i].Version, 1)})
				return err
			})
		})
	}
}

// BenchmarkRawPublish sends messages of the same size, guarded and with an id, through the same
// inbox: what Append costs on top of it is coding, hashing and checks.
func BenchmarkRawPublish(b *testing.B) {
	for _, n := range []int{1, 64, 256} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			l := newLog(b, Options{Unshared: true})
			data := body(b, newKey("acme"), [32]byte{1}, commit(newKey("acme"), 0, 1))
			seqs, subjects := make([]uint64, n), make([]string, n)
			for i := range subjects {
				subjects[i] = l.opts.Layout.Subject(newKey("acme"))
			}
			var ids atomic.Int64
			callers(b, n, func(i int) error {
				m, err := l.inbox.publish(&nats.Msg{Subject: subjects[i], Data: data, Header: nats.Header{
					"Nats-Expected-Last-Subject-Sequence": {strconv.FormatUint(seqs[i], 10)},
					"Nats-Msg-Id":                         {strconv.FormatInt(ids.Add(1), 10)}}}, nil, time.Minute)
				if err != nil {
					return err
				}
				a, err := parseAck(m, l.lanes.all()[0].name)
				if seqs[i] = uint64(a.seq); a.code != 0 {
					return fmt.Errorf("refused: %+v", a)
				}
				return err
			})
		})
	}
}

// BenchmarkLoad reads an aggregate between whose messages 20 foreign ones stand.
func BenchmarkLoad(b *testing.B) {
	for _, n := range []int{10, 100} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			l, _ := embedded(b, b.TempDir())
			key, foreign := newKey("acme"), newKey("acme")
			m, f := aggregate.Mark{}, aggregate.Mark{}
			for range n {
				m = grow(b, l, key, m, 1)
				f = grow(b, l, foreign, f, 20)
			}
			b.ReportAllocs()
			for b.Loop() {
				if got, _, err := versions(l, key, aggregate.Mark{}); err != nil || len(got) != n {
					b.Fatal(len(got), err)
				}
			}
		})
	}
}
