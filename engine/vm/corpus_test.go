package vm_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/cloudlysis/aggregate/dsl"
	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/engine/vm"
)

// manifests gives every manifest of the examples and of the language's test archives.
func manifests(t *testing.T) map[string][]byte {
	found := map[string][]byte{}
	for _, root := range []string{"../../dsl", "../../examples", "testdata"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			text, err := os.ReadFile(path)
			switch filepath.Ext(path) {
			case ".agg":
				found[path] = text
			case ".txtar":
				for _, f := range txtar.Parse(text).Files {
					if strings.HasSuffix(f.Name, ".agg") {
						found[path+"/"+f.Name] = f.Data
					}
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return found
}

// TestManifests loads what the compiler makes of every manifest that stands by itself, tests
// included: the verifier accepts it, its file brings it back, and both paths of the machine
// agree on it.
func TestManifests(t *testing.T) {
	programs := 0
	for path, text := range manifests(t) {
		r := dsl.Compile([]dsl.Source{{Path: "x.agg", Text: text}}, dsl.Options{Tests: true})
		if !r.OK {
			continue
		}
		for _, q := range r.Programs {
			programs++
			t.Run(path+" "+q.Name, func(t *testing.T) {
				p, err := vm.Load(q.Program)
				if err != nil {
					t.Fatal(err)
				}
				file := bytecode.Encode(q.Program)
				back, err := bytecode.Decode(file)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(bytecode.Encode(back), file) || bytecode.Fingerprint(back) != bytecode.Fingerprint(q.Program) {
					t.Error("the program changes on its way through a file")
				}
				exercise(t, p)
			})
		}
	}
	if programs < 10 {
		t.Errorf("only %d programs were found", programs)
	}
}
