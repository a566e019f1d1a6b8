package report

import (
	"slices"
)

// A layered layout in the manner of Sugiyama: ranks by longest path, edges that lead back
// turned round for the layout, a row of label boxes between any two ranks, so that labels never
// lie on each other, orders by barycentres, places by the nearest ones that do not overlap.

// box is a node, a label, or a bend of an edge in the layout.
type box struct {
	rank, order   int
	x, y          float64 // of the middle
	width, height float64
	up, down      []int // neighbours in the ranks beside
}

// route is how an edge runs: boxes from its upper to its lower end.
type route struct {
	edge     *Edge
	boxes    []int
	label    int  // the box of its label, -1 for none
	reversed bool // the arrow points up
}

const (
	charWidth  = 7.0
	lineHeight = 16.0
	gapX       = 28.0
	gapY       = 26.0
)

type layout struct {
	boxes  []box // first the birth, then the nodes
	routes []route
	loops  []*Edge
	ranks  [][]int
	width  float64
	height float64
}

func textSize(lines []string) (w, h float64) {
	for _, l := range lines {
		w = max(w, float64(len(l))*charWidth)
	}
	return w, float64(len(lines)) * lineHeight
}

// newLayout places a graph. Box 0 is the birth and box i+1 node i.
func newLayout(g *Graph) *layout {
	l := &layout{boxes: []box{{width: 14, height: 14}}}
	loops := map[int]*Edge{}
	for _, e := range g.Edges {
		if e.From == e.To {
			loops[e.From] = e
			l.loops = append(l.loops, e)
		}
	}
	for i, n := range g.Nodes {
		w, _ := textSize([]string{n.Name})
		b := box{width: w + 28, height: 34}
		if e := loops[i]; e != nil { // room on the right, and as much on the left
			lw, lh := textSize(labels(e))
			b.width += 2 * (lw + 34)
			b.height = max(b.height, lh+4)
		}
		l.boxes = append(l.boxes, b)
	}
	up := l.rank(g)
	l.connect(g, up)
	l.order()
	l.place()
	return l
}

// rank gives each node its rank and tells which edges are turned round.
func (l *layout) rank(g *Graph) map[*Edge]bool {
	reversed := backEdges(g)
	for range l.boxes { // longest paths; without the turned edges there is no cycle
		for _, e := range g.Edges {
			from, to := e.From+1, e.To+1
			if from == to {
				continue
			}
			if reversed[e] {
				from, to = to, from
			}
			l.boxes[to].rank = max(l.boxes[to].rank, l.boxes[from].rank+2)
		}
	}
	return reversed
}

// backEdges finds, by a walk in depth from the birth on, the edges that lead back.
func backEdges(g *Graph) map[*Edge]bool {
	back := map[*Edge]bool{}
	state := make([]int, len(g.Nodes)+1) // 1 on the way, 2 done
	var visit func(n int)
	visit = func(n int) {
		state[n] = 1
		for _, e := range g.Edges {
			if e.From+1 != n || e.From == e.To {
				continue
			}
			switch state[e.To+1] {
			case 0:
				visit(e.To + 1)
			case 1:
				back[e] = true
			}
		}
		state[n] = 2
	}
	for n := range state {
		if state[n] == 0 {
			visit(n)
		}
	}
	return back
}

// connect makes the bends and labels of edges that span ranks.
func (l *layout) connect(g *Graph, reversed map[*Edge]bool) {
	for _, e := range g.Edges {
		if e.From == e.To {
			continue
		}
		r := route{edge: e, label: -1, reversed: reversed[e]}
		from, to := e.From+1, e.To+1
		if r.reversed {
			from, to = to, from
		}
		r.boxes = []int{from}
		middle := (l.boxes[from].rank + l.boxes[to].rank) / 2
		if (middle-l.boxes[from].rank)%2 == 0 {
			middle-- // labels stand in the odd rows
		}
		for rank := l.boxes[from].rank + 1; rank < l.boxes[to].rank; rank++ {
			b := box{rank: rank, width: 8, height: 1}
			if rank == middle && len(e.Labels) > 0 {
				w, h := textSize(labels(e))
				b.width, b.height = w+10, h+4
				r.label = len(l.boxes)
			}
			r.boxes = append(r.boxes, len(l.boxes))
			l.boxes = append(l.boxes, b)
		}
		r.boxes = append(r.boxes, to)
		for i := 1; i < len(r.boxes); i++ {
			a, b := r.boxes[i-1], r.boxes[i]
			l.boxes[a].down = append(l.boxes[a].down, b)
			l.boxes[b].up = append(l.boxes[b].up, a)
		}
		l.routes = append(l.routes, r)
	}
}

