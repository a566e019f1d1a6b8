package check

import "github.com/cloudlysis/aggregate/dsl/diag"

// warnUnused sums up what no rule uses. It is silent while there are errors: a rule that could
// not be checked may be the one that uses it.
func (c *checker) warnUnused() {
	if c.bag.Errors() > 0 {
		return
	}
	for _, a := range c.order {
		c.unusedFields(a)
		c.neverEmitted(a)
		c.neverGiven(a)
		c.gainsDigits(a)
	}
}

func (c *checker) unusedFields(a *agg) {
	for _, d := range a.commands {
		for i, f := range d.fields.asts {
			if d.reads[i] {
				continue
			}
			w := c.report(diag.UnusedField, f.Name.Span, "no rule reads the field %q of command %s", f.Name.Text, d.ast.Name.Text)
			w.Hint = "read it as `cmd." + f.Name.Text + "`, or remove it"
		}
	}
}

func (c *checker) neverEmitted(a *agg) {
	for _, e := range a.events {
		if e.retired || a.emitted[e] {
			continue
		}
		n := e.current().ast.Name
		w := c.report(diag.NeverEmitted, n.Span, "no decide emits the event %q", e.name)
		w.Hint = "emit it, or, if old ones are stored, retire it: `upcast " + e.name + " @" + itoa(e.current().ast.Version) + " -> …`"
	}
}

// neverGiven warns about codes that no command can lead to.
func (c *checker) neverGiven(a *agg) {
	for _, g := range a.guards {
		if !g.used {
			c.report(diag.CodeNeverGiven, g.ast.Name.Span, "no decide checks the guard %q, so its codes are never given", g.ast.Name.Text).
				Hint = "run it, `check " + guardUsage(g.ast) + "`, or remove it"
		}
	}
	for _, code := range sortedKeys(a.codes) {
		if u := a.codes[code]; !u.live {
			w := c.report(diag.CodeNeverGiven, u.spans[0], "the code %q is never given: no command gets here", code)
			w.Hint = "the condition always holds, or the place is never reached"
		}
	}
}
