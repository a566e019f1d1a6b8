package clienttest

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/cloudlysis/aggregate"
)

// TestGRPCurl: reflection, health and every method of both services.
func TestGRPCurl(t *testing.T) {
	needsMore(t, "a build of grpcurl")
	exe, n, id := tool(t, "github.com/fullstorydev/grpcurl/cmd/grpcurl"), start(t), aggregate.NewID().String()
	call := func(args ...string) string {
		t.Helper()
		return mustRun(t, "", exe, append([]string{"-plaintext", "-H", "x-tenant-id: acme"}, args...)...)
	}
	addr := host(n.URL)
	want(t, "list", call(addr, "list"), "aggregate.v1.CommandService", "aggregate.v1.QueryService", "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection")
	want(t, "describe", call(addr, "describe", "aggregate.v1.CommandService"),
		"rpc SubmitCommand ( .aggregate.v1.SubmitCommandRequest ) returns ( .aggregate.v1.SubmitCommandResponse );",
		"rpc SubmitCommands ( stream .aggregate.v1.SubmitCommandsRequest ) returns ( stream .aggregate.v1.SubmitCommandsResponse );",
		"rpc SimulateCommand ( .aggregate.v1.SimulateCommandRequest ) returns ( .aggregate.v1.SimulateCommandResponse );")
	want(t, "describe a message", call(addr, "describe", "aggregate.v1.SubmitCommandRequest"), "string payload_json = 4;", "map<string, string> metadata = 6;")
	want(t, "health", call(addr, "grpc.health.v1.Health/Check"), `"status": "SERVING"`)
	request := func(payload string) string {
		return `{"aggregate_type":"Account","aggregate_id":"` + id + `","payload_json":` + payload + `}`
	}
	want(t, "SubmitCommand", call("-d", request(`"{\"type\":\"open_account\",\"initial_balance\":9007199254740993}"`), addr, "aggregate.v1.CommandService/SubmitCommand"),
		`"version": "1"`, `"eventType": "account_opened"`, `9007199254740993`, `"tenantId": "acme"`)
	want(t, "GetState", call("-d", `{"aggregate_type":"Account","aggregate_id":"`+id+`"}`, addr, "aggregate.v1.QueryService/GetState"), `\"balance\":9007199254740993`, `"derivedJson"`)
	deposit := `{"command":` + request(`"{\"type\":\"deposit\",\"amount\":7}"`) + `}`
	refused := `{"command":` + request(`"{\"type\":\"deposit\",\"amount\":-7}"`) + `}`
	c := exec.Command(exe, "-plaintext", "-H", "x-tenant-id: acme", "-d", "@", addr, "aggregate.v1.CommandService/SubmitCommands")
	c.Stdin = strings.NewReader(deposit + deposit + refused + deposit)
	out, err := c.CombinedOutput()
	if err != nil || strings.Count(string(out), `"accepted"`) != 3 || strings.Count(string(out), `"problem"`) != 1 {
		t.Errorf("SubmitCommands: got %v %s", err, out)
	}
	want(t, "SubmitCommands", string(out), `"version": "4"`, `"code": "validation_error"`, `"path": "amount"`)
	withdraw := `{"command":` + request(`"{\"type\":\"withdraw\",\"amount\":1}"`) + `}`
	want(t, "SimulateCommand", call("-d", withdraw, addr, "aggregate.v1.CommandService/SimulateCommand"),
		`"accepted": true`, `"version": "5"`, `"eventType": "withdrawn"`, `"rule": "decide withdraw"`, `"gas":`, `\"balance\":`)
	want(t, "SimulateCommand, refused", call("-d", strings.Replace(withdraw, ":1}", ":99007199254740993}", 1), addr, "aggregate.v1.CommandService/SimulateCommand"),
		`"code": "insufficient_funds"`, `"version": "4"`)
	events := call("-d", `{"aggregate_type":"Account","aggregate_id":"`+id+`","after_version":1}`, addr, "aggregate.v1.QueryService/ListEvents")
	if strings.Count(events, `"eventType": "deposited"`) != 3 {
		t.Errorf("ListEvents: got %s", events)
	}
	_, errs, code := run(t, "", exe, "-plaintext", "-d", request(`"{\"type\":\"withdraw\",\"amount\":1}"`), addr, "aggregate.v1.CommandService/SubmitCommand") // of the empty tenant
	if code == 0 {
		t.Error("another tenant's account was found")
	}
	want(t, "an error", errs, "Code: NotFound", "google.rpc.ErrorInfo", `"reason": "not_found"`)
}
