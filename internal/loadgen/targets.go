package loadgen

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/cloudlysis/aggregate"
	pb "github.com/cloudlysis/aggregate/gen/aggregate/v1"
)

// callTimeout bounds one call.
const callTimeout = 60 * time.Second

// HTTP is the REST door at a base URL.
type HTTP struct {
	base   string
	token  string
	client *http.Client
}

// NewHTTP makes a target with enough idle connections for its callers.
func NewHTTP(base, token string, callers int) *HTTP {
	return NewHTTPS(base, token, callers, nil)
}

// NewHTTPS is NewHTTP with certificates; nil: those of the system.
func NewHTTPS(base, token string, callers int, secure *tls.Config) *HTTP {
	return &HTTP{strings.TrimRight(base, "/"), token, &http.Client{Timeout: callTimeout, Transport: &http.Transport{TLSClientConfig: secure, MaxIdleConnsPerHost: callers, MaxConnsPerHost: callers}}}
}

func (h *HTTP) do(ctx context.Context, method string, key aggregate.Key, tail string, body []byte, command string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, h.base+"/v1/aggregates/"+string(key.Type)+"/"+key.ID.String()+tail, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if key.Tenant != "" {
		req.Header.Set("X-Tenant-Id", string(key.Tenant))
	}
	if command != "" {
		req.Header.Set("Idempotency-Key", command)
	}
	if h.token != "" {
		req.Header.Set("Authorization", "Bearer "+h.token)
	}
	resp, err := h.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = httpError(resp.StatusCode, b)
	}
	return b, err
}

func httpError(code int, body []byte) error {
	switch {
	case code == http.StatusNotFound:
		return fmt.Errorf("%w: %w: %s", ErrRefused, aggregate.ErrNotFound, body)
	case code < 500 && code != http.StatusTooManyRequests:
		return fmt.Errorf("%w: %s", ErrRefused, body)
	}
	return errors.New(string(body))
}

// Submit implements Target.
func (h *HTTP) Submit(ctx context.Context, key aggregate.Key, command aggregate.ID, payload []byte) error {
	_, err := h.do(ctx, http.MethodPost, key, "/commands", payload, command.String())
	return err
}

// State implements Target.
func (h *HTTP) State(ctx context.Context, key aggregate.Key) ([]byte, error) {
	b, err := h.do(ctx, http.MethodGet, key, "", nil, "")
	if err != nil {
		return nil, err
	}
	var s struct{ State json.RawMessage }
	err = json.Unmarshal(b, &s)
	return s.State, err
}

// GRPC is the gRPC door: unary calls, or one stream for each caller.
type GRPC struct {
	cc    *grpc.ClientConn
	cmds  pb.CommandServiceClient
	reads pb.QueryServiceClient
	token string
}

// NewGRPC makes a target of a connection, which stays the caller's.
func NewGRPC(cc *grpc.ClientConn, token string) *GRPC {
	return &GRPC{cc, pb.NewCommandServiceClient(cc), pb.NewQueryServiceClient(cc), token}
}

func (g *GRPC) context(ctx context.Context, tenant aggregate.TenantID) (context.Context, context.CancelFunc) {
	if tenant != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "x-tenant-id", string(tenant))
	}
	if g.token != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+g.token)
	}
	return context.WithTimeout(ctx, callTimeout)
}

// Submit implements Target.
func (g *GRPC) Submit(ctx context.Context, key aggregate.Key, command aggregate.ID, payload []byte) error {
	ctx, cancel := g.context(ctx, key.Tenant)
	defer cancel()
	_, err := g.cmds.SubmitCommand(ctx, &pb.SubmitCommandRequest{AggregateType: string(key.Type), AggregateId: key.ID.String(), CommandId: command.String(), PayloadJson: string(payload)})
	return grpcError(err)
}

// State implements Target.
func (g *GRPC) State(ctx context.Context, key aggregate.Key) ([]byte, error) {
	ctx, cancel := g.context(ctx, key.Tenant)
	defer cancel()
	s, err := g.reads.GetState(ctx, &pb.GetStateRequest{AggregateType: string(key.Type), AggregateId: key.ID.String()})
	return []byte(s.GetStateJson()), grpcError(err)
}

