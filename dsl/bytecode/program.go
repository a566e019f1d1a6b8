package bytecode

import "github.com/cloudlysis/aggregate/dsl/value"

// Version is the version of the encoding and of the meaning of opcodes.
const Version = 1

// Program is one compiled aggregate. It is not changed after it has been built or decoded.
//
// All chunks share one frame of slots, and every slot has one type for its life (Slots). The
// frame is laid out: constants, the state, ctx, then whatever the chunks use: the fields of
// commands and events, parameters, results, temporaries. There is no recursion, so no chunk
// needs more than one window, and chunks that never run inside one another may share slots.
// The machine fills the frame with the zero value of each slot's type once; so a slot always
// holds a value of its type, and the verifier need not follow what was assigned.
type Program struct {
	Name    string
	Records []*value.RecordType
	Enums   []*value.EnumType
	Types   []*value.Type
	Slots   []uint16  // type, an index into Types, of each slot
	Consts  []value.V // of the first slots

	StateBase uint16 // slot of state field 0; the others follow
	State     []value.Field
	CtxBase   uint16 // slots of ctx, in the order of check.CtxField

	Commands   []Command
	Events     []Event // all versions of all events
	Derives    []Derive
	Invariants []Invariant
	Indexes    []Index
	Wheres     []RecordWheres // of record types, for commands that bring them
	Tests      []Eval         // chunks of tests, in a program compiled with tests only

	Final       uint16 // chunk whose bool result ends the aggregate's life, or NoChunk
	FinalResult uint16
	FinalReads  []uint16
	FinalElse   Refusal

	Roles         []string
	Creates       bool // some command creates
	SnapshotEvery int
	Gas           int64 // 0: the default
	Codes         []string
	Calls         []CallSite
	Chunks        []Chunk
	Files         []string
}

// NoChunk is the absence of a chunk.
const NoChunk = 0xFFFF

// NoSlot is the absence of a slot.
const NoSlot = 0xFFFF

// Chunk is the code of one rule or function.
type Chunk struct {
	Name  string // such as "decide withdraw", "fn held"
	Gas   uint32 // of the first block
	Code  []Ins
	Lines []Line // ascending PC; an instruction belongs to the last entry not after it
}

// Line is the source place of the instructions from PC on.
type Line struct {
	PC     uint32
	File   uint16
	Line   uint32
	Column uint32
	Apply  bool // of an apply that was written out in place in a decide
}

// Eval is a chunk that ends in OpRet and leaves a value in Result. Reads are the state fields
// that the chunk, or what it calls, reads; the machine loads those and no others.
type Eval struct {
	Chunk  uint16
	Result uint16
	Reads  []uint16
}

// Refusal is a fixed code and the chunk that makes its message (Chunk NoChunk: none).
// An empty Code is the reserved one.
type Refusal struct {
	Code    string
	Message Eval
}

// Command is one command. Decide also applies what it emits and checks the invariants; it
// ends in OpDone, OpReject or OpViolate.
type Command struct {
	Name       string
	Creates    bool
	CreateElse Refusal
	By         []string
	Fields     []value.Field
	Base       uint16 // slot of field 0; the others follow
	Wheres     []Where
	Decide     uint16
	// Reads are the state fields read by Decide and all that it runs, and those of Writes, since a
	// path that does not write one must leave it as it was.
	Reads  []uint16
	Writes []uint16 // state fields that some path writes
	// Old are pairs of state field and slot: the value before the command, copied by the
	// machine before Decide runs.
	Old []OldField
}

// OldField is a state field and the slot for its value before the command.
type OldField struct{ Field, Slot uint16 }

// Where is a condition on field Field of a command or record. The machine copies the fields
// 0..Field into Params (the last one bare when the field is a T? that is present), runs the
// chunk and reads the bool.
type Where struct {
	Field  uint16
	Params []uint16
	Eval
	Text string
}

// RecordWheres are the conditions of one record type.
type RecordWheres struct {
	Record uint16 // index into Records
	Wheres []Where
}

// Event is one version of one event.
type Event struct {
	Name    string
	Version int
	Current bool
	Fields  []value.Field
	Base    uint16 // slot of field 0; the others follow
	// Apply, of the current version, ends in OpRet. It reads and writes the state; Reads hold
	// Writes too, as in Command.
	Apply  uint16
	Reads  []uint16
	Writes []uint16
	// Upcast, of an older version, fills the slots of event Next from this one's and ctx.
	Upcast uint16
	Next   uint16
}

// Derive is a computed value of the state.
type Derive struct {
	Name string
	Type uint16
	Eval
}

// Invariant is a condition; it is part of each Decide, and here by itself for states that
// come from elsewhere. Old as in Command. Shown make the values that a violation names.
type Invariant struct {
	Name string
	Text string
	Eval
	Old   []OldField
	Shown []Shown
}

// Shown is a text and a string that shows its value.
type Shown struct {
	Text string
	Eval
}

// Index is a path or derive that queries are served from.
type Index struct {
	Path   string
	Type   uint16
	Field  uint16   // state field; NoSlot for a derive
	Fields []uint16 // of records, below it
	Derive uint16
}

// CallSite is one place that calls a builtin.
type CallSite struct {
	Builtin value.Builtin
	Args    []uint16 // types of the arguments
	Result  uint16   // type
	Mode    value.Mode
	Pattern string   // of Matches
	Path    []string // of JSONPath: the literal parts, one more than there are keys
	Keys    []uint16 // of SortBy, types
	Desc    uint64
}
