package clienttest

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"connectrpc.com/connect"
	"github.com/nats-io/nats.go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/cloudlysis/aggregate"
	pb "github.com/cloudlysis/aggregate/gen/aggregate/v1"
	"github.com/cloudlysis/aggregate/gen/aggregate/v1/aggregatev1connect"
	"github.com/cloudlysis/aggregate/internal/aggdtest"
	"github.com/cloudlysis/aggregate/internal/config"
	"github.com/cloudlysis/aggregate/internal/daemon"
	"github.com/cloudlysis/aggregate/internal/loadgen"
	"github.com/cloudlysis/aggregate/internal/natsd"
	"github.com/cloudlysis/aggregate/internal/telemetry"
	"github.com/cloudlysis/aggregate/stream/envelope"
)

const (
	bank         = "../../examples/bank"
	benchCallers = 64
)

var (
	aggregates = flag.Int("aggregates", 1000, "aggregates of BenchmarkDoors")
	only       = flag.String("work", "", "run only the rows of BenchmarkDoors that match, such as '^REST$', for a profile")
)

var benchPayload = []byte(`{"type":"deposit","amount":1}`)

func benchKeys() []aggregate.Key {
	keys := make([]aggregate.Key, *aggregates)
	for i := range keys {
		keys[i] = aggregate.Key{Type: "Account", ID: aggregate.NewID()}
	}
	return keys
}

// submits is a target of loadgen under load, on aggregates that it makes.
func submits(tb testing.TB, name string, t func(caller int) loadgen.Target, keys []aggregate.Key) *work {
	tb.Helper()
	ctx := context.Background()
	return &work{name: name, do: func(c int, i int64) error {
		return t(c).Submit(ctx, keys[int(i)%len(keys)], aggregate.NewID(), benchPayload)
	}}
}

func settingsOf(tb testing.TB, sync string) config.Settings {
	tb.Helper()
	s := config.Default()
	s.Manifests, s.Data, s.Sync = bank, tb.TempDir(), sync
	s.Listen, s.AdminListen, s.NATSListen = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	return s
}

// daemonIn runs the whole daemon in this process, so that a profile shows door and engine together.
func daemonIn(tb testing.TB, s config.Settings) (data, nats string) {
	tb.Helper()
	var level telemetry.Level
	log := &aggdtest.Buffer{}
	ctx, cancel := context.WithCancel(context.Background())
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() {
		done <- daemon.Run(ctx, daemon.Options{Settings: s, Version: "bench", Level: &level, Log: telemetry.NewLogger(log, &level, ""), Diagnostics: log, Ready: func(string, string) { close(ready) }})
	}()
	tb.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			tb.Error(err)
		}
	})
	select {
	case <-ready:
	case err := <-done:
		done <- err
		tb.Fatal(err, log)
	}
	data, _, nats, _ = log.Addresses()
	return data, nats
}

// engineIn is Engine.Submit without a door.
func engineIn(tb testing.TB, s config.Settings, keys []aggregate.Key) *work {
	tb.Helper()
	var level telemetry.Level
	e, closing, err := daemon.OpenEngine(context.Background(), daemon.Options{Settings: s, Version: "bench", Level: &level, Log: slog.New(slog.DiscardHandler), Diagnostics: os.Stderr})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = closing() })
	ctx := context.Background()
	submit := func(key aggregate.Key, payload []byte) error {
		_, err := e.Submit(ctx, &aggregate.Command{TenantID: key.Tenant, AggregateType: key.Type, AggregateID: key.ID, CommandID: aggregate.NewID(), Payload: payload})
		return err
	}
	birth(tb, keys, func(_ int, key aggregate.Key) error { return submit(key, openPayload) })
	return &work{name: "engine", do: func(_ int, i int64) error { return submit(keys[int(i)%len(keys)], benchPayload) }}
}

var openPayload = []byte(`{"type":"open_account"}`)

func birth(tb testing.TB, keys []aggregate.Key, open func(caller int, key aggregate.Key) error) {
	tb.Helper()
	var wg sync.WaitGroup
	for c := range benchCallers {
		wg.Go(func() {
			for i := c; i < len(keys); i += benchCallers {
				if err := open(c, keys[i]); err != nil {
					tb.Errorf("open %s: %v", keys[i], err)
					return
				}
			}
		})
	}
	wg.Wait()
	if tb.Failed() {
		tb.FailNow()
	}
}

// publisher sends guarded messages of a commit's size to a server of its own and waits for the
// same sync: what a durable command costs at least.
type publisher struct {
	tb    testing.TB
	srv   *natsd.Server
	nc    *nats.Conn
	inbox string
	slots []slot
	body  []byte
	subj  []guarded
}

// slot gets the sequence of one message at a time.
type slot struct {
	got  func(seq uint64)
	wait chan uint64
}

type guarded struct {
	mu     sync.Mutex
	name   string
	last   uint64
	header nats.Header
}

