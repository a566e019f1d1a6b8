package report

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"github.com/cloudlysis/aggregate/dsl"
	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/value"
	"github.com/cloudlysis/aggregate/engine/vm"
)

// documents are the manifests of all archives, by name.
func documents(t testing.TB) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	for _, path := range archives(t) {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		out[strings.TrimSuffix(filepath.Base(path), ".txtar")] = sourceOf(t, path, archive)
	}
	return out
}

func parseJSON(t testing.TB, b []byte) any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatalf("%v in %s", err, b)
	}
	return v
}

// spec compiles an official schema.
func spec(t testing.TB, name string) *jsonschema.Schema {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "spec", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(z)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler() // formats stay notes: that of OpenAPI calls a relative $ref no uri
	c.UseLoader(noLoader{})
	if err := c.AddResource("spec.json", doc); err != nil {
		t.Fatal(err)
	}
	return c.MustCompile("spec.json")
}

// compileSchema compiles the schema at a fragment of a document. Nothing is fetched.
func compileSchema(t testing.TB, doc any, at string) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	c.UseLoader(noLoader{})
	url, _, _ := strings.Cut(at, "#")
	if err := c.AddResource(url, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(at)
	if err != nil {
		t.Fatalf("%s: %v", at, err)
	}
	return s
}

type noLoader struct{}

func (noLoader) Load(url string) (any, error) { return nil, fmt.Errorf("%s is not to be fetched", url) }

// made is one document of a set.
func made(t testing.TB, set *check.Set, name string) any {
	t.Helper()
	var b bytes.Buffer
	if err := produce(&b, set, name); err != nil {
		t.Fatal(err)
	}
	return parseJSON(t, b.Bytes())
}

func TestOpenAPIIsValid(t *testing.T) {
	official := spec(t, "openapi-3.1.json.gz")
	for name, src := range documents(t) {
		t.Run(name, func(t *testing.T) {
			doc := made(t, load(t, name, src), "openapi.json")
			if err := official.Validate(doc); err != nil {
				t.Fatal(err)
			}
			resolves(t, doc, doc)
			for def := range doc.(map[string]any)["components"].(map[string]any)["schemas"].(map[string]any) {
				compileSchema(t, doc, "openapi.json#/components/schemas/"+def)
			}
		})
	}
}

func TestOfficialSchemasRefuse(t *testing.T) {
	doc := made(t, load(t, "bank", example(t, "bank")), "openapi.json").(map[string]any)
	delete(doc["info"].(map[string]any), "version")
	if spec(t, "openapi-3.1.json.gz").Validate(doc) == nil {
		t.Error("an OpenAPI document without a version is taken")
	}
	async := made(t, load(t, "bank", example(t, "bank")), "asyncapi.json").(map[string]any)
	async["channels"].(map[string]any)["Account"].(map[string]any)["adress"] = "x"
	if spec(t, "asyncapi-3.0.0.json.gz").Validate(async) == nil {
		t.Error("an AsyncAPI document with a misspelt member is taken")
	}
}

func TestAsyncAPIIsValid(t *testing.T) {
	official := spec(t, "asyncapi-3.0.0.json.gz")
	for name, src := range documents(t) {
		t.Run(name, func(t *testing.T) {
			doc := made(t, load(t, name, src), "asyncapi.json")
			if err := official.Validate(doc); err != nil {
				t.Fatal(err)
			}
			resolves(t, doc, doc)
		})
	}
}

// TestFlightFitsAsyncAPI holds a stored message against the schema of the bank's channel.
func TestFlightFitsAsyncAPI(t *testing.T) {
	doc := made(t, load(t, "bank", example(t, "bank")), "asyncapi.json")
	s := compileSchema(t, doc, "asyncapi.json#/components/schemas/Account.flight")
	flight := `{"v":1,"kind":"commits","tenant_id":"acme","aggregate_type":"Account","aggregate_id":"0192f0c1-2d3e-7a4b-8c5d-6e7f8a9b0c1d",
		"manifest":"sha256:` + strings.Repeat("0f", 32) + `","engine":"0.1.0/1","prev":"","commits":[{"command_id":"0192f0c1-2d3e-7a4b-8c5d-6e7f8a9b0c1d",
		"command_hash":"ab","timestamp":"2026-11-24T10:00:00.123456789Z","events":[{"event_id":"0192f0c1-2d3e-7a4b-8c5d-6e7f8a9b0c1d","version":8,
		"event_type":"withdrawn","schema":1,"payload":{"amount":%s}}]}]}`
	if err := s.Validate(parseJSON(t, fmt.Appendf(nil, flight, "75.00"))); err != nil {
		t.Error(err)
	}
	for _, wrong := range []string{`"75"`, `75,"fee":1`, `null`} {
		if s.Validate(parseJSON(t, fmt.Appendf(nil, flight, wrong))) == nil {
			t.Errorf("amount %s is taken", wrong)
		}
	}
}

