package clienttest

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"testing"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
	"google.golang.org/grpc"

	"github.com/cloudlysis/aggregate"
	pb "github.com/cloudlysis/aggregate/gen/aggregate/v1"
	"github.com/cloudlysis/aggregate/gen/aggregate/v1/aggregatev1connect"
)

// The echo servers take the door's requests with the door's libraries and answer at once with an
// answer of the door's size: what a door costs beyond them is ours.

const echoJSON = `{"tenant_id":"","aggregate_type":"Account","aggregate_id":"0192f0c1-2d3e-7a4b-8c5d-6e7f8a9b0c1d","command_id":"0192f0c1-2d3e-7a4b-8c5d-6e7f8a9b0c1e","version":17,"events":[` +
	`{"event_id":"0192f0c1-2d3e-7a4b-8c5d-6e7f8a9b0c1f","version":17,"event_type":"deposited","schema":1,"payload":{"amount":1,"note":""},"timestamp":"2026-01-02T03:04:05.000000006Z"}],"duplicate":false,"token":"17-1234567"}`

func echoResponse(command string) *pb.SubmitCommandResponse {
	return &pb.SubmitCommandResponse{AggregateType: "Account", AggregateId: "0192f0c1-2d3e-7a4b-8c5d-6e7f8a9b0c1d", CommandId: command,
		Version: 17, Token: "17-1234567", Events: []*pb.Event{{EventId: "0192f0c1-2d3e-7a4b-8c5d-6e7f8a9b0c1f", Version: 17, EventType: "deposited", Schema: 1,
			PayloadJson: `{"amount":1,"note":""}`, Timestamp: "2026-01-02T03:04:05.000000006Z"}}}
}

type echoService struct {
	pb.UnimplementedCommandServiceServer
}

// SubmitCommand implements pb.CommandServiceServer.
func (echoService) SubmitCommand(_ context.Context, req *pb.SubmitCommandRequest) (*pb.SubmitCommandResponse, error) {
	return echoResponse(req.GetCommandId()), nil
}

// SubmitCommands implements pb.CommandServiceServer.
func (echoService) SubmitCommands(s grpc.BidiStreamingServer[pb.SubmitCommandsRequest, pb.SubmitCommandsResponse]) error {
	for {
		req, err := s.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		id := req.GetCommand().GetCommandId()
		if err := s.Send(&pb.SubmitCommandsResponse{CommandId: id, Outcome: &pb.SubmitCommandsResponse_Accepted{Accepted: echoResponse(id)}}); err != nil {
			return err
		}
	}
}

type echoConnect struct {
	aggregatev1connect.UnimplementedCommandServiceHandler
}

// SubmitCommand implements aggregatev1connect.CommandServiceHandler.
func (echoConnect) SubmitCommand(_ context.Context, req *pb.SubmitCommandRequest) (*pb.SubmitCommandResponse, error) {
	return echoResponse(req.GetCommandId()), nil
}

func listen(tb testing.TB) net.Listener {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

func echoGRPC(tb testing.TB) (addr string) {
	tb.Helper()
	l, s := listen(tb), grpc.NewServer(grpc.MaxConcurrentStreams(1024))
	pb.RegisterCommandServiceServer(s, echoService{})
	go func() { _ = s.Serve(l) }()
	tb.Cleanup(s.Stop)
	return l.Addr().String()
}

func echoHTTP(tb testing.TB) (url string) {
	tb.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/aggregates/{type}/{id}/commands", func(w http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(echoJSON)))
		_, _ = io.WriteString(w, echoJSON)
	})
	mux.Handle(aggregatev1connect.NewCommandServiceHandler(echoConnect{}))
	l, s := listen(tb), &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = s.Serve(l) }()
	tb.Cleanup(func() { _ = s.Close() })
	return "http://" + l.Addr().String()
}

func echoNATS(tb testing.TB) (url string) {
	tb.Helper()
	s, err := natsserver.NewServer(&natsserver.Options{Host: "127.0.0.1", Port: -1, NoSigs: true, NoLog: true})
	if err != nil {
		tb.Fatal(err)
	}
	s.Start()
	tb.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(30 * time.Second) {
		tb.Fatal("nats-server is not ready")
	}
	nc, err := nats.Connect("", nats.InProcessServer(s))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(nc.Close)
	svc, err := micro.AddService(nc, micro.Config{Name: "echo", Version: "1.0.0"})
	if err == nil {
		err = svc.AddEndpoint("cmd", micro.HandlerFunc(func(r micro.Request) { _ = r.Respond([]byte(echoJSON)) }), micro.WithEndpointSubject("cmd.*.*.*"))
	}
	if err == nil {
		err = nc.Flush()
	}
	if err != nil {
		tb.Fatal(err)
	}
	return s.ClientURL()
}

// rest is an HTTP/1.1 client of one connection for each caller. It writes requests as text: net/http's
// own client uses more of the two cores than the server it talks to.
type rest struct {
	addr  string
	conns []restConn
}

type restConn struct {
	c net.Conn // opened by the first command: a server closes what says nothing for ten seconds
	r *bufio.Reader
	b []byte
}

func newREST(tb testing.TB, url string, callers int) *rest {
	tb.Helper()
	r := &rest{addr: url[len("http://"):], conns: make([]restConn, callers)}
	tb.Cleanup(func() {
		for i := range r.conns {
			if c := r.conns[i].c; c != nil {
				_ = c.Close()
			}
		}
	})
	return r
}

func (c *restConn) open(addr string) (err error) {
	if c.c == nil {
		if c.c, err = net.Dial("tcp", addr); err == nil {
			c.r = bufio.NewReader(c.c)
		}
	}
	return err
}

func (r *rest) submit(caller int, key aggregate.Key, command aggregate.ID, payload []byte) error {
	c := &r.conns[caller]
	if err := c.open(r.addr); err != nil {
		return err
	}
	b := append(append(c.b[:0], "POST /v1/aggregates/"...), key.Type...)
	b, _ = key.ID.AppendText(append(b, '/'))
	b, _ = command.AppendText(append(b, "/commands HTTP/1.1\r\nHost: x\r\nIdempotency-Key: "...))
	b = strconv.AppendInt(append(b, "\r\nContent-Type: application/json\r\nContent-Length: "...), int64(len(payload)), 10)
	c.b = append(append(b, "\r\n\r\n"...), payload...)
	if _, err := c.c.Write(c.b); err != nil {
		return err
	}
	status, err := c.r.ReadSlice('\n')
	if err != nil {
		return err
	}
	ok, size := string(status) == "HTTP/1.1 200 OK\r\n", 0
	for {
		line, err := c.r.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) == 2 {
			break
		}
		if v, is := cut(line, "Content-Length: "); is {
			size, _ = strconv.Atoi(v)
		}
	}
	body, err := c.r.Peek(size)
	if err == nil && !ok {
		err = errors.New(string(body))
	}
	_, _ = c.r.Discard(size)
	return err
}

func cut(line []byte, name string) (string, bool) {
	if len(line) < len(name)+2 || string(line[:len(name)]) != name {
		return "", false
	}
	return string(line[len(name) : len(line)-2]), true
}
