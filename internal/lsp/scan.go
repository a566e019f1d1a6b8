package lsp

import "strings"

// scanner walks half-typed text up to the cursor and keeps what is open there. It knows just
// enough of the lexer to be right about quotes, comments and braces.
type scanner struct {
	text    string
	open    []opening
	begin   int // where the current segment begins: after the last brace or line end
	comment bool
	quoted  bool
}

// opening is an open bracket, or the quote around an interpolation.
type opening struct {
	char byte
	head string // of a brace: what stands before it in its segment
}

// scanTo scans text up to off.
func scanTo(text string, off int) *scanner {
	s := &scanner{text: text[:off]}
	for i := 0; i < len(s.text); {
		i = s.step(i)
	}
	return s
}

// step takes one character, comment or piece of a string and gives where the next begins.
func (s *scanner) step(i int) int {
	switch c := s.text[i]; c {
	case '/':
		if strings.HasPrefix(s.text[i:], "//") {
			return s.skip(i, "\n", &s.comment)
		}
	case '`':
		return s.skip(i+1, "`\n", &s.quoted)
	case '"':
		return s.str(i + 1)
	case '\n':
		s.begin = i + 1
	case '{', '(', '[':
		s.open = append(s.open, opening{c, strings.TrimSpace(s.text[s.begin:i])})
		if c == '{' {
			s.begin = i + 1
		}
	case ')', ']':
		s.close(c)
	case '}':
		if n := len(s.open); n > 0 && s.open[n-1].char == '"' {
			s.open = s.open[:n-1]
			return s.str(i + 1)
		}
		s.close(c)
		s.begin = i + 1
	}
	return i + 1
}

// skip goes on behind the next of the ends; at the end of the text it sets inside.
func (s *scanner) skip(i int, ends string, inside *bool) int {
	n := strings.IndexAny(s.text[i:], ends)
	if n < 0 {
		*inside = true
		return len(s.text)
	}
	if s.text[i+n] == '\n' {
		return i + n // step begins the line
	}
	return i + n + 1
}

// str goes on behind the quote that ends a string, or into its next interpolation.
func (s *scanner) str(i int) int {
	for ; i < len(s.text); i++ {
		switch s.text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		case '\n':
			return i
		case '{':
			s.open = append(s.open, opening{char: '"'})
			return i + 1
		}
	}
	s.quoted = true
	return i
}

var openers = map[byte]byte{')': '(', ']': '[', '}': '{'}

// close drops the nearest bracket that c closes and those that were left open in it.
func (s *scanner) close(c byte) {
	for i := len(s.open) - 1; i >= 0; i-- {
		if s.open[i].char == openers[c] {
			s.open = s.open[:i]
			return
		}
		if s.open[i].char == '{' && c != '}' {
			return
		}
	}
}

// area is what the innermost open brace holds.
type area uint8

const (
	areaTop    area = iota
	areaMember      // of an aggregate
	areaBlock       // of a rule
	areaArms        // of a match
	areaFields
	areaSteps // of a test
	areaItems // of emit, given, when, then and record literals
	areaOther
)

// area tells where the cursor is, and the rule around it: decide, apply, guard, fn or "".
func (s *scanner) area() (where area, rule string) {
	n := len(s.open)
	if n == 0 {
		return areaTop, ""
	}
	o := s.open[n-1]
	if o.char != '{' {
		return areaOther, ""
	}
	where = areaOf(o.head, n-1)
	if where == areaBlock || where == areaArms {
		rule = s.rule(n - 1)
	}
	return where, rule
}

// rule is the rule that holds brace i.
func (s *scanner) rule(i int) string {
	for ; i >= 0; i-- {
		switch w := firstWord(s.open[i].head); w {
		case "decide", "apply", "guard", "fn":
			return w
		}
	}
	return ""
}

func areaOf(head string, depth int) area {
	if head == "state" {
		return areaFields
	}
	if strings.HasSuffix(head, "=>") {
		return areaBlock
	}
	switch firstWord(head) {
	case "aggregate":
		return areaMember
	case "decide", "apply", "guard", "fn", "if", "else", "for":
		return areaBlock
	case "match":
		return areaArms
	case "record", "command", "event":
		return areaFields
	case "test", "repeat":
		return areaSteps
	case "emit", "given", "when", "then", "upcast", "as":
		return areaItems
	case "":
		if depth == 0 {
			return areaSteps // a test whose brace has a line of its own
		}
	}
	return areaOther
}

func firstWord(s string) string {
	for i := range len(s) {
		if !isWordByte(s[i]) {
			return s[:i]
		}
	}
	return s
}

func isWordByte(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// wordAt is the stretch of the name around off.
func wordAt(text string, off int) (from, to int) {
	from, to = off, off
	for from > 0 && isWordByte(text[from-1]) {
		from--
	}
	for to < len(text) && isWordByte(text[to]) {
		to++
	}
	return from, to
}
