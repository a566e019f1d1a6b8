package check

import (
	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// maxBound is the greatest bound of a list, set, map or string (ruling 115).
const maxBound = 1_000_000

var scalars = map[string]*value.Type{
	"bool": value.BoolType, "int": value.IntType, "decimal": value.DecimalType, "string": value.StringType,
	"time": value.TimeType, "date": value.DateType, "duration": value.DurationType, "uuid": value.UUIDType,
	"json": value.JSONType,
}

var scalarNames = []string{"bool", "int", "decimal", "string", "time", "date", "duration", "uuid", "json", "list", "set", "map"}

// foreignTypes are the names by which other languages call a type.
var foreignTypes = map[string]string{
	"boolean": "bool", "integer": "int", "int32": "int", "int64": "int", "long": "int", "number": "decimal",
	"float": "decimal", "double": "decimal", "float64": "decimal", "money": "decimal", "text": "string", "str": "string",
	"datetime": "time", "timestamp": "time", "instant": "time", "guid": "uuid", "array": "list", "dict": "map", "object": "json", "any": "json",
}

// resolveTypes settles all enums and records, first what they are, then their defaults.
func (c *checker) resolveTypes() {
	for _, t := range c.types {
		c.typeOf(t)
	}
}

// typeOf is the type that t declares; a record that holds itself is reported (ruling 43).
func (c *checker) typeOf(t *typeDecl) *value.Type {
	if t.types == untouched {
		t.types = underway
		if t.enum != nil {
			c.resolveEnum(t)
		} else {
			c.resolveRecord(t)
		}
		t.types = done
	}
	return t.typ
}

func (c *checker) resolveEnum(t *typeDecl) {
	e := &value.EnumType{Name: t.name.Text, Ordered: t.enum.Ordered}
	t.typ = &value.Type{Kind: value.Enum, Enum: e}
	t.enumOut = &EnumDecl{Type: e, Doc: t.enum.Doc, Span: t.enum.Span}
	c.enums[e] = t
	names, wires := map[string]diag.Span{}, map[string]diag.Span{}
	for _, m := range t.enum.Members {
		if first, twice := names[m.Name.Text]; twice {
			c.twice("member", m.Name, first)
			continue
		}
		names[m.Name.Text] = m.Name.Span
		wire, at := m.Name.Text, m.Name.Span
		if m.Wire != nil {
			wire, at = m.Wire.Value, m.Wire.Span
		}
		if first, twice := wires[wire]; twice {
			d := c.report(diag.WireNameTwice, at, "two members of %s are %q on the wire", t.name.Text, wire)
			d.Hint = "each member needs its own text"
			declaredAt(d, first, "%q is used here", wire)
		}
		wires[wire] = at
		e.Members = append(e.Members, value.Member{Name: m.Name.Text, Wire: wire})
		t.enumOut.MemberDocs = append(t.enumOut.MemberDocs, m.Doc)
	}
	if len(t.enum.Members) == 0 {
		c.report(diag.EmptyType, t.name.Span, "enum %s has no members", t.name.Text).Hint = "an enum needs at least one member"
	}
}

func (c *checker) resolveRecord(t *typeDecl) {
	r := &value.RecordType{Name: t.name.Text}
	t.typ = &value.Type{Kind: value.Record, Record: r}
	c.records[r] = t
	t.recordOut = &RecordDecl{Type: r, Doc: t.record.Doc, Span: t.record.Span}
	t.fields = c.fieldTypes(t.scope, "record "+t.name.Text, t.record.Fields, fieldPlace)
	r.Fields = t.fields.fields
	c.recordSize(t)
	t.recordOut.Fields = t.fields.info()
	if len(t.record.Fields) == 0 {
		c.report(diag.EmptyType, t.name.Span, "record %s has no fields", t.name.Text).Hint = "a record needs at least one field"
	}
}

// maxRecordSize is how many fields a record and the records in it may have together: what is
// made of its type, such as a schema, is as large.
const maxRecordSize = 10_000

func (c *checker) recordSize(t *typeDecl) {
	for i, f := range t.fields.fields {
		t.size += 1 + c.sizeIn(f.Type)
		if t.size > maxRecordSize {
			c.report(diag.RecordTooLarge, t.fields.asts[i].Name.Span, "record %s has more than %d fields, those of the records in it counted", t.name.Text, maxRecordSize).
				Hint = "keep parts of it apart, and refer to them by key"
			t.size = len(t.fields.fields)
			for j := range t.fields.fields { // so that what holds this one stays small
				t.fields.fields[j].Type = value.InvalidType
			}
			return
		}
	}
}

// sizeIn is the size of the record that t is or holds.
func (c *checker) sizeIn(t *value.Type) int {
	for t.Elem != nil {
		t = t.Elem
	}
	if t.Kind != value.Record {
		return 0
	}
	return c.records[t.Record].size
}

// typePlace tells what a written type may be.
type typePlace uint8

const (
	fieldPlace typePlace = iota // fields and parameters: bounds are constraints here
	localPlace                  // let, var, const, results, derives: no bounds
)

// typ resolves a written type.
func (c *checker) typ(s *scope, te ast.TypeExpr, at typePlace) *value.Type {
	switch te := te.(type) {
	case *ast.NamedType:
		return c.namedType(s, te)
	case *ast.OptionalType:
		return c.optionalType(s, te, at)
	case *ast.GenericType:
		return c.genericType(s, te, at)
	}
	return value.InvalidType
}

func (c *checker) namedType(s *scope, te *ast.NamedType) *value.Type {
	name := te.Name.Text
	if te.Qualifier.Text != "" {
		t := c.qualified(te.Qualifier, te.Name)
		if t == nil {
			return value.InvalidType
		}
		c.typeRef(s, te.Name, t, true)
		return c.use(t, te.Span)
	}
	if t := scalars[name]; t != nil {
		return t
	}
	c.typeRef(s, te.Name, s.typ(name), true)
	if t := s.typ(name); t != nil {
		return c.use(t, te.Span)
	}
	d := c.report(diag.UnknownType, te.Name.Span, "unknown type %q", name)
	switch {
	case name == "list" || name == "set" || name == "map":
		d.Message = "the type " + name + " needs what it holds"
		d.Hint = map[string]string{"list": "write list<int>, list<Line, 100>, …", "set": "write set<string>, …", "map": "write map<string, int>, …"}[name]
	case foreignTypes[name] != "":
		d.Hint = "here that type is called " + foreignTypes[name]
		replace(d, true, te.Name.Span, foreignTypes[name], "change to "+foreignTypes[name])
	case c.aggs[name] != nil:
		d.Message = "the aggregate " + name + " is not a type"
		d.Hint = "refer to an aggregate by its id, a uuid"
	case !didYouMean(d, te.Name.Span, name, append(s.typeNames(), scalarNames...)):
		d.Hint = c.elsewhere(name)
	}
	return value.InvalidType
}

// elsewhere tells where a type of that name is declared that the file does not see.
func (c *checker) elsewhere(name string) string {
	for _, f := range c.files {
		if f.own.types[name] != nil {
			return `it is declared in ` + f.name + `: add import "` + f.name + `"`
		}
	}
	for _, a := range c.order {
		if a.names.types[name] != nil {
			return "aggregate " + a.out.Name + " has a type of that name, which only " + a.out.Name + " sees; declare it at top level to share it"
		}
	}
	return "declare it: `enum " + name + " { … }` or `record " + name + " { … }`"
}

// qualified is the type Name of aggregate q.
func (c *checker) qualified(q, name ast.Name) *typeDecl {
	c.aggregateName(q)
	a := c.aggs[q.Text]
	if a == nil {
		d := c.report(diag.UnknownAggregate, q.Span, "unknown aggregate %q", q.Text)
		didYouMean(d, q.Span, q.Text, sortedKeys(c.aggs))
		return nil
	}
	t := a.names.types[name.Text]
	c.typeRef(&scope{layers: []*names{a.names}}, name, t, false)
	if t == nil {
		d := c.report(diag.UnknownType, name.Span, "aggregate %s has no type %q", q.Text, name.Text)
		didYouMean(d, name.Span, name.Text, sortedKeys(a.names.types))
		return nil
	}
	return t
}

// use is the type of t, unless t is being resolved right now and so holds itself.
func (c *checker) use(t *typeDecl, at diag.Span) *value.Type {
	if t.types == underway {
		d := c.report(diag.RecursiveRecord, at, "record %s holds itself", t.name.Text)
		d.Hint = "a record that holds itself has no greatest size: keep the parts in a map and refer to them by key"
		declaredAt(d, t.name.Span, "%s is declared here", t.name.Text)
		return value.InvalidType
	}
	return c.typeOf(t)
}

func (c *checker) optionalType(s *scope, te *ast.OptionalType, at typePlace) *value.Type {
	elem := c.typ(s, te.Elem, at)
	switch elem.Kind {
	case value.Invalid:
		return elem
	case value.JSON:
		d := c.report(diag.BadOptional, te.Span, "json? is not a type")
		d.Hint = "json holds null already: write json"
		replace(d, true, te.Span, "json", "write json")
		return elem
	case value.Optional:
		return elem
	}
	return &value.Type{Kind: value.Optional, Elem: elem}
}

// genericArity is how many types stand in the brackets of each generic type.
var genericArity = map[string]int{"list": 1, "set": 1, "map": 2, "string": 0}

func (c *checker) genericType(s *scope, te *ast.GenericType, at typePlace) *value.Type {
	name := te.Name.Text
	args := make([]*value.Type, len(te.Args))
	for i, a := range te.Args {
		args[i] = c.typ(s, a, at)
	}
	want, known := genericArity[name]
	if !known {
		d := c.report(diag.UnknownType, te.Name.Span, "%s<…> is not a type", name)
		if foreignTypes[name] != "" {
			d.Hint = "here that type is called " + foreignTypes[name]
		} else {
			d.Hint = "only list, set, map and string take brackets"
		}
		return value.InvalidType
	}
	if len(args) != want {
		c.report(diag.UnknownType, te.Span, "%s takes %s in its brackets, not %s", name, plural(want, "type"), plural(len(args), "type")).
			Hint = "write list<T>, set<K>, map<K, V>, string<200>; a bound comes last: list<T, 100>"
		return value.InvalidType
	}
	t := &value.Type{Bound: c.bound(s, te, at)}
	switch name {
	case "string":
		if t.Bound == 0 {
			return value.StringType
		}
		t.Kind = value.String
		return t
	case "list":
		t.Kind, t.Elem = value.List, args[0]
	case "set":
		t.Kind, t.Elem = value.Set, args[0]
		if !c.keyType(args[0], te.Args[0].Pos(), "set") {
			return value.InvalidType
		}
	case "map":
		t.Kind, t.Key, t.Elem = value.Map, args[0], args[1]
		if !c.keyType(args[0], te.Args[0].Pos(), "map") {
			return value.InvalidType
		}
	}
	if t.Elem.Kind == value.Invalid {
		return value.InvalidType
	}
	return t
}

// isKey tells whether t may be a map's key or a set's member.
func isKey(t *value.Type) bool {
	switch t.Kind {
	case value.String, value.Int, value.UUID, value.Date, value.Enum:
		return true
	}
	return false
}

func (c *checker) keyType(t *value.Type, at diag.Span, what string) bool {
	if t.Kind == value.Invalid {
		return false
	}
	if isKey(t) {
		return true
	}
	d := c.report(diag.BadKeyType, at, "%s cannot be the key of a %s", typeName(t), what)
	d.Hint = "keys are string, int, uuid, date or an enum"
	if t.Kind == value.Record {
		d.Hint += `; a key of two parts is a text: "{branch}/{book}"`
	}
	return false
}

// bound is the value of a written bound, 0 if there is none or it was reported.
func (c *checker) bound(s *scope, te *ast.GenericType, at typePlace) int {
	if te.Bound == nil {
		return 0
	}
	if at == localPlace {
		d := c.report(diag.BoundHere, te.Bound.Pos(), "a bound has no effect here")
		d.Hint = "bounds belong to fields and parameters, where they are checked; leave it out here"
		return 0
	}
	v := c.constant(s, te.Bound, value.IntType)
	if v == nil {
		return 0
	}
	if n := v.Value.Int(); n >= 1 && n <= maxBound {
		return int(n)
	}
	c.report(diag.BoundOutOfRange, te.Bound.Pos(), "a bound is from 1 to 1,000,000, not %d", v.Value.Int())
	return 0
}
