// Package vm runs compiled rules: pure, deterministic, metered. It never sees source text, a
// network or a clock; time and identity arrive in [Ctx].
//
// The model: [Load] verifies a bytecode.Program once and prepares it; the [Program] is immutable
// and shared. A [Machine] holds one frame of slots and the events of the command at hand. It
// belongs to one goroutine at a time; Program.Get and Program.Put lend machines out. The state
// of an aggregate is a []value.V, one for each state field, owned by the caller: Decide reads
// it, works on the frame, and changes nothing; after an accepted command Store writes the
// changed fields into the slice that the caller names.
package vm
