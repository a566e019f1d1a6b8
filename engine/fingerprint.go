package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"strconv"
	"unicode"

	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/value"
	"github.com/cloudlysis/aggregate/engine/vm"
)

// fingerprint names everything that a replay depends on: the state's fields with their types
// and first values, the events, the code of every apply and upcast and of what they call. Code
// is hashed by meaning: a constant by its value, a temporary by the order of first use, so that
// another command, decide or invariant leaves the fingerprint as it is. Gas is left out, as a
// replay has no limit. `upper` and `lower` follow Unicode, so its version counts.
func fingerprint(p *vm.Program) string {
	f := &printer{p: p.Code(), h: sha256.New()}
	f.text("agg-fingerprint/1 ", unicode.Version)
	f.num(bytecode.Version)
	f.text(string(p.AppendState(nil, p.NewState(), value.Encoder{})))
	f.fields(f.p.State)
	for i := range f.p.Events {
		f.event(&f.p.Events[i])
	}
	return "agg1:" + hex.EncodeToString(f.h.Sum(nil)[:16])
}

type printer struct {
	p     *bytecode.Program
	h     hash.Hash
	temps map[uint16]int // slot to number, in the event at hand
	buf   []byte
}

// text writes strings so that no two sequences of them are alike.
func (f *printer) text(list ...string) {
	for _, s := range list {
		f.buf = append(strconv.AppendInt(f.buf[:0], int64(len(s)), 10), ':')
		f.buf = append(f.buf, s...)
		f.h.Write(f.buf)
	}
}

func (f *printer) num(n int) {
	f.buf = append(strconv.AppendInt(f.buf[:0], int64(n), 10), ';')
	f.h.Write(f.buf)
}

func (f *printer) flag(b bool) {
	if b {
		f.num(1)
		return
	}
	f.num(0)
}

func (f *printer) fields(fields []value.Field) {
	f.num(len(fields))
	for i := range fields {
		d := &fields[i]
		f.text(d.Name)
		f.typ(d.Type)
		f.flag(d.HasDefault)
		if d.HasDefault {
			f.text(string(value.AppendJSON(nil, d.Type, d.Default)))
		}
	}
}

func (f *printer) typ(t *value.Type) {
	f.num(int(t.Kind))
	f.num(t.Bound)
	switch t.Kind {
	case value.Enum:
		f.num(len(t.Enum.Members))
		for _, m := range t.Enum.Members {
			f.text(m.Name, m.Wire)
		}
	case value.Record:
		f.fields(t.Record.Fields)
	}
	if t.Key != nil {
		f.typ(t.Key)
	}
	if t.Elem != nil {
		f.typ(t.Elem)
	}
}

func (f *printer) event(e *bytecode.Event) {
	f.text(e.Name)
	f.num(e.Version)
	f.flag(e.Current)
	f.fields(e.Fields)
	f.temps = map[uint16]int{}
	for i := range e.Fields {
		f.slot(e.Base + uint16(i))
	}
	if e.Current {
		f.chunk(e.Apply)
		return
	}
	next := &f.p.Events[e.Next]
	f.text(next.Name)
	f.num(next.Version)
	for i := range next.Fields {
		f.slot(next.Base + uint16(i))
	}
	f.chunk(e.Upcast)
}

// chunk writes code; what it calls stands in the place of the call.
func (f *printer) chunk(c uint16) {
	code := f.p.Chunks[c].Code
	f.num(len(code))
	for pc := 0; pc < len(code); pc++ {
		in := code[pc]
		info := in.Op.Info()
		f.text(info.Name)
		f.operand(in, info.N, uint16(in.N))
		f.operand(in, info.A, in.A)
		f.operand(in, info.B, in.B)
		f.operand(in, info.C, in.C)
		if in.Op.HasExt() {
			pc++
			f.operand(in, info.X, code[pc].A)
		}
	}
}

func (f *printer) operand(in bytecode.Ins, k bytecode.Kind, v uint16) {
	switch k {
	case bytecode.None, bytecode.Charge:
	case bytecode.Dst, bytecode.Src:
		f.slot(v)
	case bytecode.Loop: // the counter, and one or two slots that the loop sets
		for i := range uint16(3) {
			if int(v+i) < len(f.p.Slots) {
				f.slot(v + i)
			}
		}
	case bytecode.Window:
		for i := range f.window(in) {
			f.slot(v + uint16(i))
		}
	case bytecode.Callee:
		f.chunk(v)
	case bytecode.TypeOf:
		f.typ(f.p.Types[v])
	case bytecode.SiteOf:
		f.site(&f.p.Calls[v])
	case bytecode.CodeOf:
		f.text(f.p.Codes[v])
	default: // numbers by themselves, targets within the chunk, fields and cells of records
		f.num(int(v))
	}
}

// window is how many slots a window operand reads.
func (f *printer) window(in bytecode.Ins) int {
	switch in.Op {
	case bytecode.OpRecord:
		t := f.p.Types[f.p.Slots[in.A]]
		if t.Kind == value.Optional {
			t = t.Elem
		}
		return len(t.Record.Fields)
	case bytecode.OpBuiltin:
		return len(f.p.Calls[in.C].Args)
	}
	return int(in.C)
}

// slot writes what a slot is: a constant's value, a place of state or ctx, or a number in the
// order of first use.
func (f *printer) slot(s uint16) {
	t := f.p.Types[f.p.Slots[s]]
	state, ctx := int(s)-int(f.p.StateBase), int(s)-int(f.p.CtxBase)
	switch {
	case int(s) < len(f.p.Consts):
		f.text("const")
		f.typ(t)
		f.text(string(value.AppendJSON(nil, t, f.p.Consts[s])))
	case state >= 0 && state < len(f.p.State):
		f.text("state")
		f.num(state)
	case ctx >= 0 && ctx < ctxFields:
		f.text("ctx")
		f.num(ctx)
	default:
		n, ok := f.temps[s]
		if !ok {
			n = len(f.temps)
			f.temps[s] = n
		}
		f.text("temp")
		f.num(n)
		if !ok {
			f.typ(t)
		}
	}
}

// ctxFields is how many slots ctx has: those of vm.Ctx.
const ctxFields = 7

func (f *printer) site(c *bytecode.CallSite) {
	f.num(int(c.Builtin))
	for _, a := range c.Args {
		f.typ(f.p.Types[a])
	}
	f.typ(f.p.Types[c.Result])
	f.num(int(c.Mode))
	f.text(c.Pattern)
	f.num(len(c.Path))
	f.text(c.Path...)
	for _, k := range c.Keys {
		f.typ(f.p.Types[k])
	}
	f.num(int(c.Desc))
}
