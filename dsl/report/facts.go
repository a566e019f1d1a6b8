package report

import (
	"slices"
	"strconv"

	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// fact is a condition that has been decided on a path, until something that it reads changes.
type fact struct {
	holds  bool
	fields []int // of the state that it reads
	locals []*check.Local
}

// key is a text that only expressions with the same meaning share: two with one key have one
// value as long as nothing that they read has changed. Empty when there is none.
func (m *machine) key(e check.Expr) string { return m.keyOf(e, false) }

// keyOf with noOld takes `old.f` for `state.f`.
func (m *machine) keyOf(e check.Expr, noOld bool) string {
	k := keyer{m: m, noOld: noOld}
	k.expr(e)
	if k.bad || len(k.b) > 4096 {
		return ""
	}
	return string(k.b)
}

type keyer struct {
	m     *machine
	b     []byte
	noOld bool
	bad   bool
}

func (k *keyer) put(s string) { k.b = append(k.b, s...) }

func (k *keyer) num(s string, n int) { k.b = strconv.AppendInt(append(k.b, s...), int64(n), 10) }

func (k *keyer) expr(e check.Expr) {
	if k.bad || len(k.b) > 4096 {
		return
	}
	k.put("(")
	k.head(e)
	for _, p := range parts(e) {
		if p != nil && !k.bad {
			k.expr(p)
		}
	}
	k.put(")")
}

// head writes what e is beside its parts.
func (k *keyer) head(e check.Expr) {
	switch e := e.(type) {
	case *check.Const:
		k.b = value.AppendType(k.b, e.T)
		k.b = value.AppendText(append(k.b, ' '), e.T, e.Value)
	case *check.StateField:
		if e.Old && !k.noOld {
			k.put("old")
		}
		k.num("s", e.Field)
	case *check.DeriveRef:
		if e.Old && !k.noOld {
			k.put("old")
		}
		k.put("d " + e.Derive.Name)
	case *check.CmdField:
		k.num("c", e.Field)
	case *check.CtxRef:
		k.num("x", int(e.Field))
	case *check.LocalRef:
		k.local(e.Local)
	case *check.FieldOf:
		k.num(".", e.Field)
	case *check.IndexOf:
		k.put("[" + strconv.FormatBool(e.Optional))
	case *check.Arith:
		k.num("a", int(e.Op))
	case *check.Cmp:
		k.num("=", int(e.Op))
	case *check.Logic:
		k.num("l", int(e.Op))
	case *check.FnCall:
		k.put("f " + e.Fn.Name)
	case *check.Call:
		k.num("b", int(e.Builtin))
		k.bad = k.bad || e.Info != nil && (e.Info.Regexp != nil || e.Info.Path != nil || len(e.Info.Keys) > 0 || e.Info.Mode != 0)
	case *check.Neg:
		k.put("-")
	case *check.Not:
		k.put("!")
	case *check.If:
		k.put("?")
	case *check.Coalesce:
		k.put("??")
	case *check.IsNone:
		k.put("none")
	case *check.In:
		k.put("in")
	case *check.InRange:
		k.put("..")
	case *check.Widen, *check.Some, *check.ListLit:
		k.put(e.Type().String())
	case *check.IsSome:
		k.put("some")
		k.bad = k.bad || e.Bind != nil // a repeat must bind anew
	default:
		k.bad = true
	}
}

// local writes a guard's parameter as what stands for it, any other local by number.
func (k *keyer) local(l *check.Local) {
	if text, ok := k.m.keys[l]; ok {
		if text == "" {
			k.bad = true
		}
		k.put(text)
		return
	}
	n, ok := k.m.ids[l]
	if !ok {
		n = len(k.m.ids)
		k.m.ids[l] = n
	}
	k.num("#", n)
}

// remember notes that e holds, or that it does not.
func (m *machine) remember(e check.Expr, holds bool, w *world) {
	key := m.key(e)
	if key == "" {
		return
	}
	f := fact{holds: holds}
	m.reads(e, &f)
	w.facts[key] = f
}

// reads collects what the value of e depends on and can change within a command.
func (m *machine) reads(e check.Expr, f *fact) {
	walk(e, func(x check.Expr) bool {
		switch x := x.(type) {
		case *check.StateField:
			if !x.Old && !slices.Contains(f.fields, x.Field) {
				f.fields = append(f.fields, x.Field)
			}
		case *check.DeriveRef:
			if !x.Old {
				m.reads(x.Derive.Value, f)
			}
		case *check.FnCall:
			m.readsOf(x.Fn, f)
		case *check.LocalRef:
			if arg, ok := m.args[x.Local]; ok {
				m.reads(arg, f)
			} else {
				f.locals = append(f.locals, x.Local)
			}
		}
		return true
	})
}

// readsOf adds the state fields that a function reads.
func (m *machine) readsOf(fn *check.Fn, f *fact) {
	if !fn.ReadsState {
		return
	}
	r, ok := m.fns[fn]
	if !ok {
		r = &fact{}
		walkStmts(fn.Body, func(check.Stmt) {}, func(e check.Expr) { m.reads(e, r) })
		m.fns[fn] = r
	}
	for _, field := range r.fields {
		if !slices.Contains(f.fields, field) {
			f.fields = append(f.fields, field)
		}
	}
}

// forgetField drops what a write of a state field may have changed.
func (w *world) forgetField(field int) {
	for k, f := range w.facts {
		if slices.Contains(f.fields, field) {
			delete(w.facts, k)
		}
	}
}

// forgetLocal drops what a new value of a local may have changed.
func (w *world) forgetLocal(l *check.Local) {
	for k, f := range w.facts {
		if slices.Contains(f.locals, l) {
			delete(w.facts, k)
		}
	}
}

// assume narrows w to the runs in which e holds, or does not.
func (m *machine) assume(e check.Expr, holds bool, w *world) {
	m.remember(e, holds, w)
	switch e := e.(type) {
	case *check.Not:
		m.assume(e.X, !holds, w)
	case *check.Logic:
		m.assumeLogic(e, holds, w)
	case *check.Cmp:
		m.assumeCmp(e, holds, w)
	case *check.Call:
		m.assumeIn(e, holds, w)
	case *check.IsSome:
		m.assumePresent(e.X, holds, w)
	case *check.IsNone:
		m.assumePresent(e.X, !holds, w)
	default:
		if e.Type().Kind == value.Bool {
			m.narrow(e, w, func(o int) bool { return o == 1 == holds })
		}
	}
}

func (m *machine) assumeLogic(e *check.Logic, holds bool, w *world) {
	// Each is `a and b` for some a and b that are X and Y or their opposites, or `not (a and b)`.
	x, y, both := true, true, holds
	switch e.Op {
	case check.Or:
		x, y, both = false, false, !holds
	case check.Implies:
		x, y, both = true, false, !holds
	}
	if both {
		m.assume(e.X, x, w)
		m.assume(e.Y, y, w)
		return
	}
	switch { // not both: when one holds, the other does not
	case m.eval(e.X, w).truth() == truthOf(x):
		m.assume(e.Y, !y, w)
	case m.eval(e.Y, w).truth() == truthOf(y):
		m.assume(e.X, !x, w)
	}
}

// assumeCmp keeps on each side the members that fit one of the other side.
func (m *machine) assumeCmp(e *check.Cmp, is bool, w *world) {
	if !finite(e.X.Type()) {
		return
	}
	x, y := m.eval(e.X, w).members(), m.eval(e.Y, w).members()
	fits := func(others []int, f func(other int) bool) bool { return slices.ContainsFunc(others, f) }
	m.narrow(e.X, w, func(o int) bool { return fits(y, func(p int) bool { return holds(e.Op, o-p) == is }) })
	m.narrow(e.Y, w, func(o int) bool { return fits(x, func(p int) bool { return holds(e.Op, p-o) == is }) })
}

// assumeIn narrows x by `x in [a, b]`.
func (m *machine) assumeIn(e *check.Call, holds bool, w *world) {
	if e.Builtin != value.InList || !finite(e.Args[0].Type()) {
		return
	}
	elems, whole := m.elements(e.Args[1], w)
	if !whole {
		return
	}
	in := map[int]bool{}
	for _, el := range elems {
		v, ok := el.only()
		if !ok {
			return
		}
		in[int(v.Int())] = true
	}
	m.narrow(e.Args[0], w, func(o int) bool { return in[o] == holds })
}

// narrow keeps the members of a field of state or command, or of a local, for which f holds; if none is left, what was
// assumed cannot be, and nothing is narrowed.
func (m *machine) narrow(e check.Expr, w *world, f func(int) bool) {
	switch e := e.(type) {
	case *check.StateField:
		if !e.Old {
			if v := w.fields[e.Field].keep(f); !v.empty() {
				w.fields[e.Field] = v
			}
		}
	case *check.CmdField:
		if e.Field < len(w.cmd) {
			if v := w.cmd[e.Field].keep(f); !v.empty() {
				w.cmd[e.Field] = v
			}
		}
	case *check.LocalRef:
		if have, ok := w.locals[e.Local]; ok {
			if v := have.keep(f); !v.empty() {
				w.locals[e.Local] = v
			}
		}
	}
}

// assumePresent notes that an optional of the state or the command is, or is not, there.
func (m *machine) assumePresent(e check.Expr, is bool, w *world) {
	var at *aval
	switch e := e.(type) {
	case *check.StateField:
		if !e.Old {
			at = &w.fields[e.Field]
		}
	case *check.CmdField:
		if e.Field < len(w.cmd) {
			at = &w.cmd[e.Field]
		}
	}
	if at == nil || at.kind != anything {
		return
	}
	*at = aval{kind: present}
	if !is {
		*at = aval{kind: constant, v: value.None}
	}
}
