package value

import (
	"fmt"
	"strings"
)

// value reads a value of type t into out. It is false only for broken text.
func (d *decoder) value(t *Type, out *V) bool {
	c := d.peek()
	switch t.Kind {
	case Optional:
		if c == 'n' {
			*out = None
			return d.literal(NullJSON)
		}
		return d.value(t.Elem, out)
	case Int, Decimal:
		return d.number(t, c, out)
	case Bool:
		return d.bool(c, out)
	case JSON:
		return d.json(out)
	case Record:
		return d.record(t, c, out)
	case List:
		return d.list(t, c, out)
	case Set:
		return d.set(t, c, out)
	case Map:
		return d.mapping(t, c, out)
	}
	if c != '"' {
		return d.mistyped(d.i, "expected "+wanted(t))
	}
	start := d.i
	s, ok := d.str()
	if !ok {
		return false
	}
	if v, ok := d.text(t, s); ok {
		*out = v
		return d.bounded(t, start, *out)
	}
	return d.mistyped(start, "expected "+wanted(t))
}

// bounded reports a value that is over the bound of t.
func (d *decoder) bounded(t *Type, start int, v V) bool {
	if t.Bound == 0 || withinBound(t, v) {
		return true
	}
	what := "elements"
	if t.Kind == String {
		what = "characters"
	}
	d.report(OverBound, start, fmt.Sprintf("has more than %d %s", t.Bound, what))
	return true
}

// wanted says in an error what a value of type t looks like.
func wanted(t *Type) string {
	switch t.Kind {
	case Bool:
		return "true or false"
	case Int:
		return "a whole number of 64 bits"
	case Decimal:
		return "a decimal number of at most 34 digits"
	case String:
		return "a string"
	case Time:
		return `a time such as "2026-01-31T10:00:00Z"`
	case Date:
		return `a date such as "2026-01-31"`
	case Duration:
		return `a duration such as "1h30m"`
	case UUID:
		return "a uuid"
	case Enum:
		return "one of " + memberList(t.Enum)
	case List, Set:
		return "an array"
	}
	return "an object"
}

