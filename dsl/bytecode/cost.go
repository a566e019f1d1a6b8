package bytecode

import "math/bits"

// What data costs beyond the base of an opcode. The machine and the static bound of the compiler
// both ask here. A charge depends on sizes only, never on whether some memory happened to be
// free: so a run costs the same on every machine. What a builtin costs tells value.Cost.

// CopyCost is the gas for a copy of a container of so many cells (keys count as cells).
func CopyCost(cells int) int64 { return int64(cells) >> 4 }

// AppendCost is the gas for an element behind so many cells. Growing is amortised, and an old
// value that is appended to again is copied: so it costs a part of CopyCost.
func AppendCost(cells int) int64 { return int64(cells) >> 8 }

// FindCost is the gas for looking up one of n keys.
func FindCost(n int) int64 { return int64(bits.Len64(uint64(n))) }

// BytesCost is the gas for so many bytes made or compared.
func BytesCost(n int) int64 { return int64(n) >> 4 }

// SortCost is the gas for putting n elements in order.
func SortCost(n int) int64 { return int64(n) * FindCost(n) }
