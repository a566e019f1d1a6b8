package telemetry

import (
	"bytes"
	"encoding/hex"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/cloudlysis/aggregate"
)

// fakeCollector is an OTLP collector of a few lines.
func fakeCollector(t *testing.T) (url string, spans func() []*tracepb.Span) {
	t.Helper()
	var (
		mu  sync.Mutex
		got []*tracepb.Span
	)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		var req collector.ExportTraceServiceRequest
		if err := proto.Unmarshal(b, &req); err != nil || r.URL.Path != "/v1/traces" {
			t.Errorf("%s: %v", r.URL.Path, err)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, rs := range req.GetResourceSpans() {
			for _, ss := range rs.GetScopeSpans() {
				got = append(got, ss.GetSpans()...)
			}
		}
	}))
	t.Cleanup(srv.Close)
	return srv.URL, func() []*tracepb.Span {
		mu.Lock()
		defer mu.Unlock()
		return got
	}
}

func TestT9_2SpansAreLinkedToTheCaller(t *testing.T) {
	url, spans := fakeCollector(t)
	tr, err := NewTracing(t.Context(), url, 0, "0.1.0", "test")
	if err != nil {
		t.Fatal(err)
	}
	m := NewMetrics(slog.New(slog.DiscardHandler))
	m.Trace(tr)
	sampled, alone := command("acme"), command("acme")
	alone.Metadata = nil // no caller's span, ratio 0: not sampled
	m.Command(sampled, &aggregate.Reply{Version: 7, Events: make([]aggregate.Event, 2)}, nil, 40, 5*time.Millisecond,
		aggregate.Stages{aggregate.StageQueue: time.Millisecond, aggregate.StageDecide: 500 * time.Microsecond, aggregate.StageAppend: 3 * time.Millisecond, aggregate.StageReply: 500 * time.Microsecond})
	m.Command(alone, &aggregate.Reply{}, nil, 0, time.Millisecond, aggregate.Stages{})
	if err := tr.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := spans()
	if len(got) != 5 {
		t.Fatalf("got %d spans, want the command's and four stages that took time", len(got))
	}
	s := got[4] // it ends last
	at := s.GetStartTimeUnixNano()
	for i, name := range []string{"queue", "decide", "append", "reply"} {
		stage := got[i]
		if stage.GetName() != name || !bytes.Equal(stage.GetParentSpanId(), s.GetSpanId()) || stage.GetStartTimeUnixNano() != at {
			t.Errorf("stage %d: got %v, want %s from %d on within the command", i, stage, name, at)
		}
		at = stage.GetEndTimeUnixNano()
	}
	if at != s.GetEndTimeUnixNano() {
		t.Errorf("the stages end at %d, the command at %d", at, s.GetEndTimeUnixNano())
	}
	if hex.EncodeToString(s.GetTraceId()) != "0af7651916cd43dd8448eb211c80319c" || hex.EncodeToString(s.GetParentSpanId()) != "b7ad6b7169203331" {
		t.Errorf("not linked to the caller: %v", s)
	}
	if took := s.GetEndTimeUnixNano() - s.GetStartTimeUnixNano(); took != 5_000_000 {
		t.Errorf("took %d ns", took)
	}
	text := s.String()
	for _, want := range []string{"tenant_id", "acme", "aggregate_id", sampled.AggregateID.String(), "command_id", "version", "correlation_id", "c-1", "outcome", "accepted"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
}

func TestExemplarsNameTheTrace(t *testing.T) {
	m := NewMetrics(slog.New(slog.DiscardHandler))
	m.Command(command("acme"), &aggregate.Reply{}, nil, 0, time.Millisecond, aggregate.Stages{})
	req := httptest.NewRequest("GET", "/metrics", nil)
	req.Header.Set("Accept", "application/openmetrics-text; version=1.0.0")
	rec := httptest.NewRecorder()
	m.Handler().ServeHTTP(rec, req)
	if !strings.Contains(rec.Body.String(), `# {trace_id="0af7651916cd43dd8448eb211c80319c"}`) {
		t.Errorf("no exemplar in %s", rec.Body)
	}
}

func TestTracingWithoutACollector(t *testing.T) {
	tr, err := NewTracing(t.Context(), "http://127.0.0.1:1", 1, "", "")
	if err != nil {
		t.Fatal(err)
	}
	m := NewMetrics(slog.New(slog.DiscardHandler))
	m.Trace(tr)
	begin := time.Now()
	for range 100 {
		m.Command(command("acme"), &aggregate.Reply{}, nil, 0, time.Millisecond, aggregate.Stages{})
	}
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("commands waited %v for the collector", took)
	}
}
