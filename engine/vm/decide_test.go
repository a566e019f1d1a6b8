package vm_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cloudlysis/aggregate/dsl/value"
	"github.com/cloudlysis/aggregate/engine/vm"
)

func orders(t testing.TB) *vm.Program {
	src, err := os.ReadFile("testdata/orders.agg")
	if err != nil {
		t.Fatal(err)
	}
	return compiled(t, string(src), "Order")
}

// ctxOf is a ctx with roles and a version.
func ctxOf(version int64, roles ...string) *vm.Ctx {
	now, _ := value.TimeOf(time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC))
	set := value.NewBuilder(&value.Type{Kind: value.Set, Elem: value.StringType}, 0)
	for _, r := range roles {
		set.Add(value.MakeString(r))
	}
	return &vm.Ctx{Now: now, Version: value.MakeInt(version), Tenant: value.MakeString("acme"), Roles: set.Done()}
}

// tell runs one command and tells in one line what became of it.
func tell(t testing.TB, p *vm.Program, m *vm.Machine, state []value.V, ctx *vm.Ctx, gas int64, name, payload string) string {
	cmd, ok := p.Command(name)
	if !ok {
		t.Fatalf("no command %s", name)
	}
	if errs := m.DecodeCommand(cmd, []byte(payload)); errs != nil {
		var all []string
		for _, e := range errs {
			all = append(all, e.Path+": "+e.Message)
		}
		return "invalid " + strings.Join(all, "; ")
	}
	before := string(p.AppendState(nil, state, value.Encoder{}))
	out := m.Decide(cmd, state, ctx, ctx.Version.Int() > 0, gas)
	if after := string(p.AppendState(nil, state, value.Encoder{})); after != before {
		t.Errorf("%s changed the state before Store: %s", name, after)
	}
	if m.Events() > 0 && out.Kind != vm.Accepted {
		t.Errorf("%s left events", name)
	}
	switch out.Kind {
	case vm.Rejected:
		return strings.TrimSpace("rejected " + out.Code + " " + out.Message)
	case vm.Faulted:
		return fmt.Sprintf("fault %s in %s at %s:%d apply %v", out.Fault, out.Rule, out.File, out.Line, out.ApplyFault)
	}
	m.Store(cmd, state)
	s := "accepted"
	for i := range m.Events() {
		event, schema := m.EventName(i)
		s += fmt.Sprintf(" %s@%d%s", event, schema, m.AppendEvent(nil, i))
	}
	return s
}

