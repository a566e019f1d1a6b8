package daemon

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/internal/config"
	"github.com/cloudlysis/aggregate/internal/natsd"
	"github.com/cloudlysis/aggregate/stream"
	"github.com/cloudlysis/aggregate/stream/envelope"
)

func (d *daemon) path(name string) string { return filepath.Join(d.opts.Settings.Data, name) }

// openServer starts the embedded server, if there is to be one.
func (d *daemon) openServer(context.Context) error {
	s := &d.opts.Settings
	if s.NATSURL != "" {
		return nil
	}
	srv, err := natsd.Start(natsd.Options{Dir: d.path("nats"), Listen: s.NATSListen, TLS: d.tls, Sync: natsd.SyncMode(s.Sync), Interval: s.SyncInterval, Logger: d.log, Fatal: d.fail})
	if err != nil {
		return fmt.Errorf("start the embedded NATS server: %w", err)
	}
	d.server = srv
	d.onClose(func(context.Context) error { srv.Shutdown(); return nil })
	d.connect = srv.Connect // its connections are closed with the server
	return nil
}

// openLog opens the stream, of the embedded server or of an external one.
func (d *daemon) openLog(ctx context.Context) error {
	if d.server == nil {
		return d.openExternal(ctx)
	}
	s, srv := &d.opts.Settings, d.server
	nc, loads, err := d.connectTwice()
	if err != nil {
		return err
	}
	opts := stream.Options{Loads: loads, Unshared: true, FoldCase: runtime.GOOS == "darwin" || runtime.GOOS == "windows", Logger: d.log}
	if w := srv.Syncer(); w != nil {
		opts.Sync = w
	}
	if s.Sync == string(natsd.Interval) {
		d.log.Warn("sync: interval: a power cut may lose the last interval of acknowledged commands", "interval", s.SyncInterval)
	}
	if err := d.openStream(ctx, nc, opts); err != nil {
		return err
	}
	return srv.SyncTree(ctx)
}

// openExternal connects to the NATS of --nats. Its own setting rules durability.
func (d *daemon) openExternal(ctx context.Context) error {
	security, err := natsSecurity(&d.opts.Settings)
	if err != nil {
		return err
	}
	d.connect = func(name string) (*nats.Conn, error) {
		// Buffered appends would be sent after a reconnect, when their callers have gone.
		nc, err := nats.Connect(d.opts.Settings.NATSURL, append(security, nats.Name(name), nats.ReconnectBufSize(-1), nats.MaxReconnects(-1),
			nats.ReconnectWait(200*time.Millisecond), nats.ReconnectJitter(200*time.Millisecond, time.Second))...)
		if err != nil {
			return nil, fmt.Errorf("connect to NATS at %s: %w", config.Redact(d.opts.Settings.NATSURL), err)
		}
		d.onClose(func(context.Context) error { nc.Close(); return nil })
		return nc, nil
	}
	nc, loads, err := d.connectTwice()
	if err != nil {
		return err
	}
	d.log.Warn("an external NATS server decides by its own sync setting when an acknowledged command is durable")
	return d.openStream(ctx, nc, stream.Options{Loads: loads, Logger: d.log})
}

// natsSecurity are the credentials for an external server.
func natsSecurity(s *config.Settings) ([]nats.Option, error) {
	var out []nats.Option
	if s.NATSCreds != "" {
		out = append(out, nats.UserCredentials(s.NATSCreds))
	}
	if s.NATSNKey != "" {
		o, err := nats.NkeyOptionFromSeed(s.NATSNKey)
		if err != nil {
			return nil, fmt.Errorf("nats.nkey: %w", err)
		}
		out = append(out, o)
	}
	if s.NATSCA != "" {
		out = append(out, nats.RootCAs(s.NATSCA))
	}
	if s.NATSCert != "" {
		out = append(out, nats.ClientCert(s.NATSCert, s.NATSKey))
	}
	return out, nil
}

// connectTwice: direct gets run in their connection's read loop, where they would hold up acks.
func (d *daemon) connectTwice() (appends, loads *nats.Conn, err error) {
	if appends, err = d.connect("aggd"); err != nil {
		return nil, nil, err
	}
	loads, err = d.connect("aggd loads")
	return appends, loads, err
}

func (d *daemon) openStream(ctx context.Context, nc *nats.Conn, opts stream.Options) error {
	s := &d.opts.Settings
	layout, err := envelope.ParseLayout(s.StreamLayout)
	if err != nil {
		return err
	}
	opts.Layout, opts.ExclusiveIDs, opts.MaxStreams = layout, s.TenancyIDs == "exclusive", s.StreamMax
	opts.Breaker = stream.BreakerOptions{Failures: s.StreamFailures, OpenFor: s.StreamOpen, OnChange: d.circuit("stream")}
	l, err := stream.Open(ctx, nc, opts)
	if err != nil {
		return fmt.Errorf("open the event stream: %w", err)
	}
	d.stream = l
	d.onClose(func(context.Context) error { return l.Close() })
	return nil
}

// circuit tells operators of a circuit's changes; it must not block.
func (d *daemon) circuit(name string) func(from, to string) {
	d.metrics.Circuit(name, "closed")
	return func(from, to string) {
		d.metrics.Circuit(name, to)
		d.log.Warn("circuit changed", "circuit", name, "from", from, "to", to)
	}
}

// durability says in words how a reply is made durable.
func (d *daemon) durability() string {
	if d.server == nil {
		return "unverified: the external server's own setting"
	}
	return d.server.SyncMethod()
}

// eventID is the derivation of the stored format.
func eventID(key aggregate.Key, command aggregate.ID, at time.Time, index int) aggregate.ID {
	return envelope.EventID(key, command, at, index)
}
