package value

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// canonicalGolden is the hash of what CanonicalJSON made of the texts below when commands began to
// be stored with their hashes: another one would take a repeated command for a new payload.
const canonicalGolden = "d833f47e9a83c795308c003e54a548708178f2910a7dcd6642bf34ab50c248c4"

// What has once been hashed is hashed so for ever.
func TestCanonicalJSONIsUnchanged(t *testing.T) {
	sum, taken := sha256.New(), 0
	spell := speller{rand.New(rand.NewPCG(5, 21))}
	for range 20_000 {
		src := spell.text()
		got, err := CanonicalJSON(nil, []byte(src))
		fmt.Fprintf(sum, "%s\n%v\n", got, err)
		if err == nil {
			taken++
		}
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != canonicalGolden {
		t.Errorf("got %s, want %s", got, canonicalGolden)
	}
	if taken < 5000 || taken > 15_000 {
		t.Errorf("%d of 20,000 texts were taken: the test sees one side only", taken)
	}
}

// A command that a client is likely to send is made canonical without an allocation.
func TestCanonicalJSONOfACommandCostsNothing(t *testing.T) {
	src, dst := []byte(`{"type":"deposit","amount":12.5,"by":{"name":"ann","at":null},"tags":["b","a"]}`), make([]byte, 0, 1024)
	if n := testing.AllocsPerRun(100, func() { dst, _ = CanonicalJSON(dst[:0], src) }); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}

// speller writes JSON in every way that a client might, and some that are wrong.
type speller struct{ *rand.Rand }

var (
	spellKeys    = []string{"type", "amount", "a", "b", "ab", "", "ä", "z", `\u0061`, `\"`, `\u00e4`, `k\n`, "to be continued", "😀", `\ud83d\ude00`}
	spellNumbers = []string{"0", "-0", "1", "-1", "10", "1.0", "1.50", "-0.0", "0.10", "0.05", "100", "1e2", "1E-2", "1.5e+3", "-2.50e0", "1e400", "0e9", "123456789012345",
		"12345678901234567", "1234567890123456.7", "0.000000000000001", "0.0000000000000000000000000000000001", "9999999999999999999999999999999999", "12345678901234567890123456789012345678901", "0.30000000000000004", "100e-2", "1.00000000000000000000"}
	spellWrong = []string{"", "tru", "01", "1.", "-", "+1", ".5", "1e", `"`, `"\x"`, "\"\x01\"", `"\ud83d"`, "\"\xff\"", "{", "[1,]", `{"a"}`, `{a:1}`, "nul", "1 2"}
)

func (s speller) pick(of []string) string { return of[s.IntN(len(of))] }

func (s speller) text() string { return s.gap() + s.value(0) + s.gap() }

func (s speller) gap() string { return s.pick([]string{"", "", "", "", " ", "\n\t", "\r"}) }

func (s speller) value(depth int) string {
	kind := s.IntN(40)
	if depth == 0 {
		kind %= 20
	}
	switch {
	case kind < 15 && depth < 4:
		return s.list("{", "}", func() string {
			return `"` + s.pick(spellKeys) + s.pick([]string{"", "", "1", "2", "3"}) + `"` + s.gap() + ":" + s.gap() + s.value(depth+1)
		})
	case kind < 20 && depth < 4:
		return s.list("[", "]", func() string { return s.value(depth + 1) })
	case kind < 28:
		return s.pick(spellNumbers)
	case kind < 34:
		return `"` + s.pick(spellKeys) + s.pick(spellKeys) + `"`
	case kind < 39 || s.IntN(4) > 0:
		return s.pick([]string{"true", "false", "null"})
	}
	return s.pick(spellWrong)
}

func (s speller) list(begin, end string, item func() string) string {
	items := make([]string, s.IntN(s.IntN(12)+1))
	for i := range items {
		items[i] = s.gap() + item() + s.gap()
	}
	return begin + s.gap() + strings.Join(items, ",") + end
}

func BenchmarkCanonicalJSON(b *testing.B) {
	for _, c := range []struct{ name, src string }{
		{"deposit", `{"type":"deposit","amount":1}`},
		{"sorted", `{"amount":75.25,"type":"withdraw"}`},
		{"order", `{"type":"place","lines":[{"sku":"a-1","qty":2,"price":12.50},{"sku":"b-2","qty":1,"price":3}],"note":"to be\nleft","gift":true,"to":{"street":"Main","city":"Ulm"}}`},
	} {
		b.Run(c.name, func(b *testing.B) {
			src, dst := []byte(c.src), make([]byte, 0, 1024)
			b.ReportAllocs()
			for b.Loop() {
				var err error
				if dst, err = CanonicalJSON(dst[:0], src); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
