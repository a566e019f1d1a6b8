package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/internal/aggdtest"
)

const counter = `aggregate Account {
  state { n: int = 0 }
  command add { by: int where by > 0 }
  event added { by: int }
  decide add { emit added { ..cmd } }
  apply added { state.n += event.by * FACTOR }
}
`

// TestReloadSwapsManifests: a new set takes over without a restart, its replay included; a
// broken one changes nothing.
func TestReloadSwapsManifests(t *testing.T) {
	dir := t.TempDir()
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "a.agg"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(strings.ReplaceAll(counter, "FACTOR", "1"))
	n := start(t, dir, t.TempDir())
	if _, body := n.Ask("GET", "/metrics", ""); !strings.Contains(body, `aggregate_rehydration_errors_total{aggregate_type="Account"} 0`) || !strings.Contains(body, `aggregate_version_conflicts_total{aggregate_type="Account"} 0`) {
		t.Error("an alert on the first error needs the zero before it")
	}
	id := aggregate.NewID()
	n.Want(n.Command(id, `{"type":"add","by":5}`), 200, 1)
	write("aggregate Account {")
	if code, body := n.Ask("POST", "/admin/reload", ""); code != 409 || !strings.Contains(body, "error") {
		t.Fatalf("a broken set: got %d %s", code, body)
	}
	n.Want(n.Command(id, `{"type":"add","by":5}`), 200, 2)
	if s := n.State(id); string(s.State["n"]) != "10" {
		t.Fatalf("got %s", s.Raw)
	}
	write(strings.ReplaceAll(counter, "FACTOR", "2"))
	if code, body := n.Ask("POST", "/admin/reload", `{"only":["manifests"]}`); code != 200 || !strings.Contains(body, `"changed":true`) {
		t.Fatalf("got %d %s", code, body)
	}
	if s := n.State(id); string(s.State["n"]) != "20" || s.Version != 2 {
		t.Fatalf("the state was not replayed: %s", s.Raw)
	}
	if code, body := n.Ask("POST", "/admin/reload", ""); code != 200 || !strings.Contains(body, `"changed":false`) {
		t.Errorf("got %d %s", code, body)
	}
}

