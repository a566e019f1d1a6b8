package lsp

import (
	"strings"
	"testing"
)

// coloured gives each token as text:kind, with + for a declaration and ! for the language's own.
func coloured(t *testing.T, text string, data []uint32) []string {
	t.Helper()
	l := newLines([]byte(text), false)
	var out []string
	var at position
	end := 0
	for i := 0; i+4 < len(data); i += 5 {
		if data[i] > 0 {
			at = position{at.Line + data[i], 0}
		}
		at.Character += data[i+1]
		from, to := l.offset(at), l.offset(position{at.Line, at.Character + data[i+2]})
		if from < end || to <= from {
			t.Fatalf("token %d overlaps the one before", i/5)
		}
		end = to
		mark := ""
		if data[i+4]&modDeclaration != 0 {
			mark += "+"
		}
		if data[i+4]&modLibrary != 0 {
			mark += "!"
		}
		out = append(out, text[from:to]+":"+tokenTypes[data[i+3]]+mark)
	}
	return out
}

func TestSemanticTokens(t *testing.T) {
	text := "// é 😀\n" + strings.Replace(account, "{twice} is more", "😀 {twice} is more", 1)
	s := start(t, accounts())
	s.open("account.agg", text)
	var got semanticTokens
	s.call("textDocument/semanticTokens/full", documentParams{documentID{s.uri("account.agg")}}, &got)
	tokens := coloured(t, text, got.Data)
	all := "\n" + strings.Join(tokens, "\n") + "\n"
	for _, want := range []string{
		"// é 😀:comment", "import:keyword", `"shared/money.agg":string`, "aggregate:keyword", "Account:type+", "frozen:enumMember+", "teller:variable+",
		"20_000:number", "balance:property+", "decimal:type!", "deposit:method+", "deposited:event+", "state:variable!", "twice:variable+", "twice:variable",
		"double:function", "emit:keyword", "eur:enumMember", "Price:type", "cmd:variable!", `"😀 {:string`, `} is more than {:string`, `}":string`, "cent:variable",
	} {
		if !strings.Contains(all, "\n"+want+"\n") {
			t.Errorf("there is no token %s in\n%s", want, strings.Join(tokens, " "))
		}
	}
	s.change("account.agg", "aggregate A {\n  state { x: int }\n  event e { emit: string, state: int }\n \"a {b {c}\n`raw\n1.", 2)
	s.call("textDocument/semanticTokens/full", documentParams{documentID{s.uri("account.agg")}}, &got)
	all = strings.Join(coloured(t, "aggregate A {\n  state { x: int }\n  event e { emit: string, state: int }\n \"a {b {c}\n`raw\n1.", got.Data), " ")
	if strings.Contains(all, "emit:keyword") || !strings.Contains(all, "emit:property+") || !strings.HasSuffix(all, "`raw:string 1:number") {
		t.Errorf("half-typed: got %s", all)
	}
	s.quits()
}
