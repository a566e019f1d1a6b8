package value

import "slices"

func callList(b Builtin, c *CallInfo, args []V) (V, Fault) {
	t, v := c.Arg, args[0]
	switch b {
	case Join:
		return MakeString(joinStrings(v, args[1].Str())), NoFault
	case SliceList:
		return ListSlice(t, v, args[1].Int(), args[2].Int()), NoFault
	case Keys, ListOf:
		return listOfKeys(v), NoFault
	case Values:
		return listOfValues(t, v), NoFault
	case Sort:
		return sortList(t, v), NoFault
	case SortBy:
		return sortBy(c, v, args[1]), NoFault
	case Reverse:
		return gather(t, v, reversed(v.Len())), NoFault
	case First:
		return elemOrNone(t, v, 0), NoFault
	case Last:
		return elemOrNone(t, v, v.Len()-1), NoFault
	case MinOf:
		return extreme(t, v, 1), NoFault
	case MaxOf:
		return extreme(t, v, -1), NoFault
	case SumOf:
		return sumList(t.Elem, v)
	case Unique:
		return gather(t, v, distinct(t, v)), NoFault
	case SetOf:
		return setOf(c.Result, v), NoFault
	case InList:
		return MakeBool(inList(t, v, args[1])), NoFault
	case Concat:
		return ListConcat(t, v, args[1]), NoFault
	case Union:
		return SetUnion(t, v, args[1]), NoFault
	case Without:
		return SetWithout(t, v, args[1]), NoFault
	}
	return V{}, NoFault
}

func listOfKeys(v V) V {
	if v.W == 0 {
		return V{}
	}
	return listOfCells(v.Keys(), v.Len())
}

func listOfValues(t *Type, v V) V {
	if v.W == 0 {
		return V{}
	}
	return listOfCells(v.Cells(t.Stride()), v.Len())
}

// sortList sorts a list of an ordered type; equal elements keep their order.
func sortList(t *Type, v V) V {
	if v.Len() < 2 {
		return v
	}
	cells := slices.Clone(v.Cells(1))
	slices.SortStableFunc(cells, func(a, b V) int { return Compare(t.Elem, a, b) })
	return listOfCells(cells, len(cells))
}

// sortBy sorts list by the rows of keys, one of len(c.Keys) cells for each element.
func sortBy(c *CallInfo, list, keys V) V {
	if list.Len() < 2 {
		return list
	}
	n := len(c.Keys)
	cells := keys.Cells(n)
	order := make([]int, list.Len())
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		for k, t := range c.Keys {
			if r := Compare(t, cells[i*n+k], cells[j*n+k]); r != 0 {
				if c.Desc>>k&1 != 0 {
					return -r
				}
				return r
			}
		}
		return 0
	})
	return gather(c.Arg, list, order)
}

// gather is the list of v's elements at the places of order.
func gather(t *Type, v V, order []int) V {
	if len(order) == 0 {
		return V{}
	}
	s := t.Stride()
	from := v.Cells(s)
	cells := make([]V, 0, len(order)*s)
	for _, i := range order {
		cells = append(cells, from[i*s:(i+1)*s]...)
	}
	return listOfCells(cells, len(order))
}

func reversed(n int) []int {
	order := make([]int, n)
	for i := range order {
		order[i] = n - 1 - i
	}
	return order
}

func elemOrNone(t *Type, v V, i int) V {
	if uint64(i) >= v.W {
		return None
	}
	return elemAt(t, v, i)
}

func extreme(t *Type, v V, sign int) V {
	if v.W == 0 {
		return None
	}
	cells := v.Cells(1)
	best := cells[0]
	for _, e := range cells[1:] {
		best = lesser(t.Elem, best, e, sign)
	}
	return best
}

func sumList(elem *Type, v V) (V, Fault) {
	cells := v.Cells(1)
	if elem.Kind == Decimal {
		return SumColumnD(cells, 1, 0)
	}
	var sum int64
	for _, e := range cells {
		var ok bool
		if sum, ok = AddInt(sum, e.Int()); !ok {
			return V{}, Overflow
		}
	}
	return MakeInt(sum), NoFault
}

// fewElements is up to where comparing each with each beats a map.
const fewElements = 12

// distinct gives the places of the elements that equal none before them.
func distinct(t *Type, v V) []int {
	n := v.Len()
	order := make([]int, 0, n)
	if n > fewElements {
		return distinctByText(t, v, order)
	}
	for i := range n {
		e := elemAt(t, v, i)
		if !slices.ContainsFunc(order, func(j int) bool { return Equal(t.Elem, e, elemAt(t, v, j)) }) {
			order = append(order, i)
		}
	}
	return order
}

// distinctByText tells elements apart by a text that is one for each value.
func distinctByText(t *Type, v V, order []int) []int {
	seen := make(map[string]struct{}, v.Len())
	var buf []byte
	for i := range v.Len() {
		buf = Encoder{byValue: true}.AppendJSON(buf[:0], t.Elem, elemAt(t, v, i))
		if _, is := seen[string(buf)]; is {
			continue
		}
		seen[string(buf)] = struct{}{}
		order = append(order, i)
	}
	return order
}

func setOf(t *Type, list V) V {
	cells := list.Cells(1)
	b := NewBuilder(t, len(cells))
	for _, m := range cells {
		b.Add(m)
	}
	return b.Done()
}

// inList tells whether v, of type t, is an element of list.
func inList(t *Type, v, list V) bool {
	of := Type{Kind: List, Elem: t}
	for i := range list.Len() {
		if Equal(t, v, elemAt(&of, list, i)) {
			return true
		}
	}
	return false
}
