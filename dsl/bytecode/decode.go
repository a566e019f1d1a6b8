package bytecode

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/cloudlysis/aggregate/dsl/value"
)

// MaxFile bounds the size of an encoded program.
const MaxFile = 64 << 20

// ErrDecode is matched by every error of Decode.
var ErrDecode = errors.New("not a bytecode file")

type decodeError struct{ msg string }

func (e *decodeError) Error() string        { return "bytecode file: " + e.msg }
func (e *decodeError) Is(target error) bool { return target == ErrDecode }

// Decode reads what Encode wrote and verifies it. Any bytes may come: it neither panics nor
// takes more memory than in proportion to len(b). A file of another Version is refused.
func Decode(b []byte) (*Program, error) {
	if len(b) > MaxFile {
		return nil, &decodeError{"too large"}
	}
	if len(b) < len(magic)+sha256.Size || string(b[:len(magic)]) != magic {
		return nil, &decodeError{"it does not begin as one"}
	}
	body := b[:len(b)-sha256.Size]
	if sum := sha256.Sum256(body); !bytes.Equal(sum[:], b[len(body):]) {
		return nil, &decodeError{"its checksum is wrong"}
	}
	return decodeBody(body)
}

// decodeBody reads a file without its checksum, so that a fuzzer gets behind it.
func decodeBody(body []byte) (*Program, error) {
	r := &reader{b: body[len(magic):], p: &Program{}}
	if v := r.num(); v != Version {
		return nil, &decodeError{fmt.Sprintf("version %d, this program reads %d: compile the manifest again", v, Version)}
	}
	r.types()
	if r.err == nil {
		r.frame()
	}
	if r.err == nil {
		r.rules()
	}
	if r.err == nil && len(r.b) > 0 {
		r.fail("bytes behind the end")
	}
	if r.err != nil {
		return nil, r.err
	}
	if err := Verify(r.p); err != nil {
		return nil, err
	}
	return r.p, nil
}

// reader reads forward; after an error everything reads as zero. Every element of a list takes
// at least a byte, so no list is longer than what is left.
type reader struct {
	b   []byte
	p   *Program
	err error
}

func (r *reader) fail(msg string) {
	if r.err == nil {
		r.err = &decodeError{msg}
	}
	r.b = nil
}

func (r *reader) num64() int64 {
	n, size := binary.Uvarint(r.b)
	if size <= 0 || n > 1<<62 {
		r.fail("a number is cut off or too large")
		return 0
	}
	r.b = r.b[size:]
	return int64(n)
}

func (r *reader) num() int {
	n := r.num64()
	if n > math.MaxInt {
		r.fail("a number is too large")
		return 0
	}
	return int(n)
}

func (r *reader) small() uint16 {
	n := r.num()
	if n > 0xFFFF {
		r.fail("an index is too large")
		return 0
	}
	return uint16(n)
}

func (r *reader) u32() uint32 {
	n := r.num64()
	if n > math.MaxUint32 {
		r.fail("a number is too large")
		return 0
	}
	return uint32(n)
}

func (r *reader) bool() bool {
	n := r.num()
	if n > 1 {
		r.fail("neither true nor false")
	}
	return n == 1
}

// count reads the length of a list whose elements take at least size bytes each.
func (r *reader) count(size int) int {
	n := r.num()
	if n > len(r.b)/size {
		r.fail("a list is longer than the file")
		return 0
	}
	return n
}

