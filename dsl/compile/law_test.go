package compile_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/cloudlysis/aggregate/dsl"
	"github.com/cloudlysis/aggregate/dsl/compile"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/value"
	"github.com/cloudlysis/aggregate/engine/vm"
)

// gen draws an expression twice over: with literals, which the checker computes, and with state
// fields that hold them, which compiled code computes.
type gen struct {
	t      *rapid.T
	fields []string // declarations of state fields
	vars   int
	inner  []string // loop variables in scope, ints
}

// both is one expression in its two forms.
type both struct{ konst, code string }

func (g *gen) leaf(typ, literal string) both {
	name := fmt.Sprintf("f%d", len(g.fields))
	g.fields = append(g.fields, fmt.Sprintf("%s: %s = %s", name, typ, literal))
	if literal == "[]" {
		literal = "empty" // `[]` alone has no type
	}
	return both{literal, "state." + name}
}

func (g *gen) pick(list ...string) string { return rapid.SampledFrom(list).Draw(g.t, "pick") }

func (g *gen) join(format string, parts ...both) both {
	k, c := make([]any, len(parts)), make([]any, len(parts))
	for i, p := range parts {
		k[i], c[i] = p.konst, p.code
	}
	return both{fmt.Sprintf(format, k...), fmt.Sprintf(format, c...)}
}

func (g *gen) expr(typ string, depth int) both {
	if depth == 0 {
		return g.literal(typ)
	}
	sub := func(t string) both { return g.expr(t, depth-1) }
	if rapid.IntRange(0, 9).Draw(g.t, "if") == 0 {
		return g.join("(if %s then %s else %s)", sub("bool"), sub(typ), sub(typ))
	}
	switch typ {
	case "int":
		return g.number(sub)
	case "decimal":
		return g.decimal(sub)
	case "string":
		return g.text(sub)
	case "duration":
		return g.join(g.pick("(%s + %s)", "(%s - %s)", "max(%s, %s)", "min(%s, %s)"), sub(typ), sub(typ))
	case "list<int>":
		return g.list(sub)
	}
	return g.truth(sub)
}

// list draws a list, comprehensions among them.
func (g *gen) list(sub func(string) both) both {
	switch rapid.IntRange(0, 3).Draw(g.t, "list") {
	case 0:
		return g.join(g.pick("sort(%s)", "reverse(%s)", "unique(%s)"), sub("list<int>"))
	case 1:
		return g.join("slice(%s, %s, %s)", sub("list<int>"), sub("int"), sub("int"))
	case 2:
		return g.join("(%s + [%s])", sub("list<int>"), sub("int"))
	}
	kind := g.pick("[%s for %s in %s if %s]", "[%s for %s in %s]", "sort_by(%s desc for %s in %s if %s)", "unique(%s for %s in %s)")
	return g.comp(kind, "int", sub)
}

// comp draws a comprehension whose element is of type elem, and in which its variable is known.
func (g *gen) comp(format, elem string, sub func(string) both) both {
	source := sub("list<int>")
	g.vars++
	v := fmt.Sprintf("v%d", g.vars)
	g.inner = append(g.inner, v)
	e := sub(elem)
	parts := []both{e, {v, v}, source}
	if strings.Count(format, "%s") == 4 {
		parts = append(parts, sub("bool"))
	}
	g.inner = g.inner[:len(g.inner)-1]
	return g.join(format, parts...)
}

