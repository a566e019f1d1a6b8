package report

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/cloudlysis/aggregate/dsl"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// changes are those between a manifest and one in which text was replaced, as "impact what: message".
func changes(t *testing.T, src string, edits ...string) (AggregateDiff, string) {
	t.Helper()
	compile := func(text string) *dsl.Result {
		r := dsl.Compile([]dsl.Source{{Path: "a.agg", Text: []byte(text)}}, dsl.Options{})
		if !r.OK {
			t.Fatalf("%s\n%s", r.Diagnostics[0].Message, text)
		}
		return r
	}
	now := src
	for i := 0; i < len(edits); i += 2 {
		if !strings.Contains(now, edits[i]) {
			t.Fatalf("there is no %q", edits[i])
		}
		now = strings.ReplaceAll(now, edits[i], edits[i+1])
	}
	d := NewDiff(compile(src), compile(now))[0]
	var lines []string
	for _, c := range d.Changes {
		lines = append(lines, fmt.Sprintf("%s %s: %s", c.Impact, c.What, c.Message))
	}
	return d, strings.Join(lines, "\n")
}

const diffed = `aggregate A {
  enum Kind { small, large = "LARGE" }
  record Part { name: string, size: int = 1 }
  roles boss, clerk
  const limit: int = 10
  state { n: int, kind: Kind = small, parts: list<Part> }
  derive twice: int = 2 * state.n
  index kind
  invariant few: state.n < 1_000
  fn capped(n: int): int = min(n, limit)
  command put by boss { n: int where n > 0, note: string? }
  event added { n: int, note: string?, kind: Kind = small, parts: list<Part, 5> = [] }
  decide put { emit added { ..cmd } }
  apply added { state.n += capped(event.n)  state.kind = event.kind  state.parts = event.parts }
}`

// TestDiff: what each change is called. A breaking one is one that stored events show.
func TestDiff(t *testing.T) {
	for _, c := range []struct {
		name, old, now string
		want           string // the first change
		snapshots      bool
	}{
		{"nothing", "  const", "\n  const", "", true},
		{"a comment", "apply added {", "apply added { // here\n", "", true},
		{"a field less", "event added { n: int, note: string?,", "event added { n: int,", "breaking event added @1: note is gone: a field that is declared no more is refused", false},
		{"a field more", "event added {", "event added { by: string", "breaking event added @1: by is new and may not be left out", false},
		{"a field with a default more", "event added {", `event added { by: string = "x"`, "forward event added @1: by is new: the old manifest refuses what has it", false},
		{"a decimal", "event added { n: int", "event added { n: decimal", "breaking event added @1: n was int, is string", false},
		{"optional no more", "event added { n: int, note: string?", "event added { n: int, note: string", "breaking event added @1: note was string?, is string: null is refused", false},
		{"a bound less", "list<Part, 5>", "list<Part, 4>", "breaking event added @1: parts may hold 4 at most now, and held more before", false},
		{"a bound more", "list<Part, 5>", "list<Part, 6>", "forward event added @1: parts may hold more now", false},
		{"a member less", `, large = "LARGE"`, "", `breaking event added @1: kind may be "LARGE" no more: Kind has no such member`, false},
		{"a member renamed", `large = "LARGE"`, `huge = "LARGE"`, "replay apply: a function, constant, record or enum that the state rests on has changed", false},
		{"a member more", `large = "LARGE"`, `large = "LARGE", huge`, `forward event added @1: kind may be "huge" now`, false},
		{"a field of a record", "size: int = 1", "size: int = 1, colour: string", "breaking event added @1: parts[].colour is new and may not be left out", false},
		{"a default", "kind: Kind = small, parts: list<Part, 5>", "kind: Kind = large, parts: list<Part, 5>", `replay event added @1: kind was "small" when left out, and is "LARGE" now`, false},
		{"an apply", "state.n += capped", "state.n -= capped", "replay apply added: has changed: the same events may give another state", false},
		{"a constant behind it", "limit: int = 10", "limit: int = 11", "replay apply: a function, constant, record or enum that the state rests on has changed", false},
		{"a state field", "state { n: int", "state { m: int, n: int", "replay state.m: is new", false},
		{"a role", "by boss", "by clerk", "clients command put: is no more taken from boss", true},
		{"more roles", "by boss", "by boss, clerk", "compatible command put: is taken from more roles now", true},
		{"a where", "where n > 0", "where n > 1", "clients command put: n is taken only where n > 1 now", true},
		{"a derive", "derive twice", "derive double", "clients derive twice: is gone", true},
		{"an index", "index kind", "index n", "clients index kind: is gone: queries by it are refused", true},
		{"an invariant", "state.n < 1_000", "state.n < 1_001", "clients invariant few: is new or has changed: what breaks it already takes only commands that mend it", true},
		{"a command", "command put", "command putt", "clients command put: is gone", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			edits := []string{c.old, c.now}
			switch c.name {
			case "a field less":
				edits = append(edits, "..cmd", "n: cmd.n")
			case "a field more":
				edits = append(edits, "..cmd", `..cmd, by: "x"`)
			case "a decimal":
				edits = []string{"event added { n: int", "event added { n: string", "..cmd", `..cmd, n: "1"`, "capped(event.n)", "1"}
			case "optional no more":
				edits = append(edits, "..cmd", `..cmd, note: "x"`)
			case "a command":
				edits = append(edits, "decide put", "decide putt")
			}
			d, got := changes(t, diffed, edits...)
			if first, _, _ := strings.Cut(got, "\n"); !strings.HasPrefix(first, c.want) || c.want == "" && got != "" {
				t.Errorf("got\n%s\nwant first %q", got, c.want)
			}
			if d.Snapshots != c.snapshots {
				t.Errorf("snapshots kept: %t, want %t", d.Snapshots, c.snapshots)
			}
			if d.Readable == strings.HasPrefix(c.want, "breaking") {
				t.Errorf("events readable: %t\n%s", d.Readable, got)
			}
		})
	}
}

