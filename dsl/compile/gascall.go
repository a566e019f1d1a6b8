package compile

import (
	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// scalarText is at least the bytes of the text of a scalar: a decimal of 34 digits, a time, a
// uuid. Enums have members as long as their author wrote them.
func scalarText(t *value.Type) int64 {
	n := 64
	if t.Kind == value.Enum {
		for _, m := range t.Enum.Members {
			n = max(n, len(m.Wire))
		}
	}
	return int64(n)
}

// called is the shape of what a builtin gives.
func (b *bounder) called(in *bytecode.Ins, t *value.Type, f *flow) *shape {
	site := &b.p.Calls[in.C]
	arg := func(i int) *shape { return b.get(f, int(in.B)+i) }
	switch site.Builtin {
	case value.Len:
		return &shape{n: arg(0).n}
	case value.StringOf:
		return b.text(b.p.Types[site.Args[0]], arg(0))
	case value.Lower, value.Upper:
		return &shape{n: times(arg(0).n, 3)}
	case value.Trim, value.SliceString, value.AsString, value.JSONPath, value.JSONKey, value.JSONIndex:
		return &shape{n: arg(0).n}
	case value.Replace:
		return &shape{n: times(arg(0).n, max(1, arg(2).n))}
	case value.Split:
		return &shape{n: plus(arg(0).n, 1), elem: &shape{n: arg(0).n}}
	case value.AsList:
		return &shape{n: arg(0).n, elem: &shape{n: arg(0).n}}
	case value.Join:
		return &shape{n: times(arg(0).n, plus(arg(0).elem.n, arg(1).n))}
	case value.SliceList, value.Sort, value.SortBy, value.Reverse, value.Unique, value.Without:
		return arg(0)
	case value.Keys, value.ListOf:
		return &shape{n: arg(0).n, elem: arg(0).key}
	case value.Values:
		return &shape{n: arg(0).n, elem: arg(0).elem}
	case value.First, value.Last, value.MinOf, value.MaxOf:
		return arg(0).elem
	case value.SetOf:
		return &shape{n: min(arg(0).n, keyCount(b.p.Types[site.Result].Elem)), key: arg(0).elem}
	case value.Concat:
		return grown(arg(0), arg(1).n, nil, arg(1).elem)
	case value.Union:
		return grown(arg(0), arg(1).n, arg(1).key, nil)
	case value.Min, value.Max:
		if isText(t) {
			return join(arg(0), arg(1))
		}
	}
	return shapeOf(t)
}

func (b *bounder) text(t *value.Type, s *shape) *shape {
	switch t.Kind {
	case value.String, value.JSON:
		return s
	case value.Optional:
		return &shape{n: max(b.text(t.Elem, s).n, 4)}
	}
	return &shape{n: scalarText(t)}
}

// callCost is at least value.Cost of a call, which is linear in what the arguments hold but for
// the five that are told apart.
func (b *bounder) callCost(in *bytecode.Ins, f *flow) int64 {
	site := &b.p.Calls[in.C]
	arg := func(i int) *shape { return b.get(f, int(in.B)+i) }
	typ := func(i int) *value.Type { return b.p.Types[site.Args[i]] }
	switch site.Builtin {
	case value.NthUUID, value.Year, value.Month, value.Day, value.Weekday, value.DateOf, value.AddDays, value.AddMonths,
		value.DaysBetween, value.AddTime, value.SubTime, value.DiffTime:
		return 20
	case value.Keys, value.Values, value.ListOf, value.First, value.Last, value.SliceList:
		return 1
	case value.StartsWith, value.EndsWith:
		return part(arg(1).n)
	case value.Matches:
		_, insts, _ := value.CompileRegexp(site.Pattern)
		return plus(1, part(times(arg(0).n, int64(max(insts, 16)))))
	case value.JSONPath:
		steps := int64(1)
		for _, part := range site.Path {
			steps += int64(len(part))
		}
		return plus(1, part(times(arg(0).n, steps+int64(len(site.Args)))))
	case value.Sort, value.SortBy, value.SetOf, value.Unique:
		return plus(1, sorting(typ(0), arg(0)))
	case value.InList:
		return times(arg(1).n, plus(1, part(bytesOf(typ(0), arg(0)))))
	case value.Replace:
		return plus(part(arg(0).n), part(times(arg(0).n, max(1, arg(2).n))))
	case value.Split:
		return plus(1, plus(part(arg(0).n), arg(0).n))
	}
	// The rest reads its arguments through, and some write as much again.
	n := int64(3)
	for i := range site.Args {
		n = plus(n, linear(typ(i), arg(i)))
	}
	if site.Builtin == value.Join {
		n = plus(n, part(times(arg(0).n, arg(1).n)))
	}
	return n
}

// linear is at least one for each element and field and two for each 16 bytes.
func linear(t *value.Type, s *shape) int64 {
	if s == nil || t.Kind == value.Int {
		return 1
	}
	return plus(1, times(deep(t, s), 2))
}
