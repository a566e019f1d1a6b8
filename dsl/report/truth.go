package report

import (
	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// truth evaluates the operators that give a bool.
func (m *machine) truth(e check.Expr, w *world) truth {
	switch e := e.(type) {
	case *check.Not:
		return negate(m.eval(e.X, w).truth())
	case *check.Cmp:
		return m.compare(e, w)
	case *check.Logic:
		return m.logic(e, w)
	case *check.IsSome:
		return m.isSome(e, w)
	case *check.IsNone:
		x := m.eval(e.X, w)
		if x.isNone() {
			return yes
		}
		if x.isPresent() {
			return no
		}
	case *check.In:
		return m.in(e, w)
	case *check.InRange:
		return m.inRange(e, w)
	}
	return open
}

func (m *machine) compare(e *check.Cmp, w *world) truth {
	t := e.X.Type()
	a, b := m.eval(e.X, w), m.eval(e.Y, w)
	switch e.Op {
	case check.Eq:
		if m.sameNow(e.X, e.Y, w) {
			return yes
		}
		return m.equal(t, a, b)
	case check.Ne:
		if m.sameNow(e.X, e.Y, w) {
			return no
		}
		return negate(m.equal(t, a, b))
	}
	if m.sameNow(e.X, e.Y, w) {
		return truthOf(e.Op == check.Le || e.Op == check.Ge)
	}
	x, okX := a.only()
	y, okY := b.only()
	switch {
	case okX && okY:
		return truthOf(holds(e.Op, value.Compare(t, x, y)))
	case a.kind == oneOf && b.kind == oneOf:
		return compareSets(e.Op, a, b)
	}
	return open
}

func holds(op check.CmpOp, order int) bool {
	switch op {
	case check.Eq:
		return order == 0
	case check.Ne:
		return order != 0
	case check.Lt:
		return order < 0
	case check.Le:
		return order <= 0
	case check.Gt:
		return order > 0
	}
	return order >= 0
}

// compareSets compares members of an ordered enum: decided when all pairs agree.
func compareSets(op check.CmpOp, a, b aval) truth {
	out, made := open, false
	for _, x := range a.members() {
		for _, y := range b.members() {
			t := truthOf(holds(op, x-y))
			if made && t != out {
				return open
			}
			out, made = t, true
		}
	}
	return out
}

// sameNow tells that x and y are one expression but for `old` on fields that nothing has
// written, so that they have one value.
func (m *machine) sameNow(x, y check.Expr, w *world) bool {
	unchanged := func(e check.Expr) bool {
		ok := true
		walk(e, func(x check.Expr) bool {
			switch x := x.(type) {
			case *check.StateField:
				ok = ok && !w.written[x.Field]
			case *check.DeriveRef, *check.FnCall, *check.Comp, *check.LocalRef, *check.RecordLit:
				ok = false
			}
			return ok
		})
		return ok
	}
	if !unchanged(x) || !unchanged(y) {
		return false
	}
	key := m.keyOf(x, true)
	return key != "" && key == m.keyOf(y, true)
}

func (m *machine) logic(e *check.Logic, w *world) truth {
	x := m.eval(e.X, w).truth()
	right := func(assumed, holds bool) truth {
		v := w
		if assumed {
			v = w.clone()
			m.assume(e.X, holds, v)
		}
		return m.eval(e.Y, v).truth()
	}
	switch e.Op {
	case check.And:
		switch x {
		case no:
			return no
		case yes:
			return right(false, true)
		}
		if right(true, true) == no {
			return no
		}
	case check.Or:
		switch x {
		case yes:
			return yes
		case no:
			return right(false, false)
		}
		if right(true, false) == yes {
			return yes
		}
	case check.Implies:
		switch x {
		case no:
			return yes
		case yes:
			return right(false, true)
		}
		if right(true, true) == yes {
			return yes
		}
	}
	return open
}

func (m *machine) isSome(e *check.IsSome, w *world) truth {
	x := m.eval(e.X, w)
	if e.Bind != nil {
		w.forgetLocal(e.Bind)
		m.lets[e.Bind] = e.X
		w.locals[e.Bind] = unknown(e.Bind.Type)
		if x.kind == constant && !x.v.IsNone() {
			w.locals[e.Bind] = exactly(e.Bind.Type, x.v)
		}
	}
	switch {
	case x.isNone():
		return no
	case x.isPresent():
		return yes
	}
	return open
}

func (m *machine) in(e *check.In, w *world) truth {
	if ref, ok := e.Y.(*check.CtxRef); ok && ref.Field == check.CtxRoles {
		if role, ok := m.eval(e.X, w).only(); ok && m.held[role.Str()] {
			return yes
		}
		return open
	}
	x, y := m.eval(e.X, w), m.eval(e.Y, w)
	if y.kind != constant {
		return open
	}
	t := e.Y.Type()
	if v, ok := x.only(); ok {
		if t.Kind == value.Map {
			_, found := value.MapGet(t, y.v, v)
			return truthOf(found)
		}
		return truthOf(value.SetHas(t, y.v, v))
	}
	if y.v.Len() == 0 {
		return no
	}
	return m.amongKeys(x, t, y.v)
}

// amongKeys decides for an enum with several possible members.
func (m *machine) amongKeys(x aval, t *value.Type, set value.V) truth {
	if x.kind != oneOf {
		return open
	}
	var keys []aval
	for _, k := range set.Keys() {
		keys = append(keys, exactly(t.KeyType(), k))
	}
	if subset(x, keys) {
		return yes
	}
	for _, k := range keys {
		if m.equal(t.KeyType(), x, k) != no {
			return open
		}
	}
	return no
}

func (m *machine) inRange(e *check.InRange, w *world) truth {
	t := e.X.Type()
	x, okX := m.eval(e.X, w).only()
	from, okFrom := m.eval(e.From, w).only()
	to, okTo := m.eval(e.To, w).only()
	switch {
	case okX && okFrom && value.Compare(t, x, from) < 0, okX && okTo && value.Compare(t, x, to) > 0:
		return no
	case okX && okFrom && okTo:
		return yes
	}
	return open
}