// order puts the boxes of each rank in an order with few crossings.
func (l *layout) order() {
	for i := range l.boxes {
		for len(l.ranks) <= l.boxes[i].rank {
			l.ranks = append(l.ranks, nil)
		}
		l.boxes[i].order = len(l.ranks[l.boxes[i].rank])
		l.ranks[l.boxes[i].rank] = append(l.ranks[l.boxes[i].rank], i)
	}
	for round := range 12 {
		for step := range l.ranks {
			rank, up := step, true
			if round%2 == 1 {
				rank, up = len(l.ranks)-1-step, false
			}
			l.sortRank(rank, up)
		}
	}
}

func (l *layout) sortRank(rank int, up bool) {
	centre := func(i int) float64 {
		near := l.boxes[i].down
		if up {
			near = l.boxes[i].up
		}
		if len(near) == 0 {
			return float64(l.boxes[i].order)
		}
		sum := 0.0
		for _, n := range near {
			sum += float64(l.boxes[n].order) / float64(len(l.ranks[l.boxes[n].rank]))
		}
		return sum / float64(len(near)) * float64(len(l.ranks[rank]))
	}
	slices.SortStableFunc(l.ranks[rank], func(a, b int) int {
		switch x, y := centre(a), centre(b); {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
	for o, i := range l.ranks[rank] {
		l.boxes[i].order = o
	}
}

// place gives each box its coordinates.
func (l *layout) place() {
	y := 8.0
	for _, rank := range l.ranks {
		height, x := 0.0, 0.0
		for _, i := range rank {
			height = max(height, l.boxes[i].height)
			l.boxes[i].x = x + l.boxes[i].width/2
			x += l.boxes[i].width + gapX
		}
		for _, i := range rank {
			l.boxes[i].y = y + height/2
		}
		y += height + gapY
	}
	l.height = y - gapY + 8
	for round := range 24 {
		for step := range l.ranks {
			rank := step
			if round%2 == 1 {
				rank = len(l.ranks) - 1 - step
			}
			l.settle(l.ranks[rank])
		}
	}
	l.shift()
}

// settle moves the boxes of a rank as near to the middle of their neighbours as their order and
// widths allow: the least sum of squares, by pooling those that would overlap.
func (l *layout) settle(rank []int) {
	type pool struct {
		sum   float64
		count int
	}
	offset := make([]float64, len(rank)) // where a box stands when all are packed to the left
	for k := 1; k < len(rank); k++ {
		a, b := l.boxes[rank[k-1]], l.boxes[rank[k]]
		offset[k] = offset[k-1] + a.width/2 + gapX + b.width/2
	}
	var pools []pool
	for k, i := range rank {
		pools = append(pools, pool{l.desired(i) - offset[k], 1})
		for len(pools) > 1 {
			a, b := pools[len(pools)-2], pools[len(pools)-1]
			if a.sum/float64(a.count) <= b.sum/float64(b.count) {
				break
			}
			pools = append(pools[:len(pools)-2], pool{a.sum + b.sum, a.count + b.count})
		}
	}
	k := 0
	for _, p := range pools {
		for range p.count {
			l.boxes[rank[k]].x = p.sum/float64(p.count) + offset[k]
			k++
		}
	}
}

func (l *layout) desired(i int) float64 {
	sum, n := 0.0, 0
	for _, list := range [][]int{l.boxes[i].up, l.boxes[i].down} {
		for _, j := range list {
			sum += l.boxes[j].x
			n++
		}
	}
	if n == 0 {
		return l.boxes[i].x
	}
	return sum / float64(n)
}

// shift moves everything so that it begins at the left edge.
func (l *layout) shift() {
	left, right := 0.0, 0.0
	for i, b := range l.boxes {
		if i == 0 || b.x-b.width/2 < left {
			left = b.x - b.width/2
		}
		if i == 0 || b.x+b.width/2 > right {
			right = b.x + b.width/2
		}
	}
	for i := range l.boxes {
		l.boxes[i].x += 10 - left
	}
	l.width = right - left + 20
}
