package check

import (
	"strings"

	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// commandName takes note of the name of a command, or offers all.
func (c *checker) commandName(a *agg, n ast.Name) {
	if d := a.command[n.Text]; d != nil {
		c.saw(n.Span, d.ast.Name.Span, nil)
	}
	if !c.asked(n.Text) {
		return
	}
	for _, d := range a.commands {
		c.offer(Offer{Name: d.ast.Name.Text, Kind: OfferCommand, Decl: d.ast.Name.Span, Missing: d.decide == nil})
	}
}

// eventName takes note of the name of an event, or offers all that are not retired.
func (c *checker) eventName(a *agg, n ast.Name) {
	if e := a.event[n.Text]; e != nil {
		c.saw(n.Span, e.declName(), nil)
	}
	if !c.asked(n.Text) {
		return
	}
	for _, e := range a.events {
		if !e.retired {
			c.offer(Offer{Name: e.name, Kind: OfferEvent, Decl: e.declName(), Missing: e.apply == nil})
		}
	}
}

func (c *checker) roleName(a *agg, n ast.Name) {
	if at, ok := a.roles[n.Text]; ok {
		c.saw(n.Span, at, nil)
	}
	if c.asked(n.Text) {
		c.offerRoles(a)
	}
}

func (c *checker) offerRoles(a *agg) {
	for _, r := range a.out.Roles {
		c.offer(Offer{Name: r, Kind: OfferRole, Decl: a.roles[r]})
	}
}

// roleTexts takes note of the roles that a list of literals names.
func (c *checker) roleTexts(a *agg, e ast.Expr) {
	l, ok := unparen(e).(*ast.ListLit)
	if !ok || c.uses == nil {
		return
	}
	for _, x := range l.Elems {
		s, ok := x.(*ast.Str)
		if !ok {
			continue
		}
		if c.asked(s.Value) {
			c.offerRoles(a)
		}
		if at, ok := a.roles[s.Value]; ok {
			c.saw(inQuotes(s.Span), at, nil)
		}
	}
}

// guardName takes note of the name of a guard, or offers all.
func (c *checker) guardName(a *agg, n ast.Name) {
	if a == nil {
		return
	}
	if g := a.guard[n.Text]; g != nil {
		c.saw(n.Span, g.ast.Name.Span, nil)
	}
	if !c.asked(n.Text) {
		return
	}
	for _, g := range a.guards {
		c.offer(Offer{Name: g.ast.Name.Text, Kind: OfferGuard, Decl: g.ast.Name.Span, Usage: guardUsage(g.ast)})
	}
}

// codeName takes note of a code that a test expects, or offers those that rules give.
func (c *checker) codeName(a *agg, code string, at diag.Span) {
	if u := a.codes[code]; u != nil {
		c.saw(at, u.spans[0], nil)
	}
	if !c.asked(code) {
		return
	}
	for _, n := range sortedKeys(a.codes) {
		c.offer(Offer{Name: n, Kind: OfferCode, Decl: a.codes[n].spans[0]})
	}
	for _, n := range sortedKeys(reservedCodes) {
		c.offer(Offer{Name: n, Kind: OfferCode})
	}
}

// aggregateName takes note of the name of an aggregate, or offers all.
func (c *checker) aggregateName(n ast.Name) {
	if a := c.aggs[n.Text]; a != nil {
		c.saw(n.Span, a.ast.Name.Span, nil)
	}
	if !c.asked(n.Text) {
		return
	}
	for _, a := range c.order {
		c.offer(Offer{Name: a.out.Name, Kind: OfferAggregate, Decl: a.ast.Name.Span})
	}
}

// typeRef takes note of the name of a type, or offers all that s sees; a written type may be a
// scalar too.
func (c *checker) typeRef(s *scope, n ast.Name, t *typeDecl, written bool) {
	if t != nil {
		c.saw(n.Span, t.name.Span, nil)
	}
	if !c.asked(n.Text) {
		return
	}
	for _, l := range s.layers {
		for _, name := range sortedKeys(l.types) {
			if u := l.types[name]; written || u.record != nil {
				c.offer(Offer{Name: name, Kind: OfferType, Decl: u.name.Span})
			}
		}
	}
	if !written {
		return
	}
	for _, name := range scalarNames {
		c.offer(Offer{Name: name, Kind: OfferType, Type: scalars[name]})
	}
}

// fieldName takes note of field i of fs, or offers all fields but those that are given.
func (c *checker) fieldName(fs *fieldSet, n ast.Name, i int, given []*ast.Item) {
	if i >= 0 {
		c.saw(n.Span, fs.asts[i].Name.Span, fs.fields[i].Type)
	}
	if !c.asked(n.Text) {
		return
	}
	for i, f := range fs.asts {
		if given != nil && given[i] != nil {
			continue
		}
		missing := given != nil && !fs.fields[i].HasDefault && fs.fields[i].Type.Kind != value.Optional
		c.offer(Offer{Name: f.Name.Text, Kind: OfferField, Decl: f.Name.Span, Type: fs.fields[i].Type, Missing: missing})
	}
}

// stateName takes note of a field or derive of the state, or offers all.
func (c *checker) stateName(a *agg, n ast.Name) {
	if a.state == nil {
		return
	}
	i := a.state.find(n.Text)
	c.fieldName(a.state, n, i, nil)
	if d := a.derive[n.Text]; d != nil && i < 0 {
		c.saw(n.Span, d.ast.Name.Span, d.out.Type)
	}
	if !c.asked(n.Text) {
		return
	}
	for _, d := range a.derives {
		c.offer(Offer{Name: d.ast.Name.Text, Kind: OfferDerive, Decl: d.ast.Name.Span, Type: d.out.Type})
	}
}

// sawRoot takes note of a root and of the name behind it.
func (b *body) sawRoot(n *ast.NameExpr, f ast.Name) {
	c := b.c
	if c.uses == nil {
		return
	}
	switch {
	case n.Name == "ctx":
		c.note(Use{At: n.Span, Root: true})
		b.ctxName(f)
	case n.Name == "state", n.Name == "old" && b.rule.event != "old":
		c.sawRoot(n.Span, b.agg.stateAST.Span)
		c.stateName(b.agg, f)
	case n.Name == "cmd":
		c.sawRoot(n.Span, b.cmd.ast.Name.Span)
		c.fieldName(b.cmd.fields, f, b.cmd.fields.find(f.Text), nil)
	case b.event != nil && b.event.fields != nil:
		c.sawRoot(n.Span, b.event.ast.Name.Span)
		c.fieldName(b.event.fields, f, b.event.fields.find(f.Text), nil)
	}
}

func (b *body) ctxName(f ast.Name) {
	if i := ctxField(f.Text); i >= 0 {
		b.c.note(Use{At: f.Span, Type: ctxFields[i].typ})
	}
	if !b.c.asked(f.Text) {
		return
	}
	for i, x := range ctxFields {
		if b.rule.ctx&(1<<i) != 0 {
			b.c.offer(Offer{Name: x.name, Kind: OfferField, Type: x.typ})
		}
	}
}

// memberName takes note of member i of enum t, or offers all.
func (c *checker) memberName(t *typeDecl, n ast.Name, i int, wanted bool) {
	if i >= 0 {
		c.saw(n.Span, t.enum.Members[i].Name.Span, t.typ)
	}
	if !c.asked(n.Text) {
		return
	}
	for _, m := range t.enum.Members {
		c.offer(Offer{Name: m.Name.Text, Kind: OfferMember, Decl: m.Name.Span, Type: t.typ, Wanted: wanted})
	}
}

// fnName takes note of a called function or builtin.
func (b *body) fnName(n ast.Name) {
	c := b.c
	if c.uses == nil {
		return
	}
	if f := b.sc.fn(n.Text); f != nil {
		c.saw(n.Span, f.ast.Name.Span, nil)
		return
	}
	if in := c.builtins[n.Text]; in != nil {
		c.note(Use{At: n.Span, Builtin: in.usage})
	}
	if c.asked(n.Text) {
		b.offerCalls(nil)
	}
}

// offerNames offers what a bare name could be where a want is expected (or nil).
func (b *body) offerNames(want *value.Type) {
	c := b.c
	if bareKind(want) == value.Enum {
		c.memberName(c.enums[bare(want).Enum], ast.Name{Text: c.uses.Probe}, -1, true)
	}
	fits := func(t *value.Type) bool { return want != nil && t != nil && !bad(t) && b.fitsType(t, want) }
	for _, n := range sortedKeys(b.locals) {
		l := b.locals[n].local
		if n != c.uses.Probe {
			c.offer(Offer{Name: n, Kind: OfferLocal, Decl: l.Span, Type: l.Type, Wanted: fits(l.Type)})
		}
	}
	for _, l := range b.sc.layers {
		for _, n := range sortedKeys(l.consts) {
			k := l.consts[n]
			c.offer(Offer{Name: n, Kind: OfferConst, Decl: k.ast.Name.Span, Type: k.typ, Wanted: fits(k.typ)})
		}
		for _, n := range sortedKeys(l.types) {
			c.offer(Offer{Name: n, Kind: OfferType, Decl: l.types[n].name.Span})
		}
	}
	for _, root := range []string{"state", "old", "cmd", "event", "ctx"} {
		if b.sees(root) {
			c.offer(Offer{Name: root, Kind: OfferRoot})
		}
	}
	b.offerCalls(fits)
}

func (b *body) fitsType(t, want *value.Type) bool {
	return value.Same(bare(t), bare(want)) || t.Kind == value.Int && bareKind(want) == value.Decimal
}

func (b *body) offerCalls(fits func(*value.Type) bool) {
	c := b.c
	for _, l := range b.sc.layers {
		for _, n := range sortedKeys(l.fns) {
			f := l.fns[n]
			o := Offer{Name: n, Kind: OfferFn, Decl: f.ast.Name.Span, Usage: usage(f.ast)}
			if f.out != nil {
				o.Type = f.out.Result
				o.Wanted = fits != nil && fits(f.out.Result)
			}
			c.offer(o)
		}
	}
	for _, n := range sortedKeys(c.builtins) {
		if b.sc.fn(n) == nil {
			c.offer(Offer{Name: n, Kind: OfferBuiltin, Usage: c.builtins[n].usage})
		}
	}
}

// pathField takes note of a field in the path of `then invalid`; off is how far the path has
// been read.
func (t *tester) pathField(s *ast.ThenInvalid, fs *fieldSet, name string, off *int32) {
	if t.c.uses == nil {
		return
	}
	at := s.PathSpan
	i := strings.Index(at.Text()[*off:], name)
	if i < 0 {
		return
	}
	at.Start += *off + int32(i)
	at.End = at.Start + int32(len(name))
	*off += int32(i + len(name))
	t.c.fieldName(fs, ast.Name{At: ast.At{Span: at}, Text: name}, fs.find(name), nil)
}

// columnInName takes note of each {column} in the name of a test.
func (c *checker) columnInName(at diag.Span, col ast.Name, t *value.Type) {
	if c.uses == nil || at.IsZero() {
		return
	}
	text, from := at.Text(), 0
	for {
		i := strings.Index(text[from:], "{"+col.Text+"}")
		if i < 0 {
			return
		}
		start := at.Start + int32(from+i) + 1
		c.saw(diag.Span{File: at.File, Start: start, End: start + int32(len(col.Text))}, col.Span, t)
		from += i + len(col.Text) + 2
	}
}

// inQuotes is what stands between the quotes of a string.
func inQuotes(at diag.Span) diag.Span {
	if at.End-at.Start >= 2 {
		at.Start, at.End = at.Start+1, at.End-1
	}
	return at
}
