package torture

import (
	"testing"

	"github.com/anishathalye/porcupine"
)

// TestLinearizable: porcupine with the model of an account finds what a broken server would answer.
func TestLinearizable(t *testing.T) {
	from := point{1, 500}
	mk := func(k kind, amount int64, parts int, call, ret int64, out outcome) *op {
		return &op{account: &account{typ: "Purse"}, kind: k, amount: amount, parts: parts, call: call, ret: ret, out: out}
	}
	accepted := func(v uint64) outcome { return outcome{accepted: true, version: v} }
	seen := func(v uint64, balance int64) outcome { return outcome{accepted: true, version: v, balance: balance} }
	refused := func(balance int64) outcome { return outcome{balance: balance} }
	tests := []struct {
		name  string
		round []*op
		want  porcupine.CheckResult
	}{
		{"nothing", nil, porcupine.Ok},
		{"one after the other", []*op{mk(deposit, 5, 2, 1, 2, accepted(3)), mk(withdraw, 10, 1, 3, 4, accepted(4)), mk(read, 0, 1, 5, 6, seen(4, 500))}, porcupine.Ok},
		{"at once, in either order", []*op{mk(deposit, 5, 1, 1, 9, accepted(3)), mk(deposit, 6, 1, 1, 9, accepted(2)), mk(read, 0, 1, 1, 9, seen(2, 506))}, porcupine.Ok},
		{"an idle command moves nothing", []*op{mk(idle, 0, 0, 1, 2, accepted(1)), mk(deposit, 5, 1, 1, 9, accepted(2)), mk(idle, 0, 0, 3, 9, accepted(2))}, porcupine.Ok},
		{"an idle command in the past", []*op{mk(deposit, 5, 1, 1, 2, accepted(2)), mk(idle, 0, 0, 3, 4, accepted(1))}, porcupine.Illegal},
		{"a refusal between two deposits", []*op{mk(deposit, 5, 1, 1, 2, accepted(2)), mk(withdraw, 506, 1, 1, 9, refused(505)), mk(deposit, 5, 1, 3, 4, accepted(3))}, porcupine.Ok},
		{"refused, and an earlier attempt accepted afterwards", []*op{mk(withdraw, 505, 1, 1, 2, refused(500)), mk(deposit, 5, 1, 3, 4, accepted(2)), mk(withdraw, 505, 1, 1, 9, accepted(3))}, porcupine.Ok},
		{"a version twice", []*op{mk(deposit, 5, 1, 1, 9, accepted(2)), mk(deposit, 5, 1, 1, 9, accepted(2))}, porcupine.Illegal},
		{"a version left out", []*op{mk(deposit, 5, 1, 1, 2, accepted(3))}, porcupine.Illegal},
		{"a read of the past", []*op{mk(deposit, 5, 1, 1, 2, accepted(2)), mk(read, 0, 1, 3, 4, seen(1, 500))}, porcupine.Illegal},
		{"a read of what never was", []*op{mk(deposit, 5, 1, 1, 2, accepted(2)), mk(read, 0, 1, 3, 4, seen(2, 510))}, porcupine.Illegal},
		{"a refusal on a stale state", []*op{mk(deposit, 100, 1, 1, 2, accepted(2)), mk(withdraw, 550, 1, 3, 4, refused(500))}, porcupine.Illegal},
		{"a refusal of what was covered", []*op{mk(withdraw, 500, 1, 1, 2, refused(500))}, porcupine.Illegal},
		{"more than there is", []*op{mk(withdraw, 501, 1, 1, 2, accepted(2))}, porcupine.Illegal},
		{"answers against the order of time", []*op{mk(deposit, 5, 1, 1, 2, accepted(3)), mk(deposit, 5, 1, 3, 4, accepted(2))}, porcupine.Illegal},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := linearizable(from, tt.round); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}
