package telemetry

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/cloudlysis/aggregate"
)

// maxTenants is how many tenants have a label value of their own.
const maxTenants = 100

// Metrics are the metrics of one daemon. It has the methods of engine.Observer.
type Metrics struct {
	registry *prometheus.Registry
	log      *slog.Logger
	tenants  tenantLabels
	series   seriesCache
	tracing  *Tracing // nil: no spans

	commands          *prometheus.CounterVec
	duration          *prometheus.HistogramVec
	stages            *prometheus.HistogramVec
	stage             [aggregate.StageCount]prometheus.Observer // of stages
	gas               *prometheus.CounterVec
	conflicts         *prometheus.CounterVec
	tenantErrors      *prometheus.CounterVec
	unauthenticated   prometheus.Counter
	rehydration       *prometheus.HistogramVec
	rehydrationErrors *prometheus.CounterVec
	append            prometheus.Histogram
	flightCommits     prometheus.Histogram
	flightBytes       prometheus.Counter
	inDoubt           prometheus.Gauge
	snapshots         *prometheus.CounterVec
	active            prometheus.Gauge
	circuits          *prometheus.GaugeVec
}

// Trace sends a span for each command from now on; it must be called before the first one.
func (m *Metrics) Trace(t *Tracing) { m.tracing = t }

// WatchSocket exports how many log lines a socket has dropped.
func (m *Metrics) WatchSocket(s *Socket) {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "aggregate_log_dropped_total", Help: "Log lines that the logger socket did not take."},
		func() float64 { return float64(s.Dropped()) }))
}

// NewMetrics makes the metrics and a logger for what happens to commands.
func NewMetrics(log *slog.Logger) *Metrics {
	latency := []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5}
	brief := []float64{.000001, .00001, .0001, .0005, .001, .005, .01, .05, .1, .5, 1, 5} // to decide takes microseconds
	histogram := func(name, help string, buckets []float64) prometheus.HistogramOpts {
		return prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets, NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 100}
	}
	m := &Metrics{
		registry:          prometheus.NewRegistry(),
		log:               log,
		commands:          prometheus.NewCounterVec(prometheus.CounterOpts{Name: "aggregate_commands_total", Help: "Commands by outcome."}, []string{"aggregate_type", "tenant_id", "outcome"}),
		duration:          prometheus.NewHistogramVec(histogram("aggregate_command_duration_seconds", "From the engine's taking a command to its outcome.", latency), []string{"aggregate_type"}),
		stages:            prometheus.NewHistogramVec(histogram("aggregate_stage_duration_seconds", "Where a command's time went: queue, load, decide, append, sync, reply.", brief), []string{"stage"}),
		gas:               prometheus.NewCounterVec(prometheus.CounterOpts{Name: "aggregate_gas_total", Help: "Gas used by rules."}, []string{"aggregate_type"}),
		conflicts:         prometheus.NewCounterVec(prometheus.CounterOpts{Name: "aggregate_version_conflicts_total", Help: "Flights refused because the aggregate had moved on."}, []string{"aggregate_type"}),
		tenantErrors:      prometheus.NewCounterVec(prometheus.CounterOpts{Name: "aggregate_tenant_errors_total", Help: "Requests of a tenant that were refused because what they asked for is another's."}, []string{"tenant_id"}),
		unauthenticated:   prometheus.NewCounter(prometheus.CounterOpts{Name: "aggregate_unauthenticated_total", Help: "Requests without a credential that counts."}),
		rehydration:       prometheus.NewHistogramVec(histogram("aggregate_rehydration_duration_seconds", "Loading an aggregate.", latency), []string{"aggregate_type", "snapshot"}),
		rehydrationErrors: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "aggregate_rehydration_errors_total", Help: "Loads that failed for what is stored."}, []string{"aggregate_type"}),
		append:            prometheus.NewHistogram(histogram("aggregate_append_duration_seconds", "A flight's append, until durable as configured.", latency)),
		flightCommits:     prometheus.NewHistogram(prometheus.HistogramOpts{Name: "aggregate_flight_commits", Help: "Commits of one flight.", Buckets: []float64{1, 2, 4, 8, 16, 32, 64, 128, 256, 512}}),
		flightBytes:       prometheus.NewCounter(prometheus.CounterOpts{Name: "aggregate_flight_bytes_total", Help: "Bytes of appended flights, about."}),
		inDoubt:           prometheus.NewGauge(prometheus.GaugeOpts{Name: "aggregate_in_doubt", Help: "Aggregates with an append of unknown outcome."}),
		snapshots:         prometheus.NewCounterVec(prometheus.CounterOpts{Name: "aggregate_snapshots_total", Help: "Snapshots by what became of them."}, []string{"result"}),
		circuits:          prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "aggregate_circuit_open", Help: "A circuit breaker: 0 closed, 0.5 half open, 1 open."}, []string{"circuit"}),
		active:            prometheus.NewGauge(prometheus.GaugeOpts{Name: "aggregate_active", Help: "Aggregates live in memory."}),
	}
	for i := range m.stage {
		m.stage[i] = m.stages.WithLabelValues(aggregate.Stage(i).String())
	}
	m.registry.MustRegister(m.commands, m.duration, m.stages, m.gas, m.conflicts, m.tenantErrors, m.unauthenticated, m.rehydration, m.rehydrationErrors, m.append, m.flightCommits,
		m.flightBytes, m.inDoubt, m.snapshots, m.active, m.circuits, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Types makes the series of what seldom happens to aggregates of these types, at zero: a series
// that begins at one has not increased, so its first error would raise no alert.
func (m *Metrics) Types(types []aggregate.Type) {
	for _, t := range types {
		m.rehydrationErrors.WithLabelValues(string(t))
		m.conflicts.WithLabelValues(string(t))
	}
}

// Handler serves the metrics in Prometheus' formats.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{EnableOpenMetrics: true})
}

