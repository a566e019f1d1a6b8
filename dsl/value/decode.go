package value

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// DecodeOptions are what differs between commands and stored events.
type DecodeOptions struct {
	Ignore       string  // a top-level key that is no field, such as "type"; its value must be a string
	Ignored      *string // gets that string, which may share the source's bytes
	AllowUnknown bool    // skip fields that are not declared, at any depth
	Arena        *Arena  // where strings and cells are put; nil: each by itself
}

// maxErrors bounds how many errors are reported for one source.
const maxErrors = 100

// DecodeFields reads the object src into dst, one V for each field: absent ones get their
// default or none. It gives nil or all that is wrong, in the order of ruling 120; dst is then
// not to be used. What is read shares nothing with src.
func DecodeFields(dst []V, fields []Field, src []byte, opt DecodeOptions) []FieldError {
	d := decoder{opt: opt}
	if d.start(View(src)) {
		d.top(dst, fields)
	}
	return d.result()
}

// DecodeValue reads one value of type t, as DecodeFields does.
func DecodeValue(t *Type, src []byte, opt DecodeOptions) (V, []FieldError) {
	d := decoder{opt: opt}
	d.opt.Ignore = ""
	var v V
	if d.start(View(src)) && d.value(t, &v) {
		d.end()
	}
	if errs := d.result(); errs != nil {
		return V{}, errs
	}
	return v, nil
}

// PeekType finds the string of the top-level key "type" without reading what follows it; the
// name may share src's bytes. What it has not read, a later decode judges. The error is a
// *FieldError.
func PeekType(src []byte) (string, error) {
	var d scanner
	if !d.start(View(src)) {
		return "", d.failure()
	}
	if d.peek() != '{' {
		return "", &FieldError{Kind: Mistyped, Message: "expected an object", Offset: d.i}
	}
	empty, ok := d.open('}')
	for more := !empty; ok && more; more, ok = d.more('}') {
		k, okKey := d.key()
		if !okKey {
			break
		}
		if k != "type" {
			if !d.skip() {
				break
			}
			continue
		}
		if d.peek() != '"' {
			return "", &FieldError{Path: "type", Kind: Mistyped, Message: "expected a string", Offset: d.i}
		}
		if name, ok := d.str(); ok {
			return name, nil
		}
		break
	}
	if err := d.failure(); err != nil {
		return "", err
	}
	return "", &FieldError{Path: "type", Kind: MissingField, Message: "is required", Offset: d.i}
}

type decoder struct {
	scanner
	opt  DecodeOptions
	errs []FieldError
}

func (d *decoder) top(dst []V, fields []Field) {
	if d.peek() != '{' {
		if d.mistyped(d.i, "expected an object") {
			d.end()
		}
		return
	}
	if d.object(dst, fields, d.opt.Ignore) {
		d.end()
	}
}

// result puts the errors in order. Broken text makes everything else a guess.
func (d *decoder) result() []FieldError {
	if d.bad != "" {
		return []FieldError{{Kind: BadSyntax, Message: d.bad, Offset: d.badAt}}
	}
	if d.errs == nil {
		return nil
	}
	class := func(k ErrorKind) int { return int(min(k, MissingField)) }
	slices.SortStableFunc(d.errs, func(a, b FieldError) int { return class(a.Kind) - class(b.Kind) })
	return d.errs[:min(len(d.errs), maxErrors)]
}

// report notes an error at the value being read; those who read what is around it put their
// part of the path in front.
func (d *decoder) report(kind ErrorKind, at int, message string) {
	if len(d.errs) < maxErrors {
		d.errs = append(d.errs, FieldError{Kind: kind, Message: message, Offset: at})
	}
}

// mistyped reports the value that begins at start and goes over it.
func (d *decoder) mistyped(start int, message string) bool {
	d.report(Mistyped, start, message)
	d.i = start
	return d.skipChecked()
}

// skipChecked goes over any value and reports a repeated key in it.
func (d *decoder) skipChecked() bool {
	ok := d.skip()
	d.reportRepeated()
	return ok
}

func (d *decoder) reportRepeated() {
	if d.dupAt >= 0 {
		d.report(RepeatedKey, d.dupAt, fmt.Sprintf("repeated key %q", d.dup))
		d.dupAt = -1
	}
}

// under puts a part of the path in front of the errors from first on.
func (d *decoder) under(first int, part string, order int) {
	for i := first; i < len(d.errs); i++ {
		e := &d.errs[i]
		e.order = order
		if e.Path == "" || e.Path[0] == '[' {
			e.Path = part + e.Path
		} else {
			e.Path = part + "." + e.Path
		}
	}
}

// seenFields are a bit for each field of the record being read.
type seenFields struct {
	first [4]uint64
	rest  []uint64
}

func (s *seenFields) set(i int) (was bool) {
	word := &s.first[0]
	switch {
	case i < 256:
		word = &s.first[i>>6]
	default:
		for len(s.rest) <= i>>6-4 {
			s.rest = append(s.rest, 0)
		}
		word = &s.rest[i>>6-4]
	}
	bit := uint64(1) << (i & 63)
	was = *word&bit != 0
	*word |= bit
	return was
}

