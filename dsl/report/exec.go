package report

import (
	"slices"
	"strings"

	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// maxSteps bounds one run. Functions and guards without cycles can still be exponential
// (ruling 88); past the bound nothing more is known and the run says that it depends.
const maxSteps = 50_000

// machine runs rules on what is known of a state.
type machine struct {
	agg     *check.Aggregate
	command []value.Field   // of the command
	held    map[string]bool // roles that ctx.roles surely holds
	// follow is the field of the state whose moves are noted, -1 for none.
	follow int

	event []aval // fields of the event being applied
	names map[*check.Local]string
	keys  map[*check.Local]string
	args  map[*check.Local]check.Expr
	ids   map[*check.Local]int
	lets  map[*check.Local]check.Expr
	fns   map[*check.Fn]*fact // what functions read
	ctx   []string            // the conditions around the statement, outermost first
	where []string            // what names in ctx stand for
	mute  int                 // above 0 nothing is noted: a loop is being tried
	steps int
	fn    *fnRun

	out  []Step
	end  []*world // where the rule ends accepted
	last *world   // of those, where it ends at its last line
}

// fnRun is one call of a function.
type fnRun struct {
	result *value.Type
	value  aval
	any    bool
}

// Step is one thing that can end a command on its way, in the order of the text.
type Step struct {
	// When are the conditions under which it is met at all; the outermost first.
	When []string `json:"when,omitempty"`
	// After are the events that may have been emitted before, so that conditions speak of the
	// state after them.
	After []Happening `json:"after,omitempty"`
	// Refuse is the code; empty when the command ends here accepted.
	Refuse string `json:"refuse,omitempty"`
	// Unless is the condition that lets the command go on, If the one that ends it; at most one
	// is set, and none when it always ends here.
	Unless string `json:"unless,omitempty"`
	If     string `json:"if,omitempty"`
	// Silent tells that no event was emitted before, when the command ends here accepted.
	Silent bool `json:"silent,omitempty"`
	// Where tells what local names in the conditions stand for.
	Where []string `json:"where,omitempty"`
}

func newMachine(a *check.Aggregate, held []string) *machine {
	m := &machine{agg: a, held: map[string]bool{}, follow: -1,
		names: map[*check.Local]string{}, keys: map[*check.Local]string{}, args: map[*check.Local]check.Expr{},
		ids: map[*check.Local]int{}, lets: map[*check.Local]check.Expr{}, fns: map[*check.Fn]*fact{}}
	for _, r := range held {
		m.held[r] = true
	}
	return m
}

// world is a state of which nothing is known.
func (m *machine) world() *world {
	w := &world{locals: map[*check.Local]aval{}, facts: map[string]fact{}, written: make([]bool, len(m.agg.State)), born: true, wasBorn: true}
	for _, f := range m.agg.State {
		w.fields = append(w.fields, unknown(f.Type))
	}
	w.before = slices.Clone(w.fields)
	for _, f := range m.command {
		w.cmd = append(w.cmd, unknown(f.Type))
	}
	return w
}

// initial is the state before the first event.
func (m *machine) initial() *world {
	w := m.world()
	for i := range m.agg.State {
		f := &m.agg.State[i]
		w.fields[i] = exactly(f.Type, value.ZeroField(f))
	}
	w.before = slices.Clone(w.fields)
	w.unborn, w.born, w.wasBorn = true, false, false
	return w
}

// run runs statements and gives the world behind them, nil when no path gets there. It owns w.
func (m *machine) run(stmts []check.Stmt, w *world) *world {
	for _, s := range stmts {
		if m.steps++; m.steps > maxSteps {
			return w
		}
		if w = m.stmt(s, w); w == nil {
			return nil
		}
	}
	return w
}

func (m *machine) stmt(s check.Stmt, w *world) *world {
	switch s := s.(type) {
	case *check.Let:
		v := m.eval(s.Value, w)
		m.lets[s.Local] = s.Value
		w.forgetLocal(s.Local)
		w.locals[s.Local] = v
	case *check.Assign:
		m.assign(s, w)
	case *check.Require:
		return m.require(s, w)
	case *check.RejectStmt:
		m.note(w, Step{Refuse: s.Refusal.Code})
		return nil
	case *check.Check:
		return m.guard(s, w)
	case *check.Emit:
		m.emit(s, w)
	case *check.Return:
		m.returns(s, w)
		return nil
	case *check.IfStmt:
		return m.branch(s, w)
	case *check.Match:
		return m.match(s, w)
	case *check.For:
		return m.loop(s, w)
	}
	return w
}

// note keeps a step with the conditions around it.
func (m *machine) note(w *world, s Step, shown ...string) {
	if m.mute > 0 {
		return
	}
	s.When = slices.Clone(m.ctx)
	s.After = happenings(w.events)
	s.Where = slices.DeleteFunc(unique(append(slices.Clone(m.where), shown...)), s.binds)
	m.out = append(m.out, s)
}

// binds tells whether a condition of s says itself what a name stands for: `x is some name`.
func (s *Step) binds(where string) bool {
	name, _, _ := strings.Cut(where, " = ")
	for _, cond := range append([]string{s.Unless, s.If}, s.When...) {
		if i := strings.Index(cond, " is some "+name); i >= 0 && !strings.HasPrefix(cond[i+len(" is some ")+len(name):], "_") {
			return true
		}
	}
	return false
}

func unique(list []string) []string {
	var out []string
	for _, s := range list {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// under runs f with a condition around it.
func (m *machine) under(cond string, shown []string, f func()) {
	ctx, where := m.ctx, m.where
	m.ctx = append(slices.Clone(ctx), cond)
	m.where = append(slices.Clone(where), shown...)
	f()
	m.ctx, m.where = ctx, where
}

func (m *machine) require(s *check.Require, w *world) *world {
	step := Step{Silent: s.Nothing && len(w.events) == 0}
	if !s.Nothing {
		step.Refuse = s.Refusal.Code
	}
	ends := func() {
		if s.Nothing && m.mute == 0 {
			v := w.clone()
			m.assume(s.Cond, false, v)
			m.end = append(m.end, v)
		}
	}
	switch m.eval(s.Cond, w).truth() {
	case yes:
	case no:
		m.note(w, step)
		ends()
		return nil
	default:
		var shown []string
		if n, ok := s.Cond.(*check.Not); ok {
			step.If, shown = m.residual(n.X, w)
		} else {
			step.Unless, shown = m.residual(s.Cond, w)
		}
		m.note(w, step, shown...)
		ends()
		m.assume(s.Cond, true, w)
	}
	return w
}

// guard runs a guard's body in place, its parameters known by the arguments.
func (m *machine) guard(s *check.Check, w *world) *world {
	for i, p := range s.Guard.Params {
		arg := s.Args[i]
		v, text, key := m.eval(arg, w), m.text(arg), m.key(arg)
		w.forgetLocal(p)
		w.locals[p] = v
		m.names[p], m.keys[p], m.args[p] = text, key, arg
	}
	return m.run(s.Guard.Body, w)
}

func (m *machine) branch(s *check.IfStmt, w *world) *world {
	switch m.eval(s.Cond, w).truth() {
	case yes:
		return m.run(s.Then, w)
	case no:
		return m.run(s.Else, w)
	}
	text, shown := m.residual(s.Cond, w)
	other := w.clone()
	m.assume(s.Cond, true, w)
	m.assume(s.Cond, false, other)
	var a, b *world
	m.under(text, shown, func() { a = m.run(s.Then, w) })
	m.under(not(text), shown, func() { b = m.run(s.Else, other) })
	return m.meet(a, b)
}

// not is the text of the opposite.
func not(text string) string {
	if plain(text) {
		return "not " + text
	}
	return "not (" + text + ")"
}

// loop runs the body until nothing new is learnt, and once more to note what it does.
func (m *machine) loop(s *check.For, w *world) *world {
	if s.Source.X != nil {
		if v := m.eval(s.Source.X, w); v.kind == constant && v.v.Len() == 0 {
			return w
		}
	}
	m.mute++
	for m.steps <= maxSteps {
		next := m.meet(w, m.body(s, w))
		for i := range next.events {
			if slices.Index(w.events, next.events[i]) < 0 {
				next.events[i].many = true
			}
		}
		if m.alike(next, w) {
			break
		}
		w = next
	}
	m.mute--
	if m.steps > maxSteps {
		return w
	}
	names := m.loopNames(&s.Source)
	m.under(loopWord+names+" in "+m.sourceText(&s.Source), nil, func() { m.body(s, w) })
	return w
}

// body runs the body once, for any element.
func (m *machine) body(s *check.For, w *world) *world {
	w = w.clone()
	for _, l := range []*check.Local{s.Source.Key, s.Source.Value} {
		if l != nil {
			w.forgetLocal(l)
			w.locals[l] = unknown(l.Type)
		}
	}
	return m.run(s.Body, w)
}

// loopWord begins the condition that is a loop.
const loopWord = "for any "

func (m *machine) loopNames(s *check.Source) string {
	switch {
	case s.Key != nil && s.Value != nil:
		return s.Key.Name + ", " + s.Value.Name
	case s.Value != nil:
		return s.Value.Name
	case s.Key != nil:
		return s.Key.Name
	}
	return "element"
}

func (m *machine) sourceText(s *check.Source) string {
	if s.Kind == check.OverRange {
		return "range(" + m.text(s.From) + ", " + m.text(s.To) + ")"
	}
	return m.text(s.X)
}

func (m *machine) returns(s *check.Return, w *world) {
	v := m.eval(s.Value, w)
	if m.fn == nil {
		return
	}
	if m.fn.any {
		v = join(m.fn.result, m.fn.value, v)
	}
	m.fn.value, m.fn.any = v, true
}

// call runs a function on a copy of w: it changes nothing but its own locals.
func (m *machine) call(e *check.FnCall, w *world) aval {
	v := w.clone()
	args := make([]aval, len(e.Args))
	for i, a := range e.Args {
		args[i] = m.eval(a, w)
	}
	for i, p := range e.Fn.Params {
		v.locals[p] = args[i]
	}
	outer := m.fn
	m.fn = &fnRun{result: e.Fn.Result}
	m.mute++
	m.run(e.Fn.Body, v)
	m.mute--
	inner := m.fn
	m.fn = outer
	if !inner.any || m.steps > maxSteps {
		return unknown(e.T)
	}
	return inner.value
}
