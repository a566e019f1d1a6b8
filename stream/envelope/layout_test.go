package envelope_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/stream/envelope"
)

func TestParseLayout(t *testing.T) {
	for text, want := range map[string]envelope.Layout{"": envelope.Single, "single": envelope.Single, "sharded(2)": envelope.Sharded(2), "sharded(256)": envelope.Sharded(256), "per_tenant": envelope.PerTenant, "per_type": envelope.PerType} {
		got, err := envelope.ParseLayout(text)
		if err != nil || got != want {
			t.Errorf("%q: got %v, %v", text, got, err)
		}
		if back, err := envelope.ParseLayout(got.String()); err != nil || back != got {
			t.Errorf("%v does not read itself: %v, %v", got, back, err)
		}
	}
	for _, text := range []string{"sharded", "sharded()", "sharded(1)", "sharded(257)", "sharded(-2)", "sharded(2", "per_tenants", "PER_TYPE", "Single"} {
		if _, err := envelope.ParseLayout(text); err == nil || !strings.Contains(err.Error(), "sharded(n)") {
			t.Errorf("%q: got %v", text, err)
		}
	}
}

// Every subject has exactly one stream, and that is the one which Stream names.
func TestShardedStreamsShareNothing(t *testing.T) {
	for _, l := range []envelope.Layout{envelope.Sharded(2), envelope.Sharded(3), envelope.Sharded(256)} {
		owner := map[string]int{}
		for i, name := range l.Streams() {
			for _, f := range l.Subjects(name) {
				if _, twice := owner[f]; twice {
					t.Errorf("%v: two streams hold %s", l, f)
				}
				owner[f] = i
			}
		}
		if len(owner) != 256 {
			t.Errorf("%v: %d tokens have a stream", l, len(owner))
		}
		for range 100 {
			key := aggregate.Key{Tenant: "acme", Type: "Account", ID: aggregate.NewID()}
			subject := l.Subject(key)
			token := subject[strings.LastIndexByte(subject, '.')+1:]
			if i := owner["tenant.*.aggregate.*.*."+token]; i != l.Index(key) || l.Stream(key) != l.Streams()[i] {
				t.Errorf("%v: %s lies on stream %d, Index says %d, Stream %s", l, subject, i, l.Index(key), l.Stream(key))
			}
			if got, err := envelope.ParseSubject(subject); err != nil || got != key {
				t.Errorf("%s: got %v, %v", subject, got, err)
			}
		}
	}
}

// The sixth token is part of the stored form: never to change.
func TestSubjectOfShardedLayout(t *testing.T) {
	key := aggregate.Key{Type: "Account", ID: aggregate.ID{15: 1}}
	l := envelope.Sharded(4)
	const want = "tenant._.aggregate.Account.00000000-0000-0000-0000-000000000001."
	if got := l.Subject(key); got != want+"7e" {
		t.Errorf("got %s", got)
	}
	f := envelope.Filter{Type: "Account", ID: key.ID}
	if got := l.Match(f); got != want+"*" {
		t.Errorf("got %s", got)
	}
	if got := l.Owners(key.Type, key.ID); got != "tenant.*.aggregate.Account.00000000-0000-0000-0000-000000000001.*" {
		t.Errorf("got %s", got)
	}
	if !slices.Equal(envelope.Single.Streams(), []string{"AGGREGATE_EVENTS"}) {
		t.Error("the name of the one stream has changed")
	}
}
