package compile

import (
	"fmt"

	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// TestPlan tells how the tests of one aggregate are run with its program: no expression is left
// to evaluate but by the chunks that it names.
//
// A test is run on one machine, which keeps the frame from step to step: the runner puts the
// values of a row into the slots of Columns, then takes the steps in order. Where a step has
// chunks it runs them as bytecode.Eval says, on the state and ctx of the moment, and reads the
// slots that the step names before it runs anything else. Slots of columns and lets are the
// test's own and stay as they are whatever else the machine runs.
type TestPlan struct{ Tests []TestCase }

// TestCase is one test; its rows are those of Source.
type TestCase struct {
	Source  *check.Test
	Columns []uint16 // slot of each column
	Steps   []TestStep
}

// TestStep is one step. What Source is tells which of the fields are in use.
type TestStep struct {
	Source check.TestStep
	// Eval computes all Parts that are not known, and Result; its Chunk is NoChunk when there
	// is nothing to compute. Result is: of a ThenCond the bool, of a LetStep the let's own slot.
	Eval bytecode.Eval
	// Event of GivenEvent and ThenEmit, Command of When: index into the program's tables.
	Event, Command int
	// Parts are the values of the step: of GivenEvent and When those of the event's or
	// command's fields, of GivenState those of all state fields, of ThenReject code and message,
	// of AsStep roles, meta, tenant, aggregate id, command id.
	Parts []TestPart
	// Want are what the fields of a ThenEmit are compared with.
	Want []TestWant
	// Shown are the operands of a ThenCond, to be run when it fails. A value that is known is
	// left out, since its text shows it.
	Shown []TestShown
	// Steps of a Repeat.
	Steps []TestStep
}

// TestPart is one value: known, or in Slot after the step's chunk has run. Absent tells that
// the test does not say: the default of an AsStep, the message of a ThenReject.
type TestPart struct {
	Type   *value.Type
	Absent bool
	Known  bool
	Value  value.V
	Slot   uint16
}

// TestWant is what a value is compared with: anything (Blank), a value, or part by part, of a
// record by field, of a list by element, of a map by Keys.
type TestWant struct {
	Blank bool
	Type  *value.Type
	Part  TestPart
	Parts []TestWant // in use when not Blank and Deep
	Deep  bool
	Keys  []TestPart
}

// TestShown is an operand of a condition.
type TestShown struct {
	Text  string
	Type  *value.Type
	Bound bool // as of check.Shown
	bytecode.Eval
}

// tests lowers the steps of all tests.
func (c *compiler) tests(list []*check.Test) *TestPlan {
	plan := &TestPlan{}
	for _, t := range list {
		tc := &testCompiler{c: c, test: t, locals: map[*check.Local]operand{}}
		out := TestCase{Source: t}
		for _, col := range t.Columns {
			out.Columns = append(out.Columns, c.slot(tc.local(col)))
		}
		out.Steps = tc.steps(t.Steps)
		for _, s := range tc.own {
			c.testPool.give(s)
		}
		plan.Tests = append(plan.Tests, out)
	}
	return plan
}

// testCompiler lowers one test. Its columns and lets come from a pool that only tests use, one
// after another.
type testCompiler struct {
	c      *compiler
	test   *check.Test
	locals map[*check.Local]operand
	own    []window
	n      int
}

func (t *testCompiler) local(l *check.Local) operand {
	w := t.c.testPool.take(t.c, t.c.types.of(l.Type))
	t.own = append(t.own, w)
	t.locals[l] = w.base
	return w.base
}

func (t *testCompiler) steps(list []check.TestStep) []TestStep {
	out := make([]TestStep, 0, len(list))
	for _, s := range list {
		t.n++
		out = append(out, t.step(s))
	}
	return out
}

func (t *testCompiler) step(s check.TestStep) TestStep {
	out := TestStep{Source: s, Eval: bytecode.Eval{Chunk: bytecode.NoChunk, Result: bytecode.NoSlot}}
	w := t.writer(s)
	switch s := s.(type) {
	case *check.GivenEvent:
		out.Event = t.c.events[s.Event]
		out.Parts = w.make(s.Make)
	case *check.GivenState:
		out.Parts = w.make(s.Make)
	case *check.When:
		out.Command = t.c.commands[s.Command]
		w.loose = true // what is over its bound is refused by validation, as from a caller (rulings 44, 115)
		out.Parts = w.make(s.Make)
	case *check.ThenEmit:
		out.Event = t.c.events[s.Event]
		for _, want := range s.Want {
			out.Want = append(out.Want, w.want(want))
		}
	case *check.ThenReject:
		out.Parts = []TestPart{w.part(s.Code), w.part(s.Message)}
	case *check.AsStep:
		out.Parts = []TestPart{w.part(s.Roles), w.part(s.Meta), w.part(s.Tenant), w.part(s.AggregateID), w.part(s.CommandID)}
	case *check.ThenCond:
		out.Eval.Result = w.result(s.Cond)
		out.Shown = t.shown(s.Shown)
	case *check.LetStep:
		dst := t.local(s.Local)
		w.builder().store(s.Value, dst)
		out.Eval.Result = t.c.slot(dst)
	case *check.Repeat:
		out.Steps = t.steps(s.Steps)
	}
	w.finish(&out.Eval)
	return out
}

func (t *testCompiler) shown(list []check.Shown) []TestShown {
	var out []TestShown
	for _, s := range list {
		if _, ok := s.Value.(*check.Const); ok {
			continue
		}
		sh := TestShown{Text: s.Text, Type: s.Value.Type(), Bound: s.Bound}
		sh.Eval, _ = t.c.value(t.name()+" shows "+s.Text, s.Value, func(b *builder) { t.open(b) })
		t.c.evals = append(t.c.evals, sh.Eval)
		out = append(out, sh)
	}
	return out
}

func (t *testCompiler) name() string { return fmt.Sprintf("test %q step %d", t.test.Name, t.n) }

func (t *testCompiler) open(b *builder) {
	for l, o := range t.locals {
		b.locals[l] = o
	}
}

// stepWriter writes the chunk of one step, if it turns out to need one.
type stepWriter struct {
	t     *testCompiler
	s     check.TestStep
	b     *builder
	loose bool // see builder
}

func (t *testCompiler) writer(s check.TestStep) *stepWriter { return &stepWriter{t: t, s: s} }

func (w *stepWriter) builder() *builder {
	if w.b == nil {
		w.b = w.t.c.builder(w.t.name(), w.t.c.rootPool)
		w.b.pure, w.b.span, w.b.loose = true, w.s.Pos(), w.loose
		w.t.open(w.b)
	}
	return w.b
}

// finish ends the chunk and gives its slots back.
func (w *stepWriter) finish(to *bytecode.Eval) {
	if w.b == nil {
		return
	}
	c := w.t.c
	w.b.op(bytecode.OpRet, 0, 0, 0)
	w.b.release(0)
	w.b.leave(0)
	chunk := c.reserve()
	c.finish(w.b, chunk)
	to.Chunk, to.Reads = uint16(chunk), w.b.uses.reads.list()
	ev := *to
	if ev.Result == bytecode.NoSlot {
		ev.Result = c.slot(c.nothing())
	}
	c.evals = append(c.evals, ev)
}

func (w *stepWriter) make(m check.Make) []TestPart {
	if m.Spread != nil {
		b := w.builder()
		b.locals[m.SpreadLocal] = b.eval(m.Spread)
	}
	out := make([]TestPart, len(m.Fields))
	for i, f := range m.Fields {
		out[i] = w.part(f)
	}
	return out
}

// part is one value; nil is absent.
func (w *stepWriter) part(e check.Expr) TestPart {
	if e == nil {
		return TestPart{Absent: true}
	}
	if k, ok := e.(*check.Const); ok {
		return TestPart{Type: k.T, Known: true, Value: k.Value}
	}
	return TestPart{Type: e.Type(), Slot: w.result(e)}
}

// result computes e into a slot that stays until the step's chunk has run.
func (w *stepWriter) result(e check.Expr) uint16 {
	b := w.builder()
	dst := b.temp(e.Type())
	b.evalTo(e, dst)
	return w.t.c.slot(dst)
}

func (w *stepWriter) want(x *check.Want) TestWant {
	out := TestWant{Blank: x.Blank, Type: x.Type}
	switch {
	case x.Blank:
	case x.Value != nil:
		out.Part = w.part(x.Value)
	default:
		out.Deep = true
		for _, p := range x.Parts {
			out.Parts = append(out.Parts, w.want(p))
		}
		for _, k := range x.Keys {
			out.Keys = append(out.Keys, w.part(k))
		}
	}
	return out
}

// relocate makes final slots of the plan's.
func (p *TestPlan) relocate(move func(*uint16)) {
	for i := range p.Tests {
		for j := range p.Tests[i].Columns {
			move(&p.Tests[i].Columns[j])
		}
		relocateSteps(p.Tests[i].Steps, move)
	}
}

func relocateSteps(list []TestStep, move func(*uint16)) {
	for i := range list {
		s := &list[i]
		move(&s.Eval.Result)
		for j := range s.Parts {
			s.Parts[j].relocate(move)
		}
		relocateWants(s.Want, move)
		for j := range s.Shown {
			move(&s.Shown[j].Result)
		}
		relocateSteps(s.Steps, move)
	}
}

func (p *TestPart) relocate(move func(*uint16)) {
	if !p.Known && !p.Absent {
		move(&p.Slot)
	}
}

func relocateWants(list []TestWant, move func(*uint16)) {
	for i := range list {
		w := &list[i]
		if !w.Blank && !w.Deep {
			w.Part.relocate(move)
		}
		relocateWants(w.Parts, move)
		for j := range w.Keys {
			w.Keys[j].relocate(move)
		}
	}
}
