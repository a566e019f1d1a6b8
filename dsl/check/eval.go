package check

import (
	"math"
	"strings"

	"github.com/cloudlysis/aggregate/dsl/value"
)

const (
	// maxSteps is the work that one constant may take, in gas of data and nodes.
	maxSteps = 100_000
	// maxFold is the work that folding may take in a rule; what costs more is left to run time.
	maxFold = 2_000
	// maxWork is what all constants and folding of one run may take together.
	maxWork = 20_000_000
)

// evaluator works out pure expressions over the checked tree with the functions that the VM
// calls too.
type evaluator struct {
	steps   int64
	locals  map[*Local]value.V
	culprit Expr // what is not constant
}

// fold is e, or its value when all its parts are known. A fault is reported (ruling 87).
func (b *body) fold(e Expr) Expr {
	if !constParts(e) {
		return e
	}
	limit := min(maxFold, b.c.work)
	ev := evaluator{steps: limit}
	v, f, ok := ev.eval(e)
	b.c.work -= limit - max(ev.steps, 0)
	switch {
	case !ok:
		return e
	case f != value.NoFault:
		b.constFaults(e.Pos(), f)
		return b.bad(e.Pos())
	}
	return &Const{Typed{e.Type(), e.Pos()}, v}
}

func isConst(es ...Expr) bool {
	for _, e := range es {
		if _, ok := e.(*Const); !ok {
			return false
		}
	}
	return true
}

// constParts tells whether all direct parts of e are constants.
func constParts(e Expr) bool {
	switch e := e.(type) {
	case *FieldOf:
		return isConst(e.X)
	case *IndexOf:
		return isConst(e.X, e.Key)
	case *Arith:
		return isConst(e.X, e.Y)
	case *Neg:
		return isConst(e.X)
	case *Not:
		return isConst(e.X)
	case *Cmp:
		return isConst(e.X, e.Y)
	case *Logic:
		return isConst(e.X, e.Y)
	case *If:
		return isConst(e.Cond, e.Then, e.Else)
	case *Coalesce:
		return isConst(e.X, e.D)
	case *IsSome:
		return e.Bind == nil && isConst(e.X)
	case *IsNone:
		return isConst(e.X)
	case *In:
		return isConst(e.X, e.Y)
	case *InRange:
		return isConst(e.X, e.From, e.To)
	case *Widen:
		return isConst(e.X)
	case *Some:
		return isConst(e.X)
	case *Call:
		return isConst(e.Args...)
	case *Interp:
		return isConst(e.Parts...)
	case *RecordLit:
		return e.Spread == nil && isConst(e.Fields...)
	case *ListLit:
		return isConst(e.Elems...)
	case *MapLit:
		return isConst(e.Keys...) && isConst(e.Values...)
	}
	return false
}

// spend takes n from the work that is left, and tells whether it was there.
func (ev *evaluator) spend(n int64) bool {
	ev.steps -= n + 1
	return ev.steps >= 0
}

