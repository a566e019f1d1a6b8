package bench

import (
	"fmt"

	"github.com/dop251/goja"
	lua "github.com/yuin/gopher-lua"
	"go.starlark.net/starlark"
)

// The rule in languages of scripts: the account lives in the script's own values, and the host
// calls one function for each withdrawal.

const jsRule = `
function open(n, hold, balance) {
  const holds = new Map();
  for (let i = 0; i < n; i++) holds.set("hold-" + i, {amount: hold, until: 0});
  return {owner: "ann", status: "open", balance: balance, holds: holds};
}
function withdraw(a, amount) {
  if (amount <= 0 || a.status !== "open") return null;
  let fee = Math.floor(amount / 100);
  const rest = amount % 100;
  if (rest > 50 || rest === 50 && fee % 2 === 1) fee++;
  fee = Math.max(fee, 50);
  let held = 0;
  for (const h of a.holds.values()) held += h.amount;
  if (a.balance - held < amount + fee) return null;
  const event = {amount: amount, fee: fee};
  const balance = a.balance - (event.amount + event.fee);
  if (balance < 0) return null;
  a.balance = balance;
  return event;
}`

type gojaAccount struct {
	vm       *goja.Runtime
	withdraw goja.Callable
	account  *goja.Object
	amount   goja.Value
	event    goja.Value
}

func openGoja(holds int, balance int64) (Account, error) {
	a := &gojaAccount{vm: goja.New()}
	if _, err := a.vm.RunString(jsRule); err != nil {
		return nil, err
	}
	open, _ := goja.AssertFunction(a.vm.Get("open"))
	a.withdraw, _ = goja.AssertFunction(a.vm.Get("withdraw"))
	v, err := open(goja.Undefined(), a.vm.ToValue(holds), a.vm.ToValue(holdCents), a.vm.ToValue(balance))
	if err != nil {
		return nil, err
	}
	a.account = v.ToObject(a.vm)
	return a, nil
}

func (a *gojaAccount) Prepare(cents int64) { a.amount = a.vm.ToValue(cents) }
func (a *gojaAccount) Freeze()             { _ = a.account.Set("status", "frozen") }
func (a *gojaAccount) Balance() int64      { return a.account.Get("balance").ToInteger() }
func (a *gojaAccount) Fee() int64          { return a.event.ToObject(a.vm).Get("fee").ToInteger() }

func (a *gojaAccount) Withdraw() bool {
	v, err := a.withdraw(goja.Undefined(), a.account, a.amount)
	if err != nil || goja.IsNull(v) {
		return false
	}
	a.event = v
	return true
}

const starRule = `
def withdraw(a, amount):
    if amount <= 0 or a["status"] != "open":
        return None
    fee = amount // 100
    rest = amount % 100
    if rest > 50 or rest == 50 and fee % 2 == 1:
        fee += 1
    fee = max(fee, 50)
    held = 0
    for h in a["holds"].values():
        held += h["amount"]
    if a["balance"] - held < amount + fee:
        return None
    event = {"amount": amount, "fee": fee}
    balance = a["balance"] - (event["amount"] + event["fee"])
    if balance < 0:
        return None
    a["balance"] = balance
    return event
`

type starAccount struct {
	thread  *starlark.Thread
	rule    starlark.Value
	account *starlark.Dict
	args    starlark.Tuple
	event   *starlark.Dict
}

func openStarlark(holds int, balance int64) (Account, error) {
	a := &starAccount{thread: &starlark.Thread{}}
	globals, err := starlark.ExecFile(a.thread, "rule.star", starRule, nil)
	if err != nil {
		return nil, err
	}
	a.rule = globals["withdraw"]
	list := starlark.NewDict(holds)
	for i := range holds {
		h := starlark.NewDict(2)
		_ = h.SetKey(starlark.String("amount"), starlark.MakeInt(holdCents))
		_ = h.SetKey(starlark.String("until"), starlark.MakeInt(0))
		_ = list.SetKey(starlark.String(fmt.Sprint("hold-", i)), h)
	}
	a.account = starlark.NewDict(4)
	_ = a.account.SetKey(starlark.String("status"), starlark.String("open"))
	_ = a.account.SetKey(starlark.String("balance"), starlark.MakeInt64(balance))
	_ = a.account.SetKey(starlark.String("holds"), list)
	a.args = starlark.Tuple{a.account, starlark.None}
	return a, nil
}

func (a *starAccount) Prepare(cents int64) { a.args[1] = starlark.MakeInt64(cents) }
func (a *starAccount) Freeze() {
	_ = a.account.SetKey(starlark.String("status"), starlark.String("frozen"))
}
func (a *starAccount) Balance() int64 { return starInt(a.account, "balance") }
func (a *starAccount) Fee() int64     { return starInt(a.event, "fee") }

func starInt(d *starlark.Dict, key string) int64 {
	v, _, _ := d.Get(starlark.String(key))
	i, _ := v.(starlark.Int).Int64()
	return i
}

func (a *starAccount) Withdraw() bool {
	v, err := starlark.Call(a.thread, a.rule, a.args, nil)
	if err != nil {
		return false
	}
	ev, ok := v.(*starlark.Dict)
	if ok {
		a.event = ev
	}
	return ok
}

const luaRule = `
function withdraw(a, amount)
  if amount <= 0 or a.status ~= "open" then return nil end
  local fee = math.floor(amount / 100)
  local rest = amount % 100
  if rest > 50 or rest == 50 and fee % 2 == 1 then fee = fee + 1 end
  fee = math.max(fee, 50)
  local held = 0
  for _, h in pairs(a.holds) do held = held + h.amount end
  if a.balance - held < amount + fee then return nil end
  local event = {amount = amount, fee = fee}
  local balance = a.balance - (event.amount + event.fee)
  if balance < 0 then return nil end
  a.balance = balance
  return event
end`

type luaAccount struct {
	l       *lua.LState
	rule    lua.LValue
	account *lua.LTable
	amount  lua.LValue
	event   *lua.LTable
}

func openLua(holds int, balance int64) (Account, error) {
	a := &luaAccount{l: lua.NewState()}
	if err := a.l.DoString(luaRule); err != nil {
		return nil, err
	}
	a.rule = a.l.GetGlobal("withdraw")
	list := a.l.NewTable()
	for i := range holds {
		h := a.l.NewTable()
		h.RawSetString("amount", lua.LNumber(holdCents))
		h.RawSetString("until", lua.LNumber(0))
		list.RawSetString(fmt.Sprint("hold-", i), h)
	}
	a.account = a.l.NewTable()
	a.account.RawSetString("status", lua.LString("open"))
	a.account.RawSetString("balance", lua.LNumber(balance))
	a.account.RawSetString("holds", list)
	return a, nil
}

func (a *luaAccount) Prepare(cents int64) { a.amount = lua.LNumber(cents) }
func (a *luaAccount) Freeze()             { a.account.RawSetString("status", lua.LString("frozen")) }
func (a *luaAccount) Balance() int64      { return int64(lua.LVAsNumber(a.account.RawGetString("balance"))) }
func (a *luaAccount) Fee() int64          { return int64(lua.LVAsNumber(a.event.RawGetString("fee"))) }

func (a *luaAccount) Withdraw() bool {
	if err := a.l.CallByParam(lua.P{Fn: a.rule, NRet: 1, Protect: true}, a.account, a.amount); err != nil {
		return false
	}
	v := a.l.Get(-1)
	a.l.Pop(1)
	ev, ok := v.(*lua.LTable)
	if ok {
		a.event = ev
	}
	return ok
}
