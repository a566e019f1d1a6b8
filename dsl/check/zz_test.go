package check_test

import (
	"os"
	"path/filepath"
	"testing"
)

func TestZZ(t *testing.T) {
	dirs := map[string][]source{}
	filepath.Walk("../..", func(p string, fi os.FileInfo, err error) error {
		if err == nil && filepath.Ext(p) == ".agg" {
			b, _ := os.ReadFile(p)
			d := filepath.Dir(p)
			if d == "../parser/testdata" || d == "../compile/testdata/run" { d = p }
			dirs[d] = append(dirs[d], source{filepath.Base(p), string(b)})
		}
		return nil
	})
	for d, s := range dirs {
		_, found := run(s...)
		for i, f := range found {
			if i < 12 {
			t.Logf("%s: %s", d, short(f))
			}
		}
	}
}
