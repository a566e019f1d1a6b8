package server

import (
	"encoding/json"
	"mime"
	"slices"
	"strings"

	"github.com/cloudlysis/aggregate"
)

// wantsStrings tells whether a caller whose numbers are floats asked for int and decimal as
// strings: Accept: application/json;numbers=string.
func wantsStrings(h headers) bool {
	accept := h.get("accept")
	if !strings.Contains(accept, "numbers") {
		return false
	}
	for part := range strings.SplitSeq(accept, ",") {
		if _, params, err := mime.ParseMediaType(part); err == nil && params["numbers"] == "string" {
			return true
		}
	}
	return false
}

// contentStrings is never changed: answers share it.
var contentStrings = []string{"application/json;numbers=string"}

// numbersAsStrings gives JSON text with every number in quotes, digit for digit.
func numbersAsStrings(in json.RawMessage) json.RawMessage {
	out := make([]byte, 0, len(in)+len(in)/8)
	quoted, number := false, false
	for i := 0; i < len(in); i++ {
		c := in[i]
		if starts := !quoted && !number && (c == '-' || c >= '0' && c <= '9'); starts || number && strings.IndexByte(",]} \t\r\n", c) >= 0 {
			number = starts
			out = append(out, '"')
		}
		switch {
		case quoted && c == '\\':
			out = append(out, c)
			i++ // what is escaped ends no string
			c = in[i]
		case c == '"':
			quoted = !quoted
		}
		out = append(out, c)
	}
	if number {
		out = append(out, '"')
	}
	return out
}

func eventsWithStrings(in []aggregate.Event) []aggregate.Event {
	out := slices.Clone(in)
	for i := range out {
		out[i].Payload = numbersAsStrings(out[i].Payload)
	}
	return out
}

// replyWithStrings leaves r, which others share, as it is.
func replyWithStrings(r *aggregate.Reply) *aggregate.Reply {
	out := *r
	out.Events = eventsWithStrings(r.Events)
	return &out
}

func stateWithStrings(s *aggregate.State) *aggregate.State {
	out := *s
	out.State, out.Derived = numbersAsStrings(s.State), numbersAsStrings(s.Derived)
	return &out
}

func simulationWithStrings(s *Simulation) *Simulation {
	out := *s
	out.Events, out.State, out.Derived = eventsWithStrings(s.Events), numbersAsStrings(s.State), numbersAsStrings(s.Derived)
	return &out
}
