package report

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"pgregory.net/rapid"

	"github.com/cloudlysis/aggregate/dsl"
	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/value"
	"github.com/cloudlysis/aggregate/engine/vm"
)

// TestVerdictsHold runs random commands on random states on the real machine and holds what
// happens against the matrix and the graph of every status field: an accepted cell is never
// refused, a refused one never accepted, codes, events and moves are those that were told.
func TestVerdictsHold(t *testing.T) {
	for _, path := range archives(t) {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		src := sourceOf(t, path, archive)
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			r := dsl.Compile([]dsl.Source{{Path: "in.agg", Text: src}}, dsl.Options{})
			if !r.OK {
				t.Fatal("the manifest does not compile")
			}
			for _, p := range r.Programs {
				newLaw(t, p).check(t)
			}
		})
	}
}

// law holds one aggregate's reports against its program.
type law struct {
	agg  *check.Aggregate
	prog *vm.Program
	byOf []view
	seen map[string]int // outcomes by command and verdict, so that the law is not empty
}

// view is what is told about one status field; field -1 is none.
type view struct {
	field  int
	matrix *Matrix
	graph  *Graph
}

func newLaw(t *testing.T, p *dsl.Program) *law {
	t.Helper()
	prog, err := vm.Load(p.Program)
	if err != nil {
		t.Fatal(err)
	}
	l := &law{agg: p.Aggregate, prog: prog, seen: map[string]int{}}
	for _, name := range append([]string{""}, StatusFields(p.Aggregate)...) {
		m, err := NewMatrix(p.Aggregate, name)
		if err != nil {
			t.Fatal(err)
		}
		v := view{field: -1, matrix: m}
		if at, _ := fieldNamed(p.Aggregate, name); at >= 0 {
			v.field, v.graph = at, newGraph(p.Aggregate, at)
		}
		l.byOf = append(l.byOf, v)
	}
	return l
}

// check runs the law and looks whether enough was tried.
func (l *law) check(t *testing.T) {
	l.run(t)
	tried := map[string]bool{}
	for what := range l.seen {
		name, _, _ := strings.Cut(what, " ")
		tried[name] = true
	}
	if len(tried)*2 < len(l.agg.Commands) {
		t.Errorf("only %v was tried", l.seen)
	}
	t.Logf("%d different outcomes", len(l.seen))
}

func (l *law) run(t *testing.T) {
	t.Helper()
	rapid.Check(t, func(t *rapid.T) {
		m := l.prog.Get()
		defer l.prog.Put(m)
		born := rapid.Bool().Draw(t, "born")
		state := l.prog.NewState()
		if born && rapid.Bool().Draw(t, "random") {
			for i, f := range l.agg.State {
				state[i] = gen(t, f.Type)
			}
			if out := m.Invariants(state, state); out.Kind != vm.Accepted {
				t.Skip("no such state")
			}
		} else if born && hasBirth(l.agg) {
			born = false // an initial state of an aggregate that is not born yet
		}
		for range rapid.IntRange(1, 8).Draw(t, "steps") {
			if l.step(t, m, state, born) {
				born = true
			}
		}
	})
}

// step runs one command; it tells whether an event was stored.
func (l *law) step(t *rapid.T, m *vm.Machine, state []value.V, born bool) bool {
	c := rapid.SampledFrom(l.agg.Commands).Draw(t, "command")
	cmd, _ := l.prog.Command(c.Name)
	vals := make([]value.V, len(c.Fields))
	for i, f := range c.Fields {
		vals[i] = gen(t, f.Type)
	}
	if errs := m.SetCommand(cmd, vals); errs != nil {
		return false
	}
	roles := l.roles(t, c)
	ctx := vm.Ctx{Now: value.MakeInt(1e18), AggregateID: gen(t, value.UUIDType), CommandID: gen(t, value.UUIDType), Roles: roles}
	before := slices.Clone(state)
	out := m.Decide(cmd, state, &ctx, born, 100_000)
	if out.Kind == vm.Faulted {
		return false
	}
	var events []string
	if out.Kind == vm.Accepted {
		for i := range m.Events() {
			name, _ := m.EventName(i)
			events = append(events, name)
		}
		m.Store(cmd, state)
	}
	l.seen[c.Name+" "+out.Code]++
	for i := range l.byOf {
		l.byOf[i].hold(t, l.agg, c, before, state, born, out, events)
	}
	return len(events) > 0
}

// roles is a set that holds one of the roles that the command asks for, and perhaps others.
func (l *law) roles(t *rapid.T, c *check.Command) value.V {
	set := value.V{}
	typ := &value.Type{Kind: value.Set, Elem: value.StringType}
	if len(c.By) > 0 {
		set = value.SetAdd(typ, set, value.MakeString(rapid.SampledFrom(c.By).Draw(t, "role")))
	}
	for _, r := range l.agg.Roles {
		if rapid.Bool().Draw(t, "has "+r) {
			set = value.SetAdd(typ, set, value.MakeString(r))
		}
	}
	return set
}

