package telemetry

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sys/unix"
)

// Node is how the daemon is at one moment.
type Node struct {
	Ready    bool
	Version  string // of aggd
	Sync     string // how replies are made durable
	Manifest string // hash of the set in force
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
	})
}

type nodeCollector struct {
	dir                     string
	node                    func(context.Context) Node
	ready, info, free, size *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (c *nodeCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.ready, c.info, c.free, c.size} {
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
	var st unix.Statfs_t
	if unix.Statfs(c.dir, &st) == nil {
		block := float64(st.Bsize)
		gauge(c.free, float64(st.Bavail)*block)
		gauge(c.size, float64(st.Blocks)*block)
	}
}
