package value

import "unsafe"

// V is one value of a type that is known from elsewhere; a V by itself does not tell what it
// is. The zero V is the zero value of every type but Enum's first member, Record (which has no
// usable zero V: see Zero) and the optional (whose zero V is the present zero of its Elem).
//
// Values are immutable: an operation that changes makes a new value and may share what is the
// same. So a V can be kept by whoever has it.
type V struct {
	W   uint64
	Ref unsafe.Pointer
}

// Rows are the elements of a list, set or map: a sorted column of keys for sets and maps, and
// the cells of the elements, Stride of them each, one after another. A record element is its
// row: a V whose Ref points at its first cell, so reading one copies nothing.
//
// Elements below a V's length never change; what lies behind it may be another's, so read through
// V.Keys and V.Cells, which stop there. An append may use the room behind Used in place, but only
// for a V whose length is Used, and claims it atomically; everyone else copies. So older values
// stay as they were, and values may be read and appended to from several goroutines.
type Rows struct {
	Keys  []V   // at least Used for sets and maps, nil for lists
	Cells []V   // at least Used * stride
	Used  int64 // elements written or claimed; atomic
}

var noneCell [8]byte

// None is the absent value of every optional type.
var None = V{Ref: unsafe.Pointer(&noneCell)}

// IsNone tells whether v, of an optional type, is absent.
func (v V) IsNone() bool { return v.Ref == unsafe.Pointer(&noneCell) }

// The views of a V whose type is known to fit.

// Bool is v as a bool.
func (v V) Bool() bool { return v.W != 0 }

// Int is v as an int, and a date's days, a duration's nanoseconds, an enum's ordinal.
func (v V) Int() int64 { return int64(v.W) }

// Str is v as a string or the text of a json value; it shares v's bytes.
func (v V) Str() string { return unsafe.String((*byte)(v.Ref), int(v.W)) }

// UUID is v as a uuid; the zero V is the nil uuid.
func (v V) UUID() [16]byte {
	if v.Ref == nil {
		return [16]byte{}
	}
	return *(*[16]byte)(v.Ref)
}

// Fields are the n fields of a record.
func (v V) Fields(n int) []V { return unsafe.Slice((*V)(v.Ref), n) }

// Field is field i of a record.
func (v V) Field(i int) V { return *(*V)(unsafe.Add(v.Ref, uintptr(i)*unsafe.Sizeof(V{}))) }

// Len is the length of a list, set or map.
func (v V) Len() int { return int(v.W) }

// Rows are the rows of a list, set or map; nil when it is empty.
func (v V) Rows() *Rows { return (*Rows)(v.Ref) }

// MakeBool makes a bool.
func MakeBool(b bool) V {
	if b {
		return V{W: 1}
	}
	return V{}
}

// MakeInt makes an int, a date from days, a duration from nanoseconds, an enum from its ordinal.
func MakeInt(i int64) V { return V{W: uint64(i)} }

// MakeString makes a string, or a json value from its compact text; it shares s's bytes.
func MakeString(s string) V { return V{W: uint64(len(s)), Ref: unsafe.Pointer(unsafe.StringData(s))} }

// MakeUUID makes a uuid.
func MakeUUID(id [16]byte) V { return V{Ref: unsafe.Pointer(&id)} }

// MakeRecord makes a record of its fields; it keeps the slice, which has at least one element.
func MakeRecord(fields []V) V { return V{Ref: unsafe.Pointer(unsafe.SliceData(fields))} }
