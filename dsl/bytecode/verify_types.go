package bytecode

import "github.com/cloudlysis/aggregate/dsl/value"

// maxTypeDepth bounds how deep a type may nest; the language allows 100 (ruling 89).
const maxTypeDepth = 128

// typeCheck checks that types are whole: every part is there, and enums and records are those
// of the program's tables.
type typeCheck struct {
	enums   map[*value.EnumType]bool
	records map[*value.RecordType]bool
}

func newTypeCheck(p *Program) *typeCheck {
	tc := &typeCheck{map[*value.EnumType]bool{}, map[*value.RecordType]bool{}}
	for _, e := range p.Enums {
		tc.enums[e] = true
	}
	for _, r := range p.Records {
		tc.records[r] = true
	}
	return tc
}

func (tc *typeCheck) check(t *value.Type, depth int) error {
	if t == nil || depth > maxTypeDepth {
		return bad("a type is missing or too deep")
	}
	if t.Bound < 0 {
		return bad("negative bound")
	}
	switch t.Kind {
	case value.Bool, value.Int, value.Decimal, value.String, value.Time, value.Date, value.Duration, value.UUID, value.JSON:
		return nil
	case value.Enum:
		if !tc.enums[t.Enum] {
			return bad("a type of an unknown enum")
		}
		return nil
	case value.Record:
		if !tc.records[t.Record] {
			return bad("a type of an unknown record")
		}
		return nil
	case value.List:
		return tc.check(t.Elem, depth+1)
	case value.Optional:
		if t.Elem != nil && (t.Elem.Kind == value.Optional || t.Elem.Kind == value.JSON) {
			return bad("an optional of an optional or of json")
		}
		return tc.check(t.Elem, depth+1)
	case value.Set:
		return tc.key(t.Elem, depth)
	case value.Map:
		if err := tc.key(t.Key, depth); err != nil {
			return err
		}
		return tc.check(t.Elem, depth+1)
	}
	return bad("a type of kind %d", t.Kind)
}

func (tc *typeCheck) key(t *value.Type, depth int) error {
	if t == nil {
		return bad("a key type is missing")
	}
	switch t.Kind {
	case value.String, value.Int, value.UUID, value.Date, value.Enum:
		return tc.check(t, depth+1)
	}
	return bad("kind %d is no key", t.Kind)
}

func (tc *typeCheck) fields(what string, fields []value.Field) error {
	if len(fields) > MaxSlots {
		return bad("%s: too many fields", what)
	}
	for i := range fields {
		if err := tc.check(fields[i].Type, 0); err != nil {
			return err
		}
	}
	return nil
}

// checkRecords finds records that hold themselves, at any depth, and those that are too large
// when the records in them are counted out.
func checkRecords(records []*value.RecordType) error {
	c := &recordCells{known: map[*value.RecordType]int{}}
	for _, r := range records {
		if r == nil || len(r.Fields) == 0 {
			return bad("a record without fields")
		}
		n, ok := c.record(r)
		if !ok {
			return bad("record %s: it holds itself", r.Name)
		}
		if n > MaxRecordCells {
			return bad("record %s: too large", r.Name)
		}
	}
	return nil
}

// recordCells counts the cells of records; -1 marks one that is being counted.
type recordCells struct{ known map[*value.RecordType]int }

func (c *recordCells) record(r *value.RecordType) (int, bool) {
	if n, ok := c.known[r]; ok {
		return n, n >= 0
	}
	c.known[r] = -1
	n := 0
	for i := range r.Fields {
		m, ok := c.typ(r.Fields[i].Type, 0)
		if !ok {
			return 0, false
		}
		n = min(n+m, MaxRecordCells+1)
	}
	c.known[r] = n
	return n, true
}

// typ follows every part of a type: a record may hold itself through a list too, and what
// writes a type out goes through its lists.
func (c *recordCells) typ(t *value.Type, depth int) (int, bool) {
	if t == nil || depth > maxTypeDepth {
		return 1, true // refused elsewhere
	}
	switch t.Kind {
	case value.Record:
		if t.Record == nil {
			return 1, true
		}
		n, ok := c.record(t.Record)
		return n + 1, ok
	case value.List, value.Set, value.Map, value.Optional:
		n, ok := c.typ(t.Elem, depth+1)
		return n + 1, ok
	}
	return 1, true
}

// fits tells whether a value of s may stand in a place of t.
func fits(t, s *value.Type) bool {
	return value.Same(t, s) || t.Kind == value.Optional && value.Same(t.Elem, s)
}

// isW tells whether values of t lie in the word alone.
func isW(t *value.Type) bool {
	switch t.Kind {
	case value.Bool, value.Int, value.Date, value.Duration, value.Enum:
		return true
	}
	return false
}

// optionalOf tells whether t is the optional that looking up an s gives.
func optionalOf(t, s *value.Type) bool {
	return t.Kind == value.Optional && fits(t, s)
}

// ordered tells whether < exists on t.
func ordered(t *value.Type) bool {
	switch t.Kind {
	case value.Int, value.Decimal, value.String, value.Time, value.Date, value.Duration, value.Enum, value.Bool, value.UUID:
		return true
	}
	return false
}
