package parser

import (
	"fmt"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
)

// block reads `{ statements }`; after names what it follows.
func (p *parser) block(after string) *ast.Block {
	start := p.start()
	if _, ok := p.openBrace(after); !ok {
		return &ast.Block{At: ast.At{Span: p.here()}}
	}
	if start < p.end-1 { // what stood before the brace was skipped
		start = p.end - 1
	}
	return p.blockAfter(start)
}

// blockAfter reads the rest of a block whose { stands at start and has been taken.
func (p *parser) blockAfter(start int32) *ast.Block {
	b := &ast.Block{}
	if !p.enter() {
		b.At = p.from(start)
		return b
	}
	defer p.leave()
	for p.k() != tRBrace && p.k() != tEOF && !p.declAt(p.i) {
		before := p.i
		if p.k() == tComma {
			p.stray()
			continue
		}
		b.Stmts = append(b.Stmts, p.stmt())
		if p.broken() || p.i == before {
			if p.i == before {
				p.next()
			}
			p.syncStmt()
		}
	}
	p.closer(tRBrace, "}", diag.Span{File: p.file, Start: start, End: start + 1})
	b.At = p.from(start)
	return b
}

// stmt reads one statement.
func (p *parser) stmt() ast.Stmt {
	start := p.start()
	switch p.k() {
	case kwIf:
		return p.ifStmt()
	case kwFor:
		return p.forStmt()
	case tIdent:
		return p.wordStmt(p.tok(), start)
	case tTypeName:
		return p.assign(start)
	}
	return p.badStmt(start)
}

// wordStmt reads a statement that begins with a word.
func (p *parser) wordStmt(t *lexer.Token, start int32) ast.Stmt {
	if isStatementWord(t.Value) && isAssignOp(p.ahead(1).Type) && t.Value != "let" && t.Value != "var" {
		return p.assignToWord(t, start)
	}
	switch t.Value {
	case "let", "var":
		return p.let(start)
	case "require":
		return p.require(start)
	case "reject":
		p.next()
		if r := p.refusal(); r != nil {
			return &ast.Reject{At: p.from(start), Refusal: r}
		}
		return &ast.BadStmt{At: p.from(start)}
	case "emit":
		p.next()
		e := &ast.Emit{Event: p.name("an event", useField)}
		e.Items = p.items("the event")
		e.At = p.from(start)
		if e.Event.Text == "" {
			return &ast.BadStmt{At: e.At}
		}
		return e
	case "check":
		return p.check(start)
	case "nothing":
		p.next()
		return &ast.Nothing{At: p.from(start)}
	case "return":
		p.next()
		if p.k() == tRBrace || p.closesOpen() {
			p.soft(diag.MissingOperand, p.here(), "`return` gives the value of a fn, and there is none").
				Hint = "write return value; a decide ends with nothing, reject code or require condition else nothing"
			return &ast.BadStmt{At: p.from(start)}
		}
		e := p.expr()
		return &ast.Return{At: p.from(start), Value: e}
	case "remove":
		p.next()
		return p.remove(start)
	case "match":
		return p.match(start)
	case "const", "val":
		if isWord(p.ahead(1).Type) && p.ahead(2).Type == tAssign {
			d := p.soft(diag.UnknownStatement, p.spanOf(t), fmt.Sprintf("`%s` begins no statement", t.Value))
			d.Hint = foreignStmt(t.Value)
			if d.Code != "" {
				fix(d, true, "let")
			}
			return p.let(start)
		}
	}
	if isWord(p.ahead(1).Type) && foreignStmt(t.Value) == "" && !isDeclWord(t.Value) &&
		p.misspelt(nearest(t.Value, stmtWords), p.stmtAt, diag.UnknownStatement, "statement") {
		return p.wordStmt(t, start)
	}
	return p.assign(start)
}

func isAssignOp(k kind) bool {
	switch k {
	case tAssign, tPlusAssign, tMinusAssign, tStarAssign, tBadAssign:
		return true
	}
	return false
}

