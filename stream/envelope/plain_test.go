package envelope

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

var objects = []string{
	``, ` `, `{`, `{}`, ` {} `, `{}{}`, `[]`, `1`, `"x"`, `null`, `{"a":1}`, `{"a":1,"a":2}`, `{"a":1,"ab":2,"a b":3,"":4}`, `{"ab":1,"a":2,"":3,"":4}`, `{"a":1,"b":{"a":1,"a":2}}`,
	`{"a":[1,2,{"b":null}],"c":"d"}`, `{"a":01}`, `{"a":-}`, `{"a":-0}`, `{"a":1.}`, `{"a":1.5e+3}`, `{"a":1e}`, `{"a":.5}`, `{"a":tru}`,
	`{"a":"\n"}`, "{\"a\":\"\n\"}", "{\"a\":\"\xff\"}", `{"ä":"ö"}`, `{"a":1,}`, `{,}`, `{"a"}`, `{"a":}`, `{a:1}`, `{"a":"b`, `{"a":1}x`,
	`{"\u0061":1,"a":2}`, `{"a":"\u00e4"}`, `{"a":[}`, `{"a":[1 2]}`, `{"a" : [ 1 , 2 ] , "b" : true }`, "{\"a\":\"\x7f\"}", "\ufeff{}",
	`{"a":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`, `{"a":+1}`, `{"a":1}` + "\x00",
}

func whole(raw []byte) bool {
	v := jsontext.Value(raw)
	return len(raw) > 0 && v.Kind() == '{' && v.IsValid()
}

// The glance never takes for valid what the decoder refuses.
func FuzzObject(f *testing.F) {
	for _, s := range objects {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if got, want := isObject(raw), whole(raw); got != want {
			t.Errorf("%q: got %t, want %t", raw, got, want)
		}
		if b, err := appendQuote(nil, string(raw)); err == nil {
			if want, err := jsontext.AppendQuote(nil, string(raw)); err != nil || string(want) != string(b) {
				t.Errorf("%q: quoted %s, want %s, %v", raw, b, want, err)
			}
		}
	})
}

// A plain payload is judged without the decoder and without an allocation.
func TestPlainObjectsCostNothing(t *testing.T) {
	raw := []byte(`{"type":"deposit","amount":12.50,"note":"grüße","lines":[{"sku":"a","n":1},{"sku":"b","n":2}],"ok":true,"x":null}`)
	g := glance{b: raw}
	if !g.object(0) || g.at != len(raw) {
		t.Error("the payload is not seen as plain")
	}
	if n := testing.AllocsPerRun(100, func() { isObject(raw) }); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}

// Each byte in each place of a hash is judged as isHex does.
func TestIsHash(t *testing.T) {
	for c := range 256 {
		for at := range 64 {
			s := []byte(strings.Repeat("09af", 16))
			s[at] = byte(c)
			if got, want := isHash(string(s)), isHex(byte(c)); got != want {
				t.Fatalf("%#x at %d: got %t, want %t", c, at, got, want)
			}
		}
	}
	for _, n := range []int{0, 63, 65, 72} {
		if isHash(strings.Repeat("0", n)) {
			t.Errorf("%d digits are taken for a hash", n)
		}
	}
}
