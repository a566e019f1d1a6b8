package testrun

import (
	"bytes"
	"encoding/json"

	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/value"
	"github.com/cloudlysis/aggregate/engine/vm"
)

// guess looks for the command that made the recorded events: one whose fields they hold, and that
// makes the very same events on the state of that moment. It is nil if there is none. What the
// sender's roles were is not known either, so the command's own count.
func (t *seedTest) guess(ctx *vm.Ctx) []byte {
	want, fields, ok := t.wanted()
	if !ok {
		return nil
	}
	for i := range t.l.p.Commands {
		c := &t.l.p.Commands[i]
		payload := payloadFrom(c, fields)
		if t.m.DecodeCommand(i, payload) != nil {
			continue
		}
		as := *ctx
		as.Roles = rolesOf(c.By)
		out := t.m.Decide(i, t.l.state, &as, t.l.version > 0, t.l.p.vm.Gas())
		if out.Kind != vm.Accepted || !t.made(want) {
			continue
		}
		t.c.Roles = c.By
		return payload
	}
	return nil
}

// wanted are the events in their current shape as JSON, and all their fields by name.
func (t *seedTest) wanted() (want [][]byte, fields map[string]json.RawMessage, ok bool) {
	fields = map[string]json.RawMessage{}
	for i := range t.c.Events {
		decl, vals, err := t.current(i)
		if err != nil {
			return nil, nil, false
		}
		e := &t.l.p.Events[decl]
		want = append(want, append([]byte(e.Name+" "), t.l.p.vm.AppendEventPayload(nil, decl, vals)...))
		for k := range e.Fields {
			if _, twice := fields[e.Fields[k].Name]; !twice {
				fields[e.Fields[k].Name] = value.AppendJSON(nil, e.Fields[k].Type, vals[k])
			}
		}
	}
	return want, fields, true
}

// made tells whether the events of the machine are those wanted.
func (t *seedTest) made(want [][]byte) bool {
	if t.m.Events() != len(want) {
		return false
	}
	for i := range want {
		name, _ := t.m.EventName(i)
		if !bytes.Equal(want[i], t.m.AppendEvent([]byte(name+" "), i)) {
			return false
		}
	}
	return true
}

// payloadFrom is a command with the fields of those names.
func payloadFrom(c *bytecode.Command, fields map[string]json.RawMessage) []byte {
	b := value.AppendQuoted([]byte(`{"type":`), c.Name)
	for i := range c.Fields {
		if v, ok := fields[c.Fields[i].Name]; ok {
			b = value.AppendQuoted(append(b, ','), c.Fields[i].Name)
			b = append(append(b, ':'), v...)
		}
	}
	return append(b, '}')
}

func rolesOf(names []string) value.V {
	b := value.NewBuilder(&value.Type{Kind: value.Set, Elem: value.StringType}, len(names))
	for _, n := range names {
		b.Add(value.MakeString(n))
	}
	return b.Done()
}
