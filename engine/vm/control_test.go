package vm

import (
	"fmt"
	"reflect"
	"sync"
	"testing"

	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// TestCalls doubles a number through ten chunks that call one another twice each: 2^10 calls of
// the last, each charged, and a fault deep within is told with its own place.
func TestCalls(t *testing.T) {
	const depth = 10
	build := func(start string) (*Program, bytecode.Eval) {
		a := newOpAsm(t)
		one, first := a.place(is(tInt, `1`)), a.place(is(tInt, start))
		a.state()
		n := a.slot(tInt)
		chunk := a.chunk("fn leaf", op(bytecode.OpGas, 0, 0, 3), op(bytecode.OpAddI, n, n, one), op(bytecode.OpRet))
		for i := range depth {
			call := op(bytecode.OpCall, 0, 0, chunk)
			chunk = a.chunk(fmt.Sprint("fn ", i), call, call, op(bytecode.OpRet))
		}
		e := bytecode.Eval{Result: n, Chunk: a.chunk("top", op(bytecode.OpMoveW, n, first), op(bytecode.OpCall, 0, 0, chunk), op(bytecode.OpRet))}
		a.p.Tests = []bytecode.Eval{e}
		return a.load(), e
	}
	p, e := build(`0`)
	got, out := both(t, p, e)
	// Chunks cost 1 each: the top, 2^i of each level, and 4 for a leaf.
	if want := int64(1 + (1<<depth - 1) + 4<<depth); got.Int() != 1<<depth || out.Gas != want {
		t.Errorf("got %d with gas %d, want %d with %d", got.Int(), out.Gas, 1<<depth, want)
	}
	p, e = build(`9223372036854775806`)
	if _, out = both(t, p, e); out.Fault != value.Overflow || out.Rule != "fn leaf" || out.Line != 10 {
		t.Errorf("got %+v", out)
	}
}

// TestEnds decides with code for each end of a command.
func TestEnds(t *testing.T) {
	for _, c := range []struct {
		name string
		code func(ev, msg uint16) []bytecode.Ins
		want Outcome
		n    int // events
	}{
		{"done", func(uint16, uint16) []bytecode.Ins { return []bytecode.Ins{op(bytecode.OpDone)} }, Outcome{Gas: 1}, 0},
		{"reject", func(uint16, uint16) []bytecode.Ins { return []bytecode.Ins{op(bytecode.OpReject)} },
			Outcome{Kind: Rejected, Code: "refused", Gas: 1}, 0},
		{"reject with message", func(_, msg uint16) []bytecode.Ins { return []bytecode.Ins{opN(bytecode.OpReject, 1, msg, 0, 1)} },
			Outcome{Kind: Rejected, Code: "insufficient_funds", Message: "why", Gas: 1}, 0},
		{"violate", func(uint16, uint16) []bytecode.Ins { return []bytecode.Ins{op(bytecode.OpViolate)} },
			Outcome{Kind: Rejected, Code: "invariant_violated", Message: "invariant never does not hold: false (the message is why)", Gas: 1}, 0},
		{"emit", func(uint16, uint16) []bytecode.Ins {
			return []bytecode.Ins{op(bytecode.OpEmit), op(bytecode.OpEmit), op(bytecode.OpEmit), op(bytecode.OpDone)}
		}, Outcome{Gas: 1}, 3},
		{"emit and reject", func(uint16, uint16) []bytecode.Ins {
			return []bytecode.Ins{op(bytecode.OpEmit), op(bytecode.OpReject)}
		}, Outcome{Kind: Rejected, Code: "refused", Gas: 1}, 0},
		{"fault", func(ev, _ uint16) []bytecode.Ins {
			return []bytecode.Ins{op(bytecode.OpEmit), op(bytecode.OpDivI, ev, ev, ev), op(bytecode.OpDone)}
		}, Outcome{Kind: Faulted, Fault: value.DivisionByZero, Rule: "decide", File: "thing.agg", Line: 10, Column: 3, Gas: 1}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := newOpAsm(t)
			msg, no := a.place(is(tText, `"why"`)), a.place(is(tBool, `false`))
			a.state()
			fields := []value.Field{{Name: "n", Type: tInt}, {Name: "s", Type: tText}}
			ev := a.fields(fields)
			decide := a.chunk("decide", c.code(ev, msg)...)
			ret := a.chunk("nothing", op(bytecode.OpRet))
			none := bytecode.Refusal{Message: bytecode.Eval{Chunk: bytecode.NoChunk}}
			a.p.Commands = []bytecode.Command{{Name: "go", Decide: decide, CreateElse: none}}
			a.p.Events = []bytecode.Event{{Name: "gone", Version: 1, Current: true, Fields: fields, Base: ev, Apply: ret}}
			a.p.Invariants = []bytecode.Invariant{{Name: "never", Text: "false", Eval: bytecode.Eval{Chunk: ret, Result: no},
				Shown: []bytecode.Shown{{Text: "the message", Eval: bytecode.Eval{Chunk: ret, Result: msg}}}}}
			p := a.load()
			for _, traced := range []bool{false, true} {
				m := p.Get()
				if traced {
					m.SetTrace(func(Step) {})
				}
				if got := m.Decide(0, nil, noCtx, true, 100); got != c.want {
					t.Errorf("traced %v: got %+v, want %+v", traced, got, c.want)
				}
				if m.Events() != c.n {
					t.Errorf("traced %v: got %d events, want %d", traced, m.Events(), c.n)
				}
				for i := range m.Events() {
					if got := string(m.AppendEvent(nil, i)); got != `{"n":0,"s":""}` {
						t.Errorf("event %d is %s", i, got)
					}
				}
				p.Put(m)
			}
		})
	}
}

