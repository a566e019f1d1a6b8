package format

import (
	"sort"
	"strconv"
	"strings"

	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
)

// decl is the element of a declaration.
func (p *printer) decl(d ast.Decl) element {
	e := element{at: d.Pos(), block: true}
	switch d := d.(type) {
	case *ast.Aggregate:
		e.print = func() { p.aggregate(d) }
	case *ast.Enum:
		e.print = func() { p.enum(d) }
	case *ast.Record:
		e.print = func() { p.fields("record "+d.Name.Text+" ", d.Fields, d.Span, true) }
	case *ast.State:
		e.print = func() { p.fields("state ", d.Fields, d.Span, false) }
	case *ast.Command:
		e.print = func() { p.fields(p.commandHead(d), d.Fields, d.Span, true) }
	case *ast.Event:
		e.print = func() { p.fields(eventHead(d), d.Fields, d.Span, true) }
	case *ast.Upcast:
		e.print = func() {
			p.str("upcast " + d.From.Text + version(d.FromVersion) + " ->")
			if d.To.Text != d.From.Text {
				p.str(" " + d.To.Text)
			}
			p.str(version(d.ToVersion) + " ")
			p.items(d.Items, d.Span)
		}
	case *ast.Decide:
		e.print = func() { p.str("decide " + d.Name.Text + " "); p.block(d.Body) }
	case *ast.Apply:
		e.print = func() { p.str("apply " + d.Name.Text + " "); p.block(d.Body) }
	case *ast.Guard:
		e.print = func() { p.str("guard " + d.Name.Text + p.params(d.Params) + " "); p.block(d.Body) }
	case *ast.Fn:
		e.block = d.Body != nil
		e.print = func() { p.fn(d) }
	case *ast.Test:
		e.print = func() { p.test(d) }
	default:
		e.block = false
		e.print = func() { p.shortDecl(d) }
	}
	return e
}

// shortDecl prints a declaration without braces.
func (p *printer) shortDecl(d ast.Decl) {
	switch d := d.(type) {
	case *ast.Roles:
		p.str("roles " + names(d.Names, ", "))
	case *ast.Const:
		p.str("const " + d.Name.Text + ": " + p.typeText(d.Type) + " = ")
		p.expr(d.Value)
	case *ast.Derive:
		p.str("derive " + d.Name.Text + ": " + p.typeText(d.Type) + " = ")
		p.expr(d.Value)
	case *ast.Index:
		p.str("index " + names(d.Path, "."))
	case *ast.SnapshotEvery:
		p.str("snapshot every " + d.N.Text)
	case *ast.Gas:
		p.str("gas " + d.N.Text)
	case *ast.Final:
		p.str("final when ")
		p.elseRefusal(d.Cond, d.Else, d.Else != nil)
	case *ast.Invariant:
		p.str("invariant " + d.Name.Text + ": ")
		p.expr(d.Cond)
	}
}

func names(list []ast.Name, sep string) string {
	var b strings.Builder
	for i, n := range list {
		if i > 0 {
			b.WriteString(sep)
		}
		b.WriteString(n.Text)
	}
	return b.String()
}

func version(n int) string { return " @" + strconv.Itoa(n) }

func (p *printer) aggregate(a *ast.Aggregate) {
	p.str("aggregate " + a.Name.Text + " ")
	var els []element
	for _, d := range a.Decls {
		els = append(els, p.decl(d))
	}
	p.braces(els, p.head(a.Span.Start), a.Span.End)
}

func (p *printer) enum(e *ast.Enum) {
	head := "enum " + e.Name.Text + " "
	if e.Ordered {
		head = "ordered " + head
	}
	var els []element
	var flat []string
	for _, m := range e.Members {
		text := m.Name.Text
		if m.Wire != nil {
			text += " = " + p.quoted(m.Wire.Span, m.Wire.Value)
		}
		flat = append(flat, text)
		els = append(els, element{at: m.Span, print: func() { p.str(text) }})
	}
	p.str(head)
	p.oneLineOr(flat, els, e.Span)
}

// oneLineOr prints `{ a, b }` if the source has it on one line and it fits, else one a line.
func (p *printer) oneLineOr(flat []string, els []element, at diag.Span) {
	text := "{}"
	if len(flat) > 0 {
		text = "{ " + strings.Join(flat, ", ") + " }"
	}
	if p.oneLine(at) && p.fits(text) {
		p.str(text)
		return
	}
	p.braces(els, p.head(at.Start), at.End)
}

func (p *printer) commandHead(c *ast.Command) string {
	head := "command " + c.Name.Text + " "
	if c.Creates {
		head += "creates "
		if c.CreatesElse != nil {
			head += "else " + p.refusal(c.CreatesElse) + " "
		}
	}
	if len(c.By) > 0 {
		head += "by " + names(c.By, ", ") + " "
	}
	return head
}

