package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jwt"
	"github.com/nats-io/nats.go"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/cloudlysis/aggregate"
	pb "github.com/cloudlysis/aggregate/gen/aggregate/v1"
)

// request is one command as every door can send it. Fields that are empty are those of a good one.
type request struct {
	tenant, typ, id, command, body string
	headers                        map[string]string // beside the tenant
}

// badRequest is a request and what every door says to it. http 0: this door cannot even send it.
type badRequest struct {
	name string
	request
	code string
	http int
	grpc codes.Code
	nats string // "": as http; "-": this door cannot send it
}

func badRequests(tokens map[string]string) []badRequest {
	bearer := func(name string) map[string]string {
		return map[string]string{"authorization": "Bearer " + tokens[name]}
	}
	with := func(k, v string) map[string]string {
		return map[string]string{"authorization": "Bearer " + tokens["good"], k: v}
	}
	const invalid, arg = "validation_error", codes.InvalidArgument
	deposit := func(amount string) request { return request{body: `{"type":"deposit","amount":` + amount + `}`} }
	body := func(b string) request { return request{body: b} }
	return []badRequest{
		{"no token", request{headers: map[string]string{}}, "unauthenticated", 401, codes.Unauthenticated, ""},
		{"not a bearer", request{headers: map[string]string{"authorization": "Basic YTpi"}}, "unauthenticated", 401, codes.Unauthenticated, ""},
		{"forged token", request{headers: bearer("forged")}, "unauthenticated", 401, codes.Unauthenticated, ""},
		{"expired token", request{headers: bearer("expired")}, "unauthenticated", 401, codes.Unauthenticated, ""},
		{"unsigned token", request{headers: bearer("unsigned")}, "unauthenticated", 401, codes.Unauthenticated, ""},
		{"tenant against the token", request{tenant: "globex"}, "tenant_access_denied", 403, codes.PermissionDenied, ""},
		{"tenant with an at", request{tenant: "ac@me"}, invalid, 400, arg, ""},
		{"tenant with a slash", request{tenant: "../acme"}, invalid, 400, arg, "-"},
		{"tenant wildcard star", request{tenant: "*"}, invalid, 400, arg, "-"},
		{"tenant wildcard gt", request{tenant: ">"}, invalid, 400, arg, "-"},
		{"tenant with a dot", request{tenant: "acme.x"}, invalid, 400, arg, "-"},
		{"tenant underscore", request{tenant: "_"}, invalid, 400, arg, "-"},
		{"tenant too long", request{tenant: strings.Repeat("a", 64)}, invalid, 400, arg, ""},
		{"type lower case", request{typ: "account"}, invalid, 400, arg, ""},
		{"type wildcard", request{typ: "*"}, invalid, 400, arg, "-"},
		{"type with a dot", request{typ: "Acc.ount"}, invalid, 400, arg, "-"},
		{"type too long", request{typ: "A" + strings.Repeat("b", 64)}, invalid, 400, arg, ""},
		{"type unknown", request{typ: "Nothing"}, invalid, 400, arg, ""},
		{"id no uuid", request{id: "42"}, invalid, 400, arg, ""},
		{"id wildcard", request{id: "*"}, invalid, 400, arg, "-"},
		{"id in braces", request{id: "{0192f0c1-2d3e-7a4b-8c5d-6e7f8a9b0c1d}"}, invalid, 400, arg, ""},
		{"id path traversal", request{id: "..%2f..%2fetc"}, invalid, 400, arg, "-"},
		{"command id no uuid", request{command: "x"}, invalid, 400, arg, ""},
		{"meta of ours", request{headers: with("x-meta-actor", "eve")}, invalid, 400, arg, ""},
		{"correlation too long", request{headers: with("x-correlation-id", strings.Repeat("c", 129))}, invalid, 400, arg, ""},
		{"correlation with a space", request{headers: with("x-correlation-id", "a b")}, invalid, 400, arg, ""},
		{"meta too large", request{headers: with("x-meta-big", strings.Repeat("m", 9000))}, invalid, 400, arg, ""},
		{"oversized body", body(`{"type":"deposit","amount":1,"x":"` + strings.Repeat("y", 1<<20) + `"}`), "too_large", 413, codes.ResourceExhausted, "-"},
		{"no JSON", body(`deposit 5`), invalid, 400, arg, ""},
		{"empty", body(` `), invalid, 400, arg, ""},
		{"an array", body(`[]`), invalid, 400, arg, ""},
		{"cut off", body(`{"type":"deposit","amount":1`), invalid, 400, arg, ""},
		{"something behind", body(`{"type":"deposit","amount":1}{}`), invalid, 400, arg, ""},
		{"bad UTF-8", body("{\"type\":\"tag\",\"tag\":\"\xff\"}"), invalid, 400, codes.Internal, ""}, // gRPC's own codec refuses it
		{"lone surrogate", body(`{"type":"tag","tag":"\ud800"}`), invalid, 400, arg, ""},
		{"depth bomb", body(`{"type":"set_extra","extra":` + strings.Repeat("[", 100000) + strings.Repeat("]", 100000) + `}`), invalid, 400, arg, ""},
		{"no type", body(`{"amount":1}`), invalid, 400, arg, ""},
		{"type no string", body(`{"type":5}`), invalid, 400, arg, ""},
		{"unknown command", body(`{"type":"rob"}`), invalid, 400, arg, ""},
		{"unknown field", body(`{"type":"deposit","amount":1,"to":"me"}`), invalid, 400, arg, ""},
		{"missing field", body(`{"type":"deposit"}`), invalid, 400, arg, ""},
		{"duplicate key", body(`{"type":"deposit","amount":1,"amount":2}`), invalid, 400, arg, ""},
		{"duplicate type", body(`{"type":"deposit","type":"withdraw","amount":1}`), invalid, 400, arg, ""},
		{"wrong type", deposit(`true`), invalid, 400, arg, ""},
		{"null", deposit(`null`), invalid, 400, arg, ""},
		{"not a number", deposit(`NaN`), invalid, 400, arg, ""},
		{"too large a number", deposit(`1e400`), invalid, 400, arg, ""},
		{"too many digits", deposit(`1234567890123456789012345678901234567.5`), invalid, 400, arg, ""},
		{"where broken", deposit(`-1`), invalid, 400, arg, ""},
		{"string too long", body(`{"type":"tag","tag":"` + strings.Repeat("t", 41) + `"}`), invalid, 400, arg, ""},
		{"overdraft", body(`{"type":"withdraw","amount":1000}`), "insufficient_funds", 422, codes.FailedPrecondition, ""},
		{"already there", body(`{"type":"open_account"}`), "already_exists", 409, codes.AlreadyExists, ""},
		{"not a manager", body(`{"type":"freeze"}`), "forbidden", 403, codes.PermissionDenied, ""},
	}
}

