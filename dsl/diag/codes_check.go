package diag

import (
	"fmt"
	"strings"
)

// The codes of the checker: names and types.
const (
	UnknownName      Code = "AGG2001"
	DeclaredTwice    Code = "AGG2002"
	UnknownField     Code = "AGG2003"
	UnknownType      Code = "AGG2004"
	UnknownFunction  Code = "AGG2005"
	Shadowing        Code = "AGG2006"
	NotVisibleHere   Code = "AGG2007"
	RootAsValue      Code = "AGG2008"
	BareMember       Code = "AGG2009"
	AmbiguousMember  Code = "AGG2010"
	UnknownMember    Code = "AGG2011"
	UnknownCommand   Code = "AGG2012"
	UnknownEvent     Code = "AGG2013"
	UnknownGuard     Code = "AGG2014"
	NotAValue        Code = "AGG2015"
	UnknownRole      Code = "AGG2016"
	UnknownAggregate Code = "AGG2017"

	TypeMismatch      Code = "AGG2020"
	BadOperand        Code = "AGG2021"
	NeedsType         Code = "AGG2022"
	MaybeAbsent       Code = "AGG2023"
	NeverAbsent       Code = "AGG2024"
	WrongArity        Code = "AGG2025"
	NotOrdered        Code = "AGG2026"
	NoIndex           Code = "AGG2027"
	NoFields          Code = "AGG2028"
	BadText           Code = "AGG2029"
	LiteralOutOfRange Code = "AGG2030"
	MissingField      Code = "AGG2031"
	FieldTwice        Code = "AGG2032"
	BadSpread         Code = "AGG2033"
	NotPrintable      Code = "AGG2034"
	NotConstant       Code = "AGG2035"
	ConstantFaults    Code = "AGG2036"
	BadJSONPath       Code = "AGG2037"
	BadPatternText    Code = "AGG2038"
	NeedsFor          Code = "AGG2039"
	LoopVariables     Code = "AGG2040"
	NotIterable       Code = "AGG2041"
	NoDivision        Code = "AGG2042"
	NeedsLiteral      Code = "AGG2043"
	UnknownMode       Code = "AGG2044"
	KeyTwice          Code = "AGG2045"
	RangeHere         Code = "AGG2046"
	BlankHere         Code = "AGG2047"

	BadAssignment    Code = "AGG2050"
	StateWritten     Code = "AGG2051"
	NotAllowedHere   Code = "AGG2052"
	NotExhaustive    Code = "AGG2053"
	ArmTwice         Code = "AGG2054"
	BadMatch         Code = "AGG2055"
	MissingReturn    Code = "AGG2056"
	EffectHere       Code = "AGG2060"
	Cycle            Code = "AGG2061"
	RecursiveRecord  Code = "AGG2062"
	NoZero           Code = "AGG2063"
	BadOptional      Code = "AGG2064"
	BadKeyType       Code = "AGG2065"
	BoundHere        Code = "AGG2066"
	DefaultOverBound Code = "AGG2067"

	MissingRule      Code = "AGG2070"
	VersionGap       Code = "AGG2071"
	MissingUpcast    Code = "AGG2072"
	BadUpcast        Code = "AGG2073"
	RetiredEvent     Code = "AGG2074"
	MissingState     Code = "AGG2075"
	OnlyOnce         Code = "AGG2076"
	ReservedCode     Code = "AGG2077"
	BadIndex         Code = "AGG2078"
	FieldNamedType   Code = "AGG2079"
	EmptyType        Code = "AGG2080"
	WireNameTwice    Code = "AGG2081"
	NumberOutOfRange Code = "AGG2082"

	TestShape      Code = "AGG2090"
	UnknownCode    Code = "AGG2091"
	BadInvalidPath Code = "AGG2092"
	UnknownFault   Code = "AGG2093"
	RowLength      Code = "AGG2094"
	ColumnType     Code = "AGG2095"
	TestNameTwice  Code = "AGG2096"

	BoundOutOfRange   Code = "AGG3001"
	ConstantTooCostly Code = "AGG3002"
	ExpressionTooDeep Code = "AGG3003"
	RepeatOutOfRange  Code = "AGG3004"
	TooManyAggregates Code = "AGG3005"
	RecordTooLarge    Code = "AGG3007"
	TooManySortKeys   Code = "AGG3006"

	ImportNotFound Code = "AGG4050"
	ImportOutside  Code = "AGG4051"
	ImportCycle    Code = "AGG4052"
	ImportClash    Code = "AGG4053"
	AggregateTwice Code = "AGG4054"

	UnusedField        Code = "AGG5001"
	NeverEmitted       Code = "AGG5002"
	Unreachable        Code = "AGG5003"
	SilentPath         Code = "AGG5004"
	MayFault           Code = "AGG5005"
	VarNeverRead       Code = "AGG5006"
	UnanchoredPattern  Code = "AGG5007"
	FnNamedLikeBuiltin Code = "AGG5008"
	RepeatedRequire    Code = "AGG5009"
	CodeNeverGiven     Code = "AGG5010"
	GainsDigits        Code = "AGG5011"
	BadIgnore          Code = "AGG5012"
)

