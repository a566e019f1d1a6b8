package diag_test

import (
	"strings"
	"testing"

	"github.com/cloudlysis/aggregate/dsl/diag"
)

func TestCodesAreDocumentedOnce(t *testing.T) {
	seen := map[diag.Code]bool{}
	for _, info := range diag.Codes() {
		if seen[info.Code] {
			t.Errorf("%s is documented twice", info.Code)
		}
		seen[info.Code] = true
		if info.Title == "" || !strings.HasPrefix(info.Doc, "Occurs when ") {
			t.Errorf("%s: title %q, doc %q", info.Code, info.Title, info.Doc)
		}
		if info.Severity != info.Code.Severity() {
			t.Errorf("%s has severity %s, its number says %s", info.Code, info.Severity, info.Code.Severity())
		}
	}
}

func TestExplain(t *testing.T) {
	for _, name := range []diag.Code{"AGG1005", "agg1005", "1005"} {
		info, ok := diag.Explain(name)
		if !ok || info.Code != diag.MissingOperand {
			t.Errorf("Explain(%s): got %s, %t", name, info.Code, ok)
		}
	}
	if _, ok := diag.Explain("AGG0000"); ok {
		t.Error("AGG0000 is explained")
	}
}
