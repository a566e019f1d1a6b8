package stream

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/stream/envelope"
)

func TestPublishAndFetchWithTenant(t *testing.T) { // seed T5.1
	l := newLog(t, Options{})
	key := newKey("tenant-a")
	c := commit(key, 0, 2)
	mark := mustAppend(t, l, key, aggregate.Mark{}, c)
	if mark.Version != 2 || mark.Sequence != 1 || !strings.HasPrefix(mark.Stream, "AGGREGATE_EVENTS@20") {
		t.Errorf("got mark %+v", mark)
	}
	var got []aggregate.Event
	for e, err := range l.Events(t.Context(), key, 0) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, e)
	}
	if want := aggregate.EventsOf(key, &c); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	for loaded, err := range l.Load(t.Context(), key, aggregate.Mark{}) {
		if err != nil || !loaded.Last || loaded.Mark != mark || !reflect.DeepEqual(loaded.Commit, c) {
			t.Errorf("got %+v, %v, want %+v at %+v", loaded, err, c, mark)
		}
	}
}

func TestEventsOrderedByVersion(t *testing.T) { // seed T5.2
	l := newLog(t, Options{})
	key := newKey("tenant-a")
	c1, c2 := commit(key, 0, 2), commit(key, 2, 1)
	m := mustAppend(t, l, key, aggregate.Mark{}, c1, c2) // a flight of two commits
	grow(t, l, key, m, 3)
	got, end, err := versions(l, key, aggregate.Mark{})
	if err != nil || !slices.Equal(got, count(1, 6)) || end.Version != 6 {
		t.Errorf("got %v up to %d, %v", got, end.Version, err)
	}
	// All commits of a message carry its mark; the last of them says so.
	i := 0
	for c, err := range l.Load(t.Context(), key, aggregate.Mark{}) {
		if err != nil {
			t.Fatal(err)
		}
		if wantLast := i != 0; c.Last != wantLast || i < 2 && c.Mark != m {
			t.Errorf("commit %d: got last %t at %+v", i, c.Last, c.Mark)
		}
		i++
	}
}

func TestFetchWithVersionFilter(t *testing.T) { // seed T5.3, system.md §8: 3 events after version 2 of 5
	l := newLog(t, Options{})
	key := newKey("tenant-a")
	m := mustAppend(t, l, key, aggregate.Mark{}, commit(key, 0, 3)) // version 2 lies inside a message
	grow(t, l, key, m, 2)
	for after, want := range map[aggregate.Version][]aggregate.Version{0: count(1, 5), 2: count(3, 5), 3: count(4, 5), 5: nil, 9: nil} {
		var got []aggregate.Version
		for e, err := range l.Events(t.Context(), key, after) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, e.Version)
		}
		if !slices.Equal(got, want) {
			t.Errorf("after %d: got %v, want %v", after, got, want)
		}
	}
}

