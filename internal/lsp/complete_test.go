package lsp

import (
	"slices"
	"strings"
	"testing"
)

// TestCompletion types at places of the account. has must be offered, not must not; first is
// what sorts to the top.
func TestCompletion(t *testing.T) {
	for _, tt := range []struct {
		name      string
		old, new  string // what of the account is replaced by a text with the cursor
		has, not  string
		first     string
		wantItems map[string]string // details
	}{
		{name: "state.", old: "derive available: decimal = state.balance - cent", new: "derive available: decimal = state.<|>",
			has: "balance status last available", not: "len require", wantItems: map[string]string{"balance": "decimal"}},
		{name: "state. with a prefix", old: "derive available: decimal = state.balance - cent", new: "derive available: decimal = state.ba<|> - cent", has: "balance"},
		{name: "cmd.", old: "double(cmd.amount)", new: "double(cmd.<|>)", has: "amount", not: "balance"},
		{name: "cmd. unfinished", old: "let twice = double(cmd.amount)", new: "let twice = double(cmd.<|>", has: "amount"},
		{name: "event.", old: "+= event.amount", new: "+= event.<|>", has: "amount price", not: "balance"},
		{name: "event. in the middle of a statement", old: "state.last = event.price", new: "state.last = event.<|>", has: "amount price"},
		{name: "state. as a target", old: "state.last = event.price", new: "state.<|>", has: "balance last status"},
		{name: "ctx. in a decide", old: "let twice = double(cmd.amount)", new: "let now = ctx.<|>", has: "now aggregate_id command_id tenant version meta roles"},
		{name: "ctx. in an apply", old: "state.last = event.price", new: "let t = ctx.<|>", has: "now aggregate_id", not: "tenant roles version"},
		{name: "old.", old: "state.balance >= 0", new: "old.<|>", has: "balance status"},
		{name: "a record's field", old: "state.last = event.price", new: "if event.price is some p { state.balance = p.<|> }", has: "amount currency", not: "balance"},
		{name: "emit", old: "emit deposited { ..cmd, price: Price { amount: twice, currency: eur } }", new: "emit <|>", has: "deposited frozen", not: "deposit freeze"},
		{name: "emit with braces", old: "emit frozen {}", new: "emit fr<|> {}", has: "deposited frozen"},
		{name: "fields of emit", old: "emit deposited { ..cmd, price: Price { amount: twice, currency: eur } }", new: "emit deposited { <|> }", has: "amount price", first: "amount"},
		{name: "more fields of emit", old: "emit deposited { ..cmd, price:", new: "emit deposited { amount: 1, pr<|>:", has: "price", not: "amount"},
		{name: "fields of a record", old: "Price { amount: twice, currency: eur }", new: "Price { amount: twice, <|> }", has: "currency", not: "amount price"},
		{name: "apply", old: "apply frozen { state.status = frozen }", new: "apply <|>", has: "deposited frozen", not: "deposit", first: "frozen"},
		{name: "decide", old: "decide freeze {", new: "decide <|> {", has: "deposit freeze", not: "deposited", first: "freeze"},
		{name: "check", old: `check is_open("deposit")`, new: "check <|>", has: "is_open", not: "double"},
		{name: "an enum member", old: "if state.status == frozen {", new: "if state.status == <|> {", has: "open frozen closed state cmd", first: "closed"},
		{name: "an enum member in an assignment", old: "state.status = frozen", new: "state.status = <|>", has: "open frozen closed"},
		{name: "an enum member in a record", old: "currency: eur", new: "currency: <|>", has: "eur usd", first: "eur"},
		{name: "members by type", old: "state.status == open else", new: "state.status == Status.<|> else", has: "open frozen closed", not: "len"},
		{name: "arms", old: "if state.status == frozen { nothing } else { emit frozen {} }", new: "match state.status { open => { nothing }\n <|> }", has: "frozen closed _", not: "require"},
		{name: "an expression", old: "require twice < 1000", new: "require <|> < 1000", has: "twice cent double len state cmd ctx not", not: "balance require"},
		{name: "a builtin's signature", old: "require twice < 1000", new: "require rou<|> < 1000", has: "round", wantItems: map[string]string{"round": "round(d, scale, mode): decimal", "double": "double(x): decimal"}},
		{name: "what fits sorts first", old: "emit deposited { ..cmd, price:", new: "emit deposited { amount: <|>, price:", has: "twice cent", first: "cent"},
		{name: "a statement of a decide", old: `check is_open("deposit")`, new: "<|>", has: "require emit let reject check nothing", not: "return remove command"},
		{name: "a statement of an apply", old: "state.last = event.price", new: "<|>", has: "remove let if state", not: "emit require"},
		{name: "a statement of a guard", old: "guard is_open(why: string) {", new: "guard is_open(why: string) { <|>", has: "require reject", not: "emit var"},
		{name: "a member", old: "  roles teller, manager", new: "  <|>", has: "command event decide apply state invariant", not: "test require"},
		{name: "top level", old: "/// A bank account.", new: "<|>\n", has: "aggregate enum record test import", not: "command len"},
		{name: "a type", old: "status: Status = open", new: "status: <|>", has: "Status Price Currency decimal list uuid", not: "len"},
		{name: "a type of a command's field", old: "{ amount: decimal where amount > 0 }", new: "{ amount: de<|> where amount > 0 }", has: "decimal date"},
		{name: "roles", old: "command freeze by manager {}", new: "command freeze by <|> {}", has: "teller manager", not: "len"},
		{name: "a head", old: "command freeze by manager {}", new: "command freeze <|>{}", has: "creates by"},
		{name: "codes", old: "else too_much", new: "else <|>", has: "not_open"},
		{name: "in a where", old: "where amount > 0", new: "where <|> > 0", has: "amount len", not: "state cmd"},
		{name: "in an interpolation", old: "{twice} is", new: "{<|>} is", has: "twice state len"},
		{name: "fields in an interpolation", old: "{state.available}", new: "{state.<|>}", has: "balance available"},
		{name: "in a string", old: `"closed: {why}"`, new: `"closed: <|>"`},
		{name: "in a comment", old: "gas 20_000", new: "// gas <|>"},
		{name: "in a doc comment", old: "/// What is on it.", new: "/// Wh<|>"},
		{name: "in a number", old: "20_000", new: "20<|>"},
		{name: "after an operand", old: "require twice < 1000 else", new: "require twice < 1000 <|>", has: "else and or", not: "len"},
		{name: "is", old: "require twice < 1000", new: "require state.last is <|>", has: "some none"},
		{name: "snapshot", old: "gas 20_000", new: "snapshot <|>", has: "every"},
		{name: "an index", old: "gas 20_000", new: "index <|>", has: "balance status available", not: "len"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if strings.Count(account, tt.old) == 0 {
				t.Fatalf("the account has no %q", tt.old)
			}
			s := start(t, accounts())
			offered(t, s.complete("account.agg", strings.Replace(account, tt.old, tt.new, 1)), tt.has, tt.not, tt.first, tt.wantItems)
			s.quits()
		})
	}
}

