package enginetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/stream/envelope"
)

func TestT7_1RehydrateFromSnapshotOnly(t *testing.T) {
	n := newNode(t, counterText)
	n.opts.SnapshotThreshold = 5
	n.start()
	key := newKey("tenant-a")
	for range 5 {
		n.do(deposit(key, 20))
	}
	n.stop()
	n.start()
	if s := n.snapshot(key); s == nil || s.Version != 5 {
		t.Fatalf("got %s", toJSON(t, s))
	}
	n.wantState(key, `5 {"balance":100}`)
}

func TestT7_2RehydrateFromSnapshotAndEvents(t *testing.T) {
	n := newNode(t, counterText)
	n.opts.SnapshotThreshold = 5
	n.start()
	key := newKey("tenant-a")
	for range 6 {
		n.do(deposit(key, 20))
		n.snapshot(key)
	}
	n.crash() // no snapshot of version 6
	n.start()
	if s := n.snapshot(key); s == nil || s.Version != 5 {
		t.Fatalf("got %s", toJSON(t, s))
	}
	n.wantState(key, `6 {"balance":120}`)
}

func TestT7_3RehydrateRejectsMismatchedTenant(t *testing.T) {
	n := newNode(t, counterText)
	n.log.ExclusiveIDs = true
	n.start()
	key := newKey("tenant-a")
	n.do(deposit(key, 1))
	key.Tenant = "tenant-b"
	if _, err := n.engine.State(context.Background(), key); !errors.Is(err, aggregate.ErrTenantAccessDenied) {
		t.Errorf("got %v", err)
	}
}

func TestT7_4CommandProducesEventsWithTenant(t *testing.T) {
	n := newNode(t, counterText).start()
	key := newKey("tenant-a")
	r := n.do(deposit(key, 50))
	if len(r.Events) == 0 || r.Events[0].TenantID != "tenant-a" {
		t.Errorf("got %s", toJSON(t, r))
	}
	n.wantState(key, `1 {"balance":50}`)
}

func TestT8_1FullCommandLifecycle(t *testing.T) {
	n := newNode(t, counterText)
	n.opts.SnapshotThreshold = 1
	n.start()
	key := newKey("tenant-a")
	if r := n.do(deposit(key, 100)); len(r.Events) == 0 {
		t.Error("no events")
	}
	if s := n.snapshot(key); s == nil || string(s.State) != `{"balance":100}` {
		t.Errorf("got %s", toJSON(t, s))
	}
}

func TestT8_2RehydrationFromPersistedState(t *testing.T) {
	n := newNode(t, counterText)
	n.opts.SnapshotThreshold = 1
	n.start()
	key := newKey("tenant-a")
	n.do(deposit(key, 100))
	n.stop()
	n.start()
	n.do(deposit(key, 50))
	if s := n.snapshot(key); s == nil || s.Version != 2 || string(s.State) != `{"balance":150}` {
		t.Errorf("got %s", toJSON(t, s))
	}
}

func TestT8_3TenantIsolationInHandler(t *testing.T) {
	n := newNode(t, counterText)
	n.log.ExclusiveIDs = true
	n.start()
	a := newKey("tenant-a")
	n.do(deposit(a, 100))
	b := a
	b.Tenant = "tenant-b"
	for _, payload := range []string{`{"type":"deposit","amount":50}`, `{"type":"withdraw","amount":50}`} {
		_, err := n.engine.Submit(context.Background(), command(b, payload))
		if d := (*aggregate.TenantAccessDeniedError)(nil); !errors.As(err, &d) || d.TenantID != "tenant-b" {
			t.Errorf("%s: got %v", payload, err)
		}
	}
	n.wantState(a, `1 {"balance":100}`)
}

// Two tenants meet at an unborn id at the same moment: one owns it, the other is denied.
func TestExclusiveIDsRace(t *testing.T) {
	n := newNode(t, counterText)
	n.log.ExclusiveIDs = true
	n.start()
	for range 10 {
		a := newKey("tenant-a")
		b := a
		b.Tenant = "tenant-b"
		errs := make([]error, 2)
		together(2, func(i int) {
			_, errs[i] = n.engine.Submit(context.Background(), deposit([]aggregate.Key{a, b}[i], 1))
		})
		if (errs[0] == nil) == (errs[1] == nil) || !errors.Is(errors.Join(errs...), aggregate.ErrTenantAccessDenied) {
			t.Errorf("got %v", errs)
		}
	}
}