func (g *gen) literal(typ string) both {
	if typ == "int" && len(g.inner) > 0 && rapid.Bool().Draw(g.t, "variable") {
		v := rapid.SampledFrom(g.inner).Draw(g.t, "v")
		return both{v, v}
	}
	switch typ {
	case "list<int>":
		return g.leaf(typ, g.pick("[]", "[1]", "[3, 1, 2]", "[5, 5, -1, 0, 9]", "[9223372036854775807, 1]"))
	case "int":
		return g.leaf(typ, g.pick("0", "1", "2", "-1", "7", "100", "-35", "9223372036854775807", "-9223372036854775808"))
	case "decimal":
		return g.leaf(typ, g.pick("0.0", "1.50", "-0.25", "3.0", "99.99", "0.333", "12345678901234567.89", "9999999999999999999999999999999999.0"))
	case "string":
		return g.leaf(typ, g.pick(`""`, `"a"`, `"Héllo"`, `" b "`, `"aXbXc"`, `"12"`))
	case "duration":
		return g.leaf(typ, g.pick("0s", "1h30m", "-5s", "106751d", "1ns"))
	}
	return g.leaf(typ, g.pick("true", "false"))
}

func (g *gen) number(sub func(string) both) both {
	switch rapid.IntRange(0, 6).Draw(g.t, "int") {
	case 0:
		return g.join("len(%s)", sub("string"))
	case 5:
		return g.comp(g.pick("sum(%s for %s in %s if %s)", "sum(%s for %s in %s)", "(first(%s for %s in %s if %s) ?? 3)", "(last(%s for %s in %s if %s) ?? 3)",
			"(min(%s for %s in %s if %s) ?? 3)", "(max(%s for %s in %s) ?? 3)"), "int", sub)
	case 6:
		return g.join(g.pick("len(%s)", "sum(%s)", "(first(%s) ?? 7)", "(max(%s) ?? 7)"), sub("list<int>"))
	case 1:
		return g.join(g.pick("abs(%s)", "(-%s)", "int(decimal(%s))"), sub("int"))
	case 2:
		return g.join("int(round(%s, 0, "+g.pick("half_even", "half_up", "down", "ceiling")+"))", sub("decimal"))
	case 3:
		return g.join(g.pick("sum([%s, %s])", "(first([%s, %s]) ?? 0)", "(max([%s, %s]) ?? 0)", "len(unique([%s, %s]))"), sub("int"), sub("int"))
	}
	return g.join(g.pick("(%s + %s)", "(%s - %s)", "(%s * %s)", "(%s / %s)", "(%s %% %s)", "min(%s, %s)", "max(%s, %s)"), sub("int"), sub("int"))
}

func (g *gen) decimal(sub func(string) both) both {
	mode := g.pick("half_even", "half_up", "half_down", "down", "up", "floor", "ceiling")
	switch rapid.IntRange(0, 3).Draw(g.t, "decimal") {
	case 0:
		return g.join("round(%s, "+g.pick("0", "2", "5")+", "+mode+")", sub("decimal"))
	case 1:
		return g.join("div(%s, %s, "+g.pick("0", "2", "8")+", "+mode+")", sub("decimal"), sub("decimal"))
	case 2:
		return g.join(g.pick("round(%s * %s, 2, half_up)", "sum([%s, %s])", "max(%s, %s)"), sub("decimal"), sub("decimal"))
	}
	right := sub("decimal")
	if g.pick("decimal", "int") == "int" {
		right = g.join("decimal(%s)", sub("int")) // bare, its literals would be decimals in a constant
	}
	return g.join(g.pick("(%s + %s)", "(%s - %s)", "(%s * %s)"), sub("decimal"), right)
}

func (g *gen) text(sub func(string) both) both {
	switch rapid.IntRange(0, 3).Draw(g.t, "text") {
	case 0:
		return g.join(g.pick("upper(%s)", "lower(%s)", "trim(%s)", `replace(%s, "X", "-")`, `join(split(%s, "X"), "+")`, `join(reverse(split(%s, "")), "")`), sub("string"))
	case 1:
		return g.join("string(%s)", sub(g.pick("int", "decimal", "bool", "duration")))
	case 2:
		return g.join("slice(%s, %s, %s)", sub("string"), sub("int"), sub("int"))
	}
	return g.join("(%s + %s)", sub("string"), sub("string"))
}

