package parser

import (
	"errors"
	"sync"

	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"
)

// One production per kind of declaration: the part up to the first body, type or expression.
// Where a production fails, the fields that it has captured stay, and the declaration's own code
// goes on by hand at the failing token, which gives better messages than a grammar can.
type (
	importHead struct {
		Path lexer.Token `parser:"'import' @(String|Raw)"`
	}
	aggregateHead struct {
		Name lexer.Token `parser:"'aggregate' @TypeName '{'"`
	}
	enumHead struct {
		Ordered bool        `parser:"@'ordered'?"`
		Name    lexer.Token `parser:"'enum' @TypeName '{'"`
	}
	recordHead struct {
		Name lexer.Token `parser:"'record' @TypeName '{'"`
	}
	rolesHead struct {
		Names []lexer.Token `parser:"'roles' @(Ident (',' Ident)*)"`
	}
	constHead struct {
		Name lexer.Token `parser:"'const' @Ident ':'"`
	}
	stateHead struct {
		Word lexer.Token `parser:"@'state' '{'"`
	}
	deriveHead struct {
		Name lexer.Token `parser:"'derive' @Ident ':'"`
	}
	indexHead struct {
		Path []lexer.Token `parser:"'index' @(Ident ('.' Ident)*)"`
	}
	snapshotHead struct {
		N lexer.Token `parser:"'snapshot' 'every' @Int"`
	}
	gasHead struct {
		N lexer.Token `parser:"'gas' @Int"`
	}
	finalHead struct {
		Word lexer.Token `parser:"@'final' 'when'"`
	}
	invariantHead struct {
		Name lexer.Token `parser:"'invariant' @Ident ':'"`
	}
	callableHead struct {
		Word lexer.Token `parser:"@('fn' | 'guard')"`
		Name lexer.Token `parser:"@Ident '('"`
	}
	commandHead struct {
		Name lexer.Token `parser:"'command' @Ident"`
	}
	eventHead struct {
		Name    lexer.Token `parser:"'event' @Ident"`
		Version lexer.Token `parser:"('@' @Int)? '{'"`
	}
	upcastHead struct {
		From        lexer.Token `parser:"'upcast' @Ident"`
		FromVersion lexer.Token `parser:"('@' @Int)? '->'"`
		To          lexer.Token `parser:"@Ident?"`
		ToVersion   lexer.Token `parser:"('@' @Int)? '{'"`
	}
	ruleHead struct {
		Word lexer.Token `parser:"@('decide' | 'apply')"`
		Name lexer.Token `parser:"@Ident '{'"`
	}
	testHead struct {
		Word lexer.Token `parser:"@'test'"`
	}
)

// declaration is the root of the grammar; it exists to build the productions from and to print
// their EBNF.
type declaration struct {
	Import    *importHead    `parser:"  @@"`
	Aggregate *aggregateHead `parser:"| @@"`
	Enum      *enumHead      `parser:"| @@"`
	Record    *recordHead    `parser:"| @@"`
	Roles     *rolesHead     `parser:"| @@"`
	Const     *constHead     `parser:"| @@"`
	State     *stateHead     `parser:"| @@"`
	Derive    *deriveHead    `parser:"| @@"`
	Index     *indexHead     `parser:"| @@"`
	Snapshot  *snapshotHead  `parser:"| @@"`
	Gas       *gasHead       `parser:"| @@"`
	Final     *finalHead     `parser:"| @@"`
	Invariant *invariantHead `parser:"| @@"`
	Callable  *callableHead  `parser:"| @@"`
	Command   *commandHead   `parser:"| @@"`
	Event     *eventHead     `parser:"| @@"`
	Upcast    *upcastHead    `parser:"| @@"`
	Rule      *ruleHead      `parser:"| @@"`
	Test      *testHead      `parser:"| @@"`
}

// heads are the parsers of the productions.
type heads struct {
	root      *participle.Parser[declaration]
	imports   *participle.Parser[importHead]
	aggregate *participle.Parser[aggregateHead]
	enum      *participle.Parser[enumHead]
	record    *participle.Parser[recordHead]
	roles     *participle.Parser[rolesHead]
	constant  *participle.Parser[constHead]
	state     *participle.Parser[stateHead]
	derive    *participle.Parser[deriveHead]
	index     *participle.Parser[indexHead]
	snapshot  *participle.Parser[snapshotHead]
	gas       *participle.Parser[gasHead]
	final     *participle.Parser[finalHead]
	invariant *participle.Parser[invariantHead]
	callable  *participle.Parser[callableHead]
	command   *participle.Parser[commandHead]
	event     *participle.Parser[eventHead]
	upcast    *participle.Parser[upcastHead]
	rule      *participle.Parser[ruleHead]
	test      *participle.Parser[testHead]
}

// productions builds the parsers when first asked; they are safe for concurrent use.
var productions = sync.OnceValue(func() *heads {
	root := participle.MustBuild[declaration](participle.Lexer(definition{}), participle.UseLookahead(1))
	return &heads{
		root:      root,
		imports:   production[importHead](root),
		aggregate: production[aggregateHead](root),
		enum:      production[enumHead](root),
		record:    production[recordHead](root),
		roles:     production[rolesHead](root),
		constant:  production[constHead](root),
		state:     production[stateHead](root),
		derive:    production[deriveHead](root),
		index:     production[indexHead](root),
		snapshot:  production[snapshotHead](root),
		gas:       production[gasHead](root),
		final:     production[finalHead](root),
		invariant: production[invariantHead](root),
		callable:  production[callableHead](root),
		command:   production[commandHead](root),
		event:     production[eventHead](root),
		upcast:    production[upcastHead](root),
		rule:      production[ruleHead](root),
		test:      production[testHead](root),
	}
})

// production panics only if the grammar above is wrong, which every test would show.
func production[H any](root *participle.Parser[declaration]) *participle.Parser[H] {
	p, err := participle.ParserForProduction[H](root)
	if err != nil {
		panic(err)
	}
	return p
}

// Grammar is the EBNF of the declarations' heads, as participle sees them.
func Grammar() string { return productions().root.String() }

// head runs a production at the current token. If it fails, what it has captured is given and the
// parser stands at the token that did not fit.
func head[H any](p *parser, production *participle.Parser[H]) (h *H, ok bool) {
	if int(p.l.RawCursor()) > p.i { // a production took the next declaration's word for a name
		p.l.LoadCheckpoint(lexer.Checkpoint{})
	}
	p.l.FastForward(lexer.RawCursor(p.i - 1))
	begin := p.l.MakeCheckpoint()
	h, err := production.ParseFromLexer(p.l, participle.AllowTrailing(true))
	if err == nil {
		p.moveTo(int(p.l.RawCursor()))
		return h, true
	}
	if h == nil {
		h = new(H)
	}
	p.l.LoadCheckpoint(begin)
	offset := p.toks[p.i].Pos.Offset
	var unexpected *participle.UnexpectedTokenError
	if errors.As(err, &unexpected) {
		offset = unexpected.Unexpected.Pos.Offset
	}
	at := p.i
	for at < len(p.toks)-1 && p.toks[at].Pos.Offset < offset {
		at++
	}
	p.moveTo(max(at, p.i+1)) // the keyword was there
	return h, false
}

// moveTo makes token i the current one.
func (p *parser) moveTo(i int) {
	p.i = min(i, len(p.toks)-1)
	if p.i > 0 {
		t := &p.toks[p.i-1]
		p.end = int32(t.Pos.Offset + len(t.Value))
	}
}
