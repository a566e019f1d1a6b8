package parser

import (
	"fmt"

	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
)

// topLevel reads imports and declarations up to the end of the file.
func (p *parser) topLevel(out *ast.File) {
	var last *ast.Aggregate // declarations after a } too many still belong to it
	strayed := false
	for p.k() != tEOF {
		before := p.i
		switch {
		case p.k() == tRBrace:
			if !strayed {
				p.fail(diag.UnexpectedToken, p.spanOf(p.tok()), "this } closes nothing").Hint = "delete it"
			}
			strayed = false
			p.next()
			continue
		case p.word("import") && p.ahead(1).Type != tColon:
			im := p.importDecl()
			if len(out.Decls) > 0 {
				p.soft(diag.MisplacedDeclaration, im.Span, "imports stand before everything else").
					Hint = "move it to the top of the file"
			}
			out.Imports = append(out.Imports, im)
			continue
		}
		inner := p.isInnerWord()
		if inner && !strayed {
			d := p.soft(diag.MisplacedDeclaration, p.spanOf(p.tok()), fmt.Sprintf("`%s` stands inside an aggregate", p.tok().Value))
			if last != nil {
				d.Hint = "is there a } too many before it?"
				strayed = true
			}
		}
		decl := p.decl(false)
		switch d := decl.(type) {
		case nil:
		case *ast.Aggregate:
			last, strayed = d, false
			out.Decls = append(out.Decls, d)
		default:
			if inner && last != nil {
				last.Decls = append(last.Decls, d)
			} else {
				out.Decls = append(out.Decls, d)
			}
		}
		if p.broken() || p.i == before {
			if p.i == before && p.k() != tEOF {
				p.next()
			}
			p.syncDecl(false)
		}
	}
}

// isInnerWord tells whether the current token begins what stands inside an aggregate only.
func (p *parser) isInnerWord() bool {
	if p.k() != tIdent {
		return false
	}
	switch p.tok().Value {
	case "roles", "state", "derive", "index", "snapshot", "gas", "final", "invariant", "guard",
		"command", "event", "upcast", "decide", "apply":
		return true
	}
	return false
}

func (p *parser) importDecl() *ast.Import {
	start := p.start()
	h, ok := head(p, p.heads.imports)
	im := &ast.Import{}
	if ok {
		im.PathSpan = p.spanOf(&h.Path)
		im.Path = p.unescaped(&h.Path)
	} else if s := p.constString("import", false); s != nil {
		im.PathSpan, im.Path = s.Span, s.Value
	}
	im.At = p.from(start)
	return im
}

// decl reads one declaration, at top level or inside an aggregate.
func (p *parser) decl(inside bool) ast.Decl {
	return p.declOf(p.doc(), p.start(), inside)
}

func (p *parser) declOf(doc string, start int32, inside bool) ast.Decl {
	if p.k() != tIdent {
		return p.unknownDecl(start, doc, inside)
	}
	switch p.tok().Value {
	case "aggregate":
		return p.aggregate(doc, start, inside)
	case "enum", "ordered":
		return p.enum(doc, start)
	case "record":
		return p.record(doc, start)
	case "roles":
		return p.roles(start)
	case "const":
		return p.constant(doc, start)
	case "state":
		return p.state(doc, start)
	case "derive":
		return p.derive(doc, start)
	case "index":
		return p.index(start)
	case "snapshot":
		return p.snapshot(start)
	case "gas":
		return p.gas(start)
	case "final":
		return p.final(start)
	case "invariant":
		return p.invariant(doc, start)
	case "fn", "guard":
		return p.callable(doc, start)
	case "command":
		return p.command(doc, start)
	case "event":
		return p.event(doc, start)
	case "upcast":
		return p.upcast(start)
	case "decide", "apply":
		return p.rule(doc, start)
	case "test":
		return p.test(doc, start, inside)
	}
	return p.unknownDecl(start, doc, inside)
}

