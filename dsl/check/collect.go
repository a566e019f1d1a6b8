package check

import (
	"slices"
	"strings"

	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
)

// maxMembers is the number of aggregates that one set may hold (rulings 89, 141).
const maxMembers = 10_000

// addFiles takes up the declarations of all files, in the order of their names.
func (c *checker) addFiles(files []*ast.File, opt Options) {
	c.byName = make(map[string]*file, len(files))
	nameOf := make(map[*ast.File]string, len(opt.Files))
	for name, f := range opt.Files {
		nameOf[f] = name
	}
	for _, f := range files {
		name, ok := nameOf[f]
		if !ok {
			name = f.Source.Name
		}
		c.files = append(c.files, &file{name: name, ast: f, own: newNames(), seen: newNames()})
	}
	slices.SortStableFunc(c.files, func(a, b *file) int { return strings.Compare(a.name, b.name) })
	for _, f := range c.files {
		c.byName[f.name] = f
		f.scope = &scope{layers: []*names{f.seen}}
		c.collectFile(f)
	}
	c.order = make([]*agg, 0, len(c.aggs))
	for _, name := range sortedKeys(c.aggs) {
		c.order = append(c.order, c.aggs[name])
	}
	if len(c.order) > maxMembers {
		a := c.order[maxMembers]
		c.report(diag.TooManyAggregates, a.ast.Name.Span, "the set has %d aggregates, more than %d", len(c.order), maxMembers)
	}
}

func (c *checker) collectFile(f *file) {
	for _, d := range f.ast.Decls {
		switch d := d.(type) {
		case *ast.Aggregate:
			c.collectAggregate(f, d)
		case *ast.Test:
			f.tests = append(f.tests, d)
		default:
			c.collectShared(f.own, f.scope, d)
		}
	}
}

// collectShared takes up what may stand at top level and in an aggregate, and tells whether d
// is such a declaration.
func (c *checker) collectShared(n *names, s *scope, d ast.Decl) bool {
	switch d := d.(type) {
	case *ast.Enum:
		c.collectType(n, &typeDecl{name: d.Name, enum: d, scope: s})
	case *ast.Record:
		c.collectType(n, &typeDecl{name: d.Name, record: d, scope: s})
	case *ast.Const:
		decl := &constDecl{ast: d, scope: s}
		c.consts = append(c.consts, decl)
		if s.agg != nil {
			s.agg.consts = append(s.agg.consts, decl)
		}
		if first := n.consts[d.Name.Text]; first != nil {
			c.twice("constant", d.Name, first.ast.Name.Span)
			return true
		}
		n.consts[d.Name.Text] = decl
	case *ast.Fn:
		decl := &fnDecl{ast: d, scope: s}
		c.fns = append(c.fns, decl)
		if s.agg != nil {
			s.agg.fns = append(s.agg.fns, decl)
		}
		if first := n.fns[d.Name.Text]; first != nil {
			c.twice("function", d.Name, first.ast.Name.Span)
			return true
		}
		n.fns[d.Name.Text] = decl
		if c.builtins[d.Name.Text] != nil {
			c.report(diag.FnNamedLikeBuiltin, d.Name.Span, "the function %q hides the builtin of that name", d.Name.Text).
				Hint = "calls of " + d.Name.Text + "() mean this function; give it another name if the builtin is meant anywhere"
		}
	default:
		return false
	}
	return true
}

func (c *checker) collectType(n *names, t *typeDecl) {
	c.types = append(c.types, t)
	if a := t.scope.agg; a != nil {
		a.types = append(a.types, t)
	}
	if first := n.types[t.name.Text]; first != nil {
		c.twice("type", t.name, first.name.Span)
		return
	}
	if first := n.aggs[t.name.Text]; first != nil {
		c.twice("type", t.name, first.ast.Name.Span)
		return
	}
	n.types[t.name.Text] = t
}

