// Package aggdtest runs the real aggd as a process of its own, for tests: it starts it on free
// ports, waits until it is ready, speaks to its HTTP doors, stops and kills it.
package aggdtest
