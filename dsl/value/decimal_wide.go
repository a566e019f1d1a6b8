package value

import "math/big"

// The rare paths: coefficients of more than one word, results that must lose trailing zeros,
// and what only math/big can hold on the way.

func addWide(x, y wide) (V, Fault) {
	if x.scale < y.scale {
		x, y = y, x
	}
	yc, ok := y.c.mulPow10(x.scale - y.scale)
	if !ok || yc.hi>>63 != 0 {
		return addBig(x, y)
	}
	switch {
	case x.neg == y.neg:
		return fit(x.neg, x.c.add(yc), x.scale)
	case x.c.less(yc):
		return fit(y.neg, yc.sub(x.c), x.scale)
	}
	return fit(x.neg, x.c.sub(yc), x.scale)
}

func addBig(x, y wide) (V, Fault) {
	yc := y.big()
	yc.Mul(yc, bigPow10(x.scale-y.scale))
	return fitBig(yc.Add(yc, x.big()), x.scale)
}

func mulWide(x, y wide) (V, Fault) {
	if x.c.hi == 0 {
		x, y = y, x
	}
	if y.c.hi == 0 {
		if p, ok := x.c.mul(y.c.lo); ok {
			return fit(x.neg != y.neg, p, x.scale+y.scale)
		}
	}
	p := x.big()
	return fitBig(p.Mul(p, y.big()), x.scale+y.scale)
}

// fit makes the decimal c * 10^-scale, dropping trailing zeros only as far as it would not fit
// otherwise.
func fit(neg bool, c u128, scale int) (V, Fault) {
	if c.isZero() {
		return pack(false, c, min(scale, MaxScale)), NoFault
	}
	for scale > MaxScale || !c.less(ten34) {
		if scale == 0 {
			return V{}, Overflow
		}
		q, r := c.quoRem(10)
		if r != 0 {
			return V{}, unfit(c, scale)
		}
		c = q
		scale--
	}
	return pack(neg, c, scale), NoFault
}

// unfit is the fault of a value that has no exact form: overflow when it reaches 10^34.
func unfit(c u128, scale int) Fault {
	if limit, ok := ten34.mulPow10(scale); ok && !c.less(limit) {
		return Overflow
	}
	return Inexact
}

func fitBig(n *big.Int, scale int) (V, Fault) {
	neg := n.Sign() < 0
	n.Abs(n)
	q, r := new(big.Int), new(big.Int)
	ten := big.NewInt(10)
	for n.BitLen() > 128 {
		if scale == 0 {
			return V{}, Overflow
		}
		if q.QuoRem(n, ten, r); r.Sign() != 0 {
			return V{}, unfitBig(n, scale)
		}
		n, q = q, n
		scale--
	}
	return fit(neg, fromBig(n), scale)
}

func unfitBig(n *big.Int, scale int) Fault {
	if n.Cmp(bigPow10(MaxDigits+scale)) >= 0 {
		return Overflow
	}
	return Inexact
}

func (d wide) big() *big.Int {
	n := d.c.big()
	if d.neg {
		n.Neg(n)
	}
	return n
}

func (a u128) big() *big.Int {
	n := new(big.Int).SetUint64(a.hi)
	n.Lsh(n, 64)
	return n.Or(n, new(big.Int).SetUint64(a.lo))
}

// fromBig is n, which is not negative and below 2^128.
func fromBig(n *big.Int) u128 {
	lo := new(big.Int).And(n, new(big.Int).SetUint64(^uint64(0))).Uint64()
	return u128{new(big.Int).Rsh(n, 64).Uint64(), lo}
}

func bigPow10(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }
