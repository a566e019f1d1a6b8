package dsl_test

import (
	"bytes"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/parser"
)

// ebnf is a part of a grammar: a choice of sequences, a terminal, a token, the name of a rule, or
// what may be left out or repeated.
type ebnf struct {
	kind  byte // '|' choice, ',' sequence, '"' terminal, 'T' token, 'R' rule, '[' option, '{' repetition
	text  string
	parts []*ebnf
}

var ebnfToken = regexp.MustCompile(`"[^"]*"|[A-Za-z_]+|[=|;\[\](){}]`)

// ebnfParser reads a grammar.
type ebnfParser struct {
	t    *testing.T
	toks []string
}

func readGrammar(t *testing.T) map[string]*ebnf {
	t.Helper()
	_, all := examples(t)
	for _, e := range all {
		if e.lang == "ebnf" {
			p := &ebnfParser{t, ebnfToken.FindAllString(e.text, -1)}
			return p.grammar()
		}
	}
	t.Fatal("the page has no grammar")
	return nil
}

func (p *ebnfParser) next() string {
	if len(p.toks) == 0 {
		p.t.Fatal("the grammar ends too soon")
	}
	tok := p.toks[0]
	p.toks = p.toks[1:]
	return tok
}

func (p *ebnfParser) want(tok string) {
	if got := p.next(); got != tok {
		p.t.Fatalf("the grammar has %s where %s is due", got, tok)
	}
}

func (p *ebnfParser) grammar() map[string]*ebnf {
	out := map[string]*ebnf{}
	for len(p.toks) > 0 {
		name := p.next()
		if out[name] != nil {
			p.t.Fatalf("the grammar defines %s twice", name)
		}
		p.want("=")
		out[name] = p.choice()
		p.want(";")
	}
	return out
}

func (p *ebnfParser) choice() *ebnf {
	c := &ebnf{kind: '|'}
	for {
		c.parts = append(c.parts, p.sequence())
		if p.toks[0] != "|" {
			return c
		}
		p.next()
	}
}

func (p *ebnfParser) sequence() *ebnf {
	s := &ebnf{kind: ','}
	for !strings.Contains("|;])}", p.toks[0]) {
		s.parts = append(s.parts, p.part())
	}
	return s
}

func (p *ebnfParser) part() *ebnf {
	switch tok := p.next(); tok {
	case "[", "{", "(":
		inner := p.choice()
		p.want(map[string]string{"[": "]", "{": "}", "(": ")"}[tok])
		if tok == "(" {
			return inner
		}
		return &ebnf{kind: tok[0], parts: []*ebnf{inner}}
	default:
		switch {
		case tok[0] == '"':
			return &ebnf{kind: '"', text: strings.Trim(tok, `"`)}
		case tok == strings.ToUpper(tok):
			return &ebnf{kind: 'T', text: tok}
		}
		return &ebnf{kind: 'R', text: tok}
	}
}

// deriver makes sentences of a grammar.
type deriver struct {
	t       *testing.T
	grammar map[string]*ebnf
	low     map[*ebnf]int // the least height of what a part derives
	r       *rand.Rand
	out     strings.Builder
	seen    map[string]bool // terminals and rules that were used
}

const unbounded = 1 << 20

// settle computes the least heights.
func (d *deriver) settle() {
	d.low = map[*ebnf]int{}
	for changed := true; changed; {
		changed = false
		for _, e := range d.grammar {
			changed = d.lower(e) || changed
		}
	}
}

func (d *deriver) height(e *ebnf) int {
	if h, ok := d.low[e]; ok {
		return h
	}
	return unbounded
}

func (d *deriver) lower(e *ebnf) bool {
	changed, h := false, 0
	for _, p := range e.parts {
		changed = d.lower(p) || changed
	}
	switch e.kind {
	case 'R':
		rule := d.grammar[e.text]
		if rule == nil {
			d.t.Fatalf("the grammar uses %s and does not define it", e.text)
		}
		h = d.height(rule) + 1
	case '|':
		h = unbounded
		for _, p := range e.parts {
			h = min(h, d.height(p))
		}
	case ',':
		for _, p := range e.parts {
			h = max(h, d.height(p))
		}
	}
	if h < d.height(e) {
		d.low[e] = h
		return true
	}
	return changed
}

// samples are texts of the tokens. Interpolations stand for themselves.
var samples = map[string][]string{
	"NAME":     {"a", "b", "qty", "unit_price", "index", "type", "kind2", "given"},
	"TYPENAME": {"Hold", "Status", "A"},
	"INT":      {"1", "7", "1_000"},
	"NUMBER":   {"0", "7", "1_000", "0.50"},
	"DURATION": {"90s", "1h30m"},
	"STRING":   {`"text"`, `""`, `"größe \{ \" \u{e9}"`},
	"RAW":      {"`raw {x} \\d`"},
	"HEAD":     {`"a {`, `"{`},
	"MID":      {`} b {`},
	"TAIL":     {`}"`, `} c"`},
}

