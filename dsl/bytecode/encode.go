package bytecode

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/cloudlysis/aggregate/dsl/value"
)

const magic = "AGGB"

// Encode gives the file of a verified program: see the grammar in the package comment. Equal
// programs have equal files.
func Encode(p *Program) []byte {
	w := &writer{p: p, enums: map[*value.EnumType]int{}, records: map[*value.RecordType]int{}}
	w.b = append(w.b, magic...)
	w.num(Version)
	w.types()
	w.frame()
	w.rules()
	sum := sha256.Sum256(w.b)
	return append(w.b, sum[:]...)
}

// Hash is the sha256 of a verified program: what tells compiled programs apart.
func Hash(p *Program) [sha256.Size]byte {
	b := Encode(p)
	return [sha256.Size]byte(b[len(b)-sha256.Size:])
}

type writer struct {
	b       []byte
	p       *Program
	enums   map[*value.EnumType]int
	records map[*value.RecordType]int
}

func (w *writer) num(n int) { w.b = binary.AppendUvarint(w.b, uint64(n)) }

func (w *writer) str(s string) {
	w.num(len(s))
	w.b = append(w.b, s...)
}

func (w *writer) bool(b bool) {
	if b {
		w.num(1)
	} else {
		w.num(0)
	}
}

func (w *writer) strs(list []string) {
	w.num(len(list))
	for _, s := range list {
		w.str(s)
	}
}

func (w *writer) nums(list []uint16) {
	w.num(len(list))
	for _, n := range list {
		w.num(int(n))
	}
}

func each[T any](w *writer, list []T, write func(*T)) {
	w.num(len(list))
	for i := range list {
		write(&list[i])
	}
}

// types writes enums, records, the table of types and then the defaults of the records' fields,
// which need all types.
func (w *writer) types() {
	p := w.p
	w.num(len(p.Enums))
	for i, e := range p.Enums {
		w.enums[e] = i
		w.str(e.Name)
		w.bool(e.Ordered)
		each(w, e.Members, func(m *value.Member) { w.str(m.Name); w.str(m.Wire) })
	}
	for i, r := range p.Records {
		w.records[r] = i
	}
	w.num(len(p.Records))
	for _, r := range p.Records {
		w.str(r.Name)
		each(w, r.Fields, func(f *value.Field) { w.str(f.Name); w.typ(f.Type) })
	}
	w.num(len(p.Types))
	for _, t := range p.Types {
		w.typ(t)
	}
	for _, r := range p.Records {
		for i := range r.Fields {
			w.preset(&r.Fields[i])
		}
	}
}

func (w *writer) typ(t *value.Type) {
	w.num(int(t.Kind))
	switch t.Kind {
	case value.Enum:
		w.num(w.enums[t.Enum])
	case value.Record:
		w.num(w.records[t.Record])
	case value.String:
		w.num(t.Bound)
	case value.List, value.Set, value.Map:
		w.num(t.Bound)
		if t.Kind == value.Map {
			w.typ(t.Key)
		}
		w.typ(t.Elem)
	case value.Optional:
		w.typ(t.Elem)
	}
}

func (w *writer) preset(f *value.Field) {
	w.bool(f.HasDefault)
	if f.HasDefault {
		w.val(f.Type, f.Default)
	}
}

func (w *writer) fields(fields []value.Field) {
	each(w, fields, func(f *value.Field) { w.str(f.Name); w.typ(f.Type); w.preset(f) })
}

// val writes a value of type t, exactly.
func (w *writer) val(t *value.Type, v value.V) {
	switch t.Kind {
	case value.Bool, value.Int, value.Date, value.Duration, value.Enum:
		w.b = binary.AppendVarint(w.b, v.Int())
	case value.String:
		w.str(v.Str())
	case value.UUID:
		id := v.UUID()
		w.b = append(w.b, id[:]...)
	case value.Decimal:
		w.str(string(value.AppendDecimal(nil, v)))
	case value.Time:
		w.str(string(value.AppendTime(nil, v)))
	case value.JSON:
		w.str(value.JSONText(v))
	case value.Optional:
		w.bool(!v.IsNone())
		if !v.IsNone() {
			w.val(t.Elem, v)
		}
	case value.Record:
		for i, f := range v.Fields(len(t.Record.Fields)) {
			w.val(t.Record.Fields[i].Type, f)
		}
	case value.List, value.Set, value.Map:
		w.num(v.Len())
		for i := range v.Len() {
			if t.Kind == value.Map {
				w.val(t.Key, v.Keys()[i])
			}
			w.val(t.Elem, value.ElemAt(t, v, i))
		}
	}
}

