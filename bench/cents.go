package bench

import (
	"errors"
	"strconv"
)

var errCents = errors.New("not an amount of at most two places")

// parseCents reads a JSON number of at most two places.
func parseCents(s string) (int64, error) {
	c, places, digits, neg := int64(0), -1, 0, false
	for i := range len(s) {
		switch b := s[i]; {
		case b == '-' && i == 0:
			neg = true
		case b == '.' && places < 0 && digits > 0:
			places = 0
		case b-'0' <= 9 && digits < 18 && places < 2:
			c = c*10 + int64(b-'0')
			digits++
			if places >= 0 {
				places++
			}
		default:
			return 0, errCents
		}
	}
	if digits == 0 || places == 0 {
		return 0, errCents
	}
	for places = max(places, 0); places < 2; places++ {
		c *= 10
	}
	if neg {
		c = -c
	}
	return c, nil
}

// appendCents writes cents as a JSON number of two places.
func appendCents(dst []byte, c int64) []byte {
	u := uint64(c)
	if c < 0 {
		dst = append(dst, '-')
		u = -u
	}
	dst = strconv.AppendUint(dst, u/100, 10)
	return append(dst, '.', byte('0'+u/10%10), byte('0'+u%10))
}
