package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestSystemdHearsOfIt: READY when commands are taken, signs of life, STOPPING; and the metrics of
// the node that alerts ask for.
func TestSystemdHearsOfIt(t *testing.T) {
	dir, err := os.MkdirTemp("", "sd") // short: a socket's path has 108 bytes at most
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "n"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = manager.Close() })
	t.Setenv("NOTIFY_SOCKET", filepath.Join(dir, "n"))
	t.Setenv("WATCHDOG_USEC", "1500000")
	t.Setenv("WATCHDOG_PID", "")
	hear := func() string {
		b := make([]byte, 256)
		_ = manager.SetReadDeadline(time.Now().Add(30 * time.Second))
		n, err := manager.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		return string(b[:n])
	}
	n := start(t, bank, t.TempDir())
	for _, want := range []string{"READY=1", "WATCHDOG=1", "WATCHDOG=1"} {
		if got := hear(); got != want {
			t.Fatalf("got %q, want %q\n%s", got, want, n.Log)
		}
	}
	code, body := n.Ask("GET", "/metrics", "")
	if code != 200 {
		t.Fatalf("got %d", code)
	}
	for _, want := range []string{"\naggregate_ready 1\n", "\naggregate_info{manifest=\"", "sync=\"group", "\naggregate_disk_free_bytes "} {
		if !strings.Contains(body, want) {
			t.Errorf("/metrics has no %q", want)
		}
	}
	if code := n.Stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	for got := hear(); got != "STOPPING=1"; got = hear() {
		if got != "WATCHDOG=1" {
			t.Errorf("got %q", got)
		}
	}
}
