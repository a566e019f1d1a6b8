package config

import (
	"bytes"
	"flag"
	"io"
	"os"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

var update = flag.Bool("update", false, "rewrite docs/configuration.md and docs/aggregate.schema.json")

func TestGeneratedDocumentsAreFresh(t *testing.T) {
	for name, write := range map[string]func(io.Writer) error{"../../docs/configuration.md": Document, "../../docs/aggregate.schema.json": Schema} {
		var want bytes.Buffer
		if err := write(&want); err != nil {
			t.Fatal(err)
		}
		if *update {
			if err := os.WriteFile(name, want.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(name)
		if err != nil || !bytes.Equal(got, want.Bytes()) {
			t.Errorf("%s is stale (%v): run make update", name, err)
		}
	}
}

// TestSchemaTellsGoodFromBad: what an editor says of a settings file.
func TestSchemaTellsGoodFromBad(t *testing.T) {
	s, err := jsonschema.NewCompiler().Compile("../../docs/aggregate.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		text string
		ok   bool
	}{
		{"sync: group\nsnapshot: {threshold: 5}\nlive: {idle: 1h30m}\ntracing: {ratio: 0.5}\ninsecure: true\n", true},
		{"snapshot: {treshold: 5}", false},
		{"snapshot: {threshold: many}", false},
		{"live: {idle: soon}", false},
		{"colour: red", false},
	}
	for _, tt := range tests {
		var v any
		if err := yaml.Unmarshal([]byte(tt.text), &v); err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(v); (err == nil) != tt.ok {
			t.Errorf("%s: got %v, want ok %v", tt.text, err, tt.ok)
		}
	}
}
