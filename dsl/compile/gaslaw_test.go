package compile_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
	"pgregory.net/rapid"

	"github.com/cloudlysis/aggregate/dsl"
	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/compile"
	"github.com/cloudlysis/aggregate/dsl/value"
	"github.com/cloudlysis/aggregate/engine/vm"
)

// enoughGas is more than any bounded rule here takes; an int may be the end of a range.
const enoughGas = 5_000_000

// gasRun runs the rules of one program on random data and holds them against their bounds.
type gasRun struct {
	fail   func(format string, args ...any)
	r      *random
	src    *dsl.Program
	p      *vm.Program
	m      *vm.Machine
	types  map[string]int64 // bounds by the types
	state  []value.V
	ctx    vm.Ctx
	runs   int // that had a bound to keep
	accept int
}

func newGasRun(r *random, src *dsl.Program, fail func(string, ...any)) *gasRun {
	p, err := vm.Load(src.Program)
	if err != nil {
		fail("%v", err)
	}
	g := &gasRun{fail: fail, r: r, src: src, p: p, m: p.Get(), types: map[string]int64{}}
	for _, b := range compile.RuleBounds(src.Aggregate, src.Program) {
		g.types[b.Rule] = b.Gas
	}
	return g
}

// within holds the gas of a run against the bound by the types and that by the data at hand.
func (g *gasRun) within(rule string, exact map[string]int64, gas int64) {
	for what, bounds := range map[string]map[string]int64{"for its types": g.types, "on this data": exact} {
		bound, known := bounds[rule]
		if !known || bound < 0 {
			continue
		}
		if g.runs++; gas > bound {
			g.fail("%s takes %d gas, its bound %s is %d; state %s", rule, gas, what, bound, g.p.AppendState(nil, g.state, value.Encoder{}))
		}
	}
}

// round draws a state and runs everything on it once.
func (g *gasRun) round() {
	text := g.r.fields(nil, g.p.State())
	state, errs := g.p.DecodeState(text)
	if errs != nil {
		g.fail("%v in %s", errs[0].Error(), text)
	}
	g.state = state
	g.ctx.Now, _ = value.TimeOf(time.Date(2030, 1, 2, 3, 4, 5, 6, time.UTC))
	g.ctx.AggregateID, g.ctx.CommandID = value.MakeUUID([16]byte{6: 0x70, 15: 1}), value.MakeUUID([16]byte{6: 0x70, 15: 2})
	g.ctx.Version = value.MakeInt(7)
	g.ctx.Tenant = value.MakeString("tenant")
	code := g.p.Code()
	for i := range code.Derives {
		_, out := g.m.Derive(i, state)
		g.within("derive "+code.Derives[i].Name, g.exact(0, nil), out.Gas)
	}
	for i := range code.Events {
		g.apply(i)
	}
	for i := range code.Commands {
		g.decide(i)
	}
}

// exact gives the bounds for the state at hand and fields in the slots from base on.
func (g *gasRun) exact(base uint16, fields []value.V) map[string]int64 {
	code := g.p.Code()
	return compile.RuleBoundsOn(g.src.Aggregate, code, func(slot int) (value.V, bool) {
		if i := slot - int(code.StateBase); i >= 0 && i < len(g.state) {
			return g.state[i], true
		}
		if i := slot - int(base); i >= 0 && i < len(fields) {
			return fields[i], true
		}
		return value.V{}, false
	})
}

func (g *gasRun) apply(i int) {
	e := g.p.EventDecl(i)
	if e.Apply == bytecode.NoChunk {
		return
	}
	if err := g.m.DecodeEvent(i, g.r.fields(nil, e.Fields), false); err != nil {
		return
	}
	vals := make([]value.V, len(e.Fields))
	for f := range vals {
		vals[f] = g.m.Slot(e.Base + uint16(f))
	}
	exact := g.exact(e.Base, vals)
	after := append([]value.V(nil), g.state...)
	out := g.m.Apply(after, i, &g.ctx, enoughGas)
	g.within("apply "+e.Name, exact, out.Gas)
}

func (g *gasRun) decide(i int) {
	cmd := g.p.CommandDecl(i)
	g.wheres(cmd)
	if g.m.DecodeCommand(i, g.r.fields(nil, cmd.Fields)) != nil {
		return
	}
	vals := append([]value.V(nil), g.m.CommandFields(i)...)
	exact := g.exact(cmd.Base, vals)
	for _, born := range []bool{false, true} {
		if errs := g.m.SetCommand(i, vals); errs != nil {
			g.fail("a command that was accepted is refused: %s", errs[0].Error())
		}
		out := g.m.Decide(i, g.state, &g.ctx, born, enoughGas)
		g.within("decide "+cmd.Name, exact, out.Gas)
		if out.Kind == vm.Accepted {
			g.accept++
		}
	}
}

