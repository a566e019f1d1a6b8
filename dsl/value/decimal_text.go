package value

import (
	"math/bits"
	"slices"
	"strconv"
)

// number is a number as it was read: c * 10^-scale, and lost when it has digits that c cannot
// hold, which is then no decimal.
type number struct {
	c     u128
	scale int // any, also negative
	neg   bool
	lost  bool
	exp   bool // an exponent was written
}

// maxExponent bounds what is read behind an e; a number beyond is refused as text.
const maxExponent = 999_999_999

// readNumber reads the JSON number at s[i:] and gives where it ends, which is i if there is none.
func readNumber(s string, i int) (number, int) {
	var n number
	start := i
	if i < len(s) && s[i] == '-' {
		n.neg = true
		i++
	}
	first := i
	var m uint64
	for ; i < len(s) && s[i]-'0' <= 9; i++ {
		m = m*10 + uint64(s[i]-'0')
	}
	digits := i - first
	if digits == 0 || digits > 1 && s[first] == '0' {
		return n, start
	}
	if i < len(s) && s[i] == '.' {
		point := i
		for i++; i < len(s) && s[i]-'0' <= 9; i++ {
			m = m*10 + uint64(s[i]-'0')
		}
		n.scale = i - point - 1
		if n.scale == 0 {
			return n, start
		}
	}
	if digits+n.scale <= 19 {
		n.c.lo = m
	} else {
		n.setDigits(s[first:i])
	}
	if i < len(s) && s[i]|0x20 == 'e' {
		return n.readExponent(s, i+1, start)
	}
	return n, i
}

// readSmall reads the number at s[i:] if it is short and plain, as almost all are: at most 16
// digits and no exponent. Otherwise end is i, and readNumber knows.
func readSmall(s string, i int) (c int64, scale, end int) {
	start := i
	if i < len(s) && s[i] == '-' {
		i++
	}
	first, point := i, -1
	for ; i < len(s); i++ {
		if d := s[i] - '0'; d <= 9 {
			c = c*10 + int64(d)
			continue
		}
		if s[i] != '.' || point >= 0 {
			break
		}
		point = i
	}
	digits, whole := i-first, i-first
	if point >= 0 {
		digits--
		scale, whole = i-point-1, point-first
		if scale == 0 {
			return 0, 0, start
		}
	}
	if whole == 0 || whole > 1 && s[first] == '0' || digits > 16 || i < len(s) && s[i]|0x20 == 'e' {
		return 0, 0, start
	}
	if first > start {
		c = -c
	}
	return c, scale, i
}

// setDigits reads a coefficient of many digits. 38 fit two words; zeros behind them are kept as
// a smaller scale.
func (n *number) setDigits(s string) {
	count, zeros := 0, 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == '.' || c == '0' && count == 0:
		case count < 38:
			n.c, _ = n.c.mul(10)
			n.c = n.c.add(u128{0, uint64(c - '0')})
			count++
		case c == '0':
			zeros++
		default:
			n.lost = true
		}
	}
	n.scale -= zeros
}

func (n number) readExponent(s string, i, start int) (number, int) {
	neg := false
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		neg = s[i] == '-'
		i++
	}
	first, e := i, 0
	for ; i < len(s) && s[i]-'0' <= 9; i++ {
		if e = e*10 + int(s[i]-'0'); e > maxExponent {
			return n, start
		}
	}
	if i == first {
		return n, start
	}
	if neg {
		e = -e
	}
	n.scale -= e
	n.exp = true
	return n, i
}

// decimal is n as a decimal, false when it does not fit exactly.
func (n number) decimal() (V, bool) {
	if n.c.hi == 0 && n.c.lo < 1<<56 && uint(n.scale) <= MaxScale && !n.lost {
		c := n.c.lo
		if n.neg {
			c = -c
		}
		return V{W: c<<7 | uint64(n.scale)<<1}, true
	}
	if n.lost {
		return V{}, false
	}
	if n.c.isZero() {
		return V{W: uint64(min(max(n.scale, 0), MaxScale)) << 1}, true
	}
	if n.scale < 0 {
		var ok bool
		if n.scale < -MaxDigits {
			return V{}, false
		}
		if n.c, ok = n.c.mulPow10(-n.scale); !ok {
			return V{}, false
		}
		n.scale = 0
	}
	v, f := fit(n.neg, n.c, n.scale)
	return v, f == NoFault
}

