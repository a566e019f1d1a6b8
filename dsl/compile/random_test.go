package compile_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/cloudlysis/aggregate/dsl/value"
)

// random draws values and manifests from a seed, so that two processes draw the same.
type random struct {
	source *rand.PCG
	names  int
	ints   []string // variables in scope
}

func newRandom(seed uint64) *random { return &random{source: rand.NewPCG(seed, 1)} }

// IntN is below n. It is not rand.IntN, which draws other numbers where an int has 32 bits.
func (r *random) IntN(n int) int { return int(r.source.Uint64() % uint64(n)) }

func (r *random) pick(list ...string) string { return list[r.IntN(len(list))] }

// length is within a bound, often at it; very long values would tell no more.
func (r *random) length(bound int) int {
	limit := min(bound, 80)
	if limit == 0 {
		limit = 24
	}
	if r.IntN(3) == 0 {
		return limit
	}
	return r.IntN(limit + 1)
}

// fields appends a JSON object with all fields.
func (r *random) fields(dst []byte, fields []value.Field) []byte {
	dst = append(dst, '{')
	for i := range fields {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(value.AppendQuoted(dst, fields[i].Name), ':')
		dst = r.value(dst, fields[i].Type)
	}
	return append(dst, '}')
}

// value appends a value of t as JSON, within its bounds.
func (r *random) value(dst []byte, t *value.Type) []byte {
	switch t.Kind {
	case value.Bool:
		return strconv.AppendBool(dst, r.IntN(2) == 0)
	case value.Int:
		return append(dst, r.pick("0", "1", "2", "3", "7", "-1", "40", "100", "9223372036854775807", "-9223372036854775808")...)
	case value.Decimal:
		return append(dst, r.pick("0", "1.50", "-0.25", "3", "99.99", "0.1", "0.2", "9007199254740993", "1234567890123456789012345678901234")...)
	case value.String:
		return r.text(dst, r.length(t.Bound))
	case value.Time:
		return fmt.Appendf(dst, `"20%02d-0%d-1%dT1%d:00:00.%09dZ"`, r.IntN(100), 1+r.IntN(9), r.IntN(10), r.IntN(10), r.IntN(1e9))
	case value.Date:
		return fmt.Appendf(dst, `"20%02d-0%d-1%d"`, r.IntN(100), 1+r.IntN(9), r.IntN(10))
	case value.Duration:
		return append(dst, r.pick(`"0s"`, `"1h30m"`, `"-5s"`, `"2562047h"`, `"1ns"`)...)
	case value.UUID:
		return fmt.Appendf(dst, `"0190%04x-0000-7000-8000-%012x"`, r.IntN(1<<16), r.IntN(30))
	case value.JSON:
		return append(dst, r.pick(`null`, `{"a":1,"b":[1,2.50,"x"],"total":3}`, `[1,"1",true,null]`, `"text"`, `12345678901234567890`)...)
	case value.Enum:
		return value.AppendQuoted(dst, t.Enum.Members[r.IntN(len(t.Enum.Members))].Wire)
	case value.Record:
		return r.fields(dst, t.Record.Fields)
	case value.Optional:
		if r.IntN(3) == 0 {
			return append(dst, "null"...)
		}
		return r.value(dst, t.Elem)
	case value.Map:
		return r.object(dst, t)
	}
	dst = append(dst, '[')
	for i := range r.length(t.Bound) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = r.value(dst, t.Elem)
	}
	return append(dst, ']')
}

func (r *random) text(dst []byte, runes int) []byte {
	var s strings.Builder
	for range runes {
		s.WriteString(r.pick("a", "b", "X", " ", "é", "語", "😀", "-", "1"))
	}
	return value.AppendQuoted(dst, s.String())
}

func (r *random) object(dst []byte, t *value.Type) []byte {
	dst = append(dst, '{')
	seen := map[string]bool{}
	for range r.length(t.Bound) {
		key := string(r.value(nil, t.Key))
		if !strings.HasPrefix(key, `"`) {
			key = strconv.Quote(key)
		}
		if seen[key] {
			continue
		}
		if len(seen) > 0 {
			dst = append(dst, ',')
		}
		seen[key] = true
		dst = r.value(append(append(dst, key...), ':'), t.Elem)
	}
	return append(dst, '}')
}

