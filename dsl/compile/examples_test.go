package compile_test

import (
	"os"
	"testing"

	"github.com/cloudlysis/aggregate/dsl"
)

// TestExamples runs the tests of the examples of this repository, which are clean.
func TestExamples(t *testing.T) {
	for _, dir := range []string{"bank", "order"} {
		t.Run(dir, func(t *testing.T) {
			r := mustCompile(t, dsl.ReadDir(os.DirFS("../../examples/"+dir)).Compile(dsl.Options{Tests: true}))
			for _, d := range r.Diagnostics {
				pos := d.Span.StartPosition()
				t.Errorf("%s:%d:%d: %s %s", pos.File, pos.Line, pos.Column, d.Code, d.Message)
			}
			runTests(t, r)
		})
	}
}
