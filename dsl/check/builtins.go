package check

import (
	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// builtinInfo is how a builtin is typed: either params, result and op, or a typ of its own.
type builtinInfo struct {
	usage  string // as documents show it
	params []*value.Type
	result *value.Type
	op     value.Builtin
	// typ checks a call with from min to max arguments; max -1 is any number.
	min, max int
	typ      func(b *body, e *ast.Call, want *value.Type) Expr
	// comp is what `f(e for …)` makes; hasComp tells that there is such a form.
	comp    CompKind
	hasComp bool
	// compOnly: there is no form with arguments; alt is what to write instead.
	compOnly bool
	alt      string
}

var (
	str = value.StringType
	num = value.IntType
	day = value.DateType
	jsn = value.JSONType
)

func fixed(usage string, op value.Builtin, result *value.Type, params ...*value.Type) *builtinInfo {
	return &builtinInfo{usage: usage, op: op, result: result, params: params, min: len(params), max: len(params)}
}

func special(usage string, min, max int, typ func(b *body, e *ast.Call, want *value.Type) Expr) *builtinInfo {
	return &builtinInfo{usage: usage, min: min, max: max, typ: typ}
}

func (i *builtinInfo) with(k CompKind) *builtinInfo {
	i.comp, i.hasComp = k, true
	return i
}

func onlyComp(usage string, k CompKind, alt string) *builtinInfo {
	return &builtinInfo{usage: usage, comp: k, hasComp: true, compOnly: true, alt: alt}
}

// builtinTable makes the table of all builtins by name. It belongs to a checker: a package
// variable would depend on itself, since its entries check calls.
func builtinTable() map[string]*builtinInfo {
	return map[string]*builtinInfo{
		"len":           special("len(x): int", 1, 1, (*body).lenCall),
		"abs":           special("abs(x): int, decimal or duration", 1, 1, (*body).absCall),
		"min":           special("min(a, b, …), min(xs) or min(e for x in xs)", 1, -1, (*body).minCall).with(CompMin),
		"max":           special("max(a, b, …), max(xs) or max(e for x in xs)", 1, -1, (*body).maxCall).with(CompMax),
		"round":         special("round(d, scale, mode): decimal", 3, 3, (*body).roundCall),
		"div":           special("div(a, b, scale, mode): decimal", 4, 4, (*body).divCall),
		"int":           special("int(d): int", 1, 1, (*body).intCall),
		"decimal":       special("decimal(i): decimal", 1, 1, (*body).decimalCall),
		"string":        special("string(x): string", 1, 1, (*body).stringCall),
		"parse_int":     fixed("parse_int(s): int?", value.ParseInt, optional(num), str),
		"parse_decimal": fixed("parse_decimal(s): decimal?", value.ParseDecimal, optional(value.DecimalType), str),
		"lower":         fixed("lower(s): string", value.Lower, str, str),
		"upper":         fixed("upper(s): string", value.Upper, str, str),
		"trim":          fixed("trim(s): string", value.Trim, str, str),
		"starts_with":   fixed("starts_with(s, prefix): bool", value.StartsWith, value.BoolType, str, str),
		"ends_with":     fixed("ends_with(s, suffix): bool", value.EndsWith, value.BoolType, str, str),
		"contains":      special("contains(s, part): bool", 2, 2, (*body).containsCall),
		"replace":       fixed("replace(s, old, new): string", value.Replace, str, str, str, str),
		"split":         fixed("split(s, separator): list<string>", value.Split, listOf(str), str, str),
		"join":          special("join(xs, separator): string", 2, 2, (*body).joinCall),
		"matches":       special("matches(s, `pattern`): bool", 2, 2, (*body).matchesCall),
		"keys":          special("keys(m): list", 1, 1, (*body).keysCall),
		"values":        special("values(m): list", 1, 1, (*body).valuesCall),
		"sort":          special("sort(xs): list", 1, 1, (*body).sortCall),
		"sort_by":       onlyComp("sort_by(key, key desc for x in xs): list", CompSortBy, "sort_by(x.… for x in %s)"),
		"reverse":       special("reverse(xs): list", 1, 1, (*body).reverseCall),
		"first":         special("first(xs) or first(e for x in xs): T?", 1, 1, (*body).firstCall).with(CompFirst),
		"last":          special("last(xs) or last(e for x in xs): T?", 1, 1, (*body).lastCall).with(CompLast),
		"slice":         special("slice(x, from, to): string or list", 3, 3, (*body).sliceCall),
		"unique":        special("unique(xs) or unique(e for x in xs): list", 1, 1, (*body).uniqueCall).with(CompUnique),
		"set":           special("set(xs) or set(e for x in xs): set", 1, 1, (*body).setCall).with(CompSet),
		"sum":           special("sum(xs) or sum(e for x in xs)", 1, 1, (*body).sumCall).with(CompSum),
		"count":         onlyComp("count(x for x in xs if c): int", CompCount, "len(%s)"),
		"any":           onlyComp("any(c for x in xs): bool", CompAny, "any(x for x in %s)"),
		"all":           onlyComp("all(c for x in xs): bool", CompAll, "all(x for x in %s)"),
		"range":         special("range(a, b)", 2, 2, (*body).rangeCall),
		"year":          special("year(t): int", 1, 1, dayPart(value.Year)),
		"month":         special("month(t): int", 1, 1, dayPart(value.Month)),
		"day":           special("day(t): int", 1, 1, dayPart(value.Day)),
		"weekday":       special("weekday(t): int", 1, 1, dayPart(value.Weekday)),
		"date":          special(`date(t) or date("2026-01-31"): date`, 1, 1, (*body).dateCall),
		"time":          special(`time("2026-01-31T12:00:00Z"): time`, 1, 1, (*body).timeCall),
		"uuid":          special(`uuid(n) or uuid("…"): uuid`, 1, 1, (*body).uuidCall),
		"add_days":      fixed("add_days(d, n): date", value.AddDays, day, day, num),
		"add_months":    fixed("add_months(d, n): date", value.AddMonths, day, day, num),
		"days_between":  fixed("days_between(a, b): int", value.DaysBetween, num, day, day),
		"as_int":        fixed("as_int(j): int?", value.AsInt, optional(num), jsn),
		"as_decimal":    fixed("as_decimal(j): decimal?", value.AsDecimal, optional(value.DecimalType), jsn),
		"as_string":     fixed("as_string(j): string?", value.AsString, optional(str), jsn),
		"as_bool":       fixed("as_bool(j): bool?", value.AsBool, optional(value.BoolType), jsn),
		"as_list":       fixed("as_list(j): list<json>?", value.AsList, optional(listOf(jsn)), jsn),
	}
}

// foreignCalls are the names by which other languages call a builtin.
var foreignCalls = map[string]string{
	"length": "len", "size": "len", "str": "string", "to_string": "string", "toString": "string", "upper_case": "upper", "lower_case": "lower",
	"to_upper": "upper", "to_lower": "lower", "substring": "slice", "substr": "slice", "floor": "round", "ceil": "round", "startsWith": "starts_with",
	"endsWith": "ends_with", "includes": "contains", "regex": "matches", "match_regex": "matches", "now": "ctx.now", "today": "date(ctx.now)",
	"filter": "[x for x in xs if …]", "map": "[… for x in xs]", "distinct": "unique", "to_set": "set", "average": "div(sum(xs), decimal(len(xs)), 2, half_even)", "avg": "div(sum(xs), decimal(len(xs)), 2, half_even)",
}

// call resolves f(…): the author's function first, then the builtin (ruling 38).
func (b *body) call(e *ast.Call, want *value.Type) Expr {
	b.fnName(e.Fn)
	if f := b.sc.fn(e.Fn.Text); f != nil {
		return b.fnCall(f, e)
	}
	info := b.c.builtins[e.Fn.Text]
	if info == nil {
		b.unknownCall(e)
		return b.bad(e.Span)
	}
	if e.Comp != nil {
		return b.compCall(info, e, want)
	}
	if info.compOnly {
		b.needsComp(info, e)
		return b.bad(e.Span)
	}
	if len(e.Args) < info.min || info.max >= 0 && len(e.Args) > info.max {
		b.arity(e.Fn, len(e.Args), info.usage, diag.Span{})
		b.checkAll(e.Args)
		return b.bad(e.Span)
	}
	if info.typ != nil {
		return info.typ(b, e, want)
	}
	args := make([]Expr, len(e.Args))
	for i, a := range e.Args {
		args[i] = b.as(a, info.params[i], place{what: "argument " + itoa(i+1) + " of " + e.Fn.Text})
	}
	return b.builtin(info.op, e.Span, info.result, args...)
}

func (b *body) checkAll(es []ast.Expr) {
	for _, e := range es {
		if rank(b, e) < 2 {
			b.expr(e, nil)
		}
	}
}

func (b *body) arity(fn ast.Name, got int, usage string, decl diag.Span) {
	d := b.c.report(diag.WrongArity, fn.Span, "%s does not take %s", fn.Text, plural(got, "argument"))
	d.Hint = "write " + usage
	declaredAt(d, decl, "%s is declared here", fn.Text)
}

func (b *body) unknownCall(e *ast.Call) {
	b.checkAll(e.Args)
	name := e.Fn.Text
	d := b.c.report(diag.UnknownFunction, e.Fn.Span, "unknown function %q", name)
	switch {
	case b.agg != nil && b.agg.guard[name] != nil:
		d.Hint = "it is a guard: write `check " + e.Span.Text() + "` as a statement"
		declaredAt(d, b.agg.guard[name].ast.Name.Span, "%q is declared here", name)
	case b.locals[name] != nil || b.sc.constant(name) != nil:
		d.Hint = "it is a value, and values are not called"
	case foreignCalls[name] != "":
		d.Hint = "here that is written `" + foreignCalls[name] + "`"
	default:
		if !didYouMean(d, e.Fn.Span, name, append(b.sc.fnNames(), sortedKeys(b.c.builtins)...)) {
			d.Hint = "declare it: `fn " + name + "(…): … = …`"
		}
	}
}

func (b *body) needsComp(info *builtinInfo, e *ast.Call) {
	b.checkAll(e.Args)
	d := b.c.report(diag.NeedsFor, e.Span, "%s needs a `for`", e.Fn.Text)
	d.Hint = "write " + info.usage
	if len(e.Args) == 1 {
		d.Hint = "write `" + sprintf(info.alt, e.Args[0].Pos().Text()) + "`"
	}
}

func (b *body) fnCall(f *fnDecl, e *ast.Call) Expr {
	if e.Comp != nil {
		b.c.report(diag.NeedsFor, e.Span, "the function %q takes no `for`", e.Fn.Text).Hint = "pass a list: `" + e.Fn.Text + "([… for … in …])`"
		return b.bad(e.Span)
	}
	b.node.calls = append(b.node.calls, use{&f.node, e.Span})
	if b.rule == ruleConst {
		b.checkAll(e.Args)
		d := b.c.report(diag.NotConstant, e.Span, "the call of %q is not a constant", e.Fn.Text)
		d.Hint = "constants use builtins and other constants; make it a function without arguments instead"
		return b.bad(e.Span)
	}
	if len(e.Args) != len(f.ast.Params) {
		b.checkAll(e.Args)
		b.arity(e.Fn, len(e.Args), usage(f.ast), f.ast.Name.Span)
		return b.bad(e.Span)
	}
	args := make([]Expr, len(e.Args))
	ok := true
	for i, a := range e.Args {
		p := f.out.Params[i]
		args[i] = b.as(a, p.Type, place{what: "argument " + itoa(i+1) + " of " + e.Fn.Text, decl: p.Span})
		ok = ok && !bad(args[i].Type())
	}
	if !ok || bad(f.out.Result) {
		return b.bad(e.Span)
	}
	return &FnCall{Typed{f.out.Result, e.Span}, f.out, args}
}

// usage is the head of a function as its author wrote it.
func usage(f *ast.Fn) string {
	s := f.Name.Text + "("
	for i, p := range f.Params {
		if i > 0 {
			s += ", "
		}
		s += p.Name.Text
	}
	return s + ")"
}

// builtin makes a call of settled types and folds it.
func (b *body) builtin(op value.Builtin, at diag.Span, result *value.Type, args ...Expr) Expr {
	for _, a := range args {
		if bad(a.Type()) {
			return b.bad(at)
		}
	}
	info := &value.CallInfo{Arg: args[0].Type(), Result: result}
	return b.fold(&Call{Typed{result, at}, op, info, args})
}
