package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloudlysis/aggregate"
)

// TestQuotas: a tenant over its rate is asked to come again, another is not; a reload lifts it.
func TestQuotas(t *testing.T) {
	file := filepath.Join(t.TempDir(), "quotas.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("acme: {rate: 0.001, burst: 2}\n")
	t.Setenv("AGGREGATE_QUOTA_TENANTS", file)
	n := start(t, bank, t.TempDir())
	id := aggregate.NewID()
	n.Want(n.Command(id, `{"type":"open_account"}`), 200, 1)
	n.Want(n.Command(id, `{"type":"deposit","amount":1}`), 200, 2)
	if r := n.Command(id, `{"type":"deposit","amount":1}`); r.Status != 429 || r.Code != "quota" {
		t.Fatalf("got %d %s", r.Status, r.Raw)
	}
	if r := n.Command(id, `{"type":"open_account"}`, "X-Tenant-Id", "globex"); r.Status != 200 {
		t.Errorf("another tenant: got %s", r.Raw)
	}
	if _, body := n.Ask("GET", "/admin/tenants", ""); !strings.Contains(body, `"draining":false,"in_flight":0,"quota":{"rate":0.001,"burst":2,"in_flight":0,"active":0}}`) || !strings.Contains(body, `"in_flight":0,"quota":null}`) {
		t.Errorf("the operator sees %s", body)
	}
	write("acme: {rate: many}\n")
	if code, body := n.Ask("POST", "/admin/reload", `{"only":["quotas"]}`); code != 409 {
		t.Errorf("a broken file: got %d %s", code, body)
	}
	write("acme: {}\n")
	if code, body := n.Ask("POST", "/admin/reload", `{"only":["quotas"]}`); code != 200 {
		t.Errorf("got %d %s", code, body)
	}
	n.Want(n.Command(id, `{"type":"deposit","amount":1}`), 200, 3)
}

// TestShardedLayout: the same through four streams, and through a restart.
func TestShardedLayout(t *testing.T) {
	t.Setenv("AGGREGATE_STREAM_LAYOUT", "sharded(4)")
	data := t.TempDir()
	n := start(t, bank, data)
	ids := make([]aggregate.ID, 12)
	for i := range ids {
		ids[i] = aggregate.NewID()
		n.Want(n.Command(ids[i], `{"type":"open_account","initial_balance":7}`), 200, 1)
		n.Want(n.Command(ids[i], `{"type":"deposit","amount":1}`), 200, 2)
	}
	n.Kill()
	n = start(t, bank, data)
	for _, id := range ids {
		if s := n.State(id); string(s.State["balance"]) != "8" || s.Version != 2 {
			t.Errorf("got %s", s.Raw)
		}
	}
	if code, body := n.Ask("GET", "/health", ""); code != 200 || !strings.Contains(body, `"breakers":{"store":"closed","stream":"closed"}`) {
		t.Errorf("got %d %s", code, body)
	}
	if code := n.Stop(); code != 0 {
		t.Fatalf("exit %d", code)
	}
	c := aggd("verify", bank, "--data", data)
	if out, _ := c.CombinedOutput(); c.ProcessState.ExitCode() != 0 || !strings.Contains(string(out), "24 messages, 24 commits, 24 events, 12 aggregates; 12 replayed") {
		t.Errorf("verify: exit %d %s", c.ProcessState.ExitCode(), out)
	}
}
