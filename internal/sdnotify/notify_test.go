package sdnotify

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// systemd listens as the service manager would.
func systemd(t *testing.T) *net.UnixConn {
	t.Helper()
	dir, err := os.MkdirTemp("", "sd") // short: a socket's path has 108 bytes at most
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, "n")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	t.Setenv("NOTIFY_SOCKET", path)
	return c
}

// next reads one message, or gives "" after wait.
func next(t *testing.T, c *net.UnixConn, wait time.Duration) string {
	t.Helper()
	b := make([]byte, 256)
	_ = c.SetReadDeadline(time.Now().Add(wait))
	n, err := c.Read(b)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n])
}

func want(t *testing.T, c *net.UnixConn, state string) {
	t.Helper()
	if got := next(t, c, 10*time.Second); got != state {
		t.Fatalf("got %q, want %q", got, state)
	}
}

func watchdog(t *testing.T, limit time.Duration) {
	t.Helper()
	t.Setenv("WATCHDOG_USEC", strconv.FormatInt(limit.Microseconds(), 10))
	t.Setenv("WATCHDOG_PID", strconv.Itoa(os.Getpid()))
}

func living(context.Context) error { return nil }

func TestLifeOfAService(t *testing.T) {
	c := systemd(t)
	watchdog(t, 60*time.Millisecond)
	stop := Start(slog.New(slog.DiscardHandler), living)
	want(t, c, "READY=1")
	want(t, c, "WATCHDOG=1")
	want(t, c, "WATCHDOG=1")
	if err := stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	for {
		got := next(t, c, 10*time.Second)
		if got == "STOPPING=1" {
			break
		}
		if got != "WATCHDOG=1" {
			t.Fatalf("got %q, want STOPPING=1", got)
		}
	}
	for got := next(t, c, 100*time.Millisecond); got != ""; got = next(t, c, 100*time.Millisecond) {
		t.Errorf("after the stop: %q", got)
	}
}

func TestWithoutAWatchdogNothingRuns(t *testing.T) {
	c := systemd(t)
	t.Setenv("WATCHDOG_USEC", "")
	stop := Start(slog.New(slog.DiscardHandler), func(context.Context) error { t.Error("asked for life"); return nil })
	want(t, c, "READY=1")
	if err := stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(t, c, "STOPPING=1")
}

// A watchdog that is meant for another process, such as a shell around aggd, is none of ours.
func TestWatchdogOfAnotherProcess(t *testing.T) {
	c := systemd(t)
	watchdog(t, time.Millisecond)
	t.Setenv("WATCHDOG_PID", "1")
	stop := Start(slog.New(slog.DiscardHandler), func(context.Context) error { t.Error("asked for life"); return nil })
	want(t, c, "READY=1")
	if err := stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(t, c, "STOPPING=1")
}

func TestTheDeadGiveNoSign(t *testing.T) {
	c := systemd(t)
	watchdog(t, 30*time.Millisecond)
	var dead atomic.Bool
	dead.Store(true)
	var asked atomic.Int32
	stop := Start(slog.New(slog.DiscardHandler), func(ctx context.Context) error {
		if asked.Add(1); !dead.Load() {
			return nil
		}
		<-ctx.Done() // a daemon that hangs: the question must end all the same
		return ctx.Err()
	})
	want(t, c, "READY=1")
	for asked.Load() < 3 { // again after a question without an answer, and again
		if got := next(t, c, 20*time.Millisecond); got != "" {
			t.Fatalf("got %q of the dead", got)
		}
	}
	dead.Store(false)
	want(t, c, "WATCHDOG=1")
	if err := stop(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestNobodyListens(t *testing.T) {
	t.Setenv("WATCHDOG_USEC", "")
	var log bytes.Buffer
	l := slog.New(slog.NewTextHandler(&log, nil))
	t.Setenv("NOTIFY_SOCKET", "")
	if err := Start(l, living)(t.Context()); err != nil || log.Len() > 0 {
		t.Errorf("without a socket: %v, log %q", err, &log)
	}
	t.Setenv("NOTIFY_SOCKET", "/nowhere/socket")
	if err := Start(l, living)(t.Context()); err != nil {
		t.Errorf("with a socket that is gone: %v", err)
	}
	if got := log.String(); strings.Count(got, "systemd cannot be told") != 2 {
		t.Errorf("got %q", got)
	}
	t.Setenv("WATCHDOG_USEC", "soon")
	log.Reset()
	t.Setenv("NOTIFY_SOCKET", "")
	if err := Start(l, living)(t.Context()); err != nil || !strings.Contains(log.String(), "WATCHDOG_USEC") {
		t.Errorf("with a broken setting: %v, log %q", err, &log)
	}
}
