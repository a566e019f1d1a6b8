package bytecode

import (
	"regexp/syntax"

	"github.com/cloudlysis/aggregate/dsl/value"
)

// site checks that a call site's types are those its builtin works on: the functions of package
// value trust them.
func (v *verifier) site(s *CallSite) error {
	p := v.p
	if int(s.Result) >= len(p.Types) {
		return bad("call site: no type %d", s.Result)
	}
	args := make([]*value.Type, len(s.Args))
	for i, t := range s.Args {
		if int(t) >= len(p.Types) {
			return bad("call site: no type %d", t)
		}
		args[i] = p.Types[t]
	}
	keys := make([]*value.Type, len(s.Keys))
	for i, t := range s.Keys {
		if int(t) >= len(p.Types) {
			return bad("call site: no type %d", t)
		}
		keys[i] = p.Types[t]
	}
	if _, ok := roundMode(uint8(s.Mode)); !ok {
		return bad("call site: no such mode")
	}
	if s.Builtin == value.Matches {
		if _, err := syntax.Parse(s.Pattern, syntax.Perl); err != nil {
			return bad("call site: pattern: %v", err)
		}
	}
	if !(&siteCheck{s, args, p.Types[s.Result], keys}).fits() {
		return bad("call site: builtin %d does not take these types", s.Builtin)
	}
	return nil
}

type siteCheck struct {
	site   *CallSite
	args   []*value.Type
	result *value.Type
	keys   []*value.Type
}

// kinds checks the kinds of result and arguments one by one.
func (c *siteCheck) kinds(result value.Kind, args ...value.Kind) bool {
	if c.result.Kind != result || len(args) != len(c.args) {
		return false
	}
	for i, k := range args {
		if c.args[i].Kind != k {
			return false
		}
	}
	return true
}

func (c *siteCheck) maybe(k value.Kind) bool {
	return c.result.Kind == value.Optional && c.result.Elem.Kind == k
}

func (c *siteCheck) fits() bool {
	if len(c.args) == 0 {
		return false
	}
	switch b := c.site.Builtin; {
	case b == value.BuiltinNone:
		return false
	case b <= value.ParseDecimal:
		return c.number(b)
	case b <= value.Matches:
		return c.str(b)
	case b <= value.Without:
		return c.list(b)
	case b <= value.NthUUID:
		return c.time(b)
	case b <= value.ToJSON:
		return c.json(b)
	}
	return false
}

func (c *siteCheck) number(b value.Builtin) bool {
	t := c.args[0]
	switch b {
	case value.Len:
		switch t.Kind {
		case value.String, value.List, value.Set, value.Map:
			return c.kinds(value.Int, t.Kind)
		}
		return false
	case value.Abs:
		return (t.Kind == value.Int || t.Kind == value.Decimal || t.Kind == value.Duration) && c.kinds(t.Kind, t.Kind)
	case value.Min, value.Max:
		return len(c.args) == 2 && ordered(t) && value.Same(t, c.args[1]) && value.Same(t, c.result)
	case value.RoundDecimal:
		return c.kinds(value.Decimal, value.Decimal, value.Int)
	case value.DivDecimal:
		return c.kinds(value.Decimal, value.Decimal, value.Decimal, value.Int)
	case value.IntOf:
		return c.kinds(value.Int, value.Decimal)
	case value.DecimalOf:
		return c.kinds(value.Decimal, value.Int)
	case value.StringOf:
		return c.kinds(value.String, t.Kind) && isText(bare(t))
	case value.ParseInt:
		return t.Kind == value.String && len(c.args) == 1 && c.maybe(value.Int)
	case value.ParseDecimal:
		return t.Kind == value.String && len(c.args) == 1 && c.maybe(value.Decimal)
	}
	return false
}

// isText tells whether string() takes t.
func isText(t *value.Type) bool {
	switch t.Kind {
	case value.Record, value.List, value.Set, value.Map, value.Optional:
		return false
	}
	return true
}

func (c *siteCheck) str(b value.Builtin) bool {
	const s = value.String
	switch b {
	case value.Lower, value.Upper, value.Trim:
		return c.kinds(s, s)
	case value.StartsWith, value.EndsWith, value.Contains:
		return c.kinds(value.Bool, s, s)
	case value.Replace:
		return c.kinds(s, s, s, s)
	case value.Split:
		return c.kinds(value.List, s, s) && c.result.Elem.Kind == s
	case value.Join:
		return c.kinds(s, value.List, s) && c.args[0].Elem.Kind == s
	case value.SliceString:
		return c.kinds(s, s, value.Int, value.Int)
	case value.Matches:
		return c.kinds(value.Bool, s)
	}
	return false
}

