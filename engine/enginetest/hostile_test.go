package enginetest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/dsl"
	"github.com/cloudlysis/aggregate/dsl/diag"
)

const (
	kilo = 1 << 10
	mega = 1 << 20
)

// within runs f and holds the time and the bytes it allocates, all of them together, against what
// such work may take. The time is generous: it tells linear from quadratic, not fast from slow.
func within(t *testing.T, alloc uint64, f func()) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	f()
	if took := time.Since(start); took > 60*time.Second {
		t.Errorf("it took %s", took)
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > alloc {
		t.Errorf("it allocated %d MiB, want at most %d", got/mega, alloc/mega)
	}
}

// TestHostileManifests: whatever stands in a manifest, the compiler ends with findings.
func TestHostileManifests(t *testing.T) {
	in := func(body string) string {
		return "aggregate A {\nstate { s: string, n: int }\ncommand go { s: string }\nevent went { s: string }\ndecide go {\n" + body + "\nemit went { ..cmd }\n}\napply went { state.s = event.s }\n}\n"
	}
	var records, fns, doubling strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&records, "record R%d { a: R%d }\n", i, i+1)
	}
	records.WriteString("record R10000 { n: int }\n")
	for i := range 10_000 {
		fmt.Fprintf(&fns, "fn f%d(): int = f%d()\n", i, i+1)
	}
	fns.WriteString("fn f10000(): int = f0()\n")
	for i := range 60 {
		fmt.Fprintf(&doubling, "fn f%d(n: int): int = f%d(n) + f%d(n)\n", i+1, i, i)
	}
	for _, c := range []struct{ name, text, want string }{
		{"1 MB of (", "const x: int = " + strings.Repeat("(", 1_000_000), "nest"},
		{"1 MB of [", "const x: int = " + strings.Repeat("[", 1_000_000), "nest"},
		{"1 MB of {", strings.Repeat("{", 1_000_000), ""},
		{"1 MB of -", "const x: int = " + strings.Repeat("- ", 500_000) + "1", ""},
		{"1 MB of not", "const x: bool = " + strings.Repeat("not ", 250_000) + "true", ""},
		{"1 MB of +", "const x: int = 1" + strings.Repeat("+1", 500_000), ""},
		{"1 MB of strings in strings", "const x: string = " + strings.Repeat(`"{`, 500_000), ""},
		{"1 MB of if", in(strings.Repeat("if true { ", 100_000)), ""},
		{"10 MB", strings.Repeat("// nothing\n", 950_000), "more than"},
		{"a literal of 1 MB", `const x: string = "` + strings.Repeat("a", 1_100_000) + `"`, "more than"},
		{"1 MB without an end", `const x: string = "` + strings.Repeat("a", 1_000_000), ""},
		{"a number of 1 MB", "const x: decimal = " + strings.Repeat("9", 1_000_000), ""},
		{"invalid UTF-8", "const x: string = \"\xff\xfe\"", "UTF-8"},
		{"bidi controls", "const x: string = \"a\u202eb\"", ""},
		{"a repetition of repetitions", in("require matches(cmd.s, `^(((a{1,99}){1,99}){1,99})$`) else x"), ""},
		{"a program too large", in("require matches(cmd.s, `" + strings.Repeat(`\pL{900}`, 12) + "`) else x"), ""},
		{"10,000 records in each other", records.String() + "aggregate A { state { r: R0 } }", ""},
		{"10,000 functions in a circle", "aggregate A {\nstate { n: int }\n" + fns.String() + "derive d: int = f0()\n}\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var r *dsl.Result
			within(t, 1500*mega, func() { r = dsl.Compile([]dsl.Source{{Path: "a.agg", Text: []byte(c.text)}}, dsl.Options{}) })
			if r.OK || r.Programs != nil || len(r.Diagnostics) == 0 || len(r.Diagnostics) > 10_000 {
				t.Fatalf("got OK %v and %d findings", r.OK, len(r.Diagnostics))
			}
			d := r.Diagnostics[0]
			if d.Severity != diag.Error || d.Code == "" || !strings.Contains(d.Message, c.want) {
				t.Errorf("got %s %q, want something with %q", d.Code, d.Message, c.want)
			}
		})
	}
	t.Run("2^60 calls", func(t *testing.T) {
		text := "fn f0(n: int): int = n\n" + doubling.String() + in("require f60(1) > 0 else x")
		within(t, 500*mega, func() {
			r := dsl.Compile([]dsl.Source{{Path: "a.agg", Text: []byte(text)}}, dsl.Options{})
			if !r.OK || len(r.Diagnostics) != 1 || r.Diagnostics[0].Code != diag.OverGas {
				t.Errorf("got OK %v and %v", r.OK, r.Diagnostics)
			}
		})
	})
}

