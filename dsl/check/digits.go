package check

import (
	"slices"

	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// A product has the scale of both factors together. A decimal of the state that is multiplied
// with every event, and never rounded, therefore gets longer until some event no longer fits
// into 34 digits: the fault `inexact`, after months.

// digits follows decimals from an apply back to the place of the state that it writes: through
// lets, functions, and the emits that fill the fields of the event.
type digits struct {
	values  map[*Local][]given // what a local has been given
	seq     int                // counts what locals have been given
	emits   map[*Event][]*Emit // in all decides
	busy    map[any]bool       // under way: locals, functions, emits
	holding map[*Local]bool    // of the locals under way: those made of the place
	event   *Event             // of the apply
	field   int                // the place that is written: a field of the state,
	steps   []int              // and below it fields of records; keys do not matter
	at      diag.Span          // the product
	left    int                // how much more of the rules is looked at
}

// given is a value of a local, the seq-th of all.
type given struct {
	value Expr
	seq   int
}

// maxDigitsWork bounds the search for one assignment: functions that call functions multiply.
const maxDigitsWork = 10_000

// gainsDigits warns about decimals that get longer with every event.
func (c *checker) gainsDigits(a *agg) {
	g := &digits{values: map[*Local][]given{}, emits: map[*Event][]*Emit{}, busy: map[any]bool{}, holding: map[*Local]bool{}}
	for _, d := range a.commands {
		g.gather(d.out.Decide)
	}
	for _, f := range c.fns {
		g.gather(f.out.Body)
	}
	for _, e := range a.events {
		g.gather(e.current().out.Apply)
	}
	for _, v := range a.events {
		e := v.current().out
		g.event = e
		eachStmt(e.Apply, func(s Stmt) {
			as, ok := s.(*Assign)
			if !ok || as.Local != nil || as.Op != SetTo && as.Op != Update || bareKind(as.Target) != value.Decimal {
				return
			}
			g.field, g.steps, g.at, g.left = as.Field, as.path(), diag.Span{}, maxDigitsWork
			if !g.assignGains(as) {
				return
			}
			d := c.report(diag.GainsDigits, as.Span, "this gains digits with every %s: a product is as long as both factors together, and a decimal holds 34", e.Name)
			d.Hint = "round it where it is multiplied: `round(" + g.at.Text() + ", 2, half_even)`"
			if g.at != as.Span {
				declaredAt(d, g.at, "it is multiplied here")
			}
		})
	}
}

// path is the fields of records that the steps of an assignment name.
func (s *Assign) path() []int {
	var out []int
	for _, p := range s.Steps {
		if p.Of.Kind == value.Record {
			out = append(out, p.Field)
		}
	}
	return out
}

// assignGains tells whether the assignment makes its place longer than it was.
func (g *digits) assignGains(s *Assign) bool {
	if s.Op == Update && s.Arith == Mul {
		g.at = s.Span
		return g.scaled(s.Value)
	}
	_, gains := g.grows(s.Value)
	return gains
}

// gather takes note of what locals are given, and of emits.
func (g *digits) gather(stmts []Stmt) {
	first := g.seq
	for _, s := range stmts {
		switch s := s.(type) {
		case *Let:
			g.give(s.Local, s.Value)
		case *Assign:
			g.assigned(s, first)
		case *Emit:
			g.emits[s.Event] = append(g.emits[s.Event], s)
		case *IfStmt:
			g.gather(s.Then)
			g.gather(s.Else)
		case *Match:
			for _, a := range s.Arms {
				g.gather(a.Body)
			}
		case *For:
			g.gather(s.Body)
		}
	}
}

func (g *digits) give(l *Local, x Expr) {
	g.values[l] = append(g.values[l], given{x, g.seq})
	g.seq++
}

// assigned takes note of a value that a var gets. One that does not come from its last value, or
// rounds it, makes those void that it got since first, in the same statements and those in them.
func (g *digits) assigned(s *Assign, first int) {
	if s.Local == nil || s.Value == nil {
		return
	}
	value := s.Value
	switch {
	case len(s.Steps) > 0:
	case s.Op == Update:
		value = &Arith{Typed{s.Target, s.Span}, s.Arith, &LocalRef{Typed{s.Target, s.Span}, s.Local}, s.Value}
	case s.Op == SetTo && (rounds(value) || !readsLocal(value, s.Local)):
		g.values[s.Local] = slices.DeleteFunc(g.values[s.Local], func(v given) bool { return v.seq >= first })
	}
	g.give(s.Local, value)
}

// rounds tells whether e has as many digits as it says.
func rounds(e Expr) bool {
	c, ok := e.(*Call)
	return ok && (c.Builtin == value.RoundDecimal || c.Builtin == value.DivDecimal)
}

func readsLocal(e Expr, l *Local) bool {
	reads := false
	walk(e, func(e Expr) bool {
		r, ok := e.(*LocalRef)
		reads = reads || ok && r.Local == l
		return !reads
	})
	return reads
}

// grows tells whether e is made of the place that is written, and whether it is longer.
func (g *digits) grows(e Expr) (holds, gains bool) {
	if g.left--; g.left < 0 {
		return false, false
	}
	if field, steps, ok := statePath(e); ok {
		return field == g.field && slices.Equal(steps, g.steps), false
	}
	switch e := e.(type) {
	case *Arith:
		return g.arith(e)
	case *Neg:
		return g.grows(e.X)
	case *Some:
		return g.grows(e.X)
	case *If:
		return g.either(e.Then, e.Else)
	case *Coalesce:
		return g.either(e.X, e.D)
	case *LocalRef:
		return g.local(e.Local)
	case *EventField:
		return g.emitted(e)
	case *FnCall:
		return g.called(e)
	case *Call:
		if !rounds(e) {
			return g.either(e.Args...)
		}
	}
	return false, false
}

// local follows a local to its values; a var may be made of its own.
func (g *digits) local(l *Local) (holds, gains bool) {
	if g.busy[l] {
		return g.holding[l], false
	}
	vs := g.values[l]
	es := make([]Expr, len(vs))
	for i, v := range vs {
		es[i] = v.value
	}
	holds, gains = g.once(l, es)
	if !holds || gains || len(es) < 2 {
		return holds, gains
	}
	g.holding[l] = true
	defer delete(g.holding, l)
	return g.once(l, es)
}

func (g *digits) arith(e *Arith) (holds, gains bool) {
	xHolds, xGains := g.grows(e.X)
	yHolds, yGains := g.grows(e.Y)
	holds, gains = xHolds || yHolds, xGains || yGains
	if e.Op == Mul && e.T.Kind == value.Decimal && g.left >= 0 && (xHolds && g.scaled(e.Y) || yHolds && g.scaled(e.X)) {
		g.at, gains = e.Span, true
	}
	return holds, gains
}

func (g *digits) either(es ...Expr) (holds, gains bool) {
	for _, e := range es {
		h, l := g.grows(e)
		holds, gains = holds || h, gains || l
	}
	return holds, gains
}

// once is either, but for what is under way already.
func (g *digits) once(key any, es []Expr) (holds, gains bool) {
	if g.busy[key] {
		return false, false
	}
	g.busy[key] = true
	defer delete(g.busy, key)
	return g.either(es...)
}

// emitted follows a field of the event to the emits that fill it.
func (g *digits) emitted(e *EventField) (holds, gains bool) {
	var es []Expr
	for _, m := range g.emits[g.event] {
		if x := m.Make.Fields[e.Field]; x != nil {
			es = append(es, x)
		}
	}
	return g.once(g.event, es)
}

// called follows a call into the function, whose parameters have the values of this call.
func (g *digits) called(e *FnCall) (holds, gains bool) {
	if g.busy[e.Fn] {
		return false, false
	}
	for i, p := range e.Fn.Params {
		g.values[p] = []given{{value: e.Args[i]}}
	}
	var es []Expr
	eachStmt(e.Fn.Body, func(s Stmt) {
		if r, ok := s.(*Return); ok {
			es = append(es, r.Value)
		}
	})
	return g.once(e.Fn, es)
}

// scaled tells whether e may have digits behind the point that are not zeros.
func (g *digits) scaled(e Expr) bool {
	switch e := e.(type) {
	case *Const:
		return len(armKey(e.T, e.Value)) > 0 && fraction(armKey(e.T, e.Value))
	case *Widen:
		return false
	case *Neg:
		return g.scaled(e.X)
	case *Call:
		if rounds(e) {
			k, ok := e.Args[len(e.Args)-1].(*Const)
			return !ok || k.Value.Int() != 0
		}
	case *LocalRef:
		if g.left--; g.left < 0 {
			return false
		}
		vs := g.values[e.Local]
		return len(vs) != 1 || g.busy[e.Local] || g.scaled(vs[0].value)
	}
	return true
}

func fraction(text string) bool { return slices.Contains([]byte(text), '.') }

// statePath is the field of the state that e reads, and the fields of records below it; the keys
// of maps and lists between do not matter.
func statePath(e Expr) (field int, steps []int, ok bool) {
	switch e := e.(type) {
	case *StateField:
		return e.Field, nil, true
	case *FieldOf:
		field, steps, ok = statePath(e.X)
		return field, append(steps, e.Field), ok
	case *IndexOf:
		return statePath(e.X)
	}
	return 0, nil, false
}

// eachStmt calls f for all statements, those inside others too.
func eachStmt(stmts []Stmt, f func(Stmt)) {
	for _, s := range stmts {
		f(s)
		switch s := s.(type) {
		case *IfStmt:
			eachStmt(s.Then, f)
			eachStmt(s.Else, f)
		case *Match:
			for _, a := range s.Arms {
				eachStmt(a.Body, f)
			}
		case *For:
			eachStmt(s.Body, f)
		}
	}
}