func grpcError(err error) error {
	return codeError(status.Code(err), err)
}

func codeError(c codes.Code, err error) error {
	switch c {
	case codes.OK:
		return nil
	case codes.NotFound:
		return fmt.Errorf("%w: %w: %w", ErrRefused, aggregate.ErrNotFound, err)
	case codes.FailedPrecondition, codes.InvalidArgument, codes.AlreadyExists, codes.PermissionDenied, codes.Unauthenticated, codes.Aborted:
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return err
}

// Stream is the gRPC door by one bidirectional stream, shared by all callers.
type Stream struct {
	*GRPC
	s    pb.CommandService_SubmitCommandsClient
	send sync.Mutex
	mu   sync.Mutex
	wait map[string]chan error
	dead error
	done chan struct{}
}

// NewStream opens the stream; Close ends it.
func NewStream(ctx context.Context, g *GRPC) (*Stream, error) {
	if g.token != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+g.token)
	}
	s, err := g.cmds.SubmitCommands(ctx)
	if err != nil {
		return nil, err
	}
	out := &Stream{GRPC: g, s: s, wait: map[string]chan error{}, done: make(chan struct{})}
	go out.receive()
	return out, nil
}

func (s *Stream) receive() {
	defer close(s.done)
	for {
		r, err := s.s.Recv()
		s.mu.Lock()
		if err != nil {
			s.dead = err
			for _, w := range s.wait {
				w <- err
			}
			s.mu.Unlock()
			return
		}
		w := s.wait[r.GetCommandId()]
		delete(s.wait, r.GetCommandId())
		s.mu.Unlock()
		if w == nil {
			continue
		}
		if p := r.GetProblem(); p != nil {
			w <- codeError(codes.Code(p.GetStatus()), fmt.Errorf("%s: %s", p.GetCode(), p.GetMessage()))
			continue
		}
		w <- nil
	}
}

// Submit implements Target.
func (s *Stream) Submit(_ context.Context, key aggregate.Key, command aggregate.ID, payload []byte) error {
	id, tenant, w := command.String(), string(key.Tenant), make(chan error, 1)
	s.mu.Lock()
	if s.dead != nil {
		s.mu.Unlock()
		return s.dead
	}
	s.wait[id] = w
	s.mu.Unlock()
	req := &pb.SubmitCommandsRequest{Command: &pb.SubmitCommandRequest{AggregateType: string(key.Type), AggregateId: key.ID.String(), CommandId: id, PayloadJson: string(payload)}}
	if tenant != "" {
		req.TenantId = &tenant
	}
	s.send.Lock()
	err := s.s.Send(req)
	s.send.Unlock()
	if err != nil {
		return err
	}
	return <-w
}

// Close ends the stream and waits for its goroutine.
func (s *Stream) Close() error {
	err := s.s.CloseSend()
	<-s.done
	return err
}

// NATS is the NATS door. It reads states by another target, as the door has none.
type NATS struct {
	nc    *nats.Conn
	reads Target
	token string
}

// NewNATS makes a target of a connection, which stays the caller's.
func NewNATS(nc *nats.Conn, reads Target, token string) *NATS { return &NATS{nc, reads, token} }

// Submit implements Target.
func (n *NATS) Submit(ctx context.Context, key aggregate.Key, command aggregate.ID, payload []byte) error {
	m := nats.NewMsg("cmd." + key.Tenant.Token() + "." + string(key.Type) + "." + key.ID.String())
	m.Data = payload
	m.Header.Set("idempotency-key", command.String())
	if n.token != "" {
		m.Header.Set("authorization", "Bearer "+n.token)
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	r, err := n.nc.RequestMsgWithContext(ctx, m)
	if err != nil {
		return err
	}
	switch code := r.Header.Get("Nats-Service-Error-Code"); {
	case code == "":
		return nil
	case code < "500" && code != "429":
		return fmt.Errorf("%w: %s", ErrRefused, r.Data)
	}
	return errors.New(string(r.Data))
}

// State implements Target.
func (n *NATS) State(ctx context.Context, key aggregate.Key) ([]byte, error) {
	return n.reads.State(ctx, key)
}
