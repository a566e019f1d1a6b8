package parser

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
)

// callable reads a fn or a guard.
func (p *parser) callable(doc string, start int32) ast.Decl {
	isFn := p.word("fn")
	what := "a guard"
	if isFn {
		what = "a fn"
	}
	h, ok := head(p, p.heads.callable)
	name := p.headName(&h.Name, what, useValue)
	open := diag.Span{File: p.file, Start: p.end - 1, End: p.end}
	var params []*ast.Param
	if !ok {
		open = p.spanOf(p.tok())
		ok = p.expect(tLParen, "(")
	}
	if ok {
		params = p.params(open)
	}
	if !isFn {
		g := &ast.Guard{Doc: doc, Name: name, Params: params, Body: p.block("the guard's parameters")}
		g.At = p.from(start)
		return g
	}
	f := &ast.Fn{Doc: doc, Name: name, Params: params}
	p.fnResult(f)
	f.At = p.from(start)
	return f
}

// fnResult reads `: R = e` or `: R { … }`.
func (p *parser) fnResult(f *ast.Fn) {
	if p.k() == tArrow {
		p.soft(diag.UnexpectedToken, p.spanOf(p.tok()), "the result type follows a colon").Hint = "write fn f(): T"
		p.next()
		f.Result = p.typeExpr()
	} else {
		f.Result = p.colonType("the result of a fn")
	}
	switch {
	case p.take(tAssign):
		f.Expr = p.expr()
	case p.k() == tFatArrow:
		p.soft(diag.UnexpectedToken, p.spanOf(p.tok()), "the expression of a fn follows `=`").Hint = "write fn f(): T = expression"
		p.next()
		f.Expr = p.expr()
	case p.k() == tLBrace:
		f.Body = p.block("the result type")
	default:
		at := p.here()
		p.fail(diag.MissingValue, at, "missing `= expression` or a body in braces")
		f.Expr = &ast.BadExpr{At: ast.At{Span: at}}
	}
}

// params reads `a: T, b: U)`.
func (p *parser) params(open diag.Span) []*ast.Param {
	var params []*ast.Param
	p.commaList(tRParen, ")", open, func() bool {
		start := p.start()
		q := &ast.Param{Name: p.name("a parameter", useValue)}
		if q.Name.Text == "" {
			return false
		}
		q.Type = p.colonType("a parameter")
		if p.k() == tAssign {
			at := p.start()
			p.next()
			p.expr()
			p.soft(diag.UnexpectedToken, p.from(at).Span, "parameters have no defaults").Hint = "delete it"
		}
		q.At = p.from(start)
		params = append(params, q)
		return true
	})
	return params
}

// commaList reads elements with commas between up to the closing bracket; read gives false when
// nothing could be read.
func (p *parser) commaList(end kind, text string, open diag.Span, read func() bool) {
	for p.k() == tComma {
		p.stray()
	}
	if p.k() == end || p.closesOpen() || !read() {
		p.endOfList(end, text, open)
		return
	}
	p.moreOfList(end, text, open, read)
}

// moreOfList is commaList behind its first element.
func (p *parser) moreOfList(end kind, text string, open diag.Span, read func() bool) {
	for p.anotherElement(end) && p.k() != end && !p.closesOpen() && read() {
	}
	p.endOfList(end, text, open)
}

// anotherElement takes the comma before the next element, or reports that it is missing; false if
// the list ends.
func (p *parser) anotherElement(end kind) bool {
	if p.take(tComma) {
		for p.k() == tComma {
			p.stray()
		}
		return true
	}
	if p.k() == end || p.broken() || !p.beginsOperand() || p.closesOpen() || p.assignAt(p.i) {
		return false
	}
	d := p.soft(diag.MissingComma, p.here(), fmt.Sprintf("missing `,` before %s", describe(p.tok())))
	if d.Code != "" {
		d.Fixes = append(d.Fixes, diag.Fix{Title: "insert ,", Safe: true, Edits: []diag.Edit{{Span: d.Span, New: ","}}})
	}
	return true
}