// doublings is records R1 to Rn, each of which holds the one before twice.
func doublings(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "record R%d { a: R%d, b: R%d }\n", i+1, i, i)
	}
	return b.String()
}

// checkCodes documents AGG2xxx (names, types, rules, declarations, tests), AGG3xxx (limits),
// AGG405x (imports) and AGG5xxx (warnings). The example of a set is an archive of its files.
func checkCodes() []Info {
	var all []Info
	for _, part := range [][]Info{namesCodes(), typesCodes(), rulesCodes(), declarationsCodes(), testsCodes(), limitsCodes(), setsCodes(), warningsCodes()} {
		all = append(all, part...)
	}
	return all
}

func namesCodes() []Info {
	return []Info{
		{UnknownName, "unknown name", Error,
			"Occurs when a bare name is no local, constant or member of the expected enum. Fields are always written with their root: state.balance, cmd.amount.",
			inRule(`require amount > 0 else too_small`, `nothing`)},
		{DeclaredTwice, "declared twice", Error,
			"Occurs when one name space holds a name twice: two fields of one record, two commands, two applies of one event. Commands and events may share a name, functions and values too.",
			inAggregate(`enum Kind { a, b }`, `enum Kind { c }`)},
		{UnknownField, "unknown field", Error,
			"Occurs when a field is read or given that the state, command, event, record or ctx does not have.",
			inRule(`require state.m > 0 else too_small`, `nothing`)},
		{UnknownType, "unknown type", Error,
			"Occurs when a type is named that neither the aggregate, its file nor an imported file declares.",
			inAggregate(`record Hold { amount: money }`)},
		{UnknownFunction, "unknown function", Error,
			"Occurs when something is called that is neither a function in sight nor a builtin.",
			inRule(`require lenght("a") == state.n else no`, `nothing`)},
		{Shadowing, "name hidden", Error,
			"Occurs when a name of a rule hides another one: a local hides a local or a constant, or a declaration of an aggregate one at top level.",
			inRule(`let a = 1`, `for a in range(0, 2) { require a >= 0 else no }`, `nothing`)},
		{NotVisibleHere, "not visible here", Error,
			"Occurs when a rule reads a root, or a field of ctx, that it is not born with: cmd in an apply, state in a where, ctx.now in an invariant.",
			inAggregate(`invariant fresh: ctx.version > 0`)},
		{RootAsValue, "root used as a value", Error,
			"Occurs when state, cmd, event, old or ctx is used by itself. They are not values: take a field, or spread them with `..`.",
			inRule(`let s = state`, `nothing`)},
		{BareMember, "member without its enum", Error,
			"Occurs when an enum member is written bare where no enum is expected. Write Status.open there.",
			inAggregate(`enum Status { open, closed }`, `command c {}`, `decide c {`, `let s = open`, `nothing`, `}`)},
		{AmbiguousMember, "member or local", Error,
			"Occurs when a bare name is a local and also a member of the enum that is expected. Write Class.economy, or rename the local.",
			inAggregate(`enum Class { economy, first }`, `fn f(economy: int, c: Class): bool = c == economy`)},
		{UnknownMember, "unknown member", Error,
			"Occurs when an enum has no member of that name.",
			inAggregate(`enum Status { open, closed }`, `fn f(s: Status): bool = s == Status.opened`)},
		{UnknownCommand, "unknown command", Error,
			"Occurs when a decide, or a `when` of a test, names a command that the aggregate does not declare.",
			inAggregate(`decide close { nothing }`)},
		{UnknownEvent, "unknown event", Error,
			"Occurs when an emit, apply, upcast or step of a test names an event, or a version of one, that the aggregate does not declare.",
			inRule(`emit closed {}`)},
		{UnknownGuard, "unknown guard", Error,
			"Occurs when a `check` names a guard that the aggregate does not declare.",
			inRule(`check can_pay(1)`, `nothing`)},
		{NotAValue, "not a value", Error,
			"Occurs when a type is used as a value.",
			inAggregate(`enum Status { open, closed }`, `fn f(): bool = Status == Status.open`)},
		{UnknownRole, "unknown role", Error,
			"Occurs when `by` names a role that the aggregate does not declare.",
			inAggregate(`roles teller`, `command c by manager {}`, `decide c { nothing }`)},
		{UnknownAggregate, "unknown aggregate", Error,
			"Occurs when a test is for an aggregate, or a qualified type of one, that the set does not have.",
			"test \"t\" for Acount {\n  when c {}\n  then nothing\n}\n"},
	}
}

