package telemetry

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/cloudlysis/aggregate"
)

func TestNodeIsAskedAtEachScrape(t *testing.T) {
	m := NewMetrics(slog.New(slog.DiscardHandler))
	ready := false
	m.ObserveNode(t.TempDir(), func(ctx context.Context) Node {
		if _, bounded := ctx.Deadline(); !bounded {
			t.Error("a scrape may wait for ever")
		}
		return Node{Ready: ready, Version: "1.2.3", Sync: "group", Manifest: "abc", Snapshots: 3, SnapshotBytes: 4096, SnapshotsEvicted: 7}
	})
	for _, want := range []string{"0", "1"} {
		text := "# HELP aggregate_info Always 1; the labels tell what runs.\n# TYPE aggregate_info gauge\n" +
			"aggregate_info{manifest=\"abc\",sync=\"group\",version=\"1.2.3\"} 1\n" +
			"# HELP aggregate_ready 1 if the node takes commands, else 0.\n# TYPE aggregate_ready gauge\naggregate_ready " + want + "\n"
		if err := testutil.GatherAndCompare(m.registry, strings.NewReader(text), "aggregate_info", "aggregate_ready"); err != nil {
			t.Error(err)
		}
		ready = true
	}
	snapshots := "# HELP aggregate_snapshot_bytes Bytes of memory that the snapshots take; snapshot.budget is the bound.\n# TYPE aggregate_snapshot_bytes gauge\naggregate_snapshot_bytes 4096\n" +
		"# HELP aggregate_snapshots_evicted_total Snapshots that went to keep within snapshot.budget.\n# TYPE aggregate_snapshots_evicted_total counter\naggregate_snapshots_evicted_total 7\n" +
		"# HELP aggregate_snapshots_kept Snapshots in the store.\n# TYPE aggregate_snapshots_kept gauge\naggregate_snapshots_kept 3\n"
	if err := testutil.GatherAndCompare(m.registry, strings.NewReader(snapshots), "aggregate_snapshots_kept", "aggregate_snapshot_bytes", "aggregate_snapshots_evicted_total"); err != nil {
		t.Error(err)
	}
	values := map[string]float64{}
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if strings.HasPrefix(f.GetName(), "aggregate_disk") {
			values[f.GetName()] = f.GetMetric()[0].GetGauge().GetValue()
		}
	}
	if free, size := values["aggregate_disk_free_bytes"], values["aggregate_disk_size_bytes"]; size <= 0 || free < 0 || free > size {
		t.Errorf("got %v", values)
	}
	if problems, err := testutil.GatherAndLint(m.registry); err != nil || len(problems) > 0 {
		t.Errorf("lint: %v %v", problems, err)
	}
}

func TestADiskThatCannotBeAskedGivesNoFigures(t *testing.T) {
	m := NewMetrics(slog.New(slog.DiscardHandler))
	m.ObserveNode("/nowhere/at/all", func(context.Context) Node { return Node{} })
	if n, err := testutil.GatherAndCount(m.registry, "aggregate_disk_free_bytes", "aggregate_disk_size_bytes"); err != nil || n != 0 {
		t.Errorf("got %d series, %v", n, err)
	}
}

func TestFailedLoadsAreCounted(t *testing.T) {
	m := NewMetrics(slog.New(slog.DiscardHandler))
	key := aggregate.Key{Type: "Account"}
	m.Loaded(key, 4, true, nil, 0)
	m.Loaded(key, 0, false, aggregate.ErrRehydration, 0)
	if got := testutil.ToFloat64(m.rehydrationErrors.WithLabelValues("Account")); got != 1 {
		t.Errorf("got %v, want 1", got)
	}
}
