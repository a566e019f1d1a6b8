package lsp

import (
	"os"
	"path/filepath"
	"testing"
)

func TestSetRoot(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"ws/one/a.agg", "ws/one/sub/b.agg", "ws/two/c.agg", "ws/shared/money.agg", "ws/indexed/manifests.yaml", "ws/indexed/x/y/d.agg", "out.agg"} {
		p := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct{ name, file, text, bound, want string }{
		{"its own directory", "ws/one/a.agg", "", "ws", "ws/one"},
		{"a parent with manifests", "ws/one/sub/b.agg", "", "ws", "ws/one"},
		{"an import from beside", "ws/two/c.agg", `import "../shared/money.agg"`, "ws", "ws"},
		{"an import of nothing", "ws/two/c.agg", `import "../gone.agg"`, "ws", "ws/two"},
		{"an import out of the workspace", "ws/two/c.agg", `import "../../out.agg"`, "ws", "ws"},
		{"an index above", "ws/indexed/x/y/d.agg", "", "ws", "ws/indexed"},
		{"an index above the bound", "ws/indexed/x/y/d.agg", "", "ws/indexed/x", "ws/indexed/x/y"},
		{"no workspace", "ws/one/sub/b.agg", "", "", "ws/one/sub"},
		{"no workspace, an import", "ws/two/c.agg", `import "../shared/money.agg"`, "", "ws"},
		{"the innermost workspace", "ws/one/sub/b.agg", "", "ws/one/sub", "ws/one/sub"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			at := func(name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }
			bounds := []string{}
			if tt.bound != "" {
				bounds = append(bounds, at(tt.bound), dir+"-other")
			}
			if got := SetRoot(at(tt.file), []byte(tt.text), bounds...); got != at(tt.want) {
				t.Errorf("got %s, want %s", got, at(tt.want))
			}
		})
	}
}

func TestURIs(t *testing.T) {
	for _, name := range []string{"/a/b.agg", "/with space/ä#?%.agg"} {
		if got := pathOf(uriOf(name)); got != name {
			t.Errorf("%s comes back as %s from %s", name, got, uriOf(name))
		}
	}
	for _, uri := range []string{"untitled:Untitled-1", "http://x/y.agg", "%", "file://"} {
		if got := pathOf(uri); got != "" {
			t.Errorf("%s names the file %s", uri, got)
		}
	}
	if got := pathOf("file:///a/b%20c.agg"); got != "/a/b c.agg" {
		t.Errorf("got %s", got)
	}
}
