package vm

import (
	"errors"
	"sort"
	"testing"

	"github.com/cloudlysis/aggregate/dsl/value"
)

// What BenchmarkWithdraw is measured against: the same rule by hand, over structs and maps or
// over key-sorted rows, in cents, which two places of decimals allow.
type goHold struct {
	amount int64
}

type goAccount struct {
	status  int
	balance int64
	holds   map[[16]byte]goHold
	rows    []goHold // sorted by key, in place of holds
}

type goWithdrawn struct{ amount, fee int64 }

var errRefused = errors.New("refused")

func addCents(a, b int64) (int64, bool) {
	s := a + b
	return s, (a^s)&(b^s) >= 0
}

func (a *goAccount) withdraw(amount int64, sum func(*goAccount) (int64, bool)) (goWithdrawn, error) {
	if amount <= 0 || a.status != 0 {
		return goWithdrawn{}, errRefused
	}
	fee := amount / 100
	if rest := amount % 100; rest > 50 || rest == 50 && fee&1 != 0 {
		fee++
	}
	fee = max(fee, 50)
	held, ok := sum(a)
	if !ok {
		return goWithdrawn{}, errRefused
	}
	total, ok := addCents(amount, fee)
	if !ok {
		return goWithdrawn{}, errRefused
	}
	left, ok := addCents(a.balance, -held)
	if !ok || left < total {
		return goWithdrawn{}, errRefused
	}
	balance, ok := addCents(a.balance, -total)
	if !ok || balance < 0 {
		return goWithdrawn{}, errRefused
	}
	a.balance = balance
	return goWithdrawn{amount, fee}, nil
}

func sumMap(a *goAccount) (int64, bool) {
	var sum int64
	for _, h := range a.holds {
		var ok bool
		if sum, ok = addCents(sum, h.amount); !ok {
			return 0, false
		}
	}
	return sum, true
}

func sumRows(a *goAccount) (int64, bool) {
	var sum int64
	for i := range a.rows {
		var ok bool
		if sum, ok = addCents(sum, a.rows[i].amount); !ok {
			return 0, false
		}
	}
	return sum, true
}

func newGoAccount(n int) *goAccount {
	a := &goAccount{balance: 1e15, holds: map[[16]byte]goHold{}}
	for i := range n {
		a.holds[[16]byte{byte(i >> 8), byte(i)}] = goHold{amount: 125}
		a.rows = append(a.rows, goHold{amount: 125})
	}
	sort.Slice(a.rows, func(i, j int) bool { return a.rows[i].amount < a.rows[j].amount })
	return a
}

// BenchmarkWithdraw decides, applies and checks the invariant. The goals are ratios to
// go-map on the same machine: at most 1.0 with 2 holds, 0.35 with 100, and no allocation.
func BenchmarkWithdraw(b *testing.B) {
	for _, size := range []struct {
		name  string
		holds int
	}{{"2", 2}, {"100", 100}} {
		for name, sum := range map[string]func(*goAccount) (int64, bool){"go-map": sumMap, "go-rows": sumRows} {
			b.Run(name+"/"+size.name, func(b *testing.B) {
				a := newGoAccount(size.holds)
				for b.Loop() {
					if _, err := a.withdraw(7512, sum); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		b.Run("vm/"+size.name, func(b *testing.B) { benchVM(b, size.holds) })
	}
}

func benchVM(b *testing.B, holds int) {
	p := newBank(b)
	m := p.Get()
	state := p.account("10000000000000.00", holds)
	m.SetCommand(p.withdraw, []value.V{dec("75.12")})
	b.ReportAllocs()
	for b.Loop() {
		if out := m.Decide(p.withdraw, state, noCtx, true, 100_000); out.Kind != Accepted {
			b.Fatal(out)
		}
		m.Store(p.withdraw, state)
	}
}

// BenchmarkCommandToEvent reads a command and writes its event, both JSON; the state is at hand.
func BenchmarkCommandToEvent(b *testing.B) {
	p := newBank(b)
	m := p.Get()
	state := p.account("10000000000000.00", 2)
	payload := []byte(`{"type":"withdraw","amount":75.12}`)
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		if errs := m.DecodeCommand(p.withdraw, payload); errs != nil {
			b.Fatal(errs)
		}
		if out := m.Decide(p.withdraw, state, noCtx, true, 100_000); out.Kind != Accepted {
			b.Fatal(out)
		}
		m.Store(p.withdraw, state)
		buf = m.AppendEvent(buf[:0], 0)
	}
}
