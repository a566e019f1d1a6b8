package compile_test

import (
	"fmt"
	"testing"

	"github.com/cloudlysis/aggregate/dsl"
	"github.com/cloudlysis/aggregate/dsl/compile"
)

func TestGasBounds(t *testing.T) {
	for _, c := range []struct {
		name, state, fields, apply, body string
		bounded                          bool
		least, most                      int64
	}{
		{"plain", "n: int", "n: int", "state.n = event.n", "emit went { ..cmd }", true, 10, 20},
		{"a bounded list", "n: int, xs: list<int, 10>", "n: int", "state.n = event.n", "require any(x == cmd.n for x in state.xs) else x\nemit went { ..cmd }", true, 40, 100},
		{"a list without bound", "n: int, xs: list<int>", "n: int", "state.n = event.n", "require any(x == cmd.n for x in state.xs) else x\nemit went { ..cmd }", false, 0, 0},
		{"a column", "n: int, xs: list<int, 1000>", "n: int", "state.n = sum(state.xs)", "emit went { ..cmd }", true, 1000, 1100},
		{"a range of a constant", "n: int", "n: int", "state.n = event.n", "for i in range(0, 100) { emit went { n: i } }", true, 1000, 2000},
		{"a range from below", "n: int", "n: int where n <= 9", "state.n = event.n", "for i in range(cmd.n, 9) { emit went { n: i } }", false, 0, 0},
		{"a range of a field", "n: int", "n: int where n in 0..50", "state.n = event.n", "for i in range(0, cmd.n) { emit went { n: i } }", true, 500, 1000},
		{"loops in loops", "n: int, xs: list<int, 20>", "n: int", "state.n = event.n", "var c = 0\nfor x in state.xs { for y in state.xs { if x < y { c += 1 } } }\nemit went { n: c }", true, 2000, 4000},
		{"growing in a loop", "n: int, xs: list<int, 20>", "n: int", "state.n = event.n", "var ys: list<int> = []\nfor x in state.xs { ys += x }\nfor y in ys { emit went { n: y } }", true, 300, 800},
		{"an append under a bound", "n: int, xs: list<int, 20>", "n: int", "state.xs += event.n", "emit went { ..cmd }\nemit went { n: sum(x * 2 for x in state.xs) }", true, 100, 300},
		{"a refusal in a loop", "n: int, xs: list<string<160>, 20>", "n: int", "state.n = event.n", "for x in state.xs { if x == \"a\" { reject bad \"{join(state.xs, \"-\")}\" } }\nemit went { ..cmd }", true, 400, 2000},
		{"a text", "n: int, s: string<160>", "n: int", "state.s = upper(state.s)", "emit went { ..cmd }", true, 50, 300},
		{"a text without bound", "n: int, s: string", "n: int", "state.s = upper(state.s)", "emit went { ..cmd }", false, 0, 0},
		{"a length that is checked", "n: int", "n: int, s: string where len(s) <= 16", "state.n = event.n", "require upper(cmd.s) == \"A\" else x\nemit went { ..cmd }", true, 20, 60},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := fmt.Sprintf("aggregate A {\nstate { %s }\ncommand go { %s }\nevent went { n: int }\ndecide go {\n%s\n}\napply went { %s }\n}\n", c.state, c.fields, c.body, c.apply)
			r := mustCompile(t, dsl.Compile([]dsl.Source{{Path: "a.agg", Text: []byte(text)}}, dsl.Options{}))
			p := r.Programs[0]
			got := compile.GasBounds(p.Aggregate, p.Program)[0]
			if !c.bounded {
				if got.Gas >= 0 || got.Why == "" || got.Line == 0 || got.File != "a.agg" {
					t.Errorf("got %+v, want no bound and why", got)
				}
				return
			}
			if got.Gas < c.least || got.Gas > c.most {
				t.Errorf("got %+v, want %d to %d", got, c.least, c.most)
			}
		})
	}
}
