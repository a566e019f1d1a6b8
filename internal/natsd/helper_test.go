package natsd

import (
	"log/slog"
	"os"
	"runtime"
	"testing"

	"github.com/nats-io/nats.go"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// withSyncfs is the real disk; where the system has no syncfs, one that does nothing stands in, as the tests ask what is
// chosen and what follows from a failure.
func withSyncfs() disk {
	d := realDisk()
	if runtime.GOOS != "linux" {
		d.syncfs = func(*os.File) error { return nil }
	}
	return d
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
