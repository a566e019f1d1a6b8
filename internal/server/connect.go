package server

import (
	"context"
	"errors"
	"net/http"

	"connectrpc.com/connect"

	"github.com/cloudlysis/aggregate"
	pb "github.com/cloudlysis/aggregate/gen/aggregate/v1"
	"github.com/cloudlysis/aggregate/gen/aggregate/v1/aggregatev1connect"
)

// mountConnect serves the services of the gRPC door as Connect and gRPC-Web, for clients of
// HTTP/1.1 such as browsers.
func mountConnect(mux *http.ServeMux, cmds Commands, events Events, p Policy) {
	limit := connect.WithReadMaxBytes(int(p.MaxBody) + 64<<10)
	g := &grpcCommands{cmds: cmds, policy: p}
	mux.Handle(aggregatev1connect.NewCommandServiceHandler(&connectCommands{g}, limit))
	mux.Handle(aggregatev1connect.NewQueryServiceHandler(&connectQueries{&grpcQueries{cmds: cmds, events: events, policy: p}}, limit))
}

type connectCommands struct{ g *grpcCommands }

// requestHeaders are the headers of a Connect call.
func requestHeaders(ctx context.Context) httpHeaders {
	info, ok := connect.CallInfoForHandlerContext(ctx)
	if !ok {
		return httpHeaders{}
	}
	return httpHeaders(info.RequestHeader())
}

// SubmitCommand implements aggregatev1connect.CommandServiceHandler.
func (c *connectCommands) SubmitCommand(ctx context.Context, req *pb.SubmitCommandRequest) (*pb.SubmitCommandResponse, error) {
	cmd, err := c.g.command(ctx, req, requestHeaders(ctx))
	if err != nil {
		return nil, connectError(err, cmd.CommandID)
	}
	r, err := c.g.cmds.Submit(ctx, cmd)
	if err != nil {
		return nil, connectError(err, cmd.CommandID)
	}
	return response(asked(req, r)), nil
}

var errNeedsHTTP2 = errors.New("a stream in both directions needs gRPC over HTTP/2: this port serves it to gRPC clients")

// SubmitCommands implements aggregatev1connect.CommandServiceHandler.
func (c *connectCommands) SubmitCommands(context.Context, *connect.BidiStream[pb.SubmitCommandsRequest, pb.SubmitCommandsResponse]) error {
	return connect.NewError(connect.CodeUnimplemented, errNeedsHTTP2)
}

type connectQueries struct{ g *grpcQueries }

// GetState implements aggregatev1connect.QueryServiceHandler.
func (c *connectQueries) GetState(ctx context.Context, req *pb.GetStateRequest) (*pb.GetStateResponse, error) {
	key, err := c.g.key(ctx, requestHeaders(ctx), req.GetAggregateType(), req.GetAggregateId())
	if err != nil {
		return nil, connectError(err, aggregate.ID{})
	}
	r, err := c.g.getState(ctx, key, req.GetNumbersAsStrings())
	if err != nil {
		return nil, connectError(err, aggregate.ID{})
	}
	return r, nil
}

// ListEvents implements aggregatev1connect.QueryServiceHandler.
func (c *connectQueries) ListEvents(ctx context.Context, req *pb.ListEventsRequest, out *connect.ServerStream[pb.ListEventsResponse]) error {
	key, err := c.g.key(ctx, requestHeaders(ctx), req.GetAggregateType(), req.GetAggregateId())
	if err == nil {
		err = c.g.listEvents(ctx, key, req, out.Send)
	}
	if err != nil {
		return connectError(err, aggregate.ID{})
	}
	return nil
}

// connectError is the Connect form of ProblemOf, with the details of the gRPC status.
func connectError(err error, command aggregate.ID) error {
	var ours *connect.Error
	if errors.As(err, &ours) { // of the transport
		return err
	}
	p := ProblemOf(err)
	out := connect.NewError(connect.Code(p.GRPC), errors.New(p.message()))
	for _, m := range details(&p, command) {
		if d, err := connect.NewErrorDetail(m); err == nil {
			out.AddDetail(d)
		}
	}
	return out
}
