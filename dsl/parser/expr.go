package parser

import (
	"fmt"
	"strings"

	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
)

// level is how tightly an operator binds.
type level uint8

const (
	levelNone level = iota
	levelCoalesce
	levelImplies
	levelOr
	levelAnd
	levelNot
	levelCompare
	levelAdd
	levelMul
	levelUnary
)

// operator gives the level of a binary operator and its spelling.
func operator(k kind) (level, string) {
	switch k {
	case tCoalesce:
		return levelCoalesce, "??"
	case kwImplies:
		return levelImplies, "implies"
	case kwOr:
		return levelOr, "or"
	case kwAnd:
		return levelAnd, "and"
	case tEq:
		return levelCompare, "=="
	case tNe:
		return levelCompare, "!="
	case tLt:
		return levelCompare, "<"
	case tLe:
		return levelCompare, "<="
	case tGt:
		return levelCompare, ">"
	case tGe:
		return levelCompare, ">="
	case kwIn:
		return levelCompare, "in"
	case kwIs:
		return levelCompare, "is"
	case tPlus:
		return levelAdd, "+"
	case tMinus:
		return levelAdd, "-"
	case tStar:
		return levelMul, "*"
	case tSlash:
		return levelMul, "/"
	case tPercent:
		return levelMul, "%"
	}
	return levelNone, ""
}

// expr reads an expression.
func (p *parser) expr() ast.Expr {
	cond := p.inCond
	p.inCond = false
	e := p.binary(levelNone)
	p.inCond = cond
	return e
}

// cond reads a condition, in which `=` is taken for a `==` that went wrong.
func (p *parser) cond() ast.Expr {
	cond := p.inCond
	p.inCond = true
	e := p.binary(levelNone)
	p.inCond = cond
	return e
}

// binary reads operators that bind at least as tightly as least.
func (p *parser) binary(least level) ast.Expr {
	if !p.enter() {
		return &ast.BadExpr{At: ast.At{Span: p.here()}}
	}
	defer p.leave()
	start := p.start()
	x := p.prefix(least)
	for chain := 0; ; chain++ {
		l, op := operator(p.k())
		if l == levelNone {
			if !p.foreignInfix(&x, start, least) {
				return x
			}
			continue
		}
		if l < least {
			return x
		}
		if chain+p.depth > maxDepth {
			p.tooDeep()
			return x
		}
		if l == levelCompare {
			x = p.comparison(x, op, start)
			continue
		}
		at := p.spanOf(p.tok())
		p.next()
		if op == "-" && p.k() == tMinus && p.start() == at.End && (p.firstOnLine(p.i+1) || p.ahead(1).Type == tRBrace) {
			p.fail(diag.ForeignOperator, at, "there is no operator --").Hint = "write x -= 1"
			p.next()
			return x
		}
		right := l + 1
		if l == levelCoalesce || l == levelImplies { // right associative
			right = l
		}
		y := p.binary(right)
		x = &ast.Binary{At: p.from(start), Op: op, OpSpan: at, X: x, Y: y}
	}
}

// foreignInfix reads what other languages write between operands; false if there is none.
func (p *parser) foreignInfix(x *ast.Expr, start int32, least level) bool {
	switch p.k() {
	case kwNot: // x not in y
		if p.ahead(1).Type != kwIn || least > levelCompare {
			return false
		}
		p.notIn(x, start)
		return true
	case tAssign:
		if !p.inCond || least > levelCompare || p.firstOnLine(p.i) {
			return false
		}
		p.foreignEqual(x, start)
		return true
	case tQuestion:
		if least > levelCoalesce || p.firstOnLine(p.i) {
			return false
		}
		p.ternary(x, start, least)
		return true
	case tFatArrow:
		if least > levelNone || p.firstOnLine(p.i) {
			return false
		}
		p.lambda(x, start)
		return true
	case tTypeName:
		if n, ok := (*x).(*ast.NameExpr); !ok || n.Name != "new" || p.firstOnLine(p.i) {
			return false
		}
		p.soft(diag.ForeignWord, (*x).Pos(), "there is no `new`").Hint = "write " + p.tok().Value + " { field: value }"
		p.postfix()
		*x = &ast.BadExpr{At: p.from(start)}
		return true
	case tIdent:
		if !p.word("as") || p.firstOnLine(p.i) || !p.sameLine(1) || !isWord(p.ahead(1).Type) {
			return false
		}
		p.cast(x, start)
		return true
	}
	return false
}

