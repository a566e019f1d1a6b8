package vm

import "github.com/cloudlysis/aggregate/dsl/value"

// Ctx is what a rule sees as ctx.
type Ctx struct {
	Now         value.V // time
	AggregateID value.V // uuid
	CommandID   value.V // uuid
	Tenant      value.V // string
	Version     value.V // int: before the command; in an upcast, of the event
	Meta        value.V // map<string, string>
	Roles       value.V // set<string>
}

// Kind is how a command ended.
type Kind uint8

// The ends of a command.
const (
	Accepted Kind = iota
	Rejected
	Faulted
)

// Outcome is what became of a command or of an evaluation. It allocates nothing when accepted.
type Outcome struct {
	Kind    Kind
	Code    string // of a rejection
	Message string // of a rejection; may be empty
	Fault   value.Fault
	// Rule, File, Line and Column tell where a fault arose, such as "decide withdraw".
	Rule         string
	File         string
	Line, Column int
	// ApplyFault tells that the fault arose while an event was applied.
	ApplyFault bool
	Gas        int64 // used
}
