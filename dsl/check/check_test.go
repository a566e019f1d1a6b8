package check_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/parser"
	"github.com/rogpeppe/go-internal/txtar"
)

// source is one file of a set.
type source struct{ name, text string }

// run parses and checks a set.
func run(sources ...source) (*check.Set, []*diag.Diagnostic) {
	bag := &diag.Bag{}
	var files []*ast.File
	for _, s := range sources {
		files = append(files, parser.ParseFile(diag.NewFile(s.name, []byte(s.text)), bag))
	}
	set := check.Files(files, check.Options{}, bag)
	return set, bag.Sorted()
}

// short is a finding on one line.
func short(d *diag.Diagnostic) string {
	p := d.Span.StartPosition()
	s := p.File + ":" + itoa(p.Line) + ":" + itoa(p.Column) + ": " + string(d.Code) + ": " + d.Message
	if d.Hint != "" {
		s += "\n\thint: " + d.Hint
	}
	for _, r := range d.Related {
		s += "\n\t" + itoa(r.Span.StartPosition().Line) + ": " + r.Message
	}
	return s
}

func itoa(n int) string {
	var b []byte
	for n > 0 || len(b) == 0 {
		b = append([]byte{byte('0' + n%10)}, b...)
		n /= 10
	}
	return string(b)
}

// bank is the manifest of language.md.
func bank(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "bank.agg"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestBankHasNoFindings(t *testing.T) {
	set, found := run(source{"bank.agg", bank(t)})
	for _, d := range found {
		t.Error(short(d))
	}
	if len(set.Aggregates) != 1 || len(set.Tests) != 2 {
		t.Fatalf("got %d aggregates and %d tests", len(set.Aggregates), len(set.Tests))
	}
}

// wants are the `// ERROR "regexp"` comments of a text, by line.
func wants(t *testing.T, text string) map[int][]*regexp.Regexp {
	t.Helper()
	out := map[int][]*regexp.Regexp{}
	for i, line := range strings.Split(text, "\n") {
		_, after, found := strings.Cut(line, "// ERROR ")
		if !found {
			continue
		}
		for _, m := range quoted.FindAllStringSubmatch(after, -1) {
			out[i+1] = append(out[i+1], regexp.MustCompile(m[1]+m[2]))
		}
	}
	return out
}

var quoted = regexp.MustCompile("\"((?:[^\"\\\\]|\\\\.)*)\"|`([^`]*)`")

// compare matches findings with the ERROR comments of the sources.
func compare(t *testing.T, sources []source, found []*diag.Diagnostic) {
	t.Helper()
	type place struct {
		file string
		line int
	}
	open := map[place][]*regexp.Regexp{}
	for _, s := range sources {
		for line, res := range wants(t, s.text) {
			open[place{s.name, line}] = res
		}
	}
	for _, d := range found {
		p := d.Span.StartPosition()
		at := place{p.File, p.Line}
		text := string(d.Code) + ": " + d.Message + "\nhint: " + d.Hint
		matched := false
		for i, re := range open[at] {
			if re.MatchString(text) {
				open[at] = append(open[at][:i:i], open[at][i+1:]...)
				matched = true
				break
			}
		}
		if !matched {
			t.Errorf("unexpected: %s", short(d))
		}
	}
	for at, res := range open {
		for _, re := range res {
			t.Errorf("%s:%d: missing a finding that matches %q", at.file, at.line, re)
		}
	}
}

// archives are the txtar files of a directory.
func archives(t *testing.T, pattern string) map[string]*txtar.Archive {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("no archives at %s: %v", pattern, err)
	}
	out := map[string]*txtar.Archive{}
	for _, p := range paths {
		ar := readArchive(t, p)
		ar.Files = slices.DeleteFunc(ar.Files, func(f txtar.File) bool { // wire, proof: see dsl/conformance_test.go
			return !strings.HasPrefix(f.Name, "ok") && !strings.HasPrefix(f.Name, "bad")
		})
		out[strings.TrimSuffix(filepath.Base(p), ".txtar")] = ar
	}
	return out
}

func readArchive(t testing.TB, path string) *txtar.Archive {
	t.Helper()
	ar, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return ar
}

// TestConformance checks the accepted and refused examples of each ruling. In an archive each
// file whose name begins with ok or bad is a set by itself; files in a directory ok… or bad…
// form one set together.
func TestConformance(t *testing.T) {
	for name, ar := range archives(t, filepath.Join("..", "testdata", "conformance", "*.txtar")) {
		sets := map[string][]source{}
		for _, f := range ar.Files {
			set, _, _ := strings.Cut(f.Name, "/")
			sets[set] = append(sets[set], source{f.Name, string(f.Data)})
		}
		for set, sources := range sets {
			t.Run(name+"/"+set, func(t *testing.T) {
				_, found := run(sources...)
				compare(t, sources, found)
				if strings.HasPrefix(set, "bad") && len(found) == 0 {
					t.Error("nothing is found in a bad example")
				}
				for _, d := range found {
					if strings.HasPrefix(set, "ok") && d.Severity == diag.Error {
						t.Errorf("an accepted example is refused: %s", short(d))
					}
				}
			})
		}
	}
}

// TestExamplesOfCodes checks that the example of each code yields exactly that code.
func TestExamplesOfCodes(t *testing.T) {
	for _, info := range diag.Codes() {
		mine := info.Code[3] == '2' || info.Code[3] == '3' && info.Code < "AGG3080" || info.Code[3] == '5' && info.Code < "AGG5080" || info.Code >= "AGG4050" && info.Code < "AGG4100"
		if !mine || info.Example == "" {
			continue
		}
		t.Run(string(info.Code), func(t *testing.T) {
			sources := []source{{"example.agg", info.Example}}
			if ar := txtar.Parse([]byte(info.Example)); len(ar.Files) > 0 {
				sources = nil
				for _, f := range ar.Files {
					sources = append(sources, source{f.Name, string(f.Data)})
				}
			}
			_, found := run(sources...)
			if len(found) == 0 {
				t.Fatal("nothing is found")
			}
			for _, d := range found {
				if d.Code != info.Code {
					t.Errorf("got %s", short(d))
				}
			}
		})
	}
}
