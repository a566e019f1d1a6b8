// Package manifests turns a directory of .agg files into the set of programs that a node runs,
// and exchanges a running set for a new one.
//
// The model: [Load] reads, compiles and verifies a directory and gives a [Set], which is never
// changed: programs by aggregate type, the sources that decide, their hash. A [Registry] holds
// the current Set; [Registry.Reload] loads the whole directory again and swaps one pointer.
// A [Cache] keeps the last compiled sets by the hash of their text and the compiler's version,
// so that going back to an earlier set compiles nothing.
//
// Invariants: a Set is whole or absent, never a mixture of old and new. What a running set has
// stored, its successor can read: a set that lacks an event, a version of one or a field of a
// stored event is refused, unless the operator insists. After a refused reload everything is
// as it was.
//
// Left to others: the language (package dsl), running programs (engine/vm), keeping the sources
// with the log (package stream), telling the engine.
package manifests
