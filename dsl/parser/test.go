package parser

import (
	"fmt"
	"strings"

	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
)

// test reads a test with its cases and steps.
func (p *parser) test(doc string, start int32, inside bool) ast.Decl {
	if inside {
		p.soft(diag.MisplacedDeclaration, p.spanOf(p.tok()), "tests stand outside of aggregates").
			Hint = "is there a } missing before it?"
	}
	head(p, p.heads.test)
	t := &ast.Test{Doc: doc}
	if s := p.constString("test", false); s != nil {
		t.Name, t.NameSpan = s.Value, s.Span
	}
	if isWord(p.k()) && p.ahead(1).Type == kwFor { // test name for …
		p.next()
	}
	if !p.take(kwFor) {
		p.unexpected("`for`").Hint = `write test "name" for Aggregate { … }`
	}
	if !p.broken() || p.k() == tTypeName {
		t.For = p.typeName("the aggregate")
	}
	if p.word("cases") {
		p.cases(t)
	}
	open, ok := p.openBrace("the test's head")
	if ok {
		t.Steps = p.steps(open)
	}
	t.At = p.from(start)
	return t
}

// cases reads `cases a, b: T { (1, 2) (3, 4) }`.
func (p *parser) cases(t *ast.Test) {
	p.next()
	for {
		start := p.start()
		c := &ast.Column{Name: p.name("a column", useValue)}
		if p.take(tColon) {
			c.Type = p.typeExpr()
		}
		c.At = p.from(start)
		t.Columns = append(t.Columns, c)
		if p.broken() || !p.take(tComma) {
			break
		}
	}
	open, ok := p.openBrace("the columns")
	if !ok {
		return
	}
	p.list(open, func() bool { return p.k() == tLParen }, "a row in ( )", func() {
		start := p.start()
		paren := p.spanOf(p.tok())
		p.next()
		r := &ast.Row{Values: p.exprList(tRParen, ")", paren)}
		r.At = p.from(start)
		t.Rows = append(t.Rows, r)
	})
}

// steps reads the steps up to the }.
func (p *parser) steps(open diag.Span) []ast.Step {
	var steps []ast.Step
	if !p.enter() {
		return nil
	}
	defer p.leave()
	for p.k() != tRBrace && p.k() != tEOF && !p.declAt(p.i) {
		before := p.i
		if p.k() == tComma {
			p.stray()
			continue
		}
		steps = append(steps, p.step())
		if p.broken() || p.i == before {
			if p.i == before {
				p.next()
			}
			p.syncStep()
		}
	}
	p.closer(tRBrace, "}", open)
	return steps
}

// stepAt tells whether a step begins at the current token, the first of its line.
func (p *parser) stepAt() bool {
	if !p.firstOnLine(p.i) {
		return false
	}
	if p.k() == kwThen {
		return true
	}
	if p.k() != tIdent || p.ahead(1).Type == tColon {
		return false
	}
	switch p.tok().Value {
	case "given", "when", "at", "as", "let", "repeat":
		return true
	}
	return false
}

func (p *parser) syncStep() {
	depth := 0
	for p.k() != tEOF && !p.declAt(p.i) && !p.stepAt() {
		switch p.k() {
		case tLBrace:
			depth++
		case tRBrace:
			if depth == 0 {
				return
			}
			depth--
		}
		p.next()
	}
}

func (p *parser) step() ast.Step {
	start := p.start()
	if p.take(kwThen) {
		return p.then(start)
	}
	if p.k() != tIdent {
		return p.badStep(start)
	}
	switch p.tok().Value {
	case "given":
		p.next()
		return p.given(start)
	case "when":
		p.next()
		w := &ast.When{Command: p.name("a command", useField)}
		w.Items = p.items("the command")
		w.At = p.from(start)
		if w.Command.Text == "" {
			return &ast.BadStep{At: w.At}
		}
		return w
	case "at":
		p.next()
		a := &ast.AtStep{Time: p.constString("at", false)}
		if a.Time == nil {
			return &ast.BadStep{At: p.from(start)}
		}
		a.At = p.from(start)
		return a
	case "as":
		p.next()
		a := &ast.AsStep{Items: p.items("as")}
		a.At = p.from(start)
		return a
	case "let":
		return p.letStep(start)
	case "repeat":
		return p.repeat(start)
	}
	return p.badStep(start)
}

func (p *parser) badStep(start int32) ast.Step {
	t := p.tok()
	d := p.fail(diag.UnknownStep, p.spanOf(t), fmt.Sprintf("%s begins no step of a test", describe(t)))
	if near := nearest(t.Value, stepWords); near != "" && t.Type == tIdent {
		d.Hint = fmt.Sprintf("did you mean `%s`?", near)
		if d.Code != "" {
			fix(d, false, near)
		}
	} else {
		d.Hint = "steps begin with given, when, then, at, as, let or repeat"
	}
	p.next()
	p.syncStep()
	return &ast.BadStep{At: p.from(start)}
}

