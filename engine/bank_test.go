package engine

import (
	"strings"
	"testing"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/dsl"
	"github.com/cloudlysis/aggregate/engine/vm"
)

// bankText is the account of these tests.
const bankText = `
aggregate Account {
  roles manager
  state { balance: int }
  derive double: int = state.balance * 2
  command deposit  { amount: int = 0 where amount >= 0, note: string = "" }
  command twice    { amount: int = 0, note: string = "" }
  command withdraw { amount: int = 0, note: string = "" }
  command touch    { amount: int = 0 }
  command break    { amount: int = 0 }
  command tell     { amount: int = 0 }
  command audit by manager { amount: int = 0 }
  event deposited { amount: int, note: string }
  event withdrawn { amount: int, note: string }
  event told { now: time, version: int, who: string, meta: string, tenant: string, command: uuid, aggregate: uuid, manager: bool }
  decide deposit  { emit deposited { ..cmd } }
  decide twice    { emit deposited { ..cmd } emit deposited { ..cmd } }
  decide withdraw {
    require state.balance >= cmd.amount else insufficient_funds "balance {state.balance}"
    emit withdrawn { ..cmd }
  }
  decide touch { nothing }
  decide break { let x = 9_223_372_036_854_775_807 + state.balance + 1 if x > 0 { nothing } else { nothing } }
  decide audit { nothing }
  decide tell {
    emit told { now: ctx.now, version: ctx.version, who: ctx.meta["actor"]? ?? "nobody", meta: ctx.meta["k"]? ?? "", tenant: ctx.tenant,
      command: ctx.command_id, aggregate: ctx.aggregate_id, manager: "manager" in ctx.roles }
  }
  apply deposited { state.balance += event.amount }
  apply withdrawn { state.balance -= event.amount }
  apply told {}
}
`

// programs compiles a set of manifests.
func programs(t testing.TB, text string) map[aggregate.Type]*vm.Program {
	t.Helper()
	r := dsl.Compile([]dsl.Source{{Path: "bank.agg", Text: []byte(text)}}, dsl.Options{})
	if !r.OK {
		for _, d := range r.Diagnostics {
			t.Log(d)
		}
		t.Fatal("the manifest does not compile")
	}
	out := map[aggregate.Type]*vm.Program{}
	for _, p := range r.Programs {
		v, err := vm.Load(p.Program)
		if err != nil {
			t.Fatal(err)
		}
		out[aggregate.Type(p.Name)] = v
	}
	return out
}

func manifestOf(t testing.TB, text string) *Manifest {
	return &Manifest{Hash: dsl.Hash([]dsl.Source{{Path: "bank.agg", Text: []byte(text)}}), Engine: "test/1", Programs: programs(t, text)}
}

func bank(t testing.TB) *Manifest { return manifestOf(t, bankText) }

// generousBank counts one more with every deposit, so its fingerprint is another one.
func generousBank(t testing.TB) *Manifest {
	return manifestOf(t, strings.Replace(bankText, "state.balance += event.amount", "state.balance += event.amount + 1", 1))
}

// strictBank refuses deposits over 1,000: other rules for commands, the same for events.
func strictBank(t testing.TB) *Manifest {
	return manifestOf(t, strings.Replace(bankText, "decide deposit  {", "decide deposit  { require cmd.amount <= 1_000 else too_much", 1))
}
