package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cloudlysis/aggregate"
)

const (
	testID  = "0192f0c1-2d3e-7a4b-8c5d-6e7f8a9b0c1d"
	testCmd = "0192f0c1-2d3e-7a4b-8c5d-6e7f8a9b0c1e"
)

// ask sends one request to a real HTTP server on loopback.
func ask(t *testing.T, h http.Handler, method, path, body string, hdr ...string) (*http.Response, string) {
	t.Helper()
	srv := httptest.NewServer(h)
	defer srv.Close()
	req, err := http.NewRequest(method, srv.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(hdr); i += 2 {
		req.Header.Set(hdr[i], hdr[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(b)
}

func TestRESTCommand(t *testing.T) {
	f := &fakeCommands{submit: accept}
	h := REST(f, fakeEvents(nil), nil, Policy{MaxBody: 1000, TrustRoles: true})
	resp, body := ask(t, h, "POST", "/v1/aggregates/Account/"+strings.ToUpper(testID)+"/commands", `{"type":"deposit","amount":1}`,
		"x-tenant-id", "acme", "idempotency-key", testCmd, "if-match", `"7"`, "x-roles", "teller, manager", "x-meta-source", "atm",
		"x-correlation-id", "c-1", "traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	want := `{"tenant_id":"acme","aggregate_type":"Account","aggregate_id":"` + testID + `","command_id":"` + testCmd + `","version":1,"events":[` +
		`{"event_id":"00000000-0000-0000-0000-000000000001","version":1,"event_type":"deposited","schema":1,"payload":{"amount":9007199254740993},"timestamp":"2026-01-02T03:04:05.000000006Z"}` +
		`],"duplicate":false,"token":"t"}`
	if resp.StatusCode != 200 || body != want {
		t.Errorf("got %d %s\nwant %s", resp.StatusCode, body, want)
	}
	c := f.last
	if c.ExpectedVersion == nil || *c.ExpectedVersion != 7 || strings.Join(c.Roles, "|") != "teller|manager" {
		t.Errorf("got version %v, roles %v", c.ExpectedVersion, c.Roles)
	}
	if c.Metadata["source"] != "atm" || c.Metadata["correlation_id"] != "c-1" || !strings.HasPrefix(c.Metadata["traceparent"], "00-0af7") {
		t.Errorf("got metadata %v", c.Metadata)
	}
}

func TestRESTRolesNeedTrust(t *testing.T) {
	f := &fakeCommands{submit: accept}
	ask(t, REST(f, nil, nil, Policy{MaxBody: 1000}), "POST", "/v1/aggregates/Account/"+testID+"/commands", `{}`, "x-roles", "manager", "x-actor", "eve")
	if len(f.last.Roles) != 0 || f.last.Actor != "" {
		t.Errorf("got roles %v, actor %q from an untrusted header", f.last.Roles, f.last.Actor)
	}
}

// TestT10_2TenantHeader … T10_4: the tenant comes from x-tenant-id, its absence is the default
// (or an error when required), its form is checked.
func TestT10_2to4TenantHeader(t *testing.T) {
	tests := []struct {
		name, header string
		policy       Policy
		status       int
		tenant       aggregate.TenantID
	}{
		{"given", "acme-corp", Policy{}, 200, "acme-corp"},
		{"absent", "", Policy{}, 200, ""},
		{"absent with a default", "", Policy{TenantDefault: "main"}, 200, "main"},
		{"absent but required", "", Policy{TenantRequired: true}, 400, ""},
		{"invalid", "invalid@tenant!", Policy{}, 400, ""},
		{"wildcard", "*", Policy{}, 400, ""},
		{"dot", "a.b", Policy{}, 400, ""},
		{"the empty tenant's token", "_", Policy{}, 400, ""},
		{"too long", strings.Repeat("a", 64), Policy{}, 400, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := &fakeCommands{submit: accept}
			tt.policy.MaxBody = 1000
			resp, body := ask(t, REST(f, nil, nil, tt.policy), "POST", "/v1/aggregates/Account/"+testID+"/commands", `{}`, "x-tenant-id", tt.header)
			if resp.StatusCode != tt.status {
				t.Fatalf("got %d %s, want %d", resp.StatusCode, body, tt.status)
			}
			if tt.status == 200 && f.last.TenantID != tt.tenant {
				t.Errorf("got tenant %q, want %q", f.last.TenantID, tt.tenant)
			}
			if tt.status != 200 && (f.last != nil || !strings.Contains(body, `"code":"validation_error"`)) {
				t.Errorf("got %s, reached the engine: %v", body, f.last != nil)
			}
		})
	}
}

func TestRESTRefusesBadRequests(t *testing.T) {
	path := "/v1/aggregates/Account/" + testID + "/commands"
	tests := []struct {
		name, path, body string
		hdr              []string
		status           int
		code             string
	}{
		{"bad id", "/v1/aggregates/Account/42/commands", `{}`, nil, 400, "validation_error"},
		{"braces around an id", "/v1/aggregates/Account/{" + testID + "}/commands", `{}`, nil, 400, "validation_error"},
		{"bad type", "/v1/aggregates/account/" + testID + "/commands", `{}`, nil, 400, "validation_error"},
		{"wildcard type", "/v1/aggregates/A%3E/" + testID + "/commands", `{}`, nil, 400, "validation_error"},
		{"bad key", path, `{}`, []string{"idempotency-key", "x"}, 400, "validation_error"},
		{"bad version", path, `{}`, []string{"if-match", "new"}, 400, "validation_error"},
		{"own meta", path, `{}`, []string{"x-meta-actor", "eve"}, 400, "validation_error"},
		{"long correlation", path, `{}`, []string{"x-correlation-id", strings.Repeat("c", 129)}, 400, "validation_error"},
		{"too large", path, strings.Repeat(" ", 1001), nil, 413, "too_large"},
		{"not json", path, `{}`, []string{"content-type", "text/xml"}, 400, "validation_error"},
		{"query parameter", path + "?dry_run=true", `{}`, nil, 400, "validation_error"},
		{"query parameter of a simulation", strings.TrimSuffix(path, "/commands") + ":simulate?at=1", `{}`, nil, 400, "validation_error"},
		{"other method", strings.TrimSuffix(path, "/commands") + "/events", `{}`, nil, 405, "method_not_allowed"},
		{"no route", "/v1/nothing", ``, nil, 404, "no_such_route"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := &fakeCommands{submit: accept}
			resp, body := ask(t, REST(f, nil, nil, Policy{MaxBody: 1000}), "POST", tt.path, tt.body, tt.hdr...)
			if resp.StatusCode != tt.status || !strings.Contains(body, `"code":"`+tt.code+`"`) || f.last != nil {
				t.Errorf("got %d %s (reached the engine: %v), want %d %s", resp.StatusCode, body, f.last != nil, tt.status, tt.code)
			}
			if ct := resp.Header.Get("Content-Type"); ct != "application/problem+json" {
				t.Errorf("got content type %s", ct)
			}
		})
	}
}

func TestRESTErrors(t *testing.T) {
	key := aggregate.Key{Type: "Account"}
	tests := []struct {
		err    error
		status int
		want   string
	}{
		{&aggregate.RejectedError{Code: "insufficient_funds", Message: "no"}, 422, `"code":"insufficient_funds","detail":"no"`},
		{&aggregate.RejectedError{Code: "not_found"}, 404, `"code":"not_found"`},
		{&aggregate.RejectedError{Code: "already_exists"}, 409, `"code":"already_exists"`},
		{&aggregate.RejectedError{Code: "forbidden"}, 403, `"code":"forbidden"`},
		{&aggregate.ValidationError{Path: "amount", Message: "missing"}, 400, `"errors":[{"path":"amount","message":"missing"}]`},
		{fmt.Errorf("x: %w", aggregate.ErrCommandIDReused), 422, `"code":"command_id_reused"`},
		{&aggregate.TenantAccessDeniedError{TenantID: "b"}, 403, `"code":"tenant_access_denied"`},
		{&aggregate.VersionConflictError{Expected: 3, Actual: 5}, 409, `"expected":3,"actual":5`},
		{&aggregate.NotFoundError{Key: key}, 404, `"code":"not_found"`},
		{&aggregate.FaultError{Kind: "overflow", Rule: "decide x", File: "a.agg", Line: 3, Gas: 7}, 500, `"fault":"overflow","rule":"decide x","file":"a.agg","line":3,"gas":7`},
		{&aggregate.FaultError{Kind: "overflow", Apply: true}, 500, `"code":"apply_error"`},
		{&aggregate.FaultError{Kind: "gas"}, 429, `"fault":"gas"`},
		{aggregate.ErrTooLarge, 413, `"code":"too_large"`},
		{&aggregate.UnavailableError{Reason: aggregate.ErrInDoubt, RetryAfter: 2 * time.Second}, 503, `"code":"outcome_unknown"`},
		{aggregate.ErrStream, 503, `"code":"stream_error"`},
		{aggregate.ErrStorage, 503, `"code":"storage_error"`},
		{aggregate.ErrManifestBehind, 503, `"code":"manifest_behind"`},
		{aggregate.ErrClock, 503, `"code":"clock"`},
		{aggregate.ErrRehydration, 500, `"code":"rehydration_error"`},
		{aggregate.ErrQuota, 429, `"code":"quota"`},
		{aggregate.ErrUnavailable, 503, `"code":"unavailable"`},
		{errors.New("secret path /etc"), 500, `"code":"internal"}`},
	}
	for _, tt := range tests {
		t.Run(tt.err.Error(), func(t *testing.T) {
			f := &fakeCommands{submit: func(*aggregate.Command) (*aggregate.Reply, error) { return nil, tt.err }}
			resp, body := ask(t, REST(f, nil, nil, Policy{MaxBody: 1000}), "POST", "/v1/aggregates/Account/"+testID+"/commands", `{}`, "idempotency-key", testCmd)
			want := strings.TrimSuffix(tt.want, "}")
			if resp.StatusCode != tt.status || !strings.Contains(body, want) || !strings.Contains(body, testCmd) {
				t.Errorf("got %d %s, want %d %s and the command id", resp.StatusCode, body, tt.status, want)
			}
			if strings.Contains(body, "secret") {
				t.Errorf("an internal error's text is shown: %s", body)
			}
			if tt.status == 503 && resp.Header.Get("Retry-After") == "" {
				t.Error("503 without Retry-After")
			}
		})
	}
}

func TestRESTReads(t *testing.T) {
	f := &fakeCommands{state: func(k aggregate.Key) (*aggregate.State, error) {
		if k.Tenant != "acme" {
			return nil, &aggregate.NotFoundError{Key: k}
		}
		return &aggregate.State{TenantID: k.Tenant, AggregateType: k.Type, AggregateID: k.ID, Version: 4, State: []byte(`{"balance":0.10}`), Derived: []byte(`{}`)}, nil
	}}
	h := REST(f, fakeEvents{testEvent(1), testEvent(2)}, nil, Policy{})
	path := "/v1/aggregates/Account/" + testID
	if resp, body := ask(t, h, "GET", path, "", "x-tenant-id", "acme"); resp.StatusCode != 200 || !strings.Contains(body, `"version":4,"state":{"balance":0.10},"derived":{}`) || resp.Header.Get("ETag") != `"4"` {
		t.Errorf("got %d %s", resp.StatusCode, body)
	}
	if resp, body := ask(t, h, "GET", path, "", "x-tenant-id", "other"); resp.StatusCode != 404 {
		t.Errorf("another tenant: got %d %s, want 404", resp.StatusCode, body)
	}
	if resp, body := ask(t, h, "GET", path+"/events?after=1", ""); resp.StatusCode != 200 || strings.Count(body, "event_id") != 1 || !strings.Contains(body, `"version":2`) {
		t.Errorf("got %d %s", resp.StatusCode, body)
	}
	if resp, body := ask(t, h, "GET", path+"/events?after=-1", ""); resp.StatusCode != 400 {
		t.Errorf("got %d %s, want 400", resp.StatusCode, body)
	}
	// A parameter that is ignored would be answered with another state than was asked for.
	for _, query := range []string{"?version=2", "?at=2026-01-01T00:00:00Z", "/events?schema=current", "/events?after=1&after_version=1", "/events?after=%zz", "?;"} {
		if resp, body := ask(t, h, "GET", path+query, "", "x-tenant-id", "acme"); resp.StatusCode != 400 || !strings.Contains(body, "validation_error") {
			t.Errorf("%s: got %d %s, want 400", query, resp.StatusCode, body)
		}
	}
	if resp, body := ask(t, h, "DELETE", path, ""); resp.StatusCode != 405 || resp.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("got %d %v %s", resp.StatusCode, resp.Header, body)
	}
	if resp, _ := ask(t, h, "HEAD", path, "", "x-tenant-id", "acme"); resp.StatusCode != 200 || resp.Header.Get("ETag") != `"4"` {
		t.Errorf("HEAD: got %d %v", resp.StatusCode, resp.Header)
	}
	if resp, body := ask(t, REST(f, fakeEvents(nil), nil, Policy{}), "GET", path+"/events", ""); resp.StatusCode != 404 {
		t.Errorf("no events: got %d %s, want 404", resp.StatusCode, body)
	}
}

// failingEvents yields events without end, of which the failing one is an error.
type failingEvents struct{ failing aggregate.Version }

func (f failingEvents) Events(context.Context, aggregate.Key, aggregate.Version) iter.Seq2[aggregate.Event, error] {
	return func(yield func(aggregate.Event, error) bool) {
		for v := aggregate.Version(1); v < f.failing && yield(testEvent(v), nil); v++ {
		}
		yield(aggregate.Event{}, aggregate.ErrRehydration)
	}
}

// TestLongListOfEvents: it is sent as it is read, and an error in the middle does not pass for its end.
func TestLongListOfEvents(t *testing.T) {
	many := make(fakeEvents, 5000)
	for i := range many {
		many[i] = testEvent(aggregate.Version(i + 1))
	}
	url := "/v1/aggregates/Account/" + testID + "/events"
	srv := httptest.NewServer(REST(&fakeCommands{}, many, nil, Policy{}))
	defer srv.Close()
	resp, err := http.Get(srv.URL + url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var list struct {
		Events []struct{ Version aggregate.Version }
	}
	if err := json.NewDecoder(resp.Body).Decode(&list); err != nil {
		t.Fatal(err)
	}
	for i, e := range list.Events {
		if e.Version != aggregate.Version(i+1) {
			t.Fatalf("event %d has version %d", i, e.Version)
		}
	}
	if len(list.Events) != len(many) || resp.ContentLength != -1 || resp.Header.Get("Content-Type") != "application/json" {
		t.Errorf("got %d events, length %d, %s; want %d, sent in pieces", len(list.Events), resp.ContentLength, resp.Header.Get("Content-Type"), len(many))
	}

	broken := httptest.NewServer(REST(&fakeCommands{}, failingEvents{4000}, nil, Policy{}))
	defer broken.Close()
	resp, err = http.Get(broken.URL + url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, err := io.ReadAll(resp.Body); err == nil {
		t.Errorf("it ended well after %d bytes: %.80s", len(b), b[len(b)-80:])
	}
	if resp, body := ask(t, REST(&fakeCommands{}, failingEvents{40}, nil, Policy{}), "GET", url, ""); resp.StatusCode != 500 {
		t.Errorf("an error before anything was sent: got %d %s", resp.StatusCode, body)
	}
}

func TestRESTSimulate(t *testing.T) {
	f := &fakeCommands{submit: accept}
	h := REST(f, nil, nil, Policy{MaxBody: 1000})
	path := "/v1/aggregates/Account/" + testID + ":simulate"
	resp, body := ask(t, h, "POST", path, `{"type":"deposit"}`, "x-tenant-id", "acme", "idempotency-key", testCmd)
	want := `{"tenant_id":"acme","aggregate_type":"Account","aggregate_id":"` + testID + `","command_id":"` + testCmd + `","version":1,"accepted":true,"events":[` +
		`{"event_id":"00000000-0000-0000-0000-000000000001","version":1,"event_type":"deposited","schema":1,"payload":{"amount":9007199254740993},"timestamp":"2026-01-02T03:04:05.000000006Z"}` +
		`],"state":{"balance":1},"derived":{},"gas":7,"trace":[{"rule":"decide deposit","file":"a.agg","line":3,"gas":7}]}`
	if resp.StatusCode != 200 || body != want {
		t.Errorf("got %d %s\nwant %s", resp.StatusCode, body, want)
	}
	f.submit = func(*aggregate.Command) (*aggregate.Reply, error) {
		return nil, &aggregate.RejectedError{Code: "insufficient_funds", Message: "no"}
	}
	if resp, body := ask(t, h, "POST", path, `{}`); resp.StatusCode != 200 || !strings.Contains(body, `"accepted":false,"problem":{"title":"Rejected","status":422,"code":"insufficient_funds"`) {
		t.Errorf("refused: got %d %s", resp.StatusCode, body)
	}
	if resp, body := ask(t, h, "POST", "/v1/aggregates/Account/"+testID, `{}`); resp.StatusCode != 404 || !strings.Contains(body, "no_such_route") {
		t.Errorf("without a verb: got %d %s", resp.StatusCode, body)
	}
}

func TestAppendStringIsJSON(t *testing.T) {
	for _, s := range []string{"", "plain", `a"b`, "a\\b", "\x00\n", "é", "<&>"} {
		var got string
		if err := jsonUnmarshal(appendString(nil, s), &got); err != nil || got != s {
			t.Errorf("%q: got %q, %v", s, got, err)
		}
	}
}

// TestOneHeaderSaysWho: a proxy that adds x-tenant-id or a token behind the client's own must not
// have the client's believed, on any door.
func TestOneHeaderSaysWho(t *testing.T) {
	p := Policy{Auth: fakeAuth{"a": {AnyTenant: true}, "b": {AnyTenant: true}}}
	for _, h := range []headers{
		httpHeaders{"Authorization": {"Bearer a"}, "X-Tenant-Id": {"acme", "globex"}},
		httpHeaders{"Authorization": {"Bearer a", "Bearer b"}, "X-Tenant-Id": {"acme"}},
		grpcHeaders{"authorization": {"Bearer a"}, "x-tenant-id": {"acme", "globex"}},
		natsHeaders{"authorization": {"Bearer a"}, "x-tenant-id": {"acme"}, "X-Tenant-Id": {"globex"}},
		natsHeaders{"authorization": {"Bearer a"}, "Authorization": {"Bearer b"}},
	} {
		var invalid *aggregate.ValidationError
		if c, err := p.caller(t.Context(), h); !errors.As(err, &invalid) {
			t.Errorf("%v: got %+v, %v", h, c, err)
		}
	}
	for _, h := range []headers{
		httpHeaders{"Authorization": {"Bearer a"}, "X-Tenant-Id": {"acme", "acme"}},
		grpcHeaders{"authorization": {"Bearer a"}, "x-tenant-id": {"acme"}},
		natsHeaders{"Authorization": {"Bearer a"}, "x-tenant-id": {"acme"}},
	} {
		if c, err := p.caller(t.Context(), h); err != nil || c.tenant != "acme" {
			t.Errorf("%v: got %+v, %v", h, c, err)
		}
	}
}
