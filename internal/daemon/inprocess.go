package daemon

import (
	"context"
	"errors"

	"github.com/cloudlysis/aggregate/engine"
	"github.com/cloudlysis/aggregate/internal/natsd"
	"github.com/cloudlysis/aggregate/internal/telemetry"
)

// OpenEngine opens everything below the doors, for tools that run the engine in their own
// process, and gives how to close it. Its embedded server takes no other clients: the port may be
// that of a running daemon.
func OpenEngine(ctx context.Context, opts Options) (*engine.Engine, func() error, error) {
	opts.Settings.NATSListen = natsd.ListenOff
	d := &daemon{opts: opts, log: opts.Log, metrics: telemetry.NewMetrics(opts.Log), fatal: make(chan error, 1)}
	if err := d.loadManifests(); err != nil {
		return nil, nil, err
	}
	if err := inOrder(ctx, d.openServer, d.openLog, d.openStore, d.keepManifest, d.openEngine); err != nil {
		return nil, nil, errors.Join(err, d.close())
	}
	return d.engine, d.close, nil
}
