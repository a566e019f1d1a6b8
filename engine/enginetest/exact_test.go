package enginetest

import (
	"context"
	"errors"
	"testing"

	"github.com/cloudlysis/aggregate"
)

// exactText holds numbers of both kinds and one rule for each way in which a rule can fail.
const exactText = `
aggregate Account {
  state {
    n: int
    d: decimal
    sum: decimal
    same: bool
    xs: list<int>
    m: map<string, decimal>
    extra: json
  }
  derive twice: decimal = state.d * 2
  gas 2_000
  snapshot every 1

  command put { n: int, d: decimal, extra: json }
  command tenths { a: decimal, b: decimal, want: decimal }
  command listed { xs: list<int>, key: string, d: decimal }
  command add { n: int }
  command grow { d: decimal }
  command split { by: int }
  command share { by: decimal }
  command tiny { d: decimal }
  command look { key: string }
  command item { i: int }
  command whole { d: decimal }
  command scale { to: int }
  command spin { n: int }

  event was_put { n: int, d: decimal, extra: json }
  event added { sum: decimal, same: bool }
  event was_listed { xs: list<int>, key: string, d: decimal }
  event counted { n: int }
  event grown { d: decimal }

  decide put { emit was_put { ..cmd } }
  decide tenths { emit added { sum: cmd.a + cmd.b, same: cmd.a + cmd.b == cmd.want } }
  decide listed { emit was_listed { ..cmd } }
  decide add { emit counted { n: state.n + cmd.n } }
  decide grow { emit grown { d: state.d * cmd.d } }
  decide split { emit counted { n: state.n / cmd.by } }
  decide share { emit grown { d: div(state.d, cmd.by, 2, half_even) } }
  decide tiny { emit grown { d: cmd.d * cmd.d } }
  decide look { emit grown { d: state.m[cmd.key] } }
  decide item { emit counted { n: state.xs[cmd.i] } }
  decide whole { emit counted { n: int(cmd.d) } }
  decide scale { emit grown { d: round(state.d, cmd.to, down) } }
  decide spin { for i in range(0, cmd.n) { emit counted { n: i } } }

  apply was_put { state.n = event.n  state.d = event.d  state.extra = event.extra }
  apply added { state.sum = event.sum  state.same = event.same }
  apply was_listed { state.xs = event.xs  state.m[event.key] = event.d }
  apply counted { state.n = event.n }
  apply grown { state.d = event.d }
}
`

