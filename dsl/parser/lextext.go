package parser

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/cloudlysis/aggregate/dsl/diag"
)

// text reads a stretch of a "…" string that begins at pos with its quote or, after an
// interpolation, with a }. It ends at the quote (whole) or at the { of the next interpolation
// (part). Escapes are checked by the parser, which knows whether they mean anything here.
func (s *scanner) text(whole, part kind) kind {
	start := s.pos
	for s.pos++; s.pos < len(s.src); s.pos++ {
		switch s.src[s.pos] {
		case '"':
			s.pos++
			s.checkText(start, s.pos)
			return whole
		case '\\':
			if s.skipEscape() {
				continue
			}
			return s.unterminated(start, whole)
		case '\n':
			return s.unterminated(start, whole)
		case '{':
			if len(s.brackets) >= maxNesting {
				s.nestingError()
				return 0
			}
			s.brackets = append(s.brackets, '"')
			if s.inText == 0 {
				s.textAt = start
			}
			s.inText++
			s.pos++
			s.checkText(start, s.pos)
			return part
		}
	}
	return s.unterminated(start, whole)
}

// skipEscape moves to the last byte of an escape, so that the brace of \{ or \u{…} is none of an
// interpolation; false at the line's end.
func (s *scanner) skipEscape() bool {
	next := s.peek(1)
	if next == '\n' || next == '\r' || next == 0 && s.pos+1 >= len(s.src) {
		s.pos++
		return false
	}
	s.pos++
	if next != 'u' || s.peek(1) != '{' {
		return true
	}
	for i := 2; i <= 8; i++ {
		if s.peek(i) == '}' {
			s.pos += i
			return true
		}
	}
	return true
}

func (s *scanner) unterminated(start int, k kind) kind {
	// Brackets at the line's end were most likely meant to close something: leave them.
	end := s.pos
	for end > start+1 && strings.IndexByte(")]} \t\r,", s.src[end-1]) >= 0 {
		end--
	}
	s.pos = end
	s.checkText(start, s.pos)
	if s.inText > 0 {
		s.unclosedHole(s.pos)
		return k
	}
	s.report(diag.UnterminatedString, start, s.pos, "the string does not end on its line").Hint = `close it with "`
	return k
}

// rawText reads a string in back quotes.
func (s *scanner) rawText() kind {
	start := s.pos
	for s.pos++; s.pos < len(s.src) && s.src[s.pos] != '\n'; s.pos++ {
		if s.src[s.pos] == '`' {
			s.pos++
			s.checkText(start, s.pos)
			return tRaw
		}
	}
	s.checkText(start, s.pos)
	s.report(diag.UnterminatedString, start, s.pos, "the string does not end on its line").Hint = "close it with `"
	return tRaw
}

// singleQuotes reads 'text' as the string it was meant to be.
func (s *scanner) singleQuotes() kind {
	start := s.pos
	for s.pos++; s.pos < len(s.src) && s.src[s.pos] != '\n'; s.pos++ {
		if s.src[s.pos] != '\'' {
			continue
		}
		s.pos++
		d := s.report(diag.SingleQuotes, start, s.pos, "strings stand in double quotes")
		mended := `"` + s.src[start+1:s.pos-1] + `"`
		d.Hint = "write " + mended
		fix(d, !strings.ContainsAny(mended[1:len(mended)-1], `"\{}`), mended)
		return tRaw // as raw text: what stands in it was not written for our escapes
	}
	s.report(diag.SingleQuotes, start, start+1, "strings stand in double quotes").Hint = `write "…"`
	s.pos = start + 1
	return 0
}

// badEscape is a wrong escape: its place in the text and what is wrong.
type badEscape struct {
	start, end int
	message    string
}

// unescape resolves the escapes of the inside of a string and lists the wrong ones.
func unescape(text string) (string, []badEscape) {
	if strings.IndexByte(text, '\\') < 0 {
		return text, nil
	}
	var b strings.Builder
	var bad []badEscape
	for i := 0; i < len(text); {
		if text[i] != '\\' {
			b.WriteByte(text[i])
			i++
			continue
		}
		n, r, message := escape(text[i:])
		if message != "" {
			bad = append(bad, badEscape{i, i + n, message})
		} else {
			b.WriteRune(r)
		}
		i += n
	}
	return b.String(), bad
}

// escape reads the escape at the start of text: its length, what it stands for, what is wrong.
func escape(text string) (int, rune, string) {
	if len(text) < 2 {
		return 1, 0, `a \ begins an escape`
	}
	switch text[1] {
	case '"', '\\', '{', '}':
		return 2, rune(text[1]), ""
	case 'n':
		return 2, '\n', ""
	case 't':
		return 2, '\t', ""
	case 'r':
		return 2, '\r', ""
	case 'u':
		return unicodeEscape(text)
	}
	_, n := utf8.DecodeRuneInString(text[1:])
	return 1 + n, 0, fmt.Sprintf("unknown escape %s", text[:1+n])
}

func unicodeEscape(text string) (int, rune, string) {
	end := strings.IndexByte(text, '}')
	if len(text) < 4 || text[2] != '{' || end < 0 || end > 9 {
		return 2, 0, `\u needs a code point in braces, as in \u{e9}`
	}
	n, err := strconv.ParseUint(text[3:end], 16, 32)
	if err != nil || n > utf8.MaxRune || 0xd800 <= n && n <= 0xdfff {
		return end + 1, 0, fmt.Sprintf("%s is no code point", text[:end+1])
	}
	return end + 1, rune(n), ""
}
