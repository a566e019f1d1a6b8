package format

import (
	"bytes"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/parser"
)

// width is where lines are broken if they can be.
const width = 120

// Source formats f. If it has syntax errors there is no result and the bag says why.
func Source(f *diag.File) ([]byte, *diag.Bag) {
	bag := &diag.Bag{}
	file := parser.ParseFile(f, bag)
	if bag.Errors() > 0 {
		return nil, bag
	}
	return File(file), bag
}

// File prints a tree without Bad nodes. Comments are those of file.Comments.
func File(file *ast.File) []byte {
	p := &printer{comments: file.Comments}
	if file.Source != nil {
		p.src = file.Source.Src
		for i, c := range p.src {
			if c == '\n' {
				p.lines = append(p.lines, int32(i))
			}
		}
	}
	var els []element
	for _, im := range file.Imports {
		els = append(els, element{at: im.Span, print: func() { p.str("import " + p.quoted(im.PathSpan, im.Path)) }})
	}
	for _, d := range file.Decls {
		els = append(els, p.decl(d))
	}
	p.elements(els, int32(len(p.src)))
	p.flush(int32(len(p.src)) + 1)
	out := bytes.TrimLeft(p.out, "\n")
	if len(out) > 0 {
		out = append(out, '\n')
	}
	return out
}

// printer writes one file.
type printer struct {
	src   []byte
	lines []int32 // offsets of the line ends of src
	out   []byte

	indent   int
	comments []*ast.Comment
	next     int // the first comment that has not been printed
	began    int // where in out the element begins that is being printed
	last     int // the line of src on which what was printed last ends; 0 after a {
}

// element is what stands on lines of its own: a declaration, field, statement, step.
type element struct {
	at    diag.Span
	print func()
	// block tells that comments inside are the business of print; otherwise they move before.
	block bool
}

// line is the line of src at an offset, from 1.
func (p *printer) line(off int32) int {
	return sort.Search(len(p.lines), func(i int) bool { return p.lines[i] >= off }) + 1
}

// elements prints each on a line of its own, with the comments between them; end is where the
// list ends in the source.
func (p *printer) elements(els []element, end int32) {
	for i, e := range els {
		p.flush(e.at.Start)
		if !e.block {
			p.hoist(e.at.End)
		}
		if !e.at.IsZero() {
			p.blank(p.line(e.at.Start))
		}
		p.newline()
		p.began = len(p.out)
		e.print()
		if e.at.IsZero() {
			continue
		}
		p.last = p.line(e.at.End)
		limit := end
		if i+1 < len(els) {
			limit = els[i+1].at.Start
		}
		p.trail(e.at.End, limit)
	}
}

// flush prints the comments before an offset on lines of their own.
func (p *printer) flush(before int32) {
	docs := p.docsFrom(before)
	for ; p.next < len(p.comments) && p.comments[p.next].Span.Start < before; p.next++ {
		c := p.comments[p.next]
		line := p.line(c.Span.Start)
		p.blank(line)
		p.newline()
		p.str(commentText(c, p.next >= docs))
		p.last = line
	}
}

// docsFrom is the first comment that documents what begins at an offset: nothing but white space
// and comments on lines of their own is between them.
func (p *printer) docsFrom(at int32) int {
	i := p.next + sort.Search(len(p.comments)-p.next, func(i int) bool { return p.comments[p.next+i].Span.Start >= at })
	at = min(at, int32(len(p.src)))
	for i > p.next {
		c := p.comments[i-1]
		if !c.OwnLine || len(bytes.TrimSpace(p.src[c.Span.End:at])) > 0 {
			break
		}
		at = c.Span.Start
		i--
	}
	return i
}

// hoist prints the comments inside an element before it. They document nothing there.
func (p *printer) hoist(before int32) {
	for ; p.next < len(p.comments) && p.comments[p.next].Span.Start < before; p.next++ {
		p.newline()
		p.str(commentText(p.comments[p.next], false))
		p.last = 0
	}
}

// trail prints a comment behind what ends at off, on the same line and before limit.
func (p *printer) trail(off, limit int32) {
	if p.next >= len(p.comments) {
		return
	}
	c := p.comments[p.next]
	if off < 0 || c.OwnLine || c.Span.Start < off || c.Span.Start >= limit || p.line(c.Span.Start) != p.line(off) {
		return
	}
	p.str(" " + commentText(c, false))
	p.next++
}

// commentText is a comment as it is printed. Where it does not document what follows, /// becomes
// //, so that it does not begin to.
func commentText(c *ast.Comment, documents bool) string {
	text := strings.TrimRight(c.Text, " \t\r")
	isDoc := strings.HasPrefix(text, "///") && !strings.HasPrefix(text, "////")
	if isDoc && !documents {
		text = text[1:]
	}
	return text
}

// blank writes an empty line if the source has one or more before the given line.
func (p *printer) blank(line int) {
	if p.last > 0 && line > p.last+1 {
		p.out = append(p.out, '\n')
	}
}

// newline ends the line and indents the next.
func (p *printer) newline() {
	if len(p.out) > 0 {
		p.out = append(p.out, '\n')
	}
	for range p.indent {
		p.out = append(p.out, ' ', ' ')
	}
}

func (p *printer) str(s string) { p.out = append(p.out, s...) }

// column is how many characters the line has so far.
func (p *printer) column() int {
	return utf8.RuneCount(p.out[bytes.LastIndexByte(p.out, '\n')+1:])
}

// fits tells whether s still fits on the line.
func (p *printer) fits(s string) bool { return p.column()+utf8.RuneCountInString(s) <= width }

// hasComment tells whether an unprinted comment lies in a place.
func (p *printer) hasComment(at diag.Span) bool {
	i := p.next + sort.Search(len(p.comments)-p.next, func(i int) bool {
		return p.comments[p.next+i].Span.Start >= at.Start
	})
	return !at.IsZero() && i < len(p.comments) && p.comments[i].Span.Start < at.End
}

// oneLine tells whether the source has at on one line, without a comment in it.
func (p *printer) oneLine(at diag.Span) bool {
	return at.IsZero() || p.line(at.Start) == p.line(at.End) && !p.hasComment(at)
}

// head is where a comment behind the { of the current element may begin: the element's start, or
// nowhere if the { is not on its first line.
func (p *printer) head(start int32) int32 {
	if bytes.IndexByte(p.out[p.began:], '\n') >= 0 {
		return -1
	}
	return start
}

// braces prints elements in braces on lines of their own. What precedes the { has been printed; a
// comment behind head on its line goes behind the {.
func (p *printer) braces(els []element, head int32, end int32) {
	if len(els) == 0 && !p.hasCommentBefore(end) {
		p.str("{}")
		return
	}
	p.str("{")
	first := end
	if len(els) > 0 && !els[0].at.IsZero() {
		first = els[0].at.Start
	}
	p.trail(head, first)
	p.indent++
	p.last = 0
	p.elements(els, end)
	if end > 0 {
		p.flush(end)
	}
	p.indent--
	p.newline()
	p.str("}")
}

func (p *printer) hasCommentBefore(end int32) bool {
	return p.next < len(p.comments) && p.comments[p.next].Span.Start < end
}

// quoted is the source text of a string, or its text in quotes if it has no source.
func (p *printer) quoted(at diag.Span, value string) string {
	if !at.IsZero() {
		return at.Text()
	}
	return quote(value)
}

// quote writes s as a string literal.
func quote(s string) string {
	return `"` + escaper.Replace(s) + `"`
}

var escaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`, "\r", `\r`, "{", `\{`, "}", `\}`)
