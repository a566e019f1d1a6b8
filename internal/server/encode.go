package server

import (
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/cloudlysis/aggregate"
)

// appendReply writes the reply to an accepted command. A repeat is the same bytes but for
// "duplicate", so nothing here may depend on the moment.
func appendReply(b []byte, r *aggregate.Reply) []byte {
	b = appendAddress(b, r.TenantID, r.AggregateType, r.AggregateID)
	b = appendID(append(b, `,"command_id":`...), r.CommandID)
	b = strconv.AppendUint(append(b, `,"version":`...), uint64(r.Version), 10)
	b = append(b, `,"events":[`...)
	for i := range r.Events {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendEvent(b, &r.Events[i])
	}
	b = strconv.AppendBool(append(b, `],"duplicate":`...), r.Duplicate)
	b = appendString(append(b, `,"token":`...), r.Token)
	return append(b, '}')
}

// appendEvent writes an event as replies show it: what the reply says already is left out.
func appendEvent(b []byte, e *aggregate.Event) []byte {
	b = appendID(append(b, `{"event_id":`...), e.EventID)
	b = strconv.AppendUint(append(b, `,"version":`...), uint64(e.Version), 10)
	b = appendString(append(b, `,"event_type":`...), e.EventType)
	b = strconv.AppendInt(append(b, `,"schema":`...), int64(e.Schema), 10)
	b = append(append(b, `,"payload":`...), e.Payload...)
	b = appendTime(append(b, `,"timestamp":`...), e.Timestamp)
	return append(b, '}')
}

func appendState(b []byte, s *aggregate.State) []byte {
	b = appendAddress(b, s.TenantID, s.AggregateType, s.AggregateID)
	b = strconv.AppendUint(append(b, `,"version":`...), uint64(s.Version), 10)
	b = append(append(b, `,"state":`...), s.State...)
	b = append(append(b, `,"derived":`...), s.Derived...)
	b = appendTime(append(b, `,"updated_at":`...), s.UpdatedAt)
	b = appendString(append(b, `,"token":`...), s.Token)
	return append(b, '}')
}

func appendAddress(b []byte, t aggregate.TenantID, typ aggregate.Type, id aggregate.ID) []byte {
	b = appendString(append(b, `{"tenant_id":`...), string(t))
	b = appendString(append(b, `,"aggregate_type":`...), string(typ))
	return appendID(append(b, `,"aggregate_id":`...), id)
}

func appendID(b []byte, id aggregate.ID) []byte {
	b, _ = id.AppendText(append(b, '"'))
	return append(b, '"')
}

func appendTime(b []byte, t time.Time) []byte {
	return append(t.UTC().AppendFormat(append(b, '"'), time.RFC3339Nano), '"')
}

// appendString writes s as a JSON string; what is plain, as names and codes are, goes in one piece.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			q, _ := json.Marshal(s) // a string always marshals
			return append(b, q...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// problemJSON is a Problem as RFC 9457 problem details with our extension members.
type problemJSON struct {
	Title     string                 `json:"title"`
	Status    int                    `json:"status"`
	Code      string                 `json:"code"`
	Detail    string                 `json:"detail,omitempty"`
	CommandID string                 `json:"command_id,omitempty"`
	Errors    []aggregate.FieldError `json:"errors,omitempty"`
	Fault     string                 `json:"fault,omitempty"`
	Rule      string                 `json:"rule,omitempty"`
	File      string                 `json:"file,omitempty"`
	Line      int                    `json:"line,omitempty"`
	Gas       int64                  `json:"gas,omitempty"`
	Expected  *aggregate.Version     `json:"expected,omitempty"`
	Actual    *aggregate.Version     `json:"actual,omitempty"`
}

func problemBody(p *Problem, command aggregate.ID) []byte {
	j := problemJSON{Title: p.Title, Status: p.Status, Code: p.Code, Detail: p.Detail, Errors: p.Errors}
	if !command.IsZero() {
		j.CommandID = command.String()
	}
	if f := p.Fault; f != nil {
		j.Fault, j.Rule, j.File, j.Line, j.Gas = f.Kind, f.Rule, f.File, f.Line, f.Gas
	}
	if c := p.Conflict; c != nil {
		j.Expected, j.Actual = &c.Expected, &c.Actual
	}
	b, _ := json.Marshal(j) // only strings and numbers: it cannot fail
	return b
}
