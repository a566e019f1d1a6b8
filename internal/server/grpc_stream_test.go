package server

import (
	"fmt"
	"io"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/cloudlysis/aggregate"
	pb "github.com/cloudlysis/aggregate/gen/aggregate/v1"
)

func dial(t *testing.T, addr string) *grpc.ClientConn {
	t.Helper()
	cc, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cc.Close() })
	return cc
}

// TestStreamOfCommands: many under way at once, each answered by its id, failures in the
// answers and not in the stream's status.
func TestStreamOfCommands(t *testing.T) {
	f := &fakeCommands{submit: func(c *aggregate.Command) (*aggregate.Reply, error) {
		if c.CommandID[15]%3 == 0 {
			return nil, &aggregate.RejectedError{Code: "odd", Message: "no"}
		}
		return accept(c)
	}}
	ctx := metadata.AppendToOutgoingContext(t.Context(), "x-tenant-id", "acme")
	s, err := pb.NewCommandServiceClient(dial(t, door(t, f, nil))).SubmitCommands(ctx)
	if err != nil {
		t.Fatal(err)
	}
	const n = 3 * maxPipelined
	sent := make(chan error, 1)
	go func() {
		for i := range n {
			id := aggregate.ID{14: byte(i >> 8), 15: byte(i)}
			req := &pb.SubmitCommandsRequest{Command: &pb.SubmitCommandRequest{AggregateType: "Account", AggregateId: testID, CommandId: id.String(), PayloadJson: `{}`}}
			if i == 7 {
				other := "globex"
				req.TenantId = &other
			}
			if i == 8 {
				req.Command.AggregateId = "42"
			}
			if err := s.Send(req); err != nil {
				sent <- err
				return
			}
		}
		sent <- s.CloseSend()
	}()
	seen := map[string]bool{}
	for {
		r, err := s.Recv()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		id, err := aggregate.ParseID(r.GetCommandId())
		if err != nil || seen[r.GetCommandId()] {
			t.Fatalf("got %v, %v, seen before: %v", r, err, seen[r.GetCommandId()])
		}
		seen[r.GetCommandId()] = true
		checkAnswer(t, int(id[14])<<8|int(id[15]), r)
	}
	if err := <-sent; err != nil || len(seen) != n {
		t.Errorf("got %d answers of %d, %v", len(seen), n, err)
	}
}

func checkAnswer(t *testing.T, i int, r *pb.SubmitCommandsResponse) {
	t.Helper()
	p := r.GetProblem()
	switch {
	case i == 8:
		if p.GetCode() != "validation_error" || p.GetStatus() != int32(codes.InvalidArgument) || len(p.GetErrors()) != 1 {
			t.Errorf("8: got %v", r)
		}
	case (i&0xff)%3 == 0:
		if p.GetCode() != "odd" || p.GetMessage() != "no" || p.GetStatus() != int32(codes.FailedPrecondition) {
			t.Errorf("%d: got %v", i, r)
		}
	default:
		want := "acme"
		if i == 7 {
			want = "globex"
		}
		if r.GetAccepted().GetTenantId() != want || r.GetAccepted().GetVersion() != 1 {
			t.Errorf("%d: got %v", i, r)
		}
	}
}

func TestQueries(t *testing.T) {
	f := &fakeCommands{state: func(k aggregate.Key) (*aggregate.State, error) {
		if k.Tenant != "acme" {
			return nil, &aggregate.NotFoundError{Key: k}
		}
		return &aggregate.State{TenantID: k.Tenant, AggregateType: k.Type, AggregateID: k.ID, Version: 4, State: []byte(`{"balance":0.10}`), Derived: []byte(`{}`)}, nil
	}}
	c := pb.NewQueryServiceClient(dial(t, door(t, f, fakeEvents{testEvent(1), testEvent(2), testEvent(3)})))
	acme := metadata.AppendToOutgoingContext(t.Context(), "x-tenant-id", "acme")
	s, err := c.GetState(acme, &pb.GetStateRequest{AggregateType: "Account", AggregateId: testID})
	if err != nil || s.GetStateJson() != `{"balance":0.10}` || s.GetVersion() != 4 {
		t.Errorf("got %v, %v", s, err)
	}
	if _, err = c.GetState(t.Context(), &pb.GetStateRequest{AggregateType: "Account", AggregateId: testID}); status.Code(err) != codes.NotFound {
		t.Errorf("another tenant: got %v", err)
	}
	list, err := c.ListEvents(acme, &pb.ListEventsRequest{AggregateType: "Account", AggregateId: testID, AfterVersion: 1})
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for {
		r, err := list.Recv()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got += fmt.Sprint(r.GetEvent().GetVersion(), r.GetEvent().GetPayloadJson())
	}
	if got != `2{"amount":9007199254740993}3{"amount":9007199254740993}` {
		t.Errorf("got %s", got)
	}
}
