//go:build race

package enginetest

// underRace tells that the race detector slows everything down: tests of size take less then.
const underRace = true
