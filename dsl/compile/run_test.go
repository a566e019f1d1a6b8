package compile_test

import (
	"path/filepath"
	"testing"

	"os"

	"github.com/cloudlysis/aggregate/dsl"
)

// TestRun compiles each manifest of testdata/run with its tests and runs them: every form of
// expression and statement is run at least once for its result.
func TestRun(t *testing.T) {
	files, err := filepath.Glob("testdata/run/*.agg")
	if err != nil || len(files) == 0 {
		t.Fatalf("no manifests: %v", err)
	}
	for _, f := range files {
		t.Run(filepath.Base(f), func(t *testing.T) {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			src := []dsl.Source{{Path: filepath.Base(f), Text: text}}
			runTests(t, mustCompile(t, dsl.Compile(src, dsl.Options{Tests: true})))
		})
	}
}
