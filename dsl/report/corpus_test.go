package report

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/cloudlysis/aggregate/dsl"
)

// TestCorpus runs every manifest of the language's own tests through every report, holds the
// verdicts against the machine and the documents against their official schemas.
func TestCorpus(t *testing.T) {
	openAPI, asyncAPI := spec(t, "openapi-3.1.json.gz"), spec(t, "asyncapi-3.0.0.json.gz")
	tried := 0
	for name, src := range corpus(t) {
		r := dsl.Compile([]dsl.Source{{Path: name, Text: src}}, dsl.Options{})
		if !r.OK || len(r.Programs) == 0 {
			continue
		}
		tried++
		t.Run(name, func(t *testing.T) {
			if err := openAPI.Validate(made(t, r.Set, "openapi.json")); err != nil {
				t.Errorf("openapi: %v", err)
			}
			if err := asyncAPI.Validate(made(t, r.Set, "asyncapi.json")); err != nil {
				t.Errorf("asyncapi: %v", err)
			}
			for _, kind := range []string{"schema.json", "types.ts", "doc.md", "doc.html", "graph.svg"} {
				if err := produce(&bytes.Buffer{}, r.Set, kind); err != nil {
					t.Errorf("%s: %v", kind, err)
				}
			}
			for _, p := range r.Programs {
				if len(p.Aggregate.Commands) > 0 {
					newLaw(t, p).run(t)
				}
			}
		})
	}
	if tried < 50 {
		t.Errorf("only %d manifests were found", tried)
	}
}

// corpus are the manifests of the conformance tests and of the compiler's, by place.
func corpus(t *testing.T) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	archives, _ := filepath.Glob("../testdata/conformance/*.txtar")
	for _, path := range archives {
		a, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range a.Files {
			if strings.HasSuffix(f.Name, ".agg") {
				out[strings.TrimSuffix(filepath.Base(path), ".txtar")+"/"+f.Name] = f.Data
			}
		}
	}
	loose, _ := filepath.Glob("../compile/testdata/run/*.agg")
	for _, path := range loose {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(path)] = src
	}
	return out
}
