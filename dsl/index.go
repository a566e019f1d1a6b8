package dsl

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/diag"
)

// Index lists the aggregates of a set and the files that declare them. It is YAML or JSON:
//
//	aggregates:
//	  - {type: Account, manifest: bank/account.agg}
type Index struct {
	File    *diag.File
	Entries []Entry
}

// Entry is one aggregate of an index. Manifest is relative to the root of the set.
type Entry struct {
	Type     string
	Manifest string
	Span     diag.Span
}

// parseIndex reads an index and reports to bag what is wrong with it. JSON is YAML here; plain
// words of YAML such as `yes` are taken as the text they are.
func parseIndex(f *diag.File, bag *diag.Bag) *Index {
	p := &indexParser{x: &Index{File: f}, bag: bag, lines: []int{0}}
	if len(f.Src) > maxFile {
		p.report(diag.ManifestTooLarge, nil, fmt.Sprintf("the index has more than %d bytes", maxFile))
		return p.x
	}
	for i, c := range f.Src {
		if c == '\n' {
			p.lines = append(p.lines, i+1)
		}
	}
	var doc yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(f.Src))
	if err := dec.Decode(&doc); err != nil {
		p.report(diag.IndexMalformed, nil, fmt.Sprintf("%s is no YAML or JSON: %v", f.Name, err))
		return p.x
	}
	p.root(doc.Content[0])
	return p.x
}

type indexParser struct {
	x     *Index
	bag   *diag.Bag
	lines []int // offset of each line
}

func (p *indexParser) report(code diag.Code, n *yaml.Node, msg string) *diag.Diagnostic {
	return p.bag.Report(code, p.span(n), msg)
}

// span is the place of a node: its line and column, counted in characters, as bytes.
func (p *indexParser) span(n *yaml.Node) diag.Span {
	f := p.x.File
	if n == nil {
		return diag.Span{File: f}
	}
	at := p.lines[min(max(n.Line, 1), len(p.lines))-1]
	column := 1
	for _, r := range string(f.Src[at:min(len(f.Src), at+4*n.Column)]) {
		if column == n.Column {
			break
		}
		column++
		at += utf8.RuneLen(r)
	}
	end := min(at+len(n.Value), len(f.Src))
	return diag.Span{File: f, Start: int32(at), End: int32(end)}
}

func (p *indexParser) root(n *yaml.Node) {
	list := p.members(n, "aggregates")["aggregates"]
	if list == nil {
		if n.Kind == yaml.MappingNode {
			p.report(diag.IndexMalformed, n, "the index has no list `aggregates`").Hint = "aggregates: [{type: Account, manifest: bank/account.agg}]"
		}
		return
	}
	if list.Kind != yaml.SequenceNode {
		p.report(diag.IndexMalformed, list, "`aggregates` is no list").Hint = "aggregates: [{type: Account, manifest: bank/account.agg}]"
		return
	}
	seen := map[string]bool{}
	for _, item := range list.Content {
		p.entry(item, seen)
	}
}

func (p *indexParser) entry(n *yaml.Node, seen map[string]bool) {
	m := p.members(n, "type", "manifest")
	if m == nil {
		return
	}
	e := Entry{Span: p.span(n)}
	if e.Type = p.word(n, m["type"], "type"); e.Type == "" {
		return
	}
	if e.Manifest = p.word(n, m["manifest"], "manifest"); e.Manifest == "" {
		return
	}
	e.Span = p.span(m["manifest"])
	if !fs.ValidPath(e.Manifest) || path.Ext(e.Manifest) != ".agg" {
		p.report(diag.ManifestPath, m["manifest"], fmt.Sprintf("%q is no path of a manifest", e.Manifest)).Hint =
			"a path to an .agg file, relative to the index, without .. and without / in front"
		return
	}
	if seen[e.Type] {
		p.report(diag.IndexTypeTwice, m["type"], fmt.Sprintf("the index lists %s twice", e.Type))
		return
	}
	seen[e.Type] = true
	p.x.Entries = append(p.x.Entries, e)
}

// members gives the values of a mapping that has these keys and no others; nil if it is none.
func (p *indexParser) members(n *yaml.Node, keys ...string) map[string]*yaml.Node {
	if n.Kind != yaml.MappingNode {
		p.report(diag.IndexMalformed, n, fmt.Sprintf("an object with %v is due here", keys))
		return nil
	}
	out := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		known := false
		for _, want := range keys {
			known = known || k.Value == want
		}
		switch {
		case !known:
			p.report(diag.IndexUnknownKey, k, fmt.Sprintf("unknown key %q in the index", k.Value)).Hint = fmt.Sprintf("known here: %v", keys)
		case out[k.Value] != nil:
			p.report(diag.IndexMalformed, k, fmt.Sprintf("%q is given twice", k.Value))
		default:
			out[k.Value] = n.Content[i+1]
		}
	}
	return out
}

func (p *indexParser) word(of, n *yaml.Node, key string) string {
	switch {
	case n == nil:
		p.report(diag.IndexMalformed, of, fmt.Sprintf("an entry of the index has no %q", key))
		return ""
	case n.Kind != yaml.ScalarNode || n.Value == "":
		p.report(diag.IndexMalformed, n, fmt.Sprintf("%q is no text", key))
		return ""
	}
	return n.Value
}

// match compares the index with what its files declare.
func (x *Index) match(set *check.Set, bag *diag.Bag) {
	listed := map[string]Entry{}
	for _, e := range x.Entries {
		listed[e.Type] = e
	}
	declared := map[string]*check.Aggregate{}
	for _, a := range set.Aggregates {
		declared[a.Name] = a
		if _, ok := listed[a.Name]; !ok {
			bag.Report(diag.IndexTypeUnlisted, a.Span, fmt.Sprintf("aggregate %s is not in the index %s", a.Name, x.File.Name)).Hint =
				fmt.Sprintf("add {type: %s, manifest: %s}, or remove the aggregate", a.Name, a.Span.File.Name)
		}
	}
	for _, e := range x.Entries {
		a := declared[e.Type]
		switch {
		case a == nil:
			bag.Report(diag.IndexTypeMissing, e.Span, fmt.Sprintf("%s declares no aggregate %s", e.Manifest, e.Type))
		case a.Span.File.Name != e.Manifest:
			bag.Report(diag.IndexTypeMissing, e.Span, fmt.Sprintf("%s declares no aggregate %s; %s does", e.Manifest, e.Type, a.Span.File.Name))
		}
	}
}
