package value

import (
	"fmt"
	"slices"
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
	if len(src) <= plainMost && len(fields) > 0 && plain(dst, fields, View(src), &opt) {
		return nil
	}
	return decodeFields(dst, fields, src, opt)
}

// decodeFields is DecodeFields for every source. It is apart because its decoder is large.
func decodeFields(dst []V, fields []Field, src []byte, opt DecodeOptions) []FieldError {
	d := decoder{opt: opt}
	opt.Arena.lend(&d, len(src))
	if d.start(View(src)) {
		d.top(dst, fields)
	}
	opt.Arena.back(&d)
	return d.result()
}

// DecodeValue reads one value of type t, as DecodeFields does.
func DecodeValue(t *Type, src []byte, opt DecodeOptions) (V, []FieldError) {
	d := decoder{opt: opt}
	d.opt.Ignore = ""
	opt.Arena.lend(&d, len(src))
	var v V
	if d.start(View(src)) && d.value(t, &v) {
		d.end()
	}
	opt.Arena.back(&d)
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
		d.report(RepeatedKey, d.dupAt, fmt.Sprintf("repeated key %q", Shown(d.dup)))
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
	var word *uint64
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
		c, at := d.peek(), d.i
		if c == '"' && next < len(fields) && d.expected(fields[next].Name) && !seen.set(next) {
			count++
			next++
			if ok = d.field(&fields[next-1], next-1, &dst[next-1]); !ok {
				return false
			}
			continue
		}
		d.i = at
		k, okKey := d.key()
		if !okKey {
			return false
		}
		i := fieldAt(fields, k)
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

// fieldAt finds the field of a name; -1 is none.
func fieldAt(fields []Field, name string) int {
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

// maxShown is how many bytes of a name from outside a message or path shows.
const maxShown = 120

// Shown is a name from outside as messages show it: what is very long is cut, so that an error is
// not as large as the payload.
func Shown(name string) string {
	if len(name) <= maxShown {
		return name
	}
	cut := maxShown
	for cut > 0 && !utf8.RuneStart(name[cut]) {
		cut--
	}
	return name[:cut] + "…"
}

// pathName is a name as part of a path; one that is no identifier is quoted.
func pathName(name string) string {
	name = Shown(name)
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
