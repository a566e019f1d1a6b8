package parser

import (
	"fmt"

	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
)

func (p *parser) match(start int32) ast.Stmt {
	p.next()
	m := &ast.Match{Subject: p.expr()}
	open, ok := p.openBrace("the subject of match")
	if ok {
		p.arms(m, open)
	}
	m.At = p.from(start)
	return m
}

func (p *parser) arms(m *ast.Match, open diag.Span) {
	comma := true
	for p.k() != tRBrace && p.k() != tEOF && !p.declAt(p.i) {
		before := p.i
		if p.k() == tComma {
			if comma {
				p.stray()
				continue
			}
			comma = true
			p.next()
			continue
		}
		if p.stmtAt(p.i) {
			break
		}
		comma = false
		m.Arms = append(m.Arms, p.arm())
		if p.broken() || p.i == before {
			if p.i == before {
				p.next()
			}
			p.syncArm()
		}
	}
	p.closer(tRBrace, "}", open)
}

// syncArm skips to what may be the next arm: behind a closed block or the first of a line.
func (p *parser) syncArm() {
	depth := 0
	for p.k() != tEOF && !p.declAt(p.i) {
		if p.k() == tRBrace {
			if depth == 0 {
				return
			}
			if depth--; depth == 0 {
				p.next()
				return
			}
		}
		if p.k() == tLBrace {
			depth++
		}
		p.next()
		if depth == 0 && p.firstOnLine(p.i) {
			return
		}
	}
}

func (p *parser) arm() *ast.Arm {
	a := &ast.Arm{}
	start := p.start()
	if p.word("case") && p.ahead(1).Type != tFatArrow && p.ahead(1).Type != tComma {
		d := p.soft(diag.ForeignWord, p.spanOf(p.tok()), "an arm begins with its pattern, without `case`")
		d.Hint = "write pattern => { … }"
		p.next()
	}
	a.Patterns = append(a.Patterns, p.pattern())
	for !p.broken() && p.take(tComma) {
		a.Patterns = append(a.Patterns, p.pattern())
	}
	if !p.broken() {
		p.expect(tFatArrow, "=>")
	}
	switch {
	case p.broken() && p.k() != tLBrace:
		a.Body = &ast.Block{At: ast.At{Span: p.here()}}
	case p.k() == tLBrace:
		a.Body = p.block("=>")
	default:
		at := p.here()
		p.soft(diag.MissingBraces, at, "missing braces after `=>`").Hint = "write pattern => { … }"
		s := p.stmt()
		a.Body = &ast.Block{At: ast.At{Span: s.Pos()}, Stmts: []ast.Stmt{s}}
	}
	a.At = p.from(start)
	return a
}

// pattern reads one pattern of an arm.
func (p *parser) pattern() ast.Pattern {
	start := p.start()
	switch {
	case p.take(tBlank):
		return &ast.Wildcard{At: p.from(start)}
	case p.word("default") && p.ahead(1).Type != tComma || p.k() == kwElse:
		if p.k() == kwElse || p.ahead(1).Type == tColon {
			d := p.soft(diag.ForeignWord, p.spanOf(p.tok()), fmt.Sprintf("there is no `%s` in match", p.tok().Value))
			d.Hint = "write _ => { … }"
			p.next()
			if p.take(tColon) { // there will be no => either
				p.errAt = p.i
			}
			return &ast.Wildcard{At: p.from(start)}
		}
	case p.take(kwSome):
		s := &ast.SomePattern{Bind: p.loopName()}
		s.At = p.from(start)
		return s
	}
	e := p.binary(levelAdd)
	if p.k() == tDotDot {
		p.next()
		to := p.binary(levelAdd)
		e = &ast.Range{At: p.from(start), From: e, To: to}
	}
	if !isPattern(e) {
		p.soft(diag.BadPattern, e.Pos(), "this is no pattern").
			Hint = "patterns are literals, enum members, a..b, none, some v and _"
		e = &ast.BadExpr{At: ast.At{Span: e.Pos()}}
	}
	return &ast.ExprPattern{At: p.from(start), Value: e}
}

func isPattern(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.NameExpr, *ast.Num, *ast.Str, *ast.Dur, *ast.Bool, *ast.None, *ast.BadExpr:
		return true
	case *ast.FieldExpr:
		return isTypePath(e.X)
	case *ast.Range:
		return isNumber(e.From) && isNumber(e.To)
	}
	return false
}

func isNumber(e ast.Expr) bool {
	switch e.(type) {
	case *ast.Num, *ast.BadExpr:
		return true
	}
	return false
}

// isTypePath tells whether e is `Status` or `Cargo.Status`.
func isTypePath(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.NameExpr:
		return isCapital(e.Name)
	case *ast.FieldExpr:
		return isTypePath(e.X) && isCapital(e.Name.Text)
	}
	return false
}

func isCapital(name string) bool { return name != "" && 'A' <= name[0] && name[0] <= 'Z' }
