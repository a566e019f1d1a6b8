package compile_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/cloudlysis/aggregate/dsl"
	"github.com/cloudlysis/aggregate/dsl/compile"
)

// TestRun compiles each manifest of testdata/run with its tests and runs them: every form of
// expression and statement is run at least once for its result. Nothing may depend on how much
// is lowered in place.
func TestRun(t *testing.T) {
	files, err := filepath.Glob("testdata/run/*.agg")
	if err != nil || len(files) == 0 {
		t.Fatalf("no manifests: %v", err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		src := []dsl.Source{{Path: filepath.Base(f), Text: text}}
		t.Run(filepath.Base(f), func(t *testing.T) {
			r := mustCompile(t, dsl.Compile(src, dsl.Options{Tests: true}))
			runTests(t, r)
			for _, size := range []int{0, 6, 10_000} {
				for _, p := range r.Programs {
					var err error
					if p.Program, p.Plan, err = compile.AggregateInline(p.Aggregate, p.Tests, size); err != nil {
						t.Fatal(err)
					}
				}
				t.Run(fmt.Sprint("inline ", size), func(t *testing.T) { runTests(t, r) })
			}
		})
	}
}
