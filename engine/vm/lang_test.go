package vm_test

import (
	"os"
	"strings"
	"testing"

	"github.com/cloudlysis/aggregate/dsl"
	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/engine/vm"
)

// compiled compiles a manifest and loads one of its aggregates.
func compiled(t testing.TB, src, name string) *vm.Program {
	t.Helper()
	r := dsl.Compile([]dsl.Source{{Path: "test.agg", Text: []byte(src)}}, dsl.Options{})
	if !r.OK {
		for _, d := range r.Diagnostics {
			t.Errorf("%s: %s", d.Code, d.Message)
		}
		t.FailNow()
	}
	p, err := vm.Load(r.Program(name).Program)
	if err != nil {
		var b strings.Builder
		_ = bytecode.Disassemble(&b, r.Program(name).Program)
		t.Fatalf("%v\n%s", err, b.String())
	}
	return p
}

func account(t testing.TB) *vm.Program {
	src, err := os.ReadFile("testdata/account.agg")
	if err != nil {
		t.Fatal(err)
	}
	return compiled(t, string(src), "Account")
}
