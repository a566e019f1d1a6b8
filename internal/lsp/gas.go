package lsp

import "github.com/cloudlysis/aggregate/dsl/compile"

// gasRules are the kinds of rules that have a worst case, by what their declaration is.
var gasRules = map[string]string{
	"command": "decide", "event": "apply", "function": "fn", "derive": "derive", "invariant": "invariant",
}

// worstCase is the most gas that the rule of a declaration can take, in words; empty if it has
// none or the set does not compile.
func (a *analysis) worstCase(d *decl) string {
	kind := gasRules[d.what]
	if kind == "" {
		return ""
	}
	bound := a.bounds(d.of)[kind+" "+d.name.Text]
	switch {
	case bound == nil:
		return ""
	case bound.Gas >= 0 && bound.Gas != compile.OverLimit:
		return "at most " + bound.Text() + " gas"
	}
	return "gas " + bound.Text()
}

// bounds are those of the rules of an aggregate by kind and name. They are worked out when they
// are first asked for: typing does not need them.
func (a *analysis) bounds(aggregate string) map[string]*compile.RuleBound {
	if known, ok := a.gas[aggregate]; ok {
		return known
	}
	p := a.Program(aggregate)
	if p == nil {
		return nil
	}
	out := map[string]*compile.RuleBound{}
	list := compile.RuleBounds(p.Aggregate, p.Program)
	for i := range list {
		out[list[i].Rule] = &list[i]
	}
	if a.gas == nil {
		a.gas = map[string]map[string]*compile.RuleBound{}
	}
	a.gas[aggregate] = out
	return out
}
