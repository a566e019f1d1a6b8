package stream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/cloudlysis/aggregate"
)

// receiverFunc is a receiver made of a function.
type receiverFunc func(m *nats.Msg, err error)

func (f receiverFunc) answered(m *nats.Msg, err error) { f(m, err) }

// A message carries its own token, even if its wait ended before it was written and its slot was
// given to another: else the other would be told that this one's place in the stream is its own.
func TestAMessageKeepsItsToken(t *testing.T) {
	srv := startServer(t, t.TempDir(), -1)
	l := openLog(t, srv, Options{})
	echo := connect(t, srv.ClientURL())
	_, err := echo.Subscribe("echo", func(m *nats.Msg) { _ = m.Respond(m.Data) })
	must(t, err)
	must(t, echo.Flush())
	var stop atomic.Bool
	var loser, posters sync.WaitGroup
	loser.Go(func() {
		for !stop.Load() {
			l.inbox.lose()
		}
	})
	var answered atomic.Int64
	for p := range 8 {
		posters.Go(func() {
			for i := range 400 {
				text := fmt.Sprint(p, " ", i)
				told := make(chan struct{})
				err := l.inbox.post(&nats.Msg{Subject: "echo", Data: []byte(text)}, nil, receiverFunc(func(m *nats.Msg, err error) {
					if err == nil {
						answered.Add(1)
						if string(m.Data) != text {
							t.Errorf("message %q got the answer to %q", text, m.Data)
						}
					}
					close(told) // panics when it is told twice
				}), nil, time.Minute)
				if err != nil {
					t.Errorf("post: %v", err)
					return
				}
				<-told
			}
		})
	}
	posters.Wait()
	stop.Store(true)
	loser.Wait()
	t.Logf("%d of 3200 were answered, the others lost", answered.Load())
	if n := l.inbox.inFlight(); n != 0 {
		t.Errorf("%d are in flight", n)
	}
}

// Whoever comes after Close is told so: nobody would end his wait.
func TestNobodyWaitsOnAClosedLog(t *testing.T) {
	srv := startServer(t, t.TempDir(), -1)
	l, err := Open(t.Context(), connect(t, srv.ClientURL()), Options{Loads: connect(t, srv.ClientURL())})
	must(t, err)
	key := newKey("acme")
	at := grow(t, l, key, aggregate.Mark{}, 1)
	must(t, l.Close())
	told := make(chan error, 1)
	l.Begin(t.Context(), key, at, []aggregate.Commit{commit(key, 1, 1)}, func(_ aggregate.Mark, _ time.Duration, err error) { told <- err })
	asked := make(chan error, 2)
	go func() {
		_, err := l.IsLatest(context.Background(), key, at)
		asked <- err
	}()
	go func() {
		_, _, err := l.At(context.Background(), key, at.Sequence)
		asked <- err
	}()
	for what, c := range map[string]chan error{"append": told, "question": asked, "the other question": asked} {
		select {
		case err := <-c:
			wantErr(t, err, aggregate.ErrStream)
		case <-time.After(10 * time.Second):
			t.Fatalf("%s: nobody was told", what)
		}
	}
}

// Whatever becomes of connections, acks and the disk, each flight is told once, what was told to be
// in the log is there, and what was told to have failed is not, now or later.
func TestEachFlightIsToldOnce(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	srv := startServer(t, t.TempDir(), -1)
	stall := syncFunc(func(ctx context.Context) error {
		if rand.IntN(8) == 0 {
			time.Sleep(time.Duration(rand.IntN(20)) * time.Millisecond)
		}
		return ctx.Err()
	})
	l := openLog(t, srv, Options{Sync: stall, AckWait: 40 * time.Millisecond, Breaker: BreakerOptions{Failures: 50, OpenFor: 5 * time.Millisecond}})
	var stop atomic.Bool
	var killer, writers sync.WaitGroup
	killer.Go(func() {
		r := rand.New(rand.NewPCG(seed, 0))
		for !stop.Load() {
			time.Sleep(time.Duration(r.IntN(40)) * time.Millisecond)
			switch r.IntN(4) {
			case 0:
				_ = l.nc.ForceReconnect()
			case 1:
				l.inbox.lose()
			}
		}
	})
	var doubts, failures atomic.Int64
	for w := range 16 {
		writers.Go(func() {
			m := writer{t: t, l: l, key: newKey("acme"), rand: rand.New(rand.NewPCG(seed, uint64(w+1)))}
			for range 100 {
				m.write()
			}
			m.check()
			doubts.Add(m.doubts)
			failures.Add(m.failures)
		})
	}
	writers.Wait()
	stop.Store(true)
	killer.Wait()
	nobodyAloft(t, l)
	t.Logf("%d flights were in doubt, %d refused", doubts.Load(), failures.Load())
	if doubts.Load() == 0 {
		t.Error("none was in doubt")
	}
}

// writer is one aggregate that grows.
type writer struct {
	t    *testing.T
	l    *Log
	key  aggregate.Key
	rand *rand.Rand
	at   aggregate.Mark
	want []aggregate.ID
	pad  int // bytes of each command

	doubts, failures, conflicts int64
}

