package report

import (
	"slices"

	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// Verdict is what happens to a valid command.
type Verdict string

// The verdicts.
const (
	Accepted Verdict = "accepted"
	Refused  Verdict = "refused"
	Depends  Verdict = "depends"
)

// Cell is what happens to one command in one status.
type Cell struct {
	Status  string  `json:"status"`
	Verdict Verdict `json:"verdict"`
	// Codes are those that a refusal can have, in the order of the text.
	Codes []string `json:"codes,omitempty"`
	// Events are those that an accepted command can emit.
	Events []Happening `json:"events,omitempty"`
	// Nothing tells that an accepted command may emit no event.
	Nothing bool `json:"may_emit_nothing,omitempty"`
	// Steps are what the outcome depends on, in order: the first that applies decides.
	Steps []Step `json:"steps,omitempty"`
	// Invariants are those that the events may break.
	Invariants []string `json:"invariants,omitempty"`
	// Broken are those of which at least one is broken whenever no step refuses the command.
	Broken []string `json:"broken,omitempty"`
	// Unfollowed tells that the rule has too many paths to follow all of them.
	Unfollowed bool `json:"unfollowed,omitempty"`

	moves   []move
	last    []Happening // what is emitted when no step ends the command
	reaches bool        // whether a command can get past all steps
}

// Happening is an event and whether it is surely emitted, and more than once.
type Happening struct {
	Event string `json:"event"`
	Maybe bool   `json:"maybe,omitempty"`
	Many  bool   `json:"many,omitempty"`
}

// question is one cell before it is known.
type question struct {
	agg     *check.Aggregate
	command *check.Command
	unborn  bool
	field   int // of the state, -1 for none
	member  int
	held    []string
}

// answer runs the checks in their order: birth, final, decide, invariants. Roles are held.
func (q question) answer() Cell {
	if q.unborn && hasBirth(q.agg) && !q.command.Creates {
		return refusal("not_found")
	}
	if !q.unborn && q.command.Creates {
		if q.command.CreateElse != nil {
			return refusal(q.command.CreateElse.Code)
		}
		return refusal("already_exists")
	}
	held := q.held
	if len(q.command.By) == 1 {
		held = append(slices.Clone(held), q.command.By[0])
	}
	m := newMachine(q.agg, held)
	m.follow, m.command = q.field, q.command.Fields
	w := m.initial()
	if !q.unborn {
		w = m.world()
		if q.field >= 0 {
			w.fields[q.field] = exactly(q.agg.State[q.field].Type, value.MakeInt(int64(q.member)))
		}
		m.assumeInvariants(w)
	}
	if f := q.agg.Final; f != nil && !q.command.Creates {
		if w = m.final(f, w); w == nil {
			return m.cell()
		}
	}
	if w = m.run(q.command.Decide, w); w != nil {
		m.end, m.last = append(m.end, w), w
	}
	c := m.cell()
	if c.Unfollowed {
		q.widen(&c)
	}
	return c
}

// widen tells of a rule that was not followed to its ends all that its text allows.
func (q question) widen(c *Cell) {
	c.Nothing, c.Events, c.moves = true, nil, nil
	add := func(code string) {
		if !slices.Contains(c.Codes, code) {
			c.Codes = append(c.Codes, code)
		}
	}
	eachRefusal(q.command.Decide, func(r *check.Refusal) { add(r.Code) })
	for _, inv := range q.agg.Invariants {
		add("invariant_violated")
		if !slices.Contains(c.Invariants, inv.Name) {
			c.Invariants = append(c.Invariants, inv.Name)
		}
	}
	walkStmts(q.command.Decide, func(s check.Stmt) {
		em, ok := s.(*check.Emit)
		if !ok || slices.ContainsFunc(c.Events, func(h Happening) bool { return h.Event == em.Event.Name }) {
			return
		}
		c.Events = append(c.Events, Happening{em.Event.Name, true, true})
		c.moves = append(c.moves, q.anyMove(em.Event)...)
	}, func(check.Expr) {})
	c.last = c.Events
}

// anyMove are the moves from any member, or the birth, to any other that e could make.
func (q question) anyMove(e *check.Event) []move {
	sets := false
	walkStmts(e.Apply, func(s check.Stmt) {
		as, ok := s.(*check.Assign)
		sets = sets || ok && as.Local == nil && as.Field == q.field
	}, func(check.Expr) {})
	if q.field < 0 || !sets && !q.unborn {
		return nil
	}
	members := unknown(q.agg.State[q.field].Type).members()
	from := members
	if q.unborn {
		from = append([]int{-1}, members...)
	}
	var out []move
	for _, f := range from {
		for _, to := range members {
			out = append(out, move{f, to, e.Name})
		}
	}
	return out
}

func hasBirth(a *check.Aggregate) bool {
	return slices.ContainsFunc(a.Commands, func(c *check.Command) bool { return c.Creates })
}

func refusal(code string) Cell {
	return Cell{Verdict: Refused, Codes: []string{code}}
}

// final is `final when`; the rest of the run knows that it does not hold.
func (m *machine) final(f *check.Final, w *world) *world {
	step := Step{Refuse: "finished"}
	if f.Refusal != nil {
		step.Refuse = f.Refusal.Code
	}
	switch m.eval(f.Cond, w).truth() {
	case yes:
		m.note(w, step)
		return nil
	case open:
		text, shown := m.residual(f.Cond, w)
		step.If = text
		m.note(w, step, shown...)
		m.assume(f.Cond, false, w)
	}
	return w
}

// cell sums up a run.
func (m *machine) cell() Cell {
	c := Cell{Unfollowed: m.steps > maxSteps, reaches: m.last != nil}
	for _, s := range m.out {
		if s.Refuse != "" && !slices.Contains(c.Codes, s.Refuse) {
			c.Codes = append(c.Codes, s.Refuse)
		}
	}
	ends := m.settle(&c)
	var all []happening
	for i, w := range ends {
		c.Nothing = c.Nothing || silent(w.events)
		if w == m.last {
			c.last = happenings(w.events)
		}
		if i == 0 {
			all = w.events
		} else {
			all = joinEvents(all, w.events)
		}
		for _, mv := range w.moves {
			if !slices.Contains(c.moves, mv) {
				c.moves = append(c.moves, mv)
			}
		}
	}
	c.Events = happenings(all)
	refuses := len(c.Codes) > 0 // by a step
	switch {
	case c.Unfollowed:
		c.Verdict = Depends
	case len(ends) == 0:
		c.Verdict = Refused
	case !refuses && len(c.Invariants) == 0:
		c.Verdict = Accepted
	default:
		c.Verdict = Depends
	}
	if len(c.Invariants)+len(c.Broken) > 0 {
		c.Codes = append(c.Codes, "invariant_violated")
	}
	if c.Verdict == Depends || len(c.Codes) > 1 {
		c.Steps = m.out
	}
	return c
}

func happenings(list []happening) []Happening {
	var out []Happening
	for _, h := range list {
		out = append(out, Happening{h.name, h.maybe, h.many})
	}
	return out
}

// silent tells that a path may emit nothing.
func silent(events []happening) bool {
	return !slices.ContainsFunc(events, func(h happening) bool { return !h.maybe })
}

// settle checks the invariants at each end and gives the ends that are left.
func (m *machine) settle(c *Cell) []*world {
	var left []*world
	add := func(list *[]string, name string) {
		if !slices.Contains(*list, name) {
			*list = append(*list, name)
		}
	}
	for _, w := range m.end {
		broken := false
		for _, inv := range m.agg.Invariants {
			switch m.invariant(inv, w) {
			case no:
				broken = true
				add(&c.Broken, inv.Name)
			case open:
				add(&c.Invariants, inv.Name)
			}
		}
		if !broken {
			left = append(left, w)
		}
	}
	if len(left) == 0 {
		c.Invariants = nil
		return nil
	}
	for _, name := range c.Broken { // at some ends only: there it depends
		add(&c.Invariants, name)
	}
	c.Broken = nil
	return left
}

// invariant tells whether an invariant holds at an end. One that held before and reads nothing
// that was written holds still.
func (m *machine) invariant(inv *check.Invariant, w *world) truth {
	if t := m.eval(inv.Cond, w).truth(); t != open {
		return t
	}
	var f fact
	m.reads(inv.Cond, &f)
	touched := false
	for _, field := range f.fields {
		touched = touched || w.written[field]
	}
	if !touched && w.wasBorn && !readsOld(inv.Cond) && (hasBirth(m.agg) || m.heldAtFirst(inv)) {
		return yes
	}
	return open
}

// assumeInvariants narrows the state before a command to what its invariants allow.
func (m *machine) assumeInvariants(w *world) {
	for range 2 { // what one tells may decide a part of one before it
		for _, inv := range m.agg.Invariants {
			if !readsOld(inv.Cond) && (hasBirth(m.agg) || m.heldAtFirst(inv)) && m.eval(inv.Cond, w).truth() == open {
				m.assume(inv.Cond, true, w)
			}
		}
	}
	w.before = slices.Clone(w.fields)
}

// heldAtFirst tells whether an invariant surely holds before the first event, for an aggregate
// that has no birth: there a command may be the first.
func (m *machine) heldAtFirst(inv *check.Invariant) bool {
	return m.eval(inv.Cond, m.initial()).truth() == yes
}

func readsOld(e check.Expr) bool {
	old := false
	walk(e, func(x check.Expr) bool {
		switch x := x.(type) {
		case *check.StateField:
			old = old || x.Old
		case *check.DeriveRef:
			old = old || x.Old
		}
		return !old
	})
	return old
}
