package report

import (
	"os"
	"testing"
)

func TestTry(t *testing.T) {
	for _, d := range []string{"bank", "order"} {
		set := load(t, d, example(t, d))
		var ds []*Doc
		for _, a := range set.Aggregates {
			x, err := NewDoc(a, "")
			if err != nil {
				t.Fatal(err)
			}
			ds = append(ds, x)
		}
		fs, _ := os.Create("/tmp/" + d + ".md")
		if err := WriteMarkdown(fs, ds); err != nil {
			t.Fatal(err)
		}
		fs, _ = os.Create("/tmp/" + d + ".html")
		if err := WriteHTML(fs, d, ds); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTry3(t *testing.T) {
	for _, d := range []string{"bank", "order"} {
		set := load(t, d, example(t, d))
		i := SchemaInfo{d, "sha256:x"}
		fs, _ := os.Create("/tmp/" + d + ".schema.json")
		JSONSchema(fs, set, i)
		fs, _ = os.Create("/tmp/" + d + ".openapi.json")
		OpenAPI(fs, set, i)
		fs, _ = os.Create("/tmp/" + d + ".asyncapi.json")
		AsyncAPI(fs, set, i)
		fs, _ = os.Create("/tmp/" + d + ".ts")
		TypeScript(fs, set, i)
	}
}
