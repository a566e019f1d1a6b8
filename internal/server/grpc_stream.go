package server

import (
	"errors"
	"io"

	"google.golang.org/grpc"

	"github.com/cloudlysis/aggregate"
	pb "github.com/cloudlysis/aggregate/gen/aggregate/v1"
)

// maxPipelined is how many commands of one stream may be under way; a client that sends more
// waits, by HTTP/2's flow control.
const maxPipelined = 1024

// SubmitCommands implements pb.CommandServiceServer. The stream's goroutine reads and starts
// commands; answers are sent by another, many at a time.
func (g *grpcCommands) SubmitCommands(s grpc.BidiStreamingServer[pb.SubmitCommandsRequest, pb.SubmitCommandsResponse]) error {
	p := &pipeline{g: g, s: s}
	p.out = newOutbox(maxPipelined, p.send)
	err := p.read(incoming(s.Context()))
	p.out.wait()
	return errors.Join(err, p.failed)
}

// pipeline is one stream of commands.
type pipeline struct {
	g      *grpcCommands
	s      grpc.BidiStreamingServer[pb.SubmitCommandsRequest, pb.SubmitCommandsResponse]
	out    *outbox[answer]
	failed error // of send; read when all has been sent
}

// send sends answers, until one could not be sent.
func (p *pipeline) send(batch []answer) {
	for i := range batch {
		if p.failed != nil {
			return
		}
		p.failed = p.s.Send(batch[i].message())
	}
}

func (p *pipeline) read(h grpcHeaders) error {
	for {
		req, err := p.s.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		p.out.expect()
		p.start(req, h)
	}
}

func (p *pipeline) start(req *pb.SubmitCommandsRequest, h grpcHeaders) {
	cmd, err := p.g.command(p.s.Context(), req.GetCommand(), &streamHeaders{h, req})
	if err != nil {
		p.out.put(answer{cmd: cmd, err: err})
		return
	}
	strings := req.GetCommand().GetNumbersAsStrings()
	p.g.cmds.Start(p.s.Context(), cmd, func(r *aggregate.Reply, err error) {
		p.out.put(answer{cmd: cmd, reply: r, err: err, strings: strings})
	})
}

// message makes a stream's answer: where it is sent, as whoever calls Start's done has others to serve.
func (a *answer) message() *pb.SubmitCommandsResponse {
	if a.err == nil {
		m := messageOf(a.shown())
		m.accepted.Accepted = &m.reply
		m.outer.CommandId, m.outer.Outcome = m.reply.CommandId, &m.accepted
		return &m.outer
	}
	return &pb.SubmitCommandsResponse{CommandId: a.cmd.CommandID.String(), Outcome: &pb.SubmitCommandsResponse_Problem{Problem: problemMessage(a.err, a.cmd.CommandID)}}
}

func problemMessage(err error, command aggregate.ID) *pb.Problem {
	p := ProblemOf(err)
	m := &pb.Problem{Status: int32(p.GRPC), Code: p.Code, Message: p.message(), RetryAfterMs: p.RetryAfter.Milliseconds(), Metadata: p.metadata(command)}
	for _, e := range p.Errors {
		m.Errors = append(m.Errors, &pb.FieldProblem{Path: e.Path, Message: e.Message})
	}
	return m
}

// streamHeaders are a stream's metadata with what one command of it says instead.
type streamHeaders struct {
	grpcHeaders
	req *pb.SubmitCommandsRequest
}

func (h *streamHeaders) get(name string) string {
	switch {
	case name == "x-tenant-id" && h.req.TenantId != nil:
		return h.req.GetTenantId()
	case name == "x-correlation-id" && h.req.GetCorrelationId() != "":
		return h.req.GetCorrelationId()
	case name == "traceparent" && h.req.GetTraceparent() != "":
		return h.req.GetTraceparent()
	case name == "idempotency-key": // it would name every command of the stream
		return ""
	}
	return h.grpcHeaders.get(name)
}