func (r *reader) take(n int) []byte {
	if n > len(r.b) {
		r.fail("it is cut off")
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) str() string { return string(r.take(r.count(1))) }

// list reads n elements. Room is made as they come, not as the length promises.
func list[T any](r *reader, size int, read func(*T)) []T {
	n := r.count(size)
	if n == 0 {
		return nil
	}
	out := make([]T, 0, min(n, 64))
	for range n {
		var x T
		read(&x)
		if r.err != nil {
			return nil
		}
		out = append(out, x)
	}
	return out
}

func (r *reader) strs() []string { return list(r, 1, func(s *string) { *s = r.str() }) }

func (r *reader) nums() []uint16 { return list(r, 1, func(n *uint16) { *n = r.small() }) }

func (r *reader) types() {
	p := r.p
	p.Enums = list(r, 3, func(e **value.EnumType) {
		*e = &value.EnumType{Name: r.str(), Ordered: r.bool()}
		(*e).Members = list(r, 2, func(m *value.Member) { m.Name, m.Wire = r.str(), r.str() })
	})
	n := r.count(2)
	p.Records = make([]*value.RecordType, 0, min(n, 64))
	for range n {
		p.Records = append(p.Records, &value.RecordType{})
	}
	for _, rec := range p.Records {
		rec.Name = r.str()
		rec.Fields = list(r, 2, func(f *value.Field) { f.Name, f.Type = r.str(), r.typ(0) })
		if r.err != nil {
			return
		}
	}
	p.Types = list(r, 1, func(t **value.Type) { *t = r.typ(0) })
	if r.err != nil {
		return
	}
	// Values can be read only of types that are sound.
	v := &verifier{p: p}
	if err := v.typeTables(); err != nil {
		r.err = err
		return
	}
	for _, rec := range p.Records {
		for i := range rec.Fields {
			r.preset(&rec.Fields[i])
		}
	}
}

func (r *reader) typ(depth int) *value.Type {
	t := &value.Type{Kind: value.Kind(r.small())}
	if depth > maxTypeDepth {
		r.fail("a type is too deep")
		return t
	}
	switch t.Kind {
	case value.Enum:
		if i := r.num(); i < len(r.p.Enums) {
			t.Enum = r.p.Enums[i]
		} else {
			r.fail("no such enum")
		}
	case value.Record:
		if i := r.num(); i < len(r.p.Records) {
			t.Record = r.p.Records[i]
		} else {
			r.fail("no such record")
		}
	case value.String:
		t.Bound = r.num()
	case value.List, value.Set, value.Map:
		t.Bound = r.num()
		if t.Kind == value.Map {
			t.Key = r.typ(depth + 1)
		}
		t.Elem = r.typ(depth + 1)
	case value.Optional:
		t.Elem = r.typ(depth + 1)
	}
	return scalar(t)
}

// scalar gives the one value of a plain scalar type.
func scalar(t *value.Type) *value.Type {
	for _, s := range []*value.Type{value.BoolType, value.IntType, value.DecimalType, value.StringType, value.TimeType,
		value.DateType, value.DurationType, value.UUIDType, value.JSONType} {
		if s.Kind == t.Kind && t.Bound == 0 {
			return s
		}
	}
	return t
}

func (r *reader) preset(f *value.Field) {
	if f.HasDefault = r.bool(); f.HasDefault {
		f.Default = r.val(f.Type)
	}
}

func (r *reader) fields() []value.Field {
	tc := newTypeCheck(r.p)
	return list(r, 3, func(f *value.Field) {
		f.Name, f.Type = r.str(), r.typ(0)
		if err := tc.check(f.Type, 0); err != nil && r.err == nil {
			r.err = err
			r.b = nil
			return
		}
		r.preset(f)
	})
}

func (r *reader) frame() {
	p := r.p
	p.Name = r.str()
	p.Slots = r.nums()
	for _, t := range p.Slots {
		if int(t) >= len(p.Types) {
			r.fail("a slot of no type")
			return
		}
	}
	n := r.count(1)
	if n > len(p.Slots) {
		r.fail("more constants than slots")
		return
	}
	for i := range n {
		p.Consts = append(p.Consts, r.val(p.Types[p.Slots[i]]))
	}
	p.StateBase = r.small()
	p.State = r.fields()
	p.CtxBase = r.small()
}

func (r *reader) rules() {
	p := r.p
	p.Files, p.Codes, p.Roles = r.strs(), r.strs(), r.strs()
	p.Creates = r.bool()
	p.SnapshotEvery = r.num()
	p.Gas = r.num64()
	p.Chunks = list(r, 4, r.chunk)
	p.Calls = list(r, 8, r.site)
	p.Commands = list(r, 14, r.command)
	p.Events = list(r, 10, r.event)
	p.Derives = list(r, 5, func(d *Derive) { d.Name, d.Type, d.Eval = r.str(), r.small(), r.eval() })
	p.Invariants = list(r, 7, r.invariant)
	p.Indexes = list(r, 5, r.index)
	p.Wheres = list(r, 2, func(w *RecordWheres) { w.Record, w.Wheres = r.small(), list(r, 6, r.where) })
	p.Tests = list(r, 3, func(e *Eval) { *e = r.eval() })
	p.Final, p.FinalResult, p.FinalReads = r.small(), r.small(), r.nums()
	p.FinalElse = r.refusal()
}

func (r *reader) chunk(c *Chunk) {
	c.Name = r.str()
	c.Gas = r.u32()
	n := r.count(8)
	code := r.take(n * 8)
	if r.err != nil {
		return
	}
	c.Code = make([]Ins, n)
	for i := range c.Code {
		b := code[i*8:]
		c.Code[i] = Ins{Op(b[0]), b[1], binary.LittleEndian.Uint16(b[2:]), binary.LittleEndian.Uint16(b[4:]), binary.LittleEndian.Uint16(b[6:])}
	}
	c.Lines = list(r, 5, func(l *Line) {
		l.PC, l.File, l.Line, l.Column, l.Apply = r.u32(), r.small(), r.u32(), r.u32(), r.bool()
	})
}

func (r *reader) site(s *CallSite) {
	s.Builtin = value.Builtin(r.small())
	s.Args = r.nums()
	s.Result = r.small()
	s.Mode = value.Mode(r.small())
	s.Pattern = r.str()
	s.Path = r.strs()
	s.Keys = r.nums()
	n, size := binary.Uvarint(r.b)
	if size <= 0 {
		r.fail("a number is cut off")
		return
	}
	s.Desc, r.b = n, r.b[size:]
}

func (r *reader) eval() Eval { return Eval{r.small(), r.small(), r.nums()} }

func (r *reader) refusal() Refusal { return Refusal{r.str(), r.eval()} }

func (r *reader) old() []OldField {
	return list(r, 2, func(o *OldField) { o.Field, o.Slot = r.small(), r.small() })
}

func (r *reader) where(w *Where) {
	w.Field, w.Params, w.Eval, w.Text = r.small(), r.nums(), r.eval(), r.str()
}

func (r *reader) command(c *Command) {
	c.Name, c.Creates, c.CreateElse, c.By = r.str(), r.bool(), r.refusal(), r.strs()
	c.Fields, c.Base = r.fields(), r.small()
	c.Wheres = list(r, 6, r.where)
	c.Decide, c.Reads, c.Writes, c.Old = r.small(), r.nums(), r.nums(), r.old()
}

func (r *reader) event(e *Event) {
	e.Name, e.Version, e.Current = r.str(), r.num(), r.bool()
	e.Fields, e.Base = r.fields(), r.small()
	e.Apply, e.Reads, e.Writes = r.small(), r.nums(), r.nums()
	e.Upcast, e.Next = r.small(), r.small()
}

func (r *reader) invariant(i *Invariant) {
	i.Name, i.Text, i.Eval, i.Old = r.str(), r.str(), r.eval(), r.old()
	i.Shown = list(r, 4, func(s *Shown) { s.Text, s.Eval = r.str(), r.eval() })
}

func (r *reader) index(x *Index) {
	x.Path, x.Type, x.Field, x.Fields, x.Derive = r.str(), r.small(), r.small(), r.nums(), r.small()
}
