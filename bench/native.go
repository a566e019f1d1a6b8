package bench

// The rule by hand over 64-bit cents: two places, every sum checked.

type goHold struct{ amount, until int64 }

type goAccount struct {
	owner   string
	status  int
	balance int64
	holds   map[[16]byte]goHold
	rows    []goHold // key-sorted, in place of holds

	amount int64
	event  withdrawn
	sum    func(*goAccount) (int64, bool)
}

type withdrawn struct{ amount, fee int64 }

func holdID(i int) [16]byte { return [16]byte{6: 0x7a, 14: byte(i >> 8), 15: byte(i)} }

func openGoMap(holds int, balance int64) (Account, error) {
	return newGoAccount(holds, balance, sumMap), nil
}

func openGoRows(holds int, balance int64) (Account, error) {
	return newGoAccount(holds, balance, sumRows), nil
}

func newGoAccount(holds int, balance int64, sum func(*goAccount) (int64, bool)) *goAccount {
	a := &goAccount{owner: "ann", balance: balance, holds: map[[16]byte]goHold{}, sum: sum}
	for i := range holds {
		a.holds[holdID(i)] = goHold{amount: holdCents}
		a.rows = append(a.rows, goHold{amount: holdCents})
	}
	return a
}

func (a *goAccount) Prepare(cents int64) { a.amount = cents }
func (a *goAccount) Freeze()             { a.status = 1 }
func (a *goAccount) Fee() int64          { return a.event.fee }
func (a *goAccount) Balance() int64      { return a.balance }

func (a *goAccount) Withdraw() bool {
	ev, ok := a.decide(a.amount)
	return ok && a.apply(ev)
}

func (a *goAccount) decide(amount int64) (withdrawn, bool) {
	if amount <= 0 || a.status != 0 {
		return withdrawn{}, false
	}
	fee := feeOf(amount)
	held, ok := a.sum(a)
	if !ok {
		return withdrawn{}, false
	}
	total, ok := add(amount, fee)
	if !ok {
		return withdrawn{}, false
	}
	if left, ok := add(a.balance, -held); !ok || left < total {
		return withdrawn{}, false
	}
	return withdrawn{amount, fee}, true
}

// apply changes nothing when that would break the invariant.
func (a *goAccount) apply(ev withdrawn) bool {
	total, ok := add(ev.amount, ev.fee)
	if !ok {
		return false
	}
	balance, ok := add(a.balance, -total)
	if !ok || balance < 0 {
		return false
	}
	a.balance, a.event = balance, ev
	return true
}

// feeOf is max(round(amount * 0.01, 2, half_even), 0.5).
func feeOf(amount int64) int64 {
	fee := amount / 100
	if rest := amount % 100; rest > 50 || rest == 50 && fee&1 != 0 {
		fee++
	}
	return max(fee, 50)
}

func add(a, b int64) (int64, bool) {
	s := a + b
	return s, (a^s)&(b^s) >= 0
}

func sumMap(a *goAccount) (int64, bool) {
	var sum int64
	for _, h := range a.holds {
		var ok bool
		if sum, ok = add(sum, h.amount); !ok {
			return 0, false
		}
	}
	return sum, true
}

func sumRows(a *goAccount) (int64, bool) {
	var sum int64
	for i := range a.rows {
		var ok bool
		if sum, ok = add(sum, a.rows[i].amount); !ok {
			return 0, false
		}
	}
	return sum, true
}
