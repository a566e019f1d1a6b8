package compile_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/cloudlysis/aggregate/dsl"
	"github.com/cloudlysis/aggregate/dsl/compile"
)

// ruleOf compiles a manifest and gives the bound of one rule.
func ruleOf(t *testing.T, text, rule string) compile.RuleBound {
	t.Helper()
	p := mustCompile(t, dsl.Compile([]dsl.Source{{Path: "a.agg", Text: []byte(text)}}, dsl.Options{})).Programs[0]
	for _, b := range compile.RuleBounds(p.Aggregate, p.Program) {
		if b.Rule == rule {
			return b
		}
	}
	t.Fatalf("there is no rule %s", rule)
	return compile.RuleBound{}
}

// TestFit: what has no bound is named with the bound that would do. With that bound in the
// manifest the rule keeps to its limit, and with a tenth more it does not.
func TestFit(t *testing.T) {
	const rest = "\nderive total: int = sum(l.qty * 2 for l in state.lines)\nfn most(xs: list<int>): int = max(xs) ?? 0\nevent went { n: int }\n"
	// Each %s is where a bound belongs.
	for _, c := range []struct{ name, state, cmd, decide, apply, rule, open string }{
		{"a list", "lines: list<Line%s>", "n: int", "require all(l.qty < cmd.n for l in state.lines) else x\nemit went { ..cmd }", "state.n = event.n", "decide go", "state.lines"},
		{"a list in a record", "lines: list<Line, 10>", "n: int", "require all(any(x == cmd.n for x in l.parts) for l in state.lines) else x\nemit went { ..cmd }", "state.n = event.n", "decide go", "Line.parts"},
		{"both", "lines: list<Line%s>", "n: int", "require all(any(x == cmd.n for x in l.parts) for l in state.lines) else x\nemit went { ..cmd }", "state.n = event.n", "decide go", "state.lines Line.parts"},
		{"a text of the command", "lines: list<Line, 3>", "n: int, s: string%s", "require upper(cmd.s) != \"A\" else x\nemit went { n: 1 }", "state.n = event.n", "decide go", "cmd.s"},
		{"an apply that adds and sums", "lines: list<Line, 3>, xs: list<int%s>", "n: int", "emit went { ..cmd }", "state.xs += event.n\nstate.n = sum(x for x in state.xs)", "apply went", "state.xs"},
		{"the decide of that apply", "lines: list<Line, 3>, xs: list<int%s>", "n: int", "emit went { ..cmd }", "state.xs += event.n\nstate.n = sum(x for x in state.xs)", "decide go", "state.xs"},
		{"a quadratic loop", "lines: list<Line, 3>, xs: list<int%s>", "n: int", "for x in state.xs { require count(y for y in state.xs if y == x) == 1 else x }\nemit went { ..cmd }", "state.n = event.n", "decide go", "state.xs"},
		{"elements", "lines: list<Line, 3>, names: list<string%s, 5>", "n: int", "require upper(join(state.names, \"-\")) != \"A\" else x\nemit went { ..cmd }", "state.n = event.n", "decide go", "state.names[]"},
		{"a derive", "lines: list<Line%s>", "n: int", "emit went { ..cmd }", "state.n = event.n", "derive total", "state.lines"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := func(bound string) string {
				s := "aggregate A {\ngas 20_000\nrecord Line { qty: int, parts: list<int%s> }\nstate { n: int, " + c.state + " }\n" + rest +
					"command go { " + c.cmd + " }\ndecide go {\n" + c.decide + "\n}\napply went { " + c.apply + " }\n}\n"
				if !strings.Contains(c.open, "Line.parts") {
					s = strings.Replace(s, "parts: list<int%s>", "parts: list<int, 1>", 1)
				}
				if bound != "" {
					s = strings.ReplaceAll(s, "string%s", "string<"+bound+">")
					bound = ", " + bound
				}
				return strings.ReplaceAll(s, "%s", bound)
			}
			got := ruleOf(t, text(""), c.rule)
			var open []string
			for _, p := range got.Open {
				open = append(open, p.Path)
			}
			if got.Gas >= 0 || strings.Join(open, " ") != c.open || got.Fit < 2 {
				t.Fatalf("got %+v, %s, want %s", got, got.Text(), c.open)
			}
			if want := "unbounded in " + strings.ReplaceAll(c.open, " ", ", ") + ": "; !strings.HasPrefix(got.Text(), want) || !strings.HasSuffix(got.Text(), " would fit 20_000") {
				t.Errorf("got %q", got.Text())
			}
			if b := ruleOf(t, text(fmt.Sprint(got.Fit)), c.rule); b.Gas < 0 || b.Gas > 20_000 {
				t.Errorf("with a bound of %d: %s", got.Fit, b.Text())
			}
			if b := ruleOf(t, text(strconv.FormatInt(got.Fit*11/10+2, 10)), c.rule); b.Gas >= 0 && b.Gas <= 20_000 {
				t.Errorf("with a bound of %d it still fits: %s", got.Fit*11/10+2, b.Text())
			}
		})
	}
	t.Run("a parameter", func(t *testing.T) {
		b := ruleOf(t, "aggregate A {\nfn most(xs: list<int>): int = max(x * 2 for x in xs) ?? 0\nstate { n: int }\nderive v: int = most([1, 2])\n}\n", "fn most")
		if b.Gas >= 0 || len(b.Open) != 1 || b.Open[0].Path != "most.xs" || b.Fit < 1000 {
			t.Errorf("got %+v", b)
		}
	})
	t.Run("a range", func(t *testing.T) {
		b := ruleOf(t, "aggregate A {\nstate { n: int }\nderive v: int = sum(i for i in range(0, state.n))\n}\n", "derive v")
		if b.Gas >= 0 || len(b.Open) != 0 || !strings.HasPrefix(b.Text(), "unbounded in line 3: the range has no bound") {
			t.Errorf("got %q", b.Text())
		}
	})
}
