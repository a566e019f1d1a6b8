package report

import (
	"fmt"
	"io"
	"strings"
)

// WriteMarkdown writes the pages of a set as one Markdown document.
func WriteMarkdown(w io.Writer, docs []*Doc) error {
	p := &mdPage{}
	for i, d := range docs {
		if i > 0 {
			p.line("")
		}
		p.doc(d)
	}
	_, err := io.WriteString(w, p.b.String())
	return err
}

// mdPage writes one document; blocks are parted by empty lines.
type mdPage struct{ b strings.Builder }

func (p *mdPage) line(s string) { p.b.WriteString(s + "\n") }

func (p *mdPage) heading(level int, s string) {
	p.line(strings.Repeat("#", level) + " " + s + "\n")
}

func (p *mdPage) para(s string) {
	if s != "" {
		p.line(mdText(s) + "\n")
	}
}

// tick is text as code, also when it holds backquotes.
func tick(s string) string {
	if strings.Contains(s, "`") {
		return "`` " + s + " ``"
	}
	return "`" + s + "`"
}

func ticks(list []string) string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = tick(s)
	}
	return strings.Join(out, ", ")
}

func (p *mdPage) doc(d *Doc) {
	p.heading(1, d.Name)
	p.para(d.Doc)
	for _, s := range d.Lead {
		p.para(s)
	}
	p.graphs(d)
	p.heading(2, "What is taken when")
	d.Matrix.markdown(&p.b)
	p.line("")
	p.heading(2, "Commands")
	for i := range d.Commands {
		p.command(&d.Commands[i])
	}
	p.heading(2, "Events")
	for i := range d.Events {
		p.event(&d.Events[i])
	}
	p.heading(2, "State")
	p.fields(d.State)
	p.values("Derived values", d.Derives)
	p.values("Invariants", d.Invariants)
	p.rules("Shared rules", d.Guards)
	p.rules("Functions", d.Fns)
	p.values("Constants", d.Consts)
	p.types(d.Types)
	p.roles(d.Roles)
	p.rejections(d.Rejections)
}

func (p *mdPage) graphs(d *Doc) {
	if len(d.Graphs) == 0 {
		return
	}
	p.heading(2, "Life")
	for _, g := range d.Graphs {
		p.line("```mermaid")
		g.mermaid(&p.b)
		p.line("```\n")
	}
}

func (p *mdPage) command(c *DocCommand) {
	p.heading(3, tick(c.Name))
	p.para(c.Doc)
	switch {
	case len(c.By) > 0:
		p.line("Sent by " + ticks(c.By) + ".\n")
	default:
		p.line("Anybody may send it.\n")
	}
	if c.Creates {
		p.line("It begins a new life.\n")
	}
	p.fields(c.Fields)
	p.steps(c.Rules, "")
	p.line("")
	if len(c.Rejects) == 0 {
		return
	}
	p.line("| refused | why |\n|---|---|")
	for _, r := range c.Rejects {
		p.line("| " + tick(r.Code) + " | " + mdCell(r.Message) + " |")
	}
	p.line("")
}

func (p *mdPage) event(e *DocEvent) {
	name := tick(e.Name)
	if e.Version > 1 || e.Old != "" {
		name += fmt.Sprintf(" @%d", e.Version)
	}
	p.heading(3, name)
	p.para(e.Doc)
	if e.Old != "" {
		p.line("No longer written; read as " + tick(e.Old) + ".\n")
	}
	if len(e.By) > 0 {
		p.line("By " + ticks(e.By) + ".\n")
	}
	p.fields(e.Fields)
	if len(e.Effects) > 0 {
		p.steps(e.Effects, "")
		p.line("")
	}
}

// fields is a table with only the columns that hold something.
func (p *mdPage) fields(list []DocField) {
	if len(list) == 0 {
		return
	}
	rows := [][]string{{"field", "type", "default", "must be", "meaning"}}
	for _, f := range list {
		row := []string{tick(f.Name), tick(f.Type), "", "", mdCell(f.Doc)}
		if f.Default != "" {
			row[2] = tick(f.Default)
		}
		if f.Where != "" {
			row[3] = strings.ReplaceAll(tick(f.Where), "|", "\\|")
		}
		rows = append(rows, row)
	}
	p.table(rows)
}

func (p *mdPage) table(rows [][]string) {
	used := make([]bool, len(rows[0]))
	for _, r := range rows[1:] {
		for i, c := range r {
			used[i] = used[i] || c != ""
		}
	}
	for i, r := range rows {
		line, rule := "|", "|"
		for j, c := range r {
			if used[j] {
				line += " " + strings.Join(strings.Fields(c), " ") + " |"
				rule += "---|"
			}
		}
		p.line(line)
		if i == 0 {
			p.line(rule)
		}
	}
	p.line("")
}

func (p *mdPage) steps(list []DocStep, indent string) {
	for i, s := range list {
		mark := "- "
		if indent == "" {
			mark = fmt.Sprintf("%d. ", i+1)
		}
		line := indent + mark
		for _, part := range s.Parts {
			if part.Code {
				line += tick(part.Text)
			} else {
				line += mdText(part.Text)
			}
		}
		p.line(line)
		p.steps(s.Sub, indent+"   ")
	}
}

func (p *mdPage) values(title string, list []DocValue) {
	if len(list) == 0 {
		return
	}
	p.heading(2, title)
	rows := [][]string{{"name", "type", "is", "meaning"}}
	for _, v := range list {
		row := []string{tick(v.Name), "", strings.ReplaceAll(tick(v.Text), "|", "\\|"), mdCell(v.Doc)}
		if v.Type != "" {
			row[1] = tick(v.Type)
		}
		rows = append(rows, row)
	}
	p.table(rows)
}

func (p *mdPage) rules(title string, list []DocRule) {
	if len(list) == 0 {
		return
	}
	p.heading(2, title)
	for _, r := range list {
		p.heading(3, tick(r.Name))
		p.para(r.Doc)
		p.steps(r.Steps, "")
		p.line("")
	}
}

func (p *mdPage) types(list []DocType) {
	if len(list) == 0 {
		return
	}
	p.heading(2, "Types")
	for _, t := range list {
		p.heading(3, tick(t.Name)+" ("+t.Kind+")")
		p.para(t.Doc)
		if t.Kind == "record" {
			p.fields(t.Fields)
			continue
		}
		rows := [][]string{{"member", "written as", "meaning"}}
		for _, f := range t.Fields {
			row := []string{tick(f.Name), "", mdCell(f.Doc)}
			if f.Default != "" {
				row[1] = tick(f.Default)
			}
			rows = append(rows, row)
		}
		p.table(rows)
	}
}

func (p *mdPage) roles(list []DocRole) {
	if len(list) == 0 {
		return
	}
	p.heading(2, "Roles")
	for _, r := range list {
		line := "- " + tick(r.Name)
		if len(r.Commands) > 0 {
			line += ": " + ticks(r.Commands)
		} else {
			line += ": no command asks for it"
		}
		p.line(line)
	}
	p.line("")
}

func (p *mdPage) rejections(list []DocReject) {
	if len(list) == 0 {
		return
	}
	p.heading(2, "Rejections")
	p.line("| code | message | commands |\n|---|---|---|")
	for _, r := range list {
		p.line("| " + tick(r.Code) + " | " + mdCell(r.Message) + " | " + ticks(r.Commands) + " |")
	}
}
