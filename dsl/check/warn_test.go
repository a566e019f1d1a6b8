package check_test

import (
	"strings"
	"testing"
)

// TestMayFaultIsPrecise checks what an apply and an upcast may read without a warning.
func TestMayFaultIsPrecise(t *testing.T) {
	cases := []struct {
		apply string
		warns int
	}{
		{`state.m[event.k] += 1`, 1},
		{`state.m[event.k] = 1`, 0},
		{`state.m[event.k] = (state.m[event.k]? ?? 0) + 1`, 0},
		{`if event.k in state.m { state.m[event.k] += 1 }`, 0},
		{`if not (event.k in state.m) { state.m[event.k] = 0 }  state.m[event.k] += 1`, 0},
		{`if state.m[event.k]? is none { state.m[event.k] = 0 }  state.m[event.k] += 1`, 0},
		{`if state.m[event.k]? is some n and n > 0 { state.m[event.k] -= 1 }`, 0},
		{`if event.k in state.m { remove state.m[event.k]  state.m[event.k] += 1 }`, 1},
		{`if event.k in state.m {}  state.m[event.k] += 1`, 1},
		{`for k, n in state.m { if n > 0 { state.m[k] -= 1 } }`, 0},
		{`state.n = state.xs[0]`, 1},
		{`state.n = state.xs[0]? ?? 0`, 0},
		{`state.xs[0] = 1`, 1},
		{`remove state.xs[0]`, 1},
		{`remove state.m[event.k]`, 0},
		{`state.n = int(state.d)`, 1},
		{`state.n = int(round(state.d, 0, half_even))`, 0},
		{`state.d = div(state.d, 3, 2, half_even)`, 0},
		{`state.d = div(1, state.d, 2, half_even)`, 1},
		{`if state.d > 0 { state.d = div(1, state.d, 2, half_even) }`, 0},
		{`state.d = if state.d == 0 then 0 else div(1, state.d, 2, half_even)`, 0},
		{`state.n += event.n`, 0},
		{`state.n = 10 / event.n`, 1},
		{`state.n = event.n % 7`, 0},
		// Lists.
		{`for i, x in state.xs { state.xs[i] = x + 1 }`, 0},
		{`for i, x in state.xs { if x > 0 { remove state.xs[i] } }`, 1},
		{`for i, x in state.xs { if x > 0 { state.xs = [] }  state.xs[i] = x }`, 1},
		{`for i in range(0, len(state.xs)) { state.xs[i] = 2 }`, 0},
		{`for i in range(-1, len(state.xs)) { state.xs[i] = 2 }`, 1},
		{`for i in range(1, event.n) { state.n = 10 / i }`, 0},
		{`for i in range(0, event.n) { state.n = 10 / i }`, 1},
		{`if len(state.xs) > 0 { state.xs[0] = 1 }`, 0},
		{`if len(state.xs) > 0 { state.xs[1] = 1 }`, 1},
		{`if len(state.xs) != 0 { state.xs[0] = 1 }`, 0},
		{`if len(state.xs) == 2 { state.xs[1] = 1  state.xs[0] = 1 }`, 0},
		{`if len(state.xs) > 0 { remove state.xs[0]  state.xs[0] = 1 }`, 1},
		{`if event.n >= 0 and event.n < len(state.xs) { state.xs[event.n] = 6 }`, 0},
		{`if event.n < len(state.xs) { state.xs[event.n] = 6 }`, 1},
		{`if event.n in 0..len(state.xs) - 1 { state.xs[event.n] = 6 }`, 0},
		{`if event.n in 0..len(state.xs) { state.xs[event.n] = 6 }`, 1},
		{`state.n = sum(state.xs[i] for i, x in state.xs)`, 0},
		// Maps.
		{`for k in keys(state.m) { state.m[k] += 1 }`, 0},
		{`for k, n in state.m { if n > 0 { state.m[k] -= 1 } else { remove state.m[k] } }`, 0},
		{`for k, n in state.m { if n > 0 { state.m[k] -= 1 } else { remove state.m[event.k] } }`, 1},
		{`if event.k in state.m { for i in range(0, 2) { state.m[event.k] += 1  remove state.m[event.k] } }`, 1},
		{`if event.k in state.m { for i in range(0, 2) { remove state.m[event.k] }  state.m[event.k] += 1 }`, 1},
		{`if event.k in state.m { match event.n { 1 => { remove state.m[event.k] } _ => {} }  state.m[event.k] += 1 }`, 1},
		{`if event.k in state.m { match event.n { 1 => { state.m[event.k] = 1 } _ => {} }  state.m[event.k] += 1 }`, 0},
		{`if event.k in state.m { state.n = 2  state.m[event.k] += 1  state.m["b"] = 1  state.m[event.k] += 1 }`, 0},
		{`let a = event.k in state.m and state.m[event.k] > 0  if a { state.m[event.k] += 1 }`, 1},
		{`let a = not (event.k in state.m) or state.m[event.k] > 0  if a { state.n = 1 }`, 0},
		{`let a = event.k in state.m implies state.m[event.k] > 0  if a { state.n = 1 }`, 0},
		{`state.n = sum(state.m[k] for k in ["a", "b"] if k in state.m)`, 0},
		{`state.n = if event.k in state.m and state.m[event.k] > 0 then 1 else state.m[event.k]`, 1},
		// Divisors.
		{`if 0 < event.n { state.n = 10 / event.n }`, 0},
		{`if event.n >= 2 { state.n = 10 / event.n }`, 0},
		{`if event.n >= 0 { state.n = 10 / event.n }`, 1},
		{`if event.n < 0 { state.n = 10 / event.n }`, 0},
		{`if state.d > 0.5 { state.d = div(1, state.d, 2, half_even) }`, 0},
		{`if state.d > -0.5 { state.d = div(1, state.d, 2, half_even) }`, 1},
		{`if event.n in 1..5 { state.n = 10 / event.n }`, 0},
		{`if event.n == 5 { state.n = 10 / event.n }`, 0},
		{`match event.n { 0 => {} _ => { state.n = 10 / event.n } }`, 0},
		{`match event.n { 1 => {} _ => { state.n = 10 / event.n } }`, 1},
		{`match event.n { 1, 2 => { state.n = 10 / event.n } _ => {} }`, 0},
		{`state.n = 10 / max(event.n, 1)`, 0},
		{`state.n = 10 / max(event.n, 0)`, 1},
		{`state.n = 10 / (len(state.xs) + 1)`, 0},
		{`state.n = 10 / len(state.xs)`, 1},
		{`if state.n > 0 { state.n -= 1  state.n = 10 / state.n }`, 1},
		{`if state.n > 0 { state.d = 1  state.n = 10 / state.n }`, 0},
		{`state.n = if event.n == 0 or 10 / event.n > 3 then 1 else 2`, 0},
		{`var x = event.n  if x > 0 { x -= 1  state.n = 10 / x }`, 1},
	}
	for _, c := range cases {
		t.Run(c.apply, func(t *testing.T) {
			_, found := run(source{"a.agg", `aggregate A {
  state { m: map<string, int>, xs: list<int>, n: int, d: decimal }
  command c { k: string, n: int }
  event e { k: string, n: int }
  decide c { emit e { ..cmd } }
  apply e { ` + c.apply + ` }
}`})
			if len(found) != c.warns {
				t.Errorf("got %d warnings, want %d:\n%s", len(found), c.warns, list(found))
			}
			for _, d := range found {
				if d.Code != "AGG5005" {
					t.Errorf("got %s", short(d))
				}
			}
		})
	}
}