// resolves checks that every local $ref of a document leads somewhere.
func resolves(t *testing.T, root, at any) {
	t.Helper()
	switch x := at.(type) {
	case map[string]any:
		if ref, ok := x["$ref"].(string); ok {
			lead(t, root, ref)
		}
		for _, v := range x {
			resolves(t, root, v)
		}
	case []any:
		for _, v := range x {
			resolves(t, root, v)
		}
	}
}

func lead(t *testing.T, root any, ref string) {
	t.Helper()
	for _, part := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
		m, _ := root.(map[string]any)
		next, ok := m[part]
		if !ok {
			t.Fatalf("%s leads nowhere at %q", ref, part)
		}
		root = next
	}
}

// TestSchemasTakeWhatTheEngineTakes draws commands, events and states: what the machine takes
// or writes, the schemas take.
func TestSchemasTakeWhatTheEngineTakes(t *testing.T) {
	for name, src := range documents(t) {
		t.Run(name, func(t *testing.T) {
			r := dsl.Compile([]dsl.Source{{Path: name + ".agg", Text: src}}, dsl.Options{})
			if !r.OK {
				t.Fatal("the manifest does not compile")
			}
			doc := made(t, r.Set, "schema.json")
			for _, p := range r.Programs {
				prog, err := vm.Load(p.Program)
				if err != nil {
					t.Fatal(err)
				}
				def := func(name string) *jsonschema.Schema {
					return compileSchema(t, doc, "schema.json#/$defs/"+p.Aggregate.Name+"."+name)
				}
				commands(t, p.Aggregate, prog, def)
				events(t, p.Aggregate, def)
				states(t, p.Aggregate, prog, def)
			}
		})
	}
}

func commands(t *testing.T, a *check.Aggregate, prog *vm.Program, def func(string) *jsonschema.Schema) {
	for _, c := range a.Commands {
		s := def("command." + c.Name)
		cmd, _ := prog.Command(c.Name)
		taken := 0
		rapid.Check(t, func(t *rapid.T) {
			m := prog.Get()
			defer prog.Put(m)
			vals := make([]value.V, len(c.Fields))
			for i, f := range c.Fields {
				vals[i] = gen(t, f.Type)
			}
			enc := value.Encoder{NumbersAsStrings: rapid.Bool().Draw(t, "strings")}
			payload := append([]byte(`{"type":"`+c.Name+`"`), commaMembers(enc, c.Fields, vals)...)
			payload = append(payload, '}')
			if m.DecodeCommand(cmd, payload) != nil {
				return
			}
			taken++
			if err := s.Validate(parse(t, payload)); err != nil {
				t.Fatalf("%s is taken by the machine, but: %v", payload, err)
			}
		})
		if taken == 0 {
			t.Logf("no random %s was valid", c.Name)
		}
		for _, wrong := range []string{`{}`, `{"type":"` + c.Name + `","_":1}`, `{"type":"other"}`, `[]`} {
			if s.Validate(parseJSON(t, []byte(wrong))) == nil {
				t.Errorf("%s: the schema takes %s", c.Name, wrong)
			}
		}
	}
}

func commaMembers(enc value.Encoder, fields []value.Field, vals []value.V) []byte {
	b := enc.AppendFields(nil, fields, vals) // {…}
	b = b[1 : len(b)-1]
	if len(b) == 0 {
		return nil
	}
	return append([]byte(","), b...)
}

func parse(t *rapid.T, b []byte) any {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatalf("%v in %s", err, b)
	}
	return v
}

func events(t *testing.T, a *check.Aggregate, def func(string) *jsonschema.Schema) {
	for _, e := range a.Events {
		s := def("event." + e.Name + "." + itoa(e.Version))
		rapid.Check(t, func(t *rapid.T) {
			vals := make([]value.V, len(e.Fields))
			for i, f := range e.Fields {
				vals[i] = within(t, f.Type)
			}
			payload := value.AppendFields(nil, e.Fields, vals)
			if err := s.Validate(parse(t, payload)); err != nil {
				t.Fatalf("event %s %s: %v", e.Name, payload, err)
			}
		})
	}
}

// within draws a value that keeps the bounds of its type.
func within(t *rapid.T, typ *value.Type) value.V {
	v := gen(t, typ)
	if !value.CheckBound(typ, v) {
		t.Skip("over a bound")
	}
	return v
}