func typesCodes() []Info {
	return []Info{
		{TypeMismatch, "wrong type", Error,
			"Occurs when a value is not of the type that its place needs, and the language does not widen it. T widens to T?, int to decimal; nothing else converts silently.",
			inAggregate(`fn f(): int = "one"`)},
		{BadOperand, "operator does not work on this type", Error,
			"Occurs when an operator is used on types that it does not have.",
			inAggregate(`fn f(a: bool): bool = -a == a`)},
		{NeedsType, "type must be said", Error,
			"Occurs when `[]`, `{}` or `none` stands where nothing tells its type.",
			inRule(`let xs = []`, `nothing`)},
		{MaybeAbsent, "may be absent", Error,
			"Occurs when a T? is used where a T is needed. Bind it with `is some v`, or give a default with `??`.",
			inAggregate(`fn f(a: int?): int = a + 1`)},
		{NeverAbsent, "never absent", Error,
			"Occurs when `??`, `is some`, `is none` or `?` is used on what is no T?.",
			inAggregate(`fn f(a: int): int = a ?? 1`)},
		{WrongArity, "wrong number of arguments", Error,
			"Occurs when a function, builtin or guard is called with too many or too few arguments.",
			inAggregate(`fn f(): string = lower()`)},
		{NotOrdered, "no order", Error,
			"Occurs when `<`, sort, min or max is used on a type without an order: bool, uuid, records, and enums that are not declared `ordered`.",
			inAggregate(`enum Size { small, large }`, `fn f(a: Size): bool = a < Size.large`)},
		{NoIndex, "no index", Error,
			"Occurs when `x[i]` is used on what is no list, map or json.",
			inAggregate(`fn f(s: set<int>): bool = s[1]`)},
		{NoFields, "no fields", Error,
			"Occurs when `.f` is used on what is no record.",
			inAggregate(`fn f(xs: list<int>): int = xs.length`)},
		{BadText, "malformed literal", Error,
			"Occurs when the text of a time, date, duration or uuid is not understood.",
			inAggregate(`const start: date = date("2026-02-30")`)},
		{LiteralOutOfRange, "number does not fit", Error,
			"Occurs when a number has more digits than its type holds.",
			inAggregate(`const big: int = 9223372036854775808`)},
		{MissingField, "missing field", Error,
			"Occurs when an event, command, record or `then emit` leaves out a field that has neither a default nor a `?`.",
			inAggregate(`record Point { x: int, y: int }`, `fn f(): Point = Point { x: 1 }`)},
		{FieldTwice, "field given twice", Error,
			"Occurs when the braces of an emit, record or step give one field twice.",
			inAggregate(`record Point { x: int }`, `fn f(): Point = Point { x: 1, x: 2 }`)},
		{BadSpread, "cannot be spread", Error,
			"Occurs when `..` takes something that has no fields to give. It takes cmd, event, the old of an upcast, or a record.",
			inAggregate(`record Point { x: int }`, `fn f(n: int): Point = Point { ..n }`)},
		{NotPrintable, "no text of its own", Error,
			"Occurs when a list, set, map or record stands in an interpolation or string().",
			inAggregate(`fn f(xs: list<int>): string = "{xs}"`)},
		{NotConstant, "not a constant", Error,
			"Occurs when a constant, default, bound or row of cases calls a function, or reads what is known only when a rule runs.",
			inAggregate(`fn one(): int = 1`, `const two: int = one() + 1`)},
		{ConstantFaults, "constant faults", Error,
			"Occurs when a constant expression always faults: an overflow, a division by zero, an absent key.",
			inAggregate(`const x: int = 1 / 0`)},
		{BadJSONPath, "malformed json path", Error,
			"Occurs when the literal path of `j[\"…\"]` is not understood. Paths are keys, indices and # with dots between; queries, modifiers and wildcards are refused.",
			inAggregate(`fn f(j: json): json = j["a.#(b==1)"]`)},
		{BadPatternText, "malformed pattern", Error,
			"Occurs when the pattern of matches is no RE2 pattern, or needs more than 10,000 instructions.",
			inAggregate(`fn f(s: string): bool = matches(s, "^[a$")`)},
		{NeedsFor, "comprehension misused", Error,
			"Occurs when a builtin that works on `(e for x in xs)` only is called with values, or one that takes values is given a `for`.",
			inAggregate(`fn f(xs: list<int>): int = count(xs)`)},
		{LoopVariables, "wrong loop variables", Error,
			"Occurs when a loop has one variable over a map, or two over a set or range.",
			inAggregate(`fn f(m: map<int, int>): int = sum(v for v in m)`)},
		{NotIterable, "cannot be looped over", Error,
			"Occurs when a loop runs over something that is no list, set, map or range.",
			inAggregate(`fn f(n: int): int = sum(i for i in n)`)},
		{NoDivision, "no division of decimals", Error,
			"Occurs when `/` or `%` has a decimal operand. It would round unseen: write div(a, b, scale, mode).",
			inAggregate(`fn f(a: decimal): decimal = a / 3`)},
		{NeedsLiteral, "literal needed", Error,
			"Occurs when the pattern of matches, or the text of time(…), is not a literal.",
			inAggregate(`fn f(s: string, p: string): bool = matches(s, p)`)},
		{UnknownMode, "unknown rounding mode", Error,
			"Occurs when the last argument of round or div is no rounding mode.",
			inAggregate(`fn f(d: decimal): decimal = round(d, 2, half_evn)`)},
		{KeyTwice, "key written twice", Error,
			"Occurs when a map literal writes one constant key twice.",
			inAggregate(`const m: map<string, int> = {"a": 1, "a": 2}`)},
		{RangeHere, "range misplaced", Error,
			"Occurs when range(a, b) stands elsewhere than as the source of a `for`, or a..b elsewhere than after `in`.",
			inAggregate(`fn f(): int = len(range(0, 3))`)},
		{BlankHere, "blank misplaced", Error,
			"Occurs when `_` stands for a value elsewhere than in `then emit`, or for a part of one there that is no field, element or value of a map.",
			"aggregate A {\n  state {}\n  command c {}\n  event e { n: decimal }\n  decide c { emit e { n: 1 } }\n  apply e {}\n}\ntest \"t\" for A {\n  when c {}\n  then emit e { n: 1 + _ }\n}\n"},
	}
}

