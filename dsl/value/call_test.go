package value

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// val reads a test's value of type t from JSON.
func val(t testing.TB, typ *Type, src string) V {
	t.Helper()
	v, errs := DecodeValue(typ, []byte(src), DecodeOptions{})
	if errs != nil {
		t.Fatalf("%s %s: %v", typ, src, errs)
	}
	return v
}

type callCase struct {
	b      Builtin
	info   CallInfo
	args   []any // type, JSON, type, JSON …
	result *Type
	want   string // JSON, or a fault's name
}

func TestCall(t *testing.T) {
	re, insts, err := CompileRegexp(`^[A-Z]{3}$`)
	if err != nil {
		t.Fatal(err)
	}
	path, err := ParsePath([]string{"a.", ".0"})
	if err != nil {
		t.Fatal(err)
	}
	level := &Type{Kind: Enum, Enum: testEnum}
	decList, boolType, intMap := &Type{Kind: List, Elem: DecimalType}, BoolType, &Type{Kind: Map, Key: StringType, Elem: IntType}
	arg := func(t *Type) CallInfo { return CallInfo{Arg: t} }
	optInt, optDec, optString := optional(IntType), optional(DecimalType), optional(StringType)
	tests := []callCase{
		{Len, arg(StringType), []any{StringType, `"é漢a"`}, IntType, `3`},
		{Len, arg(intMap), []any{intMap, `{"a":1}`}, IntType, `1`},
		{Abs, arg(IntType), []any{IntType, `-3`}, IntType, `3`},
		{Abs, arg(IntType), []any{IntType, `-9223372036854775808`}, IntType, `overflow`},
		{Abs, arg(DecimalType), []any{DecimalType, `-3.50`}, DecimalType, `3.50`},
		{Abs, arg(DurationType), []any{DurationType, `"-1h"`}, DurationType, `"1h"`},
		{Min, arg(DecimalType), []any{DecimalType, `1.0`, DecimalType, `1`}, DecimalType, `1.0`},
		{Max, arg(StringType), []any{StringType, `"a"`, StringType, `"b"`}, StringType, `"b"`},
		{Max, arg(level), []any{level, `"EUR"`, level, `"USD"`}, level, `"EUR"`},
		{RoundDecimal, CallInfo{Arg: DecimalType, Mode: HalfEven}, []any{DecimalType, `0.795`, IntType, `2`}, DecimalType, `0.80`},
		{DivDecimal, CallInfo{Arg: DecimalType, Mode: Down}, []any{DecimalType, `1`, DecimalType, `0`, IntType, `2`}, DecimalType, `division_by_zero`},
		{IntOf, arg(DecimalType), []any{DecimalType, `2.5`}, IntType, `not_whole`},
		{DecimalOf, arg(IntType), []any{IntType, `9007199254740993`}, DecimalType, `9007199254740993`},
		{StringOf, arg(DecimalType), []any{DecimalType, `79.50`}, StringType, `"79.50"`},
		{StringOf, arg(optInt), []any{optInt, `null`}, StringType, `"none"`},
		{StringOf, arg(JSONType), []any{JSONType, `{"a": "b"}`}, StringType, `"{\"a\":\"b\"}"`},
		{StringOf, arg(level), []any{level, `"USD"`}, StringType, `"USD"`},
		{StringOf, arg(TimeType), []any{TimeType, `"2026-01-01T00:00:00.500Z"`}, StringType, `"2026-01-01T00:00:00.5Z"`},
		{ParseInt, arg(StringType), []any{StringType, `"12"`}, optInt, `12`},
		{ParseInt, arg(StringType), []any{StringType, `"1e2"`}, optInt, `null`},
		{ParseDecimal, arg(StringType), []any{StringType, `"1.50"`}, optDec, `1.50`},
		{ParseDecimal, arg(StringType), []any{StringType, `" 1"`}, optDec, `null`},
		{Lower, arg(StringType), []any{StringType, `"ÄB"`}, StringType, `"äb"`},
		{Upper, arg(StringType), []any{StringType, `"äb"`}, StringType, `"ÄB"`},
		{Trim, arg(StringType), []any{StringType, `"\u00a0 a\n"`}, StringType, `"a"`},
		{StartsWith, arg(StringType), []any{StringType, `"abc"`, StringType, `"ab"`}, boolType, `true`},
		{EndsWith, arg(StringType), []any{StringType, `"abc"`, StringType, `"ab"`}, boolType, `false`},
		{Contains, arg(StringType), []any{StringType, `"abc"`, StringType, `"b"`}, boolType, `true`},
		{Replace, arg(StringType), []any{StringType, `"aXbX"`, StringType, `"X"`, StringType, `"--"`}, StringType, `"a--b--"`},
		{Replace, arg(StringType), []any{StringType, `"ab"`, StringType, `""`, StringType, `"-"`}, StringType, `"ab"`},
		{Split, arg(StringType), []any{StringType, `"a,b,,"`, StringType, `","`}, stringList, `["a","b","",""]`},
		{Split, arg(StringType), []any{StringType, `"aé漢"`, StringType, `""`}, stringList, `["a","é","漢"]`},
		{Split, arg(StringType), []any{StringType, `""`, StringType, `","`}, stringList, `[""]`},
		{Join, arg(stringList), []any{stringList, `["a","b"]`, StringType, `", "`}, StringType, `"a, b"`},
		{Join, arg(stringList), []any{stringList, `[]`, StringType, `", "`}, StringType, `""`},
		{SliceString, arg(StringType), []any{StringType, `"aé漢b"`, IntType, `1`, IntType, `3`}, StringType, `"é漢"`},
		{SliceString, arg(StringType), []any{StringType, `"abc"`, IntType, `-5`, IntType, `99`}, StringType, `"abc"`},
		{SliceString, arg(StringType), []any{StringType, `"abc"`, IntType, `-9223372036854775808`, IntType, `9223372036854775807`}, StringType, `"abc"`},
		{SliceString, arg(StringType), []any{StringType, `"abc"`, IntType, `2`, IntType, `1`}, StringType, `""`},
		{Matches, CallInfo{Arg: StringType, Regexp: re, Insts: insts}, []any{StringType, `"EUR"`}, boolType, `true`},
		{SliceList, arg(intList), []any{intList, `[1,2,3]`, IntType, `1`, IntType, `9`}, intList, `[2,3]`},
		{SliceList, arg(intList), []any{intList, `[1,2,3]`, IntType, `3`, IntType, `1`}, intList, `[]`},
		{Keys, arg(intMap), []any{intMap, `{"b":1,"a":2}`}, stringList, `["a","b"]`},
		{Values, arg(intMap), []any{intMap, `{"b":1,"a":2}`}, intList, `[2,1]`},
		{Keys, arg(intMap), []any{intMap, `{}`}, stringList, `[]`},
		{Sort, arg(decList), []any{decList, `[3,1.0,1,2]`}, decList, `[1.0,1,2,3]`},
		{Reverse, arg(pairList), []any{pairList, `[{"a":1,"b":"x"},{"a":2,"b":"y"}]`}, pairList, `[{"a":2,"b":"y"},{"a":1,"b":"x"}]`},
		{First, arg(pairList), []any{pairList, `[{"a":1,"b":"x"}]`}, optional(pairType), `{"a":1,"b":"x"}`},
		{Last, arg(intList), []any{intList, `[1,2]`}, optInt, `2`},
		{First, arg(intList), []any{intList, `[]`}, optInt, `null`},
		{Last, arg(intList), []any{intList, `[]`}, optInt, `null`},
		{MinOf, arg(intList), []any{intList, `[3,1,2]`}, optInt, `1`},
		{MaxOf, arg(decList), []any{decList, `[1,3.0,3]`}, optDec, `3.0`},
		{MaxOf, arg(decList), []any{decList, `[]`}, optDec, `null`},
		{SumOf, arg(decList), []any{decList, `[0.1,0.2]`}, DecimalType, `0.3`},
		{SumOf, arg(decList), []any{decList, `[]`}, DecimalType, `0`},
		{SumOf, arg(intList), []any{intList, `[9223372036854775807,1]`}, IntType, `overflow`},
		{SumOf, arg(intList), []any{intList, `[1,2]`}, IntType, `3`},
		{Unique, arg(decList), []any{decList, `[1,2,1.0]`}, decList, `[1,2]`},
		{Unique, arg(decList), []any{decList, `[1,2,3,4,5,6,7,8,9,10,11,12,13,1.0,13.00,14]`}, decList, `[1,2,3,4,5,6,7,8,9,10,11,12,13,14]`},
		{SetOf, CallInfo{Arg: intList, Result: intSet}, []any{intList, `[3,1,3]`}, intSet, `[1,3]`},
		{ListOf, arg(intSet), []any{intSet, `[2,1]`}, intList, `[1,2]`},
		{InList, arg(DecimalType), []any{DecimalType, `1.0`, decList, `[2,1]`}, boolType, `true`},
		{InList, arg(pairType), []any{pairType, `{"a":1,"b":"x"}`, pairList, `[{"a":1,"b":"y"}]`}, boolType, `false`},
		{Concat, arg(intList), []any{intList, `[1]`, intList, `[2]`}, intList, `[1,2]`},
		{Union, arg(intSet), []any{intSet, `[1,3]`, intSet, `[2,3]`}, intSet, `[1,2,3]`},
		{Without, arg(intSet), []any{intSet, `[1,3]`, intSet, `[2,3]`}, intSet, `[1]`},
		{Year, arg(TimeType), []any{TimeType, `"2026-11-24T23:00:00Z"`}, IntType, `2026`},
		{Month, arg(DateType), []any{DateType, `"2026-11-24"`}, IntType, `11`},
		{Day, arg(DateType), []any{DateType, `"2026-11-24"`}, IntType, `24`},
		{Weekday, arg(DateType), []any{DateType, `"2026-11-24"`}, IntType, `2`},
		{Weekday, arg(DateType), []any{DateType, `"1969-12-28"`}, IntType, `7`},
		{DateOf, arg(TimeType), []any{TimeType, `"1969-12-31T23:00:00Z"`}, DateType, `"1969-12-31"`},
		{AddDays, arg(DateType), []any{DateType, `"2026-12-31"`, IntType, `1`}, DateType, `"2027-01-01"`},
		{AddDays, arg(DateType), []any{DateType, `"9999-12-31"`, IntType, `1`}, DateType, `overflow`},
		{AddMonths, arg(DateType), []any{DateType, `"2026-01-31"`, IntType, `1`}, DateType, `"2026-02-28"`},
		{DaysBetween, arg(DateType), []any{DateType, `"2026-01-01"`, DateType, `"2026-02-01"`}, IntType, `31`},
		{AddTime, arg(TimeType), []any{TimeType, `"9999-12-31T23:59:59Z"`, DurationType, `"1s"`}, TimeType, `overflow`},
		{AddTime, arg(TimeType), []any{TimeType, `"9999-12-31T00:00:00Z"`, DurationType, `"1s"`}, TimeType, `"9999-12-31T00:00:01Z"`},
		{SubTime, arg(TimeType), []any{TimeType, `"2026-01-01T00:00:00Z"`, DurationType, `"1ns"`}, TimeType, `"2025-12-31T23:59:59.999999999Z"`},
		{DiffTime, arg(TimeType), []any{TimeType, `"2026-01-01T00:00:00Z"`, TimeType, `"2026-01-01T01:30:00Z"`}, DurationType, `"-1h30m"`},
		{DiffTime, arg(TimeType), []any{TimeType, `"9999-01-01T00:00:00Z"`, TimeType, `"2026-01-01T01:30:00Z"`}, DurationType, `overflow`},
		{NthUUID, arg(UUIDType), []any{UUIDType, `"6ba7b810-9dad-11d1-80b4-00c04fd430c8"`, IntType, `1`}, UUIDType, `"afd0b036-625a-3aa8-b639-9dc8c8fff0ff"`},
		{JSONPath, CallInfo{Arg: JSONType, Path: path}, []any{JSONType, `{"a":{"x.y":[5]}}`, StringType, `"x.y"`}, JSONType, `5`},
		{JSONKey, arg(JSONType), []any{JSONType, `{"a.b":1,"a":{"b":2}}`, StringType, `"a.b"`}, JSONType, `1`},
		{JSONKey, arg(JSONType), []any{JSONType, `{"\u0022":1}`, StringType, `"\""`}, JSONType, `1`},
		{JSONKey, arg(JSONType), []any{JSONType, `[1]`, StringType, `"0"`}, JSONType, `null`},
		{JSONKey, arg(JSONType), []any{JSONType, `null`, StringType, `"a"`}, JSONType, `null`},
		{JSONIndex, arg(JSONType), []any{JSONType, `[1,[2,3],"]"]`, IntType, `2`}, JSONType, `"]"`},
		{JSONIndex, arg(JSONType), []any{JSONType, `[1]`, IntType, `-1`}, JSONType, `null`},
		{JSONIndex, arg(JSONType), []any{JSONType, `[]`, IntType, `0`}, JSONType, `null`},
		{JSONIndex, arg(JSONType), []any{JSONType, `[1]`, IntType, `9223372036854775807`}, JSONType, `null`},
		{AsInt, arg(JSONType), []any{JSONType, `9007199254740993`}, optInt, `9007199254740993`},
		{AsInt, arg(JSONType), []any{JSONType, `1e2`}, optInt, `100`},
		{AsInt, arg(JSONType), []any{JSONType, `1.5`}, optInt, `null`},
		{AsInt, arg(JSONType), []any{JSONType, `"1"`}, optInt, `null`},
		{AsInt, arg(JSONType), []any{JSONType, `1e400`}, optInt, `null`},
		{AsInt, arg(JSONType), []any{JSONType, `null`}, optInt, `null`},
		{AsDecimal, arg(JSONType), []any{JSONType, `1.50`}, optDec, `1.50`},
		{AsDecimal, arg(JSONType), []any{JSONType, `true`}, optDec, `null`},
		{AsString, arg(JSONType), []any{JSONType, `"\u00e9\n"`}, optString, `"é\n"`},
		{AsString, arg(JSONType), []any{JSONType, `5`}, optString, `null`},
		{AsBool, arg(JSONType), []any{JSONType, `true`}, optional(BoolType), `true`},
		{AsBool, arg(JSONType), []any{JSONType, `false`}, optional(BoolType), `false`},
		{AsBool, arg(JSONType), []any{JSONType, `"true"`}, optional(BoolType), `null`},
		{AsList, arg(JSONType), []any{JSONType, `[1, [2], {"a": "],"}]`}, optional(jsonList), `[1,[2],{"a":"],"}]`},
		{AsList, arg(JSONType), []any{JSONType, `[]`}, optional(jsonList), `[]`},
		{AsList, arg(JSONType), []any{JSONType, `{}`}, optional(jsonList), `null`},
		{ToJSON, arg(StringType), []any{StringType, `"a\"b"`}, JSONType, `"a\"b"`},
		{ToJSON, arg(DecimalType), []any{DecimalType, `1.50`}, JSONType, `1.50`},
		{ToJSON, arg(BoolType), []any{BoolType, `true`}, JSONType, `true`},
		{ToJSON, arg(jsonList), []any{jsonList, `[1,null]`}, JSONType, `[1,null]`},
		{ToJSON, arg(&Type{Kind: Map, Key: StringType, Elem: JSONType}), []any{&Type{Kind: Map, Key: StringType, Elem: JSONType}, `{"b":[1],"a":null}`}, JSONType, `{"a":null,"b":[1]}`},
		{ToJSON, arg(optInt), []any{optInt, `null`}, JSONType, `null`},
	}
	seen := map[Builtin]bool{SortBy: true} // TestSortBy
	for _, tt := range tests {
		t.Run(tt.b.String(), func(t *testing.T) { runCall(t, tt) })
		seen[tt.b] = true
	}
	for b := BuiltinNone + 1; b < builtinEnd; b++ {
		if !seen[b] {
			t.Errorf("%s has no case", b)
		}
	}
}