// list is for builtins over containers; t is the first argument.
func (c *siteCheck) list(b value.Builtin) bool {
	t := c.args[0]
	switch b {
	case value.InList:
		return c.kinds(value.Bool, t.Kind, value.List) && value.Same(c.args[1].Elem, t)
	case value.Keys, value.Values:
		elem := t.Elem
		if b == value.Keys {
			elem = t.Key
		}
		return c.kinds(value.List, value.Map) && value.Same(c.result.Elem, elem)
	case value.ListOf:
		return c.kinds(value.List, value.Set) && value.Same(c.result.Elem, t.Elem)
	case value.Union, value.Without:
		return c.kinds(value.Set, value.Set, value.Set) && value.Same(t, c.args[1]) && value.Same(t, c.result)
	}
	if t.Kind != value.List {
		return false
	}
	switch b {
	case value.SliceList:
		return c.kinds(value.List, value.List, value.Int, value.Int) && value.Same(t, c.result)
	case value.Sort:
		return len(c.args) == 1 && value.Same(t, c.result) && ordered(t.Elem)
	case value.SortBy:
		return c.sortBy(t)
	case value.Reverse:
		return len(c.args) == 1 && value.Same(t, c.result)
	case value.Unique:
		return len(c.args) == 1 && value.Same(t, c.result)
	case value.First, value.Last:
		return len(c.args) == 1 && optionalOf(c.result, t.Elem)
	case value.MinOf, value.MaxOf:
		return len(c.args) == 1 && optionalOf(c.result, t.Elem) && ordered(t.Elem)
	case value.SumOf:
		k := t.Elem.Kind
		return c.kinds(k, value.List) && (k == value.Int || k == value.Decimal || k == value.Duration)
	case value.SetOf:
		return c.kinds(value.Set, value.List) && value.Same(c.result.Elem, t.Elem)
	case value.Concat:
		return c.kinds(value.List, value.List, value.List) && value.Same(t, c.args[1]) && value.Same(t, c.result)
	}
	return false
}

// sortBy: the second list has a record for each element, whose fields are the keys; with one
// key it may be the keys themselves.
func (c *siteCheck) sortBy(t *value.Type) bool {
	if len(c.args) != 2 || c.args[1].Kind != value.List || !value.Same(t, c.result) || len(c.keys) == 0 || len(c.keys) > 64 {
		return false
	}
	rows := c.args[1].Elem
	if rows.Kind != value.Record {
		return len(c.keys) == 1 && value.Same(rows, c.keys[0]) && ordered(rows)
	}
	if len(rows.Record.Fields) != len(c.keys) {
		return false
	}
	for i, k := range c.keys {
		if !value.Same(rows.Record.Fields[i].Type, k) || !ordered(k) {
			return false
		}
	}
	return true
}

func (c *siteCheck) time(b value.Builtin) bool {
	t := c.args[0].Kind
	switch b {
	case value.Year, value.Month, value.Day, value.Weekday:
		return (t == value.Time || t == value.Date) && c.kinds(value.Int, t)
	case value.DateOf:
		return c.kinds(value.Date, value.Time)
	case value.AddDays, value.AddMonths:
		return c.kinds(value.Date, value.Date, value.Int)
	case value.DaysBetween:
		return c.kinds(value.Int, value.Date, value.Date)
	case value.AddTime, value.SubTime:
		return c.kinds(value.Time, value.Time, value.Duration)
	case value.DiffTime:
		return c.kinds(value.Duration, value.Time, value.Time)
	case value.NthUUID:
		return c.kinds(value.UUID, value.UUID, value.Int)
	}
	return false
}

func (c *siteCheck) json(b value.Builtin) bool {
	const j = value.JSON
	t := c.args[0]
	if b == value.ToJSON {
		return c.result.Kind == j && len(c.args) == 1 && jsonable(t)
	}
	if t.Kind != j {
		return false
	}
	switch b {
	case value.JSONPath:
		return c.jsonPath()
	case value.JSONKey:
		return c.kinds(j, j, value.String)
	case value.JSONIndex:
		return c.kinds(j, j, value.Int)
	case value.AsInt:
		return len(c.args) == 1 && c.maybe(value.Int)
	case value.AsDecimal:
		return len(c.args) == 1 && c.maybe(value.Decimal)
	case value.AsString:
		return len(c.args) == 1 && c.maybe(value.String)
	case value.AsBool:
		return len(c.args) == 1 && c.maybe(value.Bool)
	case value.AsList:
		return len(c.args) == 1 && c.maybe(value.List) && c.result.Elem.Elem.Kind == j
	}
	return false
}

func (c *siteCheck) jsonPath() bool {
	path, err := value.ParsePath(c.site.Path)
	if err != nil || path.Gaps() != len(c.args)-1 || c.result.Kind != value.JSON {
		return false
	}
	for _, a := range c.args[1:] {
		if a.Kind != value.String {
			return false
		}
	}
	return true
}

// jsonable tells whether ToJSON takes t.
func jsonable(t *value.Type) bool {
	switch t.Kind {
	case value.Bool, value.Int, value.Decimal, value.String, value.JSON:
		return true
	case value.List:
		return t.Elem.Kind == value.JSON
	case value.Map:
		return t.Key.Kind == value.String && t.Elem.Kind == value.JSON
	}
	return false
}
