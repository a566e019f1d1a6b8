package dsl

import (
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/compile"
	"github.com/cloudlysis/aggregate/dsl/diag"
)

const counter = `aggregate Counter {
  state { n: int }
  command add { n: int }
  event added { n: int }
  decide add { emit added { ..cmd } }
  apply added { state.n += event.n }
}
`

// files makes a file system of an archive.
func files(archive string) fstest.MapFS {
	out := fstest.MapFS{}
	for _, f := range txtar.Parse([]byte(archive)).Files {
		out[f.Name] = &fstest.MapFile{Data: f.Data}
	}
	return out
}

func paths(f *Files) []string {
	var out []string
	for _, s := range f.Sources {
		out = append(out, s.Path)
	}
	return out
}

func codes(list []*diag.Diagnostic) string {
	var out []string
	for _, d := range list {
		if d.Severity == diag.Error {
			out = append(out, string(d.Code))
		}
	}
	return strings.Join(out, " ")
}

func TestReadDir(t *testing.T) {
	for _, c := range []struct{ name, archive, want string }{
		{"all below", "-- a.agg --\n-- b/c.agg --\n-- b/c_test.agg --\n-- readme.md --\n-- .git/x.agg --\n-- b/.hidden.agg --\n",
			"a.agg b/c.agg b/c_test.agg"},
		{"an index", "-- manifests.yaml --\naggregates: [{type: A, manifest: b/a.agg}]\n-- b/a.agg --\nimport \"../c/m.agg\"\n-- b/a_test.agg --\n-- c/m.agg --\nimport \"n.agg\"\n-- c/n.agg --\n-- c/other.agg --\n",
			"b/a.agg b/a_test.agg c/m.agg c/n.agg"},
		{"json", "-- manifests.json --\n{\"aggregates\": [{\"type\": \"A\", \"manifest\": \"a.agg\"}]}\n-- a.agg --\n-- b.agg --\n", "a.agg"},
		{"an import of nothing", "-- manifests.yml --\naggregates:\n  - type: A\n    manifest: a.agg\n-- a.agg --\nimport \"gone.agg\"\nimport \"../out.agg\"\n", "a.agg"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := ReadDir(files(c.archive))
			if got := strings.Join(paths(f), " "); got != c.want || len(f.Diagnostics) > 0 {
				t.Errorf("got %s %v, want %s", got, codes(f.Diagnostics), c.want)
			}
		})
	}
}

func TestReadFilesFollowsImports(t *testing.T) {
	fsys := files("-- x/a.agg --\nimport \"b.agg\"\n-- x/b.agg --\nimport \"a.agg\"\n-- x/b_test.agg --\n-- c.agg --\n")
	f := ReadFiles(fsys, "x/a.agg")
	if got := strings.Join(paths(f), " "); got != "x/a.agg x/b.agg x/b_test.agg" {
		t.Errorf("got %s", got)
	}
	if f := ReadFiles(fsys, "gone.agg"); codes(f.Diagnostics) != string(diag.ManifestMissing) {
		t.Errorf("got %s, want %s", codes(f.Diagnostics), diag.ManifestMissing)
	}
}

// TestExamplesOfCodes: the example of each code of manifest sets yields that code and no other.
func TestExamplesOfCodes(t *testing.T) {
	tested := 0
	for _, in := range diag.Codes() {
		if in.Code < diag.ManifestUnreadable || in.Code > diag.ManifestTwice || in.Example == "" {
			continue
		}
		tested++
		t.Run(string(in.Code), func(t *testing.T) {
			r := ReadDir(files(in.Example)).Compile(Options{})
			if got := codes(r.Diagnostics); got != string(in.Code) || r.OK || r.Programs != nil {
				t.Errorf("got %q, want %s", got, in.Code)
			}
		})
	}
	if tested < 8 {
		t.Errorf("only %d examples", tested)
	}
}

