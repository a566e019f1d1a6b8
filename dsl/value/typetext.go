package value

import "strconv"

var kindNames = [...]string{
	Invalid: "invalid", Bool: "bool", Int: "int", Decimal: "decimal", String: "string", Time: "time", Date: "date",
	Duration: "duration", UUID: "uuid", JSON: "json", Enum: "enum", Record: "record", List: "list", Set: "set", Map: "map",
	Optional: "optional",
}

// String is the kind's word in the language.
func (k Kind) String() string {
	if int(k) >= len(kindNames) {
		return kindNames[Invalid]
	}
	return kindNames[k]
}

// String is the type as an author writes it: map<uuid, Hold, 50>.
func (t *Type) String() string { return string(AppendType(nil, t)) }

// AppendType appends the type as an author writes it, enums and records by name.
func AppendType(dst []byte, t *Type) []byte { return typeWriter{}.append(dst, t) }

// AppendShape appends everything about t that decides how its JSON is read and its values
// behave: bounds, fields with their defaults, members with their order and wire texts. Equal
// shapes of two programs mean that the values of one are values of the other.
func AppendShape(dst []byte, t *Type) []byte { return typeWriter{deep: true}.append(dst, t) }

// AppendFieldsShape appends the shape of fields in their order.
func AppendFieldsShape(dst []byte, fields []Field) []byte {
	dst = append(dst, '{')
	for i := range fields {
		f := &fields[i]
		dst = append(append(dst, f.Name...), ':')
		dst = AppendShape(dst, f.Type)
		if f.HasDefault {
			dst = AppendJSON(append(dst, '='), f.Type, f.Default)
		}
		dst = append(dst, ';')
	}
	return append(dst, '}')
}

type typeWriter struct{ deep bool }

func (w typeWriter) append(dst []byte, t *Type) []byte {
	switch t.Kind {
	case Optional:
		return append(w.append(dst, t.Elem), '?')
	case Enum:
		return w.enum(dst, t.Enum)
	case Record:
		dst = append(dst, t.Record.Name...)
		if w.deep {
			dst = AppendFieldsShape(dst, t.Record.Fields)
		}
		return dst
	}
	dst = append(dst, t.Kind.String()...)
	open := byte('<')
	if t.Key != nil {
		dst = w.append(append(dst, open), t.Key)
		open = ','
	}
	if t.Elem != nil {
		if dst = append(dst, open); open == ',' {
			dst = append(dst, ' ')
		}
		dst = w.append(dst, t.Elem)
		open = ','
	}
	if t.Bound > 0 {
		if dst = append(dst, open); open == ',' {
			dst = append(dst, ' ')
		}
		dst = strconv.AppendInt(dst, int64(t.Bound), 10)
		open = ','
	}
	if open == ',' {
		dst = append(dst, '>')
	}
	return dst
}

func (w typeWriter) enum(dst []byte, e *EnumType) []byte {
	dst = append(dst, e.Name...)
	if !w.deep {
		return dst
	}
	if e.Ordered {
		dst = append(dst, " ordered"...)
	}
	dst = append(dst, '(')
	for i, m := range e.Members {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = AppendQuoted(append(append(dst, m.Name...), '='), m.Wire)
	}
	return append(dst, ')')
}
