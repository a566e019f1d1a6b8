package bench

// Account is one live account. Money comes and goes in cents; what a contender computes with
// inside is its own affair, and converting is no part of a withdrawal.
type Account interface {
	// Prepare sets the amount of the withdrawals that follow.
	Prepare(cents int64)
	// Freeze sets the status to frozen.
	Freeze()
	// Withdraw decides one withdrawal and, when it is accepted, makes its event, applies it and
	// checks the invariant. It is false when the withdrawal is refused.
	Withdraw() bool
	// Fee is the fee of the last event, Balance the balance now.
	Fee() int64
	Balance() int64
}

// Contender is one engine.
type Contender struct {
	Name    string
	Numbers string // what it computes with
	Metered string // how it stops a rule that runs too long
	Open    func(holds int, balance int64) (Account, error)
}

// Baseline is the name of the contender that all are measured against.
const Baseline = "Go, struct and map, int64 cents"

// Ours is the name of the contender that this module is about.
const Ours = "aggregate VM, gas limit 20,000"

// holdCents is what each hold withholds.
const holdCents = 125

// Contenders are all engines, the baseline first.
func Contenders() []Contender {
	const cents, floats = "64-bit cents, checked by hand", "float64"
	return []Contender{
		{Baseline, cents, "no", openGoMap},
		{"Go, key-sorted rows, int64 cents", cents, "no", openGoRows},
		{Ours, "decimals of 34 digits, checked", "gas", openVM(20_000)},
		{"aggregate VM, no gas limit", "decimals of 34 digits, checked", "counts, no limit", openVM(-1)},
		{"Go, udecimal", "decimals of 19 places", "no", openUdecimal},
		{"Go, apd", "decimals, inexact flag", "no", openApd},
		{"Go, shopspring", "decimals of any size", "no", openShopspring},
		{"wazero AOT, no gas", cents, "no", openWazero(false)},
		{"wazero AOT, gas written into the wasm", cents, "gas", openWazero(true)},
		{"expr", "int64, unchecked; / gives float64", "memory and nodes", openExpr},
		{"cel-go", "int64, checked", "no", openCEL(0)},
		{"cel-go, cost limit", "int64, checked", "cost", openCEL(100_000)},
		{"goja", floats, "interrupt from outside", openGoja},
		{"starlark", "big integers", "steps", openStarlark},
		{"gopher-lua", floats, "context", openLua},
	}
}