// eval is the value of e, or its fault; ok is false when e is no constant, which culprit then
// names, or takes too much work.
func (ev *evaluator) eval(e Expr) (v value.V, f value.Fault, ok bool) {
	if !ev.spend(0) {
		return value.V{}, 0, false
	}
	switch e := e.(type) {
	case *Const:
		return e.Value, 0, true
	case *LocalRef:
		if v, known := ev.locals[e.Local]; known {
			return v, 0, true
		}
	case *FieldOf:
		return ev.one(e.X, func(x value.V) (value.V, value.Fault) { return x.Field(e.Field), 0 })
	case *IndexOf:
		return ev.two(e.X, e.Key, func(x, k value.V) (value.V, value.Fault) { return indexOf(e, x, k) })
	case *Arith:
		return ev.two(e.X, e.Y, func(x, y value.V) (value.V, value.Fault) { return arithmetic(e, x, y) })
	case *Neg:
		return ev.one(e.X, func(x value.V) (value.V, value.Fault) { return negate(e.T, x) })
	case *Not:
		return ev.one(e.X, func(x value.V) (value.V, value.Fault) { return value.MakeBool(!x.Bool()), 0 })
	case *Cmp:
		return ev.two(e.X, e.Y, func(x, y value.V) (value.V, value.Fault) {
			return value.MakeBool(compareValues(e.Op, e.X.Type(), x, y)), 0
		})
	case *Logic:
		return ev.logic(e)
	case *If:
		c, f, ok := ev.eval(e.Cond)
		if !ok || f != 0 {
			return c, f, ok
		}
		if c.Bool() {
			return ev.eval(e.Then)
		}
		return ev.eval(e.Else)
	case *Coalesce:
		x, f, ok := ev.eval(e.X)
		if !ok || f != 0 || !x.IsNone() {
			return x, f, ok
		}
		return ev.eval(e.D)
	case *IsSome:
		return ev.one(e.X, func(x value.V) (value.V, value.Fault) {
			if !x.IsNone() {
				ev.set(e.Bind, x)
			}
			return value.MakeBool(!x.IsNone()), 0
		})
	case *IsNone:
		return ev.one(e.X, func(x value.V) (value.V, value.Fault) { return value.MakeBool(x.IsNone()), 0 })
	case *In:
		return ev.two(e.X, e.Y, func(x, y value.V) (value.V, value.Fault) {
			_, found := value.MapFind(e.Y.Type(), y, x)
			return value.MakeBool(found), 0
		})
	case *InRange:
		return ev.all([]Expr{e.X, e.From, e.To}, func(vs []value.V) (value.V, value.Fault) {
			t := e.X.Type()
			return value.MakeBool(value.Compare(t, vs[1], vs[0]) <= 0 && value.Compare(t, vs[0], vs[2]) <= 0), 0
		})
	case *Widen:
		return ev.one(e.X, func(x value.V) (value.V, value.Fault) { return value.DecimalFromInt(x.Int()), 0 })
	case *Some:
		return ev.eval(e.X)
	case *Call:
		return ev.all(e.Args, func(vs []value.V) (value.V, value.Fault) { return ev.call(e, vs) })
	case *Interp:
		return ev.all(e.Parts, func(vs []value.V) (value.V, value.Fault) { return ev.concat(vs), 0 })
	case *RecordLit:
		return ev.record(e)
	case *ListLit:
		return ev.all(e.Elems, func(vs []value.V) (value.V, value.Fault) { return listValue(e.T, vs), 0 })
	case *MapLit:
		return ev.all(append(append([]Expr(nil), e.Keys...), e.Values...), func(vs []value.V) (value.V, value.Fault) {
			out := value.NewBuilder(e.T, len(e.Keys))
			for i := range e.Keys {
				out.Put(vs[i], vs[len(e.Keys)+i])
			}
			return out.Done(), 0
		})
	case *Comp:
		return ev.comp(e)
	}
	if ev.culprit == nil {
		ev.culprit = e
	}
	return value.V{}, 0, false
}

func (ev *evaluator) set(l *Local, v value.V) {
	if l == nil {
		return
	}
	if ev.locals == nil {
		ev.locals = map[*Local]value.V{}
	}
	ev.locals[l] = v
}

func (ev *evaluator) one(x Expr, f func(value.V) (value.V, value.Fault)) (value.V, value.Fault, bool) {
	v, fault, ok := ev.eval(x)
	if !ok || fault != 0 {
		return v, fault, ok
	}
	v, fault = f(v)
	return v, fault, ev.steps >= 0
}

func (ev *evaluator) two(x, y Expr, f func(x, y value.V) (value.V, value.Fault)) (value.V, value.Fault, bool) {
	v, fault, ok := ev.eval(x)
	if !ok || fault != 0 {
		return v, fault, ok
	}
	w, fault, ok := ev.eval(y)
	if !ok || fault != 0 {
		return w, fault, ok
	}
	v, fault = f(v, w)
	return v, fault, ev.steps >= 0
}

func (ev *evaluator) all(es []Expr, f func([]value.V) (value.V, value.Fault)) (value.V, value.Fault, bool) {
	vs := make([]value.V, len(es))
	for i, e := range es {
		v, fault, ok := ev.eval(e)
		if !ok || fault != 0 {
			return v, fault, ok
		}
		vs[i] = v
	}
	v, fault := f(vs)
	return v, fault, ev.steps >= 0
}

