package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/value"
)

const tsHead = `// Numbers: an Int is 64-bit and a Decimal has up to 34 digits, more than a JavaScript number keeps.
// JSON.parse rounds; ask for "Accept: application/json;numbers=string", or parse with a library that
// keeps digits. Commands take both forms: send what must be exact as a string.
export type Int = number | string;
export type Decimal = string | number;
/** A calendar day, such as "2026-01-31". */
export type CalendarDate = string;
/** A moment in UTC, RFC 3339. */
export type Timestamp = string;
/** Such as "1h30m". */
export type Duration = string;
export type UUID = string;
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** One stored event. */
export interface StoredEvent<Type extends string, Schema extends number, Payload> {
  event_id: UUID;
  version: number;
  event_type: Type;
  schema: Schema;
  payload: Payload;
  timestamp: Timestamp;
}

/** What a command is answered with. */
export interface Reply<Event> {
  tenant_id: string;
  aggregate_type: string;
  aggregate_id: UUID;
  command_id: UUID;
  version: number;
  events: Event[];
  duplicate: boolean;
  token: string;
}

/** A refusal or error, RFC 9457. */
export interface Problem<Code extends string = string> {
  title: string;
  status: number;
  code: Code | string;
  detail?: string;
  command_id?: UUID;
  errors?: { path: string; message: string }[];
}
`

// tsOurs are names that the head declares; an author's type of that name gets a "_".
var tsOurs = map[string]bool{"Int": true, "Decimal": true, "CalendarDate": true, "Timestamp": true, "Duration": true, "UUID": true,
	"Json": true, "StoredEvent": true, "Reply": true, "Problem": true}

// TypeScript writes the types of a set, one name space for each aggregate.
func TypeScript(w io.Writer, set *check.Set, info SchemaInfo) error {
	t := &tsWriter{}
	t.line(0, "// "+oneLine(info.Title)+", "+info.Version+". Made by `aggc schema`; do not edit.")
	t.b.WriteString(tsHead)
	for _, a := range set.Aggregates {
		t.line(0, "")
		t.aggregate(a)
	}
	_, err := io.WriteString(w, t.b.String())
	return err
}

type tsWriter struct {
	b strings.Builder
	f form
}

func (t *tsWriter) line(depth int, s string) {
	t.b.WriteString(strings.Repeat("  ", depth) + s + "\n")
}

func (t *tsWriter) doc(depth int, s string) {
	if s = strings.ReplaceAll(strings.Join(strings.Fields(s), " "), "*/", "* /"); s != "" {
		t.line(depth, "/** "+s+" */")
	}
}

func (t *tsWriter) aggregate(a *check.Aggregate) {
	t.doc(0, a.Doc)
	t.line(0, "export namespace "+a.Name+" {")
	t.f = reply
	t.types(a)
	t.doc(1, "The state, as replies show it.")
	t.fields("export interface State", a.State, a.StateInfo, 1)
	var derived []value.Field
	var info []check.FieldInfo
	for _, d := range a.Derives {
		derived = append(derived, value.Field{Name: d.Name, Type: d.Type})
		info = append(info, check.FieldInfo{Doc: d.Doc})
	}
	t.fields("export interface Derived", derived, info, 1)
	t.commands(a)
	t.events(a)
	t.f = reply
	var codes []string
	for _, c := range codesOf(a) {
		codes = append(codes, quote(c))
	}
	t.doc(1, "The codes with which a rule of "+a.Name+" refuses a command.")
	t.union("export type Rejection", codes)
	t.line(0, "}")
}

func quote(s string) string {
	b, _ := json.Marshal(s) // a string always marshals
	return string(b)
}

func (t *tsWriter) union(head string, list []string) {
	if len(list) == 0 {
		list = []string{"never"}
	}
	t.line(1, head+" =")
	for i, s := range list {
		end := ""
		if i == len(list)-1 {
			end = ";"
		}
		t.line(2, "| "+s+end)
	}
}

// types are the enums and records; a record has a second form for what is sent, in which fields
// with a default may be left out.
func (t *tsWriter) types(a *check.Aggregate) {
	t.line(1, "export namespace types {")
	for _, e := range a.Enums {
		var wires []string
		for _, m := range e.Type.Members {
			wires = append(wires, quote(m.Wire))
		}
		t.doc(2, e.Doc)
		t.line(2, "export type "+tsName(e.Type.Name)+" = "+strings.Join(wires, " | ")+";")
	}
	for _, r := range a.Records {
		for _, f := range []form{reply, incoming} {
			t.f = f
			t.doc(2, r.Doc)
			t.fields("export interface "+t.recordName(r.Type), r.Type.Fields, r.Fields, 2)
		}
	}
	t.f = reply
	t.line(1, "}")
}

