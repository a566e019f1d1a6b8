//go:build race

package compile_test

// underRace tells that the race detector slows everything down: tests of size take less then.
const underRace = true
