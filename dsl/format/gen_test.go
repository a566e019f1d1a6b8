package format_test

import (
	"strings"

	"pgregory.net/rapid"
)

// gen writes a random manifest: any declaration, statement and expression that the grammar knows,
// with white space and comments wherever they may stand.
type gen struct {
	t     *rapid.T
	b     strings.Builder
	plain bool // inside an interpolation: no line ends
	depth int
}

func manifest(t *rapid.T) string {
	g := &gen{t: t}
	for range g.n(0, 2) {
		g.w("import", `"a.agg"`)
	}
	for range g.n(0, 4) {
		g.topDecl()
	}
	g.space()
	return g.b.String()
}

func (g *gen) n(from, to int) int { return rapid.IntRange(from, to).Draw(g.t, "n") }

func (g *gen) one(of ...string) string { return rapid.SampledFrom(of).Draw(g.t, "one") }

// maybe is true one time in three.
func (g *gen) maybe() bool { return g.n(0, 2) == 0 }

func (g *gen) space() {
	if g.plain {
		g.b.WriteByte(' ')
		return
	}
	switch g.n(0, 24) {
	case 0, 1, 2:
		g.b.WriteString("\n")
	case 3:
		g.b.WriteString("\n\n\n  ")
	case 4:
		g.b.WriteString(" // c\n")
	case 5:
		g.b.WriteString("\n/// d\n\n// e\r\n")
	case 6:
		g.b.WriteString(" /// t\n\t")
	case 7:
		g.b.WriteString("\n//// f\n")
	default:
		g.b.WriteString(" ")
	}
}

// w writes words with white space before each.
func (g *gen) w(words ...string) {
	for _, s := range words {
		g.space()
		g.b.WriteString(s)
	}
}

// glue writes without white space.
func (g *gen) glue(s string) { g.b.WriteString(s) }

func (g *gen) name() string {
	return g.one("a", "bc", "long_name_of_something", "index", "state", "test", "x1", "given")
}

func (g *gen) value() string { return g.one("a", "bc", "a_rather_long_name_of_a_value", "index", "x1") }

func (g *gen) typeName() string { return g.one("A", "Hold", "Status") }

func (g *gen) topDecl() {
	switch g.n(0, 5) {
	case 0, 1, 2:
		g.w("aggregate", g.typeName(), "{")
		for range g.n(0, 4) {
			g.innerDecl()
		}
		g.w("}")
	case 3:
		g.shared()
	default:
		g.test()
	}
}

func (g *gen) shared() {
	switch g.n(0, 3) {
	case 0:
		if g.maybe() {
			g.w("ordered")
		}
		g.w("enum", g.typeName(), "{")
		for range g.n(0, 3) {
			g.w(g.name())
			if g.maybe() {
				g.w("=", `"W {x}"`)
			}
			if g.maybe() {
				g.w(",")
			}
		}
		g.w("}")
	case 1:
		g.w("record", g.typeName())
		g.fields(true)
	case 2:
		g.w("const", g.value(), ":")
		g.typ()
		g.w("=")
		g.expr()
	case 3:
		g.w("fn", g.value())
		g.params()
		g.w(":")
		g.typ()
		if g.maybe() {
			g.block()
		} else {
			g.w("=")
			g.expr()
		}
	}
}

func (g *gen) params() {
	g.w("(")
	for i := range g.n(0, 3) {
		if i > 0 {
			g.w(",")
		}
		g.w(g.value(), ":")
		g.typ()
	}
	g.w(")")
}

func (g *gen) innerDecl() {
	switch g.n(0, 14) {
	case 0:
		g.w("roles", "a", ",", "bc")
	case 1:
		g.w("state")
		g.fields(false)
	case 2:
		g.w("derive", g.name(), ":")
		g.typ()
		g.w("=")
		g.expr()
	case 3:
		g.w("index", "a", ".", "bc")
	case 4:
		g.w("snapshot", "every", "50")
	case 5:
		g.w("gas", "20_000")
	case 6:
		g.w("final", "when")
		g.cond()
		if g.maybe() {
			g.w("else")
			g.refusal()
		}
	case 7:
		g.w("invariant", g.name(), ":")
		g.expr()
	case 8:
		g.command()
	case 9:
		g.w("event", "made")
		if g.maybe() {
			g.w("@", g.one("1", "2"))
		}
		g.fields(false)
	case 10:
		g.w("upcast", "made", "@", "1", "->")
		if g.maybe() {
			g.w("other")
		}
		g.w("@", "2")
		g.items()
	case 11:
		g.w("guard", g.value())
		g.params()
		g.block()
	case 12, 13:
		g.w(g.one("decide", "apply"), "made")
		g.block()
	default:
		g.shared()
	}
}

