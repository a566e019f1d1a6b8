package ast

import "github.com/cloudlysis/aggregate/dsl/diag"

// Test is `test "name" for Account cases … { steps }`.
type Test struct {
	At
	Doc      Doc
	Name     string // as written between the quotes, escapes resolved, {column} kept
	NameSpan diag.Span
	For      Name
	Columns  []*Column
	Rows     []*Row
	Steps    []Step
}

// Column is one column of cases; Type nil if not written.
type Column struct {
	At
	Name Name
	Type TypeExpr
}

// Row is one row of cases.
type Row struct {
	At
	Values []Expr
}

// Step is one step of a test.
type Step interface {
	Node
	step()
}

// The steps.
type (
	// GivenEvent is `given e @1 { … }`; Version 0 when not written (the current one).
	GivenEvent struct {
		At
		Event   Name
		Version int
		Items   []*Item
	}
	// GivenState is `given state { … }`.
	GivenState struct {
		At
		Items []*Item
	}
	// When is `when c { … }`.
	When struct {
		At
		Command Name
		Items   []*Item
	}
	// ThenEmit is `then emit e { … }`; values may be Blank.
	ThenEmit struct {
		At
		Event Name
		Items []*Item
	}
	// ThenNothing is `then nothing`.
	ThenNothing struct{ At }
	// ThenReject is `then reject code "message"`.
	ThenReject struct {
		At
		Refusal *Refusal
	}
	// ThenInvalid is `then invalid a.b[2].c`.
	ThenInvalid struct {
		At
		Path     string
		PathSpan diag.Span
	}
	// ThenFault is `then fault overflow`.
	ThenFault struct {
		At
		Kind Name
	}
	// ThenGas is `then gas <= 500`.
	ThenGas struct {
		At
		Op string // "<" or "<="
		N  *Num
	}
	// ThenCond is `then E`.
	ThenCond struct {
		At
		Cond Expr
	}
	// AtStep is `at "2026-01-01T00:00:00Z"`.
	AtStep struct {
		At
		Time *Str
	}
	// AsStep is `as { roles: […], meta: {…}, tenant: "t" }`.
	AsStep struct {
		At
		Items []*Item
	}
	// LetStep is `let x = e` between steps.
	LetStep struct {
		At
		Name  Name
		Type  TypeExpr
		Value Expr
	}
	// Repeat is `repeat 45 { steps }`.
	Repeat struct {
		At
		N     *Num
		Steps []Step
	}
	// BadStep stands for what could not be parsed.
	BadStep struct{ At }
)

func (*GivenEvent) step()  {}
func (*GivenState) step()  {}
func (*When) step()        {}
func (*ThenEmit) step()    {}
func (*ThenNothing) step() {}
func (*ThenReject) step()  {}
func (*ThenInvalid) step() {}
func (*ThenFault) step()   {}
func (*ThenGas) step()     {}
func (*ThenCond) step()    {}
func (*AtStep) step()      {}
func (*AsStep) step()      {}
func (*LetStep) step()     {}
func (*Repeat) step()      {}
func (*BadStep) step()     {}
