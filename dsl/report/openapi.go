package report

import (
	"io"

	"github.com/cloudlysis/aggregate/dsl/check"
)

// OpenAPI writes the REST door for the aggregates of a set as an OpenAPI 3.1 document.
func OpenAPI(w io.Writer, set *check.Set, info SchemaInfo) error {
	s := newSchemas("#/components/schemas/")
	paths, tags := object{}, []object{}
	for _, a := range set.Aggregates {
		s.agg = a
		s.door(a)
		tag := object{{"name", a.Name}}
		tag.text("description", a.Doc)
		tags = append(tags, tag)
		base := "/v1/aggregates/" + a.Name + "/{id}"
		paths.set(base+"/commands", object{{"parameters", params("id", "tenant", "roles")}, {"post", s.submit(a)}})
		paths.set(base+":simulate", object{{"parameters", params("id", "tenant", "roles")}, {"post", s.simulate(a)}})
		paths.set(base, object{{"parameters", params("id", "tenant")}, {"get", s.read(a)}})
		paths.set(base+"/events", object{{"parameters", params("id", "tenant")}, {"get", s.list(a)}})
	}
	s.defs.set("Problem", problemSchema())
	return WriteJSON(w, object{
		{"openapi", "3.1.0"},
		{"info", object{{"title", info.Title}, {"version", info.Version}, {"description", "Commands, states and events over HTTP. " + numbersNote + " Accept: application/json;numbers=string gives numbers of payload, state and derived as strings."}}},
		{"servers", []object{{{"url", "http://127.0.0.1:8080"}, {"description", "The data door of `aggd serve`."}}}},
		{"tags", tags},
		// {}: a daemon on loopback may ask nobody.
		{"security", []object{{}, {{"bearer", []string{}}}}},
		{"paths", paths},
		{"components", object{{"schemas", s.defs}, {"parameters", parameters()}, {"headers", headers()}, {"responses", responses()}, {"securitySchemes", securitySchemes()}}},
	})
}

func params(names ...string) []object {
	var out []object
	for _, n := range names {
		out = append(out, object{{"$ref", "#/components/parameters/" + n}})
	}
	return out
}

// door makes the schemas that the paths of an aggregate refer to.
func (s *schemas) door(a *check.Aggregate) {
	var oneOf []object
	mapping := object{}
	for _, c := range a.Commands {
		s.defs.set(commandName(a, c), s.commandSchema(c))
		oneOf = append(oneOf, s.ref(commandName(a, c)))
		mapping.set(c.Name, s.refs+commandName(a, c))
	}
	if len(oneOf) > 0 {
		s.defs.set(a.Name+".command", object{{"oneOf", oneOf}, {"discriminator", object{{"propertyName", "type"}, {"mapping", mapping}}}})
	} else {
		s.defs.set(a.Name+".command", object{{"not", object{}}})
	}
	var events []object
	for _, e := range a.Events {
		payload := s.fields(e.Name+" @"+itoa(e.Version), e.Doc, e.Fields, e.Info, nil, stored)
		s.defs.set(eventName(a, e), payload)
		events = append(events, object{
			{"type", "object"}, {"required", []string{"event_id", "version", "event_type", "schema", "payload", "timestamp"}},
			{"properties", object{
				{"event_id", uuidSchema()}, {"version", versionSchema()},
				{"event_type", object{{"const", e.Name}}}, {"schema", object{{"const", e.Version}}},
				{"payload", s.ref(eventName(a, e))}, {"timestamp", timeSchema()},
			}},
		})
	}
	event := object{{"title", "One event of " + a.Name}}
	if len(events) > 0 {
		event.set("oneOf", events)
	}
	s.defs.set(a.Name+".event", event)
	s.defs.set(a.Name+".state", s.fields(a.Name+" state", a.Doc, a.State, a.StateInfo, nil, reply))
	s.defs.set(a.Name+".derived", s.derived(a))
	if codes := codesOf(a); len(codes) > 0 {
		s.defs.set(a.Name+".rejection", object{{"type", "string"}, {"enum", append(codes, "command_id_reused")}})
	} else {
		s.defs.set(a.Name+".rejection", object{{"type", "string"}, {"enum", []string{"command_id_reused"}}})
	}
}

func uuidSchema() object { return object{{"type", "string"}, {"format", "uuid"}} }
func timeSchema() object { return object{{"type", "string"}, {"format", "date-time"}} }
func versionSchema() object {
	return object{{"type", "integer"}, {"minimum", 0}, {"description", "How many events the aggregate has."}}
}

// address are the members that every answer begins with.
func address(a *check.Aggregate) object {
	return object{{"tenant_id", object{{"type", "string"}}}, {"aggregate_type", object{{"const", a.Name}}}, {"aggregate_id", uuidSchema()}}
}

