package server

import (
	"context"
	"encoding/json"
	"net/http"
)

// Health is what /health tells.
type Health struct {
	Healthy          bool   `json:"healthy"`
	NATSConnected    bool   `json:"nats_connected"`
	StorageConnected bool   `json:"storage_connected"`
	ActiveAggregates int    `json:"active_aggregates"`
	Durability       string `json:"durability"` // how replies are made durable, such as "group (fsync of changed blocks)"
	Manifest         string `json:"manifest"`   // hash of the manifest set in force
	Version          string `json:"version"`
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

// Admin is the operator's door: /health, /ready (?verbose lists each check) and /metrics. Both
// checks answer 200 or 503.
func Admin(p Probe, metrics http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, req *http.Request) {
		h := p.Health(req.Context())
		writeStatus(w, h.Healthy, h)
	})
	mux.HandleFunc("GET /ready", func(w http.ResponseWriter, req *http.Request) {
		checks := p.Ready(req.Context())
		ready := true
		for _, c := range checks {
			ready = ready && c.OK
		}
		body := map[string]any{"ready": ready}
		if _, verbose := req.URL.Query()["verbose"]; verbose || !ready {
			body["checks"] = checks
		}
		writeStatus(w, ready, body)
	})
	mux.Handle("GET /metrics", metrics)
	return mux
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