func runCall(t *testing.T, tt callCase) {
	var args []V
	for i := 0; i < len(tt.args); i += 2 {
		args = append(args, val(t, tt.args[i].(*Type), tt.args[i+1].(string)))
	}
	if cost := Cost(tt.b, &tt.info, args); cost < 0 || cost > 200 {
		t.Errorf("%v: costs %d", tt.args, cost)
	}
	got, f := Call(tt.b, &tt.info, args)
	text := f.String()
	if f == NoFault {
		text = string(AppendJSON(nil, tt.result, got))
	}
	want := tt.want
	if tt.b == NthUUID { // computed by the library: only its shape is of interest here
		want = string(AppendJSON(nil, UUIDType, DeriveUUID(args[0].UUID(), 1)))
		if text[15] != '5' || text == string(AppendJSON(nil, UUIDType, DeriveUUID(args[0].UUID(), 2))) {
			t.Errorf("no UUIDv5, or the same for another n: %s", text)
		}
	}
	if text != want {
		t.Errorf("%v: got %s, want %s", tt.args[1:], text, want)
	}
}

func TestSortBy(t *testing.T) {
	rows := &Type{Kind: List, Elem: pairType} // two keys a row, an int and a string
	keys := val(t, rows, `[{"a":2,"b":"x"},{"a":1,"b":"y"},{"a":2,"b":"z"},{"a":1,"b":"y"}]`)
	list := val(t, stringList, `["p","q","r","s"]`)
	info := CallInfo{Arg: stringList, Keys: []*Type{IntType, StringType}, Desc: 0b10}
	got, f := Call(SortBy, &info, []V{list, keys})
	if text := listText(stringList, got); f != NoFault || text != `["q","s","r","p"]` {
		t.Errorf("got %s %s", text, f)
	}
	if c := Cost(SortBy, &info, []V{list, keys}); c < 8 {
		t.Errorf("costs %d", c)
	}
}

