package value

// cellSize is what a cell counts for in gas and memory, on every machine: a V is smaller where
// pointers are, and the same run must cost the same there.
const cellSize = 16

// Size is about how many bytes v holds by itself, for metering: constant work, so containers
// count their cells and not what those point at.
func Size(t *Type, v V) int {
	switch t.Kind {
	case String, JSON:
		return int(v.W)
	case UUID:
		return 16
	case Optional:
		if v.IsNone() {
			return 0
		}
		return Size(t.Elem, v)
	case Record:
		return len(t.Record.Fields) * cellSize
	case Set:
		return v.Len() * cellSize
	case List:
		return v.Len() * t.Stride() * cellSize
	case Map:
		return v.Len() * (t.Stride() + 1) * cellSize
	}
	return 0
}

// DeepSize is about how many bytes v holds with all that its parts point at: what comparing or
// writing all of it touches. It is itself work in proportion to the cells.
func DeepSize(t *Type, v V) int {
	size := Size(t, v)
	switch t.Kind {
	case Optional:
		if v.IsNone() {
			return 0
		}
		return DeepSize(t.Elem, v)
	case Record:
		for i := range t.Record.Fields {
			size += DeepSize(t.Record.Fields[i].Type, v.Field(i))
		}
	case Set:
		size += deepCells(t.Elem, v.Keys())
	case Map:
		size += deepCells(t.Key, v.Keys()) + deepElems(t, v)
	case List:
		size += deepElems(t, v)
	}
	return size
}

func deepCells(t *Type, cells []V) int {
	size := 0
	if flat(t) {
		return size
	}
	for _, v := range cells {
		size += DeepSize(t, v)
	}
	return size
}

func deepElems(t *Type, v V) int {
	if t.Elem.Kind != Record {
		return deepCells(t.Elem, v.Cells(1))
	}
	size := 0
	for i := range v.Len() {
		size += DeepSize(t.Elem, elemAt(t, v, i)) - Size(t.Elem, V{}) // its cells lie in the rows
	}
	return size
}

// flat tells the types whose values are their cell.
func flat(t *Type) bool {
	switch t.Kind {
	case Bool, Int, Decimal, Time, Date, Duration, Enum:
		return true
	}
	return false
}
