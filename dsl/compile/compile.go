package compile

import (
	"fmt"

	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// LimitError tells that an aggregate is too large for the bytecode.
type LimitError struct{ Diagnostic *diag.Diagnostic }

func (e *LimitError) Error() string {
	return fmt.Sprintf("%s: %s", e.Diagnostic.Code, e.Diagnostic.Message)
}

// Aggregate lowers a checked aggregate. With tests, which are all tests of a, the program also
// holds the chunks of their steps, and the plan tells where their values are; else the plan is
// nil. The error is a *LimitError.
func Aggregate(a *check.Aggregate, tests []*check.Test) (*bytecode.Program, *TestPlan, error) {
	return newCompiler(a, usual).compile(tests)
}

func (c *compiler) compile(tests []*check.Test) (*bytecode.Program, *TestPlan, error) {
	c.layEvents()
	p := c.program()
	var plan *TestPlan
	if len(tests) > 0 {
		plan = c.tests(tests)
		p.Tests = c.evals
	}
	if err := c.layout(p, plan); err != nil {
		return nil, nil, err
	}
	return p, plan, nil
}

// compiler lowers one aggregate. Slots are numbered within their regions until layout.
type compiler struct {
	agg     *check.Aggregate
	limits  limits
	types   *types
	creates bool

	consts     []value.V
	constTypes []uint16
	constIndex map[string]int
	stateTypes []uint16
	ctxTypes   []uint16
	rest       []uint16 // types of all other slots
	oldSlots   map[uint16]operand

	rootPool  *pool
	stubPool  *pool
	testPool  *pool
	wherePool *pool
	none      operand // a bool slot for chunks without a result; 0 until asked for

	events    map[*check.Event]int
	eventBase []operand
	callees   map[view]*callee
	chunks    []lowered
	sites     []bytecode.CallSite
	siteIndex map[string]int
	codes     []string
	codeIndex map[string]uint16
	sizes     map[any]int
	evals     []bytecode.Eval
	commands  map[*check.Command]int
}

func newCompiler(a *check.Aggregate, l limits) *compiler {
	c := &compiler{
		agg: a, limits: l, types: newTypes(), constIndex: map[string]int{}, oldSlots: map[uint16]operand{},
		rootPool: newPool(), stubPool: newPool(), testPool: newPool(), wherePool: newPool(), events: map[*check.Event]int{}, callees: map[view]*callee{},
		siteIndex: map[string]int{}, codeIndex: map[string]uint16{}, sizes: map[any]int{}, commands: map[*check.Command]int{},
	}
	for _, r := range a.Records {
		c.types.declareRecord(r.Type)
	}
	for i := range a.State {
		c.stateTypes = append(c.stateTypes, c.types.of(a.State[i].Type))
	}
	for _, t := range bytecode.CtxTypes() {
		c.ctxTypes = append(c.ctxTypes, c.types.of(t))
	}
	for _, cmd := range a.Commands {
		c.creates = c.creates || cmd.Creates
	}
	return c
}

// layEvents gives every version of every event its slots.
func (c *compiler) layEvents() {
	for i, e := range c.agg.Events {
		c.events[e] = i
		c.eventBase = append(c.eventBase, c.fieldSlots(e.Fields))
	}
}

// oldSlot is the slot of a state field's value before the command.
func (c *compiler) oldSlot(f int) operand {
	o, ok := c.oldSlots[uint16(f)]
	if !ok {
		o = c.slots(c.stateTypes[f])
		c.oldSlots[uint16(f)] = o
	}
	return o
}

func (c *compiler) code(code string) uint16 {
	i, ok := c.codeIndex[code]
	if !ok {
		i = uint16(len(c.codes))
		c.codeIndex[code] = i
		c.codes = append(c.codes, code)
	}
	return i
}

// reserve takes the number of a chunk that is about to be lowered.
func (c *compiler) reserve() int {
	c.chunks = append(c.chunks, lowered{})
	return len(c.chunks) - 1
}

// nothing is the result slot of chunks that have none.
func (c *compiler) nothing() operand {
	if c.none == 0 {
		c.none = c.slots(c.types.of(value.BoolType))
	}
	return c.none
}

// slot is the number of a slot of the rest, relative to its begin until layout.
func (c *compiler) slot(o operand) uint16 { return uint16(o.index()) }

func eventName(e *check.Event) string { return fmt.Sprintf("%s @%d", e.Name, e.Version) }