// Command counts a command's outcome and logs it.
func (m *Metrics) Command(cmd *aggregate.Command, r *aggregate.Reply, err error, gas int64, took time.Duration, stages aggregate.Stages) {
	typ, outcome := string(cmd.AggregateType), Outcome(r, err)
	if outcome == "invalid" {
		typ = "" // a type that was asked for need not exist: it must not become a label
	}
	s := m.series.of(m, seriesKey{typ, cmd.TenantID, outcome})
	s.commands.Inc()
	observe(s.duration, cmd, took)
	for i, d := range stages {
		if d > 0 {
			m.stage[i].Observe(d.Seconds())
		}
	}
	s.gas.Add(float64(gas))
	if err != nil && errors.Is(err, aggregate.ErrTenantAccessDenied) {
		m.tenantErrors.WithLabelValues(m.tenants.label(cmd.TenantID)).Inc()
	}
	m.logCommand(cmd, r, err, outcome, took)
	if m.tracing != nil {
		m.tracing.command(cmd, r, err, outcome, gas, time.Now(), took, stages)
	}
}

// Denied counts a request that a door refused before the engine heard of it; tenant is the caller's.
func (m *Metrics) Denied(tenant aggregate.TenantID, err error) {
	if errors.Is(err, aggregate.ErrTenantAccessDenied) {
		m.tenantErrors.WithLabelValues(m.tenants.label(tenant)).Inc()
	} else {
		m.unauthenticated.Inc()
	}
	m.log.Debug("caller denied", "tenant_id", string(tenant), "error", err)
}

// observe times a command; a sampled trace becomes the exemplar of its bucket.
func observe(o prometheus.Observer, cmd *aggregate.Command, took time.Duration) {
	if t := cmd.Metadata["traceparent"]; len(t) == 55 && strings.IndexByte("13579bdf", t[54]) >= 0 {
		o.(prometheus.ExemplarObserver).ObserveWithExemplar(took.Seconds(), prometheus.Labels{"trace_id": t[3:35]})
		return
	}
	o.Observe(took.Seconds())
}

func (m *Metrics) logCommand(cmd *aggregate.Command, r *aggregate.Reply, err error, outcome string, took time.Duration) {
	level := slog.LevelDebug
	switch outcome {
	case "fault", "error":
		level = slog.LevelError
	case "unavailable":
		level = slog.LevelWarn
	}
	if !m.log.Enabled(context.Background(), level) {
		return
	}
	attrs := append(about(cmd), slog.String("outcome", outcome), slog.Duration("took", took))
	if r != nil {
		attrs = append(attrs, slog.Uint64("version", uint64(r.Version)), slog.Int("events", len(r.Events)))
	}
	if err != nil {
		attrs = append(attrs, slog.String("error", err.Error()))
	}
	m.log.LogAttrs(context.Background(), level, "command", attrs...)
}

// Received logs at level debug that a command has come; its outcome has a line of its own.
func (m *Metrics) Received(cmd *aggregate.Command) {
	if m.log.Enabled(context.Background(), slog.LevelDebug) {
		m.log.LogAttrs(context.Background(), slog.LevelDebug, "command received", about(cmd)...)
	}
}

// about are the fields of every line of a command.
func about(cmd *aggregate.Command) []slog.Attr {
	attrs := []slog.Attr{slog.String("tenant_id", string(cmd.TenantID)), slog.String("aggregate_type", string(cmd.AggregateType)),
		slog.String("aggregate_id", cmd.AggregateID.String()), slog.String("command_id", cmd.CommandID.String())}
	if c := cmd.Metadata["correlation_id"]; c != "" {
		attrs = append(attrs, slog.String("correlation_id", c))
	}
	if t := cmd.Metadata["traceparent"]; len(t) == 55 {
		attrs = append(attrs, slog.String("trace_id", t[3:35]))
	}
	return attrs
}

