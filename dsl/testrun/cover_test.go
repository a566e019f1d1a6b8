package testrun_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloudlysis/aggregate/dsl"
	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/compile"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/format"
	"github.com/cloudlysis/aggregate/dsl/report"
	"github.com/cloudlysis/aggregate/dsl/testrun"
	"github.com/cloudlysis/aggregate/internal/goldentest"
)

func cover(t testing.TB, res *dsl.Result, o testrun.Options) *testrun.Coverage {
	t.Helper()
	c, err := testrun.Cover(res, testrun.CoverOptions{Options: o, Status: report.StatusField})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// corpora are the manifests that the laws are tried on.
func corpora(t testing.TB) map[string][]dsl.Source {
	t.Helper()
	out := map[string][]dsl.Source{}
	for _, dir := range []string{"bank", "order"} {
		out[dir] = dsl.ReadDir(os.DirFS(filepath.Join("../../examples", dir))).Sources
	}
	files, err := filepath.Glob("../compile/testdata/run/*.agg")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range append(files, "testdata/rulings.agg", "testdata/cover.agg") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		base := filepath.Base(name)
		out[base] = []dsl.Source{{Path: base, Text: text}}
	}
	return out
}

// points are all points without their places.
func points(c *testrun.Coverage) string {
	var b strings.Builder
	for _, a := range c.Aggregates {
		for i := range a.Points {
			p := &a.Points[i]
			fmt.Fprintf(&b, "%s %s %s %d\n", a.Name, p.Kind, p.Key, p.Hits)
		}
	}
	return b.String()
}

// TestCoverGolden shows every kind of point, hit and not.
func TestCoverGolden(t *testing.T) {
	text, err := os.ReadFile("testdata/cover.agg")
	if err != nil {
		t.Fatal(err)
	}
	c := cover(t, compiled(t, dsl.Source{Path: "cover.agg", Text: text}), testrun.Options{})
	var b bytes.Buffer
	b.WriteString(points(c))
	b.WriteString("\n")
	if err := c.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	b.WriteString("\n")
	if err := c.WriteLCOV(&b); err != nil {
		t.Fatal(err)
	}
	if goldentest.Update() {
		if err := os.WriteFile("testdata/cover.want", b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile("testdata/cover.want")
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

// TestLayoutDoesNotCount: neither formatting, nor white space and comments, nor the number of
// workers change a point or how often it is hit.
func TestLayoutDoesNotCount(t *testing.T) {
	for name, sources := range corpora(t) {
		t.Run(name, func(t *testing.T) {
			want := points(cover(t, compiled(t, sources...), testrun.Options{Workers: 1}))
			if want == "" {
				t.Fatal("there are no points")
			}
			formatted := map[string]func([]byte) []byte{
				"formatted": func(text []byte) []byte {
					out, bag := format.Source(diag.NewFile("a.agg", text))
					if bag.Errors() > 0 {
						t.Fatal(bag.Sorted()[0].Message)
					}
					return out
				},
				"spread out": func(text []byte) []byte {
					return bytes.ReplaceAll(text, []byte("\n"), []byte("\n\n  // more\n"))
				},
				"as it is": func(text []byte) []byte { return text },
			}
			for how, f := range formatted {
				var other []dsl.Source
				for _, s := range sources {
					other = append(other, dsl.Source{Path: s.Path, Text: f(s.Text)})
				}
				if got := points(cover(t, compiled(t, other...), testrun.Options{Workers: 3})); got != want {
					t.Errorf("%s: got\n%s\nwant\n%s", how, got, want)
				}
			}
		})
	}
}

// TestMarksMeanNothing: what is marked decides as what is not, gas aside.
func TestMarksMeanNothing(t *testing.T) {
	for name, sources := range corpora(t) {
		t.Run(name, func(t *testing.T) {
			r, err := testrun.RunMarked(compiled(t, sources...))
			if err != nil {
				t.Fatal(err)
			}
			for i := range r.Results {
				for _, f := range r.Results[i].Failures {
					if !strings.HasPrefix(f.Want, "gas ") {
						t.Errorf("%s: %+v", r.Results[i].Title, f)
					}
				}
			}
			if len(r.Results) == 0 {
				t.Error("nothing ran")
			}
		})
	}
}

// TestCoverLeavesNoTrace: the trees compile to the same program afterwards.
func TestCoverLeavesNoTrace(t *testing.T) {
	for name, sources := range corpora(t) {
		t.Run(name, func(t *testing.T) {
			res := compiled(t, sources...)
			cover(t, res, testrun.Options{})
			for _, p := range res.Programs {
				again, plan := recompiled(t, p)
				if plan == nil || !bytes.Equal(bytecode.Encode(p.Program), bytecode.Encode(again)) {
					t.Errorf("%s compiles to something else", p.Name)
				}
			}
			if first, second := points(cover(t, res, testrun.Options{})), points(cover(t, res, testrun.Options{})); first != second {
				t.Error("coverage differs from run to run")
			}
		})
	}
}

func TestCoverPage(t *testing.T) {
	c := cover(t, compiled(t, corpora(t)["bank"]...), testrun.Options{})
	var b strings.Builder
	if err := c.WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, want := range []string{"<h1>Coverage ", "<td>drop_expired_holds</td>", `class="none"`, `class="all"`, `class="part"`, "is never violated", "&lt;string&lt;40&gt;, 20&gt;"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, not := range []string{"<script", "http://", "https://", "src=", "<link"} {
		if strings.Contains(page, not) {
			t.Errorf("the page is not self-contained: %q", not)
		}
	}
}

func TestBelow(t *testing.T) {
	for _, tt := range []struct {
		covered, all int
		threshold    float64
		want         bool
	}{{9, 10, 90, false}, {8_999, 10_000, 90, true}, {0, 0, 100, false}, {2, 3, 66.6, false}, {2, 3, 66.7, true}, {3, 3, 100, false}} {
		if got := (testrun.Tally{Covered: tt.covered, All: tt.all}).Below(tt.threshold); got != tt.want {
			t.Errorf("%d/%d below %v: got %v, want %v", tt.covered, tt.all, tt.threshold, got, tt.want)
		}
	}
}

// TestCoverOfNothing: a set with errors, and one without tests.
func TestCoverOfNothing(t *testing.T) {
	broken := dsl.Compile([]dsl.Source{{Path: "a.agg", Text: []byte("aggregate A {")}}, dsl.Options{Tests: true})
	if c := cover(t, broken, testrun.Options{}); len(c.Aggregates) != 0 {
		t.Errorf("got %d aggregates, want none", len(c.Aggregates))
	}
	text := strings.SplitN(string(corpora(t)["cover.agg"][0].Text), "\ntest ", 2)[0]
	c := cover(t, compiled(t, dsl.Source{Path: "a.agg", Text: []byte(text)}), testrun.Options{})
	if _, all := c.Tally(); all.Covered != 0 || all.All < 20 {
		t.Errorf("got %+v, want no point of many", all)
	}
}

func recompiled(t *testing.T, p *dsl.Program) (*bytecode.Program, *compile.TestPlan) {
	t.Helper()
	again, plan, err := compile.Aggregate(p.Aggregate, p.Tests)
	if err != nil {
		t.Fatal(err)
	}
	return again, plan
}
