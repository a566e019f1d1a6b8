package server

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/internal/server/auth"
)

// fakeProbe is a node in a given state.
type fakeProbe struct{ ok bool }

var _ Probe = fakeProbe{}

func (f fakeProbe) Health(context.Context) Health {
	return Health{Healthy: f.ok, NATSConnected: f.ok, StorageConnected: true, ActiveAggregates: 3}
}

func (f fakeProbe) Ready(context.Context) []Check {
	return []Check{{Name: "stream", OK: f.ok}, {Name: "storage", OK: true}}
}

// fakeOperator keeps what it was asked for.
type fakeOperator struct {
	asked []string
	level string
}

var _ Operator = (*fakeOperator)(nil)

func (f *fakeOperator) Tenants() []Tenant {
	return []Tenant{{TenantID: "acme", Aggregates: 2}}
}

func (f *fakeOperator) Drain(_ context.Context, t *aggregate.TenantID) error {
	f.asked = append(f.asked, "drain "+name(t))
	return nil
}

func (f *fakeOperator) Resume(t *aggregate.TenantID) { f.asked = append(f.asked, "resume "+name(t)) }

func (f *fakeOperator) Reload(_ context.Context, only []string) []Reloaded {
	f.asked = append(f.asked, "reload "+strings.Join(only, ","))
	if slices.Contains(only, "bad") {
		return []Reloaded{{What: "bad", Error: "no"}}
	}
	return []Reloaded{{What: "manifests", Changed: true}}
}

func (f *fakeOperator) Manifests() ManifestSet {
	return ManifestSet{Hash: "sha256:0", Types: []aggregate.Type{"Account"}}
}

func (f *fakeOperator) LogLevel(set string) (string, error) {
	if set == "loud" {
		return "", errors.New("no such level")
	}
	if set != "" {
		f.level = set
	}
	return f.level, nil
}

func name(t *aggregate.TenantID) string {
	if t == nil {
		return "all"
	}
	return string(*t)
}

var testMetrics = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("m 1\n")) })

func TestAdmin(t *testing.T) {
	tests := []struct {
		method, path, body string
		ok                 bool
		status             int
		want, asked        string
	}{
		{"GET", "/health", "", true, 200, `"healthy":true,"nats_connected":true,"storage_connected":true,"active_aggregates":3`, ""},
		{"GET", "/health", "", false, 503, `"healthy":false,"nats_connected":false`, ""},
		{"GET", "/ready", "", true, 200, `{"ready":true}`, ""},
		{"GET", "/ready?verbose", "", true, 200, `"checks":[{"name":"stream","ok":true}`, ""},
		{"GET", "/ready", "", false, 503, `"checks":[{"name":"stream","ok":false}`, ""},
		{"GET", "/metrics", "", true, 200, "m 1", ""},
		{"GET", "/admin/tenants", "", true, 200, `[{"tenant_id":"acme","aggregate_count":2,"last_activity":null`, ""},
		{"GET", "/admin/manifests", "", true, 200, `"hash":"sha256:0"`, ""},
		{"POST", "/admin/drain", `{"tenant_id":"acme"}`, true, 200, `"drained":true`, "drain acme"},
		{"POST", "/admin/drain", `{"tenant_id":""}`, true, 200, `"drained":true`, "drain "},
		{"POST", "/admin/drain", "", true, 200, `"drained":true`, "drain all"},
		{"POST", "/admin/drain", `{"tenant_id":"a.b"}`, true, 400, "validation_error", ""},
		{"POST", "/admin/drain", `{"tenant":"acme"}`, true, 400, "unknown field", ""},
		{"POST", "/admin/drain", `{"tenant_id":"acme"} {"tenant_id":"globex"}`, true, 400, "one JSON object", ""},
		{"POST", "/admin/resume", `{"tenant_id":"acme"}`, true, 200, `"drained":false`, "resume acme"},
		{"POST", "/admin/reload", "", true, 200, `"what":"manifests","changed":true`, "reload "},
		{"POST", "/admin/reload", `{"only":["bad"]}`, true, 409, `"error":"no"`, "reload bad"},
		{"PUT", "/admin/log-level", "debug\n", true, 200, `"level":"debug"`, ""},
		{"PUT", "/admin/log-level", "loud", true, 400, "no such level", ""},
		{"PUT", "/admin/log-level", "", true, 400, "is expected", ""},
		{"GET", "/admin/drain", "", true, 404, "POST /admin/drain", ""},
		{"GET", "/debug/pprof/", "", true, 200, "goroutine", ""},
		{"GET", "/nowhere", "", true, 404, "no_such_route", ""},
	}
	for _, tt := range tests {
		t.Run(tt.method+tt.path+tt.body, func(t *testing.T) {
			op := &fakeOperator{}
			resp, body := ask(t, Admin(fakeProbe{tt.ok}, op, testMetrics, nil), tt.method, tt.path, tt.body)
			if resp.StatusCode != tt.status || !strings.Contains(body, tt.want) || strings.Join(op.asked, ";") != tt.asked {
				t.Errorf("got %d %s, asked %v, want %d %s", resp.StatusCode, body, op.asked, tt.status, tt.want)
			}
		})
	}
}

