package stream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/stream/envelope"
)

func ackText(stream string, seq int) string {
	return fmt.Sprintf(`{"stream":%q,"seq":%d}`, stream, seq)
}

// answerer plays the stream S for an inbox.
type answerer struct {
	t       *testing.T
	in      *inbox
	nc      *nats.Conn
	replies chan string
	told    chan any // what receivers are told: a text or an error
}

func newAnswerer(t *testing.T) *answerer {
	t.Helper()
	srv := startServer(t, t.TempDir(), -1)
	a := &answerer{t: t, in: openLog(t, srv, Options{}).inbox, nc: connect(t, srv.ClientURL()), replies: make(chan string, 1), told: make(chan any, 1)}
	_, err := a.nc.Subscribe("S", func(m *nats.Msg) { a.replies <- m.Reply })
	must(t, err)
	must(t, a.nc.Flush())
	return a
}

// post sends a message and gives the subject of its answer.
func (a *answerer) post(inc *incarnation) string {
	a.t.Helper()
	must(a.t, a.in.post(&nats.Msg{Subject: "S"}, inc, receiverFunc(func(m *nats.Msg, err error) {
		if err != nil {
			a.told <- err
			return
		}
		a.told <- string(m.Data)
	}), nil, time.Minute))
	return <-a.replies
}

// answer gives what the receiver is told.
func (a *answerer) answer(reply, text string) any {
	a.t.Helper()
	must(a.t, a.nc.Publish(reply, []byte(text)))
	return <-a.told
}

// silently answers when nobody should be told.
func (a *answerer) silently(reply, text string) {
	a.t.Helper()
	must(a.t, a.nc.Publish(reply, []byte(text)))
	must(a.t, a.nc.Flush())
	must(a.t, a.in.nc.Flush())
	time.Sleep(10 * time.Millisecond)
	if len(a.told) > 0 {
		a.t.Errorf("%s on %s was taken for an answer", text, reply)
		<-a.told
	}
}

// A token is used for another message only once its acknowledgement has come, and then whatever else
// comes, or comes twice or late, is nobody's acknowledgement but its own.
func TestTokens(t *testing.T) {
	a := newAnswerer(t)
	inc := &incarnation{lane: newLane("S")}
	acknowledge := func(seq int) string {
		t.Helper()
		reply := a.post(inc)
		if got := a.answer(reply, ackText("S", seq)); got != ackText("S", seq) || inc.seen.Load() != uint64(seq) {
			t.Errorf("got %v, %d seen", got, inc.seen.Load())
		}
		return reply
	}
	first := acknowledge(5)
	a.silently(first, ackText("S", 5)) // nobody waits
	if second := acknowledge(6); second != first {
		t.Errorf("a token whose acknowledgement has come is not used again: %s, then %s", first, second)
	}
	seq := 6
	for _, other := range []string{"x", "", ackText("S", 5), ackText("S", 6), ackText("T", 100), `{"stream":"S","seq":5,"duplicate":true}`,
		`{"stream":"S","domain":"d","seq":9}`, `{"error":{"code":400,"err_code":10071}}`, `{"error":{"code":503,"err_code":10077}}`} {
		seq++
		used := acknowledge(seq)
		if reply := a.post(inc); reply != used {
			t.Errorf("before %q: the token is not used again", other)
		}
		if got := a.answer(used, other); got != errUnsure { // of an earlier message perhaps
			t.Errorf("on a token that was used before: got %v for %q", got, other)
		}
		a.silently(used, ackText("S", seq+100)) // too late, it is settled otherwise
		fresh := a.post(inc)
		if fresh == used {
			t.Errorf("after %q: the token is unsure and was used again", other)
		}
		if got := a.answer(fresh, other); got != other { // nobody else's
			t.Errorf("on a new token: got %v for %q", got, other)
		}
		a.silently(fresh, ackText("S", seq+100))
	}
	lost := a.post(inc)
	a.in.lose()
	if got := <-a.told; got != errConnLost {
		t.Errorf("got %v", got)
	}
	if next := a.post(inc); next == lost {
		t.Errorf("the token of a lost message was used again")
	} else {
		a.silently(lost, ackText("S", 88))
		if got := a.answer(next, ackText("S", 99)); got != ackText("S", 99) {
			t.Errorf("got %v", got)
		}
	}
	if a.in.inFlight() != 0 || len(inc.idle) != 1 {
		t.Errorf("%d in flight, %d tokens to be used again", a.in.inFlight(), len(inc.idle))
	}
}

