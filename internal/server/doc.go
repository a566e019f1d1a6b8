// Package server is the doors: it translates what a client sends into nouns, calls an
// interface, and translates the answer back.
//
// The model: a [Split] listener serves one port to two servers, by the first bytes of each
// connection; [GRPC] is the gRPC service, [REST] the HTTP one, [Admin] the operator's door. All
// of them read a caller's headers with one [Policy] and answer errors by one table (problem.go).
//
// A door decides nothing about aggregates and keeps no state about them.
package server
