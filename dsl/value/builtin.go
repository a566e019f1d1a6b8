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
	Regexp *regexp.Regexp // of Matches
	Path   *Path          // of JSONPath
	Keys   []*Type        // of SortBy: the types of the sort keys, one cell each in its second list's rows
	Desc   uint64         // of SortBy: bit i tells that key i descends
}
