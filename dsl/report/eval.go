package report

import (
	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// eval is what is known of e in w. It sets what `is some` binds, and nothing else in w.
func (m *machine) eval(e check.Expr, w *world) aval {
	t := e.Type()
	if m.steps++; m.steps > maxSteps {
		return unknown(t)
	}
	if t.Kind == value.Bool {
		if f, ok := w.facts[m.key(e)]; ok {
			return boolean(f.holds)
		}
	}
	switch e := e.(type) {
	case *check.Const:
		return exactly(t, e.Value)
	case *check.StateField:
		if e.Old {
			return w.before[e.Field]
		}
		return w.fields[e.Field]
	case *check.DeriveRef:
		return m.derive(e, w)
	case *check.CmdField:
		if e.Field < len(w.cmd) {
			return w.cmd[e.Field]
		}
	case *check.EventField:
		if e.Field < len(m.event) {
			return m.event[e.Field]
		}
	case *check.LocalRef:
		if v, ok := w.locals[e.Local]; ok {
			return v
		}
	case *check.FnCall:
		return m.call(e, w)
	case *check.Not, *check.Cmp, *check.Logic, *check.IsSome, *check.IsNone, *check.In, *check.InRange:
		return fromTruth(m.truth(e, w))
	case *check.If:
		return m.choose(e, w)
	case *check.Coalesce:
		return m.coalesce(e, w)
	case *check.Some:
		return m.some(e, w)
	case *check.FieldOf:
		if x := m.eval(e.X, w); x.kind == constant {
			return exactly(t, x.v.Field(e.Field))
		}
	case *check.Widen:
		if x := m.eval(e.X, w); x.kind == constant {
			return exactly(t, value.DecimalFromInt(x.v.Int()))
		}
	case *check.Call:
		return m.builtin(e, w)
	}
	return unknown(t)
}

// derive computes a derive of the state as it is, or as it was before the command.
func (m *machine) derive(e *check.DeriveRef, w *world) aval {
	if !e.Old {
		return m.eval(e.Derive.Value, w)
	}
	before := *w
	before.fields, before.facts = w.before, nil
	return m.eval(e.Derive.Value, &before)
}

// choose is `if c then a else b`.
func (m *machine) choose(e *check.If, w *world) aval {
	switch m.eval(e.Cond, w).truth() {
	case yes:
		return m.eval(e.Then, w)
	case no:
		return m.eval(e.Else, w)
	}
	var out aval
	made := false
	for _, way := range []struct {
		holds bool
		e     check.Expr
	}{{true, e.Then}, {false, e.Else}} {
		v := w.clone()
		m.assume(e.Cond, way.holds, v)
		x := m.eval(way.e, v)
		if made {
			x = join(e.T, out, x)
		}
		out, made = x, true
	}
	return out
}

func (m *machine) coalesce(e *check.Coalesce, w *world) aval {
	x := m.eval(e.X, w)
	switch {
	case x.isNone():
		return m.eval(e.D, w)
	case x.kind == constant:
		return exactly(e.T, x.v)
	case x.isPresent():
		return unknown(e.T)
	}
	return unknown(e.T)
}

func (m *machine) some(e *check.Some, w *world) aval {
	if v, ok := m.eval(e.X, w).only(); ok {
		return exactly(e.T, v)
	}
	return aval{kind: present}
}

// folded are the builtins that are computed when all arguments are known: those whose result
// is never much larger than they are.
var folded = map[value.Builtin]bool{
	value.Len: true, value.Abs: true, value.Min: true, value.Max: true, value.RoundDecimal: true, value.DivDecimal: true,
	value.IntOf: true, value.DecimalOf: true, value.Trim: true, value.Lower: true, value.Upper: true, value.StartsWith: true,
	value.EndsWith: true, value.Contains: true, value.InList: true, value.Matches: true, value.SumOf: true,
}

func (m *machine) builtin(e *check.Call, w *world) aval {
	if e.Builtin == value.InList {
		return fromTruth(m.inList(e, w))
	}
	args := make([]value.V, len(e.Args))
	all := folded[e.Builtin]
	for i, a := range e.Args {
		v, ok := m.eval(a, w).only()
		args[i], all = v, all && ok
	}
	if !all {
		return unknown(e.T)
	}
	v, fault := value.Call(e.Builtin, e.Info, args)
	if fault != value.NoFault {
		return unknown(e.T)
	}
	return exactly(e.T, v)
}

// inList is `x in [a, b]`: x may be one of several members, and so may the elements.
func (m *machine) inList(e *check.Call, w *world) truth {
	x := m.eval(e.Args[0], w)
	elems, whole := m.elements(e.Args[1], w)
	all := whole
	for _, el := range elems {
		switch m.equal(e.Args[0].Type(), x, el) {
		case yes:
			return yes
		case open:
			all = false
		}
	}
	// Each member that x can have may be in the list, though not all are one element.
	if x.kind == oneOf && subset(x, elems) {
		return yes
	}
	if all {
		return no
	}
	return open
}

// subset tells whether each member of x is surely among elems.
func subset(x aval, elems []aval) bool {
	for _, o := range x.members() {
		found := false
		for _, el := range elems {
			v, ok := el.only()
			found = found || ok && v.Int() == int64(o)
		}
		if !found {
			return false
		}
	}
	return true
}

// elements are the elements of a list that are known one by one; whole tells that there are no
// others.
func (m *machine) elements(e check.Expr, w *world) (elems []aval, whole bool) {
	if l, ok := e.(*check.ListLit); ok {
		for _, x := range l.Elems {
			elems = append(elems, m.eval(x, w))
		}
		return elems, true
	}
	v := m.eval(e, w)
	if v.kind != constant {
		return nil, false
	}
	t := e.Type()
	for i := range v.v.Len() {
		elems = append(elems, exactly(t.Elem, value.ElemAt(t, v.v, i)))
	}
	return elems, true
}

// equal compares what is known of two values of t.
func (m *machine) equal(t *value.Type, a, b aval) truth {
	x, okX := a.only()
	y, okY := b.only()
	switch {
	case okX && okY:
		return truthOf(value.Equal(t, x, y))
	case a.kind == oneOf && b.kind == oneOf:
		for i, in := range a.set {
			if in && b.set[i] {
				return open
			}
		}
		return no
	case a.isNone() && b.isPresent(), b.isNone() && a.isPresent():
		return no
	}
	return open
}

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

func negate(t truth) truth {
	switch t {
	case yes:
		return no
	case no:
		return yes
	}
	return open
}