// Gas follows the data: what does ten times the work costs about ten times as much.
func TestCostGrows(t *testing.T) {
	long, longer := MakeString(strings.Repeat("a", 1600)), MakeString(strings.Repeat("a", 16000))
	sep, big := MakeString("a"), MakeString(strings.Repeat("b", 160))
	list := func(n int) V {
		b := NewBuilder(stringList, n)
		for range n {
			b.Append(big)
		}
		return b.Done()
	}
	tests := []struct {
		b          Builtin
		t          *Type
		less, more []V
		least      int64
	}{
		{Lower, StringType, []V{long}, []V{longer}, 100},
		{Matches, StringType, []V{long}, []V{longer}, 1000},
		{Replace, StringType, []V{long, sep, big}, []V{longer, sep, big}, 16000},
		{Split, StringType, []V{long, sep}, []V{longer, sep}, 1600},
		{Join, stringList, []V{list(10), sep}, []V{list(100), sep}, 100},
		{Sort, stringList, []V{list(10)}, []V{list(100)}, 100},
		{Unique, stringList, []V{list(10)}, []V{list(100)}, 100},
		{ToJSON, StringType, []V{long}, []V{longer}, 100},
		{AsList, JSONType, []V{long}, []V{longer}, 100},
		{InList, StringType, []V{big, list(10)}, []V{big, list(100)}, 100},
		{Concat, stringList, []V{list(100), list(10)}, []V{list(1000), list(100)}, 16},
	}
	for _, tt := range tests {
		info := &CallInfo{Arg: tt.t, Insts: 20}
		less, more := Cost(tt.b, info, tt.less), Cost(tt.b, info, tt.more)
		if less < tt.least || more < 9*less || more > 20*less {
			t.Errorf("%s: costs %d and %d", tt.b, less, more)
		}
	}
}

