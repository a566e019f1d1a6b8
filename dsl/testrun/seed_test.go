package testrun_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cloudlysis/aggregate/dsl"
	"github.com/cloudlysis/aggregate/dsl/testrun"
	"github.com/cloudlysis/aggregate/dsl/value"
)

const seedTill = `aggregate Till {
  enum Coin { cent, euro = "EUR" }
  record Part { coin: Coin, n: int = 1, note: string? }
  state { n: int = 0, parts: list<Part>, by_day: map<date, decimal>, seen: set<uuid>, last: duration = 0s, at: time = "1970-01-01T00:00:00Z", extra: json, ok: bool }
  command put { n: int, parts: list<Part>, by_day: map<date, decimal>, seen: set<uuid>, last: duration, at: time, extra: json, ok: bool, text: string }
  event was_put { n: int, parts: list<Part>, by_day: map<date, decimal>, seen: set<uuid>, last: duration, at: time, extra: json, ok: bool, text: string }
  decide put { emit was_put { ..cmd } }
  apply was_put {
    state.n += event.n
    state.parts = event.parts
    state.by_day = event.by_day
    state.seen = event.seen
    state.last = event.last
    state.at = event.at
    state.extra = event.extra
    state.ok = event.ok
  }
}
`

func tillHistory(n int, fields func(i int) string) []testrun.Recorded {
	var out []testrun.Recorded
	for i := range n {
		f := fields(i)
		out = append(out, testrun.Recorded{
			Type: "Till", ID: "0192f0c1-2d3e-7a4b-8c5d-6e7f8a9b0c1d", CommandID: fmt.Sprintf("0192f0c1-2d3e-7a4b-8c5d-%012d", i),
			Command: []byte(`{"type":"put",` + f + `}`), Time: time.Date(2026, 1, 1, 0, 0, i, 0, time.UTC),
			Events: []testrun.RecordedEvent{{Name: "was_put", Version: int64(i + 1), Schema: 1, Payload: []byte(`{` + f + `}`)}},
		})
	}
	return out
}

// seedAndRun makes tests of a history and wants them all to pass.
func seedAndRun(t rapid.TB, history []testrun.Recorded) string {
	source := dsl.Source{Path: "till.agg", Text: []byte(seedTill)}
	text, notes, err := testrun.Seed(dsl.Compile([]dsl.Source{source}, dsl.Options{}), history)
	if err != nil || len(notes) > 0 {
		t.Fatalf("got %v, %v", notes, err)
	}
	res := dsl.Compile([]dsl.Source{source, {Path: "till_test.agg", Text: text}}, dsl.Options{Tests: true})
	if !res.OK {
		t.Fatalf("does not compile: %s\n%s", res.Diagnostics[0].Message, text)
	}
	r := testrun.Run(res, testrun.Options{})
	if len(r.Results) != len(history) || r.Failed() > 0 {
		t.Fatalf("got %d results, %d failed, of %d\n%s", len(r.Results), r.Failed(), len(history), text)
	}
	return string(text)
}

// TestLawSeededTestsPass: whatever a history holds, the tests made of it compile and pass.
func TestLawSeededTestsPass(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.OneOf(rapid.Rune(), rapid.SampledFrom([]rune("{}\"\\\n\t\r\u202e\u2028\x00\x7f")))).Filter(func(s string) bool { return !strings.ContainsRune(s, '\ufffd') })
		fields := func(int) string {
			b := fmt.Appendf(nil, `"n":%d,"ok":%t,"last":"%s",`, rapid.Int32().Draw(t, "n"), rapid.Bool().Draw(t, "ok"), rapid.SampledFrom([]string{"0s", "-1h30m", "1s500ms", "2562047h"}).Draw(t, "last"))
			b = fmt.Appendf(b, `"by_day":{%s},"seen":[%s],`, rapid.SampledFrom([]string{``, `"2026-02-28":-0.50`, `"0001-01-01":1,"9999-12-31":12345678901234567890.00`}).Draw(t, "days"), rapid.SampledFrom([]string{``, `"0192f0c1-2d3e-7a4b-8c5d-6e7f8a9b0c1d"`}).Draw(t, "seen"))
			b = append(b, `"at":"2026-01-01T00:00:00.000000001Z","parts":[{"coin":"EUR","note":`...)
			b = value.AppendQuoted(b, text.Draw(t, "note"))
			b = append(b, `},{"coin":"cent","n":-3}],"extra":`...)
			b = append(b, rapid.SampledFrom([]string{`null`, `[]`, `{}`, `{"a":[1e3,-0.10,true,null,{"b":"{x}"}]}`, `"\u0000"`}).Draw(t, "extra")...)
			return string(value.AppendQuoted(append(b, `,"text":`...), text.Draw(t, "text")))
		}
		seedAndRun(t, tillHistory(rapid.IntRange(1, 3).Draw(t, "commands"), fields))
	})
}

// TestSeedOfALongHistory does not grow with the square of its length.
func TestSeedOfALongHistory(t *testing.T) {
	plain := `"n":1,"ok":true,"last":"1s","by_day":{},"seen":[],"at":"2026-01-01T00:00:00Z","parts":[],"extra":null,"text":"x"`
	text := seedAndRun(t, tillHistory(120, func(int) string { return plain }))
	if n := strings.Count(text, "given was_put"); n > 51*50/2+51 {
		t.Errorf("got %d given events", n)
	}
	if !strings.Contains(text, "given state { n: 119, last: 1s,") {
		t.Error("the last test does not begin with the state")
	}
}

// TestSeedLeavesOut: each kind of commit of which no test can be made has its note.
func TestSeedLeavesOut(t *testing.T) {
	plain := `"n":1,"ok":true,"last":"1s","by_day":{},"seen":[],"at":"2026-01-01T00:00:00Z","parts":[],"extra":null,"text":"x"`
	for _, tt := range []struct {
		name, want string
		change     func(c *testrun.Recorded)
	}{
		{"unknown command", `has no command "push" any more`, func(c *testrun.Recorded) { c.Command = []byte(`{"type":"push"}`) }},
		{"no type", "type", func(c *testrun.Recorded) { c.Command = []byte(`{}`) }},
		{"another shape", "command put: ", func(c *testrun.Recorded) { c.Command = []byte(`{"type":"put","n":"x"}`) }},
		{"unknown event", "has no event gone @1", func(c *testrun.Recorded) { c.Events[0].Name = "gone" }},
		{"event of another shape", "n: is required", func(c *testrun.Recorded) { c.Events[0].Payload = []byte(`{}`) }},
		{"gap", "version 7, and 1 is due", func(c *testrun.Recorded) { c.Events[0].Version = 7 }},
		{"bad id", `"x" is no UUID`, func(c *testrun.Recorded) { c.ID = "x" }},
		{"a number that no literal can be", "no literal can be", func(c *testrun.Recorded) {
			c.Command = []byte(strings.Replace(`{"type":"put",`+plain+`}`, `"extra":null`, `"extra":1e400`, 1))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			history := tillHistory(1, func(int) string { return plain })
			tt.change(&history[0])
			res := dsl.Compile([]dsl.Source{{Path: "till.agg", Text: []byte(seedTill)}}, dsl.Options{})
			_, notes, err := testrun.Seed(res, history)
			if err != nil || len(notes) == 0 || !strings.Contains(strings.Join(notes, "\n"), tt.want) {
				t.Errorf("got %q, %v, want %q", notes, err, tt.want)
			}
		})
	}
}