const hostileText = `
aggregate Account {
  record Line { qty: int, note: string<20> }
  state { n: int, text: string, m: map<string, int> }
  command put { text: string, short: string<100> = "", extra: json, lines: list<Line, 100>, m: map<string, int> }
  command match { text: string }
  command double { times: int }
  command deep { n: int }
  event was_put { text: string, m: map<string, int> }
  event counted { n: int }
  decide put { emit was_put { ..cmd } }
  decide match {
    require matches(cmd.text, ` + "`^(a+)+$`" + `) else no_match
    emit counted { n: 1 }
  }
  decide double {
    var s = "0123456789"
    for i in range(0, cmd.times) { s = s + s }
    emit was_put { text: s, m: {} }
  }
  fn f0(n: int): int = n + 1
  fn f1(n: int): int = f0(n) + f0(n) + f0(n) + f0(n)
  fn f2(n: int): int = f1(n) + f1(n) + f1(n) + f1(n)
  fn f3(n: int): int = f2(n) + f2(n) + f2(n) + f2(n)
  fn f4(n: int): int = f3(n) + f3(n) + f3(n) + f3(n)
  fn f5(n: int): int = f4(n) + f4(n) + f4(n) + f4(n)
  fn f6(n: int): int = f5(n) + f5(n) + f5(n) + f5(n)
  fn f7(n: int): int = f6(n) + f6(n) + f6(n) + f6(n)
  fn f8(n: int): int = f7(n) + f7(n) + f7(n) + f7(n)
  fn f9(n: int): int = f8(n) + f8(n) + f8(n) + f8(n)
  decide deep { emit counted { n: f9(cmd.n) } }
  apply was_put { state.text = event.text  state.m = event.m }
  apply counted { state.n = event.n }
}
`

