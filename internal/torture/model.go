package torture

import (
	"fmt"
	"time"

	"github.com/anishathalye/porcupine"
)

// accountModel is an account as porcupine steps through it, from where it stood when nothing was under way.
func accountModel(from point) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return from },
		Step: func(state, input, output any) (bool, any) {
			return step(state.(point), input.(*op), output.(outcome))
		},
		DescribeOperation: func(input, output any) string { return fmt.Sprintf("%s: %+v", input, output) },
	}
}

// step tells whether an account at p could have given this answer, and where it stands then.
func step(p point, o *op, out outcome) (bool, point) {
	switch {
	case o.kind == read:
		return p == point{out.version, out.balance}, p
	case !out.accepted:
		return o.kind == withdraw && p.balance == out.balance && p.balance+o.delta() < 0, p
	}
	next := point{p.version + uint64(o.parts), p.balance + o.delta()}
	return next.version == out.version && next.balance >= 0, next
}

// checkTime bounds porcupine's search in one round of one account.
const checkTime = 20 * time.Second

// linearizable asks porcupine about a round of one account.
func linearizable(from point, round []*op) porcupine.CheckResult {
	history := make([]porcupine.Operation, len(round))
	for i, o := range round {
		history[i] = porcupine.Operation{ClientId: o.caller, Input: o, Call: o.call, Output: o.out, Return: o.ret}
	}
	return porcupine.CheckOperationsTimeout(accountModel(from), history, checkTime)
}