// TestRepeatedRequire checks when a require counts as said already.
func TestRepeatedRequire(t *testing.T) {
	cases := []struct {
		decide string
		warns  bool
	}{
		{`require state.n > 0 else a  require state.n > 0 else b  nothing`, true},
		{`require state.n > 0 else a  emit e {}  require state.n > 0 else b`, false},
		{`require state.n > 0 else a  require state.n > 1 else b  nothing`, false},
		{`if state.n > 3 { require state.n > 0 else a  nothing } else { require state.n > 0 else a  nothing }`, false},
		{`require state.n > 0 else a  if state.n > 3 { require state.n > 0 else b  nothing } else { nothing }`, true},
		{`for i in range(0, 3) { require i > 0 else a }  for i in range(1, 3) { require i > 0 else a }  nothing`, false},
		{`var x = 1  require x > 0 else a  x = 0  require x > 0 else b  nothing`, false},
	}
	for _, c := range cases {
		t.Run(c.decide, func(t *testing.T) {
			_, found := run(source{"a.agg", "aggregate A {\n  state { n: int }\n  command c {}\n  event e {}\n  decide c { " + c.decide + " }\n  apply e { state.n += 1 }\n}\n"})
			if got := strings.Contains(messages(found), "AGG5009"); got != c.warns {
				t.Errorf("got %t want %t:\n%s", got, c.warns, list(found))
			}
		})
	}
}
