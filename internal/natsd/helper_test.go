package natsd

import (
	"log/slog"
	"testing"

	"github.com/nats-io/nats.go"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func startTest(t testing.TB, o Options, d disk) *Server {
	t.Helper()
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s, err := start(o, d)
	must(t, err)
	t.Cleanup(s.Shutdown)
	return s
}

func connect(t testing.TB, s *Server) *nats.Conn {
	t.Helper()
	nc, err := s.Connect(t.Name())
	must(t, err)
	return nc
}
