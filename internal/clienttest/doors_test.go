package clienttest

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/grpc/metadata"

	"github.com/cloudlysis/aggregate"
	pb "github.com/cloudlysis/aggregate/gen/aggregate/v1"
	"github.com/cloudlysis/aggregate/internal/server"
)

// TestNATSDoor: commands, errors, discovery and statistics for a plain client of the embedded server.
func TestNATSDoor(t *testing.T) {
	n := start(t)
	nc, id := connectNATS(t, n.NATS), aggregate.NewID().String()
	ask := func(subject, body string, hdr ...string) *nats.Msg {
		t.Helper()
		m := nats.NewMsg(subject)
		m.Data = []byte(body)
		for i := 0; i+1 < len(hdr); i += 2 {
			m.Header.Set(hdr[i], hdr[i+1])
		}
		r, err := nc.RequestMsg(m, 20*time.Second)
		if err != nil {
			t.Fatalf("%s: %v", subject, err)
		}
		return r
	}
	subject := "cmd.acme.Account." + id
	want(t, "command", string(ask(subject, `{"type":"open_account","initial_balance":9007199254740993}`).Data), `"version":1`, `"initial_balance":9007199254740993`)
	r := ask(subject, `{"type":"withdraw","amount":9907199254740993}`)
	if r.Header.Get("Nats-Service-Error-Code") != "422" || r.Header.Get("Nats-Service-Error") == "" {
		t.Errorf("got header %v", r.Header)
	}
	want(t, "problem", string(r.Data), `"code":"insufficient_funds"`, `"status":422`)
	r = ask(subject, `{"type":"deposit","amount":1}`, "If-Match", "7")
	want(t, "conflict", string(r.Data), `"code":"version_conflict"`, `"expected":7,"actual":1`)
	want(t, "the empty tenant", string(ask("cmd._.Account."+id, `{"type":"deposit","amount":1}`).Data), `"code":"not_found"`)
	want(t, "ping", string(ask("$SRV.PING.aggregate", "").Data), `"name":"aggregate"`, `"type":"io.nats.micro.v1.ping_response"`)
	want(t, "info", string(ask("$SRV.INFO.aggregate", "").Data), `"subject":"cmd.*.*.*"`, `"queue_group":"aggregate"`, `"subject":"cmd.*.*.*.simulate"`)
	var stats struct {
		Endpoints []struct {
			Requests int              `json:"num_requests"`
			Data     server.NATSStats `json:"data"`
		}
	}
	var b []byte
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		b = ask("$SRV.STATS.aggregate", "").Data
		if err := json.Unmarshal(b, &stats); err != nil || len(stats.Endpoints) != 2 {
			t.Fatalf("got %s, %v", b, err)
		}
		if stats.Endpoints[0].Requests >= 4 || time.Now().After(deadline) { // the library counts beside the answer
			break
		}
	}
	if e := stats.Endpoints[0]; e.Requests != 4 || e.Data.Answered != 4 || e.Data.Refused != 3 || e.Data.AverageSeconds <= 0 {
		t.Errorf("got %s, want 4 answered, 3 of them refused", b)
	}
}

// TestSimulationThroughEveryDoor: REST, gRPC, Connect JSON and NATS say the same of the same command, and nothing is kept.
func TestSimulationThroughEveryDoor(t *testing.T) {
	n := start(t)
	nc, id, command := connectNATS(t, n.NATS), aggregate.NewID(), aggregate.NewID().String()
	n.Want(n.Command(id, `{"type":"open_account","initial_balance":9007199254740993}`), 200, 1)
	for payload, parts := range map[string][]string{
		`{"type":"withdraw","amount":1}`:                {`"accepted":true`, `"event_type":"withdrawn"`, `"rule":"decide withdraw"`, `"version":2`},
		`{"type":"withdraw","amount":9907199254740993}`: {`"accepted":false`, `"code":"insufficient_funds"`, `"version":1`},
	} {
		rest := n.Do("POST", "/v1/aggregates/Account/"+id.String()+":simulate", payload, "Idempotency-Key", command).Raw
		want(t, "REST", rest, parts...)
		m := nats.NewMsg("cmd.acme.Account." + id.String() + ".simulate")
		m.Data = []byte(payload)
		m.Header.Set("idempotency-key", command)
		got, err := nc.RequestMsg(m, 20*time.Second)
		if err != nil || untimed(string(got.Data)) != untimed(rest) {
			t.Errorf("NATS: got %v %v\nwant %s", got, err, rest)
		}
		var sim struct {
			Accepted bool
			Version  uint64
			State    json.RawMessage
			Gas      int64
			Trace    []json.RawMessage
		}
		if err := json.Unmarshal([]byte(rest), &sim); err != nil {
			t.Fatal(err)
		}
		ctx := metadata.AppendToOutgoingContext(t.Context(), "x-tenant-id", "acme")
		r, err := pb.NewCommandServiceClient(dial(t, n.URL)).SimulateCommand(ctx, &pb.SimulateCommandRequest{
			Command: &pb.SubmitCommandRequest{AggregateType: "Account", AggregateId: id.String(), CommandId: command, PayloadJson: payload}})
		if err != nil || r.GetAccepted() != sim.Accepted || r.GetVersion() != sim.Version || r.GetStateJson() != string(sim.State) || r.GetGas() != sim.Gas || len(r.GetTrace()) != len(sim.Trace) {
			t.Errorf("gRPC: got %v, %v\nwant %s", r, err, rest)
		}
		body, err := json.Marshal(map[string]any{"command": map[string]string{"aggregateType": "Account", "aggregateId": id.String(), "commandId": command, "payloadJson": payload}})
		if err != nil {
			t.Fatal(err)
		}
		want(t, "Connect", post(t, n.URL+"/aggregate.v1.CommandService/SimulateCommand", string(body)), `"gas":"`, `"commandId":"`+command)
	}
	if got := commits(t, nc, id.String()); len(got) != 1 {
		t.Errorf("got %d messages, want 1", len(got))
	}
}

