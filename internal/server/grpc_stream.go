package server

import (
	"errors"
	"io"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/cloudlysis/aggregate"
	pb "github.com/cloudlysis/aggregate/gen/aggregate/v1"
)

// maxPipelined is how many commands of one stream may be under way; a client that sends more
// waits, by HTTP/2's flow control.
const maxPipelined = 1024

// SubmitCommands implements pb.CommandServiceServer. The stream's goroutine reads and starts
// commands; one other sends answers.
func (g *grpcCommands) SubmitCommands(s grpc.BidiStreamingServer[pb.SubmitCommandsRequest, pb.SubmitCommandsResponse]) error {
	md, _ := metadata.FromIncomingContext(s.Context())
	p := &pipeline{g: g, s: s, slots: make(chan struct{}, maxPipelined), out: make(chan *pb.SubmitCommandsResponse, maxPipelined)}
	var sender sync.WaitGroup
	sender.Go(p.send)
	err := p.read(grpcHeaders(md))
	for range maxPipelined { // every slot back: all that was started has been answered
		p.slots <- struct{}{}
	}
	close(p.out)
	sender.Wait()
	return errors.Join(err, p.failed)
}

// pipeline is one stream of commands.
type pipeline struct {
	g      *grpcCommands
	s      grpc.BidiStreamingServer[pb.SubmitCommandsRequest, pb.SubmitCommandsResponse]
	slots  chan struct{} // one taken for each command under way
	out    chan *pb.SubmitCommandsResponse
	failed error // of the sender; read after it has ended
}

// send sends answers until out is closed. After an error it only lets go of the slots.
func (p *pipeline) send() {
	for r := range p.out {
		if p.failed == nil {
			p.failed = p.s.Send(r)
		}
		<-p.slots
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
		p.slots <- struct{}{}
		p.start(req, h)
	}
}

func (p *pipeline) start(req *pb.SubmitCommandsRequest, h grpcHeaders) {
	cmd, err := p.g.command(p.s.Context(), req.GetCommand(), streamHeaders{h, req})
	if err != nil {
		p.out <- answerOf(cmd, nil, err)
		return
	}
	p.g.cmds.Start(p.s.Context(), cmd, func(r *aggregate.Reply, err error) {
		if err == nil {
			r = asked(req.GetCommand(), r)
		}
		p.out <- answerOf(cmd, r, err)
	})
}

// answerOf never blocks the caller: out has room for every slot.
func answerOf(cmd *aggregate.Command, r *aggregate.Reply, err error) *pb.SubmitCommandsResponse {
	if err == nil {
		m := messageOf(r)
		m.accepted.Accepted = &m.reply
		m.outer.CommandId, m.outer.Outcome = m.reply.CommandId, &m.accepted
		return &m.outer
	}
	out := &pb.SubmitCommandsResponse{CommandId: cmd.CommandID.String()}
	p := ProblemOf(err)
	m := &pb.Problem{Status: int32(p.GRPC), Code: p.Code, Message: p.message(), RetryAfterMs: p.RetryAfter.Milliseconds()}
	for _, e := range p.Errors {
		m.Errors = append(m.Errors, &pb.FieldProblem{Path: e.Path, Message: e.Message})
	}
	out.Outcome = &pb.SubmitCommandsResponse_Problem{Problem: m}
	return out
}

// streamHeaders are a stream's metadata with what one command of it says instead.
type streamHeaders struct {
	grpcHeaders
	req *pb.SubmitCommandsRequest
}

func (h streamHeaders) get(name string) string {
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
