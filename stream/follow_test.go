package stream

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/stream/envelope"
)

func TestSubscriptionOrder(t *testing.T) {
	l := newLog(t, Options{Sync: syncFunc(func(context.Context) error { time.Sleep(time.Millisecond); return nil })})
	key, foreign := newKey("acme"), newKey("acme")
	m := grow(t, l, key, aggregate.Mark{}, 5)
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	written := make(chan aggregate.Mark, 1)
	go func() { // while others read
		at, f := m, aggregate.Mark{}
		for range 20 {
			at = mustAppend(t, l, key, at, commit(key, at.Version, 2))
			f = grow(t, l, foreign, f, 1)
		}
		written <- at
	}()
	for _, after := range []aggregate.Version{0, 3, 5, 20} {
		var got []aggregate.Version
		for e, err := range l.Subscribe(ctx, key.Tenant, key.Type, key.ID, after) {
			if err != nil {
				t.Fatal(err)
			}
			if e.TenantID != "acme" || e.AggregateID != key.ID || e.EventType != "deposited" {
				t.Fatalf("got %+v", e)
			}
			if got = append(got, e.Version); e.Version == 45 {
				break
			}
		}
		if !slices.Equal(got, count(after+1, 45)) {
			t.Errorf("after %d: got %v", after, got)
		}
	}
	if end := <-written; end.Version != 45 {
		t.Errorf("got %d", end.Version)
	}
}

func TestSubscribeBeforeTheFirstEvent(t *testing.T) {
	l := newLog(t, Options{})
	key := newKey("acme")
	ctx, cancel := context.WithCancel(t.Context())
	got := make(chan aggregate.Version, 9)
	ended := make(chan error, 1)
	go func() {
		defer close(ended)
		for e, err := range l.Subscribe(ctx, key.Tenant, key.Type, key.ID, 0) {
			if err != nil {
				ended <- err
				return
			}
			got <- e.Version
		}
	}()
	m := grow(t, l, key, aggregate.Mark{}, 1)
	if v := <-got; v != 1 {
		t.Errorf("got %d", v)
	}
	grow(t, l, key, m, 1)
	if v := <-got; v != 2 {
		t.Errorf("got %d", v)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("the end of ctx is no error, got %v", err)
	}
}

func TestFollowByFilter(t *testing.T) {
	l := newLog(t, Options{})
	a, b, order := newKey("a"), newKey("b"), newKey("a")
	order.Type = "Order"
	ma, mb, mo := aggregate.Mark{}, aggregate.Mark{}, aggregate.Mark{}
	for range 3 { // sequences 1 4 7, 2 5 8, 3 6 9
		ma, mb, mo = grow(t, l, a, ma, 1), grow(t, l, b, mb, 1), grow(t, l, order, mo, 1)
	}
	tests := []struct {
		name   string
		filter envelope.Filter
		after  aggregate.Sequence
		want   []aggregate.Sequence
	}{
		{"all", envelope.Filter{AllTenants: true}, 0, []aggregate.Sequence{1, 2, 3, 4, 5, 6, 7, 8, 9}},
		{"tenant", envelope.Filter{Tenant: "a"}, 0, []aggregate.Sequence{1, 3, 4, 6, 7, 9}},
		{"type", envelope.Filter{AllTenants: true, Type: "Account"}, 0, []aggregate.Sequence{1, 2, 4, 5, 7, 8}},
		{"after", envelope.Filter{Tenant: "a", Type: "Order"}, 3, []aggregate.Sequence{6, 9}},
		{"one aggregate", envelope.Filter{Tenant: "b", Type: "Account", ID: b.ID}, 2, []aggregate.Sequence{5, 8}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
			defer cancel()
			var got []aggregate.Sequence
			for e, err := range l.Follow(ctx, tt.filter, tt.after) {
				if err != nil {
					t.Fatal(err)
				}
				if len(e.Commits) != 1 || tt.filter.Type != "" && e.Key.Type != tt.filter.Type {
					t.Errorf("got %+v", e)
				}
				if got = append(got, e.Sequence); len(got) == len(tt.want) {
					break
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// One message that cannot be read stops nobody but its own aggregate.
func TestFollowGoesOnAfterDamage(t *testing.T) {
	l := newLog(t, Options{})
	key := newKey("acme")
	grow(t, l, key, aggregate.Mark{}, 1)
	put(t, l, envelope.Single.Subject(newKey("acme")), nil, []byte("damaged"))
	put(t, l, "tenant.acme.aggregate.Account.7", nil, []byte("no id"))
	grow(t, l, newKey("acme"), aggregate.Mark{}, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	var good, bad []aggregate.Sequence
	for e, err := range l.Follow(ctx, envelope.Filter{AllTenants: true}, 0) {
		if err != nil {
			wantErr(t, err, aggregate.ErrRehydration)
			bad = append(bad, e.Sequence)
		} else {
			good = append(good, e.Sequence)
		}
		if e.Sequence == 4 || e.Sequence == 0 {
			break
		}
	}
	if !slices.Equal(good, []aggregate.Sequence{1, 4}) || !slices.Equal(bad, []aggregate.Sequence{2, 3}) {
		t.Errorf("got good %v, bad %v", good, bad)
	}
}

func TestSubscriptionSurvivesRestartOfTheServer(t *testing.T) {
	dir := t.TempDir()
	port := lastingPort(t)
	srv := startServer(t, dir, port)
	l := openLog(t, srv, Options{})
	key := newKey("acme")
	m := grow(t, l, key, aggregate.Mark{}, 2)
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	got := make(chan aggregate.Version, 99)
	ended := make(chan error, 1)
	go func() {
		defer close(got)
		for e, err := range l.Subscribe(ctx, key.Tenant, key.Type, key.ID, 0) {
			if err != nil {
				ended <- err
				return
			}
			got <- e.Version
		}
	}()
	take := func(want aggregate.Version) {
		t.Helper()
		if v, ok := <-got; v != want {
			select {
			case err := <-ended:
				t.Fatal(err)
			default:
				t.Fatalf("got %d, %t, want %d", v, ok, want)
			}
		}
	}
	take(1)
	take(2)
	before := l.Incarnation()
	stopServer(srv)
	eventually(t, "the loss is noticed", func() bool { return !l.Health(t.Context()).Connected })
	// Connected is of two connections, of which the one for appends may hear of its loss later: it then
	// still takes the message, and its outcome is unknown.
	if _, err := l.Append(shortly(t), key, m, []aggregate.Commit{commit(key, 2, 1)}); !errors.Is(err, aggregate.ErrStream) && !errors.Is(err, aggregate.ErrInDoubt) && !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("without a server: got %v", err)
	}
	if h := l.Health(t.Context()); h.Connected || h.Reachable || h.Err == nil {
		t.Errorf("without a server: got %+v", h)
	}
	startServer(t, dir, port)
	eventually(t, "the log is reachable again", func() bool { return l.Health(t.Context()).Reachable })
	if l.Incarnation() != before {
		t.Error("a restart that lost nothing is no new incarnation")
	}
	grow(t, l, key, m, 3)
	for v := aggregate.Version(3); v <= 5; v++ {
		take(v)
	}
	cancel()
	for range got {
	}
}

func shortly(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}
