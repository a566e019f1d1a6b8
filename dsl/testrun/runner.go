package testrun

import (
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/compile"
	"github.com/cloudlysis/aggregate/dsl/value"
	"github.com/cloudlysis/aggregate/engine/vm"
)

// The defaults of ruling 81: the time is DefaultNow, the aggregate's id DefaultID, and command n
// of a test has CommandID(n).
var (
	DefaultNow = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	DefaultID  = [16]byte{6: 0x70, 8: 0x80, 15: 0xAA}
)

// CommandID is the id of step n, from 1, of those that give an event or send a command.
func CommandID(n int) [16]byte {
	id := [16]byte{6: 0x70, 8: 0x80}
	binary.BigEndian.PutUint32(id[12:], uint32(n))
	return id
}

// runner runs one test on one machine.
type runner struct {
	p   *vm.Program
	m   *vm.Machine
	res *Result
	opt *Options

	state   []value.V
	version int64
	ctx     vm.Ctx
	n       int  // commands and events so far
	fixedID bool // `as` says the command's id
	rounds  []string
	cmd     *command // the last one; nil before the first
	last    command
	buf     []byte
	rec     *recorder // nil unless coverage is asked for
}

// command is what became of the last command, and how far its `then`s have been judged.
type command struct {
	step   *compile.TestStep
	errs   []value.FieldError
	out    vm.Outcome
	emits  int  // `then emit`s so far
	failed bool // its outcome is another; nothing more is to be learned from it
	order  bool // its events are others
}

func (c *command) accepted() bool { return c.errs == nil && c.out.Kind == vm.Accepted }

func newRunner(p *vm.Program, m *vm.Machine, res *Result, opt *Options) *runner {
	r := &runner{p: p, m: m, res: res, opt: opt, state: p.NewState()}
	r.ctx.Now, _ = value.TimeOf(DefaultNow)
	r.ctx.AggregateID = value.MakeUUID(DefaultID)
	r.ctx.CommandID = value.MakeUUID(CommandID(1))
	return r
}

// steps takes steps in order; it is false when the test is over.
func (r *runner) steps(list []compile.TestStep) bool {
	for i := range list {
		s := &list[i]
		switch src := s.Source.(type) {
		case *check.When:
			if !r.settle() || !r.when(s, r.rec != nil || saysOutcome(list[i+1:])) {
				return false
			}
		case *check.Repeat:
			if !r.repeat(s, src.N) {
				return false
			}
		default:
			if !r.step(s) {
				return false
			}
		}
	}
	return true
}

// saysOutcome tells whether a `then` of the command before list says how it ends (ruling 82).
func saysOutcome(list []compile.TestStep) bool {
	for i := range list {
		switch list[i].Source.(type) {
		case *check.ThenEmit, *check.ThenNothing, *check.ThenReject, *check.ThenInvalid, *check.ThenFault:
			return true
		case *check.When, *check.Repeat:
			return false
		}
	}
	return false
}

func (r *runner) repeat(s *compile.TestStep, n int) bool {
	for i := range n {
		r.rounds = append(r.rounds, fmt.Sprintf("round %d of %d", i+1, n))
		ok := r.steps(s.Steps) && r.settle()
		r.rounds = r.rounds[:len(r.rounds)-1]
		if !ok {
			return false
		}
	}
	return true
}

// step takes a step other than `when` and `repeat`.
func (r *runner) step(s *compile.TestStep) bool {
	switch src := s.Source.(type) {
	case *check.GivenState:
		return r.givenState(s)
	case *check.GivenEvent:
		return r.givenEvent(s, src)
	case *check.AtStep:
		r.ctx.Now, _ = value.TimeOf(src.Now)
	case *check.AsStep:
		return r.as(s)
	case *check.LetStep:
		return r.eval(s)
	default:
		if r.rec == nil {
			r.then(s)
		}
	}
	return true
}

