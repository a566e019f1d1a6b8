package parser

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
)

const (
	// maxDepth bounds what nests without brackets: `not not …`, `else if …`, `a + b + …`.
	maxDepth = 1000
	// maxErrors is where a file that is no manifest at all stops being reported.
	maxErrors = 500
)

// parser walks the tokens of one file. The tokens belong to one PeekingLexer: the productions of
// heads.go read it, everything else reads the same tokens by index.
type parser struct {
	file  *diag.File
	src   string
	bag   *diag.Bag
	heads *heads
	l     *lexer.PeekingLexer
	toks  []lexer.Token
	i     int
	end   int32 // where the previous token ends

	comments []*ast.Comment
	comment  int         // the first comment that may document what comes next
	plain    []diag.Span // strings in constant places: the lexer's errors in them do not count
	dropped  []int

	errAt   int // the token at which the last error was met: one error a token
	dead    bool
	errors  int
	depth   int
	blankOK bool // `_` is a value here: `then emit`

	// what membersAt has found for the tokens from membersFrom to before membersTo
	membersFrom, membersTo int
	membersOK              bool
	inCond                 bool // `=` was meant to be `==`
}

// ParseFile parses f. It reports all syntax errors to bag and always gives a tree, with Bad nodes
// where the text could not be understood.
func ParseFile(f *diag.File, bag *diag.Bag) *ast.File {
	out := &ast.File{Source: f}
	if len(f.Src) > maxFile {
		at := diag.Span{File: f}
		bag.Report(diag.FileTooLarge, at, fmt.Sprintf("the file has %d bytes, more than %d", len(f.Src), maxFile)).
			Hint = "split it and import the parts"
		out.Decls = []ast.Decl{&ast.BadDecl{At: ast.At{Span: at}}}
		return out
	}
	s := newScanner(f)
	l, err := lexer.Upgrade(s)
	if err != nil { // our scanner has no errors to give
		out.Decls = []ast.Decl{&ast.BadDecl{At: ast.At{Span: diag.Span{File: f}}}}
		return out
	}
	out.Comments = s.comments
	p := &parser{
		file: f, src: s.src, bag: bag, heads: productions(), l: l,
		toks: l.Range(0, lexer.RawCursor(s.count)), comments: s.comments, dropped: s.dropped, errAt: -1,
	}
	if s.stop {
		out.Decls = []ast.Decl{&ast.BadDecl{At: ast.At{Span: s.span(0, len(s.src))}}}
	} else {
		p.topLevel(out)
	}
	p.addLexerErrors(s.errs)
	return out
}

// Lex only cuts f into tokens and counts them: what of the time of ParseFile is the lexer's.
func Lex(f *diag.File) int {
	s := newScanner(f)
	for {
		if t, _ := s.Next(); t.Type == tEOF {
			return s.count
		}
	}
}

// addLexerErrors reports what the lexer found, but for strings that turned out to be plain text.
func (p *parser) addLexerErrors(errs []*diag.Diagnostic) {
	var open diag.Span // a text that does not end on its line: what it holds was read as code
	for _, d := range slices.Backward(errs) {
		if d.Code == diag.BadInterpolation {
			open = d.Span
		} else if d.Code == diag.BadCharacter && open.Start < d.Span.Start && d.Span.End <= open.End {
			continue
		}
		if !slices.ContainsFunc(p.plain, func(s diag.Span) bool {
			return s.Start < d.Span.Start && d.Span.End < s.End && d.Code != diag.BidiCharacter && d.Code != diag.InvalidUTF8
		}) {
			p.bag.Add(d)
		}
	}
}

// tok is the current token.
func (p *parser) tok() *lexer.Token { return &p.toks[p.i] }

// k is the kind of the current token.
func (p *parser) k() kind { return p.toks[p.i].Type }

// ahead is the token n after the current one, or the end of the file.
func (p *parser) ahead(n int) *lexer.Token { return &p.toks[min(p.i+n, len(p.toks)-1)] }

// next takes the current token.
func (p *parser) next() *lexer.Token {
	t := &p.toks[p.i]
	if t.Type != tEOF {
		p.i++
		p.end = int32(t.Pos.Offset + len(t.Value))
	}
	return t
}

// take takes the current token if it is of kind k.
func (p *parser) take(k kind) bool {
	if p.toks[p.i].Type != k {
		return false
	}
	p.next()
	return true
}

// word tells whether the current token is the contextual word w.
func (p *parser) word(w string) bool {
	t := &p.toks[p.i]
	return t.Type == tIdent && t.Value == w
}

// firstOnLine tells whether token i is the first of its line.
func (p *parser) firstOnLine(i int) bool {
	return i == 0 || p.toks[i].Pos.Line != p.toks[i-1].Pos.Line
}

// sameLine tells whether the token n ahead stands on the line of the current one.
func (p *parser) sameLine(n int) bool { return p.ahead(n).Pos.Line == p.tok().Pos.Line }

// start is the offset of the current token.
func (p *parser) start() int32 { return int32(p.toks[p.i].Pos.Offset) }

