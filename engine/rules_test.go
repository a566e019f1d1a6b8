package engine

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/cloudlysis/aggregate"
)

func TestContextOfADecision(t *testing.T) {
	w := newWorld(t)
	w.opts.Clock = func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 6, time.FixedZone("x", 3600)) }
	e := w.start()
	do(t, e, command(account, "deposit", 1))
	cmd := command(account, "tell", 0)
	cmd.Actor, cmd.Roles, cmd.Metadata = "ann", []string{"teller", "manager"}, map[string]string{"k": "v", "correlation_id": "c"}
	r := do(t, e, cmd)
	want := `{"now":"2026-01-02T02:04:05.000000006Z","version":1,"who":"ann","meta":"v","tenant":"tenant-a","command":"` + cmd.CommandID.String() +
		`","aggregate":"` + account.ID.String() + `","manager":true}`
	if got := string(r.Events[0].Payload); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	c := w.log.msgs[account][1].commits[0]
	if c.Actor != "ann" || len(c.Roles) != 2 || c.Metadata["k"] != "v" || string(c.Command) != string(cmd.Payload) || c.Manifest != w.opts.Manifest.Hash || len(c.CommandHash) != 64 {
		t.Errorf("the commit does not hold what decided it: %s", toJSON(t, c))
	}
}

func TestHashCommandsKeepsNoPayload(t *testing.T) {
	w := newWorld(t)
	w.opts.HashCommands = true
	e := w.start()
	cmd := command(account, "deposit", 1)
	do(t, e, cmd)
	if c := w.log.msgs[account][0].commits[0]; len(c.Command) != 0 || len(c.CommandHash) != 64 {
		t.Errorf("got %s", toJSON(t, c))
	}
	if r := do(t, e, cmd); !r.Duplicate {
		t.Error("the repeat was not found")
	}
}

func TestRulesOrderOfChecks(t *testing.T) {
	e := newWorld(t).start()
	v := aggregate.Version(9)
	for _, tt := range []struct {
		name, payload string
		expected      *aggregate.Version
		want          func(error) bool
	}{
		{"payload before version", `{"type":"audit","amount":"x"}`, &v, func(err error) bool {
			e := (*aggregate.ValidationError)(nil)
			return errors.As(err, &e) && e.Path == "amount" && len(e.Errors) == 1
		}},
		{"version before roles", `{"type":"audit"}`, &v, func(err error) bool { return errors.Is(err, aggregate.ErrConflict) }},
		{"roles before decide", `{"type":"audit"}`, nil, func(err error) bool {
			e := (*aggregate.RejectedError)(nil)
			return errors.As(err, &e) && e.Code == "forbidden"
		}},
		{"unknown command", `{"type":"audits"}`, nil, func(err error) bool {
			e := (*aggregate.ValidationError)(nil)
			return errors.As(err, &e) && e.Path == "type"
		}},
		{"no type", `{"amount":1}`, nil, func(err error) bool { e := (*aggregate.ValidationError)(nil); return errors.As(err, &e) }},
		{"unknown field", `{"type":"audit","ammount":1}`, nil, func(err error) bool {
			e := (*aggregate.ValidationError)(nil)
			return errors.As(err, &e) && e.Path == "ammount"
		}},
		{"field twice", `{"type":"audit","amount":1,"amount":2}`, nil, func(err error) bool { e := (*aggregate.ValidationError)(nil); return errors.As(err, &e) }},
		{"where", `{"type":"deposit","amount":-1}`, nil, func(err error) bool {
			e := (*aggregate.ValidationError)(nil)
			return errors.As(err, &e) && e.Path == "amount"
		}},
	} {
		cmd := command(account, "x", 0)
		cmd.Payload, cmd.ExpectedVersion = json.RawMessage(tt.payload), tt.expected
		if _, err := e.Submit(context.Background(), cmd); !tt.want(err) {
			t.Errorf("%s: got %v", tt.name, err)
		}
	}
}

