package dsl_test

import (
	"bytes"
	"flag"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/cloudlysis/aggregate/dsl"
	"github.com/cloudlysis/aggregate/dsl/diag"
)

// updating tells whether golden files are to be rewritten; the flag stands in gasdocs_test.go.
func updating() bool { f := flag.Lookup("update"); return f != nil && f.Value.String() == "true" }

// TestMessy: a file of sixty lines with twelve mistakes gives twelve findings, through the whole
// compiler, in the words of out/pretty.
func TestMessy(t *testing.T) {
	const path = "testdata/messy.txtar"
	ar, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	src := ar.Files[0]
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
	got := txtar.Format(&txtar.Archive{Comment: ar.Comment, Files: []txtar.File{src, {Name: "out/pretty", Data: out.Bytes()}}})
	if updating() {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want := txtar.Format(ar); !bytes.Equal(got, want) {
		t.Errorf("%s is stale (run with -update and read the diff)\ngot:\n%s", path, got)
	}
}