func (g *gen) command() {
	g.w("command", "made")
	if g.maybe() {
		g.w("creates")
		if g.maybe() {
			g.w("else")
			g.refusal()
		}
	}
	if g.maybe() {
		g.w("by", "a", ",", "bc")
	}
	g.fields(true)
}

func (g *gen) fields(where bool) {
	g.w("{")
	for range g.n(0, 3) {
		g.w(g.name(), ":")
		g.typ()
		if g.maybe() {
			g.w("=")
			g.expr()
		}
		if where && g.maybe() {
			g.w("where")
			g.expr()
		}
		if g.maybe() {
			g.w(",")
		}
	}
	g.w("}")
}

func (g *gen) typ() {
	switch g.n(0, 7) {
	case 0:
		g.w("list", "<")
		g.typ()
		g.w(">")
	case 1:
		g.w("map", "<", "uuid", ",", "Hold", ",", "most", "+", "1", ">")
	case 2:
		g.w("string", "<", "100", ">")
	case 3:
		g.w("Cargo", ".", "Kind")
	default:
		g.w(g.one("int", "json", "Hold"))
	}
	if g.maybe() {
		g.w("?")
	}
}

func (g *gen) refusal() {
	g.w(g.one("not_open", "late"))
	if g.maybe() {
		g.text()
	}
}

func (g *gen) text() {
	switch g.n(0, 3) {
	case 0:
		g.w("`raw \\ {text}`")
	case 1:
		g.w(`"plain \{ \" \n text // no comment"`)
	default:
		if g.plain || g.depth > 2 {
			g.w(`"x"`)
			return
		}
		g.w(`"sum {`)
		g.plain = true
		g.expr()
		g.plain = false
		g.glue(` } and {x} "`)
	}
}

// cond is an expression that is no bare if, which would get parentheses.
func (g *gen) cond() {
	g.w("(")
	g.expr()
	g.w(")")
}

func (g *gen) block() {
	g.depth++
	g.w("{")
	n := g.n(0, 3)
	if g.depth > 3 {
		n = 0
	}
	for range n {
		g.stmt()
	}
	g.w("}")
	g.depth--
}

func (g *gen) stmt() {
	switch g.n(0, 13) {
	case 0, 1:
		g.w(g.one("let", "var"), g.value())
		if g.maybe() {
			g.w(":")
			g.typ()
		}
		g.w("=")
		g.expr()
	case 2:
		g.w("state", ".", "a", "[")
		g.expr()
		g.w("]", g.one("=", "+=", "-=", "*="))
		g.expr()
	case 3, 4:
		g.w("require")
		g.cond()
		g.w("else")
		if g.maybe() {
			g.w("nothing")
		} else {
			g.refusal()
		}
	case 5:
		g.w("reject")
		g.refusal()
	case 6:
		g.w("emit", "made")
		g.items()
	case 7:
		g.w("check", "ok", "(")
		g.exprs()
		g.w(")")
	case 8:
		g.w(g.one("nothing", "remove m[k]"))
	case 9:
		g.w("return")
		g.expr()
	case 10, 11:
		g.ifStmt()
	case 12:
		g.match()
	case 13:
		g.w("for", "k", ",", "_", "in")
		g.cond()
		g.block()
	}
}

func (g *gen) ifStmt() {
	g.w("if")
	g.cond()
	g.block()
	if g.maybe() {
		g.w("else")
		if g.maybe() && g.depth < 3 {
			g.depth++
			g.ifStmt()
			g.depth--
			return
		}
		g.block()
	}
}

func (g *gen) match() {
	g.w("match", "x", "{")
	for range g.n(0, 2) {
		g.w(g.one("open", "some v", "-1", "Status.open", "1..3", "none"))
		if g.maybe() {
			g.w(",", "true")
		}
		g.w("=>")
		g.block()
		if g.maybe() {
			g.w(",")
		}
	}
	g.w("_", "=>")
	g.block()
	g.w("}")
}

