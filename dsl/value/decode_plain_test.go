package value

import (
	"strings"
	"testing"
)

var plainFields = []Field{
	{Name: "amount", Type: DecimalType},
	{Name: "count", Type: IntType},
	{Name: "note", Type: &Type{Kind: String, Bound: 8}},
}

// wideFields hold a value of every kind.
var wideFields = []Field{
	{Name: "o", Type: &Type{Kind: Optional, Elem: StringType}},
	{Name: "b", Type: BoolType},
	{Name: "e", Type: &Type{Kind: Enum, Enum: testEnum}},
	{Name: "t", Type: TimeType},
	{Name: "m", Type: &Type{Kind: Map, Key: StringType, Elem: &Type{Kind: List, Elem: holdType, Bound: 2}}},
	{Name: "s", Type: &Type{Kind: Set, Elem: IntType}},
	{Name: "i", Type: &Type{Kind: Map, Key: IntType, Elem: IntType}},
	{Name: "j", Type: JSONType},
}

// What plain takes the decoder takes too, with the same values; for some sources plain must do.
func TestPlain(t *testing.T) {
	tests := []struct {
		src   string
		plain bool
	}{
		{`{"amount":75.25,"count":3,"note":"rent"}`, true},
		{` { "amount" :1,"count":2,"note":"" } `, false}, // a space before the colon is not usual
		{` { "amount": -0.50 , "count": -2,"note":"a b"}` + "\n", true},
		{`{"type":"pay","amount":1,"count":2,"note":"12345678"}`, true},
		{`{"type":"p\u0061y","amount":1,"count":2,"note":"x"}`, false},
		{`{"type":"pay"}`, false},
		{`{"amount":1,"count":2,"note":"123456789"}`, false},
		{`{"amount":1,"count":2,"note":"éééééééé"}`, true},
		{`{"amount":1,"count":2,"note":"ééééééééé"}`, false},
		{"{\"amount\":1,\"count\":2,\"note\":\"\xff\"}", false},
		{`{"amount":1,"count":2,"note":"\n"}`, false},
		{`{"amount":1,"count":2,"note":"a"`, false},
		{`{"amount":1,"count":2,"note":"a",}`, false},
		{`{"amount":1,"count":2,"note":"a"} x`, false},
		{`{"amount":1,"count":2,"note":"a","x":1}`, false},
		{`{"amount":1,"amount":2,"count":2,"note":"a"}`, false},
		{`{"count":2,"amount":1,"note":"a"}`, false},
		{`{"amount":01,"count":2,"note":"a"}`, false},
		{`{"amount":1.,"count":2,"note":"a"}`, false},
		{`{"amount":1e2,"count":2,"note":"a"}`, false},
		{`{"amount":1,"count":2.0,"note":"a"}`, false},
		{`{"amount":123456789012345678,"count":2,"note":"a"}`, false},
		{`{"amount":"1","count":2,"note":"a"}`, false},
		{`{"amount":1 "count":2,"note":"a"}`, false},
		{`{"amount":1,"count":2}`, false},
		{`{"amount":`, false}, {`{"amount":1`, false}, {`{`, false}, {``, false}, {`{}`, false}, {`[]`, false}, {`{"type":"a`, false}, {`{"type":"a"`, false}, {`{"type":"a",`, false},
	}
	for _, tt := range tests {
		if got := comparePlain(t, plainFields, []byte(tt.src)); got != tt.plain {
			t.Errorf("%s: plain %v, want %v", tt.src, got, tt.plain)
		}
	}
	const open = `{"o":null,"b":true,"e":"USD","t":"2026-01-01T00:00:00Z",`
	wide := []struct {
		src   string
		plain bool
	}{
		{open + `"m":{"a":[{"amount":1.50,"until":"2026-01-01T00:00:00Z"}],"b":[]},"s":[1,2],"i":{},"j":{"k": [1.50, "x"]}}`, true},
		{open + `"m":{},"s":[],"i":{},"j":null}`, true},
		{open + `"m":{},"s":[],"i":{},"j":{"k":1,"k":2}}`, false},
		{open + `"m":{},"s":[2,1],"i":{},"j":null}`, false},
		{open + `"m":{},"s":[1,1],"i":{},"j":null}`, false},
		{open + `"m":{"b":[],"a":[]},"s":[],"i":{},"j":null}`, false},
		{open + `"m":{"a":[],"a":[]},"s":[],"i":{},"j":null}`, false},
		{open + `"m":{"a":[{"amount":1}]},"s":[],"i":{},"j":null}`, false},
		{open + `"m":{"a":[{},{},{}]},"s":[],"i":{},"j":null}`, false},
		{open + `"m":{},"s":[],"i":{"1":1},"j":null}`, false},
		{open + `"m":{},"s":[],"i":{},"j":"é"}`, true},
		{open + `"m":{},"s":[],"i":{},"j":"` + "\xc3" + `"}`, false},
		{open + `"m":{"abcdefghijkl` + "\xff" + `":[]},"s":[],"i":{},"j":null}`, false},
		{open + `"m":{"abcdefghijklmnopé":[]},"s":[],"i":{},"j":null}`, true},
		{open + `"m":{"abcdefghijkl` + "\x01" + `":[]},"s":[],"i":{},"j":null}`, false},
		{open + `"m":{},"s":[1,],"i":{},"j":null}`, false},
		{open + `"m":{},"s":[],"i":{},"j":"\ud800"}`, false},
		{open + `"m":{},"s":[],"i":{},"j":` + strings.Repeat("[", 70) + strings.Repeat("]", 70) + `}`, false},
		{`{"o":"x","b":false,"e":"nix"`, false}, {`{"o":"x","b":fals`, false}, {`{"o":nul`, false}, {`{"o":`, false}, {open + `"m":{`, false}, {open + `"m":{"a":`, false}, {open + `"m":{},"s":[`, false},
	}
	for _, tt := range wide {
		if got := comparePlain(t, wideFields, []byte(tt.src)); got != tt.plain {
			t.Errorf("%s: plain %v, want %v", tt.src, got, tt.plain)
		}
	}
}

