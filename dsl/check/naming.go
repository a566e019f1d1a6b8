package check

import (
	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/value"
)

var roots = map[string]bool{"state": true, "old": true, "cmd": true, "event": true, "ctx": true}

var rootNames = []string{"state", "cmd", "event", "ctx", "old"}

// name resolves a bare name: a local, a constant, or a member of the enum that is expected.
func (b *body) name(e *ast.NameExpr, want *value.Type) Expr {
	var enum *value.Type
	if w := bareKind(want); w == value.Enum {
		enum = bare(want)
	}
	member := -1
	if enum != nil {
		member = memberIndex(b.c.enums[enum.Enum], e.Name)
	}
	if b.c.asked(e.Name) {
		b.offerNames(want)
	}
	if l := b.locals[e.Name]; l != nil {
		if member >= 0 && !l.field {
			return b.ambiguous(e, enum, l.local.Span)
		}
		l.read = true
		b.c.saw(e.Span, l.local.Span, l.local.Type)
		return &LocalRef{Typed{l.local.Type, e.Span}, l.local}
	}
	if k := b.sc.constant(e.Name); k != nil {
		if member >= 0 {
			return b.ambiguous(e, enum, k.ast.Name.Span)
		}
		b.c.constValue(k, e.Span)
		b.c.saw(e.Span, k.ast.Name.Span, k.typ)
		if k.bad {
			return b.bad(e.Span)
		}
		return &Const{Typed{k.typ, e.Span}, k.value}
	}
	if member >= 0 {
		b.c.memberName(b.c.enums[enum.Enum], ast.Name{At: e.At, Text: e.Name}, member, true)
		return &Const{Typed{enum, e.Span}, value.MakeInt(int64(member))}
	}
	b.unknownName(e, enum)
	return b.bad(e.Span)
}

// ambiguous reports a name that is a local and a member of the expected enum (ruling 36).
func (b *body) ambiguous(e *ast.NameExpr, enum *value.Type, local diag.Span) Expr {
	full := enum.Enum.Name + "." + e.Name
	d := b.c.report(diag.AmbiguousMember, e.Span, "%q is both a name of this rule and a member of %s", e.Name, enum.Enum.Name)
	d.Hint = "write `" + full + "` if the member is meant, or rename the other"
	declaredAt(d, local, "%q is declared here", e.Name)
	replace(d, false, e.Span, full, "write "+full)
	return b.bad(e.Span)
}

func (b *body) unknownName(e *ast.NameExpr, enum *value.Type) {
	name := e.Name
	if roots[name] {
		b.rootAsValue(e)
		return
	}
	if isCapital(name) {
		b.typeAsValue(e, enum)
		return
	}
	if enum == nil {
		if enums := b.sc.enumsWith(name); len(enums) > 0 {
			full := enums[0] + "." + name
			d := b.c.report(diag.BareMember, e.Span, "no enum is expected here, so %q alone says too little", name)
			d.Hint = "write `" + full + "`"
			replace(d, len(enums) == 1, e.Span, full, "write "+full)
			return
		}
	}
	d := b.c.report(diag.UnknownName, e.Span, "unknown name %q", name)
	if enum != nil {
		d.Message = `unknown name "` + name + `": no member of ` + enum.Enum.Name + ` is called so`
		if didYouMean(d, e.Span, name, memberNames(enum)) {
			return
		}
	}
	b.nameHint(d, e)
}

func memberNames(enum *value.Type) []string {
	out := make([]string, len(enum.Enum.Members))
	for i, m := range enum.Enum.Members {
		out[i] = m.Name
	}
	return out
}

