package value

import (
	"encoding/binary"
	"strconv"
	"unsafe"
)

// View is b as a string without a copy: for parsing. It is valid while b is not changed.
func View(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// ParseTime reads RFC 3339 strictly: capital T and Z, seconds below 60, at most nine digits of
// a fraction; an offset is converted to UTC.
func ParseTime(s string) (V, bool) {
	if len(s) < 20 || s[10] != 'T' || s[13] != ':' || s[16] != ':' {
		return V{}, false
	}
	day, ok := parseDay(s[:10])
	h, okH := digits2(s[11:])
	m, okM := digits2(s[14:])
	sec, okS := digits2(s[17:])
	if !ok || !okH || !okM || !okS || h > 23 || m > 59 || sec > 59 {
		return V{}, false
	}
	nano, rest, ok := parseFraction(s[19:])
	if !ok {
		return V{}, false
	}
	offset, ok := parseOffset(rest)
	at := day*daySecond + h*3600 + m*60 + sec - offset
	if !ok || at < minSecond || at > maxSecond {
		return V{}, false
	}
	return makeTime(at, nano), true
}

func parseFraction(s string) (nano int64, rest string, ok bool) {
	if s[0] != '.' {
		return 0, s, true
	}
	i := 1
	for unit := int64(nanos / 10); i < len(s) && s[i]-'0' <= 9; i++ {
		if unit == 0 {
			return 0, s, false
		}
		nano += int64(s[i]-'0') * unit
		unit /= 10
	}
	return nano, s[i:], i > 1
}

func parseOffset(s string) (int64, bool) {
	if s == "Z" {
		return 0, true
	}
	if len(s) != 6 || s[3] != ':' || s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	h, okH := digits2(s[1:])
	m, okM := digits2(s[4:])
	offset := h*3600 + m*60
	if s[0] == '-' {
		offset = -offset
	}
	return offset, okH && okM && h <= 23 && m <= 59
}

func digits2(s string) (int64, bool) {
	a, b := s[0]-'0', s[1]-'0'
	return int64(a)*10 + int64(b), a <= 9 && b <= 9
}

// ParseDate reads YYYY-MM-DD, the years 1 to 9999.
func ParseDate(s string) (V, bool) {
	day, ok := parseDay(s)
	return MakeInt(day), ok
}

func parseDay(s string) (int64, bool) {
	if len(s) != 10 || s[4] != '-' || s[7] != '-' {
		return 0, false
	}
	c, okC := digits2(s)
	y, okY := digits2(s[2:])
	m, okM := digits2(s[5:])
	d, okD := digits2(s[8:])
	y += c * 100
	if !okC || !okY || !okM || !okD || y < 1 || m < 1 || m > 12 || d < 1 || d > monthDays(y, m) {
		return 0, false
	}
	return days(y, m, d), true
}

// AppendTime appends a time as RFC 3339 in UTC, without trailing zeros of the fraction.
func AppendTime(dst []byte, v V) []byte {
	sec, nano := splitTime(v)
	day := floorDiv(sec, daySecond)
	left := sec - day*daySecond
	y, m, d := civil(day)
	// Written in place: to copy what was just written byte by byte, the processor would have to
	// wait for it.
	at := len(dst)
	dst = append(dst, "0000-00-00T00:00:00Z"...)
	text := dst[at : at+timeLen]
	put2(text[0:2], y/100)
	put2(text[2:4], y%100)
	put2(text[5:7], m)
	put2(text[8:10], d)
	put2(text[11:13], left/3600)
	put2(text[14:16], left/60%60)
	put2(text[17:19], left%60)
	if nano == 0 {
		return dst
	}
	dst[len(dst)-1] = '.'
	for unit := int64(nanos / 10); nano > 0; unit /= 10 {
		dst = append(dst, byte('0'+nano/unit))
		nano %= unit
	}
	return append(dst, 'Z')
}

// AppendDate appends a day in days since 1970 as YYYY-MM-DD.
func AppendDate(dst []byte, day int64) []byte {
	y, m, d := civil(day)
	dst = append2(append2(dst, y/100), y%100)
	dst = append2(append(dst, '-'), m)
	return append2(append(dst, '-'), d)
}

func put2(dst []byte, n int64) { dst[0], dst[1] = byte('0'+n/10), byte('0'+n%10) }

func append2(dst []byte, n int64) []byte { return append(dst, byte('0'+n/10), byte('0'+n%10)) }

// durationUnits are the units of a duration, the largest first.
var durationUnits = [...]struct {
	name string
	size uint64
}{
	{"d", 24 * 3600 * nanos}, {"h", 3600 * nanos}, {"m", 60 * nanos}, {"s", nanos}, {"ms", 1_000_000}, {"us", 1000}, {"ns", 1},
}

// ParseDuration reads a duration as in the language (ruling 6): whole numbers with the units
// d h m s ms us ns, the largest first, each once, a minus in front: 1h30m.
func ParseDuration(s string) (V, bool) {
	neg := len(s) > 0 && s[0] == '-'
	if neg {
		s = s[1:]
	}
	if s == "" {
		return V{}, false
	}
	var sum u128
	for unit := 0; s != ""; unit++ {
		n, i := uint64(0), 0
		for ; i < len(s) && s[i]-'0' <= 9; i++ {
			if n > 1<<63/10 {
				return V{}, false
			}
			n = n*10 + uint64(s[i]-'0')
		}
		if i == 0 || i > 1 && s[0] == '0' {
			return V{}, false
		}
		if unit, s = unitAfter(s[i:], unit); unit < 0 {
			return V{}, false
		}
		part, _ := u128{0, n}.mul(durationUnits[unit].size)
		sum = sum.add(part)
	}
	d, f := signedWord(neg, sum)
	return MakeInt(d), f == NoFault
}

// unitAfter finds the unit that s begins with, from unit first on, and what follows it; -1 is none.
func unitAfter(s string, first int) (int, string) {
	n := 0
	for n < len(s) && s[n] >= 'a' && s[n] <= 'z' {
		n++
	}
	for i := first; i < len(durationUnits); i++ {
		if durationUnits[i].name == s[:n] {
			return i, s[n:]
		}
	}
	return -1, s
}

// AppendDuration appends nanoseconds in the canonical form: units up to h, 0s for nothing.
func AppendDuration(dst []byte, d int64) []byte {
	if d == 0 {
		return append(dst, "0s"...)
	}
	if d < 0 {
		dst = append(dst, '-')
	}
	left := absWord(d)
	for _, u := range durationUnits[1:] {
		if n := left / u.size; n != 0 {
			dst = append(strconv.AppendUint(dst, n, 10), u.name...)
			left %= u.size
		}
	}
	return dst
}

// ParseUUID reads the 36 characters of a uuid; upper case is accepted.
func ParseUUID(s string) (id [16]byte, ok bool) {
	first, second, ok := parseUUID(s)
	putUUID(&id, first, second)
	return id, ok
}

func putUUID(id *[16]byte, first, second uint64) {
	binary.LittleEndian.PutUint64(id[:8], first)
	binary.LittleEndian.PutUint64(id[8:], second)
}

// parseUUID is ParseUUID that gives the halves, the first byte of each lowest.
func parseUUID(s string) (first, second uint64, ok bool) {
	if len(s) != uuidLen || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return 0, 0, false
	}
	b := (*[uuidLen]byte)(unsafeBytes(s))
	w0, bad0 := unhex(binary.LittleEndian.Uint64(b[0:]))
	w1, bad1 := unhex(uint64(binary.LittleEndian.Uint32(b[9:])) | uint64(binary.LittleEndian.Uint32(b[14:]))<<32)
	w2, bad2 := unhex(uint64(binary.LittleEndian.Uint32(b[19:])) | uint64(binary.LittleEndian.Uint32(b[24:]))<<32)
	w3, bad3 := unhex(binary.LittleEndian.Uint64(b[28:]))
	return w0 | w1<<32, w2 | w3<<32, bad0|bad1|bad2|bad3 == 0
}

