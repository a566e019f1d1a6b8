package testrun

import "github.com/cloudlysis/aggregate/dsl/check"

// expr is e with its ifs marked. Nodes are copied, never changed.
func (in *instrumenter) expr(e check.Expr) check.Expr {
	switch e := e.(type) {
	case *check.If:
		c := *e
		then, otherwise := in.ways("if", e.Span)
		c.Cond, c.Then, c.Else = in.expr(e.Cond), seen(in.expr(e.Then), then), seen(in.expr(e.Else), otherwise)
		return &c
	case *check.FieldOf:
		c := *e
		c.X = in.expr(e.X)
		return &c
	case *check.IndexOf:
		c := *e
		c.X, c.Key = in.expr(e.X), in.expr(e.Key)
		return &c
	case *check.Arith:
		c := *e
		c.X, c.Y = in.expr(e.X), in.expr(e.Y)
		return &c
	case *check.Neg:
		c := *e
		c.X = in.expr(e.X)
		return &c
	case *check.Not:
		c := *e
		c.X = in.expr(e.X)
		return &c
	case *check.Cmp:
		c := *e
		c.X, c.Y = in.expr(e.X), in.expr(e.Y)
		return &c
	case *check.Logic:
		c := *e
		c.X, c.Y = in.expr(e.X), in.expr(e.Y)
		return &c
	case *check.Coalesce:
		c := *e
		c.X, c.D = in.expr(e.X), in.expr(e.D)
		return &c
	case *check.IsSome:
		c := *e
		c.X = in.expr(e.X)
		return &c
	case *check.IsNone:
		c := *e
		c.X = in.expr(e.X)
		return &c
	}
	return in.exprOfMany(e)
}

func (in *instrumenter) exprOfMany(e check.Expr) check.Expr {
	switch e := e.(type) {
	case *check.In:
		c := *e
		c.X, c.Y = in.expr(e.X), in.expr(e.Y)
		return &c
	case *check.InRange:
		c := *e
		c.X, c.From, c.To = in.expr(e.X), in.expr(e.From), in.expr(e.To)
		return &c
	case *check.Widen:
		c := *e
		c.X = in.expr(e.X)
		return &c
	case *check.Some:
		c := *e
		c.X = in.expr(e.X)
		return &c
	case *check.FnCall:
		c := *e
		c.Args = in.exprs(e.Args)
		return &c
	case *check.Call:
		c := *e
		c.Args = in.exprs(e.Args)
		return &c
	case *check.Interp:
		c := *e
		c.Parts = in.exprs(e.Parts)
		return &c
	case *check.RecordLit:
		c := *e
		c.Make = in.make(e.Make)
		return &c
	case *check.ListLit:
		c := *e
		c.Elems = in.exprs(e.Elems)
		return &c
	case *check.MapLit:
		c := *e
		c.Keys, c.Values = in.exprs(e.Keys), in.exprs(e.Values)
		return &c
	case *check.Comp:
		c := *e
		c.Source = in.source(e.Source)
		c.Cond, c.Elem, c.Key, c.SortKeys = in.expr(e.Cond), in.expr(e.Elem), in.expr(e.Key), in.exprs(e.SortKeys)
		return &c
	}
	return e
}

func (in *instrumenter) exprs(list []check.Expr) []check.Expr {
	out := make([]check.Expr, len(list))
	for i, e := range list {
		out[i] = in.expr(e)
	}
	return out
}

func (in *instrumenter) make(m check.Make) check.Make {
	return check.Make{Spread: in.expr(m.Spread), SpreadLocal: m.SpreadLocal, Fields: in.exprs(m.Fields)}
}

func (in *instrumenter) source(s check.Source) check.Source {
	s.X, s.From, s.To = in.expr(s.X), in.expr(s.From), in.expr(s.To)
	return s
}
