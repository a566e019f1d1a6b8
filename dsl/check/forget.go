package check

import (
	"strings"

	"github.com/cloudlysis/aggregate/dsl/ast"
)

// A write makes facts stale: those that speak of the place that it writes. Places are compared by
// their text, without the keys in it, since two keys may be the same.

// write is a place that an assignment or `remove` changes.
type write struct {
	whole  string // its text
	stem   string // the text before the first index
	tail   string // the text after the last index
	of     string // when it ends with an index: the text of what is indexed
	remove bool
}

func writeTo(target ast.Expr, remove bool) write {
	target = unparen(target)
	w := write{whole: target.Pos().Text(), remove: remove}
	w.stem = w.whole
	if i := strings.IndexByte(w.whole, '['); i >= 0 {
		w.stem, w.tail = w.whole[:i], w.whole[strings.LastIndexByte(w.whole, ']')+1:]
	}
	if ix, ok := target.(*ast.IndexExpr); ok {
		w.of = ix.X.Pos().Text()
	}
	return w
}

// makesStale tells whether fact may no longer hold after the write.
func (w write) makesStale(fact string) bool {
	switch {
	case !mentions(fact, w.stem):
		return false
	case w.remove:
		return true
	case w.of != "": // what was there stays there, with another value, and nothing gets shorter
		fact = strings.ReplaceAll(fact, "len("+w.of+")", "")
		return mentions(fact, w.stem) && (!isElementOf(fact, w.of) || strings.Count(fact, w.stem) > 1)
	case w.tail != "":
		return mentions(fact, w.tail)
	}
	return true
}

// isElementOf tells whether fact is that an element of the list or map is there.
func isElementOf(fact, of string) bool {
	key, ok := strings.CutPrefix(fact, of+"[")
	if !ok || !strings.HasSuffix(key, "]") {
		return false
	}
	depth := 1
	for i := range len(key) - 1 {
		switch key[i] {
		case '[':
			depth++
		case ']':
			depth--
		}
		if depth == 0 {
			return false // it goes on below the element
		}
	}
	return true
}

// mentions tells whether text holds the name or path.
func mentions(text, path string) bool {
	for from := 0; ; {
		i := strings.Index(text[from:], path)
		if i < 0 {
			return false
		}
		i += from
		end := i + len(path)
		if (i == 0 || path[0] == '.' || !isNamePart(text[i-1])) && (end == len(text) || text[end] == '.' || !isNamePart(text[end])) {
			return true
		}
		from = end
	}
}

// isNamePart tells whether c goes on with a name or a path.
func isNamePart(c byte) bool {
	return c == '_' || c == '.' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// forget drops the facts that a write makes stale.
func (b *body) forget(w write) {
	for f := range b.facts {
		if w.makesStale(f) {
			delete(b.facts, f)
		}
	}
}

// writes are the places that the statements of a block change.
func writes(block *ast.Block) []write {
	if block == nil {
		return nil
	}
	var out []write
	for _, s := range block.Stmts {
		switch s := s.(type) {
		case *ast.Assign:
			out = append(out, writeTo(s.Target, false))
		case *ast.Remove:
			out = append(out, writeTo(s.Target, true))
		case *ast.Block:
			out = append(out, writes(s)...)
		case *ast.If:
			out = append(out, writesOfIf(s)...)
		case *ast.For:
			out = append(out, writes(s.Body)...)
		case *ast.Match:
			for _, a := range s.Arms {
				out = append(out, writes(a.Body)...)
			}
		}
	}
	return out
}

func writesOfIf(s *ast.If) []write {
	out := writes(s.Then)
	switch e := s.Else.(type) {
	case *ast.Block:
		out = append(out, writes(e)...)
	case *ast.If:
		out = append(out, writesOfIf(e)...)
	}
	return out
}

// loopFacts sets what is known in every round of a loop: what was known before and what its head
// tells, but for what the body makes stale.
func (b *body) loopFacts(s *ast.For, src Source) {
	if !b.wantsFacts() {
		return
	}
	body := writes(s.Body)
	for _, w := range body {
		b.forget(w)
	}
	before := b.saveFacts()
	b.learnHead(s.Source, s.Key, s.Value, src)
	for f := range b.facts {
		for _, w := range body {
			if before[f] || w.remove && w.whole == f && src.Kind == OverMap { // each key comes once
				continue
			}
			if w.makesStale(f) {
				delete(b.facts, f)
			}
		}
	}
}

// learnHead takes from the head of a loop what is there in each round.
func (b *body) learnHead(source ast.Expr, key, val ast.Name, src Source) {
	if !b.wantsFacts() {
		return
	}
	source = unparen(source)
	call, isCall := source.(*ast.Call)
	switch {
	case src.Kind == OverMap && key.Text != "":
		b.fact(element(source, key.Text))
	case src.Kind == OverList && key.Text != "":
		b.fact(element(source, key.Text))
		b.fact(key.Text + " >= 0")
	case src.Kind == OverList && isCall && call.Fn.Text == "keys" && len(call.Args) == 1:
		b.fact(element(call.Args[0], val.Text))
	case src.Kind == OverRange && isCall:
		i := &ast.NameExpr{At: ast.At{Span: val.Span}, Name: val.Text}
		b.learnOrder(">=", i, call.Args[0])
		b.learnOrder("<", i, call.Args[1])
	}
}
