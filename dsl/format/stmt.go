package format

import (
	"strings"

	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
)

// block prints `{ … }`: on one line if the source has it so and it holds one short statement.
func (p *printer) block(b *ast.Block) {
	if text, ok := p.flatBlock(b); ok && p.fits(text) {
		p.str(text)
		return
	}
	p.opened(b)
}

// flatBlock is a block on one line, if it can be.
func (p *printer) flatBlock(b *ast.Block) (string, bool) {
	if !p.oneLine(b.Span) || len(b.Stmts) > 1 {
		return "", false
	}
	if len(b.Stmts) == 0 {
		return "{}", true
	}
	text, ok := p.flatStmt(b.Stmts[0])
	return "{ " + text + " }", ok
}

// flatStmt is a statement on one line, if it can be.
func (p *printer) flatStmt(s ast.Stmt) (string, bool) {
	switch s := s.(type) {
	case *ast.If:
		then, ok := p.flatBlock(s.Then)
		text := "if " + p.flat(s.Cond) + " " + then
		switch e := s.Else.(type) {
		case *ast.Block:
			rest, fine := p.flatBlock(e)
			return text + " else " + rest, ok && fine && p.oneLine(s.Span)
		case *ast.If:
			return "", false
		}
		return text, ok && p.oneLine(s.Span)
	case *ast.For:
		body, ok := p.flatBlock(s.Body)
		return p.forHead(s) + body, ok
	case *ast.Match:
		return "", false
	case *ast.Emit:
		text := "emit " + s.Event.Text + " " + p.flatItems(s.Items)
		return text, p.oneLine(s.Span)
	case *ast.Let:
		return "let " + s.Name.Text + p.optType(s.Type) + " = " + p.flat(s.Value), true
	case *ast.Var:
		return "var " + s.Name.Text + p.optType(s.Type) + " = " + p.flat(s.Value), true
	case *ast.Assign:
		return p.flat(s.Target) + " " + s.Op + " " + p.flat(s.Value), true
	case *ast.Remove:
		return "remove " + p.flat(s.Target), true
	case *ast.Require:
		return "require " + p.requireCond(s) + " else " + p.requireElse(s), true
	case *ast.Reject:
		return "reject " + p.refusal(s.Refusal), true
	case *ast.Check:
		return "check " + s.Guard.Text + "(" + p.flatList(s.Args) + ")", true
	case *ast.Nothing:
		return "nothing", true
	case *ast.Return:
		return "return " + p.flat(s.Value), true
	}
	return "", false
}

func (p *printer) optType(t ast.TypeExpr) string {
	if t == nil {
		return ""
	}
	return ": " + p.typeText(t)
}

// requireCond is the condition of a require; an `if` in it gets parentheses, since its else stands
// before the one of require.
func (p *printer) requireCond(s *ast.Require) string { return p.flat(guarded(s.Cond)) }

func guarded(cond ast.Expr) ast.Expr {
	if c, ok := cond.(*ast.Cond); ok {
		return &ast.Paren{At: c.At, X: c}
	}
	return cond
}

func (p *printer) requireElse(s *ast.Require) string {
	if s.ElseNothing || s.Else == nil {
		return "nothing"
	}
	return p.refusal(s.Else)
}

func (p *printer) forHead(s *ast.For) string {
	head := "for "
	if s.Key.Text != "" {
		head += s.Key.Text + ", "
	}
	return head + s.Value.Text + " in " + p.flat(s.Source) + " "
}

// stmts are the elements of statements.
func (p *printer) stmts(list []ast.Stmt) []element {
	var els []element
	for _, s := range list {
		e := element{at: s.Pos(), print: func() { p.stmt(s) }}
		switch s.(type) {
		case *ast.If, *ast.For, *ast.Match, *ast.Emit:
			e.block = true
		}
		els = append(els, e)
	}
	return els
}

