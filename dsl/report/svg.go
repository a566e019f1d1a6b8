package report

import (
	"fmt"
	"html"
	"io"
	"strings"
)

// svgStyle colours a graph; it follows the reader's choice of light or dark, and `currentColor`
// lets a page that holds the drawing decide.
const svgStyle = `text{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;fill:currentColor}
.n{fill:none;stroke:currentColor;stroke-width:1.5}.u{stroke-dasharray:4 3;opacity:.6}.e{fill:none;stroke:currentColor;stroke-width:1.2;opacity:.7}
.a{fill:currentColor}.l{font-size:11.5px;paint-order:stroke;stroke:var(--bg,Canvas);stroke-width:4px;stroke-linejoin:round}`

// SVG writes the graph as one SVG document.
func (g *Graph) SVG(w io.Writer) error {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	g.svg(&b, "graph", true)
	_, err := io.WriteString(w, b.String())
	return err
}

// svg draws the graph; id is unique on a page. Alone it brings its own colours.
func (g *Graph) svg(b *strings.Builder, id string, alone bool) {
	l := newLayout(g)
	fmt.Fprintf(b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %s %s" width="%s" height="%s" role="img" aria-labelledby="%s-t %s-d">`+"\n",
		num(l.width), num(l.height), num(l.width), num(l.height), id, id)
	fmt.Fprintf(b, "<title id=\"%s-t\">%s</title>\n<desc id=\"%s-d\">%s</desc>\n", id, html.EscapeString(g.Title()), id, html.EscapeString(strings.Join(g.sentences(), "; ")))
	b.WriteString("<style>" + svgStyle)
	if alone {
		b.WriteString("\nsvg{--bg:#fff;color:#1c2733;background:var(--bg)}@media (prefers-color-scheme:dark){svg{--bg:#12171d;color:#dfe6ee}}")
	}
	b.WriteString("</style>\n")
	for i := range l.routes {
		l.drawRoute(b, &l.routes[i])
	}
	for _, e := range l.loops {
		l.drawLoop(b, e, g)
	}
	for _, r := range l.routes { // above all lines
		if r.label >= 0 {
			l.drawLabel(b, l.boxes[r.label].x, l.boxes[r.label].y, "middle", labels(r.edge))
		}
	}
	fmt.Fprintf(b, `<circle class="a" cx="%s" cy="%s" r="6"/>`+"\n", num(l.boxes[0].x), num(l.boxes[0].y))
	for i, n := range g.Nodes {
		l.drawNode(b, &l.boxes[i+1], n)
	}
	b.WriteString("</svg>\n")
}

// num is a coordinate with one digit at most.
func num(f float64) string {
	return strings.TrimSuffix(fmt.Sprintf("%.1f", f), ".0")
}

// nodeWidth is the width of a node without the room for its loop.
func nodeWidth(name string) float64 {
	w, _ := textSize([]string{name})
	return w + 28
}

func (l *layout) drawNode(b *strings.Builder, at *box, n Node) {
	class := "n"
	if n.Unreached {
		class = "n u"
	}
	w, h := nodeWidth(n.Name), 34.0
	fmt.Fprintf(b, `<g><title>%s</title>`, html.EscapeString(nodeTitle(n)))
	rect := func(grow float64) {
		fmt.Fprintf(b, `<rect class="%s" x="%s" y="%s" width="%s" height="%s" rx="9"/>`,
			class, num(at.x-w/2+grow), num(at.y-h/2+grow), num(w-2*grow), num(h-2*grow))
	}
	rect(0)
	if n.Final {
		rect(4)
	}
	fmt.Fprintf(b, `<text x="%s" y="%s" text-anchor="middle">%s</text></g>`+"\n", num(at.x), num(at.y+4.5), html.EscapeString(n.Name))
}

func nodeTitle(n Node) string {
	out := n.Name
	if n.Doc != "" {
		out += ": " + strings.Join(strings.Fields(n.Doc), " ")
	}
	if n.Final {
		out += " (final)"
	}
	if n.Unreached {
		out += " (nothing leads here)"
	}
	return out
}

// drawRoute draws a smooth line through the boxes of an edge, open where its label stands.
func (l *layout) drawRoute(b *strings.Builder, r *route) {
	first, last := &l.boxes[r.boxes[0]], &l.boxes[r.boxes[len(r.boxes)-1]]
	x, y := first.x, first.y+l.edgeOf(r.boxes[0])
	fmt.Fprintf(b, `<path class="e" d="M%s %s`, num(x), num(y))
	to := func(nx, ny float64) {
		mid := (y + ny) / 2
		fmt.Fprintf(b, "C%s %s %s %s %s %s", num(x), num(mid), num(nx), num(mid), num(nx), num(ny))
		x, y = nx, ny
	}
	for _, i := range r.boxes[1 : len(r.boxes)-1] {
		at := &l.boxes[i]
		if i == r.label { // the line stops at the label and goes on below it
			to(at.x, at.y-at.height/2)
			x, y = at.x, at.y+at.height/2
			fmt.Fprintf(b, "M%s %s", num(x), num(y))
			continue
		}
		to(at.x, at.y)
	}
	to(last.x, last.y-l.edgeOf(r.boxes[len(r.boxes)-1]))
	b.WriteString(`"/>`)
	if r.reversed {
		arrow(b, first.x, first.y+l.edgeOf(r.boxes[0]), 0, 9)
	} else {
		arrow(b, x, y, 0, -9)
	}
}

// edgeOf is the distance from the middle of a node to where lines meet it.
func (l *layout) edgeOf(i int) float64 {
	if i == 0 {
		return 7
	}
	return 18
}

func (l *layout) drawLabel(b *strings.Builder, x, y float64, anchor string, lines []string) {
	y -= float64(len(lines)-1) * lineHeight / 2
	for i, line := range lines {
		fmt.Fprintf(b, `<text class="l" x="%s" y="%s" text-anchor="%s">%s</text>`+"\n", num(x), num(y+float64(i)*lineHeight+4), anchor, html.EscapeString(line))
	}
}

func (l *layout) drawLoop(b *strings.Builder, e *Edge, g *Graph) {
	at := &l.boxes[e.From+1]
	x := at.x + nodeWidth(g.Nodes[e.From].Name)/2
	fmt.Fprintf(b, `<path class="e" d="M%s %sC%s %s %s %s %s %s"/>`,
		num(x), num(at.y-8), num(x+28), num(at.y-16), num(x+34), num(at.y+8), num(x+5), num(at.y+8))
	arrow(b, x, at.y+8, 9, 0)
	l.drawLabel(b, x+30, at.y, "start", labels(e))
}

// arrow draws the head of an arrow at x, y that comes from (dx, dy).
func arrow(b *strings.Builder, x, y, dx, dy float64) {
	fmt.Fprintf(b, `<path class="a" d="M%s %sL%s %sL%s %sz"/>`+"\n", num(x), num(y), num(x+dx+dy/2), num(y+dy+dx/2), num(x+dx-dy/2), num(y+dy-dx/2))
}
