package report

import (
	"fmt"
	"io"
	"strings"
)

// Mermaid writes the graph as a Mermaid state diagram.
func (g *Graph) Mermaid(w io.Writer) error {
	var b strings.Builder
	g.mermaid(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

func (g *Graph) mermaid(b *strings.Builder) {
	fmt.Fprintf(b, "---\ntitle: %s\n---\nstateDiagram-v2\n", g.Title())
	for i, n := range g.Nodes {
		fmt.Fprintf(b, "  state \"%s\" as s%d\n", n.Name, i)
	}
	for _, e := range g.Edges {
		from := "[*]"
		if e.From >= 0 {
			from = fmt.Sprintf("s%d", e.From)
		}
		fmt.Fprintf(b, "  %s --> s%d", from, e.To)
		if len(e.Labels) > 0 {
			b.WriteString(" : " + strings.Join(labels(e), "<br/>"))
		}
		b.WriteByte('\n')
	}
	for i, n := range g.Nodes {
		if n.Final {
			fmt.Fprintf(b, "  s%d --> [*]\n", i)
		}
	}
}

// labels are the lines at an edge.
func labels(e *Edge) []string {
	var out []string
	for _, l := range e.Labels {
		out = append(out, l.String())
	}
	return out
}

// Dot writes the graph in the language of Graphviz.
func (g *Graph) Dot(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "digraph %q {\n", g.Aggregate+"."+g.Field)
	fmt.Fprintf(&b, "  label=%q\n  labelloc=t\n  node [shape=box, style=rounded]\n", g.Title())
	b.WriteString("  start [shape=point, label=\"\"]\n")
	for i, n := range g.Nodes {
		attrs := ""
		if n.Final {
			attrs = ", peripheries=2"
		}
		if n.Unreached {
			attrs += `, style="rounded,dashed"`
		}
		fmt.Fprintf(&b, "  s%d [label=%q%s]\n", i, n.Name, attrs)
	}
	for _, e := range g.Edges {
		from := "start"
		if e.From >= 0 {
			from = fmt.Sprintf("s%d", e.From)
		}
		fmt.Fprintf(&b, "  %s -> s%d", from, e.To)
		if len(e.Labels) > 0 {
			fmt.Fprintf(&b, " [label=\"%s\"]", strings.Join(labels(e), `\n`))
		}
		b.WriteByte('\n')
	}
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// JSON writes the graph as one JSON document.
func (g *Graph) JSON(w io.Writer) error { return WriteJSON(w, g) }

// sentences tell the graph in words, for those who do not see it.
func (g *Graph) sentences() []string {
	var out []string
	for _, e := range g.Edges {
		from := "new"
		if e.From >= 0 {
			from = g.Nodes[e.From].Name
		}
		s := from + " to " + g.Nodes[e.To].Name
		if len(e.Labels) > 0 {
			s += " by " + strings.Join(labels(e), ", ")
		}
		out = append(out, s)
	}
	return out
}
