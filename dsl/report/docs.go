package report

import (
	"slices"
	"strings"

	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// Doc is what a domain owner reads of one aggregate.
type Doc struct {
	Name       string
	Doc        string
	Lead       []string // sentences: how it begins and ends
	Commands   []DocCommand
	Events     []DocEvent
	State      []DocField
	Derives    []DocValue
	Invariants []DocValue
	Guards     []DocRule
	Fns        []DocRule
	Types      []DocType
	Consts     []DocValue
	Roles      []DocRole
	Rejections []DocReject
	Matrix     *Matrix
	Graphs     []*Graph
}

// The parts of a Doc.
type (
	// DocCommand is one command.
	DocCommand struct {
		Name    string
		Doc     string
		By      []string
		Creates bool
		Fields  []DocField
		Rules   []DocStep
		Rejects []DocReject
	}
	// DocEvent is one version of one event.
	DocEvent struct {
		Name    string
		Doc     string
		Version int
		Old     string // what the version is turned into when read; empty if current
		Fields  []DocField
		Effects []DocStep
		By      []string // the commands that emit it
	}
	// DocField is one field.
	DocField struct{ Name, Type, Doc, Default, Where string }
	// DocValue is a name and an expression.
	DocValue struct{ Name, Type, Doc, Text string }
	// DocRule is a guard or a function.
	DocRule struct {
		Name  string // with its parameters
		Doc   string
		Steps []DocStep
	}
	// DocStep is one statement in words; Code marks parts that stand for themselves.
	DocStep struct {
		Parts []DocPart
		Sub   []DocStep
	}
	// DocPart is a stretch of a step.
	DocPart struct {
		Text string
		Code bool
	}
	// DocType is an enum or a record.
	DocType struct {
		Name, Kind, Doc string
		Fields          []DocField
	}
	// DocRole is a role and the commands that ask for it.
	DocRole struct {
		Name     string
		Commands []string
	}
	// DocReject is one refusal.
	DocReject struct {
		Code     string
		Message  string
		Reserved bool
		Commands []string
	}
)

// reservedMessages explain the codes of the system.
var reservedMessages = map[string]string{
	"not_found":          "it does not exist yet",
	"already_exists":     "it exists already",
	"forbidden":          "the sender has none of the roles that the command asks for",
	"finished":           "its life has ended",
	"invariant_violated": "an invariant would not hold afterwards",
	"validation_error":   "a field is unknown, missing, mistyped, over its bound, or breaks its condition",
}

// NewDoc documents an aggregate; field is the status field of its matrix, "" chooses it.
func NewDoc(a *check.Aggregate, field string) (*Doc, error) {
	d := &Doc{Name: a.Name, Doc: a.Doc}
	var err error
	if d.Matrix, err = NewMatrix(a, field); err != nil {
		return nil, err
	}
	if d.Graphs, err = NewGraphs(a, field); err != nil {
		return nil, err
	}
	slices.SortStableFunc(d.Graphs, func(x, y *Graph) int { // that of the status first
		return rank(x.Field != d.Matrix.Field) - rank(y.Field != d.Matrix.Field)
	})
	d.lead(a)
	for _, c := range a.Commands {
		d.command(a, c)
	}
	for _, e := range a.Events {
		d.event(a, e)
	}
	d.State = fields(a.State, a.StateInfo, nil)
	for _, v := range a.Derives {
		d.Derives = append(d.Derives, DocValue{v.Name, v.Type.String(), v.Doc, source(v.Value, nil)})
	}
	for _, v := range a.Invariants {
		d.Invariants = append(d.Invariants, DocValue{v.Name, "", v.Doc, source(v.Cond, nil)})
	}
	d.rules(a)
	d.types(a)
	d.roles(a)
	d.rejections(a)
	return d, nil
}

func rank(later bool) int {
	if later {
		return 1
	}
	return 0
}

func (d *Doc) lead(a *check.Aggregate) {
	var births []string
	for _, c := range a.Commands {
		if c.Creates {
			births = append(births, c.Name)
		}
	}
	if len(births) > 0 {
		d.Lead = append(d.Lead, "It begins with "+words(births, "or")+"; every other command before is refused not_found.")
	} else {
		d.Lead = append(d.Lead, "It has no birth: every command works from the initial state.")
	}
	if a.Final != nil {
		code := "finished"
		if a.Final.Refusal != nil {
			code = a.Final.Refusal.Code
		}
		d.Lead = append(d.Lead, "It ends when "+source(a.Final.Cond, nil)+"; every command afterwards is refused "+code+".")
	}
}

func fields(list []value.Field, info []check.FieldInfo, wheres []*check.Where) []DocField {
	var out []DocField
	for i, f := range list {
		df := DocField{Name: f.Name, Type: f.Type.String()}
		if i < len(info) {
			df.Doc = info[i].Doc
		}
		if f.HasDefault {
			df.Default = string(value.AppendJSON(nil, f.Type, f.Default))
		}
		for _, w := range wheres {
			if w.Field == i {
				df.Where = oneLine(w.Text)
			}
		}
		out = append(out, df)
	}
	return out
}

func (d *Doc) command(a *check.Aggregate, c *check.Command) {
	dc := DocCommand{Name: c.Name, Doc: c.Doc, By: c.By, Creates: c.Creates, Fields: fields(c.Fields, c.Info, c.Wheres)}
	dc.Rules = steps(c.Decide)
	dc.Rejects = refusals(a, c)
	d.Commands = append(d.Commands, dc)
}

// refusals lists what a command can be refused with, in the order of the checks.
func refusals(a *check.Aggregate, c *check.Command) []DocReject {
	var out []DocReject
	add := func(code, message string) {
		r := DocReject{Code: code, Message: message}
		if reserved, ok := reservedMessages[code]; ok && message == "" {
			r.Message, r.Reserved = reserved, true
		}
		if r.Message == "" { // no message: the code says it
			r.Message = strings.ReplaceAll(code, "_", " ")
		}
		if !slices.ContainsFunc(out, func(o DocReject) bool { return o.Code == code && o.Message == r.Message }) {
			out = append(out, r)
		}
	}
	given := func(r *check.Refusal, code string) {
		if r == nil {
			add(code, "")
			return
		}
		add(r.Code, message(r))
	}
	add("validation_error", "")
	if len(c.By) > 0 {
		add("forbidden", "")
	}
	switch {
	case c.Creates:
		given(c.CreateElse, "already_exists")
	case hasBirth(a):
		add("not_found", "")
	}
	if a.Final != nil && !c.Creates {
		given(a.Final.Refusal, "finished")
	}
	eachRefusal(c.Decide, func(r *check.Refusal) { given(r, r.Code) })
	if len(a.Invariants) > 0 {
		add("invariant_violated", "")
	}
	return out
}

// message is the text of a refusal as the author wrote it, without its quotes.
func message(r *check.Refusal) string {
	if r.Message == nil {
		return ""
	}
	text := spanText(r.Message.Pos())
	if len(text) >= 2 && (text[0] == '"' || text[0] == '`') {
		text = text[1 : len(text)-1]
	}
	return text
}

// eachRefusal calls f for each refusal in statements and in the guards that they check.
func eachRefusal(list []check.Stmt, f func(*check.Refusal)) {
	seen := map[*check.Guard]bool{}
	var stmt func(check.Stmt)
	stmt = func(s check.Stmt) {
		switch s := s.(type) {
		case *check.Require:
			if s.Refusal != nil {
				f(s.Refusal)
			}
		case *check.RejectStmt:
			f(s.Refusal)
		case *check.Check:
			if !seen[s.Guard] {
				seen[s.Guard] = true
				walkStmts(s.Guard.Body, stmt, func(check.Expr) {})
			}
		}
	}
	walkStmts(list, stmt, func(check.Expr) {})
}

func (d *Doc) event(a *check.Aggregate, e *check.Event) {
	de := DocEvent{Name: e.Name, Doc: e.Doc, Version: e.Version, Fields: fields(e.Fields, e.Info, nil)}
	if e.Current {
		de.Effects = steps(e.Apply)
		for _, c := range a.Commands {
			emits := false
			walkStmts(c.Decide, func(s check.Stmt) {
				em, ok := s.(*check.Emit)
				emits = emits || ok && em.Event == e
			}, func(check.Expr) {})
			if emits {
				de.By = append(de.By, c.Name)
			}
		}
	}
	if e.Upcast != nil {
		de.Old = e.Upcast.To.Name + " @" + itoa(e.Upcast.To.Version)
	}
	d.Events = append(d.Events, de)
}

func (d *Doc) rules(a *check.Aggregate) {
	for _, g := range a.Guards {
		d.Guards = append(d.Guards, DocRule{signature(g.Name, g.Params), g.Doc, steps(g.Body)})
	}
	for _, f := range a.Fns {
		r := DocRule{Name: signature(f.Name, f.Params) + ": " + f.Result.String(), Doc: f.Doc}
		if ret, ok := only(f.Body); ok {
			r.Steps = []DocStep{step(code(source(ret.Value, nil)))}
		} else {
			r.Steps = steps(f.Body)
		}
		d.Fns = append(d.Fns, r)
	}
	for _, k := range a.Consts {
		d.Consts = append(d.Consts, DocValue{k.Name, k.Type.String(), k.Doc, string(value.AppendText(nil, k.Type, k.Value))})
	}
}

func only(body []check.Stmt) (*check.Return, bool) {
	if len(body) != 1 {
		return nil, false
	}
	r, ok := body[0].(*check.Return)
	return r, ok
}

func signature(name string, params []*check.Local) string {
	var list []string
	for _, p := range params {
		list = append(list, p.Name+": "+p.Type.String())
	}
	return name + "(" + strings.Join(list, ", ") + ")"
}

func (d *Doc) types(a *check.Aggregate) {
	for _, e := range a.Enums {
		t := DocType{Name: e.Type.Name, Kind: "enum", Doc: e.Doc}
		if e.Type.Ordered {
			t.Kind = "ordered enum"
		}
		for i, m := range e.Type.Members {
			f := DocField{Name: m.Name}
			if m.Wire != m.Name {
				f.Default = m.Wire
			}
			if i < len(e.MemberDocs) {
				f.Doc = e.MemberDocs[i]
			}
			t.Fields = append(t.Fields, f)
		}
		d.Types = append(d.Types, t)
	}
	for _, r := range a.Records {
		d.Types = append(d.Types, DocType{r.Type.Name, "record", r.Doc, fields(r.Type.Fields, r.Fields, r.Wheres)})
	}
}

func (d *Doc) roles(a *check.Aggregate) {
	for _, name := range a.Roles {
		r := DocRole{Name: name}
		for _, c := range a.Commands {
			if slices.Contains(c.By, name) {
				r.Commands = append(r.Commands, c.Name)
			}
		}
		d.Roles = append(d.Roles, r)
	}
}

// rejections turns the tables of the commands round: each code, its messages, its commands.
func (d *Doc) rejections(a *check.Aggregate) {
	for _, c := range d.Commands {
		for _, r := range c.Rejects {
			at := slices.IndexFunc(d.Rejections, func(o DocReject) bool { return o.Code == r.Code && o.Message == r.Message })
			if at < 0 {
				at = len(d.Rejections)
				d.Rejections = append(d.Rejections, DocReject{Code: r.Code, Message: r.Message, Reserved: r.Reserved})
			}
			d.Rejections[at].Commands = append(d.Rejections[at].Commands, c.Name)
		}
	}
	slices.SortStableFunc(d.Rejections, func(a, b DocReject) int {
		if a.Reserved != b.Reserved {
			if a.Reserved {
				return 1
			}
			return -1
		}
		return strings.Compare(a.Code, b.Code)
	})
}