// signer makes tokens; the set of its public key is in file.
func signer(t *testing.T) (jwk.Key, string) {
	t.Helper()
	raw, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := jwk.Import(raw)
	if err != nil {
		t.Fatal(err)
	}
	_ = key.Set(jwk.KeyIDKey, "k")
	_ = key.Set(jwk.AlgorithmKey, jwa.ES256())
	pub, err := key.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	set := jwk.NewSet()
	_ = set.AddKey(pub)
	b, _ := json.Marshal(set)
	file := filepath.Join(t.TempDir(), "jwks.json")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return key, file
}

func sign(t *testing.T, key jwk.Key, expires time.Time) string {
	t.Helper()
	tok := jwt.New()
	for k, v := range map[string]any{"sub": "ann", "tenant": "acme", "exp": expires, "roles": []string{"teller"}} {
		if err := tok.Set(k, v); err != nil {
			t.Fatal(err)
		}
	}
	b, err := jwt.Sign(tok, jwt.WithKey(jwa.ES256(), key))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestBadRequests sends each bad request through each door: the right code, nothing written, and
// the process healthy.
func TestBadRequests(t *testing.T) {
	key, keys := signer(t)
	other, _ := signer(t)
	tokens := map[string]string{"good": sign(t, key, time.Now().Add(time.Hour)), "forged": sign(t, other, time.Now().Add(time.Hour)),
		"expired": sign(t, key, time.Now().Add(-time.Hour)), "unsigned": "eyJhbGciOiJub25lIn0.eyJ0ZW5hbnQiOiJhY21lIn0."}
	t.Setenv("AGGREGATE_AUTH_JWT_KEYS", keys)
	n := start(t, bank, t.TempDir())
	good := request{tenant: "acme", typ: "Account", id: aggregate.NewID().String(), body: `{"type":"open_account","initial_balance":10}`, headers: map[string]string{"authorization": "Bearer " + tokens["good"]}}
	doors := []struct {
		name string
		send func(t *testing.T, r request) (answer string, code string)
	}{{"http", httpSender(n)}, {"grpc", grpcSender(t, n)}, {"nats", natsSender(t, n)}}
	if status, code := httpSender(n)(t, good); status != "200" {
		t.Fatalf("the good one: %s %s", status, code)
	}
	before := messages(t, n.NATS, "tenant.>")
	for _, b := range badRequests(tokens) {
		r := b.merge(good)
		want := map[string]string{"http": fmt.Sprint(b.http), "grpc": b.grpc.String(), "nats": b.nats}
		if b.nats == "" {
			want["nats"] = want["http"]
		}
		for _, d := range doors {
			t.Run(b.name+"/"+d.name, func(t *testing.T) {
				if want[d.name] == "-" {
					t.Skip("this door cannot send it")
				}
				got, code := d.send(t, r)
				transport := d.name == "grpc" && b.grpc == codes.Internal
				if got != want[d.name] || code != b.code && !transport {
					t.Errorf("got %s %s, want %s %s", got, code, want[d.name], b.code)
				}
			})
		}
	}
	if after := messages(t, n.NATS, "tenant.>"); after != before {
		t.Errorf("bad requests left %d messages", after-before)
	}
	if code, body := n.Ask("GET", "/health", ""); code != 200 {
		t.Errorf("health: %d %s", code, body)
	}
	if s := n.Do("GET", "/v1/aggregates/Account/"+good.id, "", "Authorization", good.headers["authorization"]); s.Version != 1 || string(s.State["balance"]) != "10" {
		t.Errorf("got %s", s.Raw)
	}
}

// merge fills what the bad request leaves out.
func (b badRequest) merge(good request) request {
	r := b.request
	pick := func(v *string, d string) {
		if *v == "" {
			*v = d
		}
	}
	pick(&r.tenant, good.tenant)
	pick(&r.typ, good.typ)
	pick(&r.id, good.id)
	pick(&r.command, aggregate.NewID().String())
	pick(&r.body, `{"type":"deposit","amount":1}`)
	if r.headers == nil {
		r.headers = good.headers
	}
	return r
}

func httpSender(n *node) func(*testing.T, request) (string, string) {
	return func(t *testing.T, r request) (string, string) {
		t.Helper()
		hdr := []string{"X-Tenant-Id", r.tenant, "Idempotency-Key", r.command}
		for k, v := range r.headers {
			hdr = append(hdr, k, v)
		}
		path := strings.NewReplacer("{", "%7B", "}", "%7D").Replace("/v1/aggregates/" + r.typ + "/" + r.id + "/commands")
		got := n.Do("POST", path, r.body, hdr...)
		return fmt.Sprint(got.Status), got.Code
	}
}

func grpcSender(t *testing.T, n *node) func(*testing.T, request) (string, string) {
	t.Helper()
	cc, err := grpc.NewClient(strings.TrimPrefix(n.URL, "http://"), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cc.Close() })
	client := pb.NewCommandServiceClient(cc)
	return func(t *testing.T, r request) (string, string) {
		ctx := metadata.AppendToOutgoingContext(context.Background(), "x-tenant-id", r.tenant)
		for k, v := range r.headers {
			ctx = metadata.AppendToOutgoingContext(ctx, k, v)
		}
		_, err := client.SubmitCommand(ctx, &pb.SubmitCommandRequest{AggregateType: r.typ, AggregateId: r.id, CommandId: r.command, PayloadJson: r.body})
		st := status.Convert(err)
		for _, d := range st.Details() {
			if i, ok := d.(*errdetails.ErrorInfo); ok {
				return st.Code().String(), i.GetReason()
			}
		}
		return st.Code().String(), ""
	}
}

func natsSender(t *testing.T, n *node) func(*testing.T, request) (string, string) {
	t.Helper()
	nc, err := nats.Connect(n.NATS)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return func(t *testing.T, r request) (string, string) {
		m := nats.NewMsg("cmd." + r.tenant + "." + r.typ + "." + r.id)
		m.Data = []byte(r.body)
		m.Header.Set("idempotency-key", r.command)
		for k, v := range r.headers {
			m.Header.Set(k, v)
		}
		got, err := nc.RequestMsg(m, 20*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		var p struct{ Code string }
		_ = json.Unmarshal(got.Data, &p)
		return got.Header.Get("Nats-Service-Error-Code"), p.Code
	}
}
