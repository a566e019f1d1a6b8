package parser

import (
	"fmt"
	"strings"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
)

// use says what a name is for, which decides which words it may be.
type use uint8

const (
	useField use = iota // fields, enum members, codes, roles, invariants, derives: any word that is not reserved
	useEvent            // events and commands: not the roots
	useValue            // let, var, parameters, loop variables, const, fn: neither roots nor statement words
)

func isRoot(word string) bool {
	switch word {
	case "state", "cmd", "event", "ctx", "old":
		return true
	}
	return false
}

func isStatementWord(word string) bool {
	switch word {
	case "let", "var", "return", "require", "reject", "emit", "match", "remove", "nothing", "check":
		return true
	}
	return false
}

// name reads the name of what ("an event", "a field"); a missing one has an empty Text.
func (p *parser) name(what string, u use) ast.Name {
	t := p.tok()
	switch {
	case t.Type == tIdent:
		p.next()
		return p.checkName(p.nameOf(t), what, u)
	case t.Type == tTypeName:
		p.next()
		return p.wantSmall(p.nameOf(t), what)
	case t.Type == tBadWord: // reported by the lexer
		p.next()
		return p.nameOf(t)
	case isReserved(t.Type) && !p.firstOnLine(p.i):
		p.next()
		n := p.nameOf(t)
		p.soft(diag.ReservedName, n.Span, fmt.Sprintf("`%s` is a reserved word and cannot name %s", t.Value, what)).
			Hint = fmt.Sprintf("pick another name, such as %s_", t.Value)
		return n
	}
	d := p.fail(diag.MissingName, p.here(), fmt.Sprintf("missing name of %s", what))
	if !p.firstOnLine(p.i) && t.Type != tEOF {
		d.Hint = fmt.Sprintf("a name begins with a small letter; found %s", describe(t))
	}
	return ast.Name{At: ast.At{Span: p.here()}}
}

// headName is the name that a production has captured, or reads it by hand where it failed.
func (p *parser) headName(t *lexer.Token, what string, u use) ast.Name {
	if t.Type == 0 {
		return p.name(what, u)
	}
	return p.checkName(p.nameOf(t), what, u)
}

func (p *parser) checkName(n ast.Name, what string, u use) ast.Name {
	if u >= useEvent && isRoot(n.Text) {
		p.soft(diag.RootName, n.Span, fmt.Sprintf("`%s` is a name that every rule is born with and cannot name %s", n.Text, what)).
			Hint = "pick another name"
	}
	if u >= useValue && isStatementWord(n.Text) {
		p.soft(diag.StatementName, n.Span, fmt.Sprintf("`%s` begins a statement and cannot name %s", n.Text, what)).
			Hint = "pick another name"
	}
	return n
}

func (p *parser) wantSmall(n ast.Name, what string) ast.Name {
	small := strings.ToLower(n.Text[:1]) + n.Text[1:]
	d := p.soft(diag.WantSmall, n.Span, fmt.Sprintf("the name of %s begins with a small letter", what))
	if keyword(small) == tIdent {
		d.Hint = "write " + small
		if d.Code != "" {
			fix(d, false, small)
		}
	}
	return n
}

// typeName reads the name of a type that what declares.
func (p *parser) typeName(what string) ast.Name {
	t := p.tok()
	switch {
	case t.Type == tTypeName:
		p.next()
	case t.Type == tBadWord:
		p.next()
	case t.Type == tIdent && !p.firstOnLine(p.i):
		p.next()
		n := p.nameOf(t)
		big := strings.ToUpper(n.Text[:1]) + n.Text[1:]
		d := p.soft(diag.WantCapital, n.Span, fmt.Sprintf("the name of %s begins with a capital", what))
		d.Hint = "write " + big
		if d.Code != "" {
			fix(d, false, big)
		}
		return n
	case isReserved(t.Type) && !p.firstOnLine(p.i):
		return p.name(what, useField)
	default:
		p.fail(diag.MissingName, p.here(), fmt.Sprintf("missing name of %s", what))
		return ast.Name{At: ast.At{Span: p.here()}}
	}
	return p.nameOf(t)
}

// headTypeName is typeName for what a production has captured.
func (p *parser) headTypeName(t *lexer.Token, what string) ast.Name {
	if t.Type == 0 {
		return p.typeName(what)
	}
	return p.nameOf(t)
}

// nameList reads `a, b, c`; a trailing comma would swallow the next declaration's word, so there
// is none.
func (p *parser) nameList(what string, u use) []ast.Name {
	names := []ast.Name{p.name(what, u)}
	for p.k() == tComma {
		comma := p.spanOf(p.tok())
		p.next()
		if p.declAt(p.i) || !isWord(p.k()) {
			p.soft(diag.StrayComma, comma, "no comma here: the list ends").Hint = "delete it"
			break
		}
		names = append(names, p.name(what, u))
	}
	return names
}
