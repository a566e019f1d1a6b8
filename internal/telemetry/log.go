package telemetry

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// Level is a log level that may change while the process runs.
type Level struct{ v slog.LevelVar }

// Set takes debug, info, warn or error.
func (l *Level) Set(name string) error {
	var v slog.Level
	if err := v.UnmarshalText([]byte(name)); err != nil {
		return fmt.Errorf("log level %q: debug, info, warn or error is expected", name)
	}
	l.v.Set(v)
	return nil
}

// String is the level's name.
func (l *Level) String() string { return strings.ToLower(l.v.Level().String()) }

// NewLogger writes JSON lines to w from a level on. Every line has the fields service and,
// unless empty, environment.
func NewLogger(w io.Writer, level *Level, environment string) *slog.Logger {
	log := slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: &level.v})).With("service", "aggregate")
	if environment != "" {
		log = log.With("environment", environment)
	}
	return log
}
