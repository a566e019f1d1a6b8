package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/diag"
)

// commands compares what callers may send.
func (d *differ) commands() {
	for _, c := range d.old.Commands {
		what := "command " + c.Name
		e := find(d.now.Commands, func(e *check.Command) bool { return e.Name == c.Name })
		if e == nil {
			d.add(Clients, what, "is gone", "")
			continue
		}
		for _, x := range readFields("", c.Fields, e.Fields) {
			d.add(forCallers(x.impact), what, x.message, "")
		}
		d.sender(what, c, e)
		d.conditions(what, c, e)
		if flat(c.DecideSpan) != flat(e.DecideSpan) {
			d.add(Compatible, "decide "+c.Name, "has changed", "")
		}
	}
	for _, e := range d.now.Commands {
		if find(d.old.Commands, func(c *check.Command) bool { return c.Name == e.Name }) == nil {
			d.add(Compatible, "command "+e.Name, "is new", "")
		}
	}
}

// forCallers is the impact on callers of what is, in an event, one on what is stored.
func forCallers(i Impact) Impact {
	if i == Forward {
		return Compatible
	}
	return Clients
}

func find[T any](list []*T, is func(*T) bool) *T {
	if i := slices.IndexFunc(list, is); i >= 0 {
		return list[i]
	}
	return nil
}

// sender compares who may send a command, and when.
func (d *differ) sender(what string, c, e *check.Command) {
	if c.Creates != e.Creates {
		d.add(Clients, what, map[bool]string{true: "creates now", false: "creates no more"}[e.Creates], "")
	}
	lost := slices.DeleteFunc(slices.Clone(c.By), func(r string) bool { return slices.Contains(e.By, r) })
	switch {
	case slices.Equal(c.By, e.By):
	case len(e.By) == 0:
		d.add(Compatible, what, "is taken from everybody now", "")
	case len(c.By) == 0:
		d.add(Clients, what, "is taken from "+strings.Join(e.By, ", ")+" only now", "")
	case len(lost) > 0:
		d.add(Clients, what, "is no more taken from "+strings.Join(lost, ", "), "")
	default:
		d.add(Compatible, what, "is taken from more roles now", "")
	}
}

// conditions compares the `where`s of a command.
func (d *differ) conditions(what string, c, e *check.Command) {
	texts := func(c *check.Command) map[string]string {
		out := map[string]string{}
		for _, w := range c.Wheres {
			out[c.Fields[w.Field].Name] = strings.Join(strings.Fields(w.Text), " ")
		}
		return out
	}
	old := texts(c)
	for _, f := range e.Fields {
		was, is := old[f.Name], texts(e)[f.Name]
		if field(c.Fields, f.Name) != nil && is != was && is != "" {
			d.add(Clients, what, fmt.Sprintf("%s is taken only where %s now", f.Name, is), "")
		}
	}
}

// answers compares what replies and queries show, and what an aggregate is held to.
func (d *differ) answers() {
	for _, x := range d.old.Derives {
		y := find(d.now.Derives, func(y *check.Derive) bool { return y.Name == x.Name })
		switch {
		case y == nil:
			d.add(Clients, "derive "+x.Name, "is gone", "")
		case x.Type.String() != y.Type.String():
			d.add(Clients, "derive "+x.Name, fmt.Sprintf("was %s, is %s", x.Type, y.Type), "")
		}
	}
	for _, x := range d.old.Index {
		if !slices.ContainsFunc(d.now.Index, func(y check.Index) bool { return y.Path == x.Path }) {
			d.add(Clients, "index "+x.Path, "is gone: queries by it are refused", "")
		}
	}
	for _, y := range d.now.Invariants {
		x := find(d.old.Invariants, func(x *check.Invariant) bool { return x.Name == y.Name })
		if x == nil || flat(x.Span) != flat(y.Span) {
			d.add(Clients, "invariant "+y.Name, "is new or has changed: what breaks it already takes only commands that mend it", "")
		}
	}
	if now := d.now.Final; now != nil {
		var was diag.Span
		if d.old.Final != nil {
			was = d.old.Final.Span
		}
		if flat(was) != flat(now.Span) {
			d.add(Clients, "final", "is new or has changed: other aggregates take no command any more", "")
		}
	}
	codes := func(a *check.Aggregate) (out []string) {
		for _, r := range a.Rejects {
			out = append(out, r.Code)
		}
		return out
	}
	for _, code := range codes(d.now) {
		if !slices.Contains(codes(d.old), code) {
			d.add(Compatible, "code "+code, "is new", "")
		}
	}
}
