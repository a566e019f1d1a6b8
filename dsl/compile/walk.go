package compile

import "github.com/cloudlysis/aggregate/dsl/check"

// walker visits the expressions of a tree, each before its parts.
type walker func(check.Expr)

func (w walker) exprs(list ...check.Expr) {
	for _, e := range list {
		if e != nil {
			w.expr(e)
		}
	}
}

func (w walker) expr(e check.Expr) {
	w(e)
	switch e := e.(type) {
	case *check.FieldOf:
		w.expr(e.X)
	case *check.IndexOf:
		w.exprs(e.X, e.Key)
	case *check.Arith:
		w.exprs(e.X, e.Y)
	case *check.Neg:
		w.expr(e.X)
	case *check.Not:
		w.expr(e.X)
	case *check.Cmp:
		w.exprs(e.X, e.Y)
	case *check.Logic:
		w.exprs(e.X, e.Y)
	case *check.If:
		w.exprs(e.Cond, e.Then, e.Else)
	case *check.Coalesce:
		w.exprs(e.X, e.D)
	case *check.IsSome:
		w.expr(e.X)
	case *check.IsNone:
		w.expr(e.X)
	case *check.In:
		w.exprs(e.X, e.Y)
	case *check.InRange:
		w.exprs(e.X, e.From, e.To)
	case *check.Widen:
		w.expr(e.X)
	case *check.Some:
		w.expr(e.X)
	case *check.FnCall:
		w.exprs(e.Args...)
	case *check.Call:
		w.exprs(e.Args...)
	case *check.Interp:
		w.exprs(e.Parts...)
	case *check.RecordLit:
		w.makes(e.Make)
	case *check.ListLit:
		w.exprs(e.Elems...)
	case *check.MapLit:
		w.exprs(e.Keys...)
		w.exprs(e.Values...)
	case *check.Comp:
		w.source(e.Source)
		w.exprs(e.Cond, e.Key, e.Elem)
		w.exprs(e.SortKeys...)
	}
}

func (w walker) makes(m check.Make) {
	w.exprs(m.Spread)
	w.exprs(m.Fields...)
}

func (w walker) source(s check.Source) { w.exprs(s.X, s.From, s.To) }

func (w walker) stmts(list []check.Stmt) {
	for _, s := range list {
		w.stmt(s)
	}
}

func (w walker) stmt(s check.Stmt) {
	switch s := s.(type) {
	case *check.Let:
		w.exprs(s.Value)
	case *check.Assign:
		for _, st := range s.Steps {
			w.exprs(st.Key)
		}
		w.exprs(s.Value)
	case *check.Require:
		w.expr(s.Cond)
		w.refusal(s.Refusal)
	case *check.RejectStmt:
		w.refusal(s.Refusal)
	case *check.Check:
		w.exprs(s.Args...)
		w.stmts(s.Guard.Body)
	case *check.Emit:
		w.makes(s.Make)
	case *check.Return:
		w.exprs(s.Value)
	case *check.IfStmt:
		w.expr(s.Cond)
		w.stmts(s.Then)
		w.stmts(s.Else)
	case *check.Match:
		w.expr(s.Subject)
		for _, a := range s.Arms {
			w.stmts(a.Body)
		}
	case *check.For:
		w.source(s.Source)
		w.stmts(s.Body)
	}
}

func (w walker) refusal(r *check.Refusal) {
	if r != nil {
		w.exprs(r.Message)
	}
}

// countStmts counts statements at any depth.
func countStmts(list []check.Stmt) int {
	n := len(list)
	for _, s := range list {
		switch s := s.(type) {
		case *check.IfStmt:
			n += countStmts(s.Then) + countStmts(s.Else)
		case *check.For:
			n += countStmts(s.Body)
		case *check.Match:
			for _, a := range s.Arms {
				n += countStmts(a.Body)
			}
		}
	}
	return n
}
