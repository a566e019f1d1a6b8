package telemetry

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cloudlysis/aggregate"
)

// series are the metrics of one command, found once: looking them up by labels hashes three strings
// and takes three locks for every command.
type series struct {
	commands prometheus.Counter
	duration prometheus.Observer
	gas      prometheus.Counter
}

type seriesKey struct {
	typ     string
	tenant  aggregate.TenantID
	outcome string
}

// maxSeries bounds the cache: any number of tenants may call, though only some have labels.
const maxSeries = 4096

type seriesCache struct {
	mu    sync.RWMutex
	known map[seriesKey]*series
}

func (c *seriesCache) of(m *Metrics, k seriesKey) *series {
	c.mu.RLock()
	s := c.known[k]
	c.mu.RUnlock()
	if s != nil {
		return s
	}
	return c.add(m, k)
}

func (c *seriesCache) add(m *Metrics, k seriesKey) *series {
	s := &series{commands: m.commands.WithLabelValues(k.typ, m.tenants.label(k.tenant), k.outcome), duration: m.duration.WithLabelValues(k.typ), gas: m.gas.WithLabelValues(k.typ)}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil {
		c.known = map[seriesKey]*series{}
	}
	if len(c.known) < maxSeries {
		c.known[k] = s
	}
	return s
}
