package report

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cloudlysis/aggregate/dsl/check"
)

// one is the one aggregate of a source.
func one(t *testing.T, src string) *check.Aggregate {
	t.Helper()
	return load(t, "in", []byte(src)).Aggregates[0]
}

func TestStatusField(t *testing.T) {
	const head = "enum Kind { a, b } enum Phase { x, y } "
	const tail = ` command go {} event went {} decide go { require state.phase == x else no emit went {} } apply went { state.phase = y } }`
	tests := []struct{ name, src, want string }{
		{"the one that rules mention most", `aggregate A { ` + head + `state { kind: Kind = a, phase: Phase = x } ` + tail, "phase"},
		{"the first of equals", `aggregate A { ` + head + `state { kind: Kind = a, phase: Phase = x } command go {} decide go { nothing } }`, "kind"},
		{"a bool is none", `aggregate A { state { on: bool } command go {} decide go { require state.on else no nothing } }`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, err := NewMatrix(one(t, tt.src), "")
			if err != nil || m.Field != tt.want {
				t.Errorf("got %q, %v, want %q", m.Field, err, tt.want)
			}
		})
	}
}

func TestUnknownFieldNamesTheChoices(t *testing.T) {
	a := one(t, `aggregate A { enum E { x, y } state { e: E = x, on: bool, n: int } command go {} decide go { nothing } }`)
	for _, field := range []string{"n", "nope", "state.nope"} {
		_, err := NewMatrix(a, field)
		var fe *FieldError
		if !errors.As(err, &fe) || strings.Join(fe.Choices, " ") != "e on" {
			t.Errorf("%s: got %v", field, err)
		}
	}
	if _, err := NewGraphs(a, "state.on"); err != nil {
		t.Error(err)
	}
}

// TestManyPathsDepend holds that a rule that cannot be followed in bounded time is told to
// depend, with all that its text allows, and that the bound is kept (ruling 88).
func TestManyPathsDepend(t *testing.T) {
	var b strings.Builder
	b.WriteString("aggregate A { enum E { x, y } state { e: E = x, n: int }\n fn f0(): bool = state.n > 0\n")
	for i := 1; i <= 40; i++ {
		fmt.Fprintf(&b, "fn f%d(): bool = (f%d() and state.n != %d) or f%d()\n", i, i-1, i, i-1)
	}
	b.WriteString(`command go {} event went {} event other {}
		decide go { require f40() else no if state.n == 7 { reject seven } emit went {} emit other {} }
		apply went { state.e = y } apply other {} }`)
	a := one(t, b.String())
	start := time.Now()
	m, err := NewMatrix(a, "")
	if err != nil {
		t.Fatal(err)
	}
	c := m.Rows[0].Cells[0]
	if c.Verdict != Depends || !c.Unfollowed || strings.Join(c.Codes, " ") != "no seven" || len(c.Events) != 2 {
		t.Errorf("got %+v", c)
	}
	g := newGraph(a, 0)
	if g.Nodes[1].Unreached {
		t.Error("the graph lacks an edge of a rule that was not followed")
	}
	if d := time.Since(start); d > 20*time.Second {
		t.Errorf("it took %v", d)
	}
}

func TestOneLine(t *testing.T) {
	tests := []struct{ src, want string }{
		{"a\n  // why\n  and b", "a and b"},
		{`x == "a // b"  // c`, `x == "a // b"`},
		{"matches(s, `^//  a$`)", "matches(s, `^//  a$`)"},
		{`"a {f("x  y", "}")}  b"   ==  y`, `"a {f("x  y", "}")}  b" == y`},
		{`"\"  //"`, `"\"  //"`},
		{"a // no end", "a"},
	}
	for _, tt := range tests {
		if got := oneLine(tt.src); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

// TestArgumentsStandForParameters holds that a guard's parameters are shown as what is passed.
func TestArgumentsStandForParameters(t *testing.T) {
	a := one(t, `aggregate A { state { n: int }
		guard g(x: int) { require state.n * x > 1 and x != 2 else no }
		guard h(y: int) { check g(y + 1) }
		command go { k: int } decide go { check h(cmd.k) check g(7) nothing } }`)
	m, err := NewMatrix(a, "")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := m.Text(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"refused no unless state.n * (cmd.k + 1) > 1 and (cmd.k + 1) != 2",
		"refused no unless state.n * 7 > 1\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is missing in\n%s", want, &b)
		}
	}
}

// TestRolesInRules holds that what a role is known to hold decides rules that ask ctx.roles.
func TestRolesInRules(t *testing.T) {
	a := one(t, `aggregate A { roles clerk, boss state { n: int }
		command pay { n: int } command sign by boss {} command both by clerk, boss {}
		event paid {}
		decide pay { require "boss" in ctx.roles or cmd.n < 9 else too_much emit paid {} }
		decide sign { require "boss" in ctx.roles else never emit paid {} }
		decide both { require "boss" in ctx.roles else only_the_boss emit paid {} }
		apply paid {} }`)
	m, err := NewMatrix(a, "")
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(m.Words(), "\n")
	want := `Anybody may send
  pay: taken subject to [1] always

A clerk may send
  both: taken subject to [2] always

A boss may send
  pay: taken always
  sign: taken always
  both: taken always`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestGraphOfAnyRoles holds that an edge of those who lack a role is there too.
func TestGraphOfAnyRoles(t *testing.T) {
	a := one(t, `aggregate A { enum E { x, y, z } roles boss state { e: E = x }
		command go {} event up {} event down {}
		decide go { if "boss" in ctx.roles { emit up {} } else { emit down {} } }
		apply up { state.e = y } apply down { state.e = z } }`)
	g := newGraph(a, 0)
	for _, n := range g.Nodes {
		if n.Unreached {
			t.Errorf("%s is told to be unreached", n.Name)
		}
	}
}

func TestPortablePatterns(t *testing.T) {
	tests := []struct {
		pattern string
		want    bool
	}{
		{`^[A-Z0-9-]+$`, true}, {`^[^a]\d{2,3}\.$`, true}, {`^a.c$`, false}, {`\s`, false}, {`(?i)a`, false}, {`\pL`, false}, {`a\z`, false}, {`\_`, false}, {`é`, false}, {`[[:alpha:]]`, false},
	}
	for _, tt := range tests {
		if got := portable(tt.pattern); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.pattern, got, tt.want)
		}
	}
}

// TestEmptyAggregate holds that little is no trouble.
func TestEmptyAggregate(t *testing.T) {
	set := load(t, "in", []byte(`aggregate A { state { n: int } }`))
	for _, kind := range []string{"matrix.txt", "matrix.md", "matrix.json", "graph.json", "graph.svg", "doc.md", "doc.html", "schema.json", "openapi.json", "asyncapi.json", "types.ts"} {
		var b bytes.Buffer
		if err := produce(&b, set, kind); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
	if err := spec(t, "openapi-3.1.json.gz").Validate(made(t, set, "openapi.json")); err != nil {
		t.Error(err)
	}
	if err := spec(t, "asyncapi-3.0.0.json.gz").Validate(made(t, set, "asyncapi.json")); err != nil {
		t.Error(err)
	}
}
