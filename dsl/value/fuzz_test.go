package value

import (
	"bytes"
	"encoding/json"
	"math/big"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// What DecodeFields accepts is JSON to the standard library too, and its encoding is a fixed
// point; what it refuses has at least one error with a message.
func FuzzDecodeFields(f *testing.F) {
	for _, s := range []string{`{"amount":1.50}`, `{"amount":"1","lines":[{"sku":"a","qty":1e0}],"stock":{"b":1,"a":2},"extra":{"x":[1,"\u0041"]}}`, `{"amount":01}`, `{"type":"x"}`, "{\"\xff\"", `[`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		vals := make([]V, len(orderFields))
		if errs := DecodeFields(vals, orderFields, src, DecodeOptions{Arena: new(Arena)}); errs != nil {
			if len(errs) == 0 || errs[0].Error() == "" {
				t.Fatal("an error that says nothing")
			}
			return
		}
		if !json.Valid(src) || !utf8.Valid(src) {
			t.Fatalf("accepted %q", src)
		}
		text := AppendFields(nil, orderFields, vals)
		again := make([]V, len(orderFields))
		if errs := DecodeFields(again, orderFields, text, DecodeOptions{}); errs != nil || !bytes.Equal(AppendFields(nil, orderFields, again), text) {
			t.Fatalf("%q gives %s, which does not come back: %v", src, text, errs)
		}
	})
}

