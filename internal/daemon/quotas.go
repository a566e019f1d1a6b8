package daemon

import (
	"fmt"
	"os"

	"go.yaml.in/yaml/v3"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/engine"
)

// quotaRow is one tenant's row of the file of quota.tenants.
type quotaRow struct {
	Rate     float64 `yaml:"rate"`
	Burst    int     `yaml:"burst"`
	InFlight int     `yaml:"in_flight"`
	Active   int     `yaml:"active"`
}

// quotas reads the default from the settings and the rest from the file.
func (d *daemon) quotas() (*engine.Quotas, error) {
	s := &d.opts.Settings
	q := &engine.Quotas{Default: engine.Quota{Rate: s.QuotaRate, Burst: s.QuotaBurst, InFlight: s.QuotaInFlight, Active: s.QuotaActive}}
	if s.QuotaTenants == "" {
		return q, nil
	}
	f, err := os.Open(s.QuotaTenants)
	if err != nil {
		return nil, fmt.Errorf("quota.tenants: %w", err)
	}
	defer f.Close()
	var rows map[string]quotaRow
	dec := yaml.NewDecoder(f)
	dec.KnownFields(true)
	if err := dec.Decode(&rows); err != nil {
		return nil, fmt.Errorf("quota.tenants: %s: %w", s.QuotaTenants, err)
	}
	q.Tenants = make(map[aggregate.TenantID]engine.Quota, len(rows))
	for name, r := range rows {
		id, err := aggregate.ParseTenantID(name)
		if err == nil && (r.Rate < 0 || r.Burst < 0 || r.InFlight < 0 || r.Active < 0) {
			err = fmt.Errorf("tenant %s: a quota must not be negative", name)
		}
		if err != nil {
			return nil, fmt.Errorf("quota.tenants: %s: %w", s.QuotaTenants, err)
		}
		q.Tenants[id] = engine.Quota{Rate: r.Rate, Burst: r.Burst, InFlight: r.InFlight, Active: r.Active}
	}
	return q, nil
}

// reloadQuotas takes the file up again; on an error the old quotas stay.
func (d *daemon) reloadQuotas() (changed bool, err error) {
	q, err := d.quotas()
	if err != nil {
		return false, err
	}
	d.engine.SetQuota(q.Of)
	return d.opts.Settings.QuotaTenants != "", nil
}
