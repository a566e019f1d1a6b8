package check_test

import (
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/cloudlysis/aggregate/dsl/diag"
	"pgregory.net/rapid"
)

// term draws an int expression and works it out in numbers without bounds; ok is false when a
// step of it faults.
func term(t *rapid.T, depth int) (text string, v *big.Int, ok bool) {
	if depth == 0 || rapid.Bool().Draw(t, "leaf") {
		n := rapid.OneOf(rapid.Int64Range(-9, 9), rapid.Int64()).Draw(t, "n")
		return fmt.Sprintf("(%d)", n), big.NewInt(n), true
	}
	x, a, okA := term(t, depth-1)
	y, b, okB := term(t, depth-1)
	op := rapid.SampledFrom([]string{"+", "-", "*", "/", "%"}).Draw(t, "op")
	text = "(" + x + " " + op + " " + y + ")"
	if !okA || !okB || (op == "/" || op == "%") && b.Sign() == 0 {
		return text, new(big.Int), false
	}
	v = new(big.Int)
	switch op {
	case "+":
		v.Add(a, b)
	case "-":
		v.Sub(a, b)
	case "*":
		v.Mul(a, b)
	case "/":
		v.Quo(a, b)
	case "%":
		v.Rem(a, b)
	}
	return text, v, v.IsInt64()
}

// TestFoldingIsExact: a constant is what arithmetic without bounds gives, or its fault is
// reported once.
func TestFoldingIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, want, ok := term(t, 4)
		set, found := run(source{"a.agg", "const c: int = " + text + "\naggregate A { state {} }\n"})
		if !ok {
			for _, d := range found {
				if d.Code != diag.ConstantFaults {
					t.Fatalf("%s: %s", text, short(d))
				}
			}
			if len(found) == 0 {
				t.Fatalf("%s faults, and nothing is found", text)
			}
			return
		}
		if len(found) > 0 {
			t.Fatalf("%s: %s", text, short(found[0]))
		}
		if got := set.Aggregates[0].Consts[0].Value.Int(); got != want.Int64() {
			t.Fatalf("%s: got %d want %s", text, got, want)
		}
	})
}

// TestAnyOrderOfMembers: the members of the bank may stand in any order.
func TestAnyOrderOfMembers(t *testing.T) {
	head, members, tail := bankMembers(t)
	rapid.Check(t, func(t *rapid.T) {
		turned := rapid.Permutation(members).Draw(t, "order")
		set, found := run(source{"a.agg", head + strings.Join(turned, "\n") + tail})
		for _, d := range found {
			t.Fatal(short(d))
		}
		if a := set.Aggregates[0]; len(a.Commands) != 4 || len(a.Events) != 4 || len(a.Invariants) != 2 || len(a.Fns) != 2 {
			t.Fatalf("got %d commands, %d events, %d invariants, %d functions", len(a.Commands), len(a.Events), len(a.Invariants), len(a.Fns))
		}
	})
}

// bankMembers cuts the bank into what stands before, the members of its aggregate, and the rest.
func bankMembers(t *testing.T) (head string, members []string, tail string) {
	text := bank(t)
	open := strings.Index(text, "aggregate Account {\n") + len("aggregate Account {\n")
	end := strings.Index(text, "\n}\n")
	for _, line := range strings.Split(text[open:end], "\n") {
		starts := strings.HasPrefix(line, "  ") && len(line) > 2 && line[2] >= 'a' && line[2] <= 'z'
		if starts || len(members) == 0 {
			members = append(members, line)
			continue
		}
		members[len(members)-1] += "\n" + line
	}
	return text[:open], members, text[end:]
}

func TestTooManyAggregates(t *testing.T) {
	var b strings.Builder
	for i := range 10_001 {
		fmt.Fprintf(&b, "aggregate A%d { state {} }\n", i)
	}
	_, found := run(source{"a.agg", b.String()})
	if len(found) != 1 || found[0].Code != diag.TooManyAggregates {
		t.Errorf("got %s", list(found))
	}
}
