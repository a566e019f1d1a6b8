package check_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// accepted checks a text in which nothing is to be found.
func accepted(t *testing.T, text string) *check.Set {
	t.Helper()
	set, found := run(source{"a.agg", text})
	for _, d := range found {
		t.Fatal(short(d))
	}
	return set
}

func TestBankTree(t *testing.T) {
	set := accepted(t, bank(t))
	a := set.Aggregates[0]
	var codes, fns, events []string
	for _, r := range a.Rejects {
		codes = append(codes, r.Code)
	}
	for _, f := range a.Fns {
		fns = append(fns, f.Name)
	}
	for _, e := range a.Events {
		events = append(events, e.Name)
	}
	if got, want := strings.Join(codes, " "), "insufficient_funds not_open"; got != want {
		t.Errorf("codes: got %s want %s", got, want)
	}
	if got, want := strings.Join(fns, " "), "held fee"; got != want {
		t.Errorf("functions: got %s want %s", got, want)
	}
	if got, want := strings.Join(events, " "), "account_opened deposited withdrawn frozen"; got != want {
		t.Errorf("events: got %s want %s", got, want)
	}
	if a.SnapshotEvery != 50 || a.Gas != 20_000 || len(a.Index) != 3 || a.Index[2].Derive == nil {
		t.Errorf("got snapshot every %d, gas %d, indexes %v", a.SnapshotEvery, a.Gas, a.Index)
	}
	if !a.Fns[0].ReadsState || a.Fns[1].ReadsState || a.Fns[0].ReadsCtx {
		t.Errorf("held reads state, fee does not: got %v and %v", a.Fns[0].ReadsState, a.Fns[1].ReadsState)
	}
	if got := a.Invariants[1].Shown; len(got) != 2 || got[0].Text != "old.status" || got[1].Text != "state.status" {
		t.Errorf("invariant shows %v", got)
	}
	for _, f := range a.State {
		if !f.HasDefault {
			t.Errorf("the state field %s has no first value", f.Name)
		}
	}
	rows := set.Tests[1].Rows
	if len(rows) != 3 || set.Tests[1].Columns[0].Type.Kind != value.Int || set.Tests[1].Columns[1].Type.Kind != value.Decimal {
		t.Errorf("cases: got %d rows of %v", len(rows), set.Tests[1].Columns)
	}
}

func TestSpreadIsSpeltOut(t *testing.T) {
	set := accepted(t, `aggregate A {
  state { n: decimal, o: int? }
  command c { n: int, o: int, note: string = "" }
  event e { n: decimal, o: int?, note: string, late: bool = true }
  decide c { emit e { ..cmd, note: "x {cmd.note}" } }
  apply e { state.n = event.n }
}`)
	mk := set.Aggregates[0].Commands[0].Decide[0].(*check.Emit).Make
	if mk.Spread != nil || len(mk.Fields) != 4 {
		t.Fatalf("got %+v", mk)
	}
	if w, ok := mk.Fields[0].(*check.Widen); !ok || w.X.(*check.CmdField).Field != 0 {
		t.Errorf("n: got %#v", mk.Fields[0])
	}
	if s, ok := mk.Fields[1].(*check.Some); !ok || s.X.(*check.CmdField).Field != 1 {
		t.Errorf("o: got %#v", mk.Fields[1])
	}
	if _, ok := mk.Fields[2].(*check.Interp); !ok {
		t.Errorf("note: got %#v", mk.Fields[2])
	}
	if k, ok := mk.Fields[3].(*check.Const); !ok || !k.Value.Bool() {
		t.Errorf("late: got %#v", mk.Fields[3])
	}
}

func TestFunctionsComeAfterThoseTheyCall(t *testing.T) {
	set := accepted(t, `fn a(n: int): int = b(n) + c(n)
fn b(n: int): int = c(n)
fn c(n: int): int = n
fn unused(n: int): int = n
fn whole(n: int): bool = n > a(1)
record R { n: int where whole(n) }
aggregate A {
  state { r: R = R { n: 1 } }
  fn own(): int = state.r.n + a(1)
}`)
	var names []string
	for _, f := range set.Aggregates[0].Fns {
		names = append(names, f.Name)
	}
	if got, want := strings.Join(names, " "), "c b a own whole"; got != want {
		t.Errorf("got %s want %s", got, want)
	}
}

