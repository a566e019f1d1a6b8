package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"
)

//go:embed page.html
var pageSource string

// WriteHTML writes the pages of a set as one HTML document that needs nothing else.
func WriteHTML(w io.Writer, title string, docs []*Doc) error {
	t, err := template.New("page").Funcs(template.FuncMap{
		"svg":   svgOf,
		"lines": func(s string) []string { return strings.Split(s, "\n") },
		"inc":   func(i int) int { return i + 1 },
		"words": (*Matrix).wordGroups,
		"table": (*Matrix).htmlTable,
		"has":   hasColumn,
	}).Parse(pageSource)
	if err != nil {
		return err
	}
	return t.Execute(w, struct {
		Title string
		Docs  []*Doc
	}{title, docs})
}

// svgOf draws a graph for the page; the drawing escapes its own texts.
func svgOf(d *Doc, i int) template.HTML {
	var b strings.Builder
	d.Graphs[i].svg(&b, fmt.Sprintf("g-%s-%d", d.Name, i), false)
	return template.HTML(b.String())
}

// htmlMatrix is a matrix with its notes numbered.
type htmlMatrix struct {
	Head  []string
	Rows  []htmlRow
	Notes []string
}

type htmlRow struct {
	Command, By string
	Cells       []htmlCell
}

type htmlCell struct {
	Verdict Verdict
	Text    string
	Note    int // from 1; 0 is none
}

func (m *Matrix) htmlTable() htmlMatrix {
	n := &notes{}
	out := htmlMatrix{Head: m.head()}
	for i := range m.Rows {
		r := &m.Rows[i]
		row := htmlRow{Command: r.Command}
		if m.hasRoles() {
			row.By = r.who()
		}
		for j := range r.Cells {
			row.Cells = append(row.Cells, cellHTML(&r.Cells[j], n))
		}
		out.Rows = append(out.Rows, row)
	}
	out.Notes = n.list
	return out
}

func cellHTML(c *Cell, n *notes) htmlCell {
	h := htmlCell{Verdict: c.Verdict, Text: c.short()}
	if mark := n.mark(c); mark != "" {
		fmt.Sscanf(mark, "[%d]", &h.Note)
	}
	return h
}

// wordGroup is what one role may send, in sentences.
type wordGroup struct {
	Heading string
	Lines   []string
}

func (m *Matrix) wordGroups() []wordGroup {
	var out []wordGroup
	for _, s := range m.Words() {
		switch {
		case s == "":
		case strings.HasPrefix(s, "  "):
			out[len(out)-1].Lines = append(out[len(out)-1].Lines, strings.TrimSpace(s))
		default:
			out = append(out, wordGroup{Heading: s})
		}
	}
	return out
}

// hasColumn tells whether any field has something in a column.
func hasColumn(list []DocField, column string) bool {
	for _, f := range list {
		switch {
		case column == "default" && f.Default != "", column == "where" && f.Where != "", column == "doc" && f.Doc != "":
			return true
		}
	}
	return false
}
