package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cloudlysis/aggregate"
)

// The test binary is aggd when this variable is set: so tests run the real process and can kill it.
const asAggd = "AGGD_TEST_AS_AGGD"

func TestMain(m *testing.M) {
	if os.Getenv(asAggd) != "" {
		main()
	}
	os.Exit(m.Run())
}

func aggd(args ...string) *exec.Cmd {
	c := exec.Command(os.Args[0], args...)
	c.Env = append(os.Environ(), asAggd+"=1", "GORACE=atexit_sleep_ms=0")
	return c
}

// node is a running daemon.
type node struct {
	t     *testing.T
	cmd   *exec.Cmd
	url   string // data door
	admin string
	nats  string // of the embedded server
	log   *lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

var (
	readyLine = regexp.MustCompile(`"msg":"ready","service":"aggregate","listen":"([^"]+)","admin":"([^"]+)"`)
	natsLine  = regexp.MustCompile(`"msg":"embedded nats-server is ready".*?"listen":"([^"]+)"`)
)

// start runs aggd serve with free ports and waits until it is ready.
func start(t *testing.T, dir, data string, args ...string) *node {
	t.Helper()
	n := &node{t: t, log: &lockedBuffer{}}
	n.cmd = aggd(append([]string{"serve", dir, "--data", data, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--nats-listen", "127.0.0.1:0"}, args...)...)
	n.cmd.Stderr = n.log
	if err := n.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.kill() })
	deadline := time.Now().Add(60 * time.Second)
	for time.Now().Before(deadline) {
		if m := readyLine.FindStringSubmatch(n.log.String()); m != nil {
			n.url, n.admin = "http://"+m[1], "http://"+m[2]
			if m := natsLine.FindStringSubmatch(n.log.String()); m != nil {
				n.nats = "nats://" + m[1]
			}
			return n
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("aggd is not ready:\n%s", n.log)
	return nil
}

// kill is kill -9.
func (n *node) kill() {
	if n.cmd.ProcessState == nil {
		_ = n.cmd.Process.Kill()
		_ = n.cmd.Wait()
	}
}

// stop is SIGTERM; it gives the exit code.
func (n *node) stop() int {
	n.t.Helper()
	_ = n.cmd.Process.Signal(syscall.SIGTERM)
	done := make(chan error, 1)
	go func() { done <- n.cmd.Wait() }()
	select {
	case <-done:
		return n.cmd.ProcessState.ExitCode()
	case <-time.After(40 * time.Second):
		n.t.Fatalf("SIGTERM does not end aggd:\n%s", n.log)
		return -1
	}
}

// reply is what the HTTP door answers, to commands and reads alike.
type reply struct {
	status    int
	raw       string
	Version   uint64
	Duplicate bool
	Code      string
	Detail    string
	State     map[string]json.RawMessage
	Events    []struct {
		EventID string `json:"event_id"`
		Version uint64
		Type    string `json:"event_type"`
		Payload json.RawMessage
	}
}

func (n *node) do(method, path, body string, hdr ...string) reply {
	n.t.Helper()
	r, err := n.try(method, path, body, hdr...)
	if err != nil {
		n.t.Fatalf("%s %s: %v\n%s", method, path, err, n.log)
	}
	return r
}

var httpClient = &http.Client{Timeout: 60 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 100}}

func (n *node) try(method, path, body string, hdr ...string) (reply, error) {
	req, err := http.NewRequest(method, n.url+path, strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	req.Header.Set("X-Tenant-Id", "acme")
	for i := 0; i+1 < len(hdr); i += 2 {
		req.Header.Set(hdr[i], hdr[i+1])
	}
	resp, err := httpClient.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return reply{}, err
	}
	r := reply{status: resp.StatusCode, raw: string(b)}
	if err := json.Unmarshal(b, &r); err != nil {
		return r, fmt.Errorf("%s: %w", b, err)
	}
	return r, nil
}

func (n *node) command(id aggregate.ID, body string, hdr ...string) reply {
	n.t.Helper()
	return n.do("POST", "/v1/aggregates/Account/"+id.String()+"/commands", body, hdr...)
}

func (n *node) state(id aggregate.ID) reply {
	n.t.Helper()
	return n.do("GET", "/v1/aggregates/Account/"+id.String(), "")
}

func (n *node) want(r reply, status int, version uint64) {
	n.t.Helper()
	if r.status != status || r.Version != version {
		n.t.Fatalf("got %d, version %d, want %d, %d: %s", r.status, r.Version, status, version, r.raw)
	}
}