func TestConstantsAreFolded(t *testing.T) {
	cases := []struct{ typ, expr, want string }{
		{"int", "2 + 3 * 4 - 7 / 2 % 2", "13"},
		{"decimal", "div(1, 3, 4, half_even) + round(2.345, 2, half_up)", "2.6833"},
		{"string", `"{upper("ab")}-{join(["x", "y"], "/")}"`, "AB-x/y"},
		{"bool", `3 in [1, 2, 3] and 2.50 == 2.5 and not ("a" in set(["b"]))`, "true"},
		{"int", `sum(x * i for i, x in [5, 6, 7] if x > 5)`, "20"},
		{"int", `len(sort_by(x desc for x in [1, 2, 3]))`, "3"},
		{"int", `(first(x for x in sort_by(x desc for x in [1, 3, 2])) ?? 0)`, "3"},
		{"int", `{"a": 1, "b": 2}["b"]`, "2"},
		{"int", `if none == max([1]) then 0 else (max([4, 9]) ?? 0)`, "9"},
		{"date", `add_months(date("2024-01-31"), 1)`, "2024-02-29"},
		{"duration", `time("2026-01-02T00:00:00Z") - time("2026-01-01T12:00:00Z")`, "12h"},
		{"int?", `as_int(j["a.1"])`, "2"},
		{"int", `len({x: x * x for x in [1, 2, 2]})`, "2"},
		{"bool", `any(x > 2 for x in [1, 3]) and all(x > 0 for x in set([1])) and count(x for x in [1, 2] if x > 1) == 1`, "true"},
	}
	for _, c := range cases {
		t.Run(c.expr, func(t *testing.T) {
			set := accepted(t, "const c: "+c.typ+" = "+c.expr+"\nconst j: json = {\"a\": [1, 2]}\naggregate A { state {} }\n")
			k := set.Aggregates[0].Consts[0]
			if got := value.Text(k.Type, k.Value).Str(); got != c.want {
				t.Errorf("got %s want %s", got, c.want)
			}
		})
	}
}

// TestOrderDoesNotMatter checks manifests of which the declarations are turned around.
func TestOrderDoesNotMatter(t *testing.T) {
	for name, ar := range archives(t, "../testdata/conformance/*.txtar") {
		for _, f := range ar.Files {
			text := string(f.Data)
			if strings.Contains(text, "import ") || strings.Contains(text, "AGG2002") || strings.Contains(text, "AGG2061") || strings.Contains(text, "AGG2076") || strings.Contains(text, "AGG2062") {
				continue // what is found at the second of two depends on which is second
			}
			chunks := topLevel(text)
			turned := slices.Clone(chunks)
			slices.Reverse(turned)
			_, first := run(source{"a.agg", strings.Join(chunks, "\n")})
			_, second := run(source{"a.agg", strings.Join(turned, "\n")})
			if a, b := messages(first), messages(second); a != b {
				t.Errorf("%s/%s: got\n%s\nturned around\n%s", name, f.Name, a, b)
			}
		}
	}
}

// topLevel cuts a text into its top-level declarations, each on lines of its own.
func topLevel(text string) []string {
	var out []string
	for _, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		starts := line != "" && line[0] >= 'a' && line[0] <= 'z'
		if starts || len(out) == 0 {
			out = append(out, line)
			continue
		}
		out[len(out)-1] += "\n" + line
	}
	return out
}

func messages(found []*diag.Diagnostic) string {
	var out []string
	for _, d := range found {
		out = append(out, string(d.Code)+" "+d.Message)
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

// TestSafeFixesMend applies each safe fix of the refused examples: what it mends is gone, and
// nothing new is wrong with the syntax.
func TestSafeFixesMend(t *testing.T) {
	applied := 0
	for name, ar := range archives(t, "../testdata/conformance/*.txtar") {
		for _, f := range ar.Files {
			if strings.Contains(f.Name, "/") {
				continue
			}
			text := string(f.Data)
			_, before := run(source{"a.agg", text})
			for _, d := range before {
				for _, fix := range d.Fixes {
					if !fix.Safe || d.Code < "AGG2" {
						continue
					}
					applied++
					mended := apply(text, fix)
					_, after := run(source{"a.agg", mended})
					if len(after) > len(before) || strings.Contains(messages(after), string(d.Code)+" "+d.Message) {
						t.Errorf("%s/%s: the fix %q of %s leaves\n%s", name, f.Name, fix.Title, short(d), list(after))
					}
				}
			}
		}
	}
	if applied < 10 {
		t.Errorf("only %d safe fixes were seen", applied)
	}
}

func apply(text string, fix diag.Fix) string {
	edits := slices.Clone(fix.Edits)
	slices.SortFunc(edits, func(a, b diag.Edit) int { return int(b.Span.Start - a.Span.Start) })
	for _, e := range edits {
		text = text[:e.Span.Start] + e.New + text[e.Span.End:]
	}
	return text
}
