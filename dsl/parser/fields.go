package parser

import (
	"fmt"

	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
)

// fields reads the fields in braces; opened tells that the { has been taken.
func (p *parser) fields(opened bool, after string, where bool) []*ast.Field {
	open := diag.Span{File: p.file, Start: p.end - 1, End: p.end}
	if !opened {
		if open, opened = p.openBrace(after); !opened {
			return nil
		}
	}
	var fields []*ast.Field
	p.list(open, func() bool { return isWord(p.k()) }, "a field", func() {
		fields = append(fields, p.field(where))
	})
	return fields
}

// field reads `name: type = default where cond`; where tells whether a condition may stand here.
func (p *parser) field(where bool) *ast.Field {
	f := &ast.Field{Doc: p.doc()}
	start := p.start()
	f.Name = p.name("a field", useField)
	f.Type = p.colonType("a field")
	if p.word("sealed") {
		p.sealed()
	}
	if p.take(tAssign) {
		f.Default = p.expr()
	}
	if p.k() == kwWhere {
		at := p.start()
		p.next()
		cond := p.whereCond(f)
		if where {
			f.Where = cond
		} else {
			p.soft(diag.WhereNotAllowed, p.from(at).Span, "`where` stands on the fields of commands and records only").
				Hint = "write an invariant for state, or a require in decide"
		}
	}
	f.At = p.from(start)
	return f
}

// whereCond reads the condition of f. A `=` behind it is a default in the wrong place, or was
// meant to compare.
func (p *parser) whereCond(f *ast.Field) ast.Expr {
	start := p.start()
	cond := p.expr()
	if p.k() != tAssign || p.broken() {
		return cond
	}
	if b, ok := cond.(*ast.Binary); ok && f.Default == nil && isComparison(b.Op) {
		p.soft(diag.FieldOrder, p.spanOf(p.tok()), "the default stands before `where`").
			Hint = "write name: type = default where condition"
		p.next()
		f.Default = p.expr()
		return cond
	}
	p.foreignEqual(&cond, start)
	return cond
}

func isComparison(op string) bool {
	switch op {
	case "==", "!=", "<", "<=", ">", ">=", "in":
		return true
	}
	return false
}

func (p *parser) sealed() {
	start := p.start()
	p.next()
	if p.word("by") {
		p.next()
		if p.k() == tIdent {
			p.postfix()
		}
	}
	p.soft(diag.SealedReserved, p.from(start).Span, "`sealed` is reserved for the erasure of personal data and does not exist yet").
		Hint = "delete it"
}

// colonType reads `: type` of what.
func (p *parser) colonType(what string) ast.TypeExpr {
	if p.take(tColon) {
		return p.typeExpr()
	}
	if !p.firstOnLine(p.i) && (p.k() == tIdent || p.k() == tTypeName) {
		d := p.fail(diag.MissingType, p.here(), fmt.Sprintf("missing `:` before the type of %s", what))
		d.Hint = "write name: type"
		if d.Code != "" {
			d.Fixes = append(d.Fixes, diag.Fix{Title: "insert :", Safe: true, Edits: []diag.Edit{{Span: d.Span, New: ":"}}})
		}
		return p.typeExpr()
	}
	at := p.here()
	p.fail(diag.MissingType, at, fmt.Sprintf("missing type of %s", what)).Hint = "write name: type"
	return &ast.BadType{At: ast.At{Span: at}}
}
