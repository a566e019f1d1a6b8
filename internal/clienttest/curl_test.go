package clienttest

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/cloudlysis/aggregate"
	pb "github.com/cloudlysis/aggregate/gen/aggregate/v1"
	"github.com/cloudlysis/aggregate/internal/aggdtest"
)

// curl runs curl and gives status, header lines (lower case names) and body.
func curl(t *testing.T, args ...string) (status, head, body string) {
	t.Helper()
	out := mustRun(t, "", "curl", append([]string{"-sS", "-i", "--max-time", "30"}, args...)...)
	for strings.HasPrefix(out, "HTTP/1.1 100") {
		_, out, _ = strings.Cut(out, "\r\n\r\n")
	}
	head, body, ok := strings.Cut(out, "\r\n\r\n")
	if !ok {
		t.Fatalf("curl %q: %s", args, out)
	}
	return strings.Fields(head)[1], strings.ToLower(head), body
}

// TestCurl calls every route of the data door and of the admin door.
func TestCurl(t *testing.T) {
	needsMore(t, "curl")
	n := start(t)
	id, command := aggregate.NewID().String(), aggregate.NewID().String()
	account := n.URL + "/v1/aggregates/Account/" + id
	tenant := []string{"-H", "x-tenant-id: acme"}
	steps := []struct {
		name, status string
		args         []string
		want         []string // in head and body
	}{
		{"command", "200", []string{"-d", `{"type":"open_account","initial_balance":9007199254740993}`, "-H", "idempotency-key: " + command, account + "/commands"},
			[]string{"content-type: application/json", `"version":1`, `"initial_balance":9007199254740993`, `"duplicate":false`, command}},
		{"repeat", "200", []string{"-d", `{"type":"open_account","initial_balance":9007199254740993}`, "-H", "idempotency-key: " + command, account + "/commands"}, []string{`"version":1`, `"duplicate":true`}},
		{"expected version", "200", []string{"-d", `{"type":"deposit","amount":0.10}`, "-H", `if-match: "1"`, account + "/commands"}, []string{`"version":2`, `"amount":0.1`}},
		{"conflict", "409", []string{"-d", `{"type":"deposit","amount":1}`, "-H", `if-match: "1"`, account + "/commands"}, []string{"content-type: application/problem+json", `"code":"version_conflict"`, `"expected":1,"actual":2`}},
		{"refusal", "422", []string{"-d", `{"type":"withdraw","amount":9007199254740994}`, account + "/commands"}, []string{`"code":"insufficient_funds"`}},
		{"role", "403", []string{"-d", `{"type":"freeze"}`, account + "/commands"}, []string{`"code":"forbidden"`}},
		{"invalid", "400", []string{"-d", `{"type":"deposit","amount":"x"}`, account + "/commands"}, []string{`"errors":[{"path":"amount"`}},
		{"chunked", "200", []string{"-d", `{"type":"deposit","amount":1}`, "-H", "transfer-encoding: chunked", account + "/commands"}, []string{`"version":3`}},
		{"simulate", "200", []string{"-d", `{"type":"withdraw","amount":1}`, account + ":simulate"}, []string{`"accepted":true`, `"event_type":"withdrawn"`, `"balance":9007199254740993.1`, `"rule":"decide withdraw"`}},
		{"simulate a refusal", "200", []string{"-d", `{"type":"withdraw","amount":9907199254740994}`, account + ":simulate"}, []string{`"accepted":false`, `"code":"insufficient_funds"`, `"version":3`}},
		{"state", "200", []string{account}, []string{`etag: "3"`, `"version":3`, `"balance":9007199254740994.1`, `"derived":{`}},
		{"no state", "404", []string{n.URL + "/v1/aggregates/Account/" + aggregate.NewID().String()}, []string{`"code":"not_found"`}},
		{"events", "200", []string{account + "/events"}, []string{`"event_type":"account_opened"`, `"version":3`}},
		{"events after", "200", []string{account + "/events?after=2"}, []string{`"events":[{`, `"version":3`}},
		{"openapi", "200", []string{n.URL + "/v1/openapi.json"}, []string{`"openapi": "3.1.0"`, `/v1/aggregates/Account/{id}:simulate`}},
		{"no route", "404", []string{n.URL + "/v2"}, []string{`"code":"no_such_route"`, ":simulate"}},
		{"Connect", "200", []string{"-H", "content-type: application/json", "-d", `{"aggregateType":"Account","aggregateId":"` + id + `","payloadJson":"{\"type\":\"deposit\",\"amount\":1}"}`, n.URL + "/aggregate.v1.CommandService/SubmitCommand"},
			[]string{`"version":"4"`, `"payloadJson":"{\"amount\":1`}},
		{"Connect error", "404", []string{"-H", "content-type: application/json", "-d", `{"aggregateType":"Account","aggregateId":"` + command + `"}`, n.URL + "/aggregate.v1.QueryService/GetState"}, []string{`"code":"not_found"`, "google.rpc.ErrorInfo"}},
		{"health", "200", []string{n.Admin + "/health"}, []string{`"healthy":true`, `"nats_connected":true`}},
		{"ready", "200", []string{n.Admin + "/ready"}, []string{`"ready":true`}},
		{"ready verbose", "200", []string{n.Admin + "/ready?verbose"}, []string{`"checks":[`, `"name":"stream","ok":true`}},
		{"metrics", "200", []string{n.Admin + "/metrics"}, []string{`aggregate_commands_total{aggregate_type="Account",outcome="accepted",tenant_id="acme"} 4`, `outcome="duplicate",tenant_id="acme"} 1`}},
		{"tenants", "200", []string{n.Admin + "/admin/tenants"}, []string{`"tenant_id":"acme","aggregate_count":`}},
		{"drain", "200", []string{"-d", `{"tenant_id":"acme"}`, n.Admin + "/admin/drain"}, []string{`"drained":true`}},
		{"drained", "503", []string{"-d", `{"type":"deposit","amount":1}`, account + "/commands"}, []string{"retry-after: ", `"code":"unavailable"`}},
		{"resume", "200", []string{"-d", `{"tenant_id":"acme"}`, n.Admin + "/admin/resume"}, []string{`"drained":false`}},
		{"resumed", "200", []string{"-d", `{"type":"deposit","amount":1}`, account + "/commands"}, []string{`"version":5`}},
		{"reload", "200", []string{"-X", "POST", n.Admin + "/admin/reload"}, []string{`"what":"manifests","changed":false`}},
		{"manifests", "200", []string{n.Admin + "/admin/manifests"}, []string{`"hash":"sha256:`, `"types":["Account"]`}},
		{"log level", "200", []string{n.Admin + "/admin/log-level"}, []string{`"level":"info"`}},
		{"set log level", "200", []string{"-X", "PUT", "-d", "debug", n.Admin + "/admin/log-level"}, []string{`"level":"debug"`}},
		{"pprof", "200", []string{n.Admin + "/debug/pprof/"}, []string{"goroutine"}},
		{"pprof symbol", "200", []string{n.Admin + "/debug/pprof/symbol"}, []string{"num_symbols"}},
	}
	for _, s := range steps {
		t.Run(s.name, func(t *testing.T) {
			status, head, body := curl(t, append(s.args, tenant...)...)
			if status != s.status {
				t.Errorf("got %s, want %s", status, s.status)
			}
			want(t, s.name, head+"\n"+body, s.want...)
		})
	}
	t.Run("gRPC-Web", func(t *testing.T) { grpcWeb(t, n, id) })
}

