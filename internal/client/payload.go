package client

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// Payload makes a command's payload of its name and arguments name=value. A value that is JSON
// is taken as it stands, digit for digit (75, 0.10, true, null, [1,2], {"a":1}, "text"); any
// other is text. name=@FILE takes the JSON of a file, name:=value the text as it is.
func Payload(command string, args []string) ([]byte, error) {
	b := append([]byte(`{"type":`), quote(command)...)
	for _, a := range args {
		name, value, ok := strings.Cut(a, "=")
		name, verbatim := strings.CutSuffix(name, ":")
		if !ok || name == "" {
			return nil, fmt.Errorf("argument %q: name=value is expected, such as amount=75", a)
		}
		v, err := argument(value, verbatim)
		if err != nil {
			return nil, fmt.Errorf("argument %s: %w", name, err)
		}
		b = append(append(append(append(b, ','), quote(name)...), ':'), v...)
	}
	return append(b, '}'), nil
}

func argument(value string, verbatim bool) ([]byte, error) {
	if verbatim {
		return quote(value), nil
	}
	if file, ok := strings.CutPrefix(value, "@"); ok {
		b, err := os.ReadFile(file)
		if err == nil && !json.Valid(b) {
			err = fmt.Errorf("%s is not JSON", file)
		}
		return bytes.TrimSpace(b), err
	}
	if json.Valid([]byte(value)) {
		return []byte(value), nil
	}
	return quote(value), nil
}

func quote(s string) []byte {
	b, _ := json.Marshal(s) // a string always marshals
	return b
}
