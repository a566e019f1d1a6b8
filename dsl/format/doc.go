// Package format prints manifests in their one form: `aggc fmt`.
//
// The printer walks the tree line by line. What an author decides stays: blank lines (at most
// one), whether something in braces stands on one line or on many, how a literal is written.
// Everything else follows from the tree: two blanks of indentation, one element a line, no comma
// at a line's end where none is needed, the types of fields in one column, lines broken at 120.
// Comments keep their place between elements; one in the middle of an expression moves before it.
//
// Formatting changes no meaning: the tree of the result is the tree of the source, and formatting
// the result changes nothing.
package format