// twice reports the second declaration of name.
func (c *checker) twice(what string, name ast.Name, first diag.Span) *diag.Diagnostic {
	d := c.report(diag.DeclaredTwice, name.Span, "%s %q is declared twice", what, name.Text)
	d.Hint = "give one of them another name, or remove it"
	declaredAt(d, first, "%q is first declared here", name.Text)
	return d
}

func (c *checker) collectAggregate(f *file, d *ast.Aggregate) {
	a := &agg{
		out:      &Aggregate{Name: d.Name.Text, Doc: d.Doc, Span: d.Span},
		ast:      d,
		file:     f,
		names:    newNames(),
		derive:   map[string]*deriveDecl{},
		guard:    map[string]*guardDecl{},
		roles:    map[string]diag.Span{},
		command:  map[string]*commandDecl{},
		event:    map[string]*eventDecl{},
		codes:    map[string]*codeUse{},
		emitted:  map[*eventDecl]bool{},
		testName: map[string]diag.Span{},
		inv:      map[string]diag.Span{},
	}
	a.scope = &scope{layers: []*names{a.names, f.seen}, agg: a}
	if first := c.aggs[d.Name.Text]; first != nil {
		e := c.report(diag.AggregateTwice, d.Name.Span, "aggregate %q is declared twice in this set", d.Name.Text)
		e.Hint = "a set declares each aggregate type once: rename one or leave its file out"
		declaredAt(e, first.ast.Name.Span, "%q is first declared here", d.Name.Text)
		return
	}
	if first := f.own.types[d.Name.Text]; first != nil {
		c.twice("type", d.Name, first.name.Span)
	}
	f.own.aggs[d.Name.Text] = a
	c.aggs[d.Name.Text] = a
	for _, m := range d.Decls {
		if !c.collectShared(a.names, a.scope, m) {
			c.collectMember(a, m)
		}
	}
	c.orderEvents(a)
	if a.stateAST == nil && !hasBad(d.Decls) {
		e := c.report(diag.MissingState, d.Name.Span, "aggregate %s has no state", d.Name.Text)
		e.Hint = "add `state { … }`, or `state {}` if it has nothing to remember"
	}
}

func hasBad(decls []ast.Decl) bool {
	return slices.ContainsFunc(decls, func(d ast.Decl) bool { _, bad := d.(*ast.BadDecl); return bad })
}

func (c *checker) collectMember(a *agg, m ast.Decl) {
	switch m := m.(type) {
	case *ast.State:
		if a.stateAST != nil {
			c.once("state", m.Span, a.stateAST.Span)
			return
		}
		a.stateAST = m
	case *ast.Final:
		if a.final != nil {
			c.once("final", m.Span, a.final.Span)
			return
		}
		a.final = m
	case *ast.Roles:
		c.collectRoles(a, m)
	case *ast.SnapshotEvery, *ast.Gas:
		c.collectNumber(a, m)
	case *ast.Derive:
		d := &deriveDecl{ast: m}
		a.derives = append(a.derives, d)
		if first := a.derive[m.Name.Text]; first != nil {
			c.twice("derive", m.Name, first.ast.Name.Span)
			return
		}
		a.derive[m.Name.Text] = d
	case *ast.Index:
		a.indexes = append(a.indexes, m)
	case *ast.Invariant:
		if first, twice := a.inv[m.Name.Text]; twice {
			c.twice("invariant", m.Name, first)
			return
		}
		a.inv[m.Name.Text] = m.Name.Span
		a.invs = append(a.invs, m)
	case *ast.Guard:
		g := &guardDecl{ast: m}
		a.guards = append(a.guards, g)
		if first := a.guard[m.Name.Text]; first != nil {
			c.twice("guard", m.Name, first.ast.Name.Span)
			return
		}
		a.guard[m.Name.Text] = g
	case *ast.Command:
		d := &commandDecl{ast: m}
		if first := a.command[m.Name.Text]; first != nil {
			c.twice("command", m.Name, first.ast.Name.Span)
			return
		}
		a.commands = append(a.commands, d)
		a.command[m.Name.Text] = d
	case *ast.Event:
		c.collectEvent(a, m)
	case *ast.Upcast:
		a.upcasts = append(a.upcasts, m)
	case *ast.Decide:
		a.decides = append(a.decides, m)
	case *ast.Apply:
		a.applies = append(a.applies, m)
	}
}

