package telemetry

import (
	"log/slog"
	"testing"
	"time"

	"github.com/cloudlysis/aggregate"
)

// BenchmarkCommand: what an accepted command costs here, its flight included.
func BenchmarkCommand(b *testing.B) {
	m := NewMetrics(slog.New(slog.DiscardHandler))
	cmd, r := command("acme"), &aggregate.Reply{Version: 1, Events: make([]aggregate.Event, 1)}
	cmd.Metadata = nil
	stages := aggregate.Stages{aggregate.StageQueue: 900, aggregate.StageDecide: 2 * time.Microsecond, aggregate.StageAppend: 300 * time.Microsecond,
		aggregate.StageSync: time.Millisecond, aggregate.StageReply: 30 * time.Microsecond}
	b.ReportAllocs()
	for i := range b.N {
		d := time.Duration(i % 1000 * 100)
		stages[aggregate.StageAppend] = 300*time.Microsecond + d
		m.Flight(cmd.Key(), 1, 700, time.Millisecond+d)
		m.Command(cmd, r, nil, 40, 2*time.Millisecond+d, stages)
	}
}
