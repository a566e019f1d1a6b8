package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloudlysis/aggregate"
)

// taggedAccount opens an account of the bank and tags it, so that the same tag again changes nothing.
func taggedAccount(n *node) aggregate.ID {
	id := aggregate.NewID()
	n.Want(n.Command(id, `{"type":"open_account"}`), 200, 1)
	n.Want(n.Command(id, `{"type":"tag","tag":"vip"}`), 200, 2)
	return id
}

// TestNothingIsRememberedOrNot: a command that changes nothing comes again when it would change
// something. Forgotten, it does; remembered, it gets its first reply.
func TestNothingIsRememberedOrNot(t *testing.T) {
	for _, setting := range []string{"", "remember"} {
		t.Setenv("AGGREGATE_IDEMPOTENCY_NOTHING", setting)
		if setting == "" {
			os.Unsetenv("AGGREGATE_IDEMPOTENCY_NOTHING")
		}
		n := start(t, bank, t.TempDir())
		id := taggedAccount(n)
		cmd := aggregate.NewID().String()
		first := n.Command(id, `{"type":"tag","tag":"vip"}`, "Idempotency-Key", cmd)
		n.Want(first, 200, 2)
		n.Want(n.Command(id, `{"type":"untag","tag":"vip"}`), 200, 3)
		again := n.Command(id, `{"type":"tag","tag":"vip"}`, "Idempotency-Key", cmd)
		tags := string(n.State(id).State["tags"])
		stored := messages(t, n.NATS, "tenant.acme.aggregate.Account."+id.String())
		if setting == "" {
			n.Want(again, 200, 4)
			if again.Duplicate || tags != `["vip"]` || stored != 4 {
				t.Errorf("forget: got %s, tags %s, %d messages", again.Raw, tags, stored)
			}
			continue
		}
		n.Want(again, 200, 2)
		if !again.Duplicate || strings.Replace(again.Raw, `"duplicate":true`, `"duplicate":false`, 1) != first.Raw || tags != `[]` || stored != 4 {
			t.Errorf("remember: got %s, first %s, tags %s, %d messages", again.Raw, first.Raw, tags, stored)
		}
	}
}

// TestNothingIsRememberedThroughEverything: kill -9, a stop with snapshots, their loss, verify.
func TestNothingIsRememberedThroughEverything(t *testing.T) {
	t.Setenv("AGGREGATE_IDEMPOTENCY_NOTHING", "remember")
	data := t.TempDir()
	serve := func() *node { return start(t, bank, data, "--snapshot-threshold", "3") }
	n := serve()
	id := taggedAccount(n)
	var first []aggdReply
	for range 7 { // over the threshold, the version standing still
		cmd := aggregate.NewID().String()
		r := n.Command(id, `{"type":"tag","tag":"vip"}`, "Idempotency-Key", cmd)
		n.Want(r, 200, 2)
		first = append(first, aggdReply{cmd, r.Raw})
	}
	check := func(when string, events int) {
		t.Helper()
		for _, f := range first {
			r := n.Command(id, `{"type":"tag","tag":"vip"}`, "Idempotency-Key", f.command)
			if !r.Duplicate || strings.Replace(r.Raw, `"duplicate":true`, `"duplicate":false`, 1) != f.raw {
				t.Errorf("%s:\ngot  %s\nwant %s", when, r.Raw, f.raw)
			}
		}
		if r := n.Command(id, `{"type":"tag","tag":"other"}`, "Idempotency-Key", first[0].command); r.Status != 422 || r.Code != "command_id_reused" {
			t.Errorf("%s: another payload: got %s", when, r.Raw)
		}
		if e := n.Do("GET", "/v1/aggregates/Account/"+id.String()+"/events", ""); len(e.Events) != events {
			t.Errorf("%s: got events %s", when, e.Raw)
		}
	}
	check("live", 2)
	n.Kill()
	n = serve()
	check("after kill -9", 2)
	if code := n.Stop(); code != 0 {
		t.Fatalf("exit %d\n%s", code, n.Log)
	}
	c := aggd("verify", bank, "--data", data)
	out, _ := c.CombinedOutput()
	if c.ProcessState.ExitCode() != 0 || !strings.Contains(string(out), "9 messages, 9 commits, 2 events, 1 aggregates; 1 replayed, 1 snapshots compared, 0 of other rules; damage: 0") {
		t.Errorf("exit %d: %s", c.ProcessState.ExitCode(), out)
	}
	n = serve()
	check("behind a snapshot", 2)
	n.Stop()
	if err := os.RemoveAll(filepath.Join(data, "snapshots")); err != nil {
		t.Fatal(err)
	}
	n = serve()
	check("without snapshots", 2)
	n.Want(n.Command(id, `{"type":"untag","tag":"vip"}`), 200, 3)
	check("after another event", 3)
}

// aggdReply is the reply to a command, as it came.
type aggdReply struct{ command, raw string }

// TestNothingIsRememberedByAnotherNode: the reply of one node is the reply of the other.
func TestNothingIsRememberedByAnotherNode(t *testing.T) {
	t.Setenv("AGGREGATE_IDEMPOTENCY_NOTHING", "remember")
	url := external(t)
	a := start(t, bank, t.TempDir(), "--nats", url)
	b := start(t, bank, t.TempDir(), "--nats", url)
	id := taggedAccount(a)
	b.Want(b.State(id), 200, 2) // live on both
	cmd := aggregate.NewID().String()
	first := a.Command(id, `{"type":"tag","tag":"vip"}`, "Idempotency-Key", cmd)
	a.Want(first, 200, 2)
	for v := range uint64(2) {
		r := b.Command(id, `{"type":"tag","tag":"vip"}`, "Idempotency-Key", cmd)
		if !r.Duplicate || strings.Replace(r.Raw, `"duplicate":true`, `"duplicate":false`, 1) != first.Raw {
			t.Errorf("got %s, want %s", r.Raw, first.Raw)
		}
		a.Want(a.Command(id, `{"type":"deposit","amount":1}`), 200, v+3)
	}
}