// A token serves one incarnation of one stream: sequences of others tell nothing about it. And no
// question has one, whose answer may be anything.
func TestATokenServesOneIncarnation(t *testing.T) {
	a := newAnswerer(t)
	inc, anew, other := &incarnation{lane: newLane("S")}, &incarnation{lane: newLane("S")}, &incarnation{lane: newLane("T")}
	first := a.post(inc)
	a.answer(first, ackText("S", 5))
	for _, to := range []*incarnation{anew, other} {
		if reply := a.post(to); reply == first {
			t.Errorf("a token of %p was used for %p", inc, to)
		}
		a.in.lose()
		<-a.told
	}
	s, err := a.in.send(&nats.Msg{Subject: "S"}, nil, time.Minute)
	must(t, err)
	if reply := <-a.replies; reply == first {
		t.Error("a question has the token of an acknowledged message")
	}
	a.in.giveBack(s)
	if reply := a.post(inc); reply != first {
		t.Error("the token is not used again in its incarnation")
	}
	a.in.lose()
	<-a.told
}

// However many were in flight at once, and however many waits ended without an answer, what is kept
// is bounded.
func TestTokensAreBounded(t *testing.T) {
	a := newAnswerer(t)
	inc := &incarnation{lane: newLane("S")}
	told := make(chan error, 1)
	to := receiverFunc(func(_ *nats.Msg, err error) { told <- err })
	start := func(n int) (replies []string) {
		t.Helper()
		for range n {
			_, reply, _, err := a.in.start(to, inc, nil, time.Minute)
			must(t, err)
			replies = append(replies, reply)
		}
		return replies
	}
	const many = maxFreeSlots + 1000
	seq := 0
	for round := range 3 {
		replies := start(many)
		if n := a.in.inFlight(); n != many { // each has a token of its own
			t.Fatalf("round %d: %d in flight", round, n)
		}
		for _, reply := range replies {
			seq++
			a.in.deliver(&nats.Msg{Subject: reply, Data: []byte(ackText("S", seq))})
			must(t, <-told)
		}
		if len(a.in.slots) != 0 || len(inc.idle) != maxFreeSlots || len(a.in.free) > maxFreeSlots {
			t.Fatalf("round %d: %d slots, %d idle tokens, %d free", round, len(a.in.slots), len(inc.idle), len(a.in.free))
		}
	}
	go func() {
		for range 100_000 {
			<-told
		}
		close(told)
	}()
	for range 100 {
		start(1000)
		a.in.expire(time.Now())
		a.in.expire(time.Now().Add(time.Hour))
	}
	<-told
	if len(a.in.slots) != 0 || len(a.in.free)+len(inc.idle) > 2*maxFreeSlots {
		t.Errorf("after timeouts: %d slots, %d free, %d idle", len(a.in.slots), len(a.in.free), len(inc.idle))
	}
}

// What is acknowledged twice, the second time when the token may be another's, is told to nobody but
// whom it is meant for. The server is played, so that it knows what it has acknowledged to whom.
func TestEveryAcknowledgementTwice(t *testing.T) {
	srv := startServer(t, t.TempDir(), -1)
	in := openLog(t, srv, Options{}).inbox
	nc := connect(t, srv.ClientURL())
	given := make([]atomic.Int64, 8*3000)
	var seq int64
	_, err := nc.Subscribe("S", func(m *nats.Msg) {
		seq++
		var id int
		_, _ = fmt.Sscan(string(m.Data), &id)
		given[id].Store(seq)
		_ = m.Respond([]byte(ackText("S", int(seq))))
		_ = m.Respond([]byte(ackText("S", int(seq))))
	})
	must(t, err)
	must(t, nc.Flush())
	inc := &incarnation{lane: newLane("S")}
	var unsure atomic.Int64
	var posters sync.WaitGroup
	for p := range 8 {
		posters.Go(func() {
			for i := range 3000 {
				id := p*3000 + i
				told := make(chan struct{})
				err := in.post(&nats.Msg{Subject: "S", Data: []byte(fmt.Sprint(id))}, inc, receiverFunc(func(m *nats.Msg, err error) {
					defer close(told)
					if err != nil {
						unsure.Add(1)
						return
					}
					if _, got := plainAck(m.Data); int64(got) != given[id].Load() {
						t.Errorf("message %d is at %d and was told %d", id, given[id].Load(), got)
					}
				}), nil, time.Minute)
				if err != nil {
					t.Error(err)
					return
				}
				<-told
			}
		})
	}
	posters.Wait()
	if unsure.Load() == 0 {
		t.Error("no second acknowledgement met another message")
	}
}

// talker answers whatever is written to an aggregate, as a careless subscriber may.
func talker(t *testing.T, srv *server.Server) {
	t.Helper()
	nc := connect(t, srv.ClientURL())
	_, err := nc.Subscribe("tenant.>", func(m *nats.Msg) { _ = m.Respond([]byte("+OK")) })
	must(t, err)
	must(t, nc.Flush())
}

