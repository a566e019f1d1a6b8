package bench

import (
	"context"
	_ "embed"
	"math"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// withdraw.wasm is made from withdraw.wat by wat2wasm of wabt (npm package wabt 1.0.x).
//
//go:embed withdraw.wasm
var withdrawWasm []byte

const (
	wasmStatus, wasmBalance, wasmHolds = 0, 8, 16
	wasmFee, wasmRows                  = 32, 64
	wasmGas                            = 20_000
)

type wasmAccount struct {
	mem   api.Memory
	fn    api.Function
	stack [2]uint64
	in    [2]uint64
}

func openWazero(gas bool) func(int, int64) (Account, error) {
	return func(holds int, balance int64) (Account, error) {
		ctx := context.Background()
		mod, err := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigCompiler()).Instantiate(ctx, withdrawWasm)
		if err != nil {
			return nil, err
		}
		a := &wasmAccount{mem: mod.Memory(), fn: mod.ExportedFunction("withdraw")}
		if gas {
			a.fn = mod.ExportedFunction("metered")
			a.in[1] = wasmGas
		}
		a.mem.WriteUint64Le(wasmBalance, uint64(balance))
		a.mem.WriteUint64Le(wasmHolds, uint64(holds))
		for i := range holds {
			a.mem.WriteUint64Le(uint32(wasmRows+16*i), holdCents)
		}
		return a, nil
	}
}

func (a *wasmAccount) Prepare(cents int64) { a.in[0] = uint64(cents) }
func (a *wasmAccount) Freeze()             { a.mem.WriteUint32Le(wasmStatus, 1) }
func (a *wasmAccount) Balance() int64      { return a.read(wasmBalance) }
func (a *wasmAccount) Fee() int64          { return a.read(wasmFee) }

func (a *wasmAccount) read(at uint32) int64 {
	v, ok := a.mem.ReadUint64Le(at)
	if !ok {
		return math.MinInt64
	}
	return int64(v)
}

func (a *wasmAccount) Withdraw() bool {
	a.stack = a.in
	return a.fn.CallWithStack(context.Background(), a.stack[:]) == nil && uint32(a.stack[0]) != 0
}
