// Package diskspace tells how large a disk is and what is free on it.
//
// The embedded server's limit and the metrics of the node ask the same question, which each
// operating system answers in its own way.
package diskspace

// Space is what a disk holds, in bytes.
type Space struct {
	// Free is what this process may still write: quotas and what is reserved for root are left out.
	Free uint64
	// Size is the whole.
	Size uint64
}