func TestDecide(t *testing.T) {
	p := orders(t)
	full := `{"lines":{"a":{"sku":"a","quantity":1},"b":{"sku":"b","quantity":1},"c":{"sku":"c","quantity":1}},"total":3}`
	for _, c := range []struct {
		name, state, command, payload string
		version                       int64
		roles                         []string
		want, after                   string // after: a part of the state
	}{
		{"birth", `{}`, "start", `{}`, 0, nil, `accepted started@1{"at":"2026-11-24T10:00:00Z","note":null}`, `"born":"2026-11-24T10:00:00Z"`},
		{"optional given", `{}`, "start", `{"note":"hi"}`, 0, nil, `accepted started@1{"at":"2026-11-24T10:00:00Z","note":"hi"}`, ``},
		{"born twice", `{}`, "start", `{}`, 1, nil, `rejected there it began`, ``},
		{"unborn", `{}`, "note", `{"text":"x"}`, 0, nil, `rejected not_found`, ``},
		{"no role", `{}`, "finish", `{}`, 1, []string{"clerk"}, `rejected forbidden needs the role boss`, ``},
		{"a role before birth", `{}`, "finish", `{}`, 0, nil, `rejected forbidden needs the role boss`, ``},
		{"role", `{}`, "finish", `{}`, 1, []string{"boss", "clerk"}, `accepted finished@1{}`, `"status":"done"`},
		{"final", `{"status":"done"}`, "note", `{"text":"x"}`, 1, nil, `rejected over it is done`, ``},
		{"creates is never finished", `{"status":"done"}`, "start", `{}`, 0, nil, `accepted started@1{"at":"2026-11-24T10:00:00Z","note":null}`, ``},
		{"emit is applied at once", `{}`, "add", `{"line":{"sku":"a","quantity":2,"price":1.50},"times":2}`, 1, nil,
			`accepted added@1{"sku":"a","line":{"sku":"a","quantity":2,"price":1.50}} added@1{"sku":"a","line":{"sku":"a","quantity":2,"price":1.50}}`, `"total":6.00`},
		{"message", full, "add", `{"line":{"sku":"a","quantity":2}}`, 1, nil, `rejected twice a is there, 3 lines`, `"total":3`},
		{"where", `{}`, "add", `{"line":{"sku":"a","quantity":2},"times":4}`, 1, nil, `invalid times: must satisfy times in 1..3`, ``},
		{"where of a record", `{}`, "add", `{"line":{"sku":"a","quantity":0,"price":-1},"times":4}`, 1, nil,
			`invalid line.quantity: must satisfy quantity > 0; line.price: must satisfy price >= 0; times: must satisfy times in 1..3`, ``},
		{"where in containers", `{}`, "fill", `{"box":{"lines":{"k":{"sku":"a","quantity":0}}},"boxes":[{"lines":{}},{"lines":{},"spare":{"sku":"","quantity":-1}}]}`, 1, nil,
			`invalid box.lines["k"].quantity: must satisfy quantity > 0; boxes[1].spare.quantity: must satisfy quantity > 0`, ``},
		{"where that faults", `{}`, "odd", `{"n":0}`, 1, nil, `invalid n: cannot be checked: division_by_zero in 10 / n > 0`, ``},
		{"types come first", `{}`, "add", `{"line":{"sku":"a","quantity":"x"},"times":4}`, 1, nil, `invalid line.quantity: expected a whole number of 64 bits`, ``},
		{"bound of a map, in an apply", full, "add", `{"line":{"sku":"d","quantity":1}}`, 1, nil, `fault bound in decide add at test.agg:87 apply true`, `"total":3`},
		{"bound of an element, in an apply", `{}`, "note", `{"text":"abcdef"}`, 1, nil, `fault bound in decide note at test.agg:91 apply true`, `"notes":[]`},
		{"ends accepted", `{"seen":["x"]}`, "note", `{"text":"x"}`, 1, nil, `accepted`, ``},
		{"a later reject takes all back", `{}`, "note", `{"text":""}`, 1, nil, `rejected empty after 1 notes`, `"notes":[]`},
		{"invariant with old", `{"total":5.5}`, "back", `{"amount":-1}`, 1, nil,
			`rejected invariant_violated invariant grows does not hold: state.total >= old.total (state.total is 4.5, old.total is 5.5)`, `"total":5.5`},
		{"second invariant", `{"total":5.5}`, "back", `{"amount":1000}`, 1, nil,
			`rejected invariant_violated invariant small does not hold: state.total <= 1000 (state.total is 1005.5)`, `"total":5.5`},
		{"ctx", `{}`, "back", `{"amount":1}`, 1, nil, `accepted moved@2{"amount":1,"by":"acme"}`, `"total":1`},
		{"old stays", `{"total":1}`, "both", `{"amount":6}`, 1, nil, `rejected seven total 7, was 1`, `"total":1`},
		{"both", `{"total":1}`, "both", `{"amount":1.5}`, 1, nil, `accepted moved@2{"amount":1.5,"by":"a"} moved@2{"amount":1.5,"by":"b"}`, `"total":4.0`},
		{"gas", `{}`, "spin", `{"n":1000000}`, 1, nil, `fault gas in decide spin at test.agg:67 apply false`, ``},
		{"loop", `{}`, "spin", `{"n":10}`, 1, nil, `rejected code x 45`, ``},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := p.Get()
			defer p.Put(m)
			state, errs := p.DecodeState([]byte(c.state))
			if errs != nil {
				t.Fatal(errs[0].Error())
			}
			if got := tell(t, p, m, state, ctxOf(c.version, c.roles...), p.Gas(), c.command, c.payload); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if after := string(p.AppendState(nil, state, value.Encoder{})); !strings.Contains(after, c.after) {
				t.Errorf("state %s, want %s in it", after, c.after)
			}
		})
	}
}