// assignToWord reports `emit = 1`: such a word is no variable.
func (p *parser) assignToWord(t *lexer.Token, start int32) ast.Stmt {
	code := diag.StatementName
	if t.Value == "nothing" {
		code = diag.NothingAssigned
	}
	p.soft(code, p.spanOf(t), fmt.Sprintf("`%s` begins a statement and is not a variable", t.Value)).
		Hint = "give the variable another name"
	p.next()
	p.next()
	p.expr()
	return &ast.BadStmt{At: p.from(start)}
}

func (p *parser) let(start int32) ast.Stmt {
	isVar := p.word("var")
	p.next()
	what := "a let"
	if isVar {
		what = "a var"
	}
	name := p.name(what, useValue)
	var t ast.TypeExpr
	if p.k() == tColon && p.ahead(1).Type == tAssign { // let x := 1
		p.soft(diag.UnexpectedToken, p.spanOf(p.tok()), "there is no `:=`").Hint = "write let x = value"
		p.next()
	} else if p.take(tColon) {
		t = p.typeExpr()
	}
	value := p.valueAfter(tAssign, "=", what)
	at := p.from(start)
	if isVar {
		return &ast.Var{At: at, Name: name, Type: t, Value: value}
	}
	return &ast.Let{At: at, Name: name, Type: t, Value: value}
}

func (p *parser) require(start int32) ast.Stmt {
	p.next()
	r := &ast.Require{Cond: p.cond()}
	if p.k() == tComma && p.sameLine(1) { // require(x, code)
		p.fail(diag.MissingElse, p.spanOf(p.tok()), "`require` has no comma").Hint = "write require condition else code"
		return &ast.BadStmt{At: p.from(start)}
	}
	if !p.take(kwElse) {
		d := p.fail(diag.MissingElse, p.here(), "missing `else` after the condition of `require`")
		d.Hint = "write require condition else code"
		if d.Code != "" && (p.k() == tIdent || p.k() == tString) && !p.firstOnLine(p.i) {
			p.next() // the code without its else
			p.message()
		} else if d.Code != "" && (p.closesOpen() || p.k() == tRBrace || p.firstOnLine(p.i)) {
			p.errAt = -1 // what follows is a statement of its own
		}
		r.At = p.from(start)
		return r
	}
	if p.word("nothing") {
		p.next()
		r.ElseNothing = true
	} else {
		r.Else = p.refusal()
	}
	r.At = p.from(start)
	return r
}

func (p *parser) check(start int32) ast.Stmt {
	p.next()
	c := &ast.Check{Guard: p.name("a guard", useField)}
	open := p.spanOf(p.tok())
	if p.expect(tLParen, "(") {
		c.Args = p.exprList(tRParen, ")", open)
	}
	c.At = p.from(start)
	if c.Guard.Text == "" {
		return &ast.BadStmt{At: c.At}
	}
	return c
}

func (p *parser) remove(start int32) ast.Stmt {
	e := p.postfix()
	if x, ok := e.(*ast.IndexExpr); ok && x.Optional {
		p.soft(diag.BadTarget, e.Pos(), "`m[k]?` is a value, not a place").Hint = "write remove m[k]; it does nothing when k is absent"
		x.Optional = false
	} else if _, bad := e.(*ast.BadExpr); !ok && !bad {
		p.soft(diag.BadTarget, e.Pos(), "`remove` takes an entry").Hint = "write remove m[k], remove xs[i] or remove s[x]"
		return &ast.BadStmt{At: p.from(start)}
	}
	return &ast.Remove{At: p.from(start), Target: e}
}

