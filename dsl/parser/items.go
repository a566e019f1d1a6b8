package parser

import (
	"fmt"

	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
)

// items reads `{ name: e, ..x }`.
func (p *parser) items(after string) []*ast.Item {
	if p.k() == tLParen { // emit e(…)
		p.soft(diag.MissingBraces, p.spanOf(p.tok()), "the fields stand in braces").Hint = "write { field: value }"
		start := p.start()
		p.skipParens()
		at := p.from(start) // as if what stands there gave all fields
		return []*ast.Item{{At: at, Spread: true, Value: &ast.BadExpr{At: at}}}
	}
	open, ok := p.openBrace(after)
	if !ok {
		return nil
	}
	return p.itemsAfter(open)
}

// skipParens skips ( … ) on one line or up to its end.
func (p *parser) skipParens() {
	depth := 0
	for p.k() != tEOF && !p.closesOpen() {
		k := p.k()
		if k == tRBrace && depth <= 1 {
			return
		}
		p.next()
		if k == tLParen || k == tLBrace {
			depth++
		}
		if k == tRParen || k == tRBrace {
			if depth--; depth == 0 {
				return
			}
		}
	}
}

func (p *parser) itemsAfter(open diag.Span) []*ast.Item {
	var items []*ast.Item
	var spread *ast.Item
	p.list(open, func() bool { return isWord(p.k()) || p.k() == tDotDot }, "a field", func() {
		it := p.item()
		if it.Spread {
			if spread != nil {
				d := p.soft(diag.SpreadTwice, it.Span, "there is at most one `..` in braces")
				d.Hint = "write the fields of one of them"
				if d.Code != "" {
					d.Related = append(d.Related, diag.Related{Span: spread.Span, Message: "the first one"})
				}
				return
			}
			spread = it
		}
		items = append(items, it)
	})
	return items
}

func (p *parser) item() *ast.Item {
	start := p.start()
	it := &ast.Item{}
	if p.take(tDotDot) {
		it.Spread = true
		it.Value = p.postfixOperand()
		it.At = p.from(start)
		return it
	}
	it.Name = p.name("a field", useField)
	switch p.k() {
	case tColon:
		p.next()
		it.Value = p.expr()
	case tAssign:
		d := p.soft(diag.UnexpectedToken, p.spanOf(p.tok()), "a field and its value are separated by `:`")
		d.Hint = "write name: value"
		if d.Code != "" {
			fix(d, true, ":")
		}
		p.next()
		it.Value = p.expr()
	default:
		at := p.here()
		p.fail(diag.MissingValue, at, fmt.Sprintf("missing `:` and the value of field %s", it.Name.Text)).
			Hint = fmt.Sprintf("write %s: value", it.Name.Text)
		if p.k() == tComma || p.k() == tRBrace {
			p.errAt = -1
		}
		it.Value = &ast.BadExpr{At: ast.At{Span: at}}
	}
	it.At = p.from(start)
	return it
}
