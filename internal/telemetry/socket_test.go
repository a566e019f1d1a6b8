package telemetry

import (
	"bufio"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestSocketReconnectsAndNeverBlocks: nobody listens at first, lines wait; the reader leaves and
// comes back; more lines than fit are dropped and counted.
func TestSocketReconnectsAndNeverBlocks(t *testing.T) {
	dir, err := os.MkdirTemp("", "log") // short: a socket's path has 108 bytes at most
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, "s")
	s := NewSocket(path)
	var level Level
	log := NewLogger(s, &level, "test")
	log.Info("before anyone listens")
	read := func(want string) net.Conn {
		t.Helper()
		l, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		_ = l.(*net.UnixListener).SetDeadline(time.Now().Add(30 * time.Second))
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetReadDeadline(time.Now().Add(30 * time.Second))
		line, err := bufio.NewReader(c).ReadString('\n')
		if err != nil || !strings.Contains(line, want) {
			t.Fatalf("got %q, %v, want %q", line, err, want)
		}
		return c
	}
	_ = read("before anyone listens").Close()
	time.Sleep(50 * time.Millisecond)
	log.Info("lost with the connection, or not") // the broken pipe is noticed by a write
	time.Sleep(50 * time.Millisecond)
	log.Info("lost too, or not")
	c := read("")
	_ = c.Close()
	begin := time.Now()
	for range 3 * socketQueue {
		log.Info("flood")
	}
	if took := time.Since(begin); took > 30*time.Second {
		t.Errorf("logging blocked for %v", took)
	}
	if s.Dropped() == 0 {
		t.Error("nothing was dropped")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