func TestTenantIsolation(t *testing.T) { // seed T5.4
	l := newLog(t, Options{})
	a := newKey("tenant-a")
	grow(t, l, a, aggregate.Mark{}, 2)
	b, none := a, a
	b.Tenant, none.Tenant = "tenant-b", ""
	for _, key := range []aggregate.Key{b, none} {
		if got, _, err := versions(l, key, aggregate.Mark{}); err != nil || len(got) != 0 {
			t.Errorf("%s: got %v, %v", key, got, err)
		}
		grow(t, l, key, aggregate.Mark{}, 1) // scoped ids: each tenant has its own
	}
	if got, _, err := versions(l, a, aggregate.Mark{}); err != nil || !slices.Equal(got, count(1, 2)) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestStoredSubjectAndHeaders(t *testing.T) { // seed T5.5
	l := newLog(t, Options{})
	key := newKey("acme-corp")
	m := grow(t, l, key, aggregate.Mark{}, 1)
	c := commit(key, 1, 2)
	c.Metadata = map[string]string{"correlation_id": "c-1", "traceparent": "00-aa-bb-01"}
	m2 := mustAppend(t, l, key, m, c)
	s, err := l.leader(t.Context(), l.lanes.all()[0], request{Seq: m2.Sequence})
	if err != nil {
		t.Fatal(err)
	}
	if want := "tenant.acme-corp.aggregate.Account." + key.ID.String(); s.subject != want {
		t.Errorf("got subject %s, want %s", s.subject, want)
	}
	want := nats.Header{"agg-format": {"1"}, "agg-first-version": {"2"}, "agg-version": {"3"}, "agg-prev-seq": {"1"},
		"Nats-Expected-Last-Subject-Sequence": {"1"}, "Nats-Msg-Id": {"acme-corp/Account/" + key.ID.String() + "/" + c.CommandID.String()},
		"x-tenant-id": {"acme-corp"}, "x-correlation-id": {"c-1"}, "traceparent": {"00-aa-bb-01"}}
	if !reflect.DeepEqual(s.header, want) {
		t.Errorf("got %v, want %v", s.header, want)
	}
}

func TestLogIsSharedByGoroutines(t *testing.T) { // seed T5.6, in a form that can fail
	l := newLog(t, Options{})
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			key := newKey("tenant-a")
			at := aggregate.Mark{}
			for range 10 {
				m, err := l.Append(context.Background(), key, at, []aggregate.Commit{commit(key, at.Version, 1)})
				if err != nil {
					t.Error(err)
					return
				}
				at = m
			}
			if got, end, err := versions(l, key, aggregate.Mark{}); err != nil || !slices.Equal(got, count(1, 10)) || end != at {
				t.Errorf("got %v up to %+v, %v, want the end %+v", got, end, err, at)
			}
		})
	}
	wg.Wait()
	if h := l.Health(t.Context()); !h.Connected || !h.Reachable || h.Last != 160 || h.Seen != 160 || h.InFlight != 0 || h.Err != nil {
		t.Errorf("got %+v", h)
	}
}

func TestAppendConflict(t *testing.T) {
	l := newLog(t, Options{})
	key := newKey("acme")
	m1 := grow(t, l, key, aggregate.Mark{}, 1)
	m2 := grow(t, l, key, m1, 1)
	future := m2
	future.Sequence += 5
	for name, at := range map[string]aggregate.Mark{"the beginning": {}, "an old mark": m1, "a mark of the future": future} {
		_, err := l.Append(t.Context(), key, at, []aggregate.Commit{commit(key, at.Version, 1)})
		if !errors.Is(err, aggregate.ErrConflict) || errors.Is(err, aggregate.ErrInDoubt) {
			t.Errorf("%s: got %v, want ErrConflict", name, err)
		}
	}
	if _, err := l.Append(t.Context(), newKey("acme"), m2, []aggregate.Commit{commit(key, 2, 1)}); !errors.Is(err, aggregate.ErrConflict) {
		t.Errorf("an aggregate without messages: got %v, want ErrConflict", err)
	}
	old := m2
	old.Stream = "AGGREGATE_EVENTS@2020-01-01T00:00:00Z"
	_, err := l.Append(t.Context(), key, old, []aggregate.Commit{commit(key, 2, 1)})
	wantErr(t, err, aggregate.ErrConflict)
	wantErr(t, err, aggregate.ErrStaleMark)
	if got, end, err := versions(l, key, aggregate.Mark{}); err != nil || !slices.Equal(got, count(1, 2)) || end != m2 {
		t.Errorf("got %v up to %+v, %v", got, end, err)
	}
}

func TestOneOfManyWritersWins(t *testing.T) {
	l := newLog(t, Options{})
	key := newKey("acme")
	var wg sync.WaitGroup
	errs := make([]error, 12)
	for i := range errs {
		wg.Go(func() {
			_, errs[i] = l.Append(context.Background(), key, aggregate.Mark{}, []aggregate.Commit{commit(key, 0, 1)})
		})
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else {
			wantErr(t, err, aggregate.ErrConflict)
		}
	}
	if won != 1 {
		t.Errorf("%d writers won", won)
	}
}

