package compile_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloudlysis/aggregate/dsl"
	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/diag"
)

// TestDeterministic: the same sources give the same bytes, in whatever order they come.
func TestDeterministic(t *testing.T) {
	files, err := filepath.Glob("testdata/run/*.agg")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	var sources, turned []dsl.Source
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, dsl.Source{Path: filepath.Base(f), Text: text})
		turned = append([]dsl.Source{sources[len(sources)-1]}, turned...)
	}
	first := mustCompile(t, dsl.Compile(sources, dsl.Options{Tests: true}))
	for range 5 {
		again := mustCompile(t, dsl.Compile(turned, dsl.Options{Tests: true}))
		for i, p := range first.Programs {
			if !bytes.Equal(bytecode.Encode(p.Program), bytecode.Encode(again.Programs[i].Program)) {
				t.Fatalf("%s is compiled to other bytes the second time", p.Name)
			}
		}
		if first.Hash != again.Hash {
			t.Fatalf("got hash %s, want %s", again.Hash, first.Hash)
		}
	}
}

// large is an aggregate with n statements, made by line.
func large(n int, line func(i int) string) string {
	var b strings.Builder
	b.WriteString("aggregate Large {\n state { n: int }\n command go { n: int }\n event went { n: int }\n apply went { state.n = event.n }\n decide go {\n")
	for i := range n {
		b.WriteString(line(i))
		b.WriteByte('\n')
	}
	b.WriteString(" emit went { ..cmd }\n }\n}\n")
	return b.String()
}

// TestTooLarge: what the bytecode cannot number is a finding with a code.
func TestTooLarge(t *testing.T) {
	for _, c := range []struct {
		name string
		text string
	}{
		{"instructions", large(11_000, func(int) string {
			return "require cmd.n>0 and cmd.n<9 and cmd.n!=5 and cmd.n!=6 and cmd.n!=7 and cmd.n!=8 else x"
		})},
		{"slots", large(34_000, func(i int) string { return fmt.Sprintf("let a%d=cmd.n+%d", i, i) })},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := dsl.Compile([]dsl.Source{{Path: "large.agg", Text: []byte(c.text)}}, dsl.Options{})
			if r.OK || r.Programs != nil {
				t.Fatal("it compiles")
			}
			for _, d := range r.Diagnostics {
				if d.Severity == diag.Error && d.Code != diag.RuleTooLarge {
					t.Fatalf("got %s %s, want %s", d.Code, d.Message, diag.RuleTooLarge)
				}
			}
		})
	}
}

// TestLargeBlocks: a block whose gas does not fit into a jump pays by an instruction of its own,
// and a program of thousands of rules compiles.
func TestLargeBlocks(t *testing.T) {
	body := "if cmd.n > 0 {\n" + strings.Repeat("x += cmd.n * 3 + 1\n", 400) + "}\nfor i in range(0, cmd.n) {\n" + strings.Repeat("x -= i * 2\n", 400) + "}"
	text := large(1, func(int) string { return "var x = 0\n" + body + "\nrequire x < 0 else positive \"{x}\"" })
	text += "test \"t\" for Large { when go { n: 2 } then reject positive \"2000\" }\n"
	r := mustCompile(t, dsl.Compile([]dsl.Source{{Path: "large.agg", Text: []byte(text)}}, dsl.Options{Tests: true}))
	runTests(t, r)
}

func BenchmarkCompile(b *testing.B) {
	f := dsl.ReadDir(os.DirFS("../../examples"))
	lines, size := 0, int64(0)
	for _, s := range f.Sources {
		lines += bytes.Count(s.Text, []byte("\n"))
		size += int64(len(s.Text))
	}
	b.SetBytes(size)
	for b.Loop() {
		if r := f.Compile(dsl.Options{Tests: true}); !r.OK {
			b.Fatal(r.Diagnostics)
		}
	}
	b.ReportMetric(float64(lines)*float64(b.N)/b.Elapsed().Seconds(), "lines/s")
}
