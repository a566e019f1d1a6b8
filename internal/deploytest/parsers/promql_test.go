package parsers

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/prometheus/promql/parser"
	"go.yaml.in/yaml/v3"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/internal/telemetry"
)

// series is a metric that may be asked for.
type series struct {
	labels []string
	native bool // a native histogram: asked for by its bare name
}

// catalog is what a server has after scraping aggd.
func catalog(t *testing.T) map[string]series {
	t.Helper()
	m := telemetry.NewMetrics(slog.New(slog.DiscardHandler))
	key := aggregate.Key{Type: "Account", Tenant: "acme"}
	m.ObserveNode(t.TempDir(), func(context.Context) telemetry.Node { return telemetry.Node{Ready: true, Sync: "group"} })
	m.Command(&aggregate.Command{TenantID: "acme", AggregateType: "Account"}, nil, &aggregate.TenantAccessDeniedError{}, 1, time.Millisecond, aggregate.Stages{aggregate.StageAppend: 1})
	m.Flight(key, 1, 1, time.Millisecond)
	m.Conflict(key, 1)
	m.Doubt(key, true)
	m.Loaded(key, 1, true, errors.New("x"), time.Millisecond)
	m.Snapshot(key, "written")
	m.Live(1)
	req := httptest.NewRequest("GET", "/metrics", nil)
	req.Header.Set("Accept", string(expfmt.NewFormat(expfmt.TypeProtoDelim)))
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, req)
	out := map[string]series{"up": {}}
	for d := expfmt.NewDecoder(w.Body, expfmt.NewFormat(expfmt.TypeProtoDelim)); ; {
		var f dto.MetricFamily
		err := d.Decode(&f)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		addFamily(out, &f)
	}
	if !out["aggregate_command_duration_seconds"].native || len(out) < 30 {
		t.Fatalf("the metrics are not read: %v", out)
	}
	return out
}

func addFamily(out map[string]series, f *dto.MetricFamily) {
	s := series{labels: []string{"job", "instance"}} // the server's
	for _, l := range f.GetMetric()[0].GetLabel() {
		s.labels = append(s.labels, l.GetName())
	}
	if f.GetType() != dto.MetricType_HISTOGRAM {
		out[f.GetName()] = s
		return
	}
	if len(f.GetMetric()[0].GetHistogram().GetPositiveSpan()) > 0 {
		out[f.GetName()] = series{labels: s.labels, native: true}
	}
	out[f.GetName()+"_sum"], out[f.GetName()+"_count"] = s, s
	out[f.GetName()+"_bucket"] = series{labels: append(slices.Clone(s.labels), "le")}
}

// query is one expression and where it stands.
type query struct{ at, expr string }

func queries(t *testing.T) (out []query) {
	t.Helper()
	var rules struct {
		Groups []struct {
			Rules []struct{ Alert, Expr string }
		}
	}
	if err := yaml.Unmarshal([]byte(read(t, deploy, "prometheus/alerts.yml")), &rules); err != nil {
		t.Fatal(err)
	}
	for _, g := range rules.Groups {
		for _, r := range g.Rules {
			out = append(out, query{r.Alert, r.Expr})
		}
	}
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct {
				Expr       string
				Datasource struct{ Type string }
			}
		}
		Templating struct{ List []json.RawMessage }
	}
	if err := json.Unmarshal([]byte(read(t, deploy, "grafana/aggregate.json")), &board); err != nil {
		t.Fatal(err)
	}
	fill := strings.NewReplacer("$__rate_interval", "1m", "$__range", "1h")
	for _, p := range board.Panels {
		for _, target := range p.Targets {
			if target.Datasource.Type == "prometheus" {
				out = append(out, query{p.Title, fill.Replace(target.Expr)})
			}
		}
	}
	for _, raw := range board.Templating.List {
		var v struct {
			Name, Type string
			Query      struct{ Query string }
		}
		if err := json.Unmarshal(raw, &v); err == nil && v.Type == "query" {
			inner := strings.TrimSuffix(strings.TrimPrefix(v.Query.Query, "label_values("), ")")
			at := strings.LastIndex(inner, ",")
			out = append(out, query{"variable " + v.Name, "count by (" + inner[at+1:] + ") (" + inner[:at] + ")"})
		}
	}
	if len(out) < 45 {
		t.Fatalf("only %d queries", len(out))
	}
	return out
}

func TestEveryQuery(t *testing.T) {
	have := catalog(t)
	for _, q := range queries(t) {
		for _, problem := range judge(have, q.expr) {
			t.Errorf("%s: %s\n\t%s", q.at, problem, q.expr)
		}
	}
}

func TestJudgeFinds(t *testing.T) {
	have := catalog(t)
	for _, expr := range []string{
		`rate(aggregate_commands_total[`, `aggregate_comands_total`, `sum by (tenant) (aggregate_commands_total)`, `aggregate_in_doubt{tenant_id="a"}`,
		`rate(aggregate_flight_commits[1m])`, `aggregate_gas_total_bucket`, `sum by (le) (aggregate_append_duration_seconds)`,
	} {
		if len(judge(have, expr)) == 0 {
			t.Errorf("nothing is wrong with %s", expr)
		}
	}
}

// judge parses an expression and tells what in it aggd does not have.
func judge(have map[string]series, text string) (problems []string) {
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(text)
	if err != nil {
		return []string{err.Error()}
	}
	parser.Inspect(expr, func(n parser.Node, _ []parser.Node) error {
		switch n := n.(type) {
		case *parser.VectorSelector:
			s, ok := have[n.Name]
			if !ok {
				problems = append(problems, "no metric "+n.Name)
				break
			}
			for _, m := range n.LabelMatchers {
				if n.Name != "up" && m.Name != "__name__" && !slices.Contains(s.labels, m.Name) {
					problems = append(problems, n.Name+" has no label "+m.Name)
				}
			}
		case *parser.AggregateExpr:
			problems = append(problems, ungrouped(have, n)...)
		}
		return nil
	})
	return problems
}

// ungrouped tells labels of a grouping that nothing below it has.
func ungrouped(have map[string]series, a *parser.AggregateExpr) (problems []string) {
	for _, label := range a.Grouping {
		found := false
		parser.Inspect(a.Expr, func(n parser.Node, _ []parser.Node) error {
			if v, ok := n.(*parser.VectorSelector); ok {
				found = found || slices.Contains(have[v.Name].labels, label)
			}
			return nil
		})
		if !found {
			problems = append(problems, "nothing to group by "+label)
		}
	}
	return problems
}

// Where classic histograms are all there is, as with VictoriaMetrics, each quantile is still there.
func TestEveryNativeQuantileHasAClassicOne(t *testing.T) {
	have := catalog(t)
	for _, q := range queries(t) {
		for name, s := range have {
			if s.native && strings.Contains(q.expr, name+"{") != strings.Contains(q.expr, name+"_bucket{") ||
				s.native && strings.Contains(q.expr, name+"[") != strings.Contains(q.expr, name+"_bucket[") {
				t.Errorf("%s: one kind of %s only\n\t%s", q.at, name, q.expr)
			}
		}
	}
}
