package lsp

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/parser"
)

// The made-up names that stand at the cursor, and what they are tried in: the first text for
// which the checker meets the name in a place that it understands tells what could stand there.
const (
	probe    = "zq_probe"
	probeCap = "ZqProbe"
)

var (
	tryName   = []string{probe, probe + " = 0", probe + " {}", probeCap, probe + ": 0", probeCap + " {}"}
	tryItem   = []string{probe + ": 0", probe, probeCap}
	tryArm    = []string{probe + " => {}"}
	tryMember = []string{probe, probe + " = 0"}
)

// completion offers what could stand at a position.
func (s *Server) completion(p positionParams) (any, error) {
	out := completionList{Items: []completionItem{}}
	a, f, off := s.locate(p)
	if f == nil {
		return out, nil
	}
	c := &completer{a: a, f: f, text: string(f.Src)}
	c.from, c.to = wordAt(c.text, off)
	if c.from < c.to && '0' <= c.text[c.from] && c.text[c.from] <= '9' {
		return out, nil
	}
	c.scan = scanTo(c.text, c.from)
	if c.scan.comment || c.scan.quoted {
		return out, nil
	}
	c.run()
	at := a.lines(f).between(c.from, c.to)
	for i := range c.items {
		c.items[i].TextEdit = &textEdit{at, c.items[i].Label}
	}
	out.Items = append(out.Items, c.items...)
	return out, nil
}

// completer is one completion under work.
type completer struct {
	a        *analysis
	f        *diag.File
	text     string
	from, to int // the word at the cursor
	scan     *scanner
	decls    map[diag.Span]*decl // of the text with the probe
	items    []completionItem
}

// before is the text of the segment up to the word.
func (c *completer) before() string { return c.text[min(c.scan.begin, c.from):c.from] }

func (c *completer) run() {
	head := strings.TrimSpace(c.before())
	where, rule := c.scan.area()
	if strings.HasSuffix(head, ".") && !strings.HasSuffix(head, "..") {
		c.offers(tryMember, nil)
		return
	}
	if words := follow[lastWords(head)]; words != nil {
		c.keywords(words)
		return
	}
	if head == "" {
		c.beginning(where, rule)
		return
	}
	if where == areaMember && strings.HasPrefix(head, "command ") && !strings.HasSuffix(head, " by") && !strings.HasSuffix(head, ",") {
		c.keywords([]string{"creates", "by"})
		return
	}
	c.middle(where, head)
}

// follow is what comes after words that leave little choice.
var follow = map[string][]string{
	"snapshot": {"every"}, "final": {"when"}, "ordered": {"enum"}, "is": {"some", "none"},
}

// lastWords is the last word of head.
func lastWords(head string) string {
	from, _ := wordAt(head, len(head))
	return head[from:]
}

// beginning offers what may begin a declaration, statement, step, arm, field or item.
func (c *completer) beginning(where area, rule string) {
	switch where {
	case areaTop:
		c.keywords(topWords)
	case areaMember:
		c.keywords(memberWords)
	case areaBlock:
		c.keywords(statementWords[rule])
		c.offers([]string{probe + " = 0"}, func(o check.Offer) bool {
			return o.Kind == check.OfferLocal || o.Kind == check.OfferRoot && o.Name == "state" && rule == "apply"
		})
	case areaArms:
		c.offers(tryArm, func(o check.Offer) bool { return o.Kind == check.OfferMember && o.Wanted })
		c.keywords([]string{"_", "some", "none", "true", "false"})
	case areaSteps:
		c.keywords(stepWords)
	case areaItems, areaOther:
		c.offers(tryItem, nil)
	}
}

// middle offers what may go on a declaration, statement or expression that has begun.
func (c *completer) middle(where area, head string) {
	switch {
	case where == areaSteps && head == "then":
		c.keywords(thenWords)
	case where == areaSteps && head == "given":
		c.keywords([]string{"state"})
	}
	try := tryName
	if where == areaItems && (strings.HasSuffix(head, ",") || strings.HasSuffix(head, "..")) {
		try = append(slices.Clone(tryItem), tryName...)
	}
	if n := c.offers(try, nil); n == 0 {
		if ended(head) {
			c.keywords([]string{"and", "or", "in", "is", "implies", "else", "then", "where"})
		}
		return
	}
	if slices.ContainsFunc(c.items, func(i completionItem) bool { return i.Kind == itemFunction && i.Label == "len" }) {
		c.keywords([]string{"true", "false", "none", "not", "if"})
	}
}

