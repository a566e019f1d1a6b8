// Package report tells people and tools what a checked aggregate does: a page for its domain
// owner ([NewDoc]), which command is taken in which status ([NewMatrix]), its life as a state
// diagram ([NewGraph]), and its data as JSON Schema, OpenAPI, AsyncAPI and TypeScript.
//
// Matrix and graph come from an abstract run of the rules. A run starts with one field of the
// state, such as a status, at one known member and everything else unknown, follows every path
// that the known part leaves open, and notes what each path ends in. What it knows is always
// less than the truth and never more: a value is a set of possible members, one constant, or
// unknown; where paths meet, their knowledge is joined. So a cell says "accepted" only when no
// refusal can be reached, "refused" only when nothing else can, and otherwise what it depends on.
//
// Two things are taken as given and said in every report: the command is valid (types, bounds,
// `where`), and the invariants held before it. Faults, which are defects of a manifest, are no
// verdict: `aggc check` warns of them.
//
// Everything here is a pure function of the checked tree. The same manifest gives the same bytes.
package report