// wheres runs the conditions of a command's fields on values that need not satisfy them.
func (g *gasRun) wheres(cmd *bytecode.Command) {
	for i := range cmd.Wheres {
		w := &cmd.Wheres[i]
		name := cmd.Fields[w.Field].Name
		payload := g.r.fields(nil, cmd.Fields[:w.Field+1])
		vals := make([]value.V, w.Field+1)
		if value.DecodeFields(vals, cmd.Fields[:w.Field+1], payload, value.DecodeOptions{}) != nil || vals[w.Field].IsNone() && cmd.Fields[w.Field].Type.Kind == value.Optional {
			continue
		}
		for j, s := range w.Params {
			g.m.SetSlot(s, vals[j])
		}
		_, out := g.m.Eval(w.Eval, g.state, nil)
		g.within("where "+cmd.Name+"."+name, nil, out.Gas)
	}
}

// TestGasLaw: on manifests that are drawn, no run of any rule takes more than its bound.
func TestGasLaw(t *testing.T) {
	runs, accepted, programs := 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		r := newRandom(rapid.Uint64().Draw(t, "seed"))
		text := r.manifest()
		res := dsl.Compile([]dsl.Source{{Path: "a.agg", Text: []byte(text)}}, dsl.Options{})
		if !res.OK {
			for _, d := range res.Diagnostics {
				t.Logf("%s %s %v", d.Code, d.Message, d.Span.StartPosition())
			}
			t.Fatalf("does not compile:\n%s", text)
		}
		g := newGasRun(r, res.Programs[0], func(format string, args ...any) { t.Fatalf(format+"\n%s", append(args, text)...) })
		for range 4 {
			g.round()
		}
		runs, accepted, programs = runs+g.runs, accepted+g.accept, programs+1
	})
	if runs < programs*20 || accepted < programs/10 {
		t.Errorf("%d programs were held against bounds %d times, %d commands were accepted: that tells little", programs, runs, accepted)
	}
}

// TestGasLawOfManifests: the same for the manifests of this repository.
func TestGasLawOfManifests(t *testing.T) {
	runs, programs, rounds := 0, 0, 5
	if underRace {
		rounds = 1
	}
	for path, text := range allManifests(t) {
		res := dsl.Compile([]dsl.Source{{Path: "x.agg", Text: text}}, dsl.Options{})
		for _, src := range res.Programs {
			programs++
			t.Run(path+" "+src.Name, func(t *testing.T) {
				g := newGasRun(newRandom(1), src, func(format string, args ...any) { t.Fatalf(format, args...) })
				for range rounds {
					g.round()
				}
				runs += g.runs
			})
		}
	}
	if programs < 20 || runs < 200*rounds {
		t.Errorf("only %d programs and %d runs", programs, runs)
	}
}

// allManifests gives every manifest of the repository that stands by itself.
func allManifests(t *testing.T) map[string][]byte {
	found := map[string][]byte{}
	for _, root := range []string{"..", "../../examples", "../../engine/vm/testdata"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			text, err := os.ReadFile(path)
			switch filepath.Ext(path) {
			case ".agg":
				found[path] = text
			case ".txtar":
				for _, f := range txtar.Parse(text).Files {
					if strings.HasSuffix(f.Name, ".agg") {
						found[fmt.Sprintf("%s/%s", path, f.Name)] = f.Data
					}
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return found
}

// TestGasOfRefusals: the message of a fixed refusal may cost more than the rule that it stands
// before, and counts.
func TestGasOfRefusals(t *testing.T) {
	text := `aggregate A {
  state { n: int, xs: list<string<30>, 40> }
  final when state.n > 0 else done "{upper(join(state.xs, "-"))}"
  command make creates else made "{lower(join(state.xs, "+"))}" { s: string<20> }
  command go {}
  event went {}
  decide make { emit went {} }
  decide go { emit went {} }
  apply went { state.n += 1 }
}
`
	src := mustCompile(t, dsl.Compile([]dsl.Source{{Path: "a.agg", Text: []byte(text)}}, dsl.Options{})).Programs[0]
	g := newGasRun(newRandom(3), src, func(format string, args ...any) { t.Fatalf(format, args...) })
	for range 50 {
		g.round()
	}
	for _, rule := range []string{"decide make", "decide go"} {
		if g.types[rule] < 100 {
			t.Errorf("%s is bounded by %d, without its refusal", rule, g.types[rule])
		}
	}
}
