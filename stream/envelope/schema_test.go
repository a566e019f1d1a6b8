package envelope_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"github.com/cloudlysis/aggregate/stream/envelope"
)

const schemaFile = "../../docs/events.schema.json"

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	s, err := c.Compile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func validate(s *jsonschema.Schema, body []byte) error {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return err
	}
	return s.Validate(v)
}

// Whatever is written fits the published schema.
func TestSchemaAcceptsWhatIsStored(t *testing.T) {
	s := schema(t)
	first := sample()
	first.Prev, first.Key.Tenant = envelope.Hash{}, ""
	for _, m := range []*envelope.Message{sample(), first} {
		if err := validate(s, encode(t, m)); err != nil {
			t.Errorf("%+v: %v", m, err)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		m := anyMessage().Draw(t, "message")
		body, err := envelope.Encode(nil, m)
		if err != nil {
			t.Fatal(err)
		}
		if err := validate(s, body); err != nil {
			t.Fatalf("%s\n%v", body, err)
		}
	})
}

// What the schema refuses, Decode refuses, and the other way round, as far as a schema can tell.
func TestSchemaAndDecodeAgree(t *testing.T) {
	s := schema(t)
	body := string(encode(t, sample()))
	tests := []struct {
		name, old, new string
		good           bool
	}{
		{"unknown member", `"v":1`, `"v":1,"new":1`, true},
		{"must of a known name", `"v":1`, `"v":1,"must":["prev"]`, true},
		{"unknown must", `"v":1`, `"v":1,"must":["sealed"]`, false},
		{"other v", `"v":1`, `"v":2`, false},
		{"other kind", `"commits"`, `"repair"`, false},
		{"tenant", `"acme"`, `"a.b"`, false},
		{"long tenant", `"acme"`, `"` + strings.Repeat("a", 64) + `"`, false},
		{"type", `"Account"`, `"account"`, false},
		{"id", `0192f0c1-2d3e-7a4b-8c5d-6e7f8a9b0c1d`, `0192f0c12d3e7a4b8c5d6e7f8a9b0c1d`, false},
		{"manifest", `"sha256:9f`, `"sha256:`, false},
		{"engine", `"0.1.0/1"`, `""`, false},
		{"prev", `"prev":"`, `"prev":"0`, false},
		{"no prev", `"prev"`, `"before"`, false},
		{"no command", `"command":`, `"was":`, true},
		{"command hash", commandHash, "ab", false},
		{"timestamp", `2026-11-24T10`, `2026-11-24 10`, false},
		{"roles", `["teller"]`, `[1]`, false},
		{"metadata", `"c-1"`, `7`, false},
		{"version", `"version":8`, `"version":0`, false},
		{"fraction", `"version":8`, `"version":8.5`, false},
		{"schema", `"schema":1`, `"schema":0`, false},
		{"payload", `{"amount":75,"fee":0.75}`, `[75]`, false},
		{"no payload", `"payload"`, `"pay"`, false},
		{"no events", `"events"`, `"facts"`, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if !strings.Contains(body, tt.old) {
				t.Fatalf("the body has no %q", tt.old)
			}
			b := []byte(strings.Replace(body, tt.old, tt.new, 1))
			if err := validate(s, b); (err == nil) != tt.good {
				t.Errorf("schema: got %v, want accepted: %t", err, tt.good)
			}
			if _, err := envelope.Decode(b); (err == nil) != tt.good {
				t.Errorf("Decode: got %v, want accepted: %t", err, tt.good)
			}
		})
	}
}

// The page quotes an event id; it must be the right one.
func TestPageQuotesTheDerivedID(t *testing.T) {
	page, err := os.ReadFile("../../docs/events.md")
	if err != nil {
		t.Fatal(err)
	}
	if id := envelope.EventID(key, commandID, at, 0).String(); !strings.Contains(string(page), id) {
		t.Errorf("docs/events.md does not quote %s", id)
	}
}
