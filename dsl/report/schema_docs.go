package report

import (
	"io"
	"slices"

	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// SchemaInfo names a document.
type SchemaInfo struct {
	Title string
	// Version of the documents, such as the hash of the manifest set.
	Version string
}

// numbersNote is said in every document.
const numbersNote = "int is 64-bit and decimal has up to 34 digits: read numbers as exact decimals, not as float64. " +
	"Both are accepted as strings too."

// commandSchema is the payload of a command, with its "type".
func (s *schemas) commandSchema(c *check.Command) object {
	o := s.fields(c.Name, c.Doc, c.Fields, c.Info, c.Wheres, incoming)
	kind := object{{"const", c.Name}}
	for i := range o {
		switch o[i].key {
		case "properties":
			o[i].value = append(object{{"type", kind}}, o[i].value.(object)...)
		case "required":
			o[i].value = append([]string{"type"}, o[i].value.([]string)...)
		}
	}
	if !o.has("required") {
		o.set("required", []string{"type"})
	}
	return o
}

func eventName(a *check.Aggregate, e *check.Event) string {
	return a.Name + ".event." + e.Name + "." + itoa(e.Version)
}

func commandName(a *check.Aggregate, c *check.Command) string { return a.Name + ".command." + c.Name }

func (s *schemas) eventSchema(e *check.Event) object {
	title := e.Name
	if e.Version > 1 || !e.Current {
		title += " @" + itoa(e.Version)
	}
	return s.fields(title, e.Doc, e.Fields, e.Info, nil, stored)
}

// JSONSchema writes the commands, events, states and derived values of a set as the
// definitions of one JSON Schema (draft 2020-12).
func JSONSchema(w io.Writer, set *check.Set, info SchemaInfo) error {
	s := newSchemas("#/$defs/")
	for _, a := range set.Aggregates {
		s.agg = a
		for _, c := range a.Commands {
			s.defs.set(commandName(a, c), s.commandSchema(c))
		}
		for _, e := range a.Events {
			s.defs.set(eventName(a, e), s.eventSchema(e))
		}
		s.defs.set(a.Name+".state", s.fields(a.Name+" state", a.Doc, a.State, a.StateInfo, nil, reply))
		s.defs.set(a.Name+".derived", s.derived(a))
	}
	return WriteJSON(w, object{
		{"$schema", "https://json-schema.org/draft/2020-12/schema"},
		{"$id", "urn:cloudlysis:aggregate:manifest:" + info.Version},
		{"title", info.Title},
		{"description", "Payloads of commands (`.command.`), of stored events (`.event.NAME.VERSION`), states and derived values. " + numbersNote},
		{"$defs", s.defs},
	})
}

func (s *schemas) derived(a *check.Aggregate) object {
	var list []value.Field
	var info []check.FieldInfo
	for _, d := range a.Derives {
		list = append(list, value.Field{Name: d.Name, Type: d.Type})
		info = append(info, check.FieldInfo{Doc: d.Doc})
	}
	return s.fields(a.Name+" derived", "", list, info, nil, reply)
}

// AsyncAPI writes the events of a set as an AsyncAPI 3.0 document: one channel for each
// aggregate type, whose messages are flights of commits (docs/events.md).
func AsyncAPI(w io.Writer, set *check.Set, info SchemaInfo) error {
	s := newSchemas("#/components/schemas/")
	channels, messages, operations := object{}, object{}, object{}
	for _, a := range set.Aggregates {
		s.agg = a
		s.defs.set(a.Name+".event", s.anyEvent(a))
		for _, e := range a.Events {
			s.defs.set(eventName(a, e), s.eventSchema(e))
		}
		s.defs.set(a.Name+".flight", s.flight(a))
		channels.set(a.Name, channel(a))
		messages.set(a.Name, object{
			{"name", a.Name}, {"title", "Commits of one " + a.Name}, {"contentType", "application/json"},
			{"headers", s.ref("headers")}, {"payload", s.ref(a.Name + ".flight")},
		})
		operations.set("receive"+a.Name, object{
			{"action", "receive"}, {"summary", "Take the events of every " + a.Name},
			{"channel", object{{"$ref", "#/channels/" + a.Name}}},
			{"messages", []object{{{"$ref", "#/channels/" + a.Name + "/messages/commits"}}}},
		})
	}
	s.defs.set("headers", flightHeaders())
	return WriteJSON(w, object{
		{"asyncapi", "3.0.0"},
		{"info", object{{"title", info.Title}, {"version", info.Version}, {"description",
			"Stored events on NATS JetStream, stream AGGREGATE_EVENTS. A message is a flight of one or more commits, each the events of one command; " +
				"deliveries are at least once and `event_id` tells repeats apart. A subject may have a sixth token in other layouts: subscribe with `>` at its end. " + numbersNote}}},
		{"defaultContentType", "application/json"},
		{"servers", object{{"nats", object{{"host", "127.0.0.1:4222"}, {"protocol", "nats"}}}}},
		{"channels", channels},
		{"operations", operations},
		{"components", object{{"messages", messages}, {"schemas", s.defs}}},
	})
}

func channel(a *check.Aggregate) object {
	o := object{{"address", "tenant.{tenant}.aggregate." + a.Name + ".{id}"}, {"title", a.Name}}
	o.text("description", a.Doc)
	o.set("messages", object{{"commits", object{{"$ref", "#/components/messages/" + a.Name}}}})
	o.set("parameters", object{
		{"tenant", object{{"description", "Tenant id; _ is the empty tenant."}, {"examples", []string{"acme", "_"}}}},
		{"id", object{{"description", "Aggregate id, a lower case UUID."}}},
	})
	return o
}

// anyEvent is one stored event of an aggregate: its payload goes by its type and version.
func (s *schemas) anyEvent(a *check.Aggregate) object {
	var kinds []object
	for _, e := range a.Events {
		kinds = append(kinds, object{
			{"title", e.Name + " @" + itoa(e.Version)}, {"type", "object"},
			{"required", []string{"event_id", "version", "event_type", "schema", "payload"}},
			{"properties", object{
				{"event_id", object{{"type", "string"}, {"format", "uuid"}}},
				{"version", object{{"type", "integer"}, {"minimum", 1}, {"description", "Of the aggregate after this event; counts from 1 without gaps."}}},
				{"event_type", object{{"const", e.Name}}},
				{"schema", object{{"const", e.Version}}},
				{"payload", s.ref(eventName(a, e))},
			}},
		})
	}
	if len(kinds) == 0 {
		return object{{"title", "One event of " + a.Name}, {"not", object{}}}
	}
	return object{{"title", "One event of " + a.Name}, {"oneOf", kinds}}
}

// flight is the body of a message, open as docs/events.schema.json is.
func (s *schemas) flight(a *check.Aggregate) object {
	str := object{{"type", "string"}}
	commit := object{
		{"type", "object"}, {"required", []string{"command_id", "command_hash", "timestamp", "events"}},
		{"properties", object{
			{"command_id", object{{"type", "string"}, {"format", "uuid"}}},
			{"command_hash", str},
			{"command", object{{"type", "object"}, {"description", "The payload as it was sent."}}},
			{"timestamp", object{{"type", "string"}, {"format", "date-time"}}},
			{"actor", str},
			{"roles", object{{"type", "array"}, {"items", str}}},
			{"metadata", object{{"type", "object"}, {"additionalProperties", str}}},
			{"events", object{{"type", "array"}, {"items", s.ref(a.Name + ".event")}}},
		}},
	}
	return object{
		{"title", "Commits of one " + a.Name}, {"type", "object"},
		{"required", []string{"v", "kind", "tenant_id", "aggregate_type", "aggregate_id", "manifest", "engine", "prev", "commits"}},
		{"properties", object{
			{"v", object{{"const", 1}}},
			{"kind", object{{"const", "commits"}}},
			{"tenant_id", str},
			{"aggregate_type", object{{"const", a.Name}}},
			{"aggregate_id", object{{"type", "string"}, {"format", "uuid"}}},
			{"manifest", object{{"type", "string"}, {"pattern", "^sha256:[0-9a-f]{64}$"}}},
			{"engine", str},
			{"prev", object{{"type", "string"}, {"description", "sha256 of the body before it on its subject; empty for the first."}}},
			{"commits", object{{"type", "array"}, {"minItems", 1}, {"items", commit}}},
		}},
	}
}

func flightHeaders() object {
	str := func(doc string) object { return object{{"type", "string"}, {"description", doc}} }
	return object{
		{"title", "Headers of a flight"}, {"type", "object"},
		{"properties", object{
			{"agg-format", object{{"const", "1"}}},
			{"agg-first-version", str("Version of the first event.")},
			{"agg-version", str("Version of the aggregate after the message.")},
			{"agg-prev-seq", str("Stream sequence of the message before it on its subject.")},
			{"x-tenant-id", str("The tenant; may be empty.")},
			{"x-correlation-id", str("Of the first commit.")},
			{"traceparent", str("Of the first commit.")},
		}},
	}
}

// codesOf are the codes with which commands of an aggregate can be refused by its rules.
func codesOf(a *check.Aggregate) []string {
	var out []string
	for _, r := range a.Rejects {
		out = append(out, r.Code)
	}
	if a.Final != nil && a.Final.Refusal == nil {
		out = append(out, "finished")
	}
	if len(a.Invariants) > 0 {
		out = append(out, "invariant_violated")
	}
	for _, c := range a.Commands {
		if c.CreateElse != nil {
			out = append(out, c.CreateElse.Code)
		}
	}
	if a.Final != nil && a.Final.Refusal != nil {
		out = append(out, a.Final.Refusal.Code)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
