package check_test

import (
	"strings"
	"testing"
)

// TestFaultsInsideCalls: what may fault in a function or derive counts in the apply that uses it.
func TestFaultsInsideCalls(t *testing.T) {
	for _, c := range []struct{ fn, apply, says string }{
		{`fn at(k: string): int = state.m[k]`, `state.n = at(event.k)`, "at() may fault: state.m[k] faults when it is absent"},
		{`fn at(k: string): int = state.m[k]? ?? 0`, `state.n = at(event.k)`, ""},
		{`fn at(k: string): int { if k in state.m { return state.m[k] } return 0 }`, `state.n = at(event.k)`, ""},
		{`fn at(k: string): int = state.m[k]  fn twice(k: string): int = 2 * at(k)`, `state.n = twice(event.k)`, "twice() may fault: state.m[k]"},
		{`fn per(a: int, b: int): int = a / b`, `state.n = per(1, event.n) + per(2, event.n)`, "per() may fault: a division faults when b is 0"},
		{`fn per(a: int, b: int): int = if b == 0 then 0 else a / b`, `state.n = per(1, event.n)`, ""},
		{`fn whole(d: decimal): int = int(d)`, `state.n = whole(0.5)`, "whole() may fault: int(…)"},
		{`derive head: int = state.xs[0]`, `state.n = state.head`, "state.head may fault: state.xs[0]"},
		{`derive head: int = state.xs[0]? ?? 1`, `state.n = state.head`, ""},
		{`fn unused(k: string): int = state.m[k]`, `state.n = 1`, ""},
	} {
		t.Run(c.fn, func(t *testing.T) {
			_, found := run(source{"a.agg", "aggregate A {\n  state { m: map<string, int>, xs: list<int>, n: int }\n" + c.fn +
				"\n  command c { k: string, n: int }\n  event e { k: string, n: int }\n  decide c { emit e { ..cmd } }\n  apply e { " + c.apply + " }\n}\n"})
			if c.says == "" && len(found) > 0 || c.says != "" && (len(found) != 1 || !strings.Contains(short(found[0]), "AGG5005: "+c.says)) {
				t.Errorf("got %d findings:\n%s\nwant %q", len(found), list(found), c.says)
			}
		})
	}
	_, found := run(source{"a.agg", `fn per(a: int, b: int): int = a / b
aggregate A {
  state {}
  event e @1 { a: int }
  event e @2 { a: int, b: int }
  upcast e @1 -> @2 { a: old.a, b: per(1, old.a) }
  command c {}
  decide c { emit e { a: 1, b: 2 } }
  apply e {}
}`})
	if !strings.Contains(list(found), "AGG5005: per() may fault") || !strings.Contains(list(found), "keeps the aggregate from loading") {
		t.Errorf("an upcast that calls what may fault: got %s", list(found))
	}
}

// TestImpliedRequire checks what follows from what was required before, and what does not.
func TestImpliedRequire(t *testing.T) {
	for _, c := range []struct {
		first, second string
		warns         bool
	}{
		{`state.n > 5`, `state.n > 0`, true},
		{`state.n > 0`, `state.n > 5`, false},
		{`state.n > 5`, `state.n >= 5`, true},
		{`state.n > 5`, `state.n >= 6`, true},
		{`state.n > 5`, `state.n >= 7`, false},
		{`state.n >= 6`, `state.n > 5`, true},
		{`state.n < 5`, `state.n <= 4`, true},
		{`state.n > 9_223_372_036_854_775_807`, `state.n >= 0`, true},
		{`state.n >= 5`, `state.n > 5`, false},
		{`5 < state.n`, `state.n > 4`, true},
		{`state.n == 3`, `state.n in 1..5`, true},
		{`state.n in 1..5`, `state.n in 0..9`, true},
		{`state.n in 1..5`, `state.n in 2..9`, false},
		{`state.n in 1..5`, `state.n != 7`, true},
		{`state.n in 1..5`, `state.n != 3`, false},
		{`state.n != 3`, `state.n != 3`, true},
		{`state.n != 3`, `state.n > 0`, false},
		{`state.n > 5 and state.done`, `state.done`, true},
		{`state.n > 5 and state.done`, `state.n > 1 and state.done`, true},
		{`state.n > 5 or state.done`, `state.n > 1`, false},
		{`state.d > 0.50`, `state.d > 0.5`, true},
		{`state.d > 1`, `state.d >= 0.99`, true},
		{`state.kind == b`, `state.kind != a`, true},
		{`state.kind != a`, `state.kind == b`, false},
		{`state.s == "x"`, `state.s != ""`, true},
		{`state.n > 5`, `old.n > 5`, false},
		{`state.n > 0`, `cmd.big > 3`, true},
		{`state.n > 0`, `cmd.big > 10`, false},
		{`state.n > 0`, `(cmd.maybe ?? 0) > 1`, false},
	} {
		t.Run(c.first+" then "+c.second, func(t *testing.T) {
			text := strings.Replace(`aggregate A {
  ordered enum Kind { a, b }
  state { n: int, d: decimal, s: string, done: bool, kind: Kind = a }
  command c { big: int where big >= 10, maybe: int? where maybe > 5 }
  decide c {
    require FIRST else no
    require SECOND else never
    require (cmd.maybe ?? 0) + cmd.big > 0 else low
    nothing
  }
}`, "FIRST", c.first, 1)
			_, found := run(source{"a.agg", strings.Replace(text, "SECOND", c.second, 1)})
			if got := strings.Contains(list(found), "AGG5009"); got != c.warns || len(found) > 1 {
				t.Errorf("got %t want %t:\n%s", got, c.warns, list(found))
			}
		})
	}
}

