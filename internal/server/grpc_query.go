package server

import (
	"context"
	"time"

	"google.golang.org/grpc"

	"github.com/cloudlysis/aggregate"
	pb "github.com/cloudlysis/aggregate/gen/aggregate/v1"
)

type grpcQueries struct {
	pb.UnimplementedQueryServiceServer
	cmds   Commands
	events Events
	policy Policy
}

func (g *grpcQueries) key(ctx context.Context, h headers, typ, id string) (aggregate.Key, error) {
	c, err := g.policy.caller(ctx, h)
	if err != nil {
		return aggregate.Key{}, err
	}
	t, a, err := address(typ, id)
	return aggregate.Key{Tenant: c.tenant, Type: t, ID: a}, err
}

// GetState implements pb.QueryServiceServer.
func (g *grpcQueries) GetState(ctx context.Context, req *pb.GetStateRequest) (*pb.GetStateResponse, error) {
	key, err := g.key(ctx, incoming(ctx), req.GetAggregateType(), req.GetAggregateId())
	if err != nil {
		return nil, statusOf(err, aggregate.ID{})
	}
	r, err := g.getState(ctx, key, req.GetNumbersAsStrings())
	if err != nil {
		return nil, statusOf(err, aggregate.ID{})
	}
	return r, nil
}

func (g *grpcQueries) getState(ctx context.Context, key aggregate.Key, asStrings bool) (*pb.GetStateResponse, error) {
	s, err := g.cmds.State(ctx, key)
	if err != nil {
		return nil, err
	}
	if asStrings {
		s = stateWithStrings(s)
	}
	return &pb.GetStateResponse{TenantId: string(s.TenantID), AggregateType: string(s.AggregateType), AggregateId: s.AggregateID.String(), Version: uint64(s.Version),
		StateJson: string(s.State), DerivedJson: string(s.Derived), UpdatedAt: s.UpdatedAt.UTC().Format(time.RFC3339Nano), Token: s.Token}, nil
}

// ListEvents implements pb.QueryServiceServer.
func (g *grpcQueries) ListEvents(req *pb.ListEventsRequest, out grpc.ServerStreamingServer[pb.ListEventsResponse]) error {
	key, err := g.key(out.Context(), incoming(out.Context()), req.GetAggregateType(), req.GetAggregateId())
	if err == nil {
		err = g.listEvents(out.Context(), key, req, out.Send)
	}
	if err != nil {
		return statusOf(err, aggregate.ID{})
	}
	return nil
}

func (g *grpcQueries) listEvents(ctx context.Context, key aggregate.Key, req *pb.ListEventsRequest, send func(*pb.ListEventsResponse) error) error {
	n, after := 0, aggregate.Version(req.GetAfterVersion())
	for e, err := range g.events.Events(ctx, key, after) {
		if err != nil {
			return err
		}
		if req.GetNumbersAsStrings() {
			e.Payload = numbersAsStrings(e.Payload)
		}
		if err := send(&pb.ListEventsResponse{Event: eventMessage(&e)}); err != nil {
			return err
		}
		n++
	}
	if n == 0 && after == 0 {
		return &aggregate.NotFoundError{Key: key}
	}
	return nil
}