func TestAppendAgainAfterDoubt(t *testing.T) {
	srv := startServer(t, t.TempDir(), -1)
	l := openLog(t, srv, Options{})
	grow(t, l, newKey("acme"), aggregate.Mark{}, 1)             // its stream is there
	hasty := openLog(t, srv, Options{AckWait: time.Nanosecond}) // gives up before the ack comes
	var (
		key     aggregate.Key
		commits []aggregate.Commit
		err     error
	)
	for range 100 { // on a busy machine the ack may come first
		key = newKey("acme")
		commits = []aggregate.Commit{commit(key, 0, 1)}
		if _, err = hasty.Append(t.Context(), key, aggregate.Mark{}, commits); err != nil {
			break
		}
	}
	if !errors.Is(err, aggregate.ErrInDoubt) || errors.Is(err, aggregate.ErrConflict) {
		t.Fatalf("got %v, want ErrInDoubt", err)
	}
	m, err := l.Append(t.Context(), key, aggregate.Mark{}, commits)
	if err != nil || m.Sequence < 1 || m.Version != 1 {
		t.Fatalf("the same again: got %+v, %v", m, err)
	}
	// Even when others have gone on from there, the answer is that ours was taken.
	grow(t, l, key, m, 3)
	again, err := l.Append(t.Context(), key, aggregate.Mark{}, commits)
	if err != nil || again != m {
		t.Errorf("the same once more: got %+v, %v, want %+v", again, err, m)
	}
	if got, _, err := versions(l, key, aggregate.Mark{}); err != nil || !slices.Equal(got, count(1, 4)) {
		t.Errorf("got %v, %v", got, err)
	}
	// A decision that differs in a single byte is a conflict.
	other := slices.Clone(commits)
	other[0].Actor = "mallory"
	_, err = l.Append(t.Context(), key, aggregate.Mark{}, other)
	wantErr(t, err, aggregate.ErrConflict)
}

func TestCallerLeavesInDoubt(t *testing.T) {
	srv := startServer(t, t.TempDir(), -1)
	opened := false
	l := openLog(t, srv, Options{Sync: syncFunc(func(ctx context.Context) error {
		if opened {
			<-ctx.Done()
		}
		return ctx.Err()
	})})
	opened = true
	key := newKey("acme")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	told := make(chan error, 1)
	go func() {
		_, err := l.Append(ctx, key, aggregate.Mark{}, []aggregate.Commit{commit(key, 0, 1)})
		told <- err
	}()
	eventually(t, "it is taken", func() bool { return l.Health(t.Context()).Seen == 1 })
	cancel()
	err := <-told
	wantErr(t, err, aggregate.ErrInDoubt) // taken, but not known to be on disk
	wantErr(t, err, context.Canceled)
	_, err = l.Append(ctx, key, aggregate.Mark{}, []aggregate.Commit{commit(key, 0, 1)})
	if errors.Is(err, aggregate.ErrInDoubt) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v: a caller that has left before anything was sent is not in doubt", err)
	}
}