func rulesCodes() []Info {
	return []Info{
		{BadAssignment, "cannot be assigned", Error,
			"Occurs when the target of an assignment or remove is no var and no place in the state: a let, a loop variable, a derive, a constant, m[k]?, a whole root.",
			inRule(`let a = 1`, `a = 2`, `nothing`)},
		{StateWritten, "state written outside of apply", Error,
			"Occurs when a rule other than an apply writes to the state.",
			inRule(`state.n = 1`, `nothing`)},
		{NotAllowedHere, "statement not allowed here", Error,
			"Occurs when a statement stands in a rule that has none such: emit in an apply, return in a decide, reject in a function.",
			inRule(`nothing`, `return 1`)},
		{NotExhaustive, "match is not exhaustive", Error,
			"Occurs when a match on an enum, bool or T? leaves out a value, or one on another type has no `_`.",
			inAggregate(`enum Status { open, closed }`, `fn f(s: Status): int {`, `match s { open => { return 1 } }`, `return 2`, `}`)},
		{ArmTwice, "arm never reached", Error,
			"Occurs when a pattern of a match is taken by an arm before.",
			inAggregate(`fn f(n: int): int {`, `match n { 1 => { return 1 } 1 => { return 2 } _ => { return 3 } }`, `}`)},
		{BadMatch, "cannot be matched", Error,
			"Occurs when match is used on a type that it does not work on, or a pattern that does not fit.",
			inAggregate(`fn f(xs: list<int>): int {`, `match xs { _ => { return 1 } }`, `}`)},
		{MissingReturn, "path without return", Error,
			"Occurs when some path through the body of a function ends without return.",
			inAggregate(`fn f(n: int): int {`, `if n > 0 { return 1 }`, `}`)},
		{EffectHere, "function reads what is not there", Error,
			"Occurs when a function is called from a rule that does not have what it reads, by itself or through others; the message names the chain.",
			inAggregate(`fn late(): bool = "late" in ctx.roles`, `invariant calm: not late()`)},
		{Cycle, "circle", Error,
			"Occurs when functions, derives, guards, constants or defaults use each other in a circle. Every rule ends: nothing may use itself.",
			inAggregate(`fn f(n: int): int = f(n - 1)`)},
		{RecursiveRecord, "recursive record", Error,
			"Occurs when a record holds itself, directly or through others, a list, map or `?`.",
			inAggregate(`record Node { next: Node? }`)},
		{NoZero, "no first value", Error,
			"Occurs when a state field of type time, date, duration, uuid, enum, or a record of such, has no default.",
			"aggregate A {\n  state { at: time }\n}\n"},
		{BadOptional, "optional json", Error,
			"Occurs when `json?` is written: json holds null already.",
			inAggregate(`record Note { extra: json? }`)},
		{BadKeyType, "cannot be a key", Error,
			"Occurs when the key of a map or the member of a set is not a string, int, uuid, date or enum.",
			inAggregate(`record Price { of: map<decimal, int> }`)},
		{BoundHere, "bound misplaced", Error,
			"Occurs when a bound is written on the type of a let, var, const, result or derive. Bounds belong to fields and parameters.",
			inAggregate(`const name: string<10> = "a"`)},
		{DefaultOverBound, "default breaks its bound", Error,
			"Occurs when the default of a field is longer than the bound of its type.",
			inAggregate(`record Name { text: string<2> = "abc" }`)},
	}
}

