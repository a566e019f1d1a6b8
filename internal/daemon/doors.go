package daemon

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/internal/server"
)

// doors are the open ports and what serves them.
type doors struct {
	data, admin net.Listener
	split       *server.Split
	grpc        *grpc.Server
	health      *health.Server
	http, ops   *http.Server
	served      sync.WaitGroup
}

func (d *daemon) openDoors(context.Context) error {
	s := &d.opts.Settings
	data, err := net.Listen("tcp", s.Listen)
	if err != nil {
		return fmt.Errorf("open the data door (hint: --listen another address): %w", err)
	}
	admin, err := net.Listen("tcp", s.AdminListen)
	if err != nil {
		_ = data.Close()
		return fmt.Errorf("open the admin door (hint: --admin another address): %w", err)
	}
	policy := d.policy(loopback(data))
	o := &doors{data: data, admin: admin, split: server.NewSplit(data, d.tls)}
	o.grpc, o.health = server.GRPC(commands{d.engine, d.metrics}, d.stream, policy)
	o.http = server.HTTP(server.REST(commands{d.engine, d.metrics}, d.stream, d.description(), policy))
	o.ops = server.HTTP(server.Admin(&probe{d: d}, &operator{d: d}, d.metrics.Handler(), d.auth))
	if d.tls != nil {
		admin = tls.NewListener(admin, d.tls)
	}
	d.serve(o.split.Serve, &o.served)
	d.serve(func() error { return o.grpc.Serve(o.split.GRPC()) }, &o.served)
	d.serve(func() error { return o.http.Serve(o.split.HTTP()) }, &o.served)
	d.serve(func() error { return o.ops.Serve(admin) }, &o.served)
	o.health.SetServingStatus("", healthpb.HealthCheckResponse_SERVING)
	d.doors = o
	d.onClose(o.close)
	return nil
}

// policy is how a door reads headers; roles and actor are believed only of callers on this machine.
func (d *daemon) policy(local bool) server.Policy {
	s := &d.opts.Settings
	return server.Policy{TenantDefault: aggregate.TenantID(s.TenancyDefault), TenantRequired: s.TenancyRequired, Auth: d.auth, TrustRoles: local, MaxBody: s.MaxBody, Denied: d.metrics.Denied}
}

// openNATSDoor answers on NATS. Roles are believed where the embedded server listens on loopback only.
func (d *daemon) openNATSDoor(context.Context) error {
	connect := d.connect
	if d.server != nil {
		connect = d.server.ConnectDoor
	}
	nc, err := connect("aggd door")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	svc, err := server.NATS(ctx, nc, commands{d.engine, d.metrics}, d.policy(d.natsIsLocal()), natsVersion(d.opts.Version))
	if err != nil {
		cancel()
		return err
	}
	d.onClose(func(context.Context) error {
		defer cancel()
		return svc.Stop() // drains: what has arrived is answered
	})
	return nil
}

func (d *daemon) natsIsLocal() bool {
	if d.server == nil {
		return false
	}
	host, _, err := net.SplitHostPort(d.opts.Settings.NATSListen)
	return err != nil || net.ParseIP(host).IsLoopback()
}

// natsVersion: a micro service wants a semantic version, which a development build has not.
func natsVersion(v string) string {
	if v == "" || v[0] < '0' || v[0] > '9' {
		return "0.0.0"
	}
	return v
}

// serve runs one server; its failing ends the daemon.
func (d *daemon) serve(f func() error, wg *sync.WaitGroup) {
	wg.Go(func() {
		if err := f(); err != nil && !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			d.fail(fmt.Errorf("door: %w", err))
		}
	})
}

// loopback tells whether only this machine reaches l: there, without authentication, a caller's
// roles are believed.
func loopback(l net.Listener) bool {
	a, ok := l.Addr().(*net.TCPAddr)
	return ok && a.IP.IsLoopback()
}

// close stops accepting, lets calls in flight end until ctx does, then cuts them.
func (o *doors) close(ctx context.Context) error {
	o.health.Shutdown()
	_ = o.split.Close()
	cut := context.AfterFunc(ctx, o.grpc.Stop)
	defer cut()
	var stopping sync.WaitGroup
	stopping.Go(o.grpc.GracefulStop)
	err := o.http.Shutdown(ctx)
	stopping.Wait()
	err = errors.Join(err, o.ops.Shutdown(ctx))
	if err != nil {
		_ = o.http.Close()
		_ = o.ops.Close()
	}
	o.served.Wait()
	return err
}
