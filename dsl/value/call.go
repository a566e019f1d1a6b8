package value

import (
	"strings"

	"github.com/google/uuid"
)

var (
	stringList = &Type{Kind: List, Elem: StringType}
	jsonList   = &Type{Kind: List, Elem: JSONType}
)

// Call computes a builtin of arguments whose types the checker has settled. It is pure and
// charges nothing: see Cost. The result may share what the arguments point at.
func Call(b Builtin, c *CallInfo, args []V) (V, Fault) {
	switch {
	case b <= ParseDecimal:
		return callNumber(b, c, args)
	case b <= Matches && b != Join:
		return callString(b, c, args), NoFault
	case b <= Without:
		return callList(b, c, args)
	case b <= NthUUID:
		return callTime(b, c, args)
	}
	return callJSON(b, c, args), NoFault
}

func callNumber(b Builtin, c *CallInfo, args []V) (V, Fault) {
	switch b {
	case Len:
		if c.Arg.Kind == String {
			return MakeInt(int64(RuneLen(args[0]))), NoFault
		}
		return MakeInt(int64(args[0].Len())), NoFault
	case Abs:
		if c.Arg.Kind == Decimal {
			return AbsDecimal(args[0]), NoFault
		}
		i, ok := AbsInt(args[0].Int())
		return MakeInt(i), overflowUnless(ok)
	case Min:
		return lesser(c.Arg, args[0], args[1], 1), NoFault
	case Max:
		return lesser(c.Arg, args[0], args[1], -1), NoFault
	case RoundDecimal:
		return RoundD(args[0], args[1].Int(), c.Mode)
	case DivDecimal:
		return DivD(args[0], args[1], args[2].Int(), c.Mode)
	case IntOf:
		i, f := IntFromDecimal(args[0])
		return MakeInt(i), f
	case DecimalOf:
		return DecimalFromInt(args[0].Int()), NoFault
	case StringOf:
		return Text(c.Arg, args[0]), NoFault
	case ParseInt:
		i, ok := ParseIntText(args[0].Str())
		return orNone(MakeInt(i), ok), NoFault
	case ParseDecimal:
		return orNone(ParseDecimalText(args[0].Str())), NoFault
	}
	return V{}, NoFault
}

// lesser is the first of a and b in the order of sign: 1 for the least, -1 for the greatest; a
// when they are equal.
func lesser(t *Type, a, b V, sign int) V {
	if Compare(t, a, b)*sign > 0 {
		return b
	}
	return a
}

func orNone(v V, ok bool) V {
	if !ok {
		return None
	}
	return v
}

func callString(b Builtin, c *CallInfo, args []V) V {
	s := args[0].Str()
	switch b {
	case Lower:
		return MakeString(strings.ToLower(s))
	case Upper:
		return MakeString(strings.ToUpper(s))
	case Trim:
		return MakeString(strings.TrimSpace(s))
	case StartsWith:
		return MakeBool(strings.HasPrefix(s, args[1].Str()))
	case EndsWith:
		return MakeBool(strings.HasSuffix(s, args[1].Str()))
	case Contains:
		return MakeBool(strings.Contains(s, args[1].Str()))
	case Replace:
		return MakeString(replaceString(s, args[1].Str(), args[2].Str()))
	case Split:
		return splitString(stringList, s, args[1].Str())
	case SliceString:
		return MakeString(sliceString(s, args[1].Int(), args[2].Int()))
	case Matches:
		return MakeBool(c.Regexp.MatchString(s))
	}
	return V{}
}

func callTime(b Builtin, c *CallInfo, args []V) (V, Fault) {
	day := args[0].Int()
	if c.Arg.Kind == Time {
		day = DayOfTime(args[0])
	}
	f := NoFault
	switch b {
	case Year:
		day = YearOf(day)
	case Month:
		day = MonthOf(day)
	case Day:
		day = DayOf(day)
	case Weekday:
		day = WeekdayOf(day)
	case AddDays:
		day, f = AddDaysTo(day, args[1].Int())
	case AddMonths:
		day, f = AddMonthsTo(day, args[1].Int())
	case DaysBetween:
		day = args[1].Int() - day
	case AddTime:
		return TimePlus(args[0], args[1].Int())
	case SubTime:
		return TimeMinus(args[0], args[1].Int())
	case DiffTime:
		day, f = TimeSince(args[0], args[1])
	case NthUUID:
		return DeriveUUID(args[0].UUID(), args[1].Int()), NoFault
	}
	return MakeInt(day), f // DateOf: the day itself
}

// DeriveUUID is the n-th id derived from a command's id: the UUIDv5 of the decimal digits of n
// in the name space of the command id.
func DeriveUUID(command [16]byte, n int64) V {
	var buf [20]byte
	return MakeUUID(uuid.NewSHA1(command, AppendInt(buf[:0], n)))
}

func callJSON(b Builtin, c *CallInfo, args []V) V {
	switch b {
	case JSONPath:
		return c.Path.Eval(args[0], args[1:])
	case ToJSON:
		return ToJSONValue(c.Arg, args[0])
	}
	text := JSONText(args[0])
	switch b {
	case JSONKey:
		if text[0] == '{' {
			found, _ := memberOf(text, args[1].Str())
			return makeJSON(found)
		}
	case JSONIndex:
		if i := args[1].Int(); text[0] == '[' && i >= 0 && i < int64(len(text)) {
			found, _ := elementOf(text, int(i))
			return makeJSON(found)
		}
	case AsInt:
		n, end := readNumber(text, 0)
		i, ok := n.int()
		return orNone(MakeInt(i), ok && end > 0)
	case AsDecimal:
		n, end := readNumber(text, 0)
		v, ok := n.decimal()
		return orNone(v, ok && end > 0)
	case AsString:
		if text[0] == '"' {
			s, ok := unquote(text)
			return orNone(MakeString(s), ok)
		}
		return None
	case AsBool:
		return orNone(MakeBool(text == "true"), text == "true" || text == "false")
	case AsList:
		return jsonElements(text)
	}
	return V{}
}

// jsonElements is the elements of an array as a list that shares its text, none for others.
func jsonElements(text string) V {
	if text[0] != '[' {
		return None
	}
	b := NewBuilder(jsonList, 0)
	for e := range elements(text) {
		b.Append(makeJSON(e))
	}
	return b.Done()
}

// ToJSONValue makes a json value of v of type t.
func ToJSONValue(t *Type, v V) V {
	if t.Kind == JSON {
		return v
	}
	return makeJSON(View(AppendJSON(nil, t, v)))
}
