package bench

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"cel.dev/cel-go/cel"
	"github.com/cockroachdb/apd/v3"
	"github.com/dop251/goja"
	"github.com/expr-lang/expr"
	goccy "github.com/goccy/go-json"
	"github.com/quagmt/udecimal"
	"github.com/shopspring/decimal"
	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"
	"github.com/valyala/fastjson"
	lua "github.com/yuin/gopher-lua"
	starjson "go.starlark.net/lib/json"
	"go.starlark.net/starlark"

	_ "embed"

	"github.com/cloudlysis/aggregate/dsl"
	"github.com/cloudlysis/aggregate/engine/vm"
)

//go:embed hard.agg
var hardManifest []byte

// askVM puts each question as a command.
func askVM(q int) string {
	r := dsl.Compile([]dsl.Source{{Path: "hard.agg", Text: hardManifest}}, dsl.Options{})
	p := must(vm.Load(r.Program("Hard").Program))
	name, payload := "keep", payloads[q]
	switch q {
	case tenths:
		name, payload = "sum", `{"x":0.1,"y":0.2}`
	case decimalOver:
		name, payload = "sum", `{"x":`+nines+`,"y":1}`
	case badText:
		name = "note"
	case ties:
		return decideHard(p, "cut", `{"x":`+tieA+`}`) + " " + decideHard(p, "cut", `{"x":`+tieB+`}`)
	case intOver:
		name, payload = "count", `{"i":`+maxInt+`}`
	case byZero:
		name, payload = "share", `{"i":1,"n":0}`
	}
	return decideHard(p, name, payload)
}

func decideHard(p *vm.Program, name, payload string) string {
	m := p.Get()
	defer p.Put(m)
	cmd, _ := p.Command(name)
	if m.DecodeCommand(cmd, []byte(payload)) != nil {
		return refused
	}
	if out := m.Decide(cmd, p.NewState(), &vm.Ctx{}, true, p.Gas()); out.Kind != vm.Accepted {
		return refused
	}
	_, text, _ := strings.Cut(string(m.AppendEvent(nil, 0)), ":")
	return strings.TrimSuffix(text, "}")
}

func askCents(q int) string {
	show := func(c int64, err error) string { return orRefused(string(appendCents(nil, c)), err) }
	switch q {
	case bigInteger:
		return show(parseCents(justOver))
	case tenths:
		return show(must(parseCents("0.1"))+must(parseCents("0.2")), nil)
	case keptScale:
		return show(parseCents("1.50"))
	case tooLarge:
		return show(parseCents("1e400"))
	case ties:
		return show(halfEven(125), nil) + " " + show(halfEven(2675), nil)
	case intOver:
		if _, ok := add(math.MaxInt64, 1); !ok {
			return refused
		}
	case decimalOver:
		return show(parseCents(nines))
	case byZero:
		zero := q - byZero
		return fmt.Sprint(1 / zero)
	}
	return absent
}

// halfEven drops the last digit.
func halfEven(c int64) int64 {
	q, rest := c/10, c%10
	if rest > 5 || rest == 5 && q&1 != 0 {
		q++
	}
	return q
}

func askUdecimal(q int) string {
	parse := udecimal.Parse
	switch q {
	case bigInteger:
		return orRefused(parse(justOver))
	case tenths:
		return must(parse("0.1")).Add(must(parse("0.2"))).String()
	case keptScale:
		return orRefused(parse("1.50"))
	case tooLarge:
		return orRefused(parse("1e400"))
	case ties:
		return must(parse(tieA)).RoundBank(2).String() + " " + must(parse(tieB)).RoundBank(2).String()
	case intOver:
		return must(parse(maxInt)).Add64(1).String()
	case decimalOver:
		return must(parse(nines)).Add64(1).String()
	case byZero:
		return orRefused(must(parse("1")).Div(udecimal.Zero))
	}
	return absent
}

