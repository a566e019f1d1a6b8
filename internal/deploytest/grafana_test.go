package deploytest

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

type panel struct {
	ID      int
	Type    string
	Title   string
	GridPos struct{ H, W, X, Y int }
	Targets []struct{ Expr string }
}

func TestDashboardIsLaidOut(t *testing.T) {
	var d struct{ Panels []panel }
	if err := json.Unmarshal([]byte(read(t, deploy, "grafana/aggregate.json")), &d); err != nil {
		t.Fatal(err)
	}
	ids := map[int]string{}
	taken := map[[2]int]string{}
	for _, p := range d.Panels {
		if other, twice := ids[p.ID]; twice {
			t.Errorf("%s and %s have the same id", p.Title, other)
		}
		ids[p.ID] = p.Title
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("%s asks for nothing", p.Title)
		}
		if p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("%s is off the page", p.Title)
		}
		for x := range p.GridPos.W {
			for y := range p.GridPos.H {
				cell := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
				if other := taken[cell]; other != "" {
					t.Fatalf("%s lies over %s", p.Title, other)
				}
				taken[cell] = p.Title
			}
		}
	}
	for _, want := range []string{"Commands by outcome", "Command latency", "Conflicts", "In doubt", "Rehydration", "Snapshots", "Active", "Gas", "Flights", "Sync method"} {
		if !slices.ContainsFunc(d.Panels, func(p panel) bool { return p.Title == want }) {
			t.Errorf("no panel %q", want)
		}
	}
}

// What Grafana is told to load is what the composition mounts.
func TestProvisioningPointsAtWhatIsThere(t *testing.T) {
	var dashboards struct {
		Providers []struct {
			Options struct{ Path string }
		}
	}
	var sources struct {
		Datasources []struct{ UID, Type, URL string }
	}
	for path, into := range map[string]any{"dashboards/dashboards.yml": &dashboards, "datasources/datasources.yml": &sources} {
		if err := yaml.Unmarshal([]byte(read(t, deploy, "grafana/provisioning", path)), into); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
	}
	compose := read(t, deploy, "compose.yaml")
	if len(dashboards.Providers) != 1 || !strings.Contains(compose, "./grafana/aggregate.json:"+filepath.Join(dashboards.Providers[0].Options.Path, "aggregate.json")+":ro") {
		t.Errorf("the dashboard is not where Grafana looks: %+v", dashboards)
	}
	text := read(t, deploy, "grafana/aggregate.json")
	for _, s := range sources.Datasources {
		if !strings.Contains(text, `"value": "`+s.UID+`"`) {
			t.Errorf("the dashboard does not take %s", s.UID)
		}
		service := strings.Split(strings.TrimPrefix(s.URL, "http://"), ":")[0]
		if !strings.Contains(compose, "\n  "+service+":\n") {
			t.Errorf("%s: no service %s", s.URL, service)
		}
	}
	if len(sources.Datasources) != 2 {
		t.Errorf("got %+v", sources)
	}
}