func TestDuplicateOfAnotherBodyIsConflict(t *testing.T) {
	l := newLog(t, Options{})
	key := newKey("acme")
	c := commit(key, 0, 1)
	m := mustAppend(t, l, key, aggregate.Mark{}, c)
	again := commit(key, 1, 1)
	again.CommandID = c.CommandID // the guard fits, the message id is one that the server knows
	_, err := l.Append(t.Context(), key, m, []aggregate.Commit{again})
	wantErr(t, err, aggregate.ErrConflict)
	if got, _, err := versions(l, key, aggregate.Mark{}); err != nil || !slices.Equal(got, count(1, 1)) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestDuplicateOfEqualBodyIsOurs(t *testing.T) {
	l := newLog(t, Options{})
	key := newKey("acme")
	c := commit(key, 0, 1)
	m := mustAppend(t, l, key, aggregate.Mark{}, c)
	f, err := newFlight(l, key, aggregate.Mark{}, c)
	if err != nil {
		t.Fatal(err)
	}
	if seq, err := l.settleDuplicate(t.Context(), f, m.Sequence); err != nil || seq != m.Sequence {
		t.Errorf("got %d, %v", seq, err)
	}
	_, err = l.settleDuplicate(t.Context(), f, m.Sequence+7)
	wantErr(t, err, aggregate.ErrConflict)
}

func TestAppendRefusesWhatCannotBeStored(t *testing.T) {
	l := newLog(t, Options{})
	key := newKey("acme")
	big := commit(key, 0, 1)
	big.Events[0].Payload = json.RawMessage(`{"a":"` + strings.Repeat("x", 1<<20) + `"}`)
	tests := []struct {
		name    string
		commits []aggregate.Commit
		want    error
	}{
		{"too large", []aggregate.Commit{big}, aggregate.ErrTooLarge},
		{"no commits", nil, envelope.ErrInvalid},
		{"a version without a sequence", []aggregate.Commit{commit(key, 0, 1)}, envelope.ErrInvalid},
		{"wrong first version", []aggregate.Commit{commit(key, 3, 1)}, envelope.ErrInvalid},
	}
	for _, tt := range tests {
		at := aggregate.Mark{}
		if tt.name == "a version without a sequence" {
			at.Version = 4
		}
		_, err := l.Append(t.Context(), key, at, tt.commits)
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, err, tt.want)
		}
	}
	_, err := l.Append(t.Context(), key, aggregate.Mark{}, []aggregate.Commit{big})
	if err == nil || !strings.Contains(err.Error(), strconv.FormatInt(l.nc.MaxPayload(), 10)) {
		t.Errorf("too large: %v does not tell the limit", err)
	}
	fits := commit(key, 0, 1)
	fits.Events[0].Payload = json.RawMessage(`{"a":"` + strings.Repeat("x", l.MaxBody()-1000) + `"}`)
	if _, err := l.Append(t.Context(), newKey("acme"), aggregate.Mark{}, []aggregate.Commit{fits}); err != nil {
		t.Errorf("a body that fits: got %v", err)
	}
	if end, err := l.End(t.Context()); err != nil || len(end) != 1 || end[envelope.StreamName] != 1 {
		t.Errorf("something was stored: %v, %v", end, err)
	}
}

func TestCommitWithoutEventsIsKept(t *testing.T) { // idempotency.nothing: remember
	l := newLog(t, Options{})
	key := newKey("acme")
	m := mustAppend(t, l, key, aggregate.Mark{}, commit(key, 0, 0))
	m = grow(t, l, key, m, 1)
	nothing := commit(key, 1, 0)
	m = mustAppend(t, l, key, m, nothing)
	if m.Version != 1 || m.Sequence != 3 {
		t.Errorf("got %+v", m)
	}
	n := 0
	for c, err := range l.Load(t.Context(), key, aggregate.Mark{}) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 3 && (c.Commit.CommandID != nothing.CommandID || c.Mark != m) {
			t.Errorf("got %+v", c)
		}
	}
	if n != 3 {
		t.Errorf("got %d commits", n)
	}
	if got := collect(t, l.Events(t.Context(), key, 0)); !slices.Equal(got, count(1, 1)) {
		t.Errorf("got events %v", got)
	}
}

func TestExclusiveIDs(t *testing.T) {
	l := newLog(t, Options{ExclusiveIDs: true})
	a := newKey("tenant-a")
	b := a
	b.Tenant = "tenant-b"
	m := grow(t, l, a, aggregate.Mark{}, 2)
	_, err := l.Append(t.Context(), b, aggregate.Mark{}, []aggregate.Commit{commit(b, 0, 1)})
	if !errors.Is(err, aggregate.ErrTenantAccessDenied) || errors.Is(err, aggregate.ErrConflict) {
		t.Errorf("append: got %v, want ErrTenantAccessDenied", err)
	}
	_, _, err = versions(l, b, aggregate.Mark{})
	wantErr(t, err, aggregate.ErrTenantAccessDenied)
	_, err = l.IsLatest(t.Context(), b, aggregate.Mark{})
	wantErr(t, err, aggregate.ErrTenantAccessDenied)
	_, err = l.Append(t.Context(), a, aggregate.Mark{}, []aggregate.Commit{commit(a, 0, 1)})
	if !errors.Is(err, aggregate.ErrConflict) || errors.Is(err, aggregate.ErrTenantAccessDenied) {
		t.Errorf("the owner's stale append: got %v, want ErrConflict", err)
	}
	grow(t, l, a, m, 1)
	grow(t, l, newKey("tenant-b"), aggregate.Mark{}, 2) // another id is free
	other := b
	other.Type = "Order" // so is another type
	grow(t, l, other, aggregate.Mark{}, 1)
}

