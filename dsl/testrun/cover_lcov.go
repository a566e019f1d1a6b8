package testrun

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// WriteLCOV writes the form of lcov's geninfo(1), for editors and CI: a record for each file, in
// which a point is a branch of its line. Lines are those that have points; rules are functions.
func (c *Coverage) WriteLCOV(w io.Writer) error {
	var b strings.Builder
	for _, f := range c.files() {
		fmt.Fprintf(&b, "TN:\nSF:%s\n", f.name)
		f.functions(&b)
		f.branches(&b)
		f.lines(&b)
		b.WriteString("end_of_record\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// coveredFile is a source and the points in it, by line.
type coveredFile struct {
	name   string
	text   []byte
	points []filePoint
}

type filePoint struct {
	*Point
	agg string
}

// files gathers the points by file and line; of one line in the order of the tree.
func (c *Coverage) files() []*coveredFile {
	byName := map[string]*coveredFile{}
	var out []*coveredFile
	for _, a := range c.Aggregates {
		for i := range a.Points {
			p := &a.Points[i]
			f := byName[p.Place.File]
			if f == nil {
				f = &coveredFile{name: p.Place.File}
				if p.span.File != nil {
					f.text = p.span.File.Src
				}
				byName[p.Place.File] = f
				out = append(out, f)
			}
			f.points = append(f.points, filePoint{p, a.Name})
		}
	}
	slices.SortFunc(out, func(a, b *coveredFile) int { return strings.Compare(a.name, b.name) })
	for _, f := range out {
		slices.SortStableFunc(f.points, func(a, b filePoint) int { return a.Place.Line - b.Place.Line })
	}
	return out
}

// rule is the part of a key that names the rule.
func (p *filePoint) rule() string {
	rule, _, _ := strings.Cut(p.Key, "/")
	return p.agg + " " + rule
}

// functions writes each rule, which counts as called as often as its busiest point.
func (f *coveredFile) functions(b *strings.Builder) {
	type rule struct {
		line int
		hits int64
	}
	var names []string
	rules := map[string]*rule{}
	for i := range f.points {
		p := &f.points[i]
		r := rules[p.rule()]
		if r == nil {
			r = &rule{line: p.Place.Line}
			rules[p.rule()] = r
			names = append(names, p.rule())
		}
		r.hits = max(r.hits, p.Hits)
	}
	hit := 0
	for _, n := range names {
		fmt.Fprintf(b, "FN:%d,%s\n", rules[n].line, n)
	}
	for _, n := range names {
		fmt.Fprintf(b, "FNDA:%d,%s\n", rules[n].hits, n)
		if rules[n].hits > 0 {
			hit++
		}
	}
	fmt.Fprintf(b, "FNF:%d\nFNH:%d\n", len(names), hit)
}

func (f *coveredFile) branches(b *strings.Builder) {
	hit, n, line := 0, 0, 0
	for i := range f.points {
		p := &f.points[i]
		if p.Place.Line != line {
			line, n = p.Place.Line, 0
		}
		fmt.Fprintf(b, "BRDA:%d,0,%d,%d\n", line, n, p.Hits)
		n++
		if p.Hits > 0 {
			hit++
		}
	}
	fmt.Fprintf(b, "BRF:%d\nBRH:%d\n", len(f.points), hit)
}

// lines writes a line as run as often as its busiest point.
func (f *coveredFile) lines(b *strings.Builder) {
	found, hit := 0, 0
	for i := 0; i < len(f.points); {
		line, hits := f.points[i].Place.Line, int64(0)
		for ; i < len(f.points) && f.points[i].Place.Line == line; i++ {
			hits = max(hits, f.points[i].Hits)
		}
		fmt.Fprintf(b, "DA:%d,%d\n", line, hits)
		found++
		if hits > 0 {
			hit++
		}
	}
	fmt.Fprintf(b, "LF:%d\nLH:%d\n", found, hit)
}
