package parsers

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

const (
	root   = "../../.."
	deploy = root + "/deploy"
)

func read(t *testing.T, elem ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(elem...))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// goTool runs go in dir with more variables.
func goTool(t *testing.T, dir string, env []string, args ...string) string {
	t.Helper()
	c := exec.Command("go", args...)
	c.Dir, c.Env = dir, append(os.Environ(), env...)
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("go %q in %s: %v\n%s", args, dir, err, out)
	}
	return string(out)
}

// slow skips a test that only `make test-all` waits for.
func slow(t *testing.T) {
	t.Helper()
	if os.Getenv("AGG_TEST_ALL") == "" {
		t.Skip("takes minutes: AGG_TEST_ALL=1 runs it")
	}
}