// TestPutLetsGo: a machine that was given back refers to nothing of the last command.
func TestPutLetsGo(t *testing.T) {
	b := newBank(t)
	m := b.Get()
	m.SetCommand(b.withdraw, []value.V{dec("1234567890123456789012345678.00")})
	state := b.account("2234567890123456789012345678.00", 3)
	if out := m.Decide(b.withdraw, state, noCtx, true, 1000); out.Kind != Accepted {
		t.Fatal(out)
	}
	b.Put(m)
	for i, v := range m.frame {
		if v.Ref != b.template[i].Ref {
			t.Errorf("slot %d still holds a reference", i)
		}
	}
	for i, v := range m.vals {
		if v.Ref != nil {
			t.Errorf("value %d of an event is still held", i)
		}
	}
}

func TestNoAllocation(t *testing.T) {
	b := newBank(t)
	m := b.Get()
	state := b.account("10000000.00", 50)
	payload := []byte(`{"type":"withdraw","amount":75.12}`)
	buf := make([]byte, 0, 256)
	got := testing.AllocsPerRun(100, func() {
		if errs := m.DecodeCommand(b.withdraw, payload); errs != nil {
			t.Fatal(errs[0].Error())
		}
		if out := m.Decide(b.withdraw, state, noCtx, true, 1000); out.Kind != Accepted {
			t.Fatal(out)
		}
		m.Store(b.withdraw, state)
		buf = m.AppendEvent(buf[:0], 0)
	})
	if got != 0 {
		t.Errorf("got %v allocations for a command, want 0", got)
	}
}

// TestSideBySide runs machines of one program on goroutines of their own.
func TestSideBySide(t *testing.T) {
	b := newBank(t)
	want := run100(t, b)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 20 {
				if got := run100(t, b); !reflect.DeepEqual(got, want) {
					t.Errorf("got %v, want %v", got, want)
				}
			}
		})
	}
	wg.Wait()
}

func run100(t *testing.T, b *bank) []string {
	m := b.Get()
	defer b.Put(m)
	state := b.account("1000.00", 2)
	var all []string
	for i := range 100 {
		m.SetCommand(b.withdraw, []value.V{value.DecimalFromInt(int64(i%40 + 1))})
		out := m.Decide(b.withdraw, state, noCtx, true, 1000)
		if out.Kind == Accepted {
			m.Store(b.withdraw, state)
			all = append(all, string(m.AppendEvent(nil, 0)))
		} else {
			all = append(all, out.Code)
		}
	}
	return append(all, string(b.AppendState(nil, state, value.Encoder{})))
}
