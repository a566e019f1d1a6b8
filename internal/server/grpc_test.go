package server

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/cloudlysis/aggregate"
	pb "github.com/cloudlysis/aggregate/gen/aggregate/v1"
)

func jsonUnmarshal(b []byte, v any) error { return json.Unmarshal(b, v) }

// door serves both protocols on one port, as the daemon does.
func door(t *testing.T, f *fakeCommands, events fakeEvents) string {
	t.Helper()
	return serveDoor(t, f, events, nil)
}

func serveDoor(t *testing.T, f *fakeCommands, events fakeEvents, secure *tls.Config) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := NewSplit(l, secure)
	g, _ := GRPC(f, events, Policy{MaxBody: 1000})
	h := &http.Server{Handler: REST(f, events, nil, Policy{MaxBody: 1000})}
	done := make(chan error, 3)
	go func() { done <- s.Serve() }()
	go func() { done <- g.Serve(s.GRPC()) }()
	go func() { done <- h.Serve(s.HTTP()) }()
	t.Cleanup(func() {
		_ = s.Close()
		g.Stop()
		_ = h.Close()
		for range 3 {
			<-done
		}
	})
	return l.Addr().String()
}

func TestOnePortTwoProtocols(t *testing.T) {
	f := &fakeCommands{submit: accept}
	addr := door(t, f, nil)
	resp, err := http.Get("http://" + addr + "/v1/nothing")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	if resp.StatusCode != 404 {
		t.Errorf("http: got %d", resp.StatusCode)
	}
	cc, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer cc.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	ctx = metadata.AppendToOutgoingContext(ctx, "x-tenant-id", "acme", "x-meta-source", "atm")
	v := uint64(3)
	r, err := pb.NewCommandServiceClient(cc).SubmitCommand(ctx, &pb.SubmitCommandRequest{AggregateType: "Account", AggregateId: testID,
		CommandId: testCmd, PayloadJson: `{"type":"deposit"}`, ExpectedVersion: &v, Metadata: map[string]string{"k": "v"}})
	if err != nil {
		t.Fatal(err)
	}
	if r.GetTenantId() != "acme" || r.GetCommandId() != testCmd || r.GetEvents()[0].GetPayloadJson() != `{"amount":9007199254740993}` {
		t.Errorf("got %v", r)
	}
	if f.last.Metadata["source"] != "atm" || f.last.Metadata["k"] != "v" || *f.last.ExpectedVersion != 3 {
		t.Errorf("got %+v", f.last)
	}
}

func TestGRPCErrorDetails(t *testing.T) {
	f := &fakeCommands{}
	addr := door(t, f, nil)
	cc, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer cc.Close()
	client := pb.NewCommandServiceClient(cc)
	tests := []struct {
		name   string
		err    error
		code   codes.Code
		reason string
	}{
		{"rejected", &aggregate.RejectedError{Code: "insufficient_funds"}, codes.FailedPrecondition, "insufficient_funds"},
		{"invalid", &aggregate.ValidationError{Path: "amount", Message: "missing"}, codes.InvalidArgument, "validation_error"},
		{"conflict", &aggregate.VersionConflictError{Expected: 1, Actual: 2}, codes.Aborted, "version_conflict"},
		{"in doubt", &aggregate.UnavailableError{Reason: aggregate.ErrInDoubt}, codes.Unavailable, "outcome_unknown"},
		{"gas", &aggregate.FaultError{Kind: "gas"}, codes.ResourceExhausted, "decide_error"},
		{"tenant", &aggregate.TenantAccessDeniedError{}, codes.PermissionDenied, "tenant_access_denied"},
		{"unreadable", aggregate.ErrRehydration, codes.DataLoss, "rehydration_error"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f.submit = func(*aggregate.Command) (*aggregate.Reply, error) { return nil, tt.err }
			_, err := client.SubmitCommand(t.Context(), &pb.SubmitCommandRequest{AggregateType: "Account", AggregateId: testID, PayloadJson: `{}`})
			st := status.Convert(err)
			if st.Code() != tt.code {
				t.Fatalf("got %v, want %v", st, tt.code)
			}
			var info *errdetails.ErrorInfo
			for _, d := range st.Details() {
				if i, ok := d.(*errdetails.ErrorInfo); ok {
					info = i
				}
			}
			if info == nil || info.Reason != tt.reason || info.Metadata["command_id"] == "" {
				t.Errorf("got details %v, want reason %s", st.Details(), tt.reason)
			}
		})
	}
}

// A client that says nothing must not hold up a stop.
func TestSplitCloseEndsSilentConnections(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := NewSplit(l, nil)
	done := make(chan error, 1)
	go func() { done <- s.Serve() }()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for s.silentCount() == 0 {
		time.Sleep(time.Millisecond)
	}
	_ = s.Close()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(peekTimeout / 2):
		t.Error("Serve waits for a silent client")
	}
}

func (s *Split) silentCount() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.silent)
}
