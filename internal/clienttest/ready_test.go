package clienttest

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/internal/aggdtest"
)

// natsDir makes this program a nats-server on a folder.
const natsDir = "CLIENTTEST_NATS_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(natsDir); dir != "" {
		serveNATS(dir)
		return
	}
	os.Exit(m.Run())
}

func serveNATS(dir string) {
	s, err := natsserver.NewServer(&natsserver.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: dir, NoLog: true})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
	s.Start()
	if s.ReadyForConnections(20 * time.Second) {
		fmt.Println(s.ClientURL())
	}
	s.WaitForShutdown()
}

// natsProcess is a nats-server that can be stopped like any process.
func natsProcess(t *testing.T) (url string, p *os.Process) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(exe)
	c.Env = append(os.Environ(), natsDir+"="+t.TempDir())
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line), c.Process
}

// readiness waits until /ready answers code, and gives how long that took and the last body. Every answer comes within a
// second, or the next one does: /ready waits for nothing, but a machine may stand still.
func readiness(t *testing.T, n *aggdtest.Node, code int, limit time.Duration) (time.Duration, string) {
	t.Helper()
	client := &http.Client{Timeout: time.Second}
	began := time.Now()
	for {
		resp, err := client.Get(n.Admin + "/ready?verbose")
		if err != nil {
			resp, err = client.Get(n.Admin + "/ready?verbose")
		}
		if err != nil {
			t.Fatalf("/ready must answer at once: %v", err)
		}
		var body strings.Builder
		_, _ = bufio.NewReader(resp.Body).WriteTo(&body)
		_ = resp.Body.Close()
		took := time.Since(began)
		if resp.StatusCode == code {
			return took, body.String()
		}
		if took > limit {
			t.Fatalf("/ready is still %d after %s: %s", resp.StatusCode, took, &body)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// deposits sends a command after another until the test ends: what stands still is appends.
func deposits(t *testing.T, n *aggdtest.Node) {
	t.Helper()
	id := aggregate.NewID()
	n.Want(n.Command(id, `{"type":"open_account","initial_balance":0}`), 200, 1)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			_, _ = n.Try("POST", "/v1/aggregates/Account/"+id.String()+"/commands", `{"type":"deposit","amount":1}`)
			time.Sleep(time.Millisecond)
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
}

// drops asserts the promise: 503 within five seconds of the stall, 200 again once it is over.
func drops(t *testing.T, n *aggdtest.Node, stall, goOn func()) {
	t.Helper()
	readiness(t, n, 200, 20*time.Second)
	stall()
	took, body := readiness(t, n, 503, 5*time.Second)
	t.Logf("503 after %s: %s", took, body)
	time.Sleep(2 * time.Second)
	readiness(t, n, 503, 0) // and stays there
	goOn()
	took, _ = readiness(t, n, 200, 20*time.Second)
	t.Logf("200 after %s", took)
}

// TestReadyDropsWhenTheServerStops: a stopped process keeps its connections open and answers nothing.
func TestReadyDropsWhenTheServerStops(t *testing.T) {
	for _, load := range []bool{false, true} {
		t.Run(fmt.Sprintf("load=%t", load), func(t *testing.T) {
			url, p := natsProcess(t)
			n := start(t, "--nats", url)
			if load {
				deposits(t, n)
			}
			signal := func(s syscall.Signal) func() {
				return func() {
					if err := p.Signal(s); err != nil {
						t.Fatal(err)
					}
				}
			}
			t.Cleanup(func() { _ = p.Signal(syscall.SIGCONT) })
			drops(t, n, signal(syscall.SIGSTOP), signal(syscall.SIGCONT))
		})
	}
}

// TestReadyDropsWhenTheDiskStops: every write to a frozen file system waits.
func TestReadyDropsWhenTheDiskStops(t *testing.T) {
	needsMore(t, "root, mkfs.ext4, fsfreeze and a loop device")
	for _, sync := range []string{"group", "always"} {
		t.Run(sync, func(t *testing.T) {
			dir := loopDisk(t)
			exe, err := aggdtest.Build(root, t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			n := aggdtest.Start(t, exe, bank, filepath.Join(dir, "data"), "--sync", sync)
			deposits(t, n)
			thaw := func() { _, _, _ = run(t, "", "fsfreeze", "-u", dir) }
			t.Cleanup(thaw) // before the end of what waits for the disk: that cannot be killed
			drops(t, n, func() { mustRun(t, "", "fsfreeze", "-f", dir) }, thaw)
		})
	}
}

// loopDisk mounts a file system of its own.
func loopDisk(t *testing.T) string {
	t.Helper()
	image, dir := filepath.Join(t.TempDir(), "disk"), t.TempDir()
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(image, 512<<20); err != nil {
		t.Fatal(err)
	}
	mustRun(t, "", "mkfs.ext4", "-q", image)
	mustRun(t, "", "mount", "-o", "loop", image, dir)
	t.Cleanup(func() { _, _, _ = run(t, "", "umount", dir) })
	return dir
}
