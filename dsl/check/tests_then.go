package check

import (
	"strconv"
	"strings"

	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/value"
)

func (t *tester) then(s ast.Step) TestStep {
	if t.when == nil && t.whens == 0 {
		t.c.report(diag.TestShape, s.Pos(), "`then` follows a `when`").Hint = "add `when command { … }` before it"
	}
	t.checked = true
	switch s := s.(type) {
	case *ast.ThenEmit:
		t.emits++
		t.outcomeIs(s.Span, "accepted")
		return t.thenEmit(s)
	case *ast.ThenNothing:
		if t.emits > 0 {
			t.c.report(diag.TestShape, s.Span, "`then nothing` and `then emit` exclude each other").Hint = "remove one"
		}
		t.outcomeIs(s.Span, "accepted")
		return &ThenNothing{Place{s.Span}}
	case *ast.ThenReject:
		t.outcomeIs(s.Span, "refused")
		return t.thenReject(s)
	case *ast.ThenInvalid:
		t.outcomeIs(s.Span, "refused")
		return t.thenInvalid(s)
	case *ast.ThenFault:
		t.outcomeIs(s.Span, "refused")
		return t.thenFault(s)
	case *ast.ThenGas:
		return t.thenGas(s)
	case *ast.ThenCond:
		m := t.mark()
		x := t.condition(s.Cond, place{what: "the condition of `then`"})
		t.pop(m)
		return &ThenCond{Place{s.Span}, x, s.Cond.Pos().Text(), operands(x)}
	}
	return nil
}

// outcomeIs refuses a command that is said to be accepted and refused.
func (t *tester) outcomeIs(at diag.Span, outcome string) {
	if t.outcome == "" {
		t.outcome = outcome
		return
	}
	if t.outcome != outcome || outcome == "refused" {
		t.c.report(diag.TestShape, at, "one `when` has one outcome, and it is said above").Hint = "remove one of the two"
	}
}

func (t *tester) thenEmit(s *ast.ThenEmit) TestStep {
	t.c.eventName(t.agg, s.Event)
	e := t.agg.event[s.Event.Text]
	if e == nil {
		t.unknownEvent(s.Event)
		return nil
	}
	if e.retired {
		t.retired(s.Event, e)
		return nil
	}
	v := e.current()
	want, ok := t.wants(s.Items, v.fields, s.Event.Span, v.ast.Name.Span)
	if !ok {
		return nil
	}
	return &ThenEmit{Place{s.Span}, v.out, want}
}

// wants settles what the fields of fs are compared with (rulings 83, 112).
func (t *tester) wants(items []*ast.Item, fs *fieldSet, at, decl diag.Span) ([]*Want, bool) {
	out := make([]*Want, len(fs.fields))
	given := make([]*ast.Item, len(fs.fields))
	ok := true
	misspelt := map[int]bool{}
	for _, it := range items {
		if it.Spread {
			t.c.report(diag.BadSpread, it.Span, "`then emit` takes no `..`").Hint = "write the fields, or `_` for any value"
			ok = false
			continue
		}
		i := t.itemField(it, fs, given, decl)
		if i < 0 {
			ok = false
			misspelt[fs.find(nearest(it.Name.Text, fs.names()))] = true
			continue
		}
		given[i] = it
		f := &fs.fields[i]
		out[i] = t.want(it.Value, f.Type, place{name: f.Name, of: fs.what, decl: fs.asts[i].Type.Pos()})
		ok = ok && out[i] != nil
	}
	var missing []string
	for i := range fs.fields {
		f := &fs.fields[i]
		switch {
		case given[i] != nil:
		case f.HasDefault:
			out[i] = &Want{Value: &Const{Typed{f.Type, at}, f.Default}, Type: f.Type, Span: at}
		case f.Type.Kind == value.Optional:
			out[i] = &Want{Value: &Const{Typed{f.Type, at}, value.None}, Type: f.Type, Span: at}
		default:
			ok = false
			if !bad(f.Type) && !misspelt[i] {
				missing = append(missing, f.Name)
			}
		}
	}
	if len(missing) > 0 {
		t.missingFields(fs, missing, at, decl).Hint = "give them, or write `_` for any value: `" + strings.Join(missing, ": _, ") + ": _`"
	}
	return out, ok
}