// TestGainsDigits checks which decimals get longer with every event.
func TestGainsDigits(t *testing.T) {
	for _, c := range []struct {
		apply string
		warns bool
	}{
		{`state.d *= event.rate`, true},
		{`state.d = state.d * event.rate`, true},
		{`state.d += state.d * 0.01`, true},
		{`state.d += state.d * event.n`, false},
		{`state.d *= 100`, false},
		{`state.d *= 2.00`, false},
		{`state.d = round(state.d * event.rate, 2, half_even)`, false},
		{`state.d += round(state.d * event.rate, 2, half_even)`, false},
		{`state.d += event.rate * event.rate`, false},
		{`state.d = state.d * round(event.rate, 0, up)`, false},
		{`let x = state.d * event.rate  state.d = x + 1`, true},
		{`var x = state.d  x *= event.rate  state.d = x`, true},
		{`var x = state.d  x = x * event.rate  state.d = x`, true},
		{`var x = state.d  x *= event.n  state.d = x`, false},
		{`var x = state.d  x *= event.rate  x = round(x, 2, half_even)  state.d = x`, false},
		{`var x = state.d  for i in range(0, 3) { x *= event.rate }  state.d = x`, true},
		{`var x = state.d  for i in range(0, 3) { x *= event.rate }  x = round(x, 2, half_even)  state.d = x`, false},
		{`var x = state.d  for i in range(0, 3) { x *= event.rate  x = round(x, 2, half_even) }  state.d = x`, false},
		{`var x = state.d  if event.n > 0 { x *= event.rate } else { x = round(x, 2, half_even) }  state.d = x`, true},
		{`var x = state.d  x *= event.rate  if event.n > 0 { x = round(x, 2, half_even) }  state.d = x`, true},
		{`var x = state.d * event.rate  x = 5  state.d = x`, false},
		{`var x = event.rate  x *= event.rate  state.d = x`, false},
		{`var x = event.rate  x *= state.d  state.d = x`, true},
		{`var x = state.d  x += x * event.rate  state.d = x`, true},
		{`state.d = compounded(state.d)`, true},
		{`state.d = rounded(state.d)`, false},
		{`state.d = grown(state.d)`, true},
		{`state.d = max(state.d, state.d * event.rate)`, true},
		{`state.d = state.other * event.rate`, false},
		{`state.other = state.d * event.rate`, false},
		{`state.d = state.d * state.d`, true},
		{`state.lines[event.k].d *= event.rate`, true},
		{`for k, l in state.lines { state.lines[k].d = state.lines[k].d * event.rate }`, true},
		{`if event.n > 0 { state.d = -(state.d * event.rate) }`, true},
		{`state.d = event.next`, true},
		{`state.other = event.next`, false},
	} {
		t.Run(c.apply, func(t *testing.T) {
			_, found := run(source{"a.agg", `aggregate A {
  record Line { d: decimal }
  state { d: decimal, other: decimal, lines: map<string, Line> }
  fn grown(x: decimal): decimal = x * 1.5
  fn compounded(x: decimal): decimal { var y = x  for i in range(0, 3) { y *= 1.5 }  return y }
  fn rounded(x: decimal): decimal { var y = x  for i in range(0, 3) { y = round(y * 1.5, 2, half_even) }  return y }
  command c { k: string, rate: decimal, n: int }
  event e { k: string, rate: decimal, n: int, next: decimal }
  decide c { emit e { ..cmd, next: state.d * 1.1 } }
  apply e { ` + c.apply + ` }
}`})
			if got := strings.Contains(list(found), "AGG5011"); got != c.warns {
				t.Errorf("got %t want %t:\n%s", got, c.warns, list(found))
			}
		})
	}
}

