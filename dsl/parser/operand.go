package parser

import (
	"fmt"

	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
)

// beginsOperand tells whether the current token can begin an operand.
func (p *parser) beginsOperand() bool {
	switch p.k() {
	case tIdent, tTypeName, tBlank, tInt, tDec, tDur, tBadNum, tString, tRaw, tHead, tBadWord,
		kwNot, kwNone, kwTrue, kwFalse, kwIf, tLBrace, tLParen, tLBrack, tMinus:
		return true
	}
	return false
}

// missing reports that an operand is due behind the previous token.
func (p *parser) missing() ast.Expr {
	at := p.here()
	d := p.fail(diag.MissingOperand, at, "missing expression")
	if t := p.tok(); !p.firstOnLine(p.i) && t.Type != tEOF {
		d.Hint = fmt.Sprintf("found %s", describe(t))
	}
	return &ast.BadExpr{At: ast.At{Span: at}}
}

// postfix reads an operand and the fields and indices behind it.
func (p *parser) postfix() ast.Expr {
	start := p.start()
	x := p.operand()
	for n := 0; ; n++ {
		if n > maxDepth {
			p.tooDeep()
			return x
		}
		switch p.k() {
		case tDot:
			x = p.selector(x, start)
		case tLBrack:
			x = p.indexing(x, start)
		case tLParen:
			if _, ok := x.(*ast.FieldExpr); !ok || p.firstOnLine(p.i) {
				return x
			}
			x = p.methodCall(x.(*ast.FieldExpr), start)
		default:
			return x
		}
	}
}

// postfixOperand is postfix for what follows `..`.
func (p *parser) postfixOperand() ast.Expr {
	if p.k() == tMinus || p.k() == kwNot || p.k() == kwIf {
		return p.missing()
	}
	return p.postfix()
}

func (p *parser) selector(x ast.Expr, start int32) ast.Expr {
	p.next()
	t := p.tok()
	if t.Type == tTypeName && !p.firstOnLine(p.i) {
		p.next()
		n := p.nameOf(t)
		if !isTypePath(x) {
			n = p.wantSmall(n, "a field")
		}
		return &ast.FieldExpr{At: p.from(start), X: x, Name: n}
	}
	n := p.name("a field", useField)
	if n.Text == "" {
		return &ast.BadExpr{At: p.from(start)}
	}
	return &ast.FieldExpr{At: p.from(start), X: x, Name: n}
}

func (p *parser) indexing(x ast.Expr, start int32) ast.Expr {
	open := p.spanOf(p.tok())
	p.next()
	blank := p.blankOK
	p.blankOK = false
	i := p.expr()
	p.blankOK = blank
	p.closer(tRBrack, "]", open)
	e := &ast.IndexExpr{X: x, Index: i}
	e.Optional = p.take(tQuestion)
	e.At = p.from(start)
	return e
}

// operand reads a literal, a name, a call or something in brackets.
func (p *parser) operand() ast.Expr {
	start := p.start()
	t := p.tok()
	switch t.Type {
	case tIdent:
		return p.nameOrCall(start)
	case tInt, tDec:
		p.next()
		return &ast.Num{At: p.from(start), Text: mendNumber(t.Value)}
	case tDur:
		p.next()
		nanos, _ := parseDuration(t.Value)
		return &ast.Dur{At: p.from(start), Text: t.Value, Nanos: nanos}
	case tBadNum, tBadWord:
		p.next()
		return &ast.BadExpr{At: p.from(start)}
	case tString, tRaw, tHead:
		return p.stringLit()
	case kwTrue, kwFalse:
		p.next()
		return &ast.Bool{At: p.from(start), Value: t.Type == kwTrue}
	case kwNone:
		p.next()
		return &ast.None{At: p.from(start)}
	case tBlank:
		p.next()
		if !p.blankOK {
			p.soft(diag.StrayBlank, p.spanOf(t), "`_` is a value in `then emit` only").
				Hint = "elsewhere it stands for an unused loop variable or for any value in match"
			return &ast.BadExpr{At: p.from(start)}
		}
		return &ast.Blank{At: p.from(start)}
	case tTypeName:
		return p.typeOperand(start)
	case tLParen:
		return p.paren(start)
	case tLBrack:
		return p.listLit(start)
	case tLBrace:
		return p.mapLit(start)
	case tDotDot:
		p.soft(diag.StrayRange, p.spanOf(t), "`..` stands after `in`, in match patterns and in record braces only").
			Hint = "write xs + ys to join lists"
		p.next()
		p.postfix()
		return &ast.BadExpr{At: p.from(start)}
	}
	return p.missing()
}

