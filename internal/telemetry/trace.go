package telemetry

import (
	"context"
	"fmt"
	neturl "net/url"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.37.0"
	api "go.opentelemetry.io/otel/trace"

	"github.com/cloudlysis/aggregate"
)

// Tracing sends a span for each command to an OpenTelemetry collector (OTLP over HTTP), as a
// child of the caller's span that traceparent names. A caller that samples is followed; commands
// without one are sampled by ratio. A collector that is away costs spans, nothing else.
type Tracing struct {
	provider *trace.TracerProvider
	tracer   api.Tracer
}

// NewTracing makes one; url is the collector's, such as http://localhost:4318. Close flushes it.
func NewTracing(ctx context.Context, url string, ratio float64, version, environment string) (*Tracing, error) {
	u, err := neturl.Parse(url)
	if err != nil {
		return nil, fmt.Errorf("tracing: %w", err)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/v1/traces" // OTLP/HTTP's own
	}
	exp, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(u.String()))
	if err != nil {
		return nil, fmt.Errorf("tracing: %w", err)
	}
	res := resource.NewSchemaless(semconv.ServiceName("aggregate"), semconv.ServiceVersion(version), semconv.DeploymentEnvironmentName(environment))
	p := trace.NewTracerProvider(trace.WithBatcher(exp), trace.WithResource(res), trace.WithSampler(trace.ParentBased(trace.TraceIDRatioBased(ratio))))
	return &Tracing{provider: p, tracer: p.Tracer("github.com/cloudlysis/aggregate")}, nil
}

// Close sends what is queued, as long as ctx allows.
func (t *Tracing) Close(ctx context.Context) error { return t.provider.Shutdown(ctx) }

// traceContext reads the caller's span out of a command's metadata.
func traceContext(cmd *aggregate.Command) context.Context {
	return propagation.TraceContext{}.Extract(context.Background(), propagation.MapCarrier(cmd.Metadata))
}

// command records the span of a command that is over.
func (t *Tracing) command(cmd *aggregate.Command, r *aggregate.Reply, err error, outcome string, gas int64, end time.Time, took time.Duration, stages aggregate.Stages) {
	ctx, span := t.tracer.Start(traceContext(cmd), "command "+string(cmd.AggregateType), api.WithSpanKind(api.SpanKindServer), api.WithTimestamp(end.Add(-took)))
	defer span.End(api.WithTimestamp(end))
	if !span.IsRecording() {
		return
	}
	span.SetAttributes(attribute.String("tenant_id", string(cmd.TenantID)), attribute.String("aggregate_type", string(cmd.AggregateType)),
		attribute.String("aggregate_id", cmd.AggregateID.String()), attribute.String("command_id", cmd.CommandID.String()),
		attribute.String("outcome", outcome), attribute.Int64("gas", gas))
	if c := cmd.Metadata["correlation_id"]; c != "" {
		span.SetAttributes(attribute.String("correlation_id", c))
	}
	if r != nil {
		span.SetAttributes(attribute.Int64("version", int64(r.Version)), attribute.Int("events", len(r.Events)))
	}
	if err != nil {
		span.SetAttributes(attribute.String("error.message", err.Error()))
	}
	t.stages(ctx, end.Add(-took), stages)
	if outcome == "fault" || outcome == "error" || outcome == "unavailable" {
		span.SetStatus(codes.Error, outcome)
	}
}

// stages records a span for each stage that took time, one after another within the command's.
func (t *Tracing) stages(ctx context.Context, at time.Time, stages aggregate.Stages) {
	for i, d := range stages {
		if d <= 0 {
			continue
		}
		_, span := t.tracer.Start(ctx, aggregate.Stage(i).String(), api.WithTimestamp(at))
		at = at.Add(d)
		span.End(api.WithTimestamp(at))
	}
}
