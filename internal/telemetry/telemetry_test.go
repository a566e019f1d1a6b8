package telemetry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/cloudlysis/aggregate"
)

func command(tenant aggregate.TenantID) *aggregate.Command {
	return &aggregate.Command{TenantID: tenant, AggregateType: "Account", CommandID: aggregate.NewID(), AggregateID: aggregate.NewID(),
		Metadata: map[string]string{"correlation_id": "c-1", "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}}
}

func TestMetricsHearTheEngine(t *testing.T) {
	var log bytes.Buffer
	var level Level
	if err := level.Set("debug"); err != nil {
		t.Fatal(err)
	}
	m := NewMetrics(NewLogger(&log, &level, "test"))
	one := &aggregate.Reply{Version: 1, Events: make([]aggregate.Event, 1)}
	m.Command(command("acme"), one, nil, 40, time.Millisecond, aggregate.Stages{aggregate.StageAppend: time.Millisecond / 2})
	m.Command(command("acme"), nil, &aggregate.RejectedError{Code: "insufficient_funds"}, 30, time.Millisecond, aggregate.Stages{})
	m.Command(command("acme"), nil, &aggregate.TenantAccessDeniedError{}, 0, time.Millisecond, aggregate.Stages{})
	m.Conflict(aggregate.Key{Type: "Account"}, 1)
	m.Doubt(aggregate.Key{}, true)
	m.Live(3)
	m.Snapshot(aggregate.Key{}, "written")
	m.Loaded(aggregate.Key{Type: "Account"}, 4, true, nil, time.Millisecond)
	m.Flight(aggregate.Key{}, 2, 600, time.Millisecond)
	rec := httptest.NewRecorder()
	m.Handler().ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	body, _ := io.ReadAll(rec.Body)
	for _, want := range []string{
		`aggregate_commands_total{aggregate_type="Account",outcome="accepted",tenant_id="acme"} 1`,
		`aggregate_commands_total{aggregate_type="Account",outcome="rejected",tenant_id="acme"} 2`,
		`aggregate_gas_total{aggregate_type="Account"} 70`,
		`aggregate_version_conflicts_total{aggregate_type="Account"} 1`,
		`aggregate_tenant_errors_total{tenant_id="acme"} 1`,
		`aggregate_rehydration_duration_seconds_count{aggregate_type="Account",snapshot="used"} 1`,
		`aggregate_command_duration_seconds_count{aggregate_type="Account"} 3`,
		`aggregate_stage_duration_seconds_count{stage="append"} 1`, `aggregate_stage_duration_seconds_count{stage="load"} 0`,
		`aggregate_in_doubt 1`, `aggregate_active 3`, `aggregate_snapshots_total{result="written"} 1`,
	} {
		if !strings.Contains(string(body), want+"\n") {
			t.Errorf("no line %s", want)
		}
	}
	for _, want := range []string{`"service":"aggregate"`, `"environment":"test"`, `"tenant_id":"acme"`, `"correlation_id":"c-1"`, `"trace_id":"0af7651916cd43dd8448eb211c80319c"`, `"version":1`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no %s in %s", want, log.String())
		}
	}
	if problems, err := testutil.GatherAndLint(m.registry); err != nil || len(problems) > 0 {
		t.Errorf("lint: %v %v", problems, err)
	}
}

func TestTenantLabelIsCapped(t *testing.T) {
	m := NewMetrics(slog.New(slog.DiscardHandler))
	for i := range maxTenants + 50 {
		m.Command(command(aggregate.TenantID(fmt.Sprintf("t%d", i))), &aggregate.Reply{}, nil, 0, 0, aggregate.Stages{})
	}
	if n := testutil.CollectAndCount(m.commands); n != maxTenants+1 {
		t.Errorf("got %d series, want %d", n, maxTenants+1)
	}
}

func TestOutcome(t *testing.T) {
	tests := []struct {
		r    *aggregate.Reply
		err  error
		want string
	}{
		{&aggregate.Reply{Duplicate: true}, nil, "duplicate"},
		{&aggregate.Reply{}, nil, "nothing"},
		{nil, &aggregate.ValidationError{}, "invalid"},
		{nil, &aggregate.FaultError{}, "fault"},
		{nil, &aggregate.VersionConflictError{}, "conflict"},
		{nil, &aggregate.UnavailableError{Reason: aggregate.ErrInDoubt}, "unavailable"},
		{nil, aggregate.ErrRehydration, "error"},
		{nil, errors.New("x"), "error"},
	}
	for _, tt := range tests {
		if got := Outcome(tt.r, tt.err); got != tt.want {
			t.Errorf("%v: got %s, want %s", tt.err, got, tt.want)
		}
	}
}

func TestLevelChangesWhileRunning(t *testing.T) {
	var (
		out   bytes.Buffer
		level Level
	)
	log := NewLogger(&out, &level, "")
	log.Debug("one")
	if err := level.Set("debug"); err != nil || level.String() != "debug" {
		t.Fatalf("got %s, %v", level.String(), err)
	}
	log.Debug("two")
	if err := level.Set("loud"); err == nil || level.String() != "debug" {
		t.Errorf("got %s, %v", level.String(), err)
	}
	if s := out.String(); strings.Contains(s, "one") || !strings.Contains(s, "two") || strings.Contains(s, "environment") {
		t.Errorf("got %s", s)
	}
}

// Every command passes here: an accepted one must cost no allocation, nor a look-up by labels.
func TestAcceptedCommandsAllocateNothing(t *testing.T) {
	m := NewMetrics(slog.New(slog.DiscardHandler))
	cmd, r := command("acme"), &aggregate.Reply{Version: 1, Events: make([]aggregate.Event, 1)}
	cmd.Metadata = nil
	if n := testing.AllocsPerRun(100, func() { m.Command(cmd, r, nil, 40, time.Millisecond, aggregate.Stages{}) }); n > 0 {
		t.Errorf("got %v allocations", n)
	}
}

func TestSeriesCacheIsBounded(t *testing.T) {
	m := NewMetrics(slog.New(slog.DiscardHandler))
	for i := range maxSeries + 10 {
		m.Command(command(aggregate.TenantID(fmt.Sprintf("t%d", i))), &aggregate.Reply{}, nil, 0, 0, aggregate.Stages{})
	}
	if n := len(m.series.known); n != maxSeries {
		t.Errorf("got %d cached series, want %d", n, maxSeries)
	}
	if n := testutil.ToFloat64(m.commands.WithLabelValues("Account", "other", "nothing")); n != maxSeries+10-maxTenants {
		t.Errorf("got %v commands of other tenants", n)
	}
}

// TestRehydrationErrorsAreOfWhatIsStored: the critical alert is not for a caller who asks for another's
// aggregate, nor for a log that is away.
func TestRehydrationErrorsAreOfWhatIsStored(t *testing.T) {
	tests := []struct {
		err  error
		want float64
	}{
		{nil, 0},
		{fmt.Errorf("load: %w", &aggregate.TenantAccessDeniedError{TenantID: "b"}), 0},
		{fmt.Errorf("load: %w", aggregate.ErrStream), 0},
		{&aggregate.UnavailableError{Reason: aggregate.ErrQuota}, 0},
		{context.Canceled, 0},
		{fmt.Errorf("load: %w", aggregate.ErrRehydration), 1},
		{aggregate.ErrManifestBehind, 1},
		{&aggregate.FaultError{Kind: "overflow", Apply: true}, 1},
		{errors.New("x"), 1},
	}
	for _, tt := range tests {
		m := NewMetrics(slog.New(slog.DiscardHandler))
		m.Loaded(aggregate.Key{Type: "Account"}, 0, false, tt.err, time.Millisecond)
		if got := testutil.ToFloat64(m.rehydrationErrors.WithLabelValues("Account")); got != tt.want {
			t.Errorf("%v: counted %v, want %v", tt.err, got, tt.want)
		}
	}
}
