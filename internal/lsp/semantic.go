package lsp

import (
	"slices"

	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/diag"
)

// The kinds of semantic tokens, by the index that stands for each on the wire.
const (
	semKeyword uint32 = iota
	semComment
	semString
	semNumber
	semType
	semEnumMember
	semProperty
	semVariable
	semFunction
	semMethod
	semEvent
)

var (
	tokenTypes     = []string{"keyword", "comment", "string", "number", "type", "enumMember", "property", "variable", "function", "method", "event"}
	tokenModifiers = []string{"declaration", "readonly", "defaultLibrary"}
)

const (
	modDeclaration uint32 = 1 << iota
	modReadonly
	modLibrary
)

// symbolTokens is how the names of declarations are coloured.
var symbolTokens = map[int]uint32{
	symClass: semType, symEnum: semType, symStruct: semType, symEnumMember: semEnumMember, symField: semProperty, symProperty: semProperty,
	symFunction: semFunction, symMethod: semMethod, symEvent: semEvent, symConstant: semVariable, symVariable: semVariable,
}

// semantic colours a document: names by what they mean, and all else by its form, for editors
// that have no grammar of the language.
func (s *Server) semantic(p documentParams) (any, error) {
	out := semanticTokens{Data: []uint32{}}
	a, f := s.file(p.TextDocument.URI)
	if f == nil {
		return out, nil
	}
	w := &tokenWriter{a: a, f: f, l: a.lines(f), text: string(f.Src), names: map[int]*check.Use{}}
	for i := range a.uses {
		if u := &a.uses[i]; u.At.File == f {
			w.names[int(u.At.Start)] = u
		}
	}
	w.run()
	out.Data = append(out.Data, w.data...)
	return out, nil
}

// tokenWriter writes the tokens of one text in order.
type tokenWriter struct {
	a     *analysis
	f     *diag.File
	l     *lines
	text  string
	names map[int]*check.Use // by where they begin
	data  []uint32
	last  position
	nest  []int // of each interpolation that is open: how many braces are open in it
}

func (w *tokenWriter) run() {
	for i := 0; i < len(w.text); {
		i = w.step(i)
	}
}

// step writes the token at i, if there is one, and gives where the next may begin.
func (w *tokenWriter) step(i int) int {
	switch c := w.text[i]; {
	case c == '/' && i+1 < len(w.text) && w.text[i+1] == '/':
		return w.emit(i, w.until(i, '\n'), semComment, 0)
	case c == '`':
		return w.emit(i, min(w.until(i+1, '`')+1, w.until(i, '\n')), semString, 0)
	case c == '"':
		return w.str(i, i+1)
	case '0' <= c && c <= '9':
		return w.number(i)
	case isWordByte(c):
		return w.word(i)
	case c == '{' && len(w.nest) > 0:
		w.nest[len(w.nest)-1]++
	case c == '}' && len(w.nest) > 0:
		n := len(w.nest) - 1
		if w.nest[n]--; w.nest[n] < 0 {
			w.nest = w.nest[:n]
			return w.str(i, i+1)
		}
	case c == '\n':
		w.nest = w.nest[:0] // a string ends on its line
	}
	return i + 1
}

// until is where the next c is, or the end.
func (w *tokenWriter) until(i int, c byte) int {
	for ; i < len(w.text) && w.text[i] != c; i++ {
	}
	return i
}

// str writes a piece of a string that begins at from; i is where to look for its end.
func (w *tokenWriter) str(from, i int) int {
	for ; i < len(w.text); i++ {
		switch w.text[i] {
		case '\\':
			i++
		case '"':
			return w.emit(from, i+1, semString, 0)
		case '\n':
			return w.emit(from, i, semString, 0)
		case '{':
			w.nest = append(w.nest, 0)
			return w.emit(from, i+1, semString, 0)
		}
	}
	return w.emit(from, len(w.text), semString, 0)
}

// number writes a number or duration.
func (w *tokenWriter) number(from int) int {
	_, to := wordAt(w.text, from)
	if to+1 < len(w.text) && w.text[to] == '.' && '0' <= w.text[to+1] && w.text[to+1] <= '9' {
		_, to = wordAt(w.text, to+1)
	}
	return w.emit(from, to, semNumber, 0)
}

// word writes a name by what it means, or a word of the language.
func (w *tokenWriter) word(from int) int {
	_, to := wordAt(w.text, from)
	if u := w.names[from]; u != nil && int(u.At.End) == to {
		kind, mods := w.kind(u)
		return w.emit(from, to, kind, mods)
	}
	word := w.text[from:to]
	switch {
	case from > 0 && w.text[from-1] == '.':
	case isKeyword(word) && !w.isField(to):
		return w.emit(from, to, semKeyword, 0)
	case scalarWords[word] && !w.isField(to):
		return w.emit(from, to, semType, modLibrary)
	}
	return to
}

// isField tells whether a word that ends at to is the name of what a colon follows.
func (w *tokenWriter) isField(to int) bool { return to < len(w.text) && w.text[to] == ':' }

func (w *tokenWriter) kind(u *check.Use) (kind, mods uint32) {
	switch {
	case u.Builtin != "":
		return semFunction, modLibrary
	case u.Root:
		return semVariable, modLibrary
	case u.Decl.IsZero():
		return semProperty, modReadonly
	}
	if u.Decl == u.At {
		mods = modDeclaration
	}
	d := w.a.decls[u.Decl]
	if d == nil {
		return semVariable, mods
	}
	if d.symbol == symConstant {
		mods |= modReadonly
	}
	return symbolTokens[d.symbol], mods
}

// emit writes one token; it ends on its line. It gives to.
func (w *tokenWriter) emit(from, to int, kind, mods uint32) int {
	p := w.l.position(from)
	length := w.l.position(to).Character - p.Character
	if to <= from || length == 0 || w.l.position(to).Line != p.Line {
		return max(to, from+1)
	}
	start := p.Character
	if p.Line == w.last.Line {
		start -= w.last.Character
	}
	w.data = append(w.data, p.Line-w.last.Line, start, length, kind, mods)
	w.last = p
	return to
}

var scalarWords = map[string]bool{
	"bool": true, "int": true, "decimal": true, "string": true, "time": true, "date": true, "duration": true, "uuid": true, "json": true,
	"list": true, "set": true, "map": true,
}

// reserved are the words that are never names.
var reserved = []string{"and", "or", "not", "implies", "in", "is", "some", "none", "true", "false", "if", "then", "else", "for", "where"}

func isKeyword(word string) bool {
	if slices.Contains(reserved, word) || slices.Contains(topWords, word) || slices.Contains(memberWords, word) || slices.Contains(stepWords, word) || slices.Contains(thenWords, word) {
		return true
	}
	for _, list := range statementWords {
		if slices.Contains(list, word) {
			return true
		}
	}
	return word == "creates" || word == "by" || word == "every" || word == "cases"
}
