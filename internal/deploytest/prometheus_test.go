package deploytest

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func TestPromtool(t *testing.T) {
	promtool := tool(t, "promtool")
	dir := filepath.Join(deploy, "prometheus")
	mustRun(t, promtool, "check", "rules", dir+"/alerts.yml")
	mustRun(t, promtool, "check", "config", dir+"/prometheus.yml")
	mustRun(t, promtool, "test", "rules", dir+"/alerts_test.yml")
}

func TestPromtoolTakesTheMetrics(t *testing.T) {
	c := exec.Command(tool(t, "promtool"), "check", "metrics")
	c.Stdin = strings.NewReader(exposition(t))
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// rules are the alerts of a file, Prometheus' or Loki's.
func rules(t *testing.T, path string) (out []rule) {
	t.Helper()
	var file struct {
		Groups []struct {
			Name  string
			Rules []rule
		}
	}
	d := yaml.NewDecoder(bytes.NewReader([]byte(read(t, path))))
	d.KnownFields(true)
	if err := d.Decode(&file); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	for _, g := range file.Groups {
		out = append(out, g.Rules...)
	}
	if len(out) == 0 {
		t.Fatalf("%s: no rules", path)
	}
	return out
}

type rule struct {
	Alert, Expr, For    string
	Labels, Annotations map[string]string
}

func alerts(t *testing.T) []rule {
	t.Helper()
	return append(rules(t, filepath.Join(deploy, "prometheus/alerts.yml")), rules(t, filepath.Join(deploy, "loki/alerts.yml"))...)
}

// Whoever is woken finds what to do.
func TestEveryAlertHasAChapter(t *testing.T) {
	doc := read(t, root, "docs/operations.md")
	seen := map[string]bool{}
	for _, r := range alerts(t) {
		if seen[r.Alert] {
			t.Errorf("%s twice", r.Alert)
		}
		seen[r.Alert] = true
		if !strings.Contains(doc, "\n### "+r.Alert+"\n") {
			t.Errorf("docs/operations.md has no chapter on %s", r.Alert)
		}
		if want := "docs/operations.md#" + strings.ToLower(r.Alert); r.Annotations["runbook"] != want {
			t.Errorf("%s: got runbook %q, want %q", r.Alert, r.Annotations["runbook"], want)
		}
		if s := r.Labels["severity"]; s != "critical" && s != "warning" {
			t.Errorf("%s: severity %q", r.Alert, s)
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^### (Aggregate\w+)$`).FindAllStringSubmatch(doc, -1) {
		if !seen[m[1]] {
			t.Errorf("docs/operations.md speaks of %s, which is no alert", m[1])
		}
	}
}

// Each alert of Prometheus is made to fire, and not to, by promtool's tests.
func TestEveryAlertIsTested(t *testing.T) {
	tests := read(t, deploy, "prometheus/alerts_test.yml")
	for _, r := range rules(t, filepath.Join(deploy, "prometheus/alerts.yml")) {
		if n := strings.Count(tests, "alertname: "+r.Alert+"\n") + strings.Count(tests, "alertname: "+r.Alert+"}"); n < 2 {
			t.Errorf("%s: %d tests, want one that it fires and one that it does not", r.Alert, n)
		}
	}
}

// The alert on a line of the log looks for a line that is written.
func TestTheLogSaysWhatTheAlertLooksFor(t *testing.T) {
	source := ""
	files, err := filepath.Glob(root + "/internal/natsd/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		source += string(b)
	}
	found := 0
	for _, r := range rules(t, filepath.Join(deploy, "loki/alerts.yml")) {
		for _, m := range regexp.MustCompile(`\|= "([^"]+)"`).FindAllStringSubmatch(r.Expr, -1) {
			if found++; !strings.Contains(source, m[1]) {
				t.Errorf("%s: no log line says %q", r.Alert, m[1])
			}
		}
	}
	if found == 0 {
		t.Error("no alert looks for a line")
	}
	if !strings.Contains(read(t, root, "internal/natsd/method.go"), `s.method = "always (fallback of group)"`) {
		t.Error("AggregateSyncFellBack looks for a sync method that natsd does not have")
	}
}
