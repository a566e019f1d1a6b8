package testrun

import (
	"bytes"
	"fmt"

	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// markFile is the file in which the marks have their places; no source can have this name.
const markFile = "\x00coverage"

// instrumenter puts marks into the rules of a set: nodes without a meaning whose place is the
// line of markFile that has the number of their point. Whoever traces the machine sees them go
// by. Nothing in the compiler or the machine knows of them, so a run without coverage pays
// nothing at all.
type instrumenter struct {
	file  *diag.File
	agg   *AggregateCoverage
	first int // number of the first point of agg
	rule  string
	n     struct{ require, branch, match int }
	undo  []func()
}

// instrument replaces the rules of a by marked ones until restore is called.
func (in *instrumenter) instrument(a *check.Aggregate) {
	for _, c := range a.Commands {
		in.begin("decide " + c.Name)
		in.body(&c.Decide)
	}
	for _, g := range a.Guards {
		in.begin("guard " + g.Name)
		in.body(&g.Body)
	}
	for _, f := range a.Fns {
		in.begin("fn " + f.Name)
		in.body(&f.Body)
	}
	for _, e := range a.Events {
		if e.Current {
			in.begin("apply " + e.Name)
			in.body(&e.Apply)
		}
	}
	for _, d := range a.Derives {
		in.begin("derive " + d.Name)
		in.value(&d.Value)
	}
	for _, v := range a.Invariants {
		in.begin("invariant " + v.Name)
		in.value(&v.Cond)
		holds := in.point(Invariants, "holds", "invariant "+v.Name+" is never checked", v.Span)
		fails := in.point(Invariants, "violated", "invariant "+v.Name+" is never violated", v.Span)
		at := check.Typed{T: value.BoolType, Span: v.Cond.Pos()}
		held := &check.Logic{Typed: at, Op: check.And, X: v.Cond, Y: in.truth(true, holds)}
		v.Cond = &check.Logic{Typed: at, Op: check.Or, X: held, Y: in.truth(false, fails)}
	}
}

// restore puts the rules back, the last change first.
func (in *instrumenter) restore() {
	for i := len(in.undo) - 1; i >= 0; i-- {
		in.undo[i]()
	}
}

// seal gives the marks their lines.
func (in *instrumenter) seal(points int) {
	in.file.Name, in.file.Src = markFile, bytes.Repeat([]byte{'\n'}, points+1)
}

func (in *instrumenter) begin(rule string) {
	in.rule = rule
	in.n.require, in.n.branch, in.n.match = 0, 0, 0
}

func (in *instrumenter) body(list *[]check.Stmt) {
	old := *list
	in.undo = append(in.undo, func() { *list = old })
	*list = in.stmts(old)
}

func (in *instrumenter) value(e *check.Expr) {
	old := *e
	in.undo = append(in.undo, func() { *e = old })
	*e = in.expr(old)
}

// point adds a point and gives the place of its mark.
func (in *instrumenter) point(k Kind, key, missing string, at diag.Span) diag.Span {
	n := int32(in.first + len(in.agg.Points))
	in.agg.Points = append(in.agg.Points, Point{Kind: k, Key: in.rule + "/" + key, Missing: missing, span: at})
	return diag.Span{File: in.file, Start: n, End: n}
}

// marker is a statement that does nothing but be seen.
func marker(at diag.Span) check.Stmt {
	return &check.Let{
		Place: check.Place{Span: at},
		Local: &check.Local{Type: value.IntType, Var: true, Span: at}, // a var is copied into a slot of its own
		Value: &check.Const{Typed: check.Typed{T: value.IntType, Span: at}},
	}
}

// truth is an expression that is b and is seen.
func (in *instrumenter) truth(b bool, at diag.Span) check.Expr {
	return seen(&check.Const{Typed: check.Typed{T: value.BoolType, Span: at}, Value: value.MakeBool(b)}, at)
}

// seen is e, and whoever computes it is seen: a Some copies its value.
func seen(e check.Expr, at diag.Span) check.Expr {
	return &check.Some{Typed: check.Typed{T: e.Type(), Span: at}, X: e}
}

func (in *instrumenter) stmts(list []check.Stmt) []check.Stmt {
	out := make([]check.Stmt, 0, len(list))
	for _, s := range list {
		out = in.stmt(out, s)
	}
	return out
}

// marked is a block that begins with a mark.
func (in *instrumenter) marked(at diag.Span, list []check.Stmt) []check.Stmt {
	return append([]check.Stmt{marker(at)}, in.stmts(list)...)
}

// stmt appends the marked form of s.
func (in *instrumenter) stmt(out []check.Stmt, s check.Stmt) []check.Stmt {
	switch s := s.(type) {
	case *check.Let:
		c := *s
		c.Value = in.expr(s.Value)
		return append(out, &c)
	case *check.Assign:
		c := *s
		c.Value = in.expr(s.Value)
		return append(out, &c)
	case *check.Require:
		return in.require(out, s)
	case *check.Check:
		c := *s
		c.Args = in.exprs(s.Args)
		return append(out, &c)
	case *check.Emit:
		c := *s
		c.Make = in.make(s.Make)
		return append(out, &c)
	case *check.Return:
		c := *s
		c.Value = in.expr(s.Value)
		return append(out, &c)
	case *check.IfStmt:
		return append(out, in.ifStmt(s))
	case *check.Match:
		return append(out, in.match(s))
	case *check.For:
		c := *s
		c.Source, c.Body = in.source(s.Source), in.stmts(s.Body)
		return append(out, &c)
	}
	return append(out, s)
}

// require is seen on its way out and, when it holds, behind it: what it binds stays bound.
func (in *instrumenter) require(out []check.Stmt, s *check.Require) []check.Stmt {
	in.n.require++
	key := fmt.Sprintf("require %d/", in.n.require)
	code := "nothing"
	if !s.Nothing {
		code = s.Refusal.Code
	}
	what := fmt.Sprintf("%s: the require … else %s ", in.rule, code)
	holds := in.point(Requires, key+"holds", what+"never holds", s.Span)
	fails := in.point(Requires, key+"fails", what+"never fails", s.Span)
	c := *s
	at := check.Typed{T: value.BoolType, Span: s.Cond.Pos()}
	c.Cond = &check.Logic{Typed: at, Op: check.Or, X: in.expr(s.Cond), Y: in.truth(false, fails)}
	return append(out, &c, marker(holds))
}

func (in *instrumenter) ifStmt(s *check.IfStmt) check.Stmt {
	then, otherwise := in.ways("if", s.Span)
	c := *s
	c.Cond = in.expr(s.Cond)
	c.Then, c.Else = in.marked(then, s.Then), in.marked(otherwise, s.Else)
	return &c
}

// ways are the points of an if.
func (in *instrumenter) ways(word string, at diag.Span) (then, otherwise diag.Span) {
	in.n.branch++
	key, what := fmt.Sprintf("if %d/", in.n.branch), fmt.Sprintf("%s: the condition of this %s is never ", in.rule, word)
	return in.point(Branches, key+"then", what+"true", at), in.point(Branches, key+"else", what+"false", at)
}

func (in *instrumenter) match(s *check.Match) check.Stmt {
	in.n.match++
	n := in.n.match
	c := *s
	c.Subject = in.expr(s.Subject)
	c.Arms = make([]*check.Arm, len(s.Arms))
	for i, arm := range s.Arms {
		a := *arm
		missing := fmt.Sprintf("%s: arm %d of this match is never taken", in.rule, i+1)
		at := in.point(Branches, fmt.Sprintf("match %d/arm %d", n, i+1), missing, arm.Span)
		a.Body = in.marked(at, arm.Body)
		c.Arms[i] = &a
	}
	return &c
}