func memberList(e *EnumType) string {
	var b strings.Builder
	for i, m := range e.Members {
		if i == 20 {
			fmt.Fprintf(&b, ", … (%d in all)", len(e.Members))
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%q", m.Wire)
	}
	return b.String()
}

func (d *decoder) number(t *Type, c byte, out *V) bool {
	start := d.i
	var n number
	if c == '"' {
		s, ok := d.str()
		if !ok {
			return false
		}
		if n, ok = readPlain(s); !ok {
			return d.mistyped(start, "expected "+wanted(t))
		}
	} else {
		if c, scale, end := readSmall(d.s, start); end > start && (t.Kind == Decimal || scale == 0) {
			d.i = end
			if *out = MakeInt(c); t.Kind == Decimal {
				out.W = uint64(c)<<7 | uint64(scale)<<1
			}
			return true
		}
		if !isNumberStart(c) {
			return d.mistyped(start, "expected "+wanted(t))
		}
		if n, d.i = readNumber(d.s, start); d.i == start {
			return d.notValue()
		}
	}
	if t.Kind == Decimal {
		v, ok := n.decimal()
		if *out = v; ok {
			return true
		}
		return d.mistyped(start, "expected "+wanted(t))
	}
	i, ok := n.int()
	if *out = MakeInt(i); ok {
		return true
	}
	return d.mistyped(start, "expected "+wanted(t))
}

func (d *decoder) bool(c byte, out *V) bool {
	switch c {
	case 't':
		*out = MakeBool(true)
		return d.literal("true")
	case 'f':
		*out = V{}
		return d.literal("false")
	}
	return d.mistyped(d.i, "expected true or false")
}

func (d *decoder) json(out *V) bool {
	if d.out == nil {
		d.out = make([]byte, 0, 64)
	}
	d.out, d.emit = d.out[:0], true
	ok := d.free()
	d.emit = false
	d.reportRepeated()
	if !ok {
		return false
	}
	if View(d.out) == NullJSON {
		*out = V{}
		return true
	}
	*out = MakeString(d.opt.Arena.str(View(d.out)))
	return true
}

func (d *decoder) record(t *Type, c byte, out *V) bool {
	cells := d.opt.Arena.row(len(t.Record.Fields))
	*out = MakeRecord(cells)
	return d.row(t, c, cells)
}

func (d *decoder) row(t *Type, c byte, cells []V) bool {
	if c != '{' {
		return d.mistyped(d.i, "expected an object")
	}
	return d.object(cells, t.Record.Fields, "")
}

// elem reads a value of type t into its row.
func (d *decoder) elem(t *Type, row []V) bool {
	if t.Kind == Record {
		return d.row(t, d.peek(), row)
	}
	return d.value(t, &row[0])
}

func (d *decoder) list(t *Type, c byte, out *V) bool {
	start := d.i
	if c != '[' {
		return d.mistyped(start, "expected an array")
	}
	b := Builder{t: t, stride: t.Stride(), arena: d.opt.Arena}
	empty, ok := d.open(']')
	for more := !empty; ok && more; more, ok = d.more(']') {
		first := len(d.errs)
		if !d.elem(t.Elem, b.Row()) {
			return false
		}
		if len(d.errs) > first {
			d.under(first, fmt.Sprintf("[%d]", b.n-1), 0)
		}
	}
	*out = b.Done()
	return ok && d.bounded(t, start, *out)
}

func (d *decoder) set(t *Type, c byte, out *V) bool {
	start := d.i
	if c != '[' {
		return d.mistyped(start, "expected an array")
	}
	b := Builder{t: t, stride: t.Stride(), arena: d.opt.Arena}
	empty, ok := d.open(']')
	for more := !empty; ok && more; more, ok = d.more(']') {
		first := len(d.errs)
		if !d.value(t.Elem, out) {
			return false
		}
		b.Add(*out)
		if len(d.errs) > first {
			d.under(first, fmt.Sprintf("[%d]", b.n-1), 0)
		}
	}
	*out = b.Done()
	return ok && d.bounded(t, start, *out)
}

func (d *decoder) mapping(t *Type, c byte, out *V) bool {
	start := d.i
	if c != '{' {
		return d.mistyped(start, "expected an object")
	}
	b := Builder{t: t, stride: t.Stride(), arena: d.opt.Arena}
	empty, ok := d.open('}')
	for more := !empty; ok && more; more, ok = d.more('}') {
		at, first := d.i, len(d.errs)
		k, okKey := d.key()
		if !okKey {
			return false
		}
		key, okKey := d.mapKey(t.Key, k)
		if okKey {
			ok = d.bounded(t.Key, at, key) && d.elem(t.Elem, b.RowOf(key))
		} else {
			d.report(Mistyped, at, "expected as key "+wanted(t.Key))
			ok = d.skipChecked()
		}
		if !ok {
			return false
		}
		if len(d.errs) > first {
			d.under(first, fmt.Sprintf("[%q]", Shown(k)), 0)
		}
	}
	d.repeatedKey(t, &b, start)
	*out = b.Done()
	return ok && d.bounded(t, start, *out)
}

func (d *decoder) repeatedKey(t *Type, b *Builder, start int) {
	if k, twice := b.repeated(); twice {
		first := len(d.errs)
		d.report(RepeatedKey, start, "is given twice")
		d.under(first, fmt.Sprintf("[%q]", Shown(string(AppendText(nil, t.Key, k)))), 0)
	}
}

// mapKey reads the text of a key. An int has one text only.
func (d *decoder) mapKey(t *Type, s string) (V, bool) {
	if t.Kind != Int {
		return d.text(t, s)
	}
	i, ok := ParseIntText(s)
	var buf [20]byte
	return MakeInt(i), ok && View(AppendInt(buf[:0], i)) == s
}

// text reads a value that JSON writes as a string.
func (d *decoder) text(t *Type, s string) (V, bool) { return textOf(t, s, d.opt.Arena) }

func textOf(t *Type, s string, arena *Arena) (V, bool) {
	switch t.Kind {
	case String:
		return MakeString(arena.str(s)), true
	case Time:
		return ParseTime(s)
	case Date:
		return ParseDate(s)
	case Duration:
		return ParseDuration(s)
	case UUID:
		first, second, ok := parseUUID(s)
		if !ok {
			return V{}, false
		}
		return arena.uuid(first, second), true
	case Enum:
		i, ok := t.Enum.Ordinal(s)
		return MakeInt(int64(i)), ok
	}
	return V{}, false
}
