package value

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// decode(encode(x)) = x, and the text is stable.
func TestJSONComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fields := drawFields(t, 3)
		vals := drawFieldValues(t, fields)
		enc := Encoder{NumbersAsStrings: rapid.Bool().Draw(t, "strings")}
		text := enc.AppendFields(nil, fields, vals)
		if !json.Valid(text) {
			t.Fatalf("no JSON: %s", text)
		}
		var arena *Arena
		if rapid.Bool().Draw(t, "arena") {
			arena = new(Arena)
		}
		got := make([]V, len(fields))
		src := bytes.Clone(text)
		if errs := DecodeFields(got, fields, src, DecodeOptions{Arena: arena}); errs != nil {
			t.Fatalf("%s: %v", text, errs)
		}
		clear(src) // nothing may be shared with it
		for i := range fields {
			if !Equal(fields[i].Type, got[i], vals[i]) {
				t.Fatalf("field %d of %s differs", i, text)
			}
		}
		if again := enc.AppendFields(nil, fields, got); !bytes.Equal(again, text) {
			t.Fatalf("got %s, want %s", again, text)
		}
	})
}

// A document with its keys in another order and with white space means the same.
func TestJSONOrderAndSpace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fields := drawFields(t, 2)
		vals := drawFieldValues(t, fields)
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 3))
		var parts []string
		for _, i := range r.Perm(len(fields)) {
			parts = append(parts, fmt.Sprintf("%q\n:\t%s ", fields[i].Name, AppendJSON(nil, fields[i].Type, vals[i])))
		}
		src := " {" + strings.Join(parts, ", ") + "}\r\n"
		got := make([]V, len(fields))
		if errs := DecodeFields(got, fields, []byte(src), DecodeOptions{}); errs != nil {
			t.Fatalf("%s: %v", src, errs)
		}
		want := AppendFields(nil, fields, vals)
		if text := AppendFields(nil, fields, got); !bytes.Equal(text, want) {
			t.Fatalf("got %s, want %s", text, want)
		}
	})
}

func optional(t *Type) *Type { return &Type{Kind: Optional, Elem: t} }

var (
	lineType = &Type{Kind: Record, Record: &RecordType{Name: "Line", Fields: []Field{
		{Name: "sku", Type: &Type{Kind: String, Bound: 5}},
		{Name: "qty", Type: IntType},
		{Name: "note", Type: optional(StringType)},
	}}}
	orderFields = []Field{
		{Name: "amount", Type: DecimalType},
		{Name: "count", Type: IntType, HasDefault: true, Default: MakeInt(7)},
		{Name: "lines", Type: &Type{Kind: List, Elem: lineType, Bound: 3}, HasDefault: true},
		{Name: "stock", Type: &Type{Kind: Map, Key: StringType, Elem: IntType}, HasDefault: true},
		{Name: "slots", Type: &Type{Kind: Map, Key: IntType, Elem: BoolType}, HasDefault: true},
		{Name: "tags", Type: &Type{Kind: Set, Elem: StringType, Bound: 2}, HasDefault: true},
		{Name: "at", Type: optional(TimeType)},
		{Name: "currency", Type: &Type{Kind: Enum, Enum: testEnum}, HasDefault: true},
		{Name: "extra", Type: JSONType, HasDefault: true},
		{Name: "ok", Type: BoolType, HasDefault: true},
		{Name: "ids", Type: &Type{Kind: Map, Key: UUIDType, Elem: IntType}, HasDefault: true},
	}
)

func decodeOrder(src string, opt DecodeOptions) (string, string) {
	vals := make([]V, len(orderFields))
	errs := DecodeFields(vals, orderFields, []byte(src), opt)
	var all []string
	for _, e := range errs {
		all = append(all, e.Error())
	}
	if errs != nil {
		return "", strings.Join(all, "\n")
	}
	return string(AppendFields(nil, orderFields, vals)), ""
}

