package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/cloudlysis/aggregate/internal/loadgen"
)

// TestBench runs the load tool through every door: all accepted, the sum exact.
func TestBench(t *testing.T) {
	n := start(t, bank, t.TempDir())
	for _, door := range []string{"http", "grpc", "grpc-stream", "nats", "engine"} {
		t.Run(door, func(t *testing.T) {
			args := []string{"bench", "--door", door, "--server", n.URL, "--nats-server", n.NATS, "--callers", "8", "--aggregates", "20", "--tenants", "3", "--commands", "200", "--format", "json"}
			if door == "engine" {
				args = append(args, bank, "--data", t.TempDir(), "--nats-listen", "off")
			}
			out, err := aggd(args...).Output()
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			var r loadgen.Result
			if err := json.Unmarshal(out, &r); err != nil {
				t.Fatalf("%s: %v", out, err)
			}
			if r.Door != door || r.Accepted != 200 || r.Refused+r.Failed != 0 || r.Sum != "200" || r.WantSum != "200" || r.PerSecond <= 0 || r.Latency["p50"] <= 0 || r.Latency["max"] < r.Latency["p50"] {
				t.Errorf("got %+v", r)
			}
		})
	}
}

// TestBenchTells: refusals are counted, and a sum that does not fit is exit 1.
func TestBenchTells(t *testing.T) {
	n := start(t, bank, t.TempDir())
	c := aggd("bench", "--server", n.URL, "--callers", "2", "--aggregates", "2", "--commands", "10", "--command", `{"type":"withdraw","amount":1}`)
	out, _ := c.CombinedOutput()
	if c.ProcessState.ExitCode() != 0 || !strings.Contains(string(out), "accepted 0 (0/s), refused 10, failed 0") || !strings.Contains(string(out), "insufficient_funds") {
		t.Errorf("exit %d: %s", c.ProcessState.ExitCode(), out)
	}
	c = aggd("bench", "--server", n.URL, "--callers", "2", "--aggregates", "2", "--commands", "10", "--step", "2")
	out, _ = c.CombinedOutput()
	if c.ProcessState.ExitCode() != 1 || !strings.Contains(string(out), "the sum is 10, acknowledged were 20") {
		t.Errorf("exit %d: %s", c.ProcessState.ExitCode(), out)
	}
	c = aggd("bench", "--server", "http://127.0.0.1:1", "--commands", "1")
	if out, _ = c.CombinedOutput(); c.ProcessState.ExitCode() != 3 {
		t.Errorf("nobody there: exit %d: %s", c.ProcessState.ExitCode(), out)
	}
}
