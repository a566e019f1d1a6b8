package check

import (
	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// checkTests checks all tests, in the order of files and text.
func (c *checker) checkTests() {
	for _, f := range c.files {
		for _, t := range f.tests {
			c.checkTest(f, t)
		}
	}
}

// tester is a test under work.
type tester struct {
	*body
	ast     *ast.Test
	whens   int
	when    *ast.When // the last, until it has a then
	checked bool      // the last when has a then
	outcome string    // what the thens of the last when say: "accepted", "refused" or ""
	emits   int
	command *commandDecl
	repeats int
	events  bool // some event was given
	state   bool // given state
}

func (c *checker) checkTest(f *file, t *ast.Test) {
	c.aggregateName(t.For)
	a := c.aggs[t.For.Text]
	if a == nil {
		d := c.report(diag.UnknownAggregate, t.For.Span, "unknown aggregate %q", t.For.Text)
		if !didYouMean(d, t.For.Span, t.For.Text, sortedKeys(c.aggs)) {
			d.Hint = "a test is for an aggregate of this set"
		}
		return
	}
	if first, twice := a.testName[t.Name]; twice {
		d := c.report(diag.TestNameTwice, t.NameSpan, "there are two tests of %s called %q", a.out.Name, t.Name)
		d.Hint = "give each its own name"
		declaredAt(d, first, "the first is here")
	} else {
		a.testName[t.Name] = t.NameSpan
	}
	s := &scope{layers: []*names{a.names, a.file.seen, f.seen}, agg: a}
	ts := &tester{body: c.newBody(s, ruleTest), ast: t}
	out := &Test{Name: t.Name, Doc: t.Doc, Span: t.Span, Of: a.out}
	ts.cases(out)
	out.Steps = ts.steps(t.Steps)
	ts.endWhen()
	if ts.whens == 0 && !hasBadStep(t.Steps) {
		d := c.report(diag.TestShape, t.NameSpan, "this test has no `when`")
		d.Hint = "add `when command { … }` and what is expected, `then …`"
	}
	c.finishBody(ts.body, nil)
	c.testFns(a, ts.body, out)
	c.tests = append(c.tests, out)
}

func hasBadStep(steps []ast.Step) bool {
	for _, s := range steps {
		if _, isBad := s.(*ast.BadStep); isBad {
			return true
		}
	}
	return false
}

// testFns lists the functions that the test uses; those that the aggregate has are left out
// when the set is put together.
func (c *checker) testFns(a *agg, b *body, out *Test) {
	seen := map[*node]bool{}
	for _, u := range b.node.calls {
		out.Fns = c.fnsOf(u.to, seen, out.Fns)
	}
}

// cases settles the columns and rows (ruling 96).
func (t *tester) cases(out *Test) {
	cols := t.ast.Columns
	if len(cols) == 0 {
		return
	}
	good := make([]*ast.Row, 0, len(t.ast.Rows))
	for _, r := range t.ast.Rows {
		if len(r.Values) == len(cols) {
			good = append(good, r)
			continue
		}
		t.c.report(diag.RowLength, r.Span, "this row has %s, and there are %s", plural(len(r.Values), "value"), plural(len(cols), "column")).
			Hint = "every row has a value for each column"
	}
	values := make([][]value.V, len(good))
	for i := range values {
		values[i] = make([]value.V, len(cols))
	}
	whole := len(good) == len(t.ast.Rows)
	types := make([]*value.Type, len(cols))
	for i, col := range cols {
		types[i] = t.column(col, good, i, values)
		whole = whole && !bad(types[i])
	}
	for i, col := range cols {
		l := t.declare(col.Name, types[i], false)
		if l == nil {
			l = &Local{Type: types[i], Span: col.Span}
		}
		out.Columns = append(out.Columns, l)
		t.c.columnInName(t.ast.NameSpan, col.Name, types[i])
	}
	if whole {
		out.Rows = values
	}
	if len(t.ast.Rows) == 0 {
		t.c.report(diag.RowLength, t.ast.NameSpan, "`cases` has no rows").Hint = "add a row: `(…)`"
	}
}

// column settles the type of column i and its values.
func (t *tester) column(col *ast.Column, rows []*ast.Row, i int, values [][]value.V) *value.Type {
	b := t.c.newBody(t.sc, ruleConst)
	typ := value.InvalidType
	if col.Type != nil {
		typ = t.c.typ(t.sc, col.Type, localPlace)
	} else if len(rows) > 0 {
		typ = t.columnType(b, col, rows, i)
	}
	if bad(typ) {
		return typ
	}
	result := typ
	for r, row := range rows {
		k := b.constantOf(row.Values[i], typ, place{what: `the column "` + col.Name.Text + `"`})
		if k == nil {
			result = value.InvalidType
			continue
		}
		values[r][i] = k.Value
	}
	return result
}

// columnType joins the types of a column's values.
func (t *tester) columnType(b *body, col *ast.Column, rows []*ast.Row, i int) *value.Type {
	var es []ast.Expr
	needy := true
	for _, row := range rows {
		es = append(es, row.Values[i])
		needy = needy && rank(b, row.Values[i]) >= 2
	}
	if needy {
		d := t.c.report(diag.ColumnType, col.Span, "nothing tells the type of the column %q", col.Name.Text)
		d.Hint = "say it, `" + col.Name.Text + ": int?`"
		if n, ok := unparen(es[0]).(*ast.NameExpr); ok {
			if enums := t.sc.enumsWith(n.Name); len(enums) > 0 {
				d.Hint = "say it, `" + col.Name.Text + ": " + enums[0] + "`, or write `" + enums[0] + "." + n.Name + "`"
			}
		}
		return value.InvalidType
	}
	_, typ := b.joinAll(es, nil, `the values of the column "`+col.Name.Text+`"`)
	if typ == nil {
		return value.InvalidType
	}
	return unbounded(typ)
}

func (t *tester) steps(steps []ast.Step) []TestStep {
	out := make([]TestStep, 0, len(steps))
	for _, s := range steps {
		if x := t.step(s); x != nil {
			out = append(out, x)
		}
	}
	return out
}

func (t *tester) step(s ast.Step) TestStep {
	switch s := s.(type) {
	case *ast.GivenEvent:
		return orNil(t.givenEvent(s))
	case *ast.GivenState:
		return orNil(t.givenState(s))
	case *ast.When:
		return orNil(t.whenStep(s))
	case *ast.AtStep:
		return orNil(t.at(s))
	case *ast.AsStep:
		return t.as_(s)
	case *ast.LetStep:
		l := t.let(s.Span, s.Name, s.Type, s.Value, false).(*Let)
		return &LetStep{l.Place, l.Local, l.Value}
	case *ast.Repeat:
		return orNil(t.repeat(s))
	case *ast.BadStep:
		t.checked = true // it may have been the then
		return nil
	}
	return t.then(s)
}

// orNil makes a nil interface of a nil step.
func orNil[T any, P interface {
	*T
	TestStep
}](p P) TestStep {
	if p == nil {
		return nil
	}
	return p
}

func (t *tester) beforeWhen(at diag.Span, what string) {
	if t.whens > 0 {
		t.c.report(diag.TestShape, at, "%s stands before the first `when`", what).Hint = "move it up, or write another test"
	}
}

func (t *tester) givenEvent(s *ast.GivenEvent) *GivenEvent {
	t.beforeWhen(s.Span, "`given`")
	t.events = true
	t.c.eventName(t.agg, s.Event)
	e := t.agg.event[s.Event.Text]
	if e == nil {
		t.unknownEvent(s.Event)
		t.checkItems(s.Items)
		return nil
	}
	v := e.current()
	if s.Version != 0 {
		if v = e.version(s.Version); v == nil {
			t.c.report(diag.UnknownEvent, s.Event.Span, "there is no %s @%d", s.Event.Text, s.Version).Hint = "the highest is @" + itoa(e.current().ast.Version)
			return nil
		}
	}
	mk, ok := t.make(s.Items, v.fields, s.Event.Span, v.ast.Name.Span)
	if !ok {
		return nil
	}
	return &GivenEvent{Place{s.Span}, v.out, mk}
}

func (t *tester) givenState(s *ast.GivenState) *GivenState {
	t.beforeWhen(s.Span, "`given state`")
	if t.state || t.events {
		t.c.report(diag.TestShape, s.Span, "`given state` comes once, before all given events").Hint = "put it first"
	}
	t.state = true
	mk, ok := t.make(s.Items, t.agg.state, s.Span, t.agg.stateAST.Span)
	if !ok {
		return nil
	}
	return &GivenState{Place{s.Span}, mk}
}

// endWhen reports a `when` without `then` (ruling 82).
func (t *tester) endWhen() {
	if t.when != nil && !t.checked {
		d := t.c.report(diag.TestShape, t.when.Command.Span, "this `when` has no `then`")
		d.Hint = "say what is expected: `then emit …`, `then nothing`, `then reject …` or `then state.… == …`"
	}
	t.when = nil
}

func (t *tester) whenStep(s *ast.When) *When {
	t.endWhen()
	t.whens++
	t.when, t.checked, t.outcome, t.emits = s, false, "", 0
	t.c.commandName(t.agg, s.Command)
	cmd := t.agg.command[s.Command.Text]
	t.command = cmd
	if cmd == nil {
		d := t.c.report(diag.UnknownCommand, s.Command.Span, "unknown command %q", s.Command.Text)
		if !didYouMean(d, s.Command.Span, s.Command.Text, sortedKeys(t.agg.command)) && t.agg.event[s.Command.Text] != nil {
			d.Hint = "it is an event: events are given, commands come `when`"
		}
		t.checkItems(s.Items)
		return nil
	}
	mk, ok := t.make(s.Items, cmd.fields, s.Command.Span, cmd.ast.Name.Span)
	if !ok {
		return nil
	}
	return &When{Place{s.Span}, cmd.out, mk}
}

func (t *tester) at(s *ast.AtStep) *AtStep {
	if s.Time == nil {
		return nil
	}
	v, ok := value.ParseTime(s.Time.Value)
	if !ok {
		t.c.report(diag.BadText, s.Time.Span, "%q is not a time", s.Time.Value).Hint = textForms[value.Time]
		return nil
	}
	return &AtStep{Place{s.Span}, value.GoTime(v)}
}

var asKeys = []string{"roles", "meta", "tenant", "aggregate_id", "command_id"}

// as_ checks `as { roles: […], … }`.
func (t *tester) as_(s *ast.AsStep) TestStep {
	out := &AsStep{Place: Place{s.Span}}
	calls := len(t.node.calls)
	defer func() {
		for _, u := range t.node.calls[calls:] {
			t.c.report(diag.NotConstant, u.span, "`as` calls no functions").Hint = "write the value, or use a column of `cases`"
		}
	}()
	seen := map[string]diag.Span{}
	for _, it := range s.Items {
		if it.Spread {
			t.c.report(diag.BadSpread, it.Span, "`as` takes no `..`").Hint = "write the fields"
			continue
		}
		if first, twice := seen[it.Name.Text]; twice {
			declaredAt(t.c.report(diag.FieldTwice, it.Name.Span, "the field %q is given twice", it.Name.Text), first, "the first is here")
			continue
		}
		seen[it.Name.Text] = it.Name.Span
		p := place{name: it.Name.Text, of: "`as`"}
		switch it.Name.Text {
		case "roles":
			out.Roles = t.roleList(it)
		case "meta":
			out.Meta = t.as(it.Value, ctxFields[CtxMeta].typ, p)
		case "tenant":
			out.Tenant = t.as(it.Value, value.StringType, p)
		case "aggregate_id":
			out.AggregateID = t.as(it.Value, value.UUIDType, p)
		case "command_id":
			out.CommandID = t.as(it.Value, value.UUIDType, p)
		case "now":
			t.c.report(diag.UnknownField, it.Name.Span, "`as` does not set the time").Hint = "write `at \"2026-01-31T12:00:00Z\"`"
		default:
			d := t.c.report(diag.UnknownField, it.Name.Span, "unknown field %q in `as`", it.Name.Text)
			if !didYouMean(d, it.Name.Span, it.Name.Text, asKeys) {
				d.Hint = "it has " + quoteList(asKeys)
			}
		}
	}
	return out
}

// roleList takes roles as a list or a set.
func (t *tester) roleList(it *ast.Item) Expr {
	t.c.roleTexts(t.agg, it.Value)
	set := ctxFields[CtxRoles].typ
	if isSetCall(it.Value) {
		return t.as(it.Value, set, place{name: "roles", of: "`as`"})
	}
	x := t.expr(it.Value, listOf(value.StringType))
	if x.Type().Kind == value.List && x.Type().Elem.Kind == value.String {
		return t.builtin(value.SetOf, it.Value.Pos(), set, x)
	}
	y := t.coerce(x, set)
	if y == nil {
		t.mismatch(x, it.Value, set, place{name: "roles", of: "`as`"})
		return t.bad(it.Value.Pos())
	}
	return y
}

// maxRepeat is how often `repeat` repeats at most (ruling 108).
const maxRepeat = 10_000

func (t *tester) repeat(s *ast.Repeat) *Repeat {
	t.repeats++
	defer func() { t.repeats-- }()
	if t.repeats > 2 {
		t.c.report(diag.TestShape, s.Span, "`repeat` nests twice at most").Hint = "write one with a greater number"
	}
	n, ok := int64(1), true
	if s.N != nil {
		n, ok = parseInt(s.N.Text)
		if !ok || n < 1 || n > maxRepeat {
			t.c.report(diag.RepeatOutOfRange, s.N.Span, "`repeat` takes a number from 1 to 10,000, not %s", s.N.Text)
			n = 1
		}
	}
	before := t.whens
	given, when := kinds(s.Steps)
	if given && when {
		t.c.report(diag.TestShape, s.Span, "one `repeat` holds `given` steps or `when` steps, not both").Hint = "write two"
	}
	m := t.mark()
	if t.whens == before && when {
		t.endWhen()
	}
	out := &Repeat{Place{s.Span}, int(n), t.steps(s.Steps)}
	if when {
		t.endWhen()
	}
	t.pop(m)
	return out
}

func kinds(steps []ast.Step) (given, when bool) {
	for _, s := range steps {
		switch s := s.(type) {
		case *ast.GivenEvent, *ast.GivenState:
			given = true
		case *ast.When:
			when = true
		case *ast.Repeat:
			g, w := kinds(s.Steps)
			given, when = given || g, when || w
		}
	}
	return given, when
}
