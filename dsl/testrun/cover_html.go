package testrun

import (
	_ "embed"
	"html/template"
	"io"
	"strings"
)

//go:embed cover.html
var coverPage string

var coverTemplate = template.Must(template.New("cover").Parse(coverPage))

// The page's data.
type (
	pageData struct {
		Kinds      []string
		Total      pageTally
		Aggregates []pageAggregate
		Files      []pageFile
	}
	pageTally struct {
		Name    string
		Kinds   []Tally
		All     Tally
		Percent string
	}
	pageAggregate struct {
		pageTally
		Statuses []string
		Rows     []pageRow
	}
	pageRow struct {
		Command string
		Hits    []int64
	}
	pageFile struct {
		Name  string
		Lines []pageLine
	}
	// Class is all, part or none; empty for a line without points.
	pageLine struct {
		Number int
		Text   string
		Class  string
		Notes  []string // what is missing there
	}
)

// WriteHTML writes a page that needs nothing else: the figures, the cells as a table for each
// aggregate, and the sources with what is missing.
func (c *Coverage) WriteHTML(w io.Writer) error {
	d := pageData{}
	for k := range KindCount {
		d.Kinds = append(d.Kinds, k.String())
	}
	kinds, all := c.Tally()
	d.Total = pageTally{"all", kinds[:], all, percent(all)}
	for _, a := range c.Aggregates {
		d.Aggregates = append(d.Aggregates, a.page())
	}
	for _, f := range c.files() {
		d.Files = append(d.Files, f.page())
	}
	var b strings.Builder
	if err := coverTemplate.Execute(&b, d); err != nil {
		return err
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (a *AggregateCoverage) page() pageAggregate {
	kinds, all := a.Tally()
	p := pageAggregate{pageTally: pageTally{a.Name, kinds[:], all, percent(all)}, Statuses: a.Statuses}
	for i, c := range a.Commands {
		row := pageRow{Command: c}
		for k := range a.Statuses {
			row.Hits = append(row.Hits, a.Cell(i, k).Hits)
		}
		p.Rows = append(p.Rows, row)
	}
	return p
}

func (f *coveredFile) page() pageFile {
	out := pageFile{Name: f.name}
	points := f.points
	for i, text := range strings.Split(strings.TrimSuffix(string(f.text), "\n"), "\n") {
		l := pageLine{Number: i + 1, Text: clean(strings.TrimSuffix(text, "\r"))}
		hit, n := 0, 0
		for ; len(points) > 0 && points[0].Place.Line == l.Number; points = points[1:] {
			if points[0].Kind == Cells {
				continue // they have their table
			}
			n++
			if points[0].Hits > 0 {
				hit++
			} else {
				l.Notes = append(l.Notes, points[0].Missing)
			}
		}
		switch {
		case n == 0:
		case hit == n:
			l.Class = "all"
		case hit == 0:
			l.Class = "none"
		default:
			l.Class = "part"
		}
		out.Lines = append(out.Lines, l)
	}
	return out
}