func states(t *testing.T, a *check.Aggregate, prog *vm.Program, def func(string) *jsonschema.Schema) {
	s, derived := def("state"), def("derived")
	rapid.Check(t, func(t *rapid.T) {
		m := prog.Get()
		defer prog.Put(m)
		state := prog.NewState()
		for i, f := range a.State {
			state[i] = within(t, f.Type)
		}
		enc := value.Encoder{NumbersAsStrings: rapid.Bool().Draw(t, "strings")}
		text := prog.AppendState(nil, state, enc)
		if err := s.Validate(parse(t, text)); err != nil {
			t.Fatalf("state %s: %v", text, err)
		}
		text, out := m.AppendDerived(nil, state, enc)
		if out.Kind != vm.Accepted {
			return
		}
		if err := derived.Validate(parse(t, text)); err != nil {
			t.Fatalf("derived %s: %v", text, err)
		}
	})
}

// TestSchemaSaysWhere holds payloads that a `where` refuses, and JSON Schema can say so.
func TestSchemaSaysWhere(t *testing.T) {
	doc := made(t, load(t, "bank", example(t, "bank")), "schema.json")
	order := made(t, load(t, "order", example(t, "order")), "schema.json")
	tests := []struct {
		doc     any
		def     string
		payload string
		want    bool
	}{
		{doc, "Account.command.deposit", `{"type":"deposit","amount":1}`, true},
		{doc, "Account.command.deposit", `{"type":"deposit","amount":"1.50"}`, true},
		{doc, "Account.command.deposit", `{"type":"deposit","amount":0}`, false},
		{doc, "Account.command.deposit", `{"type":"deposit","amount":"1e2"}`, false},
		{doc, "Account.command.deposit", `{"type":"deposit"}`, false},
		{doc, "Account.command.set_contact", `{"type":"set_contact","contact":null}`, true},
		{doc, "Account.command.set_contact", `{"type":"set_contact","contact":{"email":"a@b","fax":"1"}}`, false},
		{order, "Order.command.change_quantity", `{"type":"change_quantity","sku":"A","quantity":1000}`, false},
		{order, "Order.command.change_quantity", `{"type":"change_quantity","sku":"A","quantity":9.5}`, false},
		{order, "Order.command.add_line", `{"type":"add_line","line":{"sku":"tea","quantity":1,"price":1}}`, false},
		{order, "Order.command.add_line", `{"type":"add_line","line":{"sku":"TEA","quantity":1,"price":1}}`, true},
		{order, "Order.command.start", `{"type":"start","customer":"00000000-0000-7000-8000-00000000000a","currency":"usd"}`, false},
		{order, "Order.command.start", `{"type":"start","customer":"00000000-0000-7000-8000-00000000000A","currency":"USD"}`, true},
	}
	for _, tt := range tests {
		t.Run(tt.payload, func(t *testing.T) {
			err := compileSchema(t, tt.doc, "schema.json#/$defs/"+tt.def).Validate(parseJSON(t, []byte(tt.payload)))
			if (err == nil) != tt.want {
				t.Errorf("got %v, want taken: %v", err, tt.want)
			}
		})
	}
}

// TestTypeScriptCompiles needs npm and the network, so it runs with AGG_TEST_ALL=1 only.
func TestTypeScriptCompiles(t *testing.T) {
	if os.Getenv("AGG_TEST_ALL") != "1" {
		t.Skip("set AGG_TEST_ALL=1 to run tsc from npm")
	}
	dir := t.TempDir()
	args := []string{"--yes", "--package", "typescript@5.9.3", "--", "tsc", "--noEmit", "--strict"}
	for name, src := range documents(t) {
		var b bytes.Buffer
		if err := produce(&b, load(t, name, src), "types.ts"); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, name+".ts")
		if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, file)
	}
	use := filepath.Join(dir, "use.ts")
	if err := os.WriteFile(use, []byte(tsUse), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("npx", append(args, use)...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// tsUse uses the types as a client would; what must not compile is marked so.
const tsUse = `import { Account } from "./bank";
import { Order } from "./order";
const deposit: Account.Command = { type: "deposit", amount: "0.1" };
// @ts-expect-error amount is missing
const wrong: Account.Command = { type: "deposit" };
// @ts-expect-error no such member
const currency: Order.types.Currency = "usd";
export function seen(e: Account.Event): string {
  switch (e.event_type) {
    case "withdrawn": return String(e.payload.amount);
    case "frozen": return e.payload.reason ?? "";
    default: return e.event_type;
  }
}
export const all = [deposit, wrong, currency];
`

// TestJSONIsOrdered pins that members keep their order.
func TestJSONIsOrdered(t *testing.T) {
	b, err := json.Marshal(object{{"z", 1}, {"a", object{{"<", "&"}}}})
	if err != nil || string(b) != `{"z":1,"a":{"<":"&"}}` && string(b) != `{"z":1,"a":{"\u003c":"\u0026"}}` {
		t.Errorf("got %s, %v", b, err)
	}
}
