package lsp

import (
	"slices"
	"strings"
	"testing"
)

// whole is a session with the three files open.
func whole(t *testing.T) *session {
	s := start(t, accounts())
	s.open("account.agg", account)
	return s
}

func TestHover(t *testing.T) {
	s := whole(t)
	for _, tt := range []struct {
		mark string // the cursor is at its end
		want []string
	}{
		{"state.balance", []string{"balance: decimal = 0", "state field of Account", "What is on it."}},
		{"state.avail", []string{"derive available: decimal = state.balance - cent"}},
		{"decide deposit", []string{"command deposit by teller { amount: decimal where amount > 0 }", "command of Account, at most ", " gas, gas limit 20_000", "Puts money on the account."}},
		{"aggregate Acc", []string{"aggregate Account", "gas limit 20_000", "A bank account."}},
		{"let twi", []string{"twice: decimal"}},
		{"require twice", []string{"twice: decimal"}},
		{"doub", []string{"fn double(x: decimal): decimal\n", "function"}},
		{"- cent", []string{"const cent: decimal = 0.01"}},
		{"currency: eu", []string{`Currency.eur = "EUR"`, "member of Currency"}},
		{"price: Pri", []string{"record Price { amount: decimal, currency: Currency }"}},
		{"emit depos", []string{"event deposited { amount: decimal, price: Price? }", "event of Account, at most "}},
		{"cmd.am", []string{"amount: decimal where amount > 0", "field of command deposit"}},
		{"double(cm", []string{"cmd", "command deposit by teller"}},
		{"check is_o", []string{"guard is_open(why: string)"}},
		{"else too_m", []string{"reject too_much", "rejection code"}},
		{"by tell", []string{"roles teller", "role of Account"}},
	} {
		t.Run(tt.mark, func(t *testing.T) {
			var h *hover
			s.call("textDocument/hover", at(t, s.uri("account.agg"), account, tt.mark, 0, len(tt.mark)), &h)
			if h == nil {
				t.Fatal("got nothing")
			}
			for _, w := range tt.want {
				if !strings.Contains(h.Contents.Value, w) {
					t.Errorf("got\n%s\nwant %q in it", h.Contents.Value, w)
				}
			}
		})
	}
	var h *hover
	s.call("textDocument/hover", at(t, s.uri("account.agg"), account, "  state {", 0, 0), &h)
	if h != nil {
		t.Errorf("between the names: got %s", dump(h))
	}
	text := strings.Replace(account, "state.balance - cent", "round(state.balance, 2, half_even)", 1)
	s.change("account.agg", text, 2)
	s.call("textDocument/hover", at(t, s.uri("account.agg"), text, "round", 0, 1), &h)
	if h == nil || !strings.Contains(h.Contents.Value, "round(d, scale, mode): decimal") {
		t.Errorf("a builtin: got %s", dump(h))
	}
	s.quits()
}

