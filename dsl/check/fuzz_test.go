package check_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloudlysis/aggregate/dsl/diag"
)

// FuzzFiles checks that no text makes the checker panic, that findings lie in the text, and that
// a second run finds the same.
func FuzzFiles(f *testing.F) {
	f.Add(bank(f))
	paths, _ := filepath.Glob(filepath.Join("..", "testdata", "conformance", "*.txtar"))
	for _, p := range paths {
		for _, file := range readArchive(f, p).Files {
			f.Add(string(file.Data))
		}
	}
	for _, info := range diag.Codes() {
		f.Add(info.Example)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 10_000 {
			return
		}
		_, first := run(source{"a.agg", text})
		for _, d := range first {
			if d.Span.File != nil && (d.Span.Start < 0 || d.Span.Start > d.Span.End || int(d.Span.End) > len(text)) {
				t.Errorf("the place of %s lies outside of the text: %d to %d", d.Code, d.Span.Start, d.Span.End)
			}
			quoted := strings.Contains(text, "%!") // then it may be the author's own
			if !quoted && (strings.Contains(d.Message, "%!") || strings.Contains(d.Hint, "%!")) {
				t.Errorf("malformed message: %s", short(d))
			}
		}
		_, second := run(source{"a.agg", text})
		if a, b := list(first), list(second); a != b {
			t.Errorf("two runs differ:\n%s\n%s", a, b)
		}
	})
}

// list is all findings, one on a line.
func list(found []*diag.Diagnostic) string {
	var b strings.Builder
	for _, d := range found {
		b.WriteString(short(d))
		b.WriteByte('\n')
	}
	return b.String()
}
