package parser

import (
	"fmt"
	"unicode/utf8"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
)

// Limits of a source file.
const (
	maxFile    = 1 << 20 // bytes
	maxNesting = 100     // open brackets of all kinds, interpolations included
)

// scanner cuts a file into tokens. Comments go to a side list; errors too, since the parser drops
// those that lie in a string which turns out to be plain text (a pattern of matches).
type scanner struct {
	file *diag.File
	src  string
	pos  int
	line int
	last kind // of the previous token

	// brackets holds the open brackets; '"' stands for the { of an interpolation.
	brackets []byte
	inText   int  // how many '"' are in brackets
	textAt   int  // where the outermost string with an open interpolation begins
	stop     bool // an error after which nothing is read

	// count is how many tokens there are so far; dropped lists the tokens before which something
	// was reported and left out, so that the parser does not complain about the gap again.
	count   int
	dropped []int

	comments []*ast.Comment
	errs     []*diag.Diagnostic
	ownLine  bool // nothing but white space so far on this line
}

func newScanner(f *diag.File) *scanner {
	s := &scanner{file: f, src: string(f.Src), line: 1, ownLine: true, brackets: make([]byte, 0, 16)}
	if len(s.src) >= 3 && s.src[:3] == "\ufeff" {
		s.pos = 3
	}
	return s
}

// Next gives the next token; it never fails, the end is a token of kind EOF.
func (s *scanner) Next() (lexer.Token, error) {
	for {
		s.space()
		if s.pos >= len(s.src) || s.stop {
			if s.inText > 0 && !s.stop {
				s.unclosedHole(len(s.src))
			}
			s.count++
			return lexer.Token{Type: tEOF, Pos: s.at(len(s.src))}, nil
		}
		start := s.pos
		k := s.scan()
		if k == 0 { // nothing that the parser should see
			s.dropped = append(s.dropped, s.count)
			continue
		}
		s.ownLine = false
		s.last = k
		s.count++
		return lexer.Token{Type: k, Value: s.src[start:s.pos], Pos: s.at(start)}, nil
	}
}

func (s *scanner) at(off int) lexer.Position {
	return lexer.Position{Offset: off, Line: s.line}
}

func (s *scanner) space() {
	for s.pos < len(s.src) {
		switch s.src[s.pos] {
		case '\n':
			s.newline()
		case ' ', '\t', '\r':
		case '/':
			if !s.comment() {
				return
			}
			continue
		default:
			return
		}
		s.pos++
	}
}

// newline counts a line; an interpolation cannot go on past it.
func (s *scanner) newline() {
	s.line++
	s.ownLine = true
	if s.inText == 0 {
		return
	}
	s.unclosedHole(s.pos)
}

// unclosedHole reports an interpolation that is still open where its line ends and forgets it.
func (s *scanner) unclosedHole(end int) {
	s.report(diag.BadInterpolation, s.textAt, end, "a { in the string is not closed on its line").
		Hint = "write \\{ for a brace, or use back quotes for text without interpolation"
	for s.inText > 0 {
		n := len(s.brackets) - 1
		if s.brackets[n] == '"' {
			s.inText--
		}
		s.brackets = s.brackets[:n]
	}
}

// comment skips a comment, if one is here.
func (s *scanner) comment() bool {
	if s.pos+1 >= len(s.src) {
		return false
	}
	start := s.pos
	switch s.src[s.pos+1] {
	case '/':
		for s.pos < len(s.src) && s.src[s.pos] != '\n' {
			s.pos++
		}
		end := s.pos
		for end > start && (s.src[end-1] == '\r' || s.src[end-1] == ' ' || s.src[end-1] == '\t') {
			end--
		}
		s.checkText(start, end)
		s.comments = append(s.comments, &ast.Comment{
			At: ast.At{Span: s.span(start, end)}, Text: s.src[start:end], OwnLine: s.ownLine,
		})
		return true
	case '*':
		s.blockComment()
		return true
	}
	return false
}

func (s *scanner) blockComment() {
	start := s.pos
	s.pos += 2
	for s.pos < len(s.src) {
		if s.src[s.pos] == '*' && s.pos+1 < len(s.src) && s.src[s.pos+1] == '/' {
			s.pos += 2
			break
		}
		if s.src[s.pos] == '\n' {
			s.newline()
		}
		s.pos++
	}
	s.report(diag.BlockComment, start, start+2, "there are no /* */ comments").
		Hint = "begin every line of the comment with //"
}

