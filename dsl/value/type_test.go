package value

import (
	"strings"
	"testing"
)

func TestSame(t *testing.T) {
	other := &Type{Kind: Enum, Enum: &EnumType{Name: "Currency", Members: testEnum.Members}}
	one := &Type{Kind: Enum, Enum: testEnum}
	bounded := &Type{Kind: List, Elem: &Type{Kind: Int}, Bound: 5}
	tests := []struct {
		a, b *Type
		want bool
	}{
		{intList, bounded, true}, {one, &Type{Kind: Enum, Enum: testEnum, Bound: 1}, true}, {one, other, false}, {intList, intSet, false},
		{pairMap, &Type{Kind: Map, Key: StringType, Elem: pairType}, false}, {pairMap, &Type{Kind: Map, Key: IntType, Elem: pairType}, true},
		{optional(IntType), optional(DecimalType), false}, {lineType, pairType, false}, {JSONType, &Type{Kind: JSON}, true},
	}
	for _, tt := range tests {
		if got := Same(tt.a, tt.b); got != tt.want || Same(tt.b, tt.a) != tt.want {
			t.Errorf("%s and %s: got %v", tt.a, tt.b, got)
		}
	}
}

func TestNames(t *testing.T) {
	for f := NoFault + 1; f < faultCount; f++ {
		if got, ok := ParseFault(f.String()); !ok || got != f {
			t.Errorf("%s", f)
		}
	}
	for m := range modeCount {
		if got, ok := ParseMode(m.String()); !ok || got != m {
			t.Errorf("%s", m)
		}
	}
	if _, ok := ParseFault(""); ok {
		t.Error("no fault has no name")
	}
	if Kind(200).String() != "invalid" || Map.String() != "map" {
		t.Error("kinds")
	}
}

// Every type says what it wants instead of a value of the wrong kind.
func TestWanted(t *testing.T) {
	many := &EnumType{Name: "Many"}
	for range 30 {
		many.Members = append(many.Members, Member{"m", "m"})
	}
	tests := []struct {
		t         *Type
		src, want string
	}{
		{BoolType, `1`, "expected true or false (at byte 0)"}, {IntType, `true`, "expected a whole number of 64 bits (at byte 0)"},
		{DecimalType, `[]`, "expected a decimal number of at most 34 digits (at byte 0)"}, {StringType, `1`, "expected a string (at byte 0)"},
		{DateType, `"2026-02-30"`, `expected a date such as "2026-01-31" (at byte 0)`}, {DurationType, `"1.5h"`, `expected a duration such as "1h30m" (at byte 0)`},
		{UUIDType, ` "x"`, "expected a uuid (at byte 1)"}, {intList, `{}`, "expected an array (at byte 0)"}, {intSet, `{}`, "expected an array (at byte 0)"},
		{pairMap, `[]`, "expected an object (at byte 0)"}, {pairType, `null`, "expected an object (at byte 0)"}, {intSet, `[1,"x"]`, "[1]: expected a whole number of 64 bits"},
		{&Type{Kind: Enum, Enum: many}, `"x"`, "expected one of " + strings.Repeat(`"m", `, 19) + `"m", … (30 in all) (at byte 0)`},
		{pairMap, `{"1":{"a":1}}`, `["1"].b: is required`}, {pairMap, `{"1":{"a":1,"b":"x"},}`, "expected a key in quotes (at byte 21)"},
		{intList, `[1 2]`, "expected , or ] (at byte 3)"}, {intSet, `[1`, "expected , or ] (at byte 2)"}, {BoolType, `trux`, "expected a value (at byte 0)"},
		{JSONType, `{"a":[1,}`, "expected a value (at byte 8)"}, {JSONType, `"\u00g0"`, `bad \u escape in a string (at byte 1)`}, {JSONType, `"\`, "string without an end (at byte 1)"},
		{JSONType, `"\n`, "string without an end (at byte 3)"}, {JSONType, "\"\\n\x01\"", "control character in a string (at byte 3)"}, {JSONType, `{"a" 1}`, "expected : (at byte 5)"},
		{JSONType, `-`, "bad number (at byte 0)"}, {JSONType, `1.`, "bad number (at byte 0)"}, {JSONType, `1e`, "bad number (at byte 0)"}, {IntType, `-a`, "bad number (at byte 0)"},
	}
	for _, tt := range tests {
		_, errs := DecodeValue(tt.t, []byte(tt.src), DecodeOptions{})
		if len(errs) == 0 || errs[0].Error() != tt.want {
			t.Errorf("%s %s: got %v, want %s", tt.t, tt.src, errs, tt.want)
		}
	}
}

func TestContainerCosts(t *testing.T) {
	v := V{}
	for i := range int64(160) {
		v = MapSet(pairMap, v, MakeInt(i), pair(i))
	}
	if CopyCost(pairMap, v) != 30 || CopyCost(intList, ints(1)) != 0 || FindCost(v) != 8 {
		t.Errorf("got %d %d %d", CopyCost(pairMap, v), CopyCost(intList, ints(1)), FindCost(v))
	}
	if i, ok := MapFind(pairMap, v, MakeInt(7)); i != 7 || !ok {
		t.Errorf("got %d %v", i, ok)
	}
}