// misspelt takes a word for the one that it was most likely meant to be, if the rest of its line
// fits that. So what it declares is not missed everywhere else.
func (p *parser) misspelt(ours string, fits func(i int) bool, code diag.Code, what string) bool {
	t := p.tok()
	if t.Type != tIdent || ours == "" {
		return false
	}
	word := *t
	if t.Value = ours; !fits(p.i) {
		*t = word
		return false
	}
	d := p.soft(code, p.spanOf(&word), fmt.Sprintf("%s begins no %s", describe(&word), what))
	d.Hint = fmt.Sprintf("did you mean `%s`?", ours)
	if hint := foreignDecl(word.Value); hint != "" {
		d.Hint = hint
	}
	if d.Code != "" {
		fix(d, true, ours)
	}
	return true
}

// unknownDecl reports a word that begins no declaration and skips to the next one.
func (p *parser) unknownDecl(start int32, doc string, inside bool) ast.Decl {
	t := p.tok()
	ours := sameDecl[t.Value]
	if ours == "" && foreignDecl(t.Value) == "" {
		ours = nearest(t.Value, declWords)
	}
	if p.misspelt(ours, p.declAt, diag.UnknownDeclaration, "declaration") {
		return p.declOf(doc, start, inside)
	}
	d := p.fail(diag.UnknownDeclaration, p.spanOf(t), fmt.Sprintf("%s begins no declaration", describe(t)))
	strayRange(d, t.Type)
	if hint := foreignDecl(t.Value); hint != "" {
		d.Hint = hint
	} else if near := nearest(t.Value, declWords); near != "" && t.Type == tIdent {
		d.Hint = fmt.Sprintf("did you mean `%s`?", near)
		if d.Code != "" {
			fix(d, false, near)
		}
	}
	p.next()
	p.syncUnknown()
	return &ast.BadDecl{At: p.from(start)}
}

// syncUnknown skips the rest of a declaration whose word is unknown: to the next declaration, but
// over a body in braces, whose inside means nothing to us.
func (p *parser) syncUnknown() {
	for p.k() != tEOF && p.k() != tRBrace && !p.declAt(p.i) {
		if p.k() != tLBrace {
			p.next()
			continue
		}
		depth := 0
		for p.k() != tEOF && !p.declAt(p.i) {
			k := p.k()
			p.next()
			if k == tLBrace {
				depth++
			}
			if k == tRBrace {
				if depth--; depth == 0 {
					return
				}
			}
		}
	}
}

func (p *parser) aggregate(doc string, start int32, inside bool) ast.Decl {
	if inside {
		p.soft(diag.MisplacedDeclaration, p.spanOf(p.tok()), "an aggregate cannot stand inside another").
			Hint = "is there a } missing before it?"
	}
	h, ok := head(p, p.heads.aggregate)
	a := &ast.Aggregate{Doc: doc, Name: p.headTypeName(&h.Name, "an aggregate")}
	open := diag.Span{File: p.file, Start: p.end - 1, End: p.end}
	if !ok {
		if open, ok = p.openBrace("the aggregate's name"); !ok {
			a.At = p.from(start)
			return a
		}
	}
	for p.k() != tRBrace && p.k() != tEOF && !p.topDeclAt(p.i) {
		before := p.i
		if p.k() == tComma {
			p.stray()
			continue
		}
		a.Decls = append(a.Decls, p.decl(true))
		if p.broken() || p.i == before {
			if p.i == before {
				p.next()
			}
			p.syncDecl(true)
		}
	}
	p.closer(tRBrace, "}", open)
	a.At = p.from(start)
	return a
}

// stray reports a comma where none may be and skips it.
func (p *parser) stray() {
	d := p.soft(diag.StrayComma, p.spanOf(p.tok()), "no comma here")
	d.Hint = "delete it"
	if d.Code != "" {
		fix(d, true, "")
	}
	p.next()
}

