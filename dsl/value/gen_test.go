package value

import (
	"fmt"
	"strings"

	"pgregory.net/rapid"
)

// Random types and values of them, for laws.

var testEnum = &EnumType{Name: "Currency", Members: []Member{{"usd", "USD"}, {"eur", "EUR"}, {"odd", `q"x`}}}

var keyTypes = []*Type{StringType, IntType, UUIDType, DateType, {Kind: Enum, Enum: testEnum}}

var scalarTypes = append([]*Type{BoolType, DecimalType, TimeType, DurationType, JSONType}, keyTypes...)

func drawType(t *rapid.T, depth int) *Type {
	kind := rapid.IntRange(0, 9).Draw(t, "kind")
	if depth == 0 || kind < 4 {
		return rapid.SampledFrom(scalarTypes).Draw(t, "scalar")
	}
	switch kind {
	case 4, 5:
		return &Type{Kind: List, Elem: drawType(t, depth-1)}
	case 6:
		return &Type{Kind: Set, Elem: rapid.SampledFrom(keyTypes).Draw(t, "key")}
	case 7:
		return &Type{Kind: Map, Key: rapid.SampledFrom(keyTypes).Draw(t, "key"), Elem: drawType(t, depth-1)}
	case 8:
		elem := drawType(t, depth-1)
		if elem.Kind == Optional || elem.Kind == JSON {
			return elem
		}
		return &Type{Kind: Optional, Elem: elem}
	}
	return &Type{Kind: Record, Record: &RecordType{Name: "R", Fields: drawFields(t, depth-1)}}
}

func drawFields(t *rapid.T, depth int) []Field {
	fields := make([]Field, rapid.IntRange(1, 4).Draw(t, "fields"))
	for i := range fields {
		fields[i] = Field{Name: fmt.Sprintf("f%d", i), Type: drawType(t, depth)}
	}
	return fields
}

func drawValue(t *rapid.T, typ *Type) V {
	switch typ.Kind {
	case Bool:
		return MakeBool(rapid.Bool().Draw(t, "bool"))
	case Int:
		return MakeInt(rapid.Int64().Draw(t, "int"))
	case Duration:
		return MakeInt(rapid.Int64().Draw(t, "duration"))
	case Decimal:
		return drawDecimal(t, "decimal")
	case String:
		return MakeString(drawString(t))
	case Time:
		return makeTime(rapid.Int64Range(minSecond, maxSecond).Draw(t, "sec"), rapid.Int64Range(0, nanos-1).Draw(t, "nano"))
	case Date:
		return MakeInt(rapid.Int64Range(minDay, maxDay).Draw(t, "day"))
	case UUID:
		return MakeUUID([16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "uuid")))
	case JSON:
		return makeJSON(drawJSON(t, 3))
	case Enum:
		return MakeInt(rapid.Int64Range(0, int64(len(typ.Enum.Members)-1)).Draw(t, "member"))
	case Record:
		return MakeRecord(drawFieldValues(t, typ.Record.Fields))
	case Optional:
		if rapid.Bool().Draw(t, "none") {
			return None
		}
		return drawValue(t, typ.Elem)
	}
	return drawContainer(t, typ)
}

func drawContainer(t *rapid.T, typ *Type) V {
	b := NewBuilder(typ, 0)
	for range rapid.IntRange(0, 5).Draw(t, "len") {
		switch typ.Kind {
		case List:
			b.Append(drawValue(t, typ.Elem))
		case Set:
			b.Add(drawValue(t, typ.Elem))
		case Map:
			b.Put(drawValue(t, typ.Key), drawValue(t, typ.Elem))
		}
	}
	return b.Done()
}

func drawFieldValues(t *rapid.T, fields []Field) []V {
	vals := make([]V, len(fields))
	for i := range fields {
		vals[i] = drawValue(t, fields[i].Type)
	}
	return vals
}

func drawString(t *rapid.T) string {
	return rapid.OneOf(rapid.String(), rapid.StringOf(rapid.RuneFrom([]rune("ab\"\\\n\x00\x1f é漢😀.#|@*")))).Draw(t, "string")
}

// drawJSON draws compact text with distinct keys.
func drawJSON(t *rapid.T, depth int) string {
	kind := rapid.IntRange(0, 6).Draw(t, "json")
	if depth == 0 {
		kind %= 5
	}
	switch kind {
	case 0:
		return NullJSON
	case 1:
		return rapid.SampledFrom([]string{"true", "false"}).Draw(t, "bool")
	case 2:
		return rapid.SampledFrom([]string{"0", "1", "1.0", "-0", "1e400", "0.10", "9007199254740993", "1E5", "-12.5e-3"}).Draw(t, "number")
	case 3:
		return decText(drawDecimal(t, "number"))
	case 4:
		return string(AppendQuoted(nil, drawString(t)))
	case 5:
		var parts []string
		for range rapid.IntRange(0, 3).Draw(t, "len") {
			parts = append(parts, drawJSON(t, depth-1))
		}
		return "[" + strings.Join(parts, ",") + "]"
	}
	var parts []string
	for _, k := range rapid.SliceOfNDistinct(rapid.Custom(drawString), 0, 3, rapid.ID).Draw(t, "keys") {
		parts = append(parts, string(AppendQuoted(nil, k))+":"+drawJSON(t, depth-1))
	}
	return "{" + strings.Join(parts, ",") + "}"
}