func (g *gen) truth(sub func(string) both) both {
	switch rapid.IntRange(0, 5).Draw(g.t, "bool") {
	case 4:
		return g.comp(g.pick("any(%s for %s in %s if %s)", "any(%s for %s in %s)", "all(%s for %s in %s)"), "bool", sub)
	case 5:
		return g.join("(%s in %s)", sub("int"), sub("list<int>"))
	case 0:
		return g.join(g.pick("(%s and %s)", "(%s or %s)", "(%s implies %s)", "(%s == %s)"), sub("bool"), sub("bool"))
	case 1:
		return g.join("(not %s)", sub("bool"))
	case 2:
		return g.join(g.pick("starts_with(%s, %s)", "contains(%s, %s)", "(%s in [%s])"), sub("string"), sub("string"))
	}
	of := g.pick("int", "decimal", "string", "duration")
	return g.join("(%s "+g.pick("==", "!=", "<", "<=", ">", ">=")+" %s)", sub(of), sub(of))
}

// TestConstantsAsComputed: what the checker folds is what compiled code computes, faults
// included: a constant that faults is an error, and the code for it faults. And no run takes more
// gas than its bound.
func TestConstantsAsComputed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := &gen{t: t}
		typ := g.pick("int", "decimal", "string", "bool", "duration", "list<int>")
		e := g.expr(typ, rapid.IntRange(1, 4).Draw(t, "depth"))
		state := "state {\n" + strings.Join(g.fields, "\n") + "\n}\n"
		rules := "const empty: list<int> = []\ncommand go {}\nevent went {}\ndecide go { emit went {} }\napply went {}\n"
		code := "aggregate A {\n" + state + rules + "derive v: " + typ + " = " + e.code + "\n}\n"
		konst := "aggregate A {\n" + state + rules + "const c: " + typ + " = " + e.konst + "\nderive v: " + typ + " = c\n}\n"

		p := compileOne(t, code)
		if p == nil {
			t.Fatalf("does not compile:\n%s", code)
		}
		m := p.Get()
		defer p.Put(m)
		got, out := m.Derive(0, p.NewState())
		if bound := compile.EvalBound(p.Code(), p.Code().Derives[0].Eval, p.NewState()); bound >= 0 && bound < out.Gas {
			t.Fatalf("it takes %d gas, its bound is %d:\n%s", out.Gas, bound, code)
		}
		folded := compileOne(t, konst)
		if folded == nil {
			// A fault in a part that is never reached is an error in a constant only.
			if lazy := strings.ContainsAny(e.konst, "?") || strings.Contains(e.konst, "if ") || strings.Contains(e.konst, " and ") ||
				strings.Contains(e.konst, " or ") || strings.Contains(e.konst, " implies ") || strings.Contains(e.konst, " for "); !lazy && out.Kind != vm.Faulted {
				t.Fatalf("the constant faults, the code gives %s:\n%s", value.AppendJSON(nil, p.Derives()[0].Type, got), konst)
			}
			return
		}
		if out.Kind == vm.Faulted {
			t.Fatalf("the code faults with %s, the constant does not:\n%s", out.Fault, konst)
		}
		fm := folded.Get()
		defer folded.Put(fm)
		want, _ := fm.Derive(0, folded.NewState())
		of := p.Derives()[0].Type
		if a, b := string(value.AppendJSON(nil, of, got)), string(value.AppendJSON(nil, of, want)); a != b {
			t.Fatalf("the code gives %s, the constant %s:\n%s", a, b, konst)
		}
	})
}

// compileOne compiles one manifest and loads its only program; nil if a constant faults.
func compileOne(t *rapid.T, text string) *vm.Program {
	r := dsl.Compile([]dsl.Source{{Path: "a.agg", Text: []byte(text)}}, dsl.Options{})
	for _, d := range r.Diagnostics {
		if d.Severity == diag.Error && !strings.Contains(d.Message, "fault") && !strings.Contains(d.Message, "constant") {
			t.Fatalf("%s %s (%s)\n%s", d.Code, d.Message, d.Hint, text)
		}
	}
	if !r.OK {
		return nil
	}
	p, err := vm.Load(r.Programs[0].Program)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return p
}
