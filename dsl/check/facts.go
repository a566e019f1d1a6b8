package check

import (
	"maps"
	"math"
	"strconv"
	"strings"

	"github.com/cloudlysis/aggregate/dsl/ast"
)

// The facts are texts of places that are known to be there, such as `state.holds[event.id]`
// after `event.id in state.holds`. Apply and upcast keep them: a fault there is worth a warning,
// since it refuses a command that was right, or a replay. Functions and derives keep them too,
// since an apply may call them: what may fault there is noted in their node.

func (b *body) wantsFacts() bool {
	return b.rule == ruleApply || b.rule == ruleUpcast || b.isCalled()
}

func (b *body) isCalled() bool {
	return b.rule == ruleFn || b.rule == ruleSharedFn || b.rule == ruleDerive
}

type savedFacts map[string]bool

func (b *body) saveFacts() savedFacts { return maps.Clone(b.facts) }

func (s savedFacts) restore() map[string]bool { return maps.Clone(s) }

type savedChecks map[string]known

func (b *body) saveChecks() savedChecks { return maps.Clone(b.checks) }

func (s savedChecks) restore() map[string]known { return maps.Clone(s) }

// maxFacts bounds what is known at once, since every branch copies it: a rule of ten thousand
// lines took half a minute. Beyond it what was known is forgotten, at worst for a warning more.
const maxFacts = 256

func (b *body) fact(text string) {
	if b.facts == nil || len(b.facts) >= maxFacts {
		b.facts = map[string]bool{}
	}
	b.facts[text] = true
}

// learn takes from a condition that holds what is there.
func (b *body) learn(e ast.Expr) {
	if !b.wantsFacts() {
		return
	}
	switch e := unparen(e).(type) {
	case *ast.Unary:
		if e.Op == "not" {
			b.learnNot(e.X)
		}
	case *ast.IsSome:
		b.learnSome(e.X)
	case *ast.Binary:
		switch e.Op {
		case "and":
			b.learn(e.X)
			b.learn(e.Y)
		case "in":
			b.learnIn(e)
		case "!=":
			b.learnUnequal(e.X, e.Y)
		case "==":
			b.learnEqual(e.X, e.Y)
			b.learnEqual(e.Y, e.X)
		default:
			b.learnOrder(e.Op, e.X, e.Y)
		}
	}
}

// opposite is the comparison that holds where the other does not.
var opposite = map[string]string{"<": ">=", "<=": ">", ">": "<=", ">=": "<"}

// learnNot takes from a condition that does not hold what is there.
func (b *body) learnNot(e ast.Expr) {
	if !b.wantsFacts() {
		return
	}
	switch e := unparen(e).(type) {
	case *ast.Unary:
		if e.Op == "not" {
			b.learn(e.X)
		}
	case *ast.IsNone:
		b.learnSome(e.X)
	case *ast.Binary:
		switch e.Op {
		case "or":
			b.learnNot(e.X)
			b.learnNot(e.Y)
		case "implies":
			b.learn(e.X)
			b.learnNot(e.Y)
		case "==":
			b.learnUnequal(e.X, e.Y)
		default:
			b.learnOrder(opposite[e.Op], e.X, e.Y)
		}
	}
}

func (b *body) learnUnequal(x, y ast.Expr) {
	if isNone(y) {
		b.learnSome(x)
		return
	}
	b.fact(x.Pos().Text() + " != " + y.Pos().Text())
	b.fact(y.Pos().Text() + " != " + x.Pos().Text())
	if n, ok := literal(y); ok && n == 0 {
		b.learnLength(x, 1)
	}
}

// learnEqual takes from x == y what a literal y tells of x.
func (b *body) learnEqual(x, y ast.Expr) {
	if n, ok := literal(y); ok && n != 0 {
		b.fact(x.Pos().Text() + " != 0")
		b.learnLength(x, n)
	}
}

// learnOrder takes from a comparison that x is no zero, no negative index, or a long list.
func (b *body) learnOrder(op string, x, y ast.Expr) {
	switch op {
	case "<":
		op, x, y = ">", y, x
	case "<=":
		op, x, y = ">=", y, x
	case ">", ">=":
	default:
		return
	}
	strict := op == ">"
	left, right := x.Pos().Text(), y.Pos().Text()
	if strict {
		b.fact(left + " != " + right)
		b.fact(right + " != " + left)
		b.fact(right + " < " + left) // right may be an index, and left the length of its list
	}
	if n, ok := literal(y); ok && n >= 0 {
		b.fact(left + " >= 0")
		if strict {
			n++
		}
		if n > 0 {
			b.fact(left + " != 0")
		}
		b.learnLength(x, n)
	}
	if n, ok := literal(x); ok && (n < 0 || n == 0 && strict) {
		b.fact(right + " != 0")
	}
}

