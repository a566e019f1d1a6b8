package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// TestSVGIsXML reads the drawings of all archives as XML and looks for what has no place or name.
func TestSVGIsXML(t *testing.T) {
	for name, src := range documents(t) {
		for _, a := range load(t, name, src).Aggregates {
			gs, err := NewGraphs(a, "")
			if err != nil {
				t.Fatal(err)
			}
			for _, g := range gs {
				t.Run(name+"."+g.Field, func(t *testing.T) { drawing(t, g) })
			}
		}
	}
}

func drawing(t *testing.T, g *Graph) {
	var b bytes.Buffer
	if err := g.SVG(&b); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "NaN") || strings.Contains(b.String(), "Inf") {
		t.Errorf("a coordinate is no number:\n%s", &b)
	}
	texts := map[string]int{}
	dec := xml.NewDecoder(&b)
	for inside := ""; ; {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			inside = tok.Name.Local
		case xml.CharData:
			if inside == "text" {
				texts[string(tok)]++
			}
		case xml.EndElement:
			inside = ""
		}
	}
	for _, n := range g.Nodes {
		if texts[n.Name] == 0 {
			t.Errorf("%s is not drawn", n.Name)
		}
	}
	for _, e := range g.Edges {
		for _, l := range e.Labels {
			if texts[l.String()] == 0 {
				t.Errorf("the label %s is not drawn", l)
			}
		}
	}
}

// TestLayoutHasNoOverlap holds that boxes of one rank stand apart and inside of the drawing.
func TestLayoutHasNoOverlap(t *testing.T) {
	for name, src := range documents(t) {
		for _, a := range load(t, name, src).Aggregates {
			gs, _ := NewGraphs(a, "")
			for _, g := range gs {
				l := newLayout(g)
				for _, rank := range l.ranks {
					for k, i := range rank {
						b := l.boxes[i]
						if b.x-b.width/2 < 0 || b.x+b.width/2 > l.width || b.y+b.height/2 > l.height {
							t.Errorf("%s.%s: box %d lies outside", name, g.Field, i)
						}
						if k == 0 {
							continue
						}
						if before := l.boxes[rank[k-1]]; before.x+before.width/2 > b.x-b.width/2+0.01 {
							t.Errorf("%s.%s: boxes %d and %d overlap", name, g.Field, rank[k-1], i)
						}
					}
				}
			}
		}
	}
}

// TestPageIsSound reads the HTML of all archives: elements are closed in order, ids are unique,
// links lead to ids, and what a screen reader needs is there.
func TestPageIsSound(t *testing.T) {
	for name, src := range documents(t) {
		t.Run(name, func(t *testing.T) {
			var docs []*Doc
			for _, a := range load(t, name, src).Aggregates {
				d, err := NewDoc(a, "")
				if err != nil {
					t.Fatal(err)
				}
				docs = append(docs, d)
			}
			var b bytes.Buffer
			if err := WriteHTML(&b, name, docs); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(b.String(), "ZgotmplZ") {
				t.Error("the template refused a value")
			}
			readPage(t, b.String())
		})
	}
}

var voidElements = []string{"meta", "br", "link", "hr", "img", "input"}

func readPage(t *testing.T, page string) {
	z := html.NewTokenizer(strings.NewReader(page))
	var open, links []string
	ids, seen := map[string]bool{}, map[string]int{}
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			break
		}
		tok := z.Token()
		for _, at := range tok.Attr {
			switch {
			case at.Key == "id" && ids[at.Val]:
				t.Errorf("id %q stands twice", at.Val)
			case at.Key == "id":
				ids[at.Val] = true
			case at.Key == "href" && !strings.HasPrefix(at.Val, "#"), at.Key == "src":
				t.Errorf("%q leads out of the page", at.Val)
			case at.Key == "href":
				links = append(links, at.Val[1:])
			case at.Key == "aria-labelledby":
				links = append(links, strings.Fields(at.Val)...)
			}
		}
		switch kind {
		case html.StartTagToken:
			seen[tok.Data]++
			if !slices.Contains(voidElements, tok.Data) {
				open = append(open, tok.Data)
			}
		case html.EndTagToken:
			if len(open) == 0 || open[len(open)-1] != tok.Data {
				t.Fatalf("</%s> closes %v", tok.Data, open)
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		t.Errorf("%v are not closed", open)
	}
	for _, l := range links {
		if !ids[l] {
			t.Errorf("#%s leads nowhere", l)
		}
	}
	for _, must := range []string{"title", "main", "nav", "h1", "table", "th"} {
		if seen[must] == 0 {
			t.Errorf("there is no <%s>", must)
		}
	}
}

// TestReportsAreDeterministic makes every report of every archive several times.
func TestReportsAreDeterministic(t *testing.T) {
	kinds := []string{"matrix.txt", "matrix.md", "matrix.json", "graph.mermaid", "graph.dot", "graph.svg", "graph.json", "doc.md", "doc.html", "schema.json", "openapi.json", "asyncapi.json", "types.ts"}
	for name, src := range documents(t) {
		for _, kind := range kinds {
			var first bytes.Buffer
			for i := range 4 {
				var b bytes.Buffer
				if err := produce(&b, load(t, "in", src), kind); err != nil {
					t.Fatal(err)
				}
				if i == 0 {
					first = b
				} else if !bytes.Equal(first.Bytes(), b.Bytes()) {
					t.Errorf("%s of %s differs from run to run", kind, name)
				}
			}
		}
	}
}
