package compile_test

import (
	"bytes"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/cloudlysis/aggregate/dsl"
	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/internal/goldentest"
)

// TestGolden compiles the .agg file of every archive and compares the disassembly with out/asm.
func TestGolden(t *testing.T) {
	goldentest.Archives(t, "testdata/asm/*.txtar", func(t *testing.T, sources []txtar.File) []txtar.File {
		src := sources[0]
		r := mustCompile(t, dsl.Compile([]dsl.Source{{Path: src.Name, Text: src.Data}}, dsl.Options{Tests: true}))
		var asm bytes.Buffer
		for _, p := range r.Programs {
			if err := bytecode.Verify(p.Program); err != nil {
				t.Fatal(err)
			}
			if err := bytecode.Disassemble(&asm, p.Program); err != nil {
				t.Fatal(err)
			}
		}
		return []txtar.File{{Name: "out/asm", Data: asm.Bytes()}}
	})
}
