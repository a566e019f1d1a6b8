package daemon

import (
	"context"

	"github.com/cloudlysis/aggregate/internal/telemetry"
)

// node is what the metrics tell of the daemon, asked at each scrape.
func (d *daemon) node(ctx context.Context) telemetry.Node {
	n := telemetry.Node{Ready: true, Version: d.opts.Version, Sync: d.durability(), Manifest: d.sets.Current().Hash}
	for _, c := range (&probe{d: d}).Ready(ctx) {
		n.Ready = n.Ready && c.OK
	}
	st := d.store.Stats()
	n.Snapshots, n.SnapshotBytes, n.SnapshotsEvicted = st.Snapshots, st.MemoryBytes, st.Evicted
	return n
}
