package testrun_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/cloudlysis/aggregate/dsl"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/testrun"
	"github.com/cloudlysis/aggregate/internal/goldentest"
)

func compiled(t testing.TB, sources ...dsl.Source) *dsl.Result {
	t.Helper()
	r := dsl.Compile(sources, dsl.Options{Tests: true})
	var b strings.Builder
	for _, d := range r.Diagnostics {
		if d.Severity == diag.Error {
			diag.Write(&b, diag.Pretty, []*diag.Diagnostic{d}, diag.Options{})
		}
	}
	if !r.OK {
		t.Fatalf("does not compile:\n%s", b.String())
	}
	return r
}

func render(t testing.TB, r *testrun.Report, f testrun.Format, o testrun.WriteOptions) string {
	t.Helper()
	r.Elapsed = 0
	var b bytes.Buffer
	if err := r.Write(&b, f, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestRulingsHold(t *testing.T) {
	text, err := os.ReadFile("testdata/rulings.agg")
	if err != nil {
		t.Fatal(err)
	}
	r := testrun.Run(compiled(t, dsl.Source{Path: "rulings.agg", Text: text}), testrun.Options{})
	if len(r.Results) < 30 || r.Failed() > 0 {
		t.Errorf("got %d results:\n%s", len(r.Results), render(t, r, testrun.Pretty, testrun.WriteOptions{}))
	}
}

func TestExamplesPass(t *testing.T) {
	for _, dir := range []string{"bank", "order"} {
		t.Run(dir, func(t *testing.T) {
			files := dsl.ReadDir(os.DirFS(filepath.Join("../../examples", dir)))
			r := testrun.Run(compiled(t, files.Sources...), testrun.Options{})
			if len(r.Results) == 0 || r.Failed() > 0 {
				t.Errorf("got %d results:\n%s", len(r.Results), render(t, r, testrun.Pretty, testrun.WriteOptions{}))
			}
		})
	}
}

// TestGolden renders the failures of each archive in all formats.
func TestGolden(t *testing.T) {
	goldentest.Archives(t, "testdata/*.txtar", func(t *testing.T, files []txtar.File) []txtar.File {
		var sources []dsl.Source
		for _, f := range files {
			sources = append(sources, dsl.Source{Path: f.Name, Text: f.Data})
		}
		r := testrun.Run(compiled(t, sources...), testrun.Options{})
		var out []txtar.File
		for _, f := range []testrun.Format{testrun.Pretty, testrun.JSON, testrun.JUnit, testrun.TAP} {
			out = append(out, txtar.File{Name: "out/" + f.String(), Data: []byte(render(t, r, f, testrun.WriteOptions{Verbose: true}))})
		}
		return out
	})
}

// TestSameReport: the number of workers changes nothing.
func TestSameReport(t *testing.T) {
	res := compiled(t, many(200, 5))
	one := render(t, testrun.Run(res, testrun.Options{Workers: 1}), testrun.JSON, testrun.WriteOptions{})
	for _, n := range []int{2, 7, 64} {
		if got := render(t, testrun.Run(res, testrun.Options{Workers: n}), testrun.JSON, testrun.WriteOptions{}); got != one {
			t.Errorf("%d workers give another report", n)
		}
	}
	if !strings.Contains(one, `"failed": 200,`) || !strings.Contains(one, `"passed": 800,`) {
		t.Errorf("got %.200s, want 200 failed and 800 passed", one)
	}
}

// many makes n tests of rows rows; the last row of each fails.
func many(n, rows int) dsl.Source {
	var b strings.Builder
	b.WriteString(`aggregate Counter {
  state { n: int = 0 }
  command add { by: int where by > 0 }
  event added { by: int }
  decide add { emit added { ..cmd } }
  apply added { state.n += event.by }
}
`)
	for i := range n {
		fmt.Fprintf(&b, "test \"test %d adds {a}\" for Counter cases a, want {", i)
		for k := range rows {
			want := k + 2
			if k == rows-1 {
				want = 0
			}
			fmt.Fprintf(&b, " (%d, %d)", k+1, want)
		}
		b.WriteString(" } { given added { by: 1 } when add { by: a } then emit added { by: a } then state.n == want }\n")
	}
	return dsl.Source{Path: "counter.agg", Text: []byte(b.String())}
}

// TestTenThousand: 10,000 tests under two seconds, compiling aside.
func TestTenThousand(t *testing.T) {
	res := compiled(t, many(1_000, 10))
	r := testrun.Run(res, testrun.Options{})
	if len(r.Results) != 10_000 || r.Failed() != 1_000 {
		t.Fatalf("got %d results, %d failed, want 10,000 and 1,000", len(r.Results), r.Failed())
	}
	if r.Elapsed > 2*time.Second {
		t.Errorf("took %v, want less than 2s", r.Elapsed)
	}
}

func TestPick(t *testing.T) {
	res := compiled(t, many(12, 3))
	tests := []struct {
		re   string
		want int
	}{
		{"", 36},
		{"Counter/", 36},
		{`^Counter/test 7 adds`, 3},
		{`^Counter/test 7 adds 2 \[2\]$`, 1},
		{`adds \{a\}$`, 36},
		{"Other/", 0},
	}
	for _, tt := range tests {
		t.Run(tt.re, func(t *testing.T) {
			r := testrun.Run(res, testrun.Options{Run: regexp.MustCompile(tt.re)})
			if len(r.Results) != tt.want {
				t.Errorf("got %d results, want %d", len(r.Results), tt.want)
			}
		})
	}
}

// TestNotOK: a set with errors has no results, and nothing runs.
func TestNotOK(t *testing.T) {
	res := dsl.Compile([]dsl.Source{{Path: "a.agg", Text: []byte("aggregate A {")}}, dsl.Options{Tests: true})
	if r := testrun.Run(res, testrun.Options{}); len(r.Results) != 0 {
		t.Errorf("got %d results, want none", len(r.Results))
	}
}

func TestFileName(t *testing.T) {
	res := compiled(t, many(1, 1))
	r := testrun.Run(res, testrun.Options{FileName: func(s string) string { return "sub/" + s }})
	f := r.Results[0].Failures[0]
	if r.Results[0].Place.File != "sub/counter.agg" || f.Place.File != "sub/counter.agg" {
		t.Errorf("got %s and %s, want sub/counter.agg", r.Results[0].Place, f.Place)
	}
}

func TestParseFormat(t *testing.T) {
	for _, name := range []string{"pretty", "json", "junit", "tap"} {
		if f, err := testrun.ParseFormat(name); err != nil || f.String() != name {
			t.Errorf("%s: got %v, %v", name, f, err)
		}
	}
	if _, err := testrun.ParseFormat("xml"); err == nil || !strings.Contains(err.Error(), "junit") {
		t.Errorf("got %v, want an error that lists the formats", err)
	}
}

// BenchmarkRun runs 10,000 tests; tests/s is the figure that issue 4 asks for, compiling aside.
func BenchmarkRun(b *testing.B) {
	res := compiled(b, many(1_000, 10))
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n += len(testrun.Run(res, testrun.Options{}).Results)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "tests/s")
}

// BenchmarkCover runs them once more, on marked rules that are watched.
func BenchmarkCover(b *testing.B) {
	res := compiled(b, many(1_000, 10))
	n := 0
	for b.Loop() {
		if _, err := testrun.Cover(res, testrun.CoverOptions{}); err != nil {
			b.Fatal(err)
		}
		n += 10_000
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "tests/s")
}
