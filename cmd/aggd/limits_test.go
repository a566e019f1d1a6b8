package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/internal/aggdtest"
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

// TestLayouts: the same three tenants on every layout, through a kill, a restart and a check; each
// layout's data is then refused to another one.
func TestLayouts(t *testing.T) {
	next := map[string]string{"single": "per_tenant", "sharded(4)": "per_type", "per_tenant": "per_type", "per_type": "single"}
	for _, tt := range []struct {
		layout  string
		streams []string // that hold events; nil: any
	}{
		{"single", []string{"AGGREGATE_EVENTS"}},
		{"sharded(4)", nil},
		{"per_tenant", []string{"AGGREGATE_EVENTS_T__", "AGGREGATE_EVENTS_T_acme", "AGGREGATE_EVENTS_T_globex"}},
		{"per_type", []string{"AGGREGATE_EVENTS_Y_Account"}},
	} {
		t.Run(tt.layout, func(t *testing.T) {
			t.Setenv("AGGREGATE_STREAM_LAYOUT", tt.layout)
			data := t.TempDir()
			n := start(t, bank, data, "--snapshot-threshold", "2")
			tenants := []string{"acme", "globex", ""}
			ids := make([]aggregate.ID, 12)
			for i := range ids {
				ids[i] = aggregate.NewID()
				tenant := tenants[i%3]
				n.Want(n.Command(ids[i], `{"type":"open_account","initial_balance":7}`, "X-Tenant-Id", tenant), 200, 1)
				n.Want(n.Command(ids[i], `{"type":"deposit","amount":1}`, "X-Tenant-Id", tenant), 200, 2)
			}
			if r := n.Do("GET", "/v1/aggregates/Account/"+ids[0].String(), "", "X-Tenant-Id", "initech"); r.Status != 404 {
				t.Errorf("a tenant without anything: got %s", r.Raw)
			}
			n.Kill()
			n = start(t, bank, data)
			for i, id := range ids {
				s := n.Do("GET", "/v1/aggregates/Account/"+id.String(), "", "X-Tenant-Id", tenants[i%3])
				if string(s.State["balance"]) != "8" || s.Version != 2 {
					t.Errorf("got %s", s.Raw)
				}
			}
			if code, body := n.Ask("GET", "/health", ""); code != 200 || !strings.Contains(body, `"breakers":{"store":"closed","stream":"closed"}`) {
				t.Errorf("got %d %s", code, body)
			}
			if code := n.Stop(); code != 0 {
				t.Fatalf("exit %d", code)
			}
			if got := streamFolders(t, data); tt.streams != nil && !slices.Equal(got, tt.streams) {
				t.Errorf("the streams are %v", got)
			}
			c := aggd("verify", bank, "--data", data)
			if out, _ := c.CombinedOutput(); c.ProcessState.ExitCode() != 0 || !strings.Contains(string(out), "24 messages, 24 commits, 24 events, 12 aggregates; 12 replayed, 12 snapshots compared, 0 of other rules; damage: 0") {
				t.Errorf("verify: exit %d %s", c.ProcessState.ExitCode(), out)
			}
			c = aggd("verify", bank, "--data", data)
			c.Env = append(c.Env, "AGGREGATE_STREAM_LAYOUT="+next[tt.layout])
			if out, _ := c.CombinedOutput(); c.ProcessState.ExitCode() != 3 || !strings.Contains(string(out), "another stream.layout") {
				t.Errorf("read as %s: exit %d %s", next[tt.layout], c.ProcessState.ExitCode(), out)
			}
		})
	}
}

// streamFolders lists the event streams in the data of a stopped node.
func streamFolders(t *testing.T, data string) (names []string) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(data, "nats/jetstream/*/streams/AGGREGATE_EVENTS*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range found {
		names = append(names, filepath.Base(p))
	}
	slices.Sort(names)
	return names
}

