package diag

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Format is a way to write findings.
type Format uint8

// The formats.
const (
	Pretty Format = iota // for people: with the source line and a caret
	Short                // one line each: file:line:col: error[AGG2003]: message
	JSON                 // an array of objects
	SARIF                // SARIF 2.1.0, for code scanning
	GitHub               // workflow commands, shown at the line of a pull request
)

var formatNames = [...]string{Pretty: "pretty", Short: "short", JSON: "json", SARIF: "sarif", GitHub: "github"}

func (f Format) String() string { return formatNames[f] }

// ParseFormat reads the name of a format.
func ParseFormat(name string) (Format, error) {
	for f, n := range formatNames {
		if n == name {
			return Format(f), nil
		}
	}
	return Pretty, fmt.Errorf("unknown format %q: one of %s", name, strings.Join(formatNames[:], ", "))
}

// Options of Write.
type Options struct {
	Color bool // escape sequences in Pretty and Short
}

// Write writes findings in the order given.
func Write(w io.Writer, f Format, list []*Diagnostic, o Options) error {
	switch f {
	case Short:
		return writeText(w, list, o, writeShort)
	case JSON:
		return writeJSON(w, list)
	case SARIF:
		return writeSARIF(w, list)
	case GitHub:
		return writeText(w, list, o, writeGitHub)
	}
	return writeText(w, list, o, writePretty)
}

func writeText(w io.Writer, list []*Diagnostic, o Options, one func(*strings.Builder, *Diagnostic, palette)) error {
	var b strings.Builder
	colours := palette{}
	if o.Color {
		colours = palette{bold: "\x1b[1m", red: "\x1b[31m", yellow: "\x1b[33m", blue: "\x1b[34m", off: "\x1b[0m"}
	}
	for _, d := range list {
		one(&b, d, colours)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// palette holds the escape sequences, all empty without colour.
type palette struct{ bold, red, yellow, blue, off string }

func (c palette) of(s Severity) string {
	switch s {
	case Error:
		return c.bold + c.red
	case Warning:
		return c.bold + c.yellow
	}
	return c.bold + c.blue
}

func (s Severity) String() string {
	switch s {
	case Error:
		return "error"
	case Warning:
		return "warning"
	}
	return "note"
}

func (p Position) String() string {
	return p.File + ":" + strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Column)
}

// String is the short form.
func (d *Diagnostic) String() string {
	var b strings.Builder
	writeShort(&b, d, palette{})
	return strings.TrimSuffix(b.String(), "\n")
}

func writeShort(b *strings.Builder, d *Diagnostic, c palette) {
	if !d.Span.IsZero() {
		fmt.Fprintf(b, "%s%s:%s ", c.bold, clean(d.Span.StartPosition().String()), c.off)
	}
	fmt.Fprintf(b, "%s%s", c.of(d.Severity), d.Severity)
	if d.Code != "" {
		fmt.Fprintf(b, "[%s]", d.Code)
	}
	fmt.Fprintf(b, ":%s %s\n", c.off, clean(d.Message))
}

func writePretty(b *strings.Builder, d *Diagnostic, c palette) {
	writeShort(b, d, c)
	if !d.Span.IsZero() {
		excerpt(b, d, c)
	}
	if d.Hint != "" {
		fmt.Fprintf(b, "  %shint:%s %s\n", c.bold, c.off, clean(d.Hint))
	}
	for _, r := range d.Related {
		if r.Span.IsZero() {
			fmt.Fprintf(b, "  note: %s\n", clean(r.Message))
			continue
		}
		fmt.Fprintf(b, "  note: %s: %s\n", clean(r.Span.StartPosition().String()), clean(r.Message))
	}
}

// window is how many characters of a long line are shown.
const window = 160

// excerpt writes the source line and the carets under the span.
func excerpt(b *strings.Builder, d *Diagnostic, c palette) {
	start, end := d.Span.StartPosition(), d.Span.EndPosition()
	line := []rune(d.Span.File.Line(start.Line))
	from := min(start.Column-1, len(line))
	to := len(line)
	if end.Line == start.Line {
		to = min(end.Column-1, len(line))
	}
	if len(line) > window {
		cut := max(0, from-window/2)
		line = line[cut:min(len(line), cut+window)]
		from, to = from-cut, min(to-cut, len(line))
	}
	number := strconv.Itoa(start.Line)
	margin := strings.Repeat(" ", len(number))
	fmt.Fprintf(b, " %s%s |%s %s\n", c.blue, number, c.off, clean(string(line)))
	fmt.Fprintf(b, " %s%s |%s ", c.blue, margin, c.off)
	for _, r := range line[:from] { // a tab stays a tab, so that the caret stands where it should
		if r == '\t' {
			b.WriteByte('\t')
		} else {
			b.WriteByte(' ')
		}
	}
	fmt.Fprintf(b, "%s%s", c.of(d.Severity), strings.Repeat("^", max(1, to-from)))
	if d.Label != "" {
		b.WriteString(" " + clean(d.Label))
	}
	b.WriteString(c.off + "\n")
}

// clean replaces what would steer a terminal: source text and names come from anywhere.
func clean(s string) string {
	bad := func(r rune) bool {
		return r < ' ' && r != '\t' || r >= 0x7f && r < 0xa0 || r == utf8.RuneError ||
			r == 0x061c || r == 0x200e || r == 0x200f || 0x202a <= r && r <= 0x202e || 0x2066 <= r && r <= 0x2069
	}
	if strings.IndexFunc(s, bad) < 0 {
		return s
	}
	return strings.Map(func(r rune) rune {
		if bad(r) {
			return utf8.RuneError
		}
		return r
	}, s)
}

func writeGitHub(b *strings.Builder, d *Diagnostic, _ palette) {
	command := d.Severity.String()
	if d.Severity == Note {
		command = "notice"
	}
	b.WriteString("::" + command + " ")
	if !d.Span.IsZero() {
		start, end := d.Span.StartPosition(), d.Span.EndPosition()
		fmt.Fprintf(b, "file=%s,line=%d,col=%d,endLine=%d,endColumn=%d,", property.Replace(start.File), start.Line, start.Column, end.Line, end.Column)
	}
	text := d.Message
	if d.Hint != "" {
		text += "\nhint: " + d.Hint
	}
	fmt.Fprintf(b, "title=%s::%s\n", property.Replace(string(d.Code)), data.Replace(text))
}

// The two kinds of escapes in GitHub's workflow commands.
var (
	data     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)
