package report

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// note is what a cell depends on, in lines; empty when it is settled.
func (c *Cell) note() string {
	var lines []string
	for _, s := range c.Steps {
		lines = append(lines, s.sentence())
	}
	switch {
	case c.Verdict != Refused && c.reaches:
		lines = append(lines, c.acceptance(len(lines) > 0))
	case len(c.Broken) > 0:
		lines = append(lines, "otherwise refused invariant_violated: "+words(c.Broken, "or")+" would not hold")
	}
	if c.Unfollowed {
		lines = append(lines, "the rule has more paths than can be followed")
	}
	if c.Verdict == Accepted || c.Verdict == Refused && len(c.Codes) < 2 {
		return ""
	}
	return strings.Join(lines, "\n")
}

// sentence is a step in words.
func (s *Step) sentence() string {
	out := "refused " + s.Refuse
	switch {
	case s.Silent:
		out = "accepted without an event"
	case s.Refuse == "":
		out = "accepted with what was emitted so far"
	}
	switch {
	case s.Unless != "":
		out += " unless " + s.Unless
	case s.If != "":
		out += " if " + s.If
	}
	if len(s.After) > 0 {
		out = "after " + eventWords(s.After) + ": " + out
	}
	if len(s.When) > 0 {
		out += ", " + around(s.When)
	}
	if len(s.Where) > 0 {
		out += " (" + strings.Join(s.Where, ", ") + ")"
	}
	return out
}

// around tells in which conditions and loops a step stands.
func around(conds []string) string {
	out := make([]string, len(conds))
	for i, c := range conds {
		if out[i] = c; !strings.HasPrefix(c, loopWord) {
			out[i] = "when " + c
		}
	}
	return strings.Join(out, ", ")
}

// acceptance is the last line of a note: what happens when nothing before it applied.
func (c *Cell) acceptance(otherwise bool) string {
	out := "accepted"
	if otherwise {
		out = "otherwise accepted"
	}
	out += ": " + eventWords(c.last)
	if len(c.Invariants) > 0 {
		out += ", if " + words(c.Invariants, "and") + plural(len(c.Invariants), " holds", " hold") + " (else refused invariant_violated)"
	}
	return out
}

func plural(n int, one, more string) string {
	if n == 1 {
		return one
	}
	return more
}

// eventWords lists events: deposited, perhaps fully_paid.
func eventWords(events []Happening) string {
	if len(events) == 0 {
		return "no event"
	}
	var out []string
	for _, e := range events {
		switch {
		case e.Maybe && e.Many:
			out = append(out, "any number of "+e.Event)
		case e.Maybe:
			out = append(out, "perhaps "+e.Event)
		case e.Many:
			out = append(out, "one or more "+e.Event)
		default:
			out = append(out, e.Event)
		}
	}
	return strings.Join(out, ", ")
}

// short is the cell in a word or two.
func (c *Cell) short() string {
	switch c.Verdict {
	case Accepted:
		if len(c.Events) == 0 {
			return "accepted, no event"
		}
		return "accepted"
	case Refused:
		if len(c.Codes) > 1 {
			return "refused"
		}
		return "refused " + c.Codes[0]
	}
	return "depends"
}

// notes numbers the notes of a matrix, equal ones once.
type notes struct{ list []string }

// mark is the number of a cell's note as it stands behind the cell, or "".
func (n *notes) mark(c *Cell) string {
	text := c.note()
	if text == "" {
		return ""
	}
	at := slices.Index(n.list, text)
	if at < 0 {
		at = len(n.list)
		n.list = append(n.list, text)
	}
	return fmt.Sprintf("[%d]", at+1)
}

func (n *notes) cell(c *Cell) string {
	if m := n.mark(c); m != "" {
		return c.short() + " " + m
	}
	return c.short()
}

func (r *Row) who() string {
	if len(r.By) == 0 {
		return "anybody"
	}
	return strings.Join(r.By, ", ")
}

func (m *Matrix) hasRoles() bool { return len(m.Roles) > 1 }

func (m *Matrix) head() []string {
	head := []string{"command"}
	if m.hasRoles() {
		head = append(head, "by")
	}
	return append(head, m.Statuses...)
}

