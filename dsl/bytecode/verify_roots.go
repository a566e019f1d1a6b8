package bytecode

import "github.com/cloudlysis/aggregate/dsl/value"

// A chunk that the machine starts is a root; what it may do depends on what it is for.
type role struct {
	what    string
	decides bool // may emit; ends with OpDone, OpReject or OpViolate, else with OpRet
	writes  bool // may write the state
	ctx     bool // may read ctx
}

var (
	roleDecide  = role{"decide", true, true, true}
	roleApply   = role{"apply", false, true, true}
	roleUpcast  = role{"upcast", false, false, true}
	roleMessage = role{"message", false, false, true}
	rolePure    = role{"condition", false, false, false}
)

// roots checks the chunks that the machine starts, and what commands, events and the other
// tables say about them.
func (v *verifier) roots() error {
	for _, check := range []func() error{v.recordWheres, v.conditions, v.commands, v.events} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (v *verifier) root(chunk uint16, r role, what string, reads, writes []uint16) error {
	if int(chunk) >= len(v.p.Chunks) {
		return bad("%s: no chunk %d", what, chunk)
	}
	e := &v.fx.Chunks[chunk]
	if e.Decides && !r.decides {
		return bad("%s: a %s may not emit or end a command", what, r.what)
	}
	if r.decides && v.returns(int(chunk)) {
		return bad("%s: a decide ends with done, reject or violate", what)
	}
	if len(e.Ctx.Members()) > 0 && !r.ctx {
		return bad("%s: a %s may not read ctx", what, r.what)
	}
	if len(e.Writes.Members()) > 0 && !r.writes {
		return bad("%s: a %s may not write the state", what, r.what)
	}
	if err := v.declared(what, "read", e.Reads, reads); err != nil {
		return err
	}
	return v.declared(what, "write", e.Writes, writes)
}

// returns tells whether the chunk itself has an OpRet; chunks that it calls have theirs.
func (v *verifier) returns(chunk int) bool {
	for pc, in := range v.p.Chunks[chunk].Code {
		if in.Op == OpRet && v.starts[chunk][pc] {
			return true
		}
	}
	return false
}

func (v *verifier) declared(what, verb string, did Set, list []uint16) error {
	for _, f := range list {
		if int(f) >= len(v.p.State) {
			return bad("%s: no state field %d", what, f)
		}
	}
	if f, ok := did.missing(setOf(list)); ok {
		return bad("%s: it does not say that it may %s state field %s", what, verb, v.p.State[f].Name)
	}
	return nil
}

func (v *verifier) eval(e Eval, r role, what string, t *value.Type) error {
	if int(e.Result) >= len(v.p.Slots) || t != nil && !fits(t, v.at(e.Result)) {
		return bad("%s: its result has another type", what)
	}
	return v.root(e.Chunk, r, what, e.Reads, nil)
}

func (v *verifier) refusal(r Refusal, what string) error {
	if r.Message.Chunk == NoChunk {
		return nil
	}
	return v.eval(r.Message, roleMessage, what, value.StringType)
}

func (v *verifier) commands() error {
	for i := range v.p.Commands {
		c := &v.p.Commands[i]
		what := "command " + c.Name
		if err := v.root(c.Decide, roleDecide, what, c.Reads, c.Writes); err != nil {
			return err
		}
		if err := v.refusal(c.CreateElse, what); err != nil {
			return err
		}
		if err := v.wheres(what, c.Wheres, c.Fields); err != nil {
			return err
		}
		if err := v.untouched(c); err != nil {
			return err
		}
	}
	return nil
}

// untouched checks that what runs between the reading of a command and its decide leaves the
// command's fields alone: wheres, the end of the aggregate's life and their parameters.
func (v *verifier) untouched(c *Command) error {
	window := span{int(c.Base), int(c.Base) + len(c.Fields)}
	var sets Set
	where := func(wheres []Where) {
		for i := range wheres {
			sets.join(v.fx.Chunks[wheres[i].Chunk].Sets)
			sets.join(setOf(wheres[i].Params))
		}
	}
	where(c.Wheres)
	for i := range v.p.Wheres {
		where(v.p.Wheres[i].Wheres)
	}
	if v.p.Final != NoChunk {
		sets.join(v.fx.Chunks[v.p.Final].Sets)
	}
	for s := window.from; s < window.to; s++ {
		if sets.Has(s) {
			return bad("command %s: field %s is overwritten before the decide", c.Name, c.Fields[s-window.from].Name)
		}
	}
	return nil
}

func (v *verifier) wheres(what string, wheres []Where, fields []value.Field) error {
	for i := range wheres {
		w := &wheres[i]
		if int(w.Field) >= len(fields) || len(w.Params) != int(w.Field)+1 {
			return bad("%s: where %d has no such field", what, i)
		}
		for f, s := range w.Params {
			t := fields[f].Type
			if f == int(w.Field) {
				t = bare(t)
			}
			if int(s) >= len(v.p.Slots) || v.owned(int(s)) || !value.Same(v.at(s), t) {
				return bad("%s: where %d does not fit its parameters", what, i)
			}
		}
		if len(w.Reads) > 0 {
			return bad("%s: a where reads no state", what)
		}
		if err := v.eval(w.Eval, rolePure, what, value.BoolType); err != nil {
			return err
		}
	}
	return nil
}

func (v *verifier) recordWheres() error {
	for _, r := range v.p.Wheres {
		if int(r.Record) >= len(v.p.Records) {
			return bad("wheres of record %d, which is none", r.Record)
		}
		rec := v.p.Records[r.Record]
		if err := v.wheres("record "+rec.Name, r.Wheres, rec.Fields); err != nil {
			return err
		}
	}
	return nil
}

func (v *verifier) events() error {
	for i := range v.p.Events {
		e := &v.p.Events[i]
		what := "event " + e.Name
		if e.Current {
			if err := v.root(e.Apply, roleApply, what, e.Reads, e.Writes); err != nil {
				return err
			}
			continue
		}
		if err := v.root(e.Upcast, roleUpcast, what, nil, nil); err != nil {
			return err
		}
		if err := v.upcastEnds(i); err != nil {
			return err
		}
	}
	return nil
}

// upcastEnds follows the upcasts from event i to a current one.
func (v *verifier) upcastEnds(i int) error {
	for range v.p.Events {
		e := &v.p.Events[i]
		if e.Current {
			return nil
		}
		if int(e.Next) >= len(v.p.Events) {
			break
		}
		i = int(e.Next)
	}
	return bad("event %s: its upcasts lead to no current event", v.p.Events[i].Name)
}

func (v *verifier) conditions() error {
	p := v.p
	for i := range p.Derives {
		d := &p.Derives[i]
		if err := v.eval(d.Eval, rolePure, "derive "+d.Name, p.Types[d.Type]); err != nil {
			return err
		}
	}
	for i := range p.Invariants {
		if err := v.invariant(&p.Invariants[i]); err != nil {
			return err
		}
	}
	for i := range p.Tests {
		if err := v.eval(p.Tests[i], roleMessage, "test", nil); err != nil {
			return err
		}
	}
	if p.Final == NoChunk {
		return nil
	}
	if err := v.eval(Eval{p.Final, p.FinalResult, p.FinalReads}, rolePure, "final", value.BoolType); err != nil {
		return err
	}
	return v.refusal(p.FinalElse, "final")
}

func (v *verifier) invariant(inv *Invariant) error {
	what := "invariant " + inv.Name
	if err := v.eval(inv.Eval, rolePure, what, value.BoolType); err != nil {
		return err
	}
	for _, s := range inv.Shown {
		if err := v.eval(s.Eval, rolePure, what, value.StringType); err != nil {
			return err
		}
	}
	return nil
}