func tsName(name string) string {
	if tsOurs[name] {
		return name + "_"
	}
	return name
}

func (t *tsWriter) recordName(r *value.RecordType) string {
	if t.f == incoming {
		return tsName(r.Name) + "$Input"
	}
	return tsName(r.Name)
}

func (t *tsWriter) fields(head string, list []value.Field, info []check.FieldInfo, depth int) {
	if len(list) == 0 {
		t.line(depth, head+" {}")
		return
	}
	t.line(depth, head+" {")
	for i, f := range list {
		if i < len(info) {
			t.doc(depth+1, info[i].Doc)
		}
		mark := ""
		if t.f != reply && (f.HasDefault || f.Type.Kind == value.Optional) {
			mark = "?"
		}
		t.line(depth+1, f.Name+mark+": "+t.typ(f.Type)+";")
	}
	t.line(depth, "}")
}

var tsKinds = map[value.Kind]string{value.Bool: "boolean", value.Int: "Int", value.Decimal: "Decimal", value.String: "string",
	value.Time: "Timestamp", value.Date: "CalendarDate", value.Duration: "Duration", value.UUID: "UUID", value.JSON: "Json"}

func (t *tsWriter) typ(v *value.Type) string {
	switch v.Kind {
	case value.Enum:
		return "types." + tsName(v.Enum.Name)
	case value.Record:
		return "types." + t.recordName(v.Record)
	case value.Optional:
		return t.typ(v.Elem) + " | null"
	case value.List, value.Set:
		elem := t.typ(v.Elem)
		if strings.Contains(elem, " ") {
			elem = "(" + elem + ")"
		}
		return elem + "[]"
	case value.Map:
		if v.Key.Kind == value.Enum {
			return "{ [key in " + t.typ(v.Key) + "]?: " + t.typ(v.Elem) + " }"
		}
		return "{ [key: string]: " + t.typ(v.Elem) + " }"
	}
	return tsKinds[v.Kind]
}

func (t *tsWriter) commands(a *check.Aggregate) {
	t.f = incoming
	names := newNames()
	var all []string
	t.line(1, "export namespace commands {")
	for _, c := range a.Commands {
		name := names.pascal(c.Name)
		all = append(all, "commands."+name)
		t.doc(2, c.Doc)
		var body tsWriter
		body.f = incoming
		body.fields("export interface "+name, c.Fields, c.Info, 2)
		text := body.b.String()
		kind := "type: " + quote(c.Name) + ";"
		if len(c.Fields) == 0 {
			t.line(2, "export interface "+name+" { "+kind+" }")
			continue
		}
		at := strings.Index(text, "\n") + 1
		t.b.WriteString(text[:at])
		t.line(3, kind)
		t.b.WriteString(text[at:])
	}
	t.line(1, "}")
	t.doc(1, "The body of POST /v1/aggregates/"+a.Name+"/{id}/commands.")
	t.union("export type Command", all)
}

func (t *tsWriter) events(a *check.Aggregate) {
	t.f = stored
	names := newNames()
	var all []string
	t.line(1, "export namespace events {")
	for _, e := range a.Events {
		name := names.pascal(e.Name)
		if !e.Current {
			name = names.pascal(fmt.Sprintf("%s_v%d", e.Name, e.Version))
		}
		all = append(all, fmt.Sprintf("StoredEvent<%s, %d, events.%s>", quote(e.Name), e.Version, name))
		t.doc(2, e.Doc)
		t.fields("export interface "+name, e.Fields, e.Info, 2)
	}
	t.line(1, "}")
	t.union("export type Event", all)
}

// names makes names that do not clash.
type names struct{ taken map[string]bool }

func newNames() *names { return &names{map[string]bool{}} }

// pascal is add_line as AddLine.
func (n *names) pascal(name string) string {
	var b strings.Builder
	for _, part := range strings.Split(name, "_") {
		if part != "" {
			b.WriteString(strings.ToUpper(part[:1]) + part[1:])
		}
	}
	out := b.String()
	for n.taken[out] {
		out += "_"
	}
	n.taken[out] = true
	return out
}