func TestDefinitionAndReferences(t *testing.T) {
	s := whole(t)
	s.open("account_test.agg", accountTest)
	texts := map[string]string{"account.agg": account, "account_test.agg": accountTest, "shared/money.agg": money}
	for _, tt := range []struct {
		file, mark string // the cursor is at the end of mark
		decl       string // file: text before the declaration
		refs       int    // all places, the declaration too
	}{
		{"account.agg", "state.balance", "account.agg:What is on it.\n    ", 5},
		{"account.agg", "- cent", "shared/money.agg:const ", 2},
		{"account.agg", "double", "shared/money.agg:fn ", 2},
		{"account.agg", "price: Price", "shared/money.agg:record ", 5},
		{"account_test.agg", "currency: eu", "shared/money.agg:Currency { ", 3},
		{"account_test.agg", "for Acc", "account.agg:aggregate ", 3},
		{"account_test.agg", "when depos", "account.agg:command ", 5},
		{"account_test.agg", "then emit depo", "account.agg:event ", 4},
		{"account_test.agg", "amount: su", "account_test.agg:cases ", 6},
		{"account_test.agg", `["tell`, "account.agg:roles ", 4},
		{"account_test.agg", "reject too", "account.agg:require twice < 1000 else ", 2},
		{"account_test.agg", "invalid amo", "account.agg:command deposit by teller { ", 7},
		{"account.agg", "twice < 1", "account.agg:let ", 4},
		{"account.agg", "status == op", "account.agg:enum Status { ", 3},
		{"account.agg", "check is_open", "account.agg:guard ", 2},
		{"account.agg", "{wh", "account.agg:is_open(", 2},
		{"account.agg", "{twice} is more than {state.avail", "account.agg:derive ", 2},
	} {
		t.Run(tt.mark, func(t *testing.T) {
			p := at(t, s.uri(tt.file), texts[tt.file], tt.mark, 0, len(tt.mark))
			skip := 0
			if strings.Contains(tt.mark, " < 1") {
				p.Position.Character -= 4
			}
			var got []location
			s.call("textDocument/definition", p, &got)
			file, before, _ := strings.Cut(tt.decl, ":")
			want := at(t, s.uri(file), texts[file], before, 0, len(before)+skip)
			if len(got) != 1 || got[0].URI != want.TextDocument.URI || got[0].Range.Start != want.Position {
				t.Errorf("the definition is %s, want %s", dump(got), dump(want))
			}
			r := referenceParams{positionParams: p}
			r.Context.IncludeDeclaration = true
			var refs []location
			s.call("textDocument/references", r, &refs)
			if len(refs) != tt.refs {
				t.Errorf("got %d references, want %d: %s", len(refs), tt.refs, dump(refs))
			}
			r.Context.IncludeDeclaration = false
			var less []location
			s.call("textDocument/references", r, &less)
			if len(less) != len(refs)-1 {
				t.Errorf("without the declaration: got %d references, want %d", len(less), len(refs)-1)
			}
		})
	}
	var got []location
	s.call("textDocument/definition", at(t, s.uri("account.agg"), account, "shared/money", 0, 3), &got)
	if len(got) != 1 || got[0].URI != s.uri("shared/money.agg") {
		t.Errorf("an import leads to %s", dump(got))
	}
	var marks []documentHighlight
	s.call("textDocument/documentHighlight", at(t, s.uri("account.agg"), account, "let twice", 0, 5), &marks)
	if len(marks) != 4 {
		t.Errorf("got %d highlights, want 4", len(marks))
	}
	s.quits()
}