func askApd(q int) string {
	exact := apd.BaseContext
	exact.Precision, exact.Traps = 34, apdTrap
	do := func(f func(*apd.Decimal) (apd.Condition, error)) string {
		var d apd.Decimal
		_, err := f(&d)
		return orRefused(d.Text('f'), err)
	}
	parse := func(s string) *apd.Decimal {
		d, _, err := apd.NewFromString(s)
		return must(d, err)
	}
	sum := func(x, y string) string {
		return do(func(d *apd.Decimal) (apd.Condition, error) { return exact.Add(d, parse(x), parse(y)) })
	}
	switch q {
	case bigInteger:
		return parse(justOver).Text('f')
	case tenths:
		return sum("0.1", "0.2")
	case keptScale:
		return parse("1.50").Text('f')
	case tooLarge:
		return parse("1e400").String()
	case ties:
		round := exact
		round.Rounding, round.Traps = apd.RoundHalfEven, 0
		cut := func(s string) string {
			return do(func(d *apd.Decimal) (apd.Condition, error) { return round.Quantize(d, parse(s), -2) })
		}
		return cut(tieA) + " " + cut(tieB)
	case intOver:
		return sum(maxInt, "1")
	case decimalOver:
		return sum(nines, "1")
	case byZero:
		return do(func(d *apd.Decimal) (apd.Condition, error) { return exact.Quo(d, parse("1"), parse("0")) })
	}
	return absent
}

func askShopspring(q int) string {
	parse := decimal.RequireFromString
	switch q {
	case bigInteger:
		return parse(justOver).String()
	case tenths:
		return parse("0.1").Add(parse("0.2")).String()
	case keptScale:
		return parse("1.50").String()
	case tooLarge:
		return short(parse("1e400").String())
	case ties:
		return parse(tieA).RoundBank(2).String() + " " + parse(tieB).RoundBank(2).String()
	case intOver:
		return parse(maxInt).Add(parse("1")).String()
	case decimalOver:
		return parse(nines).Add(parse("1")).String()
	case byZero:
		return parse("1").Div(decimal.Zero).String()
	}
	return absent
}

// short shows a very long number by its length.
func short(s string) string {
	if len(s) > 60 {
		return fmt.Sprintf("%d digits", len(s))
	}
	return s
}

// ask runs a program of a language for each question that it has a way to put.
func ask(q int, run func(code string) (string, error), code map[int]string) string {
	c, ok := code[q]
	if !ok {
		return absent
	}
	text, err := run(c)
	return short(orRefused(text, err))
}

func askExpr(q int) string {
	run := func(code string) (string, error) {
		program, err := expr.Compile(code)
		if err != nil {
			return "", err
		}
		v, err := expr.Run(program, nil)
		return fmt.Sprint(v), err
	}
	code := map[int]string{
		tenths: "0.1 + 0.2", intOver: maxInt + " + 1", decimalOver: nines + ".0 + 1", byZero: "1 / 0",
		ties: "string(round(" + tieA + " * 100) / 100) + ' ' + string(round(" + tieB + " * 100) / 100)",
	}
	for i, p := range payloads {
		code[i] = "toJSON(fromJSON(`" + p + "`))"
		if i != badText {
			code[i] = "string(fromJSON('" + p + "').x)"
		}
	}
	return ask(q, run, code)
}

func askCEL(q int) string {
	env := must(cel.NewEnv())
	run := func(code string) (string, error) {
		ast, issues := env.Compile(code)
		if issues.Err() != nil {
			return "", issues.Err()
		}
		v, _, err := must(env.Program(ast)).Eval(cel.NoVars())
		if err != nil {
			return "", err
		}
		return fmt.Sprint(v.Value()), nil
	}
	return ask(q, run, map[int]string{
		bigInteger: "string(" + justOver + ")", tenths: "string(0.1 + 0.2)", keptScale: "string(1.50)", tooLarge: "string(double('1e400'))",
		intOver: maxInt + " + 1", decimalOver: "string(double('" + nines + "') + 1.0)", byZero: "1 / 0",
	})
}

