package dsl

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/compile"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/internal/goldentest"
)

const gasPage = "../docs/gas.md"

// TestGasPage: the tables in docs/gas.md are those of the opcodes and of the bank, and its
// example gives the findings that it shows.
func TestGasPage(t *testing.T) {
	old, err := os.ReadFile(gasPage)
	if err != nil {
		t.Fatal(err)
	}
	page := old
	for name, text := range map[string]string{"opcodes": opcodeTable(), "bank": bankTable(t), "example": exampleFindings(t, string(old))} {
		open, end := "<!-- "+name+" -->\n", "<!-- end of "+name+" -->"
		head, rest, ok := bytes.Cut(page, []byte(open))
		_, tail, ok2 := bytes.Cut(rest, []byte(end))
		if !ok || !ok2 {
			t.Fatalf("%s has no %q and %q", gasPage, open, end)
		}
		page = glue(head, []byte(open+text+end), tail)
	}
	if goldentest.Update() {
		if err := os.WriteFile(gasPage, page, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if d := diff.Diff(gasPage, old, "made", page); d != nil {
		t.Errorf("run go test ./dsl -run TestGasPage -update\n%s", d)
	}
}

func glue(a, b, c []byte) []byte { return append(append(append([]byte(nil), a...), b...), c...) }

// opcodeTable lists what opcodes are charged beyond their base, grouped by the kind of data.
func opcodeTable() string {
	byData := map[bytecode.Data][]string{}
	for o := range bytecode.Count {
		info := bytecode.Op(o).Info()
		if info.Data != bytecode.NoData {
			byData[info.Data] = append(byData[info.Data], fmt.Sprintf("`%s`", info.Name))
		}
	}
	var b strings.Builder
	b.WriteString("| besides its base, for | opcodes |\n|---|---|\n")
	for d := bytecode.NoData + 1; len(byData[d]) > 0; d++ {
		fmt.Fprintf(&b, "| %s | %s |\n", d, strings.Join(byData[d], " "))
	}
	return b.String()
}

func bankTable(t *testing.T) string {
	r := ReadDir(os.DirFS("../examples/bank")).Compile(Options{})
	if !r.OK {
		t.Fatal("the bank does not compile")
	}
	p := r.Programs[0]
	var b strings.Builder
	fmt.Fprintf(&b, "| rule of %s (gas %d) | at most |\n|---|---:|\n", p.Name, compile.GasLimit(p.Program))
	for _, rule := range compile.RuleBounds(p.Aggregate, p.Program) {
		fmt.Fprintf(&b, "| %s | %s |\n", rule.Rule, rule.Text())
	}
	return b.String()
}

// exampleFindings compiles the manifest on the page.
func exampleFindings(t *testing.T, page string) string {
	_, rest, _ := strings.Cut(page, "```agg\n")
	text, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("the page has no manifest")
	}
	r := Compile([]Source{{"shop.agg", []byte(text)}}, Options{})
	if !r.OK {
		t.Fatalf("the manifest on the page is wrong: %s", codes(r.Diagnostics))
	}
	var b strings.Builder
	b.WriteString("```\n$ aggc check --gas --format short shop.agg\n")
	if err := diag.Write(&b, diag.Short, r.Diagnostics, diag.Options{}); err != nil {
		t.Fatal(err)
	}
	p := r.Programs[0]
	fmt.Fprintf(&b, "%s: gas %d\n", p.Name, compile.GasLimit(p.Program))
	for _, rule := range compile.RuleBounds(p.Aggregate, p.Program) {
		fmt.Fprintf(&b, "  %-14s %s\n", rule.Rule, rule.Text())
	}
	b.WriteString("```\n")
	return b.String()
}
