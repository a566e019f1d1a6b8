package vm_test

import (
	"crypto/sha256"
	"encoding/binary"
	"reflect"
	"testing"

	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/value"
	"github.com/cloudlysis/aggregate/engine/vm"
)

// states and payloads that reach most of the code of the two programs.
var fuzzStates = []string{`{}`,
	`{"lines":{"a":{"sku":"a","quantity":1},"b":{"sku":"b","quantity":1,"price":2}},"total":3,"notes":["x"],"seen":["x","y"]}`,
	`{"owner":"ann","balance":100.25,"holds":{"00000000-0000-0000-0000-000000000001":{"amount":1.25,"until":"2026-01-01T00:00:00Z"}}}`}

var fuzzPayloads = []string{`{}`, `{"note":"hi"}`, `{"line":{"sku":"a","quantity":2,"price":1.50},"times":2}`, `{"text":"x"}`, `{"n":3}`,
	`{"n":3,"text":"ab"}`, `{"amount":6}`, `{"owner":"bob"}`, `{"cents":7}`, `{"sku":"a","line":{"sku":"a","quantity":2}}`,
	`{"box":{"lines":{"x":{"sku":"x","quantity":1}}},"boxes":[{"lines":{}}]}`, `{"amount":1,"fee":2}`, `{"amount":1,"by":"z"}`}

const fuzzGas = 3000

// exercise runs everything that a program has on machines fast and slow, which must agree.
func exercise(t *testing.T, p *vm.Program) {
	fast, slow := p.Get(), p.Get()
	slow.SetTrace(func(vm.Step) {})
	for _, src := range fuzzStates {
		state, errs := p.DecodeState([]byte(src))
		if errs != nil {
			continue
		}
		for cmd := range p.Code().Commands {
			for _, payload := range fuzzPayloads {
				agree(t, p, decideOn(p, fast, cmd, state, payload), decideOn(p, slow, cmd, state, payload))
			}
		}
		for decl := range p.Code().Events {
			for _, payload := range fuzzPayloads {
				agree(t, p, applyOn(p, fast, decl, state, payload), applyOn(p, slow, decl, state, payload))
			}
		}
		for i := range p.Derives() {
			v, out := fast.Derive(i, state)
			w, out2 := slow.Derive(i, state)
			agree(t, p, ran{out: out, text: shown(p, i, v, out)}, ran{out: out2, text: shown(p, i, w, out2)})
		}
		agree(t, p, ran{out: fast.Invariants(state, state)}, ran{out: slow.Invariants(state, state)})
	}
}

type ran struct {
	errs []value.FieldError
	out  vm.Outcome
	text string
}

func agree(t *testing.T, p *vm.Program, a, b ran) {
	if !reflect.DeepEqual(a, b) {
		t.Fatalf("fast %+v\nslow %+v", a, b)
	}
}

func shown(p *vm.Program, i int, v value.V, out vm.Outcome) string {
	if out.Kind == vm.Faulted {
		return ""
	}
	return string(value.AppendJSON(nil, p.Derives()[i].Type, v))
}

func decideOn(p *vm.Program, m *vm.Machine, cmd int, state []value.V, payload string) ran {
	if errs := m.DecodeCommand(cmd, []byte(payload)); errs != nil {
		return ran{errs: errs}
	}
	r := ran{out: m.Decide(cmd, state, ctxOf(1, "boss"), true, fuzzGas)}
	next := append([]value.V(nil), state...)
	if r.out.Kind == vm.Accepted {
		m.Store(cmd, next)
	}
	text := p.AppendState(nil, next, value.Encoder{})
	for i := range m.Events() {
		text = m.AppendEvent(text, i)
	}
	r.text = string(text)
	return r
}

func applyOn(p *vm.Program, m *vm.Machine, decl int, state []value.V, payload string) ran {
	if m.DecodeEvent(decl, []byte(payload), true) != nil {
		return ran{}
	}
	next := append([]value.V(nil), state...)
	r := ran{out: m.Apply(next, decl, ctxOf(1), fuzzGas)}
	r.text = string(p.AppendState(nil, next, value.Encoder{}))
	return r
}

func files(t testing.TB) [][]byte {
	return [][]byte{bytecode.Encode(orders(t).Code()), bytecode.Encode(account(t).Code())}
}

// FuzzCode changes instructions of real programs: whatever the verifier accepts the machine
// survives, within its gas, and fast and slow path agree. Each change is eight bytes: chunk,
// instruction, part and value.
func FuzzCode(f *testing.F) {
	all := files(f)
	f.Add(uint8(0), []byte{1, 0, 2, 0, 3, 0, 30, 0})
	f.Add(uint8(1), []byte{7, 0, 1, 0, 4, 0, 43, 0, 7, 0, 6, 0, 0, 0, 50, 0})
	f.Fuzz(func(t *testing.T, which uint8, changes []byte) {
		p, err := bytecode.Decode(all[int(which)%len(all)])
		if err != nil {
			t.Fatal(err)
		}
		for n := 0; len(changes) >= 8 && n < 16; n++ {
			change(p, changes)
			changes = changes[8:]
		}
		if q, err := vm.Load(p); err == nil {
			exercise(t, q)
		}
	})
}

func change(p *bytecode.Program, b []byte) {
	at := func(i int) int { return int(binary.LittleEndian.Uint16(b[i:])) }
	c := &p.Chunks[at(0)%len(p.Chunks)]
	in := &c.Code[at(2)%len(c.Code)]
	switch x := uint16(at(6)); at(4) % 7 {
	case 0:
		in.Op = bytecode.Op(x % uint16(bytecode.Count))
	case 1:
		in.N = uint8(x)
	case 2:
		in.A = x % uint16(len(p.Slots))
	case 3:
		in.B = x % uint16(len(p.Slots))
	case 4:
		in.C = x % uint16(len(p.Slots))
	case 5:
		in.C = x % uint16(len(c.Code))
	case 6: // another instruction of the program in this one's place
		from := &p.Chunks[int(x>>8)%len(p.Chunks)]
		*in = from.Code[int(x&0xFF)%len(from.Code)]
	}
}

// FuzzFile changes bytes of the files of real programs, behind a right checksum.
func FuzzFile(f *testing.F) {
	all := files(f)
	f.Add(uint8(0), []byte{40, 0, 1})
	f.Add(uint8(1), []byte{200, 2, 7, 0, 1, 255})
	f.Fuzz(func(t *testing.T, which uint8, changes []byte) {
		file := append([]byte(nil), all[int(which)%len(all)]...)
		body := file[:len(file)-sha256.Size]
		for ; len(changes) >= 3; changes = changes[3:] {
			body[int(binary.LittleEndian.Uint16(changes))%len(body)] = changes[2]
		}
		sum := sha256.Sum256(body)
		p, err := bytecode.Decode(append(body, sum[:]...))
		if err != nil {
			return
		}
		q, err := vm.Load(p)
		if err != nil {
			t.Skip(err) // a pattern too large
		}
		exercise(t, q)
	})
}

// TestRealPrograms runs the unchanged programs through what the fuzzers run.
func TestRealPrograms(t *testing.T) {
	for _, file := range files(t) {
		p, err := bytecode.Decode(file)
		if err != nil {
			t.Fatal(err)
		}
		q, err := vm.Load(p)
		if err != nil {
			t.Fatal(err)
		}
		exercise(t, q)
	}
}
