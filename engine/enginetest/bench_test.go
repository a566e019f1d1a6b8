package enginetest

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/stream/envelope"
)

const benchAggregates = 1000

// callers shares b.N calls among n goroutines; call gets a number that no two calls share.
func callers(b *testing.B, n int, call func(i int64) error) {
	b.Helper()
	b.ReportAllocs()
	b.ResetTimer()
	var next atomic.Int64
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
				if err := call(i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
}

// BenchmarkSubmit: commands through the engine and the embedded server, durable by group sync.
func BenchmarkSubmit(b *testing.B) {
	for _, n := range []int{1, 64, 256} {
		b.Run(strconv.Itoa(n), func(b *testing.B) { benchSubmit(b, n, benchAggregates) })
	}
}

// BenchmarkSubmitHot: all callers on one aggregate; what waits travels in one flight.
func BenchmarkSubmitHot(b *testing.B) {
	for _, n := range []int{64, 256} {
		b.Run(strconv.Itoa(n), func(b *testing.B) { benchSubmit(b, n, 1) })
	}
}

func benchSubmit(b *testing.B, n, aggregates int) {
	node := newNode(b, counterText).start()
	keys := make([]aggregate.Key, aggregates)
	for i := range keys {
		keys[i] = newKey("tenant-a")
	}
	together(64, func(w int) {
		for i := w; i < len(keys); i += 64 {
			node.do(deposit(keys[i], 1))
		}
	})
	callers(b, n, func(i int64) error {
		_, err := node.engine.Submit(context.Background(), deposit(keys[int(i)%len(keys)], 1))
		return err
	})
}

// BenchmarkRawPublish: guarded messages of the same bytes on as many subjects, and the same sync.
func BenchmarkRawPublish(b *testing.B) {
	for _, n := range []int{1, 64, 256} {
		b.Run(strconv.Itoa(n), func(b *testing.B) { benchRaw(b, n) })
	}
}

func benchRaw(b *testing.B, n int) {
	node := newNode(b, counterText).start()
	key := newKey("tenant-a")
	r := node.do(deposit(key, 1))
	commits, err := node.stream.At(context.Background(), key, 1)
	node.must(err)
	body, err := envelope.Encode(nil, &envelope.Message{Key: key, Prev: envelope.HashOf([]byte(r.Token)), Commits: commits})
	node.must(err)
	nc, err := node.server.Connect("raw")
	node.must(err)
	js, err := jetstream.New(nc)
	node.must(err)
	type subject struct {
		mu   sync.Mutex
		name string
		last uint64
	}
	subjects := make([]subject, benchAggregates)
	for i := range subjects {
		subjects[i].name = envelope.Single.Subject(newKey("tenant-a"))
	}
	callers(b, n, func(i int64) error {
		s := &subjects[int(i)%len(subjects)]
		s.mu.Lock()
		defer s.mu.Unlock()
		m := &nats.Msg{Subject: s.name, Data: body, Header: nats.Header{
			jetstream.ExpectedLastSubjSeqHeader: {strconv.FormatUint(s.last, 10)}, jetstream.MsgIDHeader: {fmt.Sprint("raw/", i)}}}
		ack, err := js.PublishMsg(context.Background(), m)
		if err != nil {
			return err
		}
		s.last = ack.Sequence
		if w := node.server.Syncer(); w != nil {
			return w.Wait(context.Background())
		}
		return nil
	})
}