// TestDiffOfUpcasts: the next version with an upcast, and a retired name, leave events readable.
func TestDiffOfUpcasts(t *testing.T) {
	d, got := changes(t, diffed, "  decide put", "  event added @2 { total: int }\n  upcast added @1 -> @2 { total: old.n }\n  decide put",
		"emit added { ..cmd }", "emit added { total: cmd.n }", "apply added { state.n += capped(event.n)  state.kind = event.kind  state.parts = event.parts }", "apply added { state.n += event.total }")
	if !d.Readable || !strings.Contains(got, "forward event added @2: is new") || !strings.Contains(got, "replay upcast added: is new: @1 is read as added @2") {
		t.Errorf("got readable %t\n%s", d.Readable, got)
	}
	d, got = changes(t, diffed, "event added", "event grown", "emit added", "emit grown", "apply added", "apply grown")
	if d.Readable || !strings.HasPrefix(got, "breaking event added @1: is declared no more") {
		t.Errorf("got readable %t\n%s", d.Readable, got)
	}
}

// TestWhatDiffCallsReadableIsRead: what was written with one list of fields is read with another
// unless the comparison of the two says that it is not.
func TestWhatDiffCallsReadableIsRead(t *testing.T) {
	readable, broken := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		g := &typeGen{t}
		old := g.fields(g.n(2))
		now := g.altered(old, 2)
		text := g.json(&value.Type{Kind: value.Record, Record: &value.RecordType{Name: "E", Fields: old}})
		if errs := value.DecodeFields(make([]value.V, len(old)), old, []byte(text), value.DecodeOptions{}); errs != nil {
			t.Fatalf("%s is not what was written: %v", text, errs)
		}
		found := readFields("", old, now)
		if slices.ContainsFunc(found, func(r reading) bool { return r.impact == Breaking }) {
			broken++
			return
		}
		readable++
		if errs := value.DecodeFields(make([]value.V, len(now)), now, []byte(text), value.DecodeOptions{}); errs != nil {
			t.Fatalf("%s is called readable: %v\nwith %v", text, errs, found)
		}
	})
	if readable == 0 || broken == 0 {
		t.Errorf("%d readable, %d broken: one side was never tried", readable, broken)
	}
}

// typeGen makes random types, types like others, and JSON that fits them.
type typeGen struct{ t *rapid.T }

func (g *typeGen) n(most int) int { return rapid.IntRange(0, most).Draw(g.t, "n") }

func (g *typeGen) fields(depth int) []value.Field {
	out := make([]value.Field, 1+g.n(2))
	for i := range out {
		out[i] = g.field(fmt.Sprintf("f%d", i), g.typ(depth))
	}
	return out
}

// field makes a field, now and then one with a default.
func (g *typeGen) field(name string, t *value.Type) value.Field {
	f := value.Field{Name: name, Type: t}
	if g.n(2) == 0 {
		switch t.Kind {
		case value.Int, value.Decimal, value.String, value.Bool, value.List, value.Map, value.JSON:
			f.HasDefault, f.Default = true, value.Zero(t)
		}
	}
	return f
}

var genKinds = []value.Kind{value.Bool, value.Int, value.Decimal, value.String, value.UUID, value.Time, value.Date,
	value.Duration, value.JSON, value.Enum, value.List, value.Set, value.Map, value.Optional, value.Record}

func (g *typeGen) typ(depth int) *value.Type {
	most := len(genKinds) - 1
	if depth == 0 {
		most = 9
	}
	t := &value.Type{Kind: genKinds[g.n(most)]}
	switch t.Kind {
	case value.Enum:
		t.Enum = g.enum()
	case value.String:
		t.Bound = g.n(2)
	case value.List:
		t.Bound, t.Elem = g.n(2), g.typ(depth-1)
	case value.Set:
		t.Bound, t.Elem = g.n(2), g.key()
	case value.Map:
		t.Bound, t.Key, t.Elem = g.n(2), g.key(), g.typ(depth-1)
	case value.Optional:
		if t.Elem = g.typ(depth - 1); t.Elem.Kind == value.Optional || t.Elem.Kind == value.JSON {
			return t.Elem
		}
	case value.Record:
		t.Record = &value.RecordType{Name: "R", Fields: g.fields(depth - 1)}
	}
	return t
}

