// Package telemetry is what an operator sees: metrics and log lines about commands.
//
// The model: [Metrics] hears the engine (it has the methods of engine.Observer) and keeps
// Prometheus metrics in a registry of its own; [NewLogger] makes the process's slog logger. The
// label tenant_id is capped: the first tenants seen have their own value, the rest share "other",
// so that metrics stay bounded whatever tenants do.
package telemetry
