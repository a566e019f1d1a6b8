package torture

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cloudlysis/aggregate"
)

// TestLookFinds: a look at a log that was tampered with counts what is wrong with it, and nothing in a sound one.
func TestLookFinds(t *testing.T) {
	tests := []struct {
		name   string
		tamper func(log []aggregate.Commit, a *account) []aggregate.Commit
		want   Tally // its counts
		quiet  bool  // nothing at all is found
	}{
		{"a sound log", func(log []aggregate.Commit, _ *account) []aggregate.Commit { return log }, Tally{}, true},
		{"a command in doubt that is stored", func(log []aggregate.Commit, a *account) []aggregate.Commit {
			last := a.acked[len(a.acked)-1]
			a.acked = a.acked[:len(a.acked)-1]
			a.doubt[last] = true
			last.out = outcome{}
			return log
		}, Tally{}, true},
		{"a command in doubt that is not stored", func(log []aggregate.Commit, a *account) []aggregate.Commit {
			a.doubt[&op{account: a, kind: deposit, amount: 1, parts: 1, id: aggregate.NewID()}] = true
			return log
		}, Tally{}, true},
		{"the last commit is gone", func(log []aggregate.Commit, _ *account) []aggregate.Commit { return log[:3] }, Tally{Lost: 1}, false},
		{"all is gone", func([]aggregate.Commit, *account) []aggregate.Commit { return nil }, Tally{Lost: 4}, false},
		{"one in the middle is gone", func(log []aggregate.Commit, _ *account) []aggregate.Commit {
			return slices.Delete(log, 1, 2)
		}, Tally{Lost: 1, Gaps: 4, Half: 2}, false}, // the two commits after it hold four events
		{"one is there twice", func(log []aggregate.Commit, _ *account) []aggregate.Commit {
			again := log[3]
			again.Events = slices.Clone(again.Events)
			for i := range again.Events {
				again.Events[i].EventID = aggregate.NewID()
				again.Events[i].Version += aggregate.Version(len(again.Events))
			}
			return append(log, again)
		}, Tally{Double: 1, Half: 1}, false},
		{"an event id is there twice", func(log []aggregate.Commit, _ *account) []aggregate.Commit {
			log[3].Events[0].EventID = log[0].Events[0].EventID
			return log
		}, Tally{Double: 1}, false},
		{"half of the last commit", func(log []aggregate.Commit, _ *account) []aggregate.Commit {
			log[3].Events = log[3].Events[:1]
			return log
		}, Tally{Half: 1}, false},
		{"a commit that nobody sent", func(log []aggregate.Commit, _ *account) []aggregate.Commit {
			return append(log, commit(&op{kind: deposit, amount: 1, parts: 1, id: aggregate.NewID()}, 8))
		}, Tally{Phantom: 1}, false},
		{"a command that was refused", func(log []aggregate.Commit, a *account) []aggregate.Commit {
			return append(log, commit(refused(a, 0), 8))
		}, Tally{Phantom: 1}, false},
		{"a command that was refused while an attempt that was given up was on its way", func(log []aggregate.Commit, a *account) []aggregate.Commit {
			return append(log, commit(refused(a, 1), 8))
		}, Tally{Overtaken: 1}, true},
		{"a commit without events", func(log []aggregate.Commit, a *account) []aggregate.Commit {
			return slices.Insert(log, 2, commit(idler(a, 4), 4))
		}, Tally{}, true},
		{"a commit without events is gone", func(log []aggregate.Commit, a *account) []aggregate.Commit {
			idler(a, 4)
			return log
		}, Tally{Lost: 1}, false},
		{"a commit without events where another was acknowledged", func(log []aggregate.Commit, a *account) []aggregate.Commit {
			return slices.Insert(log, 2, commit(idler(a, 6), 4))
		}, Tally{Half: 1}, false},
		{"another amount", func(log []aggregate.Commit, _ *account) []aggregate.Commit {
			log[0].Events[0].Payload = []byte(`{"amount":11}`)
			return log
		}, Tally{}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, log := ledger()
			log = tt.tamper(log, a)
			trial := &Trial{}
			l := &look{t: trial, ids: make(map[aggregate.ID]bool)}
			l.account(a, log)
			got := Tally{Lost: trial.Lost, Double: trial.Double, Half: trial.Half, Phantom: trial.Phantom, Gaps: trial.Gaps, Overtaken: trial.Overtaken}
			if fmt.Sprint(got) != fmt.Sprint(tt.want) || tt.quiet != (len(trial.Findings) == 0) {
				t.Errorf("got  %+v\nwant %+v\nfindings %q", got, tt.want, trial.Findings)
			}
		})
	}
}

// ledger is a purse with four acknowledged commands, two events each, and its log.
func ledger() (*account, []aggregate.Commit) {
	a := newAccounts(rand.New(rand.NewPCG(1, 1)), 2)[1]
	var log []aggregate.Commit
	for i := range 4 {
		o := &op{account: a, kind: deposit, amount: 10, parts: 2, id: aggregate.NewID()}
		c := commit(o, uint64(2*i))
		o.out = outcome{accepted: true, version: uint64(2*i + 2), events: []aggregate.ID{c.Events[0].EventID, c.Events[1].EventID}}
		a.ask(o)
		a.answered(o)
		log = append(log, c)
	}
	return a, log
}

// idler is an acknowledged command that changed nothing at a version.
func idler(a *account, version uint64) *op {
	o := &op{account: a, kind: idle, id: aggregate.NewID(), out: outcome{accepted: true, version: version}}
	a.ask(o)
	a.answered(o)
	return o
}

// refused is a withdrawal that was refused, after attempts that were not waited for.
func refused(a *account, gaveUp int) *op {
	o := &op{account: a, kind: withdraw, amount: 5, parts: 1, id: aggregate.NewID(), gaveUp: gaveUp, out: outcome{balance: 3}}
	a.ask(o)
	a.answered(o)
	return o
}

// commit is an op as the log would hold it after a version.
func commit(o *op, after uint64) aggregate.Commit {
	c := aggregate.Commit{CommandID: o.id}
	for i := range o.parts {
		c.Events = append(c.Events, aggregate.CommitEvent{EventID: aggregate.NewID(), Version: aggregate.Version(after + 1 + uint64(i)),
			Type: events[o.kind], Payload: fmt.Appendf(nil, `{"amount":%d}`, o.amount)})
	}
	return c
}

// TestWhole: balances are read exactly or not at all.
func TestWhole(t *testing.T) {
	for text, want := range map[string]int64{"75": 75, "-3": -3, "12.00": 12, "0": 0} {
		if got, err := whole(text); err != nil || got != want {
			t.Errorf("%s: got %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "1.5", "a", "1e3"} {
		if got, err := whole(text); err == nil {
			t.Errorf("%q: got %d, want an error", text, got)
		}
	}
}