// TestInventedTenants: without authentication anybody may name a tenant; what that can cost is bounded,
// and neither the tenants that are there nor their reads are touched.
func TestInventedTenants(t *testing.T) {
	t.Setenv("AGGREGATE_STREAM_LAYOUT", "per_tenant")
	t.Setenv("AGGREGATE_STREAM_MAX_STREAMS", "2")
	data := t.TempDir()
	n := start(t, bank, data)
	id := aggregate.NewID()
	open := func(tenant string) aggdtest.Reply {
		return n.Command(id, `{"type":"open_account","initial_balance":7}`, "X-Tenant-Id", tenant)
	}
	n.Want(open("acme"), 200, 1)
	for i := range 5 { // refused by the rules: nothing is made
		if r := n.Command(id, `{"type":"deposit","amount":1}`, "X-Tenant-Id", "x"+string(rune('a'+i))); r.Status != 404 {
			t.Errorf("got %s", r.Raw)
		}
	}
	n.Want(open("globex"), 200, 1)
	for i := range 5 {
		r := open("x" + string(rune('a'+i)))
		if r.Status != 429 || r.Code != "quota" || !strings.Contains(r.Detail, "stream.max_streams is 2") {
			t.Errorf("got %s", r.Raw)
		}
	}
	n.Want(n.Command(id, `{"type":"deposit","amount":1}`), 200, 2)
	if code := n.Stop(); code != 0 {
		t.Fatalf("exit %d", code)
	}
	if got := streamFolders(t, data); !slices.Equal(got, []string{"AGGREGATE_EVENTS_T_acme", "AGGREGATE_EVENTS_T_globex"}) {
		t.Errorf("the streams are %v", got)
	}
}

// TestExclusiveIDsPerType: an id belongs to one tenant there too; per_tenant refuses to start so.
func TestExclusiveIDsPerType(t *testing.T) {
	t.Setenv("AGGREGATE_TENANCY_IDS", "exclusive")
	t.Setenv("AGGREGATE_STREAM_LAYOUT", "per_tenant")
	c := aggd("serve", bank, "--data", t.TempDir())
	if out, _ := c.CombinedOutput(); c.ProcessState.ExitCode() != 2 || !strings.Contains(string(out), "stream.layout: tenancy.ids: exclusive") {
		t.Errorf("exit %d %s", c.ProcessState.ExitCode(), out)
	}
	t.Setenv("AGGREGATE_STREAM_LAYOUT", "per_type")
	n := start(t, bank, t.TempDir())
	id := aggregate.NewID()
	n.Want(n.Command(id, `{"type":"open_account","initial_balance":7}`), 200, 1)
	if r := n.Command(id, `{"type":"open_account"}`, "X-Tenant-Id", "globex"); r.Status != 403 {
		t.Errorf("got %s", r.Raw)
	}
}

// TestTenantIsDeleted: per_tenant, a stopped node and one folder less: that tenant begins anew, whatever its
// snapshots say, and the others have lost nothing.
func TestTenantIsDeleted(t *testing.T) {
	t.Setenv("AGGREGATE_STREAM_LAYOUT", "per_tenant")
	data := t.TempDir()
	n := start(t, bank, data, "--snapshot-threshold", "1")
	id := aggregate.NewID()
	for _, tenant := range []string{"acme", "globex"} {
		n.Want(n.Command(id, `{"type":"open_account","initial_balance":7}`, "X-Tenant-Id", tenant), 200, 1)
		n.Want(n.Command(id, `{"type":"deposit","amount":1}`, "X-Tenant-Id", tenant), 200, 2)
	}
	if code := n.Stop(); code != 0 {
		t.Fatalf("exit %d", code)
	}
	if err := os.RemoveAll(filepath.Join(data, "nats/jetstream/AGGREGATE/streams/AGGREGATE_EVENTS_T_acme")); err != nil {
		t.Fatal(err)
	}
	n = start(t, bank, data)
	if s := n.Do("GET", "/v1/aggregates/Account/"+id.String(), ""); s.Status != 404 {
		t.Errorf("got %s", s.Raw)
	}
	if s := n.Do("GET", "/v1/aggregates/Account/"+id.String(), "", "X-Tenant-Id", "globex"); string(s.State["balance"]) != "8" {
		t.Errorf("got %s", s.Raw)
	}
	n.Want(n.Command(id, `{"type":"open_account","initial_balance":3}`), 200, 1)
}