func (ev *evaluator) call(e *Call, vs []value.V) (value.V, value.Fault) {
	if !ev.spend(value.Cost(e.Builtin, e.Info, vs)) {
		return value.V{}, 0
	}
	return value.Call(e.Builtin, e.Info, vs)
}

func (ev *evaluator) concat(vs []value.V) value.V {
	n := 0
	for _, v := range vs {
		n += v.Len()
	}
	if !ev.spend(int64(n) / 16) {
		return value.V{}
	}
	var out strings.Builder
	out.Grow(n)
	for _, v := range vs {
		out.WriteString(v.Str())
	}
	return value.MakeString(out.String())
}

func (ev *evaluator) logic(e *Logic) (value.V, value.Fault, bool) {
	x, f, ok := ev.eval(e.X)
	if !ok || f != 0 {
		return x, f, ok
	}
	switch {
	case e.Op == And && !x.Bool():
		return value.MakeBool(false), 0, true
	case e.Op == Or && x.Bool(), e.Op == Implies && !x.Bool():
		return value.MakeBool(true), 0, true
	}
	return ev.eval(e.Y)
}

func (ev *evaluator) record(e *RecordLit) (value.V, value.Fault, bool) {
	if e.Spread != nil {
		x, f, ok := ev.eval(e.Spread)
		if !ok || f != 0 {
			return x, f, ok
		}
		ev.set(e.SpreadLocal, x)
	}
	return ev.all(e.Fields, func(vs []value.V) (value.V, value.Fault) { return value.MakeRecord(vs), 0 })
}

func listValue(t *value.Type, vs []value.V) value.V {
	b := value.NewBuilder(t, len(vs))
	for _, v := range vs {
		b.Append(v)
	}
	return b.Done()
}

func indexOf(e *IndexOf, x, k value.V) (value.V, value.Fault) {
	var v value.V
	fault := value.NoFault
	if e.X.Type().Kind == value.Map {
		var found bool
		if v, found = value.MapGet(e.X.Type(), x, k); !found {
			fault = value.AbsentKey
		}
	} else {
		v, fault = value.ListGet(e.X.Type(), x, k.Int())
	}
	if fault != value.NoFault && e.Optional {
		return value.None, value.NoFault
	}
	return v, fault
}

func compareValues(op CmpOp, t *value.Type, x, y value.V) bool {
	switch op {
	case Eq:
		return value.Equal(t, x, y)
	case Ne:
		return !value.Equal(t, x, y)
	}
	n := value.Compare(t, x, y)
	switch op {
	case Lt:
		return n < 0
	case Le:
		return n <= 0
	case Gt:
		return n > 0
	}
	return n >= 0
}

func negate(t *value.Type, x value.V) (value.V, value.Fault) {
	if t.Kind == value.Decimal {
		return value.NegDecimal(x), 0
	}
	if x.Int() == math.MinInt64 {
		return x, value.Overflow
	}
	return value.MakeInt(-x.Int()), 0
}

// arithmetic works out e on operands of the types that ArithOp tells.
func arithmetic(e *Arith, x, y value.V) (value.V, value.Fault) {
	if e.X.Type().Kind == value.Decimal {
		switch e.Op {
		case Add:
			return value.AddDecimal(x, y)
		case Sub:
			return value.SubDecimal(x, y)
		}
		return value.MulDecimal(x, y)
	}
	var n int64
	ok, fault := true, value.NoFault
	switch e.Op {
	case Add:
		n, ok = value.AddInt(x.Int(), y.Int())
	case Sub:
		n, ok = value.SubInt(x.Int(), y.Int())
	case Mul:
		n, ok = value.MulInt(x.Int(), y.Int())
	case Div:
		n, fault = value.DivInt(x.Int(), y.Int())
	case Mod:
		n, fault = value.ModInt(x.Int(), y.Int())
	}
	if !ok {
		fault = value.Overflow
	}
	return value.MakeInt(n), fault
}
