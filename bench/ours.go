package bench

import (
	_ "embed"
	"errors"
	"fmt"

	"github.com/cloudlysis/aggregate/dsl"
	"github.com/cloudlysis/aggregate/dsl/value"
	"github.com/cloudlysis/aggregate/engine/vm"
)

//go:embed account.agg
var manifest []byte

// compile compiles account.agg.
func compile() (*vm.Program, error) {
	r := dsl.Compile([]dsl.Source{{Path: "account.agg", Text: manifest}}, dsl.Options{})
	if !r.OK {
		return nil, fmt.Errorf("account.agg: %v", r.Diagnostics)
	}
	return vm.Load(r.Program("Account").Program)
}

type vmAccount struct {
	p     *vm.Program
	m     *vm.Machine
	cmd   int
	gas   int64
	state []value.V
	vals  []value.V // of the command
	ctx   vm.Ctx
}

func openVM(gas int64) func(int, int64) (Account, error) {
	return func(holds int, balance int64) (Account, error) {
		p, err := compile()
		if err != nil {
			return nil, err
		}
		cmd, ok := p.Command("withdraw")
		if !ok {
			return nil, errors.New("no command withdraw")
		}
		state, errs := p.DecodeState(stateJSON(holds, balance))
		if errs != nil {
			return nil, &errs[0]
		}
		return &vmAccount{p: p, m: p.Get(), cmd: cmd, gas: gas, state: state, vals: make([]value.V, 1)}, nil
	}
}

const statusField, balanceField = 1, 2

func (a *vmAccount) Prepare(cents int64) { a.vals[0] = decimalOf(cents) }
func (a *vmAccount) Freeze()             { a.state[statusField] = value.MakeInt(1) }
func (a *vmAccount) Balance() int64      { return centsOf(a.state[balanceField]) }

func (a *vmAccount) Fee() int64 {
	_, ev := a.m.Event(0)
	return centsOf(ev[1])
}

func (a *vmAccount) Withdraw() bool {
	if a.m.SetCommand(a.cmd, a.vals) != nil {
		return false
	}
	if !a.m.Accepts(a.cmd, a.state, &a.ctx, true, a.gas) {
		return false
	}
	a.m.Store(a.cmd, a.state)
	return true
}

func decimalOf(cents int64) value.V {
	v, _ := value.ParseDecimalText(string(appendCents(nil, cents)))
	return v
}

func centsOf(v value.V) int64 {
	c, _ := parseCents(string(value.AppendDecimal(nil, v)))
	return c
}
