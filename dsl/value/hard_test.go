package value

import (
	"fmt"
	"strings"
	"testing"
)

// The hard cases that vm.md counts: what most engines get wrong in silence.
func TestHardCases(t *testing.T) {
	fields := []Field{{Name: "d", Type: optional(DecimalType)}, {Name: "i", Type: optional(IntType)}, {Name: "s", Type: optional(StringType)}}
	decode := func(src string) string {
		vals := make([]V, len(fields))
		if errs := DecodeFields(vals, fields, []byte(src), DecodeOptions{}); errs != nil {
			return errs[0].Error()
		}
		return string(AppendFields(nil, fields, vals))
	}
	round := func(s string) string {
		v, f := RoundD(dec(t, s), 2, HalfEven)
		return fmt.Sprint(decText(v), f)
	}
	add := func(x, y string) string {
		v, f := AddDecimal(dec(t, x), dec(t, y))
		return fmt.Sprint(decText(v), f)
	}
	tests := []struct{ name, got, want string }{
		{"2^53+1", decode(`{"d":9007199254740993,"i":9007199254740993}`), `{"d":9007199254740993,"i":9007199254740993,"s":null}`},
		{"0.1+0.2", add("0.1", "0.2"), "0.3"},
		{"1.50", decode(`{"d":1.50}`), `{"d":1.50,"i":null,"s":null}`},
		{"1e400", decode(`{"d":1e400}`), "d: expected a decimal number of at most 34 digits"},
		{"duplicate key", decode(`{"i":1,"i":2}`), "i: is given twice"},
		{"unknown field", decode(`{"j":1}`), "j: unknown field"},
		{"bad UTF-8", decode("{\"s\":\"\xff\"}"), "invalid UTF-8 (at byte 6)"},
		{"lone surrogate", decode(`{"s":"\ud800"}`), "lone surrogate in a string (at byte 6)"},
		{"half-even ties", round("0.125") + " " + round("0.135") + " " + round("-2.675"), "0.12 0.14 -2.68"},
		{"int overflow", decode(`{"i":9223372036854775808}`), "i: expected a whole number of 64 bits"},
		{"decimal overflow", add(strings.Repeat("9", 34), "1"), "0overflow"},
		{"34 digits and one more", add("1", "0.0000000000000000000000000000000001"), "0inexact"},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, tt.got, tt.want)
		}
	}
}
