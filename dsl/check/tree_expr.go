package check

import (
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// Expr is a checked expression: names are resolved, widenings written out, constants folded.
type Expr interface {
	Type() *value.Type
	Pos() diag.Span
}

// Typed is the type and place of an expression; every expression embeds it.
type Typed struct {
	T    *value.Type
	Span diag.Span
}

// Type gives the type.
func (t Typed) Type() *value.Type { return t.T }

// Pos gives the place.
func (t Typed) Pos() diag.Span { return t.Span }

// ArithOp is an arithmetic operator. Its operands are int, duration (with int for Mul and Div;
// both for Div to int) or decimal, which has no Div and Mod.
type ArithOp uint8

// The arithmetic operators.
const (
	Add ArithOp = iota
	Sub
	Mul
	Div
	Mod
)

// CmpOp is a comparison of two values of one type.
type CmpOp uint8

// The comparisons.
const (
	Eq CmpOp = iota
	Ne
	Lt
	Le
	Gt
	Ge
)

// LogicOp is a lazy operator on bools.
type LogicOp uint8

// The lazy operators.
const (
	And LogicOp = iota
	Or
	Implies
)

// CtxField is a field of ctx.
type CtxField uint8

// The fields of ctx, in the order of their slots.
const (
	CtxNow         CtxField = iota // time
	CtxAggregateID                 // uuid
	CtxCommandID                   // uuid
	CtxTenant                      // string
	CtxVersion                     // int
	CtxMeta                        // map<string, string>
	CtxRoles                       // set<string>
	CtxFieldCount
)

// The expressions.
type (
	// Const is a known value.
	Const struct {
		Typed
		Value value.V
	}
	// StateField reads state.f, or old.f when Old.
	StateField struct {
		Typed
		Field int
		Old   bool
	}
	// DeriveRef reads state.d or old.d.
	DeriveRef struct {
		Typed
		Derive *Derive
		Old    bool
	}
	// CmdField reads cmd.f.
	CmdField struct {
		Typed
		Field int
	}
	// EventField reads event.f in an apply, old.f in an upcast.
	EventField struct {
		Typed
		Field int
	}
	// CtxRef reads ctx.f.
	CtxRef struct {
		Typed
		Field CtxField
	}
	// LocalRef reads a local.
	LocalRef struct {
		Typed
		Local *Local
	}
	// FieldOf reads a field of a record.
	FieldOf struct {
		Typed
		X     Expr
		Field int
	}
	// IndexOf is xs[i] or m[k]; Optional makes absence none (T?), else it faults. When the
	// element is itself optional, Optional flattens.
	IndexOf struct {
		Typed
		X, Key   Expr
		Optional bool
	}
	// Arith computes; X and Y have the types that ArithOp tells, already widened.
	Arith struct {
		Typed
		Op   ArithOp
		X, Y Expr
	}
	// Neg is -x on int, duration, decimal.
	Neg struct {
		Typed
		X Expr
	}
	// Not is not x.
	Not struct {
		Typed
		X Expr
	}
	// Cmp compares two values of one type; order only on ordered types.
	Cmp struct {
		Typed
		Op   CmpOp
		X, Y Expr
	}
	// Logic is lazy.
	Logic struct {
		Typed
		Op   LogicOp
		X, Y Expr
	}
	// If is `if c then a else b`, lazy.
	If struct {
		Typed
		Cond, Then, Else Expr
	}
	// Coalesce is x ?? d, lazy; X is a T?, D a T or T?, as the result.
	Coalesce struct {
		Typed
		X, D Expr
	}
	// IsSome is true when x is present and then sets Bind (nil for `_`), of the bare type.
	IsSome struct {
		Typed
		X    Expr
		Bind *Local
	}
	// IsNone is true when x is absent.
	IsNone struct {
		Typed
		X Expr
	}
	// In is `x in s` on a set, or on a map's keys. On lists it is a Call of value.InList.
	In struct {
		Typed
		X, Y Expr
	}
	// InRange is x in from..to, both included; X is evaluated once.
	InRange struct {
		Typed
		X, From, To Expr
	}
	// Widen makes a decimal of an int.
	Widen struct {
		Typed
		X Expr
	}
	// Some makes a T? of a T; the value stays as it is.
	Some struct {
		Typed
		X Expr
	}
	// FnCall calls a function.
	FnCall struct {
		Typed
		Fn   *Fn
		Args []Expr
	}
	// Call calls a builtin.
	Call struct {
		Typed
		Builtin value.Builtin
		Info    *value.CallInfo
		Args    []Expr
	}
	// Interp joins strings: each part is a string (a Call of value.StringOf where it was not).
	// Also `+` on strings.
	Interp struct {
		Typed
		Parts []Expr
	}
	// RecordLit makes a record.
	RecordLit struct {
		Typed
		Make
	}
	// ListLit makes a list; each element has exactly the element type.
	ListLit struct {
		Typed
		Elems []Expr
	}
	// MapLit makes a map; of equal computed keys the last wins.
	MapLit struct {
		Typed
		Keys, Values []Expr
	}
	// Comp is a comprehension.
	Comp struct {
		Typed
		Kind   CompKind
		Source Source
		Cond   Expr // nil if none
		// Elem is the element (a map's value; the condition of any and all; what min, max,
		// first, last, sum give). Nil for CompCount.
		Elem Expr
		Key  Expr // of CompMap
		// SortKeys of CompSortBy; SortKeys[i] descends when Desc has bit i.
		SortKeys []Expr
		Desc     uint64
	}
)

// CompKind is what a comprehension makes.
type CompKind uint8

// The kinds of comprehension.
const (
	CompList CompKind = iota
	CompMap
	CompSet
	CompSum
	CompCount
	CompAny
	CompAll
	CompMin
	CompMax
	CompFirst
	CompLast
	CompUnique
	CompSortBy
)

// SourceKind is what a loop runs over.
type SourceKind uint8

// The sources.
const (
	OverList SourceKind = iota
	OverSet
	OverMap
	OverRange
)

// Source is the head of a loop: the locals are set anew for each element. Nil locals are
// those that the author wrote as `_` or not at all.
type Source struct {
	Kind     SourceKind
	Key      *Local // index of a list (from 0), key of a map
	Value    *Local // element, member, value, or the number of a range
	X        Expr   // the container, evaluated once; nil for OverRange
	From, To Expr   // of OverRange; To is not included
}
