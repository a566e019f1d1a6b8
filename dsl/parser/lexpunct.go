package parser

import (
	"fmt"

	"github.com/cloudlysis/aggregate/dsl/diag"
)

// punctuation reads an operator or a bracket; the longest one wins, so `???` is `?` `??`.
func (s *scanner) punctuation(c byte) kind {
	switch c {
	case '{', '(', '[':
		return s.open(c)
	case '}', ')', ']':
		return s.close(c)
	case ',':
		return s.take(1, tComma)
	case ':':
		return s.take(1, tColon)
	case '@':
		return s.take(1, tAt)
	case '%':
		return s.take(1, tPercent)
	case '.':
		return s.dots()
	case '?':
		return s.question()
	case '=', '!', '<', '>':
		return s.comparison(c)
	case '+', '-', '*', '/':
		return s.arithmetic(c)
	}
	return s.foreign(c)
}

func (s *scanner) take(n int, k kind) kind {
	s.pos += n
	return k
}

// peek is the byte n after pos, 0 past the end.
func (s *scanner) peek(n int) byte {
	if s.pos+n < len(s.src) {
		return s.src[s.pos+n]
	}
	return 0
}

func (s *scanner) open(c byte) kind {
	if len(s.brackets) >= maxNesting {
		s.nestingError()
		return 0
	}
	s.brackets = append(s.brackets, c)
	switch c {
	case '{':
		return s.take(1, tLBrace)
	case '(':
		return s.take(1, tLParen)
	}
	return s.take(1, tLBrack)
}

func (s *scanner) nestingError() {
	s.stop = true
	s.report(diag.NestingTooDeep, s.pos, s.pos+1, fmt.Sprintf("brackets are nested more than %d deep", maxNesting)).
		Hint = "split the expression with let or a fn"
}

// close pops the matching bracket; a bracket that does not match is the parser's affair, but a
// } never closes an outer { past the { of an interpolation.
func (s *scanner) close(c byte) kind {
	n := len(s.brackets) - 1
	if c == '}' {
		for i := n; i >= 0; i-- {
			if s.brackets[i] == '"' { // brackets left open inside the interpolation are dropped
				s.brackets = s.brackets[:i]
				s.inText--
				return s.text(tTail, tMid)
			}
			if s.brackets[i] == '{' {
				s.brackets = s.brackets[:i]
				break
			}
		}
		return s.take(1, tRBrace)
	}
	want := byte('(')
	if c == ']' {
		want = '['
	}
	if n >= 0 && s.brackets[n] == want {
		s.brackets = s.brackets[:n]
	}
	if c == ')' {
		return s.take(1, tRParen)
	}
	return s.take(1, tRBrack)
}

func (s *scanner) dots() kind {
	if s.peek(1) == '.' {
		if s.peek(2) == '.' {
			s.foreignOp(3, "..", "a spread is two dots")
			return tDotDot
		}
		return s.take(2, tDotDot)
	}
	if !isDigit(s.peek(1)) || s.last == tIdent || s.last == tRParen || s.last == tRBrack {
		return s.take(1, tDot)
	}
	start := s.pos
	s.pos++
	s.digits()
	d := s.report(diag.BadDecimal, start, s.pos, "a decimal has digits on both sides of its point")
	d.Hint = "write 0" + s.src[start:s.pos]
	fix(d, true, "0"+s.src[start:s.pos])
	return tDec
}

func (s *scanner) question() kind {
	if s.peek(1) == '?' && s.peek(2) != '?' {
		return s.take(2, tCoalesce)
	}
	if s.peek(1) == '.' && !isDigit(s.peek(2)) && s.peek(2) != '.' {
		s.foreignOp(2, "", "there is no ?.; bind the value first: `if x is some v { … v.f … }`")
		return tDot
	}
	return s.take(1, tQuestion)
}

func (s *scanner) comparison(c byte) kind {
	next := s.peek(1)
	switch {
	case c == '=' && next == '=':
		if s.peek(2) == '=' {
			s.foreignOp(3, "==", "")
			return tEq
		}
		return s.take(2, tEq)
	case c == '=' && next == '>':
		return s.take(2, tFatArrow)
	case c == '=':
		return s.take(1, tAssign)
	case c == '!' && next == '=':
		if s.peek(2) == '=' {
			s.foreignOp(3, "!=", "")
			return tNe
		}
		return s.take(2, tNe)
	case c == '!':
		s.foreignOp(1, "not ", "")
		return kwNot
	case c == '<' && next == '>':
		s.foreignOp(2, "!=", "")
		return tNe
	case c == '<' && next == '=':
		return s.take(2, tLe)
	case c == '<':
		return s.take(1, tLt)
	case next == '=':
		return s.take(2, tGe)
	}
	return s.take(1, tGt)
}

func (s *scanner) arithmetic(c byte) kind {
	next := s.peek(1)
	switch {
	case c == '-' && next == '>':
		return s.take(2, tArrow)
	case c == '+' && next == '=':
		return s.take(2, tPlusAssign)
	case c == '-' && next == '=':
		return s.take(2, tMinusAssign)
	case c == '*' && next == '=':
		return s.take(2, tStarAssign)
	case c == '/' && next == '=':
		s.foreignOp(2, "", "write the whole assignment: x = x / y for ints, x = div(x, y, scale, mode) for decimals")
		return tBadAssign
	case c == '+' && next == '+':
		s.foreignOp(2, "+= 1", "")
		return tBadAssign
	case c == '*' && next == '*':
		s.foreignOp(2, "", "there is no power; multiply")
		return tStar
	case c == '+':
		return s.take(1, tPlus)
	case c == '-':
		return s.take(1, tMinus)
	case c == '*':
		return s.take(1, tStar)
	}
	return s.take(1, tSlash)
}

// foreign reads what belongs to other languages.
func (s *scanner) foreign(c byte) kind {
	switch {
	case c == ';':
		start := s.pos
		s.pos++
		d := s.report(diag.Semicolon, start, s.pos, "statements and declarations need no ;")
		d.Hint = "delete it"
		fix(d, true, "")
		return 0
	case c == '&' && s.peek(1) == '&':
		s.foreignOp(2, "and", "")
		return kwAnd
	case c == '|' && s.peek(1) == '|':
		s.foreignOp(2, "or", "")
		return kwOr
	}
	start := s.pos
	s.pos++
	d := s.report(diag.BadCharacter, start, s.pos, fmt.Sprintf("unexpected character %q", rune(c)))
	switch c {
	case '#':
		d.Hint = "a comment begins with //"
		for s.pos < len(s.src) && s.src[s.pos] != '\n' {
			s.pos++
		}
	case '&':
		d.Hint = "write and"
	case '|':
		d.Hint = "write or; the patterns of a match arm are separated by commas"
	}
	return 0
}

// foreignOp takes n bytes and says what is written instead; want is empty when hint says it.
func (s *scanner) foreignOp(n int, want, hint string) {
	start := s.pos
	s.pos += n
	d := s.report(diag.ForeignOperator, start, s.pos, fmt.Sprintf("there is no operator %s", s.src[start:s.pos]))
	if hint == "" {
		hint = "write " + want
	}
	d.Hint = hint
	if want != "" {
		fix(d, true, want)
	}
}