func TestMalformedIndexes(t *testing.T) {
	for _, c := range []struct{ index, code, place string }{
		{"", "AGG4004", "1:1"},
		{"aggregates: [", "AGG4004", "1:1"},
		{"[]", "AGG4004", "1:1"},
		{"{}", "AGG4004", "1:1"},
		{"aggregates: x", "AGG4004", "1:13"},
		{"aggregates: [x]", "AGG4004", "1:14"},
		{"aggregates: [{type: [A], manifest: a.agg}]", "AGG4004", "1:21"},
		{"aggregates: [{manifest: a.agg}]", "AGG4004", "1:14"},
		{"aggregates: []\naggregates: []", "AGG4004", "2:1"},
		{"aggregates: []\nä: 1\nb: 2", "AGG4005 AGG4005", "2:1"},
		{"aggregates: &a [*a]", "AGG4004", "1:17"},
		{"aggregates: [{type: A, manifest: /a.agg}]", "AGG4009", "1:34"},
		{"aggregates: [{type: A, manifest: a/../a.agg}]", "AGG4009", "1:34"},
		{"aggregates: [{type: A, manifest: a.txt}]", "AGG4009", "1:34"},
	} {
		t.Run(c.index, func(t *testing.T) {
			f := ReadDir(fstest.MapFS{"manifests.yaml": {Data: []byte(c.index)}})
			if codes(f.Diagnostics) != c.code {
				t.Fatalf("got %q, want %s", codes(f.Diagnostics), c.code)
			}
			p := f.Diagnostics[0].Span.StartPosition()
			if got := fmt.Sprintf("%d:%d", p.Line, p.Column); got != c.place {
				t.Errorf("got it at %s, want %s", got, c.place)
			}
		})
	}
}

func TestCompile(t *testing.T) {
	src := []Source{
		{"b.agg", []byte(counter)},
		{"a.agg", []byte(strings.ReplaceAll(counter, "Counter", "Adder"))},
		{"b_test.agg", []byte("test \"t\" for Counter { when add { n: 1 } then emit added { n: 1 } then state.n == 1 }\n")},
	}
	r := Compile(src, Options{Tests: true})
	if !r.OK || len(r.Diagnostics) > 0 {
		t.Fatalf("got %s", codes(r.Diagnostics))
	}
	var names []string
	for _, p := range r.Programs {
		names = append(names, p.Name)
		if err := bytecode.Verify(p.Program); err != nil {
			t.Error(err)
		}
	}
	if !slices.Equal(names, []string{"Adder", "Counter"}) {
		t.Errorf("got %v", names)
	}
	if p := r.Program("Counter"); p == nil || p.Plan == nil || len(p.Plan.Tests) != 1 || len(p.Tests) != 1 {
		t.Errorf("Counter has no plan for its test: %+v", p)
	}
	if p := r.Program("Adder"); p == nil || p.Plan != nil {
		t.Errorf("Adder has a plan though it has no test: %+v", p)
	}
	if r.Program("Nobody") != nil {
		t.Error("there is a program for an aggregate that does not exist")
	}
}

func TestCompileIsAllOrNothing(t *testing.T) {
	bad := strings.Replace(strings.ReplaceAll(counter, "Counter", "Bad"), "event.n", "event.x", 1)
	r := Compile([]Source{{"a.agg", []byte(counter)}, {"b.agg", []byte(bad)}}, Options{})
	if r.OK || r.Programs != nil || codes(r.Diagnostics) == "" || r.Set == nil {
		t.Errorf("got OK %v, %d programs, %q", r.OK, len(r.Programs), codes(r.Diagnostics))
	}
	if r := Compile([]Source{{"a.agg", []byte(counter)}, {"a.agg", []byte(counter)}}, Options{}); codes(r.Diagnostics) != string(diag.ManifestTwice) {
		t.Errorf("got %q, want %s", codes(r.Diagnostics), diag.ManifestTwice)
	}
}

func TestOverGas(t *testing.T) {
	in, ok := diag.Explain(diag.OverGas)
	if !ok {
		t.Fatal("it is not documented")
	}
	r := Compile([]Source{{"a.agg", []byte(in.Example)}}, Options{})
	if !r.OK || len(r.Diagnostics) != 1 || r.Diagnostics[0].Code != diag.OverGas {
		t.Fatalf("got OK %v and %d findings, want the warning %s alone", r.OK, len(r.Diagnostics), diag.OverGas)
	}
	if b := r.Programs[0].Bounds[0]; b.Gas <= 1000 || b.Gas > 5000 {
		t.Errorf("got the bound %+v", b)
	}
	enough := strings.Replace(in.Example, "gas 1_000", "gas 5_000", 1)
	if r := Compile([]Source{{"a.agg", []byte(enough)}}, Options{}); len(r.Diagnostics) != 0 {
		t.Errorf("got %s though the gas suffices", r.Diagnostics[0].Message)
	}
}

