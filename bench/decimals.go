package bench

import (
	"github.com/cockroachdb/apd/v3"
	"github.com/quagmt/udecimal"
	"github.com/shopspring/decimal"
)

// The rule by hand over structs and a map, with decimals from libraries.

type shopAccount struct {
	status       int
	balance      decimal.Decimal
	holds        map[[16]byte]decimal.Decimal
	amount, fee  decimal.Decimal
	cent, minFee decimal.Decimal
}

func openShopspring(holds int, balance int64) (Account, error) {
	a := &shopAccount{balance: decimal.New(balance, -2), holds: map[[16]byte]decimal.Decimal{}, cent: decimal.New(1, -2), minFee: decimal.New(5, -1)}
	for i := range holds {
		a.holds[holdID(i)] = decimal.New(holdCents, -2)
	}
	return a, nil
}

func (a *shopAccount) Prepare(cents int64) { a.amount = decimal.New(cents, -2) }
func (a *shopAccount) Freeze()             { a.status = 1 }
func (a *shopAccount) Fee() int64          { return a.fee.Shift(2).IntPart() }
func (a *shopAccount) Balance() int64      { return a.balance.Shift(2).IntPart() }

func (a *shopAccount) Withdraw() bool {
	if a.amount.Sign() <= 0 || a.status != 0 {
		return false
	}
	fee := decimal.Max(a.amount.Mul(a.cent).RoundBank(2), a.minFee)
	held := decimal.Decimal{}
	for _, h := range a.holds {
		held = held.Add(h)
	}
	if a.balance.Sub(held).LessThan(a.amount.Add(fee)) {
		return false
	}
	balance := a.balance.Sub(a.amount.Add(fee))
	if balance.IsNegative() {
		return false
	}
	a.fee, a.balance = fee, balance
	return true
}

type uAccount struct {
	status       int
	balance      udecimal.Decimal
	holds        map[[16]byte]udecimal.Decimal
	amount, fee  udecimal.Decimal
	cent, minFee udecimal.Decimal
}

func openUdecimal(holds int, balance int64) (Account, error) {
	a := &uAccount{balance: udecimal.MustFromInt64(balance, 2), holds: map[[16]byte]udecimal.Decimal{}, cent: udecimal.MustFromInt64(1, 2), minFee: udecimal.MustFromInt64(5, 1)}
	for i := range holds {
		a.holds[holdID(i)] = udecimal.MustFromInt64(holdCents, 2)
	}
	return a, nil
}

func (a *uAccount) Prepare(cents int64) { a.amount = udecimal.MustFromInt64(cents, 2) }
func (a *uAccount) Freeze()             { a.status = 1 }
func (a *uAccount) Fee() int64          { return uCents(a.fee) }
func (a *uAccount) Balance() int64      { return uCents(a.balance) }

func uCents(d udecimal.Decimal) int64 {
	c, _ := d.Mul64(100).Int64()
	return c
}

func (a *uAccount) Withdraw() bool {
	if a.amount.Sign() <= 0 || a.status != 0 {
		return false
	}
	fee := a.amount.Mul(a.cent).RoundBank(2)
	if fee.LessThan(a.minFee) {
		fee = a.minFee
	}
	held := udecimal.Decimal{}
	for _, h := range a.holds {
		held = held.Add(h)
	}
	if a.balance.Sub(held).LessThan(a.amount.Add(fee)) {
		return false
	}
	balance := a.balance.Sub(a.amount.Add(fee))
	if balance.IsNeg() {
		return false
	}
	a.fee, a.balance = fee, balance
	return true
}

// apdTrap is what makes apd refuse to round by itself.
const apdTrap = apd.Inexact | apd.Overflow | apd.InvalidOperation | apd.DivisionByZero

type apdAccount struct {
	status       int
	balance      apd.Decimal
	holds        map[[16]byte]*apd.Decimal
	amount, fee  apd.Decimal
	cent, minFee apd.Decimal
	exact, round *apd.Context

	held, total, left apd.Decimal
}

func openApd(holds int, balance int64) (Account, error) {
	a := &apdAccount{balance: *apd.New(balance, -2), holds: map[[16]byte]*apd.Decimal{}, cent: *apd.New(1, -2), minFee: *apd.New(5, -1)}
	exact := apd.BaseContext
	exact.Precision, exact.Traps = 34, apdTrap
	round := exact
	round.Rounding, round.Traps = apd.RoundHalfEven, apdTrap&^apd.Inexact
	a.exact, a.round = &exact, &round
	for i := range holds {
		a.holds[holdID(i)] = apd.New(holdCents, -2)
	}
	return a, nil
}

func (a *apdAccount) Prepare(cents int64) { a.amount = *apd.New(cents, -2) }
func (a *apdAccount) Freeze()             { a.status = 1 }
func (a *apdAccount) Fee() int64          { return apdCents(&a.fee) }
func (a *apdAccount) Balance() int64      { return apdCents(&a.balance) }

func apdCents(d *apd.Decimal) int64 {
	c, _ := parseCents(d.Text('f'))
	return c
}

func (a *apdAccount) Withdraw() bool {
	if a.amount.Sign() <= 0 || a.status != 0 {
		return false
	}
	fee := &a.fee
	if a.do(a.exact.Mul(fee, &a.amount, &a.cent)) || a.do(a.round.Quantize(fee, fee, -2)) {
		return false
	}
	if fee.Cmp(&a.minFee) < 0 {
		fee.Set(&a.minFee)
	}
	a.held.SetInt64(0)
	for _, h := range a.holds {
		if a.do(a.exact.Add(&a.held, &a.held, h)) {
			return false
		}
	}
	if a.do(a.exact.Sub(&a.left, &a.balance, &a.held)) || a.do(a.exact.Add(&a.total, &a.amount, fee)) || a.left.Cmp(&a.total) < 0 {
		return false
	}
	if a.do(a.exact.Sub(&a.left, &a.balance, &a.total)) || a.left.Negative {
		return false
	}
	a.balance.Set(&a.left)
	return true
}

// do tells whether a step failed.
func (a *apdAccount) do(_ apd.Condition, err error) bool { return err != nil }
