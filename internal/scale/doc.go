// Command scale measures the daemon with a million aggregates and writes docs/scale.md: make bench-scale.
//
// The model: a part is one question (what does a known aggregate cost, how long does a start take, how
// long does the snapshot store stall, how long does a cold load take) and runs in a process of its own,
// a copy of this one, so that no part pays for the memory of another. A part prints rows as JSON, one a
// line; progress goes to stderr. The parent puts the rows of all parts into one document.
//
// Figures of time are medians where a thing can be done more than once, and say how often; figures of
// memory are of the garbage collected heap where they are exact (bytes an aggregate), else what the
// kernel says of a real aggd. Everything lies in one folder, which -keep leaves for the next run: to
// fill a million aggregates is most of the time.
package main
