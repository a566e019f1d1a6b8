package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSecretsStayOut: a password in a URL is neither shown nor logged.
func TestSecretsStayOut(t *testing.T) {
	file := filepath.Join(t.TempDir(), "aggregate.yaml")
	if err := os.WriteFile(file, []byte("nats.url: nats://u:s3cret@127.0.0.1:1\ntracing.url: http://u:s3cret@127.0.0.1:1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"config", bank, "--config", file},
		{"config", bank, "--config", file, "--format", "json"},
		{"config", "check", bank, "--nats", "nats://u:s3cret@a b:1"},
		{"serve", bank, "--config", file, "--data", t.TempDir(), "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--log-level", "debug"},
	} {
		out, _ := aggd(args...).CombinedOutput()
		if !strings.Contains(string(out), "u:xxxxx@") || strings.Contains(string(out), "s3cret") {
			t.Errorf("%v: got %s", args, out)
		}
	}
}

func TestConfigHearsOfSlips(t *testing.T) {
	t.Setenv("AGGREGATE_SYNK", "always")
	for _, verb := range [][]string{{"config"}, {"config", "check"}, {"serve"}} {
		c := aggd(append(verb, bank)...)
		out, _ := c.CombinedOutput()
		if c.ProcessState.ExitCode() == 0 || !strings.Contains(string(out), "did you mean AGGREGATE_SYNC?") {
			t.Errorf("%v: exit %d: %s", verb, c.ProcessState.ExitCode(), out)
		}
	}
}
