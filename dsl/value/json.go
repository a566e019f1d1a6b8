package value

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unsafe"
)

// ErrorKind sorts what can be wrong with JSON; the order is that of reports (ruling 120).
type ErrorKind uint8

// The kinds of FieldError.
const (
	BadSyntax ErrorKind = iota // no JSON, or no UTF-8, or too deep
	RepeatedKey
	UnknownField
	MissingField
	Mistyped // the wrong type, a number that does not fit, null where a value must be
	OverBound
)

// FieldError is one thing that is wrong with JSON from outside.
type FieldError struct {
	Path    string // as lines[2].qty or resources["silver"]; empty for the whole
	Kind    ErrorKind
	Message string
	Offset  int // in the source, in bytes

	order int // of the field in its declaration, while the record is being read
}

// Error gives the path and what is wrong.
func (e *FieldError) Error() string {
	if e.Path == "" {
		return fmt.Sprintf("%s (at byte %d)", e.Message, e.Offset)
	}
	return e.Path + ": " + e.Message
}

// NullJSON is the text of the zero json value.
const NullJSON = "null"

// JSONText is the compact text of a json value.
func JSONText(v V) string {
	if v.W == 0 {
		return NullJSON
	}
	return v.Str()
}

// makeJSON makes a json value of compact text that it shares; null has one form.
func makeJSON(text string) V {
	if text == NullJSON {
		return V{}
	}
	return MakeString(text)
}

// EqualJSON compares json values by value: numbers as exact decimals, objects without order.
func EqualJSON(a, b V) bool {
	if a.W == b.W && a.Str() == b.Str() {
		return true
	}
	x, y := JSONText(a), JSONText(b)
	if x[0] != y[0] && !(isNumberStart(x[0]) && isNumberStart(y[0])) {
		return false
	}
	cx, errX := CanonicalJSON(nil, unsafeBytes(x))
	cy, errY := CanonicalJSON(nil, unsafeBytes(y))
	return errX == nil && errY == nil && bytes.Equal(cx, cy)
}

func isNumberStart(c byte) bool { return c == '-' || c-'0' <= 9 }