// assign reads `path op value`, or reports what is no statement.
func (p *parser) assign(start int32) ast.Stmt {
	n := p.ahead(1)
	if p.k() == tTypeName || isWord(n.Type) && p.sameLine(1) || foreignStmt(p.tok().Value) != "" && !isAssignOp(n.Type) && n.Type != tDot ||
		!isAssignOp(n.Type) && n.Type != tDot && n.Type != tLBrack && n.Type != tLParen && n.Type != tMinus && n.Type != tEq && n.Type != tColon && n.Type != tQuestion {
		return p.badStmt(start)
	}
	target := p.postfix()
	if _, bad := target.(*ast.BadExpr); bad {
		if isAssignOp(p.k()) {
			p.next()
			p.expr()
		}
		return &ast.BadStmt{At: p.from(start)}
	}
	op := p.tok()
	switch op.Type {
	case tAssign, tPlusAssign, tMinusAssign, tStarAssign:
		p.next()
		value := p.expr()
		if !p.isTarget(target) {
			return &ast.BadStmt{At: p.from(start)}
		}
		return &ast.Assign{At: p.from(start), Target: target, Op: op.Value, Value: value}
	case tBadAssign: // reported by the lexer
		p.next()
		if op.Value == "/=" {
			p.expr()
		}
		return &ast.BadStmt{At: p.from(start)}
	}
	return p.noAssignment(target, start)
}

// isTarget reports an expression that cannot be assigned to.
func (p *parser) isTarget(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.NameExpr, *ast.FieldExpr:
		return true
	case *ast.IndexExpr:
		if !e.Optional {
			return true
		}
		p.soft(diag.BadTarget, e.Span, "`m[k]?` is a value, not a place").Hint = "write m[k] = value"
		return false
	}
	p.soft(diag.BadTarget, e.Pos(), "this cannot be assigned to").Hint = "a target is a var or a path such as state.holds[id].amount"
	return false
}

// noAssignment explains an expression that stands alone.
func (p *parser) noAssignment(target ast.Expr, start int32) ast.Stmt {
	d := p.fail(diag.UnknownStatement, target.Pos(), "an expression alone is no statement")
	switch k := p.k(); {
	case k == tEq:
		d.Message, d.Hint = "`==` compares and does not assign", "write = to assign"
	case k == tColon && p.ahead(1).Type == tAssign:
		d.Message, d.Hint = "there is no `:=`", "write let x = value"
	case k == tMinus && p.ahead(1).Type == tMinus:
		d.Code, d.Message, d.Hint = codeIf(d, diag.ForeignOperator), "there is no operator --", "write -= 1"
		d.Span = p.spanOf(p.tok()).To(p.spanOf(p.ahead(1)))
	case k == tColon:
		d.Hint = "write path = value"
	default:
		if c, ok := target.(*ast.Call); ok {
			d.Hint = fmt.Sprintf("write check %s(…) to run a guard, or let x = %s(…) to keep a value", c.Fn.Text, c.Fn.Text)
			if p.k() == tLBrace || foreignStmt(c.Fn.Text) != "" {
				d.Hint = foreignStmt(c.Fn.Text)
			}
		} else {
			d.Hint = "write path = value"
		}
	}
	return &ast.BadStmt{At: p.from(start)}
}

// codeIf keeps a dropped diagnostic without a code.
func codeIf(d *diag.Diagnostic, code diag.Code) diag.Code {
	if d.Code == "" {
		return ""
	}
	return code
}

// badStmt reports what begins no statement. It takes at least the first token.
func (p *parser) badStmt(start int32) ast.Stmt {
	t := p.tok()
	if t.Type == tBadWord || t.Type == tBadNum {
		p.next()
		p.syncStmt()
		return &ast.BadStmt{At: p.from(start)}
	}
	d := p.fail(diag.UnknownStatement, p.spanOf(t), fmt.Sprintf("%s begins no statement", describe(t)))
	strayRange(d, t.Type)
	hint, near := foreignStmt(t.Value), ""
	if t.Type == tIdent && hint == "" {
		near = nearest(t.Value, stmtWords)
	}
	switch {
	case hint != "":
		d.Hint = hint
	case near != "":
		d.Hint = fmt.Sprintf("did you mean `%s`?", near)
		if d.Code != "" {
			fix(d, false, near)
		}
	case t.Type == kwElse:
		d.Hint = "else follows the } of its if, or the condition of require"
	case t.Type == tIdent && isDeclWord(t.Value):
		d.Hint = "declarations stand outside of rules; is there a } missing?"
	case t.Type == tIdent:
		d.Hint = "write name = value to assign to a var"
	}
	p.next()
	p.syncStmt()
	return &ast.BadStmt{At: p.from(start)}
}