func TestRename(t *testing.T) {
	for _, tt := range []struct {
		name, file, mark, to string
		changed              map[string][2]string // by file: old text and new, everywhere
	}{
		{"state field", "account.agg", "state.balance", "money", map[string][2]string{"account.agg": {"balance", "money"}, "account_test.agg": {"balance", "money"}}},
		{"constant of another file", "account.agg", "- cent", "penny", map[string][2]string{"account.agg": {"cent", "penny"}, "shared/money.agg": {"cent", "penny"}}},
		{"enum member", "account_test.agg", "currency: eur", "euro", map[string][2]string{"account.agg": {"eur", "euro"}, "account_test.agg": {"eur", "euro"}, "shared/money.agg": {"eur", "euro"}}},
		{"column in a name", "account_test.agg", "amount: sum", "total", map[string][2]string{"account_test.agg": {"sum", "total"}}},
		{"record", "account.agg", "price: Price", "Cost", map[string][2]string{"account.agg": {"Price", "Cost"}, "account_test.agg": {"Price", "Cost"}, "shared/money.agg": {"Price", "Cost"}}},
		{"role", "account.agg", "by teller", "clerk", map[string][2]string{"account.agg": {"teller", "clerk"}, "account_test.agg": {"teller", "clerk"}}},
		{"code", "account.agg", "else too_much", "over", map[string][2]string{"account.agg": {"too_much", "over"}, "account_test.agg": {"too_much", "over"}}},
		{"local", "account.agg", "let twice", "t", map[string][2]string{"account.agg": {"twice", "t"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := whole(t)
			texts := accounts()
			if tt.file != "account.agg" {
				s.open(tt.file, texts[tt.file])
			}
			var got workspaceEdit
			s.call("textDocument/rename", renameParams{at(t, s.uri(tt.file), texts[tt.file], tt.mark, 0, len(tt.mark)), tt.to}, &got)
			if len(got.Changes) != len(tt.changed) {
				t.Errorf("got edits of %d files, want %d: %s", len(got.Changes), len(tt.changed), dump(got))
			}
			for file, words := range tt.changed {
				after := string(applyTextEdits([]byte(texts[file]), got.Changes[s.uri(file)]))
				want := texts[file]
				if tt.name != "column in a name" {
					want = onlyWords(want, words[0], words[1])
				} else {
					want = strings.ReplaceAll(want, words[0], words[1])
				}
				if after != want {
					t.Errorf("%s: got\n%s\nwant\n%s", file, after, want)
				}
			}
			s.quits()
		})
	}
}

// onlyWords replaces the word old outside of /// comments and test names.
func onlyWords(text, old, new string) string {
	rows := strings.Split(text, "\n")
	for i, r := range rows {
		if strings.Contains(r, "///") || strings.HasPrefix(r, "import") {
			continue
		}
		var b strings.Builder
		for len(r) > 0 {
			n := len(firstWord(r))
			switch {
			case n == 0:
				b.WriteByte(r[0])
				r = r[1:]
			case r[:n] == old:
				b.WriteString(new)
				r = r[n:]
			default:
				b.WriteString(r[:n])
				r = r[n:]
			}
		}
		rows[i] = b.String()
	}
	return strings.Join(rows, "\n")
}

func applyTextEdits(text []byte, edits []textEdit) []byte {
	slices.SortFunc(edits, func(a, b textEdit) int {
		if a.Range.Start.Line != b.Range.Start.Line {
			return int(b.Range.Start.Line) - int(a.Range.Start.Line)
		}
		return int(b.Range.Start.Character) - int(a.Range.Start.Character)
	})
	for _, e := range edits {
		text = newLines(text, false).apply(e.Range, e.NewText)
	}
	return text
}

func TestRenameRefuses(t *testing.T) {
	s := whole(t)
	for _, tt := range []struct{ name, mark, to, want string }{
		{"no name", "state.balance", "2x", "is not a name here"},
		{"a capital", "state.balance", "Balance", "begins with a small letter"},
		{"a small letter", "price: Price", "cost", "begins with a capital"},
		{"a reserved word", "let twice", "where", "would break"},
		{"a clash of fields", "state.balance", "status", "would break"},
		{"a clash with a derive", "state.balance", "available", "would break"},
		{"a clash of types", "price: Price", "Currency", "would break"},
		{"a spread", "cmd.amount", "sum", "would break"},
		{"a hidden function", "double", "len", ""},
		{"the language", "double(cmd", "x", "belongs to the language"},
		{"nothing", "  state {", "x", "there is no name here"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := at(t, s.uri("account.agg"), account, tt.mark, 0, len(tt.mark))
			var got workspaceEdit
			err := s.try("textDocument/rename", renameParams{p, tt.to}, &got)
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("got %v, want edits", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %v and %s, want %q", err, dump(got), tt.want)
			}
		})
	}
	var r *prepareRename
	s.call("textDocument/prepareRename", at(t, s.uri("account.agg"), account, "state.balance", 0, 8), &r)
	if r == nil || r.Placeholder != "balance" {
		t.Errorf("prepareRename: got %s", dump(r))
	}
	if err := s.try("textDocument/prepareRename", at(t, s.uri("account.agg"), account, "double(cmd", 0, 8), nil); err == nil {
		t.Error("prepareRename of cmd: got no error")
	}
	s.quits()
}

func TestRenameKeepsMeanings(t *testing.T) {
	text := `fn f(x: int): int = g(x)
fn g(x: int): int = x
fn len(s: string): int = 1
fn h(s: string): int = size(s)
fn size(s: string): int = len(s)
`
	s := start(t, map[string]string{"a.agg": text})
	s.open("a.agg", text)
	// trim is a builtin; to call a function so is allowed, and nobody else called it.
	p := at(t, s.uri("a.agg"), text, "fn g", 0, 3)
	var got workspaceEdit
	s.call("textDocument/rename", renameParams{p, "trim"}, &got)
	if len(got.Changes[s.uri("a.agg")]) != 2 {
		t.Errorf("got %s", dump(got))
	}
	// To rename len lays the builtin bare; its caller moves with it.
	text2 := text + "fn k(s: string): string = upper(s)\n"
	s.change("a.agg", text2, 2)
	err := s.try("textDocument/rename", renameParams{at(t, s.uri("a.agg"), text2, "fn size", 0, 3), "upper"}, &got)
	if err == nil {
		t.Error("a function that takes the calls of a builtin: got no error")
	}
	s.quits()
}