// TestMemory: text that doubles runs into the bound on memory before it could hurt, however
// much gas there is.
func TestMemory(t *testing.T) {
	p := orders(t)
	m := p.Get()
	defer p.Put(m)
	payload := `{"n":40,"text":"` + strings.Repeat("x", 1000) + `"}`
	got := tell(t, p, m, p.NewState(), ctxOf(1), -1, "copy", payload)
	if !strings.HasPrefix(got, "fault memory in decide copy") {
		t.Errorf("got %s", got)
	}
}

// TestGasIsExact finds the gas of a command and sees that it is enough, and one less is not.
func TestGasIsExact(t *testing.T) {
	p := orders(t)
	m := p.Get()
	defer p.Put(m)
	for _, c := range []struct{ name, payload string }{
		{"add", `{"line":{"sku":"a","quantity":2,"price":1.50},"times":3}`}, {"note", `{"text":"x"}`}, {"back", `{"amount":2}`},
		{"fill", `{"box":{"lines":{"x":{"sku":"x","quantity":1},"y":{"sku":"y","quantity":1}}}}`},
	} {
		cmd, _ := p.Command(c.name)
		run := func(gas int64) vm.Outcome {
			if errs := m.DecodeCommand(cmd, []byte(c.payload)); errs != nil {
				t.Fatal(errs[0].Error())
			}
			return m.Decide(cmd, p.NewState(), ctxOf(1), true, gas)
		}
		all := run(-1)
		if all.Kind != vm.Accepted || all.Gas < 5 {
			t.Fatalf("%s: %+v", c.name, all)
		}
		if exact := run(all.Gas); exact != all {
			t.Errorf("%s: with its gas %+v, want %+v", c.name, exact, all)
		}
		for gas := range all.Gas {
			less := run(gas)
			if less.Kind != vm.Faulted || less.Fault != value.Gas || less.Gas != gas {
				t.Fatalf("%s: with %d of %d gas: %+v", c.name, gas, all.Gas, less)
			}
		}
		steps := 0
		m.SetTrace(func(vm.Step) { steps++ })
		traced := run(-1)
		m.SetTrace(nil)
		if traced != all || steps < 5 {
			t.Errorf("%s: traced %+v in %d steps, want %+v", c.name, traced, steps, all)
		}
	}
}

func TestReplay(t *testing.T) {
	p := orders(t)
	m := p.Get()
	defer p.Put(m)
	meta := value.NewBuilder(&value.Type{Kind: value.Map, Key: value.StringType, Elem: value.StringType}, 1)
	meta.Put(value.MakeString("who"), value.MakeString("bob"))
	for _, c := range []struct {
		name, event string
		schema      int
		payload     string
		unknown     bool
		want        string // a part of the state, or of the error
		newer       bool
	}{
		{"current", "moved", 2, `{"amount":1.50,"by":"x"}`, false, `"total":1.50`, false},
		{"upcast", "moved", 1, `{"cents":150}`, false, `"total":1.50`, false},
		{"another name", "legacy", 1, `{"text":"abc"}`, false, `"notes":["ABC"]`, false},
		{"unknown event", "gone", 1, `{}`, false, "a newer manifest wrote it", true},
		{"unknown version", "moved", 3, `{}`, false, "a newer manifest wrote it", true},
		{"unknown field", "noted", 1, `{"text":"a","x":1}`, false, "x: unknown field", true},
		{"unknown field allowed", "noted", 1, `{"text":"a","x":1}`, true, `"notes":["a"]`, false},
		{"broken", "noted", 1, `{"text":7}`, false, "text: expected a string", false},
		{"fault", "noted", 1, `{"text":"too long"}`, false, "fault bound in apply noted", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			state := p.NewState()
			before := string(p.AppendState(nil, state, value.Encoder{}))
			ctx := ctxOf(5)
			ctx.Meta = meta.Done()
			err := m.ReplayEvent(state, c.event, c.schema, []byte(c.payload), ctx, c.unknown)
			after := string(p.AppendState(nil, state, value.Encoder{}))
			if err != nil {
				if !strings.Contains(err.Error(), c.want) || vm.Newer(err) != c.newer {
					t.Errorf("got %v (newer: %v), want %q (newer: %v)", err, vm.Newer(err), c.want, c.newer)
				}
				if after != before {
					t.Errorf("the state is %s", after)
				}
				return
			}
			if !strings.Contains(after, c.want) {
				t.Errorf("got %s, want %s in it", after, c.want)
			}
		})
	}
}