// int is n as an int, false when it is not whole or out of range.
func (n number) int() (int64, bool) {
	if n.scale == 0 && !n.lost {
		i, f := signedWord(n.neg, n.c)
		return i, f == NoFault
	}
	v, ok := n.decimal()
	if !ok {
		return 0, false
	}
	i, f := IntFromDecimal(v)
	return i, f == NoFault
}

// readPlain reads a number that is the whole of s and has no exponent.
func readPlain(s string) (number, bool) {
	n, end := readNumber(s, 0)
	return n, end == len(s) && end > 0 && !n.exp
}

// ParseDecimalText reads a decimal as the language and strings on the wire write it: a JSON
// number without exponent (ruling 56). It is false for other text and what does not fit.
func ParseDecimalText(s string) (V, bool) {
	if c, scale, end := readSmall(s, 0); end > 0 && end == len(s) {
		return V{W: uint64(c)<<7 | uint64(scale)<<1}, true
	}
	n, ok := readPlain(s)
	if !ok {
		return V{}, false
	}
	return n.decimal()
}

// ParseIntText reads an int by the same rules; "1.0" is 1.
func ParseIntText(s string) (int64, bool) {
	n, ok := readPlain(s)
	if !ok {
		return 0, false
	}
	return n.int()
}

// AppendDecimal appends x in plain notation with its scale: 79.50.
func AppendDecimal(dst []byte, x V) []byte {
	if x.W&bigBit == 0 {
		return appendSmall(dst, x.W)
	}
	scale := decimalScale(x.W)
	if int64(x.W) < 0 {
		dst = append(dst, '-')
	}
	d := unpack(x)
	if scale == 0 && d.c.hi == 0 {
		return strconv.AppendUint(dst, d.c.lo, 10)
	}
	var buf [40]byte
	i := len(buf)
	for c := d.c; c.hi|c.lo != 0; {
		low := c.lo
		if c.hi != 0 {
			c, low = c.quoRem(pow10[18])
			i = putDigits(&buf, i, low, 18)
			continue
		}
		i = putDigits(&buf, i, low, 1)
		break
	}
	for len(buf)-i <= scale {
		i--
		buf[i] = '0'
	}
	if scale == 0 {
		return append(dst, buf[i:]...)
	}
	dst = append(dst, buf[i:len(buf)-scale]...)
	dst = append(dst, '.')
	return append(dst, buf[len(buf)-scale:]...)
}

// appendSmall is AppendDecimal for a coefficient in the word. It writes in place: to copy what was
// just written digit by digit, the processor would have to wait for it.
func appendSmall(dst []byte, w uint64) []byte {
	n, scale := absWord(int64(w)>>7), int(w&scaleBits>>1)
	if int64(w) < 0 {
		dst = append(dst, '-')
	}
	size := max(digits(n), scale+1)
	if scale > 0 {
		size++
	}
	dst = slices.Grow(dst, size)
	i := len(dst) + size
	dst = dst[:i]
	if scale > 0 {
		for ; scale >= 2; scale -= 2 {
			i -= 2
			q := n / 100
			dst[i], dst[i+1] = digit2(n - q*100)
			n = q
		}
		if scale == 1 {
			i--
			dst[i] = byte('0' + n%10)
			n /= 10
		}
		i--
		dst[i] = '.'
	}
	for ; n >= 100; n /= 100 {
		i -= 2
		dst[i], dst[i+1] = digit2(n % 100)
	}
	if n >= 10 {
		i--
		dst[i] = byte('0' + n%10)
		n /= 10
	}
	dst[i-1] = byte('0' + n)
	return dst
}

// digits is how many digits n has, which is below 10^19.
func digits(n uint64) int {
	least := bits.Len64(n|1) * 1233 >> 12 // 1233/4096 is the logarithm of 2
	if n >= pow10[least] {
		return least + 1
	}
	return max(least, 1)
}

// digit2 are the two digits of n, which is below 100.
func digit2(n uint64) (byte, byte) {
	tens := n / 10
	return byte('0' + tens), byte('0' + n - tens*10)
}

// putDigits writes n before buf[i], with zeros in front when it has fewer than count digits.
func putDigits(buf *[40]byte, i int, n uint64, count int) int {
	for ; n != 0 || count > 0; count-- {
		i--
		buf[i] = byte('0' + n%10)
		n /= 10
	}
	return i
}
