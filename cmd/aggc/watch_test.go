package main

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const watchedAggregate = "aggregate A {\n  state { n: int = 0 }\n  command c {}\n  event e {}\n  decide c { emit e {} }\n  apply e { state.n += 1 }\n}\n"

// watcher is a running `aggc test --watch` whose lines are read one by one.
type watcher struct {
	t     *testing.T
	cmd   *exec.Cmd
	lines chan string
	dir   string
}

func startWatch(t *testing.T, args ...string) *watcher {
	t.Helper()
	w := &watcher{t: t, lines: make(chan string, 100), dir: t.TempDir()}
	w.write("a.agg", watchedAggregate)
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	t.Cleanup(cancel)
	w.cmd = exec.CommandContext(ctx, "aggc", append([]string{"test", "--watch"}, args...)...) // testscript.Main has put it on the PATH
	w.cmd.Dir = w.dir
	r, out := io.Pipe()
	w.cmd.Stdout, w.cmd.Stderr = out, out
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(w.lines)
		for s := bufio.NewScanner(r); s.Scan(); {
			w.lines <- s.Text()
		}
	}()
	t.Cleanup(func() { out.Close() })
	return w
}

func (w *watcher) write(name, text string) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o644); err != nil {
		w.t.Fatal(err)
	}
}

// until reads lines until one begins with want, and gives what came before it.
func (w *watcher) until(want string) string {
	w.t.Helper()
	var before []string
	timeout := time.After(time.Minute)
	for {
		select {
		case l, ok := <-w.lines:
			if !ok {
				w.t.Fatalf("it ended, before %q came:\n%s", want, strings.Join(before, "\n"))
			}
			if strings.HasPrefix(l, want) {
				return strings.Join(before, "\n")
			}
			before = append(before, l)
		case <-timeout:
			w.t.Fatalf("no %q, but:\n%s", want, strings.Join(before, "\n"))
		}
	}
}

func (w *watcher) interrupt() {
	w.t.Helper()
	if err := w.cmd.Process.Signal(os.Interrupt); err != nil {
		w.t.Fatal(err)
	}
	if err := w.cmd.Wait(); err != nil {
		w.t.Errorf("got %v, want exit code 0", err)
	}
}

// TestWatch: a change is tested, an error ends nothing, new files and directories count, several
// writes are one run, an interrupt is the regular end.
func TestWatch(t *testing.T) {
	w := startWatch(t)
	w.until("no tests")
	w.until("watching")

	w.write("a_test.agg", "test \"one\" for A {\n  when c {}\n  then emit e {}\n}\n")
	w.until("a_test.agg has changed")
	w.until("ok: 1 test passed")
	w.until("watching")

	w.write("notes.txt", "no manifest")
	w.write(".hidden.agg", "aggregate")
	for range 5 {
		w.write("a.agg", "aggregate A {")
		time.Sleep(quiet / 10)
	}
	if before := w.until("a.agg has changed"); strings.Contains(before, "ok:") {
		t.Errorf("got a run for %q", before)
	}
	w.until("a.agg:1:14: error")
	if before := w.until("watching"); strings.Contains(before, "has changed") {
		t.Errorf("one burst of writes gave several runs: %q", before)
	}

	w.write("a.agg", strings.Replace(watchedAggregate, "emit e {}", "nothing", 1))
	w.until("FAIL A: one")
	w.until("watching")

	if err := os.MkdirAll(filepath.Join(w.dir, "sub", "deep"), 0o755); err != nil {
		t.Fatal(err)
	}
	w.until("sub")
	w.until("watching")
	w.write("sub/deep/b.agg", strings.Replace(watchedAggregate, "aggregate A", "aggregate B", 1)+"test \"two\" for B {\n  when c {}\n  then emit e {}\n}\n")
	w.until("sub/deep/b.agg has changed")
	w.until("FAIL: 1 of 2 tests failed")
	w.until("watching")
	w.interrupt()
}

// TestWatchFile: a file is watched where it lies, with the flags of any run.
func TestWatchFile(t *testing.T) {
	w := startWatch(t, "--cover", "a.agg")
	w.until("coverage")
	w.until("watching")
	if err := os.Rename(filepath.Join(w.dir, "a.agg"), filepath.Join(w.dir, "gone")); err != nil {
		t.Fatal(err)
	}
	w.until("a.agg has changed")
	w.until("aggc: ")
	w.until("watching")
	w.write("a.agg", watchedAggregate)
	w.until("coverage")
	w.until("watching")
	w.interrupt()
}

// TestWatchMisuse: what no change can mend ends it at once.
func TestWatchMisuse(t *testing.T) {
	for _, args := range [][]string{{"--watch", "--run", "("}, {"--watch", "missing"}} {
		var out strings.Builder
		if got := run(append([]string{"test"}, args...), strings.NewReader(""), &out, &out); got != exitUsage && got != exitEnvError {
			t.Errorf("%v: got exit code %d: %s", args, got, out.String())
		}
	}
}
