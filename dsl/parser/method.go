package parser

import (
	"fmt"
	"strings"

	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
)

// methodCall reports x.f(…) and skips it.
func (p *parser) methodCall(x *ast.FieldExpr, start int32) ast.Expr {
	open := p.spanOf(p.tok())
	d := p.soft(diag.MethodCall, x.Name.Span, fmt.Sprintf("values have no methods: .%s(…)", x.Name.Text))
	p.next()
	errors := p.errors
	args := p.exprList(tRParen, ")", open)
	bad := &ast.BadExpr{At: p.from(start)}
	call := asCall(x, args)
	d.Hint = "write `" + call + "`"
	if _, chained := x.X.(*ast.BadExpr); !chained && p.errors == errors {
		d.Fixes = append(d.Fixes, diag.Fix{Title: "write " + call, Edits: []diag.Edit{{Span: bad.Span, New: call}}})
	}
	return bad
}

// methodNames are what other languages call our builtins.
var methodNames = map[string]string{
	"length": "len", "size": "len", "toString": "string", "to_string": "string", "to_s": "string", "str": "string",
	"toLowerCase": "lower", "to_lower": "lower", "toUpperCase": "upper", "to_upper": "upper",
	"startsWith": "starts_with", "endsWith": "ends_with", "strip": "trim", "sorted": "sort", "distinct": "unique",
}

// asCall is x.f(args) as it is written here.
func asCall(x *ast.FieldExpr, args []ast.Expr) string {
	on, name := x.X.Pos().Text(), x.Name.Text
	texts := make([]string, len(args))
	for i, a := range args {
		texts[i] = a.Pos().Text()
	}
	if len(args) == 1 {
		switch name {
		case "push", "append", "add", "push_back":
			return on + " += " + texts[0]
		case "includes", "has", "containsKey", "has_key":
			return texts[0] + " in " + on
		}
	}
	if ours := methodNames[name]; ours != "" {
		name = ours
	}
	return name + "(" + strings.Join(append([]string{on}, texts...), ", ") + ")"
}
