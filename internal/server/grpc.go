package server

import (
	"context"
	"strconv"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/tap"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/cloudlysis/aggregate"
	pb "github.com/cloudlysis/aggregate/gen/aggregate/v1"
)

// errorDomain is the domain of google.rpc.ErrorInfo.
const errorDomain = "aggregate"

// grpcWorkers is how many goroutines are kept for calls; when all are busy, others are made.
const grpcWorkers = 256

// Windows of flow control: what a client may have sent that nobody has read.
const (
	streamWindow = 256 << 10
	connWindow   = 1 << 20
)

// GRPC is the gRPC door: aggregate.v1.CommandService and QueryService, health and reflection. The health of the
// whole server ("") is for the caller to set.
func GRPC(cmds Commands, events Events, p Policy) (*grpc.Server, *health.Server) {
	s := grpc.NewServer(
		grpc.MaxConcurrentStreams(1024),    // the default is no limit
		grpc.NumStreamWorkers(grpcWorkers), // a new goroutine for each call grows its stack each time
		grpc.MaxRecvMsgSize(int(p.MaxBody)+64<<10),
		grpc.InitialWindowSize(streamWindow), // a fixed window: no ping to measure the line by behind each read
		grpc.InitialConnWindowSize(connWindow),
		grpc.ConnectionTimeout(peekTimeout),
		grpc.InTapHandle(keepHeaders),
	)
	pb.RegisterCommandServiceServer(s, &grpcCommands{cmds: cmds, policy: p})
	pb.RegisterQueryServiceServer(s, &grpcQueries{cmds: cmds, events: events, policy: p})
	h := health.NewServer()
	healthpb.RegisterHealthServer(s, h)
	reflection.Register(s)
	return s, h
}

type grpcCommands struct {
	pb.UnimplementedCommandServiceServer
	cmds   Commands
	policy Policy
}

// SubmitCommand implements pb.CommandServiceServer.
func (g *grpcCommands) SubmitCommand(ctx context.Context, req *pb.SubmitCommandRequest) (*pb.SubmitCommandResponse, error) {
	cmd, err := g.command(ctx, req, incoming(ctx))
	if err != nil {
		return nil, statusOf(err, cmd.CommandID)
	}
	r, err := g.cmds.Submit(ctx, cmd)
	if err != nil {
		return nil, statusOf(err, cmd.CommandID)
	}
	return response(asked(req, r)), nil
}

// asked gives r with its numbers as the request wants them.
func asked(req *pb.SubmitCommandRequest, r *aggregate.Reply) *aggregate.Reply {
	if req.GetNumbersAsStrings() {
		return replyWithStrings(r)
	}
	return r
}

func (g *grpcCommands) command(ctx context.Context, req *pb.SubmitCommandRequest, h headers) (*aggregate.Command, error) {
	cmd := &aggregate.Command{Payload: []byte(req.GetPayloadJson()), Metadata: req.GetMetadata()}
	if req == nil { // in a message that holds one
		return cmd, &aggregate.ValidationError{Path: "command", Message: "a command is required"}
	}
	if req.ExpectedVersion != nil {
		v := aggregate.Version(req.GetExpectedVersion())
		cmd.ExpectedVersion = &v
	}
	id := req.GetCommandId()
	if id == "" {
		id = h.get("idempotency-key")
	}
	var err error
	if cmd.CommandID, err = commandID(id); err != nil {
		return cmd, err
	}
	c, err := g.policy.caller(ctx, h)
	if err != nil {
		return cmd, err
	}
	if cmd.AggregateType, cmd.AggregateID, err = address(req.GetAggregateType(), req.GetAggregateId()); err != nil {
		return cmd, err
	}
	if int64(len(cmd.Payload)) > g.policy.MaxBody {
		return cmd, aggregate.ErrTooLarge
	}
	return cmd, g.policy.fill(cmd, &c, h)
}

// message is a reply with the room for what most have: one event, in one piece.
type message struct {
	reply    pb.SubmitCommandResponse
	accepted pb.SubmitCommandsResponse_Accepted
	outer    pb.SubmitCommandsResponse // of a stream
	list     [1]*pb.Event
	event    pb.Event
}

func response(r *aggregate.Reply) *pb.SubmitCommandResponse { return &messageOf(r).reply }

func messageOf(r *aggregate.Reply) *message {
	m := &message{}
	var t texts
	t.Grow(2*idText + len(r.Events)*(idText+timeText))
	out := &m.reply
	out.TenantId, out.AggregateType, out.AggregateId, out.CommandId = string(r.TenantID), string(r.AggregateType), t.id(r.AggregateID), t.id(r.CommandID)
	out.Version, out.Duplicate, out.Token = uint64(r.Version), r.Duplicate, r.Token
	if len(r.Events) == 1 {
		m.list[0] = &m.event
		out.Events = m.list[:]
		t.event(&m.event, &r.Events[0])
		return m
	}
	out.Events = make([]*pb.Event, len(r.Events))
	for i := range r.Events {
		out.Events[i] = &pb.Event{}
		t.event(out.Events[i], &r.Events[i])
	}
	return m
}

