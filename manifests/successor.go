package manifests

import (
	"fmt"

	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/value"
	"github.com/cloudlysis/aggregate/engine/vm"
)

// successor tells why stored events that old's programs have written, or could read, cannot all
// be read by next. A type that next lacks is left out: its aggregates rest as they are.
func successor(old, next *Set) []string {
	var problems []string
	for _, t := range old.Types() {
		if p := next.Programs[t]; p != nil {
			problems = append(problems, missing(old.Programs[t], p)...)
		}
	}
	return problems
}

// missing compares the events of two programs of one aggregate type.
func missing(old, next *vm.Program) []string {
	var problems []string
	for i := range old.Code().Events {
		e := &old.Code().Events[i]
		k, ok := next.Event(e.Name, e.Version)
		if !ok {
			problems = append(problems, fmt.Sprintf("%s: event %s@%d is not declared any more, and may be stored; keep it and an upcast to what replaces it", old.Name(), e.Name, e.Version))
			continue
		}
		for _, why := range narrower(e.Fields, next.EventDecl(k)) {
			problems = append(problems, fmt.Sprintf("%s: event %s@%d: %s; declare a new version and an upcast", old.Name(), e.Name, e.Version, why))
		}
	}
	return problems
}

// narrower tells what of the old fields an event of the new declaration does not take.
func narrower(old []value.Field, next *bytecode.Event) []string {
	var why []string
	for i := range old {
		f := fieldOf(next.Fields, old[i].Name)
		if f == nil {
			why = append(why, fmt.Sprintf("field %s is gone", old[i].Name))
			continue
		}
		if reason := unread(old[i].Type, f.Type); reason != "" {
			why = append(why, fmt.Sprintf("field %s %s", f.Name, reason))
		}
	}
	for i := range next.Fields {
		f := &next.Fields[i]
		if fieldOf(old, f.Name) == nil && !f.HasDefault && f.Type.Kind != value.Optional {
			why = append(why, fmt.Sprintf("field %s is new and has neither a default nor a `?`", f.Name))
		}
	}
	return why
}

func fieldOf(fields []value.Field, name string) *value.Field {
	for i := range fields {
		if fields[i].Name == name {
			return &fields[i]
		}
	}
	return nil
}

// unread tells why a stored value of type old might not be read as one of type next.
func unread(old, next *value.Type) string {
	if next.Kind == value.Optional && old.Kind != value.Optional {
		return unread(old, next.Elem)
	}
	if old.Kind == value.Int && next.Kind == value.Decimal || next.Kind == value.JSON {
		return ""
	}
	if old.Kind != next.Kind {
		return "has another type"
	}
	if next.Bound > 0 && (old.Bound == 0 || old.Bound > next.Bound) {
		return fmt.Sprintf("has the smaller bound %d", next.Bound)
	}
	switch old.Kind {
	case value.Enum:
		return unreadEnum(old.Enum, next.Enum)
	case value.Record:
		return unreadRecord(old.Record, next.Record)
	}
	if old.Key != nil {
		if why := unread(old.Key, next.Key); why != "" {
			return why
		}
	}
	if old.Elem != nil {
		return unread(old.Elem, next.Elem)
	}
	return ""
}

func unreadEnum(old, next *value.EnumType) string {
	for _, m := range old.Members {
		found := false
		for _, n := range next.Members {
			found = found || n.Wire == m.Wire
		}
		if !found {
			return fmt.Sprintf("has lost the member %q", m.Wire)
		}
	}
	return ""
}

func unreadRecord(old, next *value.RecordType) string {
	for _, why := range narrower(old.Fields, &bytecode.Event{Fields: next.Fields}) {
		return "is a record whose " + why
	}
	return ""
}