func (g *gen) items() {
	g.w("{")
	for i := range g.n(0, 3) {
		if i == 0 && g.maybe() {
			g.w("..", "cmd")
		} else {
			g.w(g.name(), ":")
			g.expr()
		}
		if g.maybe() {
			g.w(",")
		}
	}
	g.w("}")
}

func (g *gen) exprs() {
	for i := range g.n(0, 3) {
		if i > 0 {
			g.w(",")
		}
		g.expr()
	}
}

func (g *gen) expr() {
	g.depth++
	defer func() { g.depth-- }()
	if g.depth > 3 {
		g.w(g.one("1", "x", "true", "none", "-5", "1h30m", "0.50"))
		return
	}
	switch g.n(0, 14) {
	case 0, 1:
		g.operand()
		g.w(g.one("+", "*", "and", "implies", "??", "or", "-"))
		g.operand()
	case 2:
		g.operand()
		g.w(g.one("==", "<", ">="))
		g.operand()
	case 3:
		g.w("if")
		g.expr()
		g.w("then")
		g.expr()
		g.w("else")
		g.expr()
	case 4:
		g.w("x", g.one("is none", "is some v", "in 1 .. 9", "in xs"))
	case 5:
		g.w("not")
		g.operand()
	case 6:
		g.w("-")
		g.operand()
	default:
		g.operand()
	}
}

func (g *gen) operand() {
	switch g.n(0, 13) {
	case 0:
		g.cond()
	case 1:
		g.w("[")
		g.exprs()
		g.w("]")
	case 2:
		g.w("f", "(")
		g.exprs()
		g.w(")")
	case 3:
		g.w("sum", "(")
		g.expr()
		g.comp()
		g.w(")")
	case 4:
		g.w("[")
		g.expr()
		g.comp()
		g.w("]")
	case 5:
		g.w("sort_by", "(", "x", ".", "a", "desc", ",", "x", ".", "b")
		g.comp()
		g.w(")")
	case 6:
		g.w("Hold")
		g.items()
	case 7:
		g.w("{", "1", ":")
		g.expr()
		g.w(",", `"k"`, ":")
		g.expr()
		g.w("}")
	case 8:
		g.text()
	case 9:
		g.w("state", ".", "a", "[", "k", "]", "?")
	case 10:
		if !g.plain {
			g.w("matches", "(", "s", ",", `"^[a-z]{2,3}\d$"`, ")")
			return
		}
		g.w("x")
	default:
		g.w(g.one("1", "x", "state.a", "Status.open", "1_000"))
	}
}

func (g *gen) comp() {
	g.w("for")
	if g.maybe() {
		g.w("k", ",")
	}
	g.w("v", "in")
	g.operand()
	if g.maybe() {
		g.w("if")
		g.expr()
	}
}

func (g *gen) test() {
	g.w("test", `"a {b} \" c"`, "for", g.typeName())
	if g.maybe() {
		g.w("cases", "a", ",", "b", ":", "Kind", "{")
		for range g.n(0, 3) {
			g.w("(", "1", ",", "-2.50", ")")
		}
		g.w("}")
	}
	g.w("{")
	for range g.n(0, 4) {
		g.step()
	}
	g.w("}")
}

func (g *gen) step() {
	switch g.n(0, 13) {
	case 0:
		g.w("given", "made", "@", "1")
		g.items()
	case 1:
		g.w("given", "state")
		g.items()
	case 2, 3:
		g.w("when", "made")
		g.items()
	case 4:
		g.w("then", "emit", "made", "{", "a", ":", "_", "b", ":", "[", "_", "]", "}")
	case 5:
		g.w("then", "nothing")
	case 6:
		g.w("then", "reject")
		g.refusal()
	case 7:
		g.w("then", "invalid", "lines", "[", "2", "]", ".", "qty")
	case 8:
		g.w("then", "fault", "gas")
	case 9:
		g.w("then", "gas", g.one("<", "<="), "500")
	case 10:
		g.w("then")
		g.cond()
	case 11:
		g.w("at", `"2026-01-01T00:00:00Z"`)
	case 12:
		g.w("as")
		g.items()
	case 13:
		if g.depth > 2 {
			g.w("let", "q", "=", "1")
			return
		}
		g.depth++
		g.w("repeat", "3", "{")
		g.step()
		g.w("}")
		g.depth--
	}
}
