package dsl_test

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cloudlysis/aggregate/dsl"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/testrun"
)

const languagePage = "../docs/language.md"

// example is a fenced block of the page.
type example struct {
	line     int
	lang     string
	fragment string
	refused  []string
	text     string
}

var fence = regexp.MustCompile("^```(\\w*)(.*)$")

// examples reads the blocks of the page.
func examples(t *testing.T) (page string, out []example) {
	t.Helper()
	data, err := os.ReadFile(languagePage)
	if err != nil {
		t.Fatal(err)
	}
	var open *example
	for i, line := range strings.Split(string(data), "\n") {
		m := fence.FindStringSubmatch(line)
		switch {
		case m == nil && open != nil:
			open.text += line + "\n"
		case m != nil && open != nil:
			out = append(out, *open)
			open = nil
		case m != nil:
			open = &example{line: i + 1, lang: m[1]}
			for _, word := range strings.Fields(m[2]) {
				key, val, _ := strings.Cut(word, "=")
				switch key {
				case "fragment":
					open.fragment = val
				case "refused":
					open.refused = strings.Split(val, ",")
				default:
					t.Errorf("%s:%d: unknown mark %q", languagePage, i+1, word)
				}
			}
		}
	}
	if open != nil {
		t.Errorf("%s:%d: the block does not end", languagePage, open.line)
	}
	return string(data), out
}

// demo is the aggregate that fragments stand in.
const demo = `TOP
aggregate Demo {
  enum Status { open, frozen, closed }
  ordered enum Level { low, mid, high }
  record Hold { amount: decimal, until: time, note: string? }
  roles teller, manager
  state {
    n: int, d: decimal, s: string, status: Status = open, level: Level = low
    holds: map<uuid, Hold, 50>, scores: map<string, int, 100>, tags: set<string, 100>, xs: list<int, 100>
    extra: json, maybe: int?
  }
  command act { n: int = 0, amount: decimal = 0, text: string = "" }
  event done { n: int = 0, amount: decimal = 0, text: string = "" }
MEMBER
  decide act {
DECIDE
  }
  apply done {
APPLY
  }
}
test "the example" for Demo {
STEPS
}
`

// places are the places of fragments in demo and what stands there otherwise.
var places = map[string]string{
	"top": "", "member": "", "decide": "emit done { ..cmd }", "apply": "state.n = event.n",
	"steps": "when act {}\n  then state.n == state.n",
}

// source is the whole file of an example.
func (e *example) source(t *testing.T) string {
	t.Helper()
	if e.fragment == "" {
		return e.text
	}
	text, where := e.text, e.fragment
	if where == "then" {
		where = "steps"
		text = "when act {}\n"
		for line := range strings.Lines(e.text) {
			text += "then " + line
		}
	}
	if _, ok := places[where]; !ok {
		t.Fatalf("%s:%d: unknown place %q", languagePage, e.line, where)
	}
	out := demo
	for place, usual := range places {
		if place == where {
			usual = strings.TrimSuffix(text, "\n")
		}
		out = strings.Replace(out, strings.ToUpper(place)+"\n", usual+"\n", 1)
	}
	return out
}

// TestLanguagePage compiles every example of docs/language.md and runs the tests in them.
func TestLanguagePage(t *testing.T) {
	_, all := examples(t)
	count := map[string]int{}
	for _, e := range all {
		if e.lang != "agg" {
			continue
		}
		t.Run(fmt.Sprintf("line %d %s", e.line, e.fragment), func(t *testing.T) {
			r := dsl.Compile([]dsl.Source{{Path: "example.agg", Text: []byte(e.source(t))}}, dsl.Options{Tests: true})
			if len(e.refused) > 0 {
				count["refused"]++
				e.isRefused(t, r)
				return
			}
			count["accepted"]++
			for _, d := range r.Diagnostics {
				if d.Severity == diag.Error || e.fragment == "" {
					t.Errorf("%s", pretty(t, d))
				}
			}
			if e.fragment == "decide" { // it may refuse what the usual test asks of it
				return
			}
			if rep := testrun.Run(r, testrun.Options{}); rep.Failed() > 0 {
				var b bytes.Buffer
				if err := rep.Write(&b, testrun.Pretty, testrun.WriteOptions{}); err != nil {
					t.Fatal(err)
				}
				t.Errorf("%s", b.String())
			}
		})
	}
	if count["accepted"] < 15 || count["refused"] < 15 {
		t.Errorf("got %d accepted and %d refused examples", count["accepted"], count["refused"])
	}
	t.Logf("%d accepted and %d refused examples", count["accepted"], count["refused"])
}

// isRefused: the errors, or for a named warning the findings, are those that are named.
func (e *example) isRefused(t *testing.T, r *dsl.Result) {
	t.Helper()
	var got []string
	for _, d := range r.Diagnostics {
		if d.Severity == diag.Error || slices.Contains(e.refused, string(d.Code)) {
			got = append(got, string(d.Code))
		}
	}
	if !slices.Equal(got, e.refused) {
		for _, d := range r.Diagnostics {
			t.Log(pretty(t, d))
		}
		t.Errorf("got %v, want %v", got, e.refused)
	}
}

func pretty(t *testing.T, d *diag.Diagnostic) string {
	t.Helper()
	var b bytes.Buffer
	if err := diag.Write(&b, diag.Pretty, []*diag.Diagnostic{d}, diag.Options{}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestLanguagePageIsComplete: the page names every builtin, warning, fault and statement.
func TestLanguagePageIsComplete(t *testing.T) {
	page, _ := examples(t)
	for _, in := range diag.Codes() {
		if in.Severity == diag.Warning && !strings.Contains(page, "| "+string(in.Code)+" |") {
			t.Errorf("the page has no row for the warning %s", in.Code)
		}
	}
	names := quotedIn(t, "check/builtins.go", regexp.MustCompile(`(?m)^\t\t"(\w+)": +(?:special|fixed|onlyComp)\(`))
	if len(names) < 45 {
		t.Errorf("found only %d builtins", len(names))
	}
	for _, n := range names {
		if !strings.Contains(page, "`"+n+"(") && !strings.Contains(page, "`` "+n+"(") {
			t.Errorf("the page has no signature of the builtin %s", n)
		}
	}
	for _, f := range strings.Fields("gas overflow inexact division_by_zero absent_key index range not_whole bound memory") {
		if !strings.Contains(page, "`"+f+"`") {
			t.Errorf("the page does not name the fault %s", f)
		}
	}
}

// quotedIn gives what the first group of re matches in a file.
func quotedIn(t *testing.T, path string, re *regexp.Regexp) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, m := range re.FindAllStringSubmatch(string(text), -1) {
		out = append(out, m[1])
	}
	return out
}