// lambda reads `x => e`.
func (p *parser) lambda(x *ast.Expr, start int32) {
	p.soft(diag.ForeignOperator, p.spanOf(p.tok()), "a function is not a value").
		Hint = "write a comprehension, such as [e for x in xs if c] or any(c for x in xs)"
	p.next()
	if p.k() == tLBrace {
		p.skipParens()
	} else {
		p.expr()
	}
	*x = &ast.BadExpr{At: p.from(start)}
}

// cast reads `x as T`.
func (p *parser) cast(x *ast.Expr, start int32) {
	at := p.spanOf(p.tok()).To(p.spanOf(p.ahead(1)))
	d := p.soft(diag.ForeignOperator, at, "there is no `as`")
	text := p.ahead(1).Value + "(" + p.from(start).Span.Text() + ")"
	d.Hint = "write `" + text + "`"
	p.next()
	p.next()
	if d.Code != "" {
		d.Fixes = append(d.Fixes, diag.Fix{Title: "write " + text, Edits: []diag.Edit{{Span: p.from(start).Span, New: text}}})
	}
	*x = &ast.BadExpr{At: p.from(start)}
}

// foreignEqual reads `= y` as the `== y` that was meant.
func (p *parser) foreignEqual(x *ast.Expr, start int32) {
	at := p.spanOf(p.tok())
	d := p.soft(diag.AssignInCondition, at, "`=` assigns and does not compare")
	d.Hint = "write =="
	if d.Code != "" {
		fix(d, true, "==")
	}
	p.next()
	y := p.binary(levelAdd)
	*x = &ast.Binary{At: p.from(start), Op: "==", OpSpan: at, X: *x, Y: y}
}

func (p *parser) notIn(x *ast.Expr, start int32) {
	at := p.spanOf(p.tok()).To(p.spanOf(p.ahead(1)))
	d := p.soft(diag.NotIn, at, "there is no `not in`")
	d.Hint = "write not x in xs"
	d.Fixes = append(d.Fixes, diag.Fix{Title: "write not … in", Safe: true, Edits: []diag.Edit{
		{Span: diag.Span{File: p.file, Start: start, End: start}, New: "not "}, {Span: at, New: "in"},
	}})
	p.next()
	op := p.spanOf(p.tok())
	p.next()
	y := p.rangeOr(levelAdd)
	*x = &ast.Unary{At: p.from(start), Op: "not", X: &ast.Binary{At: p.from(start), Op: "in", OpSpan: op, X: *x, Y: y}}
}

// ternary reads `c ? a : b`, or reports a lone ?.
func (p *parser) ternary(x *ast.Expr, start int32, least level) {
	at := p.spanOf(p.tok())
	p.next()
	if p.firstOnLine(p.i) || !p.beginsOperand() {
		p.soft(diag.UnexpectedToken, at, "`?` stands behind an index or a type only").
			Hint = "m[k]? is none when k is absent; test an optional with `x is some v` or `x ?? d`"
		return
	}
	d := p.soft(diag.ForeignOperator, at, "there is no operator ? :")
	d.Hint = "write if c then a else b"
	then := p.expr()
	if !p.take(tColon) {
		*x = &ast.BadExpr{At: p.from(start)}
		return
	}
	e := &ast.Cond{If: *x, Then: then, Else: p.expr(), At: p.from(start)}
	*x = e
	if d.Code == "" || p.broken() || strings.Contains(e.Span.Text(), "\n") {
		return
	}
	text := "if " + e.If.Pos().Text() + " then " + e.Then.Pos().Text() + " else " + e.Else.Pos().Text()
	d.Hint = "write `" + text + "`"
	if least > levelNone {
		text = "(" + text + ")"
	}
	d.Fixes = append(d.Fixes, diag.Fix{Title: "write " + text, Safe: true, Edits: []diag.Edit{{Span: e.Span, New: text}}})
}

// comparison reads the rest of x op y; comparisons do not chain.
func (p *parser) comparison(x ast.Expr, op string, start int32) ast.Expr {
	e := p.oneComparison(x, op, start)
	l, again := operator(p.k())
	if l != levelCompare {
		return e
	}
	at := p.spanOf(p.tok())
	d := p.fail(diag.ChainedComparison, at, "comparisons do not chain")
	d.Hint = fmt.Sprintf("write a %s b and b %s c", op, again)
	if op == "is" || again == "is" || op == "==" && again == "==" {
		d.Hint = "write parentheses, or join two comparisons with and"
	}
	for n := 0; l == levelCompare && !p.dead; n++ {
		if n > maxDepth {
			p.tooDeep()
			break
		}
		p.oneComparison(x, again, start)
		l, again = operator(p.k())
	}
	return &ast.BadExpr{At: p.from(start)}
}