// eval runs the step's chunk, whose slots can then be read; false: it faulted, and that is told.
func (r *runner) eval(s *compile.TestStep) bool {
	if s.Eval.Chunk == bytecode.NoChunk {
		return true
	}
	e := s.Eval
	if e.Result == bytecode.NoSlot {
		e.Result = 0
	}
	if _, out := r.m.Eval(e, r.state, &r.ctx); out.Kind == vm.Faulted {
		f := r.fault(&out)
		r.fail(s, Failure{Want: "a value", Got: f.String(), Fault: f})
		return false
	}
	return true
}

func (r *runner) value(p *compile.TestPart) value.V {
	if p.Known {
		return p.Value
	}
	return r.m.Slot(p.Slot)
}

func (r *runner) values(parts []compile.TestPart) []value.V {
	out := make([]value.V, len(parts))
	for i := range parts {
		out[i] = r.value(&parts[i])
	}
	return out
}

// next gives the next command or event its id.
func (r *runner) next() {
	r.n++
	if !r.fixedID {
		r.ctx.CommandID = value.MakeUUID(CommandID(r.n))
	}
}

func (r *runner) givenState(s *compile.TestStep) bool {
	if !r.eval(s) {
		return false
	}
	state := r.values(s.Parts)
	for i, f := range r.p.State() {
		if !value.CheckBound(f.Type, state[i]) {
			r.fail(s, Failure{Want: "a state within its bounds", Got: f.Name + " is over its bound " + f.Type.String()})
			return false
		}
	}
	switch out := r.m.Invariants(state, state); out.Kind {
	case vm.Rejected:
		r.fail(s, Failure{Want: "a state that can be", Got: out.Message})
		return false
	case vm.Faulted:
		f := r.fault(&out)
		r.fail(s, Failure{Want: "a state that can be", Got: f.String(), Fault: f})
		return false
	}
	r.state, r.version = state, 1
	return true
}

func (r *runner) givenEvent(s *compile.TestStep, src *check.GivenEvent) bool {
	r.next()
	r.ctx.Version = value.MakeInt(r.version + 1)
	if !r.eval(s) {
		return false
	}
	r.buf = r.p.AppendEventPayload(r.buf[:0], s.Event, r.values(s.Parts))
	if err := r.m.DecodeEvent(s.Event, r.buf, false); err != nil {
		r.fail(s, Failure{Want: "an event that can be stored", Got: err.Error()})
		return false
	}
	r.trace(true)
	out := r.m.Apply(r.state, s.Event, &r.ctx, -1)
	r.trace(false)
	if out.Kind == vm.Faulted {
		f := r.fault(&out)
		r.fail(s, Failure{Want: src.Event.Name + " applied", Got: f.String(), Fault: f})
		return false
	}
	r.version++
	r.ctx.Version = value.MakeInt(r.version)
	return true
}

// as replaces the whole of ctx but the time (ruling 81).
func (r *runner) as(s *compile.TestStep) bool {
	if !r.eval(s) {
		return false
	}
	part := func(i int, otherwise value.V) value.V {
		if s.Parts[i].Absent {
			return otherwise
		}
		return r.value(&s.Parts[i])
	}
	r.ctx.Roles = part(0, value.V{})
	r.ctx.Meta = part(1, value.V{})
	r.ctx.Tenant = part(2, value.V{})
	r.ctx.AggregateID = part(3, value.MakeUUID(DefaultID))
	r.ctx.CommandID = part(4, value.MakeUUID(CommandID(max(r.n, 1))))
	r.fixedID = !s.Parts[4].Absent
	return true
}

// when runs a command. Told says that a `then` speaks of its outcome; otherwise it is to be
// accepted.
func (r *runner) when(s *compile.TestStep, told bool) bool {
	r.next()
	r.ctx.Version = value.MakeInt(r.version)
	if !r.eval(s) {
		return false
	}
	r.last = command{step: s}
	r.cmd = &r.last
	r.decide(s)
	r.res.Gas += r.cmd.out.Gas
	if !told && !r.cmd.accepted() {
		r.failOutcome(s, "accepted")
	}
	return true
}

