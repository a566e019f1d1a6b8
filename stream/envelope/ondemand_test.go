package envelope_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"pgregory.net/rapid"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/stream/envelope"
)

var onDemand = []envelope.Layout{envelope.PerTenant, envelope.PerType}

func keys() *rapid.Generator[aggregate.Key] {
	return rapid.Custom(func(t *rapid.T) aggregate.Key {
		// Few characters, so that neighbours such as "a", "a_" and "A" come up.
		tenant := rapid.OneOf(rapid.StringMatching(`([A-Za-z0-9][A-Za-z0-9_-]{0,62})?`), rapid.StringMatching(`([aA0][aA_-]{0,2})?`)).Draw(t, "tenant")
		typ := rapid.OneOf(rapid.StringMatching(`[A-Z][A-Za-z0-9_]{0,63}`), rapid.StringMatching(`[AB][aA_]{0,2}`)).Draw(t, "type")
		id, err := aggregate.ParseTenantID(tenant)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := aggregate.ParseType(typ)
		if err != nil {
			t.Fatal(err)
		}
		return aggregate.Key{Tenant: id, Type: parsed, ID: aggregate.NewID()}
	})
}

// part is what a layout goes by.
func part(l envelope.Layout, k aggregate.Key) string {
	if l == envelope.PerTenant {
		return string(k.Tenant)
	}
	return string(k.Type)
}

// Two keys share a stream exactly if they share the part that the layout goes by, and a stream holds
// a subject exactly if its key belongs there.
func TestLawOnDemandStreamsAreInjective(t *testing.T) {
	for _, l := range onDemand {
		rapid.Check(t, func(t *rapid.T) {
			a, b := keys().Draw(t, "a"), keys().Draw(t, "b")
			same := part(l, a) == part(l, b)
			name := l.Stream(a)
			if (name == l.Stream(b)) != same {
				t.Fatalf("%v: %v lies on %s, %v on %s", l, a, name, b, l.Stream(b))
			}
			if len(name) > server.JSMaxNameLen || strings.ContainsAny(name, " \t\r\n\f.*>\\/") {
				t.Fatalf("%v: %q is no name of a stream", l, name)
			}
			subjects := l.Subjects(name)
			if len(subjects) != 1 || !server.SubjectsCollide(l.Subject(a), subjects[0]) {
				t.Fatalf("%v: stream %s holds %v, not %s", l, name, subjects, l.Subject(a))
			}
			if server.SubjectsCollide(l.Subject(b), subjects[0]) != same {
				t.Fatalf("%v: stream %s holds %v and %s", l, name, subjects, l.Subject(b))
			}
			if other := l.Subjects(l.Stream(b)); server.SubjectsCollide(subjects[0], other[0]) != same {
				t.Fatalf("%v: streams share subjects: %v and %v", l, subjects, other)
			}
			if l.Subject(a) != envelope.Single.Subject(a) || l.Match(envelope.Filter{Tenant: a.Tenant, Type: a.Type, ID: a.ID}) != l.Subject(a) {
				t.Fatalf("%v: subjects are not those of single: %s", l, l.Subject(a))
			}
		})
	}
}

// Names and subjects are part of the stored form: never to change.
func TestNamesOfOnDemandStreams(t *testing.T) {
	key := aggregate.Key{Tenant: "acme", Type: "Account"}
	for _, tt := range []struct {
		layout         envelope.Layout
		key            aggregate.Key
		name, subjects string
	}{
		{envelope.PerTenant, key, "AGGREGATE_EVENTS_T_acme", "tenant.acme.aggregate.>"},
		{envelope.PerTenant, aggregate.Key{Type: "Account"}, "AGGREGATE_EVENTS_T__", "tenant._.aggregate.>"},
		{envelope.PerTenant, aggregate.Key{Tenant: "A-b_C", Type: "Account"}, "AGGREGATE_EVENTS_T_A-b_C", "tenant.A-b_C.aggregate.>"},
		{envelope.PerType, key, "AGGREGATE_EVENTS_Y_Account", "tenant.*.aggregate.Account.>"},
	} {
		if got := tt.layout.Stream(tt.key); got != tt.name {
			t.Errorf("got %s, want %s", got, tt.name)
		}
		if got := tt.layout.Subjects(tt.name); !slices.Equal(got, []string{tt.subjects}) {
			t.Errorf("got %v, want %s", got, tt.subjects)
		}
	}
	for _, tt := range []struct {
		layout envelope.Layout
		name   string
	}{
		{envelope.PerTenant, "AGGREGATE_EVENTS"}, {envelope.PerTenant, "AGGREGATE_EVENTS_T_"}, {envelope.PerTenant, "AGGREGATE_EVENTS_T_-a"},
		{envelope.PerTenant, "AGGREGATE_EVENTS_T_a$"}, {envelope.PerTenant, "AGGREGATE_EVENTS_Y_Account"}, {envelope.PerTenant, "ORDERS"},
		{envelope.PerType, "AGGREGATE_EVENTS_Y_account"}, {envelope.PerType, "AGGREGATE_EVENTS_T_acme"}, {envelope.PerType, "AGGREGATE_EVENTS_Y_"},
		{envelope.Single, "AGGREGATE_EVENTS_T_acme"}, {envelope.Sharded(4), "AGGREGATE_EVENTS_S_4"}, {envelope.Sharded(4), "AGGREGATE_EVENTS_S_01"},
	} {
		if got := tt.layout.Subjects(tt.name); got != nil {
			t.Errorf("%v has no stream %s: got %v", tt.layout, tt.name, got)
		}
	}
}

func TestStreamOfAFilter(t *testing.T) {
	id := aggregate.NewID()
	for _, tt := range []struct {
		layout envelope.Layout
		filter envelope.Filter
		want   string
	}{
		{envelope.Single, envelope.Filter{AllTenants: true}, "AGGREGATE_EVENTS"},
		{envelope.Sharded(4), envelope.Filter{Tenant: "acme"}, ""},
		{envelope.Sharded(4), envelope.Filter{Tenant: "acme", Type: "Account", ID: id}, envelope.Sharded(4).Stream(aggregate.Key{Tenant: "acme", Type: "Account", ID: id})},
		{envelope.PerTenant, envelope.Filter{AllTenants: true, Type: "Account"}, ""},
		{envelope.PerTenant, envelope.Filter{}, "AGGREGATE_EVENTS_T__"},
		{envelope.PerType, envelope.Filter{Tenant: "acme"}, ""},
		{envelope.PerType, envelope.Filter{AllTenants: true, Type: "Account"}, "AGGREGATE_EVENTS_Y_Account"},
	} {
		if got, one := tt.layout.StreamOf(tt.filter); got != tt.want || one != (tt.want != "") {
			t.Errorf("%v, %+v: got %q, %t", tt.layout, tt.filter, got, one)
		}
	}
}
