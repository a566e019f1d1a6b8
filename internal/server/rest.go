package server

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cloudlysis/aggregate"
)

// REST is the HTTP door:
//
//	POST /v1/aggregates/{type}/{id}/commands   one command; the body is its payload with "type"
//	POST /v1/aggregates/{type}/{id}:simulate   what a command would do; nothing is persisted
//	GET  /v1/aggregates/{type}/{id}            the state
//	GET  /v1/aggregates/{type}/{id}/events     the events, ?after=VERSION
//
//	GET  /v1/openapi.json                      this door as OpenAPI 3.1, for the manifests in force
//
// and the services of the gRPC door as Connect and gRPC-Web below /aggregate.v1.…/.
//
// Answers are application/json, errors application/problem+json.
func REST(cmds Commands, events Events, describe Describe, p Policy) http.Handler {
	r := &rest{cmds: cmds, events: events, describe: describe, policy: p, nothing: noRoute(routes)}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/aggregates/{type}/{id}/commands", r.submit)
	mux.HandleFunc("POST /v1/aggregates/{type}/{id}", r.simulate) // a wildcard takes the whole segment
	mux.HandleFunc("GET /v1/aggregates/{type}/{id}", r.state)
	mux.HandleFunc("GET /v1/aggregates/{type}/{id}/events", r.list)
	mux.HandleFunc("GET /v1/openapi.json", r.openAPI)
	for path, allow := range map[string]string{"/v1/aggregates/{type}/{id}/commands": "POST", "/v1/aggregates/{type}/{id}": "GET, HEAD", "/v1/aggregates/{type}/{id}/events": "GET, HEAD", "/v1/openapi.json": "GET, HEAD"} {
		mux.HandleFunc(path, notAllowed(allow))
	}
	mountConnect(mux, cmds, events, p)
	mux.HandleFunc("/", r.nothing)
	return mux
}

// HTTP is a server for h that slow or greedy clients cannot hold up: not by a request that does
// not come, nor by an answer that is not taken. The longest answers are a profile and many events.
func HTTP(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 60 * time.Second, WriteTimeout: 5 * time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10}
}

const routes = "POST /v1/aggregates/{type}/{id}/commands, POST /v1/aggregates/{type}/{id}:simulate, GET /v1/aggregates/{type}/{id}, GET /v1/aggregates/{type}/{id}/events, GET /v1/openapi.json"

type rest struct {
	cmds   Commands
	events Events

	describe Describe
	policy   Policy
	nothing  http.HandlerFunc // answers what no route fits
}

// buffers holds answers on their way; each goes out with one Write.
var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 4096); return &b }}

func (r *rest) submit(w http.ResponseWriter, req *http.Request) {
	cmd, err := r.command(w, req)
	if err != nil {
		writeProblem(w, err, cmd.CommandID)
		return
	}
	reply, err := r.cmds.Submit(req.Context(), cmd)
	if err != nil {
		writeProblem(w, err, cmd.CommandID)
		return
	}
	content := contentJSON
	if wantsStrings(httpHeaders(req.Header)) {
		reply, content = replyWithStrings(reply), contentStrings
	}
	buf := buffers.Get().(*[]byte)
	*buf = appendReply((*buf)[:0], reply)
	writeJSON(w, content, *buf)
	buffers.Put(buf)
}

// command reads the request whole. The command it returns is never nil, so that an error can
// name the command id.
func (r *rest) command(w http.ResponseWriter, req *http.Request) (*aggregate.Command, error) {
	cmd := &aggregate.Command{}
	h := httpHeaders(req.Header)
	var err error
	if cmd.CommandID, err = commandID(h.get("idempotency-key")); err != nil {
		return cmd, err
	}
	c, err := r.policy.caller(req.Context(), h)
	if err != nil {
		return cmd, err
	}
	if cmd.AggregateType, cmd.AggregateID, err = address(req.PathValue("type"), req.PathValue("id")); err != nil {
		return cmd, err
	}
	if cmd.ExpectedVersion, err = expected(h.get("if-match")); err != nil {
		return cmd, err
	}
	if err = r.policy.fill(cmd, &c, h); err != nil {
		return cmd, err
	}
	if err = jsonContent(h.get("content-type")); err != nil {
		return cmd, err
	}
	if _, err = parameters(req); err != nil {
		return cmd, err
	}
	cmd.Payload, err = readBody(w, req, r.policy.MaxBody)
	return cmd, err
}