func TestCompletionInTests(t *testing.T) {
	for _, tt := range []struct{ name, text, has, not, first string }{
		{"for", `test "t" for <|> { when freeze {} then nothing }`, "Account", "len", ""},
		{"a step", "test \"t\" for Account {\n  <|>\n}", "given when then at as repeat", "require", ""},
		{"a step on a line of its own brace", "test \"t\" for Account\n{\n  <|>\n}", "given when then", "require", ""},
		{"when", "test \"t\" for Account {\n  when <|>\n}", "deposit freeze", "deposited", ""},
		{"when's fields", "test \"t\" for Account {\n  when deposit { <|> }\n}", "amount", "price", ""},
		{"given", "test \"t\" for Account {\n  given <|>\n}", "state deposited frozen", "deposit", ""},
		{"given state", "test \"t\" for Account {\n  given state { <|> }\n}", "balance status last", "available", ""},
		{"then", "test \"t\" for Account {\n  when freeze {}\n  then <|>\n}", "emit nothing reject invalid fault gas state", "", ""},
		{"then emit", "test \"t\" for Account {\n  when freeze {}\n  then emit <|>\n}", "deposited frozen", "", ""},
		{"then reject", "test \"t\" for Account {\n  when freeze {}\n  then reject <|>\n}", "too_much not_open forbidden", "", ""},
		{"then invalid", "test \"t\" for Account {\n  when deposit { amount: 1 }\n  then invalid <|>\n}", "amount", "", ""},
		{"a condition", "test \"t\" for Account {\n  when freeze {}\n  then state.<|>\n}", "balance status", "", ""},
		{"a column", "test \"t\" for Account cases sum { (1) } {\n  when deposit { amount: <|> }\n}", "sum cent", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := start(t, accounts())
			offered(t, s.complete("account_test.agg", tt.text), tt.has, tt.not, tt.first, nil)
			s.quits()
		})
	}
}

// complete opens a text and completes at its cursor, sorted as an editor does.
func (s *session) complete(name, text string) []completionItem {
	s.t.Helper()
	var got completionList
	s.call("textDocument/completion", s.open(name, text), &got)
	slices.SortStableFunc(got.Items, func(a, b completionItem) int { return strings.Compare(a.SortText, b.SortText) })
	return got.Items
}

func offered(t *testing.T, items []completionItem, has, not, first string, details map[string]string) {
	t.Helper()
	byName := map[string]completionItem{}
	var names []string
	for _, i := range items {
		if _, twice := byName[i.Label]; !twice {
			byName[i.Label] = i
		}
		names = append(names, i.Label)
		if i.TextEdit == nil || i.TextEdit.NewText != i.Label {
			t.Errorf("the edit of %s is %s", i.Label, dump(i.TextEdit))
		}
	}
	for _, n := range strings.Fields(has) {
		if _, ok := byName[n]; !ok {
			t.Errorf("%q is not offered; got %s", n, strings.Join(names, " "))
		}
	}
	for _, n := range strings.Fields(not) {
		if _, ok := byName[n]; ok {
			t.Errorf("%q is offered", n)
		}
	}
	if has == "" && len(items) > 0 {
		t.Errorf("got %s, want nothing", strings.Join(names, " "))
	}
	if first != "" && (len(items) == 0 || items[0].Label != first) {
		t.Errorf("got %s, want %q first", strings.Join(names, " "), first)
	}
	for n, d := range details {
		if byName[n].Detail != d {
			t.Errorf("%s: got the detail %q, want %q", n, byName[n].Detail, d)
		}
	}
	for _, n := range names {
		if n == probe || n == probeCap {
			t.Errorf("the probe is offered")
		}
	}
}
