package lsp

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/creachadair/jrpc2"
)

func TestDiagnosticsFollowTheText(t *testing.T) {
	s := start(t, accounts())
	s.open("account.agg", account)
	s.codes("account.agg")
	broken := strings.Replace(account, "state.balance >= 0", "state.balnce >= 0", 1)
	s.change("account.agg", broken, 2)
	d := s.codes("account.agg", "AGG2003")[0]
	want := at(t, "", broken, "balnce", 0, 0).Position
	if d.Range.Start != want || d.Range.End != (position{want.Line, want.Character + 6}) || d.Severity != 1 || d.Source != "aggc" {
		t.Errorf("got %s", dump(d))
	}
	if !strings.Contains(d.Message, `unknown field "balnce"`) || !strings.Contains(d.Message, `did you mean "balance"?`) {
		t.Errorf("got the message %q", d.Message)
	}
	if len(d.RelatedInformation) == 0 || d.RelatedInformation[0].Location.URI != s.uri("account.agg") {
		t.Errorf("got the related places %s", dump(d.RelatedInformation))
	}
	s.change("account.agg", account, 3)
	s.codes("account.agg")
	s.quits()
}

func TestChangesAreIncremental(t *testing.T) {
	s := start(t, accounts())
	s.open("account.agg", "// 😀 é\n"+account)
	s.codes("account.agg")
	p := at(t, s.uri("account.agg"), "// 😀 é\n"+account, "state.balance - cent", 0, 0).Position
	s.notify("textDocument/didChange", didChangeParams{
		TextDocument: versionedDocumentID{s.uri("account.agg"), 2},
		ContentChanges: []contentChange{
			{Range: &textRange{position{0, 3}, position{0, 5}}, Text: "y"}, // the emoji is two units
			{Range: &textRange{p, position{p.Line, p.Character + 5}}, Text: "stat"},
		},
	})
	s.wait("account.agg", func(d []diagnostic) bool { return len(d) > 0 && d[0].Range.Start == p })
	s.quits()
}

func TestBuffersLieOverTheDisk(t *testing.T) {
	s := start(t, accounts())
	s.open("account.agg", account)
	s.codes("account.agg")
	s.open("shared/money.agg", strings.Replace(money, "const cent", "const penny", 1))
	s.codes("account.agg", "AGG2001") // cent
	s.notify("textDocument/didClose", documentParams{documentID{s.uri("shared/money.agg")}})
	s.codes("account.agg")

	// A file that was never saved is imported as it is.
	s.open("fresh.agg", "const penny: decimal = 0.01\n")
	s.change("account.agg", strings.Replace(strings.Replace(account, "import", "import \"fresh.agg\"\nimport", 1), "- cent", "- penny", 1), 2)
	s.codes("account.agg")
	s.quits()
}

func TestTestsOfTheSetAreChecked(t *testing.T) {
	s := start(t, accounts())
	s.open("account.agg", strings.Replace(account, "command deposit by", "command pay by", 1))
	s.codes("account_test.agg", "AGG2012", "AGG2012", "AGG2091", "AGG2012")
	s.notify("textDocument/didClose", documentParams{documentID{s.uri("account.agg")}})
	s.codes("account_test.agg")
	s.quits()
}

