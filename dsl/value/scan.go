package value

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth is how deep JSON may nest.
const maxDepth = 64

// scanner reads JSON strictly (RFC 8259, no repeated keys, no lone surrogates) from a text that
// is known to be UTF-8. Its methods are false when the text is no JSON; why and where is in bad.
type scanner struct {
	s     string
	i     int
	depth int
	bad   string   // what is wrong with the text
	badAt int      // and where
	keys  []string // of the free objects being read, each above its parents'
	dup   string   // the first key found twice in a free object
	dupAt int      // where that object ends
	out   []byte   // compact text of the free value being read, if emit
	emit  bool
}

// start checks what must hold before any scanning.
func (d *scanner) start(s string) bool {
	d.s = s
	d.dupAt = -1
	if utf8.ValidString(s) {
		return true
	}
	for i, r := range s {
		if r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD") {
			d.i = i
			break
		}
	}
	return d.fail("invalid UTF-8")
}

func (d *scanner) fail(what string) bool {
	if d.bad == "" {
		d.bad, d.badAt = what, d.i
	}
	return false
}

// peek skips white space and gives the next byte, 0 at the end.
func (d *scanner) peek() byte {
	for d.i < len(d.s) {
		c := d.s[d.i]
		if c > ' ' || c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return c
		}
		d.i++
	}
	return 0
}

// end checks that nothing follows the value.
func (d *scanner) end() bool {
	d.peek()
	if d.i < len(d.s) {
		return d.fail("unexpected text after the value")
	}
	return true
}

// open enters the object or array at d.i; empty tells that it has been closed at once.
func (d *scanner) open(closer byte) (empty, ok bool) {
	if d.depth++; d.depth > maxDepth {
		return false, d.fail("nested more than 64 deep")
	}
	d.i++
	if d.peek() == closer {
		d.i++
		d.depth--
		return true, true
	}
	return false, true
}

// more goes over the comma, or the closer that ends the object or array.
func (d *scanner) more(closer byte) (more, ok bool) {
	switch d.peek() {
	case ',':
		d.i++
		return true, true
	case closer:
		d.i++
		d.depth--
		return false, true
	}
	if closer == '}' {
		return false, d.fail("expected , or }")
	}
	return false, d.fail("expected , or ]")
}

// key reads a key and its colon.
func (d *scanner) key() (string, bool) {
	if d.peek() != '"' {
		return "", d.fail("expected a key in quotes")
	}
	k, ok := d.str()
	if !ok {
		return "", false
	}
	if d.peek() != ':' {
		return "", d.fail("expected :")
	}
	d.i++
	return k, true
}

// expected goes over the key name and its colon if they stand at d.i as they are usually written.
func (d *scanner) expected(name string) bool {
	at := d.i + 1 + len(name)
	if at+1 >= len(d.s) || d.s[d.i] != '"' || d.s[at] != '"' || d.s[at+1] != ':' || d.s[d.i+1:at] != name {
		return false
	}
	d.i = at + 2
	return true
}

// str reads the string at d.i; without escapes it is a part of the source.
func (d *scanner) str() (string, bool) {
	d.i++
	start, s := d.i, d.s
	i := plainEnd(s, start)
	d.i = i
	if i == len(s) {
		return "", d.fail("string without an end")
	}
	switch s[i] {
	case '"':
		d.i++
		return s[start:i], true
	case '\\':
		return d.escaped(start)
	}
	return "", d.fail("control character in a string")
}

// plainEnd is the first place from i on of a byte that does not stand for itself in a JSON
// string. It looks at eight bytes at a time: a byte of m gets its high bit for a quote, a
// backslash or a control character, exactly so up to the lowest such byte.
func plainEnd(s string, i int) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	for ; i+8 <= len(s); i += 8 {
		w := binary.LittleEndian.Uint64(unsafeBytes(s[i : i+8]))
		quote, back := w^'"'*ones, w^'\\'*ones
		m := ((quote-ones)&^quote | (back-ones)&^back | (w-' '*ones)&^w) & highs
		if m != 0 {
			return i + bits.TrailingZeros64(m)>>3
		}
	}
	for i < len(s) && plainByte(s[i]) {
		i++
	}
	return i
}

func (d *scanner) escaped(start int) (string, bool) {
	buf := []byte(d.s[start:d.i])
	for d.i < len(d.s) {
		c := d.s[d.i]
		switch {
		case c == '"':
			d.i++
			return View(buf), true
		case c < ' ':
			return "", d.fail("control character in a string")
		case c != '\\':
			buf = append(buf, c)
			d.i++
		default:
			var ok bool
			if buf, ok = d.escape(buf); !ok {
				return "", false
			}
		}
	}
	return "", d.fail("string without an end")
}