func TestDecodeAccepts(t *testing.T) {
	tests := []struct{ name, src, want string }{
		{"defaults", `{"amount":1}`, `{"amount":1,"count":7,"lines":[],"stock":{},"slots":{},"tags":[],"at":null,"currency":"USD","extra":null,"ok":false,"ids":{}}`},
		{"scale kept", `{"amount":1.50}`, `"amount":1.50,`},
		{"2^53+1", `{"amount":9007199254740993,"count":9007199254740993}`, `{"amount":9007199254740993,"count":9007199254740993,`},
		{"0.10", `{"amount":0.10}`, `"amount":0.10,`},
		{"exponent", `{"amount":1e2,"count":1e2}`, `{"amount":100,"count":100,`},
		{"negative exponent", `{"amount":125e-2,"count":10e-1}`, `{"amount":1.25,"count":1,`},
		{"whole", `{"amount":1,"count":1.0}`, `"count":1,`},
		{"strings", `{"amount":"1.50","count":"12"}`, `{"amount":1.50,"count":12,`},
		{"least int", `{"amount":0,"count":-9223372036854775808}`, `"count":-9223372036854775808,`},
		{"no negative zero", `{"amount":-0.0}`, `"amount":0.0,`},
		{"map order", `{"amount":0,"stock":{"b":2,"a":1},"slots":{"10":true,"-1":false,"9":true}}`, `"stock":{"a":1,"b":2},"slots":{"-1":false,"9":true,"10":true}`},
		{"repeated member", `{"amount":0,"tags":["b","a","b"]}`, `"tags":["a","b"]`},
		{"offset", `{"amount":0,"at":"2026-01-01T02:00:00.120+02:00"}`, `"at":"2026-01-01T00:00:00.12Z"`},
		{"escapes", `{"amount":0,"tags":["\u0041\n\u00e9\ud83d\ude00\/"],"\u0063ount":1}`, `"count":1,"lines":[],"stock":{},"slots":{},"tags":["A\né😀/"]`},
		{"NUL", `{"amount":0,"tags":["\u0000"]}`, `"tags":["\u0000"]`},
		{"wire name", `{"amount":0,"currency":"EUR"}`, `"currency":"EUR"`},
		{"json keeps digits and order", `{"amount":0,"extra": {"b": [1.50, 1E5], "a" : "\u0041\u0022"} }`, `"extra":{"b":[1.50,1E5],"a":"A\""}`},
		{"upper case uuid", `{"amount":0,"ids":{"AAAAAAAA-0000-0000-0000-000000000001":1}}`, `"ids":{"aaaaaaaa-0000-0000-0000-000000000001":1}`},
		{"records", `{"amount":0,"lines":[{"sku":"ééééé","qty":1,"note":null},{"qty":2,"sku":"b","note":"n"}]}`, `"lines":[{"sku":"ééééé","qty":1,"note":null},{"sku":"b","qty":2,"note":"n"}]`},
		{"any key order", `{"ok":true,"amount":3,"count":1}`, `{"amount":3,"count":1,`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, errs := decodeOrder(tt.src, DecodeOptions{})
			if errs != "" || !strings.Contains(got, tt.want) {
				t.Errorf("got %s %s, want %s", got, errs, tt.want)
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	deep := strings.Repeat("[", 64) + strings.Repeat("]", 64)
	tests := []struct{ name, src, want string }{
		{"missing", `{}`, "amount: is required"},
		{"1e400", `{"amount":1e400}`, "amount: expected a decimal number of at most 34 digits"},
		{"too fine", `{"amount":1e-35}`, "amount: expected a decimal number of at most 34 digits"},
		{"duplicate", `{"amount":1,"amount":1}`, "amount: is given twice"},
		{"escaped duplicate", `{"amount":1,"\u0061mount":1}`, "amount: is given twice"},
		{"unknown", `{"amount":1,"amont":2}`, "amont: unknown field"},
		{"odd unknown", `{"amount":1,"a b":2}`, `["a b"]: unknown field`},
		{"unknown inside", `{"amount":1,"lines":[{"sku":"a","qty":1,"q":1}]}`, "lines[0].q: unknown field"},
		{"null", `{"amount":null}`, "amount: expected a decimal number of at most 34 digits"},
		{"null with default", `{"amount":1,"count":null}`, "count: expected a whole number of 64 bits"},
		{"not whole", `{"amount":1,"count":1.5}`, "count: expected a whole number of 64 bits"},
		{"out of range", `{"amount":1,"count":9223372036854775808}`, "count: expected a whole number of 64 bits"},
		{"exponent in a string", `{"amount":"1e2"}`, "amount: expected a decimal number of at most 34 digits"},
		{"plus in a string", `{"amount":"+1"}`, "amount: expected a decimal number of at most 34 digits"},
		{"space in a string", `{"amount":" 1"}`, "amount: expected a decimal number of at most 34 digits"},
		{"string bound", `{"amount":1,"lines":[{"sku":"éééééé","qty":1}]}`, "lines[0].sku: has more than 5 characters"},
		{"list bound", `{"amount":1,"lines":[{"sku":"","qty":1},{"sku":"","qty":1},{"sku":"","qty":1},{"sku":"","qty":1}]}`, "lines: has more than 3 elements"},
		{"set bound", `{"amount":1,"tags":["a","b","c"]}`, "tags: has more than 2 elements"},
		{"map key", `{"amount":1,"slots":{"01":true}}`, `slots["01"]: expected as key a whole number of 64 bits`},
		{"map key with exponent", `{"amount":1,"slots":{"1.0":true}}`, `slots["1.0"]: expected as key a whole number of 64 bits`},
		{"map value", `{"amount":1,"stock":{"silver":"x"}}`, `stock["silver"]: expected a whole number of 64 bits`},
		{"map twice", `{"amount":1,"stock":{"a":1,"b":2,"a":3}}`, `stock["a"]: is given twice`},
		{"map twice, canonical", `{"amount":1,"ids":{"AAAAAAAA-0000-0000-0000-000000000001":1,"aaaaaaaa-0000-0000-0000-000000000001":2}}`, `ids["aaaaaaaa-0000-0000-0000-000000000001"]: is given twice`},
		{"member", `{"amount":1,"currency":"usd"}`, `currency: expected one of "USD", "EUR", "q\"x"`},
		{"time", `{"amount":1,"at":"2026-13-01T00:00:00Z"}`, `at: expected a time such as "2026-01-31T10:00:00Z"`},
		{"json duplicate", `{"amount":1,"extra":{"a":{"x":1,"y":2,"x":3}}}`, `extra: repeated key "x"`},
		{"deep", `{"amount":1,"extra":` + deep + `}`, "nested more than 64 deep (at byte 83)"},
		{"surrogate", `{"amount":1,"tags":["\ud800"]}`, "lone surrogate in a string (at byte 21)"},
		{"surrogate pair", `{"amount":1,"tags":["\ud800\u0041"]}`, "lone surrogate in a string (at byte 21)"},
		{"low surrogate", `{"amount":1,"tags":["\udc00"]}`, "lone surrogate in a string (at byte 21)"},
		{"UTF-8", "{\"amount\":1,\"tags\":[\"\xff\"]}", "invalid UTF-8 (at byte 21)"},
		{"control", "{\"amount\":1,\"tags\":[\"\n\"]}", "control character in a string (at byte 21)"},
		{"escape", `{"amount":1,"tags":["\x"]}`, "unknown escape in a string (at byte 21)"},
		{"trailing", `{"amount":1} x`, "unexpected text after the value (at byte 13)"},
		{"trailing comma", `{"amount":1,}`, "expected a key in quotes (at byte 12)"},
		{"leading zero", `{"amount":01}`, "bad number (at byte 10)"},
		{"NaN", `{"amount":NaN}`, "expected a value (at byte 10)"},
		{"no end", `{"amount":1`, "expected , or } (at byte 11)"},
		{"empty", ``, "unexpected end (at byte 0)"},
		{"array", `[1]`, "expected an object (at byte 0)"},
		{"syntax wins", `{"amont":1,"count":"x",`, "expected a key in quotes (at byte 23)"},
		{"order of errors", `{"count":"x","amont":{"a":1,"a":2},"lines":[{"z":1,"qty":true},5],"at":1,"at":1}`,
			"amont: repeated key \"a\"\nat: is given twice\namont: unknown field\nlines[0].z: unknown field\namount: is required\ncount: expected a whole number of 64 bits\n" +
				"lines[0].sku: is required\nlines[0].qty: expected a whole number of 64 bits\nlines[1]: expected an object\nat: expected a time such as \"2026-01-31T10:00:00Z\""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, errs := decodeOrder(tt.src, DecodeOptions{}); errs != tt.want {
				t.Errorf("got %s\n%s\nwant\n%s", got, errs, tt.want)
			}
		})
	}
}

func TestDecodeOptions(t *testing.T) {
	var name string
	opt := DecodeOptions{Ignore: "type", Ignored: &name}
	if _, errs := decodeOrder(`{"type":"with\u0064raw","amount":1}`, opt); errs != "" || name != "withdraw" {
		t.Errorf("got %q %s", name, errs)
	}
	if _, errs := decodeOrder(`{"type":1,"amount":1}`, opt); errs != "type: expected a string" {
		t.Errorf("got %s", errs)
	}
	if _, errs := decodeOrder(`{"type":"a","amount":1,"type":"b"}`, opt); errs != "type: is given twice" {
		t.Errorf("got %s", errs)
	}
	loose := DecodeOptions{AllowUnknown: true}
	if _, errs := decodeOrder(`{"x":{"y":[1,{}]},"amount":1,"z":2}`, loose); errs != "" {
		t.Errorf("got %s", errs)
	}
	if _, errs := decodeOrder(`{"x":1,"amount":1,"x":2}`, loose); errs != `repeated key "x" (at byte 24)` {
		t.Errorf("got %s", errs)
	}
}

func TestDecodeManyErrors(t *testing.T) {
	fields := []Field{{Name: "xs", Type: &Type{Kind: List, Elem: IntType}}}
	src := `{"xs":[` + strings.Repeat(`"x",`, 5000) + `1]}`
	if errs := DecodeFields(make([]V, 1), fields, []byte(src), DecodeOptions{}); len(errs) != maxErrors || errs[99].Path != "xs[99]" {
		t.Errorf("got %d errors", len(errs))
	}
}

func TestDecodeManyFields(t *testing.T) {
	fields := make([]Field, 600)
	var b strings.Builder
	for i := range fields {
		fields[i] = Field{Name: fmt.Sprintf("f%d", i), Type: IntType}
		fmt.Fprintf(&b, `,"f%d":%d`, i, i)
	}
	src := "{" + b.String()[1:] + "}"
	vals := make([]V, 600)
	if errs := DecodeFields(vals, fields, []byte(src), DecodeOptions{}); errs != nil || vals[599].Int() != 599 {
		t.Fatal(errs)
	}
	src = src[:len(src)-1] + `,"f599":1}`
	if errs := DecodeFields(vals, fields, []byte(src), DecodeOptions{}); len(errs) != 1 || errs[0].Kind != RepeatedKey {
		t.Fatal(errs)
	}
}

func TestPeekType(t *testing.T) {
	tests := []struct{ src, want, err string }{
		{`{"type":"withdraw","amount":75}`, "withdraw", ""},
		{` { "amount" : [1,{"type":"no"}], "type" : "a\u0062" } `, "ab", ""},
		{`{"amount":1}`, "", "type: is required"},
		{`{"type":5}`, "", "type: expected a string"},
		{`{}`, "", "type: is required"},
		{`[]`, "", "expected an object (at byte 0)"},
		{`{"a":01,"type":"x"}`, "", "bad number (at byte 5)"},
		{`{"a`, "", "string without an end (at byte 3)"},
		{"\xff", "", "invalid UTF-8 (at byte 0)"},
	}
	for _, tt := range tests {
		got, err := PeekType([]byte(tt.src))
		text := ""
		if err != nil {
			text = err.Error()
		}
		if got != tt.want || text != tt.err {
			t.Errorf("%s: got %q %s, want %q %s", tt.src, got, text, tt.want, tt.err)
		}
	}
}

func TestCanonicalJSON(t *testing.T) {
	same := [][]string{
		{`{"a":1,"b":[true,null]}`, ` { "b" : [ true , null ] , "\u0061" : 1.0 } `, `{"a":10e-1,"b":[true,null]}`},
		{`100`, `1e2`, `100.00`, `1000E-1`},
		{`0`, `-0`, `0.000`, `0e99999`},
		{`1e400`, `10e399`, `0.1e401`, `1000.00e+397`},
		{`-1.5e-40`, `-15e-41`, `-0.15E-39`},
		{`"a/é"`, `"\u0061\/\u00e9"`},
		{`{"z":{"b":1,"a":2},"":0}`, `{"":0,"z":{"a":2,"b":1}}`},
	}
	seen := map[string]int{}
	for i, class := range same {
		for _, src := range class {
			got, err := CanonicalJSON([]byte("x"), []byte(src))
			if err != nil {
				t.Fatalf("%s: %v", src, err)
			}
			if first, is := seen[string(got)]; is && first != i {
				t.Errorf("%s: %s is also of class %d", src, got, first)
			}
			seen[string(got)] = i
			if !json.Valid(got[1:]) {
				t.Errorf("%s: %s is no JSON", src, got)
			}
		}
	}
	if len(seen) != len(same) {
		t.Errorf("got %d forms, want %d: %v", len(seen), len(same), seen)
	}
	for _, src := range []string{`{"a":1,"a":1}`, `[1,]`, `1e1000000000`, `{"a":{"b":1,"c":2,"b":1}}`, strings.Repeat("[", 65) + strings.Repeat("]", 65), "\"\xc3\"", `tru`, ``} {
		var fe *FieldError
		if got, err := CanonicalJSON(nil, []byte(src)); !errors.As(err, &fe) {
			t.Errorf("%q: got %s %v", src, got, err)
		}
		if got, err := CompactJSON(nil, []byte(src)); !errors.As(err, &fe) {
			t.Errorf("%q: got %s %v", src, got, err)
		}
	}
}

func TestJSONEquality(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := makeJSON(drawJSON(t, 3)), makeJSON(drawJSON(t, 3))
		ca, err := CanonicalJSON(nil, []byte(JSONText(a)))
		if err != nil {
			t.Fatal(err)
		}
		back, err := CanonicalJSON(nil, ca)
		if err != nil || !bytes.Equal(back, ca) {
			t.Fatalf("%s is not canonical: %s %v", ca, back, err)
		}
		if !EqualJSON(a, makeJSON(string(ca))) {
			t.Fatalf("%s does not equal its canonical form %s", JSONText(a), ca)
		}
		cb, _ := CanonicalJSON(nil, []byte(JSONText(b)))
		if EqualJSON(a, b) != bytes.Equal(ca, cb) || EqualJSON(a, b) != EqualJSON(b, a) {
			t.Fatalf("equality of %s and %s", JSONText(a), JSONText(b))
		}
		compact, err := CompactJSON(nil, []byte(JSONText(a)))
		if err != nil || string(compact) != JSONText(a) {
			t.Fatalf("compact %s: %s %v", JSONText(a), compact, err)
		}
	})
}

// Eight bytes at a time find what one at a time does.
func TestPlainEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := string(rapid.SliceOf(rapid.OneOf(rapid.Byte(), rapid.SampledFrom([]byte("ab \"\\\x1f\x00\x7f\x80\xa2\xdc!#[]")))).Draw(t, "s"))
		i := rapid.IntRange(0, len(s)).Draw(t, "i")
		want := i
		for want < len(s) && plainByte(s[want]) {
			want++
		}
		if got := plainEnd(s, i); got != want {
			t.Fatalf("%q from %d: got %d, want %d", s, i, got, want)
		}
	})
}
