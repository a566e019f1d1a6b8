package format

import (
	"strings"

	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
)

// expr prints an expression: flat if it fits and the author has not spread it over lines, else
// broken at its outermost joints.
func (p *printer) expr(e ast.Expr) {
	if !p.multi(e) {
		if text := p.flat(e); p.fits(text) {
			p.str(text)
			return
		}
	}
	switch e := e.(type) {
	case *ast.Binary:
		p.binary(e)
	case *ast.Cond:
		p.cond(e)
	case *ast.Paren:
		p.str("(")
		p.expr(e.X)
		p.str(")")
	case *ast.Unary:
		p.str(unary(e))
		p.expr(e.X)
	case *ast.Call:
		p.call(e)
	case *ast.ListLit:
		p.wrapped("[", "]", ",", p.exprs(e.Elems))
	case *ast.ListComp:
		p.str("[")
		p.comp(e.Comp, "")
		p.str("]")
	case *ast.MapLit:
		p.wrapped("{", "}", ",", p.pairs(e))
	case *ast.MapComp:
		p.str("{")
		p.comp(e.Comp, p.flat(e.Key)+": ")
		p.str("}")
	case *ast.RecordLit:
		p.str(qualified(e.Qualifier, e.Name) + " ")
		var parts []func()
		for _, it := range e.Items {
			parts = append(parts, func() { p.item(it) })
		}
		p.wrapped("{", "}", "", parts)
	default:
		p.str(p.flat(e))
	}
}

// multi tells whether a literal or call has its elements on several lines of the source.
func (p *printer) multi(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.ListLit:
		return p.several(len(e.Elems), func(i int) diag.Span { return e.Elems[i].Pos() })
	case *ast.MapLit:
		return p.several(len(e.Keys), func(i int) diag.Span { return e.Keys[i].Pos() })
	case *ast.RecordLit:
		return p.several(len(e.Items), func(i int) diag.Span { return e.Items[i].Pos() })
	case *ast.Call:
		return len(e.Args) == 1 && p.multi(e.Args[0])
	}
	return false
}

func (p *printer) several(n int, at func(int) diag.Span) bool {
	return n > 1 && !at(0).IsZero() && p.line(at(0).Start) != p.line(at(n-1).Start)
}

// binary breaks before the operators of a chain of one level.
func (p *printer) binary(e *ast.Binary) {
	chain := []*ast.Binary{e}
	for {
		x, ok := chain[len(chain)-1].X.(*ast.Binary)
		if !ok || x.Op != e.Op {
			break
		}
		chain = append(chain, x)
	}
	p.expr(chain[len(chain)-1].X)
	p.indent++
	for i := len(chain) - 1; i >= 0; i-- {
		p.newline()
		p.str(chain[i].Op + " ")
		p.expr(chain[i].Y)
	}
	p.indent--
}

func (p *printer) cond(e *ast.Cond) {
	p.str("if ")
	p.expr(e.If)
	p.indent++
	p.newline()
	p.str("then ")
	p.expr(e.Then)
	p.newline()
	p.str("else ")
	p.expr(e.Else)
	p.indent--
}

func (p *printer) call(e *ast.Call) {
	p.str(e.Fn.Text)
	if e.Comp != nil {
		p.str("(")
		p.comp(e.Comp, "")
		p.str(")")
		return
	}
	if len(e.Args) == 1 { // set([ … ])
		p.str("(")
		p.expr(e.Args[0])
		p.str(")")
		return
	}
	p.wrapped("(", ")", ",", p.exprs(e.Args))
}

// comp prints a comprehension over lines; before stands before its element.
func (p *printer) comp(c *ast.Comp, before string) {
	p.str(before + p.compHead(c))
	p.indent++
	p.newline()
	p.str(compFor(c))
	p.expr(c.Source)
	if c.Cond != nil {
		p.newline()
		p.str("if ")
		p.expr(c.Cond)
	}
	p.indent--
}

func (p *printer) exprs(list []ast.Expr) []func() {
	var parts []func()
	for _, x := range list {
		parts = append(parts, func() { p.expr(x) })
	}
	return parts
}

func (p *printer) pairs(m *ast.MapLit) []func() {
	var parts []func()
	for i := range m.Keys {
		parts = append(parts, func() {
			p.str(p.flat(m.Keys[i]) + ": ")
			p.expr(m.Values[i])
		})
	}
	return parts
}

// wrapped prints parts one a line between brackets.
func (p *printer) wrapped(open, end, sep string, parts []func()) {
	p.str(open)
	if len(parts) > 0 {
		p.indent++
		for i, part := range parts {
			p.newline()
			part()
			if i < len(parts)-1 {
				p.str(sep)
			}
		}
		p.indent--
		p.newline()
	}
	p.str(end)
}

func qualified(qualifier, name ast.Name) string {
	if qualifier.Text != "" {
		return qualifier.Text + "." + name.Text
	}
	return name.Text
}

func unary(e *ast.Unary) string {
	if e.Op == "not" {
		return "not "
	}
	switch x := e.X.(type) { // - -x
	case *ast.Unary:
		if x.Op == "-" {
			return "- "
		}
	case *ast.Num:
		if strings.HasPrefix(x.Text, "-") {
			return "- "
		}
	case *ast.Dur:
		if strings.HasPrefix(x.Text, "-") {
			return "- "
		}
	}
	return "-"
}

func (p *printer) flatList(list []ast.Expr) string {
	var out []string
	for _, x := range list {
		out = append(out, p.flat(x))
	}
	return strings.Join(out, ", ")
}

