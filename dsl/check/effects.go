package check

import (
	"strings"

	"github.com/cloudlysis/aggregate/dsl/diag"
)

// node is a rule as the effects see it: what it reads by itself and whom it calls.
type node struct {
	name  string // as in "fee()"; empty for rules that nothing calls
	span  diag.Span
	state diag.Span // the first direct read of state
	ctx   [CtxFieldCount]diag.Span
	calls []use
	mark  progress
	fn    *Fn // of a function
	fault fault
	// What it and all that it calls read.
	allState bool
	allCtx   uint16
	allFault *node // the first of them that may fault, nil if none does
}

// fault is the first place of a rule at which it may fault, and why; zero if there is none.
type fault struct {
	span diag.Span
	why  string
}

// use is one call of a function or read of a derive.
type use struct {
	to   *node
	span diag.Span
}

func (n *node) readState(at diag.Span) {
	if n.state.IsZero() {
		n.state = at
	}
}

func (n *node) readCtx(f CtxField, at diag.Span) {
	if n.ctx[f].IsZero() {
		n.ctx[f] = at
	}
}

func (n *node) own() (state bool, ctx uint16) {
	for f, at := range n.ctx {
		if !at.IsZero() {
			ctx |= 1 << f
		}
	}
	return !n.state.IsZero(), ctx
}

// checkEffects infers what functions read, refuses circles, and refuses calls from where what
// they read does not exist (ruling 70).
func (c *checker) checkEffects() {
	for _, f := range c.fns {
		c.settle(&f.node, nil)
		if f.out != nil {
			f.out.ReadsState, f.out.ReadsCtx = f.node.allState, f.node.allCtx != 0
		}
	}
	for _, a := range c.order {
		for _, d := range a.derives {
			c.settle(&d.node, nil)
		}
		for _, g := range a.guards {
			c.settle(&g.node, nil)
		}
	}
	for _, b := range c.loose {
		for _, u := range b.node.calls {
			b.checkCall(u)
		}
		if b.rule == ruleApply || b.rule == ruleUpcast {
			b.callsMayFault()
		}
	}
}

// callsMayFault warns about calls of what may fault, once for each function.
func (b *body) callsMayFault() {
	warned := map[*node]bool{}
	for _, u := range b.node.calls {
		f := u.to.allFault
		if f == nil || warned[u.to] {
			continue
		}
		warned[u.to] = true
		d := b.mayFaultAt(u.span, u.to.name+" may fault: "+f.fault.why, "let the function give a value for that case")
		if b.rule == ruleUpcast {
			d.Hint = "a fault here keeps the aggregate from loading; let the function give a value for that case"
		}
		declaredAt(d, f.fault.span, "here")
	}
}

// settle sums up what n reads; trail is how it was reached.
func (c *checker) settle(n *node, trail []*node) {
	if n.mark == done {
		return
	}
	n.mark = underway
	trail = append(trail, n)
	n.allState, n.allCtx = n.own()
	if !n.fault.span.IsZero() {
		n.allFault = n
	}
	circled := false
	for _, u := range n.calls {
		if u.to.mark == underway {
			if !circled { // one is enough: what closes the circle is usually written more than once
				c.circle(u, trail)
			}
			circled = true
			continue
		}
		c.settle(u.to, trail)
		n.allState = n.allState || u.to.allState
		n.allCtx |= u.to.allCtx
		if n.allFault == nil {
			n.allFault = u.to.allFault
		}
	}
	n.mark = done
}

func (c *checker) circle(u use, trail []*node) {
	i := len(trail) - 1
	for trail[i] != u.to {
		i--
	}
	var names []string
	for _, n := range trail[i:] {
		names = append(names, n.name)
	}
	names = append(names, u.to.name)
	d := c.report(diag.Cycle, u.span, "%s", strings.Join(names, " uses ")+": that never ends")
	if len(names) == 2 {
		d.Message = u.to.name + " uses itself: that never ends"
	}
	d.Hint = "every rule ends here, so nothing may use itself: use a `for` over a list, map or range"
	declaredAt(d, u.to.span, "%s is declared here", u.to.name)
}

// checkCall refuses a call of what reads what the rule of b does not have.
func (b *body) checkCall(u use) {
	if u.to.allState && !b.rule.state {
		b.refuseCall(u, "state", func(n *node) bool { return n.allState }, func(n *node) diag.Span { return n.state })
		return
	}
	for f := CtxField(0); f < CtxFieldCount; f++ {
		bit := uint16(1) << f
		if u.to.allCtx&bit != 0 && b.rule.callCtx&bit == 0 {
			b.refuseCall(u, "ctx."+ctxFields[f].name, func(n *node) bool { return n.allCtx&bit != 0 }, func(n *node) diag.Span { return n.ctx[f] })
			return
		}
	}
}

func (b *body) refuseCall(u use, what string, reads func(*node) bool, direct func(*node) diag.Span) {
	chain := []string{u.to.name}
	n := u.to
	for direct(n).IsZero() {
		next := n
		for _, v := range n.calls {
			if reads(v.to) {
				next = v.to
				break
			}
		}
		if next == n {
			break
		}
		n = next
		chain = append(chain, n.name)
	}
	d := b.c.report(diag.EffectHere, u.span, "%s reads %s, which %s does not have", strings.Join(chain, " calls "), what, b.rule.name)
	if len(chain) > 1 {
		d.Message = strings.Join(chain, " calls ") + ", which reads " + what + ": " + b.rule.name + " does not have it"
	}
	d.Hint = "pass the value as an argument"
	if b.rule.event != "" {
		d.Hint = "pass the value as an argument, or put it into the event"
	}
	declaredAt(d, direct(n), "%s is read here", what)
}
