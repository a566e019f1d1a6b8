//go:build unix

package enginetest

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/internal/natsd"
	"github.com/cloudlysis/aggregate/stream/envelope"
)

const benchAggregates = 1000

// work is one way to get b.N things done by n callers; do gets a caller and a number that no two
// calls share.
type work struct {
	name   string
	n      int
	do     func(caller int, i int64) error
	spent  time.Duration
	done   int64
	allocs uint64
	cpu    time.Duration
}

// cpuTime is what this process has used of all cores: other than the wall clock it does not tell
// of what else the machine does.
func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // it cannot fail for oneself
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// pass does k of it.
func (w *work) pass(b *testing.B, k int64) {
	b.Helper()
	var next atomic.Int64
	next.Store(w.done)
	end := w.done + k
	var wg sync.WaitGroup
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start, cpu := time.Now(), cpuTime()
	for c := range w.n {
		wg.Go(func() {
			for i := next.Add(1); i <= end; i = next.Add(1) {
				if err := w.do(c, i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	w.spent += time.Since(start)
	w.cpu += cpuTime() - cpu
	runtime.ReadMemStats(&after)
	w.allocs += after.Mallocs - before.Mallocs
	w.done = end
}

func (w *work) rate() float64 { return float64(w.done) / w.spent.Seconds() }

// race does b.N of each work, in turns so that noise of the machine falls on all alike, and reports
// the rate of each and of the first over every other.
func race(b *testing.B, works ...*work) {
	b.Helper()
	const turns = 8
	b.ResetTimer()
	for turn := range int64(turns) {
		k := int64(b.N)*(turn+1)/turns - int64(b.N)*turn/turns
		for _, w := range works {
			w.pass(b, k)
		}
	}
	b.StopTimer()
	b.ReportMetric(0, "ns/op") // it would add up all works
	for i, w := range works {
		b.ReportMetric(w.rate(), w.name+"/s")
		b.ReportMetric(float64(w.allocs)/float64(w.done), w.name+"-allocs")
		b.ReportMetric(w.cpu.Seconds()*1e6/float64(w.done), w.name+"-cpu-us")
		if i > 0 {
			b.ReportMetric(works[0].rate()/w.rate(), works[0].name+"/"+w.name)
		}
	}
}

// benchNode runs a node in a sync mode, with that many aggregates alive.
func benchNode(b *testing.B, mode natsd.SyncMode, aggregates int) (*node, []aggregate.Key) {
	b.Helper()
	n := newNode(b, counterText)
	n.sync = mode
	n.start()
	keys := make([]aggregate.Key, aggregates)
	for i := range keys {
		keys[i] = newKey("tenant-a")
	}
	together(64, func(w int) {
		for i := w; i < len(keys); i += 64 {
			n.do(deposit(keys[i], 1))
		}
	})
	return n, keys
}

var benchPayload = []byte(`{"type":"deposit","amount":1}`)

// order is a command made without formatting: the bench is about what comes after it. So its id is
// random enough and no more.
func order(key aggregate.Key) *aggregate.Command {
	return &aggregate.Command{TenantID: key.Tenant, AggregateType: key.Type, AggregateID: key.ID, CommandID: quickID(), Payload: benchPayload}
}

func quickID() (id aggregate.ID) {
	binary.LittleEndian.PutUint64(id[:8], rand.Uint64())
	binary.LittleEndian.PutUint64(id[8:], rand.Uint64())
	return id
}

// submits are commands by Engine.Submit, spread over keys.
func (n *node) submits(name string, callers int, keys []aggregate.Key) *work {
	return &work{name: name, n: callers, do: func(_ int, i int64) error {
		_, err := n.engine.Submit(context.Background(), order(keys[int(i)%len(keys)]))
		return err
	}}
}

// starts are commands by Engine.Start: each caller has one under way and waits for it on a channel
// of its own.
func (n *node) starts(name string, callers int, keys []aggregate.Key) *work {
	answers := make([]chan error, callers)
	for i := range answers {
		answers[i] = make(chan error, 1)
	}
	return &work{name: name, n: callers, do: func(c int, i int64) error {
		n.engine.Start(context.Background(), order(keys[int(i)%len(keys)]), func(_ *aggregate.Reply, err error) { answers[c] <- err })
		return <-answers[c]
	}}
}

// publisher sends guarded messages past the engine: the same bytes, headers and number of subjects,
// and one inbox whose slots are the callers.
type publisher struct {
	n        *node
	nc       *nats.Conn
	inbox    string
	slots    []chan aggregate.Sequence
	body     []byte
	subjects []rawSubject
}

type rawSubject struct {
	mu     sync.Mutex
	header nats.Header
	name   string
	last   aggregate.Sequence
}

// raws publishes the bytes that one command of key makes.
func (n *node) raws(name string, callers int, key aggregate.Key) *work {
	n.t.Helper()
	p := &publisher{n: n, slots: make([]chan aggregate.Sequence, callers), subjects: make([]rawSubject, benchAggregates)}
	var err error
	p.nc, err = n.server.Connect("raw")
	n.must(err)
	for i := range p.slots {
		p.slots[i] = make(chan aggregate.Sequence, 1)
	}
	m := &envelope.Message{Key: key, Prev: envelope.HashOf(nil)}
	for l, err := range n.stream.Load(context.Background(), key, aggregate.Mark{}) {
		n.must(err)
		m.Commits = []aggregate.Commit{l.Commit}
	}
	p.body, err = envelope.Encode(nil, m)
	n.must(err)
	at := aggregate.Mark{Version: 9, Sequence: 90_000} // as if each had nine messages, a thousand apart
	for i := range at.Before {
		at.Before[i] = at.Sequence - aggregate.Sequence(1000*(i+1))
	}
	for i := range p.subjects {
		p.subjects[i].name = envelope.Single.Subject(newKey("tenant-a"))
		p.subjects[i].header = envelope.Headers(m, at)
	}
	p.inbox = p.nc.NewInbox() + "."
	sub, err := p.nc.Subscribe(p.inbox+"*", p.deliver)
	n.must(err)
	n.must(sub.SetPendingLimits(-1, -1))
	return &work{name: name, n: callers, do: p.publish}
}

func (p *publisher) deliver(m *nats.Msg) {
	c, err := strconv.Atoi(m.Subject[len(p.inbox):])
	text, isAck := bytes.CutPrefix(m.Data, []byte(`{"stream":"AGGREGATE_EVENTS","seq":`))
	seq, bad := strconv.ParseUint(string(bytes.TrimSuffix(text, []byte("}"))), 10, 64)
	if err != nil || bad != nil || !isAck {
		p.n.t.Errorf("no ack: %s", m.Data)
	}
	p.slots[c] <- aggregate.Sequence(seq)
}

func (p *publisher) publish(c int, i int64) error {
	s := &p.subjects[int(i)%len(p.subjects)]
	s.mu.Lock()
	s.header[envelope.HeaderExpectedSeq][0] = strconv.FormatUint(uint64(s.last), 10)
	s.header[envelope.HeaderMsgID][0] = strconv.FormatInt(i, 10) + s.name
	err := p.nc.PublishMsg(&nats.Msg{Subject: s.name, Reply: p.inbox + strconv.Itoa(c), Data: p.body, Header: s.header})
	if err == nil {
		s.last = <-p.slots[c]
	}
	s.mu.Unlock()
	if w := p.n.server.Syncer(); w != nil && err == nil {
		return w.Wait(context.Background())
	}
	return err
}

// BenchmarkEngineOverRaw: commands on 1,000 aggregates against guarded messages of the same bytes,
// in the same sync mode on the same stream. Issue 5 wants submit/raw of 0.8.
func BenchmarkEngineOverRaw(b *testing.B) {
	for _, mode := range []natsd.SyncMode{natsd.Interval, natsd.Group} {
		for _, callers := range []int{1, 64, 256} {
			b.Run(fmt.Sprintf("%s/%d", mode, callers), func(b *testing.B) {
				n, keys := benchNode(b, mode, benchAggregates)
				race(b, n.submits("submit", callers, keys), n.raws("raw", callers, keys[0]), n.starts("start", callers, keys))
			})
		}
	}
}

// BenchmarkGroupOverAlways: the same commands with one sync for many and with a sync for each. The
// issue wants 6.
func BenchmarkGroupOverAlways(b *testing.B) {
	for _, callers := range []int{64, 256} {
		b.Run(strconv.Itoa(callers), func(b *testing.B) {
			group, keys := benchNode(b, natsd.Group, benchAggregates)
			always, others := benchNode(b, natsd.Always, benchAggregates)
			race(b, group.submits("group", callers, keys), always.submits("always", callers, others))
		})
	}
}

// BenchmarkHotAggregate: all callers on one aggregate, whose waiting commands travel in one flight,
// against one caller, who has a durable round trip for each. The issue wants 10 at 64 callers.
func BenchmarkHotAggregate(b *testing.B) {
	for _, callers := range []int{64, 256} {
		b.Run(strconv.Itoa(callers), func(b *testing.B) {
			n, keys := benchNode(b, natsd.Group, 2)
			race(b, n.submits("hot", callers, keys[:1]), n.submits("alone", 1, keys[1:]))
		})
	}
}

// BenchmarkSubmit is for profiles: commands on 1,000 aggregates and nothing else.
func BenchmarkSubmit(b *testing.B) {
	for _, callers := range []int{1, 64, 256} {
		b.Run(strconv.Itoa(callers), func(b *testing.B) {
			n, keys := benchNode(b, natsd.Group, benchAggregates)
			b.ReportAllocs()
			race(b, n.submits("submit", callers, keys))
		})
	}
}

// BenchmarkLayouts: the same commands on one stream and on four.
func BenchmarkLayouts(b *testing.B) {
	for _, mode := range []natsd.SyncMode{natsd.Interval, natsd.Group} {
		b.Run(string(mode), func(b *testing.B) {
			single, keys := benchNode(b, mode, benchAggregates)
			four := newNode(b, counterText)
			four.sync, four.log.Layout = mode, envelope.Sharded(4)
			four.start()
			for _, key := range keys {
				four.do(deposit(key, 1))
			}
			race(b, four.submits("sharded4", 256, keys), single.submits("single", 256, keys))
		})
	}
}