// grpcWeb sends one frame and reads the answer's: the message, then the trailers.
func grpcWeb(t *testing.T, n *aggdtest.Node, id string) {
	t.Helper()
	msg, err := proto.Marshal(&pb.SubmitCommandRequest{AggregateType: "Account", AggregateId: id, PayloadJson: `{"type":"deposit","amount":9007199254740993}`})
	if err != nil {
		t.Fatal(err)
	}
	frame := append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(msg))), msg...)
	file := filepath.Join(t.TempDir(), "frame")
	if err := os.WriteFile(file, frame, 0o600); err != nil {
		t.Fatal(err)
	}
	status, head, body := curl(t, "-H", "content-type: application/grpc-web+proto", "-H", "x-grpc-web: 1", "-H", "x-tenant-id: acme", "--data-binary", "@"+file, n.URL+"/aggregate.v1.CommandService/SubmitCommand")
	if status != "200" || len(body) < 5 || body[0] != 0 {
		t.Fatalf("got %s %s %q", status, head, body)
	}
	size := binary.BigEndian.Uint32([]byte(body[1:5]))
	var r pb.SubmitCommandResponse
	if err := proto.Unmarshal([]byte(body[5:5+size]), &r); err != nil {
		t.Fatal(err)
	}
	if r.GetVersion() != 6 || !strings.Contains(r.GetEvents()[0].GetPayloadJson(), "9007199254740993") {
		t.Errorf("got %v", &r)
	}
	want(t, "trailers", body[5+size:], "grpc-status: 0")
}
