package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/internal/loadgen"
)

// secured is a daemon under mTLS that asks for tokens, and the flags that open it.
func secured(t *testing.T) (n *node, verbs, admin []string, cert, key string) {
	t.Helper()
	dir := t.TempDir()
	cert, key = selfSigned(t, dir, "localhost") // its own authority, and the client's too
	made := regexp.MustCompile(`^token: (\S+)\nline:  (- \{.*\})\n$`)
	rows, tokens := "tokens:\n", []string{}
	for _, flags := range [][]string{{"--actor", "ann", "--tenant", "acme"}, {"--actor", "op", "--tenant", "", "--admin"}} {
		out, err := aggd(append([]string{"token"}, flags...)...).Output()
		m := made.FindStringSubmatch(string(out))
		if err != nil || m == nil {
			t.Fatalf("%v: %s", err, out)
		}
		tokens, rows = append(tokens, m[1]), rows+m[2]+"\n"
	}
	file := filepath.Join(dir, "aggregate.yaml")
	text := "tls: {cert: " + cert + ", key: " + key + ", client_ca: " + cert + "}\nauth.tokens: " + filepath.Join(dir, "tokens.yaml") + "\n"
	for name, text := range map[string]string{file: text, filepath.Join(dir, "tokens.yaml"): rows} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	n = start(t, bank, t.TempDir(), "--config", file)
	at := func(url string) string {
		return strings.NewReplacer("http://127.0.0.1", "https://localhost").Replace(url)
	}
	common := []string{"--ca", cert, "--cert", cert, "--key", key}
	verbs = append([]string{"--server", at(n.URL), "--token", tokens[0]}, common...)
	admin = append([]string{"--admin", at(n.Admin), "--token", tokens[1]}, common...)
	return n, verbs, admin, cert, key
}

// TestVerbsOfASecuredDaemon: whoever runs aggd behind TLS and tokens can use its own verbs.
func TestVerbsOfASecuredDaemon(t *testing.T) {
	n, verbs, admin, cert, key := secured(t)
	id := aggregate.NewID().String()
	tests := []struct {
		args  []string
		flags []string
		code  int
		want  string
	}{
		{[]string{"cmd", "Account", id, "open_account", "initial_balance=5"}, verbs, 0, `"version":1`},
		{[]string{"state", "Account", id}, verbs, 0, `"balance":5`},
		{[]string{"events", "Account", id}, verbs, 0, `"account_opened"`},
		{[]string{"simulate", "Account", id, "withdraw", "amount=6"}, verbs, 1, "insufficient_funds"},
		{[]string{"state", "Account", id, "--tenant", "globex"}, verbs, 1, "tenant_access_denied"},
		{[]string{"state", "Account", id}, verbs[:2], 3, "certificate"},
		{[]string{"state", "Account", id, "--token", "wrong"}, append(verbs[:2:2], verbs[4:]...), 1, "unauthenticated"},
		{[]string{"tenants"}, admin, 0, `"tenant_id":"acme"`},
		{[]string{"tenants"}, append(admin[:2:2], verbs[2:]...), 1, "forbidden"},
		{[]string{"reload"}, admin, 0, `"what":"manifests","changed":false`},
		{[]string{"reload", "nothing"}, admin, 1, "cannot be reloaded"},
		{[]string{"drain", "acme"}, admin, 0, `"drained":true`},
		{[]string{"cmd", "Account", id, "deposit", "amount=5"}, verbs, 1, "drained"},
		{[]string{"resume", "acme"}, admin, 0, `"drained":false`},
		{[]string{"cmd", "Account", id, "deposit", "amount=5"}, verbs, 0, `"version":2`},
		{[]string{"drain"}, admin, 2, "--all"},
		{[]string{"drain", "--all", "acme"}, admin, 2, "--all"},
		{[]string{"drain", "--all"}, admin, 0, `"drained":true`},
		{[]string{"resume", "--all"}, admin, 0, `"drained":false`},
	}
	for _, tt := range tests {
		c := aggd(append(tt.args, tt.flags...)...)
		out, _ := c.CombinedOutput()
		if c.ProcessState.ExitCode() != tt.code || !strings.Contains(string(out), tt.want) || strings.HasSuffix(string(out), "\n\n") {
			t.Errorf("%v: exit %d: %s; want %d, %s", tt.args, c.ProcessState.ExitCode(), out, tt.code, tt.want)
		}
	}
	for _, door := range []string{"http", "grpc", "grpc-stream", "nats"} {
		out, err := aggd(append([]string{"bench", "--door", door, "--nats-server", "nats://localhost" + n.NATS[strings.LastIndexByte(n.NATS, ':'):], "--callers", "4", "--aggregates", "3", "--commands", "20", "--format", "json"}, verbs...)...).Output()
		var r loadgen.Result
		if err != nil || json.Unmarshal(out, &r) != nil || r.Accepted != 20 {
			t.Errorf("bench through %s: %v: %s", door, err, out)
		}
	}
	if nc, err := nats.Connect(n.NATS, nats.Secure(), nats.RootCAs(cert), nats.Timeout(10*time.Second)); err == nil {
		nc.Close()
		t.Error("the NATS port let a client in that has no certificate")
	}
	if nc, err := nats.Connect("nats://localhost"+n.NATS[strings.LastIndexByte(n.NATS, ':'):], nats.RootCAs(cert), nats.ClientCert(cert, key), nats.Timeout(10*time.Second)); err != nil {
		t.Errorf("the NATS port with a certificate: %v", err)
	} else {
		nc.Close()
	}
}

// TestTokensStayOutOfHelp: a variable's value must not become a default that --help prints.
func TestTokensStayOutOfHelp(t *testing.T) {
	t.Setenv("AGGREGATE_TOKEN", "s3cret")
	for _, verb := range []string{"cmd", "state", "events", "simulate", "bench", "tenants", "drain", "reload"} {
		if out, err := aggd(verb, "--help").CombinedOutput(); err != nil || strings.Contains(string(out), "s3cret") {
			t.Errorf("%s: %v: %s", verb, err, out)
		}
	}
}

// TestHealthReadsTheSettingsFile: the check of a container whose admin door is named in the file.
func TestHealthReadsTheSettingsFile(t *testing.T) {
	n := start(t, bank, t.TempDir())
	file := filepath.Join(t.TempDir(), "aggregate.yaml")
	if err := os.WriteFile(file, []byte("admin.listen: "+strings.TrimPrefix(n.Admin, "http://")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AGGREGATE_CONFIG", file)
	if out, err := aggd("health").CombinedOutput(); err != nil || !strings.Contains(string(out), `"healthy":true`) {
		t.Errorf("got %s, %v", out, err)
	}
}
