package check

import (
	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// maxDepth is how deep an expression may be nested, chains of operators counted.
const maxDepth = 2_000

// expr checks e. want is the type that its place expects, nil if none; it guides literals, bare
// enum members, `none` and empty brackets, and the result may still be of another type: see as.
func (b *body) expr(e ast.Expr, want *value.Type) Expr {
	b.depth++
	defer func() { b.depth-- }()
	if b.depth > maxDepth {
		if b.depth == maxDepth+1 {
			b.c.report(diag.ExpressionTooDeep, e.Pos(), "this expression is nested more than %d deep", maxDepth).
				Hint = "give parts of it names with `let`"
		}
		return b.bad(e.Pos())
	}
	if e == nil {
		return b.bad(diag.Span{})
	}
	if want != nil && bad(want) {
		want = nil
	}
	switch e := e.(type) {
	case *ast.Num:
		return b.num(e, want)
	case *ast.Str:
		return b.str(e, want)
	case *ast.Interp:
		return b.interp(e, want)
	case *ast.Dur:
		return &Const{Typed{value.DurationType, e.Span}, value.MakeInt(e.Nanos)}
	case *ast.Bool:
		return b.jsonLiteral(&Const{Typed{value.BoolType, e.Span}, value.MakeBool(e.Value)}, want)
	case *ast.None:
		return b.none(e, want)
	case *ast.NameExpr:
		return b.name(e, want)
	case *ast.FieldExpr:
		return b.field(e)
	case *ast.IndexExpr:
		return b.index(e)
	case *ast.Call:
		return b.call(e, want)
	case *ast.Unary:
		return b.unary(e, want)
	case *ast.Binary:
		return b.binary(e, want)
	case *ast.IsSome:
		m := b.mark()
		x := b.isSome(e)
		b.pop(m)
		return x
	case *ast.IsNone:
		return b.isNone(e)
	case *ast.Cond:
		return b.cond(e, want)
	case *ast.ListLit:
		return b.listLit(e, want)
	case *ast.ListComp:
		return b.listComp(e.Span, e.Comp, want)
	case *ast.MapLit:
		return b.mapLit(e, want)
	case *ast.MapComp:
		return b.mapComp(e, want)
	case *ast.RecordLit:
		return b.recordLit(e)
	case *ast.Paren:
		return b.expr(e.X, want)
	case *ast.Range:
		b.expr(e.From, nil)
		b.expr(e.To, nil)
		b.c.report(diag.RangeHere, e.Span, "`a..b` stands after `in` and in patterns only").
			Hint = "a loop over numbers is `for i in range(a, b)`"
	case *ast.Blank:
		b.c.report(diag.BlankHere, e.Span, "`_` stands for any value in `then emit` only").
			Hint = "write the value"
	}
	return b.bad(e.Pos())
}

func (b *body) num(e *ast.Num, want *value.Type) Expr {
	isDecimal, big := numberForm(e.Text)
	switch kind := bareKind(want); {
	case kind == value.JSON:
		return b.jsonNumber(e)
	case isDecimal || kind == value.Decimal:
		if v, ok := value.ParseDecimalText(plainDigits(e.Text)); ok {
			return &Const{Typed{value.DecimalType, e.Span}, v}
		}
		b.c.report(diag.LiteralOutOfRange, e.Span, "the number %s does not fit a decimal", e.Text).
			Hint = "a decimal has up to 34 digits, and up to 34 of them behind the point"
		return b.bad(e.Span)
	}
	if i, ok := parseInt(e.Text); ok && !big {
		return &Const{Typed{value.IntType, e.Span}, value.MakeInt(i)}
	}
	b.c.report(diag.LiteralOutOfRange, e.Span, "the number %s does not fit an int", e.Text).
		Hint = "an int is -9223372036854775808 to 9223372036854775807; a decimal holds up to 34 digits: write " + e.Text + ".0"
	return b.bad(e.Span)
}

func bareKind(t *value.Type) value.Kind {
	if t == nil {
		return value.Invalid
	}
	return bare(t).Kind
}

func (b *body) jsonNumber(e *ast.Num) Expr {
	text := plainDigits(e.Text)
	v, ok := value.ParseDecimalText(text)
	if !ok {
		b.c.report(diag.LiteralOutOfRange, e.Span, "the number %s does not fit", e.Text).Hint = "numbers have up to 34 digits"
		return b.bad(e.Span)
	}
	return &Const{Typed{value.JSONType, e.Span}, value.MakeString(string(value.AppendDecimal(nil, v)))}
}

// jsonLiteral makes json of the literal x where json is expected (ruling 47).
func (b *body) jsonLiteral(x Expr, want *value.Type) Expr {
	if bareKind(want) != value.JSON || bad(x.Type()) {
		return x
	}
	return b.builtin(value.ToJSON, x.Pos(), value.JSONType, x)
}

func (b *body) none(e *ast.None, want *value.Type) Expr {
	switch {
	case want == nil:
		return &Const{Typed{noneType, e.Span}, value.None}
	case want.Kind == value.JSON:
		return &Const{Typed{value.JSONType, e.Span}, value.MakeString("null")}
	case want.Kind == value.Optional:
		return &Const{Typed{want, e.Span}, value.None}
	}
	return &Const{Typed{noneType, e.Span}, value.None}
}

func (b *body) str(e *ast.Str, want *value.Type) Expr {
	kind := bareKind(want)
	switch kind {
	case value.UUID, value.Time, value.Date, value.Duration:
		return b.typedText(e, bare(want))
	}
	return b.jsonLiteral(&Const{Typed{value.StringType, e.Span}, value.MakeString(e.Value)}, want)
}

var textForms = map[value.Kind]string{
	value.UUID:     `a uuid is written "6ba7b810-9dad-11d1-80b4-00c04fd430c8"`,
	value.Time:     `a time is written "2026-01-31T12:00:00Z", years 0001 to 9999`,
	value.Date:     `a date is written "2026-01-31", years 0001 to 9999`,
	value.Duration: `a duration is written "1h30m": units d h m s ms us ns, the largest first`,
}

// typedText reads the text of a typed literal (ruling 125).
func (b *body) typedText(e *ast.Str, t *value.Type) Expr {
	var v value.V
	var ok bool
	switch t.Kind {
	case value.UUID:
		var id [16]byte
		id, ok = value.ParseUUID(e.Value)
		v = value.MakeUUID(id)
	case value.Time:
		v, ok = value.ParseTime(e.Value)
	case value.Date:
		v, ok = value.ParseDate(e.Value)
	case value.Duration:
		v, ok = value.ParseDuration(e.Value)
	}
	if !ok {
		b.c.report(diag.BadText, e.Span, "%q is not %s", e.Value, article(t)).Hint = textForms[t.Kind]
		return b.bad(e.Span)
	}
	return &Const{Typed{t, e.Span}, v}
}

func (b *body) interp(e *ast.Interp, want *value.Type) Expr {
	parts := make([]Expr, 0, 2*len(e.Exprs)+1)
	ok := true
	for i, text := range e.Parts {
		if text != "" {
			parts = append(parts, &Const{Typed{value.StringType, e.Span}, value.MakeString(text)})
		}
		if i < len(e.Exprs) {
			p := b.text(b.expr(e.Exprs[i], nil), "in text")
			ok = ok && !bad(p.Type())
			parts = append(parts, p)
		}
	}
	if !ok {
		return b.bad(e.Span)
	}
	return b.jsonLiteral(b.fold(&Interp{Typed{value.StringType, e.Span}, parts}), want)
}

// text makes a string of x as interpolation does (ruling 63).
func (b *body) text(x Expr, where string) Expr {
	t := x.Type()
	switch {
	case bad(t) || t.Kind == value.String:
		return x
	case t == noneType:
		b.c.report(diag.NeedsType, x.Pos(), "`none` alone has no type %s", where).Hint = `write "none"`
		return b.bad(x.Pos())
	case printable(t):
		return b.builtin(value.StringOf, x.Pos(), value.StringType, x)
	}
	d := b.c.report(diag.NotPrintable, x.Pos(), "%s has no text of its own %s", article(t), where)
	switch t.Kind {
	case value.List, value.Set:
		d.Hint = "join([string(x) for x in " + x.Pos().Text() + `], ", ") makes one`
	case value.Map:
		d.Hint = `join(["{k}" for k, _ in ` + x.Pos().Text() + `], ", ") makes one of its keys`
	case value.Record:
		d.Hint = "take its fields one by one: " + x.Pos().Text() + "." + firstField(t)
	}
	return b.bad(x.Pos())
}

func firstField(t *value.Type) string {
	if len(t.Record.Fields) == 0 {
		return "…"
	}
	return t.Record.Fields[0].Name
}

func (b *body) cond(e *ast.Cond, want *value.Type) Expr {
	m, facts := b.mark(), b.saveFacts()
	c := b.condition(e.If, place{what: "the condition of `if`"})
	var x, y Expr
	if want == nil && rank(b, e.Then) > rank(b, e.Else) {
		bound := b.take(m)
		b.facts = facts.restore()
		b.learnNot(e.If)
		y = b.expr(e.Else, nil)
		b.restore(bound)
		b.facts = facts.restore()
		b.learn(e.If)
		x = b.expr(e.Then, typeHint(y))
		b.pop(m)
	} else {
		b.learn(e.If)
		x = b.expr(e.Then, want)
		b.pop(m)
		if want == nil {
			want = typeHint(x)
		}
		b.facts = facts.restore()
		b.learnNot(e.If)
		y = b.expr(e.Else, want)
	}
	b.facts = facts.restore()
	return b.branches(e.Span, c, x, y)
}

// typeHint is the type of x as an expectation for its neighbour.
func typeHint(x Expr) *value.Type {
	if t := x.Type(); !bad(t) && t != noneType {
		return t
	}
	return nil
}

func (b *body) branches(at diag.Span, c, x, y Expr) Expr {
	t := b.joined(at, x, y, "the branches of `if`")
	if t == nil || bad(c.Type()) {
		return b.bad(at)
	}
	return b.fold(&If{Typed{t, at}, c, b.coerce(x, t), b.coerce(y, t)})
}

// joined is the type that x and y share after widening; nil has been reported.
func (b *body) joined(at diag.Span, x, y Expr, what string) *value.Type {
	t := join(x.Type(), y.Type())
	switch {
	case t == nil:
		d := b.c.report(diag.TypeMismatch, at, "%s are %s and %s, which are not of one type", what, typeName(x.Type()), typeName(y.Type()))
		d.Hint = joinHint(x.Type(), y.Type())
		return nil
	case bad(t):
		return nil
	}
	return t
}

func joinHint(s, t *value.Type) string {
	switch {
	case s.Kind == value.JSON || t.Kind == value.JSON:
		return "read the json first: as_string(j), as_int(j), as_decimal(j), …"
	case s.Kind == value.Date && t.Kind == value.Time || s.Kind == value.Time && t.Kind == value.Date:
		return "date(t) is the day of a time"
	case s.Kind == value.List && t.Kind == value.List:
		return "a list is made of another type by [… for x in xs]"
	}
	return "convert one of them"
}

// rank tells how much e needs to know the type that is expected of it: 0 not at all, 1 a literal
// that adapts, 2 it is nothing without.
func rank(b *body, e ast.Expr) int {
	switch e := e.(type) {
	case *ast.None:
		return 3
	case *ast.Num:
		return 1
	case *ast.Str, *ast.Interp:
		return 1
	case *ast.Paren:
		return rank(b, e.X)
	case *ast.ListLit:
		if len(e.Elems) == 0 {
			return 2
		}
		return maxRank(b, e.Elems)
	case *ast.MapLit:
		if len(e.Keys) == 0 {
			return 2
		}
		return max(maxRank(b, e.Keys), maxRank(b, e.Values))
	case *ast.Cond:
		return min(rank(b, e.Then), rank(b, e.Else))
	case *ast.NameExpr:
		if b.locals[e.Name] == nil && b.sc.constant(e.Name) == nil && !isCapital(e.Name) {
			return 2
		}
	case *ast.Call:
		if e.Comp == nil && len(e.Args) == 1 && e.Fn.Text == "set" {
			return rank(b, e.Args[0])
		}
	case *ast.Unary:
		return min(rank(b, e.X), 1)
	case *ast.Binary:
		switch e.Op {
		case "+", "-", "*", "/", "%", "??":
			return min(rank(b, e.X), rank(b, e.Y))
		}
	}
	return 0
}

func maxRank(b *body, es []ast.Expr) int {
	most := 0
	for _, e := range es {
		most = max(most, rank(b, e))
		if most >= 2 {
			break
		}
	}
	return most
}

func isCapital(name string) bool { return name != "" && name[0] >= 'A' && name[0] <= 'Z' }