func (p *parser) endOfList(end kind, text string, open diag.Span) {
	if p.broken() && p.k() != end { // skip what could not be read, on this line only
		p.skipBroken(end)
	}
	p.closer(end, text, open)
}

// skipBroken skips to the closing bracket if it stands on the line of the error.
func (p *parser) skipBroken(end kind) {
	line, depth := p.tokenAt(p.i-1).Pos.Line, 0
	for i := p.i; i < len(p.toks) && p.toks[i].Pos.Line == line; i++ {
		switch k := p.toks[i].Type; {
		case k == end && depth == 0:
			p.moveTo(i)
			return
		case k == tLParen || k == tLBrack || k == tLBrace:
			depth++
		case k == tRParen || k == tRBrack || k == tRBrace:
			if depth--; depth < 0 {
				return
			}
		}
	}
}

func (p *parser) command(doc string, start int32) ast.Decl {
	h, _ := head(p, p.heads.command)
	c := &ast.Command{Doc: doc, Name: p.headName(&h.Name, "a command", useEvent)}
	if p.word("creates") {
		p.next()
		c.Creates = true
		if p.take(kwElse) {
			c.CreatesElse = p.refusal()
		}
	}
	if p.word("by") {
		p.next()
		c.By = p.nameList("a role", useField)
		if p.word("creates") {
			p.soft(diag.UnexpectedToken, p.spanOf(p.tok()), "`creates` stands before `by`").Hint = "write command c creates by role {}"
			p.next()
			c.Creates = true
		}
	}
	c.Fields = p.fields(false, "the command", true)
	c.At = p.from(start)
	return c
}

func (p *parser) event(doc string, start int32) ast.Decl {
	h, ok := head(p, p.heads.event)
	e := &ast.Event{Doc: doc, Name: p.headName(&h.Name, "an event", useEvent), Version: 1}
	if h.Version.Type == tInt {
		e.Version, e.VersionSpan = p.versionOf(&h.Version)
	} else if !ok && p.k() == tAt {
		e.Version, e.VersionSpan = p.version()
	}
	e.Fields = p.fields(ok, "the event", false)
	e.At = p.from(start)
	return e
}

// version reads `@n`; the place has both.
func (p *parser) version() (int, diag.Span) {
	p.next() // @
	t := p.tok()
	if p.take(tInt) {
		return p.versionOf(t)
	}
	if p.k() == tBadNum {
		p.next()
		return 1, p.spanOf(t)
	}
	p.fail(diag.BadVersion, p.here(), "missing number of a version").Hint = "versions are @1, @2, …"
	return 1, p.here()
}

func (p *parser) versionOf(t *lexer.Token) (int, diag.Span) {
	at := p.spanOf(t)
	at.Start--
	n, err := strconv.Atoi(strings.ReplaceAll(t.Value, "_", ""))
	if err != nil || n < 1 || n > 1<<16 {
		p.soft(diag.BadVersion, p.spanOf(t), fmt.Sprintf("%s is no version", t.Value)).Hint = "versions are @1, @2, …"
		return 1, at
	}
	return n, at
}

func (p *parser) upcast(start int32) ast.Decl {
	h, ok := head(p, p.heads.upcast)
	u := &ast.Upcast{From: p.headName(&h.From, "an event", useEvent), FromVersion: 1, ToVersion: 1}
	if h.FromVersion.Type == tInt {
		u.FromVersion, _ = p.versionOf(&h.FromVersion)
	}
	if !ok {
		p.upcastByHand(u, h)
	} else {
		u.To = u.From
		if h.To.Type == tIdent {
			u.To = p.nameOf(&h.To)
		}
		if h.ToVersion.Type == tInt {
			u.ToVersion, _ = p.versionOf(&h.ToVersion)
		}
	}
	open := diag.Span{File: p.file, Start: p.end - 1, End: p.end}
	if !ok {
		open, ok = p.openBrace("the upcast")
	}
	if ok {
		u.Items = p.itemsAfter(open)
	}
	u.At = p.from(start)
	return u
}

