package parser

import (
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/cloudlysis/aggregate/dsl/diag"
)

// declAt tells whether a declaration begins at token i: its word is the first of its line and
// what follows on that line fits. Since the words are contextual, this is what tells a missing
// bracket or operand from a name.
func (p *parser) declAt(i int) bool {
	t := &p.toks[i]
	if t.Type != tIdent || !p.firstOnLine(i) || i+1 >= len(p.toks) {
		return false
	}
	n := &p.toks[i+1]
	if n.Pos.Line != t.Pos.Line {
		return false
	}
	switch t.Value {
	case "const": // `const x = 1` in a rule is meant as a let
		return isWord(n.Type) && !p.isOperatorWord(n.Type) && p.tokenAt(i+2).Type != tAssign
	case "command", "event", "decide", "apply", "index", "roles", "derive", "invariant", "fn", "guard", "upcast":
		return isWord(n.Type) && !p.isOperatorWord(n.Type)
	case "aggregate", "enum", "record":
		return n.Type == tTypeName || n.Type == tIdent && p.tokenAt(i+2).Type == tLBrace
	case "state":
		return n.Type == tLBrace
	case "snapshot":
		return n.Type == tIdent && n.Value == "every"
	case "ordered":
		return n.Type == tIdent && n.Value == "enum"
	case "gas":
		return n.Type == tInt
	case "final":
		return n.Type == tIdent && n.Value == "when"
	case "test":
		return n.Type == tString || n.Type == tRaw || n.Type == tHead
	case "import":
		return n.Type == tString || n.Type == tRaw
	}
	return false
}

// surelyDeclAt is declAt for places where any two words may stand on a line, the members of an
// enum: it asks for a third token that is none.
func (p *parser) surelyDeclAt(i int) bool {
	if !p.declAt(i) {
		return false
	}
	third := p.tokenAt(i + 2)
	switch p.toks[i].Value {
	case "command", "event", "decide", "apply":
		return third.Type == tLBrace || third.Type == tAt || third.Type == tIdent && (third.Value == "creates" || third.Value == "by") && p.tokenAt(i+3).Type == tLBrace
	case "const", "derive", "invariant":
		return third.Type == tColon
	case "fn", "guard":
		return third.Type == tLParen
	case "upcast":
		return third.Type == tAt || third.Type == tArrow
	case "snapshot":
		return third.Type == tInt
	case "enum", "record", "aggregate", "ordered":
		return third.Type == tLBrace || third.Type == tTypeName
	case "index", "roles", "final":
		return !p.membersAt(i)
	}
	return true
}

// membersAt tells whether nothing but members of an enum stands between token i and the next },
// so that `index closed` are two of them and no declaration.
func (p *parser) membersAt(i int) bool {
	if p.membersFrom <= i && i < p.membersTo { // looked at already: the answer is that of the run
		return p.membersOK
	}
	end := i
	for memberToken(p.toks[end].Type) {
		next := p.stringEnd(end) // the text of a member is plain: its braces are no interpolation
		if next < 0 {
			break
		}
		end = next
	}
	p.membersFrom, p.membersTo, p.membersOK = i, end, p.toks[end].Type == tRBrace
	return p.membersOK
}

func memberToken(k kind) bool {
	switch k {
	case tComma, tAssign, tString, tHead, tRaw, tBlank:
		return true
	}
	return isWord(k)
}

// isOperatorWord tells whether a reserved word goes on with an expression, as in `index in xs`.
func (p *parser) isOperatorWord(k kind) bool {
	switch k {
	case kwAnd, kwOr, kwImplies, kwIn, kwIs, kwThen, kwElse, kwFor, kwWhere, kwIf, kwNot:
		return true
	}
	return false
}

func (p *parser) tokenAt(i int) *lexer.Token { return &p.toks[min(i, len(p.toks)-1)] }

// topDeclAt tells whether what begins at i can stand at top level only.
func (p *parser) topDeclAt(i int) bool {
	if !p.declAt(i) {
		return false
	}
	switch p.toks[i].Value {
	case "aggregate", "test", "import":
		return true
	}
	return false
}

// stmtAt tells whether a statement surely begins at token i, which is the first of its line.
func (p *parser) stmtAt(i int) bool {
	t, n := &p.toks[i], p.tokenAt(i+1)
	if !p.firstOnLine(i) {
		return false
	}
	if t.Type == kwFor {
		return true
	}
	if t.Type != tIdent || n.Pos.Line != t.Pos.Line {
		return false
	}
	switch t.Value {
	case "let", "var", "emit", "reject", "remove":
		return isWord(n.Type) && !p.isOperatorWord(n.Type)
	case "require", "return", "match":
		return isWord(n.Type) && (n.Type == kwNot || !p.isOperatorWord(n.Type)) || n.Type == tInt || n.Type == tString || n.Type == tHead
	case "check":
		return n.Type == tIdent && p.tokenAt(i+2).Type == tLParen
	}
	return false
}

