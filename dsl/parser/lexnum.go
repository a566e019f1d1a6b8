package parser

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/cloudlysis/aggregate/dsl/diag"
)

// number reads an int, decimal or duration literal.
func (s *scanner) number() kind {
	start := s.pos
	s.digits()
	if s.pos < len(s.src) && isWordByte(s.src[s.pos]) {
		return s.numberWithLetters(start)
	}
	k := kind(tInt)
	if s.peek(0) == '.' && s.peek(1) != '.' {
		if !isDigit(s.peek(1)) {
			if isWordByte(s.peek(1)) {
				return s.checkDigits(start, k) // 1.foo: the parser says that an int has no fields
			}
			s.pos++
			d := s.report(diag.BadDecimal, start, s.pos, "a decimal has digits on both sides of its point")
			d.Hint = "write " + s.src[start:s.pos] + "0"
			fix(d, true, s.src[start:s.pos]+"0")
			return tDec
		}
		k = tDec
		s.pos++
		s.digits()
		if s.pos < len(s.src) && isWordByte(s.src[s.pos]) {
			return s.numberWithLetters(start)
		}
	}
	return s.checkDigits(start, k)
}

func (s *scanner) digits() {
	for s.pos < len(s.src) && (isDigit(s.src[s.pos]) || s.src[s.pos] == '_') {
		s.pos++
	}
}

// checkDigits reports misplaced underscores and leading zeros.
func (s *scanner) checkDigits(start int, k kind) kind {
	text := s.src[start:s.pos]
	if len(text) == 1 {
		return k
	}
	whole := text
	if i := strings.IndexByte(text, '.'); i >= 0 {
		whole = text[:i]
	}
	switch {
	case badUnderscore(text):
		s.report(diag.BadNumber, start, s.pos, fmt.Sprintf("an _ stands between two digits, not as in %s", text))
		return tBadNum
	case len(whole) > 1 && whole[0] == '0':
		d := s.report(diag.BadNumber, start, s.pos, fmt.Sprintf("a number does not begin with a zero: %s", text))
		mended := strings.TrimLeft(whole, "0_")
		if mended == "" {
			mended = "0"
		}
		mended += text[len(whole):]
		d.Hint = "write " + mended
		fix(d, false, mended)
		return tBadNum
	}
	return k
}

func badUnderscore(text string) bool {
	if strings.IndexByte(text, '_') < 0 {
		return false
	}
	return strings.HasSuffix(text, "_") || strings.Contains(text, "__") ||
		strings.Contains(text, "_.") || strings.Contains(text, "._")
}

// numberWithLetters reads a duration, or reports one bad token.
func (s *scanner) numberWithLetters(start int) kind {
	s.word()
	for s.peek(0) == '.' && isDigit(s.peek(1)) { // 1h1.5m
		s.pos++
		s.word()
	}
	text := s.src[start:s.pos]
	if _, ok := parseDuration(text); ok {
		return tDur
	}
	if nanos, ok := looseDuration(text); ok {
		d := s.report(diag.BadDuration, start, s.pos, badDurationMessage(text))
		d.Hint = "write " + formatDuration(nanos)
		fix(d, true, formatDuration(nanos))
		return tBadNum
	}
	if strings.Trim(text, "0123456789._dhmsun") == "" && strings.ContainsAny(text, "dhmsun") {
		s.report(diag.BadDuration, start, s.pos, badDurationMessage(text)).
			Hint = "units d h m s ms us ns, largest first, each once, as in 1h30m"
		return tBadNum
	}
	d := s.report(diag.BadNumber, start, s.pos, fmt.Sprintf("%q is no number", text))
	switch {
	case strings.HasPrefix(text, "0x") || strings.HasPrefix(text, "0b") || strings.HasPrefix(text, "0o"):
		d.Hint = "numbers are decimal"
	case strings.ContainsAny(text, "eE") && strings.Trim(text, "0123456789.eE") == "":
		d.Hint = "numbers have no exponent; write all digits"
	default:
		d.Hint = "a name begins with a letter; a duration is written like 90s or 1h30m"
	}
	return tBadNum
}

func badDurationMessage(text string) string { return fmt.Sprintf("%q is no duration", text) }

var units = [...]struct {
	name  string
	nanos int64
}{{"d", 24 * 3600e9}, {"h", 3600e9}, {"m", 60e9}, {"s", 1e9}, {"ms", 1e6}, {"us", 1e3}, {"ns", 1}}

// parseDuration reads whole numbers with units, largest first, each once, in the range of int64.
func parseDuration(text string) (int64, bool) {
	var total int64
	unit := -1
	for rest := text; rest != ""; {
		n, i, ok := leadingInt(rest)
		if !ok {
			return 0, false
		}
		u, width := unitAt(rest[i:])
		if u <= unit || width == 0 {
			return 0, false
		}
		unit, rest = u, rest[i+width:]
		size := units[u].nanos
		if n > (math.MaxInt64-total)/size {
			return 0, false
		}
		total += n * size
	}
	return total, unit >= 0
}

func leadingInt(text string) (n int64, width int, ok bool) {
	for width < len(text) && isDigit(text[width]) {
		if n > (math.MaxInt64-9)/10 {
			return 0, 0, false
		}
		n = n*10 + int64(text[width]-'0')
		width++
	}
	return n, width, width > 0
}

// unitAt finds the unit at the start of text: its place in units and its length.
func unitAt(text string) (int, int) {
	end := 0
	for end < len(text) && !isDigit(text[end]) && text[end] != '.' {
		end++
	}
	for i, u := range units {
		if u.name == text[:end] {
			return i, end
		}
	}
	return 0, 0
}

// looseDuration reads what people write for a duration: fractions, units in any order.
func looseDuration(text string) (int64, bool) {
	var total float64
	for rest := text; rest != ""; {
		i := 0
		for i < len(rest) && (isDigit(rest[i]) || rest[i] == '.') {
			i++
		}
		n, err := strconv.ParseFloat(rest[:i], 64)
		if err != nil {
			return 0, false
		}
		u, width := unitAt(rest[i:])
		if width == 0 {
			return 0, false
		}
		total += n * float64(units[u].nanos)
		rest = rest[i+width:]
	}
	return int64(total), total < math.MaxInt64/2
}

// formatDuration is the canonical form, units up to h.
func formatDuration(nanos int64) string {
	if nanos == 0 {
		return "0s"
	}
	var b strings.Builder
	for _, u := range units[1:] {
		if n := nanos / u.nanos; n > 0 {
			fmt.Fprintf(&b, "%d%s", n, u.name)
			nanos -= n * u.nanos
		}
	}
	return b.String()
}