// Strict JSON without repeated keys: CompactJSON accepts a subset of encoding/json and means the
// same; CanonicalJSON accepts what CompactJSON does and is a fixed point.
func FuzzFreeJSON(f *testing.F) {
	for _, s := range []string{` { "a" : [ 1.50e3 , true ] } `, `"\ud83d\ude00"`, `1e400`, `{"b":1,"a":{"d":0.0,"c":-0}}`, `[[]`, `{"a":1,"a":1}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		compact, err := CompactJSON(nil, src)
		canonical, errCanonical := CanonicalJSON(nil, src)
		if (err == nil) != (errCanonical == nil) {
			t.Fatalf("%q: %v, %v", src, err, errCanonical)
		}
		if err != nil {
			return
		}
		if !json.Valid(src) || !sameJSON(t, src, compact) || !sameJSON(t, src, canonical) {
			t.Fatalf("%q became %q, %q", src, compact, canonical)
		}
		for _, text := range [][]byte{compact, canonical} {
			if again, err := CanonicalJSON(nil, text); err != nil || !bytes.Equal(again, canonical) {
				t.Fatalf("%q: canonical %q, then %q %v", src, canonical, again, err)
			}
		}
		v := makeJSON(string(compact))
		for b := JSONKey; b <= AsList; b++ {
			Call(b, &CallInfo{Arg: JSONType}, []V{v, MakeString("a")})
		}
	})
}

// sameJSON compares as the standard library reads, with numbers as fractions where they are small.
func sameJSON(t *testing.T, a, b []byte) bool {
	var x, y any
	da, db := json.NewDecoder(bytes.NewReader(a)), json.NewDecoder(bytes.NewReader(b))
	da.UseNumber()
	db.UseNumber()
	if err := da.Decode(&x); err != nil {
		t.Fatal(err)
	}
	return db.Decode(&y) == nil && sameAny(x, y)
}

func sameAny(x, y any) bool {
	switch x := x.(type) {
	case map[string]any:
		other, ok := y.(map[string]any)
		if !ok || len(x) != len(other) {
			return false
		}
		for k, v := range x {
			if w, is := other[k]; !is || !sameAny(v, w) {
				return false
			}
		}
		return true
	case []any:
		other, ok := y.([]any)
		if !ok || len(x) != len(other) {
			return false
		}
		for i := range x {
			if !sameAny(x[i], other[i]) {
				return false
			}
		}
		return true
	case json.Number:
		other, ok := y.(json.Number)
		return ok && sameNumber(string(x), string(other))
	}
	return x == y
}

func sameNumber(x, y string) bool {
	if _, e, _ := strings.Cut(strings.ToLower(x), "e"); len(e) > 4 { // too large for a fraction
		return true
	}
	a, okA := new(big.Rat).SetString(x)
	b, okB := new(big.Rat).SetString(y)
	return okA && okB && a.Cmp(b) == 0
}

func FuzzDecimalText(f *testing.F) {
	for _, s := range []string{"1.50", "-0.00", "9999999999999999999999999999999999", "0.00000000000000000000000000000000001", "1e5", "72057594037927936", "12345678901234567890.10"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, ok := ParseDecimalText(s)
		i, okInt := ParseIntText(s)
		if !ok {
			if okInt {
				t.Fatalf("%q is the int %d and no decimal", s, i)
			}
			return
		}
		text := decText(v)
		if want, okRat := new(big.Rat).SetString(s); !okRat || toRat(v).Cmp(want) != 0 {
			t.Fatalf("%q was read as %s", s, text)
		}
		if back, ok := ParseDecimalText(text); !ok || decText(back) != text {
			t.Fatalf("%q gives %s, which does not come back", s, text)
		}
		whole, fault := IntFromDecimal(v)
		if okInt != (fault == NoFault) || okInt && whole != i {
			t.Fatalf("%q is the int %d %v, from the decimal %d %s", s, i, okInt, whole, fault)
		}
	})
}

// What is read as a time, date, duration or uuid is written in a form that is read as the same,
// and times are RFC 3339 to the standard library.
func FuzzScalars(f *testing.F) {
	for _, s := range []string{"2026-01-01T00:00:00.5+02:00", "2026-02-28", "1h30m", "-2562047h47m16s854ms775us808ns", "0192f3a0-0000-7abc-8def-0123456789ab", "106751d"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if v, ok := ParseTime(s); ok {
			g, err := time.Parse(time.RFC3339Nano, s)
			back, okBack := ParseTime(string(AppendTime(nil, v)))
			if err != nil || !g.Equal(GoTime(v)) || !okBack || CompareTime(back, v) != 0 {
				t.Fatalf("time %q is %s, %v", s, GoTime(v), err)
			}
		}
		if v, ok := ParseDate(s); ok && string(AppendDate(nil, v.Int())) != s {
			t.Fatalf("date %q", s)
		}
		if v, ok := ParseDuration(s); ok {
			if back, ok := ParseDuration(string(AppendDuration(nil, v.Int()))); !ok || back.W != v.W {
				t.Fatalf("duration %q", s)
			}
		}
		if id, ok := ParseUUID(s); ok && string(AppendUUID(nil, id)) != strings.ToLower(s) {
			t.Fatalf("uuid %q", s)
		}
	})
}

// A key from outside selects a member of that name and nothing else; no path and no text make
// the evaluation fail, not even text that is no JSON.
func FuzzPath(f *testing.F) {
	f.Add("a.b.#.c", "a.b|@this", `{"a":{"b":[{"c":1}]}}`)
	f.Add("a", "#", `[1,2`)
	f.Add(`a\.b`, `x"y`, `{"":`)
	f.Fuzz(func(t *testing.T, path, key, doc string) {
		if p, err := ParsePath([]string{path}); err == nil && doc != "" {
			p.Eval(MakeString(doc), nil)
		}
		p, err := ParsePath([]string{"k.", ""})
		if err != nil {
			t.Fatal(err)
		}
		if doc != "" {
			p.Eval(MakeString(doc), []V{MakeString(key)})
		}
		quoted := string(AppendQuoted(nil, key))
		if got := JSONText(p.Eval(makeJSON(`{"k":{"x":0,`+quoted+`:7}}`), []V{MakeString(key)})); got != "7" && key != "x" {
			t.Fatalf("key %q of an object gives %s", key, got)
		}
		if got := JSONText(p.Eval(makeJSON(`{"k":[5,6]}`), []V{MakeString(key)})); got != NullJSON && key != "0" && key != "1" {
			t.Fatalf("key %q of an array gives %s", key, got)
		}
	})
}

func FuzzPeekType(f *testing.F) {
	f.Add([]byte(`{"a":[{}],"type":"x"}`))
	f.Add([]byte(`{"type":"\u0061"`))
	f.Fuzz(func(t *testing.T, src []byte) {
		name, err := PeekType(src)
		if err != nil || !json.Valid(src) {
			return
		}
		var want struct {
			Type string `json:"type"`
		}
		if _, errCompact := CompactJSON(nil, src); errCompact != nil { // a repeated key
			return
		}
		dec := json.NewDecoder(bytes.NewReader(src))
		if err := dec.Decode(&want); err == nil && want.Type != name && !strings.Contains(strings.ToLower(string(src)), "\\u") && bytes.Count(bytes.ToLower(src), []byte(`"type"`)) == 1 {
			t.Fatalf("%q: got %q, want %q", src, name, want.Type)
		}
	})
}