func TestT8_4RetryOnVersionConflict(t *testing.T) {
	n := newNode(t, counterText)
	n.log.Unshared = false // two engines over one log, as on two nodes
	n.opts.MaxRetries = 100
	n.start()
	other := n.openStream()
	second := n.openEngine(other)
	defer func() { n.must(errors.Join(second.Close(context.Background()), other.Close())) }()
	key := newKey("tenant-a")
	together(20, func(i int) {
		e := n.engine
		if i%2 == 1 {
			e = second
		}
		if _, err := e.Submit(context.Background(), deposit(key, 1)); err != nil {
			t.Error(err)
		}
	})
	n.wantState(key, `20 {"balance":20}`)
	s, err := second.State(context.Background(), key)
	if err != nil || s.Version != 20 {
		t.Errorf("the other engine: got %s, %v", toJSON(t, s), err)
	}
	// What one has decided, the other knows: refusals and repeats too.
	cmd := deposit(key, 5)
	n.do(cmd)
	if r, err := second.Submit(context.Background(), cmd); err != nil || !r.Duplicate || r.Version != 21 {
		t.Errorf("got %s, %v", toJSON(t, r), err)
	}
	n.do(deposit(key, 5))
	_, err = second.Submit(context.Background(), command(key, `{"type":"withdraw","amount":31}`))
	if r := (*aggregate.RejectedError)(nil); !errors.As(err, &r) || r.Message != "balance 30" {
		t.Errorf("got %v", err)
	}
}

func TestT8_5SnapshotThresholdRespected(t *testing.T) {
	n := newNode(t, counterText)
	n.opts.SnapshotThreshold = 3
	n.start()
	key := newKey("tenant-a")
	want := []aggregate.Version{0, 0, 3, 3, 3, 6, 6}
	for i := range want {
		n.do(deposit(key, 10))
		var got aggregate.Version
		if s := n.snapshot(key); s != nil {
			got = s.Version
		}
		if got != want[i] {
			t.Errorf("after %d events the snapshot is of version %d, want %d", i+1, got, want[i])
		}
	}
}

func TestT8_6EmptyTenantAllowed(t *testing.T) {
	n := newNode(t, counterText)
	n.opts.SnapshotThreshold = 1
	n.start()
	key := newKey("")
	n.do(deposit(key, 100))
	if s := n.snapshot(key); s == nil || s.TenantID != "" {
		t.Errorf("got %s", toJSON(t, s))
	}
	n.wantState(key, `1 {"balance":100}`)

	strict := newNode(t, counterText)
	strict.opts.TenancyRequired = true
	strict.start()
	_, err := strict.engine.Submit(context.Background(), deposit(key, 100))
	if v := (*aggregate.ValidationError)(nil); !errors.As(err, &v) || v.Path != "tenant_id" {
		t.Errorf("got %v", err)
	}
}

func TestSeed11_2ConcurrentCommandsToOneAggregate(t *testing.T) {
	n := newNode(t, counterText).start()
	key := newKey("tenant-a")
	seen := make([]bool, 11)
	versions := make([]aggregate.Version, 10)
	together(10, func(i int) { versions[i] = n.do(deposit(key, 10)).Version })
	for _, v := range versions {
		if seen[v] {
			t.Errorf("two commands got version %d", v)
		}
		seen[v] = true
	}
	n.wantState(key, `10 {"balance":100}`)
}

func TestSeed11_3EventOrderingGuaranteed(t *testing.T) {
	n := newNode(t, counterText).start()
	key := newKey("tenant-a")
	together(4, func(int) {
		for range 10 {
			n.do(deposit(key, 10))
		}
	})
	events := n.events(key)
	if len(events) != 40 {
		t.Fatalf("%d events", len(events))
	}
	for i, e := range events {
		if e.Version != aggregate.Version(i+1) {
			t.Errorf("event %d has version %d", i, e.Version)
		}
	}
}

func TestSeed11_4IdempotencyViaCommandID(t *testing.T) {
	n := newNode(t, counterText).start()
	key := newKey("tenant-a")
	cmd := deposit(key, 100)
	cmd.Metadata = map[string]string{"correlation_id": "abc", "k": "v"}
	cmd.Actor, cmd.Roles = "ann", []string{"teller"}
	first := n.do(cmd)
	n.do(deposit(key, 1))
	for _, when := range []string{"live", "after a restart", "after a crash"} {
		second := n.do(cmd)
		if !second.Duplicate {
			t.Errorf("%s: not marked as a duplicate", when)
		}
		second.Duplicate = false
		if got, want := toJSON(t, second), toJSON(t, first); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", when, got, want)
		}
		if len(n.events(key)) != 2 {
			t.Errorf("%s: %d events", when, len(n.events(key)))
		}
		if when == "live" {
			n.stop()
		} else {
			n.crash()
		}
		n.start()
	}
	other := *cmd
	other.Payload = []byte(`{"type":"deposit","amount":101}`)
	if _, err := n.engine.Submit(context.Background(), &other); !errors.Is(err, aggregate.ErrCommandIDReused) {
		t.Errorf("got %v", err)
	}
}

