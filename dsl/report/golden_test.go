package report

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/cloudlysis/aggregate/dsl/check"
)

// TestGolden makes each out/ file of each archive and compares. The name says what is made:
// out/matrix.FIELD.txt is the matrix by that field. An archive without in.agg is about the
// example of its name.
func TestGolden(t *testing.T) {
	for _, path := range archives(t) {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) { golden(t, path) })
	}
}

func archives(t testing.TB) []string {
	t.Helper()
	paths, err := filepath.Glob("testdata/golden/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	return paths
}

// sourceOf is the manifest of an archive.
func sourceOf(t testing.TB, path string, a *txtar.Archive) []byte {
	t.Helper()
	for _, f := range a.Files {
		if f.Name == "in.agg" {
			return f.Data
		}
	}
	return example(t, strings.TrimSuffix(filepath.Base(path), ".txtar"))
}

func golden(t *testing.T, path string) {
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	src := sourceOf(t, path, archive)
	for i := range archive.Files {
		f := &archive.Files[i]
		if !strings.HasPrefix(f.Name, "out/") {
			continue
		}
		set := load(t, "in", src) // anew, so that nothing can depend on an earlier report
		got := &bytes.Buffer{}
		if err := produce(got, set, strings.TrimPrefix(f.Name, "out/")); err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		if *update {
			f.Data = got.Bytes()
			continue
		}
		if !bytes.Equal(got.Bytes(), f.Data) {
			t.Errorf("%s is stale (run with -update and read the diff)\ngot:\n%s", f.Name, got)
		}
	}
	if *update {
		if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// produce makes one report by its name.
func produce(w io.Writer, set *check.Set, name string) error {
	a := set.Aggregates[0]
	parts := strings.Split(name, ".")
	field := ""
	if len(parts) == 3 {
		field = parts[1]
	}
	info := SchemaInfo{Title: "golden", Version: "1"}
	switch kind := parts[0] + "." + parts[len(parts)-1]; kind {
	case "matrix.txt", "matrix.md", "matrix.json":
		m, err := NewMatrix(a, field)
		if err != nil {
			return err
		}
		return map[string]func(io.Writer) error{"txt": m.Text, "md": m.Markdown, "json": m.JSON}[parts[len(parts)-1]](w)
	case "graph.mermaid", "graph.dot", "graph.svg", "graph.json":
		gs, err := NewGraphs(a, field)
		if err != nil {
			return err
		}
		for _, g := range gs {
			write := map[string]func(io.Writer) error{"mermaid": g.Mermaid, "dot": g.Dot, "svg": g.SVG, "json": g.JSON}
			if err := write[parts[len(parts)-1]](w); err != nil {
				return err
			}
		}
		return nil
	case "doc.md", "doc.html":
		d, err := NewDoc(a, field)
		if err != nil {
			return err
		}
		if kind == "doc.md" {
			return WriteMarkdown(w, []*Doc{d})
		}
		return WriteHTML(w, a.Name, []*Doc{d})
	case "schema.json":
		return JSONSchema(w, set, info)
	case "openapi.json":
		return OpenAPI(w, set, info)
	case "asyncapi.json":
		return AsyncAPI(w, set, info)
	case "types.ts":
		return TypeScript(w, set, info)
	}
	return fmt.Errorf("unknown report %q", name)
}