// want settles what a value is compared with; nil has been reported.
func (t *tester) want(e ast.Expr, typ *value.Type, p place) *Want {
	out := &Want{Type: typ, Span: e.Pos()}
	if _, ok := unparen(e).(*ast.Blank); ok {
		out.Blank = true
		return out
	}
	if bad(typ) {
		return nil
	}
	if !hasBlank(e) {
		out.Value = t.as(e, typ, p)
		if bad(out.Value.Type()) {
			return nil
		}
		return out
	}
	switch e := unparen(e).(type) {
	case *ast.RecordLit:
		return t.wantRecord(e, out, bare(typ), p)
	case *ast.ListLit:
		return t.wantList(e, out, bare(typ), p)
	case *ast.MapLit:
		return t.wantMap(e, out, bare(typ), p)
	}
	t.c.report(diag.BlankHere, e.Pos(), "`_` stands for a whole value: a field, or a part of a record, list or map").Hint = "write the value"
	return nil
}

// hasBlank tells whether a record, list or map literal holds a `_`.
func hasBlank(e ast.Expr) bool {
	switch e := unparen(e).(type) {
	case *ast.Blank:
		return true
	case *ast.RecordLit:
		for _, it := range e.Items {
			if !it.Spread && hasBlank(it.Value) {
				return true
			}
		}
	case *ast.ListLit:
		for _, x := range e.Elems {
			if hasBlank(x) {
				return true
			}
		}
	case *ast.MapLit:
		for _, x := range e.Values {
			if hasBlank(x) {
				return true
			}
		}
	}
	return false
}

func (t *tester) notWanted(e ast.Expr, got string, typ *value.Type, p place) *Want {
	d := t.c.report(diag.TypeMismatch, e.Pos(), "%s needs %s, not %s", p, typeName(typ), got)
	declaredAt(d, p.decl, "the type is written here")
	return nil
}

func (t *tester) wantRecord(e *ast.RecordLit, out *Want, typ *value.Type, p place) *Want {
	decl := t.recordNamed(e)
	if decl == nil {
		return nil
	}
	if typ.Kind != value.Record || typ.Record != decl.typ.Record {
		return t.notWanted(e, decl.name.Text, typ, p)
	}
	parts, ok := t.wants(e.Items, decl.fields, e.Name.Span, decl.name.Span)
	if !ok {
		return nil
	}
	out.Parts = parts
	return out
}

func (t *tester) wantList(e *ast.ListLit, out *Want, typ *value.Type, p place) *Want {
	if typ.Kind != value.List {
		return t.notWanted(e, "a list", typ, p)
	}
	for _, x := range e.Elems {
		w := t.want(x, typ.Elem, place{what: "an element of this list"})
		if w == nil {
			return nil
		}
		out.Parts = append(out.Parts, w)
	}
	return out
}

func (t *tester) wantMap(e *ast.MapLit, out *Want, typ *value.Type, p place) *Want {
	if typ.Kind != value.Map {
		return t.notWanted(e, "a map", typ, p)
	}
	for i, x := range e.Values {
		k := t.as(e.Keys[i], typ.Key, place{what: "a key of this map"})
		w := t.want(x, typ.Elem, place{what: "a value of this map"})
		if w == nil || bad(k.Type()) {
			return nil
		}
		out.Keys = append(out.Keys, k)
		out.Parts = append(out.Parts, w)
	}
	return out
}

func (t *tester) thenReject(s *ast.ThenReject) TestStep {
	out := &ThenReject{Place: Place{s.Span}}
	r := s.Refusal
	if r == nil {
		return nil
	}
	if r.Message != nil {
		out.Message = t.message(r.Message)
	}
	if r.CodeExpr != nil {
		out.Code = t.as(r.CodeExpr, value.StringType, place{what: "the code of `then reject`"})
		t.codesOf(r.CodeExpr)
		return out
	}
	t.c.codeName(t.agg, r.Code.Text, r.Code.Span)
	t.knownCode(r.Code.Text, r.Code.Span)
	out.Code = &Const{Typed{value.StringType, r.Code.Span}, value.MakeString(r.Code.Text)}
	return out
}

// knownCode reports a code that neither a rule nor the system gives (ruling 118).
func (t *tester) knownCode(code string, at diag.Span) {
	if reservedCodes[code] || t.agg.codes[code] != nil {
		return
	}
	d := t.c.report(diag.UnknownCode, at, "no rule of %s gives the code %q", t.agg.out.Name, code)
	known := append(sortedKeys(t.agg.codes), sortedKeys(reservedCodes)...)
	if !didYouMean(d, at, code, known) && len(t.agg.codes) > 0 {
		d.Hint = "its rules give " + quoteList(sortedKeys(t.agg.codes))
	}
}

