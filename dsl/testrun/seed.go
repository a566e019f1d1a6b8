package testrun

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cloudlysis/aggregate/dsl"
	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/format"
	"github.com/cloudlysis/aggregate/dsl/value"
	"github.com/cloudlysis/aggregate/engine/vm"
)

// Recorded is one command of a history, with what it did.
type Recorded struct {
	Type, ID, Tenant string
	// Command is the payload with its "type"; empty when the history holds events only.
	Command   []byte
	CommandID string
	Time      time.Time
	Roles     []string
	Meta      map[string]string
	Events    []RecordedEvent
}

// RecordedEvent is one stored event.
type RecordedEvent struct {
	Name    string
	Version int64 // of the aggregate after it
	Schema  int
	Payload []byte
}

// maxGiven is how many prior events a test gives one by one; beyond, it gives the state that they
// make, so that a long history does not make tests that grow with its square.
const maxGiven = 50

// Seed makes a test of each recorded command: given the events before it, when the command, then
// the events that it made. The text is in the form of `aggc fmt`. Notes tell of what no test
// could be made; commands that are not recorded are looked for among those that make the very
// same events, and a comment says so.
func Seed(res *dsl.Result, history []Recorded) (text []byte, notes []string, err error) {
	s := &seeder{res: res, of: map[string]*life{}, progs: map[string]*seedProgram{}}
	for i := range history {
		if err := s.add(&history[i]); err != nil {
			s.notes = append(s.notes, err.Error())
		}
	}
	text, bag := format.Source(diag.NewFile("recorded_test.agg", []byte(s.b.String())))
	if bag.Errors() > 0 {
		return nil, s.notes, fmt.Errorf("the tests that were made have a syntax error: %s", bag.Sorted()[0].Message)
	}
	return text, s.notes, nil
}

type seeder struct {
	res   *dsl.Result
	progs map[string]*seedProgram
	of    map[string]*life
	b     strings.Builder
	notes []string
}

// seedProgram is a program and which fields of ctx its rules read.
type seedProgram struct {
	*dsl.Program
	vm            *vm.Program
	decide, apply bytecode.Set
}

// life is what is known of one aggregate.
type life struct {
	p       *seedProgram
	key     string
	state   []value.V
	version int64
	commits int
	given   []string // the steps that make the state
	events  int
	setting string // the `at` and `as` in force at the end of given
	broken  bool   // nothing more can be made of it
}

func (s *seeder) program(name string) (*seedProgram, error) {
	if p := s.progs[name]; p != nil {
		return p, nil
	}
	p := s.res.Program(name)
	if p == nil {
		return nil, fmt.Errorf("the history has a %s, and the set declares none", name)
	}
	loaded, err := vm.Load(p.Program)
	if err != nil {
		return nil, err
	}
	fx, err := bytecode.Analyze(p.Program)
	if err != nil {
		return nil, err
	}
	out := &seedProgram{Program: p, vm: loaded}
	for i := range p.Commands {
		out.decide = union(out.decide, fx.Chunks[p.Commands[i].Decide].Ctx)
	}
	for i := range p.Events {
		chunk := p.Events[i].Apply
		if !p.Events[i].Current {
			chunk = p.Events[i].Upcast
		}
		out.apply = union(out.apply, fx.Chunks[chunk].Ctx)
	}
	out.decide = union(out.decide, out.apply)
	s.progs[name] = out
	return out, nil
}

func union(a, b bytecode.Set) bytecode.Set {
	if len(a) < len(b) {
		a, b = b, a
	}
	a = slices.Clone(a)
	for i := range b {
		a[i] |= b[i]
	}
	return a
}

// add makes the test of one command and brings its aggregate forward.
func (s *seeder) add(c *Recorded) error {
	key := c.Type + " " + c.Tenant + " " + c.ID
	l := s.of[key]
	if l == nil {
		p, err := s.program(c.Type)
		if err != nil {
			s.of[key] = &life{broken: true}
			return err
		}
		l = &life{p: p, key: key, state: p.vm.NewState()}
		s.of[key] = l
	}
	if l.broken {
		return nil
	}
	m := l.p.vm.Get()
	defer l.p.vm.Put(m)
	l.commits++
	t := &seedTest{s: s, l: l, c: c, m: m}
	err := t.write()
	if next := t.bring(); next != nil {
		l.broken = true
		return fmt.Errorf("%s: nothing more can be made of it: %w", l.where(), next)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", l.where(), err)
	}
	return nil
}

func (l *life) where() string {
	return fmt.Sprintf("%s, command %d", strings.Join(strings.Fields(l.key), " "), l.commits)
}

// seedTest is the test of one command.
type seedTest struct {
	s *seeder
	l *life
	c *Recorded
	m *vm.Machine
}