func (g *typeGen) enum() *value.EnumType {
	e := &value.EnumType{Name: "K"}
	for _, w := range []string{"a", "b", "c"}[g.n(2):] {
		e.Members = append(e.Members, value.Member{Name: w, Wire: w})
	}
	return e
}

func (g *typeGen) key() *value.Type {
	t := &value.Type{Kind: []value.Kind{value.String, value.Int, value.UUID, value.Date, value.Enum}[g.n(4)]}
	if t.Kind == value.Enum {
		t.Enum = g.enum()
	}
	return t
}

// altered makes fields like old: some gone, some new, some of another type.
func (g *typeGen) altered(old []value.Field, depth int) []value.Field {
	var out []value.Field
	for _, f := range old {
		if g.n(9) > 0 || len(old) == 1 {
			out = append(out, g.field(f.Name, g.like(f.Type, depth)))
		}
	}
	if g.n(3) == 0 {
		out = append(out, g.field("more", g.typ(1)))
	}
	return out
}

func (g *typeGen) like(t *value.Type, depth int) *value.Type {
	same := *t
	switch g.n(7) {
	case 0:
		return g.typ(1)
	case 1:
		if t.Kind != value.Optional && t.Kind != value.JSON {
			return &value.Type{Kind: value.Optional, Elem: g.like(t, depth)}
		}
	case 2:
		return &value.Type{Kind: value.String}
	case 3, 4:
		switch t.Kind {
		case value.String, value.List, value.Set, value.Map:
			same.Bound = g.n(2)
		}
	}
	if t.Elem != nil && t.Kind != value.Set {
		if e := g.like(t.Elem, depth); t.Kind != value.Optional || e.Kind != value.Optional && e.Kind != value.JSON {
			same.Elem = e
		}
	}
	switch t.Kind {
	case value.Enum:
		same.Enum = g.enum()
	case value.Record:
		same.Record = &value.RecordType{Name: "R", Fields: g.altered(t.Record.Fields, depth)}
	case value.Int:
		same.Kind = []value.Kind{value.Int, value.Decimal}[g.n(1)]
	case value.Set:
		same.Kind = []value.Kind{value.Set, value.List}[g.n(1)]
	case value.Map:
		if g.n(1) == 0 {
			same.Key = g.key()
		}
	}
	return &same
}

// json is a text of the type in its stored form: every field is written.
func (g *typeGen) json(t *value.Type) string {
	most := 2
	if t.Bound > 0 {
		most = t.Bound
	}
	switch t.Kind {
	case value.Bool:
		return "true"
	case value.Int:
		return fmt.Sprint(g.n(5))
	case value.Decimal:
		return fmt.Sprintf("%d.5", g.n(5))
	case value.JSON:
		return []string{"null", "1", `{"a":[]}`}[g.n(2)]
	case value.Optional:
		if g.n(1) == 0 {
			return "null"
		}
		return g.json(t.Elem)
	case value.List, value.Set:
		var list []string
		for range g.n(most) {
			list = append(list, g.json(t.Elem))
		}
		return "[" + strings.Join(list, ",") + "]"
	case value.Map:
		entries := map[string]string{}
		for range g.n(most) {
			entries[strings.Trim(g.json(t.Key), `"`)] = g.json(t.Elem)
		}
		var list []string
		for k, v := range entries {
			list = append(list, `"`+k+`":`+v)
		}
		slices.Sort(list)
		return "{" + strings.Join(list, ",") + "}"
	case value.Record:
		var list []string
		for _, f := range t.Record.Fields {
			list = append(list, `"`+f.Name+`":`+g.json(f.Type))
		}
		return "{" + strings.Join(list, ",") + "}"
	}
	return `"` + g.text(t, most) + `"`
}

// text is a text of the kinds that are strings on the wire.
func (g *typeGen) text(t *value.Type, most int) string {
	switch t.Kind {
	case value.Enum:
		return t.Enum.Members[g.n(len(t.Enum.Members)-1)].Wire
	case value.UUID:
		return fmt.Sprintf("00000000-0000-0000-0000-00000000000%d", g.n(9))
	case value.Time:
		return fmt.Sprintf("2026-01-0%dT00:00:00Z", 1+g.n(8))
	case value.Date:
		return fmt.Sprintf("2026-01-0%d", 1+g.n(8))
	case value.Duration:
		return fmt.Sprintf("%dh", 1+g.n(8))
	}
	return strings.Repeat("x", g.n(most))
}
