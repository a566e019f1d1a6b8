package check

import (
	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// mismatch reports that x is no want.
func (b *body) mismatch(x Expr, e ast.Expr, want *value.Type, p place) {
	t := x.Type()
	if t == noneType {
		d := b.c.report(diag.TypeMismatch, e.Pos(), "%s needs %s, and `none` is not one", p, typeName(want))
		d.Hint = "only a " + typeName(want) + "? can be none"
		declaredAt(d, p.decl, "the type is written here")
		return
	}
	code := diag.TypeMismatch
	if t.Kind == value.Optional && want.Kind != value.Optional && join(t.Elem, want) != nil {
		code = diag.MaybeAbsent
	}
	d := b.c.report(code, e.Pos(), "%s needs %s, not %s", p, typeName(want), typeName(t))
	if c := b.coalesced; c != nil && t.Kind == value.Optional && e.Pos().End == c.X.Pos().End {
		loosest(d, c, e)
	} else {
		d.Hint = mend(d, e, t, want)
	}
	declaredAt(d, p.decl, "the type is written here")
}

// loosest shows how c is written when it was meant for e alone, the end of its left side, as in
// `a and m[k]? ?? 0 > 1`.
func loosest(d *diag.Diagnostic, c *ast.Binary, e ast.Expr) {
	alone := c.Y
	for {
		y, ok := alone.(*ast.Binary)
		if !ok {
			break
		}
		alone = y.X
	}
	text := "(" + e.Pos().Text() + " ?? " + alone.Pos().Text() + ")"
	d.Hint = "`??` binds loosest: put it into parentheses, `" + text + "`"
	replace(d, false, e.Pos().To(alone.Pos()), text, "write "+text)
}

// mend is how the author may make a want of e, which is a t; a sure mend is added to d.
func mend(d *diag.Diagnostic, e ast.Expr, t, want *value.Type) string {
	text := e.Pos().Text()
	call := func(safe bool, s string) string {
		replace(d, safe, e.Pos(), s, "write "+s)
		return "write `" + s + "`"
	}
	if bin, ok := unparen(e).(*ast.Binary); ok && bin.Op == "??" {
		return "`??` binds loosest: put it into parentheses, `(" + bin.X.Pos().Text() + " ?? …)`"
	}
	switch {
	case t.Kind == value.Optional && want.Kind != value.Optional && join(t.Elem, want) != nil:
		return "it may be absent: bind it, `if " + text + " is some v { … }` or `require " + text + " is some v else …`, or give a default, `" + text + " ?? " + sample(want) + "`"
	case t.Kind == value.Decimal && want.Kind == value.Int && isNum(e):
		return "an int is whole: write a whole number, or make it a decimal where its type is written"
	case t.Kind == value.Decimal && want.Kind == value.Int:
		return "`int(" + text + ")` takes a whole decimal, and faults on others; round(…) it first if it need not be whole"
	case want.Kind == value.String && scalar(t):
		return call(true, "string("+text+")")
	case t.Kind == value.String && isNumber(want):
		if s, ok := unparen(e).(*ast.Str); ok {
			if _, isNumber := value.ParseDecimalText(s.Value); isNumber {
				return call(want.Kind == value.Decimal, s.Value) + ", without quotes"
			}
		}
		return call(false, "parse_"+typeName(want)+"("+text+")") + ", which is " + article(optional(want))
	case t.Kind == value.JSON && asJSON[want.Kind] != "":
		return "read it with `" + asJSON[want.Kind] + "(" + text + ")`, which is " + article(optional(want))
	case want.Kind == value.JSON:
		return "only literals become json: text, numbers, true, false, none, […] and {\"key\": …} of them"
	case t.Kind == value.Time && want.Kind == value.Date:
		return call(true, "date("+text+")")
	case t.Kind == value.List && want.Kind == value.Set && value.Same(t.Elem, want.Elem):
		return call(true, "set("+text+")")
	case t.Kind == value.List && want.Kind == value.List && t.Elem.Kind == value.Int && want.Elem.Kind == value.Decimal:
		return call(true, "[decimal(x) for x in "+text+"]")
	case t.Kind == value.Set && want.Kind == value.List && value.Same(t.Elem, want.Elem):
		return call(true, "[x for x in "+text+"]")
	case t.Kind == value.String && want.Kind == value.Enum:
		if s, ok := unparen(e).(*ast.Str); ok {
			for _, m := range want.Enum.Members {
				if m.Name == s.Value || m.Wire == s.Value {
					return call(true, want.Enum.Name+"."+m.Name)
				}
			}
		}
		return "a member of " + want.Enum.Name + " is written without quotes"
	case isNumber(t) && want.Kind == value.Bool:
		return "write a comparison, such as `" + text + " != 0`"
	case t.Kind == value.Optional && want.Kind == value.Bool:
		return "write `" + text + " is some _`"
	case t.Kind == value.Int && want.Kind == value.Duration:
		return "durations have a unit: `90s`, `24h`"
	}
	return ""
}

var asJSON = map[value.Kind]string{
	value.Int: "as_int", value.Decimal: "as_decimal", value.String: "as_string", value.Bool: "as_bool", value.List: "as_list",
}

// sample is a plain value of t, for hints.
func sample(t *value.Type) string {
	switch t.Kind {
	case value.Bool:
		return "false"
	case value.Int, value.Decimal:
		return "0"
	case value.String:
		return `""`
	case value.Duration:
		return "0s"
	case value.List:
		return "[]"
	case value.Map:
		return "{}"
	case value.Set:
		return "set([])"
	case value.Enum:
		if len(t.Enum.Members) > 0 {
			return t.Enum.Name + "." + t.Enum.Members[0].Name
		}
	case value.Optional:
		return "none"
	case value.Time:
		return `time("2026-01-01T00:00:00Z")`
	case value.Date:
		return `date("2026-01-01")`
	case value.UUID:
		return "uuid(1)"
	case value.JSON:
		return "{}"
	}
	return "…"
}

func unparen(e ast.Expr) ast.Expr {
	for {
		p, ok := e.(*ast.Paren)
		if !ok {
			return e
		}
		e = p.X
	}
}

func isNum(e ast.Expr) bool { _, ok := unparen(e).(*ast.Num); return ok }