// ended tells whether text ends an operand.
func ended(text string) bool {
	if text == "" {
		return false
	}
	c := text[len(text)-1]
	return isWordByte(c) || c == ')' || c == ']' || c == '"' || c == '`'
}

var (
	topWords       = []string{"aggregate", "enum", "ordered", "record", "const", "fn", "test", "import"}
	memberWords    = []string{"state", "command", "event", "decide", "apply", "invariant", "derive", "index", "const", "enum", "ordered", "record", "fn", "guard", "roles", "final", "snapshot", "gas", "upcast"}
	stepWords      = []string{"given", "when", "then", "at", "as", "let", "repeat"}
	thenWords      = []string{"emit", "nothing", "reject", "invalid", "fault", "gas"}
	statementWords = map[string][]string{
		"decide": {"require", "emit", "let", "var", "reject", "check", "nothing", "if", "match", "for"},
		"apply":  {"let", "var", "remove", "if", "match", "for"},
		"guard":  {"require", "reject", "let", "check", "if", "match", "for"},
		"fn":     {"let", "var", "return", "if", "match", "for"},
	}
)

func (c *completer) keywords(words []string) {
	for _, w := range words {
		c.items = append(c.items, completionItem{Label: w, Kind: itemKeyword, SortText: "5" + w})
	}
}

// offers tries the texts at the cursor until one leads to offers, and adds those that keep says.
func (c *completer) offers(tries []string, keep func(check.Offer) bool) int {
	for _, text := range tries {
		name := probe
		if strings.HasPrefix(text, probeCap) {
			name = probeCap
		}
		found := c.probe(text, name)
		if len(found) == 0 {
			continue
		}
		n := 0
		for _, o := range found {
			if keep == nil || keep(o) {
				c.items = append(c.items, c.item(o))
				n++
			}
		}
		return n
	}
	return 0
}

// probe checks the set with text at the cursor and gives what the checker offers for name in it.
func (c *completer) probe(text, name string) []check.Offer {
	src := c.text[:c.from] + text + c.text[c.to:]
	bag := &diag.Bag{}
	tree := parser.ParseFile(diag.NewFile(c.f.Name, []byte(src)), bag)
	files := make([]*ast.File, len(c.a.Files))
	for i, t := range c.a.Files {
		files[i] = t
		if t.Source == c.f {
			files[i] = tree
		}
	}
	u := &check.Uses{Probe: name}
	check.Files(files, check.Options{Uses: u}, bag)
	c.decls = declarations([]*ast.File{tree})
	return slices.DeleteFunc(u.Offers, func(o check.Offer) bool { return o.Name == name })
}

// item is an offer in the words of the protocol. What fits best sorts first.
func (c *completer) item(o check.Offer) completionItem {
	look := looks[o.Kind]
	out := completionItem{Label: o.Name, Kind: look.kind, Detail: look.what}
	if o.Type != nil {
		out.Detail = o.Type.String()
	}
	if o.Usage != "" {
		out.Detail = o.Usage
		if o.Kind == check.OfferFn && o.Type != nil {
			out.Detail += ": " + o.Type.String()
		}
	}
	rank := look.rank
	if o.Wanted || o.Missing {
		rank = 0
	}
	if d := c.declOf(o.Decl); d != nil {
		out.Documentation = &markup{"markdown", code(d.sig) + docText(d.doc)}
	}
	out.SortText = fmt.Sprintf("%d%s", rank, o.Name)
	return out
}

func (c *completer) declOf(at diag.Span) *decl {
	if d := c.decls[at]; d != nil {
		return d
	}
	return c.a.decls[at]
}

// looks is how each kind of offer is shown.
var looks = [...]struct {
	kind, rank int
	what       string
}{
	check.OfferField:     {itemField, 1, "field"},
	check.OfferDerive:    {itemField, 1, "derive"},
	check.OfferLocal:     {itemVariable, 1, ""},
	check.OfferConst:     {itemConstant, 2, "constant"},
	check.OfferMember:    {itemEnumMember, 1, "member"},
	check.OfferFn:        {itemFunction, 2, "function"},
	check.OfferBuiltin:   {itemFunction, 4, "builtin"},
	check.OfferGuard:     {itemFunction, 1, "guard"},
	check.OfferType:      {itemStruct, 3, "type"},
	check.OfferAggregate: {itemClass, 1, "aggregate"},
	check.OfferCommand:   {itemModule, 1, "command"},
	check.OfferEvent:     {itemEvent, 1, "event"},
	check.OfferRole:      {itemConstant, 1, "role"},
	check.OfferCode:      {itemConstant, 1, "rejection code"},
	check.OfferRoot:      {itemVariable, 2, ""},
}
