package check

import (
	"strconv"
	"strings"

	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/value"
)

func plainDigits(text string) string { return strings.ReplaceAll(text, "_", "") }

func parseInt(text string) (int64, bool) {
	i, err := strconv.ParseInt(plainDigits(text), 10, 64)
	return i, err == nil
}

// numberForm tells whether a literal is written as a decimal, and whether it is too long an int.
func numberForm(text string) (isDecimal, big bool) {
	if strings.Contains(text, ".") {
		return true, false
	}
	_, ok := parseInt(text)
	return false, !ok
}

func (b *body) listLit(e *ast.ListLit, want *value.Type) Expr {
	switch bareKind(want) {
	case value.JSON:
		return b.jsonList(e)
	case value.List:
		return b.listOf(e, bare(want).Elem)
	case value.Set:
		t := bare(want)
		d := b.c.report(diag.TypeMismatch, e.Span, "%s is needed here, and […] is a list", typeName(t))
		d.Hint = "write `set(" + e.Span.Text() + ")`"
		replace(d, true, e.Span, "set("+e.Span.Text()+")", "write set(…)")
		return b.bad(e.Span)
	}
	if len(e.Elems) == 0 {
		b.needsType(e.Span, "[]", "list<int>")
		return b.bad(e.Span)
	}
	elems, t := b.joinAll(e.Elems, nil, "the elements of the list")
	if t == nil {
		return b.bad(e.Span)
	}
	return b.fold(&ListLit{Typed{listOf(t), e.Span}, elems})
}

func (b *body) needsType(at diag.Span, what, example string) {
	b.c.report(diag.NeedsType, at, "`%s` needs to know its type here", what).
		Hint = "say it: `let x: " + example + " = " + what + "`"
}

func (b *body) listOf(e *ast.ListLit, elem *value.Type) Expr {
	elems := make([]Expr, len(e.Elems))
	ok := true
	for i, x := range e.Elems {
		elems[i] = b.as(x, elem, place{what: "an element of this list"})
		ok = ok && !bad(elems[i].Type())
	}
	if !ok {
		return b.bad(e.Span)
	}
	return b.fold(&ListLit{Typed{listOf(elem), e.Span}, elems})
}

func (b *body) jsonList(e *ast.ListLit) Expr {
	x := b.listOf(e, value.JSONType)
	if bad(x.Type()) {
		return x
	}
	return b.builtin(value.ToJSON, e.Span, value.JSONType, x)
}

// joinAll checks es and widens them all to the type they share. Those that need no help come
// first, so that a bare member or `none` gets its type from its neighbours.
func (b *body) joinAll(es []ast.Expr, want *value.Type, what string) ([]Expr, *value.Type) {
	out := make([]Expr, len(es))
	t := want
	var first Expr
	for r := 0; r <= 3; r++ {
		for i, e := range es {
			if out[i] != nil || rank(b, e) > r {
				continue
			}
			out[i] = b.expr(e, t)
			if first == nil {
				first = out[i]
				t = out[i].Type()
				continue
			}
			j := join(t, out[i].Type())
			if j == nil {
				d := b.c.report(diag.TypeMismatch, e.Pos(), "%s are %s and %s, which are not of one type", what, typeName(t), typeName(out[i].Type()))
				d.Hint = joinHint(t, out[i].Type())
				declaredAt(d, first.Pos(), "this is %s", article(t))
				return nil, nil
			}
			t = j
		}
	}
	if t == noneType {
		b.needsType(es[0].Pos(), "none", "int?")
		return nil, nil
	}
	if bad(t) {
		return nil, nil
	}
	for i := range out {
		out[i] = b.coerce(out[i], t)
	}
	return out, t
}

