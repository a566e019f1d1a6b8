package stream

import (
	"context"
	"errors"
	"iter"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"pgregory.net/rapid"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/stream/envelope"
)

func collect(t testing.TB, events iter.Seq2[aggregate.Event, error]) (vs []aggregate.Version) {
	t.Helper()
	for e, err := range events {
		if err != nil {
			t.Fatal(err)
		}
		vs = append(vs, e.Version)
	}
	return vs
}

func TestLoadAfterMark(t *testing.T) {
	l := newLog(t, Options{})
	key, foreign := newKey("acme"), newKey("acme")
	var marks []aggregate.Mark
	m, f := aggregate.Mark{}, aggregate.Mark{}
	for range 6 {
		marks = append(marks, m)
		m = grow(t, l, key, m, 1)
		f = grow(t, l, foreign, f, 3) // foreign messages in between
	}
	for i, after := range append(marks, m) {
		got, end, err := versions(l, key, after)
		if err != nil || !slices.Equal(got, count(aggregate.Version(i)+1, 6)) || end != m {
			t.Errorf("after version %d: got %v up to %+v, %v", i, got, end, err)
		}
	}
	for range l.Load(t.Context(), key, aggregate.Mark{}) {
		break // a reader may leave at any time
	}
	if got, _, err := versions(l, newKey("acme"), aggregate.Mark{}); got != nil || err != nil {
		t.Errorf("unborn: got %v, %v", got, err)
	}
}

func TestLoadLetsBodiesGo(t *testing.T) {
	l := newLog(t, Options{})
	l.keep = 2000 // a few messages
	key := newKey("acme")
	m := grow(t, l, key, aggregate.Mark{}, 20)
	if got, end, err := versions(l, key, aggregate.Mark{}); err != nil || !slices.Equal(got, count(1, 20)) || end != m {
		t.Errorf("got %v up to %+v, %v", got, end, err)
	}
}

func TestStaleMark(t *testing.T) {
	l := newLog(t, Options{})
	key, foreign := newKey("acme"), newKey("acme")
	m1 := grow(t, l, key, aggregate.Mark{}, 1)
	f := grow(t, l, foreign, aggregate.Mark{}, 1)
	m2 := grow(t, l, key, m1, 1)
	m3 := grow(t, l, key, m2, 1)
	change := func(m aggregate.Mark, f func(*aggregate.Mark)) aggregate.Mark { f(&m); return m }
	tests := map[string]aggregate.Mark{
		"other body at the end":       change(m3, func(m *aggregate.Mark) { m.Hash[3]++ }),
		"other body in the middle":    change(m2, func(m *aggregate.Mark) { m.Hash[3]++ }),
		"other body at the beginning": change(m1, func(m *aggregate.Mark) { m.Hash[3]++ }),
		"beyond the end":              change(m3, func(m *aggregate.Mark) { m.Sequence += 9 }),
		"a foreign message":           change(f, func(m *aggregate.Mark) {}),
		"another stream":              change(m2, func(m *aggregate.Mark) { m.Stream = "OLD@2020-01-01T00:00:00Z" }),
	}
	for name, m := range tests {
		t.Run(name, func(t *testing.T) {
			got, _, err := versions(l, key, m)
			wantErr(t, err, aggregate.ErrStaleMark)
			if len(got) > 0 {
				t.Errorf("got %v", got)
			}
		})
	}
	_, _, err := versions(l, newKey("acme"), m1)
	wantErr(t, err, aggregate.ErrStaleMark)
}

func TestAt(t *testing.T) {
	l := newLog(t, Options{})
	key, other := newKey("acme"), newKey("acme")
	c1, c2 := commit(key, 0, 1), commit(key, 1, 2)
	m := mustAppend(t, l, key, aggregate.Mark{}, c1, c2)
	f := grow(t, l, other, aggregate.Mark{}, 1)
	got, v, err := l.At(t.Context(), key, m.Sequence)
	if err != nil || v != 3 || !reflect.DeepEqual(got, []aggregate.Commit{c1, c2}) {
		t.Errorf("got %+v at version %d, %v", got, v, err)
	}
	for _, seq := range []aggregate.Sequence{f.Sequence, 99} {
		_, _, err := l.At(t.Context(), key, seq)
		wantErr(t, err, aggregate.ErrNotFound)
	}
}

