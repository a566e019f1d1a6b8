package check

import (
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// Stmt is a checked statement.
type Stmt interface{ Pos() diag.Span }

// Place is the place of a statement; every statement embeds it.
type Place struct{ Span diag.Span }

// Pos gives the place.
func (p Place) Pos() diag.Span { return p.Span }

// UpdateOp is what an assignment does with the value that stands there.
type UpdateOp uint8

// The updates.
const (
	SetTo     UpdateOp = iota // =
	Update                    // += -= *= on numbers, durations: Assign.Arith; the value must be there
	AppendStr                 // += on a string
	Append                    // += item on a list
	Insert                    // += member on a set
	Remove                    // remove m[k], remove xs[i], remove s[x]: Value is nil
)

// The statements.
type (
	// Let sets a local for the first time: let, and var.
	Let struct {
		Place
		Local *Local
		Value Expr
	}
	// Assign changes a state field or a var, at the end of the Steps. For Remove the last step
	// names what goes.
	Assign struct {
		Place
		Local *Local // nil: a state field
		Field int    // of the state
		Steps []Step
		Op    UpdateOp
		Arith ArithOp // of Update
		Value Expr
		// Target is the type of the place, with the bounds that the write must keep; for
		// Remove it is the container that the last step removes from.
		Target *value.Type
	}
	// Require ends the rule unless Cond holds.
	Require struct {
		Place
		Cond    Expr
		Nothing bool // ends accepted
		Refusal *Refusal
	}
	// RejectStmt ends the rule.
	RejectStmt struct {
		Place
		Refusal *Refusal
	}
	// Check runs a guard in place.
	Check struct {
		Place
		Guard *Guard
		Args  []Expr
	}
	// Emit makes an event and applies it.
	Emit struct {
		Place
		Event *Event
		Make  Make
	}
	// Nothing says that there is no event.
	Nothing struct{ Place }
	// Return ends a function.
	Return struct {
		Place
		Value Expr
	}
	// IfStmt is if; Else may be empty.
	IfStmt struct {
		Place
		Cond Expr
		Then []Stmt
		Else []Stmt
	}
	// Match takes the first arm that fits; the checker has seen that one does.
	Match struct {
		Place
		Subject Expr
		Arms    []*Arm
	}
	// For runs its body for each element.
	For struct {
		Place
		Source Source
		Body   []Stmt
	}
)

// Step is one step of a path: a record's field, or a map's or list's element.
type Step struct {
	Of    *value.Type // the record, map, list or set that is stepped into
	Field int         // of a record
	Key   Expr        // of the others
	Span  diag.Span
}

// Arm is one arm of a Match.
type Arm struct {
	Span     diag.Span
	Patterns []Pattern
	Body     []Stmt
}

// PatternKind is the kind of a pattern.
type PatternKind uint8

// The patterns.
const (
	PatWild  PatternKind = iota
	PatConst             // equal to From
	PatRange             // between From and To, both included
	PatNone
	PatSome // present; sets Bind unless it is nil
)

// Pattern is one pattern, of the type of the subject.
type Pattern struct {
	Kind     PatternKind
	From, To value.V
	Bind     *Local
	Span     diag.Span
}