// jsonContent refuses a body that says it is something else.
func jsonContent(ct string) error {
	if ct == "" || ct == "application/json" {
		return nil
	}
	mt, _, err := mime.ParseMediaType(ct)
	if err == nil && (mt == "application/json" || strings.HasSuffix(mt, "+json") || mt == "application/x-www-form-urlencoded") {
		return nil // the last is what curl -d says of any body
	}
	return &aggregate.ValidationError{Path: "content-type", Message: fmt.Sprintf("application/json is expected, not %q", ct)}
}

// maxFirstRead is the room that a stated length gets before anything has arrived.
const maxFirstRead = 64 << 10

func readBody(w http.ResponseWriter, req *http.Request, limit int64) (body []byte, err error) {
	if n := req.ContentLength; n >= 0 && n <= min(limit, maxFirstRead) {
		body = make([]byte, n) // net/http ends the body there
		_, err = io.ReadFull(req.Body, body)
	} else {
		body, err = io.ReadAll(http.MaxBytesReader(w, req.Body, limit))
	}
	var big *http.MaxBytesError
	switch {
	case err == nil:
		return body, nil
	case errors.As(err, &big):
		return nil, fmt.Errorf("the payload is over %d bytes: %w", limit, aggregate.ErrTooLarge)
	}
	return nil, &aggregate.ValidationError{Path: "body", Message: "the body could not be read: " + err.Error()}
}

// parameters reads the query, which may have only the named ones: one that is not understood, such
// as a version of a state, would get a wrong answer if it were ignored.
func parameters(req *http.Request, names ...string) (url.Values, error) {
	if req.URL.RawQuery == "" {
		return nil, nil
	}
	q, err := url.ParseQuery(req.URL.RawQuery)
	if err != nil {
		return nil, &aggregate.ValidationError{Path: "query", Message: err.Error()}
	}
	for _, name := range slices.Sorted(maps.Keys(q)) {
		if !slices.Contains(names, name) {
			return nil, &aggregate.ValidationError{Path: name, Message: "this route has no such query parameter"}
		}
	}
	return q, nil
}

func (r *rest) key(req *http.Request) (aggregate.Key, error) {
	c, err := r.policy.caller(req.Context(), httpHeaders(req.Header))
	if err != nil {
		return aggregate.Key{}, err
	}
	typ, id, err := address(req.PathValue("type"), req.PathValue("id"))
	return aggregate.Key{Tenant: c.tenant, Type: typ, ID: id}, err
}

func (r *rest) state(w http.ResponseWriter, req *http.Request) {
	key, err := r.key(req)
	if err != nil {
		writeProblem(w, err, aggregate.ID{})
		return
	}
	if _, err := parameters(req); err != nil {
		writeProblem(w, err, aggregate.ID{})
		return
	}
	s, err := r.cmds.State(req.Context(), key)
	if err != nil {
		writeProblem(w, err, aggregate.ID{})
		return
	}
	content := contentJSON
	if wantsStrings(httpHeaders(req.Header)) {
		s, content = stateWithStrings(s), contentStrings
	}
	w.Header().Set("ETag", `"`+strconv.FormatUint(uint64(s.Version), 10)+`"`)
	buf := buffers.Get().(*[]byte)
	*buf = appendState((*buf)[:0], s)
	writeJSON(w, content, *buf)
	buffers.Put(buf)
}

func (r *rest) list(w http.ResponseWriter, req *http.Request) {
	key, err := r.key(req)
	if err != nil {
		writeProblem(w, err, aggregate.ID{})
		return
	}
	q, err := parameters(req, "after")
	var after aggregate.Version
	if err == nil {
		after, err = afterVersion(q.Get("after"))
	}
	if err != nil {
		writeProblem(w, err, aggregate.ID{})
		return
	}
	content, asStrings := contentJSON, wantsStrings(httpHeaders(req.Header))
	if asStrings {
		content = contentStrings
	}
	b := append(appendAddress(nil, key.Tenant, key.Type, key.ID), `,"events":[`...)
	n, begun := 0, false
	for e, err := range r.events.Events(req.Context(), key, after) {
		if err != nil && begun {
			panic(http.ErrAbortHandler) // the connection is cut: half of the events must not pass for all
		}
		if err != nil {
			writeProblem(w, err, aggregate.ID{})
			return
		}
		if n > 0 {
			b = append(b, ',')
		}
		if len(b) > listChunk {
			begun = true
			w.Header()["Content-Type"] = content
			if _, err := w.Write(b); err != nil {
				return // the client went away
			}
			b = b[:0]
		}
		if asStrings {
			e.Payload = numbersAsStrings(e.Payload)
		}
		b = appendEvent(b, &e)
		n++
	}
	if n == 0 && after == 0 {
		writeProblem(w, &aggregate.NotFoundError{Key: key}, aggregate.ID{})
		return
	}
	b = append(b, "]}"...)
	if begun {
		_, _ = w.Write(b)
		return
	}
	writeJSON(w, content, b)
}