// once reports a declaration of which an aggregate has one at most.
func (c *checker) once(what string, span, first diag.Span) {
	d := c.report(diag.OnlyOnce, span, "an aggregate has one `%s` only", what)
	d.Hint = "merge the two"
	declaredAt(d, first, "the first `%s` is here", what)
}

func (c *checker) collectRoles(a *agg, m *ast.Roles) {
	if len(a.roles) > 0 {
		c.once("roles", m.Span, a.roles[a.out.Roles[0]])
	}
	for _, n := range m.Names {
		if first, twice := a.roles[n.Text]; twice {
			c.twice("role", n, first)
			continue
		}
		a.roles[n.Text] = n.Span
		a.out.Roles = append(a.out.Roles, n.Text)
	}
}

func (c *checker) collectNumber(a *agg, m ast.Decl) {
	switch m := m.(type) {
	case *ast.SnapshotEvery:
		if a.out.SnapshotEvery != 0 {
			c.once("snapshot every", m.Span, diag.Span{})
			return
		}
		a.out.SnapshotEvery = int(c.positive(m.N, "snapshot every", 1<<31-1))
	case *ast.Gas:
		if a.out.Gas != 0 {
			c.once("gas", m.Span, diag.Span{})
			return
		}
		a.out.Gas = c.positive(m.N, "gas", 1<<53)
	}
}

// positive is the value of n, at least 1; what is not has been reported and is -1.
func (c *checker) positive(n *ast.Num, what string, most int64) int64 {
	if n == nil {
		return -1
	}
	i, ok := parseInt(n.Text)
	if ok && i >= 1 && i <= most {
		return i
	}
	c.report(diag.NumberOutOfRange, n.Span, "%s needs a whole number from 1 to %d, not %s", what, most, n.Text)
	return -1
}

func (c *checker) collectEvent(a *agg, m *ast.Event) {
	e := a.event[m.Name.Text]
	if e == nil {
		e = &eventDecl{name: m.Name.Text}
		a.event[m.Name.Text] = e
		a.events = append(a.events, e)
	}
	e.versions = append(e.versions, &eventVersion{decl: e, ast: m})
}

// orderEvents puts versions in order and finds gaps among them.
func (c *checker) orderEvents(a *agg) {
	for _, e := range a.events {
		slices.SortStableFunc(e.versions, func(x, y *eventVersion) int { return x.ast.Version - y.ast.Version })
		e.versions = c.dropTwice(e.versions)
		for i, v := range e.versions {
			if v.ast.Version == i+1 {
				continue
			}
			d := c.report(diag.VersionGap, v.ast.Name.Span, "event %s @%d is declared, but @%d is missing", e.name, v.ast.Version, i+1)
			d.Hint = "versions are numbered @1, @2, … without gaps"
			break
		}
	}
}

// dropTwice reports versions of one event that are declared more than once.
func (c *checker) dropTwice(sorted []*eventVersion) []*eventVersion {
	out := sorted[:1]
	for _, v := range sorted[1:] {
		first := out[len(out)-1]
		if first.ast.Version != v.ast.Version {
			out = append(out, v)
			continue
		}
		name, next := v.ast.Name, itoa(sorted[len(sorted)-1].ast.Version+1)
		d := c.report(diag.DeclaredTwice, name.Span, "event %s @%d is declared twice", name.Text, v.ast.Version)
		d.Hint = "a new shape of an event gets the next number: `event " + name.Text + " @" + next + " { … }`"
		declaredAt(d, first.ast.Name.Span, "%q is first declared here", name.Text)
	}
	return out
}