func eventMessage(e *aggregate.Event) *pb.Event {
	out := &pb.Event{}
	var t texts
	t.Grow(idText + timeText)
	t.event(out, e)
	return out
}

// Lengths of texts.
const (
	idText   = 36
	timeText = len("2006-01-02T15:04:05.000000000Z")
)

// texts makes strings out of one buffer.
type texts struct{ strings.Builder }

// put keeps what b holds and gives it as a string of the buffer.
func (t *texts) put(b []byte) string {
	n := t.Len()
	t.Write(b)
	return t.String()[n:]
}

func (t *texts) id(id aggregate.ID) string {
	var room [idText]byte
	b, _ := id.AppendText(room[:0])
	return t.put(b)
}

func (t *texts) event(to *pb.Event, e *aggregate.Event) {
	to.EventId, to.Version, to.EventType, to.Schema, to.PayloadJson = t.id(e.EventID), uint64(e.Version), e.EventType, uint32(e.Schema), string(e.Payload)
	var room [timeText]byte
	to.Timestamp = t.put(e.Timestamp.UTC().AppendFormat(room[:0], time.RFC3339Nano))
}

// statusOf is the gRPC form of ProblemOf. An error that is a status already, of the transport,
// stays as it is.
func statusOf(err error, command aggregate.ID) error {
	if _, ok := status.FromError(err); ok {
		return err
	}
	p := ProblemOf(err)
	var list []protoadapt.MessageV1
	for _, m := range details(&p, command) {
		list = append(list, protoadapt.MessageV1Of(m))
	}
	st, err := status.New(p.GRPC, p.message()).WithDetails(list...)
	if err != nil { // no detail of ours fails to marshal
		return status.Error(p.GRPC, p.message())
	}
	return st.Err()
}

// details are the google.rpc details of a problem.
func details(p *Problem, command aggregate.ID) []proto.Message {
	out := []proto.Message{&errdetails.ErrorInfo{Reason: p.Code, Domain: errorDomain, Metadata: p.metadata(command)}}
	if len(p.Errors) > 0 {
		bad := &errdetails.BadRequest{}
		for _, e := range p.Errors {
			bad.FieldViolations = append(bad.FieldViolations, &errdetails.BadRequest_FieldViolation{Field: e.Path, Description: e.Message})
		}
		out = append(out, bad)
	}
	if p.RetryAfter > 0 {
		out = append(out, &errdetails.RetryInfo{RetryDelay: durationpb.New(p.RetryAfter)})
	}
	return out
}

// metadata is that of google.rpc.ErrorInfo.
func (p *Problem) metadata(command aggregate.ID) map[string]string {
	m := map[string]string{}
	if !command.IsZero() {
		m["command_id"] = command.String()
	}
	if f := p.Fault; f != nil {
		m["fault"], m["rule"], m["file"] = f.Kind, f.Rule, f.File
		m["line"], m["gas"] = strconv.Itoa(f.Line), strconv.FormatInt(f.Gas, 10)
	}
	if c := p.Conflict; c != nil {
		m["expected"] = strconv.FormatUint(uint64(c.Expected), 10)
		m["actual"] = strconv.FormatUint(uint64(c.Actual), 10)
	}
	return m
}

// withHeaders is the context of a call with its headers as they came: metadata.FromIncomingContext
// copies all of them at every call, six allocations.
type withHeaders struct {
	context.Context
	headers grpcHeaders
}

type headersKey struct{}

// Value implements context.Context.
func (w *withHeaders) Value(key any) any {
	if _, ok := key.(headersKey); ok {
		return w.headers
	}
	return w.Context.Value(key)
}

// keepHeaders is a tap.ServerInHandle.
func keepHeaders(ctx context.Context, info *tap.Info) (context.Context, error) {
	return &withHeaders{ctx, grpcHeaders(info.Header)}, nil
}

// incoming are the headers of a call; they must not be changed.
func incoming(ctx context.Context) grpcHeaders {
	h, _ := ctx.Value(headersKey{}).(grpcHeaders)
	return h
}

// grpcHeaders reads gRPC metadata, whose names are lower case.
type grpcHeaders metadata.MD

func (h grpcHeaders) get(name string) string {
	if v := h[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

func (h grpcHeaders) several(name string) bool { return differ(h[name]) }

func (h grpcHeaders) meta(cmd *aggregate.Command) {
	for name, values := range h {
		if key, ok := strings.CutPrefix(name, metaPrefix); ok && key != "" && len(values) > 0 && !strings.HasSuffix(name, "-bin") {
			setMeta(cmd, key, values[0])
		}
	}
}
