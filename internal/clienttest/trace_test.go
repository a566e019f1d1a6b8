package clienttest

import (
	"bytes"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/cloudlysis/aggregate"
	pb "github.com/cloudlysis/aggregate/gen/aggregate/v1"
)

// otlp is a collector of a few lines.
type otlp struct {
	mu    sync.Mutex
	spans []*tracepb.Span
}

// ServeHTTP implements http.Handler.
func (o *otlp) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	var req collector.ExportTraceServiceRequest
	if err := proto.Unmarshal(b, &req); err != nil || r.URL.Path != "/v1/traces" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, rs := range req.GetResourceSpans() {
		for _, ss := range rs.GetScopeSpans() {
			o.spans = append(o.spans, ss.GetSpans()...)
		}
	}
}

// of gives the spans of a trace.
func (o *otlp) of(trace string) (out []*tracepb.Span) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, s := range o.spans {
		if hex.EncodeToString(s.GetTraceId()) == trace {
			out = append(out, s)
		}
	}
	return out
}

// TestOneCommandFromHeaderToCommit follows a command: the Gateway's headers, the log line, the
// stored message's headers and metadata, and the span at a collector.
func TestOneCommandFromHeaderToCommit(t *testing.T) {
	const (
		trace, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
		traceparent   = "00-" + trace + "-" + parent + "-01"
		correlation   = "order-4711"
	)
	spans := &otlp{}
	srv := httptest.NewServer(spans)
	defer srv.Close()
	t.Setenv("AGGREGATE_TRACING_URL", srv.URL)
	n := start(t, "--log-level", "debug")
	nc, id, command := connectNATS(t, n.NATS), aggregate.NewID().String(), aggregate.NewID().String()
	ctx := metadata.AppendToOutgoingContext(t.Context(), "x-tenant-id", "acme", "x-correlation-id", correlation, "traceparent", traceparent, "x-meta-channel", "mobile")
	r, err := pb.NewCommandServiceClient(dial(t, n.URL)).SubmitCommand(ctx, &pb.SubmitCommandRequest{AggregateType: "Account", AggregateId: id, CommandId: command, PayloadJson: `{"type":"open_account","initial_balance":5}`})
	if err != nil || r.GetVersion() != 1 {
		t.Fatalf("got %v, %v", r, err)
	}
	line := ""
	for deadline := time.Now().Add(20 * time.Second); line == "" && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		line = lineOf(n.Log.String(), command, `"outcome"`) // written beside the reply, and it comes through a pipe
	}
	want(t, "log line", line, `"service":"aggregate"`, `"msg":"command"`, `"outcome":"accepted"`, `"tenant_id":"acme"`, `"aggregate_type":"Account"`,
		`"aggregate_id":"`+id+`"`, `"command_id":"`+command+`"`, `"version":1`, `"correlation_id":"`+correlation+`"`, `"trace_id":"`+trace+`"`)
	want(t, "line before it", lineOf(n.Log.String(), command), `"msg":"command received"`, `"level":"DEBUG"`, `"tenant_id":"acme"`, `"correlation_id":"`+correlation+`"`, `"trace_id":"`+trace+`"`)
	stored := commits(t, nc, id)
	if len(stored) != 1 {
		t.Fatalf("got %d messages", len(stored))
	}
	h := stored[0].Headers()
	for name, v := range map[string]string{"x-tenant-id": "acme", "x-correlation-id": correlation, "traceparent": traceparent, "agg-version": "1"} {
		if h.Get(name) != v {
			t.Errorf("stored header %s: got %q, want %q", name, h.Get(name), v)
		}
	}
	body := string(stored[0].Data())
	want(t, "stored body", body, `"command_id":"`+command+`"`, `"correlation_id":"`+correlation+`"`, `"traceparent":"`+traceparent+`"`, `"channel":"mobile"`)
	var got []*tracepb.Span
	top := -1 // the child of the Gateway's span: the last to end, so that all have come with it, or before
	for deadline := time.Now().Add(20 * time.Second); top < 0 && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		got = spans.of(trace)
		top = slices.IndexFunc(got, func(s *tracepb.Span) bool { return hex.EncodeToString(s.GetParentSpanId()) == parent })
	}
	if top < 0 {
		t.Fatalf("no span is a child of the Gateway's: %v", got)
	}
	want(t, "span", got[top].String(), "acme", id, command, correlation, "accepted")
	var stages []string
	for _, s := range got {
		if bytes.Equal(s.GetParentSpanId(), got[top].GetSpanId()) {
			stages = append(stages, s.GetName())
		}
	}
	if s := strings.Join(stages, " "); s != "queue load decide append sync reply" {
		t.Errorf("stages of the span: got %q", s)
	}
	t.Logf("log line: %s\nstored subject: %s\nstored headers: %v\nstored body: %s", line, stored[0].Subject(), h, body)
	for _, s := range got {
		t.Logf("span: trace %x, span %x, parent %x, %s, %d µs, %v", s.GetTraceId(), s.GetSpanId(), s.GetParentSpanId(), s.GetName(), (s.GetEndTimeUnixNano()-s.GetStartTimeUnixNano())/1000, s.GetAttributes())
	}
}

// lineOf finds the log line of a command.
func lineOf(log, command string, with ...string) string {
	for line := range strings.Lines(log) {
		if strings.Contains(line, `"command_id":"`+command+`"`) && !slices.ContainsFunc(with, func(w string) bool { return !strings.Contains(line, w) }) {
			return strings.TrimSpace(line)
		}
	}
	return ""
}
