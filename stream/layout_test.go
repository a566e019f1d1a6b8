package stream

import (
	"context"
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/stream/envelope"
)

// The layouts with several streams run what the other tests ran on one: all whose words do not name
// the one stream or its sequences.
func TestOnShardedLayout(t *testing.T)   { testOn(t, envelope.Sharded(4)) }
func TestOnPerTenantLayout(t *testing.T) { testOn(t, envelope.PerTenant) }
func TestOnPerTypeLayout(t *testing.T)   { testOn(t, envelope.PerType) }

func testOn(t *testing.T, layout envelope.Layout) {
	testLayout = layout
	defer func() { testLayout = envelope.Single }()
	for _, tt := range []struct {
		name string
		test func(*testing.T)
	}{
		{"EventsOrderedByVersion", TestEventsOrderedByVersion},
		{"FetchWithVersionFilter", TestFetchWithVersionFilter},
		{"TenantIsolation", TestTenantIsolation},
		{"LogIsSharedByGoroutines", TestLogIsSharedByGoroutines},
		{"AppendConflict", TestAppendConflict},
		{"OneOfManyWritersWins", TestOneOfManyWritersWins},
		{"AppendAgainAfterDoubt", TestAppendAgainAfterDoubt},
		{"CallerLeavesInDoubt", TestCallerLeavesInDoubt},
		{"DuplicateOfAnotherBodyIsConflict", TestDuplicateOfAnotherBodyIsConflict},
		{"DuplicateOfEqualBodyIsOurs", TestDuplicateOfEqualBodyIsOurs},
		{"CommitWithoutEventsIsKept", TestCommitWithoutEventsIsKept},
		{"NothingMovesTheMarkOnly", TestNothingMovesTheMarkOnly},
		{"IsLatest", TestIsLatest},
		{"UnmovedConflictIsNoConflict", TestUnmovedConflictIsNoConflict},
		{"ClosedLog", TestClosedLog},
		{"ClosedConnectionIsNoDoubt", TestClosedConnectionIsNoDoubt},
		{"SubscriptionOrder", TestSubscriptionOrder},
		{"SubscribeBeforeTheFirstEvent", TestSubscribeBeforeTheFirstEvent},
		{"RestartKeepsTheLog", TestRestartKeepsTheLog},
		{"ManifestsAreKept", TestManifestsAreKept},
		{"LoadAfterMark", TestLoadAfterMark},
		{"LoadLetsBodiesGo", TestLoadLetsBodiesGo},
		{"StaleMark", TestStaleMark},
		{"OnlyDurableIsVisible", TestOnlyDurableIsVisible},
		{"FailedSyncIsDoubt", TestFailedSyncIsDoubt},
		{"LawLogAgainstModel", TestLawLogAgainstModel},
		{"BreakerOfTheStream", TestT5_2BreakerOfTheStream},
	} {
		t.Run(tt.name, tt.test)
	}
}

// Aggregates spread over all streams, and each lies where its layout says.
func TestShardedStreamsHoldTheirTokens(t *testing.T) {
	l := newLog(t, Options{Layout: envelope.Sharded(4)})
	got := Position{}
	for range 64 {
		key := newKey("acme")
		m := grow(t, l, key, aggregate.Mark{}, 1)
		ln := l.lane(key)
		got[ln.name]++
		s, err := l.direct(t.Context(), ln, request{Seq: m.Sequence})
		must(t, err)
		if back, err := envelope.ParseSubject(s.subject); err != nil || back != key || s.subject != l.opts.Layout.Subject(key) {
			t.Errorf("got %s as %v, %v", s.subject, back, err)
		}
	}
	end, err := l.End(t.Context())
	must(t, err)
	if !maps.Equal(end, got) || len(got) != 4 {
		t.Errorf("the streams end at %v, appended %v", end, got)
	}
	if h := l.Health(t.Context()); !h.Reachable || h.Last != 64 || h.Seen != 64 {
		t.Errorf("got %+v", h)
	}
}