func (p *printer) flatItem(it *ast.Item) string {
	if it.Spread {
		return ".." + p.flat(it.Value)
	}
	return it.Name.Text + ": " + p.flat(it.Value)
}

func (p *printer) flatItems(items []*ast.Item) string {
	if len(items) == 0 {
		return "{}"
	}
	var out []string
	for _, it := range items {
		out = append(out, p.flatItem(it))
	}
	return "{ " + strings.Join(out, ", ") + " }"
}

// flat is an expression on one line.
func (p *printer) flat(e ast.Expr) string {
	var b strings.Builder
	p.write(&b, e)
	return b.String()
}

func (p *printer) write(b *strings.Builder, e ast.Expr) {
	switch e := e.(type) {
	case *ast.Num:
		b.WriteString(e.Text)
	case *ast.Dur:
		b.WriteString(e.Text)
	case *ast.Str:
		b.WriteString(strText(e))
	case *ast.Interp:
		p.writeInterp(b, e)
	case *ast.Bool:
		if e.Value {
			b.WriteString("true")
		} else {
			b.WriteString("false")
		}
	case *ast.None:
		b.WriteString("none")
	case *ast.Blank:
		b.WriteString("_")
	case *ast.NameExpr:
		b.WriteString(e.Name)
	case *ast.FieldExpr:
		p.write(b, e.X)
		b.WriteString("." + e.Name.Text)
	case *ast.IndexExpr:
		p.write(b, e.X)
		b.WriteString("[")
		p.write(b, e.Index)
		b.WriteString("]")
		if e.Optional {
			b.WriteString("?")
		}
	case *ast.Paren:
		b.WriteString("(")
		p.write(b, e.X)
		b.WriteString(")")
	default:
		p.writeOperator(b, e)
	}
}

func (p *printer) writeOperator(b *strings.Builder, e ast.Expr) {
	switch e := e.(type) {
	case *ast.Unary:
		b.WriteString(unary(e))
		p.write(b, e.X)
	case *ast.Binary:
		p.write(b, e.X)
		b.WriteString(" " + e.Op + " ")
		p.write(b, e.Y)
	case *ast.IsSome:
		p.write(b, e.X)
		b.WriteString(" is some " + e.Bind.Text)
	case *ast.IsNone:
		p.write(b, e.X)
		b.WriteString(" is none")
	case *ast.Range:
		p.write(b, e.From)
		b.WriteString("..")
		p.write(b, e.To)
	case *ast.Cond:
		b.WriteString("if ")
		p.write(b, e.If)
		b.WriteString(" then ")
		p.write(b, e.Then)
		b.WriteString(" else ")
		p.write(b, e.Else)
	default:
		p.writeBrackets(b, e)
	}
}

func (p *printer) writeBrackets(b *strings.Builder, e ast.Expr) {
	switch e := e.(type) {
	case *ast.Call:
		b.WriteString(e.Fn.Text + "(")
		if e.Comp != nil {
			b.WriteString(p.flatComp(e.Comp))
		}
		b.WriteString(p.flatList(e.Args) + ")")
	case *ast.ListLit:
		b.WriteString("[" + p.flatList(e.Elems) + "]")
	case *ast.ListComp:
		b.WriteString("[" + p.flatComp(e.Comp) + "]")
	case *ast.MapLit:
		b.WriteString("{")
		for i := range e.Keys {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(p.flat(e.Keys[i]) + ": " + p.flat(e.Values[i]))
		}
		b.WriteString("}")
	case *ast.MapComp:
		b.WriteString("{" + p.flat(e.Key) + ": " + p.flatComp(e.Comp) + "}")
	case *ast.RecordLit:
		b.WriteString(qualified(e.Qualifier, e.Name) + " " + p.flatItems(e.Items))
	}
}

func (p *printer) flatComp(c *ast.Comp) string {
	text := p.compHead(c) + " " + compFor(c) + p.flat(c.Source)
	if c.Cond != nil {
		text += " if " + p.flat(c.Cond)
	}
	return text
}

// compHead is the element, or the keys of sort_by.
func (p *printer) compHead(c *ast.Comp) string {
	if c.Elem != nil {
		return p.flat(c.Elem)
	}
	var keys []string
	for _, k := range c.Keys {
		text := p.flat(k.Expr)
		if k.Desc {
			text += " desc"
		}
		keys = append(keys, text)
	}
	return strings.Join(keys, ", ")
}

func compFor(c *ast.Comp) string {
	text := "for "
	if c.Key.Text != "" {
		text += c.Key.Text + ", "
	}
	return text + c.Value.Text + " in "
}

// strText is a string as its author wrote it, or with the escapes that it needs.
func strText(s *ast.Str) string {
	switch {
	case !s.Span.IsZero():
		return s.Span.Text()
	case s.Raw:
		return "`" + s.Value + "`"
	}
	return quote(s.Value)
}

// writeInterp keeps the text of an interpolated string as it is written.
func (p *printer) writeInterp(b *strings.Builder, e *ast.Interp) {
	if !e.Span.IsZero() {
		b.WriteString(e.Span.Text())
		return
	}
	b.WriteByte('"')
	for i, part := range e.Parts {
		text := quote(part)
		b.WriteString(text[1 : len(text)-1])
		if i < len(e.Exprs) {
			b.WriteString("{" + p.flat(e.Exprs[i]) + "}")
		}
	}
	b.WriteByte('"')
}
