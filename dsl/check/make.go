package check

import (
	"strings"

	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/value"
)

func (b *body) recordLit(e *ast.RecordLit) Expr {
	t := b.recordNamed(e)
	if t == nil {
		b.checkItems(e.Items)
		return b.bad(e.Span)
	}
	typ := b.c.typeOf(t)
	b.c.recordDefaults(t, e.Span)
	mk, ok := b.make(e.Items, t.fields, e.Name.Span, t.name.Span)
	if !ok || len(mk.Fields) == 0 {
		return b.bad(e.Span)
	}
	return b.fold(&RecordLit{Typed{typ, e.Span}, mk})
}

func (b *body) recordNamed(e *ast.RecordLit) *typeDecl {
	var t *typeDecl
	if e.Qualifier.Text != "" {
		t = b.c.qualified(e.Qualifier, e.Name)
		if t == nil {
			return nil
		}
	} else if t = b.sc.typ(e.Name.Text); t == nil {
		b.c.typeRef(b.sc, e.Name, nil, false)
		d := b.c.report(diag.UnknownType, e.Name.Span, "unknown type %q", e.Name.Text)
		if !didYouMean(d, e.Name.Span, e.Name.Text, b.sc.typeNames()) {
			d.Hint = b.c.elsewhere(e.Name.Text)
		}
		return nil
	}
	b.c.typeRef(b.sc, e.Name, t, false)
	if t.record == nil {
		d := b.c.report(diag.NotAValue, e.Name.Span, "%s is an enum, not a record", e.Name.Text)
		d.Hint = "take a member, `" + e.Name.Text + "." + firstMember(t) + "`"
		return nil
	}
	return t
}

func (b *body) checkItems(items []*ast.Item) {
	for _, it := range items {
		if !it.Spread && it.Value != nil && rank(b, it.Value) < 2 {
			b.expr(it.Value, nil)
		}
	}
}

// spread is where the fields that are not written come from.
type spread struct {
	item   *ast.Item
	fields *fieldSet
	make   func(i int, at diag.Span) Expr
}

// make settles the items of an emit, upcast, record or test step: a value for each field of fs,
// exactly of its type. at is where missing fields are reported, decl where fs is declared.
func (b *body) make(items []*ast.Item, fs *fieldSet, at, decl diag.Span) (Make, bool) {
	mk := Make{Fields: make([]Expr, len(fs.fields))}
	ok := true
	var sp *spread
	given := make([]*ast.Item, len(fs.fields))
	misspelt := map[int]bool{}
	for _, it := range items {
		switch {
		case it.Spread:
			if sp != nil {
				continue // the parser has said so
			}
			if sp = b.spread(it, &mk); sp == nil {
				ok = false
				sp = &spread{item: it}
			}
		default:
			i := b.itemField(it, fs, given, decl)
			if i < 0 {
				ok = false
				misspelt[fs.find(nearest(it.Name.Text, fs.names()))] = true
				continue
			}
			given[i] = it
		}
	}
	var missing []string
	for i := range fs.fields {
		f := &fs.fields[i]
		switch {
		case given[i] != nil:
			mk.Fields[i] = b.as(given[i].Value, f.Type, place{name: f.Name, of: fs.what, decl: fs.asts[i].Type.Pos()})
		case sp != nil && sp.fields == nil:
			continue
		case sp != nil && sp.fields.find(f.Name) >= 0:
			mk.Fields[i] = b.spreadField(sp, fs, i)
		case f.HasDefault:
			mk.Fields[i] = &Const{Typed{f.Type, at}, f.Default}
		case f.Type.Kind == value.Optional:
			mk.Fields[i] = &Const{Typed{f.Type, at}, value.None}
		default:
			if !bad(f.Type) && !misspelt[i] {
				missing = append(missing, f.Name)
			}
			ok = false
			continue
		}
		ok = ok && !bad(mk.Fields[i].Type())
	}
	if len(missing) > 0 {
		b.missingFields(fs, missing, at, decl)
	}
	return mk, ok
}

// itemField finds the field that it gives, -1 if there is none or it was given before.
func (b *body) itemField(it *ast.Item, fs *fieldSet, given []*ast.Item, decl diag.Span) int {
	i := fs.find(it.Name.Text)
	b.c.fieldName(fs, it.Name, i, given)
	if i < 0 {
		b.unknownField(fs.what, it.Name, fs.names(), decl)
		if !hasBlank(it.Value) {
			b.checkItems([]*ast.Item{it})
		}
		return -1
	}
	if given[i] != nil {
		d := b.c.report(diag.FieldTwice, it.Name.Span, "the field %q is given twice", it.Name.Text)
		declaredAt(d, given[i].Span, "the first is here")
		return -1
	}
	return i
}