// TestHostileCommands: whatever a command brings, it is answered with a clear error, and the node
// goes on as if nothing had been.
func TestHostileCommands(t *testing.T) {
	n := newNode(t, hostileText).start()
	key := newKey("tenant-a")
	n.do(command(key, `{"type":"put","text":"first","extra":null,"lines":[],"m":{}}`))
	before := n.state(key)
	huge := 50
	if underRace {
		huge = 5
	}
	put := func(field, text string) string {
		fields := map[string]string{"text": `"x"`, "extra": "null", "lines": "[]", "m": "{}"}
		fields[field] = text
		return fmt.Sprintf(`{"type":"put","text":%s,"extra":%s,"lines":%s,"m":%s}`, fields["text"], fields["extra"], fields["lines"], fields["m"])
	}
	var keys strings.Builder
	for i := range 200_000 {
		fmt.Fprintf(&keys, `"k%d":%d,`, i, i)
	}
	invalid := func(path, text string) func(error) string {
		return func(err error) string {
			v := (*aggregate.ValidationError)(nil)
			if !errors.As(err, &v) || v.Path != path || !strings.Contains(v.Message, text) {
				return fmt.Sprintf("a validation error at %q with %q", path, text)
			}
			return ""
		}
	}
	fault := func(kinds string) func(error) string {
		return func(err error) string {
			f := (*aggregate.FaultError)(nil)
			if !errors.As(err, &f) || !strings.Contains(kinds, f.Kind) {
				return "a fault of " + kinds
			}
			return ""
		}
	}
	is := func(want error) func(error) string {
		return func(err error) string {
			if !errors.Is(err, want) {
				return want.Error()
			}
			return ""
		}
	}
	refused := func(code string) func(error) string {
		return func(err error) string {
			r := (*aggregate.RejectedError)(nil)
			if !errors.As(err, &r) || r.Code != code {
				return "the refusal " + code
			}
			return ""
		}
	}
	for _, c := range []struct {
		name, payload string
		want          func(error) string
	}{
		{"100,000 records in each other", put("extra", strings.Repeat(`{"a":`, 100_000)+"1"+strings.Repeat("}", 100_000)), invalid("", "nested more than 64 deep")},
		{"1,000,000 brackets", put("extra", strings.Repeat("[", 1_000_000)), invalid("", "nested more than 64 deep")},
		{"50 MB in a bounded field", `{"type":"put","text":"x","extra":null,"lines":[],"m":{},"short":"` + strings.Repeat("a", huge*mega) + `"}`, invalid("short", "100")},
		{"50 MB in a field without a bound", put("text", `"`+strings.Repeat("a", huge*mega)+`"`), is(aggregate.ErrTooLarge)},
		{"50 MB of white space", strings.Repeat(" ", huge*mega) + `{"type":"nothing"}`, invalid("type", "unknown command")},
		{"50 MB of list", put("lines", "["+strings.Repeat(`{"qty":1,"note":""},`, huge*52_000)+`{"qty":1,"note":""}]`), invalid("lines", "100")},
		{"a string of 10 MB", put("text", `"`+strings.Repeat("語", 10*mega/3)+`"`), is(aggregate.ErrTooLarge)},
		{"200,000 keys", put("m", "{"+keys.String()+`"last":1}`), is(aggregate.ErrTooLarge)},
		{"invalid UTF-8", put("text", "\"\xff\xfe\""), invalid("", "UTF-8")},
		{"half a surrogate", put("text", `"\ud800"`), invalid("", "surrogate")},
		{"a key twice", `{"type":"put","text":"a","text":"b","extra":null,"lines":[],"m":{}}`, invalid("", `repeated key "text"`)},
		{"a key twice, deep within", put("extra", `[{"a":{"b":1,"b":2}}]`), invalid("", `repeated key "b"`)},
		{"a key twice, written otherwise", put("m", `{"a":1,"\u0061":2}`), invalid("", `repeated key "a"`)},
		{"a number of 1 MB", `{"type":"deep","n":` + strings.Repeat("9", mega) + `}`, invalid("n", "")},
		{"a great exponent", `{"type":"deep","n":1e999999999999}`, invalid("", "bad number")},
		{"cut off", `{"type":"put","text":"`, invalid("", "")},
		{"no object", `[1]`, invalid("", "object")},
		{"nothing", ``, invalid("", "")},
		{"a text for the pattern", `{"type":"match","text":"` + strings.Repeat("a", 30*kilo) + `!"}`, refused("no_match")},
		{"a text of 1 MB for the pattern", `{"type":"match","text":"` + strings.Repeat("a", mega) + `!"}`, fault("gas")},
		{"a text that doubles", `{"type":"double","times":100}`, fault("gas memory")},
		{"4^9 calls", `{"type":"deep","n":1}`, fault("gas")},
		{"an unknown field of 10 MB", `{"type":"deep","n":1,"` + strings.Repeat("x", 10*mega) + `":1}`, invalid(`["`+strings.Repeat("x", 120)+`…"]`, "unknown field")},
		{"a key of 10 MB twice", put("m", `{"`+strings.Repeat("é", 5*mega)+`":1,"`+strings.Repeat("é", 5*mega)+`":2}`), invalid("", "repeated key")},
		{"a key of 10 MB with the wrong value", put("m", `{"`+strings.Repeat("x", 10*mega)+`":true}`), invalid(`m["`+strings.Repeat("x", 120)+`…"]`, "")},
		{"a command of 10 MB", `{"type":"` + strings.Repeat("x", 10*mega) + `"}`, invalid("type", "unknown command")},
		{"200,000 unknown fields", "{" + keys.String() + `"type":"deep","n":1}`, invalid("k0", "unknown field")},
	} {
		t.Run(c.name, func(t *testing.T) {
			cmd := command(key, c.payload)
			within(t, 64*mega+20*uint64(len(c.payload)), func() {
				ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
				defer cancel()
				_, err := n.engine.Submit(ctx, cmd)
				if err == nil {
					t.Fatal("it was accepted")
				}
				if want := c.want(err); want != "" {
					t.Errorf("got %.300s (%T), want %s", err.Error(), err, want)
				}
				if len(err.Error()) > 4*kilo {
					t.Errorf("the error has %d bytes", len(err.Error()))
				}
			})
			if got := n.state(key); got != before {
				t.Errorf("the state is now %.200s", got)
			}
		})
	}
	n.do(command(key, `{"type":"match","text":"aaa"}`))
}