func TestBuiltinNames(t *testing.T) {
	for b := BuiltinNone + 1; b < builtinEnd; b++ {
		if got, ok := ParseBuiltin(b.String()); !ok || got != b || !b.Valid() {
			t.Errorf("%d: %q is %d", b, b, got)
		}
	}
	if builtinEnd.Valid() || BuiltinNone.Valid() || Builtin(255).String() != "none" {
		t.Error("what is no builtin")
	}
}

func TestCompileRegexp(t *testing.T) {
	if _, _, err := CompileRegexp("("); err == nil {
		t.Error("a bad pattern compiles")
	}
	if _, _, err := CompileRegexp(strings.Repeat("a{1000}", 12)); err == nil || !strings.Contains(err.Error(), "instructions") {
		t.Errorf("got %v", err)
	}
}

func TestSplitJoin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, sep := drawString(t), rapid.SampledFrom([]string{"", "a", ".", "ab"}).Draw(t, "sep")
		if got := joinStrings(splitString(stringList, s, sep), sep); got != s {
			t.Fatalf("%q by %q: got %q", s, sep, got)
		}
		runes := []rune(s)
		from, to := rapid.IntRange(-2, 8).Draw(t, "from"), rapid.IntRange(-2, 8).Draw(t, "to")
		want := ""
		if f, e := max(from, 0), min(to, len(runes)); f < e {
			want = string(runes[f:e])
		}
		if got := sliceString(s, int64(from), int64(to)); got != want {
			t.Fatalf("slice(%q, %d, %d): got %q, want %q", s, from, to, got, want)
		}
	})
}
