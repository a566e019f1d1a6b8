package lsp

import (
	"strings"

	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
)

// The kinds of symbols that documentSymbol tells.
const (
	symModule     = 2
	symNamespace  = 3
	symClass      = 5
	symMethod     = 6
	symProperty   = 7
	symField      = 8
	symEnum       = 10
	symFunction   = 12
	symVariable   = 13
	symConstant   = 14
	symEnumMember = 22
	symStruct     = 23
	symEvent      = 24
)

// decl is a declaration as hover texts and outlines show it.
type decl struct {
	what   string // "state field", "command", …
	of     string // the aggregate, record, … that holds it; "" at top level
	name   ast.Name
	span   diag.Span
	doc    string
	sig    string // how it is declared, without what it does
	gas    string // the gas limit of its aggregate, if that is said
	symbol int

	children []*decl
}

// capital tells whether the name of d begins with one.
func (d *decl) capital() bool {
	switch d.what {
	case "aggregate", "enum", "record":
		return true
	}
	return false
}

// declarations are those of all files by the place of their names.
func declarations(files []*ast.File) map[diag.Span]*decl {
	out := map[diag.Span]*decl{}
	var add func(list []*decl)
	add = func(list []*decl) {
		for _, d := range list {
			if !d.name.Span.IsZero() {
				out[d.name.Span] = d
			}
			add(d.children)
		}
	}
	for _, f := range files {
		add(outline(f))
	}
	return out
}

// outline is the declarations of a file, in order, as a tree.
func outline(f *ast.File) []*decl { return outlines(f.Decls, "", "") }

func outlines(decls []ast.Decl, of, gas string) []*decl {
	var out []*decl
	for _, d := range decls {
		if x := outlineOf(d, of, gas); x != nil {
			out = append(out, x)
		}
	}
	return out
}

func outlineOf(d ast.Decl, of, gas string) *decl {
	switch d := d.(type) {
	case *ast.Aggregate:
		return aggregateDecl(d)
	case *ast.Enum:
		x := &decl{what: "enum", of: of, name: d.Name, span: d.Span, doc: d.Doc, sig: brief(d.Span), symbol: symEnum}
		for _, m := range d.Members {
			x.children = append(x.children, &decl{what: "member", of: d.Name.Text, name: m.Name, span: m.Span, doc: m.Doc, sig: d.Name.Text + "." + brief(m.Span), symbol: symEnumMember})
		}
		return x
	case *ast.Record:
		return &decl{what: "record", of: of, name: d.Name, span: d.Span, doc: d.Doc, sig: brief(d.Span), symbol: symStruct, children: fieldDecls("field", "record "+d.Name.Text, d.Fields)}
	case *ast.Const:
		return &decl{what: "constant", of: of, name: d.Name, span: d.Span, doc: d.Doc, sig: brief(d.Span), symbol: symConstant}
	case *ast.State:
		return &decl{what: "state", of: of, name: ast.Name{At: ast.At{Span: word(d.Span, "state")}, Text: "state"}, span: d.Span, doc: d.Doc, sig: "state", symbol: symStruct, children: fieldDecls("state field", of, d.Fields)}
	case *ast.Fn:
		return &decl{what: "function", of: of, name: d.Name, span: d.Span, doc: d.Doc, sig: fnHead(d), symbol: symFunction}
	case *ast.Command:
		return &decl{what: "command", of: of, name: d.Name, span: d.Span, doc: d.Doc, sig: brief(d.Span), gas: gas, symbol: symMethod, children: fieldDecls("field", "command "+d.Name.Text, d.Fields)}
	case *ast.Event:
		return &decl{what: "event", of: of, name: d.Name, span: d.Span, doc: d.Doc, sig: brief(d.Span), symbol: symEvent, children: fieldDecls("field", "event "+d.Name.Text, d.Fields)}
	case *ast.Test:
		return testDecl(d)
	}
	return ruleDecl(d, of, gas)
}