// listChunk is how much of a list of events is held before it is sent: an aggregate may have millions.
const listChunk = 64 << 10

func (r *rest) openAPI(w http.ResponseWriter, req *http.Request) {
	_, err := r.policy.caller(req.Context(), httpHeaders(req.Header))
	var b []byte
	if err == nil {
		b, err = r.describe("openapi")
	}
	if err != nil {
		writeProblem(w, err, aggregate.ID{})
		return
	}
	writeJSON(w, contentJSON, b)
}

func afterVersion(s string) (aggregate.Version, error) {
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || n > math.MaxInt64 {
		return 0, &aggregate.ValidationError{Path: "after", Message: fmt.Sprintf("a version number is expected, not %q", s)}
	}
	return aggregate.Version(n), nil
}

// httpHeaders reads http.Header, whose names are in canonical form.
type httpHeaders http.Header

// canonical are the header names that every command asks for: making one allocates.
var canonical = map[string]string{"accept": "Accept", "authorization": "Authorization", "content-type": "Content-Type", "idempotency-key": "Idempotency-Key", "if-match": "If-Match",
	"traceparent": "Traceparent", "x-actor": "X-Actor", "x-correlation-id": "X-Correlation-Id", "x-roles": "X-Roles", "x-tenant-id": "X-Tenant-Id"}

func (h httpHeaders) get(name string) string {
	c, ok := canonical[name]
	if !ok {
		c = http.CanonicalHeaderKey(name)
	}
	if v := h[c]; len(v) > 0 {
		return v[0]
	}
	return ""
}

func (h httpHeaders) several(name string) bool { return differ(h[canonical[name]]) }

func (h httpHeaders) meta(cmd *aggregate.Command) {
	for name, values := range h {
		if key, ok := metaKey(name); ok && len(values) > 0 {
			setMeta(cmd, key, values[0])
		}
	}
}

// metaKey gives the key of a header x-meta-<key>, in lower case.
func metaKey(name string) (string, bool) {
	n := len(metaPrefix)
	if len(name) <= n || !strings.EqualFold(name[:n], metaPrefix) {
		return "", false
	}
	return strings.ToLower(name[n:]), true
}

// contentJSON is never changed: answers share it.
var contentJSON = []string{"application/json"}

func writeJSON(w http.ResponseWriter, content []string, b []byte) {
	h := w.Header()
	h["Content-Type"], h["Content-Length"] = content, []string{strconv.Itoa(len(b))}
	_, _ = w.Write(b) // a client that went away is no error of ours
}

func writeProblem(w http.ResponseWriter, err error, command aggregate.ID) {
	p := ProblemOf(err)
	if p.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(p.RetryAfter.Seconds()))))
	}
	if p.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="aggregate"`)
	}
	b := problemBody(&p, command)
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	w.WriteHeader(p.Status)
	_, _ = w.Write(b)
}

// noRoute answers what no route fits with the routes there are.
func noRoute(routes string) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		refuse(w, Problem{Status: http.StatusNotFound, Code: "no_such_route", Title: "No such route", Detail: req.Method + " " + req.URL.Path + ": served here are " + routes})
	}
}

// notAllowed answers a route that has other methods.
func notAllowed(allow string) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Allow", allow)
		refuse(w, Problem{Status: http.StatusMethodNotAllowed, Code: "method_not_allowed", Title: "Method not allowed", Detail: req.Method + " " + req.URL.Path + ": it takes " + allow})
	}
}

func refuse(w http.ResponseWriter, p Problem) {
	b := problemBody(&p, aggregate.ID{})
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_, _ = w.Write(b)
}