func unsafeBytes(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// CompactJSON appends src without white space, checked strictly: numbers keep their digits and
// objects their order. The error is a *FieldError.
func CompactJSON(dst, src []byte) ([]byte, error) {
	d := scanner{out: dst, emit: true}
	ok := d.start(View(src)) && d.free() && d.end()
	if err := d.failure(); !ok || err != nil {
		return dst, err
	}
	return d.out, nil
}

// failure is what a scan of a free value met, or nil.
func (d *scanner) failure() error {
	switch {
	case d.bad != "":
		return &FieldError{Kind: BadSyntax, Message: d.bad, Offset: d.badAt}
	case d.dupAt >= 0:
		return &FieldError{Kind: RepeatedKey, Message: fmt.Sprintf("repeated key %q", Shown(d.dup)), Offset: d.dupAt}
	}
	return nil
}

// CanonicalJSON appends src in the one form that all texts of the same value share: keys sorted
// by bytes, numbers by value, no white space, the fewest escapes. Two documents are one value if
// and only if these are equal bytes. The source is checked strictly; the error is a *FieldError.
func CanonicalJSON(dst, src []byte) ([]byte, error) {
	c := canonizer{scanner{out: dst}}
	ok := c.start(View(src)) && c.value() && c.end()
	if err := c.failure(); !ok || err != nil {
		return dst, err
	}
	return c.out, nil
}

type canonizer struct{ scanner }

// manyMembers is more than most objects have: as many are kept without an allocation.
const manyMembers = 12

// member is a key of the object being written and where its text stands in out.
type member struct {
	key      string
	from, to int
}

func (c *canonizer) value() bool {
	switch c.peek() {
	case '{':
		return c.object()
	case '[':
		return c.array()
	case '"':
		_, ok := c.text()
		return ok
	case 't':
		return c.word("true")
	case 'f':
		return c.word("false")
	case 'n':
		return c.word("null")
	}
	return c.number()
}

func (c *canonizer) word(w string) bool {
	c.out = append(c.out, w...)
	return c.literal(w)
}

// text writes the string at c.i and gives its value. An escape is longer than what it stands for,
// and a string without any is written as it was read.
func (c *canonizer) text() (string, bool) {
	start := c.i
	s, ok := c.str()
	if ok && c.i-start == len(s)+len(`""`) {
		c.out = append(c.out, c.s[start:c.i]...)
		return s, true
	}
	c.out = AppendQuoted(c.out, s)
	return s, ok
}

// number writes the number at c.i. One that is short and has neither an exponent nor a zero to
// drop is in its canonical form, and that is nearly every one.
func (c *canonizer) number() bool {
	start := c.i
	n, scale, end := readSmall(c.s, start)
	if end > start && (scale == 0 || c.s[end-1] != '0') && (n != 0 || c.s[start] != '-') {
		c.out = append(c.out, c.s[start:end]...)
		c.i = end
		return true
	}
	other, end := readNumber(c.s, start)
	if end == start {
		return c.notValue()
	}
	c.out = appendCanonical(c.out, other, c.s[start:end])
	c.i = end
	return true
}

func (c *canonizer) array() bool {
	c.out = append(c.out, '[')
	empty, ok := c.open(']')
	for more := !empty; ok && more; {
		if !c.value() {
			return false
		}
		if more, ok = c.more(']'); more {
			c.out = append(c.out, ',')
		}
	}
	c.out = append(c.out, ']')
	return ok
}

// object writes the members as they come, each with a comma behind it, and then puts their
// texts in order.
func (c *canonizer) object() bool {
	c.out = append(c.out, '{')
	var room [manyMembers]member
	members, from := room[:0], len(c.out)
	empty, ok := c.open('}')
	for more := !empty; ok && more; {
		at := len(c.out)
		k, okKey := c.key()
		if !okKey || !c.value() {
			return false
		}
		c.out = append(c.out, ',')
		members = append(members, member{k, at, len(c.out)})
		more, ok = c.more('}')
	}
	c.arrange(members, from)
	if !empty {
		c.out = c.out[:len(c.out)-1]
	}
	c.out = append(c.out, '}')
	return ok
}

// key writes a key and its colon.
func (c *canonizer) key() (string, bool) {
	if c.peek() != '"' {
		return "", c.fail("expected a key in quotes")
	}
	k, ok := c.text()
	if !ok {
		return "", false
	}
	if c.peek() != ':' {
		return "", c.fail("expected :")
	}
	c.i++
	c.out = append(c.out, ':')
	return k, true
}

// arrange sorts the members whose texts stand from from on to the end of out. Behind them is room
// to put them together.
func (c *canonizer) arrange(members []member, from int) {
	if ascending(members) {
		return
	}
	slices.SortFunc(members, func(a, b member) int { return strings.Compare(a.key, b.key) })
	end := len(c.out)
	for _, m := range members {
		c.out = append(c.out, c.out[m.from:m.to]...)
	}
	copy(c.out[from:end], c.out[end:])
	c.out = c.out[:end]
	for i := 1; i < len(members) && c.dupAt < 0; i++ {
		if members[i].key == members[i-1].key {
			c.dup, c.dupAt = members[i].key, c.i
		}
	}
}

// ascending tells whether the members are in order and no key is there twice.
func ascending(members []member) bool {
	for i := 1; i < len(members); i++ {
		if members[i-1].key >= members[i].key {
			return false
		}
	}
	return true
}

// appendCanonical appends a number by its value: plain if it is a decimal of the language,
// without trailing zeros, else digits, e, exponent.
func appendCanonical(dst []byte, n number, text string) []byte {
	if v, ok := n.decimal(); ok {
		return AppendDecimal(dst, trimZeros(v))
	}
	return appendScientific(dst, text)
}

// trimZeros is v with the smallest scale.
func trimZeros(v V) V {
	d := unpack(v)
	for d.scale > 0 {
		q, r := d.c.quoRem(10)
		if r != 0 {
			break
		}
		d.c, d.scale = q, d.scale-1
	}
	return pack(d.neg, d.c, d.scale)
}

// appendScientific writes a number of any size as its significant digits and their exponent.
func appendScientific(dst []byte, text string) []byte {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(text), "e")
	exponent = strings.TrimPrefix(exponent, "+")
	e, _ := ParseIntText(canonicalExponent(exponent))
	if mantissa[0] == '-' {
		dst = append(dst, '-')
		mantissa = mantissa[1:]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimLeft(whole+fraction, "0")
	e -= int64(len(fraction))
	trimmed := strings.TrimRight(digits, "0")
	e += int64(len(digits) - len(trimmed))
	dst = append(append(dst, trimmed...), 'e')
	return AppendInt(dst, e)
}

// canonicalExponent drops leading zeros, which a JSON exponent may have.
func canonicalExponent(s string) string {
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	if s = strings.TrimLeft(s, "0"); s == "" {
		return "0"
	}
	return sign + s
}