// mendNumber completes a decimal whose missing digits the lexer has reported.
func mendNumber(text string) string {
	if text[0] == '.' {
		return "0" + text
	}
	if text[len(text)-1] == '.' {
		return text + "0"
	}
	return text
}

func (p *parser) nameOrCall(start int32) ast.Expr {
	t := p.tok()
	if p.declAt(p.i) || p.stmtAt(p.i) {
		return p.missing()
	}
	if p.ahead(1).Type == tLParen {
		return p.call(start)
	}
	p.next()
	if hint, mend := foreignOperand(t.Value); hint != "" {
		return p.foreignValue(start, t.Value, hint, mend)
	}
	return &ast.NameExpr{At: p.from(start), Name: t.Value}
}

func (p *parser) foreignValue(start int32, word, hint, mend string) ast.Expr {
	at := p.from(start)
	d := p.soft(diag.ForeignWord, at.Span, fmt.Sprintf("there is no `%s`", word))
	d.Hint = hint
	if d.Code != "" {
		fix(d, true, mend)
	}
	switch mend {
	case "none":
		return &ast.None{At: at}
	case "true", "false":
		return &ast.Bool{At: at, Value: mend == "true"}
	}
	return &ast.NameExpr{At: at, Name: mend}
}

// typeOperand reads what begins with a capital: a record, a member, a type's name.
func (p *parser) typeOperand(start int32) ast.Expr {
	t := p.next()
	name, qualifier := p.nameOf(t), ast.Name{}
	if p.k() == tDot && p.ahead(1).Type == tTypeName && p.ahead(2).Type == tLBrace {
		p.next()
		qualifier, name = name, p.nameOf(p.next())
	}
	switch {
	case p.k() == tLBrace:
		r := &ast.RecordLit{Qualifier: qualifier, Name: name}
		open := p.spanOf(p.tok())
		p.next()
		r.Items = p.itemsAfter(open)
		r.At = p.from(start)
		return r
	case p.k() == tLParen && !p.firstOnLine(p.i):
		p.soft(diag.MissingBraces, p.spanOf(p.tok()), "the fields of a record stand in braces").
			Hint = fmt.Sprintf("write %s { field: value }", name.Text)
		open := p.spanOf(p.tok())
		p.next()
		p.exprList(tRParen, ")", open)
		return &ast.BadExpr{At: p.from(start)}
	}
	if p.k() != tDot {
		if hint, mend := foreignOperand(t.Value); hint != "" {
			return p.foreignValue(start, t.Value, hint, mend)
		}
	}
	return &ast.NameExpr{At: p.from(start), Name: name.Text}
}

func (p *parser) paren(start int32) ast.Expr {
	open := p.spanOf(p.tok())
	p.next()
	x := p.expr()
	if p.k() == tComma && !p.broken() {
		d := p.fail(diag.UnexpectedToken, p.spanOf(p.tok()), "there are no tuples")
		d.Hint = "write a list [a, b] or a record"
		for p.take(tComma) && p.k() != tRParen && !p.closesOpen() {
			p.expr()
		}
		x = &ast.BadExpr{At: ast.At{Span: x.Pos()}}
	}
	if p.broken() && p.k() != tRParen {
		p.skipBroken(tRParen)
	}
	p.closer(tRParen, ")", open)
	return &ast.Paren{At: p.from(start), X: x}
}