func askGoja(q int) string {
	js := goja.New()
	run := func(code string) (string, error) {
		v, err := js.RunString(code)
		if err != nil {
			return "", err
		}
		return v.String(), nil
	}
	code := map[int]string{
		tenths: "0.1 + 0.2", intOver: maxInt + " + 1", decimalOver: nines + " + 1", byZero: "1 / 0",
		ties: "(" + tieA + ").toFixed(2) + ' ' + (" + tieB + ").toFixed(2)",
	}
	for i, p := range payloads {
		code[i] = "String(JSON.parse(payload).x)"
		if i == badText {
			code[i] = "JSON.stringify(JSON.parse(payload))"
		}
		if i == q {
			_ = js.Set("payload", p)
		}
	}
	return ask(q, run, code)
}

func askStarlark(q int) string {
	run := func(code string) (string, error) {
		env := starlark.StringDict{"json": starjson.Module, "payload": starlark.String(payloads[q])}
		v, err := starlark.Eval(&starlark.Thread{}, "ask.star", code, env)
		if err != nil {
			return "", err
		}
		return strings.Trim(v.String(), `"`), nil
	}
	code := map[int]string{
		tenths: "0.1 + 0.2", intOver: maxInt + " + 1", decimalOver: nines + " + 1", byZero: "1 // 0",
	}
	for i := range payloads {
		code[i] = `json.decode(payload)["x"]`
		if i == badText {
			code[i] = "json.encode(json.decode(payload))"
		}
	}
	return ask(q, run, code)
}

func askLua(q int) string {
	l := lua.NewState()
	defer l.Close()
	run := func(code string) (string, error) {
		err := l.DoString("return " + code)
		if err != nil {
			return "", err
		}
		return lua.LVAsString(l.ToStringMeta(l.Get(-1))), nil
	}
	return ask(q, run, map[int]string{
		bigInteger: justOver, tenths: "string.format('%.17g', 0.1 + 0.2)", keptScale: "1.50", tooLarge: "1e400",
		ties:    "string.format('%.2f %.2f', " + tieA + ", " + tieB + ")",
		intOver: "string.format('%.0f', " + maxInt + " + 1)", decimalOver: "string.format('%.0f', " + nines + " + 1)", byZero: "1 / 0",
	})
}

type looseNumber struct {
	X    float64 `json:"x,omitempty"`
	Text string  `json:"text,omitempty"`
}

func askStd(q int) string   { return askStruct(q, json.Unmarshal, json.Marshal) }
func askGoccy(q int) string { return askStruct(q, goccy.Unmarshal, goccy.Marshal) }

func askStruct(q int, unmarshal func([]byte, any) error, marshal func(any) ([]byte, error)) string {
	p, ok := payloads[q]
	if !ok {
		return absent
	}
	var v looseNumber
	if err := unmarshal([]byte(p), &v); err != nil {
		return refused
	}
	return shown(string(must(marshal(v))))
}

// shown is the number in {"x":…}, or that a text was taken and how.
func shown(object string) string {
	_, text, _ := strings.Cut(strings.TrimSuffix(object, "}"), ":")
	switch {
	case strings.ContainsRune(text, '\uFFFD') || strings.Contains(text, `\ufffd`):
		return "replaced by U+FFFD"
	case strings.HasPrefix(text, `"`):
		return "taken as it is"
	}
	return text
}

func askGjson(q int) string {
	p, ok := payloads[q]
	if !ok {
		return absent
	}
	if !gjson.Valid(p) {
		return refused
	}
	if q == badText {
		return shown(must(sjson.SetRaw("{}", "text", gjson.Get(p, "text").Raw)))
	}
	if q == tooLarge {
		return fmt.Sprint(gjson.Get(p, "x").Num)
	}
	return shown(must(sjson.SetRaw("{}", "x", gjson.Get(p, "x").Raw)))
}

func askFast(q int) string {
	p, ok := payloads[q]
	if !ok {
		return absent
	}
	v, err := fastjson.Parse(p)
	if err != nil {
		return refused
	}
	if q == badText {
		return shown(v.String())
	}
	if q == tooLarge {
		return fmt.Sprint(v.GetFloat64("x"))
	}
	return string(v.Get("x").MarshalTo(nil))
}
