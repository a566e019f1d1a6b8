package check

import (
	"slices"

	"github.com/cloudlysis/aggregate/dsl/value"
)

// operands are the parts of a condition that a failing test shows.
func operands(e Expr) []Shown {
	o := shownParts{}
	o.add(e)
	return o.out
}

type shownParts struct {
	out   []Shown
	binds []*IsSome // that bind a name, in the order of the text
}

func (o *shownParts) add(e Expr) {
	switch e := e.(type) {
	case *Logic:
		o.add(e.X)
		o.add(e.Y)
	case *Not:
		o.add(e.X)
	case *If:
		o.add(e.Cond)
		o.add(e.Then)
		o.add(e.Else)
	case *Cmp:
		o.show(e.X)
		o.show(e.Y)
	case *In:
		o.show(e.X)
		o.show(e.Y)
	case *InRange:
		o.show(e.X)
	case *IsSome:
		o.show(e.X)
		if e.Bind != nil {
			o.binds = append(o.binds, e)
		}
	case *IsNone:
		o.show(e.X)
	case *Call:
		o.showAll(e.Args)
	case *FnCall:
		o.showAll(e.Args)
	case *Comp: // of any and all: what they look through
		if e.Source.X != nil {
			o.show(e.Source.X)
		}
	}
}

func (o *shownParts) showAll(es []Expr) {
	for _, e := range es {
		o.show(e)
	}
}

func (o *shownParts) show(x Expr) {
	if _, known := x.(*Const); known {
		return
	}
	text := x.Pos().Text()
	for _, s := range o.out {
		if s.Text == text {
			return
		}
	}
	bound := false
	v := x
	for _, is := range slices.Backward(o.binds) {
		if readsLocal(v, is.Bind) {
			bound, v = true, ifPresent(is, v)
		}
	}
	if bound && x.Type().Kind == value.JSON { // there is no json?
		return
	}
	o.out = append(o.out, Shown{Text: text, Value: v, Bound: bound})
}

// ifPresent is x where what is binds is present, and none where it is absent: then the condition
// has not come to x either.
func ifPresent(is *IsSome, x Expr) Expr {
	at := x.Pos()
	t := optional(x.Type())
	then := x
	if x.Type().Kind != value.Optional {
		then = &Some{Typed{t, at}, x}
	}
	return &If{Typed: Typed{t, at}, Cond: is, Then: then, Else: &Const{Typed{t, at}, value.None}}
}
