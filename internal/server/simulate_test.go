package server

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"connectrpc.com/connect"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"github.com/cloudlysis/aggregate"
	pb "github.com/cloudlysis/aggregate/gen/aggregate/v1"
	"github.com/cloudlysis/aggregate/gen/aggregate/v1/aggregatev1connect"
)

// simulated accepts, refuses or faults as the payload says.
func simulated(c *aggregate.Command) (*aggregate.Reply, error) {
	switch p := string(c.Payload); {
	case strings.Contains(p, "refuse"):
		return nil, &aggregate.RejectedError{Code: "insufficient_funds", Message: "no"}
	case strings.Contains(p, "fault"):
		return nil, &aggregate.FaultError{Kind: "overflow", Rule: "decide deposit", File: "a.agg", Line: 3, Gas: 7}
	}
	return accept(c)
}

func simulateRequest(payload string) *pb.SimulateCommandRequest {
	return &pb.SimulateCommandRequest{Command: &pb.SubmitCommandRequest{AggregateType: "Account", AggregateId: testID, CommandId: testCmd, PayloadJson: payload}}
}

func TestGRPCSimulate(t *testing.T) {
	f := &fakeCommands{submit: simulated}
	client := pb.NewCommandServiceClient(dial(t, door(t, f, nil)))
	ctx := metadata.AppendToOutgoingContext(t.Context(), "x-tenant-id", "acme", "x-meta-source", "atm")
	r, err := client.SimulateCommand(ctx, simulateRequest(`{"type":"deposit"}`))
	if err != nil {
		t.Fatal(err)
	}
	if !r.GetAccepted() || r.GetProblem() != nil || r.GetVersion() != 1 || r.GetTenantId() != "acme" || r.GetAggregateId() != testID || r.GetCommandId() != testCmd ||
		r.GetEvents()[0].GetPayloadJson() != `{"amount":9007199254740993}` || r.GetStateJson() != `{"balance":1}` || r.GetDerivedJson() != `{}` || r.GetGas() != 7 {
		t.Errorf("got %v", r)
	}
	if s := r.GetTrace(); len(s) != 1 || s[0].GetRule() != "decide deposit" || s[0].GetFile() != "a.agg" || s[0].GetLine() != 3 || s[0].GetGas() != 7 {
		t.Errorf("got trace %v", s)
	}
	if f.last.Metadata["source"] != "atm" {
		t.Errorf("got metadata %v", f.last.Metadata)
	}
	r, err = client.SimulateCommand(ctx, simulateRequest(`{"type":"refuse"}`))
	if p := r.GetProblem(); err != nil || r.GetAccepted() || len(r.GetEvents()) != 0 || p.GetCode() != "insufficient_funds" || codes.Code(p.GetStatus()) != codes.FailedPrecondition || p.GetMetadata()["command_id"] != testCmd {
		t.Errorf("refused: got %v, %v", r, err)
	}
	r, err = client.SimulateCommand(ctx, simulateRequest(`{"type":"fault"}`))
	if p := r.GetProblem(); err != nil || p.GetCode() != "decide_error" || p.GetMetadata()["rule"] != "decide deposit" || p.GetMetadata()["line"] != "3" {
		t.Errorf("fault: got %v, %v", r, err)
	}
	bad := simulateRequest(`{}`)
	bad.Command.AggregateId = "42"
	for name, req := range map[string]*pb.SimulateCommandRequest{"bad id": bad, "no command": {}} {
		if _, err := client.SimulateCommand(ctx, req); status.Code(err) != codes.InvalidArgument {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestConnectSimulate(t *testing.T) {
	c := aggregatev1connect.NewCommandServiceClient(http.DefaultClient, "http://"+door(t, &fakeCommands{submit: simulated}, nil), connect.WithProtoJSON())
	r, err := c.SimulateCommand(t.Context(), simulateRequest(`{"type":"refuse"}`))
	if err != nil || r.GetAccepted() || r.GetProblem().GetCode() != "insufficient_funds" || r.GetStateJson() != `{"balance":1}` {
		t.Errorf("got %v, %v", r, err)
	}
	if _, err := c.SimulateCommand(t.Context(), &pb.SimulateCommandRequest{}); connect.CodeOf(err) != connect.CodeInvalidArgument {
		t.Errorf("no command: got %v", err)
	}
}

// TestNATSSimulate: the bodies are REST's.
func TestNATSSimulate(t *testing.T) {
	f := &fakeCommands{submit: simulated}
	nc, h := natsDoorTest(t, f, Policy{MaxBody: 1000}), REST(f, nil, nil, Policy{MaxBody: 1000})
	for _, payload := range []string{`{"type":"deposit"}`, `{"type":"refuse"}`, `{"type":"fault"}`} {
		_, want := ask(t, h, "POST", "/v1/aggregates/Account/"+testID+":simulate", payload, "x-tenant-id", "acme", "idempotency-key", testCmd)
		m := &nats.Msg{Subject: "cmd.acme.Account." + testID + ".simulate", Data: []byte(payload), Header: nats.Header{"idempotency-key": {testCmd}}}
		got, err := nc.RequestMsg(m, 10*time.Second)
		if err != nil || string(got.Data) != want || got.Header.Get(micro.ErrorCodeHeader) != "" {
			t.Errorf("%s: got %s %v\nwant %s", payload, got.Data, err, want)
		}
	}
	got, err := nc.Request("cmd.acme.Account.42.simulate", []byte(`{}`), 10*time.Second)
	if err != nil || got.Header.Get(micro.ErrorCodeHeader) != "400" || !strings.Contains(string(got.Data), `"code":"validation_error"`) {
		t.Errorf("bad id: got %v, %v", got, err)
	}
	got, err = nc.Request("$SRV.STATS.aggregate", nil, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	var stats micro.Stats
	if err := json.Unmarshal(got.Data, &stats); err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(stats.Endpoints, func(e *micro.EndpointStats) bool { return e.Name == endpointSimulate })
	var data NATSStats
	if err := json.Unmarshal(stats.Endpoints[i].Data, &data); err != nil || data.Answered != 4 || data.Refused != 1 {
		t.Errorf("got %s, %v, want 4 answered, 1 refused", got.Data, err)
	}
}

// TestStreamWithoutACommand: a message of the stream may leave its command out.
func TestStreamWithoutACommand(t *testing.T) {
	s, err := pb.NewCommandServiceClient(dial(t, door(t, &fakeCommands{submit: accept}, nil))).SubmitCommands(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Send(&pb.SubmitCommandsRequest{}); err != nil {
		t.Fatal(err)
	}
	if r, err := s.Recv(); err != nil || r.GetProblem().GetCode() != "validation_error" {
		t.Errorf("got %v, %v", r, err)
	}
	if err := s.CloseSend(); err != nil {
		t.Fatal(err)
	}
}
