package vm_test

import (
	"testing"

	"github.com/cloudlysis/aggregate/dsl/value"
	"github.com/cloudlysis/aggregate/engine/vm"
)

func withHolds(t testing.TB, p *vm.Program, n int) []value.V {
	src := `{"owner":"ann","balance":10000000000000.00,"holds":{`
	for i := range n {
		if i > 0 {
			src += ","
		}
		id := []byte(`"00000000-0000-0000-0000-000000000000":{"amount":1.25,"until":"2026-01-01T00:00:00Z"}`)
		id[35], id[36] = byte('0'+i/10), byte('0'+i%10)
		src += string(id)
	}
	state, errs := p.DecodeState([]byte(src + "}}"))
	if errs != nil {
		t.Fatal(errs[0].Error())
	}
	return state
}

// BenchmarkCompiled is BenchmarkWithdraw on what the compiler makes of language.md's Account.
func BenchmarkCompiled(b *testing.B) {
	p := account(b)
	cmd, _ := p.Command("withdraw")
	for name, holds := range map[string]int{"2": 2, "50": 50} {
		b.Run(name, func(b *testing.B) {
			m := p.Get()
			state := withHolds(b, p, holds)
			amount, _ := value.ParseDecimalText("75.12")
			if errs := m.SetCommand(cmd, []value.V{amount}); errs != nil {
				b.Fatal(errs)
			}
			ctx := &vm.Ctx{}
			b.ReportAllocs()
			for b.Loop() {
				if out := m.Decide(cmd, state, ctx, true, 20_000); out.Kind != vm.Accepted {
					b.Fatal(out)
				}
				m.Store(cmd, state)
			}
		})
	}
}

// BenchmarkReplay applies one stored event, JSON and all.
func BenchmarkReplay(b *testing.B) {
	p := account(b)
	m := p.Get()
	state := withHolds(b, p, 2)
	ctx := &vm.Ctx{}
	b.ReportAllocs()
	for b.Loop() {
		if err := m.ReplayEvent(state, "withdrawn", 1, []byte(`{"amount":75.12,"fee":0.75}`), ctx, false); err != nil {
			b.Fatal(err)
		}
	}
}
