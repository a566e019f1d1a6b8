package lsp

import (
	"bytes"
	"unicode/utf8"

	"github.com/cloudlysis/aggregate/dsl/diag"
)

// lines turns places of one text into positions of the protocol and back.
type lines struct {
	text   []byte
	starts []int
	utf8   bool // columns count bytes, not UTF-16 code units
}

func newLines(text []byte, utf8 bool) *lines {
	l := &lines{text: text, utf8: utf8, starts: []int{0}}
	for i := 0; ; {
		n := bytes.IndexByte(text[i:], '\n')
		if n < 0 {
			return l
		}
		i += n + 1
		l.starts = append(l.starts, i)
	}
}

// line is the text of line n without its end.
func (l *lines) line(n int) []byte {
	end := len(l.text)
	if n+1 < len(l.starts) {
		end = l.starts[n+1] - 1
	}
	line := l.text[l.starts[n]:end]
	return bytes.TrimSuffix(line, []byte("\r"))
}

// offset is the byte at p; what lies outside of the text or its line is moved into it.
func (l *lines) offset(p position) int {
	if int64(p.Line) >= int64(len(l.starts)) {
		return len(l.text)
	}
	line := l.line(int(p.Line))
	start := l.starts[p.Line]
	if l.utf8 {
		return start + int(min(int64(p.Character), int64(len(line))))
	}
	units := int64(0)
	for i := 0; i < len(line); {
		r, n := utf8.DecodeRune(line[i:])
		units += unitsOf(r)
		if units > int64(p.Character) {
			return start + i
		}
		i += n
	}
	return start + len(line)
}

// position is the place of byte off, or of the character in which that lies.
func (l *lines) position(off int) position {
	off = min(max(off, 0), len(l.text))
	lo, hi := 0, len(l.starts)
	for hi-lo > 1 {
		if mid := (lo + hi) / 2; l.starts[mid] <= off {
			lo = mid
		} else {
			hi = mid
		}
	}
	part := l.text[l.starts[lo]:off]
	if l.utf8 {
		return position{uint32(lo), uint32(len(part))}
	}
	units := int64(0)
	for i := 0; i < len(part); {
		r, n := utf8.DecodeRune(l.text[l.starts[lo]+i:])
		if i += n; i <= len(part) { // off may lie inside of a character
			units += unitsOf(r)
		}
	}
	return position{uint32(lo), uint32(units)}
}

func unitsOf(r rune) int64 {
	if r > 0xffff {
		return 2
	}
	return 1
}

func (l *lines) between(from, to int) textRange { return textRange{l.position(from), l.position(to)} }

func (l *lines) span(s diag.Span) textRange { return l.between(int(s.Start), int(s.End)) }

// apply makes the change of an edit to the text.
func (l *lines) apply(r textRange, text string) []byte {
	from, to := l.offset(r.Start), l.offset(r.End)
	to = max(from, to)
	out := make([]byte, 0, len(l.text)-(to-from)+len(text))
	out = append(out, l.text[:from]...)
	out = append(out, text...)
	return append(out, l.text[to:]...)
}
