package testrun

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/cloudlysis/aggregate/dsl/value"
)

// quote is s as a string literal.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '\\' || r == '"' || r == '{' || r == '}':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp):
			fmt.Fprintf(&b, `\u{%x}`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// literal is v as an author would write it where a t is expected.
func literal(t *value.Type, v value.V) (string, error) {
	switch t.Kind {
	case value.Bool, value.Int, value.Decimal, value.Duration:
		return plain(t, v), nil
	case value.Enum:
		return t.Enum.Members[v.Int()].Name, nil
	case value.JSON:
		return jsonLiteral([]byte(value.JSONText(v)))
	case value.Optional:
		if v.IsNone() {
			return "none", nil
		}
		return literal(t.Elem, v)
	case value.Record:
		items, err := itemList(t.Record.Fields, v.Fields(len(t.Record.Fields)))
		return t.Record.Name + " " + items, err
	case value.List, value.Set:
		return sequence(t, v)
	case value.Map:
		return mapping(t, v)
	}
	return quote(plain(t, v)), nil
}

func sequence(t *value.Type, v value.V) (string, error) {
	list := make([]string, v.Len())
	for i := range list {
		e := value.V{}
		if t.Kind == value.Set {
			e = v.Keys()[i]
		} else {
			e = value.ElemAt(t, v, i)
		}
		text, err := literal(t.Elem, e)
		if err != nil {
			return "", err
		}
		list[i] = text
	}
	text := "[" + strings.Join(list, ", ") + "]"
	if t.Kind == value.Set {
		return "set(" + text + ")", nil
	}
	return text, nil
}

func mapping(t *value.Type, v value.V) (string, error) {
	list := make([]string, v.Len())
	for i, k := range v.Keys() {
		key, err := literal(t.Key, k)
		if err != nil {
			return "", err
		}
		elem, err := literal(t.Elem, value.ElemAt(t, v, i))
		if err != nil {
			return "", err
		}
		list[i] = key + ": " + elem
	}
	return "{" + strings.Join(list, ", ") + "}", nil
}

// itemList is `{ name: value, … }` without the fields that may be left out.
func itemList(fields []value.Field, vals []value.V) (string, error) {
	var list []string
	for i := range fields {
		f := &fields[i]
		if f.HasDefault && value.Equal(f.Type, f.Default, vals[i]) || !f.HasDefault && f.Type.Kind == value.Optional && vals[i].IsNone() {
			continue
		}
		text, err := literal(f.Type, vals[i])
		if err != nil {
			return "", fmt.Errorf("%s: %w", f.Name, err)
		}
		list = append(list, f.Name+": "+text)
	}
	if len(list) == 0 {
		return "{}", nil
	}
	return "{ " + strings.Join(list, ", ") + " }", nil
}

// jsonLiteral is JSON text as a literal (ruling 47): numbers lose their exponent, null is none.
func jsonLiteral(text []byte) (string, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return jsonNext(d)
}

func jsonNext(d *json.Decoder) (string, error) {
	tok, err := d.Token()
	if err != nil {
		return "", err
	}
	switch tok := tok.(type) {
	case nil:
		return "none", nil
	case bool:
		return fmt.Sprint(tok), nil
	case string:
		return quote(tok), nil
	case json.Number:
		v, errs := value.DecodeValue(value.DecimalType, []byte(tok), value.DecodeOptions{})
		if errs != nil {
			return "", errors.New("a number of json that no literal can be: " + tok.String())
		}
		return plain(value.DecimalType, v), nil
	case json.Delim:
		return jsonMany(d, tok)
	}
	return "", errors.New("no json")
}

func jsonMany(d *json.Decoder, open json.Delim) (string, error) {
	var list []string
	for d.More() {
		key := ""
		if open == '{' {
			k, err := d.Token()
			if err != nil {
				return "", err
			}
			key = quote(k.(string)) + ": "
		}
		text, err := jsonNext(d)
		if err != nil {
			return "", err
		}
		list = append(list, key+text)
	}
	if _, err := d.Token(); err != nil {
		return "", err
	}
	text := strings.Join(list, ", ")
	if open == '{' {
		return "{" + text + "}", nil
	}
	return "[" + text + "]", nil
}