// stmt prints a statement on one line or more.
func (p *printer) stmt(s ast.Stmt) {
	if text, ok := p.flatStmt(s); ok && p.fits(text) && !p.spread(s) {
		p.str(text)
		return
	}
	switch s := s.(type) {
	case *ast.If:
		p.ifStmt(s)
	case *ast.For:
		p.str(p.forHead(s))
		p.block(s.Body)
	case *ast.Match:
		p.match(s)
	case *ast.Emit:
		p.str("emit " + s.Event.Text + " ")
		p.items(s.Items, s.Span)
	case *ast.Let:
		p.str("let " + s.Name.Text + p.optType(s.Type) + " = ")
		p.expr(s.Value)
	case *ast.Var:
		p.str("var " + s.Name.Text + p.optType(s.Type) + " = ")
		p.expr(s.Value)
	case *ast.Assign:
		p.expr(s.Target)
		p.str(" " + s.Op + " ")
		p.expr(s.Value)
	case *ast.Remove:
		p.str("remove ")
		p.expr(s.Target)
	case *ast.Require:
		p.str("require ")
		p.require(guarded(s.Cond), "else "+p.requireElse(s))
	case *ast.Return:
		p.str("return ")
		p.expr(s.Value)
	case *ast.Check:
		p.str("check ")
		p.expr(&ast.Call{At: s.At, Fn: s.Guard, Args: s.Args})
	case *ast.Reject:
		p.str("reject " + p.refusal(s.Refusal))
	}
}

// spread tells whether an expression in a statement keeps the lines that the author gave it.
func (p *printer) spread(s ast.Stmt) bool {
	switch s := s.(type) {
	case *ast.Let:
		return p.multi(s.Value)
	case *ast.Var:
		return p.multi(s.Value)
	case *ast.Assign:
		return p.multi(s.Value)
	case *ast.Return:
		return p.multi(s.Value)
	}
	return false
}

// require prints a condition and its else, on a line of its own if both do not fit on one.
func (p *printer) require(cond ast.Expr, rest string) {
	p.expr(cond)
	p.indent++
	if p.fits(" " + rest) {
		p.str(" ")
	} else {
		p.newline()
	}
	p.str(rest)
	p.indent--
}

// elseRefusal prints `cond else code "message"`.
func (p *printer) elseRefusal(cond ast.Expr, r *ast.Refusal, has bool) {
	if !has {
		p.expr(cond)
		return
	}
	p.require(guarded(cond), "else "+p.refusal(r))
}

func (p *printer) ifStmt(s *ast.If) {
	p.str("if ")
	p.expr(s.Cond)
	p.str(" ")
	p.opened(s.Then)
	switch e := s.Else.(type) {
	case *ast.If:
		p.str(" else ")
		p.ifStmt(e)
	case *ast.Block:
		p.str(" else ")
		p.opened(e)
	}
}

// opened prints a block on lines of its own, even if it is short; an if that does not fit on one
// line has all its blocks so.
func (p *printer) opened(b *ast.Block) {
	p.braces(p.stmts(b.Stmts), b.Span.Start, b.Span.End)
}

func (p *printer) match(m *ast.Match) {
	p.str("match ")
	p.expr(m.Subject)
	p.str(" ")
	var els []element
	for _, a := range m.Arms {
		els = append(els, element{at: a.Span, block: true, print: func() {
			p.str(p.patterns(a.Patterns) + " => ")
			p.block(a.Body)
		}})
	}
	p.braces(els, p.head(m.Span.Start), m.Span.End)
}

func (p *printer) patterns(list []ast.Pattern) string {
	var out []string
	for _, x := range list {
		switch x := x.(type) {
		case *ast.ExprPattern:
			out = append(out, p.flat(x.Value))
		case *ast.SomePattern:
			out = append(out, "some "+x.Bind.Text)
		case *ast.Wildcard:
			out = append(out, "_")
		}
	}
	return strings.Join(out, ", ")
}

// items prints `{ name: e, ..x }` of a statement, declaration or step.
func (p *printer) items(items []*ast.Item, at diag.Span) {
	var flat []string
	var els []element
	for _, it := range items {
		flat = append(flat, p.flatItem(it))
		els = append(els, element{at: it.Span, print: func() { p.item(it) }})
	}
	p.oneLineOr(flat, els, at)
}

func (p *printer) item(it *ast.Item) {
	if it.Spread {
		p.str(".." + p.flat(it.Value))
		return
	}
	p.str(it.Name.Text + ": ")
	p.expr(it.Value)
}
