package clienttest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestProtoKeepsItsPromise: what proto/ says now fits proto/aggregate.binpb, the protocol as it was
// last released, and a change that breaks clients is found.
func TestProtoKeepsItsPromise(t *testing.T) {
	needsMore(t, "a build of buf")
	buf := tool(t, "github.com/bufbuild/buf/cmd/buf")
	base, err := filepath.Abs(filepath.Join(root, "proto/aggregate.binpb"))
	if err != nil {
		t.Fatal(err)
	}
	if out, errs, code := run(t, filepath.Join(root, "proto"), buf, "breaking", "--against", base); code != 0 {
		t.Errorf("proto/ breaks clients of the last release: %s%s", out, errs)
	}
	text, err := os.ReadFile(filepath.Join(root, "proto/aggregate/v1/command.proto"))
	if err != nil {
		t.Fatal(err)
	}
	config, err := os.ReadFile(filepath.Join(root, "proto/buf.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]*strings.Replacer{
		"a field is gone":          strings.NewReplacer("  string payload_json = 4;\n", ""),
		"a field changes type":     strings.NewReplacer("string command_id = 3;", "bytes command_id = 3;"),
		"a field changes number":   strings.NewReplacer("bool duplicate = 7;", "bool duplicate = 9;"),
		"a method stops to stream": strings.NewReplacer("(stream SubmitCommandsRequest)", "(SubmitCommandsRequest)"),
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			changed := r.Replace(string(text))
			if changed == string(text) {
				t.Fatal("nothing was changed")
			}
			write(t, filepath.Join(dir, "buf.yaml"), string(config))
			write(t, filepath.Join(dir, "aggregate/v1/command.proto"), changed)
			if out, errs, code := run(t, dir, buf, "breaking", "--against", base); code == 0 || !strings.Contains(out, "command.proto:") {
				t.Errorf("not found: exit %d %s%s", code, out, errs)
			}
		})
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
