package check

import (
	"strconv"
	"strings"

	"github.com/cloudlysis/aggregate/dsl/value"
)

func itoa(n int) string { return strconv.Itoa(n) }

// plural is `1 type`, `2 types`.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return itoa(n) + " " + noun + "s"
}

var kindNames = [...]string{
	value.Invalid: "?", value.Bool: "bool", value.Int: "int", value.Decimal: "decimal", value.String: "string",
	value.Time: "time", value.Date: "date", value.Duration: "duration", value.UUID: "uuid", value.JSON: "json",
}

// typeName is t as an author writes it, without bounds.
func typeName(t *value.Type) string {
	switch t.Kind {
	case value.Enum:
		return t.Enum.Name
	case value.Record:
		return t.Record.Name
	case value.List:
		return "list<" + typeName(t.Elem) + ">"
	case value.Set:
		return "set<" + typeName(t.Elem) + ">"
	case value.Map:
		return "map<" + typeName(t.Key) + ", " + typeName(t.Elem) + ">"
	case value.Optional:
		if t == noneType {
			return "none"
		}
		return typeName(t.Elem) + "?"
	}
	return kindNames[t.Kind]
}

// noneType is the type of a `none` that nothing tells more about; it joins with every type.
var noneType = &value.Type{Kind: value.Optional, Elem: value.InvalidType}

func listOf(t *value.Type) *value.Type { return &value.Type{Kind: value.List, Elem: t} }
func setOf(t *value.Type) *value.Type  { return &value.Type{Kind: value.Set, Elem: t} }

// optional is t?, flat (ruling 31).
func optional(t *value.Type) *value.Type {
	if t.Kind == value.Optional || t.Kind == value.Invalid {
		return t
	}
	return &value.Type{Kind: value.Optional, Elem: t}
}

// bare is t without its `?`.
func bare(t *value.Type) *value.Type {
	if t != nil && t.Kind == value.Optional {
		return t.Elem
	}
	return t
}

func bad(t *value.Type) bool { return t.Kind == value.Invalid }

func isNumber(t *value.Type) bool { return t.Kind == value.Int || t.Kind == value.Decimal }

// ordered tells whether values of t have an order by `<`.
func ordered(t *value.Type) bool {
	switch t.Kind {
	case value.Int, value.Decimal, value.String, value.Time, value.Date, value.Duration:
		return true
	case value.Enum:
		return t.Enum.Ordered
	}
	return false
}

// scalar tells whether t has a text of its own, as interpolation needs it (ruling 63).
func scalar(t *value.Type) bool {
	switch t.Kind {
	case value.Bool, value.Int, value.Decimal, value.String, value.Time, value.Date, value.Duration, value.UUID, value.Enum:
		return true
	}
	return false
}

func printable(t *value.Type) bool {
	return scalar(bare(t)) || bare(t).Kind == value.JSON
}

// hasBound tells whether t or something in it has a bound.
func hasBound(t *value.Type) bool {
	if t.Bound > 0 {
		return true
	}
	switch t.Kind {
	case value.List, value.Set, value.Optional:
		return hasBound(t.Elem)
	case value.Map:
		return hasBound(t.Key) || hasBound(t.Elem)
	}
	return false
}

// unbounded is t without its bounds; records keep those of their fields.
func unbounded(t *value.Type) *value.Type {
	if !hasBound(t) {
		return t
	}
	if t.Kind == value.String {
		return value.StringType
	}
	u := *t
	u.Bound = 0
	if u.Elem != nil {
		u.Elem = unbounded(u.Elem)
	}
	if u.Key != nil {
		u.Key = unbounded(u.Key)
	}
	return &u
}

// article is the name of t with "a" or "an".
func article(t *value.Type) string {
	n := typeName(t)
	if strings.ContainsRune("aeiouAEIO", rune(n[0])) && n != "uuid" {
		return "an " + n
	}
	return "a " + n
}

// join is the type to which values of s and t both widen, nil if there is none (ruling 32).
func join(s, t *value.Type) *value.Type {
	switch {
	case bad(s) || bad(t):
		return value.InvalidType
	case s == t:
		return s
	case s == noneType:
		return optional(t)
	case t == noneType:
		return optional(s)
	case value.Same(s, t):
		return joinBounds(s, t)
	case s.Kind == value.Optional || t.Kind == value.Optional:
		if j := join(bare(s), bare(t)); j != nil {
			return optional(j)
		}
		return nil
	case isNumber(s) && isNumber(t):
		return value.DecimalType
	}
	return nil
}

// joinBounds keeps the wider of two outer bounds and no inner ones, unless both are alike.
func joinBounds(s, t *value.Type) *value.Type {
	if !hasBound(s) || !hasBound(t) {
		return unbounded(s)
	}
	u := *unbounded(s)
	if s.Bound > 0 && t.Bound > 0 {
		u.Bound = max(s.Bound, t.Bound)
	}
	return &u
}
