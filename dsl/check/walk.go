package check

// walk calls f for e and, where f says so, for its parts, in the order of evaluation.
func walk(e Expr, f func(Expr) bool) {
	if e == nil || !f(e) {
		return
	}
	for _, p := range parts(e) {
		walk(p, f)
	}
}

// parts are the direct parts of e.
func parts(e Expr) []Expr {
	switch e := e.(type) {
	case *FieldOf:
		return []Expr{e.X}
	case *IndexOf:
		return []Expr{e.X, e.Key}
	case *Arith:
		return []Expr{e.X, e.Y}
	case *Neg:
		return []Expr{e.X}
	case *Not:
		return []Expr{e.X}
	case *Cmp:
		return []Expr{e.X, e.Y}
	case *Logic:
		return []Expr{e.X, e.Y}
	case *If:
		return []Expr{e.Cond, e.Then, e.Else}
	case *Coalesce:
		return []Expr{e.X, e.D}
	case *IsSome:
		return []Expr{e.X}
	case *IsNone:
		return []Expr{e.X}
	case *In:
		return []Expr{e.X, e.Y}
	case *InRange:
		return []Expr{e.X, e.From, e.To}
	case *Widen:
		return []Expr{e.X}
	case *Some:
		return []Expr{e.X}
	case *FnCall:
		return e.Args
	case *Call:
		return e.Args
	case *Interp:
		return e.Parts
	case *RecordLit:
		return append([]Expr{e.Spread}, e.Fields...)
	case *ListLit:
		return e.Elems
	case *MapLit:
		return append(append([]Expr(nil), e.Keys...), e.Values...)
	case *Comp:
		return append([]Expr{e.Source.X, e.Source.From, e.Source.To, e.Cond, e.Key, e.Elem}, e.SortKeys...)
	}
	return nil
}
