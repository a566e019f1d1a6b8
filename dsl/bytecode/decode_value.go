package bytecode

import (
	"encoding/binary"
	"unicode/utf8"

	"github.com/cloudlysis/aggregate/dsl/value"
)

// val reads a value of a sound type. Every value within it takes at least a byte of the file,
// so a short file cannot ask for much memory.
func (r *reader) val(t *value.Type) value.V {
	if r.err != nil {
		return value.Zero(t)
	}
	switch t.Kind {
	case value.Bool, value.Int, value.Date, value.Duration, value.Enum:
		return r.word(t)
	case value.String, value.Decimal, value.Time, value.JSON:
		return r.text(t)
	case value.UUID:
		if b := r.take(16); b != nil {
			return value.MakeUUID([16]byte(b))
		}
		return value.V{}
	case value.Optional:
		if !r.bool() {
			return value.None
		}
		return r.val(t.Elem)
	case value.Record:
		return r.record(t)
	}
	return r.rows(t)
}

// The days of 0001-01-01 and 9999-12-31.
const (
	minDate = -719162
	maxDate = 2932896
)

func (r *reader) word(t *value.Type) value.V {
	n, size := binary.Varint(r.b)
	if size <= 0 {
		r.fail("a number is cut off")
		return value.V{}
	}
	r.b = r.b[size:]
	if t.Kind == value.Date && (n < minDate || n > maxDate) {
		r.fail("a date is out of its range")
		return value.V{}
	}
	if t.Kind == value.Bool && uint64(n) > 1 || t.Kind == value.Enum && uint64(n) >= uint64(len(t.Enum.Members)) {
		r.fail("a constant is out of its range")
		return value.V{}
	}
	return value.MakeInt(n)
}

func (r *reader) text(t *value.Type) value.V {
	s := r.str()
	if !utf8.ValidString(s) {
		r.fail("a text is not UTF-8")
	}
	if r.err != nil {
		return value.V{}
	}
	v, ok := value.MakeString(s), true
	switch t.Kind {
	case value.Decimal:
		v, ok = value.ParseDecimalText(s)
	case value.Time:
		v, ok = value.ParseTime(s)
	case value.JSON:
		var errs []value.FieldError
		v, errs = value.DecodeValue(value.JSONType, []byte(s), value.DecodeOptions{})
		ok = errs == nil
	}
	if !ok {
		r.fail("a constant cannot be read")
		return value.V{}
	}
	return v
}

func (r *reader) record(t *value.Type) value.V {
	n := len(t.Record.Fields)
	if n > len(r.b) {
		r.fail("it is cut off")
	}
	if r.err != nil {
		return value.V{}
	}
	fields := make([]value.V, n)
	for i := range fields {
		fields[i] = r.val(t.Record.Fields[i].Type)
	}
	return value.MakeRecord(fields)
}

func (r *reader) rows(t *value.Type) value.V {
	n := r.count(1)
	b := value.NewBuilder(t, 0)
	last := value.V{}
	for i := range n {
		if r.err != nil {
			return value.V{}
		}
		key := value.V{}
		if t.Kind != value.List {
			key = r.val(t.KeyType())
			if i > 0 && value.CompareKey(t.KeyType(), last, key) >= 0 {
				r.fail("keys out of order")
				return value.V{}
			}
			last = key
		}
		switch t.Kind {
		case value.List:
			b.Append(r.elem(t))
		case value.Map:
			b.Put(key, r.elem(t))
		default:
			b.Add(key)
		}
	}
	return b.Done()
}

// elem reads an element; after an error it is one that can be copied.
func (r *reader) elem(t *value.Type) value.V {
	v := r.val(t.Elem)
	if r.err != nil && t.Elem.Kind == value.Record {
		return value.MakeRecord(make([]value.V, len(t.Elem.Record.Fields)))
	}
	return v
}
