package report

import (
	"fmt"

	"github.com/cloudlysis/aggregate/dsl/value"
)

// reading is what becomes of JSON that was written with one type and is read with another.
type reading struct {
	impact        Impact // Breaking, Replay or Forward
	message, hint string
}

// readFields compares two lists of fields: what was written with old is read with now.
func readFields(path string, old, now []value.Field) []reading {
	var out []reading
	for i := range old {
		f := &old[i]
		at := below(path, f.Name)
		g := field(now, f.Name)
		if g == nil {
			out = append(out, reading{Breaking, at + " is gone: a field that is declared no more is refused", ""})
			continue
		}
		out = append(out, readType(at, f.Type, g.Type)...)
		if was, is := fieldText(f), fieldText(g); was != "" && was != is && (f.HasDefault || is != "") {
			if is == "" {
				out = append(out, reading{Breaking, at + " could be left out and can be no more", "keep its default, or the `?`"})
			} else {
				out = append(out, reading{Replay, fmt.Sprintf("%s was %s when left out, and is %s now", at, was, is), ""})
			}
		}
	}
	for i := range now {
		g := &now[i]
		if field(old, g.Name) != nil {
			continue
		}
		if fieldText(g) == "" {
			out = append(out, reading{Breaking, below(path, g.Name) + " is new and may not be left out", "give it a default, or make it " + g.Type.String() + "?"})
			continue
		}
		out = append(out, reading{Forward, below(path, g.Name) + " is new: the old manifest refuses what has it", ""})
	}
	return out
}

func below(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// readType compares two types of one place.
func readType(at string, old, now *value.Type) []reading {
	switch {
	case old.Kind == value.JSON && now.Kind == value.JSON:
		return nil
	case now.Kind == value.JSON:
		return []reading{{Forward, at + " holds any json now", ""}}
	case old.Kind == value.Optional && now.Kind == value.Optional:
		return readType(at, old.Elem, now.Elem)
	case old.Kind == value.Optional:
		return []reading{{Breaking, fmt.Sprintf("%s was %s, is %s: null is refused", at, old, now), ""}}
	case now.Kind == value.Optional:
		return append(readType(at, old, now.Elem), reading{Forward, at + " may be null now", ""})
	case old.Kind != now.Kind:
		return otherKind(at, old, now)
	}
	switch old.Kind {
	case value.Enum:
		return readEnum(at, old.Enum, now.Enum)
	case value.Record:
		return readFields(at, old.Record.Fields, now.Record.Fields)
	case value.String:
		return readBound(at, old, now)
	case value.List, value.Set:
		return append(readBound(at, old, now), readType(at+"[]", old.Elem, now.Elem)...)
	case value.Map:
		out := append(readBound(at, old, now), readKey(at, old.Key, now.Key)...)
		return append(out, readType(at+"[]", old.Elem, now.Elem)...)
	}
	return nil
}

// otherKind tells which kinds read what another has written.
func otherKind(at string, old, now *value.Type) []reading {
	text := fmt.Sprintf("%s was %s, is %s", at, old, now)
	switch {
	case old.Kind == value.Int && now.Kind == value.Decimal, now.Kind == value.String && now.Bound == 0 && isText(old.Kind):
		return []reading{{Forward, text, ""}}
	case old.Kind == value.Set && now.Kind == value.List:
		return append(readBound(at, old, now), append(readType(at+"[]", old.Elem, now.Elem), reading{Forward, text, ""})...)
	}
	return []reading{{Breaking, text, ""}}
}

// isText tells whether a kind is a string on the wire.
func isText(k value.Kind) bool {
	switch k {
	case value.String, value.UUID, value.Time, value.Date, value.Duration, value.Enum:
		return true
	}
	return false
}

// readKey is readType for keys of maps, which are all texts on the wire.
func readKey(at string, old, now *value.Type) []reading {
	if old.Kind != now.Kind && now.Kind == value.String && now.Bound == 0 {
		return []reading{{Forward, fmt.Sprintf("%s had keys of %s, has %s", at, old, now), ""}}
	}
	return readType("the keys of "+at, old, now)
}

func readBound(at string, old, now *value.Type) []reading {
	switch {
	case old.Bound == now.Bound:
		return nil
	case now.Bound > 0 && (old.Bound == 0 || old.Bound > now.Bound):
		return []reading{{Breaking, fmt.Sprintf("%s may hold %d at most now, and held more before", at, now.Bound), "leave it as it was; a `where` or `require` bounds what comes"}}
	}
	return []reading{{Forward, at + " may hold more now", ""}}
}

func readEnum(at string, old, now *value.EnumType) []reading {
	var out []reading
	for _, m := range old.Members {
		if !hasWire(now, m.Wire) {
			out = append(out, reading{Breaking, fmt.Sprintf("%s may be %q no more: %s has no such member", at, m.Wire, now.Name), fmt.Sprintf("keep the member, or rename it with its text: `name = %q`", m.Wire)})
		}
	}
	for _, m := range now.Members {
		if !hasWire(old, m.Wire) {
			out = append(out, reading{Forward, fmt.Sprintf("%s may be %q now", at, m.Wire), ""})
		}
	}
	return out
}

func hasWire(e *value.EnumType, wire string) bool {
	for _, m := range e.Members {
		if m.Wire == wire {
			return true
		}
	}
	return false
}
