package check

import (
	"path"
	"strings"

	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
)

// resolveImports fills what each file sees: its own declarations and those of the files that it
// imports, not what these import (ruling 40).
func (c *checker) resolveImports() {
	edges := make(map[*file][]*ast.Import, len(c.files))
	for _, f := range c.files {
		c.see(f, f, diag.Span{})
		edges[f] = f.ast.Imports
		seen := map[*file]bool{f: true}
		for _, imp := range f.ast.Imports {
			if g := c.importedFile(f, imp); g != nil && !seen[g] {
				seen[g] = true
				c.see(f, g, imp.PathSpan)
			}
		}
		if g := c.byName[strings.TrimSuffix(f.name, "_test.agg")+".agg"]; g != nil && !seen[g] && strings.HasSuffix(f.name, "_test.agg") {
			c.see(f, g, diag.Span{})
		}
	}
	c.importCycles(edges)
	c.clashesInside()
}

func importName(f *file, imp *ast.Import) string { return path.Join(path.Dir(f.name), imp.Path) }

func (c *checker) importedFile(f *file, imp *ast.Import) *file {
	if imp.PathSpan.IsZero() {
		return nil // the parser has reported that the path is missing
	}
	name := importName(f, imp)
	if strings.HasPrefix(imp.Path, "/") || name == ".." || strings.HasPrefix(name, "../") {
		d := c.report(diag.ImportOutside, imp.PathSpan, "the import %q leads out of the manifest directory", imp.Path)
		d.Hint = "a set is one directory: move the file into it"
		return nil
	}
	g := c.byName[name]
	if g == nil {
		d := c.report(diag.ImportNotFound, imp.PathSpan, "there is no file %q in this set", name)
		if near := nearest(name, sortedKeys(c.byName)); near != "" {
			d.Hint = `did you mean "` + near + `"?`
		} else {
			d.Hint = "the path is relative to the file that imports"
		}
		return nil
	}
	if g == f {
		c.report(diag.ImportCycle, imp.PathSpan, "%s imports itself", f.name).Hint = "remove the import"
		return nil
	}
	return g
}

// see makes what g declares visible in f.
func (c *checker) see(f, g *file, at diag.Span) {
	for _, n := range sortedKeys(g.own.types) {
		t := g.own.types[n]
		if other := f.seen.types[n]; other != nil && other != t {
			c.clash(f, at, "type", n, t.name.Span, other.name.Span)
			continue
		}
		if other := f.seen.aggs[n]; other != nil {
			c.clash(f, at, "type", n, t.name.Span, other.ast.Name.Span)
			continue
		}
		f.seen.types[n] = t
	}
	for _, n := range sortedKeys(g.own.consts) {
		t := g.own.consts[n]
		if other := f.seen.consts[n]; other != nil && other != t {
			c.clash(f, at, "constant", n, t.ast.Name.Span, other.ast.Name.Span)
			continue
		}
		f.seen.consts[n] = t
	}
	for _, n := range sortedKeys(g.own.fns) {
		t := g.own.fns[n]
		if other := f.seen.fns[n]; other != nil && other != t {
			c.clash(f, at, "function", n, t.ast.Name.Span, other.ast.Name.Span)
			continue
		}
		f.seen.fns[n] = t
	}
	for _, n := range sortedKeys(g.own.aggs) {
		if other := f.seen.types[n]; other != nil && f != g {
			c.clash(f, at, "type", n, g.own.aggs[n].ast.Name.Span, other.name.Span)
			continue
		}
		f.seen.aggs[n] = g.own.aggs[n]
	}
}

func (c *checker) clash(f *file, at diag.Span, what, name string, span, other diag.Span) {
	if at.IsZero() {
		at = other
	}
	d := c.report(diag.ImportClash, at, "the %s %q is visible twice in %s", what, name, f.name)
	d.Hint = "rename one of them: imported names share one space with the file's own"
	declaredAt(d, other, "%q is declared here", name)
	declaredAt(d, span, "and here")
}

// importCycles reports each file that imports itself through others, once for each cycle.
func (c *checker) importCycles(edges map[*file][]*ast.Import) {
	marks := make(map[*file]progress, len(c.files))
	var visit func(f *file, trail []string)
	visit = func(f *file, trail []string) {
		marks[f] = underway
		trail = append(trail, f.name)
		for _, imp := range edges[f] {
			g := c.byName[importName(f, imp)]
			switch {
			case g == nil || g == f || marks[g] == done:
			case marks[g] == underway:
				from := 0
				for trail[from] != g.name {
					from++
				}
				d := c.report(diag.ImportCycle, imp.PathSpan, "imports run in a circle: %s", strings.Join(append(trail[from:len(trail):len(trail)], g.name), " -> "))
				d.Hint = "move what both need into a third file"
			default:
				visit(g, trail)
			}
		}
		marks[f] = done
	}
	for _, f := range c.files {
		if marks[f] == untouched {
			visit(f, nil)
		}
	}
}

// clashesInside reports names of an aggregate that are declared at top level too (ruling 39).
func (c *checker) clashesInside() {
	for _, a := range c.order {
		seen := a.file.seen
		for _, n := range sortedKeys(a.names.types) {
			if outer := seen.types[n]; outer != nil {
				c.hides("type", a.names.types[n].name, outer.name.Span)
			}
		}
		for _, n := range sortedKeys(a.names.consts) {
			if outer := seen.consts[n]; outer != nil {
				c.hides("constant", a.names.consts[n].ast.Name, outer.ast.Name.Span)
			}
		}
		for _, n := range sortedKeys(a.names.fns) {
			if outer := seen.fns[n]; outer != nil {
				c.hides("function", a.names.fns[n].ast.Name, outer.ast.Name.Span)
			}
		}
	}
}

func (c *checker) hides(what string, name ast.Name, outer diag.Span) {
	d := c.report(diag.Shadowing, name.Span, "%s %q hides the one at top level", what, name.Text)
	d.Hint = "give it another name, or remove one of the two"
	declaredAt(d, outer, "%q is declared here", name.Text)
}