// repeater sends what comes to an inbox there once more, after a moment; spoil may make something else of it.
func repeater(t *testing.T, srv *server.Server, in *inbox, spoil func(text string) string) {
	t.Helper()
	nc := connect(t, srv.ClientURL())
	_, err := nc.Subscribe(in.prefix+"*", func(m *nats.Msg) {
		if m.Header.Get("Again") != "" || len(m.Data) > 100 {
			return
		}
		again := &nats.Msg{Subject: m.Subject, Data: []byte(spoil(string(m.Data))), Header: nats.Header{"Again": {"1"}}}
		if rand.IntN(4) > 0 {
			_ = nc.PublishMsg(again)
			return
		}
		time.AfterFunc(time.Duration(rand.IntN(3000))*time.Microsecond, func() { _ = nc.PublishMsg(again) })
	})
	must(t, err)
	must(t, nc.Flush())
}

// Answers that come twice, or with something else behind them, on a real server with one stream and with
// several: nothing is told to be in the log that is not, or the other way round.
func TestAnswersWithEchoes(t *testing.T) {
	spoils := []struct {
		name  string
		spoil func(text string) string
	}{
		{"twice", func(text string) string { return text }},
		{"garbage", func(string) string { return "+OK" }},
		{"duplicate", func(text string) string { return text[:len(text)-1] + `,"duplicate": true}` }},
		{"refusal", func(string) string {
			return `{"error":{"code":503,"err_code":10077,"description":"maximum messages exceeded"}}`
		}},
		{"talker", nil},
		{"stale", func(string) string {
			return `{"error":{"code":400,"err_code":10071,"description":"wrong last sequence: 1"}}`
		}},
	}
	for _, layout := range []envelope.Layout{envelope.Single, envelope.PerTenant} {
		for _, tt := range spoils {
			t.Run(layout.String()+" "+tt.name, func(t *testing.T) {
				t.Parallel()
				srv := startServer(t, t.TempDir(), -1)
				l := openLog(t, srv, Options{Layout: layout, Sync: syncFunc(func(ctx context.Context) error { return ctx.Err() }),
					Breaker: BreakerOptions{Failures: 1 << 30}})
				if tt.spoil == nil {
					talker(t, srv)
				} else {
					repeater(t, srv, l.inbox, tt.spoil)
				}
				var writers sync.WaitGroup
				for w := range 12 {
					writers.Go(func() {
						m := writer{t: t, l: l, key: newKey(aggregate.TenantID(fmt.Sprint("tenant", w%3))), rand: rand.New(rand.NewPCG(1, uint64(w)))}
						for range 80 {
							m.write()
							// Questions share the inbox.
							if ok, err := l.IsLatest(context.Background(), m.key, m.at); err == nil && !ok {
								t.Errorf("%s: the mark that was told is not the latest", m.key)
							}
						}
						m.check()
						if m.conflicts > 0 {
							t.Errorf("%s: nobody else writes, and %d were in conflict", m.key, m.conflicts)
						}
					})
				}
				writers.Wait()
				nobodyAloft(t, l)
			})
		}
	}
}

// A stream that was made anew behind the log's back begins at 1. New aggregates go on there: no
// acknowledgement is doubted for ever.
func TestAStreamMadeAnewWhileConnected(t *testing.T) {
	srv := startServer(t, t.TempDir(), -1)
	l := openLog(t, srv, Options{})
	grow(t, l, newKey("acme"), aggregate.Mark{}, 20)
	ln := l.lanes.all()[0]
	must(t, l.js.DeleteStream(t.Context(), ln.name))
	key := newKey("acme")
	_, err := l.Append(t.Context(), key, aggregate.Mark{}, []aggregate.Commit{commit(key, 0, 1)})
	wantErr(t, err, aggregate.ErrStream)
	if errors.Is(err, aggregate.ErrInDoubt) {
		t.Errorf("nobody takes it, and it is in doubt: %v", err)
	}
	_, err = l.js.CreateStream(t.Context(), l.config(ln))
	must(t, err)
	for range 5 {
		grow(t, l, newKey("acme"), aggregate.Mark{}, 3)
	}
	if s := l.Breaker(); s != "closed" {
		t.Errorf("the circuit is %s", s)
	}
}

