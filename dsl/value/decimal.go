package value

import (
	"math/bits"
	"unsafe"
)

// A decimal is coefficient * 10^-scale with 0 <= scale <= 34 and |coefficient| < 10^34. Its
// word is coefficient<<7 | scale<<1 | big: a coefficient of 57 bits stands in the word itself;
// a larger one stands behind Ref, the big bit is set and the word's sign is the coefficient's.
// A coefficient that fits the small form is always in it, so equal coefficients of one scale
// have equal words, and the sign of every decimal is the sign of its word without the low seven
// bits. There is no negative zero.

const (
	bigBit    = 1
	scaleBits = 126
	formBits  = 127 // scale and big bit

	// MaxScale is the greatest number of digits after the point.
	MaxScale = 34
	// MaxDigits is the greatest number of significant digits.
	MaxDigits = 34
)

// pow10 are the powers of ten that fit a word; all but the last fit an int64.
var pow10 = [20]uint64{
	1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
}

// AddSmall adds the words of two decimals of one scale that are both small; the VM writes it
// out in its loop. It is false when that is not so or the sum is not small: then AddDecimal knows.
func AddSmall(x, y uint64) (uint64, bool) {
	s := int64(x&^formBits) + int64(y)
	return uint64(s), (x^y)&formBits == 0 && x&bigBit == 0 && (int64(x)^s)&(int64(y)^s) >= 0
}

// SubSmall is as AddSmall, x - y.
func SubSmall(x, y uint64) (uint64, bool) {
	s := int64(x) - int64(y&^formBits)
	return uint64(s), (x^y)&formBits == 0 && x&bigBit == 0 && (int64(x)^int64(y))&(int64(x)^s) >= 0
}

// MulSmall multiplies the words of two small decimals of any scales; it is false when one is
// big, or the product is not small or has more than 34 digits after the point.
func MulSmall(x, y uint64) (uint64, bool) {
	if (x|y)&bigBit != 0 {
		return 0, false
	}
	p, ok := MulInt(int64(x)>>7, int64(y&^formBits)) // the low seven bits stay zero
	scale := x&scaleBits + y&scaleBits
	return uint64(p) | scale, ok && scale <= MaxScale<<1
}

// SameForm tells whether two decimal words are small and of one scale, so that comparing them
// as int64 compares the decimals.
func SameForm(x, y uint64) bool { return (x^y)&formBits|x&bigBit == 0 }

// AddDecimal is x + y with the larger scale. It faults inexact, overflow.
func AddDecimal(x, y V) (V, Fault) {
	if w, ok := AddSmall(x.W, y.W); ok {
		return V{W: w}, NoFault
	}
	return addUnlike(x, y)
}

// SubDecimal is x - y with the larger scale. It faults inexact, overflow.
func SubDecimal(x, y V) (V, Fault) {
	if w, ok := SubSmall(x.W, y.W); ok {
		return V{W: w}, NoFault
	}
	return addUnlike(x, NegDecimal(y))
}

// MulDecimal is x * y with the sum of the scales, or fewer when only dropping trailing zeros
// lets it fit. It faults inexact, overflow.
func MulDecimal(x, y V) (V, Fault) {
	if w, ok := MulSmall(x.W, y.W); ok {
		return V{W: w}, NoFault
	}
	return mulWide(unpack(x), unpack(y))
}

// CmpDecimal is -1, 0 or 1 as x is less than, equal to or greater than y, by value.
func CmpDecimal(x, y V) int {
	if SameForm(x.W, y.W) {
		return cmpInt(int64(x.W), int64(y.W))
	}
	return cmpUnlike(x, y)
}

// NegDecimal is -x.
func NegDecimal(x V) V {
	if x.W&bigBit != 0 {
		d := unpack(x)
		return pack(!d.neg, d.c, d.scale)
	}
	c := -(int64(x.W) >> 7)
	if c == 1<<56 { // the one small coefficient whose opposite is not small
		return pack(false, u128{0, 1 << 56}, decimalScale(x.W))
	}
	return V{W: uint64(c)<<7 | x.W&formBits}
}

// AbsDecimal is |x|.
func AbsDecimal(x V) V {
	if int64(x.W) < 0 {
		return NegDecimal(x)
	}
	return x
}

// DecimalSign is -1, 0 or 1.
func DecimalSign(x V) int {
	if int64(x.W) < 0 {
		return -1
	}
	if x.W&^scaleBits == 0 {
		return 0
	}
	return 1
}

// DecimalScale is the number of digits x has after the point.
func DecimalScale(x V) int { return decimalScale(x.W) }

func decimalScale(w uint64) int { return int(w & scaleBits >> 1) }

// DecimalFromInt is i with scale 0.
func DecimalFromInt(i int64) V {
	if i<<7>>7 == i {
		return V{W: uint64(i) << 7}
	}
	neg := i < 0
	return pack(neg, u128{0, absWord(i)}, 0)
}

// IntFromDecimal is x as an int. It faults not_whole, and overflow when x is whole but no int64.
func IntFromDecimal(x V) (int64, Fault) {
	if x.W&formBits == 0 {
		return int64(x.W) >> 7, NoFault
	}
	d := unpack(x)
	c, rest := d.c, uint64(0)
	for s := d.scale; s > 0 && rest == 0; {
		step := min(s, 19)
		c, rest = c.quoRem(pow10[step])
		s -= step
	}
	if rest != 0 {
		return 0, NotWhole
	}
	return signedWord(d.neg, c)
}