// fakeAuth knows its tokens.
type fakeAuth map[string]auth.Identity

var _ auth.Authenticator = fakeAuth(nil)

func (f fakeAuth) Authenticate(_ context.Context, token string) (auth.Identity, error) {
	if id, ok := f[token]; ok {
		return id, nil
	}
	return auth.Identity{}, auth.ErrUnauthenticated
}

func TestAdminNeedsAnAdmin(t *testing.T) {
	h := Admin(fakeProbe{true}, &fakeOperator{}, testMetrics, fakeAuth{"root": {Admin: true}, "user": {}})
	tests := []struct {
		path, header string
		status       int
	}{
		{"/health", "", 200}, {"/ready", "", 200}, {"/metrics", "", 401}, {"/admin/tenants", "Bearer x", 401},
		{"/admin/tenants", "Bearer user", 403}, {"/admin/tenants", "Bearer root", 200}, {"/metrics", "bearer root", 200}, {"/debug/pprof/", "Basic root", 401},
	}
	for _, tt := range tests {
		if resp, body := ask(t, h, "GET", tt.path, "", "Authorization", tt.header); resp.StatusCode != tt.status {
			t.Errorf("%s %s: got %d %s, want %d", tt.path, tt.header, resp.StatusCode, body, tt.status)
		}
	}
}

func TestDoorsAuthenticate(t *testing.T) {
	f := &fakeCommands{submit: accept}
	p := Policy{MaxBody: 1000, TrustRoles: true, Auth: fakeAuth{"ann": {Actor: "ann", Tenant: "acme", Roles: []string{"teller"}}, "gw": {Actor: "gw", AnyTenant: true}}}
	tests := []struct {
		name, header, tenant string
		status               int
		want                 aggregate.TenantID
	}{
		{"no token", "", "acme", 401, ""},
		{"unknown token", "Bearer eve", "acme", 401, ""},
		{"own tenant", "Bearer ann", "acme", 200, "acme"},
		{"tenant of the token", "Bearer ann", "", 200, "acme"},
		{"another tenant", "Bearer ann", "globex", 403, ""},
		{"any tenant", "Bearer gw", "globex", 200, "globex"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f.last = nil
			resp, body := ask(t, REST(f, nil, nil, p), "POST", "/v1/aggregates/Account/"+testID+"/commands", `{}`, "Authorization", tt.header, "x-tenant-id", tt.tenant, "x-roles", "manager", "x-actor", "eve")
			if resp.StatusCode != tt.status || tt.status != 200 && f.last != nil {
				t.Fatalf("got %d %s, reached the engine: %v", resp.StatusCode, body, f.last != nil)
			}
			if tt.status == 401 && resp.Header.Get("WWW-Authenticate") == "" {
				t.Error("401 without WWW-Authenticate")
			}
			if tt.status == 200 && (f.last.TenantID != tt.want || slices.Contains(f.last.Roles, "manager") || f.last.Actor == "eve") {
				t.Errorf("got %+v", f.last)
			}
		})
	}
}
