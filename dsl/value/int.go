package value

import "math/bits"

// AddInt is a + b, false when that is no int64.
func AddInt(a, b int64) (int64, bool) {
	s := a + b
	return s, (a^s)&(b^s) >= 0
}

// SubInt is a - b, false when that is no int64.
func SubInt(a, b int64) (int64, bool) {
	s := a - b
	return s, (a^b)&(a^s) >= 0
}

// MulInt is a * b, false when that is no int64.
func MulInt(a, b int64) (int64, bool) {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	hi -= uint64(a>>63)&uint64(b) + uint64(b>>63)&uint64(a)
	return int64(lo), hi == uint64(int64(lo)>>63)
}

// NegInt is -a, false for MinInt.
func NegInt(a int64) (int64, bool) { return -a, a != -1<<63 }

// AbsInt is |a|, false for MinInt.
func AbsInt(a int64) (int64, bool) {
	if a < 0 {
		return NegInt(a)
	}
	return a, true
}

// DivInt is a / b toward zero. It faults division_by_zero, and overflow for MinInt / -1.
func DivInt(a, b int64) (int64, Fault) {
	if b == 0 {
		return 0, DivisionByZero
	}
	if b == -1 {
		n, ok := NegInt(a)
		return n, overflowUnless(ok)
	}
	return a / b, NoFault
}

// ModInt is a % b with the sign of a. It faults division_by_zero.
func ModInt(a, b int64) (int64, Fault) {
	if b == 0 {
		return 0, DivisionByZero
	}
	if b == -1 { // MinInt % -1 traps on some machines
		return 0, NoFault
	}
	return a % b, NoFault
}

func overflowUnless(ok bool) Fault {
	if ok {
		return NoFault
	}
	return Overflow
}

func cmpInt(a, b int64) int {
	if a < b {
		return -1
	}
	if a > b {
		return 1
	}
	return 0
}
