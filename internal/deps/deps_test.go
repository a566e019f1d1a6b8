package deps

import (
	"os"
	"path/filepath"
	"testing"
)

func TestImportsPointDown(t *testing.T) {
	found, err := Check("../..", Table)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		t.Error(f)
	}
}

func TestCheckFinds(t *testing.T) {
	root := t.TempDir()
	write(t, root, "low/low.go", "// Package low is below.\npackage low\n")
	write(t, root, "high/high.go", "// Package high is above.\npackage high\n\nimport _ \""+Module+"/low\"\n")
	write(t, root, "mute/mute.go", "package mute\n")
	write(t, root, "new/new.go", "// Package new is not listed.\npackage new\n")
	tests := []struct {
		name  string
		table map[string][]string
		want  int
	}{
		{"all allowed", map[string][]string{"low": {}, "high": {"low"}, "mute": {}, "new": {}}, 1}, // mute has no doc
		{"import upwards", map[string][]string{"low": {}, "high": {}, "mute": {}, "new": {}}, 2},
		{"not listed", map[string][]string{"low": {}, "high": {Anything}, "mute": {}}, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			found, err := Check(root, tt.table)
			if err != nil || len(found) != tt.want {
				t.Errorf("got %v, %v; want %d findings", found, err, tt.want)
			}
		})
	}
}

func write(t *testing.T, root, name, text string) {
	t.Helper()
	p := filepath.Join(root, name)
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