// TestGainsDigitsEndsSoon: functions that call functions twice are not followed for ever.
func TestGainsDigitsEndsSoon(t *testing.T) {
	var fns strings.Builder
	for i := range 60 {
		fns.WriteString("fn f" + itoa(i+1) + "(d: decimal): decimal = f" + itoa(i) + "(d) + f" + itoa(i) + "(d)\n")
	}
	_, found := run(source{"a.agg", "aggregate A {\nfn f0(d: decimal): decimal = d\n" + fns.String() +
		"state { d: decimal }\ncommand c {}\nevent e {}\ndecide c { emit e {} }\napply e { state.d = f60(state.d) * 1.5 }\n}\n"})
	if len(found) > 1 {
		t.Errorf("got %s", list(found))
	}
}

// TestIgnore checks which warnings a comment silences.
func TestIgnore(t *testing.T) {
	const rest = "  event e {}\n  decide c { emit e {} }\n  apply e {}\n}\n"
	for _, c := range []struct{ name, command, want string }{
		{"on the line", "  command c { n: int } // agg:ignore AGG5001 for old clients\n", ""},
		{"the line before", "  // agg:ignore AGG5001 for old clients\n  command c { n: int }\n", ""},
		{"above a doc comment", "  // agg:ignore AGG5001 for old clients\n  /// Does it.\n  command c { n: int }\n", ""},
		{"two lines before", "  // agg:ignore AGG5001 for old clients\n\n  command c { n: int }\n", "AGG5001"},
		{"behind the line before", "  roles a // agg:ignore AGG5001 for old clients\n  command c { n: int }\n", "AGG5001"},
		{"another code", "  command c { n: int } // agg:ignore AGG5002 for old clients\n", "AGG5001"},
		{"no reason", "  command c { n: int } // agg:ignore AGG5001\n", "AGG5001 AGG5012"},
		{"no code", "  command c { n: int } // agg:ignore\n", "AGG5001 AGG5012"},
		{"unknown code", "  command c { n: int } // agg:ignore AGG5901 for old clients\n", "AGG5001 AGG5012"},
		{"an error", "  command c { n: int } // agg:ignore AGG2003 for old clients\n", "AGG5001 AGG5012"},
		{"another word", "  command c { n: int } // agg:ignored AGG5001 for old clients\n", "AGG5001"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, found := run(source{"a.agg", "aggregate A {\n  state {}\n" + c.command + rest})
			var codes []string
			for _, d := range found {
				codes = append(codes, string(d.Code))
			}
			if got := strings.Join(codes, " "); got != c.want {
				t.Errorf("got %q want %q:\n%s", got, c.want, list(found))
			}
		})
	}
	_, found := run(source{"a.agg", "aggregate A {\n  state { n: int = true } // agg:ignore AGG2020 no\n}\n"})
	if !strings.Contains(list(found), "AGG2020") {
		t.Errorf("an error is ignored: %s", list(found))
	}
}

// TestArmsOnce: equal decimals and values inside a range before are one arm too many.
func TestArmsOnce(t *testing.T) {
	for _, c := range []struct {
		arms string
		want int
	}{
		{`1 => { nothing } 1.0 => { nothing }`, 1},
		{`1.50 => { nothing } 1.5 => { nothing } 15 => { nothing }`, 1},
		{`0 => { nothing } 10 => { nothing } 100 => { nothing }`, 0},
		{`1..5 => { nothing } 3 => { nothing }`, 1},
		{`1..5 => { nothing } 2..4 => { nothing } 5..6 => { nothing }`, 1},
		{`3 => { nothing } 1..5 => { nothing }`, 0},
	} {
		_, found := run(source{"a.agg", "aggregate A {\n  state {}\n  command c { d: decimal }\n  decide c { match cmd.d { " + c.arms + " _ => { nothing } } }\n}\n"})
		if len(found) != c.want || c.want == 1 && found[0].Code != "AGG2054" {
			t.Errorf("%s: got %d findings, want %d:\n%s", c.arms, len(found), c.want, list(found))
		}
	}
}