func TestFormatting(t *testing.T) {
	s := whole(t)
	var none []textEdit
	text := "const  x:int=1\n\n// é\nconst y: int = 2\nconst   z: int = 3\n"
	s.open("x.agg", text)
	s.call("textDocument/formatting", documentParams{documentID{s.uri("x.agg")}}, &none)
	want := "const x: int = 1\n\n// é\nconst y: int = 2\nconst z: int = 3\n"
	if got := string(applyTextEdits([]byte(text), none)); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	s.change("x.agg", want, 2)
	s.call("textDocument/formatting", documentParams{documentID{s.uri("x.agg")}}, &none)
	if len(none) != 0 {
		t.Errorf("what is formatted: got %s", dump(none))
	}
	s.change("x.agg", "const x: = 1", 3)
	if err := s.try("textDocument/formatting", documentParams{documentID{s.uri("x.agg")}}, &none); err == nil || !strings.Contains(err.Error(), "AGG1") {
		t.Errorf("a syntax error: got %v", err)
	}
	s.quits()
}

func TestDocumentSymbols(t *testing.T) {
	s := whole(t)
	var list []documentSymbol
	s.call("textDocument/documentSymbol", documentParams{documentID{s.uri("account.agg")}}, &list)
	if len(list) != 1 || list[0].Name != "Account" || list[0].Kind != symClass {
		t.Fatalf("got %s", dump(list))
	}
	var names []string
	for _, c := range list[0].Children {
		names = append(names, c.Name)
		if !inside(c.SelectionRange, c.Range) {
			t.Errorf("the name of %s lies outside of it", c.Name)
		}
	}
	want := "Status roles state available solvent is_open deposit freeze deposited frozen decide deposit decide freeze apply deposited apply frozen"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if c := list[0].Children[2].Children; len(c) != 3 || c[0].Name != "balance" || c[0].Detail != "decimal = 0" {
		t.Errorf("got the state %s", dump(c))
	}
	s.quits()
}

func inside(a, b textRange) bool {
	less := func(p, q position) bool {
		return p.Line < q.Line || p.Line == q.Line && p.Character <= q.Character
	}
	return less(b.Start, a.Start) && less(a.End, b.End)
}

func TestCodeActions(t *testing.T) {
	s := whole(t)
	text := strings.Replace(account, "state.balance >= 0", "state.balnce >= 0", 1)
	s.change("account.agg", text, 2)
	p := at(t, s.uri("account.agg"), text, "balnce", 0, 3).Position
	var got []codeAction
	s.call("textDocument/codeAction", codeActionParams{TextDocument: documentID{s.uri("account.agg")}, Range: textRange{p, p}}, &got)
	if len(got) != 1 || got[0].Kind != quickFix || len(got[0].Diagnostics) != 1 {
		t.Fatalf("got %s", dump(got))
	}
	if after := string(applyTextEdits([]byte(text), got[0].Edit.Changes[s.uri("account.agg")])); after != account {
		t.Errorf("got\n%s", after)
	}
	// `status == frozen { nothing }` with one `=`: safe, so there is one action for all, too.
	text = strings.Replace(account, "amount: decimal where", "amount: number where", 1)
	s.change("account.agg", text, 3)
	p = at(t, s.uri("account.agg"), text, "number", 0, 3).Position
	s.call("textDocument/codeAction", codeActionParams{TextDocument: documentID{s.uri("account.agg")}, Range: textRange{p, p}}, &got)
	if len(got) != 2 || !got[0].IsPreferred || got[1].Kind != fixAll {
		t.Fatalf("got %s", dump(got))
	}
	if after := string(applyTextEdits([]byte(text), got[1].Edit.Changes[s.uri("account.agg")])); after != account {
		t.Errorf("got\n%s", after)
	}
	only := codeActionParams{TextDocument: documentID{s.uri("account.agg")}, Range: textRange{p, p}}
	only.Context.Only = []string{"source"}
	s.call("textDocument/codeAction", only, &got)
	if len(got) != 1 || got[0].Kind != fixAll {
		t.Errorf("only source actions: got %s", dump(got))
	}
	s.quits()
}
