package engine

import (
	"context"
	"testing"
	"time"

	"github.com/cloudlysis/aggregate"
)

// instantLog takes every flight at once: what is left is the engine.
type instantLog struct {
	*fakeLog
	seq aggregate.Sequence
}

func (l *instantLog) Begin(_ context.Context, _ aggregate.Key, at aggregate.Mark, commits []aggregate.Commit, done func(aggregate.Mark, time.Duration, error)) {
	l.seq++
	m := aggregate.Mark{Version: at.Version, Sequence: l.seq, Hash: at.Hash, Stream: "one", Before: at.Follow()}
	for i := range commits {
		m.Version += aggregate.Version(len(commits[i].Events))
	}
	done(m, 0, nil)
}

func (l *instantLog) Incarnation() uint64 { return 1 }

// BenchmarkSubmitAlone: what a command costs besides the log, on 1,000 aggregates.
func BenchmarkSubmitAlone(b *testing.B) {
	w := newWorld(b)
	w.opts.Log, w.opts.Snapshots = &instantLog{fakeLog: w.log}, nil
	e := w.start()
	keys := make([]aggregate.Key, 1000)
	for i := range keys {
		keys[i] = aggregate.Key{Tenant: "tenant-a", Type: "Account", ID: aggregate.NewID()}
	}
	ids := make([]aggregate.ID, b.N)
	for i := range ids {
		ids[i] = aggregate.NewID()
	}
	payload := []byte(`{"type":"deposit","amount":1}`)
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		key := keys[i%len(keys)]
		cmd := &aggregate.Command{TenantID: key.Tenant, AggregateType: key.Type, AggregateID: key.ID, CommandID: ids[i], Payload: payload}
		if _, err := e.Submit(context.Background(), cmd); err != nil {
			b.Fatal(err)
		}
	}
}
