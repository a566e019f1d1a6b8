package check

import "github.com/cloudlysis/aggregate/dsl/value"

// comp works out a comprehension in a constant.
func (ev *evaluator) comp(e *Comp) (value.V, value.Fault, bool) {
	g := gathering{e: e}
	f, ok := ev.rounds(&e.Source, func() (value.Fault, bool, bool) {
		if e.Cond != nil {
			c, f, ok := ev.eval(e.Cond)
			if !ok || f != 0 || !c.Bool() {
				return f, ok, false
			}
		}
		return g.add(ev)
	})
	if !ok || f != 0 {
		return value.V{}, f, ok
	}
	return g.finish()
}

// rounds runs body for each element until it faults, fails or says stop.
func (ev *evaluator) rounds(s *Source, body func() (f value.Fault, ok, stop bool)) (value.Fault, bool) {
	if s.Kind == OverRange {
		from, f, ok := ev.eval(s.From)
		if !ok || f != 0 {
			return f, ok
		}
		to, f, ok := ev.eval(s.To)
		if !ok || f != 0 {
			return f, ok
		}
		for i := from.Int(); i < to.Int(); i++ {
			if !ev.spend(0) {
				return 0, false
			}
			ev.set(s.Value, value.MakeInt(i))
			if f, ok, stop := body(); !ok || f != 0 || stop {
				return f, ok
			}
		}
		return 0, true
	}
	x, f, ok := ev.eval(s.X)
	if !ok || f != 0 {
		return f, ok
	}
	t := s.X.Type()
	for i := range x.Len() {
		if !ev.spend(0) {
			return 0, false
		}
		switch s.Kind {
		case OverList:
			ev.set(s.Key, value.MakeInt(int64(i)))
		case OverMap:
			ev.set(s.Key, x.Keys()[i])
		}
		ev.set(s.Value, value.ElemAt(t, x, i))
		if f, ok, stop := body(); !ok || f != 0 || stop {
			return f, ok
		}
	}
	return 0, true
}

// gathering is what a comprehension has so far.
type gathering struct {
	e     *Comp
	elems []value.V
	keys  []value.V // of CompMap; of CompSortBy one for each sort key of each element
	count int64
	truth bool
}

func (g *gathering) add(ev *evaluator) (value.Fault, bool, bool) {
	e := g.e
	g.count++
	switch e.Kind {
	case CompCount:
		return 0, true, false
	case CompSortBy:
		for _, k := range e.SortKeys {
			v, f, ok := ev.eval(k)
			if !ok || f != 0 {
				return f, ok, true
			}
			g.keys = append(g.keys, v)
		}
		g.elems = append(g.elems, ev.locals[e.Source.Value])
		return 0, true, false
	case CompMap:
		v, f, ok := ev.eval(e.Key)
		if !ok || f != 0 {
			return f, ok, true
		}
		g.keys = append(g.keys, v)
	}
	v, f, ok := ev.eval(e.Elem)
	if !ok || f != 0 {
		return f, ok, true
	}
	g.elems = append(g.elems, v)
	switch e.Kind {
	case CompAny:
		g.truth = g.truth || v.Bool()
		return 0, true, v.Bool()
	case CompAll:
		g.truth = g.truth || !v.Bool() // a false one was seen
		return 0, true, !v.Bool()
	case CompFirst:
		return 0, true, true
	}
	return 0, true, false
}

func (g *gathering) finish() (value.V, value.Fault, bool) {
	e := g.e
	switch e.Kind {
	case CompCount:
		return value.MakeInt(g.count), 0, true
	case CompAny:
		return value.MakeBool(g.truth), 0, true
	case CompAll:
		return value.MakeBool(!g.truth), 0, true
	case CompMap:
		out := value.NewBuilder(e.T, len(g.keys))
		for i, k := range g.keys {
			out.Put(k, g.elems[i])
		}
		return out.Done(), 0, true
	}
	elem := e.Source.Value.Type
	if e.Elem != nil {
		elem = e.Elem.Type()
	}
	t := listOf(elem)
	list := listValue(t, g.elems)
	info := &value.CallInfo{Arg: t, Result: e.T}
	op := value.BuiltinNone
	args := []value.V{list}
	switch e.Kind {
	case CompList:
		return list, 0, true
	case CompSet:
		op = value.SetOf
	case CompSum:
		op = value.SumOf
	case CompMin:
		op = value.MinOf
	case CompMax:
		op = value.MaxOf
	case CompFirst:
		op = value.First
	case CompLast:
		op = value.Last
	case CompUnique:
		op = value.Unique
	case CompSortBy:
		op = value.SortBy
		keys, types := g.sortRows()
		info.Keys, info.Desc = types, e.Desc
		args = append(args, keys)
	}
	v, f := value.Call(op, info, args)
	return v, f, true
}

// sortRows is the second list of SortBy: rows of the sort keys.
func (g *gathering) sortRows() (value.V, []*value.Type) {
	types := make([]*value.Type, len(g.e.SortKeys))
	fields := make([]value.Field, len(types))
	for i, k := range g.e.SortKeys {
		types[i] = k.Type()
		fields[i] = value.Field{Type: types[i]}
	}
	row := &value.Type{Kind: value.Record, Record: &value.RecordType{Fields: fields}}
	b := value.NewBuilder(listOf(row), int(g.count))
	for i := 0; i < len(g.keys); i += len(types) {
		copy(b.Row(), g.keys[i:i+len(types)])
	}
	return b.Done(), types
}