func TestFilesOnDiskAreWatched(t *testing.T) {
	s := start(t, accounts())
	s.open("account.agg", account)
	s.codes("account.agg")
	if err := os.WriteFile(filepath.Join(s.dir, "shared", "money.agg"), []byte(strings.Replace(money, "const cent", "const penny", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	s.notify("workspace/didChangeWatchedFiles", map[string]any{"changes": []any{map[string]any{"uri": s.uri("shared/money.agg"), "type": 2}}})
	s.codes("account.agg", "AGG2001")
	s.quits()
}

func TestSetsOfOneWorkspaceAreApart(t *testing.T) {
	one := "aggregate A { state {} command c {} event e {} decide c { emit e {} } apply e {} }\n"
	s := start(t, map[string]string{"one/a.agg": one, "two/a.agg": one})
	s.open("one/a.agg", one)
	s.open("two/a.agg", one+"nonsense")
	s.codes("one/a.agg")
	s.wait("two/a.agg", func(d []diagnostic) bool { return len(d) > 0 })
	s.quits()
}

func TestAnIndexIsTheSet(t *testing.T) {
	one := "aggregate A { state {} command c {} event e {} decide c { emit e {} } apply e {} }\n"
	files := map[string]string{"manifests.yaml": "aggregates:\n  - {type: A, manifest: in/a.agg}\n", "in/a.agg": one, "draft/a.agg": one}
	s := start(t, files)
	s.open("in/a.agg", one)
	s.codes("in/a.agg")
	s.open("draft/a.agg", strings.Replace(one, "A {", "B {", 1)) // not listed: checked all the same
	s.codes("draft/a.agg")
	s.codes("in/a.agg")
	s.quits()
}

func TestUnsavedDocument(t *testing.T) {
	s := start(t, nil)
	s.notify("textDocument/didOpen", map[string]any{"textDocument": documentItem{URI: "untitled:Untitled-1", LanguageID: "agg", Version: 1, Text: "const x: int = y\n"}})
	var h *hover
	s.call("textDocument/hover", positionParams{documentID{"untitled:Untitled-1"}, position{0, 6}}, &h)
	if h == nil || !strings.Contains(h.Contents.Value, "const x: int") {
		t.Errorf("got %s", dump(h))
	}
	s.quits()
}

func TestProtocolErrors(t *testing.T) {
	s := start(t, accounts())
	s.open("account.agg", account)
	code := func(err error) jrpc2.Code { return jrpc2.ErrorCode(err) }
	if err := s.try("textDocument/nothing", struct{}{}, nil); code(err) != jrpc2.MethodNotFound {
		t.Errorf("an unknown method: got %v", err)
	}
	if err := s.try("textDocument/hover", map[string]any{"position": "x"}, nil); code(err) != jrpc2.InvalidParams {
		t.Errorf("wrong parameters: got %v", err)
	}
	if err := s.try("initialize", struct{}{}, nil); code(err) != jrpc2.InvalidRequest {
		t.Errorf("initialize twice: got %v", err)
	}
	for _, m := range []string{"hover", "completion", "definition", "references", "documentHighlight", "prepareRename", "formatting", "documentSymbol", "codeAction"} {
		if err := s.try("textDocument/"+m, positionParams{documentID{"file:///not/open.agg"}, position{9, 9}}, nil); err != nil {
			t.Errorf("%s of a document that is not open: %v", m, err)
		}
		if err := s.try("textDocument/"+m, positionParams{documentID{s.uri("account.agg")}, position{1 << 31, 1 << 31}}, nil); err != nil {
			t.Errorf("%s far outside: %v", m, err)
		}
	}
	s.call("shutdown", nil, nil)
	if err := s.try("textDocument/hover", positionParams{}, nil); code(err) != jrpc2.InvalidRequest {
		t.Errorf("after shutdown: got %v", err)
	}
	s.notify("exit", nil)
	_ = s.cli.Notify(context.Background(), "exit", nil) // the server may be gone by now
	if err := <-s.ended; err != nil {
		t.Error(err)
	}
}

func TestAPanicIsAnError(t *testing.T) {
	s := newServer("test")
	s.initialized = true
	s.rpc = jrpc2.NewServer(s.handlers(), nil)
	h := s.guarded("x", func(context.Context, *jrpc2.Request) (any, error) { panic("boom") })
	if _, err := h(context.Background(), nil); jrpc2.ErrorCode(err) != jrpc2.InternalError {
		t.Errorf("got %v, want an internal error", err)
	}
	if !s.mu.TryLock() {
		t.Error("the state stays locked")
	}
}

func TestTheClientHangsUp(t *testing.T) {
	s := start(t, nil)
	s.hang()
	if err := <-s.ended; err == nil {
		t.Error("a client that goes without shutdown: got no error")
	}
}

func TestUTF8Positions(t *testing.T) {
	s := start(t, nil, "utf-8", "utf-16")
	text := "/// é😀\nconst x: string = \"é😀\" + y\n"
	s.open("a.agg", text)
	d := s.codes("a.agg", "AGG2001")[0]
	if want := uint32(strings.Index(text, "y\n") - strings.Index(text, "const")); d.Range.Start.Character != want {
		t.Errorf("got column %d, want %d", d.Range.Start.Character, want)
	}
	s.quits()
}