// Follow merges all streams: each aggregate in its order, everything once, on from any position.
func TestFollowMergesStreams(t *testing.T) {
	l := newLog(t, Options{Layout: envelope.Sharded(4)})
	keys, marks := make([]aggregate.Key, 12), make([]aggregate.Mark, 12)
	for i := range keys {
		keys[i] = newKey("acme")
		marks[i] = grow(t, l, keys[i], aggregate.Mark{}, 5)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	seen := map[aggregate.Key]aggregate.Version{}
	var at Position
	read := func(n int) {
		for e, err := range l.FollowFrom(ctx, envelope.Filter{AllTenants: true}, at) {
			must(t, err)
			if v := e.Commits[0].Events[0].Version; v != seen[e.Key].Next() {
				t.Fatalf("%s: version %d after %d", e.Key, v, seen[e.Key])
			}
			seen[e.Key], at = seen[e.Key].Next(), at.After(e)
			if n--; n == 0 {
				break
			}
		}
	}
	read(31) // stops in the middle, and goes on from there
	for i := range keys {
		marks[i] = grow(t, l, keys[i], marks[i], 1)
	}
	read(12*6 - 31)
	end, err := l.End(ctx)
	must(t, err)
	if !at.Covers(end) || len(seen) != 12 {
		t.Errorf("ended at %v of %v, %d aggregates", at, end, len(seen))
	}
	back, err := ParsePosition(at.String())
	if err != nil || !maps.Equal(back, at) {
		t.Errorf("the text of %v gives %v, %v", at, back, err)
	}
	n := 0
	for e, err := range l.Follow(ctx, envelope.Filter{Tenant: "acme", Type: "Account", ID: keys[3].ID}, marks[3].Sequence-1) {
		must(t, err)
		if n++; e.Key != keys[3] || e.Sequence != marks[3].Sequence {
			t.Errorf("one aggregate: got %v at %d", e.Key, e.Sequence)
		}
		break
	}
	if n != 1 {
		t.Error("a filter for one aggregate found nothing")
	}
	for _, err := range l.Follow(ctx, envelope.Filter{AllTenants: true}, 7) {
		var v *aggregate.ValidationError
		if !errors.As(err, &v) {
			t.Errorf("one sequence in four streams: got %v", err)
		}
	}
	for _, err := range l.FollowFrom(ctx, envelope.Filter{AllTenants: true}, Position{"AGGREGATE_EVENTS_S_4": 1}) {
		wantErr(t, err, aggregate.ErrStaleMark)
	}
}

func TestExclusiveIDsNeedOneStream(t *testing.T) {
	srv := startServer(t, t.TempDir(), -1)
	_, err := Open(t.Context(), connect(t, srv.ClientURL()), Options{Layout: envelope.Sharded(4), ExclusiveIDs: true})
	var v *aggregate.ValidationError
	if !errors.As(err, &v) || v.Path != "stream.layout" {
		t.Errorf("got %v", err)
	}
}

// One stream made anew drops every live aggregate, and marks of the others stay good.
func TestOneShardMadeAnew(t *testing.T) {
	srv := startServer(t, t.TempDir(), -1)
	l := openLog(t, srv, Options{Layout: envelope.Sharded(2)})
	keys := make([]aggregate.Key, 2)
	marks := make([]aggregate.Mark, 2)
	for i := range keys {
		for keys[i] = newKey("acme"); l.lane(keys[i]) != l.lanes.all()[i]; keys[i] = newKey("acme") {
		}
		marks[i] = grow(t, l, keys[i], aggregate.Mark{}, 2)
	}
	must(t, l.js.DeleteStream(t.Context(), l.lanes.all()[0].name))
	_, err := l.ensure(t.Context(), l.lanes.all()[0])
	must(t, err)
	before := l.Incarnation()
	must(t, l.compare(t.Context()))
	if l.Incarnation() != before+1 {
		t.Errorf("got incarnation %d after %d", l.Incarnation(), before)
	}
	_, _, err = versions(l, keys[0], marks[0])
	wantErr(t, err, aggregate.ErrStaleMark)
	grow(t, l, keys[1], marks[1], 1)
}

func TestParsePositionRefuses(t *testing.T) {
	for _, s := range []string{"x", "1", ":1.", ".:1", ":-1", ":1..:2", ":1,:2", ":0", ":1.:1", "_S_0:99999999999999999999"} {
		if p, err := ParsePosition(s); err == nil {
			t.Errorf("%q was read as %v", s, p)
		}
	}
	if p, err := ParsePosition(""); err != nil || p != nil {
		t.Errorf("got %v, %v", p, err)
	}
}
