package daemon

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/cloudlysis/aggregate/engine"
	"github.com/cloudlysis/aggregate/internal/config"
	"github.com/cloudlysis/aggregate/internal/natsd"
	"github.com/cloudlysis/aggregate/internal/sdnotify"
	"github.com/cloudlysis/aggregate/internal/server/auth"
	"github.com/cloudlysis/aggregate/internal/telemetry"
	"github.com/cloudlysis/aggregate/manifests"
	"github.com/cloudlysis/aggregate/store"
	"github.com/cloudlysis/aggregate/stream"
)

// ErrManifests: the manifest set has errors; they have been shown.
var ErrManifests = errors.New("the manifests have errors")

// Options are what Run is given.
type Options struct {
	Settings config.Settings // validated
	Version  string
	Log      *slog.Logger
	Level    *telemetry.Level // of Log
	// Socket is where log lines go as well, nil if nowhere; it is watched, not closed.
	Socket *telemetry.Socket
	// Diagnostics takes what the checker finds in the manifests.
	Diagnostics io.Writer
	// Ready, when set, is called once with the addresses of the doors when commands are taken.
	Ready func(data, admin string)
}

// The rooms keep their promises to one another.
var (
	_ engine.EventLog      = (*stream.Log)(nil)
	_ engine.SnapshotStore = (*store.Store)(nil)
	_ engine.Observer      = (*telemetry.Metrics)(nil)
)

// openTimeout bounds each step of a start against a server that does not answer. The embedded
// server has as long as it takes to read its store, which grows with the log.
const openTimeout = 60 * time.Second

// daemon is what has been opened so far; close undoes it in reverse.
type daemon struct {
	opts    Options
	log     *slog.Logger
	metrics *telemetry.Metrics
	sets    *manifests.Registry
	server  *natsd.Server // nil with an external server
	connect func(name string) (*nats.Conn, error)
	stream  *stream.Log
	store   *store.Store
	engine  *engine.Engine
	watch   *watch
	doors   *doors
	tls     *tls.Config        // of all doors; nil: in the clear
	auth    auth.Authenticator // nil: no authentication
	drained atomic.Bool        // of all tenants
	fatal   chan error
	closers []func(context.Context) error // in the order of opening
}

// Run serves until ctx ends, then stops within Settings.ShutdownTimeout. An error means that
// the daemon could not start, that it broke (a failed sync), or that the stop was not in time.
func Run(ctx context.Context, opts Options) error {
	d := &daemon{opts: opts, log: opts.Log, metrics: telemetry.NewMetrics(opts.Log), fatal: make(chan error, 1)}
	if opts.Socket != nil {
		d.metrics.WatchSocket(opts.Socket)
	}
	if err := d.loadManifests(); err != nil {
		return err
	}
	if err := d.open(ctx); err != nil {
		return errors.Join(err, d.close())
	}
	d.log.Info("ready", "listen", d.doors.data.Addr().String(), "admin", d.doors.admin.Addr().String(), "manifest", d.sets.Current().Hash, "sync", d.durability())
	d.metrics.ObserveNode(d.opts.Settings.Data, d.node)
	d.onClose(sdnotify.Start(d.log, d.alive)) // the last opened: stopping is told first
	if opts.Ready != nil {
		opts.Ready(d.doors.data.Addr().String(), d.doors.admin.Addr().String())
	}
	var broke error
	select {
	case <-ctx.Done():
		d.log.Info("stopping: finishing what is in flight")
	case broke = <-d.fatal:
		d.log.Error("stopping: the daemon cannot go on", "error", broke)
	}
	return errors.Join(broke, d.close())
}

func (d *daemon) open(ctx context.Context) error {
	return inOrder(ctx, d.openTracing, d.openTLS, d.openServer, d.openLog, d.openStore, d.keepManifest, d.openEngine, d.openWatch, d.openAuth, d.openDoors, d.openNATSDoor)
}

// inOrder takes one step after another; each has openTimeout if it minds its context.
func inOrder(ctx context.Context, steps ...func(context.Context) error) error {
	for _, step := range steps {
		err := within(ctx, step)
		if err != nil {
			return err
		}
	}
	return nil
}

func within(ctx context.Context, step func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	return step(ctx)
}

// alive asks the embedded server for a sign of life. An external one that is away is no reason to
// restart this process.
func (d *daemon) alive(ctx context.Context) error {
	if d.server == nil {
		return nil
	}
	return d.stream.Health(ctx).Err
}

// onClose remembers how to undo a step.
func (d *daemon) onClose(f func(context.Context) error) { d.closers = append(d.closers, f) }

func (d *daemon) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), d.opts.Settings.ShutdownTimeout)
	defer cancel()
	var errs []error
	for i := len(d.closers) - 1; i >= 0; i-- {
		errs = append(errs, d.closers[i](ctx))
	}
	return errors.Join(errs...)
}

// fail ends the daemon; the first reason counts.
func (d *daemon) fail(err error) {
	select {
	case d.fatal <- err:
	default:
	}
}

func (d *daemon) openTracing(ctx context.Context) error {
	s := &d.opts.Settings
	if s.TracingURL == "" {
		return nil
	}
	t, err := telemetry.NewTracing(ctx, s.TracingURL, s.TracingRatio, d.opts.Version, s.Environment)
	if err != nil {
		return err
	}
	d.metrics.Trace(t)
	d.onClose(func(ctx context.Context) error {
		if err := t.Close(ctx); err != nil { // a collector that is away must not fail a stop
			d.log.Warn("spans were not sent", "error", err)
		}
		return nil
	})
	return nil
}

func (d *daemon) openStore(context.Context) error {
	s, err := store.Open(d.path("snapshots"), store.Options{Budget: d.opts.Settings.SnapshotBudget, Logger: d.log, Breaker: store.BreakerOptions{
		Failures: d.opts.Settings.StoreFailures, OpenFor: d.opts.Settings.StoreOpen, OnChange: d.circuit("store")}})
	if err != nil {
		return fmt.Errorf("open snapshots: %w", err)
	}
	d.store = s
	d.onClose(func(context.Context) error { return s.Close() })
	return nil
}

func (d *daemon) openEngine(context.Context) error {
	s := &d.opts.Settings
	quotas, err := d.quotas()
	if err != nil {
		return err
	}
	e, err := engine.New(engine.Options{
		Quota: quotas.Of,
		Log:   d.stream, Snapshots: d.store, Manifest: manifestOf(d.sets.Current()), Admit: d.admit, EventID: eventID,
		MaxJump: s.ClockMaxJump, SnapshotThreshold: s.SnapshotThreshold, MaxRetries: retries(s.MaxRetries),
		MaxLive: s.LiveMax, IdleAfter: s.LiveIdle, TenancyRequired: s.TenancyRequired, GasMax: s.GasMax, RememberNothing: s.OnNothing == "remember",
		Observer: d.metrics, Logger: d.log,
	})
	if err != nil {
		return err
	}
	d.engine = e
	d.onClose(e.Close)
	return nil
}

// retries: the engine takes 0 for its default, and less for none.
func retries(n int) int {
	if n == 0 {
		return -1
	}
	return n
}