// The leaders of replicated streams step down while many append: what a new leader acknowledges once
// more is nobody else's.
func TestLeadersStepDownUnderLoad(t *testing.T) {
	if testing.Short() {
		t.Skip("starts three servers")
	}
	servers := startCluster(t)
	l := openLog(t, servers[0], Options{Replicas: 3, Layout: envelope.PerTenant, AckWait: time.Second, Breaker: BreakerOptions{Failures: 1000, OpenFor: 10 * time.Millisecond}})
	tap := connect(t, servers[1].ClientURL())
	var mu sync.Mutex
	answers, twice := map[string]bool{}, 0
	_, err := tap.Subscribe(l.inbox.prefix+"*", func(m *nats.Msg) {
		mu.Lock()
		defer mu.Unlock()
		if _, seq := plainAck(m.Data); seq > 0 && answers[string(m.Data)] {
			twice++
		}
		answers[string(m.Data)] = true
	})
	must(t, err)
	keys := make([]aggregate.Key, 24)
	for i := range keys {
		keys[i] = newKey(aggregate.TenantID(fmt.Sprint("tenant", i%3)))
	}
	for _, key := range keys[:3] { // the streams are there
		eventually(t, "a stream is made", func() bool {
			_, err := l.Append(t.Context(), aggregate.Key{Tenant: key.Tenant, Type: "Other", ID: aggregate.NewID()}, aggregate.Mark{}, []aggregate.Commit{commit(key, 0, 1)})
			return err == nil
		})
	}
	var stop atomic.Bool
	var deposer, writers sync.WaitGroup
	var steps int
	deposer.Go(func() {
		for !stop.Load() {
			for _, ln := range l.lanes.all() {
				if m, err := tap.Request("$JS.API.STREAM.LEADER.STEPDOWN."+ln.name, nil, time.Second); err == nil && json.Valid(m.Data) {
					steps++
				}
			}
			time.Sleep(300 * time.Millisecond)
		}
	})
	all := make([]*writer, len(keys))
	began := time.Now()
	for w, key := range keys {
		m := &writer{t: t, l: l, key: key, rand: rand.New(rand.NewPCG(2, uint64(w)))}
		all[w] = m
		writers.Go(func() {
			for time.Since(began) < 5*time.Second {
				m.write()
			}
		})
	}
	writers.Wait()
	stop.Store(true)
	deposer.Wait()
	var doubts int64
	for _, m := range all {
		// A replica may lag. The mark chains the hashes of all bodies.
		eventually(t, "a replica has what was acknowledged, and nothing else", func() bool {
			_, end, err := versions(l, m.key, aggregate.Mark{})
			return err == nil && end == m.at
		})
		doubts += m.doubts
		if len(m.want) == 0 || m.at.Version != aggregate.Version(len(m.want)) {
			t.Errorf("%s: %d were acknowledged, the last at version %d", m.key, len(m.want), m.at.Version)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	t.Logf("%d times a leader stepped down; %d acknowledgements, %d came twice; %d flights were in doubt", steps, len(answers), twice, doubts)
	if steps == 0 {
		t.Error("no leader stepped down")
	}
}

// hearUnsure tells a flight, sent or not, that its answer may be another's, and gives what becomes of it.
func hearUnsure(t *testing.T, l *Log, key aggregate.Key, at aggregate.Mark, c aggregate.Commit) (aggregate.Mark, error) {
	t.Helper()
	f, err := newFlight(l, key, at, c)
	must(t, err)
	var mark aggregate.Mark
	told := make(chan error, 1)
	f.log, f.ctx, f.inc = l, t.Context(), l.lanes.all()[0].current.Load()
	f.done = func(m aggregate.Mark, _ time.Duration, err error) { mark = m; told <- err }
	f.held.Store(1)
	f.heard(nil, errUnsure)
	return mark, <-told
}

// A flight whose answer may be another's is sent again, and what the stream says then holds for both. If
// it says nothing, the flight is in doubt.
func TestAnUnsureAnswer(t *testing.T) {
	l := newLog(t, Options{})
	key := newKey("acme")
	c := commit(key, 0, 1)
	first, err := hearUnsure(t, l, key, aggregate.Mark{}, c) // it was not taken
	must(t, err)
	if again, err := hearUnsure(t, l, key, aggregate.Mark{}, c); err != nil || again != first { // it was
		t.Errorf("got %+v, %v, want %+v", again, err, first)
	}
	_, err = hearUnsure(t, l, key, aggregate.Mark{}, commit(key, 0, 1))
	wantErr(t, err, aggregate.ErrConflict)

	cfg := l.config(l.lanes.all()[0])
	cfg.Sealed = true // the stream refuses everything
	_, err = l.js.UpdateStream(t.Context(), cfg)
	must(t, err)
	if again, err := hearUnsure(t, l, key, aggregate.Mark{}, c); err != nil || again != first {
		t.Errorf("refused now and taken before: got %+v, %v, want %+v", again, err, first)
	}
	_, err = hearUnsure(t, l, key, first, commit(key, 1, 1))
	wantErr(t, err, aggregate.ErrStream)
	if errors.Is(err, aggregate.ErrInDoubt) {
		t.Errorf("the stream has not taken it, and it is in doubt: %v", err)
	}

	l.nc.Close()
	_, err = hearUnsure(t, l, key, first, commit(key, 1, 1))
	wantErr(t, err, aggregate.ErrInDoubt)
	if errors.Is(err, aggregate.ErrStream) {
		t.Errorf("it says that nothing was stored: %v", err)
	}
}