func TestBrokenChain(t *testing.T) {
	l := newLog(t, Options{})
	key, healthy := newKey("acme"), newKey("acme")
	m := grow(t, l, key, aggregate.Mark{}, 2)
	grow(t, l, healthy, aggregate.Mark{}, 2)
	subject := envelope.Single.Subject(key)
	forged := body(t, key, envelope.HashOf([]byte("something else")), commit(key, 2, 1))
	put(t, l, subject, nats.Header{"agg-prev-seq": {"2"}}, forged)
	got, _, err := versions(l, key, aggregate.Mark{})
	wantErr(t, err, aggregate.ErrRehydration)
	if !strings.Contains(err.Error(), "chain is broken") || !strings.Contains(err.Error(), "sequence 5") || !slices.Equal(got, count(1, 2)) {
		t.Errorf("got %v, %v: the place should be named, and what stands before it read", got, err)
	}
	_, _, err = versions(l, key, m)
	if !errors.Is(err, aggregate.ErrRehydration) || errors.Is(err, aggregate.ErrStaleMark) {
		t.Errorf("after a mark that is fine: got %v, want ErrRehydration", err)
	}
	if got, _, err := versions(l, healthy, aggregate.Mark{}); err != nil || len(got) != 2 {
		t.Errorf("others go on: got %v, %v", got, err)
	}
}

func TestDamagedMessages(t *testing.T) {
	tests := []struct {
		name string
		make func(t *testing.T, key aggregate.Key, prev envelope.Hash) (nats.Header, []byte)
		want error
	}{
		{"gap of versions", func(t *testing.T, key aggregate.Key, prev envelope.Hash) (nats.Header, []byte) {
			return nil, body(t, key, prev, commit(key, 7, 1))
		}, aggregate.ErrRehydration},
		{"not JSON", func(*testing.T, aggregate.Key, envelope.Hash) (nats.Header, []byte) { return nil, []byte("hello") }, aggregate.ErrRehydration},
		{"empty", func(*testing.T, aggregate.Key, envelope.Hash) (nats.Header, []byte) { return nil, nil }, aggregate.ErrRehydration},
		{"another tenant in the body", func(t *testing.T, key aggregate.Key, prev envelope.Hash) (nats.Header, []byte) {
			key.Tenant = "mallory"
			return nil, body(t, key, prev, commit(key, 1, 1))
		}, aggregate.ErrTenantAccessDenied},
		{"another aggregate in the body", func(t *testing.T, key aggregate.Key, prev envelope.Hash) (nats.Header, []byte) {
			key.ID = aggregate.NewID()
			return nil, body(t, key, prev, commit(key, 1, 1))
		}, aggregate.ErrRehydration},
		{"a newer form in the header", func(t *testing.T, key aggregate.Key, prev envelope.Hash) (nats.Header, []byte) {
			return nats.Header{"agg-format": {"2"}}, []byte{1, 2, 3}
		}, aggregate.ErrManifestBehind},
		{"a newer form in the body", func(t *testing.T, key aggregate.Key, prev envelope.Hash) (nats.Header, []byte) {
			return nil, []byte(`{"v":2}`)
		}, aggregate.ErrManifestBehind},
	}
	l := newLog(t, Options{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			key := newKey("acme")
			m := grow(t, l, key, aggregate.Mark{}, 1)
			header, b := tt.make(t, key, m.Hash)
			seq := put(t, l, envelope.Single.Subject(key), header, b)
			_, _, err := versions(l, key, aggregate.Mark{})
			wantErr(t, err, tt.want)
			_, _, err = versions(l, key, m)
			wantErr(t, err, tt.want)
			if tt.name != "gap of versions" {
				_, _, err = l.At(t.Context(), key, seq)
				wantErr(t, err, tt.want)
			}
			for _, err := range l.Subscribe(t.Context(), key.Tenant, key.Type, key.ID, 0) {
				if err != nil {
					wantErr(t, err, tt.want)
				}
			}
		})
	}
}

