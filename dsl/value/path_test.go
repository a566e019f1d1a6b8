package value

import (
	"strings"
	"testing"

	"github.com/tidwall/gjson"
	"pgregory.net/rapid"
)

func jsonOf(t testing.TB, src string) V {
	t.Helper()
	text, err := CompactJSON(nil, []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	return makeJSON(string(text))
}

const pathDoc = `{"a":{"b":[{"p":1.50,"q":[1,2]},{"p":2},{"x":0}],"":"empty","c.d":"dot","#":"hash","0":"zero","k\"e|y":"odd"},"n":null,"s":"t"}`

func TestPathEval(t *testing.T) {
	tests := []struct {
		path string // {} is a gap
		keys []string
		want string
	}{
		{"a.b.0.p", nil, "1.50"}, {"a.b.1", nil, `{"p":2}`}, {"a.b.#", nil, "3"}, {"a.b.#.p", nil, "[1.50,2]"}, {"a.b.#.q.#", nil, "[2]"}, {"a.b.#.q.1", nil, "[2]"},
		{"a.c\\.d", nil, `"dot"`}, {"a.\\#", nil, `"hash"`}, {"a.0", nil, `"zero"`}, {"n", nil, "null"}, {"n.x", nil, "null"}, {"zzz", nil, "null"}, {"a.b.3", nil, "null"},
		{"a.b.-1", nil, "null"}, {"a.b.x", nil, "null"}, {"s.0", nil, "null"}, {"a.b.\\#", nil, "null"}, {"#", nil, "null"}, {"a.b.00", nil, "null"},
		{"a.{}", []string{"c.d"}, `"dot"`}, {"a.{}", []string{"#"}, `"hash"`}, {"a.{}", []string{""}, `"empty"`}, {"a.{}", []string{`k"e|y`}, `"odd"`}, {"a.c{}d", []string{"."}, `"dot"`},
		{"a.{}.{}.p", []string{"b", "1"}, "2"}, {"a.b.{}", []string{"#"}, "null"}, {"a.b.{}", []string{"#.p"}, "null"}, {"a.b.{}", []string{"0|@this"}, "null"},
		{"{}", []string{"@this"}, "null"}, {"{}", []string{"a.b"}, "null"}, {"a.{}.#.p", []string{"b"}, "[1.50,2]"}, {"a.b.#.{}", []string{"p"}, "[1.50,2]"}, {"a.{}{}", []string{"c.", "d"}, `"dot"`},
	}
	doc := jsonOf(t, pathDoc)
	for _, tt := range tests {
		p, err := ParsePath(strings.Split(tt.path, "{}"))
		if err != nil {
			t.Errorf("%s: %v", tt.path, err)
			continue
		}
		var keys []V
		for _, k := range tt.keys {
			keys = append(keys, MakeString(k))
		}
		if got := JSONText(p.Eval(doc, keys)); got != tt.want || p.String() != tt.path || p.Gaps() != len(tt.keys) {
			t.Errorf("%s %q: got %s (%s, %d gaps), want %s", tt.path, tt.keys, got, p, p.Gaps(), tt.want)
		}
		if again, err := ParsePath(p.Parts()); err != nil || JSONText(again.Eval(doc, keys)) != tt.want {
			t.Errorf("%s is another path from its parts", p)
		}
	}
}

func TestPathRefused(t *testing.T) {
	tests := map[string]string{
		"a.*": "wildcards", "a?": "wildcards", "a|b": "pipes", "a.#(p>1)": "queries", "a.#(p>1)#": "queries", "@this": "modifiers", "a.@reverse": "modifiers",
		"!5": "modifiers", "{a,b}": "multipaths", "[a,b]": "multipaths", "a..b": "empty component", "": "empty component", "a.": "empty component", ".a": "empty component",
		`a\`: "ends in", "a#": "# stands alone", "#a": "# stands alone",
	}
	for path, want := range tests {
		if _, err := ParsePath([]string{path}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", path, err, want)
		}
	}
	if _, err := ParsePath([]string{"a.", ".b*"}); err == nil || !strings.Contains(err.Error(), "at byte 4") {
		t.Errorf("got %v", err)
	}
}

// gjson is the oracle for the paths whose keys are harmless.
func TestPathAgainstGJSON(t *testing.T) {
	component := rapid.SampledFrom([]string{"a", "b", "0", "1", "#", "z"})
	rapid.Check(t, func(t *rapid.T) {
		doc := drawNested(t, 4)
		path := strings.Join(rapid.SliceOfN(component, 1, 4).Draw(t, "path"), ".")
		if strings.Contains(path, "#.#") { // gjson counts what the first # selected; we have an array of counts
			return
		}
		p, err := ParsePath([]string{path})
		if err != nil {
			t.Fatal(err)
		}
		want := gjson.Get(doc, path).Raw
		if want == "" {
			want = NullJSON
		}
		if got := JSONText(p.Eval(makeJSON(doc), nil)); got != want {
			t.Fatalf("%s of %s: got %s, want %s", path, doc, got, want)
		}
	})
}

func drawNested(t *rapid.T, depth int) string {
	kind := rapid.IntRange(0, 4).Draw(t, "kind")
	if depth == 0 || kind == 0 {
		return rapid.SampledFrom([]string{"1", `"]},"`, "true", `"\""`}).Draw(t, "leaf")
	}
	if kind < 3 {
		var parts []string
		for range rapid.IntRange(0, 3).Draw(t, "len") {
			parts = append(parts, drawNested(t, depth-1))
		}
		return "[" + strings.Join(parts, ",") + "]"
	}
	var parts []string
	for _, k := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "0"}), 0, 3, rapid.ID).Draw(t, "keys") {
		parts = append(parts, `"`+k+`":`+drawNested(t, depth-1))
	}
	return "{" + strings.Join(parts, ",") + "}"
}
