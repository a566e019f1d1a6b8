package compile_test

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cloudlysis/aggregate/dsl"
	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/compile"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/value"
	"github.com/cloudlysis/aggregate/engine/vm"
)

// runTests runs all tests of a compiled set on the machine, as a plain reading of TestPlan.
func runTests(t *testing.T, r *dsl.Result) {
	t.Helper()
	for _, p := range r.Programs {
		// What runs is what was stored: the code goes through its encoding.
		stored, err := bytecode.Decode(bytecode.Encode(p.Program))
		if err != nil {
			t.Fatalf("%s: %v", p.Name, err)
		}
		prog, err := vm.Load(stored)
		if err != nil {
			t.Fatalf("%s: %v", p.Name, err)
		}
		if p.Plan == nil {
			continue
		}
		for i := range p.Plan.Tests {
			tc := &p.Plan.Tests[i]
			t.Run(tc.Source.Name, func(t *testing.T) { runTest(t, prog, tc, compile.GasBounds(p.Aggregate, p.Program)) })
		}
	}
}

func runTest(t *testing.T, prog *vm.Program, tc *compile.TestCase, bounds []compile.GasBound) {
	rows := tc.Source.Rows
	if len(tc.Columns) == 0 {
		rows = [][]value.V{nil}
	}
	for _, row := range rows {
		r := &testRun{t: t, p: prog, bounds: bounds, m: prog.Get(), state: prog.NewState()}
		r.ctx.Now, _ = value.TimeOf(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))
		r.ctx.AggregateID = value.MakeUUID([16]byte{6: 0x70, 8: 0x80, 15: 0xAA})
		for i, s := range tc.Columns {
			r.m.SetSlot(s, row[i])
		}
		r.steps(tc.Steps)
		r.check()
		prog.Put(r.m)
	}
}

type testRun struct {
	t      *testing.T
	p      *vm.Program
	bounds []compile.GasBound
	m      *vm.Machine
	state  []value.V
	ctx    vm.Ctx
	n      uint64

	version int64
	when    bool // a command has been run and its thens are being read
	out     vm.Outcome
	errs    []value.FieldError
	events  []emitted
	wants   []string // of events that thens ask for, matched so far
	told    bool     // a then speaks of the outcome
}

type emitted struct {
	decl int
	vals []value.V
}

func (r *testRun) fail(s check.TestStep, format string, args ...any) {
	pos := s.Pos().StartPosition()
	r.t.Errorf("%s:%d: %s", pos.File, pos.Line, fmt.Sprintf(format, args...))
}

func (r *testRun) steps(list []compile.TestStep) {
	for i := range list {
		r.step(&list[i])
	}
}

func (r *testRun) step(s *compile.TestStep) {
	switch src := s.Source.(type) {
	case *check.GivenState:
		r.state, r.version = r.values(s, s.Parts), 1
	case *check.GivenEvent:
		r.version++
		r.ctx.Version = value.MakeInt(r.version)
		r.m.SetEvent(s.Event, r.values(s, s.Parts))
		if out := r.m.Apply(r.state, s.Event, &r.ctx, -1); out.Kind != vm.Accepted {
			r.fail(src, "given event faults: %v at %s:%d", out.Fault, out.File, out.Line)
		}
	case *check.When:
		r.check()
		r.command(s)
	case *check.ThenEmit:
		r.thenEmit(s)
	case *check.ThenNothing:
		r.told = true
		if r.out.Kind != vm.Accepted || r.errs != nil || len(r.events) > 0 {
			r.fail(src, "got %s, want nothing", r.outcome())
		}
	case *check.ThenReject:
		r.thenReject(s)
	case *check.ThenInvalid:
		r.told = true
		if len(r.errs) == 0 || r.errs[0].Path != src.Path {
			r.fail(src, "got %s, want invalid %s", r.outcome(), src.Path)
		}
	case *check.ThenFault:
		r.told = true
		if r.out.Kind != vm.Faulted || r.out.Fault != src.Fault {
			r.fail(src, "got %s, want fault %s", r.outcome(), src.Fault)
		}
	case *check.ThenGas:
		if limit := src.N; r.out.Gas > limit || r.out.Gas == limit && !src.OrEqual {
			r.fail(src, "got gas %d, want %d", r.out.Gas, limit)
		}
	case *check.ThenCond:
		r.thenCond(s, src)
	case *check.AtStep:
		r.ctx.Now, _ = value.TimeOf(src.Now)
	case *check.AsStep:
		r.as(s)
	case *check.LetStep:
		r.eval(s, s.Eval.Result)
	case *check.Repeat:
		for range src.N {
			r.steps(s.Steps)
		}
	default:
		r.t.Fatalf("unknown step %T", src)
	}
}

// eval runs the step's chunk and reads a slot.
func (r *testRun) eval(s *compile.TestStep, slot uint16) value.V {
	v, out := r.m.Eval(bytecode.Eval{Chunk: s.Eval.Chunk, Result: slot, Reads: s.Eval.Reads}, r.state, &r.ctx)
	if out.Kind != vm.Accepted {
		r.fail(s.Source, "the step faults: %s at %s:%d", out.Fault, out.File, out.Line)
	}
	return v
}

func (r *testRun) value(s *compile.TestStep, p *compile.TestPart) value.V {
	if p.Known {
		return p.Value
	}
	return r.eval(s, p.Slot)
}

func (r *testRun) values(s *compile.TestStep, parts []compile.TestPart) []value.V {
	out := make([]value.V, len(parts))
	for i := range parts {
		out[i] = r.value(s, &parts[i])
	}
	return out
}