// A log whose messages were moved or mirrored has no headers that fit; then it is scanned.
func TestLoadWithoutFittingHeaders(t *testing.T) {
	l := newLog(t, Options{})
	headers := map[string]func(prev aggregate.Sequence) nats.Header{
		"none":             func(aggregate.Sequence) nats.Header { return nil },
		"no number":        func(aggregate.Sequence) nats.Header { return nats.Header{"agg-prev-seq": {"two"}} },
		"a foreign place":  func(aggregate.Sequence) nats.Header { return nats.Header{"agg-prev-seq": {"1"}} },
		"a place ahead":    func(aggregate.Sequence) nats.Header { return nats.Header{"agg-prev-seq": {"999999"}} },
		"too far back":     func(aggregate.Sequence) nats.Header { return nats.Header{"agg-prev-seq": {"0"}} },
		"an absent place":  func(prev aggregate.Sequence) nats.Header { return nats.Header{"agg-prev-seq": {"999998"}} },
		"the right places": func(prev aggregate.Sequence) nats.Header { return nats.Header{"agg-prev-seq": {itoa(prev)}} },
	}
	grow(t, l, newKey("foreign"), aggregate.Mark{}, 1)
	for name, header := range headers {
		t.Run(name, func(t *testing.T) {
			key := newKey("acme")
			var prev envelope.Hash
			var seq aggregate.Sequence
			var second aggregate.Mark
			for v := range aggregate.Version(4) {
				b := body(t, key, prev, commit(key, v, 1))
				seq = put(t, l, envelope.Single.Subject(key), header(seq), b)
				prev = envelope.HashOf(b)
				grow(t, l, newKey("foreign"), aggregate.Mark{}, 1)
				if v == 1 {
					second = aggregate.Mark{Version: 2, Sequence: seq, Hash: prev, Stream: l.lanes.all()[0].current.Load().mark}
				}
			}
			if got, end, err := versions(l, key, aggregate.Mark{}); err != nil || !slices.Equal(got, count(1, 4)) || end.Sequence != seq {
				t.Errorf("got %v up to %+v, %v", got, end, err)
			}
			if got, _, err := versions(l, key, second); err != nil || !slices.Equal(got, count(3, 4)) {
				t.Errorf("after version 2: got %v, %v", got, err)
			}
			if got := collect(t, l.Events(t.Context(), key, 2)); !slices.Equal(got, count(3, 4)) {
				t.Errorf("events after 2: got %v", got)
			}
			second.Hash[0]++
			_, _, err := versions(l, key, second)
			wantErr(t, err, aggregate.ErrStaleMark)
		})
	}
}

func itoa(s aggregate.Sequence) string {
	return envelope.Headers(&envelope.Message{Commits: make([]aggregate.Commit, 1)}, aggregate.Mark{Sequence: s})["agg-prev-seq"][0]
}

