package report

import (
	"slices"
	"strings"
)

// Words says who can do what when, a heading for each role and an indented line for each
// command.
func (m *Matrix) Words() []string {
	var out []string
	n := &notes{}
	m.table(n) // the numbers of the table
	for i := range m.Roles {
		r := &m.Roles[i]
		if len(r.Rows) == 0 {
			continue
		}
		if len(out) > 0 {
			out = append(out, "")
		}
		out = append(out, r.heading())
		for j := range r.Rows {
			out = append(out, "  "+m.sentence(&r.Rows[j], n))
		}
	}
	return out
}

func (r *Role) heading() string {
	if r.Name == "" {
		return "Anybody may send"
	}
	article := "A "
	if strings.ContainsRune("aeiou", rune(r.Name[0])) {
		article = "An "
	}
	return article + r.Name + " may send"
}

// sentence tells for one command in which statuses it is taken.
func (m *Matrix) sentence(r *Row, n *notes) string {
	type group struct {
		rank     int
		word     string
		statuses []string
	}
	var groups []group
	for i := range r.Cells {
		c := &r.Cells[i]
		rank, word := c.inWords(n)
		at := slices.IndexFunc(groups, func(g group) bool { return g.word == word })
		if at < 0 {
			at = len(groups)
			groups = append(groups, group{rank: rank, word: word})
		}
		groups[at].statuses = append(groups[at].statuses, c.Status)
	}
	slices.SortStableFunc(groups, func(a, b group) int { return a.rank - b.rank })
	var out []string
	for _, g := range groups {
		when := " while " + words(g.statuses, "or")
		if len(g.statuses) == len(r.Cells) {
			when = " always"
		}
		out = append(out, g.word+when)
	}
	return r.Command + ": " + strings.Join(out, "; ")
}

// inWords is a cell in a sentence; what is taken ranks before what is refused.
func (c *Cell) inWords(n *notes) (rank int, word string) {
	switch c.Verdict {
	case Accepted:
		if len(c.Events) == 0 {
			return 2, "taken without effect"
		}
		return 0, "taken"
	case Refused:
		return 3, "refused (" + strings.Join(c.Codes, " or ") + ")"
	}
	known := len(n.list)
	mark := n.mark(c)
	if len(n.list) > known { // not in the table: told here
		n.list = n.list[:known]
		return 1, "taken or not (" + strings.ReplaceAll(c.note(), "\n", "; ") + ")"
	}
	return 1, "taken subject to " + mark
}
