package lsp

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/creachadair/jrpc2"

	"github.com/cloudlysis/aggregate/dsl/diag"
)

// everything asks all requests at a place of a text and fails on a panic. It goes past the
// guard, so that a panic is seen with its place.
func everything(t *testing.T, s *Server, uri, text string, off int) {
	doc := s.docs[uri]
	doc.text = []byte(text)
	doc.set.current = nil
	p := positionParams{documentID{uri}, newLines(doc.text, s.utf8).position(off)}
	if got := newLines(doc.text, s.utf8).offset(p.Position); got > off || off-got > 4 {
		t.Errorf("byte %d comes back as %d", off, got)
	}
	ref := referenceParams{positionParams: p}
	for _, f := range []func() (any, error){
		func() (any, error) { return s.hover(p) },
		func() (any, error) { return s.completion(p) },
		func() (any, error) { return s.definition(p) },
		func() (any, error) { return s.references(ref) },
		func() (any, error) { return s.highlight(p) },
		func() (any, error) { return s.prepareRename(p) },
		func() (any, error) { return s.rename(renameParams{p, "another"}) },
		func() (any, error) { return s.formatting(documentParams{p.TextDocument}) },
		func() (any, error) { return s.symbols(documentParams{p.TextDocument}) },
		func() (any, error) {
			return s.codeActions(codeActionParams{TextDocument: p.TextDocument, Range: textRange{p.Position, p.Position}})
		},
	} {
		out, _ := f()
		if _, err := json.Marshal(out); err != nil {
			t.Errorf("the answer is no JSON: %v", err)
		}
	}
	if out, err := s.semantic(documentParams{p.TextDocument}); err == nil && !s.utf8 {
		coloured(t, text, out.(semanticTokens).Data)
	}
	a := doc.set.analyse(s.utf8)
	for _, d := range a.Diagnostics {
		if d.Span.File != nil {
			s.diagnostic(doc.set, a, d)
		}
	}
}

// bare is a server without a client, with one document open.
func bare(t testing.TB) (*Server, string) {
	s := newServer("test")
	s.initialized = true
	s.rpc = jrpc2.NewServer(s.handlers(), nil)
	dir := t.TempDir()
	for name, text := range accounts() {
		p := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s.addFolder(dir)
	uri := uriOf(filepath.Join(dir, "account.agg"))
	doc := &document{uri: uri, path: pathOf(uri), version: 1, text: []byte(account)}
	s.docs[uri] = doc
	s.join(doc)
	return s, uri
}

// TestHalfTyped types the account letter by letter, and takes a word out of it at each place.
func TestHalfTyped(t *testing.T) {
	s, uri := bare(t)
	step := 7
	if testing.Short() {
		step = 41
	}
	for off := 0; off <= len(account); off += step {
		everything(t, s, uri, account[:off], off)
		from, to := wordAt(account, off)
		everything(t, s, uri, account[:from]+account[to:], from)
		everything(t, s, uri, account[:off]+"."+account[off:], off+1)
	}
}

// FuzzServer asks everything of any text at any place.
func FuzzServer(f *testing.F) {
	for _, text := range []string{account, accountTest, money, "", "aggregate A {", "state.", "decide x { emit ", "\"{", "a\r\nb😀"} {
		f.Add(text, len(text)/2)
		f.Add(text, len(text))
	}
	for _, info := range diag.Codes() {
		f.Add(info.Example, len(info.Example)*2/3)
	}
	s, uri := bare(f)
	f.Fuzz(func(t *testing.T, text string, off int) {
		if len(text) > 4000 {
			return
		}
		everything(t, s, uri, text, min(max(off, 0), len(text)))
	})
}

// FuzzChange applies changes to a text: any ranges are moved into it.
func FuzzChange(f *testing.F) {
	f.Add("a😀é\r\nb\n", "x\n", uint32(0), uint32(2), uint32(1), uint32(9), false)
	f.Add("", "", uint32(9), uint32(0), uint32(0), uint32(0), true)
	f.Fuzz(func(t *testing.T, text, insert string, l1, c1, l2, c2 uint32, utf8 bool) {
		r := textRange{position{l1, c1}, position{l2, c2}}
		out := newLines([]byte(text), utf8).apply(r, insert)
		if len(out) < len(insert) || len(out) > len(text)+len(insert) || !strings.Contains(string(out), insert) {
			t.Errorf("got %q", out)
		}
		l := newLines([]byte(text), utf8)
		for off := range len(text) {
			if p := l.position(off); l.offset(p) > off {
				t.Errorf("byte %d is at %v, which is byte %d", off, p, l.offset(p))
			}
		}
	})
}

// BenchmarkDiagnostics is what lies between the last key and the diagnostics of a file of 1,000
// lines, but for the quiet time: read the set, compile it with its tests, make the answer. An
// error spares the lowering.
func BenchmarkDiagnostics(b *testing.B) {
	text := large(1000)
	if n := strings.Count(text, "\n"); n < 1000 || n > 1100 {
		b.Fatalf("the text has %d lines", n)
	}
	b.Run("clean", func(b *testing.B) { diagnose(b, text, 0) })
	b.Run("error", func(b *testing.B) {
		diagnose(b, strings.Replace(text, "state.balance >= 0", "state.balnce >= 0", 1), 1)
	})
}

func diagnose(b *testing.B, text string, want int) {
	s, uri := bare(b)
	doc := s.docs[uri]
	doc.text = []byte(text)
	b.ReportAllocs()
	for b.Loop() {
		doc.set.current = nil
		a := doc.set.analyse(s.utf8)
		n := 0
		for _, d := range a.Diagnostics {
			if d.Severity == diag.Error {
				s.diagnostic(doc.set, a, d)
				n++
			}
		}
		if n != want {
			b.Fatalf("got %d errors, want %d", n, want)
		}
	}
	b.ReportMetric(b.Elapsed().Seconds()*1000/float64(b.N), "ms/file")
}

// BenchmarkCompletion completes in the same file.
func BenchmarkCompletion(b *testing.B) {
	s, uri := bare(b)
	text := large(1000)
	off := strings.Index(text, "state.balance >= 0") + len("state.")
	s.docs[uri].text = []byte(text)
	p := positionParams{documentID{uri}, newLines([]byte(text), false).position(off)}
	for b.Loop() {
		s.docs[uri].set.current = nil
		out, err := s.completion(p)
		if err != nil || len(out.(completionList).Items) == 0 {
			b.Fatalf("got %v, %v", out, err)
		}
	}
	b.ReportMetric(b.Elapsed().Seconds()*1000/float64(b.N), "ms/completion")
}

// large is the account with as many more commands as fill the lines.
func large(rows int) string {
	text := strings.TrimSuffix(account, "}\n")
	for i := 0; strings.Count(text, "\n") < rows; i++ {
		n := string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + "x"
		text += strings.ReplaceAll(`
  /// Puts money on the account in its own way.
  command pay_N by teller {
    amount: decimal where amount > 0
    notes: list<string, 20>
  }
  event paid_N {
    amount: decimal
    notes: list<string, 20>
  }
  decide pay_N {
    check is_open("pay N")
    let long = [n for n in cmd.notes if len(n) > 10]
    require len(long) < 5 else too_long_N "{len(long)} notes are too long"
    if state.balance > 100 { emit deposited { amount: cmd.amount, price: none } } else { emit paid_N { ..cmd } }
  }
  apply paid_N {
    state.balance += event.amount
  }
`, "N", n)
	}
	return text + "}\n"
}
