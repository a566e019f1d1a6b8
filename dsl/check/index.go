package check

import (
	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// index checks x[i], m[k], j["path"], with or without `?`.
func (b *body) index(e *ast.IndexExpr) Expr {
	x := b.expr(e.X, nil)
	switch t := x.Type(); t.Kind {
	case value.Invalid:
		b.expr(e.Index, nil)
		return b.bad(e.Span)
	case value.Map:
		k := b.as(e.Index, t.Key, place{what: "the key of this map"})
		return b.element(e, x, k, t.Elem)
	case value.List:
		k := b.as(e.Index, value.IntType, place{what: "the index of this list"})
		return b.element(e, x, k, t.Elem)
	case value.JSON:
		return b.jsonIndex(e, x)
	}
	b.expr(e.Index, nil)
	b.noIndex(e, x.Type())
	return b.bad(e.Span)
}

func (b *body) element(e *ast.IndexExpr, x, k Expr, elem *value.Type) Expr {
	if bad(k.Type()) {
		return b.bad(e.Span)
	}
	if e.Optional {
		elem = optional(elem)
	} else {
		b.mayFault(e, x.Type().Kind)
	}
	return b.fold(&IndexOf{Typed{elem, e.Span}, x, k, e.Optional})
}

func (b *body) noIndex(e *ast.IndexExpr, t *value.Type) {
	x, k := e.X.Pos().Text(), e.Index.Pos().Text()
	code := diag.NoIndex
	if t.Kind == value.Optional {
		code = diag.MaybeAbsent
	}
	d := b.c.report(code, e.Span, "%s has no elements by index", article(t))
	switch t.Kind {
	case value.Set:
		d.Hint = "write `" + k + " in " + x + "`"
		replace(d, true, e.Span, k+" in "+x, "write "+k+" in "+x)
	case value.String:
		d.Hint = "write `slice(" + x + ", " + k + ", " + k + " + 1)`"
	case value.Optional:
		d.Hint = "it may be absent: bind it, `" + x + " is some v`"
	case value.Record:
		d.Hint = "a record has fields: `" + x + "." + firstField(t) + "`"
	}
}

// jsonIndex checks j["path"], j["a.{key}"], j[text] and j[n] (ruling 76).
func (b *body) jsonIndex(e *ast.IndexExpr, x Expr) Expr {
	if e.Optional {
		d := b.c.report(diag.NeverAbsent, e.Span, "json is never absent: what is not there is null")
		d.Hint = "leave the `?` out"
		replace(d, true, diag.Span{File: e.Span.File, Start: e.Span.End - 1, End: e.Span.End}, "", "remove the ?")
		return b.bad(e.Span)
	}
	switch k := unparen(e.Index).(type) {
	case *ast.Str:
		return b.jsonPath(e, x, []string{k.Value}, nil)
	case *ast.Interp:
		keys := make([]Expr, len(k.Exprs))
		for i, g := range k.Exprs {
			keys[i] = b.text(b.expr(g, nil), "in a path")
			if bad(keys[i].Type()) {
				return b.bad(e.Span)
			}
		}
		return b.jsonPath(e, x, k.Parts, keys)
	}
	k := b.expr(e.Index, nil)
	switch k.Type().Kind {
	case value.Invalid:
		return b.bad(e.Span)
	case value.String:
		return b.builtin(value.JSONKey, e.Span, value.JSONType, x, k)
	case value.Int:
		return b.builtin(value.JSONIndex, e.Span, value.JSONType, x, k)
	}
	d := b.c.report(diag.TypeMismatch, e.Index.Pos(), "json is read by a path, a key or an index, not by %s", article(k.Type()))
	d.Hint = "write `" + e.X.Pos().Text() + `["{` + e.Index.Pos().Text() + `}"]` + "`"
	return b.bad(e.Span)
}

func (b *body) jsonPath(e *ast.IndexExpr, x Expr, parts []string, keys []Expr) Expr {
	p, err := value.ParsePath(parts)
	if err != nil {
		b.c.report(diag.BadJSONPath, e.Index.Pos(), "the json path is not understood: %v", err).
			Hint = `a path is keys, indices and # with dots between: "items.0.price", "items.#.sku"`
		return b.bad(e.Span)
	}
	args := append([]Expr{x}, keys...)
	return b.fold(&Call{Typed{value.JSONType, e.Span}, value.JSONPath, &value.CallInfo{Arg: value.JSONType, Result: value.JSONType, Path: p}, args})
}