func (p *parser) given(start int32) ast.Step {
	if p.word("state") && p.ahead(1).Type == tLBrace {
		p.next()
		g := &ast.GivenState{Items: p.items("state")}
		g.At = p.from(start)
		return g
	}
	g := &ast.GivenEvent{Event: p.name("an event", useField)}
	if p.k() == tAt {
		g.Version, _ = p.version()
	}
	g.Items = p.items("the event")
	g.At = p.from(start)
	if g.Event.Text == "" {
		return &ast.BadStep{At: g.At}
	}
	return g
}

func (p *parser) letStep(start int32) ast.Step {
	switch s := p.let(start).(type) {
	case *ast.Let:
		return &ast.LetStep{At: s.At, Name: s.Name, Type: s.Type, Value: s.Value}
	default:
		return &ast.BadStep{At: ast.At{Span: s.Pos()}}
	}
}

func (p *parser) repeat(start int32) ast.Step {
	p.next()
	r := &ast.Repeat{N: p.count("repeat 45 { … }")}
	if open, ok := p.openBrace("the number of repeats"); ok {
		r.Steps = p.steps(open)
	}
	r.At = p.from(start)
	return r
}

// then reads what follows `then`; the word behind it decides.
func (p *parser) then(start int32) ast.Step {
	if p.k() == tIdent {
		switch p.tok().Value {
		case "emit":
			return p.thenEmit(start)
		case "nothing":
			p.next()
			return &ast.ThenNothing{At: p.from(start)}
		case "reject":
			return p.thenReject(start)
		case "invalid":
			return p.thenInvalid(start)
		case "fault":
			p.next()
			f := &ast.ThenFault{Kind: p.name("a fault", useField)}
			f.At = p.from(start)
			return f
		case "gas":
			return p.thenGas(start)
		}
	}
	c := &ast.ThenCond{Cond: p.cond()}
	c.At = p.from(start)
	return c
}

func (p *parser) thenEmit(start int32) ast.Step {
	p.next()
	e := &ast.ThenEmit{Event: p.name("an event", useField)}
	p.blankOK = true
	e.Items = p.items("the event")
	p.blankOK = false
	e.At = p.from(start)
	if e.Event.Text == "" {
		return &ast.BadStep{At: e.At}
	}
	return e
}

func (p *parser) thenReject(start int32) ast.Step {
	p.next()
	r := &ast.ThenReject{}
	at := p.start()
	if open := p.spanOf(p.tok()); p.k() == tLParen {
		p.next()
		q := &ast.Refusal{CodeExpr: p.expr()}
		p.closer(tRParen, ")", open)
		q.Message = p.message()
		q.At = p.from(at)
		r.Refusal = q
	} else {
		r.Refusal = p.refusal()
	}
	if r.Refusal == nil {
		return &ast.BadStep{At: p.from(start)}
	}
	r.At = p.from(start)
	return r
}

// thenInvalid reads a path such as lines[2].qty or resources["silver"].
func (p *parser) thenInvalid(start int32) ast.Step {
	p.next()
	at := p.start()
	var b strings.Builder
	b.WriteString(p.name("a field", useField).Text)
	for !p.broken() {
		if p.take(tDot) {
			b.WriteString("." + p.name("a field", useField).Text)
			continue
		}
		open := p.spanOf(p.tok())
		if !p.take(tLBrack) {
			break
		}
		switch t := p.tok(); t.Type {
		case tInt:
			p.next()
			b.WriteString("[" + t.Value + "]")
		case tString, tRaw, tHead:
			s := p.constString("[", false)
			b.WriteString("[" + quote(s.Value) + "]")
		default:
			p.fail(diag.BadPath, p.spanOf(t), "the index in a path is a number or a string").Hint = "write lines[2].qty or stock[\"silver\"]"
			return &ast.BadStep{At: p.from(start)}
		}
		p.closer(tRBrack, "]", open)
	}
	if p.broken() {
		return &ast.BadStep{At: p.from(start)}
	}
	i := &ast.ThenInvalid{Path: b.String(), PathSpan: p.from(at).Span}
	i.At = p.from(start)
	return i
}

// quote is the JSON form of a key in a path.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`, "\r", `\r`).Replace(s) + `"`
}

func (p *parser) thenGas(start int32) ast.Step {
	p.next()
	g := &ast.ThenGas{Op: "<="}
	switch p.k() {
	case tLt, tLe:
		g.Op = p.next().Value
	default:
		p.unexpected("`<` or `<=`").Hint = "write then gas <= 500"
		return &ast.BadStep{At: p.from(start)}
	}
	g.N = p.count("then gas <= 500")
	g.At = p.from(start)
	return g
}