// codesOf checks the codes that a column holds.
func (t *tester) codesOf(e ast.Expr) {
	n, ok := unparen(e).(*ast.NameExpr)
	if !ok {
		return
	}
	for i, col := range t.ast.Columns {
		if col.Name.Text != n.Name {
			continue
		}
		for _, r := range t.ast.Rows {
			if i < len(r.Values) {
				if s, ok := unparen(r.Values[i]).(*ast.Str); ok {
					t.c.codeName(t.agg, s.Value, inQuotes(s.Span))
					t.knownCode(s.Value, s.Span)
				}
			}
		}
	}
}

func (t *tester) thenInvalid(s *ast.ThenInvalid) TestStep {
	if t.command != nil {
		t.invalidPath(s)
	}
	return &ThenInvalid{Place{s.Span}, s.Path}
}

// invalidPath checks that a path such as lines[2].qty leads to a field of the command.
func (t *tester) invalidPath(s *ast.ThenInvalid) {
	fs := t.command.fields
	decl := t.command.ast.Name.Span
	var typ *value.Type
	off := int32(0)
	for _, step := range splitPath(s.Path) {
		if fs != nil && !step.element {
			i := fs.find(step.text)
			t.pathField(s, fs, step.text, &off)
			if i < 0 {
				t.wrongPath(s, "unknown field \""+step.text+"\" in "+fs.what, step.text, fs.names(), decl)
				return
			}
			typ, fs = bare(fs.fields[i].Type), nil
			if typ.Kind == value.Record {
				r := t.c.records[typ.Record]
				fs, decl = r.fields, r.name.Span
			}
			continue
		}
		if typ == nil || !step.element || typ.Kind != value.List && typ.Kind != value.Map && typ.Kind != value.Set && typ.Kind != value.JSON {
			t.wrongPath(s, "the path "+s.Path+" leads nowhere in "+t.command.fields.what, "", nil, decl)
			return
		}
		if typ.Kind == value.JSON {
			return
		}
		typ, fs = bare(typ.Elem), nil
		if typ.Kind == value.Record {
			r := t.c.records[typ.Record]
			fs, decl = r.fields, r.name.Span
		}
	}
}

func (t *tester) wrongPath(s *ast.ThenInvalid, msg, name string, names []string, decl diag.Span) {
	d := t.c.report(diag.BadInvalidPath, s.PathSpan, "%s", msg)
	if near := nearest(name, names); near != "" {
		d.Hint = `did you mean "` + near + `"?`
	} else if len(names) > 0 {
		d.Hint = "it has " + quoteList(names)
	}
	declaredAt(d, decl, "it is declared here")
}

type pathStep struct {
	text    string
	element bool // in brackets
}

// splitPath takes `a.b[2].c` or `m["k"].c` apart.
func splitPath(path string) []pathStep {
	var out []pathStep
	for path != "" {
		switch {
		case path[0] == '.':
			path = path[1:]
		case strings.HasPrefix(path, `["`):
			quoted, err := strconv.QuotedPrefix(path[1:])
			if err != nil {
				return append(out, pathStep{path, true})
			}
			text, _ := strconv.Unquote(quoted)
			out = append(out, pathStep{text, true})
			path = strings.TrimPrefix(path[1+len(quoted):], "]")
		case path[0] == '[':
			inner, rest, _ := strings.Cut(path[1:], "]")
			out = append(out, pathStep{inner, true})
			path = rest
		default:
			i := strings.IndexAny(path, ".[")
			if i < 0 {
				i = len(path)
			}
			out = append(out, pathStep{path[:i], false})
			path = path[i:]
		}
	}
	return out
}

func (t *tester) thenFault(s *ast.ThenFault) TestStep {
	f, ok := value.ParseFault(s.Kind.Text)
	if !ok {
		d := t.c.report(diag.UnknownFault, s.Kind.Span, "unknown fault %q", s.Kind.Text)
		if !didYouMean(d, s.Kind.Span, s.Kind.Text, faultNames()) {
			d.Hint = "the faults are " + strings.Join(faultNames(), ", ")
		}
		return nil
	}
	return &ThenFault{Place{s.Span}, f}
}

func faultNames() []string {
	var out []string
	for f := value.Gas; f <= value.Memory; f++ {
		out = append(out, f.String())
	}
	return out
}

func (t *tester) thenGas(s *ast.ThenGas) TestStep {
	if s.N == nil {
		return nil
	}
	n, ok := parseInt(s.N.Text)
	if !ok || n < 0 {
		t.c.report(diag.NumberOutOfRange, s.N.Span, "gas is a whole number, not %s", s.N.Text)
		return nil
	}
	return &ThenGas{Place{s.Span}, n, s.Op == "<="}
}
