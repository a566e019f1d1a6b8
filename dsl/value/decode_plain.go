package value

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// plainMost is the longest source, in bytes, that is tried as a plain one.
const plainMost = 1 << 16

// plain reads an object as programs write it, and as this package does: all fields there, in the
// order of their declaration, no null but in a T?, short numbers, strings without escapes, keys
// of maps and members of sets in order; an ignored key may stand in front. It is false for
// anything else, right or wrong, which the decoder then reads from the beginning; dst may have
// been written to. What it takes, the decoder takes with the same result. It keeps its place in
// registers and notes nothing for errors, which is what makes it the faster.
func plain(dst []V, fields []Field, s string, opt *DecodeOptions) bool {
	p := plainReader{s: s, arena: opt.Arena}
	i := p.space(0)
	if i == len(s) || s[i] != '{' {
		return false
	}
	i = p.space(i + 1)
	if at := -1; opt.Ignore != "" {
		if at = p.named(i, opt.Ignore); at > 0 {
			end := p.str(at)
			if end < 0 {
				return false
			}
			name := s[at+1 : end-1]
			if i = p.space(end); i == len(s) || s[i] != ',' {
				return false
			}
			if i = p.space(i + 1); opt.Ignored != nil {
				*opt.Ignored = name
			}
		}
	}
	if i = p.members(dst, fields, i); i < 0 {
		return false
	}
	return p.space(i) == len(s)
}

// plainReader reads parts of s. Its methods take the place where a part begins and give the one
// where it ends, or -1 when it is not plain.
type plainReader struct {
	s     string
	arena *Arena
	valid bool // s is known to be UTF-8
	depth int
}

// members reads the fields of an object, which are some, and its closing brace.
func (p *plainReader) members(dst []V, fields []Field, i int) int {
	for k := range fields {
		f := &fields[k]
		at := p.named(i, f.Name)
		if at < 0 {
			return -1
		}
		if i = p.value(&dst[k], f.Type, at); i < 0 {
			return -1
		}
		closer := byte(',')
		if k == len(fields)-1 {
			closer = '}'
		}
		if i = p.space(i); i == len(p.s) || p.s[i] != closer {
			return -1
		}
		if i++; closer == ',' {
			i = p.space(i)
		}
	}
	return i
}

func (p *plainReader) value(out *V, t *Type, i int) int {
	switch t.Kind {
	case Decimal, Int:
		c, scale, end := readSmall(p.s, i)
		if end == i || t.Kind == Int && scale != 0 {
			return -1
		}
		if *out = MakeInt(c); t.Kind == Decimal {
			out.W = uint64(c)<<7 | uint64(scale)<<1
		}
		return end
	case Bool:
		if *out = MakeBool(p.s[i] == 't'); p.s[i] == 't' {
			return p.word(i, "true")
		}
		return p.word(i, "false")
	case Optional:
		if p.s[i] == 'n' {
			*out = None
			return p.word(i, NullJSON)
		}
		return p.value(out, t.Elem, i)
	case Record:
		cells := p.arena.row(len(t.Record.Fields))
		*out = MakeRecord(cells)
		return p.record(t, cells, i)
	case List, Set, Map:
		return p.container(out, t, i)
	case JSON:
		return p.json(out, i)
	}
	var end int
	*out, end = p.quoted(t, i)
	return end
}

// The lengths of what has but one: a uuid, and a time of UTC without a fraction.
const uuidLen, timeLen = 36, 20

// quoted reads what JSON writes as a string. What has one length and no byte that JSON would
// escape needs not be searched for its end.
func (p *plainReader) quoted(t *Type, i int) (V, int) {
	n := 0
	switch t.Kind {
	case UUID:
		n = uuidLen
	case Time:
		n = timeLen
	}
	if end := i + n + 2; n > 0 && end <= len(p.s) && p.s[i] == '"' && p.s[end-1] == '"' {
		if v, ok := p.text(t, p.s[i+1:end-1]); ok {
			return v, end
		}
	}
	end := p.str(i)
	if end < 0 {
		return V{}, -1
	}
	v, ok := p.text(t, p.s[i+1:end-1])
	return v, fits(ok, end)
}

func fits(ok bool, end int) int {
	if ok {
		return end
	}
	return -1
}

func (p *plainReader) word(i int, word string) int {
	return fits(len(p.s)-i >= len(word) && p.s[i:i+len(word)] == word, i+len(word))
}

func (p *plainReader) record(t *Type, cells []V, i int) int {
	if p.s[i] != '{' || len(cells) == 0 {
		return -1
	}
	if p.depth++; p.depth >= maxDepth {
		return -1
	}
	i = p.members(cells, t.Record.Fields, p.space(i+1))
	p.depth--
	return i
}

