package check

import (
	"time"

	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// Test is one checked test of an aggregate.
type Test struct {
	Name    string // {column} stands for the row's value
	Doc     string
	Span    diag.Span
	Of      *Aggregate
	Columns []*Local
	Rows    [][]value.V // constants, one for each column; empty when there are no cases
	Steps   []TestStep
	// Fns are the functions that the test uses and Of.Fns does not hold, each after those it
	// calls: functions of a test file belong to no aggregate.
	Fns []*Fn
}

// TestStep is one step of a test.
type TestStep interface{ Pos() diag.Span }

// The steps of a test.
type (
	// GivenEvent applies an event, an old version through its upcasts.
	GivenEvent struct {
		Place
		Event *Event
		Make  Make
	}
	// GivenState sets the whole state; Make.Fields holds all fields.
	GivenState struct {
		Place
		Make Make
	}
	// When runs a command.
	When struct {
		Place
		Command *Command
		Make    Make
	}
	// ThenEmit is the next of the exact list of events.
	ThenEmit struct {
		Place
		Event *Event
		Want  []*Want // one per field
	}
	// ThenNothing: accepted without events.
	ThenNothing struct{ Place }
	// ThenReject: refused with a code; Code is a string expression, Message nil if not compared.
	ThenReject struct {
		Place
		Code    Expr
		Message Expr
	}
	// ThenInvalid: refused by validation at Path.
	ThenInvalid struct {
		Place
		Path string
	}
	// ThenFault: the fault.
	ThenFault struct {
		Place
		Fault value.Fault
	}
	// ThenGas: gas used is < N, or <= N when OrEqual.
	ThenGas struct {
		Place
		N       int64
		OrEqual bool
	}
	// ThenCond: a bool over the state after the command. Shown are its operands.
	ThenCond struct {
		Place
		Cond  Expr
		Text  string
		Shown []Shown
	}
	// AtStep sets ctx.now.
	AtStep struct {
		Place
		Now time.Time
	}
	// AsStep sets the rest of ctx; nil expressions are the defaults of ruling 81.
	AsStep struct {
		Place
		Roles       Expr // list<string> or set<string>, as set<string>
		Meta        Expr // map<string, string>
		Tenant      Expr // string
		AggregateID Expr // uuid
		CommandID   Expr // uuid
	}
	// LetStep sets a local.
	LetStep struct {
		Place
		Local *Local
		Value Expr
	}
	// Repeat runs its steps N times.
	Repeat struct {
		Place
		N     int
		Steps []TestStep
	}
)

// Want is what a value is compared with: anything (Blank), a value, or part by part where a
// Blank lies deeper.
type Want struct {
	Blank bool
	Value Expr    // set unless Blank or Parts
	Parts []*Want // of a record's fields, or a list's or map's elements
	Keys  []Expr  // of a map, beside Parts
	Type  *value.Type
	Span  diag.Span
}