// object reads the object at d.i into dst, one V a field.
func (d *decoder) object(dst []V, fields []Field, ignore string) bool {
	var seen seenFields
	start, first, firstKey := d.i, len(d.errs), len(d.keys)
	ignored := ignore == ""
	count, next := 0, 0
	empty, ok := d.open('}')
	for more := !empty; ok && more; more, ok = d.more('}') {
		at := d.i
		k, okKey := d.key()
		if !okKey {
			return false
		}
		i := fieldAt(fields, k, next)
		switch {
		case i >= 0:
			next = i + 1
			if seen.set(i) {
				ok = d.repeatedField(k, at)
			} else {
				count++
				ok = d.field(&fields[i], i, &dst[i])
			}
		case k == ignore && ignore != "":
			if ignored {
				ok = d.repeatedField(k, at)
			} else {
				ignored = true
				ok = d.ignored(k)
			}
		default:
			ok = d.unknown(k, at)
		}
		if !ok {
			return false
		}
	}
	if len(d.keys) > firstKey {
		d.closeKeys(firstKey)
		d.reportRepeated()
	}
	if count < len(fields) {
		d.absent(dst, fields, &seen, start)
	}
	if len(d.errs) > first+1 {
		slices.SortStableFunc(d.errs[first:], func(a, b FieldError) int { return a.order - b.order })
	}
	return ok
}

// fieldAt finds the field of a name, looking first where it is expected; -1 is none.
func fieldAt(fields []Field, name string, expected int) int {
	if expected < len(fields) && fields[expected].Name == name {
		return expected
	}
	for i := range fields {
		if fields[i].Name == name {
			return i
		}
	}
	return -1
}

func (d *decoder) field(f *Field, i int, out *V) bool {
	first := len(d.errs)
	ok := d.value(f.Type, out)
	if len(d.errs) > first {
		d.under(first, f.Name, i)
	}
	return ok
}

func (d *decoder) ignored(name string) bool {
	first := len(d.errs)
	ok := true
	if d.peek() != '"' {
		ok = d.mistyped(d.i, "expected a string")
	} else if s, okStr := d.str(); okStr && d.opt.Ignored != nil {
		*d.opt.Ignored = s
	} else {
		ok = okStr
	}
	d.under(first, name, -1)
	return ok
}

func (d *decoder) repeatedField(name string, at int) bool {
	first := len(d.errs)
	d.report(RepeatedKey, at, "is given twice")
	d.under(first, name, -1)
	return d.skip()
}

// unknown goes over a field that is not declared. Its key is kept until the object ends, to
// find it twice.
func (d *decoder) unknown(name string, at int) bool {
	d.keys = append(d.keys, name)
	first := len(d.errs)
	if !d.opt.AllowUnknown {
		d.report(UnknownField, at, "unknown field")
	}
	ok := d.skipChecked()
	d.under(first, pathName(name), -1)
	return ok
}

// pathName is a name as part of a path; one that is no identifier is quoted.
func pathName(name string) string {
	for i := range len(name) {
		if c := name[i]; c != '_' && c-'0' > 9 && c|0x20-'a' > 25 {
			return fmt.Sprintf("[%q]", name)
		}
	}
	if name == "" {
		return `[""]`
	}
	return name
}

// absent gives the fields that were left out their values, or reports them.
func (d *decoder) absent(dst []V, fields []Field, seen *seenFields, at int) {
	for i := range fields {
		f := &fields[i]
		switch {
		case seen.set(i):
		case f.HasDefault:
			dst[i] = f.Default
		case f.Type.Kind == Optional:
			dst[i] = None
		default:
			first := len(d.errs)
			d.report(MissingField, at, "is required")
			d.under(first, f.Name, i)
		}
	}
}

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
	b := NewBuilder(t, 0)
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
	b := NewBuilder(t, 0)
	empty, ok := d.open(']')
	for more := !empty; ok && more; more, ok = d.more(']') {
		first := len(d.errs)
		var m V
		if !d.value(t.Elem, &m) {
			return false
		}
		b.Add(m)
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
	b := NewBuilder(t, 0)
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
			d.under(first, fmt.Sprintf("[%q]", k), 0)
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
		d.under(first, fmt.Sprintf("[%q]", AppendText(nil, t.Key, k)), 0)
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
func (d *decoder) text(t *Type, s string) (V, bool) {
	switch t.Kind {
	case String:
		return MakeString(d.opt.Arena.str(s)), true
	case Time:
		return ParseTime(s)
	case Date:
		return ParseDate(s)
	case Duration:
		return ParseDuration(s)
	case UUID:
		id, ok := ParseUUID(s)
		if !ok {
			return V{}, false
		}
		return d.opt.Arena.uuid(id), true
	case Enum:
		i, ok := t.Enum.Ordinal(s)
		return MakeInt(int64(i)), ok
	}
	return V{}, false
}

// Ordinal finds a member by its wire text.
func (e *EnumType) Ordinal(wire string) (int, bool) {
	for i := range e.Members {
		if e.Members[i].Wire == wire {
			return i, true
		}
	}
	return 0, false
}

// RuneLen is the length of a string in code points.
func RuneLen(v V) int { return utf8.RuneCountInString(v.Str()) }