// ruleDecl is what stands in aggregates only.
func ruleDecl(d ast.Decl, of, gas string) *decl {
	switch d := d.(type) {
	case *ast.Derive:
		return &decl{what: "derive", of: of, name: d.Name, span: d.Span, doc: d.Doc, sig: brief(d.Span), symbol: symProperty}
	case *ast.Invariant:
		return &decl{what: "invariant", of: of, name: d.Name, span: d.Span, doc: d.Doc, sig: brief(d.Span), symbol: symProperty}
	case *ast.Guard:
		return &decl{what: "guard", of: of, name: d.Name, span: d.Span, doc: d.Doc, sig: headTo(d.Span, blockStart(d.Body)), symbol: symFunction}
	case *ast.Decide:
		return &decl{what: "decide", of: of, span: d.Span, doc: d.Doc, sig: "decide " + d.Name.Text, gas: gas, symbol: symFunction, name: ast.Name{At: ast.At{Span: word(d.Span, "decide")}, Text: "decide " + d.Name.Text}}
	case *ast.Apply:
		return &decl{what: "apply", of: of, span: d.Span, doc: d.Doc, sig: "apply " + d.Name.Text, symbol: symFunction, name: ast.Name{At: ast.At{Span: word(d.Span, "apply")}, Text: "apply " + d.Name.Text}}
	case *ast.Upcast:
		return &decl{what: "upcast", of: of, span: d.Span, sig: "upcast " + d.From.Text, symbol: symFunction, name: ast.Name{At: ast.At{Span: word(d.Span, "upcast")}, Text: "upcast " + d.From.Text}}
	case *ast.Roles:
		x := &decl{what: "roles", of: of, span: d.Span, sig: brief(d.Span), symbol: symNamespace, name: ast.Name{At: ast.At{Span: word(d.Span, "roles")}, Text: "roles"}}
		for _, n := range d.Names {
			x.children = append(x.children, &decl{what: "role", of: of, name: n, span: n.Span, sig: "roles " + n.Text, symbol: symConstant})
		}
		return x
	}
	return nil
}

func aggregateDecl(d *ast.Aggregate) *decl {
	gas := ""
	for _, m := range d.Decls {
		if g, ok := m.(*ast.Gas); ok && g.N != nil {
			gas = g.N.Text
		}
	}
	return &decl{
		what: "aggregate", name: d.Name, span: d.Span, doc: d.Doc, sig: "aggregate " + d.Name.Text, gas: gas, symbol: symClass,
		children: outlines(d.Decls, d.Name.Text, gas),
	}
}

func testDecl(d *ast.Test) *decl {
	x := &decl{what: "test", of: d.For.Text, span: d.Span, doc: d.Doc, sig: "test " + d.NameSpan.Text(), symbol: symModule, name: ast.Name{At: ast.At{Span: d.NameSpan}, Text: d.Name}}
	for _, c := range d.Columns {
		x.children = append(x.children, &decl{what: "column", of: "", name: c.Name, span: c.Span, sig: brief(c.Span), symbol: symVariable})
	}
	return x
}

func fieldDecls(what, of string, fields []*ast.Field) []*decl {
	out := make([]*decl, len(fields))
	for i, f := range fields {
		out[i] = &decl{what: what, of: of, name: f.Name, span: f.Span, doc: f.Doc, sig: brief(f.Span), symbol: symField}
	}
	return out
}

// word is the first word of a declaration, if it is w.
func word(at diag.Span, w string) diag.Span {
	if strings.HasPrefix(at.Text(), w) {
		at.End = at.Start + int32(len(w))
	}
	return at
}

// fnHead is a function without its body.
func fnHead(d *ast.Fn) string {
	if d.Expr != nil {
		return strings.TrimSpace(strings.TrimSuffix(headTo(d.Span, d.Expr.Pos()), "="))
	}
	return headTo(d.Span, blockStart(d.Body))
}

func blockStart(b *ast.Block) diag.Span {
	if b == nil {
		return diag.Span{}
	}
	return b.Span
}

// headTo is the text of at up to where body begins.
func headTo(at, body diag.Span) string {
	if body.File == at.File && body.Start >= at.Start && body.Start <= at.End {
		at.End = body.Start
	}
	return brief(at)
}

// maxBrief is the number of lines that brief shows.
const maxBrief = 16

// brief is the text of at, its lines moved to the left together, and not too many of them.
func brief(at diag.Span) string {
	rows := strings.Split(strings.ReplaceAll(strings.TrimSpace(at.Text()), "\r", ""), "\n")
	least := -1
	for _, r := range rows[1:] {
		if t := strings.TrimLeft(r, " \t"); t != "" && (least < 0 || len(r)-len(t) < least) {
			least = len(r) - len(t)
		}
	}
	for i, r := range rows[1:] {
		rows[i+1] = strings.TrimRight(r[min(max(least, 0), len(r)):], " \t")
	}
	if len(rows) > maxBrief {
		rows = append(rows[:maxBrief:maxBrief], "…")
	}
	return strings.Join(rows, "\n")
}