// from is the place from start to the end of the previous token.
func (p *parser) from(start int32) ast.At {
	return ast.At{Span: diag.Span{File: p.file, Start: start, End: max(start, p.end)}}
}

func (p *parser) spanOf(t *lexer.Token) diag.Span {
	return diag.Span{File: p.file, Start: int32(t.Pos.Offset), End: int32(t.Pos.Offset + len(t.Value))}
}

func (p *parser) nameOf(t *lexer.Token) ast.Name {
	return ast.Name{At: ast.At{Span: p.spanOf(t)}, Text: t.Value}
}

// here is the place just behind the previous token, where something missing is reported.
func (p *parser) here() diag.Span { return diag.Span{File: p.file, Start: p.end, End: p.end} }

// fail reports an error at the current token, after which the text makes no sense until the next
// synchronisation. A second error at one token would be noise and is dropped.
func (p *parser) fail(code diag.Code, at diag.Span, message string) *diag.Diagnostic {
	_, gap := slices.BinarySearch(p.dropped, p.i)
	if p.dead || p.errAt == p.i || gap {
		p.errAt = p.i
		return &diag.Diagnostic{}
	}
	p.errAt = p.i
	return p.soft(code, at, message)
}

// soft reports an error that does not keep the parser from going on.
func (p *parser) soft(code diag.Code, at diag.Span, message string) *diag.Diagnostic {
	if p.dead {
		return &diag.Diagnostic{}
	}
	if p.errors++; p.errors > maxErrors {
		p.bag.Report(diag.TooManyErrors, at, fmt.Sprintf("more than %d errors; the rest of the file is skipped", maxErrors))
		p.die()
		return &diag.Diagnostic{}
	}
	return p.bag.Report(code, at, message)
}

// broken tells whether the last error is at the current token, so nothing has been read since.
func (p *parser) broken() bool { return p.errAt == p.i }

// die gives up: all callers find the end of the file and stay silent.
func (p *parser) die() {
	p.dead = true
	p.i = len(p.toks) - 1
}

// enter counts a level of nesting; false, and the rest of the file is skipped, if there are too many.
func (p *parser) enter() bool {
	if p.depth++; p.depth > maxDepth {
		p.tooDeep()
		return false
	}
	return true
}

func (p *parser) leave() { p.depth-- }

func (p *parser) tooDeep() {
	p.soft(diag.NestingTooDeep, p.spanOf(p.tok()), fmt.Sprintf("more than %d operators or branches in one chain", maxDepth)).
		Hint = "split it with let or a fn"
	p.die()
}

// describe names a token for a message.
func describe(t *lexer.Token) string {
	switch t.Type {
	case tEOF:
		return "the end of the file"
	case tString, tHead, tRaw:
		return "a string"
	case tMid, tTail:
		return "`}`"
	case tInt, tDec, tBadNum, tDur:
		return "the number " + t.Value
	}
	return "`" + t.Value + "`"
}

// unexpected reports that want should stand where the current token is.
func (p *parser) unexpected(want string) *diag.Diagnostic {
	t := p.tok()
	at := p.spanOf(t)
	if p.firstOnLine(p.i) || t.Type == tEOF {
		at = p.here()
	}
	return p.fail(diag.UnexpectedToken, at, fmt.Sprintf("expected %s, found %s", want, describe(t)))
}

// expect takes a token of kind k or reports that it is missing.
func (p *parser) expect(k kind, text string) bool {
	if p.take(k) {
		return true
	}
	d := p.unexpected("`" + text + "`")
	if d.Span.File != nil && d.Span.Start == d.Span.End {
		d.Hint = "insert `" + text + "` here"
	}
	return false
}

// closer takes the bracket that ends what began at open, or reports it at the end of the previous
// token.
func (p *parser) closer(k kind, text string, open diag.Span) {
	if p.take(k) {
		return
	}
	d := p.fail(diag.MissingCloser, p.here(), fmt.Sprintf("missing `%s`", text))
	if d.Code == "" {
		return
	}
	if p.k() != tEOF && !p.firstOnLine(p.i) {
		d.Hint = fmt.Sprintf("close it before %s", describe(p.tok()))
	}
	d.Related = append(d.Related, diag.Related{Span: open, Message: "opened here"})
	d.Fixes = append(d.Fixes, diag.Fix{Title: "insert " + text, Edits: []diag.Edit{{Span: d.Span, New: text}}})
}

// doc is the text of the /// comments between the previous token and the current one.
func (p *parser) doc() string {
	c := p.comments
	for p.comment < len(c) && c[p.comment].Span.Start < p.end {
		p.comment++
	}
	var lines []string
	for start := p.start(); p.comment < len(c) && c[p.comment].Span.Start < start; p.comment++ {
		text := c[p.comment].Text
		if strings.HasPrefix(text, "///") && !strings.HasPrefix(text, "////") && c[p.comment].OwnLine {
			lines = append(lines, strings.TrimPrefix(text[3:], " "))
		}
	}
	if len(lines) == 0 {
		return ""
	}
	return strings.Join(lines, "\n")
}
