package value

// Kind is the kind of a type.
type Kind uint8

// The kinds. Those up to Duration that are marked w keep everything in the word of a V.
const (
	Invalid  Kind = iota // the type of what has been reported as wrong
	Bool                 // w: 0 or 1
	Int                  // w: int64
	Decimal              // w, large ones behind ref
	String               // ref to the bytes, w their count
	Time                 // w nanoseconds since 1970, those out of int64 behind ref
	Date                 // w: days since 1970-01-01
	Duration             // w: nanoseconds
	UUID                 // ref to [16]byte
	JSON                 // as String: compact text
	Enum                 // w: ordinal in declaration order
	Record               // ref to the first of its fields' Vs
	List                 // ref to *Rows, w the length
	Set                  // as List, keys only, sorted
	Map                  // as List, keys sorted
	Optional             // as its Elem; none is a ref to a sentinel
)

// Type is a type. Types are compared with Same, which ignores bounds: a bound is a constraint
// of a place, not another type.
type Type struct {
	Kind   Kind
	Bound  int   // of String, List, Set, Map: the greatest length; 0 is none
	Elem   *Type // of List, Set (its member), Map (its value), Optional
	Key    *Type // of Map
	Enum   *EnumType
	Record *RecordType
}

// EnumType is a declared enum. Two enums are the same only if they are one declaration.
type EnumType struct {
	Name    string
	Ordered bool
	Members []Member
}

// Member is one member of an enum; Wire is its text in JSON and in interpolation.
type Member struct{ Name, Wire string }

// RecordType is a declared record, never recursive. It has at least one field.
type RecordType struct {
	Name   string
	Fields []Field
}

// Field is one field of a record, state, command or event.
type Field struct {
	Name string
	Type *Type
	// HasDefault tells that the field may be left out and is then Default. A field of type T?
	// may always be left out and is then none.
	HasDefault bool
	Default    V
}

// The scalar types, one value each.
var (
	InvalidType  = &Type{Kind: Invalid}
	BoolType     = &Type{Kind: Bool}
	IntType      = &Type{Kind: Int}
	DecimalType  = &Type{Kind: Decimal}
	StringType   = &Type{Kind: String}
	TimeType     = &Type{Kind: Time}
	DateType     = &Type{Kind: Date}
	DurationType = &Type{Kind: Duration}
	UUIDType     = &Type{Kind: UUID}
	JSONType     = &Type{Kind: JSON}
)

// Same tells whether s and t are one type, bounds aside.
func Same(s, t *Type) bool {
	if s == t {
		return true
	}
	if s.Kind != t.Kind {
		return false
	}
	switch s.Kind {
	case Enum:
		return s.Enum == t.Enum
	case Record:
		return s.Record == t.Record
	case Map:
		return Same(s.Key, t.Key) && Same(s.Elem, t.Elem)
	case List, Set, Optional:
		return Same(s.Elem, t.Elem)
	}
	return true
}

// Stride is how many cells one element of a List or one value of a Map takes in Rows: a record
// lies flat with all its fields, anything else takes one; a set's member takes none.
func (t *Type) Stride() int {
	switch {
	case t.Kind == Set:
		return 0
	case t.Elem.Kind == Record:
		return len(t.Elem.Record.Fields)
	}
	return 1
}