func comparePlain(t *testing.T, fields []Field, src []byte) bool {
	t.Helper()
	var ignored [2]string
	got, want := make([]V, len(fields)), make([]V, len(fields))
	if !plain(got, fields, string(src), &DecodeOptions{Ignore: "type", Ignored: &ignored[0], Arena: new(Arena)}) {
		return false
	}
	if errs := decodeFields(want, fields, src, DecodeOptions{Ignore: "type", Ignored: &ignored[1]}); errs != nil {
		t.Errorf("%q is plain, and refused: %s", src, errs[0].Error())
		return true
	}
	a, b := string(AppendFields(nil, fields, got)), string(AppendFields(nil, fields, want))
	if a != b || ignored[0] != ignored[1] {
		t.Errorf("%q: plain gives %s %q, the decoder %s %q", src, a, ignored[0], b, ignored[1])
	}
	return true
}

func FuzzPlain(f *testing.F) {
	f.Add([]byte(`{"amount":75.25,"count":3,"note":"rent"}`))
	f.Add([]byte(`{"type":"pay", "amount": -1.50,"count":2 ,"note":"12345678"} `))
	f.Add([]byte(`{"o":null,"b":true,"e":"USD","t":"2026-01-01T00:00:00Z","m":{"a":[{"amount":1.50,"until":"2026-01-01T00:00:00Z"}],"b":[]},"s":[1,2],"i":{},"j":{"k": [1.50, "x"]}}`))
	f.Fuzz(func(t *testing.T, src []byte) {
		comparePlain(t, plainFields, src)
		comparePlain(t, wideFields, src)
	})
}