func bare(tb testing.TB, sync string, keys []aggregate.Key) *work {
	tb.Helper()
	return &work{name: "bare publish", do: newPublisher(tb, sync, keys).publish}
}

func newPublisher(tb testing.TB, sync string, keys []aggregate.Key) *publisher {
	tb.Helper()
	srv, err := natsd.Start(natsd.Options{Dir: filepath.Join(tb.TempDir(), "nats"), Sync: natsd.SyncMode(sync), Interval: 2 * time.Minute, Logger: slog.New(slog.DiscardHandler), Fatal: func(err error) { tb.Error(err) }})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(srv.Shutdown)
	p := &publisher{tb: tb, srv: srv, slots: make([]slot, benchCallers), subj: make([]guarded, len(keys))}
	if p.nc, err = srv.Connect("bare"); err != nil {
		tb.Fatal(err)
	}
	p.open(keys)
	return p
}

func (p *publisher) open(keys []aggregate.Key) {
	js, err := p.nc.JetStream()
	if err == nil {
		_, err = js.AddStream(&nats.StreamConfig{Name: "AGGREGATE_EVENTS", Subjects: []string{"tenant.*.aggregate.>"}, Discard: nats.DiscardNew, AllowDirect: true, Duplicates: 10 * time.Second})
	}
	if err != nil {
		p.tb.Fatal(err)
	}
	key, now := keys[0], time.Now().UTC()
	m := &envelope.Message{Key: key, Prev: envelope.HashOf(nil), Commits: []aggregate.Commit{{CommandID: aggregate.NewID(), CommandHash: strings.Repeat("0", 64), Command: benchPayload,
		Timestamp: now, Manifest: "sha256:" + strings.Repeat("0", 64), Engine: "bench/1", Events: []aggregate.CommitEvent{{EventID: aggregate.NewID(), Version: 1, Type: "deposited", Schema: 1, Payload: []byte(`{"amount":1,"note":""}`)}}}}}
	if p.body, err = envelope.Encode(nil, m); err != nil {
		p.tb.Fatal(err)
	}
	for i := range p.subj {
		p.subj[i].name, p.subj[i].header = envelope.Single.Subject(keys[i]), envelope.Headers(m, aggregate.Mark{})
	}
	for i := range p.slots {
		c := make(chan uint64, 1)
		p.slots[i] = slot{func(seq uint64) { c <- seq }, c}
	}
	p.inbox = p.nc.NewInbox() + "."
	sub, err := p.nc.Subscribe(p.inbox+"*", p.deliver)
	if err == nil {
		err = sub.SetPendingLimits(-1, -1)
	}
	if err != nil {
		p.tb.Fatal(err)
	}
}

func (p *publisher) deliver(m *nats.Msg) {
	c, _ := strconv.Atoi(m.Subject[len(p.inbox):])
	_, tail, ok := strings.Cut(string(m.Data), `"seq":`)
	end := strings.IndexAny(tail, ",}")
	if !ok || end < 0 {
		p.tb.Errorf("no ack: %s", m.Data)
		end = 0
	}
	seq, _ := strconv.ParseUint(tail[:end], 10, 64)
	p.slots[c].got(seq)
}

func (p *publisher) publish(c int, i int64) error {
	s := &p.subj[int(i)%len(p.subj)]
	s.mu.Lock()
	err := p.send(s, c)
	if err == nil {
		s.last = <-p.slots[c].wait
	}
	s.mu.Unlock()
	if w := p.srv.Syncer(); w != nil && err == nil {
		return w.Wait(context.Background())
	}
	return err
}

// send sends the next message of a subject, whose lock the caller holds; its sequence goes to slot c.
func (p *publisher) send(s *guarded, c int) error {
	s.header[envelope.HeaderExpectedSeq][0] = strconv.FormatUint(s.last, 10)
	s.header[envelope.HeaderMsgID][0] = aggregate.NewID().String() + s.name
	return p.nc.PublishMsg(&nats.Msg{Subject: s.name, Reply: p.inbox + strconv.Itoa(c), Data: p.body, Header: s.header})
}

func dial(tb testing.TB, addr string) *grpc.ClientConn {
	tb.Helper()
	cc, err := grpc.NewClient(strings.TrimPrefix(addr, "http://"), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = cc.Close() })
	return cc
}