// warnings are the codes of all findings.
func warnings(r *Result) string {
	var list []string
	for _, d := range r.Diagnostics {
		list = append(list, string(d.Code))
	}
	return strings.Join(list, " ")
}

func TestOutgrowsGas(t *testing.T) {
	in, ok := diag.Explain(diag.OutgrowsGas)
	if !ok {
		t.Fatal("it is not documented")
	}
	r := Compile([]Source{{"a.agg", []byte(in.Example)}}, Options{})
	if !r.OK || len(r.Diagnostics) != 1 || r.Diagnostics[0].Code != diag.OutgrowsGas {
		t.Fatalf("got OK %v and %q, want the warning %s alone", r.OK, warnings(r), diag.OutgrowsGas)
	}
	length := regexp.MustCompile(`length of (\d+)`).FindStringSubmatch(r.Diagnostics[0].Message)
	if length == nil {
		t.Fatalf("no length in %q", r.Diagnostics[0].Message)
	}
	// With the bound that the message names the rule has a worst case, and it fits.
	bounded := strings.Replace(in.Example, "list<decimal>", "list<decimal, "+length[1]+">", 1)
	r = Compile([]Source{{"a.agg", []byte(bounded)}}, Options{})
	if len(r.Diagnostics) != 0 || r.Programs[0].Bounds[0].Gas < 90_000 {
		t.Errorf("with a bound of %s: got %q and %+v", length[1], warnings(r), r.Programs[0].Bounds)
	}
	for name, text := range map[string]string{
		"a search":        strings.Replace(strings.Replace(in.Example, "list<decimal>", "set<int>", 1), "sum(state.amounts) + cmd.amount <= 1_000_000", "1 in state.amounts", 1),
		"nothing grows":   strings.Replace(in.Example, "state.amounts += event.amount", "if event.amount > 1 { state.amounts = [event.amount] }", 1),
		"only the append": strings.Replace(in.Example, "require sum(state.amounts) + cmd.amount <= 1_000_000 else too_much", "", 1),
	} {
		text = strings.ReplaceAll(text, "paid { amount: decimal", "paid { amount: int")
		if name == "a search" {
			text = strings.ReplaceAll(text, "amount: decimal", "amount: int")
		} else {
			text = strings.ReplaceAll(text, "paid { amount: int", "paid { amount: decimal")
		}
		r := Compile([]Source{{"a.agg", []byte(text)}}, Options{})
		if !r.OK || strings.Contains(warnings(r), string(diag.OutgrowsGas)) {
			t.Errorf("%s: got OK %v, %q", name, r.OK, warnings(r))
		}
	}
}

// TestUnusedIgnore: a comment that silences nothing is told, one that silences something is not.
func TestUnusedIgnore(t *testing.T) {
	in, _ := diag.Explain(diag.UnusedIgnore)
	for _, c := range []struct{ name, text, want string }{
		{"the example", in.Example, "AGG5082"},
		{"needed", strings.Replace(in.Example, "command c {}", "command c { n: int }", 1), ""},
		{"a warning of the checker below an error", strings.Replace(in.Example, "emit e {}", "emit e { n: 1 }", 1), "AGG2003"},
		{"a warning of the compiler", strings.Replace(in.Example, "  decide c", "  gas 1 // agg:ignore AGG5080 here it is not\n  // agg:ignore AGG5080 it is meant\n  decide c", 1), "AGG5082 AGG5082"},
		{"twice on a line", strings.Replace(in.Example, "command c {}", "command c { n: int } // agg:ignore AGG5001 again", 1), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := Compile([]Source{{"a.agg", []byte(c.text)}}, Options{})
			if got := warnings(r); got != c.want {
				t.Errorf("got %q want %q", got, c.want)
			}
		})
	}
}

// TestFunctionsMultiply: forty functions, each of which calls the one before twice, are over any
// limit, and that is told at once.
func TestFunctionsMultiply(t *testing.T) {
	var fns strings.Builder
	for i := range 40 {
		fmt.Fprintf(&fns, "fn f%d(n: int): int = f%d(n) + f%d(n)\n", i+1, i, i)
	}
	text := "aggregate A {\nfn f0(n: int): int = n\n" + fns.String() + "state { n: int }\ncommand go { n: int }\nevent went { n: int }\n" +
		"decide go { emit went { n: f40(cmd.n) } }\napply went { state.n = event.n }\n}\n"
	r := Compile([]Source{{"a.agg", []byte(text)}}, Options{})
	if !r.OK || warnings(r) != string(diag.OverGas) || r.Programs[0].Bounds[0].Gas != compile.OverLimit {
		t.Errorf("got OK %v, %q, %+v", r.OK, warnings(r), r.Programs[0].Bounds)
	}
}