func (p *parser) enum(doc string, start int32) ast.Decl {
	h, ok := head(p, p.heads.enum)
	e := &ast.Enum{Doc: doc, Ordered: h.Ordered}
	if !ok && p.word("enum") { // the optional word before it was all that fitted
		p.next()
	}
	e.Name = p.headTypeName(&h.Name, "an enum")
	open := diag.Span{File: p.file, Start: p.end - 1, End: p.end}
	if !ok {
		open, ok = p.openBrace("the enum's name")
	}
	if ok {
		p.listUntil(p.surelyDeclAt, open, func() bool { return isWord(p.k()) }, "a member", func() {
			e.Members = append(e.Members, p.member())
		})
	}
	e.At = p.from(start)
	return e
}

func (p *parser) member() *ast.Member {
	m := &ast.Member{Doc: p.doc()}
	start := p.start()
	m.Name = p.name("an enum member", useField)
	if p.take(tAssign) {
		m.Wire = p.constString("=", false)
	}
	m.At = p.from(start)
	return m
}

// list reads what stands in braces, each begun by begins, with optional commas between. The { has
// been taken.
func (p *parser) list(open diag.Span, begins func() bool, what string, read func()) {
	p.listUntil(p.declAt, open, begins, what, read)
}

// listUntil is list with a closer of its own: where closes holds, a declaration begins.
func (p *parser) listUntil(closes func(int) bool, open diag.Span, begins func() bool, what string, read func()) {
	comma := true // a comma now would be a leading or a double one
	for p.k() != tRBrace && p.k() != tEOF && !closes(p.i) {
		before := p.i
		switch {
		case p.k() == tComma:
			if comma {
				p.stray()
				continue
			}
			comma = true
			p.next()
			continue
		case begins():
			comma = false
			read()
		default:
			if p.stmtAt(p.i) {
				p.closer(tRBrace, "}", open)
				return
			}
			p.unexpected(what + " or `}`")
		}
		if p.broken() || p.i == before {
			if p.i == before {
				p.next()
			}
			p.syncItem()
			comma = false
		}
	}
	p.closer(tRBrace, "}", open)
}

func (p *parser) record(doc string, start int32) ast.Decl {
	h, ok := head(p, p.heads.record)
	r := &ast.Record{Doc: doc, Name: p.headTypeName(&h.Name, "a record")}
	r.Fields = p.fields(ok, "the record's name", true)
	r.At = p.from(start)
	return r
}

func (p *parser) state(doc string, start int32) ast.Decl {
	_, ok := head(p, p.heads.state)
	s := &ast.State{Doc: doc}
	s.Fields = p.fields(ok, "state", false)
	s.At = p.from(start)
	return s
}

func (p *parser) roles(start int32) ast.Decl {
	h, ok := head(p, p.heads.roles)
	r := &ast.Roles{}
	for i := range h.Names {
		if h.Names[i].Type == tIdent {
			r.Names = append(r.Names, p.nameOf(&h.Names[i]))
		}
	}
	switch {
	case !ok:
		r.Names = p.nameList("a role", useField)
	case p.k() == tComma: // the production stops before a comma that no name follows
		r.Names = append(r.Names, p.moreNames("a role")...)
	case p.declAt(p.i - 1): // `roles a,` took the word of the next declaration for a name
		r.Names = r.Names[:len(r.Names)-1]
		p.moveTo(p.i - 1)
		p.soft(diag.StrayComma, p.here(), "no comma at the end of the roles").Hint = "delete it"
	}
	r.At = p.from(start)
	return r
}

// moreNames reads `, a, b` after the names that a production has read.
func (p *parser) moreNames(what string) []ast.Name {
	comma := p.spanOf(p.tok())
	p.next()
	if p.declAt(p.i) || !isWord(p.k()) {
		p.soft(diag.StrayComma, comma, "no comma here: the list ends").Hint = "delete it"
		return nil
	}
	return p.nameList(what, useField)
}

