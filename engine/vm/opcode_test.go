package vm

import (
	"fmt"
	"testing"

	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// operand is a slot that holds a value, or a number that stands in the instruction itself.
type operand struct {
	t    *value.Type
	json string
	raw  uint16
	// rest are the slots behind, of a window.
	rest []operand
}

func is(t *value.Type, json string) operand { return operand{t: t, json: json} }
func num(n uint16) operand                  { return operand{raw: n} }
func window(first operand, rest ...operand) operand {
	first.rest = rest
	return first
}

var (
	pairRec  = &value.RecordType{Name: "Pair", Fields: []value.Field{{Name: "n", Type: value.IntType}, {Name: "d", Type: value.DecimalType}}}
	color    = &value.EnumType{Name: "Color", Ordered: true, Members: []value.Member{{Name: "red", Wire: "red"}, {Name: "blue", Wire: "blue"}}}
	tPair    = &value.Type{Kind: value.Record, Record: pairRec}
	tColor   = &value.Type{Kind: value.Enum, Enum: color}
	tInts    = &value.Type{Kind: value.List, Elem: value.IntType}
	tDecs    = &value.Type{Kind: value.List, Elem: value.DecimalType}
	tTexts   = &value.Type{Kind: value.List, Elem: value.StringType}
	tPairs   = &value.Type{Kind: value.List, Elem: tPair}
	tSet     = &value.Type{Kind: value.Set, Elem: value.StringType}
	tMap     = &value.Type{Kind: value.Map, Key: value.StringType, Elem: value.IntType}
	tPairMap = &value.Type{Kind: value.Map, Key: value.IntType, Elem: tPair}
	tIntOpt  = &value.Type{Kind: value.Optional, Elem: value.IntType}
	tTextOpt = &value.Type{Kind: value.Optional, Elem: value.StringType}
	tDecOpt  = &value.Type{Kind: value.Optional, Elem: value.DecimalType}
	tShort   = &value.Type{Kind: value.String, Bound: 3}
	tShorts  = &value.Type{Kind: value.List, Elem: tShort, Bound: 2}
	tShortR  = &value.Type{Kind: value.Record, Record: &value.RecordType{Name: "R", Fields: []value.Field{{Name: "s", Type: tShort}}}}
	tBool    = value.BoolType
	tInt     = value.IntType
	tDec     = value.DecimalType
	tText    = value.StringType
	tJSON    = value.JSONType
	tDur     = value.DurationType
)

// opRow is one instruction and what it does. A jump's want is whether it was taken.
type opRow struct {
	op      bytecode.Op
	n       uint8
	dst     *value.Type
	b, c, x operand
	want    string // JSON of the result
	fault   value.Fault
	gas     int64 // for data
}

var opRows = []opRow{
	{op: bytecode.OpMove, dst: tText, b: is(tText, `"a"`), want: `"a"`},
	{op: bytecode.OpMove, dst: tTextOpt, b: is(tText, `"a"`), want: `"a"`},
	{op: bytecode.OpMove, dst: tText, b: is(tTextOpt, `"a"`), want: `"a"`},
	{op: bytecode.OpMove, dst: tText, b: is(tTextOpt, `null`), fault: value.AbsentKey},
	{op: bytecode.OpMoveW, dst: tInt, b: is(tInt, `-7`), want: `-7`},
	{op: bytecode.OpMoveW, dst: tInt, b: is(tIntOpt, `7`), want: `7`},

	{op: bytecode.OpNot, dst: tBool, b: is(tBool, `true`), want: `false`},
	{op: bytecode.OpEqW, dst: tBool, b: is(tInt, `-1`), c: is(tInt, `-1`), want: `true`},
	{op: bytecode.OpNeW, dst: tBool, b: is(tColor, `"red"`), c: is(tColor, `"blue"`), want: `true`},
	{op: bytecode.OpLtW, dst: tBool, b: is(tInt, `-1`), c: is(tInt, `1`), want: `true`},
	{op: bytecode.OpLeW, dst: tBool, b: is(tColor, `"blue"`), c: is(tColor, `"red"`), want: `false`},
	{op: bytecode.OpEqD, dst: tBool, b: is(tDec, `1.50`), c: is(tDec, `1.5`), want: `true`},
	{op: bytecode.OpEqD, dst: tBool, b: is(tDec, `0.00`), c: is(tDec, `0`), want: `true`},
	{op: bytecode.OpNeD, dst: tBool, b: is(tDec, `1.50`), c: is(tDec, `1.51`), want: `true`},
	{op: bytecode.OpLtD, dst: tBool, b: is(tDec, `1234567890123456789012345678901234`), c: is(tDec, `1234567890123456789012345678901235`), want: `true`},
	{op: bytecode.OpLtD, dst: tBool, b: is(tDec, `-1234567890123456789012345678901234`), c: is(tDec, `0`), want: `true`},
	{op: bytecode.OpLtD, dst: tBool, b: is(tDec, `0`), c: is(tDec, `1234567890123456789012345678901234`), want: `true`},
	{op: bytecode.OpLtD, dst: tBool, b: is(tDec, `0.00`), c: is(tDec, `-0.1`), want: `false`},
	{op: bytecode.OpLeD, dst: tBool, b: is(tDec, `2.5`), c: is(tDec, `2.50`), want: `true`},
	{op: bytecode.OpEq, dst: tBool, b: is(tText, `"0123456789abcdef0123456789abcdef"`), c: is(tText, `"0123456789abcdef0123456789abcdef"`), want: `true`, gas: 2},
	{op: bytecode.OpEq, dst: tBool, b: is(tPairs, `[{"n":1,"d":2}]`), c: is(tPairs, `[{"n":1,"d":2.0}]`), want: `true`, gas: 3},
	{op: bytecode.OpEq, dst: tBool, b: is(tJSON, `{"a":1,"b":2}`), c: is(tJSON, `{"b":2,"a":1.0}`), want: `true`, gas: 1},
	{op: bytecode.OpEq, dst: tBool, b: is(tIntOpt, `null`), c: is(tIntOpt, `0`), want: `false`},
	{op: bytecode.OpNe, dst: tBool, b: is(tSet, `["a","b"]`), c: is(tSet, `["a"]`), want: `true`},
	{op: bytecode.OpNe, dst: tBool, b: is(tSet, `["a","b"]`), c: is(tSet, `["a","c"]`), want: `true`, gas: 2},
	{op: bytecode.OpLt, dst: tBool, b: is(tText, `"a"`), c: is(tText, `"é"`), want: `true`},
	{op: bytecode.OpLt, dst: tBool, b: is(value.TimeType, `"2026-01-01T00:00:00Z"`), c: is(value.TimeType, `"9999-12-31T00:00:00Z"`), want: `true`},
	{op: bytecode.OpLe, dst: tBool, b: is(tText, `"b"`), c: is(tText, `"a"`), want: `false`},
	{op: bytecode.OpIsNone, dst: tBool, b: is(tIntOpt, `null`), want: `true`},
	{op: bytecode.OpIsSome, dst: tBool, b: is(tIntOpt, `null`), want: `false`},
	{op: bytecode.OpIn, dst: tBool, b: is(tText, `"b"`), c: is(tSet, `["a","b"]`), want: `true`, gas: 2},
	{op: bytecode.OpIn, dst: tBool, b: is(tText, `"c"`), c: is(tMap, `{"a":1}`), want: `false`, gas: 1},

	{op: bytecode.OpAddI, dst: tInt, b: is(tInt, `2`), c: is(tInt, `-5`), want: `-3`},
	{op: bytecode.OpAddI, dst: tInt, b: is(tInt, `9223372036854775807`), c: is(tInt, `1`), fault: value.Overflow},
	{op: bytecode.OpSubI, dst: tInt, b: is(tInt, `2`), c: is(tInt, `5`), want: `-3`},
	{op: bytecode.OpSubI, dst: tInt, b: is(tInt, `-9223372036854775808`), c: is(tInt, `1`), fault: value.Overflow},
	{op: bytecode.OpMulI, dst: tInt, b: is(tInt, `-4294967296`), c: is(tInt, `2147483648`), want: `-9223372036854775808`},
	{op: bytecode.OpMulI, dst: tDur, b: is(tDur, `"1h"`), c: is(tInt, `2`), want: `"2h"`},
	{op: bytecode.OpMulI, dst: tInt, b: is(tInt, `4294967296`), c: is(tInt, `2147483648`), fault: value.Overflow},
	{op: bytecode.OpDivI, dst: tInt, b: is(tInt, `-7`), c: is(tInt, `2`), want: `-3`},
	{op: bytecode.OpDivI, dst: tInt, b: is(tInt, `7`), c: is(tInt, `0`), fault: value.DivisionByZero},
	{op: bytecode.OpDivI, dst: tInt, b: is(tInt, `-9223372036854775808`), c: is(tInt, `-1`), fault: value.Overflow},
	{op: bytecode.OpModI, dst: tInt, b: is(tInt, `-7`), c: is(tInt, `2`), want: `-1`},
	{op: bytecode.OpModI, dst: tInt, b: is(tInt, `7`), c: is(tInt, `0`), fault: value.DivisionByZero},
	{op: bytecode.OpNegI, dst: tInt, b: is(tInt, `7`), want: `-7`},
	{op: bytecode.OpNegI, dst: tInt, b: is(tInt, `-9223372036854775808`), fault: value.Overflow},
	{op: bytecode.OpAbsI, dst: tInt, b: is(tInt, `-7`), want: `7`},
	{op: bytecode.OpAbsI, dst: tInt, b: is(tInt, `-9223372036854775808`), fault: value.Overflow},
	{op: bytecode.OpMinI, dst: tInt, b: is(tInt, `-7`), c: is(tInt, `3`), want: `-7`},
	{op: bytecode.OpMaxI, dst: tInt, b: is(tInt, `-7`), c: is(tInt, `3`), want: `3`},

	{op: bytecode.OpAddD, dst: tDec, b: is(tDec, `1.50`), c: is(tDec, `2.25`), want: `3.75`},
	{op: bytecode.OpAddD, dst: tDec, b: is(tDec, `1`), c: is(tDec, `2.25`), want: `3.25`},
	{op: bytecode.OpAddD, dst: tDec, b: is(tDec, `2.25`), c: is(tDec, `-3`), want: `-0.75`},
	{op: bytecode.OpAddD, dst: tDec, b: is(tDec, `720575940379279.35`), c: is(tDec, `0.01`), want: `720575940379279.36`},
	{op: bytecode.OpAddD, dst: tDec, b: is(tDec, `9999999999999999999999999999999999`), c: is(tDec, `1`), fault: value.Overflow},
	{op: bytecode.OpAddD, dst: tDec, b: is(tDec, `9999999999999999999999999999999999`), c: is(tDec, `0.1`), fault: value.Inexact},
	{op: bytecode.OpSubD, dst: tDec, b: is(tDec, `1.50`), c: is(tDec, `2.25`), want: `-0.75`},
	{op: bytecode.OpSubD, dst: tDec, b: is(tDec, `1`), c: is(tDec, `0.25`), want: `0.75`},
	{op: bytecode.OpSubD, dst: tDec, b: is(tDec, `1.25`), c: is(tDec, `1`), want: `0.25`},
	{op: bytecode.OpSubD, dst: tDec, b: is(tDec, `-720575940379279.36`), c: is(tDec, `0.01`), want: `-720575940379279.37`},
	{op: bytecode.OpSubD, dst: tDec, b: is(tDec, `0`), c: is(tDec, `-72057594037927936`), want: `72057594037927936`},
	{op: bytecode.OpMulD, dst: tDec, b: is(tDec, `1.50`), c: is(tDec, `-0.2`), want: `-0.300`},
	{op: bytecode.OpMulD, dst: tDec, b: is(tDec, `123456789.123456789`), c: is(tDec, `10.00`), want: `1234567891.23456789000`},
	{op: bytecode.OpMulD, dst: tDec, b: is(tDec, `0.000000000000000001`), c: is(tDec, `0.00000000000000001`), fault: value.Inexact},
	{op: bytecode.OpNegD, dst: tDec, b: is(tDec, `1.50`), want: `-1.50`},
	{op: bytecode.OpNegD, dst: tDec, b: is(tDec, `-72057594037927936`), want: `72057594037927936`},
	{op: bytecode.OpAbsD, dst: tDec, b: is(tDec, `-1.50`), want: `1.50`},
	{op: bytecode.OpAbsD, dst: tDec, b: is(tDec, `-1234567890123456789012345678901234`), want: `1234567890123456789012345678901234`},
	{op: bytecode.OpMinD, dst: tDec, b: is(tDec, `1.5`), c: is(tDec, `1.50`), want: `1.5`},
	{op: bytecode.OpMinD, dst: tDec, b: is(tDec, `1.50`), c: is(tDec, `1.49`), want: `1.49`},
	{op: bytecode.OpMaxD, dst: tDec, b: is(tDec, `0.75`), c: is(tDec, `0.5`), want: `0.75`},
	{op: bytecode.OpMaxD, dst: tDec, b: is(tDec, `0.00`), c: is(tDec, `-3`), want: `0.00`},
	{op: bytecode.OpMaxD, dst: tDec, b: is(tDec, `0.5`), c: is(tDec, `0.75`), want: `0.75`},
	{op: bytecode.OpMaxD, dst: tDec, b: is(tDec, `0.5`), c: is(tDec, `0.50`), want: `0.5`},
	{op: bytecode.OpMaxD, dst: tDec, b: is(tDec, `-1`), c: is(tDec, `-0.999`), want: `-0.999`},
	{op: bytecode.OpMinD, dst: tDec, b: is(tDec, `10`), c: is(tDec, `9.99`), want: `9.99`},
	{op: bytecode.OpMinD, dst: tDec, b: is(tDec, `72057594037927935`), c: is(tDec, `0.000000000000000001`), want: `0.000000000000000001`},
	{op: bytecode.OpRoundD, n: uint8(value.HalfEven), dst: tDec, b: is(tDec, `2.345`), c: is(tInt, `2`), want: `2.34`},
	{op: bytecode.OpRoundD, n: uint8(value.Up), dst: tDec, b: is(tDec, `1`), c: is(tInt, `2`), want: `1.00`},
	{op: bytecode.OpRoundD, n: uint8(value.Up), dst: tDec, b: is(tDec, `1`), c: is(tInt, `35`), fault: value.Range},
	{op: bytecode.OpMulRoundD, n: uint8(value.HalfEven), dst: tDec, b: is(tDec, `75.50`), c: is(tDec, `0.01`), x: is(tInt, `2`), want: `0.76`},
	{op: bytecode.OpMulRoundD, n: uint8(value.HalfEven), dst: tDec, b: is(tDec, `76.50`), c: is(tDec, `-0.01`), x: is(tInt, `2`), want: `-0.76`},
	{op: bytecode.OpMulRoundD, n: uint8(value.HalfEven), dst: tDec, b: is(tDec, `-76.51`), c: is(tDec, `0.01`), x: is(tInt, `2`), want: `-0.77`},
	{op: bytecode.OpMulRoundD, n: uint8(value.HalfEven), dst: tDec, b: is(tDec, `-0.1`), c: is(tDec, `0.1`), x: is(tInt, `1`), want: `0.0`},
	{op: bytecode.OpMulRoundD, n: uint8(value.HalfEven), dst: tDec, b: is(tDec, `75`), c: is(tDec, `0.01`), x: is(tInt, `2`), want: `0.75`},
	{op: bytecode.OpMulRoundD, n: uint8(value.HalfEven), dst: tDec, b: is(tDec, `75`), c: is(tDec, `2`), x: is(tInt, `2`), want: `150.00`},
	{op: bytecode.OpMulRoundD, n: uint8(value.Floor), dst: tDec, b: is(tDec, `-0.01`), c: is(tDec, `0.5`), x: is(tInt, `2`), want: `-0.01`},
	{op: bytecode.OpMulRoundD, n: uint8(value.HalfEven), dst: tDec, b: is(tDec, `75`), c: is(tDec, `2`), x: is(tInt, `-1`), fault: value.Range},
	{op: bytecode.OpMulRoundD, n: uint8(value.Down), dst: tDec, b: is(tDec, `0.000000000000000001`), c: is(tDec, `0.00000000000000001`), x: is(tInt, `2`), fault: value.Inexact},
	{op: bytecode.OpDivD, n: uint8(value.HalfUp), dst: tDec, b: is(tDec, `2`), c: is(tDec, `3`), x: is(tInt, `2`), want: `0.67`},
	{op: bytecode.OpDivD, n: uint8(value.HalfUp), dst: tDec, b: is(tDec, `2`), c: is(tDec, `0.00`), x: is(tInt, `2`), fault: value.DivisionByZero},
	{op: bytecode.OpDecI, dst: tDec, b: is(tInt, `42`), want: `42`},
	{op: bytecode.OpDecI, dst: tDec, b: is(tInt, `9223372036854775807`), want: `9223372036854775807`},
	{op: bytecode.OpIntD, dst: tInt, b: is(tDec, `42.00`), want: `42`},
	{op: bytecode.OpIntD, dst: tInt, b: is(tDec, `42.01`), fault: value.NotWhole},

	{op: bytecode.OpConcat, dst: tText, b: window(is(tText, `"0123456789"`), is(tText, `"-"`), is(tText, `"abcdefgh"`)), c: num(3), want: `"0123456789-abcdefgh"`, gas: 1},
	{op: bytecode.OpRecord, dst: tPair, b: window(is(tInt, `1`), is(tDec, `2.50`)), want: `{"n":1,"d":2.50}`},
	{op: bytecode.OpField, dst: tDec, b: is(tPair, `{"n":1,"d":2.50}`), c: num(1), want: `2.50`},
	{op: bytecode.OpField, dst: tDecOpt, b: is(tPair, `{"n":1,"d":2.50}`), c: num(1), want: `2.50`},
	{op: bytecode.OpWith, dst: tPair, b: is(tPair, `{"n":1,"d":2.50}`), c: num(0), x: is(tInt, `9`), want: `{"n":9,"d":2.50}`},
	{op: bytecode.OpList, dst: tPairs, b: window(is(tPair, `{"n":1,"d":2}`), is(tPair, `{"n":3,"d":4}`)), c: num(2), want: `[{"n":1,"d":2},{"n":3,"d":4}]`, gas: 2},
	{op: bytecode.OpList, dst: tInts, b: is(tInt, `1`), c: num(0), want: `[]`},
	{op: bytecode.OpMapOf, dst: tMap, b: is(tTexts, `["b","a","b"]`), c: is(tInts, `[1,2,3]`), want: `{"a":2,"b":3}`, gas: 9},
	{op: bytecode.OpMapOf, dst: tMap, b: is(tTexts, `["b"]`), c: is(tInts, `[1,2]`), fault: value.Index},
	{op: bytecode.OpIndexL, dst: tInt, b: is(tInts, `[5,6]`), c: is(tInt, `1`), want: `6`},
	{op: bytecode.OpIndexL, dst: tPair, b: is(tPairs, `[{"n":1,"d":2},{"n":3,"d":4}]`), c: is(tInt, `1`), want: `{"n":3,"d":4}`},
	{op: bytecode.OpIndexL, dst: tInt, b: is(tInts, `[5,6]`), c: is(tInt, `-1`), fault: value.Index},
	{op: bytecode.OpIndexM, dst: tInt, b: is(tMap, `{"a":1,"b":2}`), c: is(tText, `"b"`), want: `2`, gas: 2},
	{op: bytecode.OpIndexM, dst: tInt, b: is(tMap, `{"a":1,"b":2}`), c: is(tText, `"c"`), fault: value.AbsentKey},
	{op: bytecode.OpTryL, dst: tIntOpt, b: is(tInts, `[5,6]`), c: is(tInt, `2`), want: `null`},
	{op: bytecode.OpTryL, dst: tIntOpt, b: is(tInts, `[5,6]`), c: is(tInt, `0`), want: `5`},
	{op: bytecode.OpTryM, dst: tIntOpt, b: is(tMap, `{"a":1}`), c: is(tText, `"c"`), want: `null`, gas: 1},
	{op: bytecode.OpTryM, dst: tIntOpt, b: is(tMap, `{"a":1}`), c: is(tText, `"a"`), want: `1`, gas: 1},
	{op: bytecode.OpSetL, dst: tInts, b: is(tInts, `[5,6]`), c: is(tInt, `0`), x: is(tInt, `9`), want: `[9,6]`},
	{op: bytecode.OpSetL, dst: tInts, b: is(tInts, `[5,6]`), c: is(tInt, `2`), x: is(tInt, `9`), fault: value.Index},
	{op: bytecode.OpSetM, dst: tMap, b: is(tMap, `{"b":1}`), c: is(tText, `"a"`), x: is(tInt, `9`), want: `{"a":9,"b":1}`, gas: 1},
	{op: bytecode.OpSetM, dst: tPairMap, b: is(tPairMap, `{"1":{"n":1,"d":2}}`), c: is(tInt, `1`), x: is(tPair, `{"n":7,"d":8}`), want: `{"1":{"n":7,"d":8}}`, gas: 1},
	{op: bytecode.OpAppend, dst: tInts, b: is(tInts, `[5]`), c: is(tInt, `6`), want: `[5,6]`},
	{op: bytecode.OpInsert, dst: tSet, b: is(tSet, `["b"]`), c: is(tText, `"a"`), want: `["a","b"]`, gas: 1},
	{op: bytecode.OpRemoveL, dst: tInts, b: is(tInts, `[5,6,7]`), c: is(tInt, `1`), want: `[5,7]`},
	{op: bytecode.OpRemoveL, dst: tInts, b: is(tInts, `[5]`), c: is(tInt, `1`), fault: value.Index},
	{op: bytecode.OpRemoveM, dst: tMap, b: is(tMap, `{"a":1,"b":2}`), c: is(tText, `"a"`), want: `{"b":2}`, gas: 2},
	{op: bytecode.OpRemoveM, dst: tSet, b: is(tSet, `["a"]`), c: is(tText, `"x"`), want: `["a"]`, gas: 1},
	{op: bytecode.OpLen, dst: tInt, b: is(tMap, `{"a":1,"b":2}`), want: `2`},

	{op: bytecode.OpSumColD, dst: tDec, b: is(tPairs, `[{"n":1,"d":2.50},{"n":3,"d":4.25}]`), c: num(1), want: `6.75`, gas: 2},
	{op: bytecode.OpSumColD, dst: tDec, b: is(tDecs, `[1,0.25,3]`), c: num(0), want: `4.25`, gas: 3},
	{op: bytecode.OpSumColD, dst: tDec, b: is(tPairMap, `{"1":{"n":1,"d":720575940379279.35},"2":{"n":1,"d":0.01}}`), c: num(1), want: `720575940379279.36`, gas: 2},
	{op: bytecode.OpSumColD, dst: tDec, b: is(tDecs, `[]`), c: num(0), want: `0`},
	{op: bytecode.OpSumColD, dst: tDec, b: is(tDecs, `[9999999999999999999999999999999999,1]`), c: num(0), fault: value.Overflow},
	{op: bytecode.OpSumColI, dst: tInt, b: is(tPairs, `[{"n":1,"d":2},{"n":3,"d":4}]`), c: num(0), want: `4`, gas: 2},
	{op: bytecode.OpSumColI, dst: tInt, b: is(tInts, `[]`), c: num(0), want: `0`},
	{op: bytecode.OpSumColI, dst: tInt, b: is(tInts, `[9223372036854775807,1]`), c: num(0), fault: value.Overflow},

	{op: bytecode.OpBuiltin, dst: tText, b: is(tText, `"abc"`), c: num(0), want: `"ABC"`},
	{op: bytecode.OpBuiltin, dst: tBool, b: is(tText, `"abc"`), c: num(1), want: `true`},
	{op: bytecode.OpBuiltin, dst: tJSON, b: window(is(tJSON, `{"a":{"k":[7]}}`), is(tText, `"k"`)), c: num(2), want: `7`},
}

// boundRows check a against the bounds of a type.
var boundRows = []struct {
	n     uint8
	a     operand
	t     *value.Type
	fault value.Fault
	gas   int64
}{
	{0, is(tText, `"abc"`), tShort, value.NoFault, 0},
	{0, is(tText, `"äöü"`), tShort, value.NoFault, 0},
	{0, is(tText, `"abcd"`), tShort, value.Bound, 0},
	{1, is(tText, `"äöü"`), tShort, value.NoFault, 0},
	{1, is(tText, `"äöüx"`), tShort, value.Bound, 0},
	{0, is(tTexts, `["a","b"]`), tShorts, value.NoFault, 2},
	{0, is(tTexts, `["a","b","c"]`), tShorts, value.Bound, 0},
	{0, is(tTexts, `["a","abcd"]`), tShorts, value.Bound, 0},
	{1, is(tTexts, `["a","abcd"]`), tShorts, value.NoFault, 0},
	{1, is(tTexts, `["a","b","c"]`), tShorts, value.Bound, 0},
	{0, is(tShortR, `{"s":"abc"}`), tShortR, value.NoFault, 1},
	{1, is(tShortR, `{"s":"abc"}`), tShortR, value.NoFault, 0},
}

// jumpRows are jumps on two slots.
var jumpRows = []struct {
	op    bytecode.Op
	a, b  operand
	taken bool
	gas   int64
}{
	{bytecode.OpJumpIf, is(tBool, `true`), operand{}, true, 0},
	{bytecode.OpJumpIf, is(tBool, `false`), operand{}, false, 0},
	{bytecode.OpJumpNot, is(tBool, `true`), operand{}, false, 0},
	{bytecode.OpJumpNot, is(tBool, `false`), operand{}, true, 0},
	{bytecode.OpJumpNone, is(tIntOpt, `null`), operand{}, true, 0},
	{bytecode.OpJumpNone, is(tIntOpt, `0`), operand{}, false, 0},
	{bytecode.OpJumpSome, is(tIntOpt, `null`), operand{}, false, 0},
	{bytecode.OpJumpSome, is(tIntOpt, `0`), operand{}, true, 0},
	{bytecode.OpJumpEqW, is(tInt, `1`), is(tInt, `1`), true, 0},
	{bytecode.OpJumpEqW, is(tInt, `1`), is(tInt, `2`), false, 0},
	{bytecode.OpJumpNeW, is(tInt, `1`), is(tInt, `1`), false, 0},
	{bytecode.OpJumpNeW, is(tInt, `1`), is(tInt, `2`), true, 0},
	{bytecode.OpJumpLtW, is(tInt, `-1`), is(tInt, `0`), true, 0},
	{bytecode.OpJumpLtW, is(tInt, `0`), is(tInt, `0`), false, 0},
	{bytecode.OpJumpLeW, is(tInt, `0`), is(tInt, `0`), true, 0},
	{bytecode.OpJumpLeW, is(tInt, `1`), is(tInt, `0`), false, 0},
	{bytecode.OpJumpEqD, is(tDec, `1.50`), is(tDec, `1.5`), true, 0},
	{bytecode.OpJumpEqD, is(tDec, `1.5`), is(tDec, `1.4`), false, 0},
	{bytecode.OpJumpNeD, is(tDec, `1.50`), is(tDec, `1.5`), false, 0},
	{bytecode.OpJumpNeD, is(tDec, `1.5`), is(tDec, `1.4`), true, 0},
	{bytecode.OpJumpLtD, is(tDec, `1.49`), is(tDec, `1.5`), true, 0},
	{bytecode.OpJumpLtD, is(tDec, `1.50`), is(tDec, `1.50`), false, 0},
	{bytecode.OpJumpLeD, is(tDec, `0`), is(tDec, `0.00`), true, 0},
	{bytecode.OpJumpLeD, is(tDec, `0.01`), is(tDec, `0`), false, 0},
	{bytecode.OpJumpEq, is(tText, `"a"`), is(tText, `"a"`), true, 0},
	{bytecode.OpJumpEq, is(tText, `"a"`), is(tText, `"b"`), false, 0},
	{bytecode.OpJumpNe, is(tInts, `[1,2]`), is(tInts, `[1,3]`), true, 2},
	{bytecode.OpJumpNe, is(tInts, `[1,2]`), is(tInts, `[1,2]`), false, 2},
	{bytecode.OpJumpLt, is(tText, `"a"`), is(tText, `"b"`), true, 0},
	{bytecode.OpJumpLt, is(tText, `"b"`), is(tText, `"b"`), false, 0},
	{bytecode.OpJumpLe, is(tText, `"b"`), is(tText, `"b"`), true, 0},
	{bytecode.OpJumpLe, is(tText, `"c"`), is(tText, `"b"`), false, 0},
}

// loopRows gather, over a source, what the loop sets: the sum of numbers, or joined texts.
var loopRows = []struct {
	op   bytecode.Op
	src  operand
	at   uint16 // the slot behind the counter that is gathered
	of   []*value.Type
	want string
	n    int64 // elements
}{
	{bytecode.OpNextL, is(tInts, `[1,2,3]`), 1, []*value.Type{tInt}, `6`, 3},
	{bytecode.OpNextL, is(tInts, `[]`), 1, []*value.Type{tInt}, `0`, 0},
	{bytecode.OpNextL, is(tPairs, `[{"n":4,"d":1},{"n":5,"d":2}]`), 1, []*value.Type{tPair}, `9`, 2},
	{bytecode.OpNextIL, is(tInts, `[7,7,7]`), 1, []*value.Type{tInt, tInt}, `3`, 3},
	{bytecode.OpNextIL, is(tPairs, `[{"n":4,"d":1},{"n":5,"d":2}]`), 2, []*value.Type{tInt, tPair}, `9`, 2},
	{bytecode.OpNextS, is(&value.Type{Kind: value.Set, Elem: tInt}, `[3,1,2]`), 1, []*value.Type{tInt}, `6`, 3},
	{bytecode.OpNextM, is(tMap, `{"a":1,"b":2}`), 2, []*value.Type{tText, tInt}, `3`, 2},
	{bytecode.OpNextM, is(tPairMap, `{"1":{"n":4,"d":1},"9":{"n":5,"d":2}}`), 1, []*value.Type{tInt, tPair}, `10`, 2},
	{bytecode.OpNextM, is(tPairMap, `{"1":{"n":4,"d":1},"9":{"n":5,"d":2}}`), 2, []*value.Type{tInt, tPair}, `9`, 2},
	{bytecode.OpNextR, is(tInt, `4`), 1, []*value.Type{tInt}, `6`, 4},
	{bytecode.OpNextR, is(tInt, `-4`), 1, []*value.Type{tInt}, `0`, 0},
}

// elsewhere are the opcodes whose rows stand in other tests.
var elsewhere = map[bytecode.Op]string{
	bytecode.OpExt: "rows with x", bytecode.OpGas: "TestCalls", bytecode.OpJump: "TestLoops", bytecode.OpCall: "TestCalls",
	bytecode.OpRet: "every row", bytecode.OpDone: "TestEnds", bytecode.OpReject: "TestEnds", bytecode.OpViolate: "TestEnds",
	bytecode.OpEmit: "TestEnds", bytecode.OpBound: "TestBounds",
}

func TestEveryOpcodeHasARowHere(t *testing.T) {
	seen := map[bytecode.Op]bool{}
	for _, r := range opRows {
		seen[r.op] = true
	}
	for _, r := range jumpRows {
		seen[r.op] = true
	}
	for _, r := range loopRows {
		seen[r.op] = true
	}
	for o := range bytecode.Op(bytecode.Count) {
		if _, ok := elsewhere[o]; !ok && !seen[o] {
			t.Errorf("opcode %s has no test", o)
		}
	}
}

// place puts an operand into the constants and gives what stands in the instruction.
func (a *asm) place(o operand) uint16 {
	if o.t == nil {
		return o.raw
	}
	v, errs := value.DecodeValue(o.t, []byte(o.json), value.DecodeOptions{})
	if errs != nil {
		a.t.Fatalf("%s: %v", o.json, errs[0].Error())
	}
	first := a.konst(o.t, v)
	for _, r := range o.rest {
		a.place(r)
	}
	return first
}

// newOpAsm has the records and call sites that the rows use.
func newOpAsm(t *testing.T) *asm {
	a := newAsm(t)
	a.p.Records = []*value.RecordType{pairRec, tShortR.Record}
	a.p.Enums = []*value.EnumType{color}
	a.p.FinalElse.Message.Chunk = bytecode.NoChunk
	text, yes, json := a.typ(tText), a.typ(tBool), a.typ(tJSON)
	a.p.Calls = []bytecode.CallSite{
		{Builtin: value.Upper, Args: []uint16{text}, Result: text},
		{Builtin: value.Matches, Args: []uint16{text}, Result: yes, Pattern: "b."},
		{Builtin: value.JSONPath, Args: []uint16{json, text}, Result: json, Path: []string{"a.", ".0"}},
	}
	return a
}

// both runs a chunk on the fast path and, traced, on the slow one; they must agree in all.
func both(t *testing.T, p *Program, e bytecode.Eval) (value.V, Outcome) {
	t.Helper()
	m := p.Get()
	defer p.Put(m)
	typ := p.types[e.Result]
	fast, fastOut := m.Eval(e, p.NewState(), noCtx)
	text := string(value.AppendJSON(nil, typ, fast))
	steps := 0
	m.SetTrace(func(Step) { steps++ })
	slow, slowOut := m.Eval(e, p.NewState(), noCtx)
	if fastOut != slowOut {
		t.Errorf("fast ends with %+v, slow with %+v", fastOut, slowOut)
	}
	if fastOut.Kind == Accepted && text != string(value.AppendJSON(nil, typ, slow)) {
		t.Errorf("fast gives %s, slow %s", text, value.AppendJSON(nil, typ, slow))
	}
	if steps == 0 {
		t.Error("the trace saw nothing")
	}
	return fast, fastOut
}

func TestOpcodes(t *testing.T) {
	for i, r := range opRows {
		t.Run(fmt.Sprintf("%d %s", i, r.op), func(t *testing.T) {
			a := newOpAsm(t)
			in := bytecode.Ins{Op: r.op, N: r.n, B: a.place(r.b), C: a.place(r.c)}
			x := a.place(r.x)
			a.state()
			in.A = a.slot(r.dst)
			code := []bytecode.Ins{in}
			if r.op.HasExt() {
				code = append(code, extra(x))
			}
			chunk := a.chunk("op", append(code, op(bytecode.OpRet))...)
			e := bytecode.Eval{Chunk: chunk, Result: in.A}
			a.p.Tests = []bytecode.Eval{e}
			p := a.load()
			got, out := both(t, p, e)
			if out.Fault != r.fault {
				t.Fatalf("got fault %q, want %q", out.Fault, r.fault)
			}
			if r.fault != value.NoFault {
				if out.Rule != "op" || out.File != "thing.agg" || out.Line != 10 || out.Column != 3 {
					t.Errorf("the fault is at %s %s:%d:%d", out.Rule, out.File, out.Line, out.Column)
				}
				return
			}
			if text := string(value.AppendJSON(nil, r.dst, got)); text != r.want {
				t.Errorf("got %s, want %s", text, r.want)
			}
			if r.op == bytecode.OpBuiltin { // package value tells what it costs
				s := a.p.Calls[r.c.raw]
				r.gas = value.Cost(s.Builtin, &p.calls[r.c.raw], p.template[in.B:int(in.B)+len(s.Args)])
			}
			if out.Gas != 1+r.gas {
				t.Errorf("got gas %d, want 1 + %d", out.Gas, r.gas)
			}
		})
	}
}

func TestJumps(t *testing.T) {
	for i, r := range jumpRows {
		t.Run(fmt.Sprintf("%d %s", i, r.op), func(t *testing.T) {
			a := newOpAsm(t)
			x, y := a.place(r.a), a.place(r.b)
			fell, jumped := a.konst(tInt, value.MakeInt(1)), a.konst(tInt, value.MakeInt(2))
			a.state()
			dst := a.slot(tInt)
			in := bytecode.Ins{Op: r.op, N: 5, A: x, C: 3}
			if r.b.t != nil {
				in.B = y
			}
			e := bytecode.Eval{Result: dst, Chunk: a.chunk("jump", in,
				op(bytecode.OpMoveW, dst, fell), op(bytecode.OpRet),
				op(bytecode.OpMoveW, dst, jumped), op(bytecode.OpRet))}
			a.p.Tests = []bytecode.Eval{e}
			got, out := both(t, a.load(), e)
			want := Outcome{Gas: 1 + 5 + r.gas}
			if r.taken {
				want.Gas -= 5
			}
			if (got.Int() == 2) != r.taken || out != want {
				t.Errorf("taken: got %v, want %v; outcome %+v, want %+v", got.Int() == 2, r.taken, out, want)
			}
		})
	}
}

func TestLoops(t *testing.T) {
	for i, r := range loopRows {
		t.Run(fmt.Sprintf("%d %s", i, r.op), func(t *testing.T) {
			a := newOpAsm(t)
			src := a.place(r.src)
			zero := a.konst(tInt, value.V{})
			a.state()
			sum := a.slot(tInt)
			counter := a.window(append([]*value.Type{tInt}, r.of...)...)
			n := a.slot(tInt)
			gather := op(bytecode.OpMoveW, n, counter+r.at)
			if r.of[r.at-1] == tPair {
				gather = op(bytecode.OpField, n, counter+r.at, 0)
			}
			e := bytecode.Eval{Result: sum, Chunk: a.chunk("loop",
				op(bytecode.OpMoveW, sum, zero),
				op(bytecode.OpMoveW, counter, zero),
				opN(r.op, 3, counter, src, 6),
				gather,
				op(bytecode.OpAddI, sum, sum, n),
				opN(bytecode.OpJump, 2, 0, 0, 2),
				op(bytecode.OpRet))}
			a.p.Tests = []bytecode.Eval{e}
			p := a.load()
			got, out := both(t, p, e)
			if text := string(value.AppendJSON(nil, tInt, got)); text != r.want {
				t.Errorf("got %s, want %s", text, r.want)
			}
			if want := 1 + 5*r.n; out.Gas != want {
				t.Errorf("got gas %d, want %d", out.Gas, want)
			}
		})
	}
}

func TestBounds(t *testing.T) {
	for i, r := range boundRows {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			a := newOpAsm(t)
			x := a.place(r.a)
			a.state()
			dst := a.slot(tInt)
			e := bytecode.Eval{Result: dst, Chunk: a.chunk("bound", opN(bytecode.OpBound, r.n, x, 0, a.typ(r.t)), op(bytecode.OpRet))}
			a.p.Tests = []bytecode.Eval{e}
			_, out := both(t, a.load(), e)
			if out.Fault != r.fault {
				t.Errorf("got fault %q, want %q", out.Fault, r.fault)
			}
			if r.fault == value.NoFault && out.Gas != 1+r.gas {
				t.Errorf("got gas %d, want %d", out.Gas, 1+r.gas)
			}
		})
	}
}