// nameHint tells where the name exists, or what it may have been meant to be.
func (b *body) nameHint(d *diag.Diagnostic, e *ast.NameExpr) {
	name := e.Name
	write := func(s string) {
		d.Hint = "write `" + s + "`"
		replace(d, false, e.Span, s, "write "+s)
	}
	if at, ok := b.closed[name]; ok {
		d.Hint = "it is bound elsewhere in this rule, and not visible here"
		declaredAt(d, at, "%q is bound here", name)
		return
	}
	if b.fields != nil && b.fields.find(name) >= 0 {
		d.Hint = b.rule.hint
		declaredAt(d, b.fields.asts[b.fields.find(name)].Name.Span, "%q comes after it", name)
		return
	}
	if b.rule.cmd && b.cmd != nil && b.cmd.fields.find(name) >= 0 {
		write("cmd." + name)
		return
	}
	if b.event != nil && b.event.fields != nil && b.event.fields.find(name) >= 0 {
		write(b.rule.event + "." + name)
		return
	}
	if b.rule.state && b.agg != nil && b.agg.state != nil && (b.agg.state.find(name) >= 0 || b.agg.derive[name] != nil) {
		write("state." + name)
		return
	}
	if i := ctxField(name); i >= 0 && b.rule.ctx&(1<<i) != 0 {
		write("ctx." + name)
		return
	}
	if b.sc.fn(name) != nil || b.c.builtins[name] != nil {
		d.Hint = "functions are not values: call it, `" + name + "(…)`"
		return
	}
	locals := sortedKeys(b.locals)
	for _, root := range rootNames {
		if b.sees(root) {
			locals = append(locals, root)
		}
	}
	if didYouMean(d, e.Span, name, append(locals, b.sc.constNames()...)) {
		return
	}
	if b.rule == ruleWhere {
		d.Hint = b.rule.hint
		return
	}
	if near := b.nearestPath(name); near != "" {
		d.Hint = "did you mean `" + near + "`?"
		replace(d, false, e.Span, near, "change to "+near)
	}
}

// nearestPath is the path of a field that is nearly called name.
func (b *body) nearestPath(name string) string {
	if b.rule.cmd && b.cmd != nil {
		if n := nearest(name, b.cmd.fields.names()); n != "" {
			return "cmd." + n
		}
	}
	if b.event != nil && b.event.fields != nil {
		if n := nearest(name, b.event.fields.names()); n != "" {
			return b.rule.event + "." + n
		}
	}
	if b.rule.state && b.agg != nil && b.agg.state != nil {
		if n := nearest(name, append(b.agg.state.names(), sortedKeys(b.agg.derive)...)); n != "" {
			return "state." + n
		}
	}
	return ""
}

// rootAsValue reports `let c = cmd` (ruling 73).
func (b *body) rootAsValue(e *ast.NameExpr) {
	if !b.sees(e.Name) {
		b.notSeen(e.Name, e.Span)
		return
	}
	d := b.c.report(diag.RootAsValue, e.Span, "`%s` is not a value by itself", e.Name)
	d.Hint = "take a field, `" + e.Name + ".…`"
	if e.Name != "state" && e.Name != "ctx" {
		d.Hint += ", or spread it, `.." + e.Name + "`"
	}
}

func (b *body) typeAsValue(e *ast.NameExpr, enum *value.Type) {
	if t := b.sc.typ(e.Name); t != nil {
		d := b.c.report(diag.NotAValue, e.Span, "the type %s is not a value", e.Name)
		if t.enum != nil {
			d.Hint = "take a member, `" + e.Name + "." + firstMember(t) + "`"
		} else {
			d.Hint = "make one, `" + e.Name + " { … }`"
		}
		return
	}
	if enum != nil {
		d := b.c.report(diag.UnknownName, e.Span, "unknown name %q: no member of %s is called so", e.Name, enum.Enum.Name)
		didYouMean(d, e.Span, e.Name, memberNames(enum))
		return
	}
	d := b.c.report(diag.UnknownType, e.Span, "unknown type %q", e.Name)
	didYouMean(d, e.Span, e.Name, b.sc.typeNames())
}

func firstMember(t *typeDecl) string {
	if len(t.enum.Members) == 0 {
		return "…"
	}
	return t.enum.Members[0].Name.Text
}

// sees tells whether the rule is born with a root.
func (b *body) sees(root string) bool {
	switch root {
	case "state":
		return b.rule.state && b.agg != nil
	case "old":
		return b.rule.old || b.rule.event == "old"
	case "cmd":
		return b.rule.cmd
	case "event":
		return b.rule.event == "event"
	case "ctx":
		return b.rule.ctx != 0
	}
	return false
}

func (b *body) notSeen(root string, at diag.Span) {
	d := b.c.report(diag.NotVisibleHere, at, "%s has no `%s`", b.rule.name, root)
	d.Hint = b.rule.hint
	switch {
	case root == "event" && b.rule == ruleUpcast:
		d.Hint = "the event as it was is `old`"
		replace(d, true, at, "old", "write old")
	case root == "cmd" && b.rule == ruleApply:
		d.Hint = "an apply sees `event`: put the value into the event, in the decide that emits it"
	case root == "old" && b.rule != ruleUpcast:
		d.Hint = "`old` is the state before a command, seen in decide and invariant; in an upcast it is the old event"
	case root == "event" && b.rule == ruleDecide:
		d.Hint = "a decide sees `cmd`, and `state` as its emits have left it"
	}
}