func (r *testRun) command(s *compile.TestStep) {
	r.n++
	id := [16]byte{6: 0x70, 8: 0x80}
	binary.BigEndian.PutUint32(id[12:], uint32(r.n))
	r.ctx.CommandID = value.MakeUUID(id)
	r.ctx.Version = value.MakeInt(r.version)
	vals := r.values(s, s.Parts)
	r.when, r.told, r.wants = true, false, nil
	r.events, r.out = nil, vm.Outcome{}
	if r.errs = r.m.SetCommand(s.Command, vals); r.errs != nil {
		return
	}
	r.out = r.m.Decide(s.Command, r.state, &r.ctx, r.version > 0, r.p.Gas())
	if b := r.bounds[s.Command]; b.Gas >= 0 && r.out.Gas > b.Gas {
		r.fail(s.Source, "%s takes %d gas, its bound is %d", b.Command, r.out.Gas, b.Gas)
	}
	if r.out.Kind != vm.Accepted {
		return
	}
	for i := range r.m.Events() {
		decl, vals := r.m.Event(i)
		r.events = append(r.events, emitted{decl, append([]value.V(nil), vals...)})
	}
	r.m.Store(s.Command, r.state)
	r.version += int64(len(r.events))
}

// check ends the thens of a command: all events have been asked for, or none.
func (r *testRun) check() {
	if !r.when {
		return
	}
	r.when = false
	switch {
	case !r.told && r.errs == nil && r.out.Kind == vm.Accepted:
	case !r.told:
		r.t.Errorf("got %s, want it accepted", r.outcome())
	case len(r.wants) > 0 && len(r.wants) != len(r.events):
		r.t.Errorf("got %s, want %d events", r.outcome(), len(r.wants))
	}
}

func (r *testRun) outcome() string {
	switch {
	case r.errs != nil:
		return "invalid " + r.errs[0].Error()
	case r.out.Kind == vm.Rejected:
		return fmt.Sprintf("reject %s %q", r.out.Code, r.out.Message)
	case r.out.Kind == vm.Faulted:
		return fmt.Sprintf("fault %s in %s at %s:%d", r.out.Fault, r.out.Rule, r.out.File, r.out.Line)
	}
	var b strings.Builder
	for _, e := range r.events {
		fmt.Fprintf(&b, " emit %s %s", r.p.EventDecl(e.decl).Name, r.p.AppendEventPayload(nil, e.decl, e.vals))
	}
	return "accepted" + b.String()
}

func (r *testRun) thenEmit(s *compile.TestStep) {
	i := len(r.wants)
	r.told = true
	r.wants = append(r.wants, r.p.EventDecl(s.Event).Name)
	if i >= len(r.events) || r.events[i].decl != s.Event {
		r.fail(s.Source, "got %s, want emit %s there", r.outcome(), r.wants[i])
		return
	}
	for f := range s.Want {
		if !r.fits(s, &s.Want[f], r.events[i].vals[f]) {
			r.fail(s.Source, "got %s, field %s differs", r.outcome(), r.p.EventDecl(s.Event).Fields[f].Name)
		}
	}
}

func (r *testRun) fits(s *compile.TestStep, w *compile.TestWant, v value.V) bool {
	switch {
	case w.Blank:
		return true
	case !w.Deep:
		return value.Equal(w.Type, v, r.value(s, &w.Part))
	case w.Type.Kind == value.Record:
		for i := range w.Parts {
			if !r.fits(s, &w.Parts[i], v.Field(i)) {
				return false
			}
		}
		return true
	}
	if v.Len() != len(w.Parts) {
		return false
	}
	for i := range w.Parts {
		if !r.fits(s, &w.Parts[i], value.ElemAt(w.Type, v, i)) {
			return false
		}
	}
	return true
}

func (r *testRun) thenReject(s *compile.TestStep) {
	r.told = true
	code := r.value(s, &s.Parts[0]).Str()
	if r.errs != nil || r.out.Kind != vm.Rejected || r.out.Code != code {
		r.fail(s.Source, "got %s, want reject %s", r.outcome(), code)
		return
	}
	if m := &s.Parts[1]; !m.Absent && r.value(s, m).Str() != r.out.Message {
		r.fail(s.Source, "got %s, want message %q", r.outcome(), r.value(s, m).Str())
	}
}

func (r *testRun) thenCond(s *compile.TestStep, src *check.ThenCond) {
	if r.eval(s, s.Eval.Result).Bool() {
		return
	}
	var b strings.Builder
	for i := range s.Shown {
		v, _ := r.m.Eval(s.Shown[i].Eval, r.state, &r.ctx)
		fmt.Fprintf(&b, ", %s is %s", s.Shown[i].Text, value.AppendJSON(nil, s.Shown[i].Type, v))
	}
	r.fail(src, "%s does not hold%s; %s", src.Text, b.String(), r.outcome())
}

func (r *testRun) as(s *compile.TestStep) {
	set := func(to *value.V, i int) {
		*to = value.V{}
		if !s.Parts[i].Absent {
			*to = r.value(s, &s.Parts[i])
		}
	}
	set(&r.ctx.Roles, 0)
	set(&r.ctx.Meta, 1)
	set(&r.ctx.Tenant, 2)
	if !s.Parts[3].Absent {
		set(&r.ctx.AggregateID, 3)
	}
	if !s.Parts[4].Absent {
		set(&r.ctx.CommandID, 4)
	}
}

// mustCompile compiles sources without errors.
func mustCompile(t testing.TB, r *dsl.Result) *dsl.Result {
	t.Helper()
	for _, d := range r.Diagnostics {
		if d.Severity == diag.Error {
			pos := d.Span.StartPosition()
			t.Errorf("%s:%d:%d: %s %s (%s)", pos.File, pos.Line, pos.Column, d.Code, d.Message, d.Hint)
		}
	}
	if !r.OK {
		t.FailNow()
	}
	return r
}
