package value

import (
	"math/bits"
	"time"
	"unsafe"
)

// A time is nanoseconds since 1970 in W when they fit an int64 (1677 to 2262), and Ref is nil.
// Otherwise W holds the seconds and Ref points at the nanoseconds of the second. Each time has
// one form.

const (
	minDay    = -719162 // 0001-01-01
	maxDay    = 2932896 // 9999-12-31
	daySecond = 86400
	minSecond = minDay * daySecond
	maxSecond = maxDay*daySecond + daySecond - 1
	nanos     = 1_000_000_000
)

// wholeSecond is shared by the far times without a fraction, such as 9999-12-31T00:00:00Z.
var wholeSecond int64

// makeTime makes a time of a year from 1 to 9999; 0 <= nano < 10^9.
func makeTime(sec, nano int64) V {
	if ns, ok := joinNanos(sec, nano); ok {
		return V{W: uint64(ns)}
	}
	ref := &wholeSecond
	if nano != 0 {
		ref = new(int64)
		*ref = nano
	}
	return V{W: uint64(sec), Ref: unsafe.Pointer(ref)}
}

// joinNanos is sec * 10^9 + nano, false when that is no int64.
func joinNanos(sec, nano int64) (int64, bool) {
	if sec < 0 && nano > 0 { // so that the product is not below the sum
		sec, nano = sec+1, nano-nanos
	}
	ns, ok := MulInt(sec, nanos)
	if !ok {
		return 0, false
	}
	return AddInt(ns, nano)
}

func splitTime(v V) (sec, nano int64) {
	if v.Ref != nil {
		return int64(v.W), *(*int64)(v.Ref)
	}
	sec, nano = int64(v.W)/nanos, int64(v.W)%nanos
	if nano < 0 {
		return sec - 1, nano + nanos
	}
	return sec, nano
}

// TimeOf makes a time of t, false outside the years 1 to 9999.
func TimeOf(t time.Time) (V, bool) {
	sec := t.Unix()
	if sec < minSecond || sec > maxSecond {
		return V{}, false
	}
	return makeTime(sec, int64(t.Nanosecond())), true
}

// GoTime is the time v as a time.Time in UTC.
func GoTime(v V) time.Time {
	sec, nano := splitTime(v)
	return time.Unix(sec, nano).UTC()
}

// CompareTime is -1, 0 or 1 as a is before, at or after b.
func CompareTime(a, b V) int {
	if a.Ref == nil && b.Ref == nil {
		return cmpInt(int64(a.W), int64(b.W))
	}
	as, an := splitTime(a)
	bs, bn := splitTime(b)
	if as != bs {
		return cmpInt(as, bs)
	}
	return cmpInt(an, bn)
}

// TimePlus is the time t moved by d nanoseconds. It faults overflow outside the years 1 to 9999.
func TimePlus(t V, d int64) (V, Fault) {
	if t.Ref == nil {
		if ns, ok := AddInt(int64(t.W), d); ok {
			return V{W: uint64(ns)}, NoFault
		}
	}
	sec, nano := splitTime(t)
	sec += d / nanos
	nano += d % nanos
	switch {
	case nano < 0:
		sec, nano = sec-1, nano+nanos
	case nano >= nanos:
		sec, nano = sec+1, nano-nanos
	}
	if sec < minSecond || sec > maxSecond {
		return V{}, Overflow
	}
	return makeTime(sec, nano), NoFault
}

// TimeMinus is the time t moved back by d nanoseconds, as TimePlus.
func TimeMinus(t V, d int64) (V, Fault) {
	if d != -1<<63 {
		return TimePlus(t, -d)
	}
	t, f := TimePlus(t, 1<<63-1)
	if f != NoFault {
		return V{}, f
	}
	return TimePlus(t, 1)
}

// TimeSince is the duration a - b in nanoseconds. It faults overflow.
func TimeSince(a, b V) (int64, Fault) {
	as, an := splitTime(a)
	bs, bn := splitTime(b)
	sec, nano := as-bs, an-bn
	if nano < 0 {
		sec, nano = sec-1, nano+nanos
	}
	d, ok := joinNanos(sec, nano)
	return d, overflowUnless(ok)
}

// DayOfTime is the UTC day of a time, in days since 1970.
func DayOfTime(t V) int64 {
	sec, _ := splitTime(t)
	return floorDiv(sec, daySecond)
}

// AddDaysTo is a day moved by n. It faults overflow outside the years 1 to 9999.
func AddDaysTo(day, n int64) (int64, Fault) {
	d, ok := AddInt(day, n)
	return d, overflowUnless(ok && d >= minDay && d <= maxDay)
}

// AddMonthsTo is a day moved by n months, clipped to the last day of the month it lands in.
func AddMonthsTo(day, n int64) (int64, Fault) {
	y, m, d := civil(day)
	total, ok := AddInt(y*12+m-1, n)
	y, m = floorDiv(total, 12), total-floorDiv(total, 12)*12+1
	if !ok || y < 1 || y > 9999 {
		return 0, Overflow
	}
	return days(y, m, min(d, monthDays(y, m))), NoFault
}

// YearOf, MonthOf and DayOf are the parts of a day in days since 1970.
func YearOf(day int64) int64 { y, _, _ := civil(day); return y }

// MonthOf is 1 to 12.
func MonthOf(day int64) int64 { _, m, _ := civil(day); return m }

// DayOf is 1 to 31.
func DayOf(day int64) int64 { _, _, d := civil(day); return d }

// WeekdayOf is 1 for Monday to 7 for Sunday; 1970-01-01 was a Thursday.
func WeekdayOf(day int64) int64 { return (day+3)%7 + 1 + 7*((day+3)%7>>63&1) }

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// days counts the days from 1970-01-01 to a day of the Gregorian calendar. Years begin in
// March here, so that the leap day is the last of its year.
func days(y, m, d int64) int64 {
	if m <= 2 {
		y--
		m += 12
	}
	era := floorDiv(y, 400)
	yoe := y - era*400
	doy := (153*(m-3)+2)/5 + d - 1
	return era*146097 + yoe*365 + yoe/4 - yoe/100 + doy - 719468
}

// civil is the reverse of days.
func civil(day int64) (y, m, d int64) {
	z := day + 719468
	era := floorDiv(z, 146097)
	doe := z - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	y, m, d = yoe+era*400, mp+3, doy-(153*mp+2)/5+1
	if m > 12 {
		y++
		m -= 12
	}
	return y, m, d
}

func monthDays(y, m int64) int64 {
	if m == 2 {
		if y%4 == 0 && (y%100 != 0 || y%400 == 0) {
			return 29
		}
		return 28
	}
	return 30 + int64(bits.OnesCount64(1<<uint(m)&0b1010110101010)) // the long months: 1 3 5 7 8 10 12
}
