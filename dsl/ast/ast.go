// Package ast holds the nodes of a parsed manifest.
//
// The tree says what the author wrote and nothing more: names are unresolved, literals keep
// their text, `+=` is still `+=`. Every node has the span of its text. What could not be parsed
// is a Bad node, so that the rest of a file can still be checked; a Bad node has been reported
// already and later phases stay silent about it.
package ast

import "github.com/cloudlysis/aggregate/dsl/diag"

// Node is anything with a place.
type Node interface{ Pos() diag.Span }

// At is the place of a node; every node embeds it.
type At struct{ Span diag.Span }

// Pos gives the place.
func (a At) Pos() diag.Span { return a.Span }

// Name is an identifier with its place.
type Name struct {
	At
	Text string
}

// Comment is one // or /// comment; Text is the whole line from the slashes.
type Comment struct {
	At
	Text string
	// OwnLine tells that nothing but white space stands before it on its line.
	OwnLine bool
}

// File is one source file.
type File struct {
	Source   *diag.File
	Imports  []*Import
	Decls    []Decl     // top level, in order: Aggregate, Enum, Record, Const, Fn, Test, BadDecl
	Comments []*Comment // all, in order
}

// Import is `import "money.agg"`.
type Import struct {
	At
	Path     string
	PathSpan diag.Span
}

// Decl is a declaration, at top level or inside an aggregate.
type Decl interface {
	Node
	decl()
}

// Doc is the text of the /// comments before a declaration, without slashes; empty if none.
type Doc = string

// The declarations.
type (
	// Aggregate is `aggregate Account { … }`.
	Aggregate struct {
		At
		Doc   Doc
		Name  Name
		Decls []Decl
	}
	// Enum is `enum Status { open, frozen }` or `ordered enum …`.
	Enum struct {
		At
		Doc     Doc
		Name    Name
		Ordered bool
		Members []*Member
	}
	// Member is one enum member; Wire is nil unless `usd = "USD"`.
	Member struct {
		At
		Doc  Doc
		Name Name
		Wire *Str
	}
	// Record is `record Hold { … }`.
	Record struct {
		At
		Doc    Doc
		Name   Name
		Fields []*Field
	}
	// Field is `name: type = default where cond` in a state, command, event or record.
	Field struct {
		At
		Doc     Doc
		Name    Name
		Type    TypeExpr
		Default Expr // nil if none
		Where   Expr // nil if none
	}
	// Roles is `roles teller, manager`.
	Roles struct {
		At
		Names []Name
	}
	// Const is `const min_fee: decimal = 0.5`.
	Const struct {
		At
		Doc   Doc
		Name  Name
		Type  TypeExpr
		Value Expr
	}
	// State is `state { … }`.
	State struct {
		At
		Doc    Doc
		Fields []*Field
	}
	// Derive is `derive available: decimal = …`.
	Derive struct {
		At
		Doc   Doc
		Name  Name
		Type  TypeExpr
		Value Expr
	}
	// Index is `index a.b`.
	Index struct {
		At
		Path []Name
	}
	// SnapshotEvery is `snapshot every 50`.
	SnapshotEvery struct {
		At
		N *Num
	}
	// Gas is `gas 20_000`.
	Gas struct {
		At
		N *Num
	}
	// Final is `final when E else code "message"`.
	Final struct {
		At
		Cond Expr
		Else *Refusal // nil: the reserved code
	}
	// Invariant is `invariant solvent: …`.
	Invariant struct {
		At
		Doc  Doc
		Name Name
		Cond Expr
	}
	// Fn is `fn f(a: T): R = e` or with a block. Exactly one of Expr and Body is set.
	Fn struct {
		At
		Doc    Doc
		Name   Name
		Params []*Param
		Result TypeExpr
		Expr   Expr
		Body   *Block
	}
	// Param is one parameter.
	Param struct {
		At
		Name Name
		Type TypeExpr
	}
	// Guard is `guard can_pay(amount: decimal) { … }`.
	Guard struct {
		At
		Doc    Doc
		Name   Name
		Params []*Param
		Body   *Block
	}
	// Command is `command C creates else code by a, b { … }`.
	Command struct {
		At
		Doc     Doc
		Name    Name
		Creates bool
		// CreatesElse replaces already_exists; nil if not written.
		CreatesElse *Refusal
		By          []Name
		Fields      []*Field
	}
	// Event is `event deposited @2 { … }`; Version is 1 when not written.
	Event struct {
		At
		Doc     Doc
		Name    Name
		Version int
		// VersionSpan is zero when no @n is written.
		VersionSpan diag.Span
		Fields      []*Field
	}
	// Upcast is `upcast deposited @1 -> @2 { … }`, or with a new name after the arrow.
	Upcast struct {
		At
		From        Name
		FromVersion int
		To          Name // equal to From when not written
		ToVersion   int
		Items       []*Item
	}
	// Decide is `decide C { … }`.
	Decide struct {
		At
		Doc  Doc
		Name Name
		Body *Block
	}
	// Apply is `apply E { … }`.
	Apply struct {
		At
		Doc  Doc
		Name Name
		Body *Block
	}
	// BadDecl stands for what could not be parsed.
	BadDecl struct{ At }
)

func (*Aggregate) decl()     {}
func (*Enum) decl()          {}
func (*Record) decl()        {}
func (*Roles) decl()         {}
func (*Const) decl()         {}
func (*State) decl()         {}
func (*Derive) decl()        {}
func (*Index) decl()         {}
func (*SnapshotEvery) decl() {}
func (*Gas) decl()           {}
func (*Final) decl()         {}
func (*Invariant) decl()     {}
func (*Fn) decl()            {}
func (*Guard) decl()         {}
func (*Command) decl()       {}
func (*Event) decl()         {}
func (*Upcast) decl()        {}
func (*Decide) decl()        {}
func (*Apply) decl()         {}
func (*Test) decl()          {}
func (*BadDecl) decl()       {}

// Refusal is a code and an optional message (a Str or RawStr, or nil).
type Refusal struct {
	At
	Code    Name
	Message Expr
	// CodeExpr is set instead of Code for `then reject (c)` in tests.
	CodeExpr Expr
}

// TypeExpr is a written type.
type TypeExpr interface {
	Node
	typeExpr()
}

// The type expressions.
type (
	// NamedType is a scalar, enum or record by name; Qualifier is set for `Cargo.Handling`.
	NamedType struct {
		At
		Qualifier Name
		Name      Name
	}
	// GenericType is list<T, n>, set<K, n>, map<K, V, n> or string<n>; Bound nil if none.
	GenericType struct {
		At
		Name  Name // list set map string
		Args  []TypeExpr
		Bound Expr
	}
	// OptionalType is T?.
	OptionalType struct {
		At
		Elem TypeExpr
	}
	// BadType stands for what could not be parsed.
	BadType struct{ At }
)

func (*NamedType) typeExpr()    {}
func (*GenericType) typeExpr()  {}
func (*OptionalType) typeExpr() {}
func (*BadType) typeExpr()      {}
