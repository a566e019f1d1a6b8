package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/engine"
	"github.com/cloudlysis/aggregate/internal/server"
	"github.com/cloudlysis/aggregate/manifests"
)

// operator does what the admin door asks for.
type operator struct{ d *daemon }

// Tenants implements server.Operator.
func (o *operator) Tenants() []server.Tenant {
	out := []server.Tenant{}
	for _, t := range o.d.engine.Tenants() {
		row := server.Tenant{TenantID: t.TenantID, Aggregates: t.Aggregates, Draining: t.Draining, InFlight: t.InFlight}
		if q := t.Quota; q != (engine.Quota{}) {
			row.Quota = &server.TenantQuota{Rate: q.Rate, Burst: q.Burst, InFlight: q.InFlight, Active: q.Active}
		}
		if !t.LastActivity.IsZero() {
			row.LastActivity = &t.LastActivity
		}
		out = append(out, row)
	}
	return out
}

// Drain implements server.Operator.
func (o *operator) Drain(ctx context.Context, tenant *aggregate.TenantID) error {
	if tenant != nil {
		return o.d.engine.Drain(ctx, *tenant)
	}
	o.d.drained.Store(true)
	var errs []error
	for _, t := range o.d.engine.Tenants() {
		errs = append(errs, o.d.engine.Drain(ctx, t.TenantID))
	}
	return errors.Join(errs...)
}

// Resume implements server.Operator.
func (o *operator) Resume(tenant *aggregate.TenantID) {
	if tenant != nil {
		o.d.engine.Resume(*tenant)
		return
	}
	o.d.drained.Store(false)
	for _, t := range o.d.engine.Tenants() {
		o.d.engine.Resume(t.TenantID)
	}
}

// admit keeps commands out while all tenants are drained; the engine knows of single ones.
func (d *daemon) admit(*aggregate.Command) error {
	if d.drained.Load() {
		return &aggregate.UnavailableError{Reason: aggregate.ErrUnavailable, Message: "this node is draining"}
	}
	return nil
}

// reloadables are what Reload can take up, by name.
var reloadables = []string{"manifests", "quotas"}

// Reload implements server.Operator.
func (o *operator) Reload(ctx context.Context, only []string) []server.Reloaded {
	if len(only) == 0 {
		only = reloadables
	}
	out := []server.Reloaded{}
	for _, what := range only {
		if !slices.Contains(reloadables, what) {
			out = append(out, server.Reloaded{What: what, Error: fmt.Sprintf("cannot be reloaded; one of %q can", reloadables)})
			continue
		}
		out = append(out, o.d.reload(ctx, what))
	}
	return out
}

func (d *daemon) reload(ctx context.Context, what string) server.Reloaded {
	r := server.Reloaded{What: what}
	var err error
	if what == "manifests" {
		r.Changed, r.Detail, err = d.reloadManifests(ctx)
	} else {
		r.Changed, err = d.reloadQuotas()
	}
	if err != nil {
		r.Error = err.Error()
	}
	var broken *manifests.Error
	if errors.As(err, &broken) {
		r.Findings = broken.Findings()
	}
	return r
}

// Manifests implements server.Operator.
func (o *operator) Manifests() server.ManifestSet {
	s := o.d.sets.Current()
	return server.ManifestSet{Hash: s.Hash, Engine: s.Engine, Types: s.Types()}
}

// LogLevel implements server.Operator.
func (o *operator) LogLevel(set string) (string, error) {
	if set != "" {
		if err := o.d.opts.Level.Set(set); err != nil {
			return "", err
		}
		o.d.log.Info("log level changed", "level", set)
	}
	return o.d.opts.Level.String(), nil
}