func (b *body) mapLit(e *ast.MapLit, want *value.Type) Expr {
	switch bareKind(want) {
	case value.JSON:
		return b.mapOf(e, value.StringType, value.JSONType, true)
	case value.Map:
		t := bare(want)
		return b.mapOf(e, t.Key, t.Elem, false)
	case value.Set:
		if len(e.Keys) == 0 {
			d := b.c.report(diag.TypeMismatch, e.Span, "{} is an empty map, and a set is needed here")
			d.Hint = "write `set([])`"
			replace(d, true, e.Span, "set([])", "write set([])")
			return b.bad(e.Span)
		}
	case value.Record:
		d := b.c.report(diag.TypeMismatch, e.Span, "%s is needed here, and {…} is a map", typeName(bare(want)))
		d.Hint = "write `" + typeName(bare(want)) + " { … }`"
		if b.namesFields(e, bare(want)) {
			replace(d, true, diag.Span{File: e.Span.File, Start: e.Span.Start, End: e.Span.Start}, typeName(bare(want))+" ", "name the record")
		}
		return b.bad(e.Span)
	}
	if len(e.Keys) == 0 {
		b.needsType(e.Span, "{}", "map<string, int>")
		return b.bad(e.Span)
	}
	keys, kt := b.joinAll(e.Keys, nil, "the keys of the map")
	vals, vt := b.joinAll(e.Values, nil, "the values of the map")
	if kt == nil || vt == nil || !b.c.keyType(kt, e.Keys[0].Pos(), "map") {
		return b.bad(e.Span)
	}
	return b.finishMap(e, keys, vals, &value.Type{Kind: value.Map, Key: unbounded(kt), Elem: vt})
}

func (b *body) mapOf(e *ast.MapLit, key, elem *value.Type, toJSON bool) Expr {
	keys, vals := make([]Expr, len(e.Keys)), make([]Expr, len(e.Values))
	ok := true
	for i := range e.Keys {
		keys[i] = b.key(e.Keys[i], key)
		vals[i] = b.as(e.Values[i], elem, place{what: "a value of this map"})
		ok = ok && !bad(keys[i].Type()) && !bad(vals[i].Type())
	}
	if !ok {
		return b.bad(e.Span)
	}
	x := b.finishMap(e, keys, vals, &value.Type{Kind: value.Map, Key: key, Elem: elem})
	if toJSON && !bad(x.Type()) {
		return b.builtin(value.ToJSON, e.Span, value.JSONType, x)
	}
	return x
}

// namesFields tells whether a map without its record's name was plainly meant to be the record.
func (b *body) namesFields(e *ast.MapLit, t *value.Type) bool {
	fs := b.c.records[t.Record].fields
	for _, k := range e.Keys {
		n, ok := k.(*ast.NameExpr)
		if !ok || fs.find(n.Name) < 0 {
			return false
		}
	}
	return len(e.Keys) > 0
}

// key checks a key of a map literal. A name that is none was most likely meant as a string.
func (b *body) key(e ast.Expr, t *value.Type) Expr {
	n, ok := e.(*ast.NameExpr)
	if !ok || t.Kind != value.String || b.locals[n.Name] != nil || b.sc.constant(n.Name) != nil || roots[n.Name] || isCapital(n.Name) {
		return b.as(e, t, place{what: "a key of this map"})
	}
	text := `"` + n.Name + `"`
	d := b.c.report(diag.UnknownName, e.Pos(), "unknown name %q: the keys of a map are expressions", n.Name)
	d.Hint = "write `" + text + "`"
	replace(d, true, e.Pos(), text, "write "+text)
	return b.bad(e.Pos())
}

// finishMap refuses equal constant keys (ruling 41).
func (b *body) finishMap(e *ast.MapLit, keys, vals []Expr, t *value.Type) Expr {
	byText := map[string]diag.Span{}
	for _, k := range keys {
		c, ok := k.(*Const)
		if !ok {
			continue
		}
		text := constText(c)
		if first, twice := byText[text]; twice {
			d := b.c.report(diag.KeyTwice, c.Span, "the key %s is written twice", c.Span.Text())
			declaredAt(d, first, "the first is here")
			return b.bad(e.Span)
		}
		byText[text] = c.Span
	}
	return b.fold(&MapLit{Typed{t, e.Span}, keys, vals})
}

// constText is a text that two equal keys share.
func constText(c *Const) string {
	switch c.T.Kind {
	case value.String:
		return c.Value.Str()
	case value.UUID:
		id := c.Value.UUID()
		return string(id[:])
	}
	return strconv.FormatInt(c.Value.Int(), 10)
}