// escape reads the escape at d.i.
func (d *scanner) escape(buf []byte) ([]byte, bool) {
	const plain, meant = `"\/bfnrt`, "\"\\/\b\f\n\r\t"
	if d.i+1 >= len(d.s) {
		return buf, d.fail("string without an end")
	}
	c := d.s[d.i+1]
	if at := strings.IndexByte(plain, c); at >= 0 {
		d.i += 2
		return append(buf, meant[at]), true
	}
	if c != 'u' {
		return buf, d.fail("unknown escape in a string")
	}
	r, ok := hex4(d.s, d.i+2)
	if !ok {
		return buf, d.fail("bad \\u escape in a string")
	}
	size := 6
	if utf16.IsSurrogate(r) {
		low, ok := rune(0), false
		if strings.HasPrefix(d.s[d.i+6:], `\u`) {
			low, ok = hex4(d.s, d.i+8)
		}
		if r = utf16.DecodeRune(r, low); !ok || r == utf8.RuneError {
			return buf, d.fail("lone surrogate in a string")
		}
		size = 12
	}
	d.i += size
	return utf8.AppendRune(buf, r), true
}

func hex4(s string, i int) (rune, bool) {
	if i+4 > len(s) {
		return 0, false
	}
	r := rune(0)
	for _, c := range []byte(s[i : i+4]) {
		h := hexValue[c]
		if h > 15 {
			return 0, false
		}
		r = r<<4 | rune(h)
	}
	return r, true
}

// literal goes over true, false or null.
func (d *scanner) literal(word string) bool {
	if !strings.HasPrefix(d.s[d.i:], word) {
		return d.fail("expected a value")
	}
	d.i += len(word)
	return true
}

// skip reads any value and leaves no trace of it but an error.
func (d *scanner) skip() bool {
	emit := d.emit
	d.emit = false
	ok := d.free()
	d.emit = emit
	return ok
}

// free reads any value; with emit its compact text is appended to out: numbers as they are
// written, strings with the fewest escapes, keys in their order.
func (d *scanner) free() bool {
	switch c := d.peek(); c {
	case '{':
		return d.freeObject()
	case '[':
		return d.freeArray()
	case '"':
		s, ok := d.str()
		if ok && d.emit {
			d.out = AppendQuoted(d.out, s)
		}
		return ok
	case 't':
		return d.freeLiteral("true")
	case 'f':
		return d.freeLiteral("false")
	case 'n':
		return d.freeLiteral("null")
	}
	_, end := readNumber(d.s, d.i)
	if end == d.i {
		return d.notValue()
	}
	d.put(d.s[d.i:end])
	d.i = end
	return true
}

// notValue is the failure at a place where a value should begin.
func (d *scanner) notValue() bool {
	if d.i >= len(d.s) {
		return d.fail("unexpected end")
	}
	if c := d.s[d.i]; c == '-' || c-'0' <= 9 {
		return d.fail("bad number")
	}
	return d.fail("expected a value")
}

func (d *scanner) put(s string) {
	if d.emit {
		d.out = append(d.out, s...)
	}
}

func (d *scanner) freeLiteral(word string) bool {
	d.put(word)
	return d.literal(word)
}

func (d *scanner) freeArray() bool {
	d.put("[")
	empty, ok := d.open(']')
	for more := !empty; ok && more; {
		if !d.free() {
			return false
		}
		if more, ok = d.more(']'); more {
			d.put(",")
		}
	}
	d.put("]")
	return ok
}

func (d *scanner) freeObject() bool {
	d.put("{")
	first := len(d.keys)
	empty, ok := d.open('}')
	for more := !empty; ok && more; {
		k, okKey := d.key()
		if !okKey {
			return false
		}
		d.keys = append(d.keys, k)
		if d.emit {
			d.out = append(AppendQuoted(d.out, k), ':')
		}
		if !d.free() {
			return false
		}
		if more, ok = d.more('}'); more {
			d.put(",")
		}
	}
	d.put("}")
	d.closeKeys(first)
	return ok
}

// closeKeys forgets the keys from first on, after noting one that is there twice.
func (d *scanner) closeKeys(first int) {
	keys := d.keys[first:]
	if len(keys) > 1 {
		slices.Sort(keys)
		for i := 1; i < len(keys) && d.dupAt < 0; i++ {
			if keys[i] == keys[i-1] {
				d.dup, d.dupAt = keys[i], d.i
			}
		}
	}
	d.keys = d.keys[:first]
}

// plainByte tells the bytes that stand for themselves in a JSON string.
func plainByte(c byte) bool { return c >= ' ' && c != '"' && c != '\\' }

// AppendQuoted appends s as a JSON string with only the escapes that must be.
func AppendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := plainEnd(s, 0); i < len(s); i = plainEnd(s, 0) {
		dst = appendEscape(append(dst, s[:i]...), s[i])
		s = s[i+1:]
	}
	return append(append(dst, s...), '"')
}

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	case '\b':
		return append(dst, '\\', 'b')
	case '\f':
		return append(dst, '\\', 'f')
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}
