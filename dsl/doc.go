// Package dsl is the front door of the language: sources in, programs and diagnostics out.
//
// A manifest set is a list of [Source]s, read from a directory of .agg files or from an index
// ([ReadDir]). [Compile] parses, checks and lowers the whole set. Either all of it compiles or
// none: a [Result] that is not OK holds no programs. The same sources, in whatever order, give
// the same programs to the byte and the same [Hash].
package dsl
