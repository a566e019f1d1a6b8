package ast

// Stmt is a statement of a decide, apply, guard or function body.
type Stmt interface {
	Node
	stmt()
}

// Block is `{ … }`.
type Block struct {
	At
	Stmts []Stmt
}

// The statements.
type (
	// Let is `let x: T = e`; Type nil if not written.
	Let struct {
		At
		Name  Name
		Type  TypeExpr
		Value Expr
	}
	// Var is `var x: T = e`.
	Var struct {
		At
		Name  Name
		Type  TypeExpr
		Value Expr
	}
	// Assign is `target op value`; Op is "=", "+=", "-=" or "*=". Target is a NameExpr,
	// FieldExpr or IndexExpr.
	Assign struct {
		At
		Target Expr
		Op     string
		Value  Expr
	}
	// Remove is `remove m[k]`; Target is an IndexExpr unless the author erred.
	Remove struct {
		At
		Target Expr
	}
	// Require is `require E else code "message"` or `require E else nothing`.
	Require struct {
		At
		Cond        Expr
		ElseNothing bool
		Else        *Refusal // nil when ElseNothing or when it was missing (reported)
	}
	// Reject is `reject code "message"`.
	Reject struct {
		At
		Refusal *Refusal
	}
	// Check is `check guard(args)`.
	Check struct {
		At
		Guard Name
		Args  []Expr
	}
	// Emit is `emit ev { f: e, ..cmd }`.
	Emit struct {
		At
		Event Name
		Items []*Item
	}
	// Nothing is `nothing`.
	Nothing struct{ At }
	// Return is `return e`.
	Return struct {
		At
		Value Expr
	}
	// If is `if c { } else if … else { }`; Else is nil, a *Block or an *If.
	If struct {
		At
		Cond Expr
		Then *Block
		Else Stmt
	}
	// Match is `match e { arms }`.
	Match struct {
		At
		Subject Expr
		Arms    []*Arm
	}
	// Arm is `a, b => { … }`.
	Arm struct {
		At
		Patterns []Pattern
		Body     *Block
	}
	// For is `for k, v in source { … }`; Key is zero when one variable is written.
	For struct {
		At
		Key    Name // Text "" if absent
		Value  Name
		Source Expr
		Body   *Block
	}
	// BadStmt stands for what could not be parsed.
	BadStmt struct{ At }
)

func (*Block) stmt()   {}
func (*Let) stmt()     {}
func (*Var) stmt()     {}
func (*Assign) stmt()  {}
func (*Remove) stmt()  {}
func (*Require) stmt() {}
func (*Reject) stmt()  {}
func (*Check) stmt()   {}
func (*Emit) stmt()    {}
func (*Nothing) stmt() {}
func (*Return) stmt()  {}
func (*If) stmt()      {}
func (*Match) stmt()   {}
func (*For) stmt()     {}
func (*BadStmt) stmt() {}

// Pattern is one pattern of a match arm.
type Pattern interface {
	Node
	pattern()
}

// The patterns.
type (
	// ExprPattern is a literal or an enum member (NameExpr, FieldExpr `Status.open`, Num, Str,
	// Dur, Bool, None, a Unary minus of a number, or a Range for ints and decimals).
	ExprPattern struct {
		At
		Value Expr
	}
	// SomePattern is `some v`; `some _` has Bind "_".
	SomePattern struct {
		At
		Bind Name
	}
	// Wildcard is `_`.
	Wildcard struct{ At }
)

func (*ExprPattern) pattern() {}
func (*SomePattern) pattern() {}
func (*Wildcard) pattern()    {}
