package aggdtest

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Exe makes the command that runs aggd with arguments.
type Exe func(args ...string) *exec.Cmd

// Build builds aggd into dir; root is the module's folder.
func Build(root, dir string) (Exe, error) {
	path, err := filepath.Abs(filepath.Join(dir, "aggd"))
	if err != nil {
		return nil, err
	}
	build := exec.Command("go", "build", "-o", path, "./cmd/aggd")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return nil, &exec.Error{Name: string(out), Err: err}
	}
	return func(args ...string) *exec.Cmd { return exec.Command(path, args...) }, nil
}

// Node is a running aggd.
type Node struct {
	t     testing.TB
	Cmd   *exec.Cmd
	URL   string // of the data door, http://…
	Admin string // of the admin door, http://…
	NATS  string // of the embedded server, nats://…; empty without one
	Log   *Buffer
}

// Buffer is what a process has written; it may be read meanwhile.
type Buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (l *Buffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// String is all that was written so far.
func (l *Buffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// Addresses finds in aggd's log lines where its doors are: URLs of the data door, the admin door
// and the embedded server, which may be empty. It is false until aggd has said that it is ready.
func (l *Buffer) Addresses() (data, admin, nats string, ready bool) {
	text := l.String()
	m := readyLine.FindStringSubmatch(text)
	if m == nil {
		return "", "", "", false
	}
	if s := natsLine.FindStringSubmatch(text); s != nil {
		nats = "nats://" + s[1]
	}
	return "http://" + m[1], "http://" + m[2], nats, true
}

var (
	readyLine = regexp.MustCompile(`"msg":"ready","service":"aggregate","listen":"([^"]+)","admin":"([^"]+)"`)
	natsLine  = regexp.MustCompile(`"msg":"embedded nats-server is ready".*?"listen":"([^"]+)"`)
)

const (
	startTimeout = 60 * time.Second
	stopTimeout  = 40 * time.Second
)

// Start runs aggd serve with free ports and waits until it is ready; it is killed when t ends.
func Start(t testing.TB, exe Exe, dir, data string, args ...string) *Node {
	t.Helper()
	n := &Node{t: t, Log: &Buffer{}}
	n.Cmd = exe(append([]string{"serve", dir, "--data", data, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--nats-listen", "127.0.0.1:0"}, args...)...)
	n.Cmd.Stderr = n.Log
	if err := n.Cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Kill)
	for deadline := time.Now().Add(startTimeout); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		var ready bool
		if n.URL, n.Admin, n.NATS, ready = n.Log.Addresses(); ready {
			return n
		}
	}
	t.Fatalf("aggd is not ready:\n%s", n.Log)
	return nil
}

// Kill is kill -9; a process that has ended is no error.
func (n *Node) Kill() {
	if n.Cmd.ProcessState == nil {
		_ = n.Cmd.Process.Kill()
		_ = n.Cmd.Wait()
	}
}

// Stop is SIGTERM; it gives the exit code.
func (n *Node) Stop() int {
	n.t.Helper()
	_ = n.Cmd.Process.Signal(syscall.SIGTERM)
	done := make(chan error, 1)
	go func() { done <- n.Cmd.Wait() }()
	select {
	case <-done:
		return n.Cmd.ProcessState.ExitCode()
	case <-time.After(stopTimeout):
		n.t.Fatalf("SIGTERM does not end aggd:\n%s", n.Log)
		return -1
	}
}