func declarationsCodes() []Info {
	return []Info{
		{MissingRule, "missing decide or apply", Error,
			"Occurs when a command has no decide, or an event no apply.",
			inAggregate(`command c {}`)},
		{VersionGap, "gap in versions", Error,
			"Occurs when the versions of an event are not numbered @1, @2, … without gaps.",
			"aggregate A {\n  state {}\n  command c {}\n  decide c { emit e {} }\n  event e @2 {}\n  apply e {}\n}\n"},
		{MissingUpcast, "missing upcast", Error,
			"Occurs when an older version of an event has no upcast to the next.",
			"aggregate A {\n  state {}\n  command c {}\n  decide c { emit e {} }\n  event e @1 {}\n  event e @2 {}\n  apply e {}\n}\n"},
		{BadUpcast, "impossible upcast", Error,
			"Occurs when an upcast does not lead from one version to the next, or from the highest of a retired event to @1 of its new name.",
			"aggregate A {\n  state {}\n  command c {}\n  decide c { emit e {} }\n  event e {}\n  apply e {}\n  upcast e @1 -> @2 {}\n}\n"},
		{RetiredEvent, "retired event", Error,
			"Occurs when a retired event is emitted, expected or has an apply. An upcast turns it into another before it is applied.",
			"aggregate A {\n  state {}\n  command c {}\n  decide c { emit b {} }\n  event a {}\n  event b {}\n  apply a {}\n  apply b {}\n  upcast a @1 -> b @1 {}\n}\n"},
		{MissingState, "missing state", Error,
			"Occurs when an aggregate has no state block.",
			"aggregate A {}\n"},
		{OnlyOnce, "more than one", Error,
			"Occurs when an aggregate has a second state, snapshot, gas, roles or final.",
			"aggregate A {\n  state {}\n  gas 100\n  gas 200\n}\n"},
		{ReservedCode, "code of the system", Error,
			"Occurs when a rule gives one of the codes of the system: not_found already_exists forbidden finished invariant_violated validation_error.",
			inRule(`reject not_found`)},
		{BadIndex, "cannot be indexed", Error,
			"Occurs when an index leads to something that is no scalar.",
			"aggregate A {\n  state { tags: set<string> }\n  index tags\n}\n"},
		{FieldNamedType, "command field called type", Error,
			"Occurs when a field of a command is called type, the name by which a payload says which command it is.",
			"aggregate A {\n  state {}\n  command c { type: string }\n  decide c { require cmd.type != \"\" else empty nothing }\n}\n"},
		{EmptyType, "empty type", Error,
			"Occurs when an enum has no members, or a record no fields.",
			inAggregate(`record Nothing {}`)},
		{WireNameTwice, "wire name used twice", Error,
			"Occurs when two members of an enum have the same text on the wire.",
			inAggregate(`enum Currency { usd = "USD", dollar = "USD" }`)},
		{NumberOutOfRange, "number out of range", Error,
			"Occurs when snapshot every, gas or then gas has a number that makes no sense there.",
			inAggregate(`snapshot every 0`)},
	}
}

