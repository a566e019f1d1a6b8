package main

import (
	"context"
	"encoding/json"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/creachadair/jrpc2"
	"github.com/creachadair/jrpc2/channel"
)

const lspAccount = `aggregate Account {
  state { balance: decimal = 0 }
  command deposit { amount: decimal }
  event deposited { amount: decimal }
  decide deposit { emit deposited { ..cmd } }
  apply deposited { state.balance += event.amount }
}
`

// TestLSP is a session of an editor with a process of its own, over its standard streams.
func TestLSP(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "account.agg")
	if err := os.WriteFile(file, []byte(lspAccount), 0o644); err != nil {
		t.Fatal(err)
	}
	uri := (&url.URL{Scheme: "file", Path: filepath.ToSlash(file)}).String()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "aggc", "lsp") // testscript.Main has put it on the PATH
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	published := make(chan string, 100)
	cli := jrpc2.NewClient(channel.LSP(out, in), &jrpc2.ClientOptions{OnNotify: func(r *jrpc2.Request) { published <- r.Method() + r.ParamString() }})
	call := func(method string, params any) string {
		t.Helper()
		var got json.RawMessage
		if err := cli.CallResult(ctx, method, params, &got); err != nil {
			t.Fatalf("%s: %v", method, err)
		}
		return string(got)
	}
	notify := func(method string, params any) {
		t.Helper()
		if err := cli.Notify(ctx, method, params); err != nil {
			t.Fatalf("%s: %v", method, err)
		}
	}
	until := func(parts ...string) {
		t.Helper()
		for {
			select {
			case p := <-published:
				if strings.HasPrefix(p, "textDocument/publishDiagnostics") && !slices.ContainsFunc(parts, func(s string) bool { return !strings.Contains(p, s) }) {
					return
				}
			case <-ctx.Done():
				t.Fatalf("no diagnostics with %q", parts)
			}
		}
	}
	type object = map[string]any
	document := object{"uri": uri}

	if got := call("initialize", object{"processId": os.Getpid(), "rootUri": nil, "capabilities": object{}}); !strings.Contains(got, `"hoverProvider":true`) {
		t.Errorf("initialize: got %s", got)
	}
	notify("initialized", object{})
	notify("textDocument/didOpen", object{"textDocument": object{"uri": uri, "languageId": "agg", "version": 1, "text": lspAccount}})
	until(`"version":1`, `"diagnostics":[]`)
	notify("textDocument/didChange", object{
		"textDocument": object{"uri": uri, "version": 2},
		"contentChanges": []any{object{
			"range": object{"start": object{"line": 5, "character": 26}, "end": object{"line": 5, "character": 33}}, "text": "balnce",
		}},
	})
	until(`"version":2`, `AGG2003`, `did you mean`)
	at := object{"line": 5, "character": 27}
	if got := call("textDocument/completion", object{"textDocument": document, "position": at}); !strings.Contains(got, `"label":"balance"`) {
		t.Errorf("completion: got %s", got)
	}
	if got := call("textDocument/codeAction", object{"textDocument": document, "range": object{"start": at, "end": at}, "context": object{"diagnostics": []any{}}}); !strings.Contains(got, `"newText":"balance"`) {
		t.Errorf("codeAction: got %s", got)
	}
	if got := call("textDocument/hover", object{"textDocument": document, "position": object{"line": 2, "character": 12}}); !strings.Contains(got, "command deposit { amount: decimal }") {
		t.Errorf("hover: got %s", got)
	}
	call("shutdown", nil)
	notify("exit", nil)
	if err := cmd.Wait(); err != nil {
		t.Errorf("aggc lsp: %v", err)
	}
	cli.Close()
}