const randomHead = `aggregate A {
  enum Kind { plain, fancy, odd }
  record Line { qty: int, price: decimal, note: string<12>, tags: list<string<6>, 3> }
  state {
    n: int
    d: decimal
    s: string<40>
    o: int?
    k: Kind = plain
    xs: list<int, 20>
    names: list<string<10>, 8>
    seen: set<int, 12>
    m: map<string<8>, int, 10>
    lines: list<Line, 6>
    byid: map<uuid, Line, 5>
    j: json
  }
  command go { n: int, s: string<30>, xs: list<int, 15>, line: Line, names: list<string<10>, 5>, short: string where len(short) <= 20 }
  event added { n: int }
  event named { s: string<40> }
  event lined { id: uuid, line: Line }
  event seen_all { xs: list<int, 20> }
  apply added { %s }
  apply named { %s }
  apply lined { %s }
  apply seen_all { %s }
  invariant small: %s
  derive v: int = %s
  fn helper(a: int, xs: list<int, 20>): int {
    var t = a
    for x in xs { if x > t { t = x } }
    return t
  }
  fn length(s: string<40>): int = len(trim(s))
  decide go {
`

// manifest draws a manifest whose rules work on all kinds of data.
func (r *random) manifest() string {
	apply := func(list ...string) string {
		var out []string
		for range 1 + r.IntN(2) {
			out = append(out, r.pick(list...))
		}
		return strings.Join(out, "\n    ")
	}
	head := fmt.Sprintf(randomHead,
		apply("state.n = event.n", "state.xs += event.n", "state.seen += event.n", "remove state.seen[event.n]", "for x in state.xs { if x == event.n { state.o = x } }",
			"state.xs = [x for x in state.xs if x != event.n]", "state.lines[0].qty = event.n", "if len(state.xs) > 0 { remove state.xs[0] }"),
		apply("state.s = event.s", `state.m[slice(event.s, 0, 8)] = len(event.s)`, `remove state.m[slice(event.s, 0, 8)]`, "state.names += slice(event.s, 0, 10)", `state.s = replace(slice(event.s, 0, 5), "a", "bb")`),
		apply("state.lines += event.line", "state.byid[event.id] = event.line", "remove state.byid[event.id]", "state.d += event.line.price", "state.n = sum(l.qty for l in state.lines)"),
		apply("state.xs = event.xs", "for x in event.xs { state.seen += x }", "for i, x in event.xs { if i < len(state.xs) { state.xs[i] = x } }", "state.seen = set(event.xs)"),
		r.pick("true", "state.n < 1_000", "all(x < 1_000 for x in state.xs)", "old.n <= state.n", "sum(l.qty for l in state.lines) >= 0"),
		r.pick("state.n", "len(state.s)", "sum(state.xs)", "count(l for l in state.lines if l.qty > 1)", "helper(1, state.xs)"))
	r.ints = []string{"state.n", "cmd.n", "len(state.s)", "len(cmd.xs)"}
	body := r.block(3, 1+r.IntN(4))
	return head + body + "    emit added { n: " + r.pick(r.ints...) + " }\n  }\n}\n"
}

func (r *random) name() string {
	r.names++
	return fmt.Sprintf("v%d", r.names)
}

func (r *random) list() string {
	return r.pick("state.xs", "cmd.xs", "sort(state.xs)", "reverse(cmd.xs)", "unique(state.xs)", "slice(state.xs, 1, 4)", "[x0 * 2 for x0 in cmd.xs if x0 < 100]",
		"values(state.m)", "[l0.qty for l0 in state.lines]", "[cmd.n, 1, 2]", "(state.xs + cmd.xs)", "sort_by(x0 desc for x0 in state.xs)", "[x0 for x0 in state.seen]")
}

