package clienttest

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/cloudlysis/aggregate/internal/aggdtest"
)

const root = "../.."

// start builds and runs aggd with the bank.
func start(t *testing.T, args ...string) *aggdtest.Node {
	t.Helper()
	exe, err := aggdtest.Build(root, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return aggdtest.Start(t, exe, bank, t.TempDir(), args...)
}

// needsMore skips what needs more than Go.
func needsMore(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("AGG_TEST_ALL") != "1" {
		t.Skipf("needs %s: set AGG_TEST_ALL=1", what)
	}
}

// run runs a program in dir and gives what it printed and its exit code.
func run(t *testing.T, dir, name string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs strings.Builder
	c := exec.Command(name, args...)
	c.Dir, c.Stdout, c.Stderr = dir, &out, &errs
	if err := c.Run(); err != nil && c.ProcessState == nil {
		t.Fatalf("%s: %v", name, err)
	}
	return out.String(), errs.String(), c.ProcessState.ExitCode()
}

// mustRun is run that must exit with 0.
func mustRun(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	out, errs, code := run(t, dir, name, args...)
	if code != 0 {
		t.Fatalf("%s %q: exit %d\n%s%s", name, args, code, out, errs)
	}
	return out
}

// tool builds a program of internal/tools and gives its path.
func tool(t *testing.T, pkg string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), filepath.Base(pkg))
	mustRun(t, filepath.Join(root, "internal/tools"), "go", "build", "-o", path, pkg)
	return path
}

func host(url string) string { return url[strings.LastIndexByte(url, '/')+1:] }

func connectNATS(t *testing.T, url string) *nats.Conn {
	t.Helper()
	nc, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

func want(t *testing.T, what, got string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(got, p) {
			t.Errorf("%s: got %s\nwithout %s", what, got, p)
		}
	}
}

// post sends JSON as tenant acme and gives the answer.
func post(t *testing.T, url, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Tenant-Id", "acme")
	resp, err := aggdtest.Client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