func (m *Matrix) table(n *notes) [][]string {
	rows := [][]string{m.head()}
	for i := range m.Rows {
		r := &m.Rows[i]
		line := []string{r.Command}
		if m.hasRoles() {
			line = append(line, r.who())
		}
		for j := range r.Cells {
			line = append(line, n.cell(&r.Cells[j]))
		}
		rows = append(rows, line)
	}
	return rows
}

// assumption is said under every matrix.
const assumption = "A command is taken to be valid and its sender to have the role; faults are no verdict."

func (m *Matrix) title() string {
	if m.Field == "" {
		return m.Aggregate
	}
	return m.Aggregate + " by state." + m.Field
}

// Text writes the matrix as a table for terminals.
func (m *Matrix) Text(w io.Writer) error {
	n := &notes{}
	rows := m.table(n)
	widths := make([]int, len(rows[0]))
	for _, r := range rows {
		for i, c := range r {
			widths[i] = max(widths[i], len(c))
		}
	}
	var b strings.Builder
	b.WriteString(m.title() + "\n\n")
	for i, r := range rows {
		line := ""
		for j, c := range r {
			line += c + strings.Repeat(" ", widths[j]-len(c)+2)
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
		if i == 0 {
			for _, width := range widths {
				b.WriteString(strings.Repeat("-", width) + "  ")
			}
			trimEnd(&b)
		}
	}
	writeNotes(&b, n, "\n")
	b.WriteString("\n" + assumption + "\n\n")
	for _, s := range m.Words() {
		b.WriteString(s + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// trimEnd ends a line without blanks before its end.
func trimEnd(b *strings.Builder) {
	s := strings.TrimRight(b.String(), " ")
	b.Reset()
	b.WriteString(s + "\n")
}

func writeNotes(b *strings.Builder, n *notes, before string) {
	for i, text := range n.list {
		for j, line := range strings.Split(text, "\n") {
			if j == 0 {
				fmt.Fprintf(b, "%s[%d] %s\n", before, i+1, line)
				continue
			}
			fmt.Fprintf(b, "%s%s\n", strings.Repeat(" ", len(fmt.Sprint(i+1))+3), line)
		}
	}
}

// Markdown writes the matrix as a table with notes.
func (m *Matrix) Markdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n", m.title())
	m.markdown(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

func (m *Matrix) markdown(b *strings.Builder) {
	n := &notes{}
	for i, r := range m.table(n) {
		for j := range r {
			if i > 0 && j == 0 {
				r[j] = tick(r[j])
			} else {
				r[j] = mdCell(r[j])
			}
		}
		b.WriteString("| " + strings.Join(r, " | ") + " |\n")
		if i == 0 {
			b.WriteString(strings.Repeat("|---", len(r)) + "|\n")
		}
	}
	for i, text := range n.list {
		lines := strings.Split(text, "\n")
		fmt.Fprintf(b, "\n**[%d]**\n\n", i+1)
		for _, l := range lines {
			b.WriteString("1. " + mdText(l) + "\n")
		}
	}
	b.WriteString("\n" + assumption + "\n\n")
	for _, s := range m.Words() {
		if strings.HasPrefix(s, "  ") {
			b.WriteString("- " + mdText(strings.TrimSpace(s)) + "\n")
			continue
		}
		if s != "" {
			s = "**" + mdText(s) + "**\n"
		}
		b.WriteString(s + "\n")
	}
}

// mdCell is text for a cell of a Markdown table.
func mdCell(s string) string { return strings.ReplaceAll(mdText(s), "|", "\\|") }

// mdText escapes what Markdown would take for markup.
func mdText(s string) string {
	return strings.NewReplacer("\\", "\\\\", "*", "\\*", "_", "\\_", "<", "&lt;", "`", "\\`").Replace(s)
}

// JSON writes the matrix as one JSON document.
func (m *Matrix) JSON(w io.Writer) error { return WriteJSON(w, m) }

// WriteJSON writes a matrix or graph, or a list of them, as one JSON document.
func WriteJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
