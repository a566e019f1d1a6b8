package check

import (
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// Set is a checked manifest set. When the bag holds an error it is not to be compiled.
type Set struct {
	Aggregates []*Aggregate // sorted by name
	Tests      []*Test      // in order of files and text
}

// Aggregate is one checked aggregate.
type Aggregate struct {
	Name string
	Doc  string
	Span diag.Span

	Enums   []*EnumDecl
	Records []*RecordDecl // every record reachable from the aggregate
	Consts  []*ConstDecl

	State         []value.Field
	StateInfo     []FieldInfo // beside State
	Derives       []*Derive   // each after those it reads
	Roles         []string
	Index         []Index
	SnapshotEvery int   // 0: not said
	Gas           int64 // 0: not said
	Final         *Final
	Invariants    []*Invariant
	Commands      []*Command
	// Events are all versions of all events, retired names too, grouped by name, ascending.
	Events  []*Event
	Fns     []*Fn // each after those it calls; only those in use, and the aggregate's own
	Guards  []*Guard
	Rejects []Reject // every code that a rule can give, sorted by code
}

// EnumDecl, RecordDecl and ConstDecl keep what documents and hover texts show.
type (
	EnumDecl struct {
		Type       *value.EnumType
		Doc        string
		Span       diag.Span
		MemberDocs []string
	}
	RecordDecl struct {
		Type   *value.RecordType
		Doc    string
		Span   diag.Span
		Fields []FieldInfo
		Wheres []*Where
	}
	ConstDecl struct {
		Name  string
		Doc   string
		Span  diag.Span
		Type  *value.Type
		Value value.V
	}
	// FieldInfo is what a value.Field does not say.
	FieldInfo struct {
		Doc  string
		Span diag.Span
	}
)

// Derive is a value computed from the state.
type Derive struct {
	Name  string
	Doc   string
	Span  diag.Span
	Type  *value.Type
	Value Expr
}

// Index names a state path or a derive that queries can be served from.
type Index struct {
	Path string // dotted, as written
	Type *value.Type
	Span diag.Span
	// Field and Fields lead to a state value; Derive is set instead for a derive.
	Field  int
	Fields []int
	Derive *Derive
}

// Final is `final when`.
type Final struct {
	Span    diag.Span
	Cond    Expr
	Refusal *Refusal // nil: finished
}

// Invariant is one invariant. Shown are the state paths that its message shows the values of.
type Invariant struct {
	Name  string
	Doc   string
	Span  diag.Span
	Cond  Expr
	Shown []Shown
}

// Shown is a part of a condition and its text. When Bound it reads what an `is some` beside it
// binds: then its Value is none if that is absent.
type Shown struct {
	Text  string
	Value Expr
	Bound bool
}

// Command is one command and its decide.
type Command struct {
	Name       string
	Doc        string
	Span       diag.Span
	Creates    bool
	CreateElse *Refusal // nil: already_exists
	By         []string // empty: anybody
	Fields     []value.Field
	Info       []FieldInfo
	Wheres     []*Where // one for each where, in declaration order
	Decide     []Stmt
	DecideSpan diag.Span
}

// Where is the condition of one field of a command or record. It sees the fields before it and
// itself: Params[i] is field i, and the last is the field itself, with the bare type if the
// field is a T? (it is not checked when absent).
type Where struct {
	Field  int
	Params []*Local
	Cond   Expr
	Span   diag.Span
	Text   string // of the condition, as written
}

// Event is one version of one event.
type Event struct {
	Name    string
	Doc     string
	Span    diag.Span
	Version int
	Current bool // the highest version of a name that is still emitted
	Fields  []value.Field
	Info    []FieldInfo
	// Upcast leads to the next version, or to another name; nil when Current.
	Upcast    *Upcast
	Apply     []Stmt // of the current version
	ApplySpan diag.Span
}

// Upcast makes To of the event that holds it.
type Upcast struct {
	Span diag.Span
	To   *Event
	Make Make // of To's fields; EventField expressions read the old event
}

// Fn is a function. Its body ends in Return on every path.
type Fn struct {
	Name       string
	Doc        string
	Span       diag.Span
	Params     []*Local
	Result     *value.Type
	Body       []Stmt
	ReadsState bool
	ReadsCtx   bool
}

// Guard is a guard; a Check runs its body in place.
type Guard struct {
	Name   string
	Doc    string
	Span   diag.Span
	Params []*Local
	Body   []Stmt
}

// Refusal is a code and how its message is made.
type Refusal struct {
	Code    string
	Message Expr // a string; nil if none
	Span    diag.Span
}

// Reject is one code and the places that give it.
type Reject struct {
	Code  string
	Spans []diag.Span
}

// Local is a let, var, parameter, loop or pattern variable, cases column, or a temporary that
// the checker made (Name ""). A rule never sees it before it is set.
type Local struct {
	Name string
	Type *value.Type
	Var  bool
	Span diag.Span
}

// Make is a list of values for all fields of an event, command or record. When Spread is not
// nil it is evaluated first, into SpreadLocal, and the Fields read that.
type Make struct {
	Spread      Expr
	SpreadLocal *Local
	Fields      []Expr // one per field, defaults filled in, each of exactly the field's type
}