func (r *runner) decide(s *compile.TestStep) {
	c := r.cmd
	r.buf = value.AppendFields(r.buf[:0], r.p.CommandDecl(s.Command).Fields, r.values(s.Parts))
	if c.errs = r.m.DecodeCommand(s.Command, r.buf); c.errs != nil {
		return
	}
	gas := r.p.Gas()
	if r.rec != nil {
		gas = r.rec.gas(gas)
		r.rec.sent(s.Command, r.state, r.version > 0)
		r.trace(true)
	}
	c.out = r.m.Decide(s.Command, r.state, &r.ctx, r.version > 0, gas)
	if r.rec != nil {
		r.trace(false)
		r.rec.ended(s.Command, r.m, &c.out)
	}
	if c.out.Kind == vm.Accepted {
		r.m.Store(s.Command, r.state)
		r.version += int64(r.m.Events())
	}
}

// trace has the machine watched, if coverage is asked for.
func (r *runner) trace(on bool) {
	switch {
	case r.rec == nil:
	case on:
		r.m.SetTrace(r.rec.see)
	default:
		r.m.SetTrace(nil)
	}
}

// settle ends the `then`s of the last command: what it emitted has been asked for, or nothing
// was. It is false when the test has failed and ends.
func (r *runner) settle() bool {
	c := r.cmd
	if c == nil {
		return true
	}
	r.cmd = nil
	if !c.failed && !c.order && c.accepted() && c.emits > 0 && c.emits < r.m.Events() {
		var got []string
		for i := c.emits; i < r.m.Events(); i++ {
			got = append(got, r.eventText(i))
		}
		r.fail(c.step, Failure{Want: fmt.Sprintf("exactly %s", count(c.emits, "event")), Got: "also " + strings.Join(got, ", ")})
	}
	return len(r.res.Failures) == 0
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// fail notes that a step failed.
func (r *runner) fail(s *compile.TestStep, f Failure) {
	f.Place = r.opt.place(s.Source.Pos())
	f.Step = oneLine(s.Source.Pos().Text())
	f.Round = strings.Join(r.rounds, ", ")
	r.res.Failures = append(r.res.Failures, f)
}

// failOutcome notes that the command ended otherwise.
func (r *runner) failOutcome(s *compile.TestStep, want string) {
	c := r.cmd
	c.failed = true
	f := Failure{Want: want, Got: r.outcome()}
	if c.errs == nil && c.out.Kind == vm.Faulted {
		f.Fault = r.fault(&c.out)
	}
	r.fail(s, f)
}

func (r *runner) fault(out *vm.Outcome) *Fault {
	return &Fault{Kind: out.Fault.String(), Rule: out.Rule, Place: Place{r.opt.FileName(out.File), out.Line, out.Column}}
}

// outcome is how the last command ended, in words.
func (r *runner) outcome() string {
	c := r.cmd
	switch {
	case c.errs != nil:
		list := make([]string, len(c.errs))
		for i := range c.errs {
			list[i] = c.errs[i].Error()
		}
		return "invalid " + strings.Join(list, "; ")
	case c.out.Kind == vm.Rejected && c.out.Message == "":
		return "reject " + c.out.Code
	case c.out.Kind == vm.Rejected:
		return fmt.Sprintf("reject %s %q", c.out.Code, c.out.Message)
	case c.out.Kind == vm.Faulted:
		return r.fault(&c.out).String()
	case r.m.Events() == 0:
		return "nothing"
	}
	list := make([]string, r.m.Events())
	for i := range list {
		list[i] = r.eventText(i)
	}
	return strings.Join(list, ", ")
}

// eventText is an event of the last command.
func (r *runner) eventText(i int) string {
	name, _ := r.m.EventName(i)
	return "emit " + name + " " + string(r.m.AppendEvent(nil, i))
}

// oneLine puts source text on one line, without its comments' line ends deciding anything.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