func TestHash(t *testing.T) {
	a, b := Source{"a.agg", []byte("x")}, Source{"b/c.agg", []byte("y")}
	want := Hash([]Source{a, b})
	if !strings.HasPrefix(want, "sha256:") || len(want) != len("sha256:")+64 {
		t.Fatalf("got %s", want)
	}
	for name, c := range map[string]struct {
		set  []Source
		same bool
	}{
		"another order": {[]Source{b, a}, true},
		"tests":         {[]Source{a, b, {"a_test.agg", []byte("t")}}, true},
		"another text":  {[]Source{a, {"b/c.agg", []byte("z")}}, false},
		"another path":  {[]Source{a, {"b/d.agg", []byte("y")}}, false},
		"one less":      {[]Source{a}, false},
		"texts swapped": {[]Source{{"a.agg", []byte("y")}, {"b/c.agg", []byte("x")}}, false},
		"nothing":       {nil, false},
	} {
		if got := Hash(c.set); (got == want) != c.same {
			t.Errorf("%s: got %s, of a.agg and b/c.agg it is %s", name, got, want)
		}
	}
}

// brokenFS fails to read some files.
type brokenFS struct{ fs.FS }

func (b brokenFS) Open(name string) (fs.File, error) {
	if strings.HasPrefix(name, "broken") {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return b.FS.Open(name)
}

func TestUnreadableFiles(t *testing.T) {
	f := ReadDir(brokenFS{files("-- broken.agg --\n-- a.agg --\n" + counter)})
	if codes(f.Diagnostics) != string(diag.ManifestUnreadable) || len(f.Sources) != 1 {
		t.Errorf("got %q and %v", codes(f.Diagnostics), paths(f))
	}
	if r := f.Compile(Options{}); r.OK || r.Programs != nil {
		t.Error("a set of which a file cannot be read compiles")
	}
}

func TestSetTooLarge(t *testing.T) {
	fsys := fstest.MapFS{}
	big := make([]byte, maxFile)
	for i := range maxTotal/maxFile + 2 {
		fsys[fmt.Sprintf("%03d.agg", i)] = &fstest.MapFile{Data: big}
	}
	if f := ReadDir(fsys); codes(f.Diagnostics) != string(diag.ManifestTooLarge) {
		t.Errorf("got %q, want %s", codes(f.Diagnostics), diag.ManifestTooLarge)
	}
}

func FuzzIndex(f *testing.F) {
	f.Add("aggregates: [{type: A, manifest: a.agg}]")
	f.Add("{\"aggregates\": [{\"type\": \"Ä\", \"manifest\": \"a.agg\", \"x\": 1}]}")
	f.Add("a: &a [*a]\n? [b]\n: c")
	f.Fuzz(func(t *testing.T, text string) {
		fsys := fstest.MapFS{"manifests.yaml": {Data: []byte(text)}, "a.agg": {Data: []byte(counter)}}
		for _, d := range ReadDir(fsys).Compile(Options{}).Diagnostics {
			if d.Span.End < d.Span.Start || d.Span.File != nil && int(d.Span.End) > len(d.Span.File.Src) {
				t.Fatalf("%s lies outside of its file", d.Code)
			}
		}
	})
}

// TestImportsOfNothing: an import without its path, or of a directory, is one error with a place.
func TestImportsOfNothing(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{`import money`, "AGG1044"},
		{`import`, "AGG1044"},
		{`import ""`, "AGG4050"},
		{`import "shared"`, "AGG4050"},
		{`import "shared/monney.agg"`, "AGG4050"},
	} {
		t.Run(c.line, func(t *testing.T) {
			r := ReadDir(fstest.MapFS{
				"a.agg":            {Data: []byte(c.line + "\naggregate A { state { n: int } }\n")},
				"shared/money.agg": {Data: []byte("const vat: decimal = 0.19\n")},
			}).Compile(Options{})
			if codes(r.Diagnostics) != c.want || r.Diagnostics[0].Span.File == nil {
				t.Errorf("got %q %s, want %s with a place", codes(r.Diagnostics), r.Diagnostics[0].Message, c.want)
			}
		})
	}
}