func answer(description string, headers, schema object) object {
	o := object{{"description", description}}
	if len(headers) > 0 {
		o.set("headers", headers)
	}
	o.set("content", object{{"application/json", object{{"schema", schema}}}})
	return o
}

func (s *schemas) submit(a *check.Aggregate) object {
	str := object{{"type", "string"}}
	body := append(address(a),
		member{"command_id", uuidSchema()}, member{"version", versionSchema()},
		member{"events", object{{"type", "array"}, {"items", s.ref(a.Name + ".event")}}},
		member{"duplicate", object{{"type", "boolean"}, {"description", "This command id was seen before; this is its first reply."}}},
		member{"token", object{{"type", "string"}, {"description", "For reads that must see this command."}}})
	schema := object{{"type", "object"}, {"required", []string{"tenant_id", "aggregate_type", "aggregate_id", "command_id", "version", "events", "duplicate", "token"}}, {"properties", body}}
	refused := object{{"description", "A rule said no; `code` tells which."}, {"content", object{{"application/problem+json", object{{"schema",
		object{{"allOf", []object{s.ref("Problem"), {{"properties", object{{"code", s.ref(a.Name + ".rejection")}}}}}}}}}}}}}
	o := object{
		{"operationId", "submit" + a.Name}, {"tags", []string{a.Name}}, {"summary", "Send one command to a " + a.Name},
		{"parameters", append(params("idempotency-key", "if-match", "correlation"), object{
			{"name", "traceparent"}, {"in", "header"}, {"schema", str}})},
		{"requestBody", object{{"required", true}, {"content", object{{"application/json", object{{"schema", s.ref(a.Name + ".command")}}}}}}},
	}
	o.set("responses", object{
		{"200", answer("Accepted and durable.", nil, schema)},
		{"400", problem("invalid")}, {"401", problem("unknown")}, {"403", problem("forbidden")}, {"404", problem("absent")}, {"409", problem("conflict")}, {"413", problem("large")},
		{"422", refused}, {"429", problem("busy")}, {"500", problem("fault")}, {"503", problem("unavailable")},
	})
	return o
}

func (s *schemas) simulate(a *check.Aggregate) object {
	str, num := object{{"type", "string"}}, object{{"type", "integer"}}
	step := object{{"type", "object"}, {"properties", object{{"rule", str}, {"file", str}, {"line", num}, {"gas", num}}}}
	body := append(address(a),
		member{"command_id", uuidSchema()}, member{"version", versionSchema()},
		member{"accepted", object{{"type", "boolean"}}}, member{"problem", s.ref("Problem")},
		member{"events", object{{"type", "array"}, {"items", s.ref(a.Name + ".event")}}},
		member{"state", s.ref(a.Name + ".state")}, member{"derived", s.ref(a.Name + ".derived")}, member{"gas", num},
		member{"trace", object{{"type", "array"}, {"description", "The lines of the rules, in the order in which they ran, with the gas used so far."}, {"items", step}}})
	schema := object{{"type", "object"}, {"required", []string{"tenant_id", "aggregate_type", "aggregate_id", "command_id", "version", "accepted", "events", "state", "derived", "gas", "trace"}}, {"properties", body}}
	return object{
		{"operationId", "simulate" + a.Name}, {"tags", []string{a.Name}}, {"summary", "Ask what a command to a " + a.Name + " would do; nothing is persisted"},
		{"parameters", params("idempotency-key", "if-match")},
		{"requestBody", object{{"required", true}, {"content", object{{"application/json", object{{"schema", s.ref(a.Name + ".command")}}}}}}},
		{"responses", object{
			{"200", answer("What would happen: events and the state after them, or the problem and the state as it is.", nil, schema)},
			{"400", problem("invalid")}, {"401", problem("unknown")}, {"403", problem("forbidden")}, {"409", problem("conflict")}, {"413", problem("large")}, {"429", problem("busy")}, {"500", problem("fault")}, {"503", problem("unavailable")},
		}},
	}
}

func problem(name string) object { return object{{"$ref", "#/components/responses/" + name}} }

func (s *schemas) read(a *check.Aggregate) object {
	body := append(address(a), member{"version", versionSchema()}, member{"state", s.ref(a.Name + ".state")},
		member{"derived", s.ref(a.Name + ".derived")}, member{"updated_at", timeSchema()}, member{"token", object{{"type", "string"}}})
	schema := object{{"type", "object"}, {"required", []string{"tenant_id", "aggregate_type", "aggregate_id", "version", "state", "derived", "updated_at", "token"}}, {"properties", body}}
	return object{
		{"operationId", "get" + a.Name}, {"tags", []string{a.Name}}, {"summary", "Read the state of a " + a.Name},
		{"responses", object{
			{"200", answer("The state.", object{{"ETag", object{{"$ref", "#/components/headers/ETag"}}}}, schema)},
			{"400", problem("invalid")}, {"401", problem("unknown")}, {"403", problem("forbidden")}, {"404", problem("absent")}, {"429", problem("busy")}, {"500", problem("fault")}, {"503", problem("unavailable")},
		}},
	}
}