// learnIn takes what `k in m` and `i in 0..len(xs) - 1` tell.
func (b *body) learnIn(e *ast.Binary) {
	x := e.X.Pos().Text()
	r, ok := unparen(e.Y).(*ast.Range)
	if !ok {
		b.fact(element(e.Y, x))
		return
	}
	b.learnOrder(">=", e.X, r.From)
	if last, ok := unparen(r.To).(*ast.Binary); ok && last.Op == "-" {
		if n, ok := literal(last.Y); ok && n >= 1 {
			b.fact(x + " < " + last.X.Pos().Text())
		}
	}
}

// mostElements is how many elements of a list are known to be there by their number.
const mostElements = 16

// learnLength takes from x >= n, where x is the length of a list, which elements are there.
func (b *body) learnLength(x ast.Expr, n int64) {
	call, ok := unparen(x).(*ast.Call)
	if !ok || call.Fn.Text != "len" || len(call.Args) != 1 {
		return
	}
	for i := range min(n, mostElements) {
		b.fact(element(call.Args[0], strconv.FormatInt(i, 10)))
	}
}

// element is the fact that xs[i] or m[k] is there.
func element(of ast.Expr, key string) string { return of.Pos().Text() + "[" + key + "]" }

// literal is the value of a literal number, rounded away from zero, or of a duration.
func literal(e ast.Expr) (int64, bool) {
	switch e := unparen(e).(type) {
	case *ast.Dur:
		return e.Nanos, true
	case *ast.Num:
		whole, rest, _ := strings.Cut(strings.ReplaceAll(e.Text, "_", ""), ".")
		n, err := strconv.ParseInt(whole, 10, 64)
		switch {
		case err != nil:
			return 0, false
		case strings.Trim(rest, "0") == "":
			return n, true
		case strings.HasPrefix(whole, "-"):
			return n - 1, n > math.MinInt64
		}
		return n + 1, n < math.MaxInt64
	}
	return 0, false
}

// learnArm takes from the patterns of an arm that what is matched is not 0.
func (b *body) learnArm(subject ast.Expr, written []ast.Pattern, patterns []Pattern, cov *coverage) {
	if !b.wantsFacts() || len(written) != len(patterns) || !isNumber(cov.typ) {
		return
	}
	_, zeroTaken := cov.seen["0"]
	for i, p := range patterns {
		e, isValue := written[i].(*ast.ExprPattern)
		switch {
		case isValue && p.Kind == PatConst:
			if n, ok := literal(e.Value); !ok || n == 0 {
				return
			}
		case p.Kind == PatWild && zeroTaken:
		default:
			return
		}
	}
	b.fact(subject.Pos().Text() + " != 0")
}

// learnLast is learn for the left side of an `and`, whose own left side has been learned.
func (b *body) learnLast(e ast.Expr) {
	if left, ok := e.(*ast.Binary); ok && left.Op == "and" {
		e = left.Y
	}
	b.learn(e)
}

// mostAlternatives is how many sides of a chain of `or` the last one knows to be false: a chain
// of thousands is not gone through for each of them.
const mostAlternatives = 8

// learnNoneOf is learnNot for the left side of an `or`.
func (b *body) learnNoneOf(e ast.Expr) {
	if !b.wantsFacts() {
		return
	}
	for range mostAlternatives {
		left, ok := e.(*ast.Binary)
		if !ok || left.Op != "or" {
			b.learnNot(e)
			return
		}
		b.learnNot(left.Y)
		e = left.X
	}
}

func isNone(e ast.Expr) bool { _, ok := unparen(e).(*ast.None); return ok }

// both keeps what holds after either of two branches; one that has ended does not count.
func both(then, otherwise map[string]bool, thenEnded, otherwiseEnded bool) map[string]bool {
	switch {
	case thenEnded:
		return otherwise
	case otherwiseEnded:
		return then
	}
	out := map[string]bool{}
	for f := range then {
		if otherwise[f] {
			out[f] = true
		}
	}
	return out
}

func (b *body) learnSome(e ast.Expr) {
	if ix, ok := unparen(e).(*ast.IndexExpr); ok && b.wantsFacts() {
		b.fact(element(ix.X, ix.Index.Pos().Text()))
	}
}