// assignAt tells whether an assignment to a path begins at token i, the first of its line.
func (p *parser) assignAt(i int) bool {
	if p.toks[i].Type != tIdent || !p.firstOnLine(i) {
		return false
	}
	line, depth := p.toks[i].Pos.Line, 0
	for i++; i < len(p.toks) && p.toks[i].Pos.Line == line; i++ {
		switch k := p.toks[i].Type; {
		case k == tLBrack:
			depth++
		case k == tRBrack:
			depth--
		case depth > 0:
		case k == tDot:
			i++ // and the field's name
		default:
			return isAssignOp(k)
		}
	}
	return false
}

// closesOpen tells whether what begins at the current token ends every open bracket.
func (p *parser) closesOpen() bool {
	return p.k() == tEOF || p.declAt(p.i) || p.stmtAt(p.i)
}

// syncDecl skips to the next declaration, or inside an aggregate to its }.
func (p *parser) syncDecl(inside bool) {
	depth := 0
	for p.k() != tEOF && !p.declAt(p.i) {
		switch p.k() {
		case tLBrace:
			depth++
		case tRBrace:
			if depth == 0 && inside {
				return
			}
			depth = max(0, depth-1)
		}
		p.next()
	}
	p.errAt = -1
}

// syncStmt skips to the next statement of the same block or to the block's }. A statement inside
// braces that are skipped belongs to what is skipped; one inside ( or [ closes them.
func (p *parser) syncStmt() {
	var open []kind
	for p.k() != tEOF && !p.declAt(p.i) {
		n := len(open)
		if n == 0 && p.resumeAt() || n > 0 && open[n-1] != tLBrace && p.stmtAt(p.i) {
			p.errAt = -1
			return
		}
		switch p.k() {
		case tLBrace, tLParen, tLBrack:
			open = append(open, p.k())
		case tRParen, tRBrack:
			if n > 0 && open[n-1] != tLBrace {
				open = open[:n-1]
			}
		case tRBrace:
			for n > 0 && open[n-1] != tLBrace {
				n--
			}
			if n == 0 {
				return
			}
			open = open[:n-1]
		}
		p.next()
	}
}

// resumeAt tells whether the first token of this line looks like the begin of a statement: a word
// that does not go on with what the line before left open.
func (p *parser) resumeAt() bool {
	if !p.firstOnLine(p.i) {
		return false
	}
	switch p.k() {
	case kwIf, kwFor:
		return true
	case tIdent:
	default:
		return false
	}
	if isStatementWord(p.tok().Value) || p.i == 0 {
		return true
	}
	l, _ := operator(p.toks[p.i-1].Type)
	return l == levelNone && p.toks[p.i-1].Type != tComma && p.toks[p.i-1].Type != tAssign
}

// plainStmtAt tells whether the first word of this line begins a statement whatever follows.
func (p *parser) plainStmtAt() bool {
	return p.firstOnLine(p.i) && (p.k() == kwIf || p.k() == tIdent && isStatementWord(p.tok().Value))
}

// syncItem skips to the next `name:` of a list in braces, to its } or past a comma.
func (p *parser) syncItem() {
	depth := 0
	for p.k() != tEOF && !p.declAt(p.i) && !p.stmtAt(p.i) {
		if depth == 0 && p.firstOnLine(p.i) && isWord(p.k()) && p.ahead(1).Type == tColon {
			return
		}
		switch p.k() {
		case tLBrace, tLParen, tLBrack:
			depth++
		case tComma:
			if depth == 0 {
				return
			}
		case tRParen, tRBrack:
			depth = max(0, depth-1)
		case tRBrace:
			if depth == 0 {
				return
			}
			depth--
		}
		p.next()
	}
}

// skipTo skips to a token of kind k on this line, if there is one.
func (p *parser) skipTo(k kind) bool {
	line := p.tok().Pos.Line
	for i := p.i; i < len(p.toks) && p.toks[i].Pos.Line == line; i++ {
		if p.toks[i].Type == k {
			p.moveTo(i)
			return true
		}
	}
	return false
}

// openBrace takes the { that begins a body, or reports it; false if there is no body.
func (p *parser) openBrace(what string) (diag.Span, bool) {
	open := p.spanOf(p.tok())
	if p.take(tLBrace) {
		return open, true
	}
	d := p.fail(diag.MissingBraces, p.here(), "missing braces after "+what)
	d.Hint = "braces are written even when they are empty: {}"
	if d.Code != "" && (p.firstOnLine(p.i) || p.k() == tRBrace || p.k() == tEOF) {
		d.Fixes = append(d.Fixes, diag.Fix{Title: "insert {}", Safe: true, Edits: []diag.Edit{{Span: d.Span, New: " {}"}}})
	}
	if !p.declAt(p.i) && p.k() != tEOF && !p.firstOnLine(p.i) && p.skipTo(tLBrace) {
		open = p.spanOf(p.tok())
		p.next()
		return open, true
	}
	return open, false
}