// Each byte of a word, eight at a time.
const (
	eachOne    = 0x0101010101010101
	eachNibble = 0x0f0f0f0f0f0f0f0f
)

// unhex are the four bytes that eight hexadecimal digits write, the first in the lowest byte; bad
// is 0 if they are digits. It writes the digits it has read once more: only then they are the same.
func unhex(w uint64) (bytes, bad uint64) {
	letters := w >> 6 & eachOne
	n := w&eachNibble + letters*9
	bad = n&^eachNibble | (hexOf(n) ^ (w | letters<<5))
	n = (n<<4 | n>>8) & 0x00ff00ff00ff00ff
	n = (n | n>>8) & 0x0000ffff0000ffff
	return (n | n>>16) & 0xffffffff, bad
}

// hexOf are the digits, in lower case, of eight numbers below 16.
func hexOf(n uint64) uint64 {
	letters := (n + 6*eachOne) >> 4 & eachOne
	return n + '0'*eachOne + letters*('a'-'0'-10)
}

// hexValue is the value of each hexadecimal digit, 255 for other bytes.
var hexValue = func() (t [256]byte) {
	for c := range t {
		t[c] = 255
	}
	for i := range byte(16) {
		t[hexDigits[i]] = i
		t["0123456789ABCDEF"[i]] = i
	}
	return t
}()

const hexDigits = "0123456789abcdef"

// AppendUUID appends a uuid in lower case.
func AppendUUID(dst []byte, id [16]byte) []byte {
	at := len(dst)
	dst = append(dst, "00000000-0000-0000-0000-000000000000"...)
	text := (*[uuidLen]byte)(dst[at:])
	w1, w2 := digits8(id[4:8]), digits8(id[8:12])
	binary.LittleEndian.PutUint64(text[0:], digits8(id[0:4]))
	binary.LittleEndian.PutUint32(text[9:], uint32(w1))
	binary.LittleEndian.PutUint32(text[14:], uint32(w1>>32))
	binary.LittleEndian.PutUint32(text[19:], uint32(w2))
	binary.LittleEndian.PutUint32(text[24:], uint32(w2>>32))
	binary.LittleEndian.PutUint64(text[28:], digits8(id[12:16]))
	return dst
}

// digits8 are the eight digits of four bytes, the first in the lowest byte.
func digits8(b []byte) uint64 {
	n := uint64(binary.LittleEndian.Uint32(b))
	n = (n | n<<16) & 0x0000ffff0000ffff
	n = (n | n<<8) & 0x00ff00ff00ff00ff
	return hexOf((n>>4 | n<<8) & eachNibble)
}