// strayRange turns a finding about `..` into one that says where it may stand.
func strayRange(d *diag.Diagnostic, k kind) {
	if k == tDotDot && d.Code != "" {
		d.Code, d.Message = diag.StrayRange, "`..` makes a range only after `in` and in match patterns"
		d.Hint = "a list of numbers is written out; a loop runs over range(a, b)"
	}
}

func isDeclWord(word string) bool {
	for _, w := range declWords {
		if w == word {
			return true
		}
	}
	return false
}

func (p *parser) ifStmt() ast.Stmt {
	start := p.start()
	p.next()
	s := &ast.If{}
	if !p.enter() {
		s.Cond, s.Then = &ast.BadExpr{At: p.from(start)}, &ast.Block{At: p.from(start)}
		s.At = p.from(start)
		return s
	}
	defer p.leave()
	s.Cond = p.cond()
	if p.k() == kwThen {
		d := p.soft(diag.UnexpectedToken, p.spanOf(p.tok()), "the statement `if` has no `then`")
		d.Hint = "write if condition { … } else { … }"
		p.next()
	}
	s.Then = p.block("the condition")
	switch {
	case p.k() == kwElse && p.ahead(1).Type == kwIf:
		p.next()
		s.Else = p.ifStmt()
	case p.k() == tIdent && (p.word("elif") || p.word("elseif") || p.word("elsif")) && !isAssignOp(p.ahead(1).Type):
		d := p.soft(diag.ForeignWord, p.spanOf(p.tok()), fmt.Sprintf("there is no `%s`", p.tok().Value))
		d.Hint = "write else if"
		if d.Code != "" {
			fix(d, true, "else if")
		}
		s.Else = p.ifStmt()
	case p.take(kwElse):
		s.Else = p.block("else")
	}
	s.At = p.from(start)
	return s
}

func (p *parser) forStmt() ast.Stmt {
	start := p.start()
	p.next()
	f := &ast.For{}
	f.Key, f.Value = p.loopNames()
	if !p.take(kwIn) {
		p.unexpected("`in`").Hint = "write for x in xs { … }"
	}
	if p.broken() {
		f.Source = &ast.BadExpr{At: ast.At{Span: p.here()}}
	} else {
		f.Source = p.source()
	}
	f.Body = p.block("the source of the loop")
	f.At = p.from(start)
	return f
}

// source reads what a loop runs over; a..b is none.
func (p *parser) source() ast.Expr {
	start := p.start()
	x := p.expr()
	if p.k() != tDotDot || p.broken() {
		return x
	}
	at := p.spanOf(p.tok())
	p.next()
	p.expr()
	p.soft(diag.StrayRange, at, "a loop does not run over a..b").Hint = "write range(a, b); b is not included"
	return &ast.BadExpr{At: p.from(start)}
}

// loopNames reads `x` or `k, v`.
func (p *parser) loopNames() (key, value ast.Name) {
	if p.k() == tLParen { // for (x in xs)
		p.fail(diag.UnexpectedToken, p.spanOf(p.tok()), "a loop has no parentheses").Hint = "write for x in xs"
		return
	}
	value = p.loopName()
	if p.take(tComma) {
		key, value = value, p.loopName()
	}
	return key, value
}

func (p *parser) loopName() ast.Name {
	if t := p.tok(); p.take(tBlank) {
		return p.nameOf(t)
	}
	return p.name("a loop variable", useValue)
}