func (r *random) strings() string {
	return r.pick("state.s", "cmd.s", "cmd.short", "lower(state.s)", "upper(cmd.s)", "trim(cmd.short)", `join(state.names, "-")`, `replace(cmd.s, "a", "xyz")`, `"{state.n}/{cmd.s}"`,
		"slice(state.s, 2, 9)", `join(split(cmd.s, "a"), "+")`, `(state.s + cmd.s)`, `string(state.d)`, `(as_string(state.j["b.2"]) ?? "none")`, `join(sort(cmd.names), ",")`)
}

func (r *random) number() string {
	switch r.IntN(5) {
	case 0:
		return r.pick(r.ints...)
	case 1:
		return "len(" + r.strings() + ")"
	case 2:
		return r.pick("sum(", "len(") + r.list() + ")"
	case 3:
		return "helper(" + r.pick(r.ints...) + ", state.xs)"
	}
	return r.pick("(max(y0 for y0 in state.xs) ?? 3)", "count(l1 for l1 in state.lines if l1.qty > 2)", "length(slice(cmd.s, 0, 40))", "(state.m[slice(cmd.s, 0, 8)]? ?? 1)",
		"(as_int(state.j[\"total\"]) ?? 0)", "sum(l1.qty for _, l1 in state.byid)", "min(cmd.n, 5)", "(first(z0 for z0 in state.xs if z0 > 3) ?? 0)")
}

func (r *random) truth() string {
	return r.pick(r.number()+" < "+r.number(), r.strings()+" == "+r.strings(), r.number()+" in "+r.list(), "contains("+r.strings()+", "+r.strings()+")",
		"any(q0 == "+r.pick(r.ints...)+" for q0 in "+r.list()+")", r.number()+" in state.seen", "matches(cmd.s, `^[a-z]{2,4}$`)", "state.lines == [cmd.line]", "cmd.line.tags == [\"a\"]", "state.k == fancy")
}

func (r *random) block(depth, n int) string {
	var b strings.Builder
	scope := len(r.ints)
	for range n {
		b.WriteString("    " + r.statement(depth) + "\n")
	}
	r.ints = r.ints[:scope]
	return b.String()
}

func (r *random) statement(depth int) string {
	kind := r.IntN(9)
	if depth == 0 {
		kind = r.IntN(4)
	}
	switch kind {
	case 0:
		v := r.name()
		s := "let " + v + " = " + r.number()
		r.ints = append(r.ints, v)
		return s
	case 1:
		return r.pick("emit added { n: "+r.number()+" }", "emit named { s: slice("+r.strings()+", 0, 40) }", "emit lined { id: uuid("+r.pick("1", "2", "3")+"), line: cmd.line }",
			"emit seen_all { xs: slice("+r.list()+", 0, 20) }")
	case 2:
		return "require " + r.truth() + " else nope \"" + r.pick("no", "{state.s} {cmd.n}", "{state.d}") + "\""
	case 3:
		return "if " + r.truth() + " { emit added { n: " + r.number() + " } }"
	case 4:
		return "if " + r.truth() + " {\n" + r.block(depth-1, 2) + "    } else {\n" + r.block(depth-1, 1) + "    }"
	case 5:
		v := r.name()
		source := r.list()
		r.ints = append(r.ints, v)
		s := "for " + v + " in " + source + " {\n" + r.block(depth-1, 2) + "    }"
		r.ints = r.ints[:len(r.ints)-1]
		return s
	case 6:
		v, list := r.name(), r.name()
		s := "var " + list + ": list<int> = []\n    for " + v + " in " + r.list() + " { " + list + " += " + v + " }\n    emit added { n: sum(" + list + ") }"
		return s
	case 7:
		k, v := r.name(), r.name()
		return "for " + k + ", " + v + " in state.m { if " + v + " > len(" + k + ") { emit added { n: " + v + " } } }"
	}
	v := r.name()
	return "for " + v + " in range(0, " + r.pick("5", "len(state.xs)", "len(cmd.names)", "min(len(cmd.s), 10)") + ") { emit added { n: " + v + " } }"
}
