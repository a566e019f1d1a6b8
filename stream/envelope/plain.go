package envelope

import (
	"bytes"
	"math"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// isObject tells whether raw is one JSON object with nothing around it but white space, its names
// unlike one another and its text UTF-8, as RFC 7493 asks. Nearly every payload is plain enough to
// be seen at a glance; what is not goes through the whole decoder, which costs ten times as much.
func isObject(raw []byte) bool {
	g := glance{b: raw}
	if uint64(len(raw)) <= math.MaxUint32 && g.object(0) && g.at == len(raw) {
		return true
	}
	v := jsontext.Value(raw)
	return len(raw) > 0 && v.Kind() == '{' && v.IsValid()
}

const (
	glanceDepth = 16 // of nested objects and arrays
	glanceNames = 24 // in one object
)

// glance reads JSON of a plain form: names in ASCII, no escapes, not deep, not wide. All its
// methods are false for what is not plain; that says nothing of whether it is valid.
type glance struct {
	b  []byte
	at int
}

// next skips white space and gives the byte there, 0 at the end.
func (g *glance) next() byte {
	for ; g.at < len(g.b); g.at++ {
		if c := g.b[g.at]; c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return c
		}
	}
	return 0
}

func (g *glance) take(c byte) bool {
	if g.next() != c {
		return false
	}
	g.at++
	return true
}

func (g *glance) object(depth int) bool {
	if depth == glanceDepth || !g.take('{') {
		return false
	}
	if g.take('}') {
		return true
	}
	// Where the names begin. A name ends with its quote, so that none is the beginning of another.
	// As slices they took six times the stack, and to clear it was most of a glance.
	var names [glanceNames]uint32
	for n := 0; n < glanceNames; n++ {
		g.next()
		start := g.at
		if !g.text() {
			return false
		}
		name := g.b[start:g.at]
		for _, other := range names[:n] {
			if bytes.HasPrefix(g.b[other:], name) {
				return false
			}
		}
		names[n] = uint32(start)
		if !g.take(':') || !g.value(depth+1) {
			return false
		}
		if !g.take(',') {
			return g.take('}')
		}
	}
	return false
}

func (g *glance) array(depth int) bool {
	if depth == glanceDepth || !g.take('[') {
		return false
	}
	if g.take(']') {
		return true
	}
	for g.value(depth + 1) {
		if !g.take(',') {
			return g.take(']')
		}
	}
	return false
}

func (g *glance) value(depth int) bool {
	switch c := g.next(); c {
	case '"':
		return g.text()
	case '{':
		return g.object(depth)
	case '[':
		return g.array(depth)
	case 't':
		return g.word("true")
	case 'f':
		return g.word("false")
	case 'n':
		return g.word("null")
	}
	return g.number()
}

func (g *glance) word(w string) bool {
	if len(g.b)-g.at < len(w) || string(g.b[g.at:g.at+len(w)]) != w {
		return false
	}
	g.at += len(w)
	return true
}

// text is a string without escapes.
func (g *glance) text() bool {
	if g.at == len(g.b) || g.b[g.at] != '"' {
		return false
	}
	start, ascii := g.at+1, true
	for i := start; i < len(g.b); i++ {
		switch c := g.b[i]; {
		case c == '"':
			g.at = i + 1
			return ascii || utf8.Valid(g.b[start:i])
		case c == '\\' || c < ' ':
			return false
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	return false
}

func (g *glance) number() bool {
	g.one('-')
	if !g.one('0') && !g.digits() {
		return false
	}
	if g.one('.') && !g.digits() {
		return false
	}
	if g.one('e') || g.one('E') {
		if !g.one('+') {
			g.one('-')
		}
		return g.digits()
	}
	return true
}

func (g *glance) one(c byte) bool {
	if g.at < len(g.b) && g.b[g.at] == c {
		g.at++
		return true
	}
	return false
}

func (g *glance) digits() bool {
	start := g.at
	for g.at < len(g.b) && g.b[g.at] >= '0' && g.b[g.at] <= '9' {
		g.at++
	}
	return g.at > start
}

// appendQuote appends s as a JSON string; the error is that of text that is not UTF-8.
func appendQuote(b []byte, s string) ([]byte, error) {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= 0x7f {
			return jsontext.AppendQuote(b, s)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"'), nil
}
