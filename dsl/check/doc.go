// Package check resolves the names and checks the types of parsed manifests. Its result is a
// typed tree in which nothing is left to decide: every name is a field number or a [Local],
// every widening is written out, every `..` is spelt out field by field, constants are folded.
//
// The model: declarations are collected first (types, then constants, then the signatures of
// functions, commands, events), bodies are checked after, so the order of the text never
// matters. Findings go into a diag.Bag; what is wrong gets value.InvalidType, about which
// nothing more is said.
//
//   - Types flow both ways (infer.go): a place tells an expression what it expects, so that
//     literals, bare enum members, `none` and empty brackets know what they are; the expression
//     tells what it is, and coerce widens it. Of two operands the one that needs no help is
//     checked first.
//   - One evaluator (eval.go) works out constants, defaults, rows of cases and folding, with the
//     functions of package value that the VM calls too. Its work is bounded.
//   - What a rule sees of state and ctx is a table (body.go). What functions read is inferred
//     when all bodies are known (effects.go), and then each call is held against that table.
//   - Warnings are precise or left out: an apply keeps the conditions that hold (facts.go), the
//     paths of a decide are followed (flow.go), and what is unused is summed up only when there
//     are no errors (warn.go).
//
// The package does no I/O. How imports find files is Options.Files; how findings look is diag's.
package check
