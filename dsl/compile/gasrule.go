package compile

import (
	"fmt"
	"maps"
	"math"

	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// DefaultGas is what a command may take when the manifest does not say (ruling 75).
const DefaultGas = 100_000

// GasLimit is what a command of p may take, and apart from it each of its wheres.
func GasLimit(p *bytecode.Program) int64 {
	if p.Gas > 0 {
		return p.Gas
	}
	return DefaultGas
}

// findCost and appendCost are the table's charges for sizes that are endless; nothing that lives
// in memory has more than 2^31 elements.
func findCost(n int64) int64 { return bytecode.FindCost(int(min(n, math.MaxInt32))) }

func appendCost(cells int64) int64 {
	if cells > math.MaxInt32 {
		return endless
	}
	return bytecode.AppendCost(int(cells))
}

// origin is what a slot holds when a rule begins; its type has the bounds, which that of the slot
// has not.
type origin struct {
	name string
	typ  *value.Type
}

var ctxNames = [...]string{"ctx.now", "ctx.aggregate_id", "ctx.command_id", "ctx.tenant", "ctx.version", "ctx.meta", "ctx.roles"}

// rule is one piece of code that the machine runs by itself.
type rule struct {
	name  string
	chunk int
	// root names the slots that have a value when the rule begins, beside state and ctx.
	root map[int]origin
	// narrow cuts the shapes of such slots down to what has been checked before.
	narrow func(b *bounder)
	run    func(b *bounder) int64
}

// newBounder makes a bounder for r. Open gives sizes to what has no bound; nil leaves it endless.
func newBounder(p *bytecode.Program, r *rule, open sizer) *bounder {
	b := &bounder{p: p, first: map[int]*shape{}, root: map[int]origin{}, open: open, top: r.chunk}
	for i := range p.State {
		b.root[int(p.StateBase)+i] = origin{"state." + p.State[i].Name, p.State[i].Type}
	}
	for i, t := range bytecode.CtxTypes() {
		b.root[int(p.CtxBase)+i] = origin{ctxNames[i], t}
	}
	maps.Copy(b.root, r.root)
	if r.narrow != nil {
		r.narrow(b)
	}
	return b
}

func runChunk(chunk int) func(*bounder) int64 {
	return func(b *bounder) int64 { return b.call(chunk, flow{}).cost }
}

func fieldRoots(prefix string, base uint16, fields []value.Field) map[int]origin {
	out := make(map[int]origin, len(fields))
	for i := range fields {
		out[int(base)+i] = origin{prefix + fields[i].Name, fields[i].Type}
	}
	return out
}

func addOldRoots(root map[int]origin, p *bytecode.Program, old []bytecode.OldField) map[int]origin {
	for _, o := range old {
		root[int(o.Slot)] = origin{"state." + p.State[o.Field].Name, p.State[o.Field].Type}
	}
	return root
}

// decideRule is all that command i may take: final and its refusal, or the rule with the applies
// of what it emits and the invariants.
func decideRule(a *check.Aggregate, p *bytecode.Program, i int) rule {
	src, cmd := a.Commands[i], &p.Commands[i]
	return rule{
		name: "decide " + cmd.Name, chunk: int(cmd.Decide), root: addOldRoots(fieldRoots("cmd.", cmd.Base, cmd.Fields), p, cmd.Old),
		narrow: func(b *bounder) {
			for _, w := range src.Wheres {
				slot := int(cmd.Base) + w.Field
				b.first[slot] = narrowed(w.Cond, w.Params[len(w.Params)-1], b.get(&flow{}, slot))
			}
		},
		run: func(b *bounder) int64 {
			before := flow{}
			if cmd.Creates {
				b.refusal(cmd.CreateElse, 0)
			} else if p.Final != bytecode.NoChunk {
				before.cost = b.call(int(p.Final), flow{}).cost
				b.refusal(p.FinalElse, before.cost)
			}
			b.call(int(cmd.Decide), before)
			return b.most
		},
	}
}

// refusal counts the way that ends in a fixed refusal, after what it took to come there.
func (b *bounder) refusal(r bytecode.Refusal, before int64) {
	if r.Message.Chunk != bytecode.NoChunk {
		b.most = max(b.most, b.call(int(r.Message.Chunk), flow{cost: before}).cost)
	}
}

// rules gives every rule of p, in the order of the manifest's kinds.
func rules(a *check.Aggregate, p *bytecode.Program) []rule {
	var out []rule
	for i := range p.Commands {
		cmd := &p.Commands[i]
		for j := range cmd.Wheres {
			out = append(out, whereRule("where "+cmd.Name+".", cmd.Fields, &cmd.Wheres[j]))
		}
		out = append(out, decideRule(a, p, i))
	}
	for i := range p.Wheres {
		rec := p.Records[p.Wheres[i].Record]
		for j := range p.Wheres[i].Wheres {
			out = append(out, whereRule("where "+rec.Name+".", rec.Fields, &p.Wheres[i].Wheres[j]))
		}
	}
	for i := range p.Events {
		e := &p.Events[i]
		if e.Apply != bytecode.NoChunk {
			out = append(out, rule{name: "apply " + e.Name, chunk: int(e.Apply), root: fieldRoots("event.", e.Base, e.Fields), run: runChunk(int(e.Apply))})
		}
		if e.Upcast != bytecode.NoChunk {
			name := fmt.Sprintf("upcast %s @%d", e.Name, e.Version)
			out = append(out, rule{name: name, chunk: int(e.Upcast), root: fieldRoots("old.", e.Base, e.Fields), run: runChunk(int(e.Upcast))})
		}
	}
	for i := range p.Derives {
		out = append(out, rule{name: "derive " + p.Derives[i].Name, chunk: int(p.Derives[i].Chunk), run: runChunk(int(p.Derives[i].Chunk))})
	}
	for i := range p.Invariants {
		v := &p.Invariants[i]
		out = append(out, rule{name: "invariant " + v.Name, chunk: int(v.Chunk), root: addOldRoots(map[int]origin{}, p, v.Old), run: runChunk(int(v.Chunk))})
	}
	if p.Final != bytecode.NoChunk {
		out = append(out, rule{name: "final", chunk: int(p.Final), run: runChunk(int(p.Final))})
	}
	return out
}

func whereRule(prefix string, fields []value.Field, w *bytecode.Where) rule {
	root := map[int]origin{}
	for i, s := range w.Params {
		root[int(s)] = origin{"cmd." + fields[i].Name, fields[i].Type}
	}
	return rule{name: prefix + fields[w.Field].Name, chunk: int(w.Chunk), root: root, run: runChunk(int(w.Chunk))}
}

// RuleBound is the worst case of one rule.
type RuleBound struct {
	// Rule is its kind and name, such as "decide withdraw".
	Rule string
	GasBound
	// Limit is what it may take at most: the aggregate's gas.
	Limit int64
	// Open are the places without a bound that leave the rule without one, and Fit is the
	// greatest bound for all of them with which it keeps to Limit; 0 if there is none.
	Open []Place
	Fit  int64
}

// RuleBounds gives the bound of every rule of p, which is a compiled: decides (which include what
// they run), wheres, applies, upcasts, derives, invariants, final and functions.
func RuleBounds(a *check.Aggregate, p *bytecode.Program) []RuleBound {
	var out []RuleBound
	for _, r := range rules(a, p) {
		out = append(out, ruleBound(p, &r))
	}
	return append(out, fnBounds(a)...)
}

func ruleBound(p *bytecode.Program, r *rule) RuleBound {
	b := newBounder(p, r, nil)
	out := RuleBound{Rule: r.name, GasBound: b.bound(r.run(b)), Limit: GasLimit(p)}
	if out.Gas < 0 {
		f := fitter{p: p, r: r, limit: out.Limit}
		out.Open = f.open()
		out.Fit = f.most(out.Open)
	}
	return out
}

// fnBounds gives the bounds of the functions, each as a chunk of its own, though in the program
// itself small ones stand in place.
func fnBounds(a *check.Aggregate) []RuleBound {
	if len(a.Fns) == 0 {
		return nil
	}
	c := newCompiler(a, usual)
	called := make([]*callee, len(a.Fns))
	c.layEvents()
	p := c.program()
	for i, f := range a.Fns {
		called[i] = c.fn(f, false)
	}
	if c.layout(p, nil) != nil {
		return nil
	}
	rest := int(p.CtxBase) + len(bytecode.CtxTypes())
	var out []RuleBound
	for i, f := range a.Fns {
		r := rule{name: "fn " + f.Name, chunk: called[i].chunk, root: map[int]origin{}, run: runChunk(called[i].chunk)}
		for j, o := range called[i].params {
			r.root[rest+o.index()] = origin{f.Name + "." + f.Params[j].Name, f.Params[j].Type}
		}
		out = append(out, ruleBound(p, &r))
	}
	return out
}
