package check

import (
	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// fieldSet is the fields of a state, record, command or event.
type fieldSet struct {
	what   string // as in "record Hold"
	fields []value.Field
	asts   []*ast.Field
	index  map[string]int
}

// find is the number of the field called name, or -1.
func (fs *fieldSet) find(name string) int {
	if i, ok := fs.index[name]; ok {
		return i
	}
	return -1
}

func (fs *fieldSet) names() []string {
	out := make([]string, len(fs.fields))
	for i, f := range fs.fields {
		out[i] = f.Name
	}
	return out
}

func (fs *fieldSet) info() []FieldInfo {
	out := make([]FieldInfo, len(fs.asts))
	for i, f := range fs.asts {
		out[i] = FieldInfo{Doc: f.Doc, Span: f.Name.Span}
	}
	return out
}

// fieldTypes resolves the types of fields; defaults come later.
func (c *checker) fieldTypes(s *scope, what string, asts []*ast.Field, at typePlace) *fieldSet {
	fs := &fieldSet{what: what, index: make(map[string]int, len(asts))}
	for _, f := range asts {
		if first, twice := fs.index[f.Name.Text]; twice {
			c.twice("field", f.Name, fs.asts[first].Name.Span)
			continue
		}
		fs.index[f.Name.Text] = len(fs.fields)
		fs.asts = append(fs.asts, f)
		fs.fields = append(fs.fields, value.Field{Name: f.Name.Text, Type: c.typ(s, f.Type, at), HasDefault: f.Default != nil})
	}
	return fs
}

// fieldDefaults works out the written defaults.
func (c *checker) fieldDefaults(s *scope, fs *fieldSet) {
	for i, f := range fs.asts {
		if f.Default == nil {
			continue
		}
		v := c.constant(s, f.Default, fs.fields[i].Type)
		if v == nil {
			fs.fields[i].Type, fs.fields[i].HasDefault = value.InvalidType, false
			continue
		}
		if !value.CheckBound(fs.fields[i].Type, v.Value) {
			d := c.report(diag.DefaultOverBound, f.Default.Pos(), "the default of %q breaks its own bound", f.Name.Text)
			declaredAt(d, f.Type.Pos(), "the bound is written here")
		}
		fs.fields[i].Default = v.Value
	}
}

// recordDefaults works out the defaults of record t, once.
func (c *checker) recordDefaults(t *typeDecl, at diag.Span) {
	c.typeOf(t)
	switch t.defaults {
	case underway:
		d := c.report(diag.Cycle, at, "the defaults of record %s need a %s themselves", t.name.Text, t.name.Text)
		d.Hint = "write the value out"
	case untouched:
		t.defaults = underway
		c.fieldDefaults(t.scope, t.fields)
		t.defaults = done
	}
}

// zero is the zero value of t (language.md, Types), or false when t has none; missing names the
// part that has none, for t a record.
func (c *checker) zero(t *value.Type, at diag.Span) (v value.V, missing string, ok bool) {
	switch t.Kind {
	case value.Bool, value.Int, value.Decimal, value.String, value.List, value.Set, value.Map:
		return value.V{}, "", true
	case value.JSON:
		return value.MakeString("null"), "", true
	case value.Optional:
		return value.None, "", true
	case value.Invalid:
		return value.V{}, "", true
	case value.Record:
		return c.zeroRecord(t, at)
	}
	return value.V{}, "", false
}

func (c *checker) zeroRecord(t *value.Type, at diag.Span) (value.V, string, bool) {
	c.recordDefaults(c.records[t.Record], at)
	out := make([]value.V, len(t.Record.Fields))
	for i, f := range t.Record.Fields {
		if f.HasDefault {
			out[i] = f.Default
			continue
		}
		v, missing, ok := c.zero(f.Type, at)
		if !ok {
			if missing != "" {
				missing = "." + missing
			}
			return value.V{}, f.Name + missing, false
		}
		out[i] = v
	}
	if len(out) == 0 {
		return value.V{}, "", true
	}
	return value.MakeRecord(out), "", true
}
