package main

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/cloudlysis/aggregate"
	pb "github.com/cloudlysis/aggregate/gen/aggregate/v1"
)

const bank = "../../examples/bank"

// messages counts what a JetStream client, another process to aggd, reads on a subject.
func messages(t *testing.T, url, subject string) int {
	t.Helper()
	nc, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	c, err := js.OrderedConsumer(ctx, "AGGREGATE_EVENTS", jetstream.OrderedConsumerConfig{FilterSubjects: []string{subject}})
	if err != nil {
		t.Fatal(err)
	}
	info, err := c.Info(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return int(info.NumPending)
}

// TestT11_6FullBankAccountScenario is the seed's scenario against the real process, through
// kill -9 and the loss of the snapshots.
func TestT11_6FullBankAccountScenario(t *testing.T) {
	data := t.TempDir()
	n := start(t, bank, data)
	id := aggregate.NewID()
	subject := "tenant.acme.aggregate.Account." + id.String()
	cmd := aggregate.NewID().String()
	n.Want(n.Command(id, `{"type":"open_account","initial_balance":0}`), 200, 1)
	n.Want(n.Command(id, `{"type":"deposit","amount":100}`), 200, 2)
	n.Want(n.Command(id, `{"type":"deposit","amount":50}`), 200, 3)
	first := n.Command(id, `{"type":"withdraw","amount":75}`, "Idempotency-Key", cmd)
	n.Want(first, 200, 4)
	if s := n.State(id); s.Version != 4 || string(s.State["balance"]) != "75" {
		t.Fatalf("got %s", s.Raw)
	}
	if got := messages(t, n.NATS, subject); got != 4 {
		t.Fatalf("got %d messages on %s, want 4", got, subject)
	}
	if r := n.Command(id, `{"type":"withdraw","amount":1000}`); r.Status != 422 || r.Code != "insufficient_funds" {
		t.Fatalf("got %s", r.Raw)
	}
	repeat := func(n *node) {
		t.Helper()
		r := n.Command(id, `{"type":"withdraw","amount":75}`, "Idempotency-Key", cmd)
		if !r.Duplicate || strings.Replace(r.Raw, `"duplicate":true`, `"duplicate":false`, 1) != first.Raw {
			t.Fatalf("got  %s\nwant %s as a duplicate", r.Raw, first.Raw)
		}
	}
	repeat(n)
	if r := n.Command(id, `{"type":"withdraw","amount":76}`, "Idempotency-Key", cmd); r.Status != 422 || r.Code != "command_id_reused" {
		t.Fatalf("got %s", r.Raw)
	}
	if got := messages(t, n.NATS, subject); got != 4 {
		t.Fatalf("refusal or repeat left a message: %d", got)
	}
	before := n.State(id).Raw
	n.Kill()
	n = start(t, bank, data)
	if got := n.State(id).Raw; got != before {
		t.Fatalf("after kill -9:\ngot  %s\nwant %s", got, before)
	}
	repeat(n)
	if code := n.Stop(); code != 0 {
		t.Fatalf("SIGTERM: exit %d\n%s", code, n.Log)
	}
	if err := os.RemoveAll(filepath.Join(data, "snapshots")); err != nil {
		t.Fatal(err)
	}
	n = start(t, bank, data)
	if got := n.State(id).Raw; got != before {
		t.Fatalf("after the loss of the snapshots:\ngot  %s\nwant %s", got, before)
	}
	repeat(n)
	if got := messages(t, n.NATS, subject); got != 4 {
		t.Fatalf("got %d messages, want 4", got)
	}
}

// TestBankOverGRPC is the same through a generated client over TCP.
func TestBankOverGRPC(t *testing.T) {
	n := start(t, bank, t.TempDir())
	cc, err := grpc.NewClient(strings.TrimPrefix(n.URL, "http://"), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer cc.Close()
	client := pb.NewCommandServiceClient(cc)
	ctx := metadata.AppendToOutgoingContext(t.Context(), "x-tenant-id", "acme")
	id := aggregate.NewID()
	submit := func(payload, command string) (*pb.SubmitCommandResponse, error) {
		return client.SubmitCommand(ctx, &pb.SubmitCommandRequest{AggregateType: "Account", AggregateId: id.String(), CommandId: command, PayloadJson: payload})
	}
	last := aggregate.NewID().String()
	for i, step := range []struct{ payload, command string }{
		{`{"type":"open_account","initial_balance":0}`, ""}, {`{"type":"deposit","amount":100}`, ""}, {`{"type":"deposit","amount":50}`, ""}, {`{"type":"withdraw","amount":75}`, last}} {
		r, err := submit(step.payload, step.command)
		if err != nil || r.GetVersion() != uint64(i+1) || r.GetTenantId() != "acme" || len(r.GetEvents()) != 1 {
			t.Fatalf("%s: got %v, %v", step.payload, r, err)
		}
	}
	_, err = submit(`{"type":"withdraw","amount":1000}`, "")
	st := status.Convert(err)
	if st.Code() != codes.FailedPrecondition || len(st.Details()) == 0 || st.Details()[0].(*errdetails.ErrorInfo).Reason != "insufficient_funds" {
		t.Fatalf("got %v %v", st, st.Details())
	}
	r, err := submit(`{"amount":75.0,"type":"withdraw"}`, last)
	if err != nil || !r.GetDuplicate() || r.GetVersion() != 4 {
		t.Fatalf("got %v, %v", r, err)
	}
	if got := messages(t, n.NATS, "tenant.acme.aggregate.Account."+id.String()); got != 4 {
		t.Fatalf("got %d messages, want 4", got)
	}
	if s := n.State(id); string(s.State["balance"]) != "75" {
		t.Fatalf("got %s", s.Raw)
	}
}

// TestVerbs runs the client verbs against the real daemon.
func TestVerbs(t *testing.T) {
	n := start(t, bank, t.TempDir())
	id := aggregate.NewID().String()
	run := func(code int, want string, args ...string) {
		t.Helper()
		c := aggd(append(args, "--server", n.URL, "--tenant", "acme")...)
		out, err := c.Output()
		if c.ProcessState == nil || c.ProcessState.ExitCode() != code || !strings.Contains(string(out), want) {
			t.Fatalf("%v: got %s (%v), want %s", args, out, err, want)
		}
	}
	run(0, `"version":1`, "cmd", "Account", id, "open_account", "initial_balance=0")
	run(0, `"amount":9007199254740993`, "cmd", "Account", id, "deposit", "amount=9007199254740993")
	run(1, `"code":"insufficient_funds"`, "cmd", "Account", id, "withdraw", "amount=9007199254740994")
	run(0, `"balance":9007199254740993`, "state", "Account", id)
	run(0, `"accepted":true,"events":[{`, "simulate", "Account", id, "withdraw", "amount=1")
	run(0, `"rule":"decide withdraw"`, "simulate", "Account", id, "withdraw", "amount=1")
	run(1, `"accepted":false,"problem":{"title":"Rejected","status":422,"code":"insufficient_funds"`, "simulate", "Account", id, "withdraw", "amount=9007199254740994")
	run(0, `"version":2,"state":{`, "state", "Account", id) // nothing was persisted
	run(0, `"event_type":"deposited"`, "events", "Account", id, "--after", "1")
	run(1, `"code":"not_found"`, "state", "Account", aggregate.NewID().String())
	if err := aggd("health", "--admin", n.Admin).Run(); err != nil {
		t.Errorf("health: %v", err)
	}
}

// TestBrokenManifestStartsNothing: diagnostics, exit 1, no data.
func TestBrokenManifestStartsNothing(t *testing.T) {
	dir, data := t.TempDir(), filepath.Join(t.TempDir(), "data")
	if err := os.WriteFile(filepath.Join(dir, "a.agg"), []byte("aggregate A {\n  state { n: int = 0 }\n  invariant x: state.m > 0\n}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := aggd("serve", dir, "--data", data, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--nats-listen", "off")
	out, _ := c.CombinedOutput()
	if c.ProcessState.ExitCode() != 1 || !strings.Contains(string(out), "a.agg:3:22: error[AGG2") || !strings.Contains(string(out), `"m"`) {
		t.Errorf("exit %d: %s", c.ProcessState.ExitCode(), out)
	}
	if _, err := os.Stat(data); err == nil {
		t.Error("a broken set made a data directory")
	}
}

// TestWrongUse: exit codes of what cannot work.
func TestWrongUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	tests := []struct {
		args []string
		code int
		want string
	}{
		{[]string{"serve"}, 2, "manifests"},
		{[]string{"serve", bank, "--sync", "never"}, 2, "sync"},
		{[]string{"serve", bank, "--colour"}, 2, "colour"},
		{[]string{"config", bank, "--format", "yaml"}, 2, "text or json"},
		{[]string{"verify", bank, "--format", "yaml"}, 2, "text or json"},
		{[]string{"bench", "--format", "yaml"}, 2, "text or json"},
		{[]string{"bench", "--callers", "0"}, 2, "must be positive"},
		{[]string{"bench", "--step", "x"}, 2, "is no number"},
		{[]string{"cmd", "Account"}, 2, "arg"},
		{[]string{"state", "Account", "x", "--server", "http://127.0.0.1:1"}, 3, "aggd serve"},
		{[]string{"serve", bank, "--data", t.TempDir(), "--nats", "nats://127.0.0.1:1", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"}, 3, "127.0.0.1:1"},
		{[]string{"serve", bank, "--data", t.TempDir(), "--nats-listen", "off", "--listen", taken.Addr().String(), "--admin", "127.0.0.1:0"}, 3, "--listen another"},
		{[]string{"serve", bank, "--data", t.TempDir(), "--nats-listen", "off", "--listen", "127.0.0.1:0", "--admin", taken.Addr().String()}, 3, "--admin another"},
		{[]string{"version"}, 0, "aggd"},
	}
	for _, tt := range tests {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			c := aggd(tt.args...)
			out, err := c.CombinedOutput()
			if _, exited := err.(*exec.ExitError); err != nil && !exited {
				t.Fatal(err)
			}
			if c.ProcessState.ExitCode() != tt.code || !strings.Contains(string(out), tt.want) {
				t.Errorf("exit %d: %s; want %d, %s", c.ProcessState.ExitCode(), out, tt.code, tt.want)
			}
		})
	}
}

// TestNATSDoorOfTheDaemon: a plain client of the embedded server sends a command; the same
// command id through HTTP is the same commit.
func TestNATSDoorOfTheDaemon(t *testing.T) {
	n := start(t, bank, t.TempDir())
	nc, err := nats.Connect(n.NATS)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	id, cmd := aggregate.NewID(), aggregate.NewID().String()
	m := nats.NewMsg("cmd.acme.Account." + id.String())
	m.Data = []byte(`{"type":"open_account","initial_balance":5}`)
	m.Header.Set("idempotency-key", cmd)
	r, err := nc.RequestMsg(m, 20*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(r.Data), `"version":1`) || r.Header.Get("Nats-Service-Error-Code") != "" {
		t.Fatalf("got %v %s", r.Header, r.Data)
	}
	again := n.Command(id, `{"type":"open_account","initial_balance":5.0}`, "Idempotency-Key", cmd)
	if !again.Duplicate || strings.Replace(again.Raw, `"duplicate":true`, `"duplicate":false`, 1) != string(r.Data) {
		t.Errorf("got  %s\nwant %s", again.Raw, r.Data)
	}
}
