// Package lsp is the editor server of the .agg language: the Language Server Protocol over a
// stream, started by `aggc lsp`.
//
// The model: a client opens documents; each belongs to a set, the directory whose manifests are
// compiled together (see [SetRoot]). A set is read as open buffers over the files on disk and
// compiled as `aggc check` does, with a list of what every name means (check.Uses). That
// analysis is kept until something changes; diagnostics follow a change after a short quiet
// time, everything else asks for a fresh analysis when it needs one. Completion compiles the set
// once more with a made-up name at the cursor, and the checker itself says what could stand
// there, so it never offers what would not be accepted. A rename is tried out: its edits are
// compiled, and it is refused when an error appears or any other name changes its meaning.
//
// One mutex guards all state: requests run one at a time, in the order in which they came.
// Positions are UTF-16 code units unless the client prefers UTF-8. Half-typed text is the normal
// case here; a panic in a handler is answered as an error and ends nothing.
//
// [Fix] applies the safe fixes of all diagnostics until there are none: `aggc fix`.
package lsp
