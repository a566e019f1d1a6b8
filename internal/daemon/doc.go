// Package daemon wires the rooms into aggd: it opens them from the bottom up, serves until its
// context ends, and closes them from the top down, each step bounded.
//
// Order of a start: manifests (a broken set starts nothing), log (embedded server or a
// connection), snapshots, the source set into the log's bucket, engine, doors. Only then is
// /ready true. Order of a stop: doors finish what they have, engine finishes what is in flight
// and writes snapshots, store, log, server.
package daemon
