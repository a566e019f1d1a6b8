package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/pprof"
	"strings"
	"time"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/internal/server/auth"
)

// Health is what /health tells.
type Health struct {
	Healthy          bool   `json:"healthy"`
	NATSConnected    bool   `json:"nats_connected"`
	StorageConnected bool   `json:"storage_connected"`
	ActiveAggregates int    `json:"active_aggregates"`
	Durability       string `json:"durability"` // how replies are made durable, such as "group (fsync of changed blocks)"
	// Breakers are the circuits: closed, half_open or open.
	Breakers map[string]string `json:"breakers"`
	Manifest string            `json:"manifest"` // hash of the manifest set in force
	Version  string            `json:"version"`
}

// Check is one condition of /ready.
type Check struct {
	Name  string `json:"name"`
	OK    bool   `json:"ok"`
	Error string `json:"error,omitempty"`
}

// Probe tells how the node is.
type Probe interface {
	Health(ctx context.Context) Health
	// Ready gives every condition for taking commands.
	Ready(ctx context.Context) []Check
}

// Tenant is one row of /admin/tenants.
type Tenant struct {
	TenantID     aggregate.TenantID `json:"tenant_id"`
	Aggregates   int                `json:"aggregate_count"` // live here
	LastActivity *time.Time         `json:"last_activity"`   // null: none since the start
	Draining     bool               `json:"draining"`
	InFlight     int                `json:"in_flight"` // commands and reads that wait or are under way
	Quota        *TenantQuota       `json:"quota"`     // null: no bound
}

// TenantQuota are the bounds of a tenant; 0 is none.
type TenantQuota struct {
	Rate     float64 `json:"rate"`  // new commands a second
	Burst    int     `json:"burst"` // at once after a pause; 0: a second's worth
	InFlight int     `json:"in_flight"`
	Active   int     `json:"active"` // bounds aggregate_count
}

// Reloaded is what a reload did with one thing.
type Reloaded struct {
	What    string `json:"what"` // such as manifests
	Changed bool   `json:"changed"`
	Detail  string `json:"detail,omitempty"`
	Error   string `json:"error,omitempty"` // the old one stays in force
	// Findings are all that is wrong, such as each diagnostic of the manifests.
	Findings []string `json:"findings,omitempty"`
}

// ManifestSet is the set in force.
type ManifestSet struct {
	Hash   string           `json:"hash"`
	Engine string           `json:"engine"`
	Types  []aggregate.Type `json:"types"`
}

// Operator does what the admin door asks for.
type Operator interface {
	Tenants() []Tenant
	// Drain refuses new commands of a tenant, or of all when nil, and returns when what was under
	// way is settled. Draining again is no error.
	Drain(ctx context.Context, tenant *aggregate.TenantID) error
	// Resume takes a Drain back.
	Resume(tenant *aggregate.TenantID)
	// Reload takes up what has changed outside: only the named things, or all when none is named.
	Reload(ctx context.Context, only []string) []Reloaded
	Manifests() ManifestSet
	// LogLevel gives the level in force, after setting it unless set is empty.
	LogLevel(set string) (string, error)
}

// Admin is the operator's door: /health, /ready (?verbose lists each check), /metrics,
// /admin/tenants, /admin/drain, /admin/resume, /admin/reload, /admin/manifests,
// /admin/log-level and /debug/pprof/. With an authenticator all but /health and /ready ask for
// the token of an admin.
func Admin(p Probe, op Operator, metrics http.Handler, a auth.Authenticator) http.Handler {
	mux, ops := http.NewServeMux(), http.NewServeMux()
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, req *http.Request) {
		h := p.Health(req.Context())
		writeStatus(w, h.Healthy, h)
	})
	mux.HandleFunc("GET /ready", func(w http.ResponseWriter, req *http.Request) { ready(w, req, p) })
	mux.Handle("/", admins(a, ops))
	d := &admin{op: op}
	ops.Handle("GET /metrics", metrics)
	ops.HandleFunc("GET /admin/tenants", func(w http.ResponseWriter, _ *http.Request) { writeStatus(w, true, op.Tenants()) })
	ops.HandleFunc("GET /admin/manifests", func(w http.ResponseWriter, _ *http.Request) { writeStatus(w, true, op.Manifests()) })
	ops.HandleFunc("POST /admin/drain", d.drain)
	ops.HandleFunc("POST /admin/resume", d.resume)
	ops.HandleFunc("POST /admin/reload", d.reload)
	ops.HandleFunc("GET /admin/log-level", d.logLevel)
	ops.HandleFunc("PUT /admin/log-level", d.logLevel)
	ops.HandleFunc("GET /debug/pprof/", pprof.Index)
	ops.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	ops.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	ops.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	ops.HandleFunc("/", noRoute("GET /health, /ready, /metrics, /admin/tenants, /admin/manifests, /admin/log-level, /debug/pprof/, POST /admin/drain, /admin/resume, /admin/reload, PUT /admin/log-level"))
	return mux
}

