package bytecode

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"unicode"

	"github.com/cloudlysis/aggregate/dsl/value"
)

// Fingerprint is the sha256 of all that a state that was replayed rests on: the shape of the
// state with its defaults and the order of enums, what apply and upcast of each event do, and
// the Unicode version. A snapshot is valid for the programs of one fingerprint. It does not
// depend on where the compiler put slots, chunks and constants, nor on gas, source places,
// commands and invariants: changing those keeps snapshots.
func Fingerprint(p *Program) [sha256.Size]byte {
	f := &printer{p: p, v: &verifier{p: p}, h: sha256.New()}
	f.str("aggregate bytecode state")
	f.num(Version)
	f.str(unicode.Version)
	f.fields(p.State)
	f.num(len(p.Events))
	for i := range p.Events {
		f.event(&p.Events[i])
	}
	return [sha256.Size]byte(f.h.Sum(nil))
}

// printer writes code with slots and chunks numbered in the order in which they are met.
type printer struct {
	p *Program
	v *verifier
	h hash.Hash

	slots  map[uint16]int
	chunks map[uint16]int
	queue  []uint16
	event0 *Event
}

func (f *printer) num(n int) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(n))
	f.h.Write(b[:])
}

func (f *printer) str(s string) {
	f.num(len(s))
	f.h.Write([]byte(s))
}

func (f *printer) val(t *value.Type, v value.V) {
	f.str(string(value.AppendShape(nil, t)))
	f.str(string(value.AppendJSON(nil, t, v)))
}

func (f *printer) fields(fields []value.Field) {
	f.str(string(value.AppendFieldsShape(nil, fields)))
}

func (f *printer) event(e *Event) {
	f.str(e.Name)
	f.num(e.Version)
	f.fields(e.Fields)
	f.event0 = e
	if e.Current {
		f.code(e.Apply)
		return
	}
	next := &f.p.Events[e.Next]
	f.str(next.Name)
	f.num(next.Version)
	f.code(e.Upcast)
}

// code writes a chunk and all that it calls.
func (f *printer) code(root uint16) {
	f.slots, f.chunks, f.queue = map[uint16]int{}, map[uint16]int{}, nil
	f.chunk(root)
	for i := 0; i < len(f.queue); i++ {
		c := &f.p.Chunks[f.queue[i]]
		f.num(len(c.Code))
		for pc := 0; pc < len(c.Code); pc++ {
			pc += f.instruction(c.Code, pc)
		}
	}
}

// instruction writes one and gives how many ext words follow it.
func (f *printer) instruction(code []Ins, pc int) int {
	in := code[pc]
	info := ops[in.Op]
	f.str(info.Name)
	if info.N == Round || info.N == Flag || info.N == Own {
		f.num(int(in.N))
	}
	if info.A == Loop {
		f.slot(in.A, in.Op.loopSlots())
	} else {
		f.operand(info.A, in.A, in)
	}
	f.operand(info.B, in.B, in)
	f.operand(info.C, in.C, in)
	if info.X == None {
		return 0
	}
	f.operand(info.X, code[pc+1].A, in)
	return 1
}

func (f *printer) operand(k Kind, x uint16, in Ins) {
	switch k {
	case None, Charge:
	case Dst, Src:
		f.slot(x, 1)
	case Window:
		f.slot(x, f.v.windowLen(in))
	case Callee:
		f.chunk(x)
	case TypeOf:
		f.str(string(value.AppendShape(nil, f.p.Types[x])))
	case SiteOf:
		f.site(&f.p.Calls[x])
	default: // targets, fields, counts
		f.num(int(x))
	}
}

// slot writes n slots that follow one another.
func (f *printer) slot(s uint16, n int) {
	f.num(n)
	for i := range n {
		f.oneSlot(s + uint16(i))
	}
}

func (f *printer) oneSlot(s uint16) {
	t := f.v.at(s)
	switch i, c := f.v.stateField(int(s)), f.v.ctxField(int(s)); {
	case int(s) < len(f.p.Consts):
		f.str("const")
		f.val(t, f.p.Consts[s])
	case i >= 0:
		f.str("state")
		f.num(i)
	case c >= 0:
		f.str("ctx")
		f.num(c)
	case f.eventSlot(s):
	default:
		n, ok := f.slots[s]
		if !ok {
			n = len(f.slots)
			f.slots[s] = n
			f.str(string(value.AppendShape(nil, t)))
		}
		f.num(n)
	}
}

// eventSlot writes a slot of the event at hand, or of the one that an upcast makes.
func (f *printer) eventSlot(s uint16) bool {
	events := []*Event{f.event0}
	if !f.event0.Current {
		events = append(events, &f.p.Events[f.event0.Next])
	}
	for i, e := range events {
		if s >= e.Base && int(s) < int(e.Base)+len(e.Fields) {
			f.str("event")
			f.num(i)
			f.num(int(s - e.Base))
			return true
		}
	}
	return false
}

func (f *printer) chunk(c uint16) {
	n, ok := f.chunks[c]
	if !ok {
		n = len(f.chunks)
		f.chunks[c] = n
		f.queue = append(f.queue, c)
	}
	f.num(n)
}

func (f *printer) site(s *CallSite) {
	f.num(int(s.Builtin))
	for _, t := range append(append([]uint16{s.Result}, s.Args...), s.Keys...) {
		f.str(string(value.AppendShape(nil, f.p.Types[t])))
	}
	f.num(int(s.Mode))
	f.str(s.Pattern)
	f.num(len(s.Path))
	for _, part := range s.Path {
		f.str(part)
	}
	f.num(int(s.Desc))
}