func TestExclusiveIDsUnderRace(t *testing.T) {
	l := newLog(t, Options{ExclusiveIDs: true})
	for range 10 {
		key := newKey("")
		var wg sync.WaitGroup
		errs := make([]error, 4)
		for i, tenant := range []aggregate.TenantID{"", "a", "b", "c"} {
			k := aggregate.Key{Tenant: tenant, Type: key.Type, ID: key.ID}
			wg.Go(func() {
				_, errs[i] = l.Append(context.Background(), k, aggregate.Mark{}, []aggregate.Commit{commit(k, 0, 1)})
			})
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else {
				wantErr(t, err, aggregate.ErrTenantAccessDenied)
			}
		}
		if won != 1 {
			t.Fatalf("%d tenants own one id", won)
		}
	}
}

func TestIsLatest(t *testing.T) {
	srv := startServer(t, t.TempDir(), -1)
	l := openLog(t, srv, Options{})
	key := newKey("acme")
	m1 := grow(t, l, key, aggregate.Mark{}, 1)
	m2 := grow(t, l, key, m1, 1)
	forged := m2
	forged.Hash[0]++
	old := m2
	old.Stream = "x"
	tests := []struct {
		name string
		key  aggregate.Key
		at   aggregate.Mark
		want bool
	}{
		{"latest", key, m2, true}, {"older", key, m1, false}, {"beginning", key, aggregate.Mark{}, false},
		{"unborn", newKey("acme"), aggregate.Mark{}, true}, {"unborn with a mark", newKey("acme"), m1, false},
		{"other body", key, forged, false}, {"other incarnation", key, old, false},
	}
	for _, tt := range tests {
		if got, err := l.IsLatest(t.Context(), tt.key, tt.at); got != tt.want || err != nil {
			t.Errorf("%s: got %t, %v", tt.name, got, err)
		}
	}
	u := openLog(t, srv, Options{Unshared: true})
	u.loads.Close() // it answers without asking
	if got, err := u.IsLatest(t.Context(), key, m1); !got || err != nil {
		t.Errorf("unshared: got %t, %v", got, err)
	}
}

// The server says stale, and nothing has moved: the flight is offered again, then refused for now.
func TestUnmovedConflictIsNoConflict(t *testing.T) {
	l := newLog(t, Options{})
	key := newKey("acme")
	m := grow(t, l, key, aggregate.Mark{}, 1)
	for _, at := range []aggregate.Mark{{}, m} {
		k := key
		if at.Sequence == 0 {
			k = newKey("acme")
		}
		f, err := newFlight(l, k, at, commit(k, at.Version, 1))
		must(t, err)
		_, err = l.settleConflict(t.Context(), f)
		wantErr(t, err, errUnmoved)
		wantErr(t, err, aggregate.ErrStream)
		if errors.Is(err, aggregate.ErrConflict) {
			t.Errorf("got %v", err)
		}
	}
}

func TestClosedLog(t *testing.T) {
	srv := startServer(t, t.TempDir(), -1)
	l, err := Open(t.Context(), connect(t, srv.ClientURL()), Options{})
	must(t, err)
	key := newKey("acme")
	m := grow(t, l, key, aggregate.Mark{}, 1)
	must(t, l.Close())
	_, err = l.Append(t.Context(), key, m, []aggregate.Commit{commit(key, 1, 1)})
	wantErr(t, err, aggregate.ErrStream)
	_, _, err = versions(l, key, m)
	wantErr(t, err, aggregate.ErrStream)
	for _, err = range l.Follow(t.Context(), envelope.Filter{AllTenants: true}, 0) {
		break
	}
	wantErr(t, err, aggregate.ErrStream)
}