func ready(w http.ResponseWriter, req *http.Request, p Probe) {
	checks := p.Ready(req.Context())
	ok := true
	for _, c := range checks {
		ok = ok && c.OK
	}
	body := map[string]any{"ready": ok}
	if _, verbose := req.URL.Query()["verbose"]; verbose || !ok {
		body["checks"] = checks
	}
	writeStatus(w, ok, body)
}

// admins lets only admins through; without an authenticator, everybody who reaches the door.
func admins(a auth.Authenticator, next http.Handler) http.Handler {
	if a == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		var id auth.Identity
		token, ok := bearer(req.Header.Get("Authorization"))
		err := fmt.Errorf("%w: a bearer token is required", auth.ErrUnauthenticated)
		if ok {
			id, err = a.Authenticate(req.Context(), token)
		}
		if err == nil && !id.Admin {
			err = &aggregate.RejectedError{Code: "forbidden", Message: "the token is not an admin's"}
		}
		if err != nil {
			writeProblem(w, err, aggregate.ID{})
			return
		}
		next.ServeHTTP(w, req)
	})
}

type admin struct{ op Operator }

// maxAdminBody bounds the body of an admin request.
const maxAdminBody = 64 << 10

// decode reads a JSON body; an empty one is {}.
func decode(w http.ResponseWriter, req *http.Request, into any) error {
	d := json.NewDecoder(http.MaxBytesReader(w, req.Body, maxAdminBody))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			err = errors.New("one JSON object is expected")
		}
	}
	if err != nil {
		return &aggregate.ValidationError{Path: "body", Message: err.Error()}
	}
	return nil
}

// target reads {"tenant_id": "…"}; nil is all tenants.
func target(w http.ResponseWriter, req *http.Request) (*aggregate.TenantID, error) {
	var body struct {
		TenantID *string `json:"tenant_id"`
	}
	if err := decode(w, req, &body); err != nil || body.TenantID == nil {
		return nil, err
	}
	t, err := aggregate.ParseTenantID(*body.TenantID)
	return &t, err
}

func (d *admin) drain(w http.ResponseWriter, req *http.Request) {
	t, err := target(w, req)
	if err == nil {
		err = d.op.Drain(req.Context(), t)
	}
	d.done(w, err, map[string]any{"drained": true})
}

func (d *admin) resume(w http.ResponseWriter, req *http.Request) {
	t, err := target(w, req)
	if err == nil {
		d.op.Resume(t)
	}
	d.done(w, err, map[string]any{"drained": false})
}

func (d *admin) done(w http.ResponseWriter, err error, body any) {
	if err != nil {
		writeProblem(w, err, aggregate.ID{})
		return
	}
	writeStatus(w, true, body)
}

// reload answers 200 when everything was taken up, 409 when something kept its old form.
func (d *admin) reload(w http.ResponseWriter, req *http.Request) {
	var body struct {
		Only []string `json:"only"`
	}
	if err := decode(w, req, &body); err != nil {
		writeProblem(w, err, aggregate.ID{})
		return
	}
	results := d.op.Reload(req.Context(), body.Only)
	for _, r := range results {
		if r.Error != "" {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusConflict)
			break
		}
	}
	writeStatus(w, true, map[string]any{"results": results})
}

func (d *admin) logLevel(w http.ResponseWriter, req *http.Request) {
	set := ""
	if req.Method == http.MethodPut {
		b, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxAdminBody))
		if set = strings.TrimSpace(string(b)); err != nil || set == "" {
			writeProblem(w, &aggregate.ValidationError{Path: "body", Message: "debug, info, warn or error is expected"}, aggregate.ID{})
			return
		}
	}
	level, err := d.op.LogLevel(set)
	if err != nil {
		err = &aggregate.ValidationError{Path: "body", Message: fmt.Sprint(err)}
	}
	d.done(w, err, map[string]any{"level": level})
}

func writeStatus(w http.ResponseWriter, ok bool, body any) {
	w.Header().Set("Content-Type", "application/json")
	if !ok {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(body) // a client that went away is no error of ours
}
