package value

import (
	"iter"
	"strings"
)

// Walking through the compact text of json values. They were checked when they were made; on
// other text these find nonsense but stay inside it.

// skipString is the end of the string that begins at s[i].
func skipString(s string, i int) int {
	for i++; i < len(s) && s[i] != '"'; i++ {
		if s[i] == '\\' {
			i++
		}
	}
	return min(i+1, len(s))
}

// skipValue is the end of the value that begins at s[i].
func skipValue(s string, i int) int {
	for depth := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			i = skipString(s, i) - 1
		case '{', '[':
			depth++
			continue
		case '}', ']':
			if depth--; depth < 0 {
				return i
			}
		case ',':
			if depth == 0 {
				return i
			}
			continue
		default:
			continue
		}
		if depth == 0 {
			return i + 1
		}
	}
	return i
}

// elements yields the elements of an array.
func elements(s string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := 1; i < len(s) && s[i] != ']'; {
			end := skipValue(s, i)
			if end == i || !yield(s[i:end]) {
				return
			}
			if i = end; i < len(s) && s[i] == ',' {
				i++
			}
		}
	}
}

func elementOf(s string, n int) (string, bool) {
	for e := range elements(s) {
		if n == 0 {
			return e, true
		}
		n--
	}
	return "", false
}

// memberOf is the value of a key of an object.
func memberOf(s, key string) (string, bool) {
	for i := 1; i < len(s) && s[i] == '"'; {
		colon := skipString(s, i)
		from := min(colon+1, len(s))
		to := skipValue(s, from)
		if sameString(s[i:colon], key) {
			return s[from:to], to > from
		}
		if i = to; i < len(s) && s[i] == ',' {
			i++
		}
	}
	return "", false
}

// sameString tells whether quoted, a JSON string, means plain.
func sameString(quoted, plain string) bool {
	if inner := quoted[1:max(len(quoted)-1, 1)]; strings.IndexByte(inner, '\\') < 0 {
		return inner == plain
	}
	s, ok := unquote(quoted)
	return ok && s == plain
}

// unquote is the meaning of a JSON string; without escapes it shares the text.
func unquote(quoted string) (string, bool) {
	d := scanner{s: quoted}
	return d.str()
}
