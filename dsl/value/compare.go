package value

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"strings"
	"unicode/utf8"
)

// Equal tells whether a and b of type t are equal: decimals by value, containers member by
// member, json by value.
func Equal(t *Type, a, b V) bool {
	switch t.Kind {
	case Bool, Int, Date, Duration, Enum:
		return a.W == b.W
	case Decimal:
		return a.W == b.W && a.W&bigBit == 0 || CmpDecimal(a, b) == 0
	case String:
		return a.Str() == b.Str()
	case Time:
		return CompareTime(a, b) == 0
	case UUID:
		return a.Ref == b.Ref || a.UUID() == b.UUID()
	case JSON:
		return EqualJSON(a, b)
	case Optional:
		if a.IsNone() || b.IsNone() {
			return a.Ref == b.Ref
		}
		return Equal(t.Elem, a, b)
	case Record:
		return a.Ref == b.Ref || equalFields(t.Record.Fields, a, b)
	case List, Set, Map:
		return equalRows(t, a, b)
	}
	return false
}

func equalFields(fields []Field, a, b V) bool {
	for i := range fields {
		if !Equal(fields[i].Type, a.Field(i), b.Field(i)) {
			return false
		}
	}
	return true
}

func equalRows(t *Type, a, b V) bool {
	if a.W != b.W {
		return false
	}
	if a.Ref == b.Ref || a.W == 0 {
		return true
	}
	if t.Kind != List {
		key := t.KeyType()
		ak, bk := a.Keys(), b.Keys()
		for i := range ak {
			if CompareKey(key, ak[i], bk[i]) != 0 {
				return false
			}
		}
	}
	if t.Kind == Set {
		return true
	}
	for i := range a.Len() {
		if !Equal(t.Elem, elemAt(t, a, i), elemAt(t, b, i)) {
			return false
		}
	}
	return true
}

// KeyType is the type of the keys of a Map and of the members of a Set.
func (t *Type) KeyType() *Type {
	if t.Kind == Set {
		return t.Elem
	}
	return t.Key
}

// Compare is -1, 0 or 1 for a and b of an ordered type or a key type; 0 for the others.
func Compare(t *Type, a, b V) int {
	switch t.Kind {
	case Bool, Int, Date, Duration, Enum:
		return cmpInt(int64(a.W), int64(b.W))
	case Decimal:
		return CmpDecimal(a, b)
	case String:
		return strings.Compare(a.Str(), b.Str()) // bytes of UTF-8 order as code points do
	case Time:
		return CompareTime(a, b)
	case UUID:
		return compareUUID(a, b)
	}
	return 0
}

// CompareKey is Compare for the types that can be keys.
func CompareKey(t *Type, a, b V) int {
	switch t.Kind {
	case String:
		return strings.Compare(a.Str(), b.Str())
	case UUID:
		return compareUUID(a, b)
	}
	return cmpInt(int64(a.W), int64(b.W))
}

func compareUUID(a, b V) int {
	if a.Ref == nil || b.Ref == nil {
		x, y := a.UUID(), b.UUID()
		return bytes.Compare(x[:], y[:])
	}
	x, y := (*[16]byte)(a.Ref), (*[16]byte)(b.Ref)
	if c := cmp.Compare(binary.BigEndian.Uint64(x[:8]), binary.BigEndian.Uint64(y[:8])); c != 0 {
		return c
	}
	return cmp.Compare(binary.BigEndian.Uint64(x[8:]), binary.BigEndian.Uint64(y[8:]))
}

// Zero is the value a place of type t has when nothing says otherwise; a record's is made of
// its fields' defaults and zeros. Time, date, duration, uuid and enum have one here, though the
// language wants it written: see HasZero.
func Zero(t *Type) V {
	switch t.Kind {
	case Optional:
		return None
	case Record:
		return MakeRecord(ZeroOf(t.Record.Fields))
	}
	return V{}
}

// ZeroOf gives each field its default, or else its zero.
func ZeroOf(fields []Field) []V {
	vals := make([]V, len(fields))
	for i := range fields {
		vals[i] = ZeroField(&fields[i])
	}
	return vals
}

// ZeroField is the field's default, or else its zero.
func ZeroField(f *Field) V {
	if f.HasDefault {
		return f.Default
	}
	return Zero(f.Type)
}

// HasZero tells whether the language gives t a zero of its own, so that a state field of it
// needs no default.
func HasZero(t *Type) bool {
	switch t.Kind {
	case Time, Date, Duration, UUID, Enum:
		return false
	case Record:
		for i := range t.Record.Fields {
			if f := &t.Record.Fields[i]; !f.HasDefault && !HasZero(f.Type) {
				return false
			}
		}
	}
	return true
}

// CheckBound tells whether v keeps the bounds that t has at any depth.
func CheckBound(t *Type, v V) bool {
	if !hasBound(t) {
		return true
	}
	switch t.Kind {
	case String:
		return withinBound(t, v)
	case Optional:
		return v.IsNone() || CheckBound(t.Elem, v)
	case Record:
		for i := range t.Record.Fields {
			if !CheckBound(t.Record.Fields[i].Type, v.Field(i)) {
				return false
			}
		}
		return true
	}
	return withinBound(t, v) && checkRows(t, v)
}

func checkRows(t *Type, v V) bool {
	if t.Kind != List && hasBound(t.KeyType()) {
		for _, k := range v.Keys() {
			if !CheckBound(t.KeyType(), k) {
				return false
			}
		}
	}
	if t.Kind == Set || !hasBound(t.Elem) {
		return true
	}
	for i := range v.Len() {
		if !CheckBound(t.Elem, elemAt(t, v, i)) {
			return false
		}
	}
	return true
}

// withinBound checks the length of v itself; a string is counted in code points.
func withinBound(t *Type, v V) bool {
	if t.Bound == 0 || v.W <= uint64(t.Bound) {
		return true
	}
	return t.Kind == String && utf8.RuneCountInString(v.Str()) <= t.Bound
}

// hasBound tells whether t or a part of it is bounded. Records are never recursive.
func hasBound(t *Type) bool {
	if t.Bound > 0 {
		return true
	}
	switch t.Kind {
	case Optional, List, Set:
		return hasBound(t.Elem)
	case Map:
		return hasBound(t.Key) || hasBound(t.Elem)
	case Record:
		for i := range t.Record.Fields {
			if hasBound(t.Record.Fields[i].Type) {
				return true
			}
		}
	}
	return false
}