var eventTime = regexp.MustCompile(`"(event_id|timestamp)":"[^"]*"`)

// untimed leaves out what depends on the moment.
func untimed(s string) string { return eventTime.ReplaceAllString(s, "") }

// commits counts the messages that hold an aggregate, as another service reads them.
func commits(t *testing.T, nc *nats.Conn, id string) (all []jetstream.Msg) {
	t.Helper()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	c, err := js.OrderedConsumer(ctx, "AGGREGATE_EVENTS", jetstream.OrderedConsumerConfig{FilterSubjects: []string{"tenant.acme.aggregate.Account." + id}})
	if err != nil {
		t.Fatal(err)
	}
	info, err := c.Info(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for range info.NumPending {
		m, err := c.Next()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, m)
	}
	return all
}

// TestOneCommandThroughEveryDoor: the same command id by REST, gRPC, a stream, Connect JSON and
// NATS is one commit, and every door but the first says so.
func TestOneCommandThroughEveryDoor(t *testing.T) {
	n := start(t)
	nc, id, command := connectNATS(t, n.NATS), aggregate.NewID(), aggregate.NewID().String()
	const payload = `{"type":"open_account","initial_balance":5}`
	first := n.Command(id, payload, "Idempotency-Key", command)
	n.Want(first, 200, 1)
	repeat := strings.Replace(first.Raw, `"duplicate":false`, `"duplicate":true`, 1)
	client := pb.NewCommandServiceClient(dial(t, n.URL))
	ctx := metadata.AppendToOutgoingContext(t.Context(), "x-tenant-id", "acme")
	req := &pb.SubmitCommandRequest{AggregateType: "Account", AggregateId: id.String(), CommandId: command, PayloadJson: payload}
	r, err := client.SubmitCommand(ctx, req)
	if err != nil || !r.GetDuplicate() || r.GetVersion() != 1 || r.GetEvents()[0].GetEventId() != first.Events[0].EventID {
		t.Errorf("gRPC: got %v, %v", r, err)
	}
	s, err := client.SubmitCommands(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Send(&pb.SubmitCommandsRequest{Command: req}); err != nil {
		t.Fatal(err)
	}
	sr, err := s.Recv()
	if a := sr.GetAccepted(); err != nil || !a.GetDuplicate() || a.GetEvents()[0].GetEventId() != first.Events[0].EventID {
		t.Errorf("stream: got %v, %v", sr, err)
	}
	if err := s.CloseSend(); err != nil {
		t.Error(err)
	}
	body := `{"aggregateType":"Account","aggregateId":"` + id.String() + `","commandId":"` + command + `","payloadJson":"{\"initial_balance\":5.0,\"type\":\"open_account\"}"}`
	want(t, "Connect", post(t, n.URL+"/aggregate.v1.CommandService/SubmitCommand", body), `"duplicate":true`, first.Events[0].EventID)
	m := nats.NewMsg("cmd.acme.Account." + id.String())
	m.Data = []byte(payload)
	m.Header.Set("idempotency-key", command)
	if got, err := nc.RequestMsg(m, 20*time.Second); err != nil || string(got.Data) != repeat {
		t.Errorf("NATS: got %v %v\nwant %s", got, err, repeat)
	}
	if got := commits(t, nc, id.String()); len(got) != 1 {
		t.Errorf("got %d messages, want 1", len(got))
	}
}