func eventHead(e *ast.Event) string {
	head := "event " + e.Name.Text
	if e.Version > 1 || !e.VersionSpan.IsZero() {
		head += version(e.Version)
	}
	return head + " "
}

// fields prints a list of fields; inline tells that it may stand on one line.
func (p *printer) fields(head string, fields []*ast.Field, at diag.Span, inline bool) {
	p.str(head)
	var flat []string
	for _, f := range fields {
		flat = append(flat, p.fieldText(f, 0))
	}
	if !inline && len(fields) > 0 && at.IsZero() {
		at.End = 1 // without a source it stands on lines of its own
	}
	var els []element
	for i, f := range fields {
		pad := p.pad(fields, i)
		els = append(els, element{at: f.Span, print: func() { p.field(f, pad) }})
	}
	if !inline && len(fields) > 0 {
		p.braces(els, p.head(at.Start), at.End)
		return
	}
	p.oneLineOr(flat, els, at)
}

// pad is how wide the names are printed in the run of lines to which field i belongs.
func (p *printer) pad(fields []*ast.Field, i int) int {
	from, to := i, i
	for from > 0 && p.adjacent(fields[from-1].Span, fields[from].Span) {
		from--
	}
	for to+1 < len(fields) && p.adjacent(fields[to].Span, fields[to+1].Span) {
		to++
	}
	widest := 0
	for _, f := range fields[from : to+1] {
		widest = max(widest, len(f.Name.Text))
	}
	return widest
}

// adjacent tells whether b is printed on the line after a: there is no empty line between them in
// the source, and no comment but one behind a.
func (p *printer) adjacent(a, b diag.Span) bool {
	if a.IsZero() {
		return true
	}
	line := p.line(a.End)
	i := sort.Search(len(p.comments), func(i int) bool { return p.comments[i].Span.Start >= a.End })
	for ; i < len(p.comments) && p.comments[i].Span.Start < b.End; i++ {
		c := p.comments[i]
		if c.OwnLine || c.Span.Start >= b.Start || p.line(c.Span.Start) != line {
			return false
		}
	}
	return p.line(b.Start)-line <= 1
}

// field prints a field; its name is padded to a width.
func (p *printer) field(f *ast.Field, pad int) {
	text := p.fieldText(f, pad)
	if p.fits(text) || f.Where == nil {
		p.str(text)
		return
	}
	where := f.Where
	head := *f
	head.Where = nil
	p.str(p.fieldText(&head, pad))
	p.indent++
	p.newline()
	p.str("where ")
	p.expr(where)
	p.indent--
}

func (p *printer) fieldText(f *ast.Field, pad int) string {
	text := f.Name.Text + ": "
	if n := pad - len(f.Name.Text); n > 0 {
		text += strings.Repeat(" ", n)
	}
	text += p.typeText(f.Type)
	if f.Default != nil {
		text += " = " + p.flat(f.Default)
	}
	if f.Where != nil {
		text += " where " + p.flat(f.Where)
	}
	return text
}

func (p *printer) params(params []*ast.Param) string {
	var list []string
	for _, q := range params {
		list = append(list, q.Name.Text+": "+p.typeText(q.Type))
	}
	return "(" + strings.Join(list, ", ") + ")"
}

func (p *printer) fn(f *ast.Fn) {
	p.str("fn " + f.Name.Text + p.params(f.Params) + ": " + p.typeText(f.Result) + " ")
	if f.Body != nil {
		p.block(f.Body)
		return
	}
	p.str("= ")
	p.expr(f.Expr)
}

// refusal is `code "message"`.
func (p *printer) refusal(r *ast.Refusal) string {
	text := r.Code.Text
	if r.CodeExpr != nil {
		text = "(" + p.flat(r.CodeExpr) + ")"
	}
	if r.Message != nil {
		text += " " + p.flat(r.Message)
	}
	return text
}

// typeText is a type on one line.
func (p *printer) typeText(t ast.TypeExpr) string {
	switch t := t.(type) {
	case *ast.NamedType:
		if t.Qualifier.Text != "" {
			return t.Qualifier.Text + "." + t.Name.Text
		}
		return t.Name.Text
	case *ast.OptionalType:
		return p.typeText(t.Elem) + "?"
	case *ast.GenericType:
		var args []string
		for _, a := range t.Args {
			args = append(args, p.typeText(a))
		}
		if t.Bound != nil {
			args = append(args, p.flat(t.Bound))
		}
		return t.Name.Text + "<" + strings.Join(args, ", ") + ">"
	}
	return ""
}