// exprList reads expressions with commas up to the closing bracket.
func (p *parser) exprList(end kind, text string, open diag.Span) []ast.Expr {
	var list []ast.Expr
	p.commaList(end, text, open, func() bool {
		list = append(list, p.expr())
		return true
	})
	return list
}

func (p *parser) listLit(start int32) ast.Expr {
	open := p.spanOf(p.tok())
	p.next()
	for p.k() == tComma {
		p.stray()
	}
	if p.take(tRBrack) {
		return &ast.ListLit{At: p.from(start)}
	}
	first := p.start()
	x, comp := p.elemOrComp(first)
	if comp != nil {
		p.closer(tRBrack, "]", open)
		return &ast.ListComp{At: p.from(start), Comp: comp}
	}
	l := &ast.ListLit{Elems: p.restOfList(x, tRBrack, "]", open)}
	l.At = p.from(start)
	return l
}

// elemOrComp reads an expression and, if `for` follows, the comprehension that it heads.
func (p *parser) elemOrComp(start int32) (ast.Expr, *ast.Comp) {
	x := p.expr()
	if p.k() != kwFor || p.broken() {
		return x, nil
	}
	c := &ast.Comp{Elem: x}
	p.comp(c, start)
	return nil, c
}

// restOfList goes on after the first element x.
func (p *parser) restOfList(x ast.Expr, end kind, text string, open diag.Span) []ast.Expr {
	list := []ast.Expr{x}
	p.moreOfList(end, text, open, func() bool {
		list = append(list, p.expr())
		return true
	})
	return list
}

// comp reads `for k, v in source if cond` into c, which began at start.
func (p *parser) comp(c *ast.Comp, start int32) {
	p.next() // for
	c.Key, c.Value = p.loopNames()
	c.Source = &ast.BadExpr{At: ast.At{Span: p.here()}}
	if p.broken() || !p.expect(kwIn, "in") {
		c.At = p.from(start)
		return
	}
	c.Source = p.source()
	if p.k() == kwIf || p.k() == kwWhere {
		if p.k() == kwWhere {
			d := p.soft(diag.BadComprehension, p.spanOf(p.tok()), "the condition of a comprehension follows `if`")
			d.Hint = "write if"
			if d.Code != "" {
				fix(d, true, "if")
			}
		}
		p.next()
		c.Cond = p.expr()
	}
	for p.k() == kwFor || p.k() == kwIf {
		p.fail(diag.BadComprehension, p.spanOf(p.tok()), "a comprehension has one `for`, and one `if` at its end").
			Hint = "use a function or a second comprehension; join conditions with and"
		if p.k() == kwIf {
			p.next()
			p.expr()
			continue
		}
		p.next()
		p.loopNames()
		if p.take(kwIn) {
			p.expr()
		}
	}
	c.At = p.from(start)
}

func (p *parser) mapLit(start int32) ast.Expr {
	open := p.spanOf(p.tok())
	p.next()
	m := &ast.MapLit{}
	if p.take(tRBrace) {
		m.At = p.from(start)
		return m
	}
	var comp *ast.MapComp
	set := false
	p.commaList(tRBrace, "}", open, func() bool {
		at := p.start()
		k := p.expr()
		if !p.take(tColon) {
			if p.broken() {
				return false
			}
			set = true
			if p.k() != tComma && p.k() != tRBrace {
				p.unexpected("`:` and a value")
				return false
			}
			return true
		}
		v := p.expr()
		if p.k() == kwFor && len(m.Keys) == 0 {
			comp = &ast.MapComp{Key: k, Comp: &ast.Comp{Elem: v}}
			p.comp(comp.Comp, at)
			return true
		}
		if comp != nil {
			p.soft(diag.BadComprehension, k.Pos(), "nothing stands beside a comprehension in braces").Hint = "write two maps"
		}
		m.Keys, m.Values = append(m.Keys, k), append(m.Values, v)
		return true
	})
	switch {
	case set:
		if !p.broken() {
			p.soft(diag.SetLiteral, p.from(start).Span, "a map needs `key: value`").Hint = "write set([a, b]) for a set"
		}
		return &ast.BadExpr{At: p.from(start)}
	case comp != nil:
		comp.At = p.from(start)
		return comp
	}
	m.At = p.from(start)
	return m
}

