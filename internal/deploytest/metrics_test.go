package deploytest

import (
	"context"
	"errors"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/internal/telemetry"
)

// exposition is /metrics after one of everything.
func exposition(t *testing.T) string {
	t.Helper()
	m := telemetry.NewMetrics(slog.New(slog.DiscardHandler))
	key := aggregate.Key{Type: "Account", Tenant: "acme"}
	m.ObserveNode(t.TempDir(), func(context.Context) telemetry.Node { return telemetry.Node{Ready: true, Sync: "group"} })
	m.Command(&aggregate.Command{TenantID: "acme", AggregateType: "Account"}, nil, &aggregate.TenantAccessDeniedError{}, 1, time.Millisecond, aggregate.Stages{aggregate.StageQueue: 1, aggregate.StageAppend: 1})
	m.Flight(key, 1, 1, time.Millisecond)
	m.Conflict(key, 1)
	m.Doubt(key, true)
	m.Loaded(key, 1, true, errors.New("x"), time.Millisecond)
	m.Snapshot(key, "written")
	m.Live(1)
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	return w.Body.String()
}

// The nested module asks PromQL's own parser; this is what can be seen without it.
func TestEveryMetricExists(t *testing.T) {
	have := exposition(t)
	word := regexp.MustCompile(`\baggregate_[a-z_]+\b`)
	labels := map[string]bool{"aggregate_type": true}
	for _, path := range []string{"prometheus/alerts.yml", "grafana/aggregate.json"} {
		names := word.FindAllString(read(t, filepath.Join(deploy, path)), -1)
		if len(names) < 10 {
			t.Errorf("%s: only %q", path, names)
		}
		for _, name := range names {
			base := name
			for _, suffix := range []string{"_bucket", "_sum", "_count"} {
				base = strings.TrimSuffix(base, suffix)
			}
			if !labels[name] && !strings.Contains(have, "# TYPE "+base+" ") {
				t.Errorf("%s: no metric %s", path, name)
			}
		}
	}
}