// field resolves x.f.
func (b *body) field(e *ast.FieldExpr) Expr {
	if n, ok := e.X.(*ast.NameExpr); ok && b.locals[n.Name] == nil {
		if roots[n.Name] {
			return b.rootField(n, e)
		}
		if isCapital(n.Name) {
			return b.enumMember(b.sc.typ(n.Name), n, e)
		}
	}
	if q, ok := e.X.(*ast.FieldExpr); ok && isCapital(q.Name.Text) {
		if n, ok := q.X.(*ast.NameExpr); ok && isCapital(n.Name) {
			t := b.c.qualified(ast.Name{At: n.At, Text: n.Name}, q.Name)
			if t == nil {
				return b.bad(e.Span)
			}
			return b.enumMember(t, &ast.NameExpr{At: q.Name.At, Name: q.Name.Text}, e)
		}
	}
	x := b.expr(e.X, nil)
	return b.fieldOf(x, e)
}

func (b *body) fieldOf(x Expr, e *ast.FieldExpr) Expr {
	t := x.Type()
	switch {
	case bad(t):
		return x
	case t.Kind == value.Record:
		fs := b.c.records[t.Record].fields
		i := fs.find(e.Name.Text)
		b.c.fieldName(fs, e.Name, i, nil)
		if i < 0 {
			b.unknownField(fs.what, e.Name, fs.names(), b.c.records[t.Record].name.Span)
			return b.bad(e.Span)
		}
		if bad(fs.fields[i].Type) {
			return b.bad(e.Span)
		}
		return b.fold(&FieldOf{Typed{fs.fields[i].Type, e.Span}, x, i})
	case t.Kind == value.Optional && t.Elem.Kind == value.Record:
		d := b.c.report(diag.MaybeAbsent, e.X.Pos(), "%s may be absent, so it has no fields yet", e.X.Pos().Text())
		d.Hint = "bind it: `if " + e.X.Pos().Text() + " is some v { … v." + e.Name.Text + " … }`"
		return b.bad(e.Span)
	}
	d := b.c.report(diag.NoFields, e.Name.Span, "%s has no fields", article(t))
	d.Hint = b.noFieldHint(e, t)
	return b.bad(e.Span)
}

func (b *body) noFieldHint(e *ast.FieldExpr, t *value.Type) string {
	x := e.X.Pos().Text()
	switch {
	case t.Kind == value.String && countWords[e.Name.Text], t.Elem != nil && t.Kind != value.Optional && countWords[e.Name.Text]:
		return "write `len(" + x + ")`"
	case b.c.builtins[e.Name.Text] != nil && !countWords[e.Name.Text]:
		return "write `" + e.Name.Text + "(" + x + ")`"
	case t.Kind == value.JSON:
		return "write `" + x + `["` + e.Name.Text + `"]` + "`"
	case t.Kind == value.Map && t.Key.Kind == value.String:
		return "write `" + x + `["` + e.Name.Text + `"]` + "`"
	}
	return ""
}

func (b *body) unknownField(of string, n ast.Name, fields []string, decl diag.Span) *diag.Diagnostic {
	d := b.c.report(diag.UnknownField, n.Span, "unknown field %q in %s", n.Text, of)
	if !didYouMean(d, n.Span, n.Text, fields) {
		if len(fields) > 0 && len(fields) <= 12 {
			d.Hint = "it has " + quoteList(fields)
		}
	}
	declaredAt(d, decl, "%s is declared here", of)
	return d
}

var countWords = map[string]bool{"length": true, "size": true, "count": true, "len": true}

func (b *body) enumMember(t *typeDecl, n *ast.NameExpr, e *ast.FieldExpr) Expr {
	if t == nil {
		d := b.c.report(diag.UnknownType, n.Span, "unknown type %q", n.Name)
		if !didYouMean(d, n.Span, n.Name, b.sc.typeNames()) {
			d.Hint = b.c.elsewhere(n.Name)
		}
		return b.bad(e.Span)
	}
	if t.enum == nil {
		d := b.c.report(diag.NotAValue, n.Span, "record %s has no members", n.Name)
		d.Hint = "make one, `" + n.Name + " { … }`"
		return b.bad(e.Span)
	}
	i := memberIndex(t, e.Name.Text)
	b.c.typeRef(b.sc, ast.Name{At: n.At, Text: n.Name}, t, false)
	b.c.memberName(t, e.Name, i, false)
	if i < 0 {
		typ := b.c.typeOf(t)
		d := b.c.report(diag.UnknownMember, e.Name.Span, "enum %s has no member %q", t.name.Text, e.Name.Text)
		if !didYouMean(d, e.Name.Span, e.Name.Text, memberNames(typ)) {
			d.Hint = "it has " + quoteList(memberNames(typ))
		}
		declaredAt(d, t.name.Span, "%s is declared here", t.name.Text)
		return b.bad(e.Span)
	}
	return &Const{Typed{b.c.typeOf(t), e.Span}, value.MakeInt(int64(i))}
}

