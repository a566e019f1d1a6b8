package testrun

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// maxShown is how much of a value stands under its operand.
const maxShown = 60

func (r *Report) writePretty(w io.Writer, o WriteOptions) error {
	red, green, off := "", "", ""
	if o.Color {
		red, green, off = "\x1b[1m\x1b[31m", "\x1b[32m", "\x1b[0m"
	}
	var b strings.Builder
	for i := range r.Results {
		t := &r.Results[i]
		switch {
		case !t.Passed():
			fmt.Fprintf(&b, "%sFAIL%s %s: %s\n", red, off, t.Aggregate, clean(t.Title))
			for k := range t.Failures {
				t.Failures[k].write(&b)
			}
		case o.Verbose:
			fmt.Fprintf(&b, "%sok%s   %s: %s (gas %d)\n", green, off, t.Aggregate, clean(t.Title), t.Gas)
		}
	}
	took := ""
	if r.Elapsed > 0 {
		took = fmt.Sprintf(" (%v)", r.Elapsed.Round(max(time.Microsecond, min(time.Millisecond, r.Elapsed/10))))
	}
	switch n := r.Failed(); {
	case len(r.Results) == 0:
		b.WriteString("no tests\n")
	case n > 0:
		fmt.Fprintf(&b, "%sFAIL%s: %d of %s failed%s\n", red, off, n, count(len(r.Results), "test"), took)
	default:
		fmt.Fprintf(&b, "%sok%s: %s passed%s\n", green, off, count(len(r.Results), "test"), took)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// write writes a failure for people, indented.
func (f *Failure) write(b *strings.Builder) {
	step := f.Step
	if f.Cond != "" {
		step = "does not hold" // the lines show it
	}
	fmt.Fprintf(b, "  %s: %s", f.Place, clean(cut(step, 160)))
	if f.Round != "" {
		fmt.Fprintf(b, " (%s)", f.Round)
	}
	b.WriteByte('\n')
	for _, l := range f.lines() {
		b.WriteString("    " + clean(l) + "\n")
	}
}

// lines tell what was wanted and what came.
func (f *Failure) lines() []string {
	var out []string
	if f.Want != "" {
		out = append(out, "want "+f.Want, "got  "+f.Got)
	}
	width := 0
	for _, d := range f.Diffs {
		width = max(width, utf8.RuneCountInString(d.Path))
	}
	for _, d := range f.Diffs {
		out = append(out, fmt.Sprintf("%-*s  want %s", width, d.Path, d.Want), fmt.Sprintf("%*s  got  %s", width, "", d.Got))
		if at := apart(d.Want, d.Got); at > 0 {
			out = append(out, strings.Repeat(" ", width+len("  got  ")+at)+"^")
		}
	}
	if f.Cond != "" {
		out = append(append(out, f.Cond), under(f.Cond, f.Shown)...)
	}
	return out
}

// alike is how many characters two values must share at their begin for the place at which they
// part to be pointed at: nearer, the eye finds it.
const alike = 12

// apart is the column at which two values begin to differ; 0 if the eye finds it.
func apart(want, got string) int {
	n, g := 0, []rune(got)
	for _, r := range want {
		if n >= len(g) || g[n] != r {
			break
		}
		n++
	}
	if n < alike {
		return 0
	}
	return n
}

// mark is a value to be shown at a column.
type mark struct {
	col  int
	text string
}

// under puts each value under the operand that has it:
//
//	state.balance == 100 - fee
//	|                      |
//	40                     0.5
func under(cond string, shown []Shown) []string {
	var marks []mark
	var rest []string
	for _, s := range shown {
		if at := find(cond, s.Text); at >= 0 {
			marks = append(marks, mark{utf8.RuneCountInString(cond[:at]), cut(s.Value, maxShown)})
		} else {
			rest = append(rest, s.Text+" is "+s.Value)
		}
	}
	if len(marks) == 0 {
		return rest
	}
	slices.SortStableFunc(marks, func(a, b mark) int { return a.col - b.col })
	marks = slices.CompactFunc(marks, func(a, b mark) bool { return a.col == b.col })
	out := []string{bars(marks)}
	for len(marks) > 0 {
		var line string
		line, marks = valuesLine(marks)
		out = append(out, line)
	}
	return append(out, rest...)
}

func bars(marks []mark) string {
	var b strings.Builder
	for _, m := range marks {
		b.WriteString(strings.Repeat(" ", m.col-b.Len()) + "|")
	}
	return b.String()
}

// valuesLine writes the values that have room, from the right, and bars for the others, which
// it gives back.
func valuesLine(marks []mark) (string, []mark) {
	limit := 1 << 30
	fits := make([]bool, len(marks))
	for i := len(marks) - 1; i >= 0; i-- {
		m := marks[i]
		fits[i] = m.col+utf8.RuneCountInString(m.text) < limit
		limit = m.col
	}
	var line []rune
	var left []mark
	for i, m := range marks {
		for len(line) < m.col {
			line = append(line, ' ')
		}
		if fits[i] {
			line = append(line, []rune(m.text)...)
		} else {
			line = append(line, '|')
			left = append(left, m)
		}
	}
	return string(line), left
}

// find is the first place of an operand in a condition that is not inside a longer name.
func find(cond, text string) int {
	for from := 0; ; {
		i := strings.Index(cond[from:], text)
		if i < 0 || text == "" {
			return -1
		}
		at := from + i
		before, _ := utf8.DecodeLastRuneInString(cond[:at])
		after, _ := utf8.DecodeRuneInString(cond[at+len(text):])
		if !nameRune(before) && before != '.' && !nameRune(after) && after != '(' {
			return at
		}
		from = at + 1
	}
}

func nameRune(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }

func cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}

// clean replaces what would steer a terminal: names and values come from anywhere.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\t' && unicode.In(r, unicode.Cc, unicode.Cf) {
			return utf8.RuneError
		}
		return r
	}, s)
}
