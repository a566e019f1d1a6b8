// Package deps holds the table of which room may import which, and the walk of the source that
// its test checks it with. The table is the one of the project's style page: imports point down.
package deps
