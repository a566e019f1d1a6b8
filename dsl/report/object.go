package report

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// object is a JSON object whose members keep their order.
type object []member

type member struct {
	key   string
	value any // object, []any, []object, []string, string, bool, int or json.RawMessage
}

// MarshalJSON writes the members in their order.
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := appendJSON(&b, m.key); err != nil {
			return nil, err
		}
		b.WriteByte(':')
		if err := appendJSON(&b, m.value); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

func appendJSON(b *bytes.Buffer, v any) error {
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	b.Truncate(b.Len() - 1) // its line end
	return nil
}

func (o *object) set(key string, value any) { *o = append(*o, member{key, value}) }

func (o object) has(key string) bool {
	for _, m := range o {
		if m.key == key {
			return true
		}
	}
	return false
}

// setOnce sets what is not there yet.
func (o *object) setOnce(key string, value any) {
	if !o.has(key) {
		o.set(key, value)
	}
}

// text adds a member that is a string, unless it is empty.
func (o *object) text(key, value string) {
	if value != "" {
		o.set(key, value)
	}
}

func raw(s string) json.RawMessage { return json.RawMessage(s) }

func integer(n int) json.RawMessage { return raw(strconv.Itoa(n)) }