// Nothing is answered or given out before it is as durable as configured.
func TestOnlyDurableIsVisible(t *testing.T) {
	srv := startServer(t, t.TempDir(), -1)
	release := make(chan struct{})
	var waits atomic.Int32
	var hold atomic.Bool
	l := openLog(t, srv, Options{Sync: syncFunc(func(ctx context.Context) error {
		waits.Add(1)
		if !hold.Load() {
			return nil
		}
		select {
		case <-release:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})})
	key := newKey("acme")
	m := grow(t, l, key, aggregate.Mark{}, 1)
	n := waits.Load()
	if _, _, err := versions(l, key, aggregate.Mark{}); err != nil || waits.Load() != n {
		t.Errorf("what is known to be durable is read without a wait: %d waits instead of %d, %v", waits.Load(), n, err)
	}
	hold.Store(true)
	appended := make(chan error, 1)
	go func() {
		_, err := l.Append(context.Background(), key, m, []aggregate.Commit{commit(key, 1, 1)})
		appended <- err
	}()
	eventually(t, "the append waits for a sync", func() bool { return waits.Load() > n })
	for name, read := range map[string]func(context.Context) error{
		"load": func(ctx context.Context) error {
			for _, err := range l.Load(ctx, key, aggregate.Mark{}) {
				return err
			}
			return nil
		},
		"at": func(ctx context.Context) error { _, _, err := l.At(ctx, key, 2); return err },
		"events": func(ctx context.Context) error {
			for _, err := range l.Events(ctx, key, 1) {
				return err
			}
			return nil
		},
		"subscribe": func(ctx context.Context) error {
			for e := range l.Subscribe(ctx, key.Tenant, key.Type, key.ID, 1) {
				t.Errorf("got event %d", e.Version)
			}
			return ctx.Err()
		},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if err := read(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s gave out what is not durable: %v", name, err)
		}
		cancel()
	}
	select {
	case err := <-appended:
		t.Fatalf("the append returned before the sync: %v", err)
	default:
	}
	close(release)
	if err := <-appended; err != nil {
		t.Error(err)
	}
	if got, _, err := versions(l, key, aggregate.Mark{}); err != nil || !slices.Equal(got, count(1, 2)) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestFailedSyncIsDoubt(t *testing.T) {
	broken := errors.New("disk on fire")
	var fail atomic.Bool
	l := newLog(t, Options{Sync: syncFunc(func(context.Context) error {
		if fail.Load() {
			return broken
		}
		return nil
	})})
	key := newKey("acme")
	m := grow(t, l, key, aggregate.Mark{}, 1)
	fail.Store(true)
	_, err := l.Append(t.Context(), key, m, []aggregate.Commit{commit(key, 1, 1)})
	wantErr(t, err, aggregate.ErrInDoubt)
	wantErr(t, err, broken)
	_, _, err = versions(l, key, m)
	wantErr(t, err, aggregate.ErrStream)
	wantErr(t, err, broken)
}

func TestWatermarkIsPublished(t *testing.T) {
	srv := startServer(t, t.TempDir(), -1)
	sub, err := connect(t, srv.ClientURL()).SubscribeSync("aggregate.synced.>")
	must(t, err)
	must(t, sub.SetPendingLimits(-1, -1))
	var round atomic.Int32
	l := openLog(t, srv, Options{Sync: syncFunc(func(context.Context) error { round.Add(1); return nil })})
	grow(t, l, newKey("acme"), aggregate.Mark{}, 5)
	for last := ""; last != "5"; {
		m, err := sub.NextMsg(30 * time.Second)
		must(t, err)
		if last = string(m.Data); m.Subject != "aggregate.synced.AGGREGATE_EVENTS" || last > "5" {
			t.Fatalf("got %s on %s", last, m.Subject)
		}
	}
	if round.Load() < 5 {
		t.Errorf("the watermark went ahead of the syncs: %d", round.Load())
	}
	m, err := sub.NextMsg(30 * time.Second) // and again for those who came late
	if err != nil || string(m.Data) != "5" {
		t.Errorf("got %v, %v", m, err)
	}
}

// The law of the log, against a plain model: an append at the latest mark extends the history, any
// other changes nothing; a load after any mark gives the rest of it.
func TestLawLogAgainstModel(t *testing.T) {
	l := newLog(t, Options{})
	type model struct {
		key   aggregate.Key
		marks []aggregate.Mark // marks[0] is the beginning
		ids   [][]aggregate.ID // of the events of each message
	}
	rapid.Check(t, func(t *rapid.T) {
		ms := []*model{{key: newKey("a")}, {key: newKey("")}, {key: newKey("b")}}
		for _, m := range ms {
			m.marks = []aggregate.Mark{{}}
		}
		pick := rapid.SampledFrom(ms)
		t.Repeat(map[string]func(*rapid.T){
			"append": func(t *rapid.T) {
				m := pick.Draw(t, "aggregate")
				i := rapid.IntRange(0, len(m.marks)-1).Draw(t, "mark")
				at := m.marks[i]
				var commits []aggregate.Commit
				var ids []aggregate.ID
				v := at.Version
				for range rapid.IntRange(1, 3).Draw(t, "commits") {
					c := commit(m.key, v, rapid.IntRange(0, 3).Draw(t, "events"))
					for _, e := range c.Events {
						ids = append(ids, e.EventID)
					}
					v += aggregate.Version(len(c.Events))
					commits = append(commits, c)
				}
				mark, err := l.Append(context.Background(), m.key, at, commits)
				if i < len(m.marks)-1 {
					if !errors.Is(err, aggregate.ErrConflict) {
						t.Fatalf("a stale append gave %+v, %v", mark, err)
					}
					return
				}
				if err != nil || mark.Version != v {
					t.Fatalf("got %+v, %v, want version %d", mark, err, v)
				}
				m.marks, m.ids = append(m.marks, mark), append(m.ids, ids)
			},
			"load": func(t *rapid.T) {
				m := pick.Draw(t, "aggregate")
				i := rapid.IntRange(0, len(m.marks)-1).Draw(t, "mark")
				var got []aggregate.ID
				end := m.marks[i]
				for c, err := range l.Load(context.Background(), m.key, m.marks[i]) {
					if err != nil {
						t.Fatal(err)
					}
					for _, e := range c.Commit.Events {
						got = append(got, e.EventID)
					}
					end = c.Mark
				}
				if want := slices.Concat(m.ids[i:]...); !slices.Equal(got, want) || end != m.marks[len(m.marks)-1] {
					t.Fatalf("got %v up to %+v, want %v", got, end, want)
				}
			},
			"events": func(t *rapid.T) {
				m := pick.Draw(t, "aggregate")
				last := m.marks[len(m.marks)-1].Version
				after := aggregate.Version(rapid.Uint64Range(0, uint64(last)+1).Draw(t, "after"))
				var got []aggregate.Version
				for e, err := range l.Events(context.Background(), m.key, after) {
					if err != nil {
						t.Fatal(err)
					}
					got = append(got, e.Version)
				}
				if !slices.Equal(got, count(after+1, last)) {
					t.Fatalf("after %d of %d: got %v", after, last, got)
				}
			},
		})
	})
}
