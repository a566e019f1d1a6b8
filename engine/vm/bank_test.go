package vm

import (
	"testing"

	"github.com/cloudlysis/aggregate/dsl/value"
)

var noCtx = &Ctx{Meta: value.V{}}

func TestWithdraw(t *testing.T) {
	b := newBank(t)
	m := b.Get()
	defer b.Put(m)
	for _, c := range []struct{ payload, kind, detail, balance string }{
		{`{"type":"withdraw","amount":75}`, "accepted", `{"amount":75,"fee":0.75}`, "921.75"},
		{`{"type":"withdraw","amount":20.00}`, "accepted", `{"amount":20.00,"fee":0.50}`, "977.00"},
		{`{"type":"withdraw","amount":9007199254740993.50}`, "rejected", "insufficient_funds: too little", "997.50"},
		{`{"amount":0}`, "invalid", "amount: must satisfy amount > 0", "997.50"},
		{`{"amount":1,"x":2}`, "invalid", "x: unknown field", "997.50"},
	} {
		state := b.account("997.50", 2)
		got, detail := "invalid", ""
		if errs := m.DecodeCommand(b.withdraw, []byte(c.payload)); errs != nil {
			detail = errs[0].Error()
		} else {
			out := m.Decide(b.withdraw, state, noCtx, true, b.Gas())
			switch out.Kind {
			case Accepted:
				got, detail = "accepted", string(m.AppendEvent(nil, 0))
				m.Store(b.withdraw, state)
			case Rejected:
				got, detail = "rejected", out.Code+": "+out.Message
			default:
				got = out.Fault.String()
			}
		}
		if got != c.kind || detail != c.detail || string(value.AppendDecimal(nil, state[1])) != c.balance {
			t.Errorf("%s: got %s %q balance %s, want %s %q %s", c.payload, got, detail, value.AppendDecimal(nil, state[1]), c.kind, c.detail, c.balance)
		}
	}
}
