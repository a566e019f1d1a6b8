package bench

import (
	"fmt"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/ext"
	"github.com/expr-lang/expr"
	exprvm "github.com/expr-lang/expr/vm"
)

// The rule in languages of expressions: one expression gives the event with the balance after it,
// or nothing; the host writes the balance.

const exprRule = `
status != "open" || Amount <= 0 ? nil : (
  let rest = Amount % 100;
  let cents = int((Amount - rest) / 100);
  let fee = max(rest > 50 || rest == 50 && cents % 2 == 1 ? cents + 1 : cents, 50);
  let held = sum(Holds, .Amount);
  let after = Balance - (Amount + fee);
  Balance - held < Amount + fee || after < 0 ? nil : {"amount": Amount, "fee": fee, "balance": after}
)`

type exprHold struct{ Amount, Until int }

type exprEnv struct {
	Status  string `expr:"status"`
	Balance int
	Amount  int
	Holds   []exprHold
}

type exprAccount struct {
	env  exprEnv
	rule *exprvm.Program
	vm   exprvm.VM
	fee  int64
}

func openExpr(holds int, balance int64) (Account, error) {
	rule, err := expr.Compile(exprRule, expr.Env(&exprEnv{}))
	if err != nil {
		return nil, err
	}
	a := &exprAccount{env: exprEnv{Status: "open", Balance: int(balance)}, rule: rule}
	for range holds {
		a.env.Holds = append(a.env.Holds, exprHold{Amount: holdCents})
	}
	return a, nil
}

func (a *exprAccount) Prepare(cents int64) { a.env.Amount = int(cents) }
func (a *exprAccount) Freeze()             { a.env.Status = "frozen" }
func (a *exprAccount) Balance() int64      { return int64(a.env.Balance) }
func (a *exprAccount) Fee() int64          { return a.fee }

func (a *exprAccount) Withdraw() bool {
	out, err := a.vm.Run(a.rule, &a.env)
	ev, ok := out.(map[string]any)
	if err != nil || !ok {
		return false
	}
	a.env.Balance = ev["balance"].(int)
	a.fee = int64(ev["fee"].(int))
	return true
}

const celRule = `
status != "open" || amount <= 0 ? {"fee": 0} :
cel.bind(fee, math.greatest(
    amount % 100 > 50 || amount % 100 == 50 && amount / 100 % 2 == 1 ? amount / 100 + 1 : amount / 100, 50),
  cel.bind(held, sum(holds.map(h, h.amount)),
    cel.bind(after, balance - (amount + fee),
      balance - held < amount + fee || after < 0 ? {"fee": 0} : {"amount": amount, "fee": fee, "balance": after})))`

// celSum is the one thing that CEL's library has not.
func celSum(v ref.Val) ref.Val {
	sum := types.Int(0)
	for it := v.(traits.Iterable).Iterator(); it.HasNext() == types.True; {
		s := sum.Add(it.Next())
		i, ok := s.(types.Int)
		if !ok {
			return s
		}
		sum = i
	}
	return sum
}

type celAccount struct {
	rule cel.Program
	vars map[string]any
	fee  int64
}

func celEnv() (*cel.Env, error) {
	ints := cel.ListType(cel.IntType)
	return cel.NewEnv(ext.Bindings(), ext.Math(),
		cel.Variable("status", cel.StringType), cel.Variable("balance", cel.IntType), cel.Variable("amount", cel.IntType),
		cel.Variable("holds", cel.ListType(cel.MapType(cel.StringType, cel.IntType))),
		cel.Function("sum", cel.Overload("sum_ints", []*cel.Type{ints}, cel.IntType, cel.UnaryBinding(celSum))))
}

// openCEL opens with a cost limit, or without when it is 0.
func openCEL(limit uint64) func(int, int64) (Account, error) {
	return func(holds int, balance int64) (Account, error) {
		env, err := celEnv()
		if err != nil {
			return nil, err
		}
		ast, issues := env.Compile(celRule)
		if issues.Err() != nil {
			return nil, issues.Err()
		}
		opts := []cel.ProgramOption{cel.EvalOptions(cel.OptOptimize)}
		if limit > 0 {
			opts = append(opts, cel.CostLimit(limit))
		}
		rule, err := env.Program(ast, opts...)
		if err != nil {
			return nil, err
		}
		rows := make([]ref.Val, holds)
		for i := range rows {
			rows[i] = types.DefaultTypeAdapter.NativeToValue(map[string]int64{"amount": holdCents, "until": 0})
		}
		a := &celAccount{rule: rule, vars: map[string]any{"status": types.String("open"), "balance": types.Int(balance)}}
		a.vars["holds"] = types.NewRefValList(types.DefaultTypeAdapter, rows)
		return a, nil
	}
}

func (a *celAccount) Prepare(cents int64) { a.vars["amount"] = types.Int(cents) }
func (a *celAccount) Freeze()             { a.vars["status"] = types.String("frozen") }
func (a *celAccount) Balance() int64      { return int64(a.vars["balance"].(types.Int)) }
func (a *celAccount) Fee() int64          { return a.fee }

func (a *celAccount) Withdraw() bool {
	out, _, err := a.rule.Eval(a.vars)
	if err != nil {
		return false
	}
	ev := out.(traits.Mapper)
	balance, ok := ev.Find(types.String("balance"))
	if !ok {
		return false
	}
	fee, _ := ev.Find(types.String("fee"))
	a.vars["balance"], a.fee = balance, int64(fee.(types.Int))
	return true
}

// must tells of a mistake in a rule that is part of this package.
func must[T any](v T, err error) T {
	if err != nil {
		panic(fmt.Sprint("bench: ", err))
	}
	return v
}