func TestSeed11_5SystemFailureRecovery(t *testing.T) {
	n := newNode(t, counterText).start()
	keys := make([]aggregate.Key, 20)
	for i := range keys {
		keys[i] = newKey("tenant-a")
		n.do(deposit(keys[i], i))
	}
	n.crash()
	n.start()
	for i, key := range keys {
		if len(n.events(key)) != 1 {
			t.Errorf("%s: %d events", key, len(n.events(key)))
		}
		n.do(deposit(key, 1))
		n.wantState(key, fmt.Sprintf(`2 {"balance":%d}`, i+1))
	}
}

func TestSeed11_6FullBankAccountScenario(t *testing.T) {
	n := nodeOf(t, os.DirFS("../../examples/bank"))
	n.opts.SnapshotThreshold = 1
	n.start()
	key := newKey("tenant-a")
	if _, err := n.engine.Submit(context.Background(), deposit(key, 1)); !strings.Contains(fmt.Sprint(err), "not_found") {
		t.Errorf("deposit into nothing: got %v", err)
	}
	for _, p := range []string{`{"type":"open_account","initial_balance":0}`, `{"type":"deposit","amount":100}`, `{"type":"deposit","amount":50}`, `{"type":"withdraw","amount":75}`} {
		n.do(command(key, p))
	}
	s, err := n.engine.State(context.Background(), key)
	n.must(err)
	if !strings.Contains(string(s.State), `"balance":75`) || !strings.Contains(string(s.Derived), `"available":75`) || s.Version != 4 {
		t.Errorf("got %s", toJSON(t, s))
	}
	_, err = n.engine.Submit(context.Background(), command(key, `{"type":"withdraw","amount":75.01}`))
	if r := (*aggregate.RejectedError)(nil); !errors.As(err, &r) || r.Code != "insufficient_funds" {
		t.Errorf("got %v", err)
	}
	_, err = n.engine.Submit(context.Background(), command(key, `{"type":"open_account"}`))
	if r := (*aggregate.RejectedError)(nil); !errors.As(err, &r) || r.Code != "already_exists" {
		t.Errorf("got %v", err)
	}
	freeze := command(key, `{"type":"freeze","reason":"x"}`)
	if _, err = n.engine.Submit(context.Background(), freeze); !strings.Contains(fmt.Sprint(err), "forbidden") {
		t.Errorf("got %v", err)
	}
	freeze.Roles = []string{"manager"}
	n.do(freeze)
	n.stop()
	n.start()
	if snap := n.snapshot(key); snap == nil || !strings.Contains(string(snap.State), `"status":"frozen"`) || snap.Version != 5 {
		t.Errorf("got %s", toJSON(t, snap))
	}
	if _, err = n.engine.Submit(context.Background(), deposit(key, 1)); !strings.Contains(fmt.Sprint(err), "account_frozen") {
		t.Errorf("got %v", err)
	}
}

func TestSeed11_7TenantIsolationEndToEnd(t *testing.T) {
	n := newNode(t, counterText)
	n.log.ExclusiveIDs = true
	n.start()
	a := newKey("tenant-a")
	n.do(deposit(a, 100))
	n.stop()
	n.start()
	b := a
	b.Tenant = "tenant-b"
	if _, err := n.engine.Submit(context.Background(), deposit(b, 50)); !errors.Is(err, aggregate.ErrTenantAccessDenied) {
		t.Errorf("got %v", err)
	}
	if len(n.events(a)) != 1 {
		t.Errorf("%d events", len(n.events(a)))
	}
}