// TestServeAnIndex: the argument may be an index anywhere, which is read again on a reload.
func TestServeAnIndex(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"in/a.agg": strings.ReplaceAll(counter, "FACTOR", "1"), "draft/b.agg": "aggregate Draft {", "set.yaml": "aggregates: [{type: Account, manifest: in/a.agg}]\n"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	n := start(t, filepath.Join(dir, "set.yaml"), t.TempDir())
	n.Want(n.Command(aggregate.NewID(), `{"type":"add","by":5}`), 200, 1)
	if code, body := n.Ask("POST", "/admin/reload", ""); code != 200 || !strings.Contains(body, `"changed":false`) {
		t.Errorf("got %d %s", code, body)
	}
	if err := os.WriteFile(filepath.Join(dir, "set.yaml"), []byte("aggregates: [{type: Other, manifest: in/a.agg}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, body := n.Ask("POST", "/admin/reload", ""); code != 409 || !strings.Contains(body, `set.yaml:1:`) || !strings.Contains(body, "declares no aggregate Other") {
		t.Errorf("an index of what is not there: got %d %s", code, body)
	}
	t.Chdir(dir)
	if out, err := aggd("verify", "set.yaml", "--data", t.TempDir()).CombinedOutput(); err == nil || !strings.Contains(string(out), "Other") {
		t.Errorf("an index in the working directory: %v: %s", err, out)
	}
}

func TestDrainAndResume(t *testing.T) {
	n := start(t, bank, t.TempDir())
	id := aggregate.NewID()
	n.Want(n.Command(id, `{"type":"open_account","initial_balance":1}`, "Idempotency-Key", testCommand), 200, 1)
	if code, body := n.Ask("GET", "/admin/tenants", ""); code != 200 || !strings.Contains(body, `"tenant_id":"acme","aggregate_count":1`) {
		t.Fatalf("got %d %s", code, body)
	}
	for range 2 { // draining again is no error
		if code, body := n.Ask("POST", "/admin/drain", `{"tenant_id":"acme"}`); code != 200 {
			t.Fatalf("got %d %s", code, body)
		}
	}
	if r := n.Command(id, `{"type":"deposit","amount":1}`); r.Status != 503 {
		t.Errorf("a draining tenant: got %s", r.Raw)
	}
	if r := n.Command(id, `{"type":"open_account","initial_balance":1}`, "Idempotency-Key", testCommand); !r.Duplicate {
		t.Errorf("a repeat while draining: got %s", r.Raw)
	}
	if r := n.Command(aggregate.NewID(), `{"type":"open_account"}`, "X-Tenant-Id", "globex"); r.Status != 200 {
		t.Errorf("another tenant: got %s", r.Raw)
	}
	n.Ask("POST", "/admin/resume", `{"tenant_id":"acme"}`)
	n.Want(n.Command(id, `{"type":"deposit","amount":1}`), 200, 2)
	n.Ask("POST", "/admin/drain", "")
	if code, body := n.Ask("GET", "/ready", ""); code != 503 || !strings.Contains(body, `{"name":"drain","ok":false`) {
		t.Errorf("a drained node says to a load balancer: %d %s", code, body)
	}
	if r := n.Command(aggregate.NewID(), `{"type":"open_account"}`, "X-Tenant-Id", "third"); r.Status != 503 {
		t.Errorf("all drained: got %s", r.Raw)
	}
	n.Ask("POST", "/admin/resume", "")
	if code, body := n.Ask("GET", "/ready", ""); code != 200 {
		t.Errorf("resumed: %d %s", code, body)
	}
	n.Want(n.Command(id, `{"type":"deposit","amount":1}`), 200, 3)
}

const testCommand = "0192f0c1-2d3e-7a4b-8c5d-6e7f8a9b0c1e"

func TestTokensOfTheDaemon(t *testing.T) {
	out, err := aggd("token").Output()
	if err != nil {
		t.Fatal(err)
	}
	token := regexp.MustCompile(`aggt_\S+`).FindString(string(out))
	hash := regexp.MustCompile(`sha256: ([0-9a-f]{64})`).FindStringSubmatch(string(out))
	if token == "" || hash == nil {
		t.Fatalf("got %s", out)
	}
	file := filepath.Join(t.TempDir(), "tokens.yaml")
	if err := os.WriteFile(file, []byte("tokens:\n- {sha256: "+hash[1]+", actor: ann, tenant: acme, roles: [manager]}\n- {sha256: "+sum("aggt_ops")+", actor: ops, admin: true}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AGGREGATE_AUTH_TOKENS", file)
	n := start(t, bank, t.TempDir())
	id := aggregate.NewID()
	if r := n.Command(id, `{"type":"open_account"}`); r.Status != 401 || r.Code != "unauthenticated" {
		t.Fatalf("without a token: got %s", r.Raw)
	}
	auth := []string{"Authorization", "Bearer " + token}
	n.Want(n.Command(id, `{"type":"open_account"}`, auth...), 200, 1)
	n.Want(n.Command(id, `{"type":"freeze"}`, auth...), 200, 2) // by manager: the token's role
	if r := n.Command(id, `{"type":"unfreeze"}`, append(auth, "X-Tenant-Id", "globex")...); r.Status != 403 || r.Code != "tenant_access_denied" {
		t.Errorf("a forged tenant: got %s", r.Raw)
	}
	if code, body := n.Ask("GET", "/admin/tenants", "", auth...); code != 403 {
		t.Errorf("no admin: got %d %s", code, body)
	}
	// Nobody came twice without a token that counts, one came for another's tenant.
	n.Ask("GET", "/health", "", auth...)
	n.Command(id, `{"type":"freeze"}`, "Authorization", "Bearer aggt_none", "X-Tenant-Id", "initech")
	if code, body := n.Ask("GET", "/metrics", "", "Authorization", "Bearer aggt_ops"); code != 200 || !strings.Contains(body, "\naggregate_unauthenticated_total 2\n") ||
		!strings.Contains(body, "\naggregate_tenant_errors_total{tenant_id=\"acme\"} 1\n") || strings.Contains(body, "initech") || strings.Contains(body, "globex") {
		t.Errorf("got %d; denials are not counted, or a claim became a label: %s", code, body)
	}
	if strings.Contains(n.Log.String(), token) {
		t.Error("the token stands in the log")
	}
}

// sum is what a file of tokens keeps of one.
func sum(token string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(token))) }

var stopRounds = flag.Int("stop-rounds", 3, "how often TestStopUnderLoad stops the daemon")

