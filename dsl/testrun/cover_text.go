package testrun

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

// WriteText writes the figures as a table and lists what is missing.
func (c *Coverage) WriteText(w io.Writer) error {
	head := []string{"coverage"}
	for k := range KindCount {
		head = append(head, k.String())
	}
	rows := [][]string{append(head, "all", "")}
	for _, a := range c.Aggregates {
		kinds, all := a.Tally()
		rows = append(rows, tallyRow(a.Name, kinds, all))
	}
	if len(c.Aggregates) > 1 {
		kinds, all := c.Tally()
		rows = append(rows, tallyRow("all", kinds, all))
	}
	var b strings.Builder
	writeTable(&b, rows)
	for _, a := range c.Aggregates {
		a.writeMissing(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func tallyRow(name string, kinds [KindCount]Tally, all Tally) []string {
	row := []string{name}
	for _, t := range kinds {
		row = append(row, t.String())
	}
	return append(row, all.String(), percent(all))
}

func (t Tally) String() string {
	if t.All == 0 {
		return "-"
	}
	return fmt.Sprintf("%d/%d", t.Covered, t.All)
}

// percent is the figure with one digit, rounded down: only everything is 100%.
func percent(t Tally) string {
	tenths := int(t.Percent() * 10)
	return strconv.Itoa(tenths/10) + "." + strconv.Itoa(tenths%10) + "%"
}

// writeTable aligns columns, the first to the left and the others to the right.
func writeTable(b *strings.Builder, rows [][]string) {
	width := make([]int, len(rows[0]))
	for _, r := range rows {
		for i, cell := range r {
			width[i] = max(width[i], len(cell))
		}
	}
	for _, r := range rows {
		line := fmt.Sprintf("%-*s", width[0], r[0])
		for i := 1; i < len(r); i++ {
			line += fmt.Sprintf("  %*s", width[i], r[i])
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
}

// writeMissing lists the points that were not hit, the cells of a command on one line.
func (a *AggregateCoverage) writeMissing(b *strings.Builder) {
	for i := range a.cells {
		if p := &a.Points[i]; p.Hits == 0 {
			fmt.Fprintf(b, "  %s: %s\n", p.Place, p.Missing)
		}
	}
	for i, command := range a.Commands {
		var in []string
		for k, status := range a.Statuses {
			if a.Cell(i, k).Hits == 0 {
				in = append(in, status)
			}
		}
		switch {
		case len(in) == 0:
		case len(in) == len(a.Statuses):
			fmt.Fprintf(b, "  %s: %s is never sent\n", a.Cell(i, 0).Place, command)
		default:
			fmt.Fprintf(b, "  %s: %s is never sent in %s\n", a.Cell(i, 0).Place, command, strings.Join(in, ", "))
		}
	}
}
