package value

import (
	"fmt"
	"math/bits"
	"regexp"
	"regexp/syntax"
	"strings"
)

// Gas of data: one for each element touched, for each 16 bytes read or written, and for each 16
// cells copied. It depends on the values alone, never on what memory they happen to share.

func byBytes(n int) int64 { return int64(n) >> 4 }

func byCells(n int) int64 { return int64(n) >> 4 }

// CopyCost is the gas of changing one element of a container: what its copy may take.
func CopyCost(t *Type, v V) int64 {
	cells := v.Len() * t.Stride()
	if t.Kind != List {
		cells += v.Len()
	}
	return byCells(cells)
}

// FindCost is the gas of looking up a key in a map or set.
func FindCost(v V) int64 { return int64(bits.Len64(v.W)) }

// maxInsts bounds the program of a regular expression (ruling 61).
const maxInsts = 10_000

// CompileRegexp compiles the pattern of matches and counts the instructions of its program, for
// CallInfo.Insts.
func CompileRegexp(pattern string) (*regexp.Regexp, int, error) {
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil, 0, err
	}
	prog, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil, 0, err
	}
	if n := len(prog.Inst); n > maxInsts {
		return nil, 0, fmt.Errorf("the pattern needs %d instructions, more than %d", n, maxInsts)
	}
	re, err := regexp.Compile(pattern)
	return re, len(prog.Inst), err
}

// Cost is the gas of Call beyond its base, told before the work. It is itself no more work than
// it tells.
func Cost(b Builtin, c *CallInfo, args []V) int64 {
	switch {
	case b <= ParseDecimal:
		return costNumber(b, c, args)
	case b <= Split, b >= SliceString && b <= Matches:
		return costString(b, c, args)
	case b <= Without:
		return costList(b, c, args)
	case b == NthUUID:
		return 20
	case b < JSONPath:
		return 0
	}
	return costJSON(b, c, args)
}

func costNumber(b Builtin, c *CallInfo, args []V) int64 {
	switch b {
	case Len:
		if c.Arg.Kind != String {
			return 0
		}
	case Min, Max:
		if c.Arg.Kind != String {
			return 0
		}
	case DivDecimal:
		return 2
	case StringOf:
		if k := c.Arg.Kind; k != JSON && k != Optional {
			return 2
		}
		return 2 + byBytes(Size(c.Arg, args[0]))
	case ParseInt, ParseDecimal:
	default:
		return 0
	}
	return byBytes(args[0].Len())
}

func costString(b Builtin, c *CallInfo, args []V) int64 {
	size := args[0].Len()
	switch b {
	case StartsWith, EndsWith:
		return byBytes(args[1].Len())
	case Contains:
		return byBytes(size + args[1].Len())
	case Replace:
		return byBytes(size) + byBytes(replacedSize(args[0].Str(), args[1].Str(), args[2].Len()))
	case Split:
		return byBytes(size) + int64(countParts(args[0].Str(), args[1].Str()))
	case Matches:
		return 1 + byBytes(size*max(c.Insts, 16))
	}
	return 1 + byBytes(2*size)
}

func replacedSize(s, old string, with int) int {
	if old == "" {
		return 0
	}
	return len(s) + strings.Count(s, old)*max(with-len(old), 0)
}

func costList(b Builtin, c *CallInfo, args []V) int64 {
	n := int64(args[0].Len())
	switch b {
	case Join:
		return n + byBytes(stringsSize(args[0])+args[0].Len()*args[1].Len())
	case Keys, Values, ListOf, First, Last, SliceList:
		return 1
	case Sort, SortBy, SetOf, Unique:
		return n*int64(bits.Len64(uint64(n))) + byCells(args[0].Len()*c.Arg.Stride()) + deepCost(c.Arg, args[0])
	case MinOf, MaxOf, SumOf:
		return n
	case InList:
		return int64(args[1].Len()) * (1 + scalarCost(c.Arg, args[0]))
	case Concat:
		return byCells(args[0].Len()*c.Arg.Stride()) + int64(args[1].Len())
	case Union, Without:
		return n + int64(args[1].Len())
	}
	return n // Reverse
}

func stringsSize(list V) int {
	size := 0
	for _, s := range list.Cells(1) {
		size += int(s.W)
	}
	return size
}

// deepCost is the gas of reading what the elements of a list hold, where that may be long.
func deepCost(t *Type, v V) int64 {
	switch t.Elem.Kind {
	case String, JSON:
		return byBytes(stringsSize(v))
	case Record:
		return int64(v.Len() * len(t.Elem.Record.Fields))
	}
	return 0
}

// scalarCost is the gas of comparing v once with another.
func scalarCost(t *Type, v V) int64 { return byBytes(Size(t, v)) }

func costJSON(b Builtin, c *CallInfo, args []V) int64 {
	switch b {
	case ToJSON:
	case JSONPath: // each step reads at most all of it
		return 1 + byBytes(args[0].Len()*len(c.Path.steps))
	default:
		return 1 + byBytes(args[0].Len())
	}
	switch c.Arg.Kind {
	case List:
		return int64(args[0].Len()) + byBytes(stringsSize(args[0]))
	case Map:
		return mapTextCost(args[0])
	}
	return 1 + byBytes(Size(c.Arg, args[0]))
}

// mapTextCost is the gas of writing a map<string, json>.
func mapTextCost(v V) int64 {
	size := 0
	for i, k := range v.Keys() {
		size += int(k.W) + int(v.Rows().Cells[i].W)
	}
	return int64(v.Len()) + byBytes(size)
}