func (p *parser) oneComparison(x ast.Expr, op string, start int32) ast.Expr {
	at := p.spanOf(p.tok())
	p.next()
	switch op {
	case "is":
		return p.is(x, start)
	case "in":
		y := p.rangeOr(levelAdd)
		return &ast.Binary{At: p.from(start), Op: op, OpSpan: at, X: x, Y: y}
	}
	y := p.binary(levelAdd)
	return &ast.Binary{At: p.from(start), Op: op, OpSpan: at, X: x, Y: y}
}

func (p *parser) is(x ast.Expr, start int32) ast.Expr {
	switch {
	case p.take(kwSome):
		s := &ast.IsSome{X: x}
		s.Bind = p.loopName()
		s.At = p.from(start)
		return s
	case p.take(kwNone):
		return &ast.IsNone{At: p.from(start), X: x}
	case p.k() == kwNot && p.ahead(1).Type == kwNone:
		at := p.start()
		p.next()
		p.next()
		p.soft(diag.ForeignOperator, p.from(at).Span, "there is no `is not none`").Hint = "write x is some _"
		return &ast.IsSome{At: p.from(start), X: x, Bind: ast.Name{At: p.from(at), Text: "_"}}
	}
	d := p.unexpected("`some` or `none` after `is`")
	d.Hint = "write x is some v, x is none, or x == y"
	if p.beginsOperand() && !p.closesOpen() {
		p.binary(levelAdd)
	}
	return &ast.BadExpr{At: p.from(start)}
}

// rangeOr reads a..b or an operand of `in`.
func (p *parser) rangeOr(l level) ast.Expr {
	start := p.start()
	x := p.binary(l)
	if !p.take(tDotDot) {
		return x
	}
	y := p.binary(l)
	return &ast.Range{At: p.from(start), From: x, To: y}
}

// prefix reads an operand with what stands before it.
func (p *parser) prefix(least level) ast.Expr {
	start := p.start()
	switch p.k() {
	case kwNot:
		return p.not(least, start)
	case tMinus:
		return p.negative(start)
	case tPlus:
		p.soft(diag.ForeignOperator, p.spanOf(p.tok()), "there is no sign +").Hint = "delete it"
		p.next()
		return p.prefix(least)
	case kwIf:
		return p.ifExpr(least, start)
	}
	return p.postfix()
}

func (p *parser) not(least level, start int32) ast.Expr {
	at := p.spanOf(p.tok())
	p.next()
	if least > levelNot {
		p.soft(diag.NeedsParentheses, at, "`not` binds looser than the operator before it").
			Hint = "write (not …)"
	}
	x := p.binary(levelNot)
	return &ast.Unary{At: p.from(start), Op: "not", X: x}
}

// negative reads -x; the minus before a literal belongs to it.
func (p *parser) negative(start int32) ast.Expr {
	p.next()
	x := p.binary(levelUnary)
	switch n := x.(type) {
	case *ast.Num:
		if !strings.HasPrefix(n.Text, "-") {
			n.Text, n.At = "-"+n.Text, p.from(start)
			return n
		}
	case *ast.Dur:
		if !strings.HasPrefix(n.Text, "-") {
			n.Text, n.Nanos, n.At = "-"+n.Text, -n.Nanos, p.from(start)
			return n
		}
	}
	return &ast.Unary{At: p.from(start), Op: "-", X: x}
}

// ifExpr reads `if c then a else b`.
func (p *parser) ifExpr(least level, start int32) ast.Expr {
	if least > levelNone {
		p.soft(diag.NeedsParentheses, p.spanOf(p.tok()), "an `if` that is the operand of an operator stands in parentheses").
			Hint = "write (if c then a else b)"
	}
	p.next()
	c := &ast.Cond{If: p.cond()}
	bad := func() ast.Expr { return &ast.BadExpr{At: ast.At{Span: p.here()}} }
	c.Then, c.Else = bad(), bad()
	if !p.take(kwThen) {
		if !p.broken() {
			p.fail(diag.MissingThen, p.here(), "missing `then` after the condition").Hint = "as a value: if c then a else b"
		}
		if p.k() == tLBrace { // if c { a } else { b } as a value
			p.skipBlock()
			if p.k() == kwElse && p.ahead(1).Type == tLBrace {
				p.next()
				p.skipBlock()
			}
		}
		c.At = p.from(start)
		return c
	}
	c.Then = p.expr()
	if p.take(kwElse) {
		c.Else = p.expr()
	} else if !p.broken() {
		p.fail(diag.MissingElse, p.here(), "missing `else` after the value of `then`").Hint = "as a value: if c then a else b"
	}
	c.At = p.from(start)
	return c
}
