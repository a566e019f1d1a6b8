// Package value holds what a rule computes with: types, values, exact decimals, times, strings,
// lists, sets, maps, json, and the way of each into JSON and out of it.
//
// The model: a [Type] says what a value is, a [V] is 16 bytes that hold it; the two travel
// apart, since compiled code knows the type of every slot. Values are immutable and shared.
// Arithmetic is exact or a [Fault]; nothing here rounds by itself, and no number passes through
// a float. JSON is read strictly and written canonically: see json.go.
//
// The package does no I/O and has no clock. Nothing in it depends on the run: maps and sets are
// kept in key order.
package value
