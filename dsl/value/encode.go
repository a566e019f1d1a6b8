package value

import "strconv"

// Encoder writes values as canonical JSON: fields in the order of their declaration, every one
// of them, none as null, maps and sets in key order, decimals with their scale.
type Encoder struct {
	NumbersAsStrings bool // int and decimal as strings, for readers that have only float64

	byValue bool // one text for each value: decimals without trailing zeros, canonical json
}

// AppendFields appends the object of fields whose values are vals, with the zero Encoder.
func AppendFields(dst []byte, fields []Field, vals []V) []byte {
	return Encoder{}.AppendFields(dst, fields, vals)
}

// AppendJSON appends v of type t, with the zero Encoder.
func AppendJSON(dst []byte, t *Type, v V) []byte { return Encoder{}.AppendJSON(dst, t, v) }

// AppendFields appends the object of fields whose values are vals.
func (e Encoder) AppendFields(dst []byte, fields []Field, vals []V) []byte {
	return append(e.AppendMembers(append(dst, '{'), fields, vals), '}')
}

// AppendMembers is as AppendFields without the braces, to be put after other members.
func (e Encoder) AppendMembers(dst []byte, fields []Field, vals []V) []byte {
	for i := range fields {
		f := &fields[i]
		if i > 0 {
			dst = append(dst, ',', '"')
		} else {
			dst = append(dst, '"')
		}
		dst = append(dst, f.Name...)
		dst = append(dst, '"', ':')
		if f.Type.Kind == Decimal && e == (Encoder{}) {
			dst = AppendDecimal(dst, vals[i])
			continue
		}
		dst = e.AppendJSON(dst, f.Type, vals[i])
	}
	return dst
}

// AppendJSON appends v of type t.
func (e Encoder) AppendJSON(dst []byte, t *Type, v V) []byte {
	switch t.Kind {
	case Bool:
		return strconv.AppendBool(dst, v.Bool())
	case Int:
		return e.closeNumber(AppendInt(e.openNumber(dst), v.Int()))
	case Decimal:
		if e.byValue {
			v = trimZeros(v)
		}
		return e.closeNumber(AppendDecimal(e.openNumber(dst), v))
	case String:
		return AppendQuoted(dst, v.Str())
	case JSON:
		if e.byValue {
			dst, _ = CanonicalJSON(dst, unsafeBytes(JSONText(v)))
			return dst
		}
		return append(dst, JSONText(v)...)
	case Optional:
		if v.IsNone() {
			return append(dst, NullJSON...)
		}
		return e.AppendJSON(dst, t.Elem, v)
	case Record:
		return e.AppendFields(dst, t.Record.Fields, v.Fields(len(t.Record.Fields)))
	case List, Set:
		return e.appendArray(dst, t, v)
	case Map:
		return e.appendMap(dst, t, v)
	case Enum:
		return AppendQuoted(dst, t.Enum.Wire(v))
	}
	return append(AppendText(append(dst, '"'), t, v), '"') // time, date, duration, uuid: nothing to escape
}

func (e Encoder) openNumber(dst []byte) []byte {
	if e.NumbersAsStrings {
		return append(dst, '"')
	}
	return dst
}

func (e Encoder) closeNumber(dst []byte) []byte { return e.openNumber(dst) }

func (e Encoder) appendArray(dst []byte, t *Type, v V) []byte {
	dst = append(dst, '[')
	for i := range v.Len() {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = e.AppendJSON(dst, t.Elem, ElemAt(t, v, i))
	}
	return append(dst, ']')
}

func (e Encoder) appendMap(dst []byte, t *Type, v V) []byte {
	dst = append(dst, '{')
	for i, k := range v.Keys() {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(e.appendKey(dst, t.Key, k), ':')
		dst = e.AppendJSON(dst, t.Elem, elemAt(t, v, i))
	}
	return append(dst, '}')
}

// appendKey appends the text of a key in quotes.
func (e Encoder) appendKey(dst []byte, t *Type, k V) []byte {
	if t.Kind == Int {
		return append(AppendInt(append(dst, '"'), k.Int()), '"')
	}
	return e.AppendJSON(dst, t, k)
}

// AppendInt appends the digits of i.
func AppendInt(dst []byte, i int64) []byte { return strconv.AppendInt(dst, i, 10) }

// Wire is the text of a member of the enum; empty for what is none.
func (e *EnumType) Wire(v V) string {
	if v.W >= uint64(len(e.Members)) {
		return ""
	}
	return e.Members[v.W].Wire
}

// Ordinal finds a member by its wire text.
func (e *EnumType) Ordinal(wire string) (int, bool) {
	for i := range e.Members {
		if e.Members[i].Wire == wire {
			return i, true
		}
	}
	return 0, false
}
