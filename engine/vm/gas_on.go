//go:build !aggregate_nogas

package vm

// metered is false in a build with the tag aggregate_nogas, which exists to measure what gas
// costs: its loop charges nothing.
const metered = true
