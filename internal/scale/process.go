package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cloudlysis/aggregate/internal/aggdtest"
)

// node is a running aggd.
type node struct {
	cmd         *exec.Cmd
	log         *aggdtest.Buffer
	data, admin string
	log0        time.Duration // until the log was open
	took        time.Duration // until /ready said yes
}

const startTimeout = 10 * time.Minute

// start runs aggd on the data and waits until it takes commands.
func start(exe aggdtest.Exe, data string, env ...string) (*node, error) {
	n := &node{log: &aggdtest.Buffer{}}
	n.cmd = exe("serve", "examples/bank", "--data", data, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--nats-listen", "off")
	n.cmd.Stderr = n.log
	n.cmd.Env = append(os.Environ(), env...)
	begun := time.Now()
	if err := n.cmd.Start(); err != nil {
		return nil, err
	}
	for time.Since(begun) < startTimeout {
		if n.log0 == 0 && strings.Contains(n.log.String(), "embedded nats-server is ready") {
			n.log0 = time.Since(begun)
		}
		var up bool
		if n.data, n.admin, _, up = n.log.Addresses(); up && n.ready() {
			n.took = time.Since(begun)
			return n, nil
		}
		if err := n.cmd.Process.Signal(syscall.Signal(0)); err != nil {
			break
		}
		time.Sleep(2 * time.Millisecond)
	}
	return nil, errors.Join(fmt.Errorf("aggd does not start:\n%s", n.log), n.kill())
}

func (n *node) ready() bool {
	resp, err := http.Get(n.admin + "/ready")
	if err != nil {
		return false
	}
	return resp.Body.Close() == nil && resp.StatusCode == http.StatusOK
}

// stop is SIGTERM; it gives how long aggd took to end.
func (n *node) stop() (time.Duration, error) {
	begun := time.Now()
	if err := n.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return 0, err
	}
	if err := n.cmd.Wait(); err != nil {
		return 0, fmt.Errorf("aggd: %w:\n%s", err, n.log)
	}
	return time.Since(begun), nil
}

func (n *node) kill() error {
	_ = n.cmd.Process.Kill()
	_ = n.cmd.Wait()
	return nil
}

// rss is what the process holds of real memory now, and the most that it ever held.
func (n *node) rss() (now, most int64) { return rssOf(strconv.Itoa(n.cmd.Process.Pid)) }

func rssOf(pid string) (now, most int64) {
	b, _ := os.ReadFile("/proc/" + pid + "/status")
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		kb, _ := strconv.ParseInt(f[1], 10, 64)
		switch f[0] {
		case "VmRSS:":
			now = kb << 10
		case "VmHWM:":
			most = kb << 10
		}
	}
	return now, most
}

// dropCaches empties the kernel's page cache, if this process may.
func dropCaches() error {
	unix.Sync()
	return os.WriteFile("/proc/sys/vm/drop_caches", []byte("3"), 0o200)
}

// heap is what lives after a collection: objects and stacks.
func heap() int64 {
	objects, stacks := memory()
	return objects + stacks
}

func memory() (objects, stacks int64) {
	var m runtime.MemStats
	for range 4 { // what hangs on a cleanup, and then in a pool, goes at the third one
		debug.FreeOSMemory()
	}
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc), int64(m.StackInuse)
}

// paced calls f so many times a second, evenly, until ctx ends. Calls that are late are made up
// for at once, so that a stall does not lower the load.
func paced(ctx context.Context, perSecond int, f func()) {
	step := time.Second / time.Duration(perSecond)
	for next := time.Now(); ctx.Err() == nil; next = next.Add(step) {
		if wait := time.Until(next); wait > time.Millisecond {
			time.Sleep(wait)
		}
		f()
	}
}