func (p *plainReader) container(out *V, t *Type, i int) int {
	opener, closer := byte('['), byte(']')
	if t.Kind == Map {
		opener, closer = '{', '}'
	}
	if p.s[i] != opener {
		return -1
	}
	if p.depth++; p.depth >= maxDepth {
		return -1
	}
	b := Builder{t: t, stride: t.Stride(), arena: p.arena}
	if i = p.space(i + 1); i < len(p.s) && p.s[i] == closer {
		i++
	} else if i = p.elements(&b, t, i, closer); i < 0 {
		return -1
	}
	p.depth--
	if b.unsorted || t.Bound > 0 && b.n > t.Bound {
		return -1
	}
	*out = b.Done()
	return i
}

// elements reads what a container holds, and its closer.
func (p *plainReader) elements(b *Builder, t *Type, i int, closer byte) int {
	for i < len(p.s) {
		switch t.Kind {
		case List:
			i = p.elem(t.Elem, b.Row(), i)
		case Set:
			var m V
			if i = p.value(&m, t.Elem, i); i >= 0 {
				b.Add(m)
			}
		default:
			i = p.entry(b, t, i)
		}
		if i < 0 {
			return -1
		}
		if i = p.space(i); i == len(p.s) || p.s[i] != ',' {
			return fits(i < len(p.s) && p.s[i] == closer, i+1)
		}
		i = p.space(i + 1)
	}
	return -1
}

func (p *plainReader) elem(t *Type, row []V, i int) int {
	if t.Kind == Record {
		return p.record(t, row, i)
	}
	return p.value(&row[0], t, i)
}

// entry reads a key of a map and its value. Keys of ints have a form of their own.
func (p *plainReader) entry(b *Builder, t *Type, i int) int {
	if t.Key.Kind == Int {
		return -1
	}
	key, end := p.quoted(t.Key, i)
	if end < 0 || end == len(p.s) || p.s[end] != ':' {
		return -1
	}
	if end = p.space(end + 1); end == len(p.s) {
		return -1
	}
	return p.elem(t.Elem, b.RowOf(key), end)
}

// json reads a value of any form with the scanner that everyone uses.
func (p *plainReader) json(out *V, i int) int {
	d := scanner{s: p.s, i: i, depth: p.depth + 1, dupAt: -1, emit: true}
	if p.arena != nil {
		d.out, d.keys = p.arena.text[:0], p.arena.names
	}
	ok := d.free()
	if p.arena != nil {
		p.arena.text, p.arena.names = d.out, d.keys[:0]
	}
	if !ok || d.dupAt >= 0 || !ascii(p.s[i:d.i]) && !p.utf8() {
		return -1
	}
	if *out = (V{}); View(d.out) != NullJSON {
		*out = MakeString(p.arena.str(View(d.out)))
	}
	return d.i
}

func ascii(s string) bool {
	seen := byte(0)
	for i := range len(s) {
		seen |= s[i]
	}
	return seen < 0x80
}

// text reads what JSON writes as a string, within its bound.
func (p *plainReader) text(t *Type, s string) (V, bool) {
	v, ok := textOf(t, s, p.arena)
	if t.Kind == String && t.Bound != 0 && len(s) > t.Bound {
		ok = utf8.RuneCountInString(s) <= t.Bound
	}
	return v, ok
}

// space is the first place from i on that is no white space.
func (p *plainReader) space(i int) int {
	for i < len(p.s) && p.s[i] <= ' ' && (p.s[i] == ' ' || p.s[i] == '\n' || p.s[i] == '\t' || p.s[i] == '\r') {
		i++
	}
	return i
}

// named is where the value of the member name begins that stands at i.
func (p *plainReader) named(i int, name string) int {
	s, at := p.s, i+1+len(name)
	if at+1 >= len(s) || s[i] != '"' || s[at] != '"' || s[at+1] != ':' || s[i+1:at] != name {
		return -1
	}
	at = p.space(at + 2)
	return fits(at < len(s), at)
}

// str goes over a string without escapes, eight bytes at a time as plainEnd does.
func (p *plainReader) str(i int) int {
	if i >= len(p.s) || p.s[i] != '"' {
		return -1
	}
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	s, seen := p.s, uint64(0)
	for i++; i+8 <= len(s); i += 8 {
		w := binary.LittleEndian.Uint64(unsafeBytes(s[i : i+8]))
		quote, back := w^'"'*ones, w^'\\'*ones
		if m := ((quote-ones)&^quote | (back-ones)&^back | (w-' '*ones)&^w) & highs; m != 0 {
			n := bits.TrailingZeros64(m) &^ 7
			return p.closed(i+n>>3, seen|w&(1<<n-1))
		}
		seen |= w
	}
	for i < len(s) && plainByte(s[i]) {
		seen |= uint64(s[i])
		i++
	}
	return p.closed(i, seen)
}

// closed is the end of a string whose content ends at i; seen are its bytes, one over another.
func (p *plainReader) closed(i int, seen uint64) int {
	const highs = 0x8080808080808080
	if i >= len(p.s) || p.s[i] != '"' || seen&highs != 0 && !p.utf8() {
		return -1
	}
	return i + 1
}

// utf8 tells whether the whole source is UTF-8; it looks once.
func (p *plainReader) utf8() bool {
	p.valid = p.valid || utf8.ValidString(p.s)
	return p.valid
}
