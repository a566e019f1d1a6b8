package telemetry

import (
	"fmt"
	"io"
	"log/slog"
)

// NewLogger writes JSON lines to w from a level on: debug, info, warn or error. Every line has
// the fields service and, unless empty, environment.
func NewLogger(w io.Writer, level, environment string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("log level %q: debug, info, warn or error is expected", level)
	}
	log := slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: l})).With("service", "aggregate")
	if environment != "" {
		log = log.With("environment", environment)
	}
	return log, nil
}
