package bench

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/cloudlysis/aggregate/dsl/value"
)

// Every contender decides as the rule says; else its time would mean nothing.
func TestContendersAgree(t *testing.T) {
	for _, c := range Contenders() {
		t.Run(c.Name, func(t *testing.T) {
			a, err := c.Open(2, 100_000)
			if err != nil {
				t.Fatal(err)
			}
			steps := []struct {
				amount   int64
				accepted bool
				fee      int64
			}{
				{7512, true, 75}, {2000, true, 50}, {8050, true, 80}, {8150, true, 82}, {0, false, 0}, {-5, false, 0}, {100_000, false, 0},
			}
			want := int64(100_000)
			for _, s := range steps {
				a.Prepare(s.amount)
				if got := a.Withdraw(); got != s.accepted {
					t.Fatalf("withdraw %d: got %v", s.amount, got)
				}
				if s.accepted {
					want -= s.amount + s.fee
					if a.Fee() != s.fee {
						t.Errorf("withdraw %d: fee %d, want %d", s.amount, a.Fee(), s.fee)
					}
				}
				if a.Balance() != want {
					t.Errorf("withdraw %d: balance %d, want %d", s.amount, a.Balance(), want)
				}
			}
			// What the holds withhold cannot be withdrawn.
			a.Prepare(want - 2*holdCents - feeOf(want-2*holdCents) + 100)
			if a.Withdraw() {
				t.Error("held money was withdrawn")
			}
			a.Freeze()
			a.Prepare(100)
			if a.Withdraw() {
				t.Error("withdrawn from a frozen account")
			}
		})
	}
}

// BenchmarkNative is A: native values, the account alive.
func BenchmarkNative(b *testing.B) {
	all := Contenders()
	for _, holds := range []int{2, 100} {
		for _, c := range all {
			b.Run(strconv.Itoa(holds)+"/"+c.Name, func(b *testing.B) {
				duel(b, must(all[0].Withdrawals(holds)), must(c.Withdrawals(holds)))
			})
		}
	}
}

// duel reports the contender's ns and its ratio to the baseline, both of the same rounds.
func duel(b *testing.B, base, other func()) {
	d := NewDuel(base, other)
	for b.Loop() {
		d.Round()
	}
	r := d.Result()
	b.ReportMetric(r.Ns, "ns/op")
	b.ReportMetric(r.Ratio, "x")
	b.ReportMetric(r.Low, "x-q1")
	b.ReportMetric(r.High, "x-q3")
	b.ReportMetric(testing.AllocsPerRun(100, other), "allocs")
}

var (
	wholeEvent = `{"amount":75.25,"fee":0.75}`
	wholeNext  = stateJSON(2, 125_050-7525-75)
)

// Every edge gives the same event and state; one on floats as well, of amounts this small.
func TestEdgesAgree(t *testing.T) {
	if len(CommandJSON) != 17 || len(StateJSON) != 328 {
		t.Errorf("command of %d bytes, state of %d", len(CommandJSON), len(StateJSON))
	}
	for _, e := range Edges() {
		t.Run(e.Name, func(t *testing.T) {
			d, err := e.Open()
			if err != nil {
				t.Fatal(err)
			}
			event, next, err := d.Whole(CommandJSON, StateJSON)
			if err != nil {
				t.Fatal(err)
			}
			if !sameJSON(string(event), wholeEvent) || !sameJSON(string(next), string(wholeNext)) {
				t.Errorf("got %s %s", event, next)
			}
			if event, err = d.Alive(CommandJSON); err != nil || !sameJSON(string(event), wholeEvent) {
				t.Errorf("got %s %v", event, err)
			}
			if _, _, err := d.Whole([]byte(`{"amount":5000}`), StateJSON); err == nil {
				t.Error("an overdraft was accepted")
			}
			if _, err := d.Alive([]byte(`{"amount":-1}`)); err == nil {
				t.Error("a negative amount was accepted")
			}
		})
	}
}

func sameJSON(a, b string) bool {
	x, errX := value.CanonicalJSON(nil, []byte(a))
	y, errY := value.CanonicalJSON(nil, []byte(b))
	return errX == nil && errY == nil && string(x) == string(y)
}

// BenchmarkWhole is B: command and state from JSON, event and new state to JSON.
func BenchmarkWhole(b *testing.B) { edges(b, Edge.Wholes) }

// BenchmarkAlive is C: command from JSON, event to JSON, the account alive.
func BenchmarkAlive(b *testing.B) { edges(b, Edge.Alives) }

func edges(b *testing.B, run func(Edge) (func(), error)) {
	all := Edges()
	for _, e := range all {
		b.Run(e.Name, func(b *testing.B) { duel(b, must(run(all[0])), must(run(e))) })
	}
}

// The document's table of hard cases is the one that the engines give now. Times are not
// compared: they differ from run to run.
func TestDocument(t *testing.T) {
	text, err := os.ReadFile("../docs/performance.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), HardTable()) {
		t.Error("docs/performance.md is stale: make bench-peers")
	}
}
