package check

import (
	"slices"

	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// resolveSignatures settles what every rule can name: fields, parameters, results.
func (c *checker) resolveSignatures() {
	for _, f := range c.fns {
		c.fnSignature(f)
	}
	for _, a := range c.order {
		c.stateSignature(a)
		for _, d := range a.derives {
			c.deriveSignature(a, d)
		}
		for _, d := range a.commands {
			c.commandSignature(a, d)
		}
		for _, e := range a.events {
			for _, v := range e.versions {
				c.eventSignature(a, v)
			}
		}
		for _, g := range a.guards {
			g.out = &Guard{Name: g.ast.Name.Text, Doc: g.ast.Doc, Span: g.ast.Span}
			g.out.Params = c.params(a.scope, g.ast.Params)
			g.node.name, g.node.span = g.ast.Name.Text+"()", g.ast.Name.Span
		}
		c.linkRules(a)
		c.linkUpcasts(a)
		c.checkVersions(a)
	}
}

func (c *checker) fnSignature(f *fnDecl) {
	f.out = &Fn{Name: f.ast.Name.Text, Doc: f.ast.Doc, Span: f.ast.Span}
	f.out.Params = c.params(f.scope, f.ast.Params)
	f.out.Result = value.InvalidType
	if f.ast.Result != nil {
		f.out.Result = c.typ(f.scope, f.ast.Result, localPlace)
	}
	f.node.name, f.node.span, f.node.fn = f.ast.Name.Text+"()", f.ast.Name.Span, f.out
}

func (c *checker) params(s *scope, ps []*ast.Param) []*Local {
	out := make([]*Local, len(ps))
	for i, p := range ps {
		out[i] = &Local{Name: p.Name.Text, Type: c.typ(s, p.Type, fieldPlace), Span: p.Name.Span}
	}
	return out
}

func (c *checker) stateSignature(a *agg) {
	if a.stateAST == nil {
		a.state = c.fieldTypes(a.scope, "state "+a.out.Name, nil, fieldPlace)
		a.stateAST = &ast.State{At: a.ast.Name.At}
		return
	}
	a.state = c.fieldTypes(a.scope, "state "+a.out.Name, a.stateAST.Fields, fieldPlace)
	c.fieldDefaults(a.scope, a.state)
	for i, f := range a.state.asts {
		t := a.state.fields[i].Type
		if f.Default != nil || bad(t) {
			continue
		}
		v, missing, ok := c.zero(t, f.Name.Span)
		if !ok {
			d := c.report(diag.NoZero, f.Name.Span, "the state field %q needs a first value: %s has no zero", f.Name.Text, typeName(t))
			d.Hint = "write `" + f.Name.Text + ": " + f.Type.Pos().Text() + " = " + sampleConst(t) + "`, or make it optional: `" + f.Type.Pos().Text() + "?`"
			if missing != "" {
				d.Message += `, since its field "` + missing + `" has none`
				d.Hint = "give it a value here, give " + missing + " a default, or make the field optional: `" + f.Type.Pos().Text() + "?`"
			}
			continue
		}
		a.state.fields[i].HasDefault, a.state.fields[i].Default = true, v
	}
}

// sampleConst is a plain constant of t, for hints.
func sampleConst(t *value.Type) string {
	switch t.Kind {
	case value.UUID:
		return `uuid("00000000-0000-0000-0000-000000000000")`
	case value.Record:
		return t.Record.Name + " { … }"
	case value.Enum:
		if len(t.Enum.Members) > 0 {
			return t.Enum.Members[0].Name
		}
	}
	return sample(t)
}

func (c *checker) deriveSignature(a *agg, d *deriveDecl) {
	d.out = &Derive{Name: d.ast.Name.Text, Doc: d.ast.Doc, Span: d.ast.Span, Type: c.typ(a.scope, d.ast.Type, localPlace)}
	d.node.name, d.node.span = "state."+d.ast.Name.Text, d.ast.Name.Span
	if i := a.state.find(d.ast.Name.Text); i >= 0 {
		c.twice("the name", d.ast.Name, a.state.asts[i].Name.Span).Hint = "a derive is read as `state." + d.ast.Name.Text + "`, as the field is: rename one"
	}
}

func (c *checker) commandSignature(a *agg, d *commandDecl) {
	d.fields = c.fieldTypes(a.scope, "command "+d.ast.Name.Text, d.ast.Fields, fieldPlace)
	c.fieldDefaults(a.scope, d.fields)
	d.reads = make([]bool, len(d.fields.fields))
	for _, f := range d.fields.asts {
		if f.Name.Text == "type" {
			e := c.report(diag.FieldNamedType, f.Name.Span, "a command field cannot be called \"type\"")
			e.Hint = "the payload of a command names its type so; call it \"kind\""
			replace(e, false, f.Name.Span, "kind", "rename to kind")
		}
	}
	d.out = &Command{Name: d.ast.Name.Text, Doc: d.ast.Doc, Span: d.ast.Span, Creates: d.ast.Creates, Fields: d.fields.fields, Info: d.fields.info()}
	for _, r := range d.ast.By {
		if _, ok := a.roles[r.Text]; !ok {
			e := c.report(diag.UnknownRole, r.Span, "unknown role %q", r.Text)
			if !didYouMean(e, r.Span, r.Text, a.out.Roles) {
				e.Hint = "declare it: `roles " + r.Text + "`"
			}
			continue
		}
		d.out.By = append(d.out.By, r.Text)
	}
	d.out.Wheres = c.wheres(a.scope, d.fields, d.reads)
}

func (c *checker) eventSignature(a *agg, v *eventVersion) {
	what := "event " + v.ast.Name.Text
	if len(v.decl.versions) > 1 {
		what += " @" + itoa(v.ast.Version)
	}
	v.fields = c.fieldTypes(a.scope, what, v.ast.Fields, fieldPlace)
	c.fieldDefaults(a.scope, v.fields)
	v.out = &Event{Name: v.ast.Name.Text, Doc: v.ast.Doc, Span: v.ast.Span, Version: v.ast.Version, Fields: v.fields.fields, Info: v.fields.info()}
}

// recordWheres checks the conditions on a record's fields (ruling 128).
func (c *checker) recordWheres(t *typeDecl) {
	before := len(c.loose)
	t.recordOut.Wheres = c.wheres(t.scope, t.fields, make([]bool, len(t.fields.fields)))
	for _, b := range c.loose[before:] {
		t.wheres = append(t.wheres, b.node)
	}
}

// wheres checks the conditions of fs; reads takes note of the fields that they look at.
func (c *checker) wheres(s *scope, fs *fieldSet, reads []bool) []*Where {
	var out []*Where
	for i, f := range fs.asts {
		if f.Where == nil {
			continue
		}
		b := c.newBody(s, ruleWhere)
		b.what, b.fields = "where of "+f.Name.Text, fs
		w := &Where{Field: i, Span: f.Where.Pos(), Text: f.Where.Pos().Text()}
		for j := 0; j <= i; j++ {
			t := fs.fields[j].Type
			if j == i {
				t = bare(t)
			}
			w.Params = append(w.Params, b.bind(fs.asts[j].Name, t, false))
			b.locals[fs.asts[j].Name.Text].field = true
		}
		w.Cond = b.condition(f.Where, place{what: "the `where` of " + f.Name.Text})
		for j := 0; j <= i; j++ {
			if n := b.locals[fs.asts[j].Name.Text]; n != nil && n.read {
				reads[j] = true
			}
		}
		c.keep(b)
		out = append(out, w)
	}
	return out
}

// linkRules finds the decide of each command and the apply of each event, one each.
func (c *checker) linkRules(a *agg) {
	for _, d := range a.decides {
		cmd := a.command[d.Name.Text]
		switch {
		case cmd == nil:
			e := c.report(diag.UnknownCommand, d.Name.Span, "there is no command %q to decide", d.Name.Text)
			if !didYouMean(e, d.Name.Span, d.Name.Text, sortedKeys(a.command)) {
				e.Hint = "declare it: `command " + d.Name.Text + " { … }`"
			}
		case cmd.decide != nil:
			c.twice("decide", d.Name, cmd.decide.Name.Span).Hint = "a command has exactly one: merge the two"
		default:
			cmd.decide = d
		}
	}
	for _, d := range a.applies {
		e := a.event[d.Name.Text]
		switch {
		case e == nil:
			r := c.report(diag.UnknownEvent, d.Name.Span, "there is no event %q to apply", d.Name.Text)
			if !didYouMean(r, d.Name.Span, d.Name.Text, sortedKeys(a.event)) {
				r.Hint = "declare it: `event " + d.Name.Text + " { … }`"
			}
		case e.apply != nil:
			c.twice("apply", d.Name, e.apply.Name.Span).Hint = "an event has exactly one: merge the two"
		default:
			e.apply = d
		}
	}
	if hasBad(a.ast.Decls) {
		return // what is missing may be what could not be read
	}
	for _, d := range a.commands {
		if d.decide == nil && !roots[d.ast.Name.Text] { // such a name is an error already, in a decide too
			e := c.report(diag.MissingRule, d.ast.Name.Span, "the command %q has no decide", d.ast.Name.Text)
			e.Hint = "add `decide " + d.ast.Name.Text + " { … }`"
		}
	}
}

// linkUpcasts finds the upcast of each old version, and which events are retired.
func (c *checker) linkUpcasts(a *agg) {
	for _, u := range a.upcasts {
		e := a.event[u.From.Text]
		if e == nil {
			d := c.report(diag.UnknownEvent, u.From.Span, "unknown event %q", u.From.Text)
			if !didYouMean(d, u.From.Span, u.From.Text, sortedKeys(a.event)) {
				d.Hint = "keep the declaration of an old event, so that stored ones can be read: `event " + u.From.Text + " { … }`"
			}
			continue
		}
		v := e.version(u.FromVersion)
		if v == nil {
			c.report(diag.BadUpcast, u.From.Span, "there is no %s @%d", u.From.Text, u.FromVersion).Hint = "declare `event " + u.From.Text + " @" + itoa(u.FromVersion) + " { … }`"
			continue
		}
		if v.upcast != nil {
			d := c.report(diag.DeclaredTwice, u.From.Span, "%s @%d has two upcasts", u.From.Text, u.FromVersion)
			d.Hint = "an old event becomes one new event"
			declaredAt(d, v.upcast.Span, "the first is here")
			continue
		}
		if c.upcastTarget(a, u, e, v) {
			v.upcast = u
			e.retired = e.retired || u.To.Text != u.From.Text
		}
	}
	for _, e := range a.events {
		c.checkChain(a, e)
	}
}

func (e *eventDecl) version(n int) *eventVersion {
	i, found := slices.BinarySearchFunc(e.versions, n, func(v *eventVersion, n int) int { return v.ast.Version - n })
	if !found {
		return nil
	}
	return e.versions[i]
}

func (c *checker) upcastTarget(a *agg, u *ast.Upcast, e *eventDecl, v *eventVersion) bool {
	if u.To.Text == u.From.Text || u.To.Text == "" {
		if u.ToVersion == u.FromVersion+1 && e.version(u.ToVersion) != nil {
			return true
		}
		d := c.report(diag.BadUpcast, u.To.Span, "an upcast leads from @%d to @%d, not to @%d", u.FromVersion, u.FromVersion+1, u.ToVersion)
		if e.version(u.FromVersion+1) == nil {
			d.Hint = "declare `event " + e.name + " @" + itoa(u.FromVersion+1) + " { … }`"
		} else {
			d.Hint = "write one upcast for each step"
		}
		return false
	}
	to := a.event[u.To.Text]
	if to == nil {
		d := c.report(diag.UnknownEvent, u.To.Span, "unknown event %q", u.To.Text)
		didYouMean(d, u.To.Span, u.To.Text, sortedKeys(a.event))
		return false
	}
	if v != e.current() {
		d := c.report(diag.BadUpcast, u.From.Span, "only the highest version of a retired event gets a new name, and that is %s @%d", e.name, e.current().ast.Version)
		d.Hint = "upcast @" + itoa(u.FromVersion) + " to @" + itoa(u.FromVersion+1) + " first"
		return false
	}
	if u.ToVersion != 1 {
		d := c.report(diag.BadUpcast, u.To.Span, "a retired event becomes @1 of its new name, not @%d", u.ToVersion)
		d.Hint = "write `-> " + u.To.Text + " @1`; its own upcasts lead on"
		return false
	}
	return true
}

// checkChain finds versions without a way to the current one, and the rules of retired events.
func (c *checker) checkChain(a *agg, e *eventDecl) {
	for i, v := range e.versions {
		if v.upcast == nil && i < len(e.versions)-1 {
			d := c.report(diag.MissingUpcast, v.ast.Name.Span, "%s @%d has no upcast to @%d", e.name, v.ast.Version, v.ast.Version+1)
			d.Hint = "add `upcast " + e.name + " @" + itoa(v.ast.Version) + " -> @" + itoa(v.ast.Version+1) + " { ..old }`"
		}
	}
	if e.retired && e.apply != nil {
		d := c.report(diag.RetiredEvent, e.apply.Name.Span, "the retired event %q has an apply", e.name)
		d.Hint = "remove it: an upcast turns the event into another before it is applied"
		declaredAt(d, e.current().upcast.Span, "it is retired here")
	}
	if !e.retired && e.apply == nil && !hasBad(a.ast.Decls) {
		n := e.current().ast.Name
		d := c.report(diag.MissingRule, n.Span, "the event %q has no apply", e.name)
		d.Hint = "add `apply " + e.name + " { … }`, or `apply " + e.name + " {}` if it changes nothing"
	}
}

// checkVersions refuses chains of new names that lead in a circle.
func (c *checker) checkVersions(a *agg) {
	for _, e := range a.events {
		seen := map[*eventDecl]bool{}
		for x := e; x != nil && x.retired; {
			if seen[x] {
				up := e.current().upcast
				c.report(diag.BadUpcast, up.Span, "the upcasts of %q lead in a circle", e.name).Hint = "one of the names must stay"
				e.retired = false
				break
			}
			seen[x] = true
			x = a.event[x.current().upcast.To.Text]
		}
	}
}
