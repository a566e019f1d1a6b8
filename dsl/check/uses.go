package check

import (
	"slices"

	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// Uses is what an editor wants to know of a set: where names are used and what they mean. A
// pointer to one in Options.Uses asks for it; compilers leave it nil and pay nothing.
type Uses struct {
	// List is filled in the order in which the checker meets the names, each place once.
	List []Use
	// Probe, when it is not empty, is a name that stands in the sources for what somebody is
	// about to type; Offers are then the names that could stand in its place.
	Probe  string
	Offers []Offer

	seen map[diag.Span]bool
}

// Use is one name in the text.
type Use struct {
	At diag.Span
	// Decl is the name where it is declared; of an event with several versions, the current
	// one. It equals At in a declaration and is zero for what the language declares.
	Decl diag.Span
	// Type is the type of the value that is named; nil if it is none, or not known.
	Type *value.Type
	// Root tells that At is state, old, cmd, event or ctx: it means the declaration but is not
	// its name.
	Root bool
	// Builtin is how a builtin of the language is called; empty for all else.
	Builtin string
}

// OfferKind is what an offered name means.
type OfferKind uint8

// The kinds of offers.
const (
	OfferField OfferKind = iota
	OfferDerive
	OfferLocal
	OfferConst
	OfferMember
	OfferFn
	OfferBuiltin
	OfferGuard
	OfferType
	OfferAggregate
	OfferCommand
	OfferEvent
	OfferRole
	OfferCode
	OfferRoot
)

// Offer is a name that could stand at the probe.
type Offer struct {
	Name string
	Kind OfferKind
	// Decl is where the name is declared; zero for what the language declares.
	Decl diag.Span
	Type *value.Type
	// Usage is how a function or builtin is called.
	Usage string
	// Missing tells that the place lacks it: a required field that is not given yet, a command
	// without decide.
	Missing bool
	// Wanted tells that a value of this type is expected here.
	Wanted bool
}

// saw takes note that the name at means the declaration decl, whose value is a t (or nil).
func (c *checker) saw(at, decl diag.Span, t *value.Type) { c.note(Use{At: at, Decl: decl, Type: t}) }

func (c *checker) sawRoot(at, decl diag.Span) { c.note(Use{At: at, Decl: decl, Root: true}) }

func (c *checker) note(u Use) {
	if c.uses == nil || u.At.IsZero() || u.At.Start == u.At.End || c.uses.seen[u.At] {
		return
	}
	if c.uses.seen == nil {
		c.uses.seen = map[diag.Span]bool{}
	}
	if u.Type != nil && bad(u.Type) {
		u.Type = nil
	}
	c.uses.seen[u.At] = true
	c.uses.List = append(c.uses.List, u)
}

// asked tells whether name is the probe.
func (c *checker) asked(name string) bool {
	return c.uses != nil && c.uses.Probe != "" && name == c.uses.Probe
}

func (c *checker) offer(o Offer) {
	if !slices.ContainsFunc(c.uses.Offers, func(p Offer) bool { return p.Name == o.Name && p.Kind == o.Kind }) {
		c.uses.Offers = append(c.uses.Offers, o)
	}
}

// declName is the name of an event's declaration that stands for all its versions.
func (e *eventDecl) declName() diag.Span { return e.current().ast.Name.Span }

// sawDeclarations takes note of the names that declare something, and of those in the heads of
// rules, which nothing else looks at.
func (c *checker) sawDeclarations() {
	if c.uses == nil {
		return
	}
	for _, t := range c.types {
		c.saw(t.name.Span, t.name.Span, nil)
		if t.enum != nil {
			for _, m := range t.enum.Members {
				c.saw(m.Name.Span, m.Name.Span, nil)
			}
		}
		c.sawFields(t.fields)
	}
	for _, k := range c.consts {
		c.saw(k.ast.Name.Span, k.ast.Name.Span, k.typ)
	}
	for _, f := range c.fns {
		c.saw(f.ast.Name.Span, f.ast.Name.Span, nil)
	}
	for _, a := range c.order {
		c.sawAggregate(a)
	}
}

func (c *checker) sawFields(fs *fieldSet) {
	if fs == nil {
		return
	}
	for i, f := range fs.asts {
		c.saw(f.Name.Span, f.Name.Span, fs.fields[i].Type)
	}
}

func (c *checker) sawAggregate(a *agg) {
	c.saw(a.ast.Name.Span, a.ast.Name.Span, nil)
	c.sawFields(a.state)
	for _, r := range a.out.Roles {
		c.saw(a.roles[r], a.roles[r], nil)
	}
	for _, d := range a.derives {
		c.saw(d.ast.Name.Span, d.ast.Name.Span, d.out.Type)
	}
	for _, v := range a.invs {
		c.saw(v.Name.Span, v.Name.Span, nil)
	}
	for _, g := range a.guards {
		c.saw(g.ast.Name.Span, g.ast.Name.Span, nil)
	}
	for _, d := range a.commands {
		c.saw(d.ast.Name.Span, d.ast.Name.Span, nil)
		c.sawFields(d.fields)
	}
	for _, e := range a.events {
		for _, v := range e.versions {
			c.saw(v.ast.Name.Span, e.declName(), nil)
			c.sawFields(v.fields)
		}
	}
	c.sawRules(a)
}

// sawRules follows the names of decides, applies and upcasts, and the roles of commands.
func (c *checker) sawRules(a *agg) {
	for _, d := range a.decides {
		c.commandName(a, d.Name)
	}
	for _, d := range a.applies {
		c.eventName(a, d.Name)
	}
	for _, u := range a.upcasts {
		c.eventName(a, u.From)
		if u.To.Span != u.From.Span {
			c.eventName(a, u.To)
		}
	}
	for _, d := range a.commands {
		for _, r := range d.ast.By {
			c.roleName(a, r)
		}
	}
	for _, code := range sortedKeys(a.codes) {
		for _, at := range a.codes[code].spans {
			c.codeName(a, code, at)
		}
	}
}
