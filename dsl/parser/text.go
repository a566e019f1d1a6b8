package parser

import (
	"fmt"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
)

// inside is the text of a token between its delimiters; a string that does not end has no last one.
func inside(t *lexer.Token) string {
	text := t.Value[1:]
	if len(text) == 0 {
		return text
	}
	switch last := text[len(text)-1]; t.Type {
	case tString, tTail:
		if last == '"' {
			return text[:len(text)-1]
		}
	case tRaw:
		if last == '`' || last == '\'' {
			return text[:len(text)-1]
		}
	case tHead, tMid:
		return text[:len(text)-1]
	}
	return text
}

// unescaped resolves the escapes of a token and reports the wrong ones.
func (p *parser) unescaped(t *lexer.Token) string {
	text := inside(t)
	if t.Type == tRaw {
		return text
	}
	return p.unescapedText(text, t.Pos.Offset+1)
}

// unescapedText is unescaped for the text at an offset of the file.
func (p *parser) unescapedText(text string, at int) string {
	out, bad := unescape(text)
	for _, b := range bad {
		span := diag.Span{File: p.file, Start: int32(at + b.start), End: int32(at + b.end)}
		p.soft(diag.BadEscape, span, b.message).Hint = `escapes are \" \\ \n \t \r \{ \} \u{…}; text in back quotes has none`
	}
	return out
}

// stringLit reads a string, interpolated or not.
func (p *parser) stringLit() ast.Expr {
	start := p.start()
	t := p.tok()
	if t.Type != tHead {
		p.next()
		return &ast.Str{At: p.from(start), Value: p.unescaped(t), Raw: t.Type == tRaw}
	}
	s := &ast.Interp{}
	cond, blank := p.inCond, p.blankOK
	p.inCond, p.blankOK = false, false
	defer func() { p.inCond, p.blankOK = cond, blank }()
	for {
		p.next()
		s.Parts = append(s.Parts, p.unescaped(t))
		if t.Type == tTail {
			s.At = p.from(start)
			return s
		}
		s.Exprs = append(s.Exprs, p.hole(t))
		t = p.tok()
		if t.Type != tMid && t.Type != tTail {
			p.errAt = p.i // the lexer has said why the string does not go on
			return &ast.BadExpr{At: p.from(start)}
		}
	}
}

// hole reads the expression of an interpolation and stops at what should be the next part of the
// string.
func (p *parser) hole(begin *lexer.Token) ast.Expr {
	start := p.start()
	if p.k() == tMid || p.k() == tTail {
		at := diag.Span{File: p.file, Start: p.end - 1, End: p.end + 1}
		p.soft(diag.BadInterpolation, at, "there is no expression between { and }").
			Hint = `write \{ and \} for braces, or use back quotes`
		return &ast.BadExpr{At: ast.At{Span: at}}
	}
	x := p.expr()
	if p.k() == tMid || p.k() == tTail {
		return x
	}
	if end := p.partEnd(begin.Pos.Line); end >= 0 {
		d := p.fail(diag.BadInterpolation, p.spanOf(p.tok()), fmt.Sprintf("expected } after the expression in the string, found %s", describe(p.tok())))
		d.Hint = `write \{ for a brace, or use back quotes for text such as a pattern`
		p.moveTo(end)
	} else {
		p.skipLine(begin.Pos.Line)
	}
	return &ast.BadExpr{At: p.from(start)}
}

// partEnd finds the Mid or Tail that ends the interpolation we are in; -1 if there is none.
func (p *parser) partEnd(line int) int {
	depth := 0
	for i := p.i; i < len(p.toks) && p.toks[i].Pos.Line == line; i++ {
		switch p.toks[i].Type {
		case tHead:
			depth++
		case tMid:
			if depth == 0 {
				return i
			}
		case tTail:
			if depth == 0 {
				return i
			}
			depth--
		}
	}
	return -1
}

// skipLine skips what is left of a line.
func (p *parser) skipLine(line int) {
	for p.k() != tEOF && p.tok().Pos.Line == line && p.k() != tRBrace {
		p.next()
	}
}

// stringEnd is the index of the token behind the string that begins at from; -1 if it has no end.
func (p *parser) stringEnd(from int) int {
	if p.toks[from].Type != tHead {
		return from + 1
	}
	depth, line := 0, p.toks[from].Pos.Line
	for i := from; i < len(p.toks) && p.toks[i].Pos.Line == line; i++ {
		switch p.toks[i].Type {
		case tHead:
			depth++
		case tTail:
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}

// constString reads a string in a place that demands a constant: braces are plain text and, in a
// pattern, backslashes too. It is nil, and reported, when there is none.
func (p *parser) constString(after string, pattern bool) *ast.Str {
	start := p.start()
	t := p.tok()
	switch t.Type {
	case tRaw:
		p.next()
		return &ast.Str{At: p.from(start), Value: inside(t), Raw: true}
	case tString, tHead:
	default:
		p.fail(diag.MissingString, p.here(), fmt.Sprintf("missing string after `%s`", after)).Hint = `write it in "double quotes"`
		return nil
	}
	end := p.stringEnd(p.i)
	if end < 0 {
		p.next()
		p.skipLine(t.Pos.Line)
		return &ast.Str{At: p.from(start)}
	}
	p.moveTo(end)
	at := p.from(start)
	p.plain = append(p.plain, at.Span)
	whole := lexer.Token{Type: tString, Value: p.src[start:p.end], Pos: t.Pos}
	if pattern {
		return &ast.Str{At: at, Value: inside(&whole)}
	}
	return &ast.Str{At: at, Value: p.unescaped(&whole)}
}