func testsCodes() []Info {
	return []Info{
		{TestShape, "steps out of order", Error,
			"Occurs when the steps of a test do not make sense together: no when, a when without then, given after when, two outcomes of one when.",
			inTest(`when c {}`)},
		{UnknownCode, "unknown code", Error,
			"Occurs when a test expects a code that no rule of the aggregate and not the system gives.",
			inTest(`when c {}`, `then reject too_late`)},
		{BadInvalidPath, "wrong path", Error,
			"Occurs when the path of `then invalid` leads to no field of the command.",
			inTest(`when c {}`, `then invalid amount`)},
		{UnknownFault, "unknown fault", Error,
			"Occurs when `then fault` names something else than gas overflow inexact division_by_zero absent_key index range not_whole bound memory.",
			inTest(`when c {}`, `then fault overrun`)},
		{RowLength, "wrong row", Error,
			"Occurs when a row of cases has more or fewer values than there are columns, or there is no row.",
			"aggregate A {\n  state {}\n  command c {}\n  decide c { nothing }\n}\ntest \"t\" for A\n  cases a, b { (1) }\n{\n  when c {}\n  then nothing\n}\n"},
		{ColumnType, "type of a column unknown", Error,
			"Occurs when a column of cases holds nothing but none, [] or bare enum members.",
			"aggregate A {\n  state {}\n  command c {}\n  decide c { nothing }\n}\ntest \"t\" for A\n  cases a { (none) }\n{\n  when c {}\n  then nothing\n}\n"},
		{TestNameTwice, "test name used twice", Error,
			"Occurs when two tests of one aggregate have the same name.",
			"aggregate A {\n  state {}\n  command c {}\n  decide c { nothing }\n}\ntest \"t\" for A {\n  when c {}\n  then nothing\n}\ntest \"t\" for A {\n  when c {}\n  then nothing\n}\n"},
	}
}

func limitsCodes() []Info {
	return []Info{
		{BoundOutOfRange, "bound out of range", Error,
			"Occurs when a bound is not from 1 to 1,000,000.",
			inAggregate(`record Name { text: string<0> }`)},
		{ConstantTooCostly, "constant too costly", Error,
			"Occurs when working out a constant takes more than 100,000 steps.",
			inAggregate(`const n: int = sum(i for i in range(0, 1_000_000))`)},
		{ExpressionTooDeep, "expression too deep", Error,
			"Occurs when an expression is nested more than 2,000 deep, chains of operators counted.",
			inAggregate("fn f(): int = (((1" + strings.Repeat(strings.Repeat(" + 1", 900)+")", 3))},
		{RepeatOutOfRange, "repeat out of range", Error,
			"Occurs when `repeat` has a number that is not from 1 to 10,000.",
			inTest(`repeat 10_001 {`, `when c {}`, `then nothing`, `}`)},
		{TooManyAggregates, "too many aggregates", Error,
			"Occurs when a set has more than 10,000 aggregates.",
			""},
		{RecordTooLarge, "record too large", Error,
			"Occurs when a record and the records in it have more than 10,000 fields together.",
			"record R0 { a: int, b: int }\n" + doublings(14)},
		{TooManySortKeys, "too many sort keys", Error,
			"Occurs when sort_by has more than 64 keys.",
			inAggregate("fn f(xs: list<int>): list<int> = sort_by(" + strings.Repeat("x, ", 64) + "x for x in xs)")},
	}
}