// ownLine are the rules that begin a line, as authors write them.
var ownLine = map[string]bool{"declaration": true, "import": true, "member": true, "statement": true, "step": true}

// derive writes a sentence of e that is no higher than it must be once height is used up.
func (d *deriver) derive(e *ebnf, height int) {
	switch e.kind {
	case '"':
		d.seen[e.text] = true
		d.out.WriteString(e.text + " ")
	case 'T':
		d.seen[e.text] = true
		list := samples[e.text]
		if list == nil {
			d.t.Fatalf("no sample of the token %s", e.text)
		}
		d.out.WriteString(list[d.r.IntN(len(list))] + " ")
	case 'R':
		d.seen[e.text] = true
		if ownLine[e.text] {
			d.out.WriteString("\n")
		}
		d.derive(d.grammar[e.text], height-1)
	case ',':
		for _, p := range e.parts {
			d.derive(p, height)
		}
	case '|':
		d.derive(d.pick(e.parts, height), height)
	case '[':
		if d.r.IntN(2) == 0 && d.height(e.parts[0]) < height {
			d.derive(e.parts[0], height)
		}
	case '{':
		for n := d.r.IntN(3); n > 0 && d.height(e.parts[0]) < height; n-- {
			d.derive(e.parts[0], height)
		}
	}
}

// pick chooses among the parts that fit, or takes the lowest.
func (d *deriver) pick(parts []*ebnf, height int) *ebnf {
	var fit []*ebnf
	low := parts[0]
	for _, p := range parts {
		if d.height(p) < height {
			fit = append(fit, p)
		}
		if d.height(p) < d.height(low) {
			low = p
		}
	}
	if len(fit) == 0 {
		return low
	}
	return fit[d.r.IntN(len(fit))]
}

// TestGrammarIsParsed derives sentences from the EBNF of the page; the parser takes them all.
func TestGrammarIsParsed(t *testing.T) {
	d := &deriver{t: t, grammar: readGrammar(t), r: rand.New(rand.NewPCG(1, 2)), seen: map[string]bool{}}
	d.settle()
	const sentences = 1_500
	failed := 0
	for i := range sentences {
		d.out.Reset()
		d.derive(&ebnf{kind: 'R', text: "file"}, 14+i%16)
		text := d.out.String()
		if len(text) > 200_000 {
			continue
		}
		var bag diag.Bag
		parser.ParseFile(diag.NewFile("sentence.agg", []byte(text)), &bag)
		list := bag.Sorted()
		if len(list) == 0 || list[0].Code == diag.NestingTooDeep {
			continue
		}
		var b bytes.Buffer
		if err := diag.Write(&b, diag.Pretty, list[:1], diag.Options{}); err != nil {
			t.Fatal(err)
		}
		t.Errorf("sentence %d is refused:\n%s", i, b.String())
		if failed++; failed > 10 {
			t.FailNow()
		}
	}
	for name := range d.grammar {
		if !d.seen[name] && name != "file" {
			t.Errorf("no sentence uses the rule %s", name)
		}
	}
}

// TestGrammarHasEveryWord: the words of the lexer and the parser, all punctuation, and the heads of
// parser.Grammar stand in the EBNF.
func TestGrammarHasEveryWord(t *testing.T) {
	terminals := map[string]bool{}
	var visit func(e *ebnf)
	visit = func(e *ebnf) {
		if e.kind == '"' {
			terminals[e.text] = true
		}
		for _, p := range e.parts {
			visit(p)
		}
	}
	for _, e := range readGrammar(t) {
		visit(e)
	}
	want := quotedIn(t, "parser/token.go", regexp.MustCompile(`\tcase "(\w+)":`))
	if len(want) != 15 {
		t.Errorf("the lexer has %d reserved words, want 15", len(want))
	}
	lists := quotedIn(t, "parser/words.go", regexp.MustCompile(`(?s)var \w+Words = \[\]string\{(.*?)\}`))
	if len(lists) != 3 {
		t.Errorf("the parser has %d lists of words, want 3", len(lists))
	}
	word := regexp.MustCompile(`"(\w+)"`)
	for _, l := range lists {
		for _, m := range word.FindAllStringSubmatch(l, -1) {
			want = append(want, m[1])
		}
	}
	for _, m := range regexp.MustCompile(`"([^"]+)"`).FindAllStringSubmatch(parser.Grammar(), -1) {
		want = append(want, m[1])
	}
	want = append(want, strings.Fields("{ } ( ) [ ] , : . .. -> => = += -= *= == != < <= > >= + - * / % ? ?? @ _")...)
	for _, w := range want {
		if !terminals[w] {
			t.Errorf("the grammar of the page has no %q", w)
		}
	}
}