// doorWorks are the doors of one address, which may be an echo server's.
func doorWorks(tb testing.TB, prefix, grpcAddr, httpURL, natsURL string, keys []aggregate.Key) []*work {
	tb.Helper()
	unary := loadgen.NewGRPC(dial(tb, grpcAddr), "")
	shared := stream(tb, dial(tb, grpcAddr))
	own, ownConn := make([]*loadgen.Stream, benchCallers), dial(tb, grpcAddr)
	for i := range own {
		own[i] = stream(tb, ownConn)
	}
	raw, plain := newREST(tb, httpURL, benchCallers), loadgen.NewHTTP(httpURL, "", benchCallers)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: benchCallers, MaxConnsPerHost: benchCallers}}
	tb.Cleanup(client.CloseIdleConnections)
	rpc := aggregatev1connect.NewCommandServiceClient(client, httpURL, connect.WithProtoJSON())
	nc, err := nats.Connect(natsURL)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(nc.Close)
	door := loadgen.NewNATS(nc, nil, "")
	ctx := context.Background()
	return []*work{
		submits(tb, prefix+"gRPC unary", func(int) loadgen.Target { return unary }, keys),
		submits(tb, prefix+"gRPC stream", func(c int) loadgen.Target { return own[c] }, keys),
		submits(tb, prefix+"gRPC stream, shared", func(int) loadgen.Target { return shared }, keys),
		submits(tb, prefix+"REST", func(int) loadgen.Target { return plain }, keys),
		{name: prefix + "REST, lean client", do: func(c int, i int64) error {
			return raw.submit(c, keys[int(i)%len(keys)], aggregate.NewID(), benchPayload)
		}},
		{name: prefix + "Connect JSON", do: func(_ int, i int64) error {
			key := keys[int(i)%len(keys)]
			_, err := rpc.SubmitCommand(ctx, &pb.SubmitCommandRequest{AggregateType: string(key.Type), AggregateId: key.ID.String(), CommandId: aggregate.NewID().String(), PayloadJson: string(benchPayload)})
			return err
		}},
		submits(tb, prefix+"NATS", func(int) loadgen.Target { return door }, keys),
	}
}

func stream(tb testing.TB, cc *grpc.ClientConn) *loadgen.Stream {
	tb.Helper()
	s, err := loadgen.NewStream(context.Background(), loadgen.NewGRPC(cc, ""))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	return s
}

// BenchmarkDoors runs every door at 64 callers beside its empty echo, the engine alone and bare
// publishes, in turns, and prints ratios. b.N commands go through each.
func BenchmarkDoors(b *testing.B) {
	rows := regexp.MustCompile(*only)
	for _, sync := range []string{"interval", "group"} {
		b.Run(sync, func(b *testing.B) {
			keys := benchKeys()
			data, natsURL := daemonIn(b, settingsOf(b, sync))
			doors := doorWorks(b, "", data, data, natsURL, keys)
			first := loadgen.NewHTTP(data, "", benchCallers)
			birth(b, keys, func(_ int, key aggregate.Key) error {
				return first.Submit(context.Background(), key, aggregate.NewID(), openPayload)
			})
			echoes := doorWorks(b, "echo ", echoGRPC(b), echoHTTP(b), echoNATS(b), keys)
			idle := idleWorks(b, "no engine, ", noEngine{}, keys)
			var ruleless []*work
			if sync == "interval" {
				ruleless = idleWorks(b, "no rules, ", newNoRules(b, keys), keys)
			}
			engine, floor := engineIn(b, settingsOf(b, sync), keys), bare(b, sync, keys)
			b.ResetTimer()
			all := slices.Concat([]*work{floor, engine}, doors, ruleless, idle, echoes)
			race(b, benchCallers, int64(b.N), slices.DeleteFunc(all, func(w *work) bool { return !rows.MatchString(w.name) }))
			b.StopTimer()
			table(b, sync, floor, engine, [][]*work{doors, ruleless, idle}, echoes)
		})
	}
}

func table(b *testing.B, sync string, floor, engine *work, doors [][]*work, echoes []*work) {
	b.Helper()
	if b.N < 1000 {
		return // the framework's first try
	}
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "sync %s\t/s\tp99 ms\tcpu µs\tallocs\t/ echo\t/ engine\t/ bare\tcpu / echo\t/ engine\t/ bare\t\n", sync)
	ratio := func(x, y *work, f func(*work) float64) string {
		if y == nil || y.done == 0 {
			return "-"
		}
		return fmt.Sprintf("%.2f", f(x)/f(y))
	}
	perCPU := func(w *work) float64 { return 1 / w.cpuUS() }
	row := func(x, echo *work) {
		if x.done == 0 {
			return
		}
		fmt.Fprintf(w, "%s\t%.0f\t%.1f\t%.1f\t%.1f\t", x.name, x.rate(), x.p99(), x.cpuUS(), float64(x.allocs)/float64(x.done))
		for _, f := range []func(*work) float64{(*work).rate, perCPU} {
			fmt.Fprintf(w, "%s\t%s\t%s\t", ratio(x, echo, f), ratio(x, engine, f), ratio(x, floor, f))
		}
		fmt.Fprintln(w)
	}
	row(floor, nil)
	row(engine, nil)
	for _, d := range doors {
		for i := range d {
			row(d[i], echoes[i])
		}
	}
	for _, e := range echoes {
		row(e, nil)
	}
	_ = w.Flush()
	fmt.Printf("\n%d commands each, %d aggregates\n%s", b.N, *aggregates, out.String())
}