// ctx is what the rules saw.
func (t *seedTest) ctx() (*vm.Ctx, error) {
	c := &vm.Ctx{Tenant: value.MakeString(t.c.Tenant), Version: value.MakeInt(t.l.version)}
	var ok bool
	if c.Now, ok = value.TimeOf(t.c.Time); !ok {
		return nil, fmt.Errorf("its time is out of range: %v", t.c.Time)
	}
	for _, id := range []struct {
		text string
		to   *value.V
	}{{t.c.ID, &c.AggregateID}, {t.c.CommandID, &c.CommandID}} {
		v, ok := value.ParseUUID(id.text)
		if !ok {
			return nil, fmt.Errorf("%q is no UUID", id.text)
		}
		*id.to = value.MakeUUID(v)
	}
	roles := value.NewBuilder(&value.Type{Kind: value.Set, Elem: value.StringType}, len(t.c.Roles))
	for _, r := range t.c.Roles {
		roles.Add(value.MakeString(r))
	}
	meta := value.NewBuilder(&value.Type{Kind: value.Map, Key: value.StringType, Elem: value.StringType}, len(t.c.Meta))
	for k, v := range t.c.Meta {
		meta.Put(value.MakeString(k), value.MakeString(v))
	}
	c.Roles, c.Meta = roles.Done(), meta.Done()
	return c, nil
}

// write makes the test.
func (t *seedTest) write() error {
	ctx, err := t.ctx()
	if err != nil {
		return err
	}
	payload, guessed := t.c.Command, false
	if len(payload) == 0 {
		if payload = t.guess(ctx); payload == nil {
			return fmt.Errorf("the history does not hold the command, and none of %s makes the same events of their fields", t.l.p.Name)
		}
		guessed = true
	}
	when, name, err := t.when(payload)
	if err != nil {
		return err
	}
	then, err := t.then()
	if err != nil {
		return err
	}
	b := &t.s.b
	if guessed {
		b.WriteString("// The history holds events only: this command makes the same ones.\n")
	}
	fmt.Fprintf(b, "test %s for %s {\n", quote(t.title(name)), t.l.p.Name)
	if err := t.writeGiven(b); err != nil {
		return err
	}
	fmt.Fprintf(b, "%s\n%s\n}\n\n", when, strings.Join(then, "\n"))
	return nil
}

// title names a test by its aggregate, so that titles stay apart; braces cannot occur.
func (t *seedTest) title(command string) string {
	of := t.c.ID
	if t.c.Tenant != "" {
		of += " of " + t.c.Tenant
	}
	return fmt.Sprintf("%s %d: %s", of, t.l.commits, command)
}

func (t *seedTest) writeGiven(b *strings.Builder) error {
	given, setting := t.l.given, t.l.setting
	if t.l.events > maxGiven && !t.l.p.decide.Has(int(check.CtxVersion)) {
		items, err := itemList(t.l.stateFields(), t.l.state)
		if err != nil {
			return err
		}
		given, setting = []string{"given state " + items}, ""
	}
	for _, g := range given {
		b.WriteString(g + "\n")
	}
	b.WriteString(change(setting, t.setting(t.l.p.decide, t.l.byRole())))
	return nil
}

// stateFields are the fields of the state with what a `given state` leaves out.
func (l *life) stateFields() []value.Field {
	fields := slices.Clone(l.p.State)
	for i, v := range l.p.vm.NewState() {
		fields[i].HasDefault, fields[i].Default = true, v
	}
	return fields
}

// change are the steps that make one setting of another, each on its line.
func change(from, to string) string {
	switch {
	case from == to:
		return ""
	case strings.Contains(from, "as {") && !strings.Contains(to, "as {"):
		to += "\nas {}"
	}
	return strings.TrimPrefix(to, "\n") + "\n"
}

// setting are the steps `at` and `as` for what the rules read of ctx, and for the roles of the
// sender if byRole.
func (t *seedTest) setting(reads bytecode.Set, byRole bool) string {
	var out string
	if reads.Has(int(check.CtxNow)) {
		now, _ := value.TimeOf(t.c.Time)
		out = "at " + quote(plain(value.TimeType, now)) + "\n"
	}
	var as []string
	if len(t.c.Roles) > 0 && (reads.Has(int(check.CtxRoles)) || byRole) {
		list := make([]string, len(t.c.Roles))
		for i, r := range t.c.Roles {
			list[i] = quote(r)
		}
		as = append(as, "roles: ["+strings.Join(list, ", ")+"]")
	}
	if len(t.c.Meta) > 0 && reads.Has(int(check.CtxMeta)) {
		var list []string
		for _, k := range slices.Sorted(maps.Keys(t.c.Meta)) {
			list = append(list, quote(k)+": "+quote(t.c.Meta[k]))
		}
		as = append(as, "meta: {"+strings.Join(list, ", ")+"}")
	}
	for _, f := range []struct {
		field check.CtxField
		name  string
		text  string
	}{{check.CtxTenant, "tenant", t.c.Tenant}, {check.CtxAggregateID, "aggregate_id", t.c.ID}, {check.CtxCommandID, "command_id", t.c.CommandID}} {
		if reads.Has(int(f.field)) {
			as = append(as, f.name+": "+quote(f.text))
		}
	}
	if len(as) > 0 {
		out += "as { " + strings.Join(as, ", ") + " }\n"
	}
	return strings.TrimSuffix(out, "\n")
}

