package testrun_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/cloudlysis/aggregate/dsl"
	"github.com/cloudlysis/aggregate/dsl/report"
	"github.com/cloudlysis/aggregate/dsl/testrun"
)

func cover(t testing.TB, res *dsl.Result) *testrun.Coverage {
	t.Helper()
	c, err := testrun.Cover(res, testrun.CoverOptions{Status: report.StatusField})
	if err != nil {
		t.Fatal(err)
	}
	return c
}
func TestSmoke(t *testing.T) {
	files := dsl.ReadDir(os.DirFS(filepath.Join("../../examples")))
	cover(t, compiled(t, files.Sources...)).WriteText(os.Stdout)
}
