// Package loadgen puts load on an aggd and tells how it bore it: aggd bench.
//
// The model: a [Target] is one door; [Run] sends one command after another from each of many
// callers, each to an aggregate drawn at random, and records how long every one took in a
// histogram of three digits. At the end the sum of a state field over all aggregates is compared
// with what was acknowledged: a bench that lost or doubled a command says so.
package loadgen
