// Package compile lowers a checked aggregate to bytecode.
//
// The model: every value that a rule names has a slot of the one frame that bytecode.Program
// describes, so there are no loads; an expression gives the operand in which its value already
// lies, or computes into a slot that its user names. Slots of expressions come from a [pool] by
// type and go back when the expression is done. Rules that the machine runs by itself (decide,
// where, final, upcast, tests) never run inside one another and share one pool; a chunk that
// others call has a pool of its own, which is safe because nothing recurses.
//
// What is small is lowered in place: functions, derives, applies and invariants up to the limits
// in inline.go; guards always. Conditions become compare-and-branch; refusals become stubs at
// the chunk's end. Gas is set when a chunk is finished (gas.go).
//
// The same tree gives the same bytes. The compiler trusts the checker: it decides nothing about
// names or types, and what overflows an operand is a [LimitError], not a panic.
package compile
