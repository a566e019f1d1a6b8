package value

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Path is a json path of the language: keys, indices and # in gjson's syntax, parsed once. A
// gap takes a key that comes from data, which is never read as syntax. It is evaluated here and
// not by gjson, since gjson reads | and # in an escaped key as syntax when it meets an array.
type Path struct {
	parts []string
	steps []step
	gaps  int
}

// step is one component. key has one piece more than the component has gaps.
type step struct {
	key   []string
	index int  // of a component that is a plain number, else -1
	each  bool // the component is #
}

// ParsePath parses a path whose literal text is parts, with a gap between each and the next.
// The error tells the place in bytes of the whole literal text.
func ParsePath(parts []string) (*Path, error) {
	p := &Path{parts: parts, gaps: len(parts) - 1}
	b := pathParser{}
	for i, text := range parts {
		if i > 0 {
			b.pieces = append(b.pieces, string(b.piece))
			b.piece = b.piece[:0]
		}
		if err := b.read(text, p); err != nil {
			return nil, err
		}
		b.before += len(text)
	}
	if err := b.close(p); err != nil {
		return nil, err
	}
	return p, nil
}

type pathParser struct {
	pieces  []string
	piece   []byte
	escaped bool // something in this component is escaped, so it is a key
	before  int  // bytes of the parts before this one
}

func (b *pathParser) atStart() bool { return len(b.piece) == 0 && len(b.pieces) == 0 && !b.escaped }

func (b *pathParser) read(text string, p *Path) error {
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '.':
			if err := b.close(p); err != nil {
				return fmt.Errorf("%w at byte %d", err, b.before+i)
			}
			continue
		case c == '\\':
			if i++; i == len(text) {
				return errors.New(`path ends in a \`)
			}
			b.escaped = true
			c = text[i]
		default:
			if why := refused(c, b.atStart(), text[i+1:]); why != "" {
				return fmt.Errorf(`%s at byte %d; write \%c for the character itself`, why, b.before+i, c)
			}
		}
		b.piece = append(b.piece, c)
	}
	return nil
}

// refused tells why c is no part of a key, or nothing.
func refused(c byte, first bool, rest string) string {
	switch {
	case c == '*' || c == '?':
		return "wildcards are not allowed in a path:"
	case c == '|':
		return "pipes are not allowed in a path:"
	case c == '#' && strings.HasPrefix(rest, "("):
		return "queries #(…) are not allowed in a path:"
	case c == '#' && (!first || rest != "" && rest[0] != '.'):
		return "# stands alone between points:"
	case first && (c == '@' || c == '!'):
		return "modifiers are not allowed in a path:"
	case first && (c == '{' || c == '['):
		return "multipaths are not allowed in a path:"
	}
	return ""
}

// close ends the component that is being read.
func (b *pathParser) close(p *Path) error {
	if b.atStart() {
		return errors.New("empty component in a path")
	}
	text := string(b.piece)
	s := step{key: append(b.pieces, text), index: -1}
	if len(b.pieces) == 0 {
		s.each = text == "#" && !b.escaped
		s.index = indexOf(text)
	}
	p.steps = append(p.steps, s)
	*b = pathParser{before: b.before}
	return nil
}

// indexOf is text as an index, -1 if it is none.
func indexOf(text string) int {
	if text == "" || len(text) > 9 || text[0] == '0' && len(text) > 1 {
		return -1
	}
	for i := range len(text) {
		if text[i]-'0' > 9 {
			return -1
		}
	}
	n, _ := strconv.Atoi(text)
	return n
}

// Gaps is how many keys Eval takes.
func (p *Path) Gaps() int { return p.gaps }

// Parts is what ParsePath was given, for storing the path.
func (p *Path) Parts() []string { return p.parts }

// String is the path as it was written, with {} for each gap.
func (p *Path) String() string { return strings.Join(p.parts, "{}") }

// Eval is what the path selects in a json value, null when there is nothing. The keys, one for
// each gap, are strings. A key that is digits selects from an array as an index would. The
// result shares the bytes of v.
func (p *Path) Eval(v V, keys []V) V {
	text, ok := eval(JSONText(v), p.steps, keys)
	if !ok {
		return V{}
	}
	return makeJSON(text)
}

func eval(text string, steps []step, keys []V) (string, bool) {
	for i := range steps {
		s := &steps[i]
		if s.each {
			return evalEach(text, steps[i+1:], keys)
		}
		var ok bool
		if text, ok = s.from(text, keys); !ok {
			return "", false
		}
		keys = keys[min(len(s.key)-1, len(keys)):]
	}
	return text, true
}

// evalEach is the number of elements, or what the rest of the path selects in each of them.
func evalEach(text string, rest []step, keys []V) (string, bool) {
	if text[0] != '[' {
		return "", false
	}
	if len(rest) == 0 {
		n := 0
		for range elements(text) {
			n++
		}
		return strconv.Itoa(n), true
	}
	out := []byte{'['}
	for e := range elements(text) {
		if found, ok := eval(e, rest, keys); ok {
			if len(out) > 1 {
				out = append(out, ',')
			}
			out = append(out, found...)
		}
	}
	return View(append(out, ']')), true
}

// from is the part of text that the step selects.
func (s *step) from(text string, keys []V) (string, bool) {
	key, index := s.key[0], s.index
	if len(s.key) > 1 {
		key = s.fill(keys)
		index = indexOf(key)
	}
	if text[0] == '{' {
		return memberOf(text, key)
	}
	if text[0] == '[' && index >= 0 {
		return elementOf(text, index)
	}
	return "", false
}

// fill puts the keys into the gaps.
func (s *step) fill(keys []V) string {
	if len(s.key) == 2 && s.key[0] == "" && s.key[1] == "" && len(keys) > 0 {
		return keys[0].Str()
	}
	var b strings.Builder
	for i, piece := range s.key {
		b.WriteString(piece)
		if i+1 < len(s.key) && i < len(keys) {
			b.WriteString(keys[i].Str())
		}
	}
	return b.String()
}