func TestFaultIsReportedWithItsPlace(t *testing.T) {
	e := newWorld(t).start()
	do(t, e, command(account, "deposit", 1))
	_, err := e.Submit(context.Background(), command(account, "break", 1))
	f := (*aggregate.FaultError)(nil)
	if !errors.As(err, &f) || f.Kind != "overflow" || f.Apply || f.Rule != "decide break" || f.File != "bank.agg" || f.Line == 0 || f.Gas == 0 {
		t.Errorf("got %#v", err)
	}
}

func TestGasMaxCapsTheManifest(t *testing.T) {
	w := newWorld(t)
	w.opts.GasMax = 3
	_, err := w.start().Submit(context.Background(), command(account, "tell", 1))
	if f := (*aggregate.FaultError)(nil); !errors.As(err, &f) || f.Kind != "gas" {
		t.Errorf("got %v", err)
	}
}

func TestStateShowsDerivedValues(t *testing.T) {
	e := newWorld(t).start()
	do(t, e, command(account, "deposit", 21))
	s, err := e.State(context.Background(), account)
	if err != nil || string(s.State) != `{"balance":21}` || string(s.Derived) != `{"double":42}` || s.Version != 1 || s.UpdatedAt.IsZero() || s.Token == "" {
		t.Errorf("got %s, %v", toJSON(t, s), err)
	}
}

const upcastText = `
aggregate Account {
  state { cents: int, by: string = "" }
  command deposit { amount: int }
  event paid { amount: int }
  event deposited @1 { amount: int }
  event deposited @2 { cents: int, by: string }
  upcast paid @1 -> deposited @1 { ..old }
  upcast deposited @1 -> @2 { cents: old.amount * 100, by: "{ctx.meta["actor"]? ?? "none"} {ctx.version} {ctx.now}" }
  decide deposit { emit deposited { cents: cmd.amount, by: "now" } }
  apply deposited { state.cents += event.cents  state.by = event.by }
}
`

// Upcasts see the stored commit's ctx.
func TestReplayUpcastsOldEvents(t *testing.T) {
	w := newWorld(t)
	w.opts.Manifest = manifestOf(t, upcastText)
	at := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	old := aggregate.Commit{CommandID: idOf(5), Timestamp: at, Actor: "bob", Events: []aggregate.CommitEvent{
		{Version: 1, Type: "paid", Schema: 1, Payload: json.RawMessage(`{"amount":3}`)},
		{Version: 2, Type: "deposited", Schema: 1, Payload: json.RawMessage(`{"amount":4}`)}}}
	if _, err := w.log.store(account, aggregate.Mark{}, []aggregate.Commit{old}); err != nil {
		t.Fatal(err)
	}
	e := w.start()
	s, err := e.State(context.Background(), account)
	if want := `{"cents":700,"by":"bob 2 2020-01-01T00:00:00Z"}`; err != nil || string(s.State) != want {
		t.Errorf("got %s, %v, want %s", toJSON(t, s), err, want)
	}
	if r := do(t, e, command(account, "deposit", 1)); r.Events[0].Schema != 2 {
		t.Errorf("got %s", toJSON(t, r))
	}
}

const printText = `
enum Kind { fast, slow }
record Part { n: int = 1 }
aggregate Account {
  state { balance: int, kind: Kind = fast, parts: list<Part, 5>, tags: map<string, int>, seen: set<int> }
  const rate: int = 3
  derive twice: int = state.balance * 2
  index balance
  invariant positive: state.balance >= 0
  fn scaled(x: int): int = x * rate
  command add { amount: int }
  event added @1 { amount: int }
  event added @2 { amount: int, why: string }
  upcast added @1 -> @2 { amount: old.amount + 1, why: "old" }
  decide add { emit added { amount: cmd.amount, why: "new" } }
  apply added {
    if event.amount > 10 { state.kind = slow } else { state.kind = fast }
    for p in state.parts { state.balance += p.n }
    for k, v in state.tags { state.balance += v if k == "x" { state.seen += v } }
    state.balance += scaled(event.amount) + len(lower(event.why))
    state.tags["n"] = int(round(decimal(event.amount) * 1.5, 0, half_even))
    state.parts += Part { n: event.amount }
  }
}
`

