package value

import "regexp"

// Builtin names one operation that the language offers as a function, or that an operator or
// conversion stands for, after the checker has settled the types. The checker's constant
// folding and the VM call the same code: Call, which charges nothing, and Cost, which tells
// beforehand what a call is charged in gas beyond its base.
type Builtin uint8

// The builtins. Arguments are named as in language.md; T is CallInfo.Arg unless said.
const (
	BuiltinNone Builtin = iota

	Len // (string | list | set | map): int; strings in code points

	Abs // (int | decimal | duration)
	Min // (T, T): T, any ordered type
	Max
	RoundDecimal // (decimal, scale int): decimal; CallInfo.Mode
	DivDecimal   // (decimal, decimal, scale int): decimal; CallInfo.Mode
	IntOf        // (decimal): int, faults not_whole
	DecimalOf    // (int): decimal
	StringOf     // (T scalar, T? of one, json): string, as in interpolation (ruling 63)
	ParseInt     // (string): int?
	ParseDecimal // (string): decimal?

	Lower
	Upper
	Trim
	StartsWith // (string, string): bool
	EndsWith
	Contains
	Replace // (string, old, new): string
	Split   // (string, string): list<string>
	Join    // (list<string>, string): string
	SliceString
	Matches // (string): bool; CallInfo.Regexp

	SliceList // (list, from, to): list
	Keys      // (map): list
	Values    // (map): list
	Sort      // (list): list
	SortBy    // (list, keys list of the same length): list; CallInfo.Keys, CallInfo.Desc
	Reverse
	First // (list): T?
	Last
	MinOf // (list): T?
	MaxOf
	SumOf // (list of int, decimal, duration): its element
	Unique
	SetOf   // (list): set
	ListOf  // (set): list, in order
	InList  // (T, list<T>): bool
	Concat  // (list, list): list
	Union   // (set, set): set
	Without // (set, set): set

	Year // (time | date): int
	Month
	Day
	Weekday
	DateOf      // (time): date
	AddDays     // (date, int): date
	AddMonths   // (date, int): date
	DaysBetween // (date, date): int
	AddTime     // (time, duration): time
	SubTime     // (time, duration): time
	DiffTime    // (time, time): duration
	NthUUID     // (command id uuid, int): uuid, UUIDv5

	JSONPath   // (json, keys string…): json; CallInfo.Path, with one key for each gap in it
	JSONKey    // (json, string): json, one key
	JSONIndex  // (json, int): json
	AsInt      // (json): int?
	AsDecimal  // (json): decimal?
	AsString   // (json): string?
	AsBool     // (json): bool?
	AsList     // (json): list<json>?
	ToJSON     // (bool | int | decimal | string | list<json> | map<string, json>): json
	builtinEnd // not a builtin
)

// CallInfo is what a call needs besides its arguments; one belongs to each place of a call.
type CallInfo struct {
	Arg    *Type // the type of the first argument
	Result *Type
	Mode   Mode
	Regexp *regexp.Regexp // of Matches, with Insts from CompileRegexp
	Insts  int            // instructions of the regexp's program, for its gas
	Path   *Path          // of JSONPath
	Keys   []*Type        // of SortBy: the types of the sort keys, one cell each in its second list's rows
	Desc   uint64         // of SortBy: bit i tells that key i descends
}

var builtinNames = [builtinEnd]string{
	BuiltinNone:  "none",
	Len:          "len",
	Abs:          "abs",
	Min:          "min",
	Max:          "max",
	RoundDecimal: "round",
	DivDecimal:   "div",
	IntOf:        "int",
	DecimalOf:    "decimal",
	StringOf:     "string",
	ParseInt:     "parse_int",
	ParseDecimal: "parse_decimal",
	Lower:        "lower",
	Upper:        "upper",
	Trim:         "trim",
	StartsWith:   "starts_with",
	EndsWith:     "ends_with",
	Contains:     "contains",
	Replace:      "replace",
	Split:        "split",
	Join:         "join",
	SliceString:  "slice_string",
	Matches:      "matches",
	SliceList:    "slice_list",
	Keys:         "keys",
	Values:       "values",
	Sort:         "sort",
	SortBy:       "sort_by",
	Reverse:      "reverse",
	First:        "first",
	Last:         "last",
	MinOf:        "min_of",
	MaxOf:        "max_of",
	SumOf:        "sum_of",
	Unique:       "unique",
	SetOf:        "set",
	ListOf:       "list_of",
	InList:       "in_list",
	Concat:       "concat",
	Union:        "union",
	Without:      "without",
	Year:         "year",
	Month:        "month",
	Day:          "day",
	Weekday:      "weekday",
	DateOf:       "date",
	AddDays:      "add_days",
	AddMonths:    "add_months",
	DaysBetween:  "days_between",
	AddTime:      "add_time",
	SubTime:      "sub_time",
	DiffTime:     "diff_time",
	NthUUID:      "uuid",
	JSONPath:     "json_path",
	JSONKey:      "json_key",
	JSONIndex:    "json_index",
	AsInt:        "as_int",
	AsDecimal:    "as_decimal",
	AsString:     "as_string",
	AsBool:       "as_bool",
	AsList:       "as_list",
	ToJSON:       "to_json",
}

// String is the builtin's name in disassembly and traces.
func (b Builtin) String() string {
	if b >= builtinEnd {
		return builtinNames[BuiltinNone]
	}
	return builtinNames[b]
}

// ParseBuiltin gives the builtin of a name that String gives.
func ParseBuiltin(name string) (Builtin, bool) {
	for i, n := range builtinNames {
		if i > 0 && n == name {
			return Builtin(i), true
		}
	}
	return BuiltinNone, false
}

// Valid tells whether b is a builtin: what a decoder of stored programs must ask.
func (b Builtin) Valid() bool { return b > BuiltinNone && b < builtinEnd }
