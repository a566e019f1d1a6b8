package lsp

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creachadair/jrpc2"
	"github.com/creachadair/jrpc2/channel"
)

// session is a client that speaks to Serve through real frames.
type session struct {
	t     *testing.T
	dir   string
	cli   *jrpc2.Client
	ended chan error
	hang  func() // closes the client's end

	mu    sync.Mutex
	diags map[string][]diagnostic // the last that were published, by URI
	count map[string]int
	logs  []string
}

// start writes the files and opens a session in their directory.
func start(t *testing.T, files map[string]string, encodings ...string) *session {
	t.Helper()
	s := &session{t: t, dir: t.TempDir(), ended: make(chan error, 1), diags: map[string][]diagnostic{}, count: map[string]int{}}
	for name, text := range files {
		p := filepath.Join(s.dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	go func() {
		err := Serve(context.Background(), inR, outW, "test")
		outW.Close()
		s.ended <- err
	}()
	s.hang = func() { inW.Close() }
	s.cli = jrpc2.NewClient(channel.LSP(outR, inW), &jrpc2.ClientOptions{OnNotify: s.heard})
	t.Cleanup(func() { s.cli.Close() })
	var got initializeResult
	params := map[string]any{
		"processId": nil, "rootUri": uriOf(s.dir),
		"capabilities": map[string]any{"general": map[string]any{"positionEncodings": encodings}},
	}
	s.call("initialize", params, &got)
	if want := "utf-16"; len(encodings) == 0 && got.Capabilities.PositionEncoding != want {
		t.Errorf("got the encoding %q, want %q", got.Capabilities.PositionEncoding, want)
	}
	s.notify("initialized", struct{}{})
	return s
}

func (s *session) heard(r *jrpc2.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch r.Method() {
	case "textDocument/publishDiagnostics":
		var p publishParams
		if r.UnmarshalParams(&p) == nil {
			s.diags[p.URI] = p.Diagnostics
			s.count[p.URI]++
		}
	case "window/logMessage":
		s.logs = append(s.logs, r.ParamString())
	}
}

func (s *session) call(method string, params, result any) {
	s.t.Helper()
	if err := s.try(method, params, result); err != nil {
		s.t.Fatalf("%s: %v", method, err)
	}
}

func (s *session) try(method string, params, result any) error {
	if result == nil {
		result = new(json.RawMessage)
	}
	return s.cli.CallResult(context.Background(), method, params, result)
}

func (s *session) notify(method string, params any) {
	s.t.Helper()
	if err := s.cli.Notify(context.Background(), method, params); err != nil {
		s.t.Fatalf("%s: %v", method, err)
	}
}

func (s *session) uri(name string) string {
	return uriOf(filepath.Join(s.dir, filepath.FromSlash(name)))
}

// cursor is where the marker stands in texts of tests.
const cursor = "<|>"

// open opens name with text, which may hold the cursor, and gives the position of that.
func (s *session) open(name, text string) positionParams {
	s.t.Helper()
	off := strings.Index(text, cursor)
	text = strings.Replace(text, cursor, "", 1)
	s.notify("textDocument/didOpen", map[string]any{"textDocument": documentItem{URI: s.uri(name), LanguageID: "agg", Version: 1, Text: text}})
	p := positionParams{TextDocument: documentID{s.uri(name)}}
	if off >= 0 {
		p.Position = newLines([]byte(text), false).position(off)
	}
	return p
}

// change replaces the whole text of name.
func (s *session) change(name, text string, version int32) {
	s.t.Helper()
	s.notify("textDocument/didChange", didChangeParams{
		TextDocument: versionedDocumentID{s.uri(name), version}, ContentChanges: []contentChange{{Text: text}},
	})
}

// wait waits until the diagnostics of name satisfy ok.
func (s *session) wait(name string, ok func([]diagnostic) bool) []diagnostic {
	s.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		s.mu.Lock()
		d, n := s.diags[s.uri(name)], s.count[s.uri(name)]
		s.mu.Unlock()
		if n > 0 && ok(d) {
			return d
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%s: the diagnostics did not come; the last are %s", name, dump(d))
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// codes waits for exactly these codes in name.
func (s *session) codes(name string, codes ...string) []diagnostic {
	s.t.Helper()
	return s.wait(name, func(list []diagnostic) bool {
		if len(list) != len(codes) {
			return false
		}
		for i, d := range list {
			if d.Code != codes[i] {
				return false
			}
		}
		return true
	})
}

// quits ends the session in the orderly way and checks that the server agrees.
func (s *session) quits() {
	s.t.Helper()
	s.call("shutdown", nil, nil)
	s.notify("exit", nil)
	select {
	case err := <-s.ended:
		if err != nil {
			s.t.Errorf("Serve: %v", err)
		}
	case <-time.After(30 * time.Second):
		s.t.Error("the server does not end")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.logs) > 0 {
		s.t.Errorf("the server complained: %q", s.logs)
	}
}

func dump(v any) string {
	b, _ := json.MarshalIndent(v, "", " ")
	return string(b)
}

const money = `/// What money is in.
enum Currency { eur = "EUR", usd = "USD" }
record Price { amount: decimal, currency: Currency }
const cent: decimal = 0.01
fn double(x: decimal): decimal = x * 2
`

// account is a small manifest in which every kind of name is used.
const account = `import "shared/money.agg"

/// A bank account.
aggregate Account {
  enum Status { open, frozen, closed }
  roles teller, manager
  gas 20_000

  state {
    /// What is on it.
    balance: decimal = 0
    status: Status = open
    last: Price?
  }

  derive available: decimal = state.balance - cent

  invariant solvent: state.balance >= 0

  guard is_open(why: string) { require state.status == open else not_open "closed: {why}" }

  /// Puts money on the account.
  command deposit by teller { amount: decimal where amount > 0 }
  command freeze by manager {}

  event deposited { amount: decimal, price: Price? }
  event frozen {}

  decide deposit {
    check is_open("deposit")
    let twice = double(cmd.amount)
    require twice < 1000 else too_much "{twice} is more than {state.available}"
    emit deposited { ..cmd, price: Price { amount: twice, currency: eur } }
  }
  decide freeze {
    if state.status == frozen { nothing } else { emit frozen {} }
  }

  apply deposited {
    state.balance += event.amount
    state.last = event.price
  }
  apply frozen { state.status = frozen }
}
`

const accountTest = `test "a deposit of {sum}" for Account cases sum { (1) (2) } {
  as { roles: ["teller"] }
  when deposit { amount: sum }
  then emit deposited { amount: sum, price: Price { amount: sum * 2, currency: eur } }
  then state.balance == sum
}
test "too much" for Account {
  as { roles: ["teller"] }
  when deposit { amount: 500 }
  then reject too_much
  when deposit { amount: -1 }
  then invalid amount
}
`

func accounts() map[string]string {
	return map[string]string{"account.agg": account, "account_test.agg": accountTest, "shared/money.agg": money}
}

// at is the position of the nth occurrence (from 0) of mark in text, behind skip bytes of it.
func at(t *testing.T, uri, text, mark string, n, skip int) positionParams {
	t.Helper()
	off := -1
	for range n + 1 {
		i := strings.Index(text[off+1:], mark)
		if i < 0 {
			t.Fatalf("there is no %q", mark)
		}
		off += 1 + i
	}
	return positionParams{documentID{uri}, newLines([]byte(text), false).position(off + skip)}
}
