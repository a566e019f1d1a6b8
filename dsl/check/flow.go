package check

import (
	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
)

// flow follows the paths through a body.
type flow struct {
	ended  bool      // no path reaches this place
	silent bool      // some path reaches it without emit, nothing and the like (ruling 132)
	where  diag.Span // the branch that such a path takes
}

// merge is the flow after two branches.
func merge(a, b flow) flow {
	switch {
	case a.ended:
		return b
	case b.ended:
		return a
	}
	out := flow{silent: a.silent || b.silent}
	if a.silent {
		out.where = a.where
	}
	if b.silent && (!a.silent || out.where.IsZero()) {
		out.where = b.where
	}
	return out
}

// unreachable warns once about the statements of a block that follow its end.
func (b *body) unreachable(stmts []ast.Stmt, why string) {
	at := stmts[0].Pos().To(stmts[len(stmts)-1].Pos())
	d := b.c.report(diag.Unreachable, at, "this is never reached: %s", why)
	d.Hint = "remove it, or put it before"
}