func (w *writer) frame() {
	p := w.p
	w.str(p.Name)
	w.nums(p.Slots)
	w.num(len(p.Consts))
	for i, c := range p.Consts {
		w.val(p.Types[p.Slots[i]], c)
	}
	w.num(int(p.StateBase))
	w.fields(p.State)
	w.num(int(p.CtxBase))
}

func (w *writer) rules() {
	p := w.p
	w.strs(p.Files)
	w.strs(p.Codes)
	w.strs(p.Roles)
	w.bool(p.Creates)
	w.num(p.SnapshotEvery)
	w.num(int(p.Gas))
	each(w, p.Chunks, w.chunk)
	each(w, p.Calls, w.site)
	each(w, p.Commands, w.command)
	each(w, p.Events, w.event)
	each(w, p.Derives, func(d *Derive) { w.str(d.Name); w.num(int(d.Type)); w.eval(d.Eval) })
	each(w, p.Invariants, w.invariant)
	each(w, p.Indexes, w.index)
	each(w, p.Wheres, func(r *RecordWheres) { w.num(int(r.Record)); each(w, r.Wheres, w.where) })
	each(w, p.Tests, func(e *Eval) { w.eval(*e) })
	w.num(int(p.Final))
	w.num(int(p.FinalResult))
	w.nums(p.FinalReads)
	w.refusal(p.FinalElse)
}

func (w *writer) chunk(c *Chunk) {
	w.str(c.Name)
	w.num(int(c.Gas))
	w.num(len(c.Code))
	for _, in := range c.Code {
		w.b = append(w.b, byte(in.Op), in.N)
		w.b = binary.LittleEndian.AppendUint16(w.b, in.A)
		w.b = binary.LittleEndian.AppendUint16(w.b, in.B)
		w.b = binary.LittleEndian.AppendUint16(w.b, in.C)
	}
	each(w, c.Lines, func(l *Line) {
		w.num(int(l.PC))
		w.num(int(l.File))
		w.num(int(l.Line))
		w.num(int(l.Column))
		w.bool(l.Apply)
	})
}

func (w *writer) site(s *CallSite) {
	w.num(int(s.Builtin))
	w.nums(s.Args)
	w.num(int(s.Result))
	w.num(int(s.Mode))
	w.str(s.Pattern)
	w.strs(s.Path)
	w.nums(s.Keys)
	w.b = binary.AppendUvarint(w.b, s.Desc)
}

func (w *writer) eval(e Eval) {
	w.num(int(e.Chunk))
	w.num(int(e.Result))
	w.nums(e.Reads)
}

func (w *writer) refusal(r Refusal) {
	w.str(r.Code)
	w.eval(r.Message)
}

func (w *writer) old(pairs []OldField) {
	each(w, pairs, func(o *OldField) { w.num(int(o.Field)); w.num(int(o.Slot)) })
}

func (w *writer) where(x *Where) {
	w.num(int(x.Field))
	w.nums(x.Params)
	w.eval(x.Eval)
	w.str(x.Text)
}

func (w *writer) command(c *Command) {
	w.str(c.Name)
	w.bool(c.Creates)
	w.refusal(c.CreateElse)
	w.strs(c.By)
	w.fields(c.Fields)
	w.num(int(c.Base))
	each(w, c.Wheres, w.where)
	w.num(int(c.Decide))
	w.nums(c.Reads)
	w.nums(c.Writes)
	w.old(c.Old)
}

func (w *writer) event(e *Event) {
	w.str(e.Name)
	w.num(e.Version)
	w.bool(e.Current)
	w.fields(e.Fields)
	w.num(int(e.Base))
	w.num(int(e.Apply))
	w.nums(e.Reads)
	w.nums(e.Writes)
	w.num(int(e.Upcast))
	w.num(int(e.Next))
}

func (w *writer) invariant(i *Invariant) {
	w.str(i.Name)
	w.str(i.Text)
	w.eval(i.Eval)
	w.old(i.Old)
	each(w, i.Shown, func(s *Shown) { w.str(s.Text); w.eval(s.Eval) })
}

func (w *writer) index(x *Index) {
	w.str(x.Path)
	w.num(int(x.Type))
	w.num(int(x.Field))
	w.nums(x.Fields)
	w.num(int(x.Derive))
}
