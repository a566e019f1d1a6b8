package diag

import (
	"sort"
	"unicode/utf8"
)

// Position gives the line and column of a byte offset; past the end it is the end.
func (f *File) Position(off int32) Position {
	f.once.Do(f.index)
	off = min(max(off, 0), int32(len(f.Src)))
	line := sort.Search(len(f.lines), func(i int) bool { return f.lines[i] > off })
	start := f.lines[line-1]
	return Position{File: f.Name, Line: line, Column: utf8.RuneCount(f.Src[start:off]) + 1}
}

// Line is the text of line n (from 1) without its line end.
func (f *File) Line(n int) string {
	f.once.Do(f.index)
	if n < 1 || n > len(f.lines) {
		return ""
	}
	start, end := f.lines[n-1], int32(len(f.Src))
	if n < len(f.lines) {
		end = f.lines[n] - 1
	}
	if end > start && f.Src[end-1] == '\r' {
		end--
	}
	return string(f.Src[start:end])
}

// Lines counts the lines of the file.
func (f *File) Lines() int {
	f.once.Do(f.index)
	return len(f.lines)
}

func (f *File) index() {
	f.lines = append(f.lines, 0)
	for i, c := range f.Src {
		if c == '\n' {
			f.lines = append(f.lines, int32(i+1))
		}
	}
}

// StartPosition is the position at which s begins.
func (s Span) StartPosition() Position {
	if s.File == nil {
		return Position{}
	}
	return s.File.Position(s.Start)
}

// EndPosition is the position just after s.
func (s Span) EndPosition() Position {
	if s.File == nil {
		return Position{}
	}
	return s.File.Position(s.End)
}
