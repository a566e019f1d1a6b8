package report

import (
	"encoding/json"
	"strings"

	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// form says which way the data goes, since the three differ: what comes in may give numbers as
// strings and leave fields out; what is stored never has numbers as strings; a reply has every
// field, and numbers as strings for readers that ask for them.
type form uint8

const (
	incoming form = iota
	stored
	reply
)

var formSuffix = [...]string{incoming: ".input", stored: "", reply: ".reply"}

// schemas makes the schemas of one document. Those of enums and records stand under their name
// and are made when they are first referred to.
type schemas struct {
	refs string // what references begin with
	defs object
	made map[string]bool // the names in defs of enums and records
	agg  *check.Aggregate
}

func newSchemas(refs string) *schemas { return &schemas{refs: refs, made: map[string]bool{}} }

// patterns of texts.
const (
	intPattern      = `^-?(0|[1-9][0-9]*)(\.0+)?$`
	decimalPattern  = `^-?(0|[1-9][0-9]*)(\.[0-9]+)?$`
	durationPattern = `^-?([0-9]+(d|h|ms|m|us|s|ns))+$`
	uuidIn          = `^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$`
	minInt          = "-9223372036854775808"
	maxInt          = "9223372036854775807"
	uuidOut         = `^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`
)

func (s *schemas) ref(name string) object { return object{{"$ref", s.refs + name}} }

// typ is the schema of a type.
func (s *schemas) typ(t *value.Type, f form) object {
	switch t.Kind {
	case value.Bool:
		return object{{"type", "boolean"}}
	case value.Int:
		o := number("integer", intPattern, f)
		o.set("minimum", raw(minInt))
		o.set("maximum", raw(maxInt))
		return o
	case value.Decimal:
		o := number("number", decimalPattern, f)
		o.set("x-agg-type", "decimal")
		return o
	case value.JSON:
		return object{{"description", "Any JSON value."}}
	case value.Enum:
		return s.enum(t.Enum)
	case value.Record:
		return s.record(t.Record, f)
	case value.List:
		o := object{{"type", "array"}, {"items", s.typ(t.Elem, f)}}
		return bounded(o, "maxItems", t.Bound)
	case value.Set:
		o := object{{"type", "array"}, {"items", s.typ(t.Elem, f)}}
		if f == incoming { // repeats count once, so the bound is not one of the array
			return o
		}
		o.set("uniqueItems", true)
		return bounded(o, "maxItems", t.Bound)
	case value.Map:
		o := object{{"type", "object"}, {"additionalProperties", s.typ(t.Elem, f)}, {"propertyNames", s.key(t.Key, f)}}
		return bounded(o, "maxProperties", t.Bound)
	case value.Optional:
		return nullable(s.typ(t.Elem, f))
	}
	return s.text(t, f)
}

// number is a JSON number and, where the form allows it, a string that holds one.
func number(typ, pattern string, f form) object {
	if f == stored {
		return object{{"type", typ}}
	}
	return object{{"type", []string{typ, "string"}}, {"pattern", pattern}}
}

func bounded(o object, key string, n int) object {
	if n > 0 {
		o.set(key, integer(n))
	}
	return o
}

func nullable(o object) object {
	return object{{"anyOf", []object{o, {{"type", "null"}}}}}
}

// text is the schema of the types that are strings.
func (s *schemas) text(t *value.Type, f form) object {
	o := object{{"type", "string"}}
	switch t.Kind {
	case value.String:
		return bounded(o, "maxLength", t.Bound)
	case value.Time:
		o.set("format", "date-time")
		if f != incoming {
			o.set("pattern", "Z$")
		}
	case value.Date:
		o.set("format", "date")
	case value.Duration:
		o.set("pattern", durationPattern)
		o.set("x-agg-type", "duration")
	case value.UUID:
		o.set("format", "uuid")
		if f == incoming {
			o.set("pattern", uuidIn)
		} else {
			o.set("pattern", uuidOut)
		}
	}
	return o
}

// key is the schema of the keys of a map, which are strings in JSON.
func (s *schemas) key(t *value.Type, f form) object {
	if t.Kind == value.Int {
		return object{{"type", "string"}, {"pattern", `^(0|-?[1-9][0-9]*)$`}}
	}
	return s.typ(t, f)
}

func (s *schemas) enum(e *value.EnumType) object {
	name := s.agg.Name + "." + e.Name
	if !s.made[name] {
		s.made[name] = true
		var wires []string
		for _, m := range e.Members {
			wires = append(wires, m.Wire)
		}
		o := object{{"title", e.Name}, {"type", "string"}, {"enum", wires}}
		for _, d := range s.agg.Enums {
			if d.Type == e {
				o.text("description", d.Doc)
			}
		}
		s.defs.set(name, o)
	}
	return s.ref(name)
}

func (s *schemas) record(r *value.RecordType, f form) object {
	name := s.agg.Name + "." + r.Name + formSuffix[f]
	if s.made[name] {
		return s.ref(name)
	}
	s.made[name] = true
	at := len(s.defs)
	s.defs.set(name, nil) // its place; records are never recursive
	var decl check.RecordDecl
	for _, d := range s.agg.Records {
		if d.Type == r {
			decl = *d
		}
	}
	var wheres []*check.Where
	if f == incoming {
		wheres = decl.Wheres
	}
	o := s.fields(r.Name, decl.Doc, r.Fields, decl.Fields, wheres, f) // it may move s.defs
	s.defs[at].value = o
	return s.ref(name)
}

// fields is the schema of an object with these fields and no others.
func (s *schemas) fields(title, doc string, list []value.Field, info []check.FieldInfo, wheres []*check.Where, f form) object {
	o := object{{"title", title}}
	o.text("description", doc)
	o.set("type", "object")
	props, required := object{}, []string{}
	for i := range list {
		fd := &list[i]
		props.set(fd.Name, s.field(fd, i, info, wheres, f))
		if f == reply || !fd.HasDefault && fd.Type.Kind != value.Optional {
			required = append(required, fd.Name)
		}
	}
	o.set("properties", props)
	if len(required) > 0 {
		o.set("required", required)
	}
	o.set("additionalProperties", false)
	return o
}

func (s *schemas) field(fd *value.Field, i int, info []check.FieldInfo, wheres []*check.Where, f form) object {
	bare := fd.Type
	if bare.Kind == value.Optional {
		bare = bare.Elem
	}
	o := s.typ(bare, f)
	where := ""
	for _, w := range wheres {
		if w.Field == i {
			constrain(&o, w)
			where = oneLine(w.Text)
		}
	}
	if fd.Type.Kind == value.Optional {
		o = nullable(o)
	}
	extra := object{}
	if i < len(info) {
		extra.text("description", info[i].Doc)
	}
	if fd.HasDefault && f != reply {
		extra.set("default", raw(string(value.AppendJSON(nil, fd.Type, fd.Default))))
	}
	extra.text("x-agg-where", where)
	if len(extra) == 0 {
		return o
	}
	if o.has("$ref") { // older drafts ignore what stands beside a $ref
		o = object{{"allOf", []object{o}}}
	}
	for _, m := range extra {
		if m.key == "description" && o.has(m.key) {
			continue
		}
		o.set(m.key, m.value)
	}
	return o
}

// constrain adds what JSON Schema can say of a `where`. What it cannot say is left out: the
// schema may allow what the command then refuses, never the other way round.
func constrain(o *object, w *check.Where) {
	if len(w.Params) == 0 || o.has("$ref") {
		return
	}
	self := w.Params[len(w.Params)-1]
	isSelf := func(e check.Expr) bool {
		ref, ok := e.(*check.LocalRef)
		return ok && ref.Local == self
	}
	var conj func(e check.Expr)
	conj = func(e check.Expr) {
		switch e := e.(type) {
		case *check.Logic:
			if e.Op == check.And {
				conj(e.X)
				conj(e.Y)
			}
		case *check.Cmp:
			constrainCmp(o, e, isSelf)
		case *check.InRange:
			from, okFrom := e.From.(*check.Const)
			to, okTo := e.To.(*check.Const)
			if okFrom && okTo && isSelf(e.X) && numeric(e.X.Type()) {
				o.limit(check.Ge, constText(from))
				o.limit(check.Le, constText(to))
			}
		case *check.Call:
			if e.Builtin == value.Matches && isSelf(e.Args[0]) && e.Info.Regexp != nil && portable(e.Info.Regexp.String()) {
				o.setOnce("pattern", e.Info.Regexp.String())
			}
		}
	}
	conj(w.Cond)
}

func numeric(t *value.Type) bool { return t.Kind == value.Int || t.Kind == value.Decimal }

func constText(c *check.Const) string { return string(value.AppendJSON(nil, c.T, c.Value)) }

// portable tells a pattern that RE2 and ECMA-262 surely read alike: no flags or classes of one
// alone, no escapes that the other refuses, no `.` and `\s`, which differ in what they take.
func portable(p string) bool {
	if strings.Contains(p, "(?") || strings.Contains(p, "[[:") {
		return false
	}
	for i := 0; i < len(p); i++ {
		switch c := p[i]; {
		case c > 126 || c < ' ' || c == '.':
			return false
		case c == '\\':
			i++
			if i == len(p) || !strings.ContainsRune(`dDwW.\^$*+?()[]{}|/`, rune(p[i])) {
				return false
			}
		}
	}
	return true
}

var flipped = map[check.CmpOp]check.CmpOp{check.Lt: check.Gt, check.Le: check.Ge, check.Gt: check.Lt, check.Ge: check.Le}

func constrainCmp(o *object, e *check.Cmp, isSelf func(check.Expr) bool) {
	x, op := e.X, e.Op
	k, ok := e.Y.(*check.Const)
	if !ok {
		if k, ok = e.X.(*check.Const); !ok {
			return
		}
		x, op = e.Y, flipped[e.Op]
	}
	if op == check.Eq || op == check.Ne || e.Op == check.Eq || e.Op == check.Ne || !numeric(k.T) {
		return
	}
	if w, ok := x.(*check.Widen); ok {
		x = w.X
	}
	if isSelf(x) {
		o.limit(op, constText(k))
		return
	}
	if c, ok := x.(*check.Call); ok && c.Builtin == value.Len && isSelf(c.Args[0]) && k.T.Kind == value.Int {
		o.length(op, k.Value.Int(), c.Args[0].Type().Kind)
	}
}

func (o *object) limit(op check.CmpOp, n string) {
	key := map[check.CmpOp]string{check.Lt: "exclusiveMaximum", check.Le: "maximum", check.Gt: "exclusiveMinimum", check.Ge: "minimum"}[op]
	for i := range *o { // the limits of int give way to the author's
		if v, ok := (*o)[i].value.(json.RawMessage); ok && (*o)[i].key == key && (string(v) == minInt || string(v) == maxInt) {
			(*o)[i].value = raw(n)
			return
		}
	}
	o.setOnce(key, raw(n))
}

// length limits the length of a string, list or map; a set's is not that of its array.
func (o *object) length(op check.CmpOp, n int64, kind value.Kind) {
	noun, ok := map[value.Kind]string{value.String: "Length", value.List: "Items", value.Map: "Properties"}[kind]
	if !ok {
		return
	}
	switch op {
	case check.Lt:
		n--
	case check.Gt:
		n++
	}
	if n < 0 || n > 1<<31 {
		return
	}
	if op == check.Lt || op == check.Le {
		o.setOnce("max"+noun, integer(int(n)))
		return
	}
	o.setOnce("min"+noun, integer(int(n)))
}
