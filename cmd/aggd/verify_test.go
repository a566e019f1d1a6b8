package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloudlysis/aggregate"
)

// TestVerify: a sound log passes with its snapshots compared; flipped bytes in a block are found.
func TestVerify(t *testing.T) {
	data := t.TempDir()
	n := start(t, bank, data, "--snapshot-threshold", "5")
	secret := ""
	for i := range 3 {
		id := aggregate.NewID()
		secret = id.String()
		n.Want(n.Command(id, `{"type":"open_account"}`), 200, 1)
		for v := range 3 + i {
			n.Want(n.Command(id, `{"type":"deposit","amount":1.50}`), 200, uint64(v+2))
		}
	}
	busy := aggd("verify", bank, "--data", data)
	if out, _ := busy.CombinedOutput(); busy.ProcessState.ExitCode() != 3 {
		t.Errorf("beside a running daemon: exit %d %s", busy.ProcessState.ExitCode(), out)
	}
	if code := n.Stop(); code != 0 {
		t.Fatalf("exit %d\n%s", code, n.Log)
	}
	c := aggd("verify", bank, "--data", data)
	out, _ := c.CombinedOutput()
	if c.ProcessState.ExitCode() != 0 || !strings.Contains(string(out), "15 messages, 15 commits, 15 events, 3 aggregates; 3 replayed, 3 snapshots compared, 0 of other rules; damage: 0") {
		t.Fatalf("exit %d: %s", c.ProcessState.ExitCode(), out)
	}
	flip(t, data, `"aggregate_id":"`+secret+`"`)
	c = aggd("verify", bank, "--data", data, "--format", "json")
	out, _ = c.CombinedOutput()
	if c.ProcessState.ExitCode() != 1 || !strings.Contains(string(out), `"what":"`) {
		t.Errorf("damaged: exit %d: %s", c.ProcessState.ExitCode(), out)
	}
}

// flip damages the first payload after a mark in the blocks of the event stream.
func flip(t *testing.T, data, mark string) {
	t.Helper()
	blocks, _ := filepath.Glob(filepath.Join(data, "nats/jetstream/*/streams/AGGREGATE_EVENTS/msgs/*.blk"))
	for _, p := range blocks {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		if i := bytes.Index(b, []byte(mark)); i >= 0 {
			j := i + bytes.Index(b[i:], []byte(`"event_type"`))
			b[j+1] ^= 1
			if err := os.WriteFile(p, b, 0o600); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatal("no block holds the mark")
}
