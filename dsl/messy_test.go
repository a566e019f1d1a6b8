package dsl_test

import (
	"bytes"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/cloudlysis/aggregate/dsl"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/internal/goldentest"
)

// TestMessy: a file of sixty lines with twelve mistakes gives twelve findings, through the whole
// compiler, in the words of out/pretty.
func TestMessy(t *testing.T) {
	goldentest.Archives(t, "testdata/messy.txtar", func(t *testing.T, sources []txtar.File) []txtar.File {
		src := sources[0]
		if n := bytes.Count(src.Data, []byte("\n")); n != 60 {
			t.Errorf("the file has %d lines, want 60", n)
		}
		r := dsl.Compile([]dsl.Source{{Path: src.Name, Text: src.Data}}, dsl.Options{Tests: true})
		if len(r.Diagnostics) != 12 || r.OK {
			t.Errorf("got %d findings, want 12", len(r.Diagnostics))
		}
		var out bytes.Buffer
		if err := diag.Write(&out, diag.Pretty, r.Diagnostics, diag.Options{}); err != nil {
			t.Fatal(err)
		}
		return []txtar.File{{Name: "out/pretty", Data: out.Bytes()}}
	})
}