// upcastByHand goes on where the production failed.
func (p *parser) upcastByHand(u *ast.Upcast, h *upcastHead) {
	if h.FromVersion.Type == 0 && p.k() == tAt {
		u.FromVersion, _ = p.version()
	}
	u.To = u.From
	if h.To.Type == tIdent {
		u.To = p.nameOf(&h.To)
	}
	arrow := p.tokenAt(p.i-1).Type == tArrow || h.To.Type == tIdent
	if !arrow && h.ToVersion.Type == 0 && p.expect(tArrow, "->") {
		arrow = true
	}
	if arrow && isWord(p.k()) && !p.firstOnLine(p.i) {
		u.To = p.name("an event", useEvent)
	}
	if p.k() == tAt {
		u.ToVersion, _ = p.version()
	}
}

// rule reads a decide or an apply.
func (p *parser) rule(doc string, start int32) ast.Decl {
	isDecide := p.word("decide")
	what := "an event"
	if isDecide {
		what = "a command"
	}
	h, ok := head(p, p.heads.rule)
	name := p.headName(&h.Name, what, useField)
	var body *ast.Block
	if ok {
		body = p.blockAfter(p.end - 1)
	} else {
		if p.k() == tLParen { // decide c(cmd) { … }
			p.fail(diag.UnexpectedToken, p.spanOf(p.tok()), fmt.Sprintf("`%s` has no parameters", h.Word.Value)).
				Hint = "its command or event is known as cmd or event"
			p.skipTo(tLBrace)
		}
		body = p.block("the name")
	}
	at := p.from(start)
	if isDecide {
		return &ast.Decide{At: at, Doc: doc, Name: name, Body: body}
	}
	return &ast.Apply{At: at, Doc: doc, Name: name, Body: body}
}

// refusal reads `code "message"`, or nil when the code is missing.
func (p *parser) refusal() *ast.Refusal {
	start := p.start()
	r := &ast.Refusal{}
	if p.word("reject") && isWord(p.ahead(1).Type) && p.sameLine(1) && !p.firstOnLine(p.i) {
		d := p.soft(diag.UnexpectedToken, p.spanOf(p.tok()), "after `else` stands the code alone")
		d.Hint = "delete `reject`"
		if d.Code != "" {
			fix(d, true, "")
		}
		p.next()
	}
	switch k := p.k(); {
	case isWord(k) && !(p.firstOnLine(p.i) && (p.closesOpen() || p.assignAt(p.i) || p.plainStmtAt())):
		r.Code = p.name("a rejection code", useField)
	case k == tString || k == tRaw || k == tHead:
		p.soft(diag.MissingCode, p.here(), "missing rejection code before the message").
			Hint = `a code is a name: reject too_late "the message"`
	default:
		d := p.fail(diag.MissingCode, p.here(), "missing rejection code")
		d.Hint = "a code is a name, as in not_open"
		if k == tLBrace {
			d.Hint = "after else stands a code, not a block"
			p.skipBlock()
		}
		return nil
	}
	r.Message = p.message()
	r.At = p.from(start)
	if r.Code.Text == "" {
		return nil
	}
	return r
}

// message reads the string after a code, if there is one.
func (p *parser) message() ast.Expr {
	switch p.k() {
	case tString, tRaw, tHead:
		return p.stringLit()
	}
	return nil
}

// skipBlock skips { … }.
func (p *parser) skipBlock() {
	depth := 0
	for p.k() != tEOF && !p.declAt(p.i) {
		k := p.k()
		p.next()
		if k == tLBrace {
			depth++
		} else if k == tRBrace {
			if depth--; depth <= 0 {
				return
			}
		}
	}
}
