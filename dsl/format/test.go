package format

import (
	"strings"

	"github.com/cloudlysis/aggregate/dsl/ast"
)

func (p *printer) test(t *ast.Test) {
	p.str("test " + p.quoted(t.NameSpan, t.Name) + " for " + t.For.Text)
	if len(t.Columns) == 0 {
		p.str(" ")
		p.steps(t.Steps, t.Span.Start, t.Span.End)
		return
	}
	p.indent++
	p.newline()
	p.cases(t)
	p.indent--
	p.newline()
	p.steps(t.Steps, t.Span.Start, t.Span.End)
}

// cases prints the table: its rows on one line if the source has them so.
func (p *printer) cases(t *ast.Test) {
	var columns, flat []string
	for _, c := range t.Columns {
		columns = append(columns, c.Name.Text+p.optType(c.Type))
	}
	var els []element
	for _, r := range t.Rows {
		text := "(" + p.flatList(r.Values) + ")"
		flat = append(flat, text)
		els = append(els, element{at: r.Span, print: func() { p.str(text) }})
	}
	p.str("cases " + strings.Join(columns, ", ") + " ")
	if len(t.Rows) == 0 {
		p.str("{}")
		return
	}
	at := t.Columns[len(t.Columns)-1].Span.To(t.Rows[len(t.Rows)-1].Span)
	if text := "{ " + strings.Join(flat, " ") + " }"; p.oneLine(at) && p.fits(text) {
		p.str(text)
		return
	}
	p.braces(els, -1, at.End)
}

func (p *printer) steps(steps []ast.Step, head, end int32) {
	var els []element
	for _, s := range steps {
		els = append(els, element{at: s.Pos(), block: isBlockStep(s), print: func() { p.step(s) }})
	}
	p.braces(els, p.head(head), end)
}

func isBlockStep(s ast.Step) bool {
	switch s.(type) {
	case *ast.GivenEvent, *ast.GivenState, *ast.When, *ast.ThenEmit, *ast.AsStep, *ast.Repeat:
		return true
	}
	return false
}

// step prints one step; when and then are padded to the width of given.
func (p *printer) step(s ast.Step) {
	switch s := s.(type) {
	case *ast.GivenEvent:
		p.str("given " + s.Event.Text)
		if s.Version > 0 {
			p.str(version(s.Version))
		}
		p.str(" ")
		p.items(s.Items, s.Span)
	case *ast.GivenState:
		p.str("given state ")
		p.items(s.Items, s.Span)
	case *ast.When:
		p.str("when  " + s.Command.Text + " ")
		p.items(s.Items, s.Span)
	case *ast.ThenEmit:
		p.str("then  emit " + s.Event.Text + " ")
		p.items(s.Items, s.Span)
	case *ast.AsStep:
		p.str("as ")
		p.items(s.Items, s.Span)
	case *ast.Repeat:
		p.str("repeat " + s.N.Text + " ")
		p.repeat(s)
	default:
		p.shortStep(s)
	}
}

func (p *printer) shortStep(s ast.Step) {
	switch s := s.(type) {
	case *ast.ThenNothing:
		p.str("then  nothing")
	case *ast.ThenReject:
		p.str("then  reject " + p.refusal(s.Refusal))
	case *ast.ThenInvalid:
		p.str("then  invalid " + s.Path)
	case *ast.ThenFault:
		p.str("then  fault " + s.Kind.Text)
	case *ast.ThenGas:
		p.str("then  gas " + s.Op + " " + s.N.Text)
	case *ast.ThenCond:
		p.str("then  ")
		p.expr(s.Cond)
	case *ast.AtStep:
		p.str("at " + strText(s.Time))
	case *ast.LetStep:
		p.str("let " + s.Name.Text + p.optType(s.Type) + " = ")
		p.expr(s.Value)
	}
}

// repeat prints `repeat n { step }` on one line if the source has it so and it is one short step.
func (p *printer) repeat(r *ast.Repeat) {
	if p.oneLine(r.Span) && len(r.Steps) == 1 {
		q := printer{src: p.src, lines: p.lines}
		q.step(r.Steps[0])
		text := "{ " + string(q.out) + " }"
		if !strings.Contains(text, "\n") && p.fits(text) {
			p.str(text)
			return
		}
	}
	p.steps(r.Steps, r.Span.Start, r.Span.End)
}
