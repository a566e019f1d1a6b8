package bench

import (
	"fmt"
	"slices"
	"strings"
)

// The answers that are no number.
const (
	refused = "refused"
	absent  = "–" // the engine has no such thing
)

// HardCase is a question to which most engines give a wrong answer without a word.
type HardCase struct {
	Name  string
	Right []string // any of these will do
}

// Places of the cases in HardCases.
const (
	bigInteger = iota
	tenths
	keptScale
	tooLarge
	repeated
	unknown
	badText
	ties
	intOver
	decimalOver
	byZero
)

const (
	nines    = "9999999999999999999999999999999999"
	maxInt   = "9223372036854775807"
	justOver = "9007199254740993"
	tieA     = "0.125"
	tieB     = "2.675"
)

// HardCases are the questions, each with its right answers.
func HardCases() []HardCase {
	return []HardCase{
		bigInteger:  {"2^53+1 read and written", []string{justOver, justOver + ".00"}},
		tenths:      {"0.1 + 0.2", []string{"0.3", "0.30"}},
		keptScale:   {"1.50 read and written", []string{"1.50"}},
		tooLarge:    {"1e400", []string{refused, "1E+400", "401 digits"}},
		repeated:    {"repeated key", []string{refused}},
		unknown:     {"unknown field", []string{refused}},
		badText:     {"bad UTF-8", []string{refused}},
		ties:        {tieA + ", " + tieB + " to 2 places, half even", []string{"0.12 2.68"}},
		intOver:     {"2^63-1 + 1", []string{refused, "9223372036854775808"}},
		decimalOver: {"34 nines + 1", []string{refused, "1" + strings.Repeat("0", 34)}},
		byZero:      {"1 / 0", []string{refused, "panics"}},
	}
}

// OK tells whether an answer is right, or not asked for.
func (c HardCase) OK(answer string) bool { return answer == absent || slices.Contains(c.Right, answer) }

// payloads are the cases that are texts of JSON.
var payloads = map[int]string{
	bigInteger: `{"x":` + justOver + `}`,
	keptScale:  `{"x":1.50}`,
	tooLarge:   `{"x":1e400}`,
	repeated:   `{"x":1,"x":2}`,
	unknown:    `{"x":1,"y":2}`,
	badText:    "{\"text\":\"\xff\"}",
}

// Answerer is an engine that is asked.
type Answerer struct {
	Name   string
	answer func(question int) string
}

// Answer asks; a panic is an answer.
func (a Answerer) Answer(question int) (text string) {
	defer func() {
		if r := recover(); r != nil {
			text = "panics"
		}
	}()
	return a.answer(question)
}

// Answerers are all engines that are asked, ours first.
func Answerers() []Answerer {
	return []Answerer{
		{Ours, askVM}, {"Go and wazero, int64 cents", askCents}, {"udecimal", askUdecimal}, {"apd", askApd}, {"shopspring", askShopspring},
		{"expr", askExpr}, {"cel-go", askCEL}, {"goja", askGoja}, {"starlark", askStarlark}, {"gopher-lua", askLua},
		{"encoding/json, float64", askStd}, {"goccy/go-json, float64", askGoccy}, {"gjson + sjson", askGjson}, {"fastjson", askFast},
	}
}

func orRefused[T any](v T, err error) string {
	if err != nil {
		return refused
	}
	return fmt.Sprint(v)
}

// HardTable is the table of all answers in Markdown, a row for each engine.
func HardTable() string {
	var b strings.Builder
	cases := HardCases()
	b.WriteString("| engine |")
	for _, c := range cases {
		b.WriteString(" " + c.Name + " |")
	}
	b.WriteString(" wrong |\n|---|" + strings.Repeat("---|", len(cases)+1) + "\n")
	for _, a := range Answerers() {
		b.WriteString("| " + a.Name + " |")
		wrong := 0
		for i, c := range cases {
			text := a.Answer(i)
			if i == badText && strings.ContainsRune(text, '\uFFFD') {
				text = "replaced by U+FFFD"
			}
			if !c.OK(text) {
				wrong++
				text = "**" + text + "**"
			}
			b.WriteString(" " + strings.ReplaceAll(text, nines, "34 nines") + " |")
		}
		fmt.Fprintf(&b, " %d |\n", wrong)
	}
	return b.String()
}