func (b *body) missingFields(fs *fieldSet, missing []string, at, decl diag.Span) *diag.Diagnostic {
	noun := "the field "
	if len(missing) > 1 {
		noun = "the fields "
	}
	d := b.c.report(diag.MissingField, at, "%s needs %s%s", fs.what, noun, quoteList(missing))
	var paste []string
	for _, m := range missing {
		paste = append(paste, m+": "+sample(fs.fields[fs.find(m)].Type))
	}
	d.Hint = "add `" + strings.Join(paste, ", ") + "`"
	declaredAt(d, decl, "%s is declared here", fs.what)
	return d
}

// spread resolves `..x` (ruling 113).
func (b *body) spread(it *ast.Item, mk *Make) *spread {
	if n, ok := unparen(it.Value).(*ast.NameExpr); ok && roots[n.Name] && b.locals[n.Name] == nil {
		return b.rootSpread(it, n)
	}
	x := b.expr(it.Value, nil)
	t := x.Type()
	switch {
	case bad(t):
		return nil
	case t.Kind != value.Record:
		code := diag.BadSpread
		if t.Kind == value.Optional && t.Elem.Kind == value.Record {
			code = diag.MaybeAbsent
		}
		d := b.c.report(code, it.Value.Pos(), "`..` takes fields from a record, not from %s", article(t))
		d.Hint = "write `..cmd`, `..event`, `..old` or a record"
		if code == diag.MaybeAbsent {
			d.Hint = "it may be absent: bind it, `require " + it.Value.Pos().Text() + " is some v else …`, then `..v`"
		}
		return nil
	}
	mk.Spread = x
	mk.SpreadLocal = &Local{Type: t, Span: it.Span}
	fs := b.c.records[t.Record].fields
	return &spread{item: it, fields: fs, make: func(i int, at diag.Span) Expr {
		return b.fold(&FieldOf{Typed{fs.fields[i].Type, at}, &LocalRef{Typed{t, at}, mk.SpreadLocal}, i})
	}}
}

func (b *body) rootSpread(it *ast.Item, n *ast.NameExpr) *spread {
	if !b.sees(n.Name) {
		b.notSeen(n.Name, n.Span)
		return nil
	}
	b.sawRoot(n, ast.Name{})
	switch {
	case n.Name == "cmd":
		return &spread{item: it, fields: b.cmd.fields, make: func(i int, at diag.Span) Expr {
			b.cmd.reads[i] = true
			return &CmdField{Typed{b.cmd.fields.fields[i].Type, at}, i}
		}}
	case n.Name == b.rule.event:
		if b.event.fields == nil {
			return nil
		}
		return &spread{item: it, fields: b.event.fields, make: func(i int, at diag.Span) Expr {
			return &EventField{Typed{b.event.fields.fields[i].Type, at}, i}
		}}
	}
	d := b.c.report(diag.BadSpread, n.Span, "`..%s` cannot be spread", n.Name)
	d.Hint = "`..` takes `cmd`, `event`, the `old` of an upcast, or a record"
	return nil
}

// spreadField is field i of fs taken from sp, widened.
func (b *body) spreadField(sp *spread, fs *fieldSet, i int) Expr {
	f := &fs.fields[i]
	j := sp.fields.find(f.Name)
	from := sp.fields.fields[j].Type
	x := sp.make(j, sp.item.Span)
	if bad(f.Type) || bad(from) {
		return b.bad(sp.item.Span)
	}
	if y := b.coerce(x, f.Type); y != nil {
		return y
	}
	d := b.c.report(diag.TypeMismatch, sp.item.Span, "`%s` brings %q as %s, and %s needs %s", sp.item.Span.Text(), f.Name, typeName(from), fs.what, typeName(f.Type))
	d.Hint = "write the field: `" + f.Name + ": …`"
	declaredAt(d, sp.fields.asts[j].Type.Pos(), "it is %s here", typeName(from))
	declaredAt(d, fs.asts[i].Type.Pos(), "and %s here", typeName(f.Type))
	return b.bad(sp.item.Span)
}
