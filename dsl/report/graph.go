package report

import (
	"fmt"
	"slices"

	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// Graph is the life of one state field: its members and what leads from one to the other. An
// edge says that a command can take the field there, not that it always does.
type Graph struct {
	Aggregate string  `json:"aggregate"`
	Field     string  `json:"field"`
	Doc       string  `json:"doc,omitempty"`
	Nodes     []Node  `json:"nodes"`
	Edges     []*Edge `json:"edges"`
}

// Node is one member.
type Node struct {
	Name string `json:"name"`
	Doc  string `json:"doc,omitempty"`
	// Final tells that no command is taken here.
	Final bool `json:"final,omitempty"`
	// Unreached tells that no command leads here.
	Unreached bool `json:"unreached,omitempty"`
}

// Edge leads from a node to a node, by index; From is -1 for the birth.
type Edge struct {
	From   int     `json:"from"`
	To     int     `json:"to"`
	Labels []Label `json:"labels,omitempty"`
}

// Label is a command and the event by which it takes the edge.
type Label struct {
	Command string `json:"command"`
	Event   string `json:"event"`
}

// String is deposit / deposited.
func (l Label) String() string { return l.Command + " / " + l.Event }

// NewGraphs draws one graph for each enum field of the state, or for field alone when it is
// given; that may be a bool.
func NewGraphs(a *check.Aggregate, field string) ([]*Graph, error) {
	if field != "" {
		at, err := fieldNamed(a, field)
		if err != nil {
			return nil, err
		}
		return []*Graph{newGraph(a, at)}, nil
	}
	out := []*Graph{}
	for i, f := range a.State {
		if f.Type.Kind == value.Enum {
			out = append(out, newGraph(a, i))
		}
	}
	return out, nil
}

func newGraph(a *check.Aggregate, field int) *Graph {
	f := a.State[field]
	g := &Graph{Aggregate: a.Name, Field: f.Name, Doc: a.StateInfo[field].Doc, Nodes: []Node{}, Edges: []*Edge{}}
	docs := memberDocs(a, f.Type)
	for i, name := range memberNames(f.Type) {
		n := Node{Name: name}
		if i < len(docs) {
			n.Doc = docs[i]
		}
		g.Nodes = append(g.Nodes, n)
	}
	if !hasBirth(a) {
		g.Edges = append(g.Edges, &Edge{From: -1, To: int(value.ZeroField(&f).Int())})
	}
	for _, c := range a.Commands {
		g.command(a, c, field)
	}
	for i := range g.Nodes {
		g.Nodes[i].Final = endsAt(a, field, i)
	}
	g.reach()
	return g
}

func memberDocs(a *check.Aggregate, t *value.Type) []string {
	for _, e := range a.Enums {
		if e.Type == t.Enum {
			return e.MemberDocs
		}
	}
	return nil
}

// command adds what one command does from each member, and from nowhere.
func (g *Graph) command(a *check.Aggregate, c *check.Command, field int) {
	q := question{agg: a, command: c, field: field}
	if c.Creates {
		q.unborn = true
		g.moves(c.Name, q.answer().moves)
		return
	}
	for i := range g.Nodes {
		q.member = i
		g.moves(c.Name, q.answer().moves)
	}
}

func (g *Graph) moves(command string, moves []move) {
	for _, mv := range moves {
		at := slices.IndexFunc(g.Edges, func(e *Edge) bool { return e.From == mv.from && e.To == mv.to })
		if at < 0 {
			at = len(g.Edges)
			g.Edges = append(g.Edges, &Edge{From: mv.from, To: mv.to})
		}
		if l := (Label{command, mv.event}); !slices.Contains(g.Edges[at].Labels, l) {
			g.Edges[at].Labels = append(g.Edges[at].Labels, l)
		}
	}
}

// endsAt tells whether `final when` surely holds at a member.
func endsAt(a *check.Aggregate, field, member int) bool {
	if a.Final == nil {
		return false
	}
	m := newMachine(a, nil)
	w := m.world()
	w.fields[field] = exactly(a.State[field].Type, value.MakeInt(int64(member)))
	return m.eval(a.Final.Cond, w).truth() == yes
}

// reach marks what cannot be reached, and sorts the edges.
func (g *Graph) reach() {
	seen := make([]bool, len(g.Nodes))
	for again := true; again; {
		again = false
		for _, e := range g.Edges {
			if (e.From < 0 || seen[e.From]) && !seen[e.To] {
				seen[e.To], again = true, true
			}
		}
	}
	for i := range g.Nodes {
		g.Nodes[i].Unreached = !seen[i]
	}
	slices.SortFunc(g.Edges, func(a, b *Edge) int {
		if a.From != b.From {
			return a.From - b.From
		}
		return a.To - b.To
	})
}

// Title names what the graph shows.
func (g *Graph) Title() string { return fmt.Sprintf("%s by state.%s", g.Aggregate, g.Field) }