// scan reads one token at pos and moves behind it; 0 means that nothing is to be emitted.
func (s *scanner) scan() kind {
	c := s.src[s.pos]
	switch {
	case 'a' <= c && c <= 'z':
		start := s.pos
		s.word()
		return keyword(s.src[start:s.pos])
	case 'A' <= c && c <= 'Z':
		s.word()
		return tTypeName
	case '0' <= c && c <= '9':
		return s.number()
	case c == '_':
		return s.underscore()
	case c == '"':
		return s.text(tString, tHead)
	case c == '\'':
		return s.singleQuotes()
	case c == '`':
		return s.rawText()
	case c >= utf8.RuneSelf || c < ' ' || c == 0x7f:
		return s.badRune()
	}
	return s.punctuation(c)
}

func (s *scanner) word() {
	for s.pos < len(s.src) && isWordByte(s.src[s.pos]) {
		s.pos++
	}
}

func isWordByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_'
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func (s *scanner) underscore() kind {
	start := s.pos
	s.word()
	if s.pos == start+1 {
		return tBlank
	}
	s.report(diag.UnderscoreName, start, s.pos, fmt.Sprintf("a name cannot begin with _: %q", s.src[start:s.pos])).
		Hint = "begin it with a letter; _ alone stands for an unused variable"
	return tBadWord
}

// badRune reports a run of characters that no token begins with and skips it.
func (s *scanner) badRune() kind {
	start := s.pos
	r, n := utf8.DecodeRuneInString(s.src[s.pos:])
	if r == utf8.RuneError && n <= 1 {
		for s.pos < len(s.src) {
			if r, n = utf8.DecodeRuneInString(s.src[s.pos:]); r != utf8.RuneError || n > 1 {
				break
			}
			s.pos++
		}
		s.report(diag.InvalidUTF8, start, s.pos, "this is not UTF-8")
		return 0
	}
	s.pos += n
	if isBidi(r) {
		s.report(diag.BidiCharacter, start, s.pos, fmt.Sprintf("the invisible character U+%04X changes the direction of text", r)).
			Hint = "delete it"
		return 0
	}
	for s.pos < len(s.src) { // one error for a whole word
		r, n := utf8.DecodeRuneInString(s.src[s.pos:])
		if (r < utf8.RuneSelf && !isWordByte(byte(r))) || r == utf8.RuneError || isBidi(r) {
			break
		}
		s.pos += n
	}
	d := s.report(diag.BadCharacter, start, s.pos, fmt.Sprintf("unexpected character %q", r))
	if isQuote(r) {
		d.Hint = `strings stand in "straight quotes"`
	} else {
		d.Hint = "names are made of a-z, A-Z, 0-9 and _; anything else belongs into a string or a comment"
	}
	return 0
}

func isQuote(r rune) bool {
	return r == '“' || r == '”' || r == '„' || r == '‘' || r == '’' || r == '«' || r == '»'
}

func isBidi(r rune) bool {
	return r == 0x061c || r == 0x200e || r == 0x200f || 0x202a <= r && r <= 0x202e || 0x2066 <= r && r <= 0x2069
}

// checkText looks for what may stand nowhere, not even in strings and comments.
func (s *scanner) checkText(start, end int) {
	for i := start; i < end; {
		if s.src[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s.src[i:end])
		switch {
		case r == utf8.RuneError && n <= 1:
			s.report(diag.InvalidUTF8, i, i+1, "this is not UTF-8")
			return
		case isBidi(r):
			s.report(diag.BidiCharacter, i, i+n, fmt.Sprintf("the invisible character U+%04X changes the direction of text", r)).
				Hint = fmt.Sprintf("delete it, or write \\u{%x} in a string", r)
		}
		i += n
	}
}

func (s *scanner) span(start, end int) diag.Span {
	return diag.Span{File: s.file, Start: int32(start), End: int32(end)}
}

func (s *scanner) report(code diag.Code, start, end int, message string) *diag.Diagnostic {
	d := &diag.Diagnostic{Code: code, Severity: diag.Error, Span: s.span(start, end), Message: message}
	if len(s.errs) == maxErrors && !s.stop {
		s.stop = true
		s.errs = append(s.errs, &diag.Diagnostic{
			Code: diag.TooManyErrors, Span: d.Span,
			Message: fmt.Sprintf("more than %d errors; the rest of the file is skipped", maxErrors),
		})
	}
	if len(s.errs) <= maxErrors {
		s.errs = append(s.errs, d)
	}
	return d
}

// fix adds the mend of replacing the reported text by text.
func fix(d *diag.Diagnostic, safe bool, text string) {
	title := "write " + text
	if text == "" {
		title = "delete it"
	}
	d.Fixes = append(d.Fixes, diag.Fix{Title: title, Safe: safe, Edits: []diag.Edit{{Span: d.Span, New: text}}})
}