// rootField resolves state.f, old.f, cmd.f, event.f and ctx.f.
func (b *body) rootField(n *ast.NameExpr, e *ast.FieldExpr) Expr {
	if !b.sees(n.Name) {
		b.notSeen(n.Name, n.Span)
		return b.bad(e.Span)
	}
	b.sawRoot(n, e.Name)
	switch {
	case n.Name == "ctx":
		return b.ctxRef(e)
	case n.Name == "state", n.Name == "old" && b.rule.event != "old":
		return b.stateRef(e, n.Name == "old")
	case n.Name == "cmd":
		return b.cmdRef(e)
	}
	return b.eventRef(e)
}

var ctxFields = [CtxFieldCount]struct {
	name string
	typ  *value.Type
}{
	{"now", value.TimeType}, {"aggregate_id", value.UUIDType}, {"command_id", value.UUIDType}, {"tenant", value.StringType},
	{"version", value.IntType}, {"meta", &value.Type{Kind: value.Map, Key: value.StringType, Elem: value.StringType}}, {"roles", setOf(value.StringType)},
}

func ctxField(name string) int {
	for i, f := range ctxFields {
		if f.name == name {
			return i
		}
	}
	return -1
}

func ctxNames(mask uint16) []string {
	var out []string
	for i, f := range ctxFields {
		if mask&(1<<i) != 0 {
			out = append(out, f.name)
		}
	}
	return out
}

func (b *body) ctxRef(e *ast.FieldExpr) Expr {
	i := ctxField(e.Name.Text)
	if i < 0 {
		d := b.c.report(diag.UnknownField, e.Name.Span, "unknown field %q in ctx", e.Name.Text)
		if !didYouMean(d, e.Name.Span, e.Name.Text, ctxNames(b.rule.ctx)) {
			d.Hint = "it has " + quoteList(ctxNames(b.rule.ctx))
		}
		return b.bad(e.Span)
	}
	if b.rule.ctx&(1<<i) == 0 {
		d := b.c.report(diag.NotVisibleHere, e.Span, "%s has no ctx.%s", b.rule.name, e.Name.Text)
		d.Hint = b.rule.hint
		return b.bad(e.Span)
	}
	b.node.readCtx(CtxField(i), e.Span)
	return &CtxRef{Typed{ctxFields[i].typ, e.Span}, CtxField(i)}
}

func (b *body) stateRef(e *ast.FieldExpr, old bool) Expr {
	b.node.readState(e.Span)
	fs := b.agg.state
	if fs == nil {
		return b.bad(e.Span)
	}
	if i := fs.find(e.Name.Text); i >= 0 {
		if bad(fs.fields[i].Type) {
			return b.bad(e.Span)
		}
		return &StateField{Typed{fs.fields[i].Type, e.Span}, i, old}
	}
	if d := b.agg.derive[e.Name.Text]; d != nil {
		b.node.calls = append(b.node.calls, use{&d.node, e.Span})
		if bad(d.out.Type) {
			return b.bad(e.Span)
		}
		return &DeriveRef{Typed{d.out.Type, e.Span}, d.out, old}
	}
	b.unknownField(fs.what, e.Name, append(fs.names(), sortedKeys(b.agg.derive)...), b.agg.stateAST.Span)
	return b.bad(e.Span)
}

func (b *body) cmdRef(e *ast.FieldExpr) Expr {
	fs := b.cmd.fields
	i := fs.find(e.Name.Text)
	if i < 0 {
		b.unknownField(fs.what, e.Name, fs.names(), b.cmd.ast.Name.Span)
		return b.bad(e.Span)
	}
	b.cmd.reads[i] = true
	if bad(fs.fields[i].Type) {
		return b.bad(e.Span)
	}
	return &CmdField{Typed{fs.fields[i].Type, e.Span}, i}
}

func (b *body) eventRef(e *ast.FieldExpr) Expr {
	fs := b.event.fields
	if fs == nil {
		return b.bad(e.Span)
	}
	i := fs.find(e.Name.Text)
	if i < 0 {
		b.unknownField(fs.what, e.Name, fs.names(), b.event.ast.Name.Span)
		return b.bad(e.Span)
	}
	if bad(fs.fields[i].Type) {
		return b.bad(e.Span)
	}
	return &EventField{Typed{fs.fields[i].Type, e.Span}, i}
}