func signedWord(neg bool, c u128) (int64, Fault) {
	limit := uint64(1<<63 - 1)
	if neg {
		limit++
	}
	if c.hi != 0 || c.lo > limit {
		return 0, Overflow
	}
	if neg {
		return -int64(c.lo), NoFault
	}
	return int64(c.lo), NoFault
}

// SumColumnD adds the decimals cells[col], cells[col+stride], … beginning with 0. It faults
// inexact, overflow.
func SumColumnD(cells []V, stride, col int) (V, Fault) {
	var sum V
	for i := col; i < len(cells); i += stride {
		w := cells[i].W
		s := int64(sum.W&^formBits) + int64(w)
		if (sum.W^w)&formBits == 0 && w&bigBit == 0 && (int64(sum.W)^s)&(int64(w)^s) >= 0 {
			sum.W, sum.Ref = uint64(s), nil
			continue
		}
		var f Fault
		if sum, f = addUnlike(sum, cells[i]); f != NoFault {
			return V{}, f
		}
	}
	return sum, NoFault
}

// addUnlike adds decimals of any form: by one multiplication when both are small.
func addUnlike(x, y V) (V, Fault) {
	if (x.W|y.W)&bigBit == 0 {
		a, b := x.W, y.W
		if a&scaleBits < b&scaleBits {
			a, b = b, a
		}
		if d := (a&scaleBits - b&scaleBits) >> 1; d < 19 {
			m, ok := MulInt(int64(b&^formBits), int64(pow10[d]))
			s := int64(a) + m
			if ok && (int64(a)^s)&(m^s) >= 0 {
				return V{W: uint64(s)}, NoFault
			}
		}
	}
	return addWide(unpack(x), unpack(y))
}

// cmpUnlike compares by sign and then by aligned coefficients. An aligned coefficient that
// leaves 128 bits is the greater one, since the other is below 10^34.
func cmpUnlike(x, y V) int {
	sx, sy := DecimalSign(x), DecimalSign(y)
	if sx != sy || sx == 0 {
		return cmpInt(int64(sx), int64(sy))
	}
	a, b := unpack(x), unpack(y)
	r := 0
	if a.scale >= b.scale {
		bc, ok := b.c.mulPow10(a.scale - b.scale)
		r = -1
		if ok {
			r = a.c.cmp(bc)
		}
	} else {
		ac, ok := a.c.mulPow10(b.scale - a.scale)
		r = 1
		if ok {
			r = ac.cmp(b.c)
		}
	}
	return r * sx
}

// wide is a decimal taken apart: neg tells the sign of c * 10^-scale.
type wide struct {
	c     u128
	scale int
	neg   bool
}

func unpack(v V) wide {
	d := wide{scale: decimalScale(v.W), neg: int64(v.W) < 0}
	if v.W&bigBit != 0 {
		d.c = *(*u128)(v.Ref)
		return d
	}
	d.c.lo = absWord(int64(v.W) >> 7)
	return d
}

// pack puts together a decimal that is known to be in range.
func pack(neg bool, c u128, scale int) V {
	form := uint64(scale) << 1
	if c.hi == 0 && c.lo < 1<<56 || neg && c.hi == 0 && c.lo == 1<<56 {
		if neg {
			return V{W: -c.lo<<7 | form}
		}
		return V{W: c.lo<<7 | form}
	}
	form |= bigBit
	if neg {
		form |= ^uint64(formBits)
	}
	return V{W: form, Ref: unsafe.Pointer(&u128{c.hi, c.lo})}
}

// absWord is |i|, of MinInt too.
func absWord(i int64) uint64 {
	if i < 0 {
		return -uint64(i)
	}
	return uint64(i)
}

// u128 is an unsigned integer of two words.
type u128 struct{ hi, lo uint64 }

// ten34 is 10^34, the first coefficient that is too large.
var ten34 = u128{0x1ed09bead87c0, 0x378d8e6400000000}

func (a u128) cmp(b u128) int {
	if a.hi != b.hi {
		if a.hi < b.hi {
			return -1
		}
		return 1
	}
	if a.lo != b.lo {
		if a.lo < b.lo {
			return -1
		}
		return 1
	}
	return 0
}

func (a u128) less(b u128) bool { return a.hi < b.hi || a.hi == b.hi && a.lo < b.lo }

func (a u128) isZero() bool { return a.hi|a.lo == 0 }

func (a u128) add(b u128) u128 {
	lo, c := bits.Add64(a.lo, b.lo, 0)
	hi, _ := bits.Add64(a.hi, b.hi, c)
	return u128{hi, lo}
}

func (a u128) sub(b u128) u128 {
	lo, c := bits.Sub64(a.lo, b.lo, 0)
	hi, _ := bits.Sub64(a.hi, b.hi, c)
	return u128{hi, lo}
}

// mul is a * m, false when that leaves 128 bits.
func (a u128) mul(m uint64) (u128, bool) {
	hi, lo := bits.Mul64(a.lo, m)
	top, mid := bits.Mul64(a.hi, m)
	sum, c := bits.Add64(hi, mid, 0)
	return u128{sum, lo}, top|c == 0
}

// mulPow10 is a * 10^n, false when that leaves 128 bits.
func (a u128) mulPow10(n int) (u128, bool) {
	if a.isZero() {
		return a, true
	}
	for ; n > 19; n -= 19 {
		var ok bool
		if a, ok = a.mul(pow10[19]); !ok {
			return a, false
		}
	}
	return a.mul(pow10[n])
}

func (a u128) quoRem(m uint64) (u128, uint64) {
	hi, r := a.hi/m, a.hi%m
	lo, r := bits.Div64(r, a.lo, m)
	return u128{hi, lo}, r
}
