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
	values map[*Local][]Expr  // what a local has been given
	emits  map[*Event][]*Emit // in all decides
	busy   map[any]bool       // under way: locals, functions, emits
	event  *Event             // of the apply
	field  int                // the place that is written: a field of the state,
	steps  []int              // and below it fields of records; keys do not matter
	at     diag.Span          // the product
	left   int                // how much more of the rules is looked at
}

// maxDigitsWork bounds the search for one assignment: functions that call functions multiply.
const maxDigitsWork = 10_000

// gainsDigits warns about decimals that get longer with every event.
func (c *checker) gainsDigits(a *agg) {
	g := &digits{values: map[*Local][]Expr{}, emits: map[*Event][]*Emit{}, busy: map[any]bool{}}
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
	eachStmt(stmts, func(s Stmt) {
		switch s := s.(type) {
		case *Let:
			g.values[s.Local] = append(g.values[s.Local], s.Value)
		case *Assign:
			if s.Local != nil && s.Value != nil {
				g.values[s.Local] = append(g.values[s.Local], s.Value)
			}
		case *Emit:
			g.emits[s.Event] = append(g.emits[s.Event], s)
		}
	})
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
		return g.once(e.Local, g.values[e.Local])
	case *EventField:
		return g.emitted(e)
	case *FnCall:
		return g.called(e)
	case *Call:
		if e.Builtin != value.RoundDecimal && e.Builtin != value.DivDecimal {
			return g.either(e.Args...)
		}
	}
	return false, false
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
		g.values[p] = []Expr{e.Args[i]}
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
		if e.Builtin == value.RoundDecimal || e.Builtin == value.DivDecimal {
			k, ok := e.Args[len(e.Args)-1].(*Const)
			return !ok || k.Value.Int() != 0
		}
	case *LocalRef:
		if g.left--; g.left < 0 {
			return false
		}
		vs := g.values[e.Local]
		return len(vs) != 1 || g.busy[e.Local] || g.scaled(vs[0])
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