func setsCodes() []Info {
	return []Info{
		{ImportNotFound, "imported file not found", Error,
			"Occurs when an import names a file that the set does not hold.",
			"import \"money.agg\"\n"},
		{ImportOutside, "import leads outside", Error,
			"Occurs when an import leads out of the manifest directory.",
			"import \"../money.agg\"\n"},
		{ImportCycle, "imports in a circle", Error,
			"Occurs when files import each other in a circle.",
			"-- a.agg --\nimport \"b.agg\"\n-- b.agg --\nimport \"a.agg\"\n"},
		{ImportClash, "imported name clashes", Error,
			"Occurs when an imported file declares a name that is visible in the file already.",
			"-- a.agg --\nimport \"b.agg\"\nconst n: int = 1\n-- b.agg --\nconst n: int = 2\n"},
		{AggregateTwice, "aggregate declared twice", Error,
			"Occurs when two files of a set, or one file twice, declare one aggregate.",
			"aggregate A { state {} }\naggregate A { state {} }\n"},
	}
}

func warningsCodes() []Info {
	return []Info{
		{UnusedField, "unused command field", Warning,
			"Occurs when no rule reads a field of a command, and no `..cmd` takes it.",
			inAggregate(`command c { amount: int }`, `decide c { nothing }`)},
		{NeverEmitted, "event never emitted", Warning,
			"Occurs when no decide emits an event that is not retired.",
			inAggregate(`event e {}`, `apply e {}`)},
		{Unreachable, "unreachable code", Warning,
			"Occurs when statements follow one after which the rule has ended.",
			inRule(`reject no`, `nothing`)},
		{SilentPath, "path that says nothing", Warning,
			"Occurs when some path through a decide ends without emit, reject, nothing, or `require … else nothing`.",
			inRule(`require state.n > 0 else no`)},
		{MayFault, "apply or upcast may fault", Warning,
			"Occurs when an apply or upcast reads a key or index that may be absent, divides by what may be zero, or makes an int of what may not be whole, itself or in a function or derive that it uses. In an apply that refuses a command that was right, in an upcast it keeps the aggregate from loading.",
			"aggregate A {\n  state { m: map<string, int> }\n  command c { k: string }\n  event e { k: string }\n  decide c { emit e { ..cmd } }\n  apply e { state.m[event.k] += 1 }\n}\n"},
		{VarNeverRead, "var never read", Warning,
			"Occurs when a var is assigned and never read.",
			inRule(`var a = 1`, `a = 2`, `nothing`)},
		{UnanchoredPattern, "pattern without ^ and $", Warning,
			"Occurs when the pattern of a matches in a where has no ^ at its start or no $ at its end, so it matches anywhere in the text.",
			inAggregate(`command c { code: string where matches(code, "[A-Z]+") }`, `decide c { nothing }`)},
		{FnNamedLikeBuiltin, "function named like a builtin", Warning,
			"Occurs when a function has the name of a builtin and hides it.",
			inAggregate(`fn first(n: int): int = n`)},
		{RepeatedRequire, "require that holds already", Warning,
			"Occurs when a require repeats an earlier one, or follows from one, as `n > 0` does from `n > 5` or from a `where` of the command, and nothing has changed between.",
			inRule(`require state.n > 0 else no`, `require state.n > 0 else no`, `nothing`)},
		{CodeNeverGiven, "code never given", Warning,
			"Occurs when no command leads to a rejection code: its guard is checked nowhere, or its condition always holds.",
			inAggregate(`guard positive(n: int) { require n > 0 else too_small }`)},
		{GainsDigits, "decimal that gains digits", Warning,
			"Occurs when an apply multiplies a decimal of the state by another with every event and never rounds it: a product has the digits of both factors, so one day it no longer fits into 34 digits, and the command fails with the fault inexact.",
			"aggregate A {\n  state { debt: decimal = 100 }\n  command charge { rate: decimal }\n  event charged { rate: decimal }\n  decide charge { emit charged { ..cmd } }\n  apply charged { state.debt += state.debt * event.rate }\n}\n"},
		{BadIgnore, "ignore that ignores nothing", Warning,
			"Occurs when a comment `// agg:ignore AGG5003 reason` has no code of a warning, or no reason. Errors cannot be ignored.",
			inAggregate(`event e {} // agg:ignore AGG5002`, `apply e {}`, `command c {}`, `decide c { emit e {} }`)},
	}
}