func (s *schemas) list(a *check.Aggregate) object {
	body := append(address(a), member{"events", object{{"type", "array"}, {"items", s.ref(a.Name + ".event")}}})
	schema := object{{"type", "object"}, {"required", []string{"tenant_id", "aggregate_type", "aggregate_id", "events"}}, {"properties", body}}
	return object{
		{"operationId", "list" + a.Name + "Events"}, {"tags", []string{a.Name}}, {"summary", "List the events of a " + a.Name},
		{"parameters", []object{{{"name", "after"}, {"in", "query"}, {"description", "Only events after this version."}, {"schema", object{{"type", "integer"}, {"minimum", 0}}}}}},
		{"responses", object{
			{"200", answer("The events, in order.", nil, schema)},
			{"400", problem("invalid")}, {"401", problem("unknown")}, {"403", problem("forbidden")}, {"404", problem("absent")}, {"429", problem("busy")}, {"500", problem("fault")}, {"503", problem("unavailable")},
		}},
	}
}

func parameters() object {
	header := func(name, doc string, schema object) object {
		return object{{"name", name}, {"in", "header"}, {"description", doc}, {"schema", schema}}
	}
	str := object{{"type", "string"}}
	return object{
		{"id", object{{"name", "id"}, {"in", "path"}, {"required", true}, {"description", "The aggregate's id."}, {"schema", uuidSchema()}}},
		{"tenant", header("x-tenant-id", "The tenant; the server's default when absent.", object{{"type", "string"}, {"pattern", "^([A-Za-z0-9][A-Za-z0-9_-]{0,62})?$"}})},
		{"roles", header("x-roles", "Roles, with commas between; read only where no authentication is configured.", str)},
		{"idempotency-key", header("idempotency-key", "The command's id: the same one again gives the first reply. Made and returned when absent.", uuidSchema())},
		{"if-match", header("if-match", "The version that the aggregate is expected to have.", str)},
		{"correlation", header("x-correlation-id", "Kept with the events.", object{{"type", "string"}, {"maxLength", integer(128)}})},
	}
}

func headers() object {
	return object{{"ETag", object{{"description", "The version, for if-match."}, {"schema", object{{"type", "string"}}}}}}
}

func securitySchemes() object {
	return object{{"bearer", object{{"type", "http"}, {"scheme", "bearer"}, {"description", "A token of `aggd token` or a JWT, as the daemon is configured. Roles and the tenant come from it."}}}}
}

func responses() object {
	make := func(doc string) object {
		return object{{"description", doc}, {"content", object{{"application/problem+json", object{{"schema", object{{"$ref", "#/components/schemas/Problem"}}}}}}}}
	}
	return object{
		{"invalid", make("Malformed: `validation_error`, with the path of each field in `errors`.")},
		{"unknown", make("`unauthenticated`: the daemon asks for a bearer token, and there is none that counts.")},
		{"forbidden", make("`forbidden`: the role that the command asks for is missing; `tenant_access_denied`.")},
		{"absent", make("`not_found`: the aggregate does not exist.")},
		{"conflict", make("`already_exists`, or `version_conflict` with `expected` and `actual`.")},
		{"large", make("`too_large`: the command or its events do not fit into one message.")},
		{"busy", make("`decide_error` out of gas, or `quota`.")},
		{"fault", make("`decide_error` or `apply_error`: a defect of the manifest; nothing was stored. `rehydration_error`: stored events cannot be read.")},
		{"unavailable", make("Come again with the same idempotency-key: `outcome_unknown`, `unavailable`, `storage_error`, `stream_error`, `manifest_behind`, `clock`.")},
	}
}

// problemSchema is RFC 9457 with our members.
func problemSchema() object {
	str, num := object{{"type", "string"}}, object{{"type", "integer"}}
	return object{
		{"type", "object"}, {"required", []string{"title", "status", "code"}},
		{"properties", object{
			{"title", str}, {"status", num},
			{"code", object{{"type", "string"}, {"description", "The domain's own code, or one of the system."}}},
			{"detail", str}, {"command_id", uuidSchema()},
			{"errors", object{{"type", "array"}, {"items", object{{"type", "object"}, {"properties", object{{"path", str}, {"message", str}}}}}}},
			{"fault", str}, {"rule", str}, {"file", str}, {"line", num}, {"gas", num}, {"expected", num}, {"actual", num},
		}},
	}
}