// TestStopUnderLoad: SIGTERM while callers are busy. What was acknowledged is there; what was
// cut off is settled by its command id.
func TestStopUnderLoad(t *testing.T) {
	rounds := *stopRounds
	data, id := t.TempDir(), aggregate.NewID()
	n := start(t, bank, data)
	n.Want(n.Command(id, `{"type":"open_account"}`), 200, 1)
	var acked, unknown []string
	for range rounds {
		a, u := stopUnderLoad(t, n, id)
		acked, unknown = append(acked, a...), append(unknown, u...)
		n = start(t, bank, data)
	}
	for _, c := range acked {
		if r := n.Command(id, `{"type":"deposit","amount":1}`, "Idempotency-Key", c); !r.Duplicate {
			t.Errorf("acknowledged and lost: %s", r.Raw)
		}
	}
	settled := 0 // cut off with a commit
	for _, c := range unknown {
		r := n.Command(id, `{"type":"deposit","amount":1}`, "Idempotency-Key", c)
		if r.Status != 200 {
			t.Errorf("cut off and refused: %s", r.Raw)
		}
		if r.Duplicate {
			settled++
		}
	}
	want := len(acked) + len(unknown)
	if s := n.State(id); string(s.State["balance"]) != jsonInt(want) || s.Version != uint64(want+1) {
		t.Errorf("got %s, want %d deposits", s.Raw, want)
	}
	t.Logf("%d stops, %d acknowledged, %d cut off, of these %d had a commit", rounds, len(acked), len(unknown), settled)
}

func jsonInt(n int) string {
	b, _ := json.Marshal(n)
	return string(b)
}

func stopUnderLoad(t *testing.T, n *node, id aggregate.ID) (acked, unknown []string) {
	t.Helper()
	var (
		mu   sync.Mutex
		wg   sync.WaitGroup
		done atomic.Bool
	)
	for range 16 {
		wg.Go(func() {
			for !done.Load() {
				c := aggregate.NewID().String()
				r, err := n.Try("POST", "/v1/aggregates/Account/"+id.String()+"/commands", `{"type":"deposit","amount":1}`, "Idempotency-Key", c)
				mu.Lock()
				if err == nil && r.Status == 200 {
					acked = append(acked, c)
				} else {
					unknown = append(unknown, c)
				}
				mu.Unlock()
				if err != nil {
					return
				}
			}
		})
	}
	time.Sleep(300 * time.Millisecond)
	if code := n.Stop(); code != 0 {
		t.Errorf("exit %d\n%s", code, n.Log)
	}
	done.Store(true)
	wg.Wait()
	return acked, unknown
}

// TestSecondSignalLeavesAtOnce needs a stop that waits: a client that keeps a request open.
func TestSecondSignalLeavesAtOnce(t *testing.T) {
	n := start(t, bank, t.TempDir())
	asked := make(chan struct{})
	ctx, cancel := context.WithCancel(httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got100Continue: func() { close(asked) }}))
	defer cancel()
	pr, pw := io.Pipe() // a body that never ends
	defer pw.Close()
	req, err := http.NewRequestWithContext(ctx, "POST", n.URL+"/v1/aggregates/Account/"+aggregate.NewID().String()+"/commands", pr)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Expect", "100-continue") // which comes when the handler reads the body
	go func() {
		c := http.Client{Transport: &http.Transport{ExpectContinueTimeout: time.Minute}}
		if resp, err := c.Do(req); err == nil {
			_ = resp.Body.Close()
		}
	}()
	<-asked
	_ = n.Cmd.Process.Signal(os.Interrupt)
	for !strings.Contains(n.Log.String(), `"msg":"stopping`) {
		time.Sleep(10 * time.Millisecond)
	}
	ended := make(chan error, 1)
	go func() { ended <- n.Cmd.Wait() }()
	// The default action is put back beside the line in the log; until then a signal is taken for another first one.
	for signals := 2; ; signals++ {
		_ = n.Cmd.Process.Signal(syscall.SIGTERM) // what runs in a shell's background ignores an interrupt by default
		select {
		case err := <-ended:
			if s, ok := n.Cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !s.Signaled() {
				t.Errorf("got %v after %d signals, want the end by a second one", err, signals)
			}
			t.Logf("ended by signal %d", signals)
			return
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// TestOpenAPIIsServed: the document of the manifests in force; dsl/report validates its form.
func TestOpenAPIIsServed(t *testing.T) {
	n := start(t, bank, t.TempDir())
	resp, err := aggdtest.Client.Get(n.URL + "/v1/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var doc struct {
		OpenAPI string                     `json:"openapi"`
		Paths   map[string]json.RawMessage `json:"paths"`
	}
	b, _ := io.ReadAll(resp.Body)
	if err := json.Unmarshal(b, &doc); err != nil || !strings.HasPrefix(doc.OpenAPI, "3.1") {
		t.Fatalf("got %.200s, %v", b, err)
	}
	path := string(doc.Paths["/v1/aggregates/Account/{id}/commands"])
	if !strings.Contains(path, "post") || !strings.Contains(string(b), "transfer_out") {
		t.Errorf("got paths %v", doc.Paths)
	}
}
