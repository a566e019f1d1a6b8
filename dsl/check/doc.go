// Package check resolves the names and checks the types of parsed manifests. Its result is a
// typed tree in which nothing is left to decide: every name is a field number or a [Local],
// every widening is written out, every `..` is spelt out field by field, constants are folded.
//
// The model: declarations are collected first (types, then constants, then the signatures of
// functions, commands, events), bodies are checked after, so the order of the text never
// matters. Findings go into a diag.Bag; what is wrong gets value.InvalidType, about which
// nothing more is said.
package check