// TestExact: numbers come out as they went in, through command, event, state, snapshot, a replay
// and a read.
func TestExact(t *testing.T) {
	for _, c := range []struct{ name, payload, event, state, derived string }{
		{"beyond float64", `{"type":"put","n":9007199254740993,"d":9007199254740993.1,"extra":{"n":9007199254740993,"d":0.10}}`,
			`{"n":9007199254740993,"d":9007199254740993.1,"extra":{"n":9007199254740993,"d":0.10}}`,
			`{"n":9007199254740993,"d":9007199254740993.1,"sum":0,"same":false,"xs":[],"m":{},"extra":{"n":9007199254740993,"d":0.10}}`, `{"twice":18014398509481986.2}`},
		{"as strings", `{"type":"put","n":"9007199254740993","d":"0.30","extra":null}`,
			`{"n":9007199254740993,"d":0.30,"extra":null}`,
			`{"n":9007199254740993,"d":0.30,"sum":0,"same":false,"xs":[],"m":{},"extra":null}`, `{"twice":0.60}`},
		{"the scale", `{"type":"put","n":-0,"d":1.50,"extra":1.50}`,
			`{"n":0,"d":1.50,"extra":1.50}`,
			`{"n":0,"d":1.50,"sum":0,"same":false,"xs":[],"m":{},"extra":1.50}`, `{"twice":3.00}`},
		{"tenths", `{"type":"tenths","a":0.1,"b":0.2,"want":0.3}`,
			`{"sum":0.3,"same":true}`,
			`{"n":0,"d":0,"sum":0.3,"same":true,"xs":[],"m":{},"extra":null}`, `{"twice":0}`},
		{"34 digits", `{"type":"put","n":-9223372036854775808,"d":0.4999999999999999999999999999999999,"extra":9999999999999999999999999999999999999999}`,
			`{"n":-9223372036854775808,"d":0.4999999999999999999999999999999999,"extra":9999999999999999999999999999999999999999}`,
			`{"n":-9223372036854775808,"d":0.4999999999999999999999999999999999,"sum":0,"same":false,"xs":[],"m":{},"extra":9999999999999999999999999999999999999999}`,
			`{"twice":0.9999999999999999999999999999999998}`},
		{"in containers", `{"type":"listed","xs":[9007199254740993,"9223372036854775807"],"key":"a","d":2.000}`,
			`{"xs":[9007199254740993,9223372036854775807],"key":"a","d":2.000}`,
			`{"n":0,"d":0,"sum":0,"same":false,"xs":[9007199254740993,9223372036854775807],"m":{"a":2.000},"extra":null}`, `{"twice":0}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := newNode(t, exactText).start()
			key := newKey("tenant-a")
			r := n.do(command(key, c.payload))
			if got := string(r.Events[0].Payload); got != c.event {
				t.Errorf("the reply's event: got %s, want %s", got, c.event)
			}
			if got := string(n.events(key)[0].Payload); got != c.event {
				t.Errorf("the stored event: got %s, want %s", got, c.event)
			}
			if s := n.snapshot(key); s == nil || string(s.State) != c.state {
				t.Errorf("the snapshot: got %s, want %s", toJSON(t, s), c.state)
			}
			n.reads(key, "live", c.state, c.derived)
			n.stop()
			n.start()
			n.reads(key, "from the snapshot", c.state, c.derived)
			n.stop()
			n.start()
			n.must(n.store.Delete(key))
			n.reads(key, "from the events", c.state, c.derived)
		})
	}
}

// reads reads the state as a query does.
func (n *node) reads(key aggregate.Key, how, state, derived string) {
	n.t.Helper()
	s, err := n.engine.State(context.Background(), key)
	n.must(err)
	if string(s.State) != state || string(s.Derived) != derived {
		n.t.Errorf("%s: got %s %s, want %s %s", how, s.State, s.Derived, state, derived)
	}
}

// TestFaultsLeaveNothing: what cannot be computed is the fault of that name, and neither the
// stream nor the state knows of the command.
func TestFaultsLeaveNothing(t *testing.T) {
	n := newNode(t, exactText).start()
	key := newKey("tenant-a")
	n.do(command(key, `{"type":"put","n":9223372036854775807,"d":9999999999999999999999999999999999,"extra":null}`))
	n.do(command(key, `{"type":"listed","xs":[1,2],"key":"a","d":1}`))
	before, stored := n.state(key), len(n.events(key))
	for _, c := range []struct{ payload, fault string }{
		{`{"type":"add","n":1}`, "overflow"},
		{`{"type":"grow","d":2}`, "overflow"},
		{`{"type":"grow","d":0.1234567}`, "inexact"},
		{`{"type":"tiny","d":0.00000000000000000001}`, "inexact"},
		{`{"type":"split","by":0}`, "division_by_zero"},
		{`{"type":"share","by":0}`, "division_by_zero"},
		{`{"type":"look","key":"b"}`, "absent_key"},
		{`{"type":"item","i":2}`, "index"},
		{`{"type":"item","i":-1}`, "index"},
		{`{"type":"whole","d":1.5}`, "not_whole"},
		{`{"type":"scale","to":35}`, "range"},
		{`{"type":"spin","n":9223372036854775807}`, "gas"},
	} {
		t.Run(c.payload, func(t *testing.T) {
			cmd := command(key, c.payload)
			_, err := n.engine.Submit(context.Background(), cmd)
			f := (*aggregate.FaultError)(nil)
			if !errors.As(err, &f) || f.Kind != c.fault || f.Line == 0 {
				t.Fatalf("got %v, want the fault %s and its place", err, c.fault)
			}
			if got := n.state(key); got != before {
				t.Errorf("got %s, want %s", got, before)
			}
			if got := len(n.events(key)); got != stored {
				t.Errorf("got %d events, want %d", got, stored)
			}
		})
	}
	// Nor does it after the node comes back.
	n.crash()
	n.start()
	n.wantState(key, before)
}

// TestNumbersRefused: what would have to be rounded on its way in is refused with its path.
func TestNumbersRefused(t *testing.T) {
	n := newNode(t, exactText).start()
	key := newKey("tenant-a")
	for _, c := range []struct{ payload, path string }{
		{`{"type":"add","n":9223372036854775808}`, "n"},
		{`{"type":"add","n":1.5}`, "n"},
		{`{"type":"add","n":"1e2"}`, "n"},
		{`{"type":"add","n":1e400}`, "n"},
		{`{"type":"grow","d":1.00000000000000000000000000000000001}`, "d"},
		{`{"type":"grow","d":1e34}`, "d"},
		{`{"type":"grow","d":NaN}`, ""},
		{`{"type":"grow","d":"Infinity"}`, "d"},
		{`{"type":"listed","xs":[1,2.5],"key":"a","d":1}`, "xs[1]"},
	} {
		t.Run(c.payload, func(t *testing.T) {
			_, err := n.engine.Submit(context.Background(), command(key, c.payload))
			v := (*aggregate.ValidationError)(nil)
			if !errors.As(err, &v) || v.Path != c.path {
				t.Errorf("got %#v, want a validation error at %q", err, c.path)
			}
		})
	}
	if _, err := n.engine.State(context.Background(), key); !errors.Is(err, aggregate.ErrNotFound) {
		t.Errorf("got %v, want no such aggregate", err)
	}
}