// Outcome names how a command ended: accepted, duplicate, nothing (accepted without an event),
// rejected, invalid, fault, conflict, unavailable, canceled, error.
func Outcome(r *aggregate.Reply, err error) string {
	switch {
	case err != nil:
		return failure(err)
	case r.Duplicate:
		return "duplicate"
	case len(r.Events) == 0:
		return "nothing"
	}
	return "accepted"
}

// failure is apart from Outcome because what errors.As fills is allocated: the way of an accepted
// command has none of it.
func failure(err error) string {
	var (
		rejected *aggregate.RejectedError
		invalid  *aggregate.ValidationError
		fault    *aggregate.FaultError
		busy     *aggregate.UnavailableError
	)
	switch {
	case errors.As(err, &rejected), errors.Is(err, aggregate.ErrTenantAccessDenied), errors.Is(err, aggregate.ErrCommandIDReused):
		return "rejected"
	case errors.As(err, &invalid), errors.Is(err, aggregate.ErrTooLarge):
		return "invalid"
	case errors.As(err, &fault):
		return "fault"
	case errors.Is(err, aggregate.ErrInDoubt), errors.As(err, &busy), errors.Is(err, aggregate.ErrStream), errors.Is(err, aggregate.ErrManifestBehind),
		errors.Is(err, aggregate.ErrClock), errors.Is(err, aggregate.ErrUnavailable), errors.Is(err, aggregate.ErrQuota):
		return "unavailable"
	case errors.Is(err, aggregate.ErrConflict):
		return "conflict"
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return "canceled"
	}
	return "error"
}

// Flight counts an append.
func (m *Metrics) Flight(_ aggregate.Key, commits, size int, took time.Duration) {
	m.append.Observe(took.Seconds())
	m.flightCommits.Observe(float64(commits))
	m.flightBytes.Add(float64(size))
}

// Conflict counts a flight that was refused.
func (m *Metrics) Conflict(key aggregate.Key, _ int) {
	m.conflicts.WithLabelValues(string(key.Type)).Inc()
}

// Doubt keeps the number of aggregates in doubt.
func (m *Metrics) Doubt(key aggregate.Key, began bool) {
	if !began {
		m.inDoubt.Dec()
		return
	}
	m.inDoubt.Inc()
	m.log.Warn("the outcome of an append is unknown: sending the same bytes until it is settled", "aggregate", key.String())
}

// Loaded times a load, and logs one that failed.
func (m *Metrics) Loaded(key aggregate.Key, commits int, snapshot bool, err error, took time.Duration) {
	from := "none"
	if snapshot {
		from = "used"
	}
	m.rehydration.WithLabelValues(string(key.Type), from).Observe(took.Seconds())
	if err == nil {
		return
	}
	level := slog.LevelWarn
	if unreadable(err) {
		level = slog.LevelError
		m.rehydrationErrors.WithLabelValues(string(key.Type)).Inc()
	}
	m.log.Log(context.Background(), level, "an aggregate could not be loaded", "aggregate", key.String(), "commits", commits, "error", err)
}

// unreadable tells a load that failed for what is stored from one that failed for who asked or
// because the log was away: the first alone needs an operator at once.
func unreadable(err error) bool {
	for _, other := range []error{aggregate.ErrTenantAccessDenied, aggregate.ErrStream, aggregate.ErrStorage, aggregate.ErrUnavailable, aggregate.ErrInDoubt, aggregate.ErrQuota,
		context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, other) {
			return false
		}
	}
	return true
}

// Snapshot counts what became of a snapshot.
func (m *Metrics) Snapshot(_ aggregate.Key, result string) { m.snapshots.WithLabelValues(result).Inc() }

// Circuit keeps the state of a circuit breaker: closed, half_open or open.
func (m *Metrics) Circuit(name, state string) {
	m.circuits.WithLabelValues(name).Set(map[string]float64{"half_open": 0.5, "open": 1}[state])
}

// Live keeps the number of live aggregates.
func (m *Metrics) Live(n int) { m.active.Set(float64(n)) }

// tenantLabels gives the first maxTenants tenants their own label value.
type tenantLabels struct {
	mu    sync.RWMutex
	known map[aggregate.TenantID]bool
}

func (l *tenantLabels) label(t aggregate.TenantID) string {
	l.mu.RLock()
	known, n := l.known[t], len(l.known)
	l.mu.RUnlock()
	switch {
	case known:
		return string(t)
	case n >= maxTenants:
		return "other"
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.known == nil {
		l.known = map[aggregate.TenantID]bool{}
	}
	if len(l.known) >= maxTenants && !l.known[t] {
		return "other"
	}
	l.known[t] = true
	return string(t)
}