// write gives one flight to the log, with Begin and then as often as need be, like an owner.
func (w *writer) write() {
	c := commit(w.key, w.at.Version, 1)
	if w.pad > 0 {
		c.Command = json.RawMessage(`{"pad":"` + strings.Repeat("x", w.pad) + `"}`)
	}
	var told atomic.Int64
	type outcome struct {
		mark aggregate.Mark
		err  error
	}
	ended := make(chan outcome, 2)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	w.l.Begin(ctx, w.key, w.at, []aggregate.Commit{c}, func(m aggregate.Mark, synced time.Duration, err error) {
		if told.Add(1) > 1 {
			w.t.Error("a flight was told twice")
		}
		if synced < 0 || synced > time.Minute {
			w.t.Errorf("it was %v with the disk", synced)
		}
		ended <- outcome{m, err}
	})
	if w.rand.IntN(10) == 0 {
		cancel()
	}
	o := <-ended
	for errors.Is(o.err, aggregate.ErrInDoubt) {
		w.doubts++
		o.mark, o.err = w.l.Append(context.Background(), w.key, w.at, []aggregate.Commit{c})
		if o.err != nil && !errors.Is(o.err, aggregate.ErrInDoubt) {
			w.failures++
			if !errors.Is(o.err, aggregate.ErrConflict) { // refused now; the first may be in the log
				o.err = aggregate.ErrInDoubt
				time.Sleep(time.Millisecond)
			}
		}
	}
	if errors.Is(o.err, aggregate.ErrConflict) {
		w.conflicts++
	}
	if o.err != nil {
		w.failures++
		return
	}
	w.at, w.want = o.mark, append(w.want, c.CommandID)
}

// check compares the log with what was told.
func (w *writer) check() {
	for try := 0; ; try++ {
		var got []aggregate.ID
		var failed error
		for c, err := range w.l.Load(context.Background(), w.key, aggregate.Mark{}) {
			if failed = err; err != nil {
				break
			}
			got = append(got, c.Commit.CommandID)
		}
		if failed != nil && try < 1000 {
			time.Sleep(5 * time.Millisecond)
			continue
		}
		if failed != nil || fmt.Sprint(got) != fmt.Sprint(w.want) {
			w.t.Errorf("%s: %v\ngot  %v\nwant %v", w.key, failed, got, w.want)
		}
		return
	}
}

// proxy stands between a client and the server; it can stop reading, and cut.
type proxy struct {
	net.Listener
	to    string
	stall sync.RWMutex // held for writing while nothing of the client is read
	mu    sync.Mutex
	conns []net.Conn
}

func (p *proxy) run() {
	for {
		c, err := p.Accept()
		if err != nil {
			return
		}
		s, err := net.Dial("tcp", p.to)
		if err != nil {
			c.Close()
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, c, s)
		p.mu.Unlock()
		go func() { _, _ = io.Copy(c, s); c.Close() }()
		go func() {
			defer s.Close()
			buf := make([]byte, 16<<10)
			for {
				n, err := c.Read(buf)
				p.stall.RLock()
				_, err2 := s.Write(buf[:n])
				p.stall.RUnlock()
				if err != nil || err2 != nil {
					return
				}
			}
		}()
	}
}

func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		c.Close()
	}
	p.conns = nil
}

// A connection that takes nothing blocks those who publish, and perhaps is cut then. Nothing is told
// twice or wrongly, and it goes on.
func TestAStalledConnection(t *testing.T) {
	srv := startServer(t, t.TempDir(), -1)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	p := &proxy{Listener: ln, to: srv.Addr().String()}
	go p.run()
	t.Cleanup(func() { ln.Close(); p.cut() })
	l, err := Open(t.Context(), connect(t, "nats://"+ln.Addr().String()), Options{Loads: connect(t, srv.ClientURL()), AckWait: 150 * time.Millisecond,
		Sync: syncFunc(func(ctx context.Context) error { return ctx.Err() }), Logger: slog.New(slog.DiscardHandler), Breaker: BreakerOptions{Failures: 100, OpenFor: 5 * time.Millisecond}})
	must(t, err)
	t.Cleanup(func() { must(t, l.Close()) })
	var stop atomic.Bool
	var staller, writers sync.WaitGroup
	staller.Go(func() {
		for i := 0; !stop.Load() && i < 6; i++ {
			time.Sleep(100 * time.Millisecond)
			p.stall.Lock()
			time.Sleep(200 * time.Millisecond)
			if i%2 == 0 {
				p.cut()
			}
			p.stall.Unlock()
		}
	})
	var doubts atomic.Int64
	for i := range 10 {
		writers.Go(func() {
			m := writer{t: t, l: l, key: newKey("acme"), rand: rand.New(rand.NewPCG(1, uint64(i))), pad: 300 << 10}
			for range 4 {
				m.write()
			}
			m.check()
			doubts.Add(m.doubts)
		})
	}
	writers.Wait()
	stop.Store(true)
	staller.Wait()
	nobodyAloft(t, l)
	if doubts.Load() == 0 {
		t.Error("none was in doubt")
	}
}
