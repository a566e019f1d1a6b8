package ast

import "github.com/cloudlysis/aggregate/dsl/diag"

// Expr is an expression.
type Expr interface {
	Node
	expr()
}

// The expressions.
type (
	// Num is an int or decimal literal; Text as written, with `_` and a folded leading `-`.
	Num struct {
		At
		Text string
	}
	// Dur is a duration literal such as 1h30m; Nanos is its value, Text as written.
	Dur struct {
		At
		Text  string
		Nanos int64
	}
	// Str is a plain "…" string without interpolation; Value is unescaped. Raw tells that it
	// stood in back quotes.
	Str struct {
		At
		Value string
		Raw   bool
	}
	// Interp is "…{e}…": Parts has one more element than Exprs.
	Interp struct {
		At
		Parts []string
		Exprs []Expr
	}
	// Bool is true or false.
	Bool struct {
		At
		Value bool
	}
	// None is none.
	None struct{ At }
	// Blank is `_`, legal in `then emit` only.
	Blank struct{ At }
	// NameExpr is a bare name, a root (state, cmd, event, ctx, old) or a type name before a dot.
	NameExpr struct {
		At
		Name string
	}
	// FieldExpr is x.f.
	FieldExpr struct {
		At
		X    Expr
		Name Name
	}
	// IndexExpr is x[i] or, when Optional, x[i]?.
	IndexExpr struct {
		At
		X        Expr
		Index    Expr
		Optional bool
	}
	// Call is f(args). Comprehension calls (sum(e for …)) have Comp set and no Args.
	Call struct {
		At
		Fn   Name
		Args []Expr
		Comp *Comp
	}
	// Unary is `-x` or `not x`.
	Unary struct {
		At
		Op string // "-" "not"
		X  Expr
	}
	// Binary is `x op y`; Op is one of + - * / % == != < <= > >= in and or implies ??.
	Binary struct {
		At
		Op     string
		OpSpan diag.Span
		X, Y   Expr
	}
	// IsSome is `x is some v`; Bind.Text is "_" for a mere test.
	IsSome struct {
		At
		X    Expr
		Bind Name
	}
	// IsNone is `x is none`.
	IsNone struct {
		At
		X Expr
	}
	// Range is a..b, after `in` and in patterns only.
	Range struct {
		At
		From, To Expr
	}
	// Cond is `if c then a else b`.
	Cond struct {
		At
		If, Then, Else Expr
	}
	// ListLit is [a, b].
	ListLit struct {
		At
		Elems []Expr
	}
	// ListComp is [e for x in xs if c].
	ListComp struct {
		At
		Comp *Comp
	}
	// MapLit is {k: v}.
	MapLit struct {
		At
		Keys, Values []Expr
	}
	// MapComp is {k: e for …}; Key is the key, Comp.Elem the value.
	MapComp struct {
		At
		Key  Expr
		Comp *Comp
	}
	// RecordLit is Hold { ..h, amount: 2 }; Qualifier as in NamedType.
	RecordLit struct {
		At
		Qualifier Name
		Name      Name
		Items     []*Item
	}
	// Paren keeps written parentheses for the formatter.
	Paren struct {
		At
		X Expr
	}
	// BadExpr stands for what could not be parsed.
	BadExpr struct{ At }
)

// Comp is `e for k, v in source if cond`, without its brackets. In sort_by, and only there, Keys
// holds the key or keys and Elem is nil.
type Comp struct {
	At
	Elem   Expr
	Keys   []SortKey
	Key    Name // Text "" when one variable is written
	Value  Name
	Source Expr
	Cond   Expr // nil if none
}

// SortKey is one key of sort_by.
type SortKey struct {
	Expr Expr
	Desc bool
}

// Item is `name: e` or `..e` in emit, upcast, record literals and test steps.
type Item struct {
	At
	Name   Name // Text "" for a spread
	Value  Expr
	Spread bool
}

func (*Num) expr()       {}
func (*Dur) expr()       {}
func (*Str) expr()       {}
func (*Interp) expr()    {}
func (*Bool) expr()      {}
func (*None) expr()      {}
func (*Blank) expr()     {}
func (*NameExpr) expr()  {}
func (*FieldExpr) expr() {}
func (*IndexExpr) expr() {}
func (*Call) expr()      {}
func (*Unary) expr()     {}
func (*Binary) expr()    {}
func (*IsSome) expr()    {}
func (*IsNone) expr()    {}
func (*Range) expr()     {}
func (*Cond) expr()      {}
func (*ListLit) expr()   {}
func (*ListComp) expr()  {}
func (*MapLit) expr()    {}
func (*MapComp) expr()   {}
func (*RecordLit) expr() {}
func (*Paren) expr()     {}
func (*BadExpr) expr()   {}
