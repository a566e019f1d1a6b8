//go:build aggregate_nogas

package vm

const metered = false