// byRole tells whether some command asks for a role.
func (l *life) byRole() bool {
	return slices.ContainsFunc(l.p.Commands, func(c bytecode.Command) bool { return len(c.By) > 0 })
}

// when is the step that sends the command.
func (t *seedTest) when(payload []byte) (step, name string, err error) {
	if name, err = value.PeekType(payload); err != nil {
		return "", "", err
	}
	n, ok := t.l.p.vm.Command(name)
	if !ok {
		return "", "", fmt.Errorf("%s has no command %q any more", t.l.p.Name, name)
	}
	fields := t.l.p.Commands[n].Fields
	vals := make([]value.V, len(fields))
	if errs := value.DecodeFields(vals, fields, payload, value.DecodeOptions{Ignore: "type"}); errs != nil {
		return "", "", fmt.Errorf("command %s: %w", name, &errs[0])
	}
	items, err := itemList(fields, vals)
	return "when " + name + " " + items, name, err
}

// then are the steps that expect the events, in their current shape.
func (t *seedTest) then() ([]string, error) {
	if len(t.c.Events) == 0 {
		return []string{"then nothing"}, nil
	}
	var out []string
	for i := range t.c.Events {
		decl, vals, err := t.current(i)
		if err != nil {
			return nil, err
		}
		e := &t.l.p.Events[decl]
		items, err := itemList(e.Fields, vals)
		if err != nil {
			return nil, err
		}
		out = append(out, "then emit "+e.Name+" "+items)
	}
	return out, nil
}

// current is event i in its current shape.
func (t *seedTest) current(i int) (int, []value.V, error) {
	decl, ctx, err := t.stored(i)
	if err != nil {
		return 0, nil, err
	}
	if err := t.m.DecodeEvent(decl, t.c.Events[i].Payload, false); err != nil {
		return 0, nil, err
	}
	to, vals, out := t.m.Upcast(decl, ctx)
	if out.Kind == vm.Faulted {
		return 0, nil, fmt.Errorf("the upcast of %s ends in a fault: %s", t.c.Events[i].Name, out.Fault)
	}
	return to, slices.Clone(vals), nil
}

// stored finds the declaration of event i, and the ctx for its upcasts and apply.
func (t *seedTest) stored(i int) (int, *vm.Ctx, error) {
	e := &t.c.Events[i]
	decl, ok := t.l.p.vm.Event(e.Name, e.Schema)
	if !ok {
		return 0, nil, fmt.Errorf("%s has no event %s @%d", t.l.p.Name, e.Name, e.Schema)
	}
	ctx, err := t.ctx()
	if err != nil {
		return 0, nil, err
	}
	ctx.Version = value.MakeInt(t.l.version + 1)
	return decl, ctx, nil
}

// bring applies the events and makes them given for the tests that follow.
func (t *seedTest) bring() error {
	for i := range t.c.Events {
		e := &t.c.Events[i]
		if e.Version != t.l.version+1 {
			return fmt.Errorf("event %s has version %d, and %d is due: the history has a gap", e.Name, e.Version, t.l.version+1)
		}
		decl, ctx, err := t.stored(i)
		if err != nil {
			return err
		}
		if err := t.m.ReplayEvent(t.l.state, e.Name, e.Schema, e.Payload, ctx, false); err != nil {
			return err
		}
		t.l.version++
		if err := t.give(decl, e); err != nil {
			return err
		}
	}
	return nil
}

func (t *seedTest) give(decl int, e *RecordedEvent) error {
	d := &t.l.p.Events[decl]
	vals := make([]value.V, len(d.Fields))
	if errs := value.DecodeFields(vals, d.Fields, e.Payload, value.DecodeOptions{}); errs != nil {
		return &errs[0]
	}
	items, err := itemList(d.Fields, vals)
	if err != nil {
		return err
	}
	s := t.setting(t.l.p.apply, false)
	if steps := change(t.l.setting, s); steps != "" {
		t.l.given = append(t.l.given, strings.TrimSuffix(steps, "\n"))
	}
	t.l.setting = s
	name := d.Name
	if !d.Current {
		name = fmt.Sprintf("%s @%d", d.Name, d.Version)
	}
	t.l.given = append(t.l.given, "given "+name+" "+items)
	t.l.events++
	return nil
}