func TestUpcast(t *testing.T) {
	p := orders(t)
	m := p.Get()
	defer p.Put(m)
	decl, _ := p.Event("moved", 1)
	if err := m.DecodeEvent(decl, []byte(`{"cents":150}`), false); err != nil {
		t.Fatal(err)
	}
	current, vals, out := m.Upcast(decl, ctxOf(7))
	if out.Kind != vm.Accepted {
		t.Fatal(out)
	}
	if got, want := string(p.AppendEventPayload(nil, current, vals)), `{"amount":1.50,"by":"v7"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestDerived(t *testing.T) {
	p := orders(t)
	m := p.Get()
	defer p.Put(m)
	state, _ := p.DecodeState([]byte(`{"lines":{"a":{"sku":"a","quantity":1},"b":{"sku":"b","quantity":1}},"total":3}`))
	got, out := m.AppendDerived(nil, state, value.Encoder{})
	if want := `{"count":2,"share":1.50}`; string(got) != want || out.Kind != vm.Accepted {
		t.Errorf("got %s %+v, want %s", got, out, want)
	}
	got, out = m.AppendDerived(nil, p.NewState(), value.Encoder{NumbersAsStrings: true})
	if want := `{"count":"0","share":null}`; string(got) != want || out.Fault != value.DivisionByZero || out.Rule != "derive share" {
		t.Errorf("got %s %+v, want %s", got, out, want)
	}
}

func TestInvariantsOfAState(t *testing.T) {
	p := orders(t)
	m := p.Get()
	defer p.Put(m)
	state, _ := p.DecodeState([]byte(`{"total":3}`))
	if out := m.Invariants(state, state); out.Kind != vm.Accepted || out.Gas == 0 {
		t.Errorf("got %+v", out)
	}
	old, _ := p.DecodeState([]byte(`{"total":4}`))
	out := m.Invariants(state, old)
	if out.Code != "invariant_violated" || !strings.Contains(out.Message, "grows") || !strings.Contains(out.Message, "old.total is 4") {
		t.Errorf("got %+v", out)
	}
}

// TestMachinesAreAlike runs a series of commands on one machine, on a new machine for each, and
// on two in turn: nothing that one command leaves behind shows in the next.
func TestMachinesAreAlike(t *testing.T) {
	p := orders(t)
	series := []struct{ name, payload string }{
		{"note", `{"text":"a"}`}, {"add", `{"line":{"sku":"a","quantity":2,"price":1.50},"times":3}`}, {"back", `{"amount":-5}`},
		{"spin", `{"n":100000}`}, {"both", `{"amount":0.25}`}, {"note", `{"text":""}`}, {"odd", `{"n":0}`}, {"back", `{"amount":12345678901234567890}`},
		{"add", `{"line":{"sku":"b","quantity":1}}`}, {"note", `{"text":"abcdef"}`}, {"note", `{"text":"z"}`},
	}
	play := func(lend func(i int) *vm.Machine) string {
		state, all := p.NewState(), ""
		for i, c := range series {
			all += tell(t, p, lend(i), state, ctxOf(1), p.Gas(), c.name, c.payload) + "\n"
		}
		return all + string(p.AppendState(nil, state, value.Encoder{}))
	}
	one, two := p.Get(), p.Get()
	want := play(func(int) *vm.Machine { return one })
	for name, lend := range map[string]func(i int) *vm.Machine{
		"new for each": func(int) *vm.Machine { p.Put(p.Get()); return p.Get() },
		"two in turn":  func(i int) *vm.Machine { return []*vm.Machine{one, two}[i%2] },
	} {
		if got := play(lend); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
		}
	}
}