func TestSeed11_8TwoTenantsOneAggregateID(t *testing.T) {
	n := newNode(t, counterText)
	n.opts.SnapshotThreshold = 1
	n.start()
	a := newKey("tenant-a")
	b := a
	b.Tenant = "tenant-b"
	n.do(deposit(a, 100))
	n.do(deposit(b, 200))
	if s := n.snapshot(a); s == nil || string(s.State) != `{"balance":100}` {
		t.Errorf("got %s", toJSON(t, s))
	}
	if s := n.snapshot(b); s == nil || string(s.State) != `{"balance":200}` {
		t.Errorf("got %s", toJSON(t, s))
	}
	n.wantState(a, `1 {"balance":100}`)
	n.wantState(b, `1 {"balance":200}`)
}

func TestSeed11_10NonMultiTenantMode(t *testing.T) {
	n := newNode(t, counterText)
	n.opts.SnapshotThreshold = 1
	n.start()
	key := newKey("")
	n.do(deposit(key, 100))
	if s := n.snapshot(key); s == nil {
		t.Error("no snapshot")
	}
	if e := n.events(key); len(e) != 1 || e[0].TenantID != "" {
		t.Errorf("got %s", toJSON(t, e))
	}
}

func TestT6_2DecideRefusesInvalidCommand(t *testing.T) {
	n := newNode(t, counterText).start()
	key := newKey("tenant-a")
	n.do(deposit(key, 10))
	_, err := n.engine.Submit(context.Background(), command(key, `{"type":"withdraw","amount":100}`))
	if r := (*aggregate.RejectedError)(nil); !errors.As(err, &r) || r.Code != "insufficient_funds" {
		t.Errorf("got %v", err)
	}
	n.wantState(key, `1 {"balance":10}`)
}

func TestT7_6VersionIncrementsAfterCommand(t *testing.T) {
	n := newNode(t, counterText).start()
	key := newKey("tenant-a")
	for want := aggregate.Version(1); want <= 3; want++ {
		if r := n.do(deposit(key, 1)); r.Version != want {
			t.Errorf("got %d, want %d", r.Version, want)
		}
	}
}

func TestT6_1DecideReturnsEvents(t *testing.T) {
	n := newNode(t, counterText).start()
	r := n.do(deposit(newKey("tenant-a"), 50))
	if len(r.Events) != 1 || r.Events[0].EventType != "deposited" || string(r.Events[0].Payload) != `{"amount":50,"note":""}` {
		t.Errorf("got %s", toJSON(t, r))
	}
}

func TestT6_3ApplyTransitionsState(t *testing.T) {
	n := newNode(t, counterText).start()
	key := newKey("tenant-a")
	n.do(deposit(key, 100))
	n.do(deposit(key, 50))
	n.wantState(key, `2 {"balance":150}`)
}

// Instead of "is Send" and "is Clone": one engine and its programs serve any number of callers
// and aggregates at once.
func TestT6_5T8_7OneEngineServesManyCallers(t *testing.T) {
	n := newNode(t, counterText).start()
	keys := make([]aggregate.Key, 16)
	for i := range keys {
		keys[i] = newKey("tenant-a")
	}
	together(32, func(i int) {
		for range 5 {
			n.do(deposit(keys[i%len(keys)], i%len(keys)))
		}
	})
	for i, key := range keys {
		n.wantState(key, fmt.Sprintf(`10 {"balance":%d}`, 10*i))
	}
}

func TestT7_7InstanceTracksItsIDs(t *testing.T) {
	n := newNode(t, counterText).start()
	key := newKey("tenant-a")
	r := n.do(deposit(key, 1))
	s, err := n.engine.State(context.Background(), key)
	n.must(err)
	if r.TenantID != key.Tenant || r.AggregateID != key.ID || r.AggregateType != key.Type || s.TenantID != key.Tenant || s.AggregateID != key.ID {
		t.Errorf("got %s and %s", toJSON(t, r), toJSON(t, s))
	}
}

func TestSeed11_9SubjectsAreNamespaced(t *testing.T) {
	n := newNode(t, counterText).start()
	key, other := newKey("acme-corp"), newKey("")
	n.do(deposit(key, 100))
	n.do(deposit(other, 100))
	nc, err := n.server.Connect("look")
	n.must(err)
	js, err := jetstream.New(nc)
	n.must(err)
	st, err := js.Stream(context.Background(), envelope.StreamName)
	n.must(err)
	info, err := st.Info(context.Background(), jetstream.WithSubjectFilter(">"))
	n.must(err)
	want := map[string]uint64{"tenant.acme-corp.aggregate.Account." + key.ID.String(): 1, "tenant._.aggregate.Account." + other.ID.String(): 1}
	if !maps.Equal(info.State.Subjects, want) {
		t.Errorf("got %v, want %v", info.State.Subjects, want)
	}
}
