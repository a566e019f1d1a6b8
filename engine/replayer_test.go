package engine

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/cloudlysis/aggregate"
)

// wantReplayed replays key as a tool does; it comes to what the engine's last snapshot holds, part for part.
func wantReplayed(t *testing.T, w *world, p *Replayer, key aggregate.Key) {
	t.Helper()
	defer p.Close()
	for l, err := range w.log.Load(context.Background(), key, aggregate.Mark{}) {
		if err == nil {
			err = errors.Join(p.Apply(&l), CheckHash(&l.Commit))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	s, _ := w.store.Get(key)
	if s == nil || s.Mark != w.log.end(key) {
		t.Fatalf("no snapshot of the end: %s", toJSON(t, s))
	}
	if p.Version() != s.Version || string(p.State()) != string(s.State) || p.Fingerprint() != s.Fingerprint || !p.UpdatedAt().Equal(s.UpdatedAt) {
		t.Errorf("got version %d, %s, %v; the snapshot has %s", p.Version(), p.State(), p.UpdatedAt(), toJSON(t, s))
	}
	if string(p.Commands()) != string(s.Commands) {
		t.Error("the command ids are other ones than those of the snapshot")
	}
}

func TestReplayerMakesWhatASnapshotHolds(t *testing.T) {
	w := newWorld(t)
	w.opts.RememberNothing, w.opts.SnapshotThreshold = true, 100
	e := w.start()
	for range 3 {
		for i := range segmentCommits - 100 {
			do(t, e, command(account, []string{"deposit", "touch", "twice"}[i%3], 1))
		}
		w.log.foreign(t, account, aggregate.NewID(), 1)
		stop(t, e)
		e = w.start()
	}
	do(t, e, command(account, "deposit", 1))
	stop(t, e)
	wantReplayed(t, w, NewReplayer(bank(t).Programs["Account"], account), account)
}

// What rules see of ctx is the same in a tool.
func TestReplayerKnowsTheAggregate(t *testing.T) {
	w := newWorld(t)
	w.opts.Manifest = manifestOf(t, `
aggregate Account {
  state { self: uuid?, at: time?, seen: int }
  command deposit { amount: int }
  event deposited { amount: int }
  decide deposit { emit deposited { ..cmd } }
  apply deposited { state.self = ctx.aggregate_id state.at = ctx.now state.seen += event.amount }
}
`)
	e := w.start()
	do(t, e, command(account, "deposit", 2))
	stop(t, e)
	wantReplayed(t, w, NewReplayer(w.opts.Manifest.Programs["Account"], account), account)
}

func TestCheckHash(t *testing.T) {
	hash := strings.Repeat("0a", 32)
	tests := []struct {
		command, hash string
		ok            bool
	}{
		{`{"type":"deposit","amount":75}`, hash, false},
		{``, hash, true}, // only the hash was kept
		{`[]`, hash, false},
		{`{"a":`, hash, false},
	}
	for _, tt := range tests {
		c := aggregate.Commit{Command: []byte(tt.command), CommandHash: tt.hash}
		if err := CheckHash(&c); (err == nil) != tt.ok || err != nil && !errors.Is(err, aggregate.ErrRehydration) {
			t.Errorf("%s: got %v", tt.command, err)
		}
	}
	w := newWorld(t)
	do(t, w.start(), command(account, "deposit", 75))
	c := w.log.msgs[account][0].commits[0]
	if err := CheckHash(&c); err != nil {
		t.Error(err)
	}
	c.Command = []byte(` { "amount" : 75.0, "type": "deposit" } `) // the same by value
	if err := CheckHash(&c); err != nil {
		t.Error(err)
	}
}
