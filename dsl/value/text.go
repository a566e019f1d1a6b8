package value

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// AppendText appends a value as interpolation and string() show it (ruling 63): a string raw, a
// missing optional as none. Lists, sets, maps and records, which the language does not allow
// here, are appended as JSON, for reports.
func AppendText(dst []byte, t *Type, v V) []byte {
	switch t.Kind {
	case Bool:
		return strconv.AppendBool(dst, v.Bool())
	case Int:
		return AppendInt(dst, v.Int())
	case Decimal:
		return AppendDecimal(dst, v)
	case String:
		return append(dst, v.Str()...)
	case Time:
		return AppendTime(dst, v)
	case Date:
		return AppendDate(dst, v.Int())
	case Duration:
		return AppendDuration(dst, v.Int())
	case UUID:
		return AppendUUID(dst, v.UUID())
	case JSON:
		return append(dst, JSONText(v)...)
	case Enum:
		return append(dst, t.Enum.Wire(v)...)
	case Optional:
		if v.IsNone() {
			return append(dst, "none"...)
		}
		return AppendText(dst, t.Elem, v)
	}
	return AppendJSON(dst, t, v)
}

// Text is AppendText as a string value.
func Text(t *Type, v V) V {
	if t.Kind == String {
		return v
	}
	var buf [64]byte
	return MakeString(string(AppendText(buf[:0], t, v)))
}

// sliceString is the code points of s from from up to but not including to, clamped.
func sliceString(s string, from, to int64) string {
	if from < 0 {
		from = 0
	}
	if from >= to {
		return ""
	}
	s = afterRunes(s, from)
	rest := afterRunes(s, to-from)
	return s[:len(s)-len(rest)]
}

// afterRunes is s without its first n code points.
func afterRunes(s string, n int64) string {
	for ; n > 0 && s != ""; n-- {
		_, size := utf8.DecodeRuneInString(s)
		s = s[size:]
	}
	return s
}

// splitString is a list of the parts of s between separators; without one, of its code points.
func splitString(t *Type, s, sep string) V {
	b := NewBuilder(t, countParts(s, sep))
	if sep == "" {
		for s != "" {
			rest := afterRunes(s, 1)
			b.Append(MakeString(s[:len(s)-len(rest)]))
			s = rest
		}
		return b.Done()
	}
	for more := true; more; {
		var part string
		part, s, more = strings.Cut(s, sep)
		b.Append(MakeString(part))
	}
	return b.Done()
}

func countParts(s, sep string) int {
	if sep == "" {
		return utf8.RuneCountInString(s)
	}
	return strings.Count(s, sep) + 1
}

func joinStrings(list V, sep string) string {
	parts := list.Cells(1)
	size := 0
	for _, p := range parts {
		size += int(p.W) + len(sep)
	}
	var b strings.Builder
	b.Grow(size)
	for i, p := range parts {
		if i > 0 {
			b.WriteString(sep)
		}
		b.WriteString(p.Str())
	}
	return b.String()
}

func replaceString(s, old, with string) string {
	if old == "" {
		return s
	}
	return strings.ReplaceAll(s, old, with)
}

// RuneLen is the length of a string in code points.
func RuneLen(v V) int { return utf8.RuneCountInString(v.Str()) }
