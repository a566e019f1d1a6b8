package server

import (
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/metadata"

	"github.com/nats-io/nats.go"

	"github.com/cloudlysis/aggregate"
	pb "github.com/cloudlysis/aggregate/gen/aggregate/v1"
)

func TestNumbersAsStrings(t *testing.T) {
	tests := []struct{ in, want string }{
		{`{"a":9007199254740993,"b":-0.10,"c":[1,2.50,{"d":1e5}],"e":{}}`, `{"a":"9007199254740993","b":"-0.10","c":["1","2.50",{"d":"1e5"}],"e":{}}`},
		{`{"1":"2","q\"3":"\\","x":"a-1,5]","t":true,"n":null,"s":""}`, `{"1":"2","q\"3":"\\","x":"a-1,5]","t":true,"n":null,"s":""}`},
		{"{\"a\": 1 ,\n\"b\": 2\n}", "{\"a\": \"1\" ,\n\"b\": \"2\"\n}"},
		{`7`, `"7"`}, {``, ``}, {`[]`, `[]`},
	}
	for _, tt := range tests {
		got := numbersAsStrings(json.RawMessage(tt.in))
		if string(got) != tt.want || tt.want != "" && !json.Valid(got) {
			t.Errorf("%s: got %s, want %s", tt.in, got, tt.want)
		}
	}
}

// TestReadersWhoseNumbersAreFloats: every door gives int and decimal as strings when it is asked to,
// and the shared reply stays as it is.
func TestReadersWhoseNumbersAreFloats(t *testing.T) {
	reply := &aggregate.Reply{TenantID: "acme", AggregateType: "Account", Version: 1, Events: []aggregate.Event{testEvent(1)}}
	f := &fakeCommands{submit: func(*aggregate.Command) (*aggregate.Reply, error) { return reply, nil }, state: func(k aggregate.Key) (*aggregate.State, error) {
		return &aggregate.State{AggregateType: k.Type, AggregateID: k.ID, Version: 4, State: []byte(`{"balance":0.10}`), Derived: []byte(`{"n":2}`)}, nil
	}}
	const amount, text = `"payload":{"amount":9007199254740993}`, `"payload":{"amount":"9007199254740993"}`
	h := REST(f, fakeEvents{testEvent(1)}, nil, Policy{MaxBody: 1000})
	path := "/v1/aggregates/Account/" + testID
	for _, tt := range []struct{ method, path, body, want, strings string }{
		{"POST", path + "/commands", `{}`, `"version":1,"events":[{"event_id":"00000000-0000-0000-0000-000000000001","version":1,"event_type":"deposited","schema":1,` + amount, text},
		{"POST", path + ":simulate", `{}`, amount, text},
		{"GET", path + "/events", ``, amount, text},
		{"GET", path, ``, `"version":4,"state":{"balance":0.10},"derived":{"n":2}`, `"version":4,"state":{"balance":"0.10"},"derived":{"n":"2"}`},
	} {
		for accept, want := range map[string]string{"": tt.want, "application/json": tt.want, "application/json;numbers=string": tt.strings, "text/html, application/json; numbers=string": tt.strings} {
			resp, body := ask(t, h, tt.method, tt.path, tt.body, "accept", accept)
			if resp.StatusCode != 200 || !strings.Contains(body, want) || strings.Contains(resp.Header.Get("Content-Type"), "string") != (want == tt.strings) {
				t.Errorf("%s %s, accept %q: got %s %s, want %s", tt.method, tt.path, accept, resp.Header.Get("Content-Type"), body, want)
			}
		}
	}

	nc := natsDoorTest(t, f, Policy{MaxBody: 1000})
	m := nats.NewMsg("cmd.acme.Account." + testID)
	m.Data = []byte(`{}`)
	m.Header.Set("accept", "application/json;numbers=string")
	if got, err := nc.RequestMsg(m, 10*time.Second); err != nil || !strings.Contains(string(got.Data), text) {
		t.Errorf("NATS: got %v, %v", got, err)
	}

	cc := dial(t, door(t, f, fakeEvents{testEvent(1)}))
	ctx := metadata.AppendToOutgoingContext(t.Context(), "x-tenant-id", "acme")
	req := &pb.SubmitCommandRequest{AggregateType: "Account", AggregateId: testID, PayloadJson: "{}", NumbersAsStrings: true}
	const payload = `{"amount":"9007199254740993"}`
	if r, err := pb.NewCommandServiceClient(cc).SubmitCommand(ctx, req); err != nil || r.GetEvents()[0].GetPayloadJson() != payload {
		t.Errorf("gRPC: got %v, %v", r, err)
	}
	s, err := pb.NewCommandServiceClient(cc).SubmitCommands(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Send(&pb.SubmitCommandsRequest{Command: req}); err != nil {
		t.Fatal(err)
	}
	if r, err := s.Recv(); err != nil || r.GetAccepted().GetEvents()[0].GetPayloadJson() != payload {
		t.Errorf("gRPC stream: got %v, %v", r, err)
	}
	if err := s.CloseSend(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Recv(); err != io.EOF {
		t.Errorf("got %v", err)
	}
	queries := pb.NewQueryServiceClient(cc)
	if r, err := queries.GetState(ctx, &pb.GetStateRequest{AggregateType: "Account", AggregateId: testID, NumbersAsStrings: true}); err != nil || r.GetStateJson() != `{"balance":"0.10"}` || r.GetDerivedJson() != `{"n":"2"}` {
		t.Errorf("GetState: got %v, %v", r, err)
	}
	list, err := queries.ListEvents(ctx, &pb.ListEventsRequest{AggregateType: "Account", AggregateId: testID, NumbersAsStrings: true})
	if err != nil {
		t.Fatal(err)
	}
	if r, err := list.Recv(); err != nil || r.GetEvent().GetPayloadJson() != payload {
		t.Errorf("ListEvents: got %v, %v", r, err)
	}
	if string(reply.Events[0].Payload) != `{"amount":9007199254740993}` {
		t.Errorf("the reply that others share has changed: %s", reply.Events[0].Payload)
	}
}