// call reads f(…); some functions take plain text that is no interpolation.
func (p *parser) call(start int32) ast.Expr {
	t := p.next()
	c := &ast.Call{Fn: p.nameOf(t)}
	open := p.spanOf(p.tok())
	p.next()
	blank := p.blankOK
	p.blankOK = false
	n := 0
	p.commaList(tRParen, ")", open, func() bool {
		n++
		if s := p.plainArg(c.Fn.Text, n); s != nil {
			c.Args = append(c.Args, s)
			return true
		}
		at := p.start()
		if c.Fn.Text == "sort_by" {
			return p.sortKey(c, at)
		}
		x, comp := p.elemOrComp(at)
		if comp == nil {
			c.Args = append(c.Args, x)
			return true
		}
		if n > 1 {
			p.soft(diag.BadComprehension, comp.Span, "a comprehension is the only argument").Hint = "put it into a let, in [ ]"
			c.Args = append(c.Args, &ast.BadExpr{At: comp.At})
			return true
		}
		c.Comp = comp
		return true
	})
	p.blankOK = blank
	if c.Comp != nil && len(c.Args) > 0 {
		p.soft(diag.BadComprehension, c.Comp.Span, "a comprehension is the only argument").Hint = "put it into a let, in [ ]"
		return &ast.BadExpr{At: p.from(start)}
	}
	c.At = p.from(start)
	if c.Comp != nil && c.Comp.Source == nil { // sort_by without its for
		if !p.broken() {
			p.soft(diag.BadComprehension, c.Span, "sort_by needs its list").Hint = "write sort_by(key for x in xs)"
		}
		return &ast.BadExpr{At: c.At}
	}
	return c
}

// sortKey reads `key`, `key desc` and, behind the last one, the comprehension's for.
func (p *parser) sortKey(c *ast.Call, at int32) bool {
	if c.Comp == nil {
		c.Comp = &ast.Comp{}
	}
	k := ast.SortKey{Expr: p.expr()}
	if p.word("desc") {
		p.next()
		k.Desc = true
	} else if p.word("asc") {
		d := p.soft(diag.ForeignWord, p.spanOf(p.tok()), "ascending is what sort_by does by itself")
		d.Hint = "delete it"
		if d.Code != "" {
			fix(d, true, "")
		}
		p.next()
	}
	c.Comp.Keys = append(c.Comp.Keys, k)
	if p.k() != kwFor {
		return true
	}
	p.comp(c.Comp, c.Comp.Keys[0].Expr.Pos().Start)
	return p.k() != tComma
}

// plainArg reads the n-th argument of a function if it is text in which braces mean nothing.
func (p *parser) plainArg(fn string, n int) ast.Expr {
	pattern := fn == "matches" && n == 2
	if !pattern && (n != 1 || fn != "time" && fn != "date" && fn != "uuid") {
		return nil
	}
	switch p.k() {
	case tString, tRaw, tHead:
	default:
		return nil
	}
	end := p.stringEnd(p.i)
	if end < 0 { // the lexer has said that a { is open; what follows it on the line means nothing
		start, line := p.start(), p.tok().Pos.Line
		p.next()
		p.skipLine(line)
		p.errAt = p.i
		return &ast.BadExpr{At: p.from(start)}
	}
	if after := p.tokenAt(end).Type; after != tComma && after != tRParen {
		return nil
	}
	if s := p.constString("", pattern); s != nil {
		return s
	}
	return nil
}