// TestBrokenThenIsQuiet: a `then` that cannot be read is one finding.
func TestBrokenThenIsQuiet(t *testing.T) {
	_, found := run(source{"a.agg", "aggregate A {\n  state {}\n  command c {}\n  decide c { nothing }\n}\ntest \"t\" for A {\n  when c {}\n  then gas > 5\n}\n"})
	if len(found) != 1 || found[0].Code != "AGG1001" {
		t.Errorf("got:\n%s", list(found))
	}
}

// TestOpenEnum: a declaration behind an enum whose } is missing is none of its members.
func TestOpenEnum(t *testing.T) {
	for _, next := range []string{"index kind", "roles boss", "roles boss, clerk", "final when state.n > 3", "index address.city", "command c {}", "snapshot every 5"} {
		_, found := run(source{"a.agg", "record Address { city: string }\naggregate A {\n  enum Kind { a\n    b\n  " + next + "\n  state { n: int, kind: Kind = a, address: Address = Address { city: \"\" } }\n  event e {}\n  apply e {}\n}\n"})
		if len(found) == 0 || found[0].Code != "AGG1002" || strings.Contains(list(found[1:]), "unknown") {
			t.Errorf("%s: got\n%s", next, list(found))
		}
	}
	_, found := run(source{"a.agg", "enum Kind {\n  index roles\n  roles2 other\n  final when\n}\nenum Word { index closed\n roles a }\nenum Label {\n  index a = \"W {x}\"\n}\n"})
	if len(found) != 0 {
		t.Errorf("members that are declaration words: got\n%s", list(found))
	}
}

// TestReturnInDecide says how a rule that has no value ends.
func TestReturnInDecide(t *testing.T) {
	for _, c := range []struct{ rule, want string }{
		{"decide c { return 1 }", "AGG2052: a decide has no `return`"},
		{"decide c { return }", "AGG1005: `return` gives the value of a fn"},
		{"decide c { nothing }\n  guard g() { return true }", "AGG2052: a guard has no `return`"},
	} {
		_, found := run(source{"a.agg", "aggregate A {\n  state {}\n  command c {}\n  " + c.rule + "\n}\n"})
		if len(found) != 1 || !strings.Contains(short(found[0]), c.want) || found[0].Hint == "" {
			t.Errorf("%s: got\n%s", c.rule, list(found))
		}
	}
}

// TestCoalesceIsLoosest: where `??` takes more than it was meant for, the mend has parentheses.
func TestCoalesceIsLoosest(t *testing.T) {
	for _, cond := range []string{
		`state.n > 2 implies state.m["a"]? ?? 0 > 1`, `state.n > 2 and state.m["a"]? ?? 0 > 1`,
		`state.n > state.m["a"]? ?? 0`, `state.n == state.m["a"]? ?? 0`,
	} {
		_, found := run(source{"a.agg", "aggregate A {\n  state { n: int, m: map<string, int> }\n  command c {}\n  decide c { require " + cond + " else no  nothing }\n}\n"})
		if len(found) != 1 || !strings.Contains(found[0].Hint, "`(state.m[\"a\"]? ?? 0)`") {
			t.Errorf("%s: got %s", cond, list(found))
		}
	}
}

// TestMapKeysAreExpressions: a bare name as a key of text, and a map where a record is meant,
// show how it is written, with a mend that is safe when it can only mean that.
func TestMapKeysAreExpressions(t *testing.T) {
	for _, c := range []struct{ expr, want, edit string }{
		{`let m: map<string, int> = {user: 1}`, "AGG2001", `"user"`},
		{`let m: map<string, int> = {k: 1}`, "", ""},
		{`let m: map<string, int> = {User: 1}`, "AGG2004", ""},
		{`let r: R = {a: 1}`, "AGG2020", "R "},
		{`let r: R = {b: 1}`, "AGG2020", ""},
		{`let r: R = {"a": 1}`, "AGG2020", ""},
	} {
		_, found := run(source{"a.agg", "record R { a: int }\nconst k: string = \"k\"\naggregate A {\n  state {}\n  command c {}\n  decide c { " + c.expr + " nothing }\n}\n"})
		var code, edit string
		for _, d := range found {
			code = string(d.Code)
			for _, f := range d.Fixes {
				if f.Safe {
					edit = f.Edits[0].New
				}
			}
		}
		if len(found) > 1 || code != c.want || edit != c.edit {
			t.Errorf("%s: got %q %q, want %q %q:\n%s", c.expr, code, edit, c.want, c.edit, list(found))
		}
	}
}