// hold compares what happened with what a view tells.
func (v *view) hold(t *rapid.T, a *check.Aggregate, c *check.Command, before, after []value.V, born bool, out vm.Outcome, events []string) {
	at := 0
	if v.field >= 0 {
		at = int(before[v.field].Int())
	}
	if hasBirth(a) && born {
		at++
	} else if hasBirth(a) {
		at = 0
	}
	row := v.matrix.Rows[slices.IndexFunc(v.matrix.Rows, func(r Row) bool { return r.Command == c.Name })]
	cell := &row.Cells[at]
	fail := func(what string) {
		t.Fatalf("%s by %s: %s in %s is told to be %q, events %v, codes %v, but %s\n%s\ncode %q, events %v",
			a.Name, v.matrix.Field, c.Name, cell.Status, cell.short(), cell.Events, cell.Codes, what, cell.note(), out.Code, events)
	}
	if out.Kind == vm.Rejected {
		if cell.Verdict == Accepted || !slices.Contains(cell.Codes, out.Code) {
			fail("was refused")
		}
		return
	}
	if cell.Verdict == Refused {
		fail("was accepted")
	}
	if len(events) == 0 && !cell.Nothing {
		fail("emitted nothing")
	}
	for _, e := range events {
		if !slices.ContainsFunc(cell.Events, func(h Happening) bool { return h.Event == e }) {
			fail("emitted " + e)
		}
	}
	for _, h := range cell.Events {
		n := 0
		for _, e := range events {
			if e == h.Event {
				n++
			}
		}
		if n > 1 && !h.Many || n == 0 && !h.Maybe {
			fail("emitted another number of " + h.Event)
		}
	}
	if v.graph != nil && len(events) > 0 && !v.leads(c.Name, before[v.field].Int(), after[v.field].Int(), born) {
		fail("moved to " + v.graph.Nodes[after[v.field].Int()].Name)
	}
}

// leads tells whether edges of a command lead from one member to another.
func (v *view) leads(command string, from, to int64, born bool) bool {
	reached := map[int]bool{int(from): true}
	if !born && v.graph.Edges[0].From < 0 && len(v.graph.Edges[0].Labels) > 0 {
		reached = map[int]bool{-1: true}
	}
	for range v.graph.Nodes {
		for _, e := range v.graph.Edges {
			if reached[e.From] && slices.ContainsFunc(e.Labels, func(l Label) bool { return l.Command == command }) {
				reached[e.To] = true
			}
		}
	}
	return reached[int(to)]
}

// gen draws a small value of t, so that equal ones are frequent.
func gen(t *rapid.T, typ *value.Type) value.V {
	n := func(max int) int { return rapid.IntRange(0, max).Draw(t, typ.Kind.String()) }
	switch typ.Kind {
	case value.Bool:
		return value.MakeInt(int64(n(1)))
	case value.Enum:
		return value.MakeInt(int64(n(len(typ.Enum.Members) - 1)))
	case value.Int:
		return value.MakeInt(int64(n(12)) - 2)
	case value.Decimal:
		return value.DecimalFromInt(int64(n(12)) - 2)
	case value.String:
		return value.MakeString([]string{"", "a", "ABCD", "bb"}[n(3)])
	case value.Duration:
		return value.MakeInt(int64(n(3)) * 3600e9)
	case value.UUID:
		return value.MakeUUID([16]byte{15: byte(n(3))})
	case value.JSON:
		return value.MakeString([]string{"1", "{}", `"x"`}[n(2)])
	case value.Optional:
		if n(1) == 0 {
			return value.None
		}
		return gen(t, typ.Elem)
	case value.Record:
		fields := make([]value.V, len(typ.Record.Fields))
		for i, f := range typ.Record.Fields {
			fields[i] = gen(t, f.Type)
		}
		return value.MakeRecord(fields)
	case value.List, value.Set, value.Map:
		return genRows(t, typ, n(2))
	}
	return value.MakeInt(int64(n(3))) // times and dates
}

func genRows(t *rapid.T, typ *value.Type, n int) value.V {
	v := value.V{}
	for range n {
		switch typ.Kind {
		case value.List:
			v = value.ListAppend(typ, v, gen(t, typ.Elem))
		case value.Set:
			v = value.SetAdd(typ, v, gen(t, typ.Elem))
		case value.Map:
			v = value.MapSet(typ, v, gen(t, typ.Key), gen(t, typ.Elem))
		}
	}
	return v
}
