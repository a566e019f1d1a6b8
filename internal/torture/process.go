package torture

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// A child that is to be a nats-server has these in its environment.
const (
	natsDirVar  = "AGGREGATE_TORTURE_NATS_DIR"
	natsPortVar = "AGGREGATE_TORTURE_NATS_PORT"
)

// Child turns this process into the nats-server that a site has started, and then never returns; in any other process
// it does nothing. It is the first thing that TestMain calls.
func Child() {
	if os.Getenv(natsPortVar) == "" {
		return
	}
	fmt.Fprintln(os.Stderr, "nats-server:", runNATS())
	os.Exit(3)
}

func runNATS() error {
	port, err := strconv.Atoi(os.Getenv(natsPortVar))
	if err != nil {
		return err
	}
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: port, JetStream: true, StoreDir: os.Getenv(natsDirVar), NoSigs: true, NoLog: true})
	if err != nil {
		return err
	}
	s.Start()
	if !s.ReadyForConnections(startTimeout) {
		return errors.New("not ready")
	}
	fmt.Fprintln(os.Stderr, "ready at", s.ClientURL())
	s.WaitForShutdown()
	return nil
}

// startTimeout bounds the start of a child.
const startTimeout = 60 * time.Second

// ErrStart is matched by the error of a child that was not ready in time or ended before; the error holds its log.
var ErrStart = errors.New("did not start")

// process is a running child. It ends with this process, however that ends.
type process struct {
	cmd  *exec.Cmd
	done chan struct{}

	mu     sync.Mutex
	log    []string          // the last lines
	found  map[string]string // by name: the first match of a pattern
	wanted map[string]*regexp.Regexp
	full   chan struct{} // closed when all patterns were found
}

const logLines = 40

// spawn starts a child with additions to the environment. Its log is searched for the patterns, each with one group.
func spawn(c *exec.Cmd, env []string, wanted map[string]*regexp.Regexp) (*process, error) {
	p := &process{cmd: c, done: make(chan struct{}), full: make(chan struct{}), found: make(map[string]string), wanted: wanted}
	c.Env = append(os.Environ(), env...)
	tie(c)
	out, err := c.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, err
	}
	go p.watch(out)
	return p, nil
}

// watch reads the log to its end, then waits for the process.
func (p *process) watch(out io.Reader) {
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		p.take(lines.Text())
	}
	_, _ = io.Copy(io.Discard, out)
	_ = p.cmd.Wait()
	close(p.done)
}

func (p *process) take(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.log = append(p.log, line)
	if len(p.log) > logLines {
		p.log = p.log[1:]
	}
	for name, re := range p.wanted {
		if p.found[name] != "" {
			continue
		}
		if m := re.FindStringSubmatch(line); m != nil {
			p.found[name] = m[1]
			if len(p.found) == len(p.wanted) {
				close(p.full)
			}
		}
	}
}

func (p *process) name() string { return filepath.Base(p.cmd.Path) }

// tail is the end of the log.
func (p *process) tail() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.log, "\n")
}

// ready waits until all patterns were found.
func (p *process) ready(ctx context.Context) (map[string]string, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	select {
	case <-p.full:
		return p.found, nil // complete, so nobody writes to it any more
	case <-p.done:
		return nil, fmt.Errorf("%s %w: %s\n%s", p.name(), ErrStart, p.cmd.ProcessState, p.tail())
	case <-ctx.Done():
		p.kill()
		return nil, fmt.Errorf("%s %w: %w\n%s", p.name(), ErrStart, ctx.Err(), p.tail())
	}
}

// alive tells whether the process runs.
func (p *process) alive() bool {
	if p == nil {
		return false
	}
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// isReady tells whether all patterns were found.
func (p *process) isReady() bool {
	select {
	case <-p.full:
		return true
	default:
		return false
	}
}

// signal is kill -9; when it returns no thread of the process runs code of its own any more.
func (p *process) signal() { _ = p.cmd.Process.Kill() }

// kill is kill -9, and the end of the process.
func (p *process) kill() {
	if p == nil {
		return
	}
	p.signal()
	<-p.done
}
