package compile

import "github.com/cloudlysis/aggregate/dsl/check"

// limits are the sizes up to which things are lowered in place, in nodes of the tree; what is
// called in place counts with its own nodes. They bound growth: a call costs about as much as
// eight instructions, and forty functions that each use the one before twice would be 2^40
// otherwise.
type limits struct{ fn, derive, apply, invariant int }

var usual = limits{fn: 24, derive: 24, apply: 80, invariant: 40}

const (
	callSize = 4
	hugeSize = 1 << 20
)

// sizeOf counts the nodes under the walk, with those of what will be in place.
func (c *compiler) sizeOf(walk func(walker)) int {
	n := 0
	walk(func(e check.Expr) {
		n++
		switch e := e.(type) {
		case *check.FnCall:
			n += c.placed(c.fnSize(e.Fn), c.limits.fn)
		case *check.DeriveRef:
			n += c.placed(c.deriveSize(e.Derive), c.limits.derive)
		}
		n = min(n, hugeSize)
	})
	return n
}

func (c *compiler) placed(size, limit int) int {
	if size <= limit {
		return size
	}
	return callSize
}

// fnSize is the size of a function that could be lowered in place, else hugeSize: only lets and
// one return can, since a return elsewhere would need a way out.
func (c *compiler) fnSize(f *check.Fn) int {
	if n, ok := c.sizes[f]; ok {
		return n
	}
	n := hugeSize
	if straight(f.Body) {
		n = c.sizeOf(func(w walker) { w.stmts(f.Body) })
	}
	c.sizes[f] = n
	return n
}

func straight(body []check.Stmt) bool {
	for i, s := range body {
		switch s.(type) {
		case *check.Let:
		case *check.Return:
			return i == len(body)-1
		default:
			return false
		}
	}
	return false
}

func (c *compiler) deriveSize(d *check.Derive) int {
	if n, ok := c.sizes[d]; ok {
		return n
	}
	n := c.sizeOf(func(w walker) { w.expr(d.Value) })
	c.sizes[d] = n
	return n
}

func (c *compiler) applySize(e *check.Event) int {
	if n, ok := c.sizes[e]; ok {
		return n
	}
	n := countStmts(e.Apply) + c.sizeOf(func(w walker) { w.stmts(e.Apply) })
	c.sizes[e] = n
	return n
}

func (c *compiler) invariantSize(v *check.Invariant) int {
	return c.sizeOf(func(w walker) { w.expr(v.Cond) })
}
