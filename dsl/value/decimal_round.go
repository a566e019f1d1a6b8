package value

import (
	"math/big"
	"math/bits"
)

// DivD is x / y with exactly scale digits after the point, rounded by mode. It faults range for
// a scale outside 0 to 34, division_by_zero, and inexact or overflow when the quotient has no
// room for so many digits.
func DivD(x, y V, scale int64, mode Mode) (V, Fault) {
	if scale < 0 || scale > MaxScale {
		return V{}, Range
	}
	if DecimalSign(y) == 0 {
		return V{}, DivisionByZero
	}
	a, b := unpack(x), unpack(y)
	shift := int(scale) + b.scale - a.scale
	num, okNum := a.c.mulPow10(max(shift, 0))
	den, okDen := b.c.mulPow10(max(-shift, 0))
	if okNum && okDen && den.hi == 0 {
		return quoRound(a.neg != b.neg, num, den.lo, int(scale), mode)
	}
	n, d := a.c.big(), b.c.big()
	if shift > 0 {
		n.Mul(n, bigPow10(shift))
	} else {
		d.Mul(d, bigPow10(-shift))
	}
	return quoRoundBig(a.neg != b.neg, n, d, int(scale), mode)
}

// RoundD is x with exactly scale digits after the point, rounded by mode. It faults range for a
// scale outside 0 to 34, and inexact when x has no room for so many digits.
func RoundD(x V, scale int64, mode Mode) (V, Fault) {
	if scale < 0 || scale > MaxScale {
		return V{}, Range
	}
	drop := decimalScale(x.W) - int(scale)
	if drop <= 0 {
		return pad(x, int(scale))
	}
	if x.W&bigBit == 0 && drop < 19 {
		return V{W: roundWord(int64(x.W)>>7, drop, mode)<<7 | uint64(scale)<<1}, NoFault
	}
	d := unpack(x)
	if drop <= 19 {
		return quoRound(d.neg, d.c, pow10[drop], int(scale), mode)
	}
	return quoRoundBig(d.neg, d.c.big(), bigPow10(drop), int(scale), mode)
}

// roundWord is c / 10^drop, rounded.
func roundWord(c int64, drop int, mode Mode) uint64 {
	p := int64(pow10[drop])
	q, r := c/p, c%p
	if r == 0 {
		return uint64(q)
	}
	neg := c < 0
	if bump(mode, neg, q&1 != 0, cmpHalf(absWord(r), uint64(p))) {
		if neg {
			return uint64(q - 1)
		}
		return uint64(q + 1)
	}
	return uint64(q)
}

// pad gives x a scale that is not below its own.
func pad(x V, scale int) (V, Fault) {
	d := unpack(x)
	c, ok := d.c.mulPow10(scale - d.scale)
	if !ok || !c.less(ten34) {
		return V{}, Inexact
	}
	return pack(d.neg, c, scale), NoFault
}

func quoRound(neg bool, num u128, den uint64, scale int, mode Mode) (V, Fault) {
	q, r := num.quoRem(den)
	if r != 0 && bump(mode, neg, q.lo&1 != 0, cmpHalf(r, den)) {
		q = q.add(u128{0, 1})
	}
	if !q.less(ten34) {
		return V{}, unfit(q, scale)
	}
	return pack(neg && !q.isZero(), q, scale), NoFault
}

func quoRoundBig(neg bool, num, den *big.Int, scale int, mode Mode) (V, Fault) {
	q, r := new(big.Int).QuoRem(num, den, new(big.Int))
	if r.Sign() != 0 && bump(mode, neg, q.Bit(0) != 0, r.Lsh(r, 1).Cmp(den)) {
		q.Add(q, big.NewInt(1))
	}
	if q.BitLen() > 128 {
		return V{}, unfitBig(q, scale)
	}
	c := fromBig(q)
	if !c.less(ten34) {
		return V{}, unfit(c, scale)
	}
	return pack(neg && !c.isZero(), c, scale), NoFault
}

// cmpHalf compares the rest r of a division by den with half of den.
func cmpHalf(r, den uint64) int {
	lo, carry := bits.Add64(r, r, 0)
	switch {
	case carry != 0 || lo > den:
		return 1
	case lo == den:
		return 0
	}
	return -1
}

// bump tells whether a quotient that leaves a rest goes one away from zero: neg and odd are of
// the quotient, half compares the rest with one half.
func bump(mode Mode, neg, odd bool, half int) bool {
	switch mode {
	case HalfEven:
		return half > 0 || half == 0 && odd
	case HalfUp:
		return half >= 0
	case HalfDown:
		return half > 0
	case Up:
		return true
	case Floor:
		return neg
	case Ceiling:
		return !neg
	}
	return false // Down
}