func (p *parser) constant(doc string, start int32) ast.Decl {
	h, ok := head(p, p.heads.constant)
	c := &ast.Const{Doc: doc, Name: p.headName(&h.Name, "a const", useValue)}
	if ok {
		c.Type = p.typeExpr()
	} else {
		c.Type = p.colonType("a const")
	}
	c.Value = p.valueAfter(tAssign, "=", "a const")
	c.At = p.from(start)
	return c
}

// valueAfter reads `= e` of what.
func (p *parser) valueAfter(k kind, text, what string) ast.Expr {
	if p.take(k) {
		return p.expr()
	}
	at := p.here()
	p.fail(diag.MissingValue, at, fmt.Sprintf("missing `%s` and the value of %s", text, what))
	return &ast.BadExpr{At: ast.At{Span: at}}
}

func (p *parser) derive(doc string, start int32) ast.Decl {
	h, ok := head(p, p.heads.derive)
	d := &ast.Derive{Doc: doc, Name: p.headName(&h.Name, "a derive", useField)}
	if ok {
		d.Type = p.typeExpr()
	} else {
		d.Type = p.colonType("a derive")
	}
	d.Value = p.valueAfter(tAssign, "=", "a derive")
	d.At = p.from(start)
	return d
}

func (p *parser) index(start int32) ast.Decl {
	h, ok := head(p, p.heads.index)
	x := &ast.Index{}
	for i := range h.Path {
		if h.Path[i].Type == tIdent {
			x.Path = append(x.Path, p.nameOf(&h.Path[i]))
		}
	}
	if !ok {
		x.Path = []ast.Name{p.name("what is indexed", useField)}
	}
	for p.take(tDot) {
		x.Path = append(x.Path, p.name("a field", useField))
	}
	x.At = p.from(start)
	return x
}

func (p *parser) snapshot(start int32) ast.Decl {
	h, ok := head(p, p.heads.snapshot)
	s := &ast.SnapshotEvery{}
	if ok {
		s.N = &ast.Num{At: ast.At{Span: p.spanOf(&h.N)}, Text: h.N.Value}
	} else {
		if !p.broken() && p.word("every") {
			p.next()
		}
		s.N = p.count("snapshot every 50")
	}
	s.At = p.from(start)
	return s
}

func (p *parser) gas(start int32) ast.Decl {
	h, ok := head(p, p.heads.gas)
	g := &ast.Gas{}
	if ok {
		g.N = &ast.Num{At: ast.At{Span: p.spanOf(&h.N)}, Text: h.N.Value}
	} else {
		g.N = p.count("gas 20_000")
	}
	g.At = p.from(start)
	return g
}

// count reads a whole number, or reports that one is missing; like shows a good one. A missing one
// is 1, so that the checker has nothing more to say.
func (p *parser) count(like string) *ast.Num {
	t := p.tok()
	if p.take(tInt) {
		return &ast.Num{At: ast.At{Span: p.spanOf(t)}, Text: t.Value}
	}
	at := p.here()
	if p.k() == tBadNum {
		p.next()
	} else {
		if !p.firstOnLine(p.i) && p.k() != tEOF {
			at = p.spanOf(t)
		}
		p.fail(diag.BadCount, at, "a whole number is due here").Hint = "write it like " + like
	}
	return &ast.Num{At: ast.At{Span: at}, Text: "1"}
}

func (p *parser) final(start int32) ast.Decl {
	_, ok := head(p, p.heads.final)
	f := &ast.Final{}
	if !ok {
		p.unexpected("`when`").Hint = "write final when condition"
	}
	f.Cond = p.cond()
	if p.take(kwElse) {
		f.Else = p.refusal()
	}
	f.At = p.from(start)
	return f
}

func (p *parser) invariant(doc string, start int32) ast.Decl {
	h, ok := head(p, p.heads.invariant)
	v := &ast.Invariant{Doc: doc, Name: p.headName(&h.Name, "an invariant", useField)}
	if !ok {
		p.expect(tColon, ":")
	}
	v.Cond = p.cond()
	v.At = p.from(start)
	return v
}