// What a replay depends on moves the fingerprint, and nothing else does.
func TestFingerprint(t *testing.T) {
	text := printText
	base := fingerprint(programs(t, text)["Account"].Code())
	for _, tt := range []struct {
		name     string
		old, new string
		same     bool
	}{
		{"a comment", "aggregate Account {", "/// words\naggregate Account {", true},
		{"a command more", "event added @1", "command sub { amount: int, x: string = \"y\" }\n decide sub { emit added { amount: -cmd.amount * 77, why: \"sub\" } }\n event added @1", true},
		{"a decide", "why: \"new\"", "why: \"newer {cmd.amount * 12345}\"", true},
		{"an invariant", "state.balance >= 0", "state.balance >= -99", true},
		{"a derive", "state.balance * 2", "state.balance * 4", true},
		{"an index", "index balance", "index kind", true},
		{"a local's name", "for p in state.parts { state.balance += p.n }", "for q in state.parts { state.balance += q.n }", true},
		{"a constant that apply reads through a function", "const rate: int = 3", "const rate: int = 4", false},
		{"the function", "x * rate", "x * rate + 1", false},
		{"a literal in apply", "event.amount > 10", "event.amount > 11", false},
		{"a comparison in apply", "event.amount > 10", "event.amount >= 10", false},
		{"branches the other way round", "{ state.kind = slow } else { state.kind = fast }", "{ state.kind = fast } else { state.kind = slow }", false},
		{"another field of a record", "record Part { n: int = 1 }", "record Part { m: int = 2, n: int = 1 }", false},
		{"a default in state", "kind: Kind = fast", "kind: Kind = slow", false},
		{"order of an enum", "{ fast, slow }", "{ slow, fast }", false},
		{"a bound", "list<Part, 5>", "list<Part, 6>", false},
		{"a field of state", "seen: set<int>", "seen: set<int>, more: int", false},
		{"an upcast", "old.amount + 1", "old.amount + 2", false},
		{"a text in an upcast", `"old"`, `"older"`, false},
		{"a builtin", "lower(event.why)", "upper(event.why)", false},
		{"a rounding mode", "half_even", "half_up", false},
		{"an event's field", "event added @2 { amount: int, why: string }", "event added @2 { amount: int, why: string, z: int = 0 }", false},
	} {
		if !strings.Contains(text, tt.old) {
			t.Fatalf("%s: %q is not in the text", tt.name, tt.old)
		}
		got := fingerprint(programs(t, strings.Replace(text, tt.old, tt.new, 1))["Account"].Code())
		if (got == base) != tt.same {
			t.Errorf("%s: same is %v, want %v", tt.name, got == base, tt.same)
		}
	}
}

func TestSimulateKeepsNothing(t *testing.T) {
	w := newWorld(t)
	e := w.start()
	s, err := e.Simulate(context.Background(), command(account, "deposit", 5), true)
	if err != nil || s.Refused != nil || s.Reply.Version != 1 || s.Reply.Events[0].EventID.IsZero() || string(s.State) != `{"balance":5}` ||
		string(s.Derived) != `{"double":10}` || s.Gas == 0 || len(s.Trace) == 0 || s.Trace[0].File != "bank.agg" {
		t.Errorf("of an unborn aggregate: got %s, %v", toJSON(t, s), err)
	}
	do(t, e, command(account, "deposit", 7))
	s, err = e.Simulate(context.Background(), command(account, "withdraw", 8), false)
	if r := (*aggregate.RejectedError)(nil); err != nil || !errors.As(s.Refused, &r) || s.Reply != nil || string(s.State) != `{"balance":7}` || s.Trace != nil {
		t.Errorf("refused: got %s, %v", toJSON(t, s), err)
	}
	stale := command(account, "deposit", 1)
	stale.ExpectedVersion = new(aggregate.Version)
	if _, err = e.Simulate(context.Background(), stale, false); !errors.Is(err, aggregate.ErrConflict) {
		t.Errorf("stale: got %v", err)
	}
	wantBalance(t, e, account, 7, 1)
	if appends, _ := w.log.counts(); appends != 1 {
		t.Errorf("%d appends", appends)
	}
}
