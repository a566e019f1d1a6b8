package server

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/genproto/googleapis/rpc/errdetails"

	"github.com/cloudlysis/aggregate"
	pb "github.com/cloudlysis/aggregate/gen/aggregate/v1"
	"github.com/cloudlysis/aggregate/gen/aggregate/v1/aggregatev1connect"
)

// TestConnectAndGRPCWeb: the same service by both protocols over HTTP/1.1, with a generated client.
func TestConnectAndGRPCWeb(t *testing.T) {
	f := &fakeCommands{submit: func(c *aggregate.Command) (*aggregate.Reply, error) {
		if strings.Contains(string(c.Payload), "refuse") {
			return nil, &aggregate.RejectedError{Code: "insufficient_funds", Message: "no"}
		}
		return accept(c)
	}, state: func(k aggregate.Key) (*aggregate.State, error) {
		return &aggregate.State{TenantID: k.Tenant, Version: 4, State: []byte(`{"balance":0.10}`), Derived: []byte(`{}`)}, nil
	}}
	url := "http://" + door(t, f, fakeEvents{testEvent(1), testEvent(2)})
	for name, opts := range map[string][]connect.ClientOption{"connect": nil, "connect json": {connect.WithProtoJSON()}, "grpc-web": {connect.WithGRPCWeb()}} {
		t.Run(name, func(t *testing.T) {
			c := aggregatev1connect.NewCommandServiceClient(http.DefaultClient, url, opts...)
			ctx, info := connect.NewClientContext(t.Context())
			info.RequestHeader().Set("x-tenant-id", "acme")
			r, err := c.SubmitCommand(ctx, &pb.SubmitCommandRequest{AggregateType: "Account", AggregateId: testID, PayloadJson: `{"type":"deposit"}`})
			if err != nil || r.GetTenantId() != "acme" || r.GetEvents()[0].GetPayloadJson() != `{"amount":9007199254740993}` {
				t.Errorf("got %v, %v", r, err)
			}
			_, err = c.SubmitCommand(ctx, &pb.SubmitCommandRequest{AggregateType: "Account", AggregateId: testID, CommandId: testCmd, PayloadJson: `{"type":"refuse"}`})
			var ce *connect.Error
			if !errors.As(err, &ce) || ce.Code() != connect.CodeFailedPrecondition || len(ce.Details()) != 1 {
				t.Fatalf("got %v", err)
			}
			d, err := ce.Details()[0].Value()
			if i, ok := d.(*errdetails.ErrorInfo); err != nil || !ok || i.GetReason() != "insufficient_funds" || i.GetMetadata()["command_id"] != testCmd {
				t.Errorf("got %v, %v", d, err)
			}
			q := aggregatev1connect.NewQueryServiceClient(http.DefaultClient, url, opts...)
			if s, err := q.GetState(ctx, &pb.GetStateRequest{AggregateType: "Account", AggregateId: testID}); err != nil || s.GetStateJson() != `{"balance":0.10}` {
				t.Errorf("got %v, %v", s, err)
			}
			list, err := q.ListEvents(ctx, &pb.ListEventsRequest{AggregateType: "Account", AggregateId: testID})
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for list.Receive() {
				n++
			}
			if list.Err() != nil || n != 2 {
				t.Errorf("got %d events, %v", n, list.Err())
			}
		})
	}
}

// TestConnectByHand: plain JSON over curl, as Connect promises.
func TestConnectByHand(t *testing.T) {
	url := "http://" + door(t, &fakeCommands{submit: accept}, nil)
	resp, err := http.Post(url+"/aggregate.v1.CommandService/SubmitCommand", "application/json",
		strings.NewReader(`{"aggregateType":"Account","aggregateId":"`+testID+`","payloadJson":"{\"type\":\"deposit\"}"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != 200 || !strings.Contains(string(b), `"version":"1"`) {
		t.Errorf("got %d %s", resp.StatusCode, b)
	}
}
