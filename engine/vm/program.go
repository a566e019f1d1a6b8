package vm

import (
	"fmt"
	"sync"

	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// DefaultGas is the gas of a command whose manifest names none.
const DefaultGas = 100_000

// Program is a verified bytecode.Program, prepared to run. It is immutable; any number of
// machines may run it at once.
type Program struct {
	src    *bytecode.Program
	plain  []bytecode.Ins // of all chunks, one after another
	code   []ins          // the same for the loop, and one more
	starts []uint32       // of each chunk in code, and the end
	gas    []int64        // of each chunk's first block
	rates  []rate
	depth  int
	types  []*value.Type // of each slot
	bounds []uint64      // of each type: what is not longer keeps its bounds for sure
	calls  []value.CallInfo

	template []value.V // the frame before anything ran
	scrub    []uint16  // slots that may hold references
	state    []value.V
	commands []command

	stateFields []value.Field // with what is there before any event as their defaults

	events  []event
	derives []value.Field
	wheres  []recordWheres // by record

	commandOf map[string]int
	eventOf   map[eventKey]int

	pool     sync.Pool
	trapOnce sync.Once
	traps    []ins // as code, every opcode opTrap
}

type eventKey struct {
	name    string
	version int
}

// command is what Decide needs of a command, in the form it needs it.
type command struct {
	*bytecode.Command
	start  uint32      // of Decide, in bytes from the beginning of all code
	gas    int64       // of its first block
	at     uint32      // of the first field, in bytes from the beginning of the frame
	n      int         // fields
	load   stateFields // read or written
	writes stateFields
	old    []bytecode.OldField
	ctx    []uint16 // ctx fields read by decide and messages
	by     []value.V
	bare   bool // no ctx, no roles, no birth, no final, nothing old: decide runs at once

	quick []quickWhere // all wheres there are to check, if plain
	plain bool

	bounded bool // a field, or a part of one, has a bound
}

// stateFields are some fields of the state, in bytes from the first, and what a state that has
// them is longer than.
type stateFields struct {
	at   []uint32
	last int
}

func fieldsOf(indexes []uint16) (f stateFields) {
	for _, i := range indexes {
		f.at, f.last = append(f.at, slotAt(i)), max(f.last, int(i))
	}
	return f
}

type event struct {
	*bytecode.Event
	load   stateFields
	writes stateFields
	ctx    []uint16
	text   []string // before each field's value, and the end
}

type recordWheres struct {
	rec    *value.RecordType
	wheres []bytecode.Where
}

// Load verifies p and prepares it. p must not change afterwards.
func Load(p *bytecode.Program) (*Program, error) {
	fx, err := bytecode.Analyze(p)
	if err != nil {
		return nil, err
	}
	q := &Program{src: p, depth: fx.Depth + 1}
	if err := q.link(); err != nil {
		return nil, err
	}
	if err := q.prepareCalls(); err != nil {
		return nil, err
	}
	q.prepareFrame()
	q.prepareCommands(fx)
	q.prepareEvents(fx)
	q.prepareWheres()
	q.pool.New = func() any { return newMachine(q) }
	return q, nil
}

func (p *Program) prepareCalls() error {
	p.calls = make([]value.CallInfo, len(p.src.Calls))
	for i := range p.src.Calls {
		s, c := &p.src.Calls[i], &p.calls[i]
		c.Arg, c.Result, c.Mode, c.Desc = p.src.Types[s.Args[0]], p.src.Types[s.Result], s.Mode, s.Desc
		for _, k := range s.Keys {
			c.Keys = append(c.Keys, p.src.Types[k])
		}
		var err error
		switch s.Builtin {
		case value.Matches:
			c.Regexp, c.Insts, err = value.CompileRegexp(s.Pattern)
		case value.JSONPath:
			c.Path, err = value.ParsePath(s.Path)
		}
		if err != nil {
			return fmt.Errorf("call site %d: %w", i, err)
		}
	}
	return nil
}

func (p *Program) prepareFrame() {
	zeros := map[*value.Type]value.V{}
	p.template = make([]value.V, len(p.types))
	for i, t := range p.types {
		if _, ok := zeros[t]; !ok {
			zeros[t] = value.Zero(t)
		}
		p.template[i] = zeros[t]
		if i >= len(p.src.Consts) && !wordOnly(t) {
			p.scrub = append(p.scrub, uint16(i))
		}
	}
	copy(p.template, p.src.Consts)
	p.state = value.ZeroOf(p.src.State)
	copy(p.template[p.src.StateBase:], p.state)
	p.stateFields = append([]value.Field(nil), p.src.State...)
	for i := range p.stateFields {
		p.stateFields[i].HasDefault, p.stateFields[i].Default = true, p.state[i]
	}
	for _, t := range p.src.Types {
		p.bounds = append(p.bounds, freeLength(t))
	}
}

func wordOnly(t *value.Type) bool {
	switch t.Kind {
	case value.Bool, value.Int, value.Date, value.Duration, value.Enum:
		return true
	}
	return false
}

// freeLength is the word up to which a value of t keeps its bounds without a closer look.
func freeLength(t *value.Type) uint64 {
	switch t = bare(t); t.Kind {
	case value.String:
		if t.Bound > 0 {
			return uint64(t.Bound)
		}
	case value.List, value.Set, value.Map:
		if t.Kind != value.Set && bounded(t.Elem) || t.Kind != value.List && bounded(t.KeyType()) {
			return 0
		}
		if t.Bound > 0 {
			return uint64(t.Bound)
		}
	}
	return 1<<64 - 1
}

// bare is t or, of an optional, what it holds.
func bare(t *value.Type) *value.Type {
	if t.Kind == value.Optional {
		return t.Elem
	}
	return t
}

// bounded tells whether t or a part of it has a bound.
func bounded(t *value.Type) bool {
	if t.Bound > 0 {
		return true
	}
	switch t.Kind {
	case value.Optional, value.List, value.Set:
		return bounded(t.Elem)
	case value.Map:
		return bounded(t.Key) || bounded(t.Elem)
	case value.Record:
		for i := range t.Record.Fields {
			if bounded(t.Record.Fields[i].Type) {
				return true
			}
		}
	}
	return false
}

func (p *Program) prepareCommands(fx *bytecode.Effects) {
	p.commandOf = map[string]int{}
	for i := range p.src.Commands {
		c := &p.src.Commands[i]
		p.commandOf[c.Name] = i
		e := &fx.Chunks[c.Decide]
		d := command{Command: c, start: codeAt(p.starts[c.Decide]), gas: p.gas[c.Decide], at: slotAt(c.Base), n: len(c.Fields), old: c.Old,
			load: fieldsOf(union(c.Reads, c.Writes)), writes: fieldsOf(c.Writes), ctx: e.Ctx.Members()}
		d.ctx = union(d.ctx, messageCtx(fx, c.CreateElse))
		if p.src.Final != bytecode.NoChunk {
			d.ctx = union(d.ctx, messageCtx(fx, p.src.FinalElse))
		}
		for _, role := range c.By {
			d.by = append(d.by, value.MakeString(role))
		}
		d.bare = len(d.ctx)+len(d.old)+len(d.by) == 0 && !c.Creates && !p.src.Creates && p.src.Final == bytecode.NoChunk
		p.commands = append(p.commands, d)
	}
	for i := range p.src.Derives {
		d := &p.src.Derives[i]
		p.derives = append(p.derives, value.Field{Name: d.Name, Type: p.src.Types[d.Type]})
	}
}

// messageCtx are the fields of ctx that the message of a refusal reads.
func messageCtx(fx *bytecode.Effects, r bytecode.Refusal) []uint16 {
	if r.Message.Chunk == bytecode.NoChunk {
		return nil
	}
	return fx.Chunks[r.Message.Chunk].Ctx.Members()
}

func (p *Program) prepareEvents(fx *bytecode.Effects) {
	p.eventOf = map[eventKey]int{}
	for i := range p.src.Events {
		e := &p.src.Events[i]
		p.eventOf[eventKey{e.Name, e.Version}] = i
		d := event{Event: e, load: fieldsOf(union(e.Reads, e.Writes)), writes: fieldsOf(e.Writes)}
		chunk := e.Upcast
		if e.Current {
			chunk = e.Apply
		}
		d.ctx = fx.Chunks[chunk].Ctx.Members()
		end := "{"
		for f := range e.Fields {
			d.text = append(d.text, end+`"`+e.Fields[f].Name+`":`)
			end = ","
		}
		if len(e.Fields) > 0 {
			end = "}"
		} else {
			end = "{}"
		}
		d.text = append(d.text, end)
		p.events = append(p.events, d)
	}
}

func union(a, b []uint16) []uint16 {
	out := append([]uint16(nil), a...)
	for _, x := range b {
		if !contains(out, x) {
			out = append(out, x)
		}
	}
	return out
}

func contains(list []uint16, x uint16) bool {
	for _, y := range list {
		if x == y {
			return true
		}
	}
	return false
}

// Code is the program as it was compiled; not to be changed.
func (p *Program) Code() *bytecode.Program { return p.src }

// Name is the aggregate's name.
func (p *Program) Name() string { return p.src.Name }

// Gas is the manifest's gas for one command, or DefaultGas.
func (p *Program) Gas() int64 {
	if p.src.Gas > 0 {
		return p.src.Gas
	}
	return DefaultGas
}

// Command finds a command by its name.
func (p *Program) Command(name string) (int, bool) {
	i, ok := p.commandOf[name]
	return i, ok
}

// CommandDecl is the declaration of a command.
func (p *Program) CommandDecl(cmd int) *bytecode.Command { return &p.src.Commands[cmd] }

// Event finds one version of an event; it need not be current.
func (p *Program) Event(name string, version int) (int, bool) {
	i, ok := p.eventOf[eventKey{name, version}]
	return i, ok
}

// EventDecl is the declaration of one version of an event.
func (p *Program) EventDecl(decl int) *bytecode.Event { return &p.src.Events[decl] }

// State are the fields of the state.
func (p *Program) State() []value.Field { return p.src.State }

// Derives are the names and types of the derived values.
func (p *Program) Derives() []value.Field { return p.derives }

// NewState is the initial state.
func (p *Program) NewState() []value.V { return append([]value.V(nil), p.state...) }

// Get lends a machine; Put gives it back.
func (p *Program) Get() *Machine { return p.pool.Get().(*Machine) }

// Put takes a machine back. What its frame and events refer to is let go.
func (p *Program) Put(m *Machine) {
	m.reset()
	p.pool.Put(m)
}
