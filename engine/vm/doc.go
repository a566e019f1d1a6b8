// Package vm runs compiled rules: pure, deterministic, metered. It never sees source text, a
// network or a clock; time and identity arrive in [Ctx].
//
// The model: [Load] verifies a bytecode.Program once and prepares it; the [Program] is immutable
// and shared. A [Machine] holds one frame of slots and the events of the command at hand. It
// belongs to one goroutine at a time; Program.Get and Program.Put lend machines out. The state
// of an aggregate is a []value.V, one for each state field, owned by the caller: Decide reads
// it, works on the frame, and changes nothing; after an accepted command Store writes the
// changed fields into the slice that the caller names.
//
// Code runs in two functions. Machine.fast is a loop without calls that does the plain case of
// the common opcodes: small decimals of like scale, words, jumps, loops. What it does not do,
// Machine.step does, which knows every opcode and every case, and all faults; then the loop goes
// on. Both compute and charge the same. A traced machine takes step alone.
//
// Load makes code of the loop's own out of the verified code, one ins for each instruction:
// operands are distances in bytes, and some opcodes do the work of several (fuse). Nothing that
// is stored or charged depends on it. What counts in the loop is how many machine instructions
// it takes: the processor waits for nothing else.
//
// Gas is charged for a block when it is entered and, for work in proportion to data, by the
// opcode before it works. It depends on code and values only, so a run costs the same wherever
// and however often it is made. Besides, the bytes that one command builds are bounded
// (MaxMemory). Without a limit of gas, as in replay, every rule still ends: the verifier has
// proved that loops count and calls do not recurse.
package vm
