package parser

import (
	"fmt"

	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
)

// typeExpr reads a type.
func (p *parser) typeExpr() ast.TypeExpr {
	if !p.enter() {
		return &ast.BadType{At: ast.At{Span: p.here()}}
	}
	defer p.leave()
	start := p.start()
	t := p.baseType()
	if p.k() == tCoalesce { // T??
		at := p.spanOf(p.tok())
		p.next()
		p.optionalTwice(at)
		return &ast.OptionalType{At: p.from(start), Elem: t}
	}
	if !p.take(tQuestion) {
		return t
	}
	t = &ast.OptionalType{At: p.from(start), Elem: t}
	for p.k() == tQuestion || p.k() == tCoalesce {
		at := p.spanOf(p.tok())
		p.next()
		p.optionalTwice(at)
	}
	return t
}

func (p *parser) optionalTwice(at diag.Span) {
	d := p.soft(diag.OptionalTwice, at, "a type is optional once")
	d.Hint = "write T?"
	if d.Code != "" {
		text := ""
		if at.End-at.Start == 2 {
			text = "?"
		}
		fix(d, true, text)
	}
}

func (p *parser) baseType() ast.TypeExpr {
	start := p.start()
	t := p.tok()
	switch {
	case t.Type == tTypeName:
		p.next()
		n := &ast.NamedType{Name: p.nameOf(t)}
		if p.k() == tDot && p.ahead(1).Type == tTypeName {
			p.next()
			n.Qualifier, n.Name = n.Name, p.nameOf(p.next())
		}
		n.At = p.from(start)
		if p.k() == tLt {
			return p.generic(p.nameOf(t), start)
		}
		return n
	case t.Type == tIdent && !p.declAt(p.i):
		p.next()
		if p.k() == tLt {
			return p.generic(p.nameOf(t), start)
		}
		return &ast.NamedType{At: p.from(start), Name: p.nameOf(t)}
	case t.Type == tBadWord:
		p.next()
		return &ast.BadType{At: p.from(start)}
	case t.Type == tLBrack && p.ahead(1).Type == tRBrack:
		p.next()
		p.next()
		p.soft(diag.UnexpectedToken, p.from(start).Span, "there is no type []T").Hint = "write list<T>"
		p.typeExpr()
		return &ast.BadType{At: p.from(start)}
	}
	at := p.here()
	d := p.fail(diag.MissingType, at, "missing type")
	if !p.firstOnLine(p.i) && t.Type != tEOF {
		d.Hint = fmt.Sprintf("found %s", describe(t))
	}
	return &ast.BadType{At: ast.At{Span: at}}
}

// arity is how many types a generic type takes; the bound comes after them.
func arity(name string) (int, string) {
	switch name {
	case "list":
		return 1, "list<T> or list<T, 100>"
	case "set":
		return 1, "set<K> or set<K, 100>"
	case "map":
		return 2, "map<K, V> or map<K, V, 100>"
	case "string":
		return 0, "string or string<100>"
	}
	return -1, "only list, set, map and string have something in < >"
}

// generic reads `<T, n>` after the name.
func (p *parser) generic(name ast.Name, start int32) ast.TypeExpr {
	p.next() // <
	g := &ast.GenericType{Name: name}
	n, usage := arity(name.Text)
	ok := n >= 0
	for p.k() != tGt && p.k() != tGe && p.k() != tEOF {
		switch {
		case n < 0 || len(g.Args) < n && p.k() != tInt:
			g.Args = append(g.Args, p.typeExpr())
		case g.Bound == nil && len(g.Args) == n:
			g.Bound = p.bound()
		default:
			ok = false
			p.bound()
		}
		if p.broken() || !p.take(tComma) {
			break
		}
	}
	p.closeAngle()
	at := p.from(start)
	if p.k() == tAssign && p.toks[p.i].Pos.Offset < int(p.end) { // a split >=
		at.Span.End = p.start()
	}
	if !p.broken() && (!ok || len(g.Args) < n || n == 0 && g.Bound == nil) {
		p.soft(diag.UnexpectedToken, at.Span, fmt.Sprintf("%s is no type", at.Span.Text())).Hint = usage
		return &ast.BadType{At: at}
	}
	if p.broken() {
		return &ast.BadType{At: at}
	}
	g.At = at
	return g
}

// bound reads the constant that bounds a type: an expression up to the comma or >.
func (p *parser) bound() ast.Expr { return p.binary(levelAdd) }

// closeAngle takes the > of a type; of a `>=` it takes the half and leaves the `=`.
func (p *parser) closeAngle() {
	if p.k() == tGe {
		t := &p.toks[p.i]
		t.Type, t.Value = tAssign, "="
		t.Pos.Offset++
		p.end = int32(t.Pos.Offset)
		return
	}
	p.expect(tGt, ">")
}
