package server

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/cloudlysis/aggregate"
	pb "github.com/cloudlysis/aggregate/gen/aggregate/v1"
)

type grpcQueries struct {
	pb.UnimplementedQueryServiceServer
	cmds   Commands
	events Events
	policy Policy
}

func (g *grpcQueries) key(ctx context.Context, typ, id string) (aggregate.Key, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	c, err := g.policy.caller(ctx, grpcHeaders(md))
	if err != nil {
		return aggregate.Key{}, err
	}
	t, a, err := address(typ, id)
	return aggregate.Key{Tenant: c.tenant, Type: t, ID: a}, err
}

// GetState implements pb.QueryServiceServer.
func (g *grpcQueries) GetState(ctx context.Context, req *pb.GetStateRequest) (*pb.GetStateResponse, error) {
	key, err := g.key(ctx, req.GetAggregateType(), req.GetAggregateId())
	if err != nil {
		return nil, statusOf(err, aggregate.ID{})
	}
	s, err := g.cmds.State(ctx, key)
	if err != nil {
		return nil, statusOf(err, aggregate.ID{})
	}
	return &pb.GetStateResponse{TenantId: string(s.TenantID), AggregateType: string(s.AggregateType), AggregateId: s.AggregateID.String(), Version: uint64(s.Version),
		StateJson: string(s.State), DerivedJson: string(s.Derived), UpdatedAt: s.UpdatedAt.UTC().Format(time.RFC3339Nano), Token: s.Token}, nil
}

// ListEvents implements pb.QueryServiceServer.
func (g *grpcQueries) ListEvents(req *pb.ListEventsRequest, out grpc.ServerStreamingServer[pb.ListEventsResponse]) error {
	key, err := g.key(out.Context(), req.GetAggregateType(), req.GetAggregateId())
	if err != nil {
		return statusOf(err, aggregate.ID{})
	}
	n := 0
	for e, err := range g.events.Events(out.Context(), key, aggregate.Version(req.GetAfterVersion())) {
		if err != nil {
			return statusOf(err, aggregate.ID{})
		}
		if err := out.Send(&pb.ListEventsResponse{Event: eventMessage(&e)}); err != nil {
			return err
		}
		n++
	}
	if n == 0 && req.GetAfterVersion() == 0 {
		return statusOf(&aggregate.NotFoundError{Key: key}, aggregate.ID{})
	}
	return nil
}