func TestClosedConnectionIsNoDoubt(t *testing.T) {
	srv := startServer(t, t.TempDir(), -1)
	l := openLog(t, srv, Options{})
	l.nc.Close()
	_, err := l.inbox.publish(&nats.Msg{Subject: "x"}, nil, time.Minute)
	var lost lostError
	if !errors.Is(err, nats.ErrConnectionClosed) || errors.As(err, &lost) {
		t.Errorf("got %v: nothing was sent", err)
	}
	key := newKey("acme")
	_, err = l.Append(t.Context(), key, aggregate.Mark{}, []aggregate.Commit{commit(key, 0, 1)})
	wantErr(t, err, aggregate.ErrStream)
	if errors.Is(err, aggregate.ErrInDoubt) {
		t.Errorf("got %v", err)
	}
}

// Without a connection nothing is sent and nothing kept for later, whether the client library would
// buffer or not.
func TestNothingIsBufferedForALostConnection(t *testing.T) {
	for _, buffer := range []int{-1, nats.DefaultReconnectBufSize} {
		srv := startServer(t, t.TempDir(), -1)
		nc := connect(t, srv.ClientURL(), nats.ReconnectBufSize(buffer))
		l, err := Open(t.Context(), nc, Options{AckWait: time.Second})
		must(t, err)
		t.Cleanup(func() { must(t, l.Close()) })
		key := newKey("acme")
		m := mustAppend(t, l, key, aggregate.Mark{}, commit(key, 0, 1))
		stopServer(srv)
		eventually(t, "the connection is lost", func() bool { return !nc.IsConnected() })
		f := &flight{log: l, ctx: t.Context()}
		must(t, l.fill(f, key, &m, []aggregate.Commit{commit(key, 1, 1)}))
		before := nc.Stats().OutMsgs
		if _, err := l.publishOnce(t.Context(), f); !errors.Is(err, errNoConnection) || nc.Stats().OutMsgs != before {
			t.Errorf("buffer %d: got %v and %d messages out, want errNoConnection and %d", buffer, err, nc.Stats().OutMsgs, before)
		}
		if n := l.inbox.inFlight(); n != 0 {
			t.Errorf("buffer %d: %d slots are taken", buffer, n)
		}
	}
}

func TestAnswersOfTheStream(t *testing.T) {
	tests := []struct {
		name, data string
		header     nats.Header
		want       ack
		err        error
	}{
		{"taken", `{"stream":"S","seq":9007199254740993}`, nil, ack{seq: 9007199254740993}, nil},
		{"taken by another", `{"stream":"T","seq":7}`, nil, ack{}, aggregate.ErrInDoubt},
		{"duplicate of another", `{"stream":"T","domain":"d","seq":7,"duplicate":true}`, nil, ack{}, aggregate.ErrInDoubt},
		{"duplicate", `{"stream":"S","domain":"d","seq":7,"duplicate":true}`, nil, ack{seq: 7, duplicate: true}, nil},
		{"stale", `{"error":{"code":400,"err_code":10071,"description":"wrong last sequence: 3"},"stream":"S","seq":0}`, nil,
			ack{code: 10071, status: 400, text: "wrong last sequence: 3"}, nil},
		{"too many", `{"error":{"code":429,"err_code":10167,"description":"too many requests"}}`, nil, ack{code: 10167, status: 429, text: "too many requests"}, nil},
		{"error without a code", `{"error":{"description":"?"}}`, nil, ack{code: -1, text: "?"}, nil},
		{"nobody listens", ``, nats.Header{"Status": {"503"}}, ack{}, aggregate.ErrStream},
		{"empty", ``, nil, ack{}, aggregate.ErrInDoubt},
		{"no ack", `+OK`, nil, ack{}, aggregate.ErrInDoubt},
		{"cut", `{"stream":"S"`, nil, ack{}, aggregate.ErrInDoubt},
	}
	for _, tt := range tests {
		got, err := parseAck(&nats.Msg{Data: []byte(tt.data), Header: tt.header}, "S")
		if got != tt.want || !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) {
			t.Errorf("%s: got %+v, %v, want %+v, %v", tt.name, got, err, tt.want, tt.err)
		}
	}
}
