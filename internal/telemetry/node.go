package telemetry

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cloudlysis/aggregate/internal/diskspace"
)

// Node is how the daemon is at one moment.
type Node struct {
	Ready    bool
	Version  string // of aggd
	Sync     string // how replies are made durable
	Manifest string // hash of the set in force

	Snapshots        int64 // kept
	SnapshotBytes    int64 // of memory that they take
	SnapshotsEvicted int64 // since the start, to keep within snapshot.budget
}

// nodeTimeout bounds what one scrape waits for.
const nodeTimeout = 5 * time.Second

// ObserveNode adds the metrics of the node and of the file system that holds dir. The function is
// asked at each scrape, by several at once. Call it once.
func (m *Metrics) ObserveNode(dir string, node func(context.Context) Node) {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, nil)
	}
	m.registry.MustRegister(&nodeCollector{
		dir: dir, node: node,
		ready: desc("aggregate_ready", "1 if the node takes commands, else 0."),
		info:  desc("aggregate_info", "Always 1; the labels tell what runs.", "version", "sync", "manifest"),
		free:  desc("aggregate_disk_free_bytes", "Bytes that aggd may still write to the file system of its data."),
		size:  desc("aggregate_disk_size_bytes", "Bytes of the file system of its data."),
		kept:  desc("aggregate_snapshots_kept", "Snapshots in the store."),
		bytes: desc("aggregate_snapshot_bytes", "Bytes of memory that the snapshots take; snapshot.budget is the bound."),
		gone:  desc("aggregate_snapshots_evicted_total", "Snapshots that went to keep within snapshot.budget."),
	})
}

type nodeCollector struct {
	dir                     string
	node                    func(context.Context) Node
	ready, info, free, size *prometheus.Desc
	kept, bytes, gone       *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (c *nodeCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.ready, c.info, c.free, c.size, c.kept, c.bytes, c.gone} {
		ch <- d
	}
}

// Collect implements prometheus.Collector. A file system that cannot be asked gives no figures.
func (c *nodeCollector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), nodeTimeout)
	defer cancel()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	n := c.node(ctx)
	ready := 0.0
	if n.Ready {
		ready = 1
	}
	gauge(c.ready, ready)
	gauge(c.info, 1, n.Version, n.Sync, n.Manifest)
	gauge(c.kept, float64(n.Snapshots))
	gauge(c.bytes, float64(n.SnapshotBytes))
	ch <- prometheus.MustNewConstMetric(c.gone, prometheus.CounterValue, float64(n.SnapshotsEvicted))
	if s, err := diskspace.Of(c.dir); err == nil {
		gauge(c.free, float64(s.Free))
		gauge(c.size, float64(s.Size))
	}
}
